"""帮助: the commands that somebody can use, not all there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot import hints
from bot.actions import colleagues
from bot.actions.scene import Scene
from bot.verbs import Audience
from workflows.model import same_user
from workflows.sections import Rulebook


def answer(scene: Scene, userid: str) -> None:
    """Send a member the help that concerns them, in as many messages as it has parts."""
    for part in hints.overview(scene.texts, tuple(_audiences(scene, userid))):
        scene.answer(userid, part)


def _audiences(scene: Scene, userid: str) -> Iterator[Audience]:
    yield Audience.EVERYBODY
    is_admin = colleagues.is_admin(scene, userid)
    if is_admin or _decides(scene, userid):
        yield Audience.DECIDERS
    if is_admin:
        yield Audience.ADMINS


def _decides(scene: Scene, userid: str) -> bool:
    """Whether somebody leads anybody, is named by a chain, or has been asked to decide."""
    member = scene.directory.member(userid)
    if member is None:
        return False
    units = scene.directory.departments.values()
    leads = bool(member.leads) or any(_among(userid, unit.leaders) for unit in units)
    if leads or any(_among(userid, m.direct_leaders) for m in scene.directory.members.values()):
        return True
    if any(_among(userid, scene.named(each)) for each in _named_in_chains(scene.book)):
        return True
    return scene.tx.requests.count_pending_for(userid) > 0


def _named_in_chains(book: Rulebook) -> frozenset[str]:
    stages = (stage for chain in book.chains.values() for stage in chain.stages)
    return frozenset(each for s in stages for group in s.groups for each in group.sources)


def _among(userid: str, people: Iterable[str]) -> bool:
    return any(same_user(userid, each) for each in people)
