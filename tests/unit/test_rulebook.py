"""Bad files are refused with every mistake, its place and what was meant; good ones are read."""

# ruff: noqa: E501 - a table of bad files reads best with one file a line

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from tests.makers_policy import a_rule, a_rulebook, mistakes_in, policy_data, wrong_in
from workflows import rulebook
from workflows.model import Group, Stage
from workflows.sections import Rulebook

LEAD = {"stages": [{"from": ["manager_of_sender"]}]}
ONE = {"lead": LEAD}


def test_sections_of_the_program_are_passed_over_and_others_are_unknown() -> None:
    data = policy_data(server={"port": 1}, wecom={}, storage={}, ruel=[])
    _, wrong = rulebook.read(data)
    assert [(m.place, m.code, m.suggestion) for m in wrong] == [("ruel", "unknown_key", "rule")]
    assert rulebook.read({**policy_data(), "extra": 1}, others={"extra"})[0] is not None


@pytest.mark.parametrize(
    ("sections", "place", "code"),
    [
        ({"timezone": "Asia/Shanghia"}, "timezone", "unknown_timezone"),
        ({"timezone": 8}, "timezone", "wrong_type"),
        ({"language": "fr"}, "language", "not_one_of"),
        ({"attributes": {"deal": {"type": "int"}}}, "attributes.deal", "bad_attribute_name"),
        ({"attributes": {"customer.x.a": {"type": "money"}}}, 'attributes."customer.x.a".type', "not_one_of"),
        ({"defaults": {"chain": "leed"}}, "defaults.chain", "unknown_chain"),
        ({"defaults": {"chain": "lead", "on_missing": "allow"}}, "defaults.on_missing", "not_one_of"),
        ({"roles": {"a": {"level": 0, "members": []}}, "chains": ONE}, "roles.a.level", "too_small"),
        ({"roles": {"admin": {"level": 1, "members": ["boss"]}}}, "roles.admin.members[#1]", "bad_selector"),
        ({"roles": {"admin": {"level": "5", "members": []}}}, "roles.admin.level", "wrong_type"),
        ({"permissions": {"friend.ad": {"allow": 1}}}, 'permissions."friend.ad"', "unknown_action"),
        ({"permissions": {"friend.add": {}}}, 'permissions."friend.add"', "permission_empty"),
        ({"permissions": {"friend.add": {"allow": 1, "approval": 2}}}, 'permissions."friend.add"', "permission_order"),
        ({"tier": [{"name": "vip", "when": {"today": {"adds": 1}}}]}, "tier[vip]", "tier_without_catch_all"),
        ({"tier": [{"name": "a"}, {"name": "b"}]}, "tier[a]", "tier_unreachable"),
        ({"tier": [{"name": "a", "when": {"customer": {"tier": "b"}}}, {"name": "b"}]}, "tier[a].when.customer.tier", "reads_computed"),
        ({"group": [{"name": "a", "when": {"customer": {"groups": ["a"]}}}]}, "group[a].when.customer.groups", "reads_computed"),
        ({"group": [{"name": "a"}]}, "group[a].when", "required"),
        ({"group": [{"name": "a b", "when": {"today": {"adds": 1}}}]}, "group[a b].name", "bad_name"),
        ({"rule": [a_rule("a"), a_rule("a")]}, "rule[a].id", "duplicate"),
        ({"rule": [a_rule("a", then="allow")]}, "rule[a].then", "rule_allows"),
        ({"rule": [a_rule("a", then="dney")]}, "rule[a].then", "not_one_of"),
        ({"rule": [a_rule("a", action=["friend.ad"])]}, "rule[a].action", "unknown_action"),
        ({"rule": [a_rule("a", action=[])]}, "rule[a].action", "empty"),
        ({"rule": [a_rule("a", then="approval", chain="leed")]}, "rule[a].chain", "unknown_chain"),
        ({"rule": [a_rule("a", chain="lead")]}, "rule[a].chain", "chain_without_approval"),
        ({"rule": [a_rule("a", say="{today.ads}")]}, "rule[a].say", "unknown_placeholder"),
        ({"rule": [a_rule("a", wehn={})]}, "rule[a].wehn", "unknown_key"),
        ({"rule": [a_rule("a", mode="dry")]}, "rule[a].mode", "not_one_of"),
        ({"rule": {"id": "a"}}, "rule", "wrong_type"),
        ({"auto_review": [{"id": "a", "action": "friend.add", "when": {"today": {"adds": 1}}, "decide": "approve"}]}, "auto_review[a].expires", "required"),
        ({"chains": {"lead": {"stages": []}}, "chain_defaults": {}}, "chains.lead.stages", "empty"),
        ({"chains": {"lead": {"stages": [{"from": ["boss"]}]}}, "chain_defaults": {}}, "chains.lead.stages[#1].from[#1]", "bad_source"),
        ({"chains": {"lead": {"stages": [{"from": ["role:bos"]}]}}, "chain_defaults": {}}, "chains.lead.stages[#1]", "unknown_role"),
        ({"chains": {"lead": {"stages": [{"need": 1}]}}, "chain_defaults": {}}, "chains.lead.stages[#1]", "stage_sources"),
        ({"chains": {"lead": {"stages": [{"from": ["user:a", "user:A"], "need": 2}]}}, "chain_defaults": {}}, "chains.lead.stages[#1]", "need_too_many"),
        ({"chain_defaults": {"strictness": ["lead"]}}, "chain_defaults.strictness", "chain_not_ranked"),
        ({"chains": ONE, "chain_defaults": {"clock": "work"}}, "chain_defaults.clock", "unknown_schedule"),
        ({"chains": ONE, "chain_defaults": {"expires_after": "73h"}}, "chain_defaults.expires_after", "duration_too_long"),
        ({"chains": ONE, "chain_defaults": {"expires_after": "8"}}, "chain_defaults.expires_after", "bad_duration"),
        ({"chains": ONE, "chain_defaults": {"remind_after": "9h", "expires_after": "8h"}}, "chain_defaults.remind_after", "timers_out_of_order"),
        ({"chains": ONE, "chain_defaults": {"escalate_after": "2h"}}, "chain_defaults.escalate_after", "escalate_to_nobody"),
        ({"chains": ONE, "chain_defaults": {"on_no_approver": ["role:boss"]}}, "chain_defaults.on_no_approver", "unknown_role"),
        ({"enforcement": {"customer.export": {}}}, 'enforcement."customer.export"', "not_observed"),
        ({"enforcement": {"friend.add": {"denied": {"then": "transfer"}}}}, 'enforcement."friend.add".denied', "transfer_to_nobody"),
        ({"enforcement": {"friend.add": {"pending": {"notify": ["role:boss"]}}}}, 'enforcement."friend.add".pending.notify', "unknown_role"),
        ({"standing_approvals": {"days": 91}}, "standing_approvals.days", "too_large"),
        ({"standing_approvals": {"uses": 201}}, "standing_approvals.uses", "too_large"),
        ({"standing_approvals": {"uses": -1}}, "standing_approvals.uses", "too_small"),
        ({"standing_approvals": {"use": 3}}, "standing_approvals.use", "unknown_key"),
        ({"schedules": {"work_hours": {"hours": "9-19"}}}, "schedules.work_hours.hours", "bad_hours"),
        ({"schedules": {"work_hours": {"hours": ["09:00-12:00", "11:00-18:00"]}}}, "schedules.work_hours.hours", "hours_overlap"),
        ({"schedules": {"work_hours": {"hours": "09:00-19:00", "days": ["monday"]}}}, "schedules.work_hours.days[#1]", "not_one_of"),
        ({"quiet_hours": {"hours": "21:30"}}, "quiet_hours.hours", "bad_hours"),
        ({"notify": [{"on": ["role.change"], "to": ["role:admin"]}]}, "notify[#1].on", "unknown_event"),
        ({"notify": [{"on": ["role.changed"], "to": ["role:boss"]}]}, "notify[#1].to", "unknown_role"),
        ({"test": [{"name": "t", "given": {}, "expect": {"decision": "deny"}}]}, "test[t].given", "test_without_action"),
        ({"test": [{"name": "t", "given": {"action": "friend.ad"}, "expect": {"decision": "deny"}}]}, "test[t].given.action", "unknown_action"),
        ({"test": [{"name": "t", "given": {"action": "friend.add", "today": {"ads": 1}}, "expect": {"decision": "deny"}}]}, "test[t].given.today.ads", "unknown_attribute"),
        ({"test": [{"name": "t", "given": {"action": "friend.add", "today": {"adds": "1"}}, "expect": {"decision": "deny"}}]}, "test[t].given.today.adds", "wrong_value"),
        ({"test": [{"name": "t", "given": {"action": "friend.add", "contact": {"way": "q"}}, "expect": {"decision": "deny"}}]}, "test[t].given.contact.way", "unknown_word"),
        ({"test": [{"name": "t", "given": {"action": "friend.add"}, "expect": {"decision": "maybe"}}]}, "test[t].expect.decision", "not_one_of"),
        ({"test": [{"name": "t", "given": {"action": "friend.add"}, "expect": {"decision": "deny", "rules": ["x"]}}]}, "test[t].expect.rules", "unknown_rule"),
        ({"test": [{"name": "t", "given": {"action": "friend.add"}, "expect": {"decision": "deny", "chain": "x"}}]}, "test[t].expect.chain", "unknown_chain"),
    ],
)  # fmt: skip
def test_a_bad_file_names_the_place_and_the_code(
    sections: dict[str, Any], place: str, code: str
) -> None:
    assert (place, code) in wrong_in(**sections)
    assert len(wrong_in(**sections)) <= 2


@pytest.mark.parametrize("section", [{}, {"days": 0, "uses": 0}, {"enabled": True}])
def test_standing_approvals_keep_their_limits_where_the_file_sets_none(
    section: dict[str, Any],
) -> None:
    limits = a_rulebook(standing_approvals=section).standing_approvals
    assert (limits.enabled, limits.most_days, limits.most_uses) == (True, 7, 20)
    assert a_rulebook().standing_approvals.most_uses == 20


def test_a_mandatory_setting_that_is_not_there_is_asked_for() -> None:
    data = policy_data()
    del data["timezone"], data["defaults"]
    found = {(m.place, m.code) for m in rulebook.read(data)[1]}
    assert found == {("timezone", "required"), ("defaults", "required")}


def test_all_mistakes_are_told_at_once_with_the_index_of_the_whole_file() -> None:
    rules = [
        a_rule("broken", then="dney"),
        a_rule("typo", {"customer": {"teir": "x"}}),
        a_rule("fine"),
        a_rule("lost", then="approval", chain="leed"),
    ]
    found = mistakes_in(
        rule=rules, language="fr", tier=[{"name": "a", "when": {"today": {"adds": 1}}}]
    )
    assert [(m.loc, m.code) for m in found] == [
        (("language",), "not_one_of"),
        (("rule", 0, "then"), "not_one_of"),
        (("tier", 0), "tier_without_catch_all"),
        (("rule", 1, "when", "customer", "teir"), "unknown_attribute"),
        (("rule", 3, "chain"), "unknown_chain"),
    ]


def test_what_is_broken_is_told_once_and_not_again_by_everything_that_uses_it() -> None:
    sections = policy_data(
        attributes={"customer.x.deal": {"type": "money"}},
        tier=[{"name": "vip", "when": {"customer": {"x": {"deal": {"gte": 1}}}}}, {"nam": "rest"}],
        rule=[a_rule("a", {"customer": {"tier": "vip"}}, then="approval", chain="director")],
    )
    sections["chains"]["director"] = {"stages": []}
    sections["chain_defaults"]["strictnes"] = []
    found = {(m.place, m.code) for m in rulebook.read(sections)[1]}
    assert found == {
        ('attributes."customer.x.deal".type', "not_one_of"),
        ("tier[#2].nam", "unknown_key"),
        ("tier[#2].name", "required"),
        ("chains.director.stages", "empty"),
        ("chain_defaults.strictnes", "unknown_key"),
    }


def test_unknown_keys_come_with_what_was_meant_at_every_depth() -> None:
    found = mistakes_in(
        chains={"lead": {"stages": [{"form": ["manager_of_sender"]}]}},
        chain_defaults={"remind_afer": "1h"},
        enforcement={"friend.add": {"denied": {"remdy": "ask_to_delete"}}},
        rule=[a_rule("a", sya="x")],
    )
    meant = {m.suggestion for m in found if m.code == "unknown_key"}
    assert meant == {"from", "remind_after", "remedy", "say"}


class Door(BaseModel):
    """A section of the program with a secret."""

    model_config = {"extra": "forbid", "hide_input_in_errors": True}
    token: SecretStr
    port: int


def test_a_rejected_value_of_another_model_is_never_repeated() -> None:
    data = {"token": ["hunter2"], "port": "hunter2", "toekn": "hunter2"}
    with pytest.raises(ValidationError) as caught:
        Door.model_validate(data)
    found = rulebook.mistakes_of(caught.value, Door, data)
    assert {(m.place, m.code) for m in found} == {
        ("token", "wrong_type"),
        ("port", "wrong_type"),
        ("toekn", "unknown_key"),
    }
    assert "hunter2" not in repr(found)


def test_a_file_nested_beyond_reason_is_refused_and_does_not_break_the_reader() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"a": deep}
    found = wrong_in(rule=[a_rule("a", deep)], attributes=deep)
    assert found == [("attributes", "too_deep"), ("rule", "too_deep")]


def test_the_example_file_mentions_every_setting() -> None:
    text = (Path(__file__).parents[2] / "config.example.toml").read_text("utf-8")
    todo: list[type[BaseModel]] = [Rulebook]
    seen: set[type[BaseModel]] = set()
    while todo:
        model = todo.pop()
        seen.add(model)
        for name, field in model.model_fields.items():
            assert re.search(rf"\b{field.alias or name}\b", text), f"{model.__name__}.{name}"
            inner = rulebook.model_in(field.annotation)
            if inner and inner not in seen:
                todo.append(inner)
    assert len(seen) > 20


def test_reading_leaves_the_data_as_it_was() -> None:
    data = policy_data(rule=[a_rule("a", then="dney")])
    before = copy.deepcopy(data)
    rulebook.read(data)
    assert data == before


def test_columns_may_be_declared_as_nested_tables() -> None:
    book = a_rulebook(attributes={"customer": {"x": {"deal": {"type": "int"}}}})
    assert book.attributes["customer.x.deal"].type == "int"


def test_a_chain_turns_into_the_stages_a_request_copies() -> None:
    parallel = [{"from": ["role:admin"]}, {"from": "user:zhaomin"}]
    stages = [
        {"from": ["manager_of_sender"], "need": 2, "deny": 2},
        {"all_of": parallel, "repeat": True},
    ]
    book = a_rulebook(chains={"lead": {"stages": stages}}, chain_defaults={})
    assert book.chains["lead"].as_stages() == (
        Stage((Group(("manager_of_sender",), 2),), deny=2),
        Stage((Group(("role:admin",)), Group(("user:zhaomin",))), repeat=True),
    )
