"""What members look up in chat: their own requests, what waits for them, stories, rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import islice
from types import MappingProxyType

from bot.actions import disputes, former, looking_back, waiving
from bot.actions.scene import Scene
from bot.texts import Text, joined
from bot.wecom import cut_characters
from workflows import approval, masking, similar, timing
from workflows.approvers import ids_of
from workflows.model import Outcome, Request, State, same_user
from workflows.references import PLACEHOLDER
from workflows.steps import Refused

_SHOWN = 10
_GROUPS = 8
_GROUPED = 100  # requests looked through for those that are alike
_LONGEST_SEARCH = 60  # characters; databases refuse patterns without end
_IN_LINE = {"requester": 8, "customer": 12, "reason": 20}  # characters: ten lines fit a message
_SEARCHED = 200  # hits looked through for what the member may see


def mine(scene: Scene, userid: str) -> None:
    """Show a member's newest requests, who holds each, how long they usually take, until when."""
    found = scene.tx.requests.by_requester(userid, _SHOWN)
    found = [each for each in found if former.is_own(scene, userid, each)]
    if not found:
        scene.tell([userid], "mine.none")
        return
    waited_for = [person for each in found for person in approval.waiting_for(each)]
    usual = looking_back.usual_times(scene, waited_for)
    head = scene.mine("mine.head", count=len(found))
    lines = (disputes.protected(scene, each, _line(scene, each, usual)) for each in found)
    scene.answer(userid, joined([head, *lines]))


def _line(
    scene: Scene, request: Request, usual: Mapping[str, timedelta] = MappingProxyType({})
) -> Text:
    words = {
        "id": request.id,
        "customer": _short("customer", request.subject.name),
        "state": request.state,
        "when": request.created_at,
    }
    if request.state is not State.PENDING:
        return scene.mine("mine.line", **words)
    waiting = approval.waiting_for(request)
    words |= {"who": tuple(person.name for person in waiting), "due": request.due_at}
    times = [usual[each] for each in ids_of(waiting) if each in usual]
    if timing.is_sent_back(request):
        return scene.mine("mine.line_sent_back", **words)
    if not times:
        return scene.mine("mine.line_pending", **words)
    return scene.mine("mine.line_usual", usual=scene.texts.span(min(times)), **words)


def _short(what: str, text: str) -> str:
    return cut_characters(text, _IN_LINE[what])


def todo(scene: Scene, userid: str) -> None:
    """Show what waits for a member's decision, the oldest first, what is alike together."""
    found = scene.tx.requests.pending_for(userid, _GROUPED)
    if not found:
        scene.tell([userid], "todo.none")
        return
    count = scene.tx.requests.count_pending_for(userid)
    groups = similar.grouped(found)
    lines = [_todo_line(scene, group) for group in groups[:_GROUPS]]
    alike = next((group[0].id for group in groups[:_GROUPS] if len(group) > 1), "")
    head = scene.mine("todo.head", count=count)
    foot = [scene.mine("todo.foot", id=found[0].id)]
    if alike:
        foot.append(scene.mine("todo.foot_similar", id=alike))
    scene.answer(userid, joined([head, *lines, *foot]))


def _todo_line(scene: Scene, group: tuple[Request, ...]) -> Text:
    request = group[0]
    words = {
        "id": request.id,
        "requester": _short("requester", request.requester.name),
        "customer": _short("customer", request.subject.name),
        "reason": _short("reason", masking.mask_text(request.claim.reason)),
        "due": request.due_at,
    }
    if len(group) == 1:
        return scene.mine("todo.line", **words)
    return scene.mine("todo.line_similar", count=len(group), **words)


def may_see(scene: Scene, userid: str, target: str) -> bool:
    """Whether a member may look at another's affairs: their supervisors and the admins may."""
    above = scene.directory.manager_of(target)
    return any(same_user(each, userid) for each in (*above, *scene.standing.admins))


def look(scene: Scene, userid: str, what: str) -> None:
    """Tell the story of a request, or list the requests about a customer or by a member."""
    what = cut_characters(what, _LONGEST_SEARCH)
    hits = scene.tx.requests.search(what, _SEARCHED)
    found = list(islice((each for each in hits if concerns(scene, userid, each)), _SHOWN))
    if not found:
        raise Refused("nothing_found", what=what)
    if len(found) == 1 or found[0].id == what.upper():
        scene.answer(userid, story(scene, found[0]))
        return
    lines = [scene.mine("look.head", count=len(found)), *(_line(scene, each) for each in found)]
    scene.answer(userid, joined(lines))


def concerns(scene: Scene, userid: str, request: Request) -> bool:
    """Whether a member has a part in a request, or stands above who has."""
    people = (request.requester, *request.approvers, *(vote.by for vote in request.votes))
    if any(same_user(person.userid, userid) for person in people):
        return not former.is_formers(scene, userid, request.created_at)
    return may_see(scene, userid, request.requester.userid)


def story(scene: Scene, request: Request) -> Text:
    """Return what the record says of a request, line by line, phone numbers masked."""
    head = scene.mine(
        "look.story",
        id=request.id,
        requester=request.requester.name,
        action=scene.texts.action(request.action),
        customer=request.subject.name,
        phone=masking.mask_phone(request.claim.phone) or scene.mine("word.none"),
        state=request.state,
    )
    return joined([head, *_events(scene, request)])


def _events(scene: Scene, request: Request) -> Iterable[Text]:
    for record in scene.tx.audit.of_request(request.id):
        kind, _, who = record.actor.partition(":")
        is_person = kind == "user"
        actor = scene.person(who).name if is_person else waiving.named(scene, record.actor)
        comment = str(record.detail.get("comment", ""))
        yield scene.mine(
            "look.event_said" if comment else "look.event",
            when=record.at,
            who=actor,
            what=scene.texts.either(f"event.{record.kind}", "event.other", kind=record.kind),
            comment=comment,
        )


def rules(scene: Scene, userid: str) -> None:
    """Show the rules in force, in the words they say to people."""
    lines = [scene.mine("rules.head", hash=scene.policy.hash)]
    for rule in scene.book.rule:
        mode = rule.mode or scene.book.defaults.mode
        if mode == "off":
            continue
        then = scene.texts.outcome(Outcome[rule.then.upper()])
        lines.append(
            scene.mine(
                "rules.line_shadow" if mode == "shadow" else "rules.line",
                id=rule.id,
                then=then,
                say=PLACEHOLDER.sub("N", rule.say) or rule.title,
            )
        )
    scene.answer(userid, joined([*lines, scene.mine("rules.foot")]))
