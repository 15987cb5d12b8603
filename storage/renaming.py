"""A member gets another userid: what is theirs follows them, and nothing stays for whoever is next.

The record keeps the old name; what is decided keeps the names of those who decided.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, func, select, update

from storage.moments import request_key, user_key
from storage.stored import Stored
from storage.tables import (
    FREEZE_IS_LIVE,
    REQUEST_IS_OPEN,
    absences,
    cards,
    drafts,
    freezes,
    grants,
    relation_phones,
    relations,
    remedies,
    request_approvers,
    requests,
    tickets,
    transfers,
    votes,
    waivers,
)
from workflows.absences import Absence
from workflows.freezing import Freeze, Scope
from workflows.grants import Grant
from workflows.model import Card, CardState, Person, Relation, Remedy, Request, Ticket, same_user
from workflows.transfers import Passage
from workflows.waivers import Waiver


@dataclass(frozen=True, slots=True)
class _Theirs:
    """One column that names a member, and the field of the value that says the same."""

    table: Table
    column: Column[str]
    field: str
    kind: Stored[Any]


_REQUEST, _WAIVER, _ABSENCE, _FREEZE = (
    Stored(Request),
    Stored(Waiver),
    Stored(Absence),
    Stored(Freeze),
)
_THEIRS = (
    _Theirs(requests, requests.c.requester, "requester", _REQUEST),
    _Theirs(relations, relations.c.userid, "userid", Stored(Relation)),
    _Theirs(tickets, tickets.c.userid, "userid", Stored(Ticket)),
    _Theirs(remedies, remedies.c.userid, "userid", Stored(Remedy)),
    _Theirs(grants, grants.c.userid, "userid", Stored(Grant)),
    _Theirs(transfers, transfers.c.userid, "userid", Stored(Passage)),
    _Theirs(transfers, transfers.c.taker, "taker", Stored(Passage)),
    _Theirs(waivers, waivers.c.requester, "requester", _WAIVER),
    _Theirs(waivers, waivers.c.approver, "approver", _WAIVER),
    _Theirs(absences, absences.c.userid, "person", _ABSENCE),
)
# Where an open request names people who still have, or had, a part in it.
_PARTS = ("approvers", "chain", "votes", "handed", "barred", "called", "plan")


def rename(connection: Connection, old: str, new: str) -> None:
    """Make everything of the member `old` that of `new`, who must have nothing yet."""
    for theirs in _THEIRS:
        _hand_on(connection, theirs, old, new)
    key, to = user_key(old), {"userid": user_key(new)}
    connection.execute(update(relation_phones).where(relation_phones.c.userid == key).values(to))
    connection.execute(
        update(request_approvers).where(request_approvers.c.userid == key).values(to)
    )
    is_open = select(requests.c.id).where(REQUEST_IS_OPEN)
    mine = (votes.c.userid == key, votes.c.request_id.in_(is_open))
    connection.execute(update(votes).where(*mine).values(to))
    connection.execute(delete(drafts).where(drafts.c.userid == key))
    _in_requests(connection, old, new)
    _on_cards(connection, old, new)
    _stand_ins(connection, old, new)
    _frozen(connection, old, new)


def _hand_on(connection: Connection, theirs: _Theirs, old: str, new: str) -> None:
    own = list(theirs.table.primary_key.columns)
    found = select(*own, theirs.table.c.body).where(theirs.column == user_key(old))
    for *keys, body in connection.execute(found).all():
        value = theirs.kind.load(body)
        value = replace(value, **{theirs.field: _named(getattr(value, theirs.field), new)})
        values = {theirs.column.name: user_key(new), "body": theirs.kind.dump(value)}
        if isinstance(value, Request):
            values["key"] = value.key
        this = [column == key for column, key in zip(own, keys, strict=True)]
        connection.execute(update(theirs.table).where(*this).values(values))


def _named(was: object, new: str) -> object:
    return replace(was, userid=new) if isinstance(was, Person) else new


def _in_requests(connection: Connection, old: str, new: str) -> None:
    """Approvers, voters and those whom it concerns: nobody votes twice, nobody else gets it."""
    mentions = func.lower(requests.c.body).contains(user_key(old), autoescape=True)
    found = select(requests.c.id, requests.c.body).where(REQUEST_IS_OPEN, mentions)
    for request_id, body in connection.execute(found).all():
        value = json.loads(body)
        value |= {part: _renamed(value[part], old, new) for part in _PARTS if part in value}
        text = _REQUEST.dump(_REQUEST.load(json.dumps(value, ensure_ascii=False)))
        this = requests.c.id == request_id
        connection.execute(update(requests).where(this).values(body=text))


def _renamed(value: Any, old: str, new: str) -> Any:
    match value:
        case str() if value.lower() == user_key(old):
            return new
        case str() if value.lower() == f"user:{user_key(old)}":
            return f"user:{new}"
        case dict():
            return {name: _renamed(each, old, new) for name, each in value.items()}
        case list():
            return [_renamed(each, old, new) for each in value]
        case _:
            return value


def _on_cards(connection: Connection, old: str, new: str) -> None:
    theirs = _Theirs(cards, cards.c.userid, "userid", Stored(Card))
    if connection.execute(
        select(cards.c.task_id).where(
            cards.c.userid == user_key(old), cards.c.state == CardState.OPEN.value
        )
    ).first():
        _hand_on(connection, theirs, old, new)


def _stand_ins(connection: Connection, old: str, new: str) -> None:
    for body in connection.execute(select(absences.c.body)).scalars().all():
        absence = _ABSENCE.load(body)
        if same_user(absence.delegate.userid, old):
            changed = replace(absence, delegate=replace(absence.delegate, userid=new))
            this = absences.c.userid == user_key(absence.person.userid)
            connection.execute(update(absences).where(this).values(body=_ABSENCE.dump(changed)))


def _frozen(connection: Connection, old: str, new: str) -> None:
    """Another name does not thaw anybody."""
    for body in connection.execute(select(freezes.c.body).where(FREEZE_IS_LIVE)).scalars().all():
        freeze = _FREEZE.load(body)
        if freeze.scope is Scope.MEMBER and same_user(freeze.what, old):
            changed = _FREEZE.dump(replace(freeze, what=new))
            this = freezes.c.id == request_key(freeze.id)
            connection.execute(update(freezes).where(this).values(body=changed))
