"""What the pretend corporation consists of: people, contacts, messages. Plain records, no rules.

Times are unix seconds as the simulator's clock gives them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = dict[str, Any]

ACTIVE, DISABLED, NOT_ACTIVATED, LEFT = 1, 2, 4, 5  # member status, doc 90196
WECHAT, WECOM = 1, 2  # customer types, doc 92114


@dataclass(slots=True)
class Department:
    """One department; `leaders` are userids."""

    id: int
    name: str
    parentid: int
    order: int = 0
    leaders: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Member:
    """One employee and the switches that WeCom's console keeps about them."""

    userid: str
    name: str
    departments: list[int]
    position: str = ""
    direct_leader: list[str] = field(default_factory=list)
    status: int = ACTIVE
    visible: bool = True  # inside the visible range of the app
    customer_contact: bool = True  # may use customer contact
    skip_verify: bool = True  # customers who search for them get in without being confirmed
    console_welcome: bool = False  # the console greets new customers, so no welcome code is given
    verified: bool = True  # real-name verified
    contact_limit: int | None = None
    left_at: float = 0.0

    @property
    def key(self) -> str:
        """WeCom compares userids without regard to case."""
        return self.userid.lower()


@dataclass(slots=True)
class DirectoryTag:
    """A tag on members (not on customers)."""

    id: int
    name: str
    users: list[str] = field(default_factory=list)
    parties: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Customer:
    """Somebody outside the corporation."""

    external_userid: str
    name: str
    type: int = WECHAT
    corp_name: str = ""
    phone: str = ""
    position: str = ""
    gender: int = 0


class Bond(StrEnum):
    """How a member and a customer stand to each other."""

    REQUESTED = "requested"  # the customer asked; no callback tells of it
    HALF = "half"  # the customer is in, the member has not confirmed yet
    ADDED = "added"
    DELETED_BY_MEMBER = "deleted_by_member"
    DELETED_BY_CUSTOMER = "deleted_by_customer"  # one-way: the APIs keep returning it


FOLLOWED = {Bond.ADDED, Bond.DELETED_BY_CUSTOMER}  # what the APIs still return


@dataclass(slots=True)
class Relation:
    """What WeCom keeps about one member and one customer."""

    userid: str
    external_userid: str
    bond: Bond
    createtime: float
    add_way: int = 0
    oper_userid: str = ""
    state: str = ""  # of the contact way
    remark: str = ""
    description: str = ""
    remark_company: str = ""
    remark_mobiles: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)  # corp tag ids
    personal_tags: list[str] = field(default_factory=list)
    chatting: bool = False
    welcomed: bool = False


@dataclass(slots=True)
class CorpTag:
    """A tag for customers. `by_app` says that our app made it and may change it."""

    id: str
    name: str
    create_time: float
    order: int = 0
    by_app: bool = False


@dataclass(slots=True)
class TagGroup:
    """A group of customer tags; it lives as long as it has one."""

    id: str
    name: str
    create_time: float
    order: int = 0
    by_app: bool = False
    tags: list[CorpTag] = field(default_factory=list)


@dataclass(slots=True)
class ContactWay:
    """A 联系我 made by API: a QR code that adds one of `users`."""

    config_id: str
    type: int
    scene: int
    users: list[str]
    parties: list[int]
    created_at: float
    qr_code: str
    style: int = 0
    remark: str = ""
    skip_verify: bool = True
    state: str = ""
    is_exclusive: bool = False
    scans: int = 0


@dataclass(slots=True)
class WelcomeCode:
    """Good for one welcome message within 20 seconds."""

    relation: tuple[str, str]
    at: float
    used: bool = False


@dataclass(slots=True)
class Transfer:
    """A customer on the way from one member to another; status as in doc 94088."""

    handover: str
    takeover: str
    external_userid: str
    at: float
    due: float
    resigned: bool = False
    message: str = ""
    status: int = 2
    takeover_time: float = 0.0


@dataclass(slots=True)
class GroupMember:
    """Somebody in a customer group; `type` 1 is a member, 2 a customer."""

    userid: str
    type: int
    join_time: float
    join_scene: int = 1
    invitor: str = ""


@dataclass(slots=True)
class GroupChat:
    """A customer group."""

    chat_id: str
    name: str
    owner: str
    create_time: float
    members: list[GroupMember]
    member_version: str
    status: int = 0  # 1 owner has left, 2 being inherited, 3 inherited (doc 92120)
    heir: str = ""  # who inherits it at `inherited_at`
    inherited_at: float = 0.0
    former: tuple[list[GroupMember], str] | None = None  # shown until `settles_at`
    settles_at: float = 0.0


@dataclass(slots=True)
class Media:
    """A file that was handed in; good for three days."""

    media_id: str
    kind: str  # image, voice, video, file
    name: str
    content: bytes = field(repr=False)
    at: float = 0.0


@dataclass(slots=True)
class Message:
    """One thing on a phone's screen."""

    id: int
    sender: str
    to: str
    kind: str  # text, news, card, file, said, pressed, notice, welcome, qr
    at: float
    text: str = ""
    articles: list[Json] = field(default_factory=list)
    card: Json | None = None
    replaced: str = ""
    task_id: str = ""
    open: bool = False
    msgid: str = ""
    key: str = ""  # of a pressed button; of a notice, so that the page can word it
    picurl: str = ""
    media: Media | None = None


@dataclass(slots=True)
class Sent:
    """One accepted message/send, for updating and recalling it later."""

    msgid: str
    at: float
    msgtype: str
    recipients: list[str]
    task_id: str = ""


@dataclass(slots=True)
class ResponseCode:
    """Good for one card update within 72 hours."""

    msgid: str
    at: float
    used: bool = False


@dataclass(slots=True)
class Repeat:
    """A request remembered by the duplicate check, and what it was answered."""

    until: float
    answer: Json


@dataclass(slots=True)
class State:
    """Everything a reset puts back."""

    corp_name: str = ""
    departments: dict[int, Department] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    directory_tags: dict[int, DirectoryTag] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)
    relations: dict[tuple[str, str], Relation] = field(default_factory=dict)
    customers_by_member: dict[str, list[str]] = field(default_factory=dict)
    members_by_customer: dict[str, list[str]] = field(default_factory=dict)
    tag_groups: dict[str, TagGroup] = field(default_factory=dict)
    ways: dict[str, ContactWay] = field(default_factory=dict)
    groups: dict[str, GroupChat] = field(default_factory=dict)
    transfers: list[Transfer] = field(default_factory=list)
    refuses_transfer: set[str] = field(default_factory=set)
    inherited_groups: list[tuple[str, float]] = field(default_factory=list)  # from whom, when
    welcome_codes: dict[str, WelcomeCode] = field(default_factory=dict)
    chats: dict[str, list[Message]] = field(default_factory=dict)
    customer_chats: dict[str, list[Message]] = field(default_factory=dict)
    cards: dict[tuple[str, str], Message] = field(default_factory=dict)  # (member, task_id)
    sent: dict[str, Sent] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    response_codes: dict[str, ResponseCode] = field(default_factory=dict)
    repeats: dict[str, Repeat] = field(default_factory=dict)
    received: dict[str, deque[float]] = field(default_factory=dict)  # for the silent limit
    dropped: list[Message] = field(default_factory=list)

    def put_relation(self, relation: Relation) -> None:
        """Keep a relation, in place of an older one of the same two."""
        member, external = relation.userid.lower(), relation.external_userid
        if (member, external) not in self.relations:
            self.customers_by_member.setdefault(member, []).append(external)
            self.members_by_customer.setdefault(external, []).append(member)
        self.relations[member, external] = relation

    def relations_of_customer(self, external_userid: str) -> list[Relation]:
        """Everything that ever was between this customer and members."""
        members = self.members_by_customer.get(external_userid, [])
        return [self.relations[one, external_userid] for one in members]

    def relations_of_member(self, userid: str) -> list[Relation]:
        """Everything that ever was between this member and customers."""
        key = userid.lower()
        return [self.relations[key, one] for one in self.customers_by_member.get(key, [])]

    def followed_by(self, userid: str) -> Sequence[Relation]:
        """The relations of this member that the APIs show, to be looked at and not changed."""
        return [one for one in self.relations_of_member(userid) if one.bond in FOLLOWED]
