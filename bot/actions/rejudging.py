"""Judges a request that is about several customers or tags: each by itself, the strictest counts.

The same way when it is asked for and when the rules change while it waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.actions import export_rows, judging
from bot.actions.scene import Scene
from workflows.model import Facts, Outcome, Request, Verdict
from workflows.plans import Export, Plan, Tagging, Transfer
from workflows.policy import decide
from workflows.strictest import strictest

_NAMED = 10  # customers


def judge(
    scene: Scene, action: str, sets: Sequence[Facts], names: Sequence[str] = ()
) -> tuple[Facts, Verdict]:
    """Return the facts that led to the strictest verdict, and that verdict.

    `names` say what each set is about: where only some are in the way, the verdict names them.
    """
    verdicts = [judging.judge(scene, each, action) for each in sets]
    at = strictest(scene.policy, verdicts)
    chosen = verdicts[at]
    alike = [i for i, each in enumerate(verdicts) if each.outcome is chosen.outcome]
    if names and chosen.outcome is not Outcome.ALLOW and len(alike) < len(sets):
        chosen = replace(chosen, say=_naming(scene, verdicts, alike, names))
    return sets[at], chosen


def _naming(
    scene: Scene, verdicts: Sequence[Verdict], alike: Sequence[int], names: Sequence[str]
) -> tuple[str, ...]:
    """Return what the verdicts say, each with the customers whom it is about."""
    about: dict[str, list[str]] = {}
    for at in alike:
        said = " ".join(verdicts[at].say) or str(scene.company("reason.rule"))
        about.setdefault(said, []).append(names[at])
    return tuple(
        str(scene.theirs("ask.about", customers=tuple(called[:_NAMED]), say=said))
        for said, called in about.items()
    )


def verdict_now(scene: Scene, request: Request) -> Verdict:
    """Return what the rules of now say of a request that waits."""
    sets = sets_of(scene, request, request.plan)
    verdicts = [decide(scene.policy, each, request.action, scene.now) for each in sets]
    return verdicts[strictest(scene.policy, verdicts)]


def sets_of(scene: Scene, request: Request, plan: Plan | None) -> list[Facts]:
    """Return the facts of a request for each thing that it is about."""
    userid, known = request.requester.userid, request.facts
    match plan:
        case Transfer() if len(plan.customers) > 1:
            return [{**known, **judging.about(scene, userid, each)} for each in plan.customers]
        case Tagging():
            return [{**known, "request.tag": tag} for tag in (*plan.add, *plan.remove)]
        case Export():
            rows = export_rows.chosen(scene, userid, plan, request.created_at)
            return [{**known, **row.facts} for row in rows] or [known]
        case _:
            return [known]
