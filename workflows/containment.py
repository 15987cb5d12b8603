"""Decides how an add that is not allowed is held, let go, or undone.

WeCom lets nobody delete or refuse a contact for a member, so a refused relation is marked, the
member is asked to delete it, and after that it may be handed to somebody else. Only what was *seen*
closes a remedy: a promise, an accepted call or a passed deadline never does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, assert_never

from workflows.model import (
    Containment,
    Relation,
    RelationState,
    Remedy,
    RemedyState,
    State,
    same_user,
)

REMARK_LIMIT = 20  # characters, document 92115
# An accepted transfer takes effect after 24 h unless the customer refuses (document 92125).
TRANSFER_TAKES = timedelta(hours=26)
TRANSFER_LOOK = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Marks:
    """How a held relation is shown; '' leaves a mark out. Tags are names of corp tags."""

    pending_tag: str = ""
    denied_tag: str = ""
    pending_prefix: str = ""  # put before the remark, e.g. '[待审批]'
    denied_prefix: str = ""

    def tag(self, containment: Containment) -> str:
        """Return the tag of a kind of containment."""
        return self._pick(containment, self.pending_tag, self.denied_tag)

    def prefix(self, containment: Containment) -> str:
        """Return what goes before the remark."""
        return self._pick(containment, self.pending_prefix, self.denied_prefix)

    @staticmethod
    def _pick(containment: Containment, pending: str, denied: str) -> str:
        return {Containment.PENDING: pending, Containment.DENIED: denied}.get(containment, "")


@dataclass(frozen=True, slots=True)
class Plan:
    """What `[enforcement]` does about a denied relation: ask to delete it, and then?"""

    within: timedelta  # how long the member has to delete
    then: Literal["", "transfer"] = ""
    transfer_to: str = ""  # userid


# What must be done


@dataclass(frozen=True, slots=True)
class Mark:
    """Change a relation's tags (by name) and remark; a remark of None stays as it is."""

    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class AskToDelete:
    """Ask the member to delete the customer before the time given."""

    by: datetime


@dataclass(frozen=True, slots=True)
class Transfer:
    """Hand the customer to another member; report TransferAccepted or TransferRefused."""

    to: str  # userid


@dataclass(frozen=True, slots=True)
class CheckAgain:
    """At that time ask WeCom how things are, and report what was seen."""

    at: datetime


@dataclass(frozen=True, slots=True)
class TellEscalated:
    """Tell the admins and the supervisor that a human must act.

    `why`: 'still_there', 'no_taker', 'transfer_refused', 'transfer_overdue' or
    'allowed_while_transferring'; `detail` is WeCom's reason, if it gave one.
    """

    why: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TellClosed:
    """Tell those concerned that it is settled. `why`: 'deleted', 'transferred' or 'approved'."""

    why: str


Order = Mark | AskToDelete | Transfer | CheckAgain | TellEscalated | TellClosed
Orders = tuple[Order, ...]


# What was seen


@dataclass(frozen=True, slots=True)
class Gone:
    """The relation no longer exists, by event or by asking WeCom."""


@dataclass(frozen=True, slots=True)
class StillThere:
    """WeCom was asked just now, and the relation exists with this member."""


@dataclass(frozen=True, slots=True)
class TransferAccepted:
    """WeCom took the transfer (errcode 0); that is not yet success."""


@dataclass(frozen=True, slots=True)
class TransferRefused:
    """WeCom, the customer or a full taker refused the transfer."""

    why: str


@dataclass(frozen=True, slots=True)
class TransferDone:
    """The customer has moved: DELETE_BY_TRANSFER, or status 1 of document 94088."""


@dataclass(frozen=True, slots=True)
class Due:
    """The deadline has come and nothing has shown that the relation is gone."""


@dataclass(frozen=True, slots=True)
class AllowedAfterAll:
    """The relation was approved by a later request.

    `called_off`: a transfer that was ordered has never been asked of WeCom, and never will be.
    """

    called_off: bool = False


Seen = Gone | StillThere | TransferAccepted | TransferRefused | TransferDone | Due | AllowedAfterAll


def containment_for(state: State) -> Containment:
    """Return how an observed relation must be held while its request is in `state`."""
    match state:
        case State.APPROVED | State.EXECUTED | State.EXECUTION_FAILED:
            return Containment.NONE
        case State.PENDING | State.SUPERSEDED | State.STALE:
            return Containment.PENDING  # the last two are judged again by a new request
        case State.DENIED | State.WITHDRAWN | State.EXPIRED | State.REVOKED:
            return Containment.DENIED
        case _:
            assert_never(state)


def is_gone(relation: Relation) -> bool:
    """Whether there is nothing left to hold or undo."""
    return relation.state not in (RelationState.HALF, RelationState.ADDED)


def hold(
    relation: Relation, containment: Containment, marks: Marks, *, name: str = ""
) -> tuple[Relation, Orders]:
    """Return the relation held as told, and the marks that show it.

    `name` is the customer's own name, shown where there is no remark. The relation comes back as it
    will be once the orders are carried out; holding it twice orders nothing the second time.
    """
    if containment is Containment.NONE:
        return release(relation, marks, name=name)
    if is_gone(relation):
        return relation, ()
    former = _own_remark(relation, marks, name)
    held = replace(
        relation,
        containment=containment,
        former_remark=former,
        tags=_unmarked(relation, marks) | ({marks.tag(containment)} - {""}),
        remark=_shown(marks.prefix(containment), former or name) or _bare(relation, former, name),
    )
    return held, _difference(relation, held)


def release(relation: Relation, marks: Marks, *, name: str = "") -> tuple[Relation, Orders]:
    """Return the relation let go: our tags removed, the former remark restored.

    A remark the member has written meanwhile is kept.
    """
    if relation.containment is Containment.NONE:
        return relation, ()
    own = _own_remark(relation, marks, name)
    free = replace(relation, containment=Containment.NONE, former_remark="")
    if is_gone(relation):
        return free, ()
    free = replace(free, tags=_unmarked(relation, marks), remark=_bare(relation, own, name))
    return free, _unmark(relation, free, marks)


def open_remedy(
    request_id: str, relation: Relation, plan: Plan, now: datetime
) -> tuple[Remedy, Orders]:
    """Begin to undo a denied relation; one that is gone already is closed without a word."""
    remedy = Remedy(
        request_id,
        relation.userid,
        relation.external_userid,
        RemedyState.ASKED,
        due_at=now + plan.within,
        then=plan.then,
        transfer_to=plan.transfer_to,
    )
    if is_gone(relation):
        return replace(remedy, state=RemedyState.CLOSED, closed_because="deleted"), ()
    return remedy, (AskToDelete(remedy.due_at), CheckAgain(remedy.due_at))


def remedy_step(remedy: Remedy, seen: Seen, now: datetime) -> tuple[Remedy, Orders]:
    """Return the remedy after what was seen, and what to do next. A closed one stays closed."""
    if remedy.state is RemedyState.CLOSED:
        return remedy, ()
    match seen:
        case Gone():
            return _closed(remedy, "deleted")
        case TransferDone():
            return _closed(remedy, "transferred")
        case AllowedAfterAll(False) if remedy.state is RemedyState.TRANSFERRING:
            return _escalated(remedy, "allowed_while_transferring")  # WeCom may have taken it
        case AllowedAfterAll():
            return _closed(remedy, "approved")
        case StillThere() | TransferAccepted() | TransferRefused() | Due():
            return _unfinished(remedy, seen, now)
        case _:
            assert_never(seen)


def _unfinished(
    remedy: Remedy, seen: StillThere | TransferAccepted | TransferRefused | Due, now: datetime
) -> tuple[Remedy, Orders]:
    if remedy.state is RemedyState.ESCALATED:
        return remedy, ()  # a human is at it; only what is seen closes it
    transferring = remedy.state is RemedyState.TRANSFERRING
    match seen:
        case StillThere() | Due():
            return _still_there(remedy, now)
        case TransferAccepted() if transferring:
            accepted = replace(remedy, due_at=now + TRANSFER_TAKES)
            return accepted, (CheckAgain(now + TRANSFER_LOOK),)
        case TransferRefused(why) if transferring:
            return _escalated(remedy, "transfer_refused", why)
        case TransferAccepted() | TransferRefused():
            return remedy, ()
        case _:
            assert_never(seen)


def _still_there(remedy: Remedy, now: datetime) -> tuple[Remedy, Orders]:
    transferring = remedy.state is RemedyState.TRANSFERRING
    if now < remedy.due_at:
        soon = now + TRANSFER_LOOK if transferring else remedy.due_at
        return remedy, (CheckAgain(min(soon, remedy.due_at)),)
    return _escalated(remedy, "transfer_overdue") if transferring else _next(remedy, now)


def _next(remedy: Remedy, now: datetime) -> tuple[Remedy, Orders]:
    """Return what follows when the time to delete is over and the relation is still there."""
    if remedy.then != "transfer":
        return _escalated(remedy, "still_there")
    if not remedy.transfer_to or same_user(remedy.transfer_to, remedy.userid):
        return _escalated(remedy, "no_taker")
    moving = replace(remedy, state=RemedyState.TRANSFERRING, due_at=now + TRANSFER_TAKES)
    return moving, (Transfer(remedy.transfer_to), CheckAgain(moving.due_at))


def _closed(remedy: Remedy, why: str) -> tuple[Remedy, Orders]:
    closed = replace(remedy, state=RemedyState.CLOSED, closed_because=why)
    return closed, (TellClosed(why),)


def _escalated(remedy: Remedy, why: str, detail: str = "") -> tuple[Remedy, Orders]:
    return replace(remedy, state=RemedyState.ESCALATED), (TellEscalated(why, detail),)


def _own_remark(relation: Relation, marks: Marks, name: str) -> str:
    """Return the member's own remark, without what we put before it."""
    prefix = marks.prefix(relation.containment)
    if not prefix or not relation.remark.startswith(prefix):
        return relation.remark
    if relation.remark == _shown(prefix, relation.former_remark or name):
        return relation.former_remark
    return relation.remark.removeprefix(prefix).strip()  # the member edited what follows the prefix


def _bare(relation: Relation, own: str, name: str) -> str:
    """Return the remark without our prefix. WeCom may take an empty one for none given, so where
    we have to write it the customer's name stands in."""
    return own if own == relation.remark else own or name


def _shown(prefix: str, remark: str) -> str:
    """Return the marked remark within WeCom's limit; '' without a prefix.

    Counted in UTF-16 units, the strictest reading of "characters", and never splitting one.
    """
    if not prefix:
        return ""
    text = prefix + remark
    while len(text.encode("utf-16-le", "surrogatepass")) // 2 > REMARK_LIMIT:
        text = text[:-1]
    return text


def _unmarked(relation: Relation, marks: Marks) -> frozenset[str]:
    return relation.tags - {marks.pending_tag, marks.denied_tag}


def _unmark(held: Relation, free: Relation, marks: Marks) -> Orders:
    """Order our marks off even if they are not seen: they may still be on their way there."""
    own = {marks.tag(held.containment)} - {""}
    mark = Mark(
        remove_tags=tuple(sorted(own | (held.tags - free.tags))),
        remark=free.remark if marks.prefix(held.containment) else None,
    )
    return () if mark == Mark() else (mark,)


def _difference(old: Relation, new: Relation) -> Orders:
    mark = Mark(
        add_tags=tuple(sorted(new.tags - old.tags)),
        remove_tags=tuple(sorted(old.tags - new.tags)),
        remark=new.remark if new.remark != old.remark else None,
    )
    return () if mark == Mark() else (mark,)
