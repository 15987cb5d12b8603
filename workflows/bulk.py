"""A list of customers to add as one request: what is judged of it, and what its approval covers.

Each line is judged by itself as `friend.add` and the list as a whole as `friend.add_bulk`; the
strictest of these verdicts decides. Once it is approved every line becomes an add of its own, if
what the rules then say of it asks for no more than what was agreed to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from workflows import approval, asking
from workflows.claims import Claim
from workflows.effects import Effect, Tell, TellRequester
from workflows.model import (
    Answer,
    Facts,
    FactValue,
    Outcome,
    Request,
    State,
    Verdict,
    Vote,
)
from workflows.plans import BulkAdd, Line
from workflows.policy import Policy
from workflows.steps import Refused
from workflows.strictest import strictest

BULK = "friend.add_bulk"
BATCH = 8  # lines that are carried out, and whose tickets are sent, together (document 90236)

_COUNTED = ("today.adds", "today.requests", "week.adds", "week.requests")
_LINES = "lines"  # what overruled the verdict on the list as a whole
_TOLD_TOGETHER = frozenset(
    {"request.execution_failed", "request.revoked", "request.revoked_unexplained"}
)


def subject_key(claims: Iterable[Claim]) -> str:
    """Return the same key for the same customers, in whatever order and words."""
    people = "|".join(sorted(map(asking.fingerprint, claims)))
    return f"list:{hashlib.sha256(people.encode()).hexdigest()[:16]}"


def ahead(known: Facts, count: int) -> Facts:
    """Return the facts as they will be when `count` more adds have been asked for."""
    return _counted(known, dict.fromkeys(_COUNTED, count))


def unreserved(known: Facts, today: int, week: int) -> Facts:
    """Return the facts without the adds that a list itself has reserved of a day and a week."""
    return _counted(known, {"today.adds": -today, "week.adds": -week})


def _counted(known: Facts, more: Mapping[str, int]) -> Facts:
    counted: dict[str, FactValue] = {
        name: value + number
        for name, number in more.items()
        if isinstance(value := known.get(name), int) and not isinstance(value, bool)
    }
    return {**known, **counted}


def verdict_of(policy: Policy, whole: Verdict, lines: Sequence[Verdict]) -> Verdict:
    """Return the strictest of the verdicts on the list and its lines, with the reasons of all.

    It names what overruled the verdict on the list, so that nobody takes it for the policy's own.
    """
    everything = (whole, *lines)
    top = everything[strictest(policy, everything)]
    if top.outcome is Outcome.ALLOW or top.outcome is whole.outcome is Outcome.DENY:
        return whole
    same = [each for each in everything if each.outcome is top.outcome]
    chains = dict.fromkeys(each.chain for each in same if each.chain and each.chain != top.chain)
    total = replace(
        top,
        rules=_each_once(each.rules for each in same),
        say=_each_once(each.say for each in same),
        missing=tuple(sorted(_each_once(each.missing for each in same))),
        other_chains=tuple(chains),
        auto_review=None,
        shadow=whole.shadow,
        shadow_rules=whole.shadow_rules,
    )
    return whole if total == whole else replace(total, overruled=_LINES)


def _each_once(parts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for part in parts for word in part))


def lines_of(request: Request) -> tuple[Line, ...]:
    """Return the lines of a list; TypeError for any other request."""
    if not isinstance(request.plan, BulkAdd):
        raise TypeError(f"{request.id} is no list")
    return request.plan.lines


def refusals(request: Request) -> dict[int, Vote]:
    """Return the lines to which the approvals do not extend, by number, each with its vote."""
    agreed = [vote for vote in request.votes if vote.answer is Answer.APPROVE]
    return {number: vote for vote in agreed for number in vote.left_out}


def kept(request: Request, but: Iterable[int] = ()) -> tuple[Line, ...]:
    """Return the lines that nobody has left out so far, `but` for these."""
    out = {*refusals(request), *but}
    return tuple(line for line in lines_of(request) if line.number not in out)


def expect_lines(request: Request, numbers: Sequence[int]) -> None:
    """Raise Refused unless these lines can be left out: they are there, and others remain."""
    if not isinstance(request.plan, BulkAdd):
        raise Refused("no_list", id=request.id)
    unknown = sorted(set(numbers) - {line.number for line in request.plan.lines})
    if unknown:
        raise Refused("no_such_lines", id=request.id, lines=tuple(map(str, unknown)))
    if not kept(request, numbers):
        raise Refused("no_line_left", id=request.id)


def covers(request: Request, verdict: Verdict, strictness: tuple[str, ...]) -> bool:
    """Whether what a list was approved for is enough for one of its lines, judged now.

    A refusal of the line's own is never covered, however the list came to be allowed.
    """
    refused = verdict.outcome is Outcome.DENY
    return not refused and not approval.is_stricter(verdict, request.verdict, strictness)


def approved_part(request: Request, draft: Request, now: datetime) -> Request:
    """Return a line's own request as the approval of its list leaves it."""
    if request.state is not State.APPROVED:
        raise ValueError(f"{request.id} is not approved")
    return _decided(draft, State.APPROVED, actor(request.id), now)


def refused_part(draft: Request, vote: Vote, now: datetime) -> Request:
    """Return a line's own request as refused by whoever left it out."""
    return replace(
        _decided(draft, State.DENIED, f"user:{vote.by.userid}", now), comment=vote.comment
    )


def _decided(draft: Request, state: State, by: str, now: datetime) -> Request:
    version = draft.version + 1
    return replace(draft, state=state, decided_by=by, decided_at=now, version=version)


def actor(list_id: str) -> str:
    """Return the machine actor that approves the lines of an approved list."""
    return f"list:{list_id}"


def made_by(request: Request, parts: Iterable[Request]) -> list[Request]:
    """Return those parts that the list's approval has approved, in the order of its lines."""
    places = {line.claim: place for place, line in enumerate(lines_of(request))}
    own = [p for p in parts if p.decided_by == actor(request.id) or p.state is State.REVOKED]
    return sorted((p for p in own if p.claim in places), key=lambda p: places[p.claim])


def batch_of(request: Request, part: Request, parts: Iterable[Request]) -> list[Request]:
    """Return the parts that are carried out together with one of them."""
    places = {line.claim: place // BATCH for place, line in enumerate(lines_of(request))}
    return [p for p in made_by(request, parts) if places[p.claim] == places.get(part.claim)]


def left(request: Request) -> tuple[Line, ...]:
    """Return the lines that have not been carried out."""
    if not isinstance(request.plan, BulkAdd):
        raise TypeError(f"{request.id} is no list")
    done = request.plan.done
    return tuple(line for line in request.plan.lines if line.number > done)


def carried_out(request: Request, line: Line) -> Request:
    """Return the list as carried out up to this line."""
    if not isinstance(request.plan, BulkAdd):
        raise TypeError(f"{request.id} is no list")
    plan = replace(request.plan, done=line.number)
    return replace(request, plan=plan, version=request.version + 1)


def waiting(request: Request, on_file: int) -> int:
    """Return how many adds an open list may still make, of which so many are on file already."""
    return max(0, len(kept(request)) - on_file)


def without_echo(request: Request, effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """Leave out what would be told of each part of a list: it is told once for all of them."""
    if not request.part_of:
        return effects
    return tuple(
        each
        for each in effects
        if not (isinstance(each, Tell | TellRequester) and each.text in _TOLD_TOGETHER)
    )
