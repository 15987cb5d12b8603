"""The events WeCom tells us of, as values (documents 92130, 90239, 90240, 90970).

Everything outside this list is `Unknown`: kept, and ignored by those who handle events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class ContactAdded:
    """A member and a customer became contacts; `half` when the member has not confirmed yet.

    `welcome_code` works once, for 20 seconds. `state` is that of the contact way, if any.
    """

    userid: str
    external_userid: str
    created_at: datetime
    half: bool = False
    state: str = ""
    welcome_code: str = ""


@dataclass(frozen=True, slots=True)
class ContactEdited:
    """A member changed remark, phones or tags of a customer in the client; ask WeCom which."""

    userid: str
    external_userid: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ContactDeleted:
    """One of the two deleted the other. `source` is DELETE_BY_TRANSFER when a transfer did it."""

    userid: str
    external_userid: str
    created_at: datetime
    by_member: bool
    source: str = ""


@dataclass(frozen=True, slots=True)
class TransferFailed:
    """`userid` did not take the customer over: customer_refused or customer_limit_exceed."""

    userid: str
    external_userid: str
    created_at: datetime
    fail_reason: str


class ChatChange(StrEnum):
    """What became of a customer group."""

    CREATE = "create"
    UPDATE = "update"
    DISMISS = "dismiss"


@dataclass(frozen=True, slots=True)
class ChatChanged:
    """A customer group changed. `members` are userids and external_userids; None is "not told"."""

    chat_id: str
    created_at: datetime
    change: ChatChange
    update_detail: str = ""
    join_scene: int | None = None
    quit_scene: int | None = None
    members: tuple[str, ...] = ()
    last_version: str = ""
    current_version: str = ""


class TagChange(StrEnum):
    """What became of a customer tag or tag group."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    SHUFFLE = "shuffle"


@dataclass(frozen=True, slots=True)
class TagChanged:
    """A customer tag changed. An empty `id` with SHUFFLE: all groups were reordered."""

    created_at: datetime
    change: TagChange
    id: str = ""
    tag_type: str = ""  # 'tag' or 'tag_group'


@dataclass(frozen=True, slots=True)
class TextSaid:
    """A member wrote to the app."""

    userid: str
    text: str
    msg_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OtherSaid:
    """A member sent the app something else: 'image', 'voice', 'video', 'location' or 'link'."""

    userid: str
    msg_type: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CardPressed:
    """A button on a card was pressed. Every recipient can press: check that `userid` may.

    `response_code` updates that card once within 72 h; `selected` maps a question's key to options.
    """

    userid: str
    key: str
    task_id: str
    created_at: datetime
    card_type: str = ""
    response_code: str = ""
    selected: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CardMenuPressed:
    """An entry of a card's top-right menu was pressed."""

    userid: str
    key: str
    task_id: str
    created_at: datetime
    card_type: str = ""
    response_code: str = ""


@dataclass(frozen=True, slots=True)
class MenuClicked:
    """An entry of the app's menu was clicked."""

    userid: str
    key: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AgentEntered:
    """A member opened the conversation with the app."""

    userid: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A member came into the app's visible range: a sign that somebody's permissions changed."""

    userid: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """A member left the app's visible range, or the company, or was disabled."""

    userid: str
    created_at: datetime


class DirectoryChange(StrEnum):
    """What became of a member, department ("party") or directory tag."""

    CREATE_USER = "create_user"
    UPDATE_USER = "update_user"
    DELETE_USER = "delete_user"
    CREATE_PARTY = "create_party"
    UPDATE_PARTY = "update_party"
    DELETE_PARTY = "delete_party"
    UPDATE_TAG = "update_tag"


@dataclass(frozen=True, slots=True)
class DirectoryChanged:
    """The company's directory changed. Newer callback URLs tell only who: read the rest from WeCom.

    `userid` is set for members (`new_userid` when renamed), `department` and `tag_id` for theirs.
    """

    created_at: datetime
    change: DirectoryChange
    userid: str = ""
    new_userid: str = ""
    department: int = 0
    tag_id: int = 0


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something else that WeCom may tell us some day, or tells others."""

    event: str
    change_type: str
    created_at: datetime


Event = (
    ContactAdded
    | ContactEdited
    | ContactDeleted
    | TransferFailed
    | ChatChanged
    | TagChanged
    | TextSaid
    | OtherSaid
    | CardPressed
    | CardMenuPressed
    | MenuClicked
    | AgentEntered
    | Subscribed
    | Unsubscribed
    | DirectoryChanged
    | Unknown
)
