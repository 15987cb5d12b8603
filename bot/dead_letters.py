"""Puts work that was given up into words: what it was, for whom, why, and what is in it, masked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot import events, outgoing
from bot.texts import Text, Texts, joined
from bot.wecom import cut_characters
from storage.transaction import Transaction
from storage.work import Claimed, Filed, Queue
from workflows.masking import mask_text
from workflows.model import AuditRecord

_REFUSED = re.compile(r"\S+: (-?[0-9]+), ([a-z]+): ")  # how a WecomError is written
_LONGEST = 300  # characters of a message that are shown


@dataclass(frozen=True, slots=True)
class Content:
    """What a row is about, as far as anybody may see it."""

    userid: str = ""
    request_id: str = ""
    text: str = ""


def content(row: Filed) -> Content:
    """Return what a row is about; nothing of one that cannot be read."""
    try:
        match row.queue:
            case Queue.OUTBOX | Queue.WELCOME:
                return _outgoing(row)
            case Queue.INBOX:
                event = events.parse(row.body.encode())
                text = _short(str(getattr(event, "text", "")))
                return Content(str(getattr(event, "userid", "")), text=text)
            case Queue.TIMERS:
                return Content(text=_short(row.body))
    except (ValueError, KeyError, events.Malformed):
        return Content()


def _outgoing(row: Filed) -> Content:
    what = outgoing.read(row)
    names = ("content", "title", "text", "description", "remark")
    said = [str(getattr(what, name, "") or "") for name in names]
    return Content(
        what.userid if hasattr(what, "userid") else "",
        getattr(what, "request_id", ""),
        _short(" ".join(filter(None, said))),
    )


def _short(text: str) -> str:
    return cut_characters(mask_text(" ".join(text.split())), _LONGEST)


def cause(error: str, voice: Texts) -> Text:
    """Return in plain words why work was given up."""
    refused = _REFUSED.match(error)
    if refused is None:
        kind = "malformed" if error.startswith("malformed") else "ours"
        return voice(f"dead_letters.cause.{kind}")
    code, kind = refused.groups()
    known = f"dead_letters.code.{code}"
    if known in voice:
        return voice(known, code=code)
    return voice.either(f"dead_letters.cause.{kind}", "dead_letters.cause.unknown", code=code)


def name(row: Filed | Claimed, voice: Texts) -> Text:
    """Return what kind of work a row is."""
    queue = f"dead_letters.queue.{row.queue.name.lower()}"
    return voice.either(f"dead_letters.kind.{row.kind}", queue, kind=row.kind)


def line(row: Filed | Claimed, error: str, voice: Texts) -> Text:
    """Return a row that failed with an error in one line."""
    what, why = name(row, voice), cause(error, voice)
    return voice("dead_letters.line", number=row.id, what=what, why=why)


def shown(row: Filed, voice: Texts, zone: ZoneInfo) -> Text:
    """Return all there is to say of a row, a line each."""
    return joined(_facts(row, voice, zone))


def _facts(row: Filed, voice: Texts, zone: ZoneInfo) -> Iterator[Text]:
    at = f"{row.created_at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    yield line(row, row.error, voice)
    yield voice("dead_letters.when", at=at, tries=row.tries, kind=row.kind)
    found = content(row)
    for field in ("userid", "request_id", "text"):
        if value := getattr(found, field):
            yield voice(f"dead_letters.field.{field}", value=value)
    yield voice("dead_letters.error", error=row.error)


def filed_json(row: Filed) -> dict[str, object]:
    """Return for scripts what is filed of a row, without looking into it."""
    return {
        "number": row.id,
        "queue": row.queue.name.lower(),
        "kind": row.kind,
        "created_at": row.created_at.isoformat(),
        "tries": row.tries,
        "error": row.error,
    }


def as_dict(row: Filed, voice: Texts) -> dict[str, object]:
    """Return all that is shown of a row, for scripts."""
    found = content(row)
    return filed_json(row) | {
        "cause": str(cause(row.error, voice)),
        "member": found.userid,
        "request": found.request_id,
        "text": found.text,
    }


def replay(tx: Transaction, rows: Sequence[Filed], record: AuditRecord) -> int:
    """Have rows tried again, each noted on a record like this one; return how many were dead.

    Whatever is of no concern by then is ignored when its turn comes.
    """
    done = [each for each in rows if tx.work.replay(each.id, record.at)]
    for each in done:
        detail = {"work": each.id, "what": each.kind}
        tx.audit.add(AuditRecord(record.at, record.actor, "work.replayed", detail=detail))
    return len(done)
