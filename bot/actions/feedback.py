"""反馈: a word to the admins about the bot, or about how one request went."""

from __future__ import annotations

from bot.actions import queries, reasons
from bot.actions.scene import Scene
from bot.command_arguments import is_id
from bot.wecom import cut_characters
from workflows import masking
from workflows.model import Request, same_user

_LONGEST = 300


def give(scene: Scene, userid: str, text: str) -> None:
    """Put a word on record and tell the admins; one that names a request comes with its rules."""
    first, _, rest = text.strip().partition(" ")
    request = _about(scene, userid, first)
    said = cut_characters(masking.mask_text(rest if request and rest else text), _LONGEST)
    rules = request.verdict.rules if request else ()
    scene.record("feedback", request, who=(userid, ""), said=said, by=userid, rules=list(rules))
    words = {"who": scene.person(userid).name, "what": said}
    admins = [each for each in scene.standing.admins if not same_user(each, userid)]
    if request is None:
        scene.tell(admins, "feedback.told", **words)
    else:
        about = {"id": request.id, "customer": request.subject.name, "state": request.state}
        why = reasons.why(scene, request)
        scene.tell(admins, "feedback.told_of", why=why, **about, **words)
    scene.tell([userid], "feedback.thanks")


def _about(scene: Scene, userid: str, word: str) -> Request | None:
    """Return the request that a word names, if the member has a part in it."""
    request = scene.tx.requests.get(word) if is_id(word) else None
    return request if request and queries.concerns(scene, userid, request) else None
