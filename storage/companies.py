"""Which companies customers are of, and who knows somebody of the same company."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlalchemy import Connection, bindparam, delete, or_, select

from storage.statements import among, insert_or_ignore
from storage.stored import Stored
from storage.tables import COMPANY_HAS_STEM, company_customers, company_names, relations
from workflows import companies
from workflows.companies import Company
from workflows.model import Relation, RelationState

_MOST_NAMES = 50  # spellings of one company
_LAST = "\U0010ffff"  # comes after every name that goes on
_MOST_RELATIONS = 200  # who knows somebody there: enough to decide by and to tell

_RELATION = Stored(Relation)
_FOLLOWING = (RelationState.ADDED.value, RelationState.DELETED_BY_CUSTOMER.value)

_ADD_NAMES = insert_or_ignore(company_names)
_ADD = insert_or_ignore(company_customers)
_DROP_OTHERS = delete(company_customers).where(
    company_customers.c.external_userid == bindparam("customer"),
    company_customers.c.userid == bindparam("member"),
    company_customers.c.core != bindparam("now"),
)
_NAMES = (company_names.c.core, company_names.c.stem)
_SAME_CORE = select(*_NAMES).where(
    company_names.c.part == bindparam("core"), company_names.c.core == bindparam("core")
)
_BEGINNING_WITH = (
    select(*_NAMES)
    .where(company_names.c.part >= bindparam("stem"), company_names.c.part < bindparam("beyond"))
    .order_by(company_names.c.part)
    .limit(_MOST_NAMES)
)
_STEMS = (
    select(*_NAMES).where(COMPANY_HAS_STEM, among(company_names.c.stem, "heads")).limit(_MOST_NAMES)
)
_KNOWN = (
    select(relations.c.body)
    .join(
        company_customers,
        (company_customers.c.external_userid == relations.c.external_userid)
        & or_(company_customers.c.userid == "", company_customers.c.userid == relations.c.userid),
    )
    .where(
        among(company_customers.c.core, "cores"),
        relations.c.state.in_(_FOLLOWING),
    )
    .order_by(company_customers.c.core, relations.c.external_userid, relations.c.userid)
    .limit(_MOST_RELATIONS)
)


class Companies:
    """The companies within one transaction. `settle` writes relations that are kept for later."""

    __slots__ = ("_connection", "_settle")

    def __init__(self, connection: Connection, settle: Callable[[], None]) -> None:
        self._connection = connection
        self._settle = settle

    def note(self, name: str, external_userid: str, userid: str = "") -> None:
        """Write down of which company a customer is: as this member says, or as WeCom shows."""
        self.note_all([(name, external_userid, userid)])

    def note_all(self, said: Iterable[tuple[str, str, str]]) -> None:
        """Do so for many: name, external_userid and userid of each; '' is as WeCom shows."""
        read = [
            (companies.read(name.replace("\x00", "")), external, userid)
            for name, external, userid in said
        ]
        if not read:
            return
        dropped = [
            {"customer": external, "member": userid, "now": company.core if company else ""}
            for company, external, userid in read
        ]
        self._connection.execute(_DROP_OTHERS, dropped)
        named = [(company, external, userid) for company, external, userid in read if company]
        if not named:
            return
        parts = {
            (part, company.core): company.stem if part == company.core else ""
            for company, _, _ in named
            for part in company.begins
        }
        names = [{"part": part, "core": core, "stem": stem} for (part, core), stem in parts.items()]
        self._connection.execute(_ADD_NAMES, names)
        who = [
            {"core": company.core, "external_userid": external, "userid": userid}
            for company, external, userid in named
        ]
        self._connection.execute(_ADD, who)

    def known_to(self, name: str) -> list[Relation]:
        """Return who follows somebody of the company of this name, at most 200 of them."""
        company = companies.read(name.replace("\x00", ""))
        cores = self._same(company) if company else []
        if not cores:
            return []
        self._settle()
        bodies = self._connection.execute(_KNOWN, {"cores": cores}).scalars()
        return [_RELATION.load(body) for body in dict.fromkeys(bodies)]

    def _same(self, company: Company) -> list[str]:
        """Return the names on file that mean the same company."""
        found = list(self._connection.execute(_SAME_CORE, {"core": company.core}))
        if company.stem:
            values = {"stem": company.stem, "beyond": company.stem + _LAST}
            found += self._connection.execute(_BEGINNING_WITH, values)
        if heads := company.heads:
            found += self._connection.execute(_STEMS, {"heads": heads})
        others = {row.core: Company(row.core, row.stem) for row in found}
        named = (companies.read(core) or other for core, other in others.items())
        return sorted({each.core for each in named if companies.same(company, each)})
