"""What a member can say to the bot: one small type per command, and two for everything else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Add:
    """加: ask to add a customer; `rest` is for `asking.read`."""

    rest: str


@dataclass(frozen=True, slots=True)
class AddMany:
    """批量加: ask to add several customers, one a line; `rest` is for `listing.read`."""

    rest: str


@dataclass(frozen=True, slots=True)
class Mine:
    """我的: the sender's own requests."""


@dataclass(frozen=True, slots=True)
class WithdrawRequest:
    """撤回: take a request back."""

    id: str


@dataclass(frozen=True, slots=True)
class Nudge:
    """催: remind whoever a request waits for."""

    id: str


@dataclass(frozen=True, slots=True)
class Supplement:
    """补充: add information to a request."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Resubmit:
    """重提: submit an ended request again."""

    id: str


@dataclass(frozen=True, slots=True)
class Why:
    """为什么: explain a request's outcome."""

    id: str


@dataclass(frozen=True, slots=True)
class Rights:
    """权限: what the sender, or `who`, may do; perhaps with one customer.

    A lone name may be a member's or a customer's.
    """

    who: str | None = None
    customer: str | None = None


@dataclass(frozen=True, slots=True)
class AskRight:
    """申请权限: ask for a permission for a time."""

    action: str
    duration: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class Todo:
    """待办: requests that wait for the sender."""


@dataclass(frozen=True, slots=True)
class ApproveRequest:
    """同意: vote for a request, or (同类) for all that are like it."""

    id: str
    comment: str = ""
    similar: bool = False


@dataclass(frozen=True, slots=True)
class ApproveExcept:
    """同意 … 除: vote for a list, but not for these of its lines.

    There are none where an exception was made and not understood. `comment` is all that was said,
    and `at_once` whether it begins with the exception.
    """

    id: str
    lines: tuple[int, ...]
    comment: str
    at_once: bool = True


@dataclass(frozen=True, slots=True)
class DenyRequest:
    """拒绝: vote against a request, or (同类) against all that are like it; whether a comment is
    needed is the policy's affair.
    """

    id: str
    comment: str = ""
    similar: bool = False


@dataclass(frozen=True, slots=True)
class Undo:
    """反悔: take back the approval just given."""

    id: str


@dataclass(frozen=True, slots=True)
class Appeal:
    """申诉: have a refusal looked at by somebody above who refused."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Waive:
    """免批: vote for a request and for the same to come; without an id, list what was given.

    `days` and `uses` are as many as the rules allow unless they are given.
    """

    id: str | None = None
    days: int | None = None
    uses: int | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class EndWaiver:
    """取消免批: end a standing approval early; its id starts with 'W-'."""

    id: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """转交: let somebody else decide."""

    id: str
    to: str


@dataclass(frozen=True, slots=True)
class AddApprover:
    """加签: ask one more person."""

    id: str
    who: str


@dataclass(frozen=True, slots=True)
class SendBack:
    """退回: ask the requester a question."""

    id: str
    question: str


@dataclass(frozen=True, slots=True)
class Day:
    """A day to come as people say it: in so many days, a day of the week, or a date."""

    ahead: int | None = None
    weekday: int | None = None  # Monday is 0
    next_week: bool = False
    month: int | None = None  # None with a day: of this month, or else the next
    day: int | None = None

    def is_on(self, date: date, today: date) -> bool:
        """Whether a date, today or later, is meant by it."""
        if self.ahead is not None:
            return (date - today).days == self.ahead
        if self.weekday is not None:
            monday = today - timedelta(days=today.weekday()) + timedelta(weeks=self.next_week)
            return date.weekday() == self.weekday and date >= max(monday, today)
        return date.day == self.day and self.month in (None, date.month)


@dataclass(frozen=True, slots=True)
class Away:
    """请假: let `to` decide for the sender, for a time or through the end of a day.

    It begins at once or with a day; without an end it lasts for that day.
    """

    to: str
    duration: timedelta | None = None
    until: Day | None = None
    since: Day | None = None


@dataclass(frozen=True, slots=True)
class Back:
    """回来: end an absence early."""


@dataclass(frozen=True, slots=True)
class Team:
    """团队: the board of the sender's team."""


@dataclass(frozen=True, slots=True)
class TransferCustomers:
    """转移: hand customers over; `rest` is to whom and why, told apart by who there is."""

    whom: str
    rest: str


@dataclass(frozen=True, slots=True)
class AskOwner:
    """问归属: ask the colleague whom a request conflicts with; `wish` names an `owners.Wish`."""

    id: str
    wish: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerOwner:
    """答归属: answer a colleague who asked about a customer of the sender's."""

    id: str
    yes: bool


@dataclass(frozen=True, slots=True)
class TagCustomer:
    """打标签: put corp tags on a customer; which words are tags is told by which there are."""

    text: str


@dataclass(frozen=True, slots=True)
class UntagCustomer:
    """去标签: take corp tags off a customer."""

    text: str


@dataclass(frozen=True, slots=True)
class ExportCustomers:
    """导出客户: a file of customers; `text` says whose and which, nothing: one's own."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """查: look up a request or a customer."""

    what: str


@dataclass(frozen=True, slots=True)
class Grant:
    """授权: give somebody a permission for a time."""

    who: str
    action: str
    duration: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class RevokeRight:
    """收回: end a grant early."""

    who: str
    action: str


@dataclass(frozen=True, slots=True)
class Freeze:
    """冻结: stop everything in a scope for a time."""

    scope: str
    duration: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class Unfreeze:
    """解冻: lift a freeze; its id starts with 'F-', and may be left out while there is only one."""

    id: str | None = None


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """紧急放行: allow a request in an emergency; it has to be confirmed."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ConfirmBreakGlass:
    """确认 紧急放行: do what was asked with a reason a moment ago."""

    id: str


@dataclass(frozen=True, slots=True)
class Review:
    """复盘: close the review of a freeze (F-…) or of a request allowed in an emergency."""

    id: str
    conclusion: str


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """死信: what was given up, or one such thing."""

    number: int | None = None


@dataclass(frozen=True, slots=True)
class ReplayWork:
    """重放: try something again that was given up, or everything."""

    number: int | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """规则: the rules in force."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """反馈: a word to the admins."""

    text: str


@dataclass(frozen=True, slots=True)
class Help:
    """帮助: all commands, or the one named `topic`."""

    topic: str | None = None


class Fault(StrEnum):
    """What is wrong with a command; the value is the key of a text in `unclear.`."""

    NEAR = "near"  # no such verb, but one that looks like it
    ID_MISSING = "id_missing"
    ID_LETTERS = "id_letters"  # has letters or digits that no id has
    ID_SHAPE = "id_shape"
    ONE_AT_A_TIME = "one_at_a_time"
    DOUBTFUL = "doubtful"  # asked about or put off, rather than told
    ONE_CUSTOMER = "one_customer"  # the line has numbers of more than one
    ALL_ALIKE = "all_alike"  # some of them are to be left out
    WHAT_MISSING = "what_missing"
    WHO_MISSING = "who_missing"
    DURATION = "duration"
    WHOLE_DAYS = "whole_days"
    WAIVER_ID = "waiver_id"
    FREEZE_ID = "freeze_id"
    NOT_UNDERSTOOD = "not_understood"


@dataclass(frozen=True, slots=True)
class Unclear:
    """Meant as a command, but not one that can be carried out; `suggestion` names a verb."""

    suggestion: str
    why: Fault
    text: str = ""  # the part that was not understood


@dataclass(frozen=True, slots=True)
class PlainText:
    """No command at all."""

    text: str


Command = (
    Add
    | AddMany
    | Mine
    | WithdrawRequest
    | Nudge
    | Supplement
    | Resubmit
    | Why
    | Rights
    | AskRight
    | Todo
    | ApproveRequest
    | ApproveExcept
    | DenyRequest
    | Undo
    | Appeal
    | Waive
    | EndWaiver
    | HandOver
    | AddApprover
    | SendBack
    | Away
    | Back
    | Team
    | TransferCustomers
    | AskOwner
    | AnswerOwner
    | TagCustomer
    | UntagCustomer
    | ExportCustomers
    | Look
    | Grant
    | RevokeRight
    | Freeze
    | Unfreeze
    | BreakGlass
    | ConfirmBreakGlass
    | Review
    | DeadLetters
    | ReplayWork
    | Rules
    | Feedback
    | Help
    | Unclear
    | PlainText
)
