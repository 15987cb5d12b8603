"""The company changes: members come, move and leave, and what that does to rights and requests."""

from __future__ import annotations

from bot.actions import deciding, tickets, wording
from bot.actions.scene import Scene
from bot.wording import Words
from workflows import permissions, roles
from workflows.directory import ACTIVE, Directory
from workflows.model import Request, State
from workflows.standing import Standing
from workflows.steps import Reassign, Refused, Withdraw

_PAGE = 500


def directory_read(scene: Scene, fresh: Directory, cause: str) -> None:
    """Take over the directory as WeCom shows it now, and tell what that changes for whom.

    The scene still has the standing from before.
    """
    before = scene.standing
    if fresh == before.directory:
        return
    scene.tx.people.replace(fresh)
    after = Standing(before.policy, fresh)
    if not before.directory.members:
        return  # the first reading: nobody gained or lost anything
    tell_changes(scene, before, after, cause)
    later = scene.standing_as(after)
    for userid in _gone(before.directory, fresh):
        _leave(later, userid)
    reassign(later)


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
    words = wording.changes(later, gained, moved)
    told = later.listeners("role.changed") or after.admins
    later.tell(told, "permissions.changed", cause=Words(f"cause.{cause}"), what=words)


def _gone(before: Directory, after: Directory) -> list[str]:
    def active(directory: Directory) -> dict[str, str]:
        return {k: m.userid for k, m in directory.members.items() if m.status == ACTIVE}

    still = active(after)
    return [userid for key, userid in active(before).items() if key not in still]


def _leave(scene: Scene, userid: str) -> None:
    """Take back what a leaver has asked for, and their tickets."""
    scene.record("member.left", who=(userid, ""))
    for request in scene.tx.requests.by_requester(userid, _PAGE):
        if request.state is State.PENDING:
            _try(scene, request, Withdraw("system:leaver"))
    for ticket in scene.tx.tickets.open_of(userid):
        governing = scene.tx.requests.get(ticket.request_id)
        if governing is not None:
            tickets.revoke(scene, governing)


def reassign(scene: Scene) -> None:
    """Find anew who decides about what is pending: people left, moved, or lost a role."""
    page: list[Request] = []
    while page := scene.tx.requests.pending(_PAGE, page[-1] if page else None):
        for request in page:
            _try(scene, request, Reassign())


def _try(scene: Scene, request: Request, step: Withdraw | Reassign) -> None:
    try:
        deciding.advance(scene, request, step)
    except Refused:
        return  # decided in the meantime
