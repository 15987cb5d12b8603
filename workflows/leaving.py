"""Members who have left, the customers they leave behind, and sharing these out among colleagues.

WeCom shows the customers of a member who has left as unassigned (document 92124) and hands them
over as it does others: 24 hours after it was asked, unless the customer refuses (document 94081).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from workflows.claims import Claim
from workflows.directory import Directory
from workflows.model import Facts, Person, Relation, RelationState, Verdict
from workflows.plans import TakeOver

LEFT = 5  # WeCom's member status (document 90970)
ENDED = "left"  # why a relation ended: the member has left the company
MOST = 20_000  # customers in one request
WITHIN = timedelta(days=365)  # after that WeCom hands nobody over any more (document 94081)
IDLE_FOR = timedelta(days=7)  # then people are reminded
GROUPS_A_DAY = 300  # of one person (document 92127)


@dataclass(frozen=True, slots=True)
class Leaver:
    """Somebody who has left, with who stood above them when they did."""

    person: Person
    left_at: datetime
    managers: tuple[str, ...] = ()  # userids of who stood directly above
    above: tuple[str, ...] = ()  # of everybody above, the managers among them
    chats: int = 0  # customer groups that waited when WeCom was last asked
    told: int = -1  # how many customers were told of as waiting; -1 is never
    is_open: bool = True  # whether something of theirs may still wait
    shown: bool = False  # whether WeCom has ever shown customers of theirs: they have left surely


class Outcome(StrEnum):
    """What became of a customer who is to go to somebody else."""

    NONE = ""  # WeCom has not been asked yet
    WAITING = "waiting"  # WeCom has taken it
    DONE = "done"
    REFUSED = "refused"
    FULL = "full"
    REJECTED = "rejected"
    UNSEEN = "unseen"
    BARRED = "barred"  # the rules of the day it was to be done ask for more than was given


STAYS = (Outcome.REFUSED, Outcome.FULL, Outcome.REJECTED, Outcome.UNSEEN, Outcome.BARRED)


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """A customer of somebody who has left."""

    userid: str  # of who has left
    external_userid: str
    read_at: datetime  # when WeCom showed them last
    name: str = ""
    tier: str = ""  # name in the file; '' is unknown or none
    groups: tuple[str, ...] = ()
    request_id: str = ""  # by which they are to go
    taker: str = ""  # userid
    outcome: Outcome = Outcome.NONE
    is_open: bool = True  # whether WeCom showed them as without a member


@dataclass(frozen=True, slots=True)
class Handover:
    """A request to take over, while its customers are judged one page after the other and later.

    `say` is what the strictest verdict says, and of whom.
    """

    id: str  # of the request
    plan: TakeOver
    requester: Person
    claim: Claim
    count: int  # customers as counted at the beginning
    names: tuple[str, ...] = ()  # external_userids, where single ones are meant
    last: str = ""  # external_userid of the last one judged
    judged: int = 0
    verdict: Verdict | None = None
    facts: Facts = field(default_factory=dict)
    say: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tiers: Mapping[str, int] = field(default_factory=dict)
    groups: Mapping[str, int] = field(default_factory=dict)
    shares: Mapping[str, int] = field(default_factory=dict)  # customers by taker's userid
    tier_shares: Mapping[str, int] = field(default_factory=dict)  # by 'tier|taker'
    held: tuple[str, ...] = ()  # names of customers who were never allowed
    held_count: int = 0
    first: str = ""  # the first customer's name
    is_filed: bool = False
    outcomes: Mapping[str, int] = field(default_factory=dict)  # customers by 'allow', …
    asked_groups: tuple[tuple[datetime, int], ...] = ()  # when, and how many went
    group_shares: Mapping[str, int] = field(default_factory=dict)  # groups by taker's userid
    refused_groups: tuple[str, ...] = ()  # chat ids that WeCom would not hand over
    told: tuple[tuple[str, int], ...] = ()  # counts as last told


def ended(relation: Relation, left_at: datetime) -> Relation:
    """Return a relation as it is once its member has left; a later one is somebody else's."""
    is_over = relation.state in (RelationState.NONE, RelationState.DELETED_BY_MEMBER)
    if is_over or (relation.added_at is not None and relation.added_at > left_at):
        return relation
    over = RelationState.DELETED_BY_MEMBER
    return replace(relation, state=over, ended_by=ENDED, seen_at=left_at)


def above(directory: Directory, userid: str) -> tuple[str, ...]:
    """Return all who stand above a member, the nearest first; circles end."""
    found: list[str] = []
    level: Sequence[str] = directory.manager_of(userid)
    while level:
        found += level
        known = {each.lower() for each in (*found, userid)}
        higher = (who for each in level for who in directory.manager_of(each))
        level = [each for each in dict.fromkeys(higher) if each.lower() not in known]
    return tuple(dict.fromkeys(found))


def in_turn(takers: Sequence[str], loads: Mapping[str, int]) -> tuple[str, ...]:
    """Return the takers as they take turns: who has the fewest customers begins, so that whoever
    has the most gets none of what does not come out even.
    """
    return tuple(sorted(takers, key=lambda each: (loads.get(each, 0), takers.index(each))))


def whose_turn(handover: Handover, tier: str) -> str:
    """Return who takes the next customer of a tier: who has the fewest of that tier from this
    leaver, then who has the fewest in all; so every tier is shared out evenly, and the whole too.
    """
    takers = handover.plan.to
    return min(
        takers,
        key=lambda who: (
            handover.tier_shares.get(f"{tier}|{who}", 0),
            handover.shares.get(who, 0),
            takers.index(who),
        ),
    )


def counted(handover: Handover, one: LeftBehind, *, held: bool) -> Handover:
    """Return the handover with one more customer, who goes to `one.taker`."""
    shares = {**handover.shares, one.taker: handover.shares.get(one.taker, 0) + 1}
    own = f"{one.tier}|{one.taker}"
    tier_shares = {**handover.tier_shares, own: handover.tier_shares.get(own, 0) + 1}
    tiers = {**handover.tiers, one.tier: handover.tiers.get(one.tier, 0) + 1}
    groups = dict(handover.groups)
    for each in one.groups:
        groups[each] = groups.get(each, 0) + 1
    return replace(
        handover,
        last=one.external_userid,
        judged=handover.judged + 1,
        shares=shares,
        tier_shares=tier_shares,
        tiers=tiers,
        groups=groups,
        first=handover.first or one.name,
        held=(*handover.held, one.name)[:10] if held else handover.held,
        held_count=handover.held_count + held,
    )


def groups_left_today(handover: Handover, now: datetime) -> int:
    """Return how many groups WeCom will still take from this person (document 92127)."""
    day = timedelta(days=1)
    return GROUPS_A_DAY - sum(count for at, count in handover.asked_groups if at > now - day)
