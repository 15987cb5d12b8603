"""What `menwei diff` prints: what a change of the file widens or tightens, and for whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from bot.texts import Texts
from workflows.differences import Difference
from workflows.edits import Edit, How, Report
from workflows.model import Facts, Verdict


def lines(found: Report, voice: Texts, name: Callable[[str], str] = str) -> Iterator[str]:
    """Return the report for people: in sum, edit by edit, then in people and actions.

    `name` says how a userid is shown.
    """
    if found.is_empty:
        yield voice("diff.nothing")
        return
    yield voice(f"diff.sum.{found.comparison.tendency.value}")
    yield from rules(found, voice)
    if found.edits:
        yield voice("diff.edits")
        yield from (_edit(each, voice) for each in found.edits)
    if found.settings:
        yield voice("diff.settings", places=voice.listed(found.settings))
    if found.role_shifts or found.shifts:
        yield voice("diff.people")
        yield from people(found, voice, name)


def people(found: Report, voice: Texts, name: Callable[[str], str]) -> Iterator[str]:
    """Return who gains or loses which role or action; `name` says how a userid is shown."""
    for role in found.role_shifts:
        key = "permissions.role_gained" if role.gained else "permissions.role_lost"
        yield voice(key, who=voice.listed(map(name, role.userids)), role=role.role)
    for shift in found.shifts:
        yield voice(
            "permissions.action_gained" if shift.gained else "permissions.action_lost",
            who=voice.listed(map(name, shift.userids)),
            action=voice.action(shift.action),
            before=voice.outcome(shift.before),
            after=voice.outcome(shift.after),
        )


def rules(found: Report, voice: Texts) -> Iterator[str]:
    """Return what the rules say differently, each with an example."""
    for difference in found.comparison.differences:
        yield from _difference(difference, voice)
    for action in found.comparison.unfinished:
        yield voice("diff.unfinished", action=voice.action(action))


def _difference(found: Difference, voice: Texts) -> Iterator[str]:
    yield voice(
        f"diff.{found.direction.value}",
        action=voice.action(found.action),
        before=_verdict(found.before, voice),
        after=_verdict(found.after, voice),
        because=voice.listed(found.because),
    )
    yield voice("diff.witness", at=f"{found.at:%Y-%m-%d %H:%M}", facts=_facts(found.witness))


def _verdict(verdict: Verdict, voice: Texts) -> str:
    chain = f" ({verdict.chain})" if verdict.chain else ""
    return f"{voice.outcome(verdict.outcome)}{chain}"


def _facts(facts: Facts) -> str:
    shown = (f"{name} = {_value(value)}" for name, value in sorted(facts.items()))
    return ", ".join(shown) or "-"


def _value(value: object) -> str:
    return f"[{', '.join(sorted(value))}]" if isinstance(value, frozenset) else str(value)


def _edit(edit: Edit, voice: Texts) -> str:
    effect = edit.alone.tendency if edit.alone else None
    key = "diff.alone.wording" if edit.how is How.WORDING else f"diff.alone.{effect or 'unknown'}"
    return voice("diff.edit", place=edit.place, how=voice(f"diff.how.{edit.how}"), alone=voice(key))


def as_json(found: Report) -> Mapping[str, object]:
    """Return the report for scripts."""
    return {
        "widening": found.is_widening,
        "tendency": found.comparison.tendency,
        "unfinished": list(found.comparison.unfinished),
        "differences": [_difference_json(each) for each in found.comparison.differences],
        "edits": [
            {"place": e.place, "how": e.how, "alone": e.alone.tendency if e.alone else None}
            for e in found.edits
        ],
        "settings": list(found.settings),
        "roles": [
            {"role": s.role, "gained": s.gained, "members": list(s.userids)}
            for s in found.role_shifts
        ],
        "actions": [
            {
                "action": s.action,
                "before": s.before.word,
                "after": s.after.word,
                "members": list(s.userids),
            }
            for s in found.shifts
        ],
    }


def _difference_json(found: Difference) -> Mapping[str, object]:
    return {
        "action": found.action,
        "direction": found.direction,
        "before": {"outcome": found.before.outcome.word, "chain": found.before.chain},
        "after": {"outcome": found.after.outcome.word, "chain": found.after.chain},
        "because": list(found.because),
        "at": found.at.isoformat(),
        "witness": {
            name: sorted(value) if isinstance(value, frozenset) else value
            for name, value in found.witness.items()
        },
    }
