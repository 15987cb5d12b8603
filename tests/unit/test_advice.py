"""How the nearest change is told: in words people know, and no more than they may hear."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot import texts
from bot.advice import Adviser
from tests.makers_policy import FACTS, MORNING, a_policy, a_rule, without
from workflows.alternatives import How
from workflows.model import Facts, Outcome
from workflows.nearest import Nearest, nearest
from workflows.policy import Policy

ZH, EN = texts.load("zh-CN"), texts.load("en")
NIGHT = datetime(2026, 1, 7, 14, 0, tzinfo=UTC)
VIP = [
    {"name": "vip", "title": "重要客户", "when": {"customer": {"tags": ["VIP"]}}},
    {"name": "normal", "title": "普通客户"},
]


def told(
    policy: Policy,
    facts: Facts,
    *,
    at: datetime = MORNING,
    later: timedelta = timedelta(),
    language: texts.Texts = ZH,
    guarded: bool = False,
) -> str:
    found = nearest(policy, facts, "friend.add", at)
    return Adviser(language, policy.rulebook, at, at + later, guarded).line(found)


def cap(**more: Any) -> Policy:
    return a_policy(a_rule("cap", {"today": {"adds": {"gte": 50}}}), **more)


def test_a_count_says_what_it_is_and_that_it_begins_anew() -> None:
    facts = {**FACTS, "today.adds": 57}

    assert told(cap(), facts) == "最近的可行办法：今日添加数少于 50（现为 57，明天重新计数）。"
    assert told(cap(), facts, language=EN) == (
        "What would do, at the least: adds today is below 50 (now 57, counted anew tomorrow)."
    )


def test_days_later_nothing_is_called_now() -> None:
    said = told(cap(), {**FACTS, "today.adds": 57}, later=timedelta(days=2))

    assert "（当时为 57）" in said
    assert "明天" not in said


def test_a_level_is_told_with_the_title_of_its_role() -> None:
    roles = {
        "lead": {"title": "主管", "level": 3, "members": ["user:wangfang"]},
        "admin": {"level": 5, "members": ["user:zhaomin"]},
    }
    policy = a_policy(a_rule("juniors", {"sender": {"level": {"lt": 3}}}), roles=roles)

    assert told(policy, FACTS).endswith("成员级别达到 主管（3 级）（现为 2 级）。")


def test_a_permission_that_could_be_lent_is_told_by_its_name() -> None:
    policy = a_policy(permissions={"friend.add": {"allow": 3}})

    assert told(policy, FACTS) == "最近的可行办法：得到“添加客户”的临时授权。"
    assert told(policy, FACTS, language=EN).endswith("a temporary permission: add a customer.")


def test_a_schedule_is_told_with_the_next_time_it_opens() -> None:
    policy = a_policy(a_rule("night", unless={"during": "work_hours"}))

    assert (
        told(policy, FACTS, at=NIGHT) == "最近的可行办法：在 work_hours 时段内（明天 09:00 起）。"
    )
    late = told(policy, FACTS, at=NIGHT, later=timedelta(days=9))
    assert late == "最近的可行办法：在 work_hours 时段内。", "that time has passed"


def test_a_tier_is_told_by_its_title() -> None:
    policy = a_policy(a_rule("vips", {"customer": {"tier": "vip"}}), tier=VIP)
    facts = {**FACTS, "customer.tags": frozenset({"VIP"})}

    assert "客户等级为 普通客户（现为 重要客户）" in told(policy, facts)


def test_a_way_of_adding_is_told_as_people_call_it() -> None:
    policy = a_policy(a_rule("no-codes", unless={"contact": {"way": "referral"}}))

    assert "添加方式为 内部成员共享（现为 扫描二维码）" in told(policy, FACTS)
    assert "way of adding is shared by a colleague (now QR code)" in told(
        policy, FACTS, language=EN
    )


def test_a_missing_fact_would_have_to_be_looked_up() -> None:
    policy = a_policy(a_rule("rich", {"customer": {"x": {"deal_amount": {"gte": 100}}}}))

    said = told(policy, without("customer.x.deal_amount"))

    assert "能查到customer.x.deal_amount，而且少于 100" in said


def test_what_would_still_need_approval_is_told_apart() -> None:
    policy = a_policy(
        a_rule("always", then="approval"), a_rule("cap", {"today": {"adds": {"gte": 50}}})
    )

    assert told(policy, {**FACTS, "today.adds": 57}).startswith("最近的可行办法（届时仍需审批）：")


def test_nothing_found_is_told_apart_from_not_looked_at_all() -> None:
    adviser = Adviser(ZH, a_policy().rulebook, MORNING, MORNING)

    lines = {
        adviser.line(Nearest(Outcome.DENY)),
        adviser.line(Nearest(Outcome.DENY, complete=False)),
        adviser.line(Nearest(Outcome.ALLOW)),
    }

    assert len(lines) == 3


@pytest.mark.parametrize(
    "when",
    [
        {"tags": ["VIP"]},
        {"owners": ["wangfang"]},
        {"owner_count": {"gte": 1}},
        {"chats": ["老客户群"]},
        {"corp_name": {"contains_any": ["竞品"]}},
        {"known_days": {"gte": 3}},
        {"groups": ["signed"]},
        {"x": {"deal_amount": {"gte": 100}}},
    ],
)
@pytest.mark.parametrize("spoken", [ZH, EN])
def test_a_guarded_line_tells_nothing_of_the_customer(
    when: dict[str, Any], spoken: texts.Texts
) -> None:
    group = [{"name": "signed", "title": "已签约", "when": {"customer": {"tags": ["VIP"]}}}]
    policy = a_policy(a_rule("kept", {"customer": when}), group=group)
    facts: Facts = {
        **FACTS,
        "customer.tags": frozenset({"VIP"}),
        "customer.owners": frozenset({"wangfang"}),
        "customer.owner_count": 1,
        "customer.chats": frozenset({"老客户群"}),
        "customer.corp_name": "竞品甲",
        "customer.known_days": 9,
        "customer.x.deal_amount": 100,
    }

    guarded = told(policy, facts, guarded=True, language=spoken)

    assert spoken("nearest.customer") in guarded
    assert not re.search(r"VIP|wangfang|老客户群|竞品|签约|deal|\d", guarded)
    assert guarded != told(policy, facts, language=spoken)


def test_a_guarded_line_still_tells_what_concerns_the_person() -> None:
    both = a_policy(
        a_rule("cap", {"today": {"adds": {"gte": 50}}}),
        a_rule("vips", {"customer": {"tags": ["VIP"]}}),
    )
    facts = {**FACTS, "today.adds": 57, "customer.tags": frozenset({"VIP"})}

    said = told(both, facts, guarded=True)

    assert "今日添加数少于 50" in said
    assert "客户方面的情况有变化" in said
    assert "VIP" not in said


@pytest.mark.parametrize("spoken", [ZH, EN])
def test_every_kind_of_need_has_its_words(spoken: texts.Texts) -> None:
    assert [how for how in How if f"nearest.needs.{how}" not in spoken] == []
