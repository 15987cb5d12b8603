"""What judging again came to, in words for the command line and in chat, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.texts import Text, Texts
from workflows.differences import Direction
from workflows.replaying import Affected, Judged, Tally
from workflows.sections import Rulebook
from workflows.shadowing import Trial, Trials

_ORDER = (Direction.STRICTER, Direction.LOOSER, Direction.OTHER_CHAIN)


def lines(tally: Tally, voice: Texts, zone: ZoneInfo, now: datetime) -> Iterator[Text]:
    """Return a tally for people: the sums, whom it affects most, and decisions one by one."""
    yield sums(tally, voice)
    for name, count in (("left", tally.have_left), ("unknown", tally.unknown_version)):
        if count:
            yield voice(f"replay.{name}", count=count)
    if tally.people:
        yield voice("replay.people")
        yield from (voice("replay.item", what=affected(e, voice)) for e in tally.most_affected())
    for name, count, listed in _lists(tally):
        if count:
            yield voice(f"replay.{name}", count=count, listed=len(listed))
            yield from (_decision(each, voice, zone, now) for each in listed)


def sums(tally: Tally, voice: Texts) -> Text:
    """Return how many decisions stay and how many change which way."""
    return voice(
        "replay.sums",
        total=tally.total,
        unchanged=tally.unchanged,
        **{direction.value: tally.counts[direction] for direction in Direction},
    )


def affected(found: Affected, voice: Texts) -> Text:
    """Return a person with how often what would change for them."""
    counts = voice.listed(
        voice(f"replay.count.{direction.value}", count=found.counts[direction])
        for direction in _ORDER
        if found.counts[direction]
    )
    return voice("replay.person", name=found.person.name, counts=counts)


def _lists(tally: Tally) -> tuple[tuple[str, int, list[Judged]], ...]:
    denied = ("denied", tally.now_denied, tally.denied)
    return (denied, ("allowed", tally.now_allowed, tally.allowed))


def _decision(judged: Judged, voice: Texts, zone: ZoneInfo, now: datetime) -> Text:
    decision = judged.decision
    return voice(
        "replay.decision",
        id=decision.id,
        when=voice.when(decision.created_at, zone, now),
        who=decision.requester.name,
        customer=decision.subject.name,
        before=voice.outcome(decision.verdict.outcome),
        after=voice.outcome(judged.after.outcome),
        because=voice.listed(judged.because),
    )


def trials(found: Trials, rules: Iterable[str], book: Rulebook, voice: Texts) -> Iterator[Text]:
    """Return a line for each of these rules on trial: what it would have done."""
    titles = {rule.id: rule.title for rule in book.rule}
    for rule in rules:
        name = voice("shadow.titled", rule=rule, title=titles[rule]) if titles.get(rule) else rule
        yield _trial(name, found.of[rule], voice)


def _trial(name: str, trial: Trial, voice: Texts) -> Text:
    counts = {"approval": trial.approval, "denied": trial.denied, "chain": trial.other_chain}
    rest = trial.hits - sum(counts.values())
    said = [voice(f"shadow.hit.{what}", count=count) for what, count in counts.items() if count]
    if rest:
        said.append(voice("shadow.hit.same", count=rest))
    if not said:
        return voice("shadow.no_hits", rule=name)
    return voice("shadow.hits", rule=name, count=trial.hits, what=voice.listed(said))


def as_json(tally: Tally) -> Mapping[str, object]:
    """Return a tally for scripts."""
    return {
        "decisions": tally.total,
        "unchanged": tally.unchanged,
        **_counts(tally.counts),
        "senders_left": tally.have_left,
        "versions_unknown": tally.unknown_version,
        "people": [
            {"userid": e.person.userid, "name": e.person.name, **_counts(e.counts)}
            for e in tally.most_affected()
        ],
        **{
            f"now_{name}": {"count": count, "listed": [_decision_json(each) for each in listed]}
            for name, count, listed in _lists(tally)
        },
    }


def _counts(counts: Mapping[Direction, int]) -> Mapping[str, int]:
    return {direction.value: counts[direction] for direction in _ORDER}


def _decision_json(judged: Judged) -> Mapping[str, object]:
    decision, before = judged.decision, judged.decision.verdict
    return {
        "id": decision.id,
        "at": decision.created_at.isoformat(),
        "action": decision.action,
        "userid": decision.requester.userid,
        "member": decision.requester.name,
        "customer": decision.subject.name,
        "before": {"outcome": before.outcome.word, "chain": before.chain, "policy": before.policy},
        "after": {"outcome": judged.after.outcome.word, "chain": judged.after.chain},
        "because": list(judged.because),
    }


def trials_json(found: Trials) -> list[Mapping[str, object]]:
    """Return what rules on trial would have done, for scripts."""
    return [
        {
            "rule": rule,
            "hits": trial.hits,
            "approval": trial.approval,
            "denied": trial.denied,
            "other_chain": trial.other_chain,
        }
        for rule, trial in found.of.items()
    ]
