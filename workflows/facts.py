"""What is known about one request, as named facts for the policy.

Known-to-be-nothing and unknown are different things: somebody who is not on file has no tags and no
owners, while a source that did not answer leaves its facts out altogether.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from workflows.claims import Claim
from workflows.directory import Directory, Member
from workflows.model import Customer, Facts, FactValue, Relation, RelationState, same_user

# Words for WeCom's add_way numbers (document 92114); a number not listed here leaves the fact out.
WAYS: Mapping[int, str] = {
    1: "qr",
    2: "phone",
    3: "card",
    4: "group",
    5: "address_book",
    6: "wechat",
    8: "isv_service",
    9: "email",
    10: "channels",
    11: "schedule",
    12: "meeting",
    13: "wechat_friend_account",
    14: "hardware",
    15: "on_site",
    16: "link",
    17: "custom",
    18: "request_answer",
    21: "presales",
    22: "partner",
    24: "wechat_request",
    201: "referral",
    202: "assigned",
}


@dataclass(frozen=True, slots=True)
class Counters:
    """What a member has done since the start of a day or week, in the company's time zone."""

    adds: int
    requests: int
    denials: int


def of_sender(
    member: Member | None,
    directory: Directory,
    roles: frozenset[str],
    level: int,
    grants: frozenset[str] = frozenset(),
) -> Facts:
    """Return the `sender.*` facts; a stranger has level 0 and nothing else is known of them."""
    if member is None:
        return {"sender.level": 0, "sender.roles": frozenset(), "sender.grants": frozenset()}
    return {
        "sender.userid": member.userid,
        "sender.name": member.name,
        "sender.level": level,
        "sender.roles": roles,
        "sender.grants": grants,
        "sender.departments": directory.departments_of(member.userid),
        "sender.position": member.position,
        "sender.tags": member.tags,
    }


def of_contact_count(count: int) -> Facts:
    """Return the fact of how many customers a member has."""
    return {"sender.contact_count": count}


def of_customer(
    customer: Customer | None, relations: Iterable[Relation], *, sender: str, now: datetime
) -> Facts:
    """Return the `customer.*` facts as `sender` meets them: owners are the *other* followers."""
    relations = list(relations)
    following = [r for r in relations if r.state in FOLLOWING]
    left = [r for r in relations if _was_left(r)]  # nobody's now, but still who they were
    others = frozenset(r.userid for r in following if not same_user(r.userid, sender))
    facts: dict[str, FactValue] = {
        "customer.tags": frozenset(tag for r in (*following, *left) for tag in r.tags),
        "customer.owners": others,
        "customer.owner_count": len(others),
        "customer.known_days": _known_days(following, now),
        "customer.corp_name": customer.corp_name if customer else "",
    }
    if customer is not None:
        facts |= {
            "customer.external_userid": customer.external_userid,
            "customer.name": customer.name,
            "customer.type": customer.type,
        }
    return facts


def _was_left(relation: Relation) -> bool:
    return relation.ended_by == "left" and relation.state is RelationState.DELETED_BY_MEMBER


def of_conflict(
    same_company: Iterable[str], *, other_team: bool = False, reserved_by: str = ""
) -> Facts:
    """Return the `customer.*` facts about who else is concerned.

    `same_company` are the other members who have a customer of the same company, `other_team`
    whether one of them is of none of the sender's departments; `reserved_by` reported the customer
    first and is protected, '' is nobody. Of a customer whose company nobody knows, nobody else is
    on file: that is known.
    """
    owners = frozenset(same_company)
    return {
        "customer.same_company_owners": owners,
        "customer.same_company_count": len(owners),
        "customer.same_company_other_team": other_team,
        "customer.reserved_by": reserved_by,
        "customer.is_reserved": bool(reserved_by),
    }


FOLLOWING = frozenset({RelationState.ADDED, RelationState.DELETED_BY_CUSTOMER})


def _known_days(relations: list[Relation], now: datetime) -> int:
    first = min((r.added_at for r in relations if r.added_at), default=now)
    return max(0, (now - first).days)


def of_chats(names: frozenset[str]) -> Facts:
    """Return the fact of which customer groups somebody is in, by the groups' names."""
    return {"customer.chats": names}


def of_plan() -> Facts:
    """Return the `contact.*` facts of an add that is asked for: our ticket is a QR code."""
    return {
        "contact.planned": True,
        "contact.way": "qr",
        "contact.initiator": "customer",
        "contact.half": False,
    }


def of_contact(relation: Relation, directory: Directory) -> Facts:
    """Return the `contact.*` facts of an add that has happened."""
    facts: dict[str, FactValue] = {
        "contact.planned": False,
        "contact.initiator": _initiator(relation, directory),
        "contact.channel": relation.channel,
        "contact.half": relation.state is RelationState.HALF,
    }
    if relation.add_way in WAYS:
        facts["contact.way"] = WAYS[relation.add_way]
    return facts


def _initiator(relation: Relation, directory: Directory) -> str:
    """Who started it, by `oper_userid` (document 92114)."""
    oper = relation.oper_userid
    if not oper:
        return "unknown"
    if same_user(oper, relation.userid):
        return "member"
    if oper == relation.external_userid:
        return "customer"
    if relation.add_way == 202:
        return "admin"
    return "colleague" if directory.member(oper) else "unknown"


def of_claim(claim: Claim) -> Facts:
    """Return the `claim.*` facts: what the requester typed, never mixed with what is known."""
    facts: dict[str, FactValue] = {
        "claim.company": claim.company,
        "claim.phone": claim.phone,
        "claim.reason": claim.reason,
        "request.reason": claim.reason,
        "request.count": 1,
    }
    if claim.signed is not None:
        facts["claim.signed"] = claim.signed
    return facts


def of_wish(reason: str = "", *, count: int = 1, target: str = "", tag: str = "") -> Facts:
    """Return the `request.*` facts of what is asked of customers one has; '' is known to be none.

    `target` is who takes customers over, `tag` the corp tag to put on or take off.
    """
    return {
        "claim.reason": reason,
        "request.reason": reason,
        "request.count": count,
        "request.target": target,
        "request.tag": tag,
    }


def of_counters(today: Counters, week: Counters) -> Facts:
    """Return the `today.*` and `week.*` facts."""
    return {
        f"{name}.{field}": getattr(counters, field)
        for name, counters in (("today", today), ("week", week))
        for field in ("adds", "requests", "denials")
    }
