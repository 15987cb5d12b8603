"""Under a member's other userid something may be on file before WeCom's event tells of it.

A reading of customers shows them by it, and so do their customers' events. What is there twice then
is kept once: as it was judged, as long as it still is.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, delete, select

from storage.moments import user_key
from storage.stored import Stored
from storage.tables import (
    company_customers,
    owner_notices,
    owner_questions,
    relation_phones,
    relations,
    watched_members,
)
from workflows import mirror
from workflows.model import Relation

_RELATION = Stored(Relation)
_BESIDE = (relation_phones, company_customers)  # what is kept for the sake of a relation


def make_way(connection: Connection, old: str, new: str) -> None:
    """Delete of two rows that would become one the one that knows less."""
    _relations(connection, user_key(old), user_key(new))
    _newer(connection, watched_members.c.userid, (), old, new)
    _newer(connection, owner_notices.c.userid, (owner_notices.c.external_userid,), old, new)
    _newer(connection, owner_questions.c.userid, (owner_questions.c.request_id,), old, new)


def _relations(connection: Connection, old: str, new: str) -> None:
    """Keep what is on file under the former userid, unless that is over or somebody has judged
    what came in under the new one.
    """
    mine = relations.c.userid == new
    theirs = select(relations.c.external_userid).where(relations.c.userid == old)
    found = select(relations.c.external_userid, relations.c.body).where(
        mine, relations.c.external_userid.in_(theirs)
    )
    for external, body in connection.execute(found).all():
        former = connection.execute(
            select(relations.c.body).where(
                relations.c.userid == old, relations.c.external_userid == external
            )
        ).scalar_one()
        keeps = mirror.is_followed(_RELATION.load(former)) and not _RELATION.load(body).request_id
        _drop(connection, new if keeps else old, external)


def _drop(connection: Connection, userid: str, external_userid: str) -> None:
    for table in (relations, *_BESIDE):
        this = (table.c.userid == userid, table.c.external_userid == external_userid)
        connection.execute(delete(table).where(*this))


def _newer(
    connection: Connection, userid: Column[str], others: tuple[Column[str], ...], old: str, new: str
) -> None:
    """Delete what is there under the new userid, where the former one has the same."""
    table = userid.table.alias()
    same = [table.c[each.name] == each for each in others]
    there = select(table.c.userid).where(table.c.userid == user_key(old), *same)
    connection.execute(delete(userid.table).where(userid == user_key(new), there.exists()))
