"""Changes in WeCom's console that no event tells of: who may have customers, whom the app sees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.actions import people_notices
from bot.actions.scene import Scene
from bot.texts import Text, joined
from workflows import deciders
from workflows.model import Outcome
from workflows.standing import Standing

FOLLOW_USERS = "follow_users"
APP_SCOPE = "app_scope"
FOLLOW_CHANGED, SCOPE_CHANGED = "follow_user.changed", "app_scope.changed"
_KNOWN_THEN = "follow_users.members"  # who was in service when the list was read last
_SEEN_THEN = "app_scope.deciders"  # admins and approvers whom the app could see then
_FRIEND_ADD = "friend.add"
_NAMED = 10


def follow_users_read(scene: Scene, able: Iterable[str]) -> None:
    """Compare who may use customer contact with what was read last; record and tell it.

    The directory must have been read since. Who came or left has been told of already: a newcomer
    is told of here only if the function is at odds with the rules.
    """
    scene.tx.hold(FOLLOW_USERS)
    now = scene.standing_as(Standing(scene.policy, scene.tx.people.directory()))
    spelled = {userid.lower(): userid for userid in able}
    before = scene.tx.console_lists.get(FOLLOW_USERS)
    known_then = scene.tx.console_lists.get(_KNOWN_THEN) or frozenset()
    in_service = {
        m.userid.lower() for m in now.directory.members.values() if _serves(now, m.userid)
    }
    scene.tx.console_lists.put(FOLLOW_USERS, spelled)
    scene.tx.console_lists.put(_KNOWN_THEN, in_service)
    if before is None or before == frozenset(spelled):
        return
    gained, lost = sorted({*spelled} - before), sorted(before - {*spelled})
    scene.record(FOLLOW_CHANGED, gained=gained, lost=lost)
    groups = {
        "gained": [key for key in gained if _may_add(now, key) and key in known_then],
        "gained_denied": [key for key in gained if not _may_add(now, key)],
        "lost": [key for key in lost if not _may_add(now, key) and key in in_service],
        "lost_allowed": [key for key in lost if _may_add(now, key) and key in in_service],
    }
    lines = [
        now.company(f"follow_user.{key}", who=_people(now, userids))
        for key, userids in groups.items()
        if userids
    ]
    _tell(now, FOLLOW_CHANGED, lines)


def scope_read(scene: Scene, items: Iterable[str], tags: dict[str, str]) -> None:
    """Compare what the app may see with what was read last; record and tell it.

    `items` are 'user:…', 'department:3' and 'tag:1'; `tags` names tags by number. The directory
    must have been read since. Admins and approvers who are seen no more are named.
    """
    scene.tx.hold(APP_SCOPE)
    now = scene.standing_as(Standing(scene.policy, scene.tx.people.directory()))
    fresh = frozenset(items)
    before = scene.tx.console_lists.get(APP_SCOPE)
    seen_then = scene.tx.console_lists.get(_SEEN_THEN) or frozenset()
    # With their names: who is seen no more has none.
    seen = {f"{userid.lower()}|{now.person(userid).name}" for userid in deciders.of(now.standing)}
    scene.tx.console_lists.put(APP_SCOPE, fresh)
    scene.tx.console_lists.put(_SEEN_THEN, seen)
    if before is None or before == fresh:
        return
    then = dict(sorted(each.split("|", 1) for each in seen_then))
    unseen = [key for key in then if not _serves(now, key)]
    added, removed = sorted(fresh - before), sorted(before - fresh)
    scene.record(SCOPE_CHANGED, added=added, removed=removed, deciders_unseen=unseen)
    lines = [
        now.company(f"app_scope.{key}", names=_listed(now, found, tags))
        for key, found in (("added", added), ("removed", removed))
        if found
    ]
    if unseen:
        lines.append(
            now.company(
                "app_scope.unseen", who=people_notices.people(now, [then[key] for key in unseen])
            )
        )
    _tell(now, SCOPE_CHANGED, lines)


def _tell(scene: Scene, kind: str, lines: Sequence[Text]) -> None:
    if lines:
        told = people_notices.listeners(scene, scene.standing, kind)
        scene.tell(told, kind, what=joined(lines))


def _people(scene: Scene, userids: Sequence[str]) -> Text:
    return people_notices.people(scene, [scene.person(each).name for each in userids])


def _serves(scene: Scene, userid: str) -> bool:
    return bool(scene.directory.active([userid]))


def _may_add(scene: Scene, userid: str) -> bool:
    return scene.standing.may(userid, _FRIEND_ADD) is not Outcome.DENY


def _listed(scene: Scene, items: Sequence[str], tags: dict[str, str]) -> Text:
    named = [_named(scene, each, tags) for each in items[:_NAMED]]
    listed = scene.company.listed(named)
    if len(items) <= _NAMED:
        return listed
    return scene.company("people.and_more", names=listed, count=len(items))


def _named(scene: Scene, item: str, tags: dict[str, str]) -> Text:
    kind, _, key = item.partition(":")
    match kind:
        case "department":
            unit = scene.directory.departments.get(int(key))
            return scene.company("app_scope.department", name=unit.name if unit else key)
        case "tag":
            return scene.company("app_scope.tag", name=tags.get(key, key))
        case _:
            return scene.company("app_scope.user", name=scene.person(key).name)
