"""What an approver sees of an outsider who has come into a customer group."""

from __future__ import annotations

from dataclasses import replace

from bot.actions.scene import Scene
from bot.cards import Sheet
from workflows.model import Request
from workflows.plans import Joining


def completed(scene: Scene, request: Request, plan: Joining, sheet: Sheet) -> Sheet:
    """Return the sheet of a join with the group, how they came in, and who they are."""
    say = scene.company
    chat = scene.tx.chats.get(plan.chat_id)
    outsider = scene.tx.chats.outsider(plan.chat_id, plan.external_userid)
    invited = bool(outsider and outsider.invited_by)
    way = "code" if plan.by_code else "invited" if invited else "link"
    rows = {
        "chat": chat.name if chat else "",
        "owner": scene.person(chat.owner).name if chat else "",
        "way": say(f"card.join.by_{way}", name=request.requester.name),
        "customer": str(request.facts.get("customer.name", "")),
        "kinds": " · ".join([sheet.tier or "", *(sheet.groups or ()), *(sheet.tags or ())]).strip(
            " ·"
        ),
        "followers": say.listed(sheet.followers) if sheet.followers else "",
    }
    return replace(
        sheet,
        rows=tuple((say(f"card.join.{key}"), value) for key, value in rows.items() if value),
        lines=(say("card.join.cannot"),),
    )
