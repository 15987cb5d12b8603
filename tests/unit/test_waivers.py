"""Standing approvals: a yes in advance covers the same again, and nothing beyond it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import texts
from bot.cards import Choice, Press, approval_card
from bot.command_types import Command, EndWaiver, Fault, Unclear, Waive, WithdrawRequest
from bot.commands import parse
from bot.wording import Actor, Wording
from tests.makers_approval import NOON, a_stage, after, kinds, moved, opened, some_sources
from tests.makers_waivers import WANG, a_waiver, the_same
from tests.makers_words import a_sheet
from workflows import waivers
from workflows.endings import who_decided
from workflows.model import Answer, Origin, Outcome, Person, Reason, Request, State, Vote
from workflows.steps import Approve, Deny, Refused
from workflows.waivers import Ending, Waiver

DAY = timedelta(days=1)


def by_waiver(waiver: Waiver, by: str = "wang", comment: str = "") -> Approve:
    return Approve(by, "waiver", comment, waiver)


def refused(request: Request, step: Approve, at: datetime = NOON) -> str:
    with pytest.raises(Refused) as caught:
        after(request, step, at=at)
    return caught.value.key


# What it covers


def test_it_covers_the_same_for_another_customer_however_the_userid_is_spelt() -> None:
    request = the_same(id="B3M4", requester=Person("LIN", "林"))

    assert waivers.covers(a_waiver(), request, NOON)


@pytest.mark.parametrize(
    "changes",
    [
        {"requester": Person("qian", "钱")},
        {"action": "customer.export"},
        {"origin": Origin.OBSERVED},
        {"rules": ("vip",)},
        {"reason": Reason.RULE},
        {"chain": (a_stage("role:director"),)},
        {"chain": (a_stage("manager_of_sender", need=2),)},
        {"chain": (a_stage("manager_of_sender"), a_stage("role:director"))},
        {"missing": ("customer.tags",)},
        {"outcome": Outcome.DENY},
        {"outcome": Outcome.ALLOW},
    ],
)
def test_whatever_differs_is_not_the_same(changes: dict[str, Any]) -> None:
    assert not waivers.covers(a_waiver(), the_same(**changes), NOON)


@pytest.mark.parametrize("rules", [(), ("vip",), ("vip", "night", "cap")])
def test_one_rule_more_or_less_is_not_the_same_and_their_order_means_nothing(
    rules: tuple[str, ...],
) -> None:
    waiver = a_waiver(the_same(rules=("vip", "night")))

    assert waivers.covers(waiver, the_same(rules=("night", "vip")), NOON)
    assert not waivers.covers(waiver, the_same(rules=rules), NOON)


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "config.change"},
        {"action": "permission.grant"},
        {"origin": Origin.SYSTEM},
        {"missing": ("customer.tags",)},
        {"reason": Reason.MISSING},
        {"outcome": Outcome.DENY},
        {"chain": ()},
    ],
)
def test_some_requests_are_looked_at_by_a_person_every_time(changes: dict[str, Any]) -> None:
    request = the_same(**changes)

    assert not waivers.may_be_waived(request)
    assert not waivers.covers(a_waiver(request), request, NOON)


def test_one_request_uses_it_once() -> None:
    vote = Vote(0, WANG, Answer.APPROVE, NOON, "waiver", waiver="W-B3M4")

    assert not waivers.covers(a_waiver(), the_same(votes=(vote,)), NOON)
    assert waivers.covers(a_waiver(id="W-C4N5"), the_same(votes=(vote,)), NOON)


# When it ends


def test_its_time_is_looked_at_when_it_is_used() -> None:
    waiver = a_waiver()

    assert waivers.covers(waiver, the_same(), NOON + 7 * DAY - timedelta(microseconds=1))
    assert not waivers.covers(waiver, the_same(), NOON + 7 * DAY)


def test_the_last_use_ends_it() -> None:
    once = a_waiver(uses=1)

    over = waivers.used(once, NOON)

    assert (over.ending, over.ended_at, over.left) == (Ending.USED_UP, NOON, 0)
    assert not waivers.covers(over, the_same(), NOON)


@pytest.mark.parametrize("why", Ending)
def test_what_has_ended_covers_nothing(why: Ending) -> None:
    over = waivers.ended(a_waiver(), why, NOON)

    assert not waivers.covers(over, the_same(), NOON)
    assert over.left == 0
    with pytest.raises(ValueError, match="W-B3M4 is over"):
        waivers.used(over, NOON)


@given(
    st.integers(1, 30),
    st.lists(st.timedeltas(timedelta(), 10 * DAY), max_size=40),
)
def test_it_is_used_as_often_as_it_says_and_never_after_its_end(
    uses: int, waits: list[timedelta]
) -> None:
    waiver = a_waiver(uses=uses)
    for at in sorted(NOON + wait for wait in waits):
        if waivers.covers(waiver, the_same(), at):
            waiver = waivers.used(waiver, at)

    in_time = [wait for wait in waits if wait < 7 * DAY]
    assert len(waiver.used_at) == min(uses, len(in_time))
    assert all(at < waiver.expires_at for at in waiver.used_at)


# In the engine


def test_it_decides_as_a_machine_and_says_whose_yes_it_was() -> None:
    request, effects = moved(opened(the_same()), by_waiver(a_waiver()))

    assert (request.state, request.decided_by) == (State.APPROVED, "waiver:W-B3M4")
    assert who_decided(request) == "waiver:W-B3M4:王"
    [vote] = request.votes
    assert (vote.by, vote.via, vote.waiver) == (WANG, "waiver", "W-B3M4")
    assert kinds(effects) == ["CloseCards", "TellRequester", "Perform"]


def test_a_late_answer_is_told_whose_waiver_decided() -> None:
    request = after(opened(the_same()), by_waiver(a_waiver()))

    with pytest.raises(Refused) as caught:
        after(request, Deny("wang", "card", "no"))

    assert caught.value.key == "already_decided"
    assert caught.value.params["who"] == "waiver:W-B3M4:王"


def test_a_refusal_of_somebody_else_still_ends_the_request() -> None:
    draft = the_same(chain=(a_stage("manager_of_sender", "role:director", need=2),))
    request = after(opened(draft), by_waiver(a_waiver(draft)))

    assert request.state is State.PENDING
    assert after(request, Deny("li", "card", "no")).state is State.DENIED


def test_nobody_brings_anothers_waiver() -> None:
    draft = the_same(chain=(a_stage("manager_of_sender", "role:director"),))

    assert refused(opened(draft), by_waiver(a_waiver(draft), by="li")) == "waiver_void"


@pytest.mark.parametrize(
    ("changes", "at", "key"),
    [
        ({"requester": Person("qian", "钱")}, NOON, "waiver_void"),
        ({"rules": ("vip",)}, NOON, "waiver_void"),
        ({}, NOON + 8 * DAY, "waiver_void"),
        ({}, NOON + DAY, "expired"),  # of the request, that is
    ],
)
def test_the_engine_itself_refuses_what_is_not_covered(
    changes: dict[str, Any], at: datetime, key: str
) -> None:
    request = opened(the_same(**changes))

    assert refused(request, by_waiver(a_waiver()), at) == key


def test_it_speaks_for_nobody_who_may_not_decide_any_more() -> None:
    request = opened(the_same(chain=(a_stage("role:lead"),)))
    waiver = a_waiver(request)
    nobody_leads = some_sources(roles={"lead": frozenset(), "admin": frozenset({"zhao"})})

    with pytest.raises(Refused, match="not_an_approver"):
        after(request, by_waiver(waiver), sources=nobody_leads)


def test_what_it_may_do_at_two_stages_it_does_at_one() -> None:
    stages = (a_stage("manager_of_sender"), replace(a_stage("user:Wang"), repeat=True))
    request = opened(the_same(chain=stages))
    waiver = a_waiver(request)

    request = after(request, by_waiver(waiver))

    assert request.stage == 1
    assert refused(request, by_waiver(waivers.used(waiver, NOON))) == "waiver_void"


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "requester": st.sampled_from([Person("lin", "林"), Person("qian", "钱")]),
        "action": st.sampled_from(["friend.add", "customer.tag", "config.change"]),
        "origin": st.sampled_from(Origin),
        "rules": st.lists(st.sampled_from(["vip", "night"]), max_size=2, unique=True).map(tuple),
        "reason": st.sampled_from(Reason),
        "missing": st.sampled_from([(), ("customer.tags",)]),
        "chain": st.sampled_from(
            [(a_stage("manager_of_sender"),), (a_stage("role:director", "user:Wang", need=2),)]
        ),
        "due_at": st.sampled_from([None, NOON + DAY]),
    },
)


@settings(max_examples=300)
@given(
    st.one_of(st.just({}), CHANGES),
    st.one_of(st.just({}), CHANGES),
    st.timedeltas(timedelta(), 9 * DAY),
    st.integers(0, 20),
    st.sampled_from(["wang", "li", "zhao", "lin", "qian"]),
)
def test_it_passes_nothing_that_its_approver_could_not_approve_by_hand(
    wanted: dict[str, Any], was: dict[str, Any], wait: timedelta, used: int, by: str
) -> None:
    request, like = opened(the_same(**wanted)), the_same(**was)
    waiver = a_waiver(like, approver=Person(by, by), used_at=(NOON,) * used)
    at = NOON + wait
    try:
        new = after(request, by_waiver(waiver, by), at=at)
    except Refused:
        return

    by_hand = after(request, Approve(by, "card"), at=at)
    assert (by_hand.state, by_hand.stage) == (new.state, new.stage)
    assert (used < 20, at < waiver.expires_at) == (True, True)
    assert (request.requester.userid, request.action) == (like.requester.userid, like.action)
    assert (request.origin, request.chain) == (like.origin, like.chain)
    verdict, before = request.verdict, like.verdict
    assert (set(verdict.rules), verdict.reason) == (set(before.rules), before.reason)
    assert verdict.missing == ()


# What people see and type

ZH, EN = texts.load("zh-CN"), texts.load("en")


@pytest.mark.parametrize(
    ("days", "zh", "en"),
    [
        (7, "同意并免批7天", "OK for 7d"),
        (90, "同意并免批90天", "OK for 90d"),
    ],
)
def test_the_button_says_for_how_long_and_fits_the_card(days: int, zh: str, en: str) -> None:
    for spoken, words in ((ZH, zh), (EN, en)):
        card = approval_card(a_sheet(waive_days=days), spoken, "mw-A7K2-0-1-0123456789ab")
        button = card["button_list"][3]
        assert button["text"] == words
        assert len(words) <= 10
        assert Press.unpack(button["key"]) == Press("A7K2", 0, Choice.WAIVE)


def test_without_days_there_is_no_button() -> None:
    card = approval_card(a_sheet(), ZH, "mw-A7K2-0-1-0123456789ab")

    assert len(card["button_list"]) == 3


@pytest.mark.parametrize(
    ("actor", "zh", "en"),
    [
        ("waiver:W-B3M4:王芳", "免批授权 W-B3M4（王芳）", "standing approval W-B3M4 (王芳)"),
        ("waiver:W-B3M4", "免批授权 W-B3M4", "standing approval W-B3M4"),
    ],
)
def test_a_waiver_that_decided_is_named_with_its_giver(actor: str, zh: str, en: str) -> None:
    zone = NOON.tzinfo
    for spoken, words in ((ZH, zh), (EN, en)):
        assert Wording(spoken, zone, NOON).word(Actor(actor)) == words  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("免批", Waive()),
        ("免批 列表", Waive()),
        ("waive", Waive()),
        ("standing approvals", Waive()),
        ("免批 A7K2", Waive("A7K2")),
        ("A7K2 免批", Waive("A7K2")),
        ("免批A7K2 3天", Waive("A7K2", 3)),
        ("免批 A7K2 3天5次", Waive("A7K2", 3, 5)),
        ("免批 A7K2 三天 两次", Waive("A7K2", 3, 2)),
        ("免批 A7K2 3 5", Waive("A7K2", 3, 5)),
        ("免批 A7K2 5次 3", Waive("A7K2", 3, 5)),
        ("免批 A7K2 两周", Waive("A7K2", 14)),
        ("免批 A7K2 3天 老客户", Waive("A7K2", 3, None, "老客户")),
        ("免批 A7K2 3家都是老客户", Waive("A7K2", None, None, "3家都是老客户")),
        ("免批 A7K2 第一次合作", Waive("A7K2", None, None, "第一次合作")),
        ("waive a7k2 3 days 5 times", Waive("A7K2", 3, 5)),
        ("waive a7k2 3d 5x met before", Waive("A7K2", 3, 5, "met before")),
        ("取消免批 W-B3M4", EndWaiver("W-B3M4")),
        ("收回免批w-b3m4", EndWaiver("W-B3M4")),
        ("end waiver WB3M4", EndWaiver("W-B3M4")),
        ("取消 A7K2", WithdrawRequest("A7K2")),
    ],
)
def test_giving_and_ending_are_read_in_both_languages(text: str, command: Command) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("免批 A7K2 半天", Fault.WHOLE_DAYS),
        ("免批 A7K2 1.5天", Fault.WHOLE_DAYS),
        ("免批 A7K2 2小时", Fault.WHOLE_DAYS),
        ("免批 A7K2 30分钟", Fault.WHOLE_DAYS),
        ("免批 A7K2 十五天", Fault.WHOLE_DAYS),
        ("免批 A7K2 0天", Fault.WHOLE_DAYS),
        ("免批 A7K2 0次", Fault.WHOLE_DAYS),
        ("免批 A7K2 0", Fault.WHOLE_DAYS),
        ("waive A7K2 2 hours", Fault.WHOLE_DAYS),
        ("免批 A7K2 B3M4", Fault.ONE_AT_A_TIME),
        ("免批 吧", Fault.ID_MISSING),
        ("取消免批", Fault.WAIVER_ID),
        ("取消免批 A7K2", Fault.WAIVER_ID),
    ],
)
def test_what_would_give_more_than_was_meant_is_asked_back(text: str, why: Fault) -> None:
    command = parse(text)

    assert isinstance(command, Unclear)
    assert command.why is why


@pytest.mark.parametrize("words", ["同意 {id}", "拒绝 {id} 重复", "撤回 {id}", "免批 {id}"])
def test_a_waivers_id_is_never_taken_for_a_requests(words: str) -> None:
    command = parse(words.format(id="W-B3M4"))

    assert isinstance(command, Unclear)
    assert command.why is Fault.ID_SHAPE
