"""A member gets another userid: what is theirs follows them, and nothing stays for whoever is next.

The record keeps the old name; what is decided keeps the names of those who decided. WeCom's event
may be late: what has come in under the new userid meanwhile is put together with what was there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, func, or_, select, update

from storage import meeting
from storage.console_lists import TAGS
from storage.moments import request_key, user_key
from storage.statements import insert_or_ignore
from storage.stored import Stored
from storage.tables import (
    FREEZE_IS_LIVE,
    REMEDY_IS_OPEN,
    REQUEST_IS_OPEN,
    absences,
    cards,
    chats,
    company_customers,
    console_lists,
    drafts,
    freezes,
    grants,
    leavers,
    left_behind,
    owner_notices,
    owner_questions,
    relation_phones,
    relations,
    remedies,
    reports,
    request_approvers,
    requests,
    takeovers,
    tickets,
    transfers,
    votes,
    waivers,
    watched_members,
)
from workflows.absences import Absence
from workflows.chats import Chat
from workflows.freezing import Freeze, Scope
from workflows.grants import Grant
from workflows.leaving import Handover, Leaver, LeftBehind
from workflows.model import Card, CardState, Person, Relation, Remedy, Request, Ticket, same_user
from workflows.owners import Question
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
_REMEDY, _LEAVER, _HANDOVER = Stored(Remedy), Stored(Leaver), Stored(Handover)
_THEIRS = (
    _Theirs(requests, requests.c.requester, "requester", _REQUEST),
    _Theirs(relations, relations.c.userid, "userid", Stored(Relation)),
    _Theirs(tickets, tickets.c.userid, "userid", Stored(Ticket)),
    _Theirs(remedies, remedies.c.userid, "userid", _REMEDY),
    _Theirs(grants, grants.c.userid, "userid", Stored(Grant)),
    _Theirs(transfers, transfers.c.userid, "userid", Stored(Passage)),
    _Theirs(transfers, transfers.c.taker, "taker", Stored(Passage)),
    _Theirs(left_behind, left_behind.c.taker, "taker", Stored(LeftBehind)),
    _Theirs(owner_questions, owner_questions.c.userid, "userid", Stored(Question)),
    _Theirs(waivers, waivers.c.requester, "requester", _WAIVER),
    _Theirs(waivers, waivers.c.approver, "approver", _WAIVER),
    _Theirs(absences, absences.c.userid, "person", _ABSENCE),
    _Theirs(chats, chats.c.owner, "owner", Stored(Chat)),
)
# What names a member in a column alone.
_NAMED = (
    relation_phones.c.userid,
    company_customers.c.userid,
    watched_members.c.userid,
    request_approvers.c.userid,
    reports.c.userid,
    owner_notices.c.userid,
)
# Where an open request names people who still have, or had, a part in it.
_PARTS = (
    "approvers", "chain", "votes", "handed", "questions", "barred", "called", "plan",
)  # fmt: skip
# A table is here, with the reason, or everything of a member in it follows them.
STAYS: Mapping[str, str] = {
    "audit": "tells what was",
    "audit_head": "names nobody",
    "candidates": "whose proposal it was is history; requests name who decides",
    "chat_members": "are outsiders; who invited them is history",
    "company_names": "names nobody",
    "customers": "names nobody",
    "departments": "as WeCom shows them: read anew at once",
    "directory_news": "what WeCom is to be asked about, by the name it gave",
    "directory_untold": "was told before the renaming",
    "late_finds": "is asked about by the name it was read by, and gone with its reading",
    "list_parts": "names nobody",
    "members": "is replaced as a whole by whoever has it renamed",
    "nodes": "names nobody",
    "policies": "the rules say what people wrote; the admins hear of a name that is gone",
    "readings": "tells of members that were not read, by the name they were asked for",
    "source_rows": "is another system's, read anew from there",
    "source_states": "names nobody",
    "versions": "names nobody",
    "work": "`Work.rename` follows what has still to be done; what is done is history",
}


def rename(connection: Connection, old: str, new: str) -> None:
    """Make everything of the member `old` that of `new`, together with what `new` has already."""
    meeting.make_way(connection, old, new)
    for theirs in _THEIRS:
        _hand_on(connection, theirs, old, new)
    key, to = user_key(old), {"userid": user_key(new)}
    for column in _NAMED:
        connection.execute(update(column.table).where(column == key).values(to))
    is_open = select(requests.c.id).where(REQUEST_IS_OPEN)
    mine = (votes.c.userid == key, votes.c.request_id.in_(is_open))
    connection.execute(update(votes).where(*mine).values(to))
    connection.execute(delete(drafts).where(drafts.c.userid == key))
    _in_requests(connection, old, new)
    _on_cards(connection, old, new)
    _stand_ins(connection, old, new)
    _frozen(connection, old, new)
    _in_remedies(connection, old, new)
    _beside_leavers(connection, old, new)
    _on_lists(connection, old, new)


def _hand_on(connection: Connection, theirs: _Theirs, old: str, new: str) -> None:
    own = list(theirs.table.primary_key.columns)
    found = select(*own, theirs.table.c.body).where(theirs.column == user_key(old))
    for *keys, body in connection.execute(found).all():
        value = theirs.kind.load(body)
        value = replace(value, **{theirs.field: _named(getattr(value, theirs.field), new)})
        if isinstance(value, Waiver) and theirs.field == "requester":
            value = replace(value, case=replace(value.case, requester=user_key(new)))
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
        of = (value.get("plan") or {}).get("of")
        value |= {part: _renamed(value[part], old, new) for part in _PARTS if part in value}
        if of and value["plan"].get("kind") == "takeover":
            value["plan"]["of"] = of  # who has left by this name was somebody else
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


def _in_remedies(connection: Connection, old: str, new: str) -> None:
    """Who is to get a customer gets them."""
    found = connection.execute(select(remedies.c.body).where(REMEDY_IS_OPEN)).scalars().all()
    for remedy in map(_REMEDY.load, found):
        if same_user(remedy.transfer_to, old):
            body = _REMEDY.dump(replace(remedy, transfer_to=new))
            this = remedies.c.request_id == request_key(remedy.request_id)
            connection.execute(update(remedies).where(this).values(body=body))


def _beside_leavers(connection: Connection, old: str, new: str) -> None:
    """Who stood above somebody who has left, and who takes over or asked for it."""
    for body in connection.execute(select(leavers.c.body)).scalars().all():
        leaver = _LEAVER.load(body)
        if any(same_user(each, old) for each in (*leaver.managers, *leaver.above)):
            managers, above = _all(leaver.managers, old, new), _all(leaver.above, old, new)
            changed = _LEAVER.dump(replace(leaver, managers=managers, above=above))
            this = (
                leavers.c.userid == user_key(leaver.person.userid),
                leavers.c.left_at == leaver.left_at,
            )
            connection.execute(update(leavers).where(*this).values(body=changed))
    for row in connection.execute(select(takeovers.c.id, takeovers.c.body)).all():
        handover = _HANDOVER.load(row.body)
        changed = _HANDOVER.dump(_taking(handover, old, new))
        if changed != row.body:
            this_one = takeovers.c.id == row.id
            connection.execute(update(takeovers).where(this_one).values(body=changed))


def _taking(handover: Handover, old: str, new: str) -> Handover:
    """Return a handover by the new name. Whom it is about has left: they were somebody else."""
    asks = same_user(handover.requester.userid, old)
    return replace(
        handover,
        plan=replace(handover.plan, to=_all(handover.plan.to, old, new)),
        requester=replace(handover.requester, userid=new) if asks else handover.requester,
        shares=_shares(handover.shares, old, new),
        tier_shares=_shares(handover.tier_shares, old, new),
        group_shares=_shares(handover.group_shares, old, new),
    )


def _shares(shares: Mapping[str, int], old: str, new: str) -> Mapping[str, int]:
    """Return what is counted under 'linmei' or 'strategic|linmei' under the new name."""
    found = {}
    for name, count in shares.items():
        head, mark, userid = name.rpartition("|")
        found[f"{head}{mark}{new}" if same_user(userid, old) else name] = count
    return found


def _all(userids: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    return tuple(new if same_user(each, old) else each for each in userids)


def _on_lists(connection: Connection, old: str, new: str) -> None:
    """Nobody is told that a member has gone from a list on which they are by another name."""
    key, item = user_key(old), console_lists.c.item
    is_theirs = or_(item.in_([key, f"user:{key}"]), item.startswith(f"{key}|", autoescape=True))
    found = select(console_lists).where(is_theirs, console_lists.c.list != TAGS)
    for row in connection.execute(found).all():
        this = (console_lists.c.list == row.list, item == row.item)
        connection.execute(delete(console_lists).where(*this))
        kind = "user:" if row.item.startswith("user:") else ""
        named = kind + user_key(new) + row.item[len(kind) + len(key) :]
        values = {"list": row.list, "item": named}
        connection.execute(insert_or_ignore(console_lists), values)
