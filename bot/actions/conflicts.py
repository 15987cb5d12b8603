"""Who else is concerned when somebody wants to add a customer (撞单)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.actions import former
from bot.actions.scene import Scene
from workflows import asking, companies, facts, masking
from workflows.claims import Claim
from workflows.directory import ACTIVE
from workflows.facts import FOLLOWING
from workflows.model import Customer, Facts, Relation, Request, same_user
from workflows.protection import LONGEST_WAIT, Standing, standing

_READ = frozenset(facts.of_conflict(()))


@dataclass(frozen=True, slots=True)
class Conflict:
    """Colleagues whom somebody's wish to add a customer concerns."""

    owners: tuple[Relation, ...] = ()  # who have this very person
    company: tuple[Relation, ...] = ()  # who have somebody else of the same company
    first: Standing | None = None  # who reported this person before

    def __bool__(self) -> bool:
        return bool(self.owners or self.company or self.first)


# On file


def relations_of(
    scene: Scene, customer: Customer | None, claim: Claim | None = None
) -> list[Relation]:
    """Return all relations to one person: under other ids of the same unionid, or by the number
    that was typed, too.
    """
    relations = scene.tx.relations
    same = [customer.external_userid, *relations.ids_of(customer.unionid)] if customer else []
    phone = masking.phone_digits(claim.phone) if claim else ""
    same += [each.external_userid for each in relations.find_by_phone(phone)] if phone else []
    found = (r for external in dict.fromkeys(same) for r in relations.of_customer(external))
    return [former.as_it_is(scene, each) for each in found]


def keys_of(
    customer: Customer | None, claim: Claim | None, relations: Iterable[Relation] = ()
) -> list[str]:
    """Return what reports of one person are filed by."""
    phones = {phone for each in relations for phone in each.phones if phone}
    claims = [Claim(phone=phone) for phone in phones]
    if claim is not None and (claim.phone or (claim.name and claim.company)):
        claims.append(claim)
    ids = {each.external_userid for each in relations}
    if customer is not None:
        ids.add(customer.external_userid)
    return sorted(ids | {f"planned:{asking.fingerprint(each)}" for each in claims})


def known(
    scene: Scene,
    userid: str,
    customer: Customer | None,
    claim: Claim | None,
    *,
    place: datetime | None = None,
) -> Conflict:
    """Return whom a member's wish concerns. `place` is since when the member has wanted it."""
    found, relations = _without_reports(scene, userid, customer, claim)
    reported = first(scene, userid, keys_of(customer, claim, relations), place)
    return replace(found, first=reported)


def met(
    scene: Scene,
    userid: str,
    customer: Customer | None,
    claim: Claim | None,
    place: datetime | None,
) -> Conflict:
    """Return the same of an add that took place, where reports count only as they protect."""
    if scene.book.protection.lasts is not None:
        return known(scene, userid, customer, claim, place=place)
    return _without_reports(scene, userid, customer, claim)[0]


def _without_reports(
    scene: Scene, userid: str, customer: Customer | None, claim: Claim | None
) -> tuple[Conflict, list[Relation]]:
    """Return whom a wish concerns but for what was reported, and all relations to the person."""
    relations = relations_of(scene, customer, claim)
    company = _same_company(scene, userid, customer, claim, relations)
    return Conflict(tuple(_others(relations, userid)), tuple(company)), relations


def owners(scene: Scene, userid: str, customer: Customer | None) -> tuple[Relation, ...]:
    """Return the relations of everybody else who has a customer."""
    return tuple(_others(relations_of(scene, customer), userid))


def _others(relations: Iterable[Relation], userid: str) -> Iterable[Relation]:
    others = [r for r in relations if r.state in FOLLOWING and not same_user(r.userid, userid)]
    return {each.userid.lower(): each for each in reversed(others)}.values()


def _same_company(
    scene: Scene,
    userid: str,
    customer: Customer | None,
    claim: Claim | None,
    relations: Sequence[Relation],
) -> Iterable[Relation]:
    names = [customer.corp_name if customer else "", claim.company if claim else ""]
    names += [each.company for each in relations]
    read = {company.core: name for name in names if (company := companies.read(name))}
    same = {each.external_userid for each in relations}
    same |= {customer.external_userid} if customer else set()
    found = (each for name in read.values() for each in scene.tx.companies.known_to(name))
    others = (former.as_it_is(scene, r) for r in found if r.external_userid not in same)
    return _others(others, userid)


# Reports


def hold(scene: Scene, keys: Iterable[str]) -> None:
    """Let nobody else report these until this step is over: exactly one is first."""
    for key in sorted(set(keys)):
        scene.tx.hold(f"report:{key}")


def first(
    scene: Scene, userid: str, keys: Iterable[str], place: datetime | None = None
) -> Standing | None:
    """Return the report of another member that came first and still counts, if there is one."""
    found = _first_of_all(scene, keys)
    if found is None or same_user(found.report.userid, userid):
        return None
    return None if place is not None and place <= found.report.since else found


def own_place(scene: Scene, userid: str, keys: Iterable[str]) -> datetime | None:
    """Return since when a member is the first who wants somebody; None if they are not."""
    found = _first_of_all(scene, keys)
    return found.report.since if found and same_user(found.report.userid, userid) else None


def place_of(scene: Scene, request: Request | None) -> datetime | None:
    """Return since when a request keeps a place."""
    reports = scene.tx.reports.of_request(request.id) if request else []
    return min((each.since for each in reports), default=None)


def own_standing(scene: Scene, request: Request) -> Standing | None:
    """Return what a request keeps for its requester, if it is the first and still counts."""
    keys = [each.key for each in scene.tx.reports.of_request(request.id)]
    found = _first_of_all(scene, keys) if keys else None
    return found if found and found.request.id == request.id else None


def file(
    scene: Scene, request: Request, keys: Iterable[str], since: datetime | None = None
) -> None:
    """Write down that a request wants whom these keys name, at a place it may have had before."""
    scene.tx.reports.add(request.id, request.requester.userid, keys, since or request.created_at)


def _first_of_all(scene: Scene, keys: Iterable[str]) -> Standing | None:
    period = scene.book.protection.lasts
    after = scene.now - LONGEST_WAIT - (period or LONGEST_WAIT)
    reports = [each for key in keys for each in scene.tx.reports.of_key(key, after)]
    for report in sorted(reports, key=lambda each: (each.since, each.seq)):
        member = scene.directory.member(report.userid)
        request = scene.tx.requests.get(report.request_id)
        if request is None or member is None or member.status != ACTIVE:
            continue
        ticket = scene.tx.tickets.of_request(request.id)
        if found := standing(report, request, ticket, period, scene.now):
            return found
    return None


# Facts


def facts_of(scene: Scene, userid: str, conflict: Conflict) -> Facts:
    """Return the facts that rules may read of it."""
    reserved = conflict.first if conflict.first and conflict.first.is_protected else None
    return facts.of_conflict(
        (each.userid for each in conflict.company),
        other_team=any(_is_elsewhere(scene, userid, each.userid) for each in conflict.company),
        reserved_by=reserved.request.requester.userid if reserved else "",
    )


def read_facts(scene: Scene, userid: str, customer: Customer | None) -> Facts:
    """Return them of a customer one has, where a rule reads any: nothing else is asked for."""
    gates = (scene.policy.classing, *scene.policy.gates.values())
    if not any(each.name in _READ for gate in gates for each in gate.reads.attributes):
        return {}
    return facts_of(scene, userid, known(scene, userid, customer, None))


def _is_elsewhere(scene: Scene, one: str, other: str) -> bool:
    """Whether two members are of no common department."""
    members = (scene.directory.member(each) for each in (one, other))
    units = [frozenset(each.departments) if each else frozenset() for each in members]
    return not units[0] & units[1]
