"""The company changes: members come, move and leave, and what that does to rights and requests."""

from __future__ import annotations

from contextlib import suppress

from bot.actions import changes, deciding, grants, leaving, sweeping, tickets, waiving
from bot.actions.scene import Scene
from bot.wording import Words
from workflows import permissions, roles
from workflows.directory import ACTIVE, Directory
from workflows.model import State
from workflows.standing import Standing
from workflows.steps import Refused, Revoke, Withdraw

_PAGE = 500


def directory_read(scene: Scene, fresh: Directory, cause: str) -> None:
    """Take over the directory as WeCom shows it now, and tell what that changes for whom.

    Compared with what is stored, not with what this process remembers: two readings at the same
    time must not both tell of the same change.
    """
    scene.tx.hold("directory")
    before = Standing(scene.policy, scene.tx.people.directory())
    if fresh == before.directory:
        return
    scene.tx.people.replace(fresh)
    after = Standing(before.policy, fresh)
    if not before.directory.members:
        return  # the first reading: nobody gained or lost anything
    tell_changes(scene, before, after, cause)
    later = scene.standing_as(after)
    for userid in _gone(before.directory, fresh):
        _leave(later, userid, before.directory)
    leaving.compare(later, before.directory)
    sweeping.start(later, sweeping.REASSIGN)


def tell_changes(scene: Scene, before: Standing, after: Standing, cause: str) -> None:
    """Record who may do what from now on, and tell the admins in people and actions."""
    gained = permissions.changes(
        permissions.table(before.policy, before.directory),
        permissions.table(after.policy, after.directory),
    )
    moved = permissions.role_changes(
        roles.table(before.policy.rulebook.roles, before.directory),
        roles.table(after.policy.rulebook.roles, after.directory),
    )
    if not gained and not moved:
        return
    scene.record(
        "permissions.changed",
        cause=cause,
        roles=[f"{'+' if each.gained else '-'}{each.role} {each.userid}" for each in moved],
        actions=[
            f"{each.userid} {each.action}: {each.before.word} → {each.after.word}"
            for each in gained
        ],
    )
    later = scene.standing_as(after)
    words = changes.worded(later, gained, moved)
    told = later.listeners("role.changed") or after.admins
    later.tell(told, "permissions.changed", cause=Words(f"cause.{cause}"), what=words)


def _gone(before: Directory, after: Directory) -> list[str]:
    def active(directory: Directory) -> dict[str, str]:
        return {k: m.userid for k, m in directory.members.items() if m.status == ACTIVE}

    still = active(after)
    return [userid for key, userid in active(before).items() if key not in still]


def _leave(scene: Scene, userid: str, before: Directory) -> None:
    """Take back what a leaver has asked for, their tickets, and what was approved in advance.

    Who stood above them, as `before` shows, and the admins are told of all that in one message.
    """
    scene.record("member.left", who=(userid, ""))
    ends = leaving.what_ends(scene, userid)
    waiving.leave(scene, userid)
    grants.leave(scene, userid)
    scene.tx.absences.drop(userid)
    for request in scene.tx.requests.by_requester(userid, _PAGE):
        with suppress(Refused):  # decided or carried out this very moment
            if request.state is State.PENDING:
                deciding.advance(scene, request, Withdraw("system:leaver"))
            elif request.state in {State.APPROVED, State.EXECUTION_FAILED}:
                deciding.advance(scene, request, Revoke("system:leaver"))
    for ticket in scene.tx.tickets.open_of(userid):
        governing = scene.tx.requests.get(ticket.request_id)
        if governing is not None:
            tickets.revoke(scene, governing)
    leaving.begin(scene, userid, before, ends)
