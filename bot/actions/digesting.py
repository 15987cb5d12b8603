"""Spares a busy approver single cards: one list at times, of what waits and how to answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.actions.scene import Scene
from bot.texts import Text, joined
from bot.wecom import cut_characters
from bot.wording import Action
from workflows import similar, timing
from workflows.model import Request
from workflows.schedules import parse_duration

DIGEST = "approver_digest"
_READ = 200  # requests looked at for one list
_SHOWN = 8  # groups in it: a message holds 2048 bytes
_LONGEST_NAME = 12


def is_busy(scene: Scene, userid: str) -> bool:
    """Whether more waits for somebody than single cards are sent for."""
    return scene.tx.requests.count_pending_for(userid) > scene.book.digest.above


def file(scene: Scene, userid: str) -> None:
    """Have the list sent when it is next time for one; asking twice is harmless."""
    every = parse_duration(scene.book.digest.every).total_seconds()
    slot = int(scene.now.timestamp() // every) + 1
    scene.remind(DIGEST, userid.lower(), datetime.fromtimestamp(slot * every, UTC))


def wait(scene: Scene) -> timedelta | None:
    """Return how long quiet hours still hold lists back; None if they do not."""
    until = timing.held_until(scene.policy, "digest", scene.now)
    return until - scene.now if until else None


def tell(scene: Scene, userid: str) -> None:
    """Send somebody the list of what waits for them, unless nothing does by now."""
    found = scene.tx.requests.pending_for(userid, _READ)
    if not found:
        return
    groups = similar.grouped(found)
    count = scene.tx.requests.count_pending_for(userid)
    head = scene.theirs("digest.head", count=count, since=found[0].created_at)
    lines = [line(scene, group) for group in groups[:_SHOWN]]
    foot = scene.theirs("digest.foot", id=found[0].id)
    scene.answer(scene.person(userid).userid, joined([head, *lines, foot]))


def line(scene: Scene, group: tuple[Request, ...]) -> Text:
    """Return one line of a list: a request, or several that are alike."""
    first = group[0]
    words = {
        "id": first.id,
        "requester": cut_characters(first.requester.name, _LONGEST_NAME),
        "customer": cut_characters(first.subject.name, _LONGEST_NAME),
        "action": Action(first.action),
        "due": first.due_at,
    }
    if len(group) == 1:
        return scene.mine("digest.line", **words)
    return scene.mine("digest.line_similar", count=len(group), **words)
