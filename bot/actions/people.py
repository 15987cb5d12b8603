"""The company changes: members come, move and leave, and what that does to rights and requests."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from bot.actions import (
    absent,
    adding,
    changes,
    containing,
    deciding,
    digesting,
    grants,
    leaving,
    owner_notices,
    people_notices,
    sweeping,
    taking_over,
    tickets,
    waiving,
)
from bot.actions.scene import Scene
from bot.wording import Words
from storage.work import Job, Queue
from workflows import people_changes, permissions, roles
from workflows.directory import ACTIVE, Directory, Member
from workflows.glimpses import Glimpse, put_in
from workflows.model import State
from workflows.people_changes import with_userids
from workflows.standing import Standing
from workflows.steps import Refused, Revoke, Withdraw

TELL = "directory_tell"  # the admins, of what changed

GATHERED = timedelta(seconds=3)  # changes that follow each other as closely are told together …
AT_LAST = timedelta(seconds=60)  # … but none waits for longer than this
# Timers that name a member, and at which place.
NAMED_IN_TIMERS = {
    absent.END: 0,
    adding.LOOK_AGAIN: 0,
    containing.CHECK: 0,
    digesting.DIGEST: 0,
    grants.OUTLIVED: 0,
    owner_notices.TELL: 0,
    sweeping.REASSIGN_FOR: 0,
    taking_over.LOOK: 1,
}
_ROUNDING = timedelta(milliseconds=1)  # the database cuts times to this: never call too early
_PAGE = 500


def directory_read(scene: Scene, fresh: Directory, cause: str) -> None:
    """Take over the directory as WeCom shows it now, and record what that changes for whom.

    Compared with what is stored, not with what this process remembers: two readings at the same
    time must not both find the same change. The admins hear of it in a moment (`tell`).
    """
    scene.tx.hold("directory")
    before = Standing(scene.policy, scene.tx.people.directory())
    if fresh == before.directory:
        return
    scene.tx.people.change(before.directory, fresh)
    after = Standing(before.policy, fresh)
    if not before.directory.members:
        return  # the first reading: nobody gained or lost anything
    _wait_to_tell(scene, before.directory, fresh)
    later = scene.standing_as(after)
    people_notices.record(later, people_changes.between(before, after), cause)
    people_notices.tell_of_names(later, before)
    for userid in _gone(before.directory, fresh):
        _leave(later, userid, before.directory)
    leaving.compare(later, before.directory)
    sweeping.start(later, sweeping.REASSIGN)


def renamed(scene: Scene, old: str, fresh: Member) -> None:
    """Let a member be known by another userid, with all that is theirs; then tell what changed.

    Nothing stays under the old userid, so that whoever gets it next begins with nothing.
    """
    scene.tx.hold("directory")
    tell(scene, more_to_come=False, at_once=True)
    before = Standing(scene.policy, scene.tx.people.directory())
    who = {old.lower(): fresh.userid}
    seen = Glimpse(members={fresh.userid.lower(): fresh})
    after = Standing(scene.policy, put_in(seen, with_userids(before.directory, who)))
    scene.tx.people.rename(old, fresh)
    scene.tx.work.rename(old, fresh.userid, NAMED_IN_TIMERS)
    scene.tx.people.replace(after.directory)  # others name their leaders by userid
    later = scene.standing_as(after)
    found = people_changes.between(before, after, who)
    scene.record("member.renamed", who=(fresh.userid, ""), before=old)
    people_notices.record(later, found, "directory")
    people_notices.tell(later, before, found, always=True)
    people_notices.tell_of_names(later, before)
    sweeping.start(later, sweeping.REASSIGN)


def tell(scene: Scene, *, more_to_come: bool, at_once: bool = False) -> None:
    """Tell the admins in one notice what changed since they were told last.

    It waits until nothing has changed for a moment, so that a reorganisation is one notice.
    """
    scene.tx.hold("directory")
    span = scene.tx.untold.span()
    if span is None:
        return
    first, last = span
    quiet = scene.now - last >= GATHERED and not more_to_come
    if not (quiet or at_once or scene.now - first >= AT_LAST):
        _call_again(scene)
        return
    now = scene.tx.people.directory()
    before = Standing(scene.policy, scene.tx.untold.earlier(now))
    after = Standing(scene.policy, now)
    scene.tx.untold.clear()
    found = people_changes.between(before, after)
    people_notices.tell(scene.standing_as(after), before, found)


def _wait_to_tell(scene: Scene, before: Directory, after: Directory) -> None:
    scene.tx.untold.note(before, after, scene.now)
    _call_again(scene)


def _call_again(scene: Scene) -> None:
    due = scene.now + GATHERED
    key = f"{TELL}:{int(due.timestamp())}"  # once a second at most
    scene.tx.work.add([Job(Queue.TIMERS, TELL, TELL, "", key, due + _ROUNDING)], scene.now)


def tell_changes(
    scene: Scene, before: Standing, after: Standing, cause: str, actor: str | None = None
) -> None:
    """Record who may do what under other rules, and tell the admins in people and actions."""
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
        actor=actor,
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
                comment = scene.company("leaving.comment", who=request.requester.name)
                deciding.advance(scene, request, Revoke("system:leaver", comment))
    for ticket in scene.tx.tickets.open_of(userid):
        governing = scene.tx.requests.get(ticket.request_id)
        if governing is not None:
            tickets.revoke(scene, governing)
    leaving.begin(scene, userid, before, ends)
