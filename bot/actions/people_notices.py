"""What the admins hear when people change: who, what happened, and what it means for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bot.actions.scene import Scene
from bot.texts import Text, joined
from bot.wording import Action, Words
from workflows import people_changes, roles
from workflows.model import Outcome
from workflows.people_changes import Alike, Fact, PersonChange
from workflows.permissions import Change, RoleChange
from workflows.standing import Standing

_LINES = 8  # groups of people: more do not fit on a phone's screen
_NAMED = 3  # people named of a group
_LISTED = 4  # actions named of a kind


def record(scene: Scene, found: Iterable[PersonChange], cause: str) -> None:
    """Write one line for everybody whose powers are others now: before, after, and by what."""
    for each in found:
        if not each.counts:
            continue
        scene.record(
            "permissions.changed",
            who=(each.userid, ""),
            cause=cause,
            facts=[str(fact) for fact in each.facts],
            roles=[f"{'+' if r.gained else '-'}{r.role}" for r in each.roles],
            actions=[f"{c.action}: {c.before.word} → {c.after.word}" for c in each.actions],
        )


def tell(
    scene: Scene, before: Standing, found: Sequence[PersonChange], *, always: bool = False
) -> None:
    """Tell whom the file names, or the admins, in one notice; of nothing that changed nothing.

    `always` tells what happened even so.
    """
    told = [each for each in found if each.counts or always]
    if not told:
        return
    lines = list(_lines(scene, people_changes.alike(tuple(told))))
    if rest := len(found) - len(told):
        unchanged = scene.company("people.unchanged", count=rest)
        lines[-1] = joined([lines[-1], unchanged], scene.company("people.and"))
    cause = Words("cause.directory")
    scene.tell(listeners(scene, before), "permissions.changed", cause=cause, what=joined(lines))


def tell_of_names(scene: Scene, before: Standing) -> None:
    """Say at once which names in the roles of the rules in force mean nobody any more."""
    own = scene.book.roles
    lost = roles.newly_unknown(own, before.directory, scene.directory)
    if not lost:
        return
    scene.record("rules.names_nobody", names=[f"{each.role} {each.selector}" for each in lost])
    lines = [
        scene.company(
            "people.name_lost", role=own[each.role].title or each.role, name=each.selector
        )
        for each in lost[:_LINES]
    ]
    guesses = {each.selector: roles.alternative(each.selector, scene.directory) for each in lost}
    lines += [
        scene.company("people.name_meant", name=name, guess=guess)
        for name, guess in list(guesses.items())[:_LINES]
        if guess
    ]
    both = dict.fromkeys((*scene.standing.admins, *scene.directory.active(before.admins)))
    scene.tell(both, "people.names_lost", what=joined(lines))


def listeners(scene: Scene, before: Standing, kind: str = "role.changed") -> tuple[str, ...]:
    """Return who hears of it: whom the file names, else the admins, else those who were admins."""
    return scene.listeners(kind) or scene.standing.admins or scene.directory.active(before.admins)


def _lines(scene: Scene, groups: Sequence[Alike]) -> Iterator[Text]:
    for each in groups[:_LINES]:
        effects = list(_effects(scene, each.one))
        key = "people.line" if effects else "people.line_alone"
        yield scene.theirs(
            key,
            who=people(scene, each.names),
            what=scene.company.listed(_happened(scene, fact) for fact in each.one.facts),
            effects=joined(effects, scene.company("people.comma")),
        )
    if left := groups[_LINES:]:
        count = sum(len(each.names) for each in left)
        yield scene.company("people.more", count=count)


def people(scene: Scene, names: Sequence[str]) -> Text:
    """Return some people's names, the first few of many."""
    named = scene.company.listed(names[:_NAMED])
    if len(names) <= _NAMED:
        return named
    return scene.company("people.and_others", names=named, count=len(names))


def _happened(scene: Scene, fact: Fact) -> Text:
    return scene.theirs(f"people.fact.{fact.what}", name=fact.name, before=fact.before)


def _effects(scene: Scene, one: PersonChange) -> Iterator[Text]:
    for moved in one.roles:
        key = "people.effect.role_gained" if moved.gained else "people.effect.role_lost"
        yield scene.company(key, role=_title(scene, moved))
    kinds: dict[str, list[Change]] = {}
    for change in one.actions:
        kinds.setdefault(_kind(change), []).append(change)
    for kind, of_it in kinds.items():
        named = scene.company.listed(
            scene.theirs.word(Action(each.action)) for each in of_it[:_LISTED]
        )
        if len(of_it) > _LISTED:
            named = scene.company("people.and_more", names=named, count=len(of_it))
        yield scene.company(f"people.effect.{kind}", actions=named)


def _kind(change: Change) -> str:
    match change.after:
        case Outcome.ALLOW:
            return "allow"
        case Outcome.APPROVAL:
            return "approval_gained" if change.gained else "approval_lost"
        case Outcome.DENY:
            return "deny"


def _title(scene: Scene, moved: RoleChange) -> str:
    role = scene.book.roles.get(moved.role)
    return role.title or moved.role if role else moved.role
