"""What somebody sees who has to agree that a leaver's customers are taken over: totals, not names.

Customers who were never allowed, and those of the tiers and groups that the file names, are told
apart; everything else is a number.
"""

from __future__ import annotations

from dataclasses import replace

from bot.actions import leaver_news, unassigned
from bot.actions.scene import Scene
from bot.cards import Sheet
from bot.texts import Text
from bot.wording import Lines, Words
from workflows.leaving import Handover
from workflows.masking import plain
from workflows.model import Request
from workflows.plans import TakeOver


def completed(scene: Scene, request: Request, plan: TakeOver, sheet: Sheet) -> Sheet:
    """Return the sheet with totals by taker and kind, and what is out of the ordinary."""
    found = scene.tx.leavers.handover(request.id)
    if found is None:
        return sheet
    values = {
        "giver": scene.company("takeover.giver", who=leaver_news.former_name(scene, plan.of)),
        "taker": _shares(scene, found),
        "count": str(plan.count),
        "kinds": _kinds(scene, found),
        "chats": str(plan.chats) if plan.chats else "",
        "held": str(found.held_count) if found.held_count else "",
    }
    rows = tuple(
        (str(scene.company(f"card.takeover.{key}")), plain(str(value)))
        for key, value in values.items()
        if value
    )
    return replace(sheet, rows=rows, lines=_lines(scene, found))


def _shares(scene: Scene, found: Handover) -> str:
    words = [
        Words("takeover.share", {"who": scene.person(who).name, "count": n})
        for who, n in found.shares.items()
    ]
    if not words:
        return scene.company.listed([scene.person(who).name for who in found.plan.to])
    return str(scene.theirs.word(Lines(tuple(words), scene.company("word.separator"))))


def _kinds(scene: Scene, found: Handover) -> str:
    lines = unassigned.kinds_of(scene, found.tiers, found.groups)
    return str(scene.theirs.word(replace(lines, separator=scene.company("word.separator"))))


def _lines(scene: Scene, found: Handover) -> tuple[Text, ...]:
    lines = []
    if len(found.plan.to) > 1:
        lines.append(scene.company("takeover.how_shared"))
    if found.held:
        lines.append(scene.theirs("takeover.held", count=found.held_count, names=found.held))
    return tuple(lines)
