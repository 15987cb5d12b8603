"""Asks WeCom how the transfers of a request stand, since its events may never come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.actions import moving
from bot.handlers import Handlers
from bot.wecom import ExternalContact, Transferred
from bot.worker import Ignore, Step
from workflows.transfers import Passage, PassageState, Shown, looked


async def look(handlers: Handlers, request_id: str) -> Step:
    """Return what to write of a request's transfers. Raises Ignore when none is open."""
    passages = await handlers.db.read(lambda tx: tx.transfers.of_request(request_id))
    waiting = [each for each in passages if each.is_open]
    if not waiting:
        raise Ignore("no transfer is open")
    found = shown(await handlers.wecom.transfer_result(waiting[0].userid, waiting[0].taker))
    contacts = await _arrived(handlers, waiting, found)
    return lambda tx: moving.looked_at(
        handlers.company.scene(tx, "system:timer"), request_id, found, contacts
    )


async def _arrived(
    handlers: Handlers, waiting: Sequence[Passage], found: Sequence[Shown]
) -> list[ExternalContact]:
    """Return those who have gone over, as WeCom shows them now."""
    now = handlers.company.now()
    ids = [
        each.external_userid
        for each in waiting
        if looked(each, found, now).state is PassageState.DONE
    ]
    contacts = [await handlers.contact(external) for external in ids]
    return [contact for contact in contacts if contact is not None]


def shown(results: Sequence[Transferred]) -> list[Shown]:
    """Return WeCom's answer in our words."""
    return [
        Shown(
            each.external_userid,
            each.status,
            datetime.fromtimestamp(each.takeover_time, UTC) if each.takeover_time else None,
        )
        for each in results
    ]
