"""The commands people can send, by the words that begin them, Chinese and English.

One table, `VERBS`, says which words exist and what must follow them; reading, near misses and the
help all come from it. How arguments are read is in `bot.command_arguments`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from bot import command_arguments as arguments
from bot.command_approvals import to_away, to_deny
from bot.command_customers import (
    names_scope,
    names_taker,
    to_export,
    to_tag,
    to_transfer,
    to_untag,
)
from bot.command_dead import begins_with_number, to_dead, to_replay
from bot.command_emergency import to_break_glass, to_review, to_unfreeze
from bot.command_lists import to_add, to_add_many, to_approve
from bot.command_owners import to_answer_owner, to_ask_owner
from bot.command_types import (
    Add,
    AddApprover,
    AddMany,
    AnswerOwner,
    Appeal,
    ApproveRequest,
    AskOwner,
    AskRight,
    Away,
    Back,
    BreakGlass,
    Command,
    DeadLetters,
    DenyRequest,
    EndWaiver,
    ExportCustomers,
    Fault,
    Feedback,
    Freeze,
    Grant,
    HandOver,
    Help,
    Look,
    Mine,
    Nudge,
    ReplayWork,
    Resubmit,
    Review,
    RevokeRight,
    Rights,
    Rules,
    SendBack,
    Supplement,
    TagCustomer,
    Team,
    Todo,
    TransferCustomers,
    Undo,
    Unfreeze,
    UntagCustomer,
    Waive,
    Why,
    WithdrawRequest,
)
from bot.command_waivers import to_end_waiver, to_waive


class Audience(StrEnum):
    """Whom the help shows a command to. Anybody may send any; what it does checks for itself."""

    EVERYBODY = "everybody"
    DECIDERS = "deciders"  # who leads somebody or decides on requests
    ADMINS = "admins"


@dataclass(frozen=True, slots=True)
class Verb:
    """One command: its words (the first of each language is the one shown) and its arguments."""

    name: str  # the key of its texts in `help.`
    kind: type[Command]
    zh: tuple[str, ...]
    en: tuple[str, ...]
    read: Callable[[str], Command]  # what follows the verb, to the command; raises Wrong
    glued: Callable[[str], bool] = arguments.never  # may this follow the verb without a space
    audience: Audience = Audience.EVERYBODY

    def word(self, language: str) -> str:
        """Return the word shown to readers of a language."""
        return self.zh[0] if language.startswith("zh") else self.en[0]

    @property
    def takes_id(self) -> bool:
        """Whether the id of a request must follow."""
        return self.glued is arguments.starts_with_id

    @property
    def takes_number(self) -> bool:
        """Whether the number of a piece of work may follow."""
        return self.glued is begins_with_number


def _help(rest: str) -> Help:
    topic = rest.strip(arguments.GAPS)
    found = next(matches(topic), None) if topic else None
    return Help(found.verb.name if found else None)


_ID = arguments.starts_with_id
_DECIDERS, _ADMINS = Audience.DECIDERS, Audience.ADMINS
VERBS: tuple[Verb, ...] = (
    Verb(
        "add",
        Add,
        ("加", "添加", "报备", "新增", "添加客户", "加客户", "加好友", "添加好友", "加微信"),
        ("add",),
        to_add,
        arguments.is_ask,
    ),
    Verb(
        "add_many",
        AddMany,
        ("批量加", "批量添加", "批量报备", "批量"),
        ("bulk add", "bulk-add", "add many", "add list"),
        to_add_many,
        arguments.always,
    ),
    Verb(
        "mine",
        Mine,
        ("我的", "我的申请", "我的报备", "我的进度"),
        ("mine", "my requests"),
        arguments.nothing(Mine),
    ),
    Verb(
        "withdraw",
        WithdrawRequest,
        ("撤回", "撤销", "取消"),
        ("withdraw", "cancel"),
        arguments.only_id(WithdrawRequest),
        _ID,
    ),
    Verb(
        "nudge", Nudge, ("催", "催办", "催一下"), ("nudge", "remind"), arguments.only_id(Nudge), _ID
    ),
    Verb(
        "supplement",
        Supplement,
        ("补充", "补充说明"),
        ("info", "supplement"),
        arguments.id_and_text(Supplement, Fault.WHAT_MISSING),
        _ID,
    ),
    Verb(
        "resubmit",
        Resubmit,
        ("重提", "重新提交", "重新申请"),
        ("resubmit", "retry"),
        arguments.only_id(Resubmit),
        _ID,
    ),
    Verb(
        "appeal",
        Appeal,
        ("申诉", "上诉"),
        ("appeal",),
        arguments.id_and_text(Appeal, Fault.WHAT_MISSING),
        _ID,
    ),
    Verb(
        "ask_owner",
        AskOwner,
        ("问归属", "问归属人", "问跟进人"),
        ("ask-owner", "ask owner"),
        to_ask_owner,
        _ID,
    ),
    Verb(
        "answer_owner",
        AnswerOwner,
        ("答归属", "答复归属"),
        ("answer-owner", "answer owner"),
        to_answer_owner,
        _ID,
    ),
    Verb(
        "why",
        Why,
        ("为什么", "为啥", "为何", "为甚么"),
        ("why", "explain"),
        arguments.only_id(Why),
        _ID,
    ),
    Verb(
        "rights",
        Rights,
        ("权限", "我的权限", "查权限"),
        ("rights", "permissions", "my rights"),
        arguments.to_rights,
        arguments.is_one_or_two_names,
    ),
    Verb(
        "ask_right",
        AskRight,
        ("申请权限", "要权限"),
        ("request-right", "request right", "ask-right"),
        arguments.to_ask_right,
        arguments.always,
    ),
    Verb(
        "todo",
        Todo,
        ("待办", "待审", "待审批", "代办", "待办事项", "审批"),
        ("todo", "to do", "pending", "inbox"),
        arguments.nothing(Todo),
        audience=_DECIDERS,
    ),
    Verb(
        "approve",
        ApproveRequest,
        ("同意", "通过", "批准", "准了"),
        ("approve", "accept", "allow"),
        to_approve,
        _ID,
        audience=_DECIDERS,
    ),
    Verb(
        "deny",
        DenyRequest,
        ("拒绝", "驳回", "不同意", "不批准", "不通过", "否决"),
        ("reject", "deny", "refuse", "decline"),
        to_deny,
        _ID,
        audience=_DECIDERS,
    ),
    Verb(
        "undo",
        Undo,
        ("反悔",),
        ("undo", "take back"),
        arguments.only_id(Undo),
        _ID,
        audience=_DECIDERS,
    ),
    Verb(
        "waive",
        Waive,
        ("免批", "免审批"),
        ("waive", "waivers", "standing approval", "standing approvals"),
        to_waive,
        _ID,
        audience=_DECIDERS,
    ),
    Verb(
        "end_waiver",
        EndWaiver,
        ("取消免批", "收回免批", "撤销免批", "停止免批"),
        ("end waiver", "end-waiver", "unwaive", "cancel waiver", "revoke waiver"),
        to_end_waiver,
        arguments.always,
        audience=_DECIDERS,
    ),
    Verb(
        "hand_over",
        HandOver,
        ("转交", "转给", "转审"),
        ("handover", "hand over", "hand-over", "forward"),
        arguments.id_and_who(HandOver),
        _ID,
        audience=_DECIDERS,
    ),
    Verb(
        "add_approver",
        AddApprover,
        ("加签", "加审"),
        ("add-approver", "add approver"),
        arguments.id_and_who(AddApprover),
        _ID,
        audience=_DECIDERS,
    ),
    Verb(
        "send_back",
        SendBack,
        ("退回", "退回补充", "打回"),
        ("return", "send-back", "send back"),
        arguments.id_and_text(SendBack, Fault.WHAT_MISSING),
        _ID,
        audience=_DECIDERS,
    ),
    Verb(
        "away",
        Away,
        ("请假", "休假", "外出"),
        ("away", "leave"),
        to_away,
        arguments.always,
        audience=_DECIDERS,
    ),
    Verb(
        "back",
        Back,
        ("回来", "销假", "我回来了", "回来了", "取消请假", "请假取消", "不请假了", "结束请假"),
        ("back", "i'm back", "cancel leave", "end leave"),
        arguments.nothing(Back),
        audience=_DECIDERS,
    ),
    Verb(
        "team",
        Team,
        ("团队", "我的团队", "报表", "统计"),
        ("team", "my team", "report"),
        arguments.nothing(Team),
        audience=_DECIDERS,
    ),
    Verb(
        "transfer",
        TransferCustomers,
        ("转移", "转移客户", "移交客户", "移交"),
        ("transfer", "transfer customer", "transfer customers"),
        to_transfer,
        names_taker,
    ),
    Verb(
        "tag",
        TagCustomer,
        ("打标签", "贴标签", "加标签", "标记客户"),
        ("tag", "tag customer"),
        to_tag,
    ),
    Verb(
        "untag",
        UntagCustomer,
        ("去标签", "删标签", "取消标签", "移除标签", "去掉标签"),
        ("untag", "remove tag"),
        to_untag,
    ),
    Verb(
        "export",
        ExportCustomers,
        ("导出客户", "导出"),
        ("export customers", "export"),
        to_export,
        names_scope,
    ),
    Verb(
        "look",
        Look,
        ("查", "查询", "查看", "查一下", "查找"),
        ("look", "look up", "lookup", "find", "show"),
        arguments.to_look,
        arguments.is_findable,
    ),
    Verb(
        "grant",
        Grant,
        ("授权", "临时授权"),
        ("grant",),
        arguments.to_grant,
        arguments.always,
        audience=_DECIDERS,
    ),
    Verb(
        "revoke",
        RevokeRight,
        ("收回", "收回权限"),
        ("revoke",),
        arguments.to_revoke,
        arguments.always,
        audience=_DECIDERS,
    ),
    Verb(
        "freeze",
        Freeze,
        ("冻结",),
        ("freeze",),
        arguments.to_freeze,
        arguments.always,
        audience=_DECIDERS,
    ),
    Verb(
        "unfreeze",
        Unfreeze,
        ("解冻", "解除冻结"),
        ("unfreeze",),
        to_unfreeze,
        arguments.always,
        audience=_DECIDERS,
    ),
    Verb(
        "break_glass",
        BreakGlass,
        ("紧急放行", "确认 紧急放行", "确认紧急放行"),
        ("break-glass", "break glass", "breakglass", "confirm break-glass", "confirm break glass"),
        to_break_glass,
        _ID,
        audience=_ADMINS,
    ),
    Verb("review", Review, ("复盘",), ("review",), to_review, _ID, audience=_DECIDERS),
    Verb(
        "dead",
        DeadLetters,
        ("死信", "死信箱"),
        ("dead", "dead letters"),
        to_dead,
        begins_with_number,
        audience=_ADMINS,
    ),
    Verb(
        "replay",
        ReplayWork,
        ("重放",),
        ("replay",),
        to_replay,
        begins_with_number,
        audience=_ADMINS,
    ),
    Verb("rules", Rules, ("规则", "查规则", "看规则"), ("rules", "rule"), arguments.nothing(Rules)),
    Verb("feedback", Feedback, ("反馈", "意见反馈"), ("feedback",), arguments.to_feedback),
    Verb("help", Help, ("帮助", "使用说明", "?"), ("help", "usage"), _help, arguments.always),
)


@dataclass(frozen=True, slots=True)
class Found:
    """A verb that a message begins with, and what follows it."""

    verb: Verb
    word: str
    rest: str
    glued: bool  # the rest follows without a space


def verb(name: str) -> Verb:
    """Return the verb of a name in the table, as in `Unclear.suggestion` and `Help.topic`."""
    return next(each for each in VERBS if each.name == name)


def matches(said: str) -> Iterator[Found]:
    """Yield the verbs that the message may begin with, the longest word first."""
    lowered = said.lower()  # one character stays one, unlike with casefold
    fits = [(w, v) for v in VERBS for w in (*v.zh, *v.en) if lowered.startswith(w)]
    for word, each in sorted(fits, key=lambda fit: -len(fit[0])):
        after = said[len(word) :]
        glued = bool(after) and after[0] not in arguments.GAPS
        if word[-1].isascii() and word[-1].isalpha() and _goes_on(after, each):
            continue
        yield Found(each, word, after.lstrip(arguments.GAPS), glued)


def _goes_on(after: str, each: Verb) -> bool:
    """Whether an English word goes on: 'adding' is not 'add', but 'approveA7K2' is 'approve'."""
    if not re.match(r"[0-9A-Za-z_'\u2019-]", after):
        return False
    return not (each.takes_id and arguments.is_id(re.split(r"\W", after)[0]))
