"""Looks, before rules take effect, whether anybody could still change them and decide requests.

A rule that shuts out all admins could never be taken back, and a stage without approvers lets every
request run out of time. Both depend on the company's directory, not on the file alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from workflows import facts, roles
from workflows.approvers import Sources, can_fill, ids_of, people_in, resolve, with_stand_ins
from workflows.claims import Claim
from workflows.directory import ACTIVE, Directory, Member
from workflows.evaluation import view_of
from workflows.gates import Clause, Gate
from workflows.mistakes import Mistake
from workflows.model import (
    Answer,
    Facts,
    Group,
    Origin,
    Outcome,
    Person,
    Reason,
    Request,
    Stage,
    Subject,
    Verdict,
    Vote,
)
from workflows.policy import Policy
from workflows.sections import Rulebook
from workflows.standing import Standing

CHANGE = "config.change"
NEEDED = 2  # people who can change the rules
WARNINGS = frozenset({"one_admin"})  # to be told loudly, but no reason to refuse the file

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def lockout(policy: Policy, directory: Directory) -> tuple[Mistake, ...]:
    """Return what would keep the rules from ever being changed; `WARNINGS` are no hindrance.

    At least two active people must be able to get a change through: alone, or with the approval of
    somebody else. One suffices where the file names only one.
    """
    standing = Standing(policy, directory)
    trying = [_member(directory, userid) for userid in standing.admins]
    able = [m for m in trying if not _stuck(standing, m, [CHANGE])]
    found = [*_in_the_way(policy.rulebook)]
    if len(able) >= NEEDED:
        return tuple(found)
    if len(able) == 1 and len(_named(policy.rulebook, directory)) <= 1:
        who = {"who": able[0].name or able[0].userid}
        return (*found, Mistake(("permissions", CHANGE), "one_admin", who))
    params = {"people": str(len(able)), "needed": str(NEEDED)}
    return (*found, Mistake(("permissions", CHANGE), "lockout", params))


def dead_ends(policy: Policy, directory: Directory) -> tuple[Mistake, ...]:
    """Return every stage that a member may come to and that nobody could pass, with an example.

    Nobody approves for themselves, so a stage for admins with a single admin is one for that admin.
    A stage that asks whoever follows the customer is never one: the directory cannot tell.
    """
    standing = Standing(policy, directory)
    actions = list(policy.rulebook.permissions)
    found: dict[tuple[str, int], Member] = {}
    for member in sorted(directory.members.values(), key=lambda m: m.userid):
        if member.status == ACTIVE:
            for place in _stuck(standing, member, actions):
                found.setdefault(place, member)
    return tuple(
        Mistake(
            ("chains", chain, "stages", stage),
            "dead_end",
            {"stage": str(stage + 1), "who": f"{member.name} ({member.userid})"},
        )
        for (chain, stage), member in sorted(found.items(), key=lambda entry: entry[0])
    )


def _member(directory: Directory, userid: str) -> Member:
    return directory.members[userid.lower()]


def _in_the_way(book: Rulebook) -> Iterator[Mistake]:
    """Yield the rules that may refuse a change of the rules."""
    for index, rule in enumerate(book.rule):
        enforced = (rule.mode or book.defaults.mode) == "enforce"
        if enforced and rule.then == "deny" and CHANGE in rule.action:
            yield Mistake(("rule", index, "action"), "rule_in_the_way", item=rule.id)
    for index, review in enumerate(book.auto_review):
        if review.decide == "deny" and CHANGE in review.action:
            yield Mistake(("auto_review", index, "action"), "rule_in_the_way", item=review.id)


def _named(book: Rulebook, directory: Directory) -> frozenset[str]:
    """Return everybody whom a role that may change the rules names, at work or not."""
    table = book.permissions.get(CHANGE)
    needed = [n for n in (table.allow, table.approval) if n is not None] if table else []
    able = [r for r in book.roles.values() if needed and r.level >= min(needed)]
    selectors = {selector for role in able for selector in role.members}
    users = {s.partition(":")[2].lower() for s in selectors if s.startswith("user:")}
    tests = [roles.selected(selector, directory) for selector in selectors]
    members = directory.members.values()
    return frozenset(users) | {m.userid.lower() for m in members if any(t(m) for t in tests)}


# --- which stages a member may come to


def _stuck(standing: Standing, member: Member, actions: Iterable[str]) -> list[tuple[str, int]]:
    """Return the stages where requests of a member would wait in vain."""
    policy = standing.policy
    chains: set[str] = set()
    for action in actions:
        chains |= _chains(standing, member, action)
    found: list[tuple[str, int]] = []
    for name in sorted(chains):
        stages = policy.rulebook.chains[name].as_stages()
        stage = _dead_end(standing, member, stages)
        if stage is not None:
            found.append((name, stage))
    return found


def _chains(standing: Standing, member: Member, action: str) -> set[str]:
    """Return the chains that a request of this member may be put to."""
    policy = standing.policy
    permitted = standing.may(member.userid, action)
    if permitted is Outcome.DENY:
        return set()
    default = policy.rulebook.defaults.chain
    found = {default} if permitted is Outcome.APPROVAL else set[str]()
    gate = policy.gates.get(action, Gate())
    known = facts.of_sender(
        member,
        standing.directory,
        standing.roles(member.userid),
        standing.level(member.userid),
    )
    for rule in gate.rules:
        asks = rule.outcome is Outcome.APPROVAL and not rule.shadow
        if asks and rule.chain not in found and _may_hold(rule.clause, gate, known):
            found.add(rule.chain)
    return found


def _may_hold(clause: Clause, gate: Gate, known: Facts) -> bool:
    """Whether a rule may apply to this sender, whatever else will be known."""
    # Within every schedule and outside all: either may be the hour of the request.
    views = [
        view_of(known, gate.reads, lambda _: True),
        view_of(known, gate.reads, lambda _: False),
    ]
    return any(
        clause.holds(view) is not False and not (clause.cancels and clause.cancels(view) is True)
        for view in views
    )


# --- whether there is anybody to pass a stage


@dataclass(frozen=True, slots=True)
class _Seats:
    """The groups of some stages side by side, and who could fill them."""

    groups: tuple[Group, ...] = ()
    panel: tuple[tuple[Person, ...], ...] = ()

    def joined(self, other: _Seats) -> _Seats:
        return _Seats(self.groups + other.groups, self.panel + other.panel)

    @property
    def can_be_filled(self) -> bool:
        return not self.groups or can_fill(self.groups, self.panel, ids_of(people_in(self.panel)))


def _dead_end(standing: Standing, member: Member, stages: Sequence[Stage]) -> int | None:
    """Return the first stage that cannot be passed even if everybody agrees.

    Nobody counts twice, so all stages up to one are looked at together.
    """
    request = _request(member, stages)
    taken = _Seats()
    for number, stage in enumerate(stages):
        own = _seats(standing, replace(request, stage=number), stage)
        if stage.repeat:
            if not own.can_be_filled:
                return number
        else:
            taken = taken.joined(own)
            if not taken.can_be_filled:
                return number
        agreed = people_in(own.panel)
        votes = (Vote(number, p, Answer.APPROVE, _LONG_AGO, "card") for p in agreed)
        request = replace(request, votes=(*request.votes, *votes))
    return None


def _seats(standing: Standing, request: Request, stage: Stage) -> _Seats:
    """Return the stage's groups with everybody who could ever sit there, stand-ins included."""
    sources = Sources(standing.directory, standing.holders)
    groups = tuple(g for g in stage.groups if "owner_of_customer" not in g.sources)
    own = resolve(groups, request, sources)
    fallback = standing.policy.rulebook.chain_defaults.on_no_approver
    stand_ins = people_in(resolve((Group(fallback),), request, sources))
    return _Seats(groups, with_stand_ins(groups, own, stand_ins))


def _request(member: Member, stages: Sequence[Stage]) -> Request:
    """Return a request that bars nobody but the requester: who counts twice is looked at later."""
    return Request(
        id="",
        action="",
        origin=Origin.SYSTEM,
        requester=Person(member.userid, member.name),
        subject=Subject("", ""),
        claim=Claim(),
        facts={},
        verdict=Verdict(Outcome.APPROVAL, Reason.LEVEL),
        created_at=_LONG_AGO,
        chain=tuple(replace(stage, repeat=True) for stage in stages),
    )
