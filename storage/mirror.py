"""Customers by the page: what a reading of WeCom compares and writes, many at a time.

Events go on meanwhile, on other nodes too, so that nothing here overwrites what it has not seen: a
new relation is stored if there is none, a changed one if it is as it was when it was compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from storage.moments import user_key
from storage.relations import Relations, customer_row
from storage.statements import among, insert_or_ignore, insert_or_replace
from storage.stored import Stored
from storage.tables import (
    RELATION_IS_FOLLOWED,
    customers,
    relation_phones,
    relations,
    watched_members,
)
from workflows.mirror import Pair, Watched
from workflows.model import Customer, Relation

_RELATION = Stored(Relation)
_CUSTOMER = Stored(Customer)


_OF_CUSTOMERS = select(relations.c.userid, relations.c.external_userid, relations.c.body).where(
    among(relations.c.external_userid, "wanted")
)
_CUSTOMERS = select(customers.c.external_userid, customers.c.body).where(
    among(customers.c.external_userid, "wanted")
)
_OF_MEMBERS = among(relations.c.userid, "wanted")
_FOLLOWED = select(relations.c.userid, relations.c.external_userid).where(
    RELATION_IS_FOLLOWED, _OF_MEMBERS
)
_COUNTS = (
    select(relations.c.userid, func.count().label("many"))
    .where(RELATION_IS_FOLLOWED, _OF_MEMBERS)
    .group_by(relations.c.userid)
)
_COUNT = select(func.count()).where(RELATION_IS_FOLLOWED, relations.c.userid == bindparam("wanted"))
_STORE = insert_or_ignore(relations).returning(relations.c.userid, relations.c.external_userid)
_STORE_PHONES = insert_or_ignore(relation_phones)
_CHANGE = (
    update(relations)
    .where(
        relations.c.external_userid == bindparam("customer"),
        relations.c.userid == bindparam("member"),
        relations.c.body == bindparam("old_body"),
    )
    .values(state=bindparam("new_state"), body=bindparam("new_body"))
)
_DROP_PHONES = relation_phones.delete().where(
    relation_phones.c.external_userid == bindparam("customer"),
    relation_phones.c.userid == bindparam("member"),
)
_PUT_CUSTOMERS = insert_or_replace(customers)
_WATCHED = select(watched_members).where(among(watched_members.c.userid, "wanted"))
_WATCH = insert_or_ignore(watched_members)
_NOTE_READ = (
    update(watched_members)
    .where(watched_members.c.userid == bindparam("member"))
    .values(read_at=bindparam("at"))
)


class Filed:
    """Relations as they were found on file, to be compared and changed."""

    __slots__ = ("_bodies", "relations")

    def __init__(self, bodies: Mapping[Pair, str]) -> None:
        self._bodies = bodies
        self.relations: Mapping[Pair, Relation] = {
            pair: _RELATION.load(body) for pair, body in bodies.items()
        }

    def body(self, pair: Pair) -> str:
        """Return a relation letter by letter."""
        return self._bodies[pair]


class Mirror:
    """Pages of relations and customers within one transaction. Userids are found in any case."""

    __slots__ = ("_connection", "_kept")

    def __init__(self, connection: Connection, kept: Relations) -> None:
        self._connection = connection
        self._kept = kept  # what a step has changed and not written, or read and would not again

    def on_file(self, pairs: Iterable[Pair]) -> Filed:
        """Return those of the relations that are on file, by one query."""
        self._kept.write()
        wanted = set(pairs)
        ids = sorted({external for _, external in wanted})
        rows = self._connection.execute(_OF_CUSTOMERS, {"wanted": ids})
        bodies = {(row.userid, row.external_userid): row.body for row in rows}
        return Filed({pair: body for pair, body in bodies.items() if pair in wanted})

    def store(self, new: Sequence[Relation]) -> int:
        """Put relations on file of which nothing is known yet; return of how many that was so."""
        if not new:
            return 0
        self._kept.forget()
        rows = [_row(each) for each in new]
        stored = {
            (row.userid, row.external_userid) for row in self._connection.execute(_STORE, rows)
        }
        fresh = [each for each in new if _pair(each) in stored]
        self._put_phones(fresh)
        self._kept.companies.note_all(_of_company(each) for each in fresh if each.company)
        return len(stored)

    def change(self, filed: Filed, new: Relation) -> bool:
        """Store a relation over what was found of it; False if it is not so any more."""
        self._kept.forget()
        pair = _pair(new)
        key = {"member": pair[0], "customer": pair[1]}
        values = {"new_state": new.state.value, "new_body": _RELATION.dump(new)}
        old = {"old_body": filed.body(pair)}
        if self._connection.execute(_CHANGE, key | old | values).rowcount != 1:
            return False
        if new.phones != filed.relations[pair].phones:
            self._connection.execute(_DROP_PHONES, key)
            self._put_phones([new])
        if new.company != filed.relations[pair].company:
            self._kept.companies.note_all([_of_company(new)])
        return True

    def customers(self, external_userids: Iterable[str]) -> dict[str, Customer]:
        """Return those of the customers that are on file, by one query."""
        self._kept.write()
        rows = self._connection.execute(_CUSTOMERS, {"wanted": sorted(set(external_userids))})
        return {row.external_userid: _CUSTOMER.load(row.body) for row in rows}

    def put_customers(self, new: Iterable[Customer]) -> None:
        """Store customers over what was known of them."""
        shown = list(new)
        if not shown:
            return
        self._kept.forget()
        self._connection.execute(_PUT_CUSTOMERS, [customer_row(each) for each in shown])
        self._kept.companies.note_all((each.corp_name, each.external_userid, "") for each in shown)

    def followed(self, userids: Iterable[str]) -> set[Pair]:
        """Return all relations of these members that WeCom is expected to show."""
        self._kept.write()
        rows = self._connection.execute(_FOLLOWED, {"wanted": _keys(userids)})
        return {(row.userid, row.external_userid) for row in rows}

    def counts(self, userids: Iterable[str]) -> dict[str, int]:
        """Return how many of them each of these members has, by userid in lower case."""
        self._kept.write()
        rows = self._connection.execute(_COUNTS, {"wanted": _keys(userids)})
        return {row.userid: row.many for row in rows}

    def contact_count(self, userid: str) -> int | None:
        """Return how many customers a member has; None before they were read for the first time."""
        known = self.watched([userid]).get(user_key(userid))
        if known is None or known.read_at is None:
            return None
        self._kept.write()
        found: int = self._connection.execute(_COUNT, {"wanted": user_key(userid)}).scalar_one()
        return found

    def watched(self, userids: Iterable[str]) -> dict[str, Watched]:
        """Return since when these members are watched, by userid in lower case."""
        rows = self._connection.execute(_WATCHED, {"wanted": _keys(userids)})
        return {row.userid: Watched(row.since, row.read_at) for row in rows}

    def watch(self, userids: Iterable[str], since: datetime) -> None:
        """Watch members from now on; those who are watched already stay as they are."""
        rows = [{"userid": each, "since": since, "read_at": None} for each in _keys(userids)]
        if rows:
            self._connection.execute(_WATCH, rows)

    def note_read(self, userids: Iterable[str], at: datetime) -> None:
        """Note that all customers of these members were read, beginning then."""
        rows = [{"member": each, "at": at} for each in _keys(userids)]
        if rows:
            self._connection.execute(_NOTE_READ, rows)

    def _put_phones(self, of: Iterable[Relation]) -> None:
        rows = [
            {"phone": phone, "external_userid": each.external_userid, "userid": _pair(each)[0]}
            for each in of
            for phone in each.phones
        ]
        if rows:
            self._connection.execute(_STORE_PHONES, rows)


def _pair(relation: Relation) -> Pair:
    return user_key(relation.userid), relation.external_userid


def _of_company(relation: Relation) -> tuple[str, str, str]:
    userid, external = _pair(relation)
    return relation.company, external, userid


def _row(relation: Relation) -> dict[str, Any]:
    userid, external = _pair(relation)
    values = {"state": relation.state.value, "body": _RELATION.dump(relation)}
    return {"external_userid": external, "userid": userid, **values}


def _keys(userids: Iterable[str]) -> list[str]:
    return sorted({user_key(each) for each in userids})
