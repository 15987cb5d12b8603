"""Members as people name them in chat, and who stands above whom."""

from __future__ import annotations

from collections.abc import Iterable

from bot.actions.scene import Scene
from workflows.directory import ACTIVE
from workflows.leaving import LEFT
from workflows.model import same_user
from workflows.steps import Refused

_MOST_WORDS = 5  # of one name


def found(scene: Scene, who: str) -> list[str]:
    """Return the userids of whom this names: one by account, else all active ones of that name."""
    member = scene.directory.member(who.strip())
    if member is not None:
        return [member.userid]
    name = who.strip().casefold()
    everybody = scene.directory.members.values()
    return [m.userid for m in everybody if m.status == ACTIVE and m.name.casefold() == name]


def disabled(scene: Scene, who: str) -> list[str]:
    """Return the userids of members of that name whose account is not active: they have customers
    still.
    """
    name = who.strip().casefold()
    everybody = scene.directory.members.values()
    idle = (m for m in everybody if m.status not in {ACTIVE, LEFT})
    return [m.userid for m in idle if m.name.casefold() == name]


def named(scene: Scene, who: str) -> str:
    """Return the userid of a member named by account or by their only name. Raises Refused."""
    userids = found(scene, who)
    if len(userids) != 1:
        raise Refused("unknown_member" if not userids else "several_members", who=who)
    return userids[0]


def leading(scene: Scene, text: str) -> tuple[str, str]:
    """Return the member whom a text begins with, and what follows. Raises Refused.

    After a Chinese name nothing need stand between the two.
    """
    words = text.replace("，", " ").replace(",", " ").split()
    for count in range(min(len(words), _MOST_WORDS), 0, -1):
        who = " ".join(words[:count])
        if found(scene, who):
            return named(scene, who), " ".join(words[count:])
    said = " ".join(words)
    names = {m.name for m in scene.directory.members.values() if m.status == ACTIVE}
    begins = (name for name in names if name and not name.isascii() and said.startswith(name))
    if name := max(begins, key=len, default=""):
        return named(scene, name), said.removeprefix(name).strip()
    raise Refused("unknown_member", who=words[0] if words else text)


def is_admin(scene: Scene, userid: str) -> bool:
    """Whether a member is among the admins of the file."""
    return any(same_user(userid, each) for each in scene.standing.admins)


def is_above(scene: Scene, userid: str, target: str) -> bool:
    """Whether a member leads another, over whatever levels, or is an admin."""
    if is_admin(scene, userid):
        return True
    return userid.lower() in _above(scene, target)


def team_of(scene: Scene, userid: str) -> list[str]:
    """Return the active members whom somebody leads, over whatever levels."""
    everybody = scene.directory.members.values()
    active = [m.userid for m in everybody if m.status == ACTIVE and not same_user(m.userid, userid)]
    return sorted(each for each in active if userid.lower() in _above(scene, each))


def visible_to(scene: Scene, userid: str) -> list[str]:
    """Return everybody whose customers a member may ask about: themselves and those below."""
    if is_admin(scene, userid):
        everybody = scene.directory.members.values()
        return sorted(m.userid for m in everybody if m.status == ACTIVE)
    return [scene.person(userid).userid, *team_of(scene, userid)]


def _above(scene: Scene, target: str) -> frozenset[str]:
    """Return all who stand above a member, in lower case; circles end."""
    seen: set[str] = set()
    level: Iterable[str] = scene.directory.manager_of(target)
    while level := [each for each in level if each.lower() not in seen]:
        seen |= {each.lower() for each in level}
        level = [above for each in level for above in scene.directory.manager_of(each)]
    return frozenset(seen) - {target.lower()}
