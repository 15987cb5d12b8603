"""Whether WeCom knows the app: its secret, this server's address, its menu, tags and clocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from bot.actions import conversation
from bot.doctor.findings import Finding, Patient, failure, ok, refused, warning
from bot.wecom import AppReply, Unreachable, WecomError
from workflows.conditions import Leaf, leaves
from workflows.policy import Policy

_BLOCKED = 45009
_BAD_SECRET = 40001
_BAD_CORP = 40013
_NOT_TRUSTED = 60020
_NOT_CALLABLE = 48002
_OTHER_APP = frozenset({301002, 40056})
_OFF = frozenset({50003, 60031})
_ADDRESS = re.compile(r"from ip: ?([0-9A-Fa-f.:]{3,39})")

_NOTICEABLE = timedelta(seconds=10)
_HARMFUL = timedelta(minutes=10)


async def known(patient: Patient) -> list[Finding]:
    """Ask for a token and the app: every other call needs both."""
    try:
        app = await patient.wecom.app()
    except WecomError as error:
        return list(_unknown(error))
    return [ok("secret"), ok("trusted_ip"), *_shown(app)]


def _unknown(error: WecomError) -> Iterator[Finding]:
    if error.path == "gettoken" or isinstance(error, Unreachable):
        yield _no_token(error)
        return
    yield ok("secret")
    if error.code == _NOT_TRUSTED:
        found = _ADDRESS.search(error.hint)
        yield failure("trusted_ip", "not_trusted", address=found[1] if found else "?")
        return
    yield ok("trusted_ip")
    if error.code in _OTHER_APP:
        yield failure("app", "other_app")
    elif error.code in _OFF:
        yield failure("app", "off")
    else:
        yield refused("app", error)


def _no_token(error: WecomError) -> Finding:
    if isinstance(error, Unreachable):
        return failure("secret", "unreachable", why=error.hint)
    codes = {_BAD_SECRET: "bad_secret", _BAD_CORP: "bad_corp", _BLOCKED: "blocked"}
    code = codes.get(error.code)
    return failure("secret", code) if code else refused("secret", error)


def _shown(app: AppReply) -> Iterator[Finding]:
    yield ok("app", name=app.name) if app.is_on else failure("app", "off")
    scope = app.scope
    if not (scope.userids or scope.departments or scope.tags):
        yield failure("visible", "nobody")
        return
    yield ok(
        "visible",
        people=len(scope.userids),
        departments=len(scope.departments),
        tags=len(scope.tags),
    )


async def contact(patient: Patient) -> list[Finding]:
    """Whether the app may call what concerns customers."""
    try:
        await patient.wecom.follow_users()
    except WecomError as error:
        if error.code == _NOT_CALLABLE:
            return [failure("contact", "not_callable")]
        return [refused("contact", error)]
    return [ok("contact")]


async def menu(patient: Patient) -> list[Finding]:
    """Whether the chat with the app has the menu that the bot understands."""
    keys = frozenset[str]().union(*(each.keys for each in await patient.wecom.menu()))
    missing = sorted(set(conversation.MENU) - keys)
    if not keys:
        return [warning("menu", "none")]
    return [warning("menu", "other", missing=tuple(missing))] if missing else [ok("menu")]


async def tags(patient: Patient) -> list[Finding]:
    """Whether customer tags can be read, and those that rules name exist."""
    groups = await patient.wecom.corp_tags()
    there = {tag.name for group in groups for tag in group.tag}
    missing = sorted(named_tags(patient.policy) - there)
    if missing:
        return [warning("tags", "unknown", names=tuple(missing))]
    return [ok("tags", count=len(there))]


def named_tags(policy: Policy) -> frozenset[str]:
    """Return the customer tags that conditions name."""
    gates = (policy.classing, *policy.gates.values())
    conditions = [each.condition for gate in gates for each in (*gate.tiers, *gate.groups)]
    clauses = [each.clause for gate in gates for each in gate.rules]
    clauses += [each.clause for gate in gates for each in gate.reviews]
    conditions += [condition for clause in clauses for condition in clause.conditions]
    found = (leaf for condition in conditions for leaf in leaves(condition))
    read = [leaf for leaf in found if isinstance(leaf, Leaf)]
    values = (v for leaf in read if leaf.attribute.name == "customer.tags" for v in leaf.values)
    return frozenset(value for value in values if isinstance(value, str))


async def clock(patient: Patient) -> list[Finding]:
    """Whether the clocks of this server, of WeCom and of the database agree."""
    found: list[Finding] = []
    if patient.heard:
        found += _off("wecom", min(patient.heard, key=abs))
    if patient.db is not None and await patient.db.is_alive():
        found += _off("database", await patient.db.clock_ahead())
    return found or [ok("clock")]


def _off(whose: str, ahead: timedelta) -> list[Finding]:
    if abs(ahead) <= _NOTICEABLE:
        return []
    seconds = round(ahead.total_seconds())
    say = failure if abs(ahead) > _HARMFUL else warning
    return [
        say("clock", f"{whose}_ahead" if seconds > 0 else f"{whose}_behind", seconds=abs(seconds))
    ]
