"""Lists as one request: which verdict decides, what is left out, what an approval covers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.makers_approval import ADMINS, NOON, a_request, a_stage, a_verdict, some_sources
from tests.makers_policy import a_policy
from workflows import approval, bulk
from workflows.claims import Claim
from workflows.effects import CloseCards, Tell, TellRequester
from workflows.model import Answer, Outcome, Person, Reason, Request, State, Verdict, Vote
from workflows.plans import BulkAdd, Line
from workflows.steps import Approve, ExecutionFailed, Refused

ALLOW = Verdict(Outcome.ALLOW, Reason.LEVEL, policy="p1")
DENY = Verdict(Outcome.DENY, Reason.RULE, rules=("rivals",), say=("竞品",), policy="p1")
ORDER = ("lead", "director")


def asks(chain: str, *, rule: str = "", **more: object) -> Verdict:
    reason = Reason.RULE if rule else Reason.LEVEL
    rules, say = ((rule,), (f"says {rule}",)) if rule else ((), ())
    verdict = Verdict(Outcome.APPROVAL, reason, rules=rules, say=say, chain=chain, policy="p1")
    return replace(verdict, **more)  # type: ignore[arg-type]


def a_list(count: int = 3, **changes: object) -> Request:
    lines = tuple(Line(n, Claim(f"客户{n}", f"公司{n}", "", "展会")) for n in range(1, count + 1))
    request = a_request(a_stage("role:lead"), verdict=a_verdict())
    return replace(request, action=bulk.BULK, plan=BulkAdd(lines), **changes)  # type: ignore[arg-type]


def a_draft() -> Request:
    return replace(a_request(), id="B2B2")


def a_yes(*left_out: int, by: str = "wang", stage: int = 0) -> Vote:
    return Vote(stage, Person(by, by), Answer.APPROVE, NOON, "command", "好", left_out=left_out)


# The verdict


@pytest.mark.parametrize(
    ("whole", "lines", "chain"),
    [
        (asks("lead"), [ALLOW, asks("director")], "director"),
        (asks("director"), [ALLOW, asks("lead")], "director"),
        (ALLOW, [ALLOW, asks("lead")], "lead"),
        (asks("lead"), [ALLOW, ALLOW], "lead"),
    ],
)
def test_the_strictest_chain_of_the_list_and_its_lines_decides(
    whole: Verdict, lines: list[Verdict], chain: str
) -> None:
    total = bulk.verdict_of(a_policy(), whole, lines)

    assert (total.outcome, total.chain) == (Outcome.APPROVAL, chain)


def test_a_list_is_allowed_only_if_every_line_is() -> None:
    assert bulk.verdict_of(a_policy(), ALLOW, [ALLOW, ALLOW]) is ALLOW
    assert bulk.verdict_of(a_policy(), ALLOW, [ALLOW, DENY]).outcome is Outcome.DENY
    assert bulk.verdict_of(a_policy(), DENY, [ALLOW]) is DENY


def test_the_reasons_of_all_lines_are_said_once_each() -> None:
    vip = asks("director", rule="vip", missing=("customer.tags",))
    total = bulk.verdict_of(a_policy(), asks("lead", rule="many"), [vip, vip, ALLOW])

    assert total.rules == ("many", "vip")
    assert total.say == ("says many", "says vip")
    assert total.missing == ("customer.tags",)
    assert total.other_chains == ("lead",)


def test_a_verdict_that_lines_have_changed_says_so_and_another_does_not() -> None:
    whole = asks("lead")

    assert bulk.verdict_of(a_policy(), whole, [asks("director")]).overruled == "lines"
    assert bulk.verdict_of(a_policy(), whole, [ALLOW]) is whole


# Counters


def test_earlier_lines_count_before_they_are_on_file() -> None:
    known = {"today.adds": 3, "week.adds": 9, "today.requests": 4, "today.denials": 1}

    ahead = bulk.ahead(known, 2)

    assert ahead == {"today.adds": 5, "week.adds": 11, "today.requests": 6, "today.denials": 1}
    assert bulk.unreserved(ahead, 5, 0)["today.adds"] == 0


def test_what_a_list_reserves_shrinks_as_its_lines_come_on_file() -> None:
    request = a_list(3, votes=(a_yes(2),))

    assert [bulk.waiting(request, n) for n in (0, 1, 2, 3)] == [2, 1, 0, 0]


# Leaving out


def test_lines_that_any_approver_leaves_out_are_out() -> None:
    request = a_list(4, votes=(a_yes(2), a_yes(4, by="li", stage=1)))

    assert [line.number for line in bulk.kept(request)] == [1, 3]
    assert {n: vote.by.userid for n, vote in bulk.refusals(request).items()} == {2: "wang", 4: "li"}


@pytest.mark.parametrize(
    ("numbers", "key"),
    [((9,), "no_such_lines"), ((1, 2, 3), "no_line_left"), ((1, 3), "no_line_left")],
)
def test_lines_must_be_there_and_one_must_remain(numbers: tuple[int, ...], key: str) -> None:
    request = a_list(3, votes=(a_yes(2),) if numbers == (1, 3) else ())

    with pytest.raises(Refused, match=key):
        bulk.expect_lines(request, numbers)


def test_of_what_is_no_list_nothing_can_be_left_out() -> None:
    with pytest.raises(Refused, match="no_list"):
        bulk.expect_lines(a_request(), (1,))


def test_the_engine_keeps_what_was_left_out_with_the_vote() -> None:
    sources = some_sources()
    opened, _ = approval.open_request(a_list(3), sources, (), NOON)

    decided, _ = approval.advance(
        opened, Approve("wang", "command", left_out=(2,)), sources, (), NOON
    )

    assert decided.state is State.APPROVED
    assert [line.number for line in bulk.kept(decided)] == [1, 3]


# What an approval covers


@pytest.mark.parametrize(
    ("given", "line", "covered"),
    [
        (asks("lead"), ALLOW, True),
        (asks("lead"), asks("lead"), True),
        (asks("lead"), asks("director"), False),
        (asks("director"), asks("lead"), True),
        (ALLOW, ALLOW, True),
        (ALLOW, asks("lead"), False),
        (asks("director"), DENY, False),
        (DENY, DENY, False),  # an emergency let the list through, not each of its lines
        (asks("lead"), asks("unranked"), False),
    ],
)
def test_an_approval_covers_what_asks_for_no_more(
    given: Verdict, line: Verdict, covered: bool
) -> None:
    assert bulk.covers(a_list(verdict=given), line, ORDER) is covered


def test_a_part_is_approved_by_an_approved_list_only() -> None:
    draft = a_draft()
    for state in set(State) - {State.APPROVED}:
        with pytest.raises(ValueError, match="not approved"):
            bulk.approved_part(a_list(state=state), draft, NOON)

    part = bulk.approved_part(a_list(state=State.APPROVED), draft, NOON)

    assert (part.state, part.decided_by) == (State.APPROVED, f"list:{a_list().id}")


def test_a_line_that_was_left_out_is_refused_by_whoever_did_it() -> None:
    part = bulk.refused_part(a_draft(), a_yes(2), NOON)

    assert (part.state, part.decided_by, part.comment) == (State.DENIED, "user:wang", "好")


# Carrying out


def test_a_list_is_carried_out_line_by_line() -> None:
    request = a_list(3)

    after = bulk.carried_out(request, bulk.lines_of(request)[1])

    assert [line.number for line in bulk.left(after)] == [3]
    assert after.version == request.version + 1


def test_parts_of_one_batch_belong_together() -> None:
    request = a_list(bulk.BATCH + 2, state=State.APPROVED)
    parts = [
        replace(bulk.approved_part(request, a_draft(), NOON), claim=line.claim)
        for n, line in enumerate(bulk.lines_of(request))
    ]

    assert bulk.made_by(request, reversed(parts)) == parts
    assert bulk.batch_of(request, parts[-1], parts) == parts[bulk.BATCH :]


def test_what_happens_to_parts_is_told_together() -> None:
    sources = some_sources()
    failing = replace(a_list(), state=State.APPROVED)
    failed, effects = approval.advance(failing, ExecutionFailed("full"), sources, ADMINS, NOON)
    assert {type(each) for each in effects} == {TellRequester, Tell}
    part = replace(failed, part_of="A7K2")

    assert bulk.without_echo(failed, effects) == effects
    assert bulk.without_echo(part, effects) == ()
    kept = (CloseCards(), TellRequester("request.approved"))
    assert bulk.without_echo(part, kept) == kept


def test_the_same_customers_are_the_same_list_in_whatever_order_and_words() -> None:
    one, two = Claim("张总", "某某公司", "13800001234", "展会"), Claim("李总", "明达公司")
    other_words = replace(one, company="某某有限公司", reason="介绍")

    assert bulk.subject_key([one, two]) == bulk.subject_key([two, other_words])
    assert bulk.subject_key([one, two]) != bulk.subject_key([one])
