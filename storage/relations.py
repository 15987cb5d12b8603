"""Customers, and what each member and customer are to each other.

An event is about one customer, whose relations its step reads and changes several times. So they
are read once, kept as the step has them, and written once: by `write`, when the step ends.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Select, bindparam, delete, func, or_, select

from storage.companies import Companies
from storage.moments import search_key, user_key
from storage.statements import insert_or_ignore, insert_or_replace, prefix_of
from storage.stored import Stored
from storage.tables import CUSTOMER_HAS_UNIONID, customers, relation_phones, relations
from workflows.model import Customer, Relation, RelationState

_RELATION = Stored(Relation)
_CUSTOMER = Stored(Customer)

_PUT = insert_or_replace(relations)
_PUT_CUSTOMER = insert_or_replace(customers)
_ADD_PHONES = insert_or_ignore(relation_phones)
_DROP_PHONES = delete(relation_phones).where(
    relation_phones.c.external_userid == bindparam("wanted"),
    relation_phones.c.userid == bindparam("member"),
)
_OF_CUSTOMER = (
    select(relations.c.body)
    .where(relations.c.external_userid == bindparam("external_userid"))
    .order_by(relations.c.userid)
)
_OF_MEMBER = (
    select(relations.c.body)
    .where(relations.c.userid == bindparam("userid"))
    .order_by(relations.c.external_userid)
)
_PAGE_OF_MEMBER = _OF_MEMBER.where(relations.c.external_userid > bindparam("after")).limit(
    bindparam("limit")
)
_COUNT_OF_MEMBER = (
    select(func.count())
    .select_from(relations)
    .where(
        relations.c.userid == bindparam("userid"),
        relations.c.state == RelationState.ADDED.value,
    )
)
_DELETED = _OF_MEMBER.where(relations.c.state == RelationState.DELETED_BY_MEMBER.value)
_WITH_CUSTOMERS = (
    select(relations.c.body, customers.c.body.label("customer"))
    .join(customers, customers.c.external_userid == relations.c.external_userid)
    .where(
        relations.c.userid == bindparam("userid"),
        relations.c.state == RelationState.ADDED.value,
    )
    .order_by(relations.c.external_userid)
)
_BY_PHONE = (
    select(relations.c.body)
    .join(
        relation_phones,
        (relation_phones.c.external_userid == relations.c.external_userid)
        & (relation_phones.c.userid == relations.c.userid),
    )
    .where(relation_phones.c.phone == bindparam("phone"))
    .order_by(relations.c.external_userid, relations.c.userid)
)
_OF_UNIONID = (
    select(customers.c.external_userid)
    .where(CUSTOMER_HAS_UNIONID, customers.c.unionid == bindparam("wanted"))
    .order_by(customers.c.external_userid)
)
_CUSTOMER_OF_ID = select(customers.c.body).where(
    customers.c.external_userid == bindparam("external_userid")
)


class Relations:
    """Customers and relations within one transaction. Userids are found in any case."""

    __slots__ = ("_connection", "_customers", "_new_customers", "_of", "_replaced", "companies")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.companies = Companies(connection, self.write)
        self._of: dict[str, dict[str, Relation]] = {}  # by customer, then by member
        self._replaced: dict[tuple[str, str], Relation | None] = {}  # as still stored, if it is
        self._customers: dict[str, Customer | None] = {}
        self._new_customers: set[str] = set()

    def write(self) -> None:
        """Write what was put since the last time. Transaction does it at the end of a step."""
        if self._new_customers:
            changed = (self._customers[each] for each in sorted(self._new_customers))
            shown = [each for each in changed if each is not None]
            self._connection.execute(_PUT_CUSTOMER, [customer_row(each) for each in shown])
            firms = ((c.corp_name, c.external_userid, "") for c in shown if c.corp_name)
            self.companies.note_all(firms)  # WeCom shows one for all its own users, or for none
            self._new_customers.clear()
        if self._replaced:
            pairs = [
                (self._of[key[0]][key[1]], self._replaced[key]) for key in sorted(self._replaced)
            ]
            self._connection.execute(_PUT, [_row(new) for new, _ in pairs])
            self._write_phones(pairs)
            self.companies.note_all(
                (new.company, new.external_userid, user_key(new.userid))
                for new, old in pairs
                if new.company != (old.company if old else "")
            )
            self._replaced.clear()

    def forget(self) -> None:
        """Read anew what is asked for from now on: others may have changed it."""
        self.write()
        self._of.clear()
        self._customers.clear()

    def get(self, userid: str, external_userid: str) -> Relation | None:
        """Return what the two are to each other, None if never heard of."""
        return self._known(external_userid).get(user_key(userid))

    def put(self, relation: Relation) -> None:
        """Store the relation over what was known of it."""
        known, member = self._known(relation.external_userid), user_key(relation.userid)
        if known.get(member) != relation:
            self._replaced.setdefault((relation.external_userid, member), known.get(member))
            known[member] = relation

    def of_customer(self, external_userid: str) -> list[Relation]:
        """Return the customer's relations to everybody in the company, in whatever state."""
        return [relation for _, relation in sorted(self._known(external_userid).items())]

    def of_member(self, userid: str) -> list[Relation]:
        """Return all relations of a member, in whatever state."""
        return self._list(_OF_MEMBER, userid=user_key(userid))

    def page_of_member(self, userid: str, limit: int, after: str = "") -> list[Relation]:
        """Return relations of a member in whatever state, by customer, from behind `after` on."""
        return self._list(_PAGE_OF_MEMBER, userid=user_key(userid), limit=limit, after=after)

    def count_of_member(self, userid: str) -> int:
        """Return how many customers a member has."""
        self.write()
        values = {"userid": user_key(userid)}
        return int(self._connection.execute(_COUNT_OF_MEMBER, values).scalar_one())

    def customers_of(self, userid: str) -> list[tuple[Relation, Customer]]:
        """Return the customers a member has, with what the two are to each other."""
        self.write()
        rows = self._connection.execute(_WITH_CUSTOMERS, {"userid": user_key(userid)})
        return [(_RELATION.load(row.body), _CUSTOMER.load(row.customer)) for row in rows]

    def deleted_by(self, userid: str, since: datetime) -> list[Relation]:
        """Return what a member has ended by themselves since then, the latest first.

        A customer who was deleted, added and deleted again counts once.
        """
        found = self._list(_DELETED, userid=user_key(userid))
        own = [(r.seen_at, r) for r in found if r.ended_by == "member" and r.seen_at]
        late = [(at, relation) for at, relation in own if at >= since]
        return [relation for _, relation in sorted(late, key=lambda each: each[0], reverse=True)]

    def find_by_phone(self, phone: str) -> list[Relation]:
        """Return the relations in which somebody noted exactly this phone number."""
        return self._list(_BY_PHONE, phone=phone)

    def customer(self, external_userid: str) -> Customer | None:
        """Return the customer."""
        if external_userid not in self._customers:
            values = {"external_userid": external_userid}
            body = self._connection.execute(_CUSTOMER_OF_ID, values).scalar_one_or_none()
            self._customers[external_userid] = None if body is None else _CUSTOMER.load(body)
        return self._customers[external_userid]

    def put_customer(self, customer: Customer) -> None:
        """Store the customer over what was known of them."""
        self._customers[customer.external_userid] = customer
        self._new_customers.add(customer.external_userid)

    def ids_of(self, unionid: str) -> list[str]:
        """Return the external_userids under which one person, by unionid, is on file."""
        if not unionid:
            return []
        self.write()
        return list(self._connection.execute(_OF_UNIONID, {"wanted": unionid}).scalars())

    def called(self, name: str, limit: int = 20) -> list[Customer]:
        """Return customers who are called exactly this, case aside, or whose id it is."""
        wanted = search_key(name)
        if not wanted:
            return []
        is_it = or_(customers.c.name == wanted, customers.c.external_userid == _id_in(name))
        statement = select(customers.c.body).where(is_it).order_by(customers.c.external_userid)
        self.write()
        found = self._connection.execute(statement.limit(limit)).scalars()
        return [_CUSTOMER.load(body) for body in found]

    def find_customers(self, words: str, limit: int = 20) -> list[Customer]:
        """Return customers whose name or company begins with this, or whose id it is."""
        name = search_key(words)
        if not name:
            return []
        statement = select(customers.c.body).where(
            or_(
                customers.c.external_userid == words.strip(),
                prefix_of(customers.c.name, name),
                prefix_of(customers.c.corp_name, name),
            )
        )
        self.write()
        ordered = statement.order_by(customers.c.name, customers.c.external_userid).limit(limit)
        return [_CUSTOMER.load(body) for body in self._connection.execute(ordered).scalars()]

    def _known(self, external_userid: str) -> dict[str, Relation]:
        """Return a customer's relations by member, as this step has them."""
        known = self._of.get(external_userid)
        if known is None:
            found = self._read(_OF_CUSTOMER, external_userid=external_userid)
            known = self._of[external_userid] = {user_key(each.userid): each for each in found}
        return known

    def _list(self, statement: Select[str], **values: object) -> list[Relation]:
        self.write()
        return self._read(statement, **values)

    def _read(self, statement: Select[str], **values: object) -> list[Relation]:
        rows = self._connection.execute(statement, values).scalars()
        return [_RELATION.load(body) for body in rows]

    def _write_phones(self, pairs: list[tuple[Relation, Relation | None]]) -> None:
        """Bring up to date what finds a relation by the phone numbers noted in it."""
        for new, old in pairs:
            member = user_key(new.userid)
            if old is not None and old.phones != new.phones:
                values = {"wanted": new.external_userid, "member": member}
                self._connection.execute(_DROP_PHONES, values)
            if new.phones and (old is None or old.phones != new.phones):
                key = {"external_userid": new.external_userid, "userid": member}
                self._connection.execute(_ADD_PHONES, [key | {"phone": p} for p in new.phones])


def _row(relation: Relation) -> dict[str, str]:
    return {
        "external_userid": relation.external_userid,
        "userid": user_key(relation.userid),
        "state": relation.state.value,
        "body": _RELATION.dump(relation),
    }


def _id_in(words: str) -> str:
    """Return an external_userid as typed. PostgreSQL cannot hold a NUL."""
    return words.replace("\x00", "").strip()


def customer_row(customer: Customer) -> dict[str, str]:
    """Return the columns of a customer. PostgreSQL cannot hold a NUL."""
    return {
        "external_userid": customer.external_userid,
        "name": search_key(customer.name),
        "corp_name": search_key(customer.corp_name),
        "unionid": customer.unionid.replace("\x00", ""),
        "body": _CUSTOMER.dump(customer),
    }
