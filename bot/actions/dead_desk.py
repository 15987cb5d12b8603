"""The dead-letter desk in chat: admins list, look at and replay work that was given up."""

from __future__ import annotations

from bot import dead_letters
from bot.actions.reviewing import is_admin
from bot.actions.scene import Scene
from bot.command_types import DeadLetters, ReplayWork
from bot.texts import joined
from storage.work import Filed, WorkState
from workflows.model import AuditRecord
from workflows.steps import Refused

_LISTED = 10
_AT_ONCE = 1_000  # rows replayed by one command


def obey(scene: Scene, userid: str, command: DeadLetters | ReplayWork) -> None:
    """Carry out one of these commands. Raises Refused."""
    if not is_admin(scene, userid):
        raise Refused("admins_only")
    match command:
        case DeadLetters(None):
            _list(scene, userid)
        case DeadLetters(number):
            row = _find(scene, number)
            scene.record("work.shown", work=row.id, what=row.kind)
            scene.answer(userid, dead_letters.shown(row, scene.texts, scene.zone))
        case ReplayWork(None):
            _replay(scene, userid, scene.tx.work.dead_letters(_AT_ONCE))
        case ReplayWork(number):
            _replay(scene, userid, [_find(scene, number)])


def _list(scene: Scene, userid: str) -> None:
    rows = scene.tx.work.dead_letters(_LISTED + 1)
    scene.record("work.listed", shown=min(len(rows), _LISTED))
    if not rows:
        scene.tell([userid], "dead_letters.none")
        return
    lines = [dead_letters.line(each, each.error, scene.texts) for each in rows[:_LISTED]]
    head = scene.texts("dead_letters.more" if len(rows) > _LISTED else "dead_letters.head")
    foot = scene.texts("dead_letters.foot", number=rows[0].id)
    scene.answer(userid, joined([head, *lines, foot]))


def _find(scene: Scene, number: int | None) -> Filed:
    row = scene.tx.work.get(number) if number else None
    if row is None or row.state is not WorkState.DEAD:
        raise Refused("no_dead_letter", number=str(number))
    return row


def _replay(scene: Scene, userid: str, rows: list[Filed]) -> None:
    count = dead_letters.replay(scene.tx, rows, AuditRecord(scene.now, scene.actor, ""))
    key = "dead_letters.replayed" if count else "dead_letters.none"
    scene.tell([userid], key, count=count)
