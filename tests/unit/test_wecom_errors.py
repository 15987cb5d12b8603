"""What each error code means, and that no failure shows a token, a secret or a URL."""

from __future__ import annotations

import asyncio
import gc
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from bot.wecom import Kind, Unreachable, Wecom, WecomError, codes, meaning
from bot.wecom.wire import MOST_READ, MOST_SENT
from tests.makers_wecom_client import SECRET, TOKEN, Setup, a_wecom

EXPECTED = {
    Kind.TOKEN: [40014, 42001],
    Kind.RETRY: [-1, 6000, 41096, 45033, 45035, 50100, 301026, 301057],
    Kind.WAIT: [45009, 45036],
    Kind.DONE: [40100, 40129, 41051, 90504, 90507, 90508],
    Kind.CONFIG: [
        *(40001, 40013, 40056, 41045, 41095, 41200, 41305, 43012, 48001, 48002, 48006, 48009),
        *(48010, 50001, 50003, 60020, 60031, 80001, 81011, 85005, 301002, 301055, 301056, 853000),
    ],
    Kind.PERMANENT: [
        *(40003, 40029, 40031, 40032, 40035, 40058, 40063, 40068, 40071, 40093, 40096, 40097),
        *(40098, 40099, 40126, 40128, 40130, 40131, 40143, 40144, 40201, 40204, 40205, 41001),
        *range(41037, 41045),
        *(41050, 41053, 41054, 41110, 41111, 42003, 42022, 42052, 45002, 45029, 46004, 48011),
        *range(42014, 42021),
        *range(42027, 42052),
        *(50002, 60011, 60021, 60030, 60111, 60140, 81013, 81017, 82001, 84061, 84074, 84083),
        *(84084, 86001, 86008, 86224, 90500, 90501, 90502, 90503, 90510, 90511, 95000, 95027),
        301025,
    ],
    Kind.UNKNOWN: [1, 42013, 42026, 42053, 86225, 99999, -3],
}


@pytest.fixture
async def setup() -> AsyncIterator[Setup]:
    async with a_wecom() as made:
        yield made


@pytest.mark.parametrize(
    ("code", "kind"), [(code, kind) for kind, listed in EXPECTED.items() for code in listed]
)
def test_every_code_has_its_kind(code: int, kind: Kind) -> None:
    assert meaning(code).kind is kind
    assert meaning(code).words


def test_only_waiting_codes_say_how_long_and_never_less_than_a_minute() -> None:
    for listed in EXPECTED.values():
        for code in listed:
            wait = codes.pause(code)
            assert (wait is not None) == (meaning(code).kind is Kind.WAIT)
            assert wait is None or wait >= timedelta(seconds=60)


def test_only_what_heals_by_itself_may_be_retried() -> None:
    assert {kind for kind in Kind if kind.may_retry} == {Kind.RETRY, Kind.WAIT, Kind.TOKEN}


@pytest.mark.parametrize("code", [45009, 48002, 60140, 41051, 123456])
async def test_a_refusal_carries_code_kind_path_and_wecoms_words(setup: Setup, code: int) -> None:
    setup.server.answers("user/get", {"errcode": code, "errmsg": "from ip: 192.0.2.7"})
    with pytest.raises(WecomError) as failed:
        await setup.wecom.user("mei")
    error = failed.value
    assert (error.code, error.kind, error.path) == (code, meaning(code).kind, "user/get")
    assert error.retry_after == codes.pause(code)
    assert "from ip: 192.0.2.7" in str(error)


# Secrets

Break = Callable[[Setup], Wecom]


def _answering(path: str, reaction: Any) -> Break:
    def broken(setup: Setup) -> Wecom:
        setup.server.answers(path, reaction)
        return setup.wecom

    return broken


async def _hangs_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _breaks_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"errcode"')
    assert request.transport is not None
    request.transport.abort()
    return response


async def _hangs(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await _forever(response)
    return response


async def _forever(response: web.StreamResponse) -> None:
    try:
        for _ in range(100):
            await response.write(b" ")
            await asyncio.sleep(0.02)
    except ConnectionError:
        return


async def _floods(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        for _ in range(MOST_READ // (1 << 20) + 2):
            await response.write(b"x" * (1 << 20))
    except ConnectionError:
        pass
    return response


async def _redirects(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound(f"/cgi-bin/agent/get?{request.query_string}")


async def _echoes(request: web.Request) -> web.StreamResponse:
    said = f"bad url {request.url} {request.raw_path} {dict(request.query)}"
    return web.json_response({"errcode": 40058, "errmsg": said})


async def _echoes_as_500(request: web.Request) -> web.StreamResponse:
    return web.Response(status=500, text=f"<html>{request.url} {dict(request.query)}</html>")


async def _echoes_as_html(request: web.Request) -> web.StreamResponse:
    return web.Response(text=f"<html>{request.url} {dict(request.query)}</html>")


def _hasty(setup: Setup) -> Wecom:
    setup.server.answers("user/get", _hangs)
    return setup.another(
        setup.store, aiohttp.ClientTimeout(total=1.5)
    )  # the token must come in time


def _nobody_there(setup: Setup) -> Wecom:
    setup.store.kept["unused"] = ""
    return setup.another(setup.store, base="http://127.0.0.1:9/")


def _bad_base(setup: Setup) -> Wecom:
    return setup.another(setup.store, base="ftp://127.0.0.1/")


BREAKS: dict[str, tuple[Break, int, Kind, bool | None]] = {
    # how: (what breaks, code, kind, whether the call may have been carried out)
    "connection refused": (_nobody_there, codes.NO_ANSWER, Kind.RETRY, False),
    "no http address": (_bad_base, codes.NO_ANSWER, Kind.RETRY, False),
    "hung up": (_answering("user/get", _hangs_up), codes.NO_ANSWER, Kind.RETRY, True),
    "broken off": (_answering("user/get", _breaks_off), codes.NO_ANSWER, Kind.RETRY, True),
    "timeout": (_hasty, codes.NO_ANSWER, Kind.RETRY, True),
    "redirect": (_answering("user/get", _redirects), codes.NO_ANSWER, Kind.RETRY, True),
    "500 with body": (_answering("user/get", _echoes_as_500), codes.NO_ANSWER, Kind.RETRY, True),
    "html": (_answering("user/get", _echoes_as_html), codes.ODD_ANSWER, Kind.RETRY, True),
    "a list": (
        _answering("user/get", web.Response(text="[1]")),
        codes.ODD_ANSWER,
        Kind.RETRY,
        True,
    ),
    "no errcode": (
        _answering("user/get", web.Response(text='{"userid":"mei"}')),
        codes.ODD_ANSWER,
        Kind.RETRY,
        True,
    ),
    "nested too deep": (
        _answering("user/get", web.Response(text="[" * 200_000)),
        codes.ODD_ANSWER,
        Kind.RETRY,
        True,
    ),
    "too large": (_answering("user/get", _floods), codes.TOO_LARGE, Kind.PERMANENT, None),
    "errmsg with the url": (_answering("user/get", _echoes), 40058, Kind.PERMANENT, None),
    "gettoken echoes": (_answering("gettoken", _echoes), 40058, Kind.PERMANENT, None),
    "gettoken 500": (_answering("gettoken", _echoes_as_500), codes.NO_ANSWER, Kind.RETRY, False),
    "gettoken html": (
        _answering("gettoken", _echoes_as_html),
        codes.ODD_ANSWER,
        Kind.RETRY,
        False,
    ),
    "gettoken hung up": (_answering("gettoken", _hangs_up), codes.NO_ANSWER, Kind.RETRY, False),
    "gettoken without a token": (
        _answering("gettoken", {"access_token": "", "expires_in": 7200}),
        codes.ODD_ANSWER,
        Kind.RETRY,
        False,
    ),
}


@pytest.mark.parametrize("how", BREAKS)
async def test_no_failure_shows_a_secret(
    setup: Setup, how: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, code, kind, maybe_done = BREAKS[how]
    caplog.set_level(logging.DEBUG)
    client = broken(setup)
    with pytest.raises(WecomError) as failed:
        await client.user("mei")

    error = failed.value
    assert (error.code, error.kind) == (code, kind)
    assert maybe_done is None or isinstance(error, Unreachable)
    assert getattr(error, "maybe_done", None) is maybe_done
    assert error.__context__ is None
    assert error.__cause__ is None
    shown = "\n".join(
        [
            str(error),
            repr(error),
            repr(error.args),
            repr(vars(error)),
            repr(client),
            "".join(traceback.format_exception(error)),
            _locals(error),
            caplog.text,
            "".join(capsys.readouterr()),
        ]
    )
    for secret in (SECRET, TOKEN, *_written_in_urls(SECRET), *_written_in_urls(TOKEN)):
        assert secret not in shown


def _written_in_urls(secret: str) -> list[str]:
    return [quote(secret), quote(secret, safe=""), str(URL("/").with_query(x=secret))[4:]]


def _locals(error: BaseException) -> str:
    """What a traceback with local variables would print of our own modules."""
    frames = traceback.walk_tb(error.__traceback__)
    ours = [frame for frame, _ in frames if "/bot/wecom/" in frame.f_code.co_filename]
    assert ours
    return "\n".join(repr(value) for frame in ours for value in frame.f_locals.values())


async def test_a_request_above_the_bound_is_never_sent(setup: Setup) -> None:
    with pytest.raises(WecomError) as failed:
        await setup.wecom.send_card("mei", {"source": "x" * MOST_SENT})
    assert failed.value.kind is Kind.PERMANENT
    assert not setup.server.asked("message/send")


async def test_a_redirect_is_not_followed(setup: Setup) -> None:
    setup.server.answers("user/get", _redirects)
    with pytest.raises(Unreachable, match="HTTP 302"):
        await setup.wecom.user("mei")
    assert not setup.server.asked("agent/get")


async def test_a_failure_that_nobody_waits_for_any_more_is_not_reported_by_the_loop(
    setup: Setup, caplog: pytest.LogCaptureFixture
) -> None:
    asked = asyncio.Event()

    async def fails(_: web.Request) -> web.StreamResponse:
        asked.set()
        await asyncio.sleep(0.05)
        return web.Response(status=500)

    setup.server.answers("gettoken", fails)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.03):
            await setup.wecom.user("mei")
    assert asked.is_set()
    await asyncio.sleep(0.1)
    gc.collect()
    assert "never retrieved" not in caplog.text


async def test_the_clients_repr_and_store_key_hold_no_secret(setup: Setup) -> None:
    await setup.wecom.callback_ips()
    shown = repr(setup.wecom) + repr(vars(setup.wecom)) + repr(vars(setup.wecom._tokens))
    for secret in (SECRET, TOKEN):
        assert secret not in shown + repr(list(setup.store.kept))
