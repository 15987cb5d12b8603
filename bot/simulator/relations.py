"""Adding and deleting customers, contact ways and welcome codes (docs 92130, 92137, 92228)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bot.simulator.errors import ImpossibleError
from bot.simulator.events import Event
from bot.simulator.people import People
from bot.simulator.records import (
    ACTIVE,
    FOLLOWED,
    WECHAT,
    Bond,
    ContactWay,
    Customer,
    Member,
    Message,
    Relation,
    WelcomeCode,
)

WELCOME_LIFE = 20.0
GONE = {Bond.DELETED_BY_MEMBER, Bond.REQUESTED, Bond.HALF}


@dataclass(frozen=True, slots=True)
class Origin:
    """How two people came together."""

    add_way: int
    oper_userid: str
    state: str = ""


class Relations(People):
    """What happens between members and customers, and which callbacks tell of it."""

    half_first = False  # whether a scan without verification raises add_half before add

    def create_customer(self, customer: Customer) -> Customer:
        """Somebody outside begins to exist."""
        if customer.external_userid in self.state.customers:
            raise ImpossibleError(f"{customer.external_userid} exists already")
        self.state.customers[customer.external_userid] = customer
        self.show_customer(customer.external_userid, "customer")
        return customer

    def rename_customer(self, external: str, name: str) -> None:
        """Somebody outside calls themselves something else, of which WeCom tells nobody."""
        self.state.customers[external] = replace(self.customer(external), name=name)
        self.show_customer(external, "customer")

    def member_adds_customer(self, userid: str, external: str, add_way: int = 2) -> Event | None:
        """A member adds a customer, who accepts. WeCom tells of no request, only of the result."""
        member = self.working(userid)
        self._refuse_if_added(member, external)
        return self._befriend(member, external, Origin(add_way, member.userid))

    def customer_adds_member(self, external: str, userid: str, add_way: int = 2) -> Event | None:
        """A customer adds a member: half added where the member skips verification.

        Otherwise the request waits for `member_confirms`, and no callback tells of it.
        """
        member, origin = self.working(userid), Origin(add_way, external)
        self._refuse_if_added(member, external)
        if self._was_deleted_by_customer(member, external):
            return self._befriend(member, external, origin)
        if member.skip_verify:
            return self._half(member, external, origin)
        self._set_bond(member, external, Bond.REQUESTED, origin)
        return None

    def customer_scans(self, external: str, code: str) -> Event | None:
        """A customer scans a contact way: its config_id or the address in its picture.

        Scanning somebody already added raises nothing (wecom.md §2.1).
        """
        way = self.state.ways.get(code.rsplit("/", 1)[-1].removesuffix(".svg"))
        self.customer(external)
        if way is None:
            raise ImpossibleError("this QR code is not valid any more")
        scan = Message(
            self.next_id(), external, "", "qr", self.now(), way.state, picurl=way.qr_code
        )
        self.put_to_customer(external, scan)
        member, origin = self._member_of_way(way), Origin(1, external, way.state)
        known = self.relation(member.userid, external)
        if known and known.bond is Bond.ADDED:
            return None
        if not way.skip_verify and not self._was_deleted_by_customer(member, external):
            self._set_bond(member, external, Bond.REQUESTED, origin)
            return None
        if self.half_first:
            self._half(member, external, origin)
        return self._befriend(member, external, origin)

    def member_confirms(self, userid: str, external: str) -> Event | None:
        """A member accepts a request or adds a half-added customer back."""
        member = self.working(userid)
        known = self.relation(userid, external)
        if known is None or known.bond not in {Bond.HALF, Bond.REQUESTED}:
            raise ImpossibleError("nothing to confirm")
        return self._befriend(
            member, external, Origin(known.add_way, known.oper_userid, known.state)
        )

    def member_deletes_customer(self, userid: str, external: str) -> Event | None:
        """A member deletes a customer: the APIs no longer return the relation."""
        relation = self._existing(userid, external)
        if relation.bond in {Bond.DELETED_BY_MEMBER, Bond.REQUESTED}:
            raise ImpossibleError("they are not contacts")
        relation.bond = Bond.DELETED_BY_MEMBER
        return self._tell_relation(relation, "del_external_contact")

    def customer_deletes_member(self, external: str, userid: str) -> Event | None:
        """A customer deletes a member: a one-way relation stays."""
        relation = self._existing(userid, external)
        if relation.bond not in {Bond.ADDED, Bond.HALF}:
            raise ImpossibleError("they are not contacts")
        relation.bond = Bond.DELETED_BY_CUSTOMER
        return self._tell_relation(relation, "del_follow_user")

    def customer_says(self, external: str, userid: str, text: str) -> None:
        """A customer writes to a member. From then on a welcome message is too late."""
        relation = self._existing(userid, external)
        if relation.bond not in {Bond.ADDED, Bond.HALF}:
            raise ImpossibleError("they are not contacts")
        relation.chatting = True
        said = Message(self.next_id(), external, relation.userid, "said", self.now(), text)
        self.put_to_customer(external, said)

    def member_edits(
        self,
        userid: str,
        external: str,
        *,
        remark: str | None = None,
        tags: Sequence[str] | None = None,
        mobiles: Iterable[str] | None = None,
    ) -> Event | None:
        """A member changes remark, corp tags (by id) or phone numbers in the client."""
        relation = self._existing(userid, external)
        if relation.bond not in FOLLOWED:
            raise ImpossibleError("they are not contacts")
        if remark is not None:
            relation.remark = remark
        if tags is not None:
            relation.tags = list(tags)
        if mobiles is not None:
            relation.remark_mobiles = list(mobiles)
        return self._tell_relation(relation, "edit_external_contact")

    def followers(self, external: str) -> list[Relation]:
        """The relations that the APIs return for a customer."""
        known = self.state.relations_of_customer(external)
        return [one for one in known if self._is_returned(one)]

    def customers_of(self, userid: str) -> Sequence[Relation]:
        """The relations that the APIs return for a member, to be looked at and not changed."""
        return self.state.followed_by(userid) if self.reports(self.member(userid)) else []

    def returned(self, userid: str, external: str) -> Relation | None:
        """The relation of the two if the APIs return it."""
        relation = self.relation(userid, external)
        return relation if relation and self._is_returned(relation) else None

    # -- inner steps ---------------------------------------------------------------------------

    def _is_returned(self, relation: Relation) -> bool:
        return relation.bond in FOLLOWED and self.reports(self.member(relation.userid))

    def _befriend(self, member: Member, external: str, origin: Origin) -> Event | None:
        restored = self._was_deleted_by_customer(member, external)
        relation = self._set_bond(member, external, Bond.ADDED, origin, keep=restored)
        if not self.reports(member):
            return None
        # a restored relation comes without State: scanning again only mends what was there
        more = {"State": origin.state} if origin.state and not restored else {}
        more |= self._welcome(member, relation)
        return self._tell_relation(relation, "add_external_contact", **more)

    def _half(self, member: Member, external: str, origin: Origin) -> Event | None:
        relation = self._set_bond(member, external, Bond.HALF, origin)
        more = {"State": origin.state} if origin.state else {}
        if self.reports(member):
            more |= self._welcome(member, relation)
        return self._tell_relation(relation, "add_half_external_contact", **more)

    def _set_bond(
        self, member: Member, external: str, bond: Bond, origin: Origin, *, keep: bool = False
    ) -> Relation:
        self.customer(external)
        key = (member.key, external)
        old = self.state.relations.get(key)
        if old is not None and (keep or old.bond in {Bond.HALF, Bond.REQUESTED}):
            old.bond = bond
        else:
            old = Relation(
                member.userid,
                external,
                bond,
                self.now(),
                origin.add_way,
                origin.oper_userid,
                origin.state,
            )
            self.state.put_relation(old)
        self._notice(old)
        self.show_customer(external)
        return old

    def _notice(self, relation: Relation) -> None:
        name = self.member(relation.userid).name
        words = {
            Bond.ADDED: f"你和{name}已成为联系人",
            Bond.HALF: f"你已添加{name}，可以开始聊天",
            Bond.REQUESTED: f"已向{name}发送好友申请",
        }
        text = words[relation.bond]
        notice = Message(
            self.next_id(), relation.userid, relation.external_userid, "notice", self.now(), text
        )
        notice.key = str(relation.bond)
        self.put_to_customer(relation.external_userid, notice)

    def _tell_relation(self, relation: Relation, change: str, **more: str) -> Event | None:
        self.show_customer(relation.external_userid)
        if not self.reports(self.member(relation.userid)):
            return None
        ids = {"UserID": relation.userid, "ExternalUserID": relation.external_userid}
        return self.tell_sys("change_external_contact", change, {**ids, **more})

    def _welcome(self, member: Member, relation: Relation) -> dict[str, str]:
        spoken = relation.chatting or relation.welcomed or member.console_welcome
        if spoken or self.customer(relation.external_userid).type != WECHAT:
            return {}
        code = self.fresh("wc_", 40)
        key = (member.key, relation.external_userid)
        self.state.welcome_codes[code] = WelcomeCode(key, self.now())
        return {"WelcomeCode": code}

    def _member_of_way(self, way: ContactWay) -> Member:
        users = list(way.users)
        for party in way.parties:
            below = {one.id for one in self.departments_under(party)}
            everybody = self.state.members.values()
            users += [one.userid for one in everybody if below & set(one.departments)]
        able = [one for one in map(self.find_member, users) if one and one.status == ACTIVE]
        if not able:
            raise ImpossibleError("nobody answers to this QR code")
        way.scans += 1
        return able[(way.scans - 1) % len(able)]

    def _refuse_if_added(self, member: Member, external: str) -> None:
        self.customer(external)
        known = self.relation(member.userid, external)
        if known and known.bond in {Bond.ADDED, Bond.HALF}:
            raise ImpossibleError(f"{external} and {member.userid} are contacts already")

    def _was_deleted_by_customer(self, member: Member, external: str) -> bool:
        known = self.relation(member.userid, external)
        return known is not None and known.bond is Bond.DELETED_BY_CUSTOMER

    def _existing(self, userid: str, external: str) -> Relation:
        relation = self.relation(self.working(userid).userid, external)
        if relation is None:
            raise ImpossibleError("they have never met")
        return relation
