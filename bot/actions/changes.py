"""Puts changes of rights into words an admin reads: people and actions, not lines of a file."""

from __future__ import annotations

from collections.abc import Sequence

from bot.actions.scene import Scene
from bot.texts import Text, joined
from workflows import permissions
from workflows.permissions import Change, RoleChange

_NAMED = 5  # people named before the rest is only counted
_LINES = 12


def worded(scene: Scene, gained: tuple[Change, ...], moved: tuple[RoleChange, ...]) -> Text:
    """Return one line for each thing that changed, with the people it changed for."""
    lines = [
        scene.company(
            "permissions.role_gained" if each.gained else "permissions.role_lost",
            who=_people(scene, each.userids),
            role=scene.book.roles[each.role].title or each.role
            if each.role in scene.book.roles
            else each.role,
        )
        for each in permissions.role_shifts(moved)
    ]
    lines += [
        scene.company(
            "permissions.action_gained" if each.gained else "permissions.action_lost",
            who=_people(scene, each.userids),
            action=scene.company.action(each.action),
            before=scene.company.outcome(each.before),
            after=scene.company.outcome(each.after),
        )
        for each in permissions.shifts(gained)
    ]
    if len(lines) > _LINES:
        more = scene.company("permissions.more", count=len(lines) - _LINES)
        lines = [*lines[:_LINES], more]
    return joined(lines)


def _people(scene: Scene, userids: Sequence[str]) -> Text:
    named = scene.company.listed(scene.person(each).name for each in userids[:_NAMED])
    if len(userids) <= _NAMED:
        return named
    return scene.company("permissions.and_others", names=named, count=len(userids))
