"""What `menwei explain` and `menwei can` print: the steps of a decision, with their lines."""

from __future__ import annotations

from collections.abc import Iterator

from bot.places import Place, Places
from bot.texts import Texts
from workflows.mistakes import Loc
from workflows.model import Outcome, Request, TraceLine, Verdict
from workflows.sections import Rulebook
from workflows.standing import Standing


def explained(
    request: Request, now: Verdict, rules: Rulebook, text: str, voice: Texts
) -> Iterator[str]:
    """Return how a request was judged, and step by step how the rules of `text` judge it.

    Its facts are those of the day; `now` is the verdict of the file on them, traced.
    """
    then = request.verdict
    yield voice(
        "explain.head",
        id=request.id,
        requester=request.requester.name,
        action=voice.action(request.action),
        customer=request.subject.name,
        outcome=voice.outcome(then.outcome),
        state=voice.state(request.state),
    )
    key = "explain.same" if then.policy == now.policy else "explain.other"
    yield voice(key, then=then.policy, now=now.policy, outcome=voice.outcome(now.outcome))
    yield from traced(now, rules, text)


def traced(verdict: Verdict, rules: Rulebook, text: str) -> Iterator[str]:
    """Return one line for each permission, tier, group, rule and leaf."""
    places = Places(text)
    for line in verdict.trace:
        found = _place(line, rules, places)
        where = f"{found.line:>4}" if found else "    "
        said = f"{'  ' * line.depth}{line.sign} {line.place}  {line.note}"
        yield f"{where}  {said}".rstrip()


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


def rights(standing: Standing, userid: str, action: str, voice: Texts) -> Iterator[str]:
    """Return what a member may do by level, and which rules may still say otherwise."""
    member = standing.directory.member(userid)
    book = standing.policy.rulebook
    may = standing.may(userid, action)
    yield voice(
        "can.head",
        name=member.name if member else userid,
        level=standing.level(userid),
        roles=voice.listed(sorted(standing.roles(userid))) or voice("level.none"),
        action=voice.action(action),
        outcome=voice.outcome(may),
    )
    tighter = [rule.id for rule in book.rule if action in rule.action and rule.mode != "off"]
    if tighter and may is not Outcome.DENY:
        yield voice("can.rules", rules=voice.listed(tighter))
