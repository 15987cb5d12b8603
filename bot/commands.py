"""Reads chat commands, Chinese and English: a message in, one value of a closed union out.

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
from bot.command_arguments import Wrong
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
    PlainText,
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
    Unclear,
    Undo,
    Unfreeze,
    UntagCustomer,
    Waive,
    Why,
    WithdrawRequest,
)
from bot.command_waivers import to_end_waiver, to_waive
from workflows.masking import narrow

#: Commands that this version carries out; help and suggestions name no others.
OFFERED: tuple[type[Command], ...] = (
    Add,
    AddMany,
    Mine,
    WithdrawRequest,
    Nudge,
    Supplement,
    Resubmit,
    Appeal,
    AskOwner,
    AnswerOwner,
    Why,
    Rights,
    AskRight,
    Todo,
    ApproveRequest,
    DenyRequest,
    Undo,
    Waive,
    EndWaiver,
    HandOver,
    AddApprover,
    SendBack,
    Away,
    Back,
    Team,
    TransferCustomers,
    TagCustomer,
    UntagCustomer,
    ExportCustomers,
    Look,
    Grant,
    RevokeRight,
    Freeze,
    Unfreeze,
    BreakGlass,
    Review,
    DeadLetters,
    ReplayWork,
    Rules,
    Feedback,
    Help,
)


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
    found = next(_matches(topic), None) if topic else None
    return Help(found.verb.name if found else None)


_ID = arguments.starts_with_id
_DECIDERS, _ADMINS = Audience.DECIDERS, Audience.ADMINS
VERBS: tuple[Verb, ...] = (
    Verb(
        "add",
        Add,
        ("加", "添加", "报备", "新增", "添加客户", "加客户"),
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
        ("回来", "销假", "我回来了"),
        ("back",),
        arguments.nothing(Back),
        audience=_DECIDERS,
    ),
    Verb(
        "team",
        Team,
        ("团队", "我的团队"),
        ("team", "my team"),
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
class _Found:
    verb: Verb
    word: str
    rest: str
    glued: bool  # the rest follows without a space


def verb(name: str) -> Verb:
    """Return the verb of a name in the table, as in `Unclear.suggestion` and `Help.topic`."""
    return next(each for each in VERBS if each.name == name)


def parse(text: str, offered: tuple[type[Command], ...] = OFFERED) -> Command:
    """Return the command in a message; only what is `offered` is given back as one."""
    said = _bare(text)
    found = next(_matches(said), None) or _id_first(said)
    if found is None:
        return _near(said, offered) or PlainText(text)
    command = _read(found)
    if isinstance(command, PlainText):
        return PlainText(text)
    if found.verb.kind not in offered:
        return Unclear(found.verb.name, Fault.NOT_YET, found.word)
    if isinstance(command, Help) and command.topic and verb(command.topic).kind not in offered:
        return Unclear(command.topic, Fault.NOT_YET, found.rest)
    return command


def language_of(text: str) -> str | None:
    """Return the language to answer in, by the verb or else the letters; None if unsure."""
    said = _bare(text)
    found = next(_matches(said), None)
    told = found.word if found and found.word[0].isalpha() else said
    if re.search(r"[\u4e00-\u9fff]", told):
        return "zh-CN"
    return "en" if re.search(r"[A-Za-z]{2}", told) else None


def _bare(text: str) -> str:
    """Return the message without what stands around a command: `@门卫`, a slash, a polite word."""
    before = arguments.GAPS.replace("?", "")  # a question mark is a verb: help
    said = narrow(text).strip().lstrip(before)
    said = re.sub(r"^@(?:门卫|menwei|\S+\s)", "", said, flags=re.IGNORECASE).lstrip(before)
    return re.sub(r"^(?:/|麻烦|帮我|帮忙)+\s*(?=\S)", "", said)


def _matches(said: str) -> Iterator[_Found]:
    """Yield the verbs that the message may begin with, the longest word first."""
    lowered = said.lower()  # one character stays one, unlike with casefold
    fits = [(w, v) for v in VERBS for w in (*v.zh, *v.en) if lowered.startswith(w)]
    for word, each in sorted(fits, key=lambda fit: -len(fit[0])):
        after = said[len(word) :]
        glued = bool(after) and after[0] not in arguments.GAPS
        if word[-1].isascii() and word[-1].isalpha() and _goes_on(after, each):
            continue
        yield _Found(each, word, after.lstrip(arguments.GAPS), glued)


def _goes_on(after: str, each: Verb) -> bool:
    """Whether an English word goes on: 'adding' is not 'add', but 'approveA7K2' is 'approve'."""
    if not re.match(r"[0-9A-Za-z_'\u2019-]", after):
        return False
    return not (each.takes_id and arguments.is_id(re.split(r"\W", after)[0]))


def _id_first(said: str) -> _Found | None:
    """Return the verb of 'A7K2 同意 …', with the id put where it belongs."""
    parts = re.match(r"#?([0-9A-Za-z]{4,6})[\s,，:]*([^\s,，:].*)", said, re.DOTALL)
    if parts is None or not arguments.is_id(parts[1]):
        return None
    found = next(_matches(parts[2]), None)
    if found is None or not found.verb.takes_id or found.glued:
        return None
    return _Found(found.verb, found.word, f"{parts[1]} {found.rest}", glued=False)


def _read(found: _Found) -> Command:
    if found.glued and not found.verb.glued(found.rest):
        if found.verb.takes_id and len(found.word) > 1:
            return Unclear(found.verb.name, Fault.ID_MISSING, found.rest)
        return PlainText("")
    try:
        return found.verb.read(found.rest)
    except Wrong as wrong:
        return Unclear(found.verb.name, wrong.why, wrong.text)


#: Begins a question in free words; one letter from 请假, and never a slip of it.
_ASKING = "请问"


def _near(said: str, offered: tuple[type[Command], ...]) -> Unclear | None:
    """Return the offered verb that the message nearly begins with.

    A verb that needs an id or a number is suggested only beside one, others only when nothing else
    was said: people also just talk.
    """
    head = re.match(r"[\u4e00-\u9fff]+|[A-Za-z-]+", said)
    if head is None:
        return None
    if head[0].startswith(_ASKING):
        return None
    words = re.findall(r"[0-9A-Za-z]+", said)
    has_id, has_number = any(map(arguments.is_id, words)), any(map(str.isdecimal, words))
    alone = said.strip(arguments.GAPS) == head[0]
    for each in VERBS:
        is_meant = has_id if each.takes_id else has_number if each.takes_number else alone
        if each.kind in offered and is_meant:
            for word in (*each.zh, *each.en):
                typed = head[0] if word.isascii() else head[0][: len(word)]
                if arguments.is_slip(typed.lower(), word):
                    return Unclear(each.name, Fault.NEAR, typed)
    return None
