"""Why a decision fell as it did, and what somebody may do: trace, explain and can."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bot import cases, checking, explanations, reports
from bot.actions import grants, rights
from bot.actions.scene import Scene
from bot.console import shell
from bot.console.shell import CONFIG, FINDINGS, AsJson, Config, voice_of
from bot.explanations import Asked, Decision, File
from bot.places import Places
from bot.settings import Settings
from storage.transaction import Transaction
from workflows.attributes import ACTIONS
from workflows.mistakes import Mistake
from workflows.model import Outcome
from workflows.policy import Policy
from workflows.standing import Standing
from workflows.steps import Refused

_CONSOLE = "system:console"

Facts = Annotated[
    str | None,
    typer.Option(
        "--given",
        metavar="FACTS",
        help="Facts as in a test of the file: 'action = \"friend.add\", sender.level = 2'; now, "
        "unless `at` says when.",
    ),
]
Test = Annotated[
    str | None, typer.Option("--test", metavar="NAME", help="A test of the file, by its name.")
]


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
    request_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A request's id.", show_default=False)
    ] = None,
    given: Facts = None,
    test: Test = None,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Explain a request, facts or a test of the file: every step with its line, and what would do.

    Exit 1 if there is no such request or test, or the facts cannot be read.
    """
    if sum(each is not None for each in (request_id, given, test)) != 1:
        raise typer.BadParameter("exactly one of: a request's id, --given FACTS, --test NAME")
    found = shell.load(config, as_json=as_json)
    judge, file = checking.compiled(found.rules), _file(found, config)
    if request_id is not None:
        _explain_request(found, judge, file, request_id, as_json=as_json)
    elif given is not None:
        _explain_facts(judge, file, given, as_json=as_json)
    elif test is not None:
        _explain_test(judge, file, test, as_json=as_json)


def _file(found: Settings, path: Path) -> File:
    return File(found.rules, path.read_text("utf-8-sig"), voice_of(found))


def _explain_request(
    found: Settings, judge: Policy, file: File, request_id: str, *, as_json: bool
) -> None:
    request = shell.reading(found, lambda tx: tx.requests.get(request_id))
    if request is None:
        shell.complain(file.voice("trace.nothing", what=request_id))
        raise typer.Exit(FINDINGS)
    decision = Decision.of(judge, request.facts, request.action, request.created_at)
    if as_json:
        told = explanations.request_json(request)
        shell.print_json({"request": told, **explanations.as_json(decision, file, _now())})
    else:
        shell.say_all(explanations.explained(request, decision, file, _now()))


def _explain_facts(judge: Policy, file: File, facts: str, *, as_json: bool) -> None:
    line = cases.table(facts)
    try:
        given, mistakes = cases.typed(line, judge)
    except cases.Unreadable as wrong:
        shell.complain(file.voice("explain.not_toml", error=str(wrong)))
        raise typer.Exit(FINDINGS) from None
    if given is None:
        _complain(line, mistakes, file, as_json=as_json)
        raise typer.Exit(FINDINGS)
    decision = Decision.of(judge, given.facts, given.action, given.at or _now())
    if as_json:
        shell.print_json(explanations.as_json(decision, file, _now()))
    else:
        shell.say_all(explanations.decided(decision, file, _now()))


def _complain(line: str, mistakes: list[Mistake], file: File, *, as_json: bool) -> None:
    if as_json:
        places = Places(line)
        told = [reports.mistake_json(each, places.of(each.loc)) for each in mistakes]
        shell.print_json({"ok": False, "mistakes": told})
        return
    for each in reports.mistakes("--given", line, mistakes, file.voice):
        shell.complain(each)


def _explain_test(judge: Policy, file: File, name: str, *, as_json: bool) -> None:
    try:
        case = cases.tested(judge, name)
    except cases.NotOneCase as wrong:
        shell.complain(cases.told(wrong, file.voice))
        raise typer.Exit(FINDINGS) from None
    decision = Decision.of(judge, case.given.facts, case.given.action, case.at(judge))
    result = case.result(decision.verdict)
    if as_json:
        told = {"name": result.name, "passed": result.passed}
        shell.print_json({"test": told, **explanations.as_json(decision, file, _now())})
        return
    passed = file.voice("decision.test_passed", name=result.name)
    shell.say(passed if result.passed else reports.failed_test(result, file.voice))
    shell.say_all(explanations.decided(decision, file, _now()))


def can(
    who: Annotated[str, typer.Argument(help="A member's userid, or their name.")],
    action: Annotated[str, typer.Argument(help="An action, for example friend.add.")],
    customer: Annotated[
        str | None,
        typer.Argument(help="A customer's external_userid, or their name.", show_default=False),
    ] = None,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Say what a member may do by level; with one customer, by the rules and facts of now.

    Exit 1 if it is not allowed, or nobody or several are called so.
    """
    if action not in ACTIONS:
        raise typer.BadParameter(f"{action} is none of {', '.join(ACTIONS)}")
    found = shell.load(config, as_json=as_json)
    judge, file = checking.compiled(found.rules), _file(found, config)
    asked = _asked(found, judge, file, who, customer, action)
    if as_json:
        shell.print_json(explanations.rights_json(asked, file, _now()))
    else:
        shell.say_all(explanations.rights(asked, file, _now()))
    raise typer.Exit(FINDINGS if asked.outcome is Outcome.DENY else 0)


def _asked(
    found: Settings, judge: Policy, file: File, who: str, customer: str | None, action: str
) -> Asked:
    def look(tx: Transaction) -> Asked:
        standing = Standing(judge, tx.people.directory())
        scene = Scene(tx, standing, file.voice, file.voice, _now(), _CONSOLE)
        userid = rights.member_named(scene, who)
        asked = Asked(standing, userid, action, grants.held(scene, userid))
        if customer is None:
            return asked
        about = rights.customer_named(scene, userid, customer)
        return replace(asked, request=rights.imagined(scene, userid, about, action))

    try:
        return shell.reading(found, look)
    except Refused as refused:
        shell.complain(file.voice(f"refused.{refused.key}", **refused.params))
        raise typer.Exit(FINDINGS) from None


def _now() -> datetime:
    return datetime.now(UTC)
