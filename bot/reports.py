"""What the command line prints of mistakes, tests and the record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bot import dead_letters
from bot.checking import Checked
from bot.places import Place, Places
from bot.texts import Text, Texts, joined
from storage.audit import Head
from storage.transaction import Transaction
from storage.work import Filed, WorkState
from workflows.coverage import Coverage
from workflows.masking import plain
from workflows.mistakes import Mistake
from workflows.model import AuditRecord
from workflows.policy import Tested
from workflows.sections import Rulebook

_CONSOLE = "system:console"
_PAGE = 500  # rows put back in one transaction
_SECRET_SECTIONS = frozenset({"server", "wecom", "storage", "sources"})
_SECRETIVE = re.compile(r"secret|token|passw|pwd|aes|url|credential|密[钥码]", re.IGNORECASE)


def mistake(found: Mistake, voice: Texts) -> Text:
    """Return a mistake as a sentence: which key, what is wrong, and what was probably meant."""
    said = voice(f"mistake.{found.code}", **found.params)
    guess = voice("mistake.did_you_mean", suggestion=found.suggestion) if found.suggestion else ""
    return joined([Text(f"{plain(found.place)}: "), said, guess], "")


def mistakes(path: str, text: str, found: Iterable[Mistake], voice: Texts) -> Iterator[str]:
    """Return every mistake with its place in the file, the line and a caret, in file order."""
    places = Places(text)
    located = [(places.of(each.loc), each) for each in found]
    for place, each in sorted(located, key=lambda pair: pair[0].line if pair[0] else 0):
        if place is None:
            yield f"{path}: {mistake(each, voice)}"
            continue
        yield f"{path}:{place.line}:{place.column}: {mistake(each, voice)}"
        if _may_hold_secret(each):  # and a log may keep it
            continue
        yield f"  {place.text}"
        yield f"  {place.caret()}"


def _may_hold_secret(found: Mistake) -> bool:
    """Whether the line of a mistake may hold a secret, be it in the wrong place."""
    if found.loc[0] in _SECRET_SECTIONS:
        return True
    return any(_SECRETIVE.search(str(part)) for part in found.loc)


def mistake_json(found: Mistake, place: Place | None) -> Mapping[str, object]:
    """Return a mistake for scripts; the code is stable."""
    return {
        "line": place.line if place else None,
        "column": place.column if place else None,
        "place": found.place,
        "code": found.code,
        "params": dict(found.params),
        "guess": found.suggestion,
    }


def failed_test(found: Tested, voice: Texts) -> Text:
    """Return what a test in the file expected, and what came."""
    misses = voice.listed(
        voice("check.miss", what=each.what, expected=each.expected or "[]", got=each.got or "[]")
        for each in found.misses
    )
    return voice("check.failed", name=found.name, misses=misses)


def checked(path: str, text: str, found: Checked, voice: Texts) -> Iterator[str]:
    """Return what a well-formed file still has against it, and how its tests went."""
    yield from mistakes(path, text, found.mistakes, voice)
    for told in mistakes(path, text, found.warnings, voice):
        yield told if told.startswith("  ") else f"{voice('guard.warning')}{told}"
    for each in found.failed:
        yield failed_test(each, voice)
    yield voice("check.result", tests=len(found.tested), failed=len(found.failed))


def checked_json(found: Checked, places: Places) -> Mapping[str, object]:
    """Return the same for scripts."""
    return {
        "ok": found.is_good,
        "tests": len(found.tested),
        "failed": [each.name for each in found.failed],
        "mistakes": [mistake_json(each, places.of(each.loc)) for each in found.mistakes],
        "warnings": [mistake_json(each, places.of(each.loc)) for each in found.warnings],
    }


def tests(tested: Sequence[Tested], reached: Coverage | None, voice: Texts) -> Iterator[str]:
    """Return how the tests in a file went, and what they reach if that was asked for."""
    failed = [each for each in tested if not each.passed]
    for each in failed:
        yield failed_test(each, voice)
    yield voice("test.result", tests=len(tested), failed=len(failed))
    if reached is not None:
        every = len(reached.reached) + len(reached.never)
        yield voice("test.coverage", reached=len(reached.reached), all=every)
        for place in reached.never:
            yield voice("test.never", place=place)
        for place in reached.leaves:
            yield voice("test.leaf", place=place)


def tests_json(tested: Sequence[Tested], reached: Coverage | None) -> Mapping[str, object]:
    """Return the same for scripts."""
    told: dict[str, object] = {
        "ok": all(each.passed for each in tested),
        "tests": [
            {
                "name": each.name,
                "passed": each.passed,
                "misses": [
                    {"what": miss.what, "expected": miss.expected, "got": miss.got}
                    for miss in each.misses
                ],
            }
            for each in tested
        ],
    }
    if reached is not None:
        told["coverage"] = {
            "reached": list(reached.reached),
            "never": list(reached.never),
            "conditions_never": list(reached.leaves),
        }
    return told


def records(tx: Transaction, what: str) -> list[AuditRecord]:
    """Return what the record says of a request, or else of the customers with that id or name."""
    if found := tx.audit.of_request(what):
        return found
    customers = [each.external_userid for each in tx.relations.find_customers(what)]
    return [record for each in customers or [what] for record in tx.audit.of_customer(each)]


def line(record: AuditRecord, rules: Rulebook) -> str:
    """Return one record as a line: time in the company's zone, actor, what happened, details."""
    at = record.at.astimezone(ZoneInfo(rules.timezone))
    detail = " ".join(f"{name}={_shown(value)}" for name, value in record.detail.items())
    about = " ".join(filter(None, (record.request_id, record.userid, record.external_userid)))
    when = f"{at:%Y-%m-%d %H:%M:%S}"
    return f"{when}  {record.actor:<20} {record.kind:<24} {about}  {detail}".rstrip()


def as_json(record: AuditRecord) -> Mapping[str, object]:
    """Return one record for scripts."""
    return {
        "seq": record.seq,
        "at": record.at.isoformat(),
        "actor": record.actor,
        "kind": record.kind,
        "request": record.request_id,
        "member": record.userid,
        "customer": record.external_userid,
        "detail": dict(record.detail),
        "hash": record.hash,
    }


def dead(row: Filed, rules: Rulebook) -> str:
    """Return one row that was given up as a line: number, when, what, why; never its content."""
    at = row.created_at.astimezone(ZoneInfo(rules.timezone))
    return f"{row.id:>8}  {at:%Y-%m-%d %H:%M:%S}  {row.kind:<20} {row.error}"


def looked_up(tx: Transaction, number: int, now: datetime) -> Filed | None:
    """Return a row that was given up, and record that somebody looked at it; None for others."""
    row = tx.work.get(number)
    if row is None or row.state is not WorkState.DEAD:
        return None
    detail = {"work": number, "what": row.kind}
    tx.audit.add(AuditRecord(now, _CONSOLE, "work.shown", detail=detail))
    return row


def replayed(tx: Transaction, numbers: Iterable[int], now: datetime) -> int:
    """Put rows back to work and record that somebody did; return how many were given up."""
    rows = [row for number in numbers if (row := tx.work.get(number)) is not None]
    return dead_letters.replay(tx, rows, AuditRecord(now, _CONSOLE, ""))


def replayed_some(tx: Transaction, kind: str, now: datetime) -> int:
    """Do the same with what was given up by then, of a kind or of any: a page of it."""
    rows = tx.work.dead_letters(_PAGE, kind, by=now)
    return dead_letters.replay(tx, rows, AuditRecord(now, _CONSOLE, ""))


def noted_head(text: str) -> Head | None:
    """Return a head of the record that was noted as SEQ:HASH; None if it is not one."""
    seq, _, digest = text.partition(":")
    fits = seq.isdecimal() and re.fullmatch(r"[0-9a-f]{64}", digest)
    return Head(int(seq), digest) if fits else None


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
