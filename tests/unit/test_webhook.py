"""The door lets WeCom in and nobody else, and says 200 only to what is stored."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.envelope import Envelope
from bot.inbox import Arrival, Overloaded, Welcome
from bot.webhook import Door, Limits, routes
from tests.makers_door import CORP, KEY, NOW, TOKEN, envelope_xml, query, sample, seal, sign

PATH = "/wecom/callback"
ECHO = b"8812345678901234567"


class Street:
    """A door with a fake inbox behind it, and a client in front of it."""

    def __init__(self) -> None:
        self.arrived: list[Arrival] = []
        self.refused: list[str] = []
        self.has_refused = asyncio.Event()
        self.put: Callable[[Arrival], Awaitable[None]] = self._keep
        self.client: TestClient[web.Request, web.Application]

    async def _keep(self, arrival: Arrival) -> None:
        self.arrived.append(arrival)

    async def _pass_on(self, arrival: Arrival) -> None:
        await self.put(arrival)

    def _refuse(self, reason: str) -> None:
        self.refused.append(reason)
        self.has_refused.set()

    def door(self, limits: Limits | None = None) -> Door:
        return Door(
            envelope=Envelope(TOKEN, KEY, CORP),
            put=self._pass_on,
            now=lambda: NOW,
            on_refused=self._refuse,
            limits=limits or Limits(reading=0.2),
        )

    async def send(self, message: bytes) -> ClientResponse:
        return await self.post(seal(message))

    async def post(self, sealed: str) -> ClientResponse:
        return await self.client.post(PATH, params=query(sealed), data=envelope_xml(sealed))

    async def ask(self, echo: str) -> ClientResponse:
        return await self.client.get(PATH, params={**query(echo), "echostr": echo})


@pytest.fixture
async def street() -> AsyncIterator[Street]:
    street = Street()
    app = web.Application(client_max_size=1)  # the door has its own limit
    app.add_routes(routes(street.door()))
    app.add_routes(routes(street.door(), "/wecom/directory"))
    async with TestClient(TestServer(app)) as client:
        street.client = client
        yield street


async def refused(street: Street, answer: ClientResponse, status: int, reason: str) -> None:
    assert (answer.status, await answer.read()) == (status, b"")
    assert street.refused == [reason]
    assert street.arrived == []


# The URL check


async def test_the_url_check_is_answered_with_the_bare_echo(street: Street) -> None:
    answer = await street.ask(seal(ECHO))
    assert answer.status == 200
    assert answer.content_type == "text/plain"
    assert await answer.read() == ECHO
    assert street.arrived == []


async def test_a_plus_in_the_echo_survives_escaped_or_not(street: Street) -> None:
    sealed = next(s for n in range(99) if "+" in (s := seal(ECHO, random=b"%016d" % n)))
    assert await (await street.ask(sealed)).read() == ECHO
    unescaped = urlencode(query(sealed)) + "&echostr=" + sealed.replace("=", "%3D")
    assert await (await street.client.get(f"{PATH}?{unescaped}")).read() == ECHO


async def test_an_echo_signed_by_somebody_else_is_forbidden(street: Street) -> None:
    echo = seal(ECHO)
    params = {**query(echo), "echostr": seal(b"7")}
    await refused(street, await street.client.get(PATH, params=params), 403, "signature")


async def test_an_echo_of_another_company_is_refused(street: Street) -> None:
    await refused(street, await street.ask(seal(ECHO, corp="wwforeign")), 400, "receive_id")


async def test_the_url_check_does_not_decrypt_a_recorded_event(street: Street) -> None:
    await refused(street, await street.ask(seal(sample("message_text"))), 400, "echo")


async def test_an_old_url_check_is_refused(street: Street) -> None:
    echo = seal(ECHO)
    params = {**query(echo, NOW - timedelta(hours=2)), "echostr": echo}
    await refused(street, await street.client.get(PATH, params=params), 400, "timestamp")


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH"])
async def test_other_methods_are_not_served(street: Street, method: str) -> None:
    answer = await street.client.request(method, PATH)
    assert answer.status == 405


# Callbacks


async def test_an_event_is_handed_on_with_its_name_lane_and_key(street: Street) -> None:
    message = sample("contact_edited")
    answer = await street.send(message)
    assert (answer.status, await answer.read()) == (200, b"")
    key = "in:" + hashlib.sha256(message).hexdigest()
    lane = "rel:mei.zhou:wmDemo00000000000000000000000A1"
    assert street.arrived == [Arrival(key, "contact.edited", lane, message, NOW)]
    assert street.refused == []


async def test_the_second_callback_url_works_like_the_first(street: Street) -> None:
    sealed = seal(sample("directory_tag_updated"))
    answer = await street.client.post(
        "/wecom/directory", params=query(sealed), data=envelope_xml(sealed)
    )
    assert answer.status == 200
    assert street.arrived[0].lane == "directory"


async def test_a_welcome_code_travels_along(street: Street) -> None:
    await street.send(sample("contact_added"))
    expected = Welcome("demo-welcome-code-1", "Mei.Zhou", "wmDemo00000000000000000000000A1")
    assert street.arrived[0].welcome == expected


async def test_the_same_event_sealed_anew_has_the_same_key(street: Street) -> None:
    message = sample("card_pressed")
    await street.post(seal(message))
    await street.post(seal(message, random=b"fedcba9876543210"))
    first, second = street.arrived
    assert first.key == second.key


async def test_an_event_of_wecoms_that_lacks_a_field_is_kept_for_a_person(street: Street) -> None:
    answer = await street.send(sample("contact_added").replace(b"ExternalUserID", b"Renamed"))
    assert answer.status == 200
    assert (street.arrived[0].kind, street.arrived[0].lane) == ("malformed", "other")


async def test_200_is_not_said_before_the_event_is_stored(street: Street) -> None:
    stored = asyncio.Event()
    seen = asyncio.Event()

    async def slow(_arrival: Arrival) -> None:
        seen.set()
        await stored.wait()

    street.put = slow
    answering = asyncio.create_task(street.send(sample("contact_edited")))
    await seen.wait()
    await asyncio.sleep(0.1)
    assert not answering.done()
    stored.set()
    assert (await answering).status == 200


@pytest.mark.parametrize(
    ("error", "reason"),
    [(Overloaded(), "overloaded"), (OSError("disk full: Mei.Zhou"), "not_stored")],
)
async def test_what_could_not_be_stored_is_not_accepted(
    street: Street, error: Exception, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(_arrival: Arrival) -> None:
        raise error

    street.put = fail
    await refused(street, await street.send(sample("contact_edited")), 503, reason)
    assert "Mei.Zhou" not in "".join(capsys.readouterr())


@pytest.mark.parametrize("name", ["msg_signature", "timestamp", "nonce"])
@pytest.mark.parametrize("how", ["missing", "empty", "twice"])
async def test_each_parameter_is_needed_exactly_once(street: Street, name: str, how: str) -> None:
    sealed = seal(sample("contact_edited"))
    pairs = list(query(sealed).items())
    match how:
        case "missing":
            pairs = [pair for pair in pairs if pair[0] != name]
        case "empty":
            pairs = [(key, "" if key == name else value) for key, value in pairs]
        case "twice":
            pairs += [pair for pair in pairs if pair[0] == name]
    answer = await street.client.post(PATH, params=pairs, data=envelope_xml(sealed))
    await refused(street, answer, 400, "query")


@pytest.mark.parametrize("signature", ["0", "0" * 40, "0" * 41, "签名", "%FF", "\x7f"])
async def test_a_wrong_signature_of_any_shape_is_forbidden(street: Street, signature: str) -> None:
    sealed = seal(sample("contact_edited"))
    params = {**query(sealed), "msg_signature": signature}
    answer = await street.client.post(PATH, params=params, data=envelope_xml(sealed))
    await refused(street, answer, 403, "signature")


async def test_the_signature_counts_before_what_is_inside(street: Street) -> None:
    params = {**query("x"), "msg_signature": "0" * 40}
    answer = await street.client.post(PATH, params=params, data=envelope_xml("no base64 at all"))
    await refused(street, answer, 403, "signature")


@pytest.mark.parametrize("hours", [-1.01, 1.01])
async def test_a_callback_far_from_our_clock_is_refused(street: Street, hours: float) -> None:
    sealed = seal(sample("contact_edited"))
    params = query(sealed, NOW + timedelta(hours=hours))
    answer = await street.client.post(PATH, params=params, data=envelope_xml(sealed))
    await refused(street, answer, 400, "timestamp")


@pytest.mark.parametrize("minutes", [-59, 59])
async def test_an_hour_of_difference_is_forgiven(street: Street, minutes: int) -> None:
    sealed = seal(sample("contact_edited"))
    params = query(sealed, NOW + timedelta(minutes=minutes))
    answer = await street.client.post(PATH, params=params, data=envelope_xml(sealed))
    assert answer.status == 200


async def test_a_signed_timestamp_that_is_no_number_is_refused(street: Street) -> None:
    sealed = seal(sample("contact_edited"))
    params = {"msg_signature": sign(sealed, "now", "n"), "timestamp": "now", "nonce": "n"}
    answer = await street.client.post(PATH, params=params, data=envelope_xml(sealed))
    await refused(street, answer, 400, "timestamp")


@pytest.mark.parametrize(
    ("sealed", "reason"),
    [
        ("no base64 at all", "base64"),
        (seal(sample("contact_edited"), corp="wwforeign"), "receive_id"),
        (seal(b"<xml>"), "malformed"),
        (seal(b"{}"), "malformed"),
        (seal(b"\xff"), "malformed"),
        (seal(b"<!DOCTYPE xml><xml/>"), "malformed"),
    ],
)
async def test_a_signed_callback_without_a_message_is_refused(
    street: Street, sealed: str, reason: str
) -> None:
    await refused(street, await street.post(sealed), 400, reason)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"encrypt": "x"}',
        b"<xml></xml>",
        b"<xml><Encrypt/></xml>",
        b"<xml><Encrypt>a</Encrypt><Encrypt>b</Encrypt></xml>",
        b"<!DOCTYPE xml><xml><Encrypt>a</Encrypt></xml>",
        b"<xml><Encrypt>a</Encrypt>" + b"<a/>" * 100 + b"</xml>",
    ],
)
async def test_a_body_that_is_no_envelope_is_refused(street: Street, body: bytes) -> None:
    answer = await street.client.post(PATH, params=query("a"), data=body)
    await refused(street, answer, 400, "envelope")


async def test_an_envelope_may_be_laid_out_in_any_way(street: Street) -> None:
    sealed = seal(sample("contact_edited"))
    body = f"<?xml version='1.0'?>\n<xml>\n<Encrypt>\n{sealed}\n</Encrypt><X/></xml>".encode()
    answer = await street.client.post(PATH, params=query(sealed), data=body)
    assert answer.status == 200


# Size and speed


async def spoken(street: Street, *raw: bytes) -> bytes:
    """Return the status line that answers these bytes, sent as they are, piece by piece."""
    server = street.client.server
    reader, writer = await asyncio.open_connection(server.host, server.port)
    for piece in raw:
        writer.write(piece)
        await asyncio.sleep(0.05)
    answer = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    await writer.wait_closed()
    return answer


def head(*headers: str) -> bytes:
    lines = [f"POST {PATH}?{urlencode(query('a'))} HTTP/1.1", "Host: x", *headers, "", ""]
    return "\r\n".join(lines).encode()


async def test_a_large_body_is_refused_before_it_is_sent(street: Street) -> None:
    assert b" 413 " in await spoken(street, head(f"Content-Length: {Limits().body + 1}"))
    assert street.refused == ["too_large"]


async def test_a_large_body_without_a_length_is_cut_off(street: Street) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b"x" * 65_536

    answer = await street.client.post(PATH, params=query("a"), data=pieces())
    await refused(street, answer, 413, "too_large")


async def test_a_body_in_pieces_is_put_together(street: Street) -> None:
    sealed = seal(sample("contact_edited"))

    async def pieces() -> AsyncIterator[bytes]:
        for byte in envelope_xml(sealed):
            yield bytes([byte])

    answer = await street.client.post(PATH, params=query(sealed), data=pieces())
    assert answer.status == 200


async def test_a_body_that_never_ends_is_given_up(street: Street) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"<xml>"
        await asyncio.sleep(5)

    answer = await street.client.post(PATH, params=query("a"), data=pieces())
    await refused(street, answer, 408, "slow")


@asynccontextmanager
async def limited(limits: Limits) -> AsyncIterator[Street]:
    street = Street()
    app = web.Application()
    app.add_routes(routes(street.door(limits)))
    async with TestClient(TestServer(app)) as street.client:
        yield street


async def test_more_requests_than_there_is_room_for_are_turned_away_at_once() -> None:
    async with limited(Limits(at_once=1)) as street:
        inside, go_on = asyncio.Event(), asyncio.Event()

        async def slow(_: Arrival) -> None:
            inside.set()
            await go_on.wait()

        street.put = slow
        first = asyncio.create_task(street.send(sample("contact_added")))
        await inside.wait()

        await refused(street, await street.send(sample("contact_added")), 503, "overloaded")

        go_on.set()
        assert (await first).status == 200
        assert (await street.send(sample("contact_added"))).status == 200


async def test_bodies_that_together_are_too_large_to_hold_are_turned_away() -> None:
    async with limited(Limits(unread=100)) as street:
        await refused(street, await street.send(sample("contact_added")), 503, "overloaded")


async def test_a_callback_that_cannot_be_stored_in_time_is_not_accepted() -> None:
    async with limited(Limits(storing=0.05)) as street:
        street.put = lambda _: asyncio.sleep(30)

        await refused(street, await street.send(sample("contact_added")), 503, "not_stored")


async def test_a_compressed_body_is_not_unpacked(street: Street) -> None:
    answer = await street.client.post(PATH, params=query("a"), data=b"x" * 9_999, compress="gzip")
    await refused(street, answer, 415, "encoded")


async def test_a_body_broken_on_the_way_is_refused(street: Street) -> None:
    begun = head("Transfer-Encoding: chunked") + b"3\r\nabc\r\n"
    answer = await spoken(street, begun, b"zz\r\n")
    assert b" 400 " in answer or b" 408 " in answer  # as soon as aiohttp lets us know
    assert street.arrived == []


async def test_a_sender_who_hangs_up_halfway_is_no_error_of_ours() -> None:
    street = Street()
    app = web.Application()
    app.add_routes(routes(street.door(Limits(reading=5))))
    runner = web.AppRunner(app)  # as in production: a handler is not cancelled by a hang-up
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    _, writer = await asyncio.open_connection(*runner.addresses[0])
    writer.write(head("Content-Length: 99") + b"<xml>")
    await asyncio.sleep(0.05)
    writer.transport.abort()
    await asyncio.wait_for(street.has_refused.wait(), 4)
    await runner.cleanup()
    assert street.refused == ["broken"]
    assert street.arrived == []


# Anything


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    body=st.one_of(st.binary(max_size=400), st.binary(max_size=99).map(lambda b: b"<xml>" + b)),
    raw=st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    names=st.sets(st.sampled_from(["msg_signature", "timestamp", "nonce", "echostr"])),
)
def test_strangers_never_get_in_and_never_break_anything(
    body: bytes, raw: str, names: set[str]
) -> None:
    async def knock() -> set[int]:
        street = Street()
        app = web.Application()
        app.add_routes(routes(street.door()))
        async with TestClient(TestServer(app)) as client:
            params = dict.fromkeys(names, raw)
            answers = [
                await client.get(PATH, params=params),
                await client.post(PATH, params=params, data=body),
                await client.post(PATH, params=query("a"), data=body),
            ]
            assert street.arrived == []
            return {answer.status for answer in answers}

    assert asyncio.run(knock()) <= {400, 403}
