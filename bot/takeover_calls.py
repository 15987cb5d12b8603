"""Makes the calls that hand over what somebody has left, and looks how they stand.

Each call is followed by one transaction that writes its answer; killed in between, the same call is
made again, and "already running" is taken for ours only if WeCom shows it between these two.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.actions import taking_over
from bot.actions.scene import Scene
from bot.actions.taking_over import LOOKED_AT, PAGE, Groups, Part
from bot.company import Company
from bot.delivery_customers import expect_thawed
from bot.outgoing import TakeGroups, TakeOverPart
from bot.transfer_watch import shown
from bot.wecom import Wecom, WecomError, meaning
from bot.wecom.codes import NO_RELATION, Kind
from bot.worker import Ignore, Step
from storage.database import Database
from storage.transaction import Transaction
from workflows.leaving import Handover
from workflows.model import Request, State
from workflows.plans import TakeOver
from workflows.transfers import is_waiting

_WANTED = frozenset({State.APPROVED, State.EXECUTION_FAILED})
_OWNER_LEFT = 1  # status of a customer group, document 92120


@dataclass(frozen=True, slots=True)
class TakeoverCalls:
    """The calls about a leaver's customers and groups."""

    db: Database
    wecom: Wecom
    company: Company

    async def part(self, what: TakeOverPart) -> Step:
        """Hand over the next customers of an approved request."""
        request, plan = await self._request(what.request_id, _WANTED)
        begun = await self.db.read(lambda tx: _has_begun(tx, what))
        await expect_thawed(self.db, self.company, request, begun=begun)
        part = await self.db.read(lambda tx: taking_over.next_part(self._scene(tx), request))
        codes = await self._codes(plan, part) if part.go else {}
        return lambda tx: taking_over.answered(self._scene(tx), what, part, codes)

    async def _codes(self, plan: TakeOver, part: Part) -> dict[str, int]:
        """Return WeCom's code for each customer; 0 where it has taken this very transfer."""
        ids = [one.external_userid for one in part.go]
        try:
            codes = await self.wecom.transfer_resigned(plan.of, part.taker, ids)
        except WecomError as error:
            if error.kind is not Kind.PERMANENT:
                raise
            return dict.fromkeys(ids, error.code)  # of this taker nobody goes; others may
        codes = {each: codes.get(each, NO_RELATION) for each in ids}  # silence is no yes
        doubtful = [each for each, code in codes.items() if meaning(code).kind is Kind.DONE]
        if doubtful:
            found = shown(await self.wecom.resigned_result(plan.of, part.taker))
            codes |= {each: 0 for each in doubtful if is_waiting(found, each)}
        return codes

    async def groups(self, what: TakeGroups) -> Step:
        """Give the next groups to a new owner."""
        request, plan = await self._request(what.request_id, _WANTED | {State.EXECUTED})
        # The first part takes the approval back where nothing has begun, and this ends with it.
        await expect_thawed(self.db, self.company, request, begun=True)
        handover = await self._handover(what.request_id)
        listed = await self.wecom.groups_of([plan.of], _OWNER_LEFT)
        waiting = [each.chat_id for each in listed if each.chat_id not in handover.refused_groups]
        groups = taking_over.next_groups(handover, waiting, self.company.now())
        failed = await self._failed(groups) if groups.chats else {}
        left = len(waiting)
        return lambda tx: taking_over.groups_answered(self._scene(tx), what, groups, failed, left)

    async def _failed(self, groups: Groups) -> dict[str, int]:
        try:
            return await self.wecom.transfer_groups(groups.chats, groups.owner)
        except WecomError as error:
            if error.kind is not Kind.PERMANENT:
                raise
            return dict.fromkeys(groups.chats, error.code)

    async def look(self, name: str) -> Step:
        """Look how the transfers of one taker stand, a page of them."""
        request_id, taker, after = name.split("|", 2)
        rows = await self.db.read(
            lambda tx: tx.leavers.open_of(request_id, taker, LOOKED_AT, after)
        )
        if not rows:
            raise Ignore("no transfer is open")
        found = shown(await self.wecom.resigned_result(rows[0].userid, rows[0].taker))
        for start in range(0, len(rows), PAGE):
            page = rows[start : start + PAGE]
            await self.db.write(
                lambda tx, page=page: taking_over.looked(self._timer(tx), request_id, page, found)  # type: ignore[misc]
            )
        last = rows[-1].external_userid if len(rows) == LOOKED_AT else ""
        return lambda tx: taking_over.look_on(self._timer(tx), name, last)

    def _timer(self, tx: Transaction) -> Scene:
        return self.company.scene(tx, "system:timer")

    async def _request(self, request_id: str, states: frozenset[State]) -> tuple[Request, TakeOver]:
        request = await self.db.read(lambda tx: tx.requests.get(request_id))
        if request is None or request.state not in states:
            raise Ignore("the request is not to be carried out any more")
        if not isinstance(request.plan, TakeOver):
            raise Ignore("it is about nobody who has left")
        return request, request.plan

    async def _handover(self, request_id: str) -> Handover:
        found = await self.db.read(lambda tx: tx.leavers.handover(request_id))
        if found is None:
            raise Ignore("nothing was prepared")
        return found

    def _scene(self, tx: Transaction) -> Scene:
        return self.company.scene(tx, "system:delivery")


def _has_begun(tx: Transaction, what: TakeOverPart) -> bool:
    """Whether anything was handed over for this request, customers or groups."""
    handover = tx.leavers.handover(what.request_id)
    return what.part > 1 or bool(handover and handover.asked_groups)
