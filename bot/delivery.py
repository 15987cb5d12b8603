"""Carries out what stands in the outbox: one call to WeCom, then one transaction for its result.

Calls are made at least once. A repeat is harmless: WeCom drops identical messages, a ticket is
looked for before it is made again, and everything else may be done twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from bot import outgoing
from bot.actions import containing, deciding, knowing, tickets, welcoming
from bot.actions.scene import Scene
from bot.company import Company
from bot.delivery_customers import CustomerCalls
from bot.outgoing import (
    CloseTicket,
    IssueTicket,
    MarkRelation,
    SendCard,
    SendExport,
    SendNews,
    SendText,
    SendWelcome,
    TakeGroups,
    TakeOverPart,
    Transfer,
    TransferAll,
    UpdateCard,
)
from bot.tags import CorpTags
from bot.takeover_calls import TakeoverCalls
from bot.wecom import Article, ContactWay, SharedBudget, Wecom, WecomError, meaning
from bot.wecom.codes import NO_RELATION, UNKNOWN_CONTACT_WAY, Kind
from bot.worker import Ignore, Postpone, Step
from storage.database import Database
from storage.transaction import Transaction
from storage.work import Claimed, Queue
from workflows.containment import TransferAccepted, TransferRefused
from workflows.model import CardState, State, Ticket, TicketState
from workflows.steps import Executed, Refused

_CARD_FIELD_ERRORS = range(42014, 42052)  # document 90313
_CODE_SPENT = 60140  # the card cannot be updated any more; a late press is answered from the record
_NO_RELATION = frozenset({84061, 40096, 84084})
_TAG_IS_GONE = frozenset({40068, 41110})
_A_MOMENT = timedelta(seconds=1)
_MADE = frozenset({TicketState.OPEN, TicketState.USED, TicketState.EXPIRED})
_WELCOME_OVER = frozenset({41050, 41051})
_WELCOME_LIVES = timedelta(seconds=20)
_CLOCKS_DIFFER = timedelta(minutes=5)
_HALF_HOUR = 1800
_LONGEST_WINDOW = timedelta(hours=1)  # of document 90312
_SENT = "message.sent"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Handles the rows of the outbox and of the welcome lane."""

    db: Database
    wecom: Wecom
    company: Company
    tags: CorpTags
    budget: SharedBudget

    async def __call__(self, work: Claimed) -> Step:
        """Make one call and return what to write of it."""
        what = outgoing.read(work)
        if isinstance(what, SendText | SendNews | SendCard):
            await self._expect_here(what.userid)
        match what:
            case SendText() | SendNews():
                return await self._say(what, work)
            case SendCard():
                return await self._card(what, work)
            case UpdateCard():
                return await self._update(what)
            case IssueTicket():
                return await self._issue(what, work)
            case CloseTicket():
                return await self._close(what)
            case MarkRelation():
                return await self._mark(what, work)
            case Transfer():
                return await self._transfer(what)
            case TransferAll():
                return await self._customers.transfer_all(what)
            case TakeOverPart():
                return await self._takeovers.part(what)
            case TakeGroups():
                return await self._takeovers.groups(what)
            case SendExport():
                await self._within_budget(what.userid)
                return await self._customers.export(what, _once_in(work))
            case SendWelcome():
                return await self._welcome(what, work)
            case _:
                assert_never(what)

    async def _expect_here(self, userid: str) -> None:
        """Raise Ignore for somebody who has left: nothing reaches them any more."""
        if self.company.standing.directory.member(userid) is not None:
            return
        if await self.db.read(lambda tx: tx.leavers.latest(userid) is not None):
            raise Ignore("the member has left")

    async def _say(self, what: SendText | SendNews, work: Claimed) -> Step:
        await self._within_budget(what.userid)
        if isinstance(what, SendText):
            await self.wecom.send_text(what.userid, what.content, once_in=_once_in(work))
        else:
            article = Article(what.title, what.url, what.description, what.picture)
            articles = [article, *what.more]
            await self.wecom.send_news(what.userid, articles, once_in=_once_in(work))
        return self._sent(work, what.userid)

    async def _within_budget(self, userid: str) -> None:
        """Wait our turn: beyond 30 messages a minute WeCom drops them silently (doc 90312)."""
        wait = await self.budget.delay(userid)
        if wait > 0:
            raise Postpone(timedelta(seconds=wait))

    async def _card(self, what: SendCard, work: Claimed) -> Step:
        if await self.db.read(lambda tx: _is_over(tx, what, work)):
            raise Ignore("the card has nothing to ask any more")
        await self._within_budget(what.userid)
        try:
            sent = await self.wecom.send_card(what.userid, what.card, once_in=_once_in(work))
            code = sent.response_code
        except WecomError as error:
            if error.code not in _CARD_FIELD_ERRORS:
                raise
            await self.wecom.send_text(what.userid, what.text, once_in=_once_in(work))
            code = ""

        def step(tx: Transaction) -> None:
            card = tx.cards.get(what.task_id)
            if card is not None:
                now = self.company.now()
                tx.cards.put(replace(card, response_code=card.response_code or code, sent_at=now))
            self._sent(work, what.userid)(tx)

        return step

    async def _update(self, what: UpdateCard) -> Step:
        card = await self.db.read(lambda tx: tx.cards.get(what.task_id))
        if card is None or not card.response_code:
            raise Ignore("the card was sent as text")
        code = card.response_code
        try:
            await self.wecom.update_card(code, card=what.card, userids=[what.userid])
        except WecomError as error:
            if error.code != _CODE_SPENT:
                raise
        return lambda tx: _spend(tx, what.task_id, code)

    async def _issue(self, what: IssueTicket, work: Claimed) -> Step:
        ticket = await self.db.read(lambda tx: tx.tickets.get(what.state_key))
        if ticket is None:
            raise Ignore("there is no such ticket")
        if ticket.state in _MADE:
            raise Ignore("it is made")  # by another try: an ask made again, or a replay
        if ticket.expires_at <= self.company.now() and await self._has_failed(ticket):
            raise Ignore("it has run out")  # replayed late: the member may ask for another
        way = await self._find_way(ticket, work)
        if way is None and ticket.state is TicketState.ISSUING:
            skip = self.company.standing.policy.rulebook.tickets.skip_verify
            way = await self.wecom.add_contact_way(
                ticket.userid, state=ticket.state_key, remark=ticket.request_id, skip_verify=skip
            )
        made = way
        return lambda tx: self._issued(tx, ticket, made)

    async def _has_failed(self, ticket: Ticket) -> bool:
        request = await self.db.read(lambda tx: tx.requests.get(ticket.request_id))
        return request is not None and request.state is State.EXECUTION_FAILED

    async def _find_way(self, ticket: Ticket, work: Claimed) -> ContactWay | None:
        """Return the contact way an earlier try made, whose answer was lost."""
        request = await self.db.read(lambda tx: tx.requests.get(ticket.request_id))
        failed = request is not None and request.state is State.EXECUTION_FAILED
        if work.tries == 1 and not failed:
            return None
        began = (request.decided_at if request else None) or work.created_at
        since, until = began - _CLOCKS_DIFFER, self.company.now() + _CLOCKS_DIFFER
        for config_id in await self.wecom.list_contact_way(since, until):
            try:
                way = await self.wecom.get_contact_way(config_id)
            except WecomError as error:
                if error.code == UNKNOWN_CONTACT_WAY:
                    continue  # somebody else's, deleted since we got the list
                raise
            if way.state == ticket.state_key:
                return way
        return None

    def _issued(self, tx: Transaction, ticket: Ticket, way: ContactWay | None) -> None:
        """Hand the ticket over, or delete the contact way again that nobody wants any more."""
        scene = self._scene(tx)
        made = tickets.issued(scene, ticket.state_key, way.config_id, way.qr_code) if way else None
        request = tx.requests.get(ticket.request_id)
        if request is None:
            return
        try:
            deciding.advance(scene, request, Executed())
        except Refused:
            now = tx.requests.get(request.id)
            if now is None or now.state is not State.EXECUTED:
                tickets.revoke(scene, request)
            return
        if made is not None and not request.part_of:  # those of a list come together
            tickets.hand_over(scene, request, made)

    async def _close(self, what: CloseTicket) -> Step:
        ticket = await self.db.read(lambda tx: tx.tickets.get(what.state_key))
        if ticket is None or not ticket.config_id:
            raise Ignore("there is no contact way")
        await self.wecom.del_contact_way(ticket.config_id)
        return lambda tx: self._scene(tx).record(
            "ticket.deleted", tx.requests.get(ticket.request_id)
        )

    @property
    def _customers(self) -> CustomerCalls:
        return CustomerCalls(self.db, self.wecom, self.company, self.tags)

    @property
    def _takeovers(self) -> TakeoverCalls:
        return TakeoverCalls(self.db, self.wecom, self.company)

    async def _mark(self, what: MarkRelation, work: Claimed) -> Step:
        if what.request_id:
            return await self._customers.tag(what)
        what = await self._still_fitting(what)
        add = await self.tags.ids(what.add_tags, make=True)
        remove = await self.tags.ids(what.remove_tags, make=False)
        member, customer = what.userid, what.external_userid
        try:
            await self.wecom.mark_tag(member, customer, add=add, remove=remove)
            await self.wecom.remark(member, customer, remark=what.remark)
        except WecomError as error:
            if error.code in _NO_RELATION:
                raise Ignore("the relation has ended") from None
            if error.code in _TAG_IS_GONE and work.tries == 1:
                self.tags.forget()
                raise Postpone(_A_MOMENT) from None
            raise

        def step(tx: Transaction) -> None:
            scene = self._scene(tx)
            knowing.marked(scene, what)
            added, removed = list(what.add_tags), list(what.remove_tags)
            scene.record("relation.marked", who=(member, customer), added=added, removed=removed)

        return step

    async def _still_fitting(self, what: MarkRelation) -> MarkRelation:
        """Return what is to be changed by now. Raises Ignore if it is nothing any more."""
        fit = await self.db.read(lambda tx: containing.still_fitting(self._scene(tx), what))
        if not fit.add_tags and not fit.remove_tags and fit.remark is None:
            raise Ignore("the relation is held otherwise by now")
        return fit

    async def _transfer(self, what: Transfer) -> Step:
        if not await self.db.read(lambda tx: containing.is_to_move(self._scene(tx), what)):
            raise Ignore("the customer may stay, or is gone")
        codes = await self.wecom.transfer_customer(what.userid, what.to, [what.external_userid])
        code = codes.get(what.external_userid, NO_RELATION)  # not in the answer: not accepted
        accepted = code == 0 or meaning(code).kind is Kind.DONE
        seen = TransferAccepted() if accepted else TransferRefused(meaning(code).words)

        def step(tx: Transaction) -> None:
            self._customers.note_remedy(tx, what, code)
            containing.seen(self._scene(tx), what.userid, what.external_userid, seen)

        return step

    async def _welcome(self, what: SendWelcome, work: Claimed) -> Step:
        if self.company.now() - work.created_at > _WELCOME_LIVES:
            raise Ignore("more than 20 seconds have passed")
        text = what.text
        if text is None:
            text = await self.db.read(lambda tx: welcoming.text(self.company.scene(tx), None))
        if not text:
            raise Ignore("the rules have no welcome for this")
        try:
            await self.wecom.send_welcome(what.code, text)
        except WecomError as error:
            if error.code in _WELCOME_OVER:
                raise Ignore(f"WeCom takes no welcome: {error.code}") from None
            raise
        who = (what.userid, what.external_userid)
        return lambda tx: self._scene(tx).record("welcome.sent", who=who)

    def _sent(self, work: Claimed, userid: str) -> Step:
        return lambda tx: self._scene(tx).record(
            _SENT, who=(userid, ""), what=work.kind, work=work.id
        )

    def _scene(self, tx: Transaction) -> Scene:
        return self.company.scene(tx, "system:delivery")


async def sent_lately(db: Database, now: datetime) -> list[tuple[str, float]]:
    """Return to whom messages went in the last hour, on any node, and how many seconds ago."""
    sent = await db.read(lambda tx: tx.audit.since(now - _LONGEST_WINDOW, _SENT))
    return [(userid, (now - at).total_seconds()) for userid, at in sent]


def _once_in(work: Claimed) -> int:
    """Return WeCom's interval for dropping identical messages, different for every row.

    The interval is part of what WeCom compares. So a repeat of this row is dropped, while another
    row that happens to say the same (我的, asked twice) is delivered.
    """
    return _HALF_HOUR + work.id % (6 * _HALF_HOUR)


def _spend(tx: Transaction, task_id: str, code: str) -> None:
    """Forget a used code, unless a press has brought a newer one meanwhile."""
    card = tx.cards.get(task_id)
    if card is not None and card.response_code == code:
        tx.cards.put(replace(card, response_code=""))


def _is_over(tx: Transaction, what: SendCard, work: Claimed) -> bool:
    """Whether a card was closed and nothing that waits behind it would take its buttons off."""
    card = tx.cards.get(what.task_id)
    if card is None or card.state is CardState.OPEN:
        return False
    rest = tx.work.open_in(Queue.OUTBOX, outgoing.lane(what))
    return all(each.id == work.id for each in rest)
