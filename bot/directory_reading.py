"""Keeps the directory as WeCom has it: what events are about is looked at soon, all of it hourly.

Events say only whom they are about, and may be late, doubled or lost (document 90970). So they are
gathered, WeCom is asked, and what it shows is put into what is known. A reading counts only if
nobody else changed the directory since it began; else it is done again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import sync
from bot.actions import people
from bot.actions.scene import Scene
from bot.company import Company
from bot.events import DirectoryChange, DirectoryChanged
from bot.wecom import Wecom, WecomError, codes
from bot.worker import Ignore, Postpone, Step
from storage.database import Database
from storage.news import Waiting
from storage.transaction import Transaction
from storage.work import Job, Queue
from workflows.directory import Directory
from workflows.glimpses import Glimpse, put_in
from workflows.model import same_user

LOOK = "directory_look"  # at what events were about

_SOON = timedelta(seconds=1)  # events of one moment are looked at together
_QUIET = timedelta(seconds=3)  # many are looked at when no more have come for so long …
_AT_LAST = timedelta(seconds=30)  # … or when the first has waited so long
_FEW = 10  # more members, departments and tags are read as a whole
_CONSOLE = "wecom:console"  # who did it, as far as WeCom tells


@dataclass(frozen=True, slots=True)
class DirectoryReader:
    """Asks WeCom for the company, or for some of its people."""

    db: Database
    wecom: Wecom
    company: Company

    async def heard(self, event: DirectoryChanged) -> Step:
        """Take note of an event; another userid of a member is dealt with at once."""
        if event.new_userid:
            return await self._renamed(event)
        return lambda tx: self.note(tx, *_about(event))

    def note(self, tx: Transaction, *names: str) -> None:
        """Have WeCom asked in a moment about these, as `storage.news` names them."""
        scene = self._scene(tx)
        for name in names:
            tx.news.add(name, scene.now)
        due = scene.now + _SOON
        # One lane: what gathers while a reading runs is then done by the next, not beside it.
        key = f"{LOOK}:{int(due.timestamp())}"
        tx.work.add([Job(Queue.TIMERS, LOOK, LOOK, "", key, due)], scene.now)

    async def look(self) -> Step:
        """Look at what the events of late were about, unless many more are coming in."""
        known, waiting = await self.db.read(lambda tx: (tx.people.directory(), tx.news.waiting()))
        if not waiting.versions:
            raise Ignore("it has been looked at")
        many = len(waiting.versions) > _FEW
        if many and not _is_over(waiting, self.company.now()):
            raise Postpone(_SOON)
        if many or not known.members:
            return await self.everything()
        version = await self.db.read(lambda tx: tx.people.version())
        seen = await self._glimpse(waiting, known)
        if seen is None:
            return await self.everything()

        def take_over(tx: Transaction) -> None:
            scene = self._unchanged(tx, version)
            people.directory_read(scene, put_in(seen, tx.people.directory()), "directory")
            tx.news.drop(waiting)

        return take_over

    async def everything(self) -> Step:
        """Read the whole directory; the step takes it over and tells what it changed."""
        version, waiting = await self.db.read(lambda tx: (tx.people.version(), tx.news.waiting()))
        fresh = await sync.read_directory(self.wecom)

        def take_over(tx: Transaction) -> None:
            people.directory_read(self._unchanged(tx, version), fresh, "directory")
            tx.news.drop(waiting)

        return take_over

    def tell(self, tx: Transaction) -> None:
        """Tell the admins what changed, once nothing more is coming."""
        waiting = tx.news.waiting()
        people.tell(self._scene(tx), more_to_come=bool(waiting.versions))

    async def _glimpse(self, waiting: Waiting, known: Directory) -> Glimpse | None:
        """Return what WeCom shows of these; None if it takes the whole to tell."""
        wanted = [name.partition(":")[::2] for name in waiting.versions]
        try:
            members = await sync.read_members(
                self.wecom, (key for kind, key in wanted if kind == "user"), known
            )
            units = {int(key) for kind, key in wanted if kind == "department"}
            for key, now in members.items():
                units |= _units_of(known, key) | {*(now.departments if now else ())}
            departments = await sync.read_departments(self.wecom, units)
            tags = [await sync.read_tag(self.wecom, int(k)) for kind, k in wanted if kind == "tag"]
        except WecomError as error:
            if error.code in codes.UNSEEN:
                return None
            raise
        named = {found[0]: found[1] for found in tags if found}
        seen = Glimpse(members, departments, named)
        return seen if len(named) == len(tags) and _can_stand_alone(seen, known) else None

    async def _renamed(self, event: DirectoryChanged) -> Step:
        """Give a member their new userid, if WeCom shows them by it and we do not know it yet.

        If the old one is there too, somebody else has it by now: they begin with nothing.
        """
        old, new = event.userid, event.new_userid
        version, known = await self.db.read(lambda tx: (tx.people.version(), tx.people.directory()))
        seen = (await sync.read_members(self.wecom, [new], known))[new.lower()]
        if known.member(old) is None or known.member(new) is not None or seen is None:
            return lambda tx: self.note(tx, f"user:{old.lower()}", f"user:{new.lower()}")

        def take_over(tx: Transaction) -> None:
            scene = self._unchanged(tx, version)
            people.renamed(scene, old, seen)
            self.note(tx, f"user:{old.lower()}")

        return take_over

    def _unchanged(self, tx: Transaction, version: int) -> Scene:
        """Return the scene, if what was read is still to be compared with what was known then."""
        tx.hold("directory")
        if tx.people.version() != version:
            raise Postpone(_SOON)
        return self._scene(tx)

    def _scene(self, tx: Transaction) -> Scene:
        return self.company.scene(tx, _CONSOLE)


def _about(event: DirectoryChanged) -> tuple[str, ...]:
    match event.change:
        case (
            DirectoryChange.CREATE_USER | DirectoryChange.UPDATE_USER | DirectoryChange.DELETE_USER
        ):
            return (f"user:{event.userid.lower()}",)
        case DirectoryChange.UPDATE_TAG:
            return (f"tag:{event.tag_id}",)
        case (
            DirectoryChange.CREATE_PARTY
            | DirectoryChange.UPDATE_PARTY
            | DirectoryChange.DELETE_PARTY
        ):
            return (f"department:{event.department}",)


def _is_over(waiting: Waiting, now: datetime) -> bool:
    """Whether what came in at once has ended, or has gone on for long enough."""
    if waiting.since is None or waiting.changed_at is None:
        return True
    return now - waiting.changed_at >= _QUIET or now - waiting.since >= _AT_LAST


def _units_of(known: Directory, key: str) -> set[int]:
    """Return the departments of which a member may have been a leader: they say so too."""
    member = known.members.get(key)
    if member is None:
        return set()
    named = {d.id for d in known.departments.values() if any(same_user(u, key) for u in d.leaders)}
    return {*member.departments, *member.leads} | named


def _can_stand_alone(seen: Glimpse, known: Directory) -> bool:
    """Whether nothing follows from it for others: who is below a department, or has a lost tag."""
    if any(name not in known.tag_names for name in seen.tags):
        return False
    for number, now in seen.departments.items():
        was = known.departments.get(number)
        if was is not None and (now is None or now.parent != was.parent):
            return False
    return True
