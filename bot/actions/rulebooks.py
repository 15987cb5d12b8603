"""A change of the rules: proposed, put to whoever decides on it, and announced once in force."""

from __future__ import annotations

from dataclasses import replace

from bot.actions import deciding, judging, people, sweeping, versions
from bot.actions.scene import Scene
from storage.candidates import Candidate
from storage.policies import StoredPolicy
from workflows import changing, policy
from workflows.changing import TWO_KEYS
from workflows.claims import Claim
from workflows.lockout import CHANGE
from workflows.model import (
    Facts,
    Origin,
    Person,
    Request,
    Stage,
    State,
    Subject,
    Verdict,
)
from workflows.standing import Standing
from workflows.steps import Revoke, Supersede

EMERGENCY = "config.emergency"  # put in force by one person alone
ROLLED_BACK = "config.rolled_back"
FILE = "file"  # the author, when nobody said who edited the config file
_ITSELF = "system:file"


def propose(scene: Scene, version: Candidate, *, is_widening: bool) -> Request:
    """Ask for a version to come into force, by the rules in force; tightening does so at once.

    The file has one content at a time: a newer edit of it takes the place of an older one that
    still waits. What others have proposed waits beside it.
    """
    scene.tx.hold("policies")
    if version.author == FILE:
        forget_edits(scene)
    known = _facts(scene, version)
    asked = policy.decide(scene.policy, known, CHANGE, scene.now)
    verdict = changing.verdict_on(asked, is_widening=is_widening, book=scene.book)
    draft = _draft(scene, version, known, verdict)
    earlier = scene.tx.requests.open_by_key(draft.key)
    if earlier is not None:  # the same once more, perhaps against other rules: votes start over
        over = Supersede() if earlier.state is State.PENDING else Revoke("system:supersede")
        deciding.advance(scene, earlier, over)
    scene.tx.candidates.put(replace(version, request_id=draft.id))
    return deciding.open_request(scene, draft)


def _facts(scene: Scene, version: Candidate) -> Facts:
    if version.author == FILE:
        return {**changing.facts_of_file(scene.book), "request.reason": version.reason}
    return {**judging.sender(scene, version.author), "request.reason": version.reason}


def _draft(scene: Scene, version: Candidate, known: Facts, verdict: Verdict) -> Request:
    by_file = version.author == FILE
    return Request(
        id=scene.new_id(),
        action=CHANGE,
        origin=Origin.SYSTEM if by_file else Origin.ASKED,
        requester=Person(_ITSELF, scene.company("versions.file"))
        if by_file
        else scene.person(version.author),
        subject=Subject(
            versions.subject_key(version.hash), scene.company("versions.name", hash=version.hash)
        ),
        claim=Claim(reason=version.reason),
        facts=known,
        verdict=verdict,
        created_at=scene.now,
        chain=_chain(scene, verdict, author_known=not by_file),
    )


def _chain(scene: Scene, verdict: Verdict, *, author_known: bool) -> tuple[Stage, ...]:
    able = len(scene.standing.admins)
    if verdict.chain == TWO_KEYS:
        return (changing.second_key(scene.book, able, author_known=author_known),)
    named = deciding.chain(scene, verdict)
    if author_known or changing.asked_at_least(named) >= min(2, able):
        return named
    return (*named, changing.second_key(scene.book, able, author_known=True))


def forget_edits(scene: Scene) -> None:
    """End what waits because of the file: its content is another one now."""
    for request in scene.tx.requests.pending_of(CHANGE):
        if request.origin is Origin.SYSTEM:
            deciding.advance(scene, request, Supersede())


def begin(scene: Scene) -> None:
    """Put the first rules ever in force: there is nobody yet who could have a say."""
    text = scene.book.model_dump_json(by_alias=True, exclude_defaults=True)
    put_in_force(scene, Candidate(scene.policy.hash, text, FILE, "", scene.now), "config.activated")


def put_in_force(scene: Scene, version: Candidate, kind: str) -> None:
    """Put a version in force that nobody is asked about: the first one, a return, an emergency."""
    scene.tx.hold("policies")
    scene.tx.candidates.put(version)
    versions.activate(scene, version, kind)


def listeners(scene: Scene, kind: str) -> tuple[str, ...]:
    """Return whom the file names for this news, or else the admins."""
    return scene.listeners(kind) or scene.standing.admins


def announce(scene: Scene, before: Standing | None, version: StoredPolicy, kind: str) -> None:
    """Tell the admins which rules are in force now, and who gained or lost what."""
    told = listeners(scene, "config.activated")
    if before is None:
        scene.tell(told, "config.first", hash=version.hash)
        return
    scene.tell(
        dict.fromkeys((*told, *before.admins)) if kind == EMERGENCY else told,
        kind,
        hash=version.hash,
        before=before.policy.hash,
        who=scene.company("versions.file")
        if version.author == FILE
        else scene.person(version.author).name,
        reason=version.reason,
    )
    people.tell(scene.standing_as(before), more_to_come=False, at_once=True)  # by its rules
    by = _ITSELF if version.author == FILE else f"user:{version.author}"
    people.tell_changes(scene, before, scene.standing, "config", by)
    sweeping.start(scene, sweeping.RECHECK)
    sweeping.start(scene, sweeping.REASSIGN)
