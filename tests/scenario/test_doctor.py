"""`menwei doctor` finds each console switch that is set wrongly, and says where to mend it."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import json
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr
from typer.testing import CliRunner

from bot import doctor, holidays, texts
from bot.cli import cli
from bot.console import doctor as speaking
from bot.doctor import Finding, Level, door
from bot.settings import Callback, Settings
from bot.simulator.seed import LIU_JIANGUO, MA_CHAO, ZHANG_WEI
from tests.scenario.conftest import Opens, Stage
from workflows.policy import compile_policy

ZH, EN = (texts.load(language) for language in texts.LANGUAGES)
OTHER_KEY = "ZZZDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"
DEMO_DIRECTORY = (
    '[wecom.directory]\ntoken = "demoTokenOfTheDirectory"\n'
    'encoding_aes_key = "HyAeHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgE"\n\n'
)


@dataclass(frozen=True)
class Findings:
    """What one examination found."""

    found: Sequence[Finding]

    def of(self, check: str) -> Finding:
        """Return the only, or else the worst, finding of a check."""
        mine = [each for each in self.found if each.check == check]
        assert mine, f"nothing was said of {check}"
        order = [Level.FAILURE, Level.WARNING, Level.SKIPPED, Level.OK]
        return min(mine, key=lambda each: order.index(each.level))

    def code(self, check: str) -> tuple[Level, str]:
        return self.of(check).level, self.of(check).code

    @property
    def skipped(self) -> set[str]:
        return {each.check for each in self.found if each.level is Level.SKIPPED}

    @property
    def failures(self) -> dict[str, str]:
        return {each.check: each.code for each in self.found if each.level is Level.FAILURE}


def settings_of(stage: Stage, *, url: str | None = None, **wecom: Any) -> Settings:
    """Return the running program's settings with its real address, and changes for the doctor."""
    found = stage.settings
    public = stage.address if url is None else url
    return replace(
        found,
        server=found.server.model_copy(update={"public_url": public}),
        wecom=found.wecom.model_copy(update=wecom),
    )


async def examined(
    stage: Stage,
    found: Settings | None = None,
    now: Callable[[], datetime] | None = None,
    tls: ssl.SSLContext | None = None,
) -> Findings:
    """Examine, and see that everything found can be said in both languages."""
    found = found or settings_of(stage)
    policy = compile_policy(found.rules, holidays.CHINA)
    async with doctor.of(found, policy, now or stage.clock.now) as patient:
        result = await doctor.examine(replace(patient, tls=tls))
    for voice in (ZH, EN):
        assert len(list(speaking.lines(result, voice))) > len(result)
    return Findings(result)


async def set_menu(stage: Stage, *keys: str) -> None:
    wanted = [button for button in speaking.buttons(ZH) if button[1] in keys]
    found = settings_of(stage)
    async with doctor.of(found, compile_policy(found.rules), stage.clock.now) as patient:
        await patient.wecom.set_menu(wanted)


# --- all is well


async def test_a_company_that_is_set_up_well_has_nothing_to_mend(stage: Stage) -> None:
    stage.simulator.world.set_customer_contact("pool", False)
    stage.simulator.world.tag_member("zhouxiaomei", 1)  # the second callback has been heard
    await stage.quiet()
    await set_menu(stage, "mine", "todo", "help")

    found = await examined(stage)

    assert {each.check: each.code for each in found.found if each.level is not Level.OK} == {}
    checks = {each.check for each in found.found}
    assert {"secret", "trusted_ip", "app", "contact", "door", "events", "menu", "clock"} <= checks


async def test_examining_changes_nothing_in_wecom(stage: Stage) -> None:
    stage.simulator.forget_calls()
    await examined(stage)

    asked = {path.removeprefix("/cgi-bin/") for path, _ in stage.simulator.calls}
    assert not asked & {"menu/create", "message/send", "externalcontact/mark_tag"}


# --- secret, address, app


async def test_a_wrong_secret_is_told_and_all_that_needs_it_is_skipped(stage: Stage) -> None:
    found = await examined(stage, settings_of(stage, secret=SecretStr("mistyped")))

    assert found.code("secret") == (Level.FAILURE, "bad_secret")
    assert {"trusted_ip", "app", "contact", "sellers", "menu", "tags", "events"} <= found.skipped
    assert found.code("door") == (Level.OK, "ok")


async def test_a_wrong_secret_is_tried_only_once(stage: Stage) -> None:
    stage.simulator.forget_calls()
    await examined(stage, settings_of(stage, secret=SecretStr("mistyped")))
    assert len(stage.simulator.called("gettoken")) == 1


async def test_a_wrong_corp_id_is_told(stage: Stage) -> None:
    found = await examined(stage, settings_of(stage, corp_id="ww-other"))
    assert found.code("secret") == (Level.FAILURE, "bad_corp")


async def test_a_blocked_address_is_told(stage: Stage) -> None:
    stage.simulator.faults.fail("gettoken", 45009)
    assert (await examined(stage)).code("secret") == (Level.FAILURE, "blocked")


async def test_a_wecom_that_cannot_be_reached_is_told(stage: Stage) -> None:
    found = await examined(stage, settings_of(stage, api_base="http://127.0.0.1:9"))
    assert found.code("secret") == (Level.FAILURE, "unreachable")


async def test_an_address_that_is_not_trusted_is_told_with_the_address(stage: Stage) -> None:
    stage.simulator.world.console.trusted_ip = False

    found = await examined(stage)

    assert found.code("secret") == (Level.OK, "ok")
    assert found.code("trusted_ip") == (Level.FAILURE, "not_trusted")
    assert found.of("trusted_ip").params == {"address": "203.0.113.7"}
    assert {"app", "visible", "contact"} <= found.skipped


async def test_the_secret_of_another_app_is_told(stage: Stage) -> None:
    found = await examined(stage, settings_of(stage, agent_id=1000008))
    assert found.code("app") == (Level.FAILURE, "other_app")


async def test_an_app_that_is_switched_off_is_told(stage: Stage) -> None:
    stage.simulator.world.console.enabled = False
    assert (await examined(stage)).code("app") == (Level.FAILURE, "off")


# --- customers and people


async def test_an_app_that_may_not_call_customer_contact_is_told(stage: Stage) -> None:
    stage.simulator.world.console.contact_calls = False

    found = await examined(stage)

    assert found.failures == {"contact": "not_callable"}
    assert found.skipped == {"sellers", "tags", "events"}


async def test_an_approver_named_in_the_file_whom_the_app_cannot_see_is_told(stage: Stage) -> None:
    stage.simulator.world.set_visible("liqiang", False)

    found = await examined(stage)

    assert found.code("named") == (Level.FAILURE, "unseen")
    assert found.of("named").params == {"names": ("liqiang",)}


async def test_who_is_only_told_things_and_cannot_be_seen_is_a_warning(opens: Opens) -> None:
    stage = await opens(('to = ["role:admin"]', 'to = ["role:admin", "user:nobody"]'))
    assert (await examined(stage)).code("named") == (Level.WARNING, "unseen_others")


async def test_an_app_that_sees_nobody_is_told(stage: Stage) -> None:
    for member in list(stage.simulator.world.state.members.values()):
        stage.simulator.world.set_visible(member.userid, False)

    assert (await examined(stage)).code("visible") == (Level.FAILURE, "nobody")


async def test_a_seller_outside_the_range_of_customer_contact_is_told(stage: Stage) -> None:
    stage.simulator.world.set_customer_contact("sunlei", False)
    stage.simulator.world.set_customer_contact("pool", False)

    found = await examined(stage)

    assert found.code("sellers") == (Level.WARNING, "outside")
    assert found.of("sellers").params == {"count": 1, "names": ("孙磊",)}


async def test_who_may_have_customers_but_has_no_role_is_told(stage: Stage) -> None:
    found = await examined(stage)
    assert found.code("sellers") == (Level.WARNING, "refused_always")
    assert found.of("sellers").params == {"count": 1, "names": ("客户公海",)}


async def test_a_company_in_which_nobody_may_have_customers_is_told(stage: Stage) -> None:
    for member in list(stage.simulator.world.state.members.values()):
        stage.simulator.world.set_customer_contact(member.userid, False)

    assert (await examined(stage)).code("sellers") == (Level.FAILURE, "nobody")


async def test_a_tag_that_rules_name_and_wecom_lacks_is_told(opens: Opens) -> None:
    stage = await opens(('["战略客户", "VIP"]', '["战略客户", "VIIP"]'))

    found = await examined(stage)

    assert found.code("tags") == (Level.WARNING, "unknown")
    assert found.of("tags").params == {"names": ("VIIP",)}


async def test_a_refusal_nobody_expects_is_told_with_its_number(stage: Stage) -> None:
    await stage.knows_the_customers()
    stage.simulator.faults.fail("externalcontact/get_corp_tag_list", 48006)
    found = await examined(stage)
    assert found.code("tags") == (Level.FAILURE, "refused")
    assert found.of("tags").params["number"] == 48006


# --- the menu


async def test_a_missing_menu_and_one_without_our_entries_are_told(stage: Stage) -> None:
    assert (await examined(stage)).code("menu") == (Level.WARNING, "none")

    await set_menu(stage, "mine", "help")
    found = await examined(stage)

    assert found.code("menu") == (Level.WARNING, "other")
    assert found.of("menu").params == {"missing": ("todo",)}


# --- the door


@asynccontextmanager
async def a_server(
    answer: web.Response, tls: ssl.SSLContext | None = None, door_of: Stage | None = None
) -> AsyncIterator[str]:
    """Give the address of a server that is not Menwei, or passes on what Menwei says."""

    async def handle(request: web.Request) -> web.Response:
        if door_of is None:
            return web.Response(status=answer.status, body=answer.body)
        async with door_of.http.get(f"{door_of.address}{request.path_qs}") as inner:
            return web.Response(status=inner.status, body=await inner.read())

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_without_a_public_address_the_door_cannot_be_looked_at(stage: Stage) -> None:
    assert (await examined(stage, settings_of(stage, url=""))).code("door") == (
        Level.WARNING,
        "no_url",
    )


async def test_an_address_where_nothing_answers_is_told(stage: Stage) -> None:
    found = await examined(stage, settings_of(stage, url="http://127.0.0.1:9"))
    assert found.code("door") == (Level.FAILURE, "unreachable")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (web.Response(status=404), "status"),
        (web.Response(status=301), "status"),
        (web.Response(status=502), "status"),
        (web.Response(text="Welcome to nginx!"), "no_echo"),
    ],
)
async def test_an_address_that_leads_to_another_program_is_told(
    stage: Stage, answer: web.Response, code: str
) -> None:
    async with a_server(answer) as url:
        found = await examined(stage, settings_of(stage, url=url))
    assert found.code("door") == (Level.FAILURE, code)


async def test_another_token_than_the_running_program_has_is_told(stage: Stage) -> None:
    found = await examined(stage, settings_of(stage, token=SecretStr("other")))
    assert found.code("door") == (Level.FAILURE, "other_keys")


async def test_another_key_than_the_running_program_has_is_told(stage: Stage) -> None:
    found = await examined(stage, settings_of(stage, encoding_aes_key=SecretStr(OTHER_KEY)))
    assert found.code("door") == (Level.FAILURE, "not_opened")


async def test_a_door_that_is_slower_than_wecom_waits_is_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "_WITHIN", 0.0)
    assert (await examined(stage)).code("door") == (Level.WARNING, "slow")


def a_certificate(folder: Path, days: int) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what a server shows, and what a client needs to trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=days, hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "server.pem").write_bytes(private + pem)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(folder / "server.pem")
    return server, ssl.create_default_context(cadata=pem.decode())


async def test_a_certificate_that_nobody_trusts_is_told(stage: Stage, tmp_path: Path) -> None:
    server, _ = a_certificate(tmp_path, days=90)
    async with a_server(web.Response(), server) as url:
        found = await examined(stage, settings_of(stage, url=url))

    assert found.code("door") == (Level.FAILURE, "certificate")
    assert "self-signed" in str(found.of("door").params["why"])


async def test_a_certificate_that_ends_soon_is_told(stage: Stage, tmp_path: Path) -> None:
    for days, expected in ((5, (Level.WARNING, "certificate_ends")), (90, (Level.OK, "ok"))):
        server, trust = a_certificate(tmp_path, days)
        async with a_server(web.Response(), server, stage) as url:
            found = await examined(stage, settings_of(stage, url=url), tls=trust)
        assert found.code("door") == expected


# --- what arrives


async def test_adds_that_wecom_does_not_tell_of_are_told(stage: Stage) -> None:
    await stage.knows_the_customers()
    stage.simulator.world.console.contact_events = False
    stage.clock.move(minutes=1)
    stage.simulator.world.member_adds_customer("sunlei", ZHANG_WEI)
    stage.clock.move(minutes=20)

    found = await examined(stage)
    assert found.code("events") == (Level.FAILURE, "nothing_arrives")
    assert found.of("events").params == {"count": 1}

    await stage.say("sunlei", "帮助")
    await stage.quiet()
    assert (await examined(stage)).code("events") == (Level.FAILURE, "switched_off")


async def test_an_add_that_was_told_is_fine_and_one_that_got_lost_is_not(stage: Stage) -> None:
    stage.clock.move(minutes=1)
    stage.simulator.world.member_adds_customer("sunlei", ZHANG_WEI)
    await stage.quiet()
    stage.clock.move(minutes=20)
    assert (await examined(stage)).code("events") == (Level.OK, "ok")

    stage.simulator.faults.drop_callbacks()
    stage.simulator.world.member_adds_customer("sunlei", MA_CHAO)
    stage.clock.move(minutes=20)

    found = await examined(stage)
    assert found.code("events") == (Level.WARNING, "some_missing")
    assert found.of("events").params == {"count": 1}


async def test_customers_of_before_and_of_this_very_moment_are_not_missed(stage: Stage) -> None:
    assert stage.simulator.world.relation("liqiang", LIU_JIANGUO) is not None
    stage.simulator.world.console.contact_events = False
    stage.clock.move(minutes=1)
    stage.simulator.world.member_adds_customer("sunlei", ZHANG_WEI)

    assert (await examined(stage)).code("events") == (Level.OK, "nothing_yet")


async def test_a_directory_callback_is_optional_and_looked_at_where_there_is_one(
    opens: Opens,
) -> None:
    stage = await opens((DEMO_DIRECTORY, ""))
    assert (await examined(stage)).code("directory") == (Level.OK, "off")

    section = f'[wecom.directory]\ntoken = "directory"\nencoding_aes_key = "{OTHER_KEY}"\n\n'
    await stage.stop()
    await stage.start(("[storage]", f"{section}[storage]"))
    stage.simulator.listen_directory(f"{stage.address}/wecom/directory", "directory", OTHER_KEY)
    assert (await examined(stage)).code("directory") == (Level.WARNING, "nothing_arrived")

    stage.simulator.world.move_member("sunlei", 3)
    await stage.quiet()
    assert (await examined(stage)).code("directory") == (Level.OK, "ok")

    other = Callback(token=SecretStr("mistyped"), encoding_aes_key=SecretStr(OTHER_KEY))
    found = await examined(stage, settings_of(stage, directory=other))
    assert found.code("directory") == (Level.FAILURE, "other_keys")


# --- clocks, database, sources


@pytest.mark.parametrize(
    ("ahead", "level", "code"),
    [
        (timedelta(seconds=3), Level.OK, "ok"),
        (timedelta(minutes=2), Level.WARNING, "wecom_behind"),
        (timedelta(minutes=-2), Level.WARNING, "wecom_ahead"),
        (timedelta(minutes=20), Level.FAILURE, "wecom_behind"),
    ],
)
async def test_a_clock_that_differs_from_wecoms_is_told(
    stage: Stage, ahead: timedelta, level: Level, code: str
) -> None:
    found = await examined(stage, now=lambda: stage.clock.now() + ahead)
    assert found.code("clock") == (level, code)


async def test_a_clock_that_differs_from_the_databases_is_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def an_hour(_: object) -> timedelta:
        return timedelta(hours=1)

    monkeypatch.setattr("storage.database.Database.clock_ahead", an_hour)
    found = await examined(stage)
    assert found.code("clock") == (Level.FAILURE, "database_ahead")
    assert found.of("clock").params == {"seconds": 3600}


async def test_before_the_first_start_what_needs_no_record_is_examined(
    stage: Stage, tmp_path: Path
) -> None:
    nowhere = settings_of(stage).storage.model_copy(
        update={"url": SecretStr(f"sqlite:///{tmp_path / 'none.db'}")}
    )
    found = await examined(stage, replace(settings_of(stage), storage=nowhere))

    assert found.code("database") == (Level.WARNING, "missing")
    assert found.code("sellers") == (Level.WARNING, "refused_always")
    assert found.of("door").level is Level.OK
    assert not (tmp_path / "none.db").exists()


async def test_a_database_that_cannot_be_reached_is_told_and_the_rest_still_examined(
    stage: Stage,
) -> None:
    away = SecretStr("postgresql://menwei:do-not-print-me@127.0.0.1:9/menwei")
    other = stage.settings.storage.model_copy(update={"url": away})

    found = await examined(stage, replace(settings_of(stage), storage=other))

    assert found.code("database") == (Level.FAILURE, "unavailable")
    assert found.code("sellers") == (Level.FAILURE, "database_away")
    assert "events" in found.skipped
    assert found.of("door").level is Level.OK
    assert not any("do-not-print-me" in str(each.params) for each in found.found)


async def test_a_database_without_our_tables_is_told(stage: Stage, tmp_path: Path) -> None:
    empty = tmp_path / "empty.db"
    empty.touch()
    other = stage.settings.storage.model_copy(update={"url": SecretStr(f"sqlite:///{empty}")})
    found = await examined(stage, replace(settings_of(stage), storage=other))
    assert found.of("database").level is Level.FAILURE


async def test_a_source_that_is_missing_and_a_column_that_nothing_fills_are_told(
    opens: Opens, tmp_path: Path
) -> None:
    declared = '[attributes]\n"customer.x.deal" = { type = "int" }\n'
    source = (
        f'[sources.crm]\ntype = "csv"\npath = "{tmp_path / "crm.csv"}"\nkey = "phone"\n'
        'columns = { "customer.x.deal" = "amount" }\n'
    )
    stage = await opens(("[defaults]\n", f"{declared}{source}[defaults]\n"))

    found = await examined(stage)
    assert found.code("sources") == (Level.FAILURE, "troubled")

    unfilled = replace(settings_of(stage), sources={})
    assert (await examined(stage, unfilled)).code("sources") == (Level.WARNING, "unfilled")


# --- the command line


async def run(stage: Stage, *words: str) -> tuple[int, str]:
    """Run the command on the stage's own file, with the address it really has."""
    file = stage.folder / "config.toml"
    text = file.read_text("utf-8")
    line = next(each for each in text.splitlines() if each.startswith("public_url"))
    file.write_text(text.replace(line, f'public_url = "{stage.address}"'), "utf-8")
    asked = ["doctor", "--config", str(file), *words]
    done = await asyncio.to_thread(CliRunner().invoke, cli, asked)
    return done.exit_code, done.output


async def test_the_command_says_what_is_fine_and_where_to_mend_the_rest(stage: Stage) -> None:
    code, said = await run(stage)

    assert code == 0
    assert "✓ 应用的 Secret：正常" in said
    assert "! 聊天菜单：还没有菜单\n  → 运行 menwei doctor --menu" in said

    stage.simulator.world.console.contact_calls = False
    code, said = await run(stage)
    assert code == 1
    assert "✗ 客户联系接口：这个应用还不能调用客户联系的接口（48002）" in said
    assert "  → 客户联系 → 可调用接口的应用，勾选您的应用" in said
    assert "- 客户标签：先解决“客户联系接口”，才能检查这一项" in said


async def test_the_command_sets_the_menu_that_the_bot_understands(stage: Stage) -> None:
    code, said = await run(stage, "--menu")
    assert code == 0
    assert "✓ 聊天菜单：正常" in said

    stage.simulator.world.member_clicks_menu("sunlei", "mine")
    await stage.hears("sunlei", "您还没有申请")


async def test_a_menu_that_cannot_be_set_is_told(stage: Stage) -> None:
    stage.simulator.faults.fail("menu/create", 60011)
    _, said = await run(stage, "--menu")
    assert "菜单没有设置成功：60011" in said
    assert "! 聊天菜单：还没有菜单" in said


async def test_the_command_prints_json_and_never_a_secret(stage: Stage) -> None:
    stage.simulator.world.console.trusted_ip = False

    code, said = await run(stage, "--json")

    # Menwei runs in this very process, and its log of calls that are refused is here as well.
    found, _ = json.JSONDecoder().raw_decode(said[said.index("{\n") :])
    assert (code, found["ok"]) == (1, False)
    by_check = {each["check"]: each for each in found["checks"]}
    assert by_check["trusted_ip"]["code"] == "not_trusted"
    assert "企业可信IP" in by_check["trusted_ip"]["fix"]
    wecom = stage.settings.wecom
    for secret in (wecom.secret, wecom.token, wecom.encoding_aes_key):
        assert secret.get_secret_value() not in said


def test_every_entry_of_the_menu_has_a_button_that_wecom_takes() -> None:
    for voice in (ZH, EN):
        buttons = speaking.buttons(voice)
        assert 1 <= len(buttons) <= 3
        assert all(len(name.encode()) <= 16 for name, _ in buttons)
