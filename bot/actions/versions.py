"""One version of the rules takes the place of another: recorded, and followed by all nodes."""

from __future__ import annotations

from bot import holidays
from bot.actions.scene import Scene
from storage.candidates import Candidate
from storage.policies import StoredPolicy
from workflows import lockout
from workflows.model import Request
from workflows.policy import compile_policy
from workflows.sections import Rulebook
from workflows.steps import Executed, ExecutionFailed

ANNOUNCE = "announce_rules"
COMPARE_ANEW = "compare_rules_anew"


def activate(scene: Scene, version: Candidate, kind: str = "config.activated") -> None:
    """Put a version in force; all nodes take it over, and the admins are told in a moment.

    The telling waits for the directory, which at the very first start is not known yet.
    """
    former = scene.tx.policies.active_hash()
    scene.tx.policies.activate(
        StoredPolicy(
            version.hash, version.text, scene.now, version.author, version.reason, version.report
        )
    )
    scene.record(
        kind,
        policy=version.hash,
        before=former,
        author=version.author,
        reason=version.reason,
    )
    scene.remind(ANNOUNCE, f"{former}|{version.hash}|{kind}", scene.now)


def perform(scene: Scene, request: Request) -> Executed | ExecutionFailed:
    """Put the version of an approved request in force, if what was approved is still true."""
    version = scene.tx.candidates.get(hash_in(request))
    scene.tx.hold("policies")
    if version is None or version.base != scene.tx.policies.active_hash():
        return ExecutionFailed(scene.company("versions.base_changed"))
    if locks_out(scene, version.text):
        return ExecutionFailed(scene.company("versions.locks_out"))
    activate(scene, version)
    return Executed()


def locks_out(scene: Scene, text: str) -> bool:
    """Whether too few people of today could change the rules under this version."""
    compiled = compile_policy(Rulebook.model_validate_json(text), holidays.CHINA)
    locked = lockout.lockout(compiled, scene.directory)
    return any(each.code not in lockout.WARNINGS for each in locked)


def compare_anew(scene: Scene, request: Request) -> None:
    """Have a version that was refused, or went stale, compared with what is in force now."""
    scene.remind(COMPARE_ANEW, f"{hash_in(request)}|{request.id}", scene.now)


def subject_key(policy_hash: str) -> str:
    """Return the key of the subject of a request to put this version in force."""
    return f"policy:{policy_hash}"


def hash_in(request: Request) -> str:
    """Return the hash of the version that a request is about."""
    return request.subject.key.partition(":")[2]
