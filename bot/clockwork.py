"""What the clock calls: timers of requests, tickets and remedies, and the periodic chores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import (
    chat_reading,
    chores,
    directory_reading,
    proposals,
    replays,
    transfer_watch,
    unassigned_watch,
)
from bot.actions import (
    absent,
    adding,
    bulk_parts,
    carrying,
    chat_notices,
    containing,
    deciding,
    joining,
    leaver_news,
    leaving,
    mirroring,
    moving,
    observing,
    overdue,
    owner_notices,
    people,
    performing,
    removing,
    rulebooks,
    shadowing,
    sourcing,
    sweeping,
    takeovers,
    taking_over,
    temporary,
    tickets,
    unassigned,
    undoing,
    versions,
    waiving,
)
from bot.actions.scene import Scene
from bot.company import Company
from bot.customer_reading import CustomerReader
from bot.handlers import Handlers
from bot.proposals import Fate, Wish
from bot.sources.keeping import OutsideSources
from bot.takeover_calls import TakeoverCalls
from bot.wecom import Wecom
from bot.worker import Ignore, Postpone, Step
from storage.database import Database
from storage.transaction import Transaction
from storage.work import Claimed
from workflows.containment import Gone, Seen, StillThere, TransferDone, TransferRefused
from workflows.model import Remedy, RemedyState
from workflows.sections import Rulebook
from workflows.steps import Expire, Refused

_DIRECTORY_SOON = timedelta(seconds=1)
_A_MOMENT = timedelta(seconds=1)
_PRUNED = 10_000  # rows of each kind deleted in one transaction
_DONE, _WAITING = 1, 2  # document 94088


@dataclass(frozen=True, slots=True)
class Clockwork:
    """Handles the rows of the timer queue."""

    db: Database
    wecom: Wecom
    company: Company
    handlers: Handlers
    sources: OutsideSources
    customers: CustomerReader

    async def __call__(self, work: Claimed) -> Step:
        """Do what is due. Everything here looks first whether it is still wanted."""
        match work.kind:
            case deciding.EXPIRY:
                return lambda tx: _expire(self._scene(tx), work.body)
            case kind if kind in overdue.KINDS:
                return lambda tx: _later(overdue.call(self._scene(tx), kind, work.body))
            case absent.END:
                return lambda tx: _later(absent.end(self._scene(tx), work.body))
            case tickets.EXPIRY:
                return lambda tx: _in_time(tickets.expire(self._scene(tx), work.body))
            case waiving.EXPIRY:
                return lambda tx: _expire_waiver(self._scene(tx), work.body)
            case performing.JUDGE_AGAIN:
                return lambda tx: adding.judge_again(self._scene(tx), work.body)
            case adding.LOOK_AGAIN:
                userid, external, look = work.body.split("|")
                return await self.handlers.look_again(userid, external, int(look))
            case moving.LOOK:
                return await transfer_watch.look(self.handlers, work.body)
            case owner_notices.TELL:
                return lambda tx: owner_notices.tell(self._scene(tx), work.body)
            case moving.TELL:
                return lambda tx: moving.tell(self._scene(tx), work.body)
            case performing.JUDGE_TOLD_AGAIN:
                return lambda tx: observing.judge_again(self._scene(tx), work.body)
            case removing.JUDGE_AGAIN:
                return lambda tx: joining.judge_again(self._scene(tx), work.body)
            case chat_notices.TELL:
                return lambda tx: chat_notices.tell(self._scene(tx), work.body)
            case joining.LOOK:
                return await self.handlers.chats.look(work.body, work.created_at)
            case removing.CHECK:
                return await self.handlers.chats.check(work.body, work.created_at)
            case chat_reading.READ_ON:
                return await self.handlers.chats.read_on(work.body)
            case mirroring.READ_ON:
                return await self.customers.read_on(work.body)
            case mirroring.LOOK:
                return await self.customers.look(work.body, work.created_at)
            case mirroring.END:
                return await self.customers.end(work.body)
            case chores.CUSTOMERS_NOW:
                return await self.customers.begin_now()
            case kind if kind in bulk_parts.TIMERS:
                return lambda tx: bulk_parts.TIMERS[kind](self._scene(tx), work.body)
            case carrying.HELD:
                return lambda tx: undoing.carry_out(self._scene(tx), work.body)
            case unassigned.READ:
                await self.company.refresh(self.db)
                return await unassigned_watch.read(self.handlers, work.body)
            case taking_over.LOOK:
                calls = TakeoverCalls(self.db, self.wecom, self.company)
                return await calls.look(work.body)
            case leaver_news.TELL:
                return lambda tx: leaver_news.tell(self._scene(tx), work.body)
            case kind if kind in takeovers.TIMERS:
                return lambda tx: takeovers.TIMERS[kind](self._scene(tx), work.body)
            case kind if kind in leaving.TIMERS:
                return lambda tx: leaving.TIMERS[kind](self._scene(tx), work.body)
            case containing.CHECK:
                return await self._check_remedy(*work.body.split("|", 1))
            case kind if kind in temporary.TIMERS:
                return lambda tx: _in_time(temporary.TIMERS[kind](self._scene(tx), work.body))
            case kind if kind in sweeping.KINDS:
                await self.company.refresh(self.db)  # by the people and rules of now
                return lambda tx: sweeping.go_on(self._scene(tx), kind, work.body)
            case directory_reading.LOOK:
                return await self.handlers.directory.look()
            case people.TELL:
                await self.company.refresh(self.db)
                return self.handlers.directory.tell
            case versions.ANNOUNCE:
                return await self._announce(*work.body.split("|"))
            case versions.COMPARE_ANEW:
                return await self._compare_anew(*work.body.split("|"))
            case kind if kind in chores.EVERY:
                return await self._chore(kind, work.body)
            case sourcing.NEWS:
                await self.company.refresh(self.db)
                return lambda tx: _in_time(sourcing.news(self._scene(tx), work.body))
            case chores.SOURCE:
                if not await self.sources.refresh(work.body):
                    raise Ignore(f"there is no source {work.body}")
                return lambda _: None  # it counts already, and was told
            case _:  # a newer node's, during an upgrade: it may get it at the next try
                raise LookupError(work.kind)

    async def _check_remedy(self, userid: str, external_userid: str) -> Step:
        remedy = await self.db.read(lambda tx: tx.remedies.open_for(userid, external_userid))
        if remedy is None:
            raise Ignore("the remedy is closed")
        seen = await self._look(remedy)
        return lambda tx: containing.seen(self._scene(tx), userid, external_userid, seen)

    async def _look(self, remedy: Remedy) -> Seen:
        """Return what WeCom shows of the relation that a remedy is to end."""
        status = _WAITING
        if remedy.state is RemedyState.TRANSFERRING:
            results = await self.wecom.transfer_result(remedy.userid, remedy.transfer_to)
            for each in results:
                if each.external_userid == remedy.external_userid:
                    status = each.status
        customers = await self.wecom.external_contact_list(remedy.userid)
        if remedy.external_userid not in customers:
            return TransferDone() if status == _DONE else Gone()
        refused = status not in {_DONE, _WAITING}  # done before, and back again: still there
        return TransferRefused(f"status {status}") if refused else StillThere()

    async def _announce(self, former: str, policy_hash: str, kind: str) -> Step:
        await self.company.refresh(self.db)
        if not self.company.standing.directory.members:
            raise Postpone(_DIRECTORY_SOON)
        version = await self.db.read(lambda tx: tx.policies.get(policy_hash))
        after = await self.company.standing_under(self.db, policy_hash)
        if version is None or after is None:
            raise Ignore(f"there is no version {policy_hash}")
        before = await self.company.standing_under(self.db, former) if former else None

        def announce(tx: Transaction) -> None:
            scene = self._scene(tx).standing_as(after)
            rulebooks.announce(scene, before, version, kind)

        return announce

    async def _compare_anew(self, policy_hash: str, request_id: str) -> Step:
        version = await self.db.read(lambda tx: tx.candidates.get(policy_hash))
        if version is None:
            raise Ignore(f"there is no version {policy_hash}")
        rules = Rulebook.model_validate_json(version.text)
        done = await proposals.consider(
            self.db, self.company, Wish(rules, version.author, version.reason)
        )
        if done.fate is not Fate.BAD:
            return lambda _: None  # it is in force, or has gone its way to those who decide

        def tell(tx: Transaction) -> None:
            scene = self._scene(tx)
            why = scene.company("versions.bad_now")
            words = {"id": request_id, "subject": policy_hash, "why": why}
            scene.tell(scene.standing.admins, "request.execution_failed", **words)

        return tell

    async def _chore(self, kind: str, name: str) -> Step:
        """Do a chore, and have the clock call it again."""
        await self.db.write(lambda tx: chores.schedule(self._scene(tx), kind))  # even if it fails
        if kind == chores.DIRECTORY:
            return await self.handlers.directory.everything()
        if kind == chores.FOLLOW_USERS:
            return await self.handlers.console.follow_users()
        if kind == chores.APP_SCOPE:
            return await self.handlers.console.scope()
        if kind == chores.CHATS:
            await self.company.refresh(self.db)
            return await self.handlers.chats.begin()
        if kind == chores.CUSTOMERS:
            await self.company.refresh(self.db)
            return await self.customers.begin()
        if kind == chores.UNASSIGNED:
            await self.company.refresh(self.db)
            return lambda tx: unassigned.begin_daily(self._scene(tx))
        if kind == chores.SHADOW:
            return await self._tell_of_shadow(datetime.fromisoformat(name))
        return self._prune

    async def _tell_of_shadow(self, due: datetime) -> Step:
        await self.company.refresh(self.db)
        standing = self.company.standing
        window = chores.since_last(standing.policy, due, self.company.now())
        found = await replays.shadowed(self.db, standing, window)
        return lambda tx: shadowing.report(self._scene(tx), found)

    def _prune(self, tx: Transaction) -> None:
        kept, now = self.company.standing.policy.rulebook.retention, self.company.now()
        tx.drafts.prune(now)
        work = tx.work.prune(now - kept.of_work, _PRUNED)
        dead = tx.work.prune_dead(now - kept.of_dead, _PRUNED)
        if max(work, dead) >= _PRUNED:
            chores.at_once(self._scene(tx), chores.PRUNE)

    def _scene(self, tx: Transaction) -> Scene:
        return self.company.scene(tx, "system:timer")


def _in_time(done: object) -> None:
    if done is False:
        raise Postpone(_A_MOMENT)  # clocks differ, or this one was set back


def _later(pause: timedelta | None) -> None:
    """Have a timer come again that is too early, or held back."""
    if pause is not None:
        raise Postpone(pause)


def _expire_waiver(scene: Scene, waiver_id: str) -> None:
    if not waiving.expire(scene, waiver_id):
        raise Postpone(_A_MOMENT)  # clocks differ, or this one was set back


def _expire(scene: Scene, request_id: str) -> None:
    request = scene.tx.requests.get(request_id)
    if request is None:
        return
    try:
        deciding.advance(scene, request, Expire())
    except Refused as refused:
        if refused.key == "not_due":  # clocks differ, or this one was set back
            raise Postpone(_A_MOMENT) from None
