"""What an admin sees who has to agree to a change of the rules: people and actions, not TOML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.actions import versions
from bot.actions.scene import Scene
from bot.cards import Sheet
from workflows.model import Request


def sheet_of(scene: Scene, request: Request) -> Sheet:
    """Gather what was found out about the version that is asked for."""
    candidate = scene.tx.candidates.get(versions.hash_in(request))
    found: Mapping[str, Any] = json.loads(candidate.report) if candidate else {}
    say = scene.company
    rows = {
        "by": request.requester.name,
        "effect": say(f"diff.sum.{found['tendency']}") if "tendency" in found else "",
        "people": say("versions.people", count=found.get("people", 0)),
        "tests": say("versions.tests", count=found["tests"]) if found.get("tests") else "",
        "replay": replayed(scene, found),
        "version": f"{candidate.base} → {candidate.hash}" if candidate else "",
    }
    return Sheet(
        request_id=request.id,
        stage=request.stage,
        stages=max(1, len(request.chain)),
        requester=request.requester.name,
        customer=request.subject.name,
        action=request.action,
        origin=request.origin,
        reason=request.claim.reason,
        why=say("versions.why"),
        due=str(scene.theirs.word(request.due_at)) if request.due_at else "",
        reasons=scene.book.chain_defaults.reasons,
        rows=tuple((say(f"versions.row.{key}"), value) for key, value in rows.items()),
        lines=tuple(found.get("lines", ())),
    )


def replayed(scene: Scene, found: Mapping[str, Any]) -> str:
    """Return in one line what the version would have done to what was decided lately."""
    replay = found.get("replay")
    return str(scene.company("versions.replay", **replay)) if replay else ""
