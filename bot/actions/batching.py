"""Deciding several requests of one kind at once: shown first, confirmed, each its own vote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pydantic import TypeAdapter

from bot.actions import deciding, undoing, voting
from bot.actions.scene import Scene
from bot.texts import Text, joined
from bot.wecom import cut_characters
from bot.wording import Action, Words
from workflows import similar
from workflows.model import Answer, Request, State, same_user
from workflows.steps import Approve, Deny, Refused

DRAFT = "batch"
_LIVES = timedelta(minutes=5)
_READ = 500
_SHOWN, _LONGEST_NAME = 6, 10
_YES = frozenset({"确认", "确定", "confirm", "yes", "confirmed"})


@dataclass(frozen=True, slots=True)
class _Batch:
    """What waits for a confirmation: each request in the version that was shown."""

    answer: Answer
    comment: str
    versions: Mapping[str, int]


_BATCH = TypeAdapter(_Batch)


def is_yes(text: str) -> bool:
    """Whether somebody confirms."""
    return text.strip(" ！!。.~").lower() in _YES


def begin(scene: Scene, userid: str, request_id: str, answer: Answer, comment: str) -> None:
    """Show what would be decided together with a request, and ask to confirm. Raises Refused."""
    first = voting.find(scene, request_id)
    waiting = scene.tx.requests.pending_for(userid, _READ)
    if first.state is not State.PENDING or all(each.id != first.id for each in waiting):
        _vote(scene, userid, first, answer, comment)  # says why not
        return
    if answer is Answer.DENY and not comment.strip():
        raise Refused("batch_needs_reason", id=first.id)
    alike = [each for each in waiting if similar.case_of(each) == similar.case_of(first)]
    others = [each for each in alike if each.id != first.id]
    batch = (first, *others[: similar.MOST - 1])
    versions = {each.id: each.version for each in batch}
    draft = _BATCH.dump_json(_Batch(answer, comment, versions)).decode()
    scene.tx.drafts.put(userid, DRAFT, draft, scene.now + _LIVES)
    scene.answer(userid, _shown(scene, batch, len(alike), answer))


def _shown(scene: Scene, batch: tuple[Request, ...], alike: int, answer: Answer) -> Text:
    first = batch[0]
    names = tuple(f"{r.id} {cut_characters(r.subject.name, _LONGEST_NAME)}" for r in batch)
    head = scene.mine(
        f"batch.head_{answer.value}",
        count=len(batch),
        requester=first.requester.name,
        action=Action(first.action),
        rules=tuple(sorted(first.verdict.rules)),
        names=names,
    )
    odd = similar.outliers(batch, scene.now)
    lines = [
        scene.mine(
            "batch.odd",
            id=each.request.id,
            customer=cut_characters(each.request.subject.name, _LONGEST_NAME),
            why=tuple(scene.mine.word(Words(f"batch.why_{sign}")) for sign in each.why),
        )
        for each in odd[:_SHOWN]
    ]
    if odd:
        lines.insert(0, scene.mine("batch.odd_head", count=len(odd)))
    if alike > len(batch):
        lines.append(scene.mine("batch.more", count=alike - len(batch), most=similar.MOST))
    return joined([head, *lines, scene.mine("batch.foot")])


def confirm(scene: Scene, userid: str, body: str) -> None:
    """Vote on everything that was shown and has not changed since; say what was left out."""
    scene.tx.drafts.drop(userid)
    batch = _BATCH.validate_json(body)
    done: list[str] = []
    left: list[str] = []
    for request_id, version in batch.versions.items():
        request = scene.tx.requests.get(request_id)
        is_same = request is not None and request.version == version
        counted = is_same and request is not None and _counts(scene, userid, request, batch)
        (done if counted else left).append(request_id)
    scene.record("votes.batch", answer=batch.answer.value, done=done, left_out=left)
    key = f"batch.done_{batch.answer.value}"
    said = scene.mine(key, count=len(done), ids=tuple(done))
    more = [scene.mine("batch.left_out", count=len(left), ids=tuple(left))] if left else []
    moved = (scene.tx.requests.get(each) for each in done)
    undo = undoing.hint_for_each(scene, userid, (each for each in moved if each is not None))
    scene.answer(userid, joined([said, *more, *([undo] if undo else [])]))


def _counts(scene: Scene, userid: str, request: Request, batch: _Batch) -> bool:
    try:
        new = deciding.advance(scene, request, _step(userid, batch.answer, batch.comment))
    except Refused:
        return False
    return any(same_user(vote.by.userid, userid) for vote in new.votes)


def _vote(scene: Scene, userid: str, request: Request, answer: Answer, comment: str) -> None:
    take = voting.approve if answer is Answer.APPROVE else voting.deny
    take(scene, userid, request.id, comment=comment, via="command")


def _step(userid: str, answer: Answer, comment: str) -> Approve | Deny:
    kind = Approve if answer is Answer.APPROVE else Deny
    return kind(userid, "command", comment)
