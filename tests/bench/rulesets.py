"""Rules and facts to decide with, made by dice that always fall the same way.

A company with more rules has more departments, people, customer tags and known firms to have them
for, so about as many rules hold for one event whether there are a hundred or ten thousand.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workflows.model import Facts

AT = datetime(2026, 1, 7, 2, 0, tzinfo=UTC)  # Wednesday 10:00 in Shanghai
ACTIONS = {
    "friend.add": 50,
    "customer.transfer": 15,
    "customer.tag": 15,
    "friend.add_bulk": 10,
    "customer.export": 10,
}
TIERS = ("svip", "vip", "normal")
WAYS = ("qr", "card", "phone", "channels", "group", "referral", "assigned")
_CHAINS = ("lead", "director")  # the milder first
_Rule = dict[str, Any]
_Dice = random.Random


@dataclass(frozen=True, slots=True)
class Case:
    """One event to judge; every fact that a rule reads is known, unless the set says otherwise."""

    action: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The sections of a rule file, and events for it."""

    name: str
    size: int
    sections: Mapping[str, Any]
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class _Company:
    """How many of everything there are for so many rules."""

    size: int

    def some(self, what: str, dice: _Dice, most: int = 1) -> list[str]:
        """Return between one and `most` names of a kind."""
        few, share = _KINDS[what]
        many = max(few, int(self.size * share))
        return [f"{what}{dice.randrange(many):05d}" for _ in range(dice.randint(1, most))]

    def one(self, what: str, dice: _Dice) -> str:
        """Return one name of a kind."""
        return self.some(what, dice)[0]


# Of each kind: how many there are at least, and how many for each rule.
_KINDS = {
    "dept": (5, 0.07),
    "tag": (12, 0.5),
    "user": (20, 0.5),
    "firm": (20, 2.0),
    "channel": (10, 0.2),
}


def mixed(size: int, cases: int) -> RuleSet:
    """Rules of ten kinds for five actions, as a sales company has them."""
    dice, company = random.Random(size), _Company(size)
    actions, weights = list(ACTIONS), list(ACTIONS.values())
    rules = [
        _numbered(n, dice.choices(actions, weights)[0], _MIXTURE[n % len(_MIXTURE)](company, dice))
        for n in range(size)
    ]
    events = [Case(dice.choices(actions, weights)[0], _facts(company, dice)) for _ in range(cases)]
    return RuleSet("mixed rules", size, _sections(rules), tuple(events))


def one_attribute(size: int, cases: int) -> RuleSet:
    """All for one action, and all about which words the customer's company contains."""
    dice, company = random.Random(size), _Company(size)
    rules = [_numbered(n, "friend.add", _firm(company, dice)) for n in range(size)]
    return RuleSet("all read one attribute", size, _sections(rules), _adds(company, dice, cases))


def many_hold(size: int, cases: int) -> RuleSet:
    """All for one action; about half of them hold."""
    dice, company = random.Random(size), _Company(size)
    limits = [{"when": {"today.adds": {"gte": n % 60}}, "then": "deny"} for n in range(size)]
    rules = [_numbered(n, "friend.add", rule) for n, rule in enumerate(limits)]
    return RuleSet("half of them hold", size, _sections(rules), _adds(company, dice, cases))


def missing_fact(size: int, cases: int) -> RuleSet:
    """All for one action, and all about a fact that is missing."""
    dice, company = random.Random(size), _Company(size)
    rules = [_numbered(n, "friend.add", _channel(company, dice)) for n in range(size)]
    known = [case.facts for case in _adds(company, dice, cases)]
    less = [{name: facts[name] for name in facts if name != "contact.channel"} for facts in known]
    events = tuple(Case("friend.add", facts) for facts in less)
    return RuleSet("all read a missing fact", size, _sections(rules), events)


def _adds(company: _Company, dice: _Dice, cases: int) -> tuple[Case, ...]:
    return tuple(Case("friend.add", _facts(company, dice)) for _ in range(cases))


def _numbered(number: int, action: str, rule: _Rule) -> _Rule:
    return {"id": f"rule-{number}", "action": [action], "say": "见公司规定。", **rule}


def _sections(rules: list[_Rule]) -> dict[str, Any]:
    stages = {"lead": ["manager_of_sender"], "director": ["role:director"]}
    return {
        "timezone": "Asia/Shanghai",
        "attributes": {"customer.x.deal_amount": {"type": "int"}},
        "defaults": {"chain": "lead"},
        "roles": {
            "seller": {"level": 2, "members": ["department:sales"]},
            "director": {"level": 4, "members": ["user:director"]},
        },
        "permissions": {action: {"allow": 2} for action in ACTIONS},
        "chains": {name: {"stages": [{"from": source}]} for name, source in stages.items()},
        "chain_defaults": {"strictness": list(_CHAINS)},
        "tier": [{"name": name, "when": {"customer.tags": [name]}} for name in TIERS[:-1]]
        + [{"name": TIERS[-1]}],
        "rule": rules,
    }


def _facts(company: _Company, dice: _Dice) -> Facts:
    return {
        "sender.userid": company.one("user", dice),
        "sender.level": dice.randint(2, 4),
        "sender.departments": frozenset(company.some("dept", dice, 3)),
        "customer.tags": frozenset(company.some("tag", dice, 4)),
        "customer.tier": dice.choices(TIERS, (1, 3, 6))[0],
        "customer.corp_name": f"shanghai {company.one('firm', dice)} trading ltd",
        "customer.owner_count": dice.choice((0, 0, 0, 1, 2)),
        "customer.x.deal_amount": dice.randrange(1_000_000),
        "contact.way": dice.choice(WAYS),
        "contact.channel": company.one("channel", dice),
        "today.adds": dice.randrange(60),
        "today.requests": dice.randrange(20),
        "week.adds": dice.randrange(250),
    }


# --- the kinds of rules


def _asks(when: Mapping[str, Any], dice: _Dice, **more: Any) -> _Rule:
    return {"when": dict(when), "then": "approval", "chain": dice.choice(_CHAINS), **more}


def _refuses(when: Mapping[str, Any]) -> _Rule:
    return {"when": dict(when), "then": "deny"}


def _cap(company: _Company, dice: _Dice) -> _Rule:
    counter, limit = dice.choice([("today.adds", 45), ("week.adds", 180)])
    departments = company.some("dept", dice, 2)
    return _refuses(
        {"sender.departments": departments, counter: {"gte": limit + dice.randrange(15)}}
    )


def _tags(company: _Company, dice: _Dice) -> _Rule:
    named = company.some("tag", dice, 3)
    return _asks({"customer.tags": named, "sender.level": {"lt": dice.choice((3, 4))}}, dice)


def _both_tags(company: _Company, dice: _Dice) -> _Rule:
    named = {"all_of": company.some("tag", dice, 2)}
    return _asks({"customer.tags": named, "contact.way": dice.sample(WAYS, 3)}, dice)


def _tier(company: _Company, dice: _Dice) -> _Rule:
    of = {"customer.tier": list(TIERS[: dice.randint(1, 2)]), "sender.level": {"lt": 4}}
    return _asks({**of, "sender.departments": company.some("dept", dice)}, dice)


def _firm(company: _Company, dice: _Dice) -> _Rule:
    return _refuses({"customer.corp_name": {"contains_any": company.some("firm", dice, 3)}})


def _person(company: _Company, dice: _Dice) -> _Rule:
    limit = {"gte": 5 + dice.randrange(15)}
    return _refuses({"sender.userid": company.some("user", dice, 2), "today.requests": limit})


def _channel(company: _Company, dice: _Dice) -> _Rule:
    tiers = list(TIERS[: dice.randint(1, 2)])
    return _asks(
        {"contact.channel": company.some("channel", dice, 2), "customer.tier": tiers}, dice
    )


def _owned(company: _Company, dice: _Dice) -> _Rule:
    when = {"customer.owner_count": {"gte": 1}, "customer.tags": company.some("tag", dice, 2)}
    return _asks(when, dice, unless={"contact.way": ["referral", "assigned"]})


def _amount(company: _Company, dice: _Dice) -> _Rule:
    low = dice.randrange(900_000)
    band = {"gte": low, "lt": low + 50_000}
    return _asks(
        {"customer.x.deal_amount": band, "sender.departments": company.some("dept", dice)}, dice
    )


def _either(company: _Company, dice: _Dice) -> _Rule:
    ways = [
        {"customer.tags": company.some("tag", dice)},
        {"contact.channel": company.some("channel", dice), "contact.way": dice.sample(WAYS, 2)},
    ]
    return _asks({"any": ways, "sender.level": {"lt": 4}}, dice)


_MIXTURE: tuple[Callable[[_Company, _Dice], _Rule], ...] = (
    _cap,
    _tags,
    _firm,
    _person,
    _tier,
    _channel,
    _owned,
    _either,
    _amount,
    _both_tags,
)
