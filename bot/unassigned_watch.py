"""Reads WeCom's list of customers without a member, page by page (document 92124)."""

from __future__ import annotations

from dataclasses import replace

from bot.actions import unassigned
from bot.actions.unassigned import PAGE, Reading
from bot.handlers import Handlers
from bot.wecom import WecomError
from bot.worker import Step
from storage.transaction import Transaction

_OLD_CURSOR = 50100
_OWNER_LEFT = 1  # status of a customer group, document 92120


async def read(handlers: Handlers, name: str) -> Step:
    """Return what to write of one page; after the last, of the groups too."""
    reading = Reading.of(name)
    try:
        page = await handlers.wecom.unassigned(reading.cursor, PAGE)
    except WecomError as error:
        if error.code != _OLD_CURSOR or not reading.cursor:
            raise
        return lambda tx: _begin_again(handlers, tx, reading)
    cursor = "" if page.is_last else page.next_cursor
    groups = {} if cursor else await _groups(handlers)

    def step(tx: Transaction) -> None:
        scene = handlers.company.scene(tx, "system:timer")
        unassigned.page_read(scene, reading, page.info, cursor)
        if not cursor:
            unassigned.all_read(scene, reading, groups)

    return step


async def _groups(handlers: Handlers) -> dict[str, int]:
    """Return how many groups wait for an owner, by lower-case userid of who has left."""
    leavers = await handlers.db.read(lambda tx: tx.leavers.open())
    found = {}
    for userid in {each.person.userid for each in leavers}:
        groups = await handlers.wecom.groups_of([userid], _OWNER_LEFT)
        found[userid.lower()] = len(groups)
    return found


def _begin_again(handlers: Handlers, tx: Transaction, reading: Reading) -> None:
    scene = handlers.company.scene(tx, "system:timer")
    anew = replace(reading, cursor="", began=scene.now)
    scene.remind(unassigned.READ, anew.name, scene.now)
