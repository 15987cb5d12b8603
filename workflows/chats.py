"""Customer groups: who came in, who has left, and until when somebody is to be taken out.

WeCom lets nobody be kept out of a group or taken out of it by a program, so an outsider who may not
be there is the owner's to remove, and only what was *seen* settles it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

JOIN = "chat.join"


@dataclass(frozen=True, slots=True)
class Chat:
    """A customer group as WeCom showed it at `seen_at`."""

    chat_id: str
    name: str
    owner: str  # userid
    version: str  # of its list of members
    seen_at: datetime  # when the reading began


class News(StrEnum):
    """What has still to be told of somebody in a group."""

    PENDING = "pending"  # it has to be decided whether they may be there
    REMOVE = "remove"  # the owner has to remove them
    STILL_THERE = "still_there"  # the owner has not done so in time
    NOT_SEEN = "not_seen"  # WeCom does not show whether the owner has


@dataclass(frozen=True, slots=True)
class Outsider:
    """Somebody from outside in a customer group, and what was decided about that."""

    external_userid: str
    name: str = ""
    joined_at: datetime | None = None
    invited_by: str = ""  # userid, if a member did
    by_code: bool = False  # by the group's QR code
    request_id: str = ""  # in which it was judged; '' for who was there before
    leave_by: datetime | None = None  # the owner has been asked to remove them until then
    escalated: bool = False  # that time is over, and a human was told
    news: News | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What is different between two readings of a group."""

    came: tuple[Outsider, ...] = ()
    left: tuple[Outsider, ...] = ()


def compare(before: Iterable[Outsider], shown: Iterable[Outsider]) -> Change:
    """Return who has come into a group and who has left it."""
    former = {each.external_userid: each for each in before}
    present = {each.external_userid: each for each in shown}
    return Change(
        tuple(each for name, each in present.items() if name not in former),
        tuple(each for name, each in former.items() if name not in present),
    )


def newcomers(
    came: Iterable[Outsider], told: Collection[str], since: datetime | None
) -> tuple[Outsider, ...]:
    """Return who has come in just now, of a group that was not known before.

    `told` is whom an event names; `since` is from when on all groups were known, if they were.
    Everybody else may have been there for years.
    """
    return tuple(
        each
        for each in came
        if each.external_userid in told or (since and each.joined_at and each.joined_at >= since)
    )


def must_leave(outsider: Outsider, request_id: str, by: datetime) -> Outsider:
    """Return an outsider whom the owner is asked to remove, for a request that was refused."""
    return replace(outsider, request_id=request_id, leave_by=by, escalated=False)


def may_stay(outsider: Outsider) -> Outsider:
    """Return an outsider who is allowed after all."""
    return replace(outsider, leave_by=None, escalated=False, news=None)


def is_overdue(outsider: Outsider, now: datetime) -> bool:
    """Whether a human has to be told, once, that somebody is still there."""
    return outsider.leave_by is not None and now >= outsider.leave_by and not outsider.escalated


def escalated(outsider: Outsider) -> Outsider:
    """Return an outsider of whom a human was told; only their leaving settles it now."""
    return replace(outsider, escalated=True)


def untold(outsiders: Iterable[Outsider]) -> dict[News, tuple[Outsider, ...]]:
    """Return of whom something has still to be told, by what it is."""
    found: dict[News, tuple[Outsider, ...]] = {}
    for each in outsiders:
        if each.news is not None:
            found[each.news] = (*found.get(each.news, ()), each)
    return found
