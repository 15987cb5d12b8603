"""What members in a conflict are told: who asks, masked; who has to approve, in full."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from bot import conflict_cards, outgoing
from bot.actions import conflicts
from bot.actions.conflicts import Conflict
from bot.actions.scene import Scene
from bot.conflict_cards import Face
from bot.texts import Text
from bot.verbs import verb
from bot.wording import Wording, Words
from workflows import masking
from workflows.approvers import stage_of
from workflows.model import Card, CardState, Relation, Request, same_user
from workflows.owners import Wish
from workflows.protection import Standing

ADD = "friend.add"
_DAY = timedelta(days=1)
_NAMED = 3


def of_request(scene: Scene, request: Request) -> Conflict:
    """Return whom a request concerns, as things are now."""
    external = request.subject.external_userid
    customer = scene.tx.relations.customer(external) if external else None
    place = conflicts.place_of(scene, request)
    return conflicts.known(scene, request.requester.userid, customer, request.claim, place=place)


def observed(scene: Scene, request: Request) -> tuple[Relation, ...]:
    """Return whose customer it was whom somebody has added, and note it where it was anybody's."""
    external = request.subject.external_userid or ""
    customer = scene.tx.relations.customer(external)
    owners = conflicts.owners(scene, request.requester.userid, customer)
    if owners:
        conflicts.file(scene, request, [external])
    return owners


# Who asks


def tell(scene: Scene, request: Request, conflict: Conflict) -> None:
    """Tell who asks what is in the way and what they can do, without giving anybody away."""
    userid = request.requester.userid
    if not conflict.owners and not conflict.first:
        if conflict.company:
            words = {"id": request.id, "customer": request.subject.name}
            who = _masked_all(scene, [each.userid for each in conflict.company])
            scene.tell([userid], "conflict.company_only", who=who, **words)
        return
    wishes = wishes_in(conflict)
    face = _face(scene, request, conflict)
    buttons = [
        (scene.texts(f"conflict.wish.{wish}"), conflict_cards.wish_key(request.id, wish))
        for wish in wishes
    ]
    task = put_card(scene, request, userid)
    how = scene.texts("conflict.answer_hint", what=Text(" / ".join(_typed(scene, request, wishes))))
    card = conflict_cards.card(face, buttons, task)
    said = conflict_cards.text(face, how)
    scene.send(outgoing.SendCard(userid, task, card, said), key=f"card:{task}")


def wishes_in(conflict: Conflict) -> tuple[Wish, ...]:
    """Return what can be asked of whom: of an owner, or else of who reported first."""
    if conflict.owners:
        return (Wish.SHARE, Wish.HAND_OVER)
    is_list = conflict.first is not None and conflict.first.request.plan is not None
    return (Wish.YIELD,) if conflict.first and not is_list else ()


def _typed(scene: Scene, request: Request, wishes: Sequence[Wish]) -> list[str]:
    word = verb("ask_owner").word(scene.texts.language)
    zh = scene.texts.language.startswith("zh")
    names = {
        Wish.SHARE: "分享" if zh else "share",
        Wish.HAND_OVER: "转给我" if zh else "transfer",
        Wish.YIELD: "",
    }
    return [f"{word} {request.id} {names[wish]}".strip() for wish in wishes]


def _face(scene: Scene, request: Request, conflict: Conflict) -> Face:
    say = scene.mine
    rows: dict[str, object] = {}
    if conflict.owners:
        owner = conflict.owners[0]
        rows["owner"] = _masked_all(scene, [each.userid for each in conflict.owners])
        rows["match"] = say(f"conflict.match.{_match(request, owner)}")
        rows["since"] = say.word(_ago(scene, owner.added_at)) if owner.added_at else ""
    if first := conflict.first:
        who = masked(scene, first.request.requester.userid)
        rows["first"] = f"{who} · {say.word(_ago(scene, first.report.since))}"
    if conflict.company:
        rows["company"] = _masked_all(scene, [each.userid for each in conflict.company])
    return Face(
        source=say("conflict.source"),
        title=say("conflict.title", customer=masking.mask_text(request.subject.name)),
        about=say("conflict.about", id=request.id, state=request.state),
        said=say(f"conflict.next.{request.verdict.outcome.word}"),
        rows=[(say(f"conflict.key.{key}"), str(value)) for key, value in rows.items()],
    )


def _match(request: Request, owner: Relation) -> str:
    phone = masking.phone_digits(request.claim.phone)
    if phone and phone in owner.phones:
        return "phone"
    same = owner.external_userid == request.subject.external_userid
    return "customer" if same else "unionid"


def _ago(scene: Scene, at: datetime) -> Words:
    days = (scene.now - at) // _DAY
    return Words("conflict.days", {"count": days}) if days > 0 else Words("conflict.today")


def masked(scene: Scene, userid: str) -> Text:
    """Return a colleague as members may read of them: '李*（管理部）'."""
    name = masking.mask_name(scene.person(userid).name)
    unit = _unit(scene, userid)
    return scene.mine("conflict.masked", name=name, unit=unit) if unit else Text(name)


def _masked_all(scene: Scene, userids: Sequence[str]) -> Text:
    shown = scene.texts.listed(masked(scene, each) for each in userids[:_NAMED])
    if len(userids) <= _NAMED:
        return shown
    return scene.mine("conflict.more", who=shown, count=len(userids))


def full(scene: Scene, userid: str) -> str:
    """Return a colleague by name and department."""
    unit = _unit(scene, userid)
    name = masking.plain(scene.person(userid).name)
    return scene.theirs("conflict.masked", name=name, unit=unit) if unit else name


def _unit(scene: Scene, userid: str) -> str:
    member = scene.directory.member(userid)
    number = (member.main_department or next(iter(member.departments), 0)) if member else 0
    unit = scene.directory.departments.get(number)
    return unit.name if unit else ""


# Cards


def card_row(request_id: str) -> str:
    """Return under what the cards of a conflict are kept, apart from those that ask for votes."""
    return f"D-{request_id}"


def put_card(scene: Scene, request: Request, userid: str) -> str:
    """Keep a new card for one member, and return its id, which is never used again."""
    row = card_row(request.id)
    number = len(scene.tx.cards.of_request(row))
    short = hashlib.sha256(f"{row}|{number}|{userid.lower()}".encode()).hexdigest()[:12]
    task = f"mw-{request.id}-d{number}-{short}"
    scene.tx.cards.add(Card(task, row, 0, userid, CardState.OPEN))
    return task


# Who approves


def evidence(scene: Scene, request: Request) -> Iterable[Text]:
    """Yield what an approver has to know of a conflict, in full."""
    if request.action != ADD:
        return
    conflict = of_request(scene, request)
    say = scene.theirs
    for owner in conflict.owners[:_NAMED]:
        days = (scene.now - owner.added_at) // _DAY if owner.added_at else None
        since = say("evidence.owner_since", count=days) if days is not None else Text("")
        state = scene.company.relation(owner.state)
        who = full(scene, owner.userid)
        yield scene.company("evidence.owner", who=who, since=since, state=state)
    if conflict.first:
        yield _first(scene, conflict.first)
    elif (own := conflicts.own_standing(scene, request)) and own.until:
        yield say("evidence.own_place", until=day(say, own.until))
    if conflict.company:
        names = tuple(full(scene, each.userid) for each in conflict.company[:_NAMED])
        count = len(conflict.company)
        more = Words("conflict.more", {"who": names, "count": count})
        yield say("evidence.company", who=more if count > _NAMED else names)
    deciding = _owners_who_decide(request, conflict.owners)
    if deciding:
        yield say("evidence.owner_decides", who=deciding)


def _first(scene: Scene, first: Standing) -> Text:
    say = scene.theirs
    words = {
        "who": full(scene, first.request.requester.userid),
        "id": first.request.id,
        "when": _ago(scene, first.report.since),
    }
    if first.until is None:
        return say("evidence.first", **words)
    return say("evidence.first_until", until=day(say, first.until), **words)


def _owners_who_decide(request: Request, owners: Iterable[Relation]) -> tuple[str, ...]:
    """Return approvers who have the customer themselves, where the chain does not ask owners."""
    sources = {source for group in stage_of(request).groups for source in group.sources}
    if "owner_of_customer" in sources:
        return ()
    return tuple(
        person.name
        for person in request.approvers
        if any(same_user(person.userid, each.userid) for each in owners)
    )


def day(say: Wording, at: datetime) -> Text:
    """Return a day as people say it: '12月30日'."""
    local = at.astimezone(say.zone)
    return say.texts("protection.day", month=say.texts(f"month.{local.month}"), day=local.day)


def protected(scene: Scene, request: Request, line: Text) -> Text:
    """Return a member's line about their own request, with until when it protects."""
    if request.action != ADD or (request.state.is_final and not request.state.is_allowed):
        return line
    own = conflicts.own_standing(scene, request)
    if own is None or own.until is None:
        return line
    return scene.mine("protection.mine", line=line, until=day(scene.mine, own.until))
