"""打标签, 去标签: corp tags on one's own customers, or on those of the people one leads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from bot.actions import choosing, deciding, filing, judging, knowing, rejudging
from bot.actions.choosing import Known, Wish
from bot.actions.scene import Scene
from bot.wecom import ExternalContact, cut_characters
from workflows import facts, tagging
from workflows.claims import Claim
from workflows.model import Origin, Request, State, Subject
from workflows.plans import Tagging
from workflows.steps import Executed, ExecutionFailed, Refused, Step

TAG = "customer.tag"
PUT_ON, TAKE_OFF = "tag", "untag"
_SHOWN = 30  # tags in one message
_LONGEST_REASON = 200


def ask(scene: Scene, userid: str, verb: str, text: str, known: Sequence[str]) -> None:
    """Take a command in the words of a member; `known` are all corp tags. Raises Refused."""
    said = tagging.split(text, known)
    if not known:
        raise Refused("no_tags")
    if said.unknown:
        raise _unknown(said.unknown, known)
    if not said.tags:
        raise Refused("which_tag", tags=tuple(known[:_SHOWN]))
    own = _marks(scene) & set(said.tags)
    if own:
        raise Refused("tag_of_rules", tag=min(own))
    go_on(scene, userid, Wish(verb, said.whom, said.reason, said.tags))


def _unknown(word: str, known: Sequence[str]) -> Refused:
    tags = tuple(known[:_SHOWN])
    if meant := tagging.meant(word, known):
        return Refused("unknown_tag_near", tag=word, meant=meant, tags=tags)
    return Refused("unknown_tag", tag=word, tags=tags)


def _marks(scene: Scene) -> set[str]:
    """Return the tags by which the rules themselves mark customers."""
    wishes = scene.book.enforcement.values()
    return {part.tag for each in wishes for part in (each.pending, each.denied)} - {""}


def go_on(scene: Scene, userid: str, wish: Wish) -> None:
    """Find out who is meant, and file the request. Raises Refused."""
    owner, words = choosing.whose(scene, userid, wish.whom)
    found = choosing.meant(scene, userid, wish, owner, words)
    if found is None:
        return  # asked back
    if len(found) != 1:
        raise Refused("one_customer")
    known = found[0]
    has = set(known.relation.tags)
    puts_on = wish.verb == PUT_ON
    tags = tuple(tag for tag in wish.tags if (tag in has) is not puts_on)
    if not tags:
        key = "tag.there_already" if puts_on else "tag.not_there"
        scene.tell([userid], key, customer=known.called, tags=wish.tags)
        return
    plan = Tagging(
        owner,
        known.customer.external_userid,
        add=tags if puts_on else (),
        remove=() if puts_on else tags,
    )
    filing.file(scene, _draft(scene, userid, known, plan, wish.rest))


def _draft(scene: Scene, userid: str, known: Known, plan: Tagging, said: str) -> Request:
    external, reason = plan.external_userid, cut_characters(said, _LONGEST_REASON)
    base = {
        **judging.acting(scene, userid),
        **judging.about(scene, userid, external),
        **facts.of_wish(reason),
    }
    tags = (*plan.add, *plan.remove)
    chosen, verdict = rejudging.judge(
        scene, TAG, [{**base, "request.tag": tag} for tag in tags], tags
    )
    key = f"tag:{plan.userid.lower()}:{external}:{_words(plan.add, plan.remove)}"
    return Request(
        id=scene.new_id(),
        action=TAG,
        origin=Origin.ASKED,
        requester=scene.person(userid),
        subject=Subject(key, f"{known.called} {_words(plan.add, plan.remove)}", external),
        claim=Claim(reason=reason),
        facts=chosen,
        verdict=verdict,
        created_at=scene.now,
        plan=plan,
    )


def _words(add: Iterable[str], remove: Iterable[str]) -> str:
    """Return the change in short: '+VIP -潜在'."""
    return " ".join([*(f"+{tag}" for tag in add), *(f"-{tag}" for tag in remove)])


def again(scene: Scene, userid: str, request: Request, plan: Tagging) -> None:
    """Ask once more for what was refused, has run out or has failed, by the rules of now."""
    external = plan.external_userid
    found = scene.tx.relations.customers_of(plan.userid)
    known = next((Known(r, c) for r, c in found if c.external_userid == external), None)
    if known is None:
        raise Refused("no_such_customer", who=request.subject.name, owner=plan.userid)
    filing.file(scene, _draft(scene, userid, known, plan, request.claim.reason))


# What WeCom answered


def done(scene: Scene, request_id: str, contact: ExternalContact | None) -> None:
    """Take note that the tags are as approved; `contact` is how WeCom shows the customer now."""
    request = scene.tx.requests.get(request_id)
    if request is None or not isinstance(request.plan, Tagging):
        return
    plan = request.plan
    if contact is not None:
        knowing.remember(scene, contact)
    follower = knowing.follower(contact, plan.userid)
    seen = None if follower is None else {tag.tag_name for tag in follower.tags}
    is_so = seen is not None and seen >= set(plan.add) and not seen & set(plan.remove)
    if seen is not None and not is_so:
        failed(scene, request, scene.company("tag.not_as_asked"))
        return
    scene.record(
        "tagging.done", request, added=list(plan.add), removed=list(plan.remove), seen=is_so
    )
    if _advance(scene, request, Executed()):
        to = [request.requester.userid]
        scene.tell(to, "tag.done", id=request.id, customer=request.subject.name)


def failed(scene: Scene, request: Request, why: str) -> None:
    """Say that an approved request could not be carried out."""
    _advance(scene, request, ExecutionFailed(why))


def _advance(scene: Scene, request: Request, step: Step) -> bool:
    if request.state not in {State.APPROVED, State.EXECUTION_FAILED}:
        return False
    with suppress(Refused):
        deciding.advance(scene, request, step)
        return True
    return False
