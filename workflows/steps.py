"""What can happen to a request, and how a step that may not be taken is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows.model import Verdict
from workflows.timing import Timing
from workflows.waivers import Waiver


class Refused(Exception):
    """A step that may not be taken. `key` names the text to answer with, `params` fill it in."""

    def __init__(self, key: str, **params: str | int | datetime | tuple[str, ...]) -> None:
        super().__init__(key, params)
        self.key = key
        self.params = params

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True, slots=True)
class Approve:
    """A member says yes; `via` is 'card', 'command', 'console', 'delegate' or 'waiver'."""

    by: str  # userid
    via: str
    comment: str = ""
    waiver: Waiver | None = None  # by which the yes was given in advance
    left_out: tuple[int, ...] = ()  # lines of a list to which the yes does not extend


@dataclass(frozen=True, slots=True)
class Deny:
    """A member says no."""

    by: str  # userid
    via: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Override:
    """An admin allows it in an emergency, alone and with a reason; it is reviewed afterwards."""

    by: str  # userid
    comment: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The requester, or a machine actor such as 'system:leaver', takes the request back."""

    by: str  # userid, or an actor that starts with 'system:'
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Remind:
    """Those who have not answered for so long are to be reminded, once at each stage."""

    timing: Timing


@dataclass(frozen=True, slots=True)
class Escalate:
    """The stage has waited for so long: the next rung of the ladder is asked as well."""

    timing: Timing


@dataclass(frozen=True, slots=True)
class Expire:
    """The time to decide is over."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """An approver gives their place at the present stage to somebody else."""

    by: str  # userid
    to: str  # userid


@dataclass(frozen=True, slots=True)
class AddApprover:
    """An approver wants one more person to agree at the present stage."""

    by: str  # userid
    who: str  # userid


@dataclass(frozen=True, slots=True)
class SendBack:
    """An approver asks the requester something before deciding."""

    by: str  # userid
    question: str


@dataclass(frozen=True, slots=True)
class Supplement:
    """The requester answers what was asked, or adds something unasked."""

    by: str  # userid
    text: str


@dataclass(frozen=True, slots=True)
class Appeal:
    """The requester appeals against a refusal, once: `as_id` is the request in which it is seen."""

    by: str  # userid
    as_id: str


@dataclass(frozen=True, slots=True)
class Recheck:
    """The policy was asked again; `strictness` lists its chains from the loosest to the strictest.

    Between two chains of which one is not listed the new one counts as stricter.
    """

    verdict: Verdict
    strictness: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Supersede:
    """The requester asks for the same with other facts: votes start over in a new request."""


@dataclass(frozen=True, slots=True)
class Reassign:
    """People or roles changed: find the approvers of the present stage anew."""


@dataclass(frozen=True, slots=True)
class Revoke:
    """Somebody who approved, a fallback person or a machine actor takes an approval back."""

    by: str  # userid, or an actor that starts with 'system:'
    comment: str = ""


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Whoever decided takes their approval back, within the time there is for second thoughts.

    What it has brought about is undone by whoever orders the step.
    """

    by: str  # userid
    window: timedelta


@dataclass(frozen=True, slots=True)
class Executed:
    """It was carried out."""


@dataclass(frozen=True, slots=True)
class ExecutionFailed:
    """It could not be carried out, retries included."""

    why: str


Step = (
    Approve
    | Deny
    | Override
    | Withdraw
    | Remind
    | Escalate
    | HandOver
    | AddApprover
    | SendBack
    | Supplement
    | Appeal
    | Expire
    | Recheck
    | Supersede
    | Reassign
    | Revoke
    | TakeBack
    | Executed
    | ExecutionFailed
)
