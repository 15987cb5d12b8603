"""The mirror of customers: what a reading of WeCom says of what is on file.

WeCom shows a relation as long as the member has not deleted the customer, so that what is not shown
any more was ended by the member or a transfer. That the customer has deleted the member, only an
event can tell (document 92130).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from workflows import leaving
from workflows.model import Customer, Relation, RelationState

# What was asked about so lately may be newer than what was read: clocks of nodes differ.
SLACK = timedelta(minutes=2)
GOOD = 0.95  # coverage from which on nobody has to worry
CALLBACK_TAKES = timedelta(minutes=5)  # until an add without a callback counts as found late
MOST_MEMBERS = 100  # in one call, document 92994
_MOST_RELATIONS = 2_000  # in one chunk, as far as they are known before
MOST_ABREAST = 4  # calls at once: one less than may be under way, for whoever else asks
_WORTH_A_GROUP = 200  # relations: two pages
_AT_FIRST = 500  # relations that a member may have of whom nothing is known
_FOLLOWED = frozenset({RelationState.ADDED, RelationState.DELETED_BY_CUSTOMER})
_ENDED = frozenset({RelationState.NONE, RelationState.DELETED_BY_MEMBER})
_ONLY_TOLD = frozenset({RelationState.HALF, RelationState.DELETED_BY_CUSTOMER})

Pair = tuple[str, str]  # userid in lower case, external_userid


@dataclass(frozen=True, slots=True)
class Shown:
    """What WeCom shows of one member and one customer (document 92114)."""

    userid: str
    external_userid: str
    added_at: datetime | None
    add_way: int = 0
    oper_userid: str = ""
    channel: str = ""
    remark: str = ""
    company: str = ""  # as the member has noted it
    phones: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()  # names of corp tags

    @property
    def pair(self) -> Pair:
        """Who it is about, as keys have it."""
        return self.userid.lower(), self.external_userid


@dataclass(frozen=True, slots=True)
class Watched:
    """Since when a member is watched: what was there before is not judged.

    `read_at` is when their last complete reading began; None before the first.
    """

    since: datetime
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What a reading, or a part of it, came to."""

    members: int = 0
    relations: int = 0
    new: int = 0  # put on file without being judged: they were there before Menwei watched
    changed: int = 0
    adds: int = 0  # made since the member was read before

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.members + other.members,
            self.relations + other.relations,
            self.new + other.new,
            self.changed + other.changed,
            self.adds + other.adds,
        )


class Find(StrEnum):
    """What asking once more about a doubted pair has shown."""

    OPEN = "open"  # not asked yet
    ADD = "add"  # an add that no event had told of
    GONE = "gone"  # a deletion that no event had told of
    NOTHING = "nothing"  # an event came first, or WeCom does not say


@dataclass(frozen=True, slots=True)
class Unread:
    """A member whose customers WeCom does not show, and the error code it gave."""

    userid: str
    code: int


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of all customers. `step` counts how often it came further."""

    number: int
    began: datetime
    moved_at: datetime
    of: int = 0  # members to be read
    step: int = 0
    after: str = ""  # the last member, in lower case, who was read
    is_through: bool = False  # all have been read; what was found late is still looked at
    ended: datetime | None = None
    tally: Tally = Tally()
    late_adds: int = 0
    late_deletions: int = 0
    unsettled: int = 0  # found late, and WeCom could not be asked about it in time
    unread: tuple[Unread, ...] = ()

    @property
    def coverage(self) -> float | None:
        """The part of the adds since the reading before that came by callback; None of no adds."""
        adds = max(self.tally.adds, self.late_adds)
        return 1 - self.late_adds / adds if adds else None


@dataclass(frozen=True, slots=True)
class Difference:
    """What a page of WeCom's answer asks to be written."""

    new: tuple[Relation, ...] = ()
    changed: tuple[Relation, ...] = ()
    doubted: tuple[Shown, ...] = ()  # WeCom has to be asked about these once more
    customers: tuple[Customer, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.doubted or self.customers)


def is_followed(relation: Relation | None) -> bool:
    """Whether WeCom is expected to show it, and the member's list of customers to hold it."""
    return relation is not None and relation.state in _FOLLOWED


def brought_up_to_date(old: Relation | None, shown: Shown) -> Relation:
    """Return a relation as WeCom shows it; what WeCom cannot know is kept.

    One that had ended begins anew, and nobody has judged it yet. Of a leaver's nothing is kept:
    somebody new may have their userid.
    """
    known = old if old and old.ended_by != leaving.ENDED else None
    base = known or Relation(shown.userid, shown.external_userid, RelationState.NONE)
    return replace(
        base,
        # WeCom lists one-sided relations too (document 92130), so only events make these two.
        state=base.state if base.state in _ONLY_TOLD else RelationState.ADDED,
        request_id="" if base.state in _ENDED else base.request_id,
        added_at=shown.added_at or base.added_at,
        add_way=shown.add_way,
        oper_userid=shown.oper_userid,
        channel=shown.channel or base.channel,
        remark=shown.remark,
        company=shown.company,
        phones=shown.phones,
        tags=shown.tags,
    )


def is_unjudged(relation: Relation | None, shown: Shown, since: datetime) -> bool:
    """Whether an add was made while the member was watched, and nobody has judged it."""
    late = _is_since(shown.added_at, since)
    if relation is None:
        return late
    if relation.state in _ENDED:
        return True
    alive = relation.state is not RelationState.DELETED_BY_CUSTOMER
    return alive and not relation.request_id and late


def compare(
    shown: Iterable[Shown],
    on_file: Mapping[Pair, Relation],
    watched: Mapping[str, Watched],
    asked_at: datetime,
) -> Difference:
    """Return what is different on file, for a page that WeCom was asked for at `asked_at`.

    `watched` has an entry for every member of the page, by userid in lower case.
    """
    new, changed, doubted = [], [], []
    for each in shown:
        old = on_file.get(each.pair)
        fresh = brought_up_to_date(old, each)
        if is_unjudged(old, each, watched[each.userid.lower()].since):
            doubted.append(each)
        elif old is None:
            new.append(fresh)
        elif fresh != old:
            if was_asked_since(old, asked_at):
                doubted.append(each)
            else:
                changed.append(fresh)
    return Difference(tuple(new), tuple(changed), tuple(doubted))


def was_asked_since(relation: Relation | None, at: datetime) -> bool:
    """Whether an event may have brought something newer than what WeCom was asked for then."""
    known = relation.asked_at if relation else None
    return known is not None and known > at - SLACK


def named_anew(shown: Iterable[Customer], on_file: Mapping[str, Customer]) -> tuple[Customer, ...]:
    """Return the customers who are called differently on file, or are not there; each once.

    What one answer leaves out, another may have told.
    """
    found: dict[str, Customer] = {}
    for each in shown:
        old = on_file.get(each.external_userid)
        new = _completed(each, old) if old else each
        if new != old:
            found[each.external_userid] = new
    return tuple(found.values())


def _completed(new: Customer, old: Customer) -> Customer:
    return replace(
        new,
        name=new.name or old.name,
        corp_name=new.corp_name or old.corp_name,
        unionid=new.unionid or old.unionid,
    )


def made_since(shown: Iterable[Shown], watched: Mapping[str, Watched]) -> int:
    """Return how many adds were made since their member was read before."""
    return sum(_is_since(each.added_at, watched[each.userid.lower()].read_at) for each in shown)


def _is_since(added_at: datetime | None, at: datetime | None) -> bool:
    """Whether an add was made after then. WeCom tells whole seconds."""
    return added_at is not None and at is not None and added_at >= at.replace(microsecond=0)


def pack(members: Sequence[str], known: Mapping[str, int]) -> list[str]:
    """Return how many of the members, from the first on, are read in one go: at least one.

    `known` is how many customers those have who were read before, by userid in lower case.
    """
    packed: list[str] = []
    room = _MOST_RELATIONS
    for userid in members[:MOST_MEMBERS]:
        size = known.get(userid.lower(), _AT_FIRST)
        if packed and size > room:
            break
        packed.append(userid)
        room -= size
    return packed


def abreast(members: Sequence[str], known: Mapping[str, int]) -> list[list[str]]:
    """Return the members of a chunk in groups of about the same size, to be read side by side.

    Every group ends with a page that is not full, so that few customers make few groups.
    """
    sizes = {userid: known.get(userid.lower(), _AT_FIRST) for userid in members}
    many = min(MOST_ABREAST, len(members), max(1, sum(sizes.values()) // _WORTH_A_GROUP))
    taken, group = [0] * many, {}
    for userid in sorted(members, key=lambda each: -sizes[each]):  # the largest come first
        group[userid] = taken.index(min(taken))
        taken[group[userid]] += sizes[userid]
    found = ([each for each in members if group[each] == number] for number in range(many))
    return [each for each in found if each]


def look_at(shown: Shown, now: datetime) -> datetime:
    """Return when to ask WeCom about a doubted relation: its callback may be on its way."""
    settled = shown.added_at + CALLBACK_TAKES if shown.added_at else now
    return min(max(now, settled), now + CALLBACK_TAKES)  # clocks may differ
