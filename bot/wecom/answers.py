"""WeCom's answers as our own types; unknown fields are ignored, missing ones get a value."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from bot.wecom import errors
from bot.wecom.errors import WecomError
from workflows.directory import ACTIVE, Department, Member


class Reply(BaseModel):
    """A part of an answer. A null counts as absent."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", coerce_numbers_to_str=True, hide_input_in_errors=True
    )

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        if isinstance(value, dict) and None in value.values():
            return {name: part for name, part in value.items() if part is not None}
        return value


R = TypeVar("R", bound=Reply)


def read(what: type[R], path: str, value: object) -> R:
    """Return `value` as `what`; raise `WecomError` if it does not fit. Shows places, not values."""
    found = _read(what, path, value)
    if isinstance(found, WecomError):
        raise found
    return found


def _read(what: type[R], path: str, value: object) -> R | WecomError:
    try:
        return what.model_validate(value)
    except ValidationError as wrong:
        places = {".".join(map(str, each["loc"])) or "answer" for each in wrong.errors()}
        return errors.odd(path, f"unexpected: {', '.join(sorted(places)[:5])}")


class Sent(Reply):
    """A message WeCom accepted; it may still drop it silently (document 90312)."""

    msgid: str = ""
    response_code: str = ""  # updates an interactive card once, within 72 h
    invaliduser: tuple[str, ...] = ()


class Tag(Reply):
    """A tag on a customer. `type` is 1 corp tag, 2 personal, 3 rule-group tag."""

    tag_name: str = ""
    group_name: str = ""
    tag_id: str = ""
    type: int = 1


class FollowUser(Reply):
    """What one member has with a customer (document 92114)."""

    userid: str
    remark: str = ""
    description: str = ""
    createtime: int = 0  # unix seconds
    tags: tuple[Tag, ...] = ()
    tag_id: tuple[str, ...] = ()  # filled instead of `tags` by `batch_by_user`
    remark_corp_name: str = ""
    remark_mobiles: tuple[str, ...] = ()
    add_way: int = 0
    oper_userid: str = ""  # who started it
    state: str = ""  # of the contact way


class ExternalContact(Reply):
    """A customer and the members who follow them."""

    external_userid: str
    name: str = ""
    avatar: str = ""
    type: int = 1  # 1 WeChat, 2 WeCom
    gender: int = 0
    unionid: str = ""
    position: str = ""
    corp_name: str = ""
    corp_full_name: str = ""
    follow_user: tuple[FollowUser, ...] = ()
    asked_at: datetime | None = None  # not WeCom's: what came later may not be in it


class FollowedPage(Reply):
    """One page of the customers of some members; each has the one follower it was found by."""

    contacts: tuple[ExternalContact, ...] = ()
    next_cursor: str = ""  # empty at the end


class CorpTag(Reply):
    """A corp tag."""

    id: str
    name: str
    deleted: bool = False


class TagGroup(Reply):
    """A group of corp tags."""

    group_id: str
    group_name: str
    tag: tuple[CorpTag, ...] = ()
    deleted: bool = False


class ContactWay(Reply):
    """A 联系我 contact way (document 92228)."""

    config_id: str
    qr_code: str = ""
    state: str = ""
    remark: str = ""
    skip_verify: bool = True
    user: tuple[str, ...] = ()


class Transferred(Reply):
    """How a transfer stands: 1 done, 2 waiting, 3 refused, 4 takeover full (document 94088)."""

    external_userid: str
    status: int
    takeover_time: int = 0


class Unassigned(Reply):
    """A customer of a member who has left, whom nobody has taken over (document 92124)."""

    handover_userid: str
    external_userid: str
    dimission_time: int = 0  # unix seconds, when the member left


class UnassignedPage(Reply):
    """One page of them."""

    info: tuple[Unassigned, ...] = ()
    is_last: bool = False
    next_cursor: str = ""


class FailedGroup(Reply):
    """A customer group that was not given to another owner (document 92127)."""

    chat_id: str
    errcode: int


class DirectoryTag(Reply):
    """A tag of the company directory."""

    tagid: int
    tagname: str = ""


class TagMembers(Reply):
    """Who carries a directory tag, as far as the app sees them."""

    tagname: str = ""
    userids: tuple[str, ...] = ()
    departments: tuple[int, ...] = ()


class Scope(Reply):
    """The app's visible range (应用可见范围)."""

    userids: tuple[str, ...] = ()
    departments: tuple[int, ...] = ()
    tags: tuple[int, ...] = ()


class Invitor(Reply):
    """The member who invited somebody into a customer group."""

    userid: str = ""


class GroupMember(Reply):
    """Somebody in a customer group: `type` 1 a member, 2 external."""

    userid: str
    type: int = 1
    join_time: int = 0
    join_scene: int = 0  # 1 invited directly, 2 by link, 3 by QR code
    invitor: Invitor = Invitor()  # empty unless a member invited
    name: str = ""


class GroupChatId(Reply):
    """A customer group in a list of them."""

    chat_id: str
    status: int = 0  # 0 normal, 1 owner has left, 2 being inherited, 3 inherited (document 92120)


class GroupChat(Reply):
    """A customer group (document 92122)."""

    chat_id: str
    name: str = ""
    owner: str = ""
    create_time: int = 0
    member_list: tuple[GroupMember, ...] = ()
    member_version: str = ""


class UserReply(Reply):
    """A member as `user/get` describes them."""

    userid: str
    name: str = ""
    department: tuple[int, ...] = ()
    main_department: int = 0
    is_leader_in_dept: tuple[int, ...] = ()  # parallel to `department`
    direct_leader: tuple[str, ...] = ()
    position: str = ""
    status: int = ACTIVE

    def member(self) -> Member:
        """Return it in our words; tags come from other calls."""
        both = zip(self.department, self.is_leader_in_dept, strict=False)
        return Member(
            userid=self.userid,
            name=self.name,
            departments=self.department,
            main_department=self.main_department,
            leads=tuple(department for department, leads in both if leads == 1),
            direct_leaders=self.direct_leader,
            position=self.position,
            status=self.status,
        )


class DepartmentReply(Reply):
    """A department as `department/get` describes it."""

    id: int
    name: str = ""
    parentid: int = 0
    department_leader: tuple[str, ...] = ()

    def department(self) -> Department:
        """Return it in our words."""
        return Department(self.id, self.name, self.parentid, self.department_leader)


class Lists(Reply):
    """Fields of answers that are nothing but a list."""

    external_userid: tuple[str, ...] = ()
    follow_user: tuple[str, ...] = ()
    ip_list: tuple[str, ...] = ()
    userlist: tuple[UserReply, ...] = ()
    department_id: tuple[DepartmentReply, ...] = ()
    tag_group: tuple[TagGroup, ...] = ()
    taglist: tuple[DirectoryTag, ...] = ()
    customer: tuple[Transferred, ...] = ()
    contact_way: tuple[ContactWay, ...] = ()
    group_chat_list: tuple[GroupChatId, ...] = ()
    failed_chat_list: tuple[FailedGroup, ...] = ()
