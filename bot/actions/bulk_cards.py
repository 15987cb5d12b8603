"""What an approver sees of a list: sums by tier and group, who stands out, and every line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from bot.actions.scene import Scene
from bot.cards import Sheet
from bot.wecom import cut_characters
from workflows import bulk
from workflows.model import Request
from workflows.plans import Line

_LONGEST = {"name": 10, "company": 10, "short": 5, "why": 24}  # characters: fifty lines fit
_IN_A_ROW = 4  # lines that do not stand out, in one line of the details


def completed(scene: Scene, request: Request, sheet: Sheet) -> Sheet:
    """Return the sheet of a list with what its approver needs to know."""
    say, lines = scene.company, bulk.kept(request)
    rows = {
        "requester": _requester(sheet),
        "count": say("card.list.people", count=len(lines)),
        "tiers": _sums(scene, Counter(_tier(scene, line) for line in lines)),
        "groups": _sums(scene, Counter(each for line in lines for each in _groups(scene, line))),
        "notice": _sums(scene, Counter(each for line in lines for each in _signs(scene, line))),
        "adds": "" if sheet.adds_today is None else str(sheet.adds_today),
    }
    return replace(
        sheet,
        reason=cut_characters(request.claim.reason, 120),
        rows=tuple((say(f"card.list.{key}"), value) for key, value in rows.items() if value),
        lines=tuple(_details(scene, request, lines)),
    )


def _requester(sheet: Sheet) -> str:
    parts = (sheet.requester, *sheet.departments[:1], sheet.position or sheet.level)
    return " · ".join(part for part in parts if part)


def _sums(scene: Scene, counted: Mapping[str, int]) -> str:
    return scene.company.listed(f"{word} {count}" for word, count in counted.items())


def _tier(scene: Scene, line: Line) -> str:
    named = {each.name: each.title or each.name for each in scene.book.tier}
    return named.get(line.tier) or scene.company("word.unknown")


def _groups(scene: Scene, line: Line) -> list[str]:
    return [each.title or each.name for each in scene.book.group if each.name in line.groups]


def _signs(scene: Scene, line: Line) -> Iterator[str]:
    """Yield why a line deserves a look of its own: colleagues who follow, facts that lack."""
    if line.owners:
        yield scene.company("card.list.followed")
    if line.missing:
        yield scene.company("card.list.unknown")


def _stands_out(scene: Scene, line: Line) -> bool:
    tiers = scene.book.tier
    ordinary = not tiers or line.tier == tiers[-1].name
    return not ordinary or any(_signs(scene, line))


def _details(scene: Scene, request: Request, lines: Iterable[Line]) -> Iterator[str]:
    """Yield first the lines that stand out, in full, and then all others: the end may be cut."""
    out = tuple(map(str, sorted(bulk.refusals(request))))
    if out:
        yield str(scene.theirs("card.list.out", lines=out))
    others = []
    for line in lines:
        if _stands_out(scene, line):
            yield _in_full(scene, line)
        else:
            others.append(_in_short(line))
    for start in range(0, len(others), _IN_A_ROW):
        yield "；".join(others[start : start + _IN_A_ROW])
    yield scene.company("card.list.except", id=request.id)


def _in_full(scene: Scene, line: Line) -> str:
    say, known = scene.company, scene.policy.known.registry
    parts = [
        cut_characters(line.claim.company, _LONGEST["company"]),
        _tier(scene, line) if scene.book.tier else "",
        *_groups(scene, line),
        say.listed(scene.person(each).name for each in line.owners[:3]),
        *(str(scene.theirs.word(known[name])) + "？" for name in line.missing[:2] if name in known),
        cut_characters(line.claim.reason, _LONGEST["why"]),
    ]
    name = cut_characters(line.claim.name, _LONGEST["name"])
    return f"{line.number} {name} " + " · ".join(part for part in parts if part)


def _in_short(line: Line) -> str:
    name = cut_characters(line.claim.name, _LONGEST["short"])
    return f"{line.number} {name} {cut_characters(line.claim.company, _LONGEST['short'])}".strip()
