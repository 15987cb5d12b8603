"""A reading of all customers goes on, page by page, and its end is told.

What it shows otherwise than it is on file is written at once where nobody has to judge it. A
relation that came or went without an event is doubted first: WeCom is asked about it once more, see
`catching_up`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from bot.actions import knowing
from bot.actions.scene import Scene
from bot.wording import Lines, Words
from storage.mirror import Filed
from storage.transaction import Transaction
from storage.work import Job, Queue
from workflows import mirror
from workflows.mirror import Difference, Find, Pair, Reading, Shown, Tally, Unread, Watched
from workflows.model import Customer, Relation

READ_ON = "read_customers"
LOOK = "look_at_customer"
END = "end_reading"

_log = structlog.get_logger()

_LONGEST = timedelta(hours=1)  # that a reading waits for what it has found late
_ENOUGH_ADDS = 20  # from how many adds on coverage says something
_MEMBERS, _NAMES = 10, 3  # named in one message


@dataclass(frozen=True, slots=True)
class Page:
    """One page of WeCom's answer, asked for at `asked_at`, about members who are `watched`."""

    asked_at: datetime
    shown: tuple[Shown, ...]
    customers: tuple[Customer, ...]
    watched: Mapping[str, Watched]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was on file when a page was compared, and what was different."""

    filed: Filed
    found: Difference


@dataclass(slots=True)
class Chunk:
    """Some members whose customers are read in one go; filled page by page.

    The members of each group are asked about together, and the groups side by side.
    """

    members: list[str]
    groups: list[list[str]]
    watched: Mapping[str, Watched]
    asked_at: datetime
    is_last: bool
    tally: Tally = field(default_factory=Tally)
    seen: set[Pair] = field(default_factory=set)
    unread: list[Unread] = field(default_factory=list)

    @property
    def read(self) -> list[str]:
        """The members whose customers WeCom has shown to the last."""
        refused = {each.userid for each in self.unread}
        return [each for each in self.members if each not in refused]

    def count(self, page: Page, written: Tally) -> None:
        """Count a page in; what was seen before, at another try, does not count again."""
        new = [each for each in page.shown if each.pair not in self.seen]
        self.seen.update(each.pair for each in new)
        adds = mirror.made_since(new, self.watched)
        self.tally += replace(written, relations=len(new), adds=adds)


def begin(scene: Scene, members: int) -> None:
    """Begin to read the customers of so many members, unless somebody else has."""
    scene.tx.hold("readings")
    begun = scene.tx.readings.begin(Reading(0, scene.now, scene.now, of=members))
    if begun is not None:
        _go_on(scene, begun)


def take_up(scene: Scene, reading: Reading) -> None:
    """Go on with a reading that got stuck; whoever still has it in hand is too late then."""
    again = replace(reading, step=reading.step + 1, moved_at=scene.now)
    if scene.tx.readings.move(reading, again):
        _go_on(scene, again)


def difference(tx: Transaction, page: Page) -> Comparison:
    """Return what is different on file, by one query for the relations and one for customers."""
    filed = tx.mirror.on_file(each.pair for each in page.shown)
    found = mirror.compare(page.shown, filed.relations, page.watched, page.asked_at)
    return Comparison(filed, replace(found, customers=_named_anew(tx, page.customers)))


def _named_anew(tx: Transaction, shown: Iterable[Customer]) -> tuple[Customer, ...]:
    customers = {each.external_userid: each for each in shown}
    return mirror.named_anew(customers.values(), tx.mirror.customers(customers))


def _of_watched(tx: Transaction, found: Difference) -> Difference:
    related: list[Relation | Shown] = [*found.new, *found.changed, *found.doubted]
    watched = tx.mirror.watched(each.userid for each in related)
    return replace(
        found,
        new=tuple(each for each in found.new if each.userid.lower() in watched),
        changed=tuple(each for each in found.changed if each.userid.lower() in watched),
        doubted=tuple(each for each in found.doubted if each.userid.lower() in watched),
    )


def take_over(scene: Scene, reading: Reading, seen: Comparison) -> Tally:
    """Write what was different on file, and have WeCom asked about what is doubted.

    Events may have come since it was compared. They win: a relation that is there by now stays as
    it is, one that has changed is asked about once more, and customers are compared anew. Who has
    got another userid since the page was asked for is not watched by this one any more.
    """
    filed, found = seen.filed, _of_watched(scene.tx, seen.found)
    scene.tx.mirror.put_customers(_named_anew(scene.tx, found.customers))
    new = scene.tx.mirror.store(found.new)
    late = [each for each in found.changed if not scene.tx.mirror.change(filed, each)]
    overtaken = {(each.userid.lower(), each.external_userid) for each in late}
    doubts = {each.pair: mirror.look_at(each, scene.now) for each in found.doubted}
    doubts |= dict.fromkeys(overtaken, scene.now + mirror.SLACK)
    _doubt(scene, reading, doubts)
    return Tally(new=new, changed=len(found.changed) - len(late))


def chunk_read(scene: Scene, reading: Reading, chunk: Chunk) -> None:
    """Note that a chunk has been read, and doubt what WeCom shows no more of its members."""
    scene.tx.hold("readings")  # the last look must see that all have been read, or we see the look
    new = replace(
        reading,
        step=reading.step + 1,
        after=chunk.members[-1].lower() if chunk.members else reading.after,
        moved_at=scene.now,
        is_through=chunk.is_last,
        tally=reading.tally + replace(chunk.tally, members=len(chunk.read)),
        unread=(*reading.unread, *chunk.unread),
    )
    if not scene.tx.readings.move(reading, new):
        return  # somebody else has gone on with it
    gone = scene.tx.mirror.followed(chunk.read) - chunk.seen
    _doubt(scene, reading, dict.fromkeys(gone, scene.now + mirror.SLACK))
    scene.tx.mirror.note_read(chunk.read, chunk.asked_at)
    if new.is_through and scene.tx.readings.is_settled(new.number):
        end(scene, new.number)
    else:
        _go_on(scene, new)


def _go_on(scene: Scene, reading: Reading) -> None:
    if reading.is_through:
        scene.remind(END, str(reading.number), reading.moved_at + _LONGEST)
    else:
        scene.remind(READ_ON, f"{reading.number}|{reading.step}", scene.now)


def _doubt(scene: Scene, reading: Reading, doubts: Mapping[Pair, datetime]) -> None:
    """Have WeCom asked about each pair, once in a reading, however often a chunk is read."""
    scene.tx.readings.find(reading.number, doubts)
    jobs = []
    for (userid, external), due in doubts.items():
        name = f"{reading.number}|{userid}|{external}"
        key = f"{LOOK}:{name}"
        jobs.append(Job(Queue.TIMERS, LOOK, key, name, key, due))
    scene.tx.work.add(jobs, scene.now)


# The end


def settle(scene: Scene, number: int, pair: Pair, found: Find) -> None:
    """Note what a look at a pair has shown; the last one ends the reading."""
    scene.tx.hold("readings")  # of two at once, the second must see the first
    scene.tx.readings.settle(number, pair, found)
    end(scene, number)


def end(scene: Scene, number: int) -> None:
    """End a reading once everything it doubted is settled, or has taken too long."""
    reading = scene.tx.readings.open()
    if reading is None or reading.number != number or not reading.is_through:
        return
    is_late = scene.now - reading.moved_at >= _LONGEST
    if not is_late and not scene.tx.readings.is_settled(number):
        return
    finds = scene.tx.readings.finds(number)
    ended = replace(
        reading,
        step=reading.step + 1,
        ended=scene.now,
        late_adds=finds[Find.ADD],
        late_deletions=finds[Find.GONE],
        unsettled=finds[Find.OPEN],
    )
    if scene.tx.readings.move(reading, ended):
        _log.info("customers_read", number=number, coverage=ended.coverage, late=ended.late_adds)
        _record(scene, ended)
        _tell(scene, ended)
        scene.tx.readings.forget(number)


def _record(scene: Scene, reading: Reading) -> None:
    scene.record(
        "customers.read",
        began=reading.began.isoformat(),
        members=reading.tally.members,
        of=reading.of,
        relations=reading.tally.relations,
        new=reading.tally.new,
        changed=reading.tally.changed,
        late_adds=reading.late_adds,
        late_deletions=reading.late_deletions,
        unread=[f"{each.userid} {each.code}" for each in reading.unread],
    )


def _tell(scene: Scene, reading: Reading) -> None:
    """Tell the admins what no event had told, and when too many adds come without one."""
    admins = scene.standing.admins
    counts = ((Find.ADD, reading.late_adds), (Find.GONE, reading.late_deletions))
    for what, count in counts:  # a message each: with long names both do not fit into one
        if count:
            who = _who(scene, reading, what)
            part = Words(f"customers.late_{what.value}", {"count": count, "who": who})
            scene.tell(admins, "customers.late", what=part)
    coverage = reading.coverage
    adds = max(reading.tally.adds, reading.late_adds)
    if coverage is not None and coverage < mirror.GOOD and adds >= _ENOUGH_ADDS:
        percent = f"{coverage:.1%}"
        scene.tell(admins, "customers.coverage_low", percent=percent, adds=adds)


def _who(scene: Scene, reading: Reading, what: Find) -> Lines:
    """Return some of the members whom it is about, each with some of the customers."""
    most = _MEMBERS * _NAMES * 4  # enough to fill the lines, and few to look up
    by_member: dict[str, list[str]] = {}
    for userid, external in scene.tx.readings.found(reading.number, what, most):
        by_member.setdefault(userid, []).append(external)
    named = list(by_member.items())[:_MEMBERS]
    return Lines(tuple(_line(scene, userid, externals) for userid, externals in named), "\n")


def _line(scene: Scene, userid: str, externals: Iterable[str]) -> Words:
    ids = list(externals)
    names = tuple(knowing.name_of(scene, each) for each in ids[:_NAMES])
    key = "customers.of_more" if len(ids) > _NAMES else "customers.of"
    return Words(key, {"member": scene.person(userid).name, "names": names})
