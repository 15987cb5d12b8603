"""Why a decision fell as it did, and what somebody may do: trace, explain and can."""

from __future__ import annotations

from typing import Annotated

import typer

from bot import checking, explanations, reports
from bot.console import shell
from bot.console.shell import CONFIG, FINDINGS, AsJson, Config, voice_of
from workflows import policy
from workflows.attributes import ACTIONS
from workflows.model import Outcome
from workflows.standing import Standing


def trace(
    what: Annotated[str, typer.Argument(help="A request's id, or a customer's external_userid.")],
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Tell the whole story of a request or a customer. Exit 1 when there is none."""
    found = shell.load(config)
    records = shell.reading(found, lambda tx: reports.records(tx, what))
    if as_json:
        shell.print_json([reports.as_json(each) for each in records])
    else:
        shell.say_all(reports.line(each, found.rules) for each in records)
    if not records:
        shell.complain(voice_of(found)("trace.nothing", what=what))
        raise typer.Exit(FINDINGS)


def explain(
    request_id: Annotated[str, typer.Argument(metavar="ID", help="A request's id.")],
    config: Config = CONFIG,
) -> None:
    """Show every step of a request's decision, with the line of the file. Exit 1 if unknown."""
    found = shell.load(config)
    voice = voice_of(found)
    request = shell.reading(found, lambda tx: tx.requests.get(request_id))
    if request is None:
        shell.complain(voice("trace.nothing", what=request_id))
        raise typer.Exit(FINDINGS)
    at, judge = request.created_at, checking.compiled(found.rules)
    now = policy.decide(judge, request.facts, request.action, at, traced=True)
    text = config.read_text("utf-8")
    shell.say_all(explanations.explained(request, now, found.rules, text, voice))


def can(
    who: Annotated[str, typer.Argument(help="A member's userid.")],
    action: Annotated[str, typer.Argument(help="An action, for example friend.add.")],
    config: Config = CONFIG,
) -> None:
    """Say what a member may do by level, and which rules may say otherwise. Exit 1 if nothing."""
    if action not in ACTIONS:
        raise typer.BadParameter(f"{action} is none of {', '.join(ACTIONS)}")
    found = shell.load(config)
    directory = shell.reading(found, lambda tx: tx.people.directory())
    standing = Standing(checking.compiled(found.rules), directory)
    shell.say_all(explanations.rights(standing, who, action, voice_of(found)))
    raise typer.Exit(FINDINGS if standing.may(who, action) is Outcome.DENY else 0)
