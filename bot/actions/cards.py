"""Approval cards: sent to those who may decide, shown as decided afterwards, and pressed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from bot import cards as drawing
from bot import outgoing
from bot.actions import (
    bulk_cards,
    change_cards,
    chat_cards,
    customer_cards,
    digesting,
    looking_back,
    reasons,
    rights_cards,
    waiving,
)
from bot.actions.scene import Scene
from bot.cards import Sheet
from bot.wording import Actor
from workflows import endings, masking, policy, voting
from workflows.facts import WAYS
from workflows.lockout import CHANGE
from workflows.model import (
    Answer,
    Card,
    CardState,
    FactValue,
    Origin,
    Person,
    Request,
    State,
    Vote,
    same_user,
)
from workflows.plans import BulkAdd, Granting, Joining, Lifting
from workflows.voting import Here

RENEW = "card_renewal"
_RENEWED_AFTER = timedelta(hours=70)  # WeCom takes updates for 72 (document 94888)
_NUMBERS = {word: number for number, word in WAYS.items()}


def ask(
    scene: Scene, request: Request, approvers: Iterable[Person], why: str = "", by: str = ""
) -> None:
    """Send each of these people a card for the request's present stage.

    `why` and `by` say why it is them, where the chain does not. Who has too many waiting gets them
    in a list.
    """
    sheet = asking_sheet(scene, request)
    if why:
        sheet = replace(sheet, note=scene.theirs(f"card.note.{why}", name=by))
    rounds = len(scene.tx.cards.of_request(request.id))
    for round_, person in enumerate(approvers, start=rounds):
        if digesting.is_busy(scene, person.userid):
            digesting.file(scene, person.userid)
        else:
            _send(scene, request, _for(scene, request, sheet, person), person, round_)


def _send(scene: Scene, request: Request, sheet: Sheet, person: Person, round_: int) -> None:
    task = drawing.task_id(request.id, request.stage, person.userid, round_)
    card = drawing.approval_card(sheet, scene.company, task)
    text = drawing.details_text(sheet, scene.company)
    scene.tx.cards.add(Card(task, request.id, request.stage, person.userid, CardState.OPEN))
    scene.send(outgoing.SendCard(person.userid, task, card, text), key=f"card:{task}")
    renewal = scene.now + _RENEWED_AFTER
    if request.due_at is not None and request.due_at > renewal:
        scene.remind(RENEW, task, renewal)


def _for(scene: Scene, request: Request, sheet: Sheet, person: Person) -> Sheet:
    """Return the sheet as one reader needs it: with the name of whose place they take."""
    here = Here(scene.sources(request), scene.book.chain_defaults.on_no_approver, scene.now)
    absent = voting.whose_place(request, person.userid, here) if here.sources.away() else None
    return replace(sheet, on_behalf=absent.name) if absent else sheet


def renew(scene: Scene, request: Request, old: Card, person: Person) -> None:
    """Send a card anew that WeCom will not let us update for much longer."""
    scene.tx.cards.put(replace(old, state=CardState.CLOSED))
    show_outcome(scene, request, old, scene.company("card.renewed"))
    ask(scene, request, [person])


def asking_sheet(scene: Scene, request: Request) -> Sheet:
    """Gather what somebody needs to know, and what was decided in like cases."""
    return replace(sheet_of(scene, request), evidence=looking_back.evidence(scene, request))


def close(scene: Scene, request: Request, people: Iterable[Person] | None = None) -> None:
    """Take the buttons off the request's open cards, or off those of some people."""
    only = None if people is None else [person.userid for person in people]
    for card in scene.tx.cards.of_request(request.id):
        concerned = only is None or any(same_user(card.userid, each) for each in only)
        if card.state is CardState.OPEN and concerned and not card.again:
            scene.tx.cards.put(replace(card, state=CardState.CLOSED))
            show_outcome(scene, request, card)


def show_outcome(scene: Scene, request: Request, card: Card, outcome: str = "") -> None:
    """Show on one card how the request stands now, or what else has become of the card."""
    shown = drawing.decided_card(
        sheet_of(scene, replace(request, stage=card.stage)),
        scene.company,
        outcome or _outcome(scene, request, card),
        who=_decider(scene, request, card),
        when=str(scene.theirs.word(_when(request, card) or scene.now)),
        comment=request.comment,
    )
    scene.send(outgoing.UpdateCard(card.userid, card.task_id, shown))


def _outcome(scene: Scene, request: Request, card: Card) -> str:
    if request.state is State.PENDING:
        vote = _vote_at(request, card)
        return scene.company(f"vote.{vote.answer.value}" if vote else "vote.no_longer_asked")
    if request.state is State.EXECUTED:
        return scene.company.state(State.APPROVED)
    return scene.company.state(request.state)


def _decider(scene: Scene, request: Request, card: Card) -> str:
    vote = _vote_at(request, card)
    if request.state is State.PENDING and vote:
        return str(scene.theirs.word(Actor(endings.said_by(vote))))
    return str(scene.theirs.word(Actor(endings.who_decided(request) or scene.actor)))


def _when(request: Request, card: Card) -> datetime | None:
    vote = _vote_at(request, card)
    return request.decided_at or (vote.at if vote else None)


def _vote_at(request: Request, card: Card) -> Vote | None:
    votes = [vote for vote in request.votes if vote.stage == card.stage]
    return votes[-1] if votes else None


def sheet_of(scene: Scene, request: Request) -> Sheet:
    """Gather what somebody needs to know who has to decide."""
    if request.action == CHANGE:
        return change_cards.sheet_of(scene, request)
    if isinstance(request.plan, Granting | Lifting):
        return rights_cards.sheet_of(scene, request)
    facts, requester = request.facts, request.requester
    terms = waiving.offered(scene, request)
    tier, groups = policy.classify(scene.policy, facts, request.created_at)
    sheet = Sheet(
        request_id=request.id,
        stage=request.stage,
        stages=max(1, len(request.chain)),
        requester=requester.name,
        customer=request.subject.name,
        action=request.action,
        origin=request.origin,
        requester_id=requester.userid,
        departments=_words(facts.get("sender.departments")) or (),
        position=str(facts.get("sender.position", "")),
        level=str(scene.theirs.word(reasons.level(scene, request))),
        why="" if request.verdict.say else str(scene.theirs.word(reasons.why(scene, request))),
        agreed=_agreed(scene, request),
        company=str(facts.get("customer.corp_name", "")) or request.claim.company,
        phone=masking.mask_phone(request.claim.phone),
        tier=_tier_title(scene, tier),
        tags=_words(facts.get("customer.tags")),
        groups=_group_titles(scene, groups),
        followers=_followers(scene, facts.get("customer.owners")),
        way=_way(scene, request),
        reason=request.claim.reason,
        signed=request.claim.signed,
        rules=_rules(scene, request),
        adds_today=_number(facts.get("today.adds")),
        due=str(scene.theirs.word(request.due_at)) if request.due_at else "",
        reasons=scene.book.chain_defaults.reasons,
        waive_days=terms.days if terms else 0,
    )
    match request.plan:
        case BulkAdd():
            return bulk_cards.completed(scene, request, sheet)
        case Joining() as plan:
            return chat_cards.completed(scene, request, plan, sheet)
    return customer_cards.completed(scene, request, sheet)


def _rules(scene: Scene, request: Request) -> tuple[tuple[str, str], ...]:
    """Return the rules that matched, each with what it says, as far as they still exist."""
    matched = request.verdict.rules
    return tuple(
        (each.id, reasons.said(each, request.facts))
        for each in scene.book.rule
        if each.id in matched
    )


def _words(value: FactValue | None) -> tuple[str, ...] | None:
    return tuple(sorted(value)) if isinstance(value, frozenset) else None


def _number(value: FactValue | None) -> int | None:
    return value if isinstance(value, int) else None


def _agreed(scene: Scene, request: Request) -> tuple[str, ...]:
    """Return who has agreed at earlier stages, and in which words."""
    return tuple(
        scene.theirs(
            "card.agreed_saying" if vote.comment else "card.agreed",
            stage=vote.stage + 1,
            name=Actor(endings.said_by(vote)),
            when=vote.at,
            comment=vote.comment,
        )
        for vote in request.votes
        if vote.answer is Answer.APPROVE and vote.stage < request.stage
    )


def _tier_title(scene: Scene, tier: str | None) -> str | None:
    named = {each.name: each.title or each.name for each in scene.book.tier}
    return named.get(tier) if tier else None


def _group_titles(scene: Scene, groups: frozenset[str] | None) -> tuple[str, ...] | None:
    if groups is None:
        return None
    return tuple(each.title or each.name for each in scene.book.group if each.name in groups)


def _followers(scene: Scene, owners: FactValue | None) -> tuple[str, ...] | None:
    userids = _words(owners)
    return None if userids is None else tuple(scene.person(each).name for each in userids)


def _way(scene: Scene, request: Request) -> str:
    """Return how they came together; what is only asked for has not happened in any way."""
    if request.origin is Origin.ASKED:
        return ""
    return scene.company.add_way(_NUMBERS.get(str(request.facts.get("contact.way")), 0))
