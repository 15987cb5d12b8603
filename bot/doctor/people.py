"""Whether WeCom shows the people whom the file names, and lets the sellers have customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot import sync
from bot.doctor.findings import Finding, Patient, failure, ok, warning
from bot.wecom import WecomError, codes
from workflows import deciders
from workflows.directory import ACTIVE, Directory, Member
from workflows.model import Outcome
from workflows.sections import Rulebook
from workflows.standing import Standing

_ADD = "friend.add"
_LISTED = 10
# Where somebody is named who decides; elsewhere a wrong name only loses a message.
_DECIDING = frozenset({"roles", "chains", "chain_defaults", "enforcement"})


async def named(patient: Patient) -> list[Finding]:
    """Look for everybody whom the file names by userid."""
    people = named_users(patient.settings.rules)
    unseen = {userid for userid in people if not await _is_seen(patient, userid)}
    deciding = sorted(u for u in unseen if people[u] & _DECIDING)
    others = sorted(unseen - set(deciding))
    found: list[Finding] = []
    if deciding:
        found.append(failure("named", "unseen", names=tuple(deciding)))
    if others:
        found.append(warning("named", "unseen_others", names=tuple(others)))
    return found or [ok("named", count=len(people))]


async def _is_seen(patient: Patient, userid: str) -> bool:
    try:
        member = await patient.wecom.user(userid)
    except WecomError as error:
        if error.code in codes.UNSEEN:
            return False
        raise
    return member.status == ACTIVE


def named_users(book: Rulebook) -> Mapping[str, frozenset[str]]:
    """Return the userids in the file (without its tests), with the sections they stand in."""
    found: dict[str, frozenset[str]] = {}
    for section in ("roles", "chains", "chain_defaults", "enforcement", "notify"):
        for text in deciders.texts(getattr(book, section)):
            kind, _, userid = text.partition(":")
            if kind == "user" and userid:
                found[userid] = found.get(userid, frozenset()) | {section}
    return found


async def sellers(patient: Patient) -> list[Finding]:
    """Compare who may add customers by the rules with who may by WeCom's console."""
    able = {userid.lower(): userid for userid in await patient.wecom.follow_users()}
    if not able:
        return [failure("sellers", "nobody")]
    directory = await _directory(patient)
    standing = Standing(patient.policy, directory)
    outside = [m.name or m.userid for m in _sellers(standing) if m.userid.lower() not in able]
    strangers = [able[key] for key in sorted(able) if standing.may(key, _ADD) is Outcome.DENY]
    found: list[Finding] = []
    if outside:
        found.append(warning("sellers", "outside", count=len(outside), names=_some(outside)))
    if strangers:
        names = _some(_names(directory, strangers))
        found.append(warning("sellers", "refused_always", count=len(strangers), names=names))
    return found or [ok("sellers", count=len(able))]


def _sellers(standing: Standing) -> list[Member]:
    """Return who may add customers and does not only look after the rules."""
    admins = {userid.lower() for userid in standing.admins}
    members = [m for key, m in sorted(standing.directory.members.items()) if key not in admins]
    return [m for m in members if standing.may(m.userid, _ADD) is not Outcome.DENY]


async def _directory(patient: Patient) -> Directory:
    """Return the company as last read; before the first start it is read now."""
    if patient.db is not None:
        directory = await patient.db.read(lambda tx: tx.people.directory())
        if directory.members:
            return directory
    return await sync.read_directory(patient.wecom)


def _names(directory: Directory, userids: Iterable[str]) -> list[str]:
    members = ((userid, directory.member(userid)) for userid in userids)
    return [member.name if member and member.name else userid for userid, member in members]


def _some(names: Sequence[str]) -> tuple[str, ...]:
    return (*names[:_LISTED], "…") if len(names) > _LISTED else tuple(names)
