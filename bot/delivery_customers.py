"""Carries out what stands in the outbox about customers: transfers, tags, exports.

Each returns what to write of WeCom's answer; `bot.delivery` calls them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from bot.actions import deciding, exporting, freezes, knowing, moving, tagging, transferring
from bot.actions.scene import Scene
from bot.company import Company
from bot.outgoing import MarkRelation, SendExport, Transfer, TransferAll
from bot.tags import CorpTags
from bot.transfer_watch import shown
from bot.wecom import ExternalContact, Wecom, WecomError, meaning
from bot.wecom.codes import NO_RELATION, Kind
from bot.worker import Ignore, Postpone, Step
from storage.database import Database
from storage.transaction import Transaction
from workflows.freezing import Freeze
from workflows.model import Request, State
from workflows.plans import Export, Tagging
from workflows.plans import Transfer as TransferPlan
from workflows.steps import Refused, Revoke
from workflows.transfers import is_waiting

_WANTED = frozenset({State.APPROVED, State.EXECUTION_FAILED})
_ENDED = frozenset({NO_RELATION, 40096, 84084})
_TAG_IS_GONE = frozenset({40068, 41110})
_LOOK_AGAIN = timedelta(minutes=10)  # a freeze may be lifted before its time
_CONTROLLED = "breakglass:"  # decided by somebody who knew of the freeze


@dataclass(frozen=True, slots=True)
class CustomerCalls:
    """The calls that carry out requests about customers."""

    db: Database
    wecom: Wecom
    company: Company
    tags: CorpTags

    async def transfer_all(self, what: TransferAll) -> Step:
        """Ask WeCom to hand all customers of a request over, in one call."""
        request = await self._wanted(what.request_id)
        plan = request.plan
        if not isinstance(plan, TransferPlan):
            raise Ignore("it asks for no transfer")
        answered = await self.db.read(lambda tx: tx.transfers.of_request(request.id))
        taken = {each.external_userid for each in answered if each.code == 0}
        left = [each for each in plan.customers if each not in taken]
        if not left:
            raise Ignore("WeCom has answered already")
        await expect_thawed(self.db, self.company, request, begun=bool(taken))
        codes = await self._codes(plan.of, plan.to, left)
        return lambda tx: transferring.answered(self._scene(tx), request.id, codes)

    async def _codes(self, giver: str, taker: str, customers: Sequence[str]) -> dict[str, int]:
        """Return WeCom's code for each customer; 0 where it has taken this very transfer.

        "Already running" is ours only if WeCom shows it between these two: the answer to an
        earlier try was lost. Else somebody else has begun another one.
        """
        codes = await self.wecom.transfer_customer(giver, taker, customers)
        codes = {each: codes.get(each, NO_RELATION) for each in customers}  # silence is no yes
        doubtful = [each for each, code in codes.items() if meaning(code).kind is Kind.DONE]
        if doubtful:
            found = shown(await self.wecom.transfer_result(giver, taker))
            codes |= {each: 0 for each in doubtful if is_waiting(found, each)}
        return codes

    def note_remedy(self, tx: Transaction, what: Transfer, code: int) -> None:
        """Count a remedy's transfer, and follow it like any other."""
        who = (what.userid, what.external_userid, what.to)
        moving.ordered_by_remedy(self._scene(tx), what.request_id, who, code)

    async def tag(self, what: MarkRelation) -> Step:
        """Put on and take off the tags of a request, and look whether WeCom shows it so."""
        request = await self._wanted(what.request_id)
        if not isinstance(request.plan, Tagging):
            raise Ignore("it asks for no tags")
        await expect_thawed(self.db, self.company, request)
        member, customer = what.userid, what.external_userid
        names = (*what.add_tags, *what.remove_tags)
        ids = await self.tags.existing(names)
        if lost := [name for name in names if name not in ids]:
            return self._failing(request, "tag.gone", tags=tuple(lost))
        add, remove = [ids[n] for n in what.add_tags], [ids[n] for n in what.remove_tags]
        try:
            await self.wecom.mark_tag(member, customer, add=add, remove=remove)
        except WecomError as error:
            if error.code in _ENDED:
                return self._failing(request, "tag.relation_ended")
            if error.code in _TAG_IS_GONE:
                self.tags.forget()
                return self._failing(request, "tag.gone", tags=names)
            raise
        contact = await self._now(customer)

        def step(tx: Transaction) -> None:
            scene = self._scene(tx)
            knowing.marked(scene, what)
            tagging.done(scene, request.id, contact)

        return step

    async def _now(self, external_userid: str) -> ExternalContact | None:
        """Return how WeCom shows a customer now; None if it does not say: the call was taken."""
        try:
            return await self.wecom.external_contact(external_userid)
        except WecomError:
            return None

    def _failing(self, request: Request, text: str, **params: object) -> Step:
        def step(tx: Transaction) -> None:
            scene = self._scene(tx)
            found = tx.requests.get(request.id)
            if found is not None:
                tagging.failed(scene, found, scene.theirs(text, **params))

        return step

    async def export(self, what: SendExport, once_in: int) -> Step:
        """Make a file and send it. Its SHA-256 is on record before it leaves."""
        request = await self._wanted(what.request_id)
        plan = request.plan
        if not isinstance(plan, Export):
            raise Ignore("it asks for no file")
        await expect_thawed(self.db, self.company, request)
        file = await self.db.read(lambda tx: exporting.build(self._scene(tx), request, plan))
        await self.db.write(lambda tx: exporting.leaves(self._scene(tx), request, file))
        media = await self.wecom.upload_file(file.name, file.content)
        await self.wecom.send_file(what.userid, media, once_in=once_in)

        def step(tx: Transaction) -> None:
            found = tx.requests.get(request.id)
            exporting.sent(self._scene(tx), found or request, file)

        return step

    async def _wanted(self, request_id: str) -> Request:
        """Return the request if it is approved and not carried out. Raises Ignore."""
        request = await self.db.read(lambda tx: tx.requests.get(request_id))
        if request is None or request.state not in _WANTED:
            raise Ignore("the request is not to be carried out any more")
        return request

    def _scene(self, tx: Transaction) -> Scene:
        return self.company.scene(tx, "system:delivery")


async def expect_thawed(
    db: Database, company: Company, request: Request, *, begun: bool = False
) -> None:
    """Let nothing be carried out that a freeze covers, though it was ordered before.

    The freeze takes the approval back, as it does before the order; what has begun waits until it
    is over. Raises Ignore or Postpone.
    """
    if not await db.read(lambda tx: _covering(company.scene(tx), request)):
        return
    if begun:
        raise Postpone(_LOOK_AGAIN)
    if await db.write(lambda tx: _taken_back(company.scene(tx, "system:delivery"), request.id)):
        raise Ignore("it is frozen")


def _covering(scene: Scene, request: Request) -> list[Freeze]:
    if request.decided_by.startswith(_CONTROLLED):
        return []
    return freezes.covering(scene, request.requester.userid, request.action)


def _taken_back(scene: Scene, request_id: str) -> bool:
    """Take an approval back; False if the freeze has ended just now."""
    request = scene.tx.requests.get(request_id)
    found = _covering(scene, request) if request is not None else []
    if request is None or not found:
        return False
    comment = scene.company("freeze.comment", id=found[-1].id)
    with suppress(Refused):  # it has ended otherwise
        deciding.advance(scene, request, Revoke("system:freeze", comment))
    return True
