"""Commands for exceptions: temporary permissions, freezes, emergencies, work that was given up."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import assert_never

from bot.actions import breaking_glass, dead_desk, freezing, granting, reviewing, rights
from bot.actions.scene import Scene
from bot.command_emergency import scope_of
from bot.command_types import (
    AskRight,
    BreakGlass,
    ConfirmBreakGlass,
    DeadLetters,
    Freeze,
    Grant,
    ReplayWork,
    Review,
    RevokeRight,
    Unfreeze,
)
from bot.wecom import cut_characters
from workflows.freezing import Scope
from workflows.plans import Granting
from workflows.steps import Refused

Exceptional = (
    AskRight
    | Grant
    | RevokeRight
    | Freeze
    | Unfreeze
    | BreakGlass
    | ConfirmBreakGlass
    | Review
    | DeadLetters
    | ReplayWork
)
_LONGEST_REASON = 200  # characters
_LONGEST_CONCLUSION = 500


def obey(scene: Scene, userid: str, command: Exceptional) -> None:
    """Carry out one of these commands. Raises Refused."""
    match command:
        case AskRight(action, duration, reason):
            granting.ask(scene, userid, action, duration, _short(reason))
        case Grant(who, action, duration, reason):
            member, right = _member_and_action(scene, who, action)
            granting.give(scene, userid, Granting(member, right, duration), _short(reason))
        case RevokeRight(who, action):
            granting.take_back(scene, userid, *_member_and_action(scene, who, action))
        case Freeze(words, duration, reason):
            _freeze(scene, userid, words, duration, _short(reason))
        case Unfreeze(id):
            freezing.lift(scene, userid, id)
        case BreakGlass(id, reason):
            breaking_glass.begin(scene, userid, id, _short(reason))
        case ConfirmBreakGlass(id):
            breaking_glass.confirm(scene, userid, id)
        case Review(id, conclusion):
            said = cut_characters(conclusion, _LONGEST_CONCLUSION)
            reviewing.close(scene, userid, id, said)
        case DeadLetters() | ReplayWork():
            dead_desk.obey(scene, userid, command)
        case _:
            assert_never(command)


def _short(reason: str) -> str:
    return cut_characters(reason, _LONGEST_REASON)


def _member_and_action(scene: Scene, who: str, action: str) -> tuple[str, str]:
    """Return the member and the action that words mean; a member's name may have a space in it."""
    words = f"{who} {action}".split()
    for cut in range(2, len(words)):
        name, right = " ".join(words[:cut]), " ".join(words[cut:])
        if any(name == each.name for each in scene.directory.members.values()):
            return rights.member_named(scene, name), right
    return rights.member_named(scene, who), action


def _freeze(scene: Scene, userid: str, words: str, lasts: timedelta, reason: str) -> None:
    scope, name = _scope(scene, words)
    if not reason:
        raise Refused("freeze_why")
    freezing.freeze(scene, userid, scope, name, Freeze(words, lasts, reason))


def _scope(scene: Scene, words: str) -> tuple[Scope, str]:
    """Return what is to be frozen; a bare name is a member's, a department's or an action's."""
    scope, name = scope_of(words)
    if scope is not Scope.MEMBER:
        return scope, name
    try:
        return scope, rights.member_named(scene, name)
    except Refused as refused:
        if refused.key == "unknown_member" and scene.directory.department_named(name) is not None:
            return Scope.DEPARTMENT, name
        if refused.key == "unknown_member" and _is_action(scene, name):
            return Scope.ACTION, name
        raise


def _is_action(scene: Scene, name: str) -> bool:
    with suppress(Refused):
        return bool(granting.action_named(scene, name))
    return False
