"""A command without the id of a request is answered with those it may mean: 同意, 撤回, 催."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from types import MappingProxyType

from bot import hints
from bot.actions import former, undoing, voting
from bot.actions.scene import Scene
from bot.command_types import Unclear
from bot.texts import joined
from workflows.model import Origin, Request, State, same_user

_SHOWN = 5
_LOOKED_THROUGH = 30  # of one's own requests, the newest first
_RECORDS = 400  # of everybody, the newest: an approval can be taken back for a moment only

# Which of one's own requests such a command is about; the verb itself looks more closely.
_OWN: Mapping[str, Callable[[Request], bool]] = MappingProxyType(
    {
        "withdraw": lambda request: not request.state.is_final,
        "nudge": lambda request: request.state is State.PENDING,
        "supplement": lambda request: request.state is State.PENDING,
        "resubmit": lambda request: (
            request.origin is Origin.ASKED and request.state in voting.RESUBMITTABLE
        ),
        "appeal": lambda request: request.state is State.DENIED,
        "why": lambda _: True,
    }
)
_OF_APPROVERS = frozenset({"approve", "deny", "hand_over", "add_approver", "send_back"})


def answer(scene: Scene, userid: str, command: Unclear) -> None:
    """Say that the id is missing, and which there are; nothing is done, even if there is one."""
    own = _OWN.get(command.suggestion)
    if own is None and command.suggestion not in {*_OF_APPROVERS, "undo"}:
        scene.answer(userid, hints.unclear(command, scene.texts))
        return
    if command.suggestion == "undo":
        found = _just_decided(scene, userid)
    elif own is not None:
        found = _own(scene, userid, own)
    else:
        found = scene.tx.requests.pending_for(userid, _SHOWN)
    if not found:
        scene.tell([userid], "unclear.no_ids", verb=hints.word(command, scene.texts))
        return
    line = "unclear.own_id" if own else "unclear.asked_id"
    lines = [
        scene.mine(
            line,
            id=each.id,
            customer=each.subject.name,
            requester=each.requester.name,
            state=each.state,
        )
        for each in found
    ]
    said = hints.unclear(command, scene.texts, example=found[0].id)
    scene.answer(userid, joined([said, scene.mine("unclear.ids"), *lines]))


def _just_decided(scene: Scene, userid: str) -> list[Request]:
    """Return the approvals that somebody can still take back, the newest first."""
    actor = f"user:{userid}"
    newest = reversed(scene.tx.audit.tail(_RECORDS))
    ids = dict.fromkeys(each.request_id for each in newest if same_user(each.actor, actor))
    requests = (scene.tx.requests.get(each) for each in ids if each)
    able = (r for r in requests if r is not None and undoing.hint(scene, userid, r) is not None)
    return list(islice(able, _SHOWN))


def _own(scene: Scene, userid: str, fits: Callable[[Request], bool]) -> list[Request]:
    newest = scene.tx.requests.by_requester(userid, _LOOKED_THROUGH)
    return [each for each in newest if fits(each) and former.is_own(scene, userid, each)][:_SHOWN]
