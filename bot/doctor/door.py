"""Whether WeCom's callbacks reach us: the address as seen from here, and what has arrived."""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import aiohttp
from yarl import URL

from bot.doctor.findings import Finding, Level, Patient, failure, ok, warning
from bot.envelope import Envelope
from bot.settings import Callback
from bot.wecom import FollowedPage
from storage.transaction import Transaction
from storage.work import Queue

_PATIENCE = 5.0  # seconds after which WeCom hangs up
_WITHIN = 1.0  # seconds for the check when the address is saved (document 90930)
_EXPIRES_SOON = timedelta(days=14)
_MOST_READ = 4096

_ADDED = "contact.added"
_OF_CUSTOMERS = (_ADDED, "contact.edited", "contact.deleted")
_OF_THE_APP = (
    *("message.text", "message.other", "card.pressed", "card.menu", "menu.clicked"),
    *("app.entered", "app.subscribed", "app.unsubscribed"),
)
_KEPT = timedelta(days=30)  # how long finished work is there to be looked at
_ON_ITS_WAY = timedelta(minutes=10)
_AT_ONCE, _PAGES = 100, 5  # members asked about, and pages of their customers read


async def app(patient: Patient) -> list[Finding]:
    """Knock at the app's callback address as WeCom does."""
    return await _knock(patient, "door", patient.settings.wecom, "/wecom/callback")


async def directory(patient: Patient) -> list[Finding]:
    """Knock at the directory's callback address, if there is one."""
    callback = patient.settings.wecom.directory
    if callback is None:
        return [ok("directory", "off")]
    found = await _knock(patient, "directory", callback, "/wecom/directory")
    if patient.db is None or any(each.level is not Level.OK for each in found):
        return found
    newest = await patient.db.read(lambda tx: tx.work.newest_of(Queue.INBOX, ["directory.changed"]))
    return found if newest else [warning("directory", "nothing_arrived")]


async def _knock(patient: Patient, check: str, callback: Callback, path: str) -> list[Finding]:
    base = patient.settings.server.public_url.rstrip("/")
    if not base:
        return [warning(check, "no_url")]
    word = str(secrets.randbelow(10**19)).zfill(19)
    query = _signed(patient, callback, word)
    began = time.monotonic()
    try:
        async with patient.http.get(
            f"{base}{path}",
            params=query,
            timeout=aiohttp.ClientTimeout(total=_PATIENCE),
            allow_redirects=False,
            ssl=patient.tls or True,
        ) as answer:
            body = await answer.content.read(_MOST_READ)
    except aiohttp.ClientConnectorCertificateError as error:
        return [failure(check, "certificate", why=_reason(error.certificate_error))]
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return [failure(check, "unreachable", url=base, why=_why(error))]
    took = time.monotonic() - began
    found = _heard(check, answer.status, is_echo=body == word.encode(), took=took)
    return [await _certificate(patient, check, base)] if not found else [found]


def _signed(patient: Patient, callback: Callback, word: str) -> Mapping[str, str]:
    envelope = Envelope(
        callback.token.get_secret_value(),
        callback.encoding_aes_key.get_secret_value(),
        patient.settings.wecom.corp_id,
    )
    echo, nonce = envelope.close(word.encode()), secrets.token_hex(8)
    timestamp = str(int(patient.now().timestamp()))
    signature = envelope.signature(timestamp, nonce, echo)
    return {
        "msg_signature": signature,
        "timestamp": timestamp,
        "nonce": nonce,
        "echostr": echo,
    }


def _heard(check: str, status: int, *, is_echo: bool, took: float) -> Finding | None:
    """Return what is wrong with an answer, None if nothing is."""
    known = {400: "not_opened", 403: "other_keys"}  # what our own door answers
    if status in known:
        return failure(check, known[status])
    if status != 200:
        return failure(check, "status", status=status)
    if not is_echo:
        return failure(check, "no_echo")
    return warning(check, "slow", seconds=f"{took:.1f}") if took > _WITHIN else None


async def _certificate(patient: Patient, check: str, base: str) -> Finding:
    """Look at when a certificate ends that was good a moment ago."""
    url = URL(base)
    if url.scheme != "https":
        return ok(check)
    trust = patient.tls or ssl.create_default_context()
    try:
        async with asyncio.timeout(_PATIENCE):
            _, writer = await asyncio.open_connection(url.host, url.port, ssl=trust)
    except (OSError, TimeoutError) as error:
        return failure(check, "unreachable", url=base, why=_why(error))
    certificate = writer.get_extra_info("peercert")
    writer.close()
    with suppress(OSError, TimeoutError):
        await writer.wait_closed()
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    left = ends - patient.now()
    if left >= _EXPIRES_SOON:
        return ok(check)
    return warning(check, "certificate_ends", days=max(0, left.days))


def _reason(error: Exception) -> str:
    return str(getattr(error, "verify_message", "") or type(error).__name__)


def _why(error: Exception) -> str:
    """Name what went wrong; the error's own text may hold the signed address."""
    if isinstance(error, TimeoutError):
        return "timeout"
    inner = getattr(error, "os_error", None)
    return str(getattr(inner, "strerror", "") or type(error).__name__)


# --- what has arrived


async def events(patient: Patient) -> list[Finding]:
    """Compare the adds that arrived with the customers that WeCom shows."""
    if patient.db is None:
        return [ok("events", "nothing_yet")]
    heard = await patient.db.read(lambda tx: tx.work.newest_of(Queue.INBOX, [_ADDED]))
    of_app = await patient.db.read(lambda tx: tx.work.newest_of(Queue.INBOX, _OF_THE_APP))
    unheard = await _unheard(patient)
    if unheard and heard is None:
        said = "switched_off" if of_app else "nothing_arrives"
        return [failure("events", said, count=unheard)]
    if unheard:
        return [warning("events", "some_missing", count=unheard)]
    return [ok("events", when=heard)] if heard else [ok("events", "nothing_yet")]


async def _unheard(patient: Patient) -> int:
    """Count customers added since Menwei runs here of whom it has not heard; a sample."""
    db = patient.db
    since = await db.read(_beginning) if db else None
    if since is None or db is None:
        return 0
    after = max(since, patient.now() - _KEPT)
    before = patient.now() - _ON_ITS_WAY
    recent = [
        (follower.userid, contact.external_userid)
        for page in await _pages(patient)
        for contact in page.contacts
        for follower in contact.follow_user
        if after.timestamp() < follower.createtime < before.timestamp()
    ]

    def count(tx: Transaction) -> int:
        return sum(tx.relations.get(userid, external) is None for userid, external in recent)

    return await db.read(count)


def _beginning(tx: Transaction) -> datetime | None:
    """Return when the first rules came into force here."""
    versions = tx.policies.history(10_000)
    return versions[-1].activated_at if versions else None


async def _pages(patient: Patient) -> list[FollowedPage]:
    sellers = (await patient.wecom.follow_users())[:_AT_ONCE]
    pages: list[FollowedPage] = []
    cursor = ""
    while sellers and len(pages) < _PAGES:
        pages.append(await patient.wecom.batch_by_user(sellers, cursor))
        cursor = pages[-1].next_cursor
        if not cursor:
            break
    return pages
