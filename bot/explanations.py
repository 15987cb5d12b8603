"""What `menwei explain` and `menwei can` print: a decision, its steps with their lines, and rights.

The steps are those of the verdict's trace; behind them comes the nearest change that would have
led to something milder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot import advice
from bot.advice import Adviser
from bot.places import Place, Places
from bot.texts import Text, Texts, joined
from workflows import nearest, policy
from workflows.mistakes import Loc
from workflows.model import Facts, Group, Outcome, Request, Stage, TraceLine, Verdict
from workflows.nearest import Nearest
from workflows.policy import Policy
from workflows.sections import Rulebook
from workflows.standing import Standing


@dataclass(frozen=True, slots=True)
class File:
    """The rules as they stand in the file, and the language they are told in."""

    rules: Rulebook
    text: str
    voice: Texts


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision with everything that explains it."""

    action: str
    at: datetime
    verdict: Verdict  # traced
    nearest: Nearest

    @classmethod
    def of(cls, judge: Policy, facts: Facts, action: str, at: datetime) -> Decision:
        """Decide, and look for what would have led to something milder."""
        verdict = policy.decide(judge, facts, action, at, traced=True)
        return cls(action, at, verdict, nearest.nearest(judge, facts, action, at))


# --- for people


def explained(request: Request, decision: Decision, file: File, now: datetime) -> Iterator[str]:
    """Return how a request was judged, and how the file judges it by its facts of then."""
    then, voice = request.verdict, file.voice
    yield voice(
        "explain.head",
        id=request.id,
        requester=request.requester.name,
        action=voice.action(request.action),
        customer=request.subject.name,
        outcome=voice.outcome(then.outcome),
        state=voice.state(request.state),
    )
    verdict = decision.verdict
    versions = {"then": then.policy, "now": verdict.policy}
    is_same = then.policy == verdict.policy
    if not is_same:
        yield voice("explain.other", outcome=voice.outcome(verdict.outcome), **versions)
    yield from _details(verdict, file)
    yield voice("explain.same", **versions) if is_same else voice("decision.trace")
    yield from _steps(decision, file, now)
    yield from _overruled(then, voice)


def decided(decision: Decision, file: File, now: datetime) -> Iterator[str]:
    """Return a decision that nobody asked for: what was decided, why, and step by step."""
    voice = file.voice
    yield voice(
        "decision.head",
        action=voice.action(decision.action),
        at=f"{decision.at.astimezone(file.rules.zone):%Y-%m-%d %H:%M}",
        outcome=voice.outcome(decision.verdict.outcome),
    )
    yield from _details(decision.verdict, file)
    yield voice("decision.trace")
    yield from _steps(decision, file, now)


def _details(verdict: Verdict, file: File) -> Iterator[Text]:
    voice = file.voice
    yield voice("decision.why", why=voice(f"decision.reason.{verdict.reason}"))
    if verdict.rules:
        yield voice("decision.rules", rules=voice.listed(verdict.rules))
    for said in verdict.say:
        yield voice("decision.says", say=said)
    if verdict.missing:
        yield voice("decision.missing", missing=voice.listed(verdict.missing))
    if verdict.auto_review:
        yield voice("decision.auto_review", id=verdict.auto_review)
    if verdict.chain:
        yield voice("decision.chain", chain=verdict.chain)
        for number, stage in enumerate(_stages(verdict, file.rules), 1):
            yield _stage(number, stage, voice)
    if verdict.other_chains:
        yield voice("decision.other_chains", chains=voice.listed(verdict.other_chains))
    if verdict.shadow is not None and verdict.shadow_rules:
        rules, outcome = voice.listed(verdict.shadow_rules), voice.outcome(verdict.shadow)
        yield voice("decision.shadow", rules=rules, outcome=outcome)


def _stages(verdict: Verdict, rules: Rulebook) -> tuple[Stage, ...]:
    chain = rules.chains.get(verdict.chain or "")
    return chain.as_stages() if chain else ()


def _stage(number: int, stage: Stage, voice: Texts) -> Text:
    deny = voice("decision.deny", deny=stage.deny) if stage.deny > 1 else ""
    groups = joined((_group(each, voice) for each in stage.groups), voice("decision.groups"))
    return voice("decision.stage", number=number, groups=groups, deny=deny)


def _group(group: Group, voice: Texts) -> Text:
    return voice("decision.group", sources=voice.listed(group.sources), need=group.need)


def _steps(decision: Decision, file: File, now: datetime) -> Iterator[str]:
    yield from traced(decision.verdict, file)
    if decision.verdict.outcome is not Outcome.ALLOW:
        yield _adviser(decision, file, now).line(decision.nearest)


def _overruled(verdict: Verdict, voice: Texts) -> Iterator[Text]:
    """Say what changed the verdict that the rules gave, a freeze for example."""
    if verdict.overruled:
        outcome = voice.outcome(verdict.outcome)
        yield voice("decision.overruled", by=verdict.overruled, outcome=outcome)


def _adviser(decision: Decision, file: File, now: datetime) -> Adviser:
    return Adviser(file.voice, file.rules, decision.at, now)


def traced(verdict: Verdict, file: File) -> Iterator[str]:
    """Return one line for each permission, tier, group, rule and leaf."""
    for line, place in _placed(verdict, file):
        where = f"{place.line:>4}" if place else "    "
        said = f"{'  ' * line.depth}{line.sign} {line.place}  {line.note}"
        yield f"{where}  {said}".rstrip()


def _placed(verdict: Verdict, file: File) -> Iterator[tuple[TraceLine, Place | None]]:
    places = Places(file.text)
    for line in verdict.trace:
        yield line, _place(line, file.rules, places)


def _place(line: TraceLine, rules: Rulebook, places: Places) -> Place | None:
    section, _, rest = line.place.partition(".")
    if section not in _NAMED:
        return places.of((section, rest))
    name, _, inner = rest.partition(".")
    named = [getattr(each, _NAMED[section]) for each in getattr(rules, section)]
    if name not in named:
        return None
    loc: Loc = (section, named.index(name), *(inner.split(".") if inner else ()))
    return places.of(loc)


_NAMED = {"rule": "id", "auto_review": "id", "tier": "name", "group": "name"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a member may do; of one customer, the request they would make now, judged."""

    standing: Standing
    userid: str
    action: str
    lent: frozenset[str] = frozenset()  # actions, for a time
    request: Request | None = None

    @property
    def by_table(self) -> Outcome:
        """What the permission table alone says, with what is lent."""
        book, level = self.standing.policy.rulebook, self.standing.level(self.userid)
        return policy.permission(book, self.action, level, self.lent)

    @property
    def outcome(self) -> Outcome:
        """What the rules say, or else the permission table alone."""
        return self.request.verdict.outcome if self.request else self.by_table

    @property
    def tightening(self) -> tuple[str, ...]:
        """The rules that are enforced on the action."""
        book = self.standing.policy.rulebook
        on = (rule for rule in book.rule if self.action in rule.action)
        return tuple(r.id for r in on if (r.mode or book.defaults.mode) == "enforce")

    def decision(self) -> Decision | None:
        """Return the decision about the customer, if one was named."""
        if self.request is None:
            return None
        facts, at = self.request.facts, self.request.created_at
        return Decision.of(self.standing.policy, facts, self.action, at)


def rights(asked: Asked, file: File, now: datetime) -> Iterator[str]:
    """Return what a member may do by level and which rules may still say otherwise; or, with one
    customer, what they do say.
    """
    standing, voice = asked.standing, file.voice
    member = standing.directory.member(asked.userid)
    yield voice(
        "can.head",
        name=member.name if member else asked.userid,
        level=standing.level(asked.userid),
        roles=voice.listed(sorted(standing.roles(asked.userid))) or voice("level.none"),
        action=voice.action(asked.action),
        outcome=voice.outcome(standing.may(asked.userid, asked.action)),
    )
    if asked.action in asked.lent:
        yield voice("can.lent", outcome=voice.outcome(asked.by_table))
    if asked.request is not None and (decision := asked.decision()):
        yield voice("can.customer", customer=asked.request.subject.name)
        yield from decided(decision, file, now)
        yield from _overruled(asked.request.verdict, voice)
    elif asked.tightening and asked.by_table is not Outcome.DENY:
        yield voice("can.rules", rules=voice.listed(asked.tightening))


# --- for scripts


def as_json(decision: Decision, file: File, now: datetime) -> Mapping[str, object]:
    """Return a decision for scripts."""
    verdict, adviser = decision.verdict, _adviser(decision, file, now)
    return {
        "action": decision.action,
        "at": decision.at.isoformat(),
        "outcome": verdict.outcome.word,
        "reason": verdict.reason.value,
        "rules": list(verdict.rules),
        "say": list(verdict.say),
        "missing": list(verdict.missing),
        "auto_review": verdict.auto_review,
        "chain": _chain_json(verdict, file.rules),
        "other_chains": list(verdict.other_chains),
        "shadow": None if verdict.shadow is None else verdict.shadow.word,
        "shadow_rules": list(verdict.shadow_rules),
        "policy": verdict.policy,
        "trace": [
            {
                "place": line.place,
                "line": place.line if place else None,
                "depth": line.depth,
                "result": line.result,
                "value": line.note,
            }
            for line, place in _placed(verdict, file)
        ],
        "nearest": advice.as_json(decision.nearest, map(adviser.change, decision.nearest.changes)),
    }


def _chain_json(verdict: Verdict, rules: Rulebook) -> Mapping[str, object] | None:
    if verdict.chain is None:
        return None
    stages = [
        {
            "groups": [{"from": list(g.sources), "need": g.need} for g in stage.groups],
            "deny": stage.deny,
        }
        for stage in _stages(verdict, rules)
    ]
    return {"name": verdict.chain, "stages": stages}


def request_json(request: Request) -> Mapping[str, object]:
    """Return what a request was and what was decided then, for scripts."""
    return {
        "id": request.id,
        "requester": request.requester.userid,
        "customer": request.subject.name,
        "state": request.state.value,
        "outcome": request.verdict.outcome.word,
        "overruled": request.verdict.overruled,
        "policy": request.verdict.policy,
    }


def rights_json(asked: Asked, file: File, now: datetime) -> Mapping[str, object]:
    """Return what a member may do, for scripts."""
    standing, decision = asked.standing, asked.decision()
    told: dict[str, object] = {
        "who": asked.userid,
        "level": standing.level(asked.userid),
        "roles": sorted(standing.roles(asked.userid)),
        "action": asked.action,
        "by_level": standing.may(asked.userid, asked.action).word,
        "lent": asked.action in asked.lent,
        "rules": list(asked.tightening),
        "outcome": asked.outcome.word,
    }
    if asked.request is not None and decision is not None:
        told["customer"] = asked.request.subject.external_userid
        told["overruled"] = asked.request.verdict.overruled
        told["decision"] = as_json(decision, file, now)
    return told
