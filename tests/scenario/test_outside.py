"""Facts from the company's own CRM: an add is judged by them, and by a human without them."""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path

from typer.testing import CliRunner, Result

from bot.cli import cli
from tests.scenario.conftest import Change, Opens, Stage
from workflows.model import Outcome, Request, State
from workflows.outside import SourceState

ASK = "加 张伟 明达贸易 13800001234 展会认识"
VIP: Change = (
    '[[tier]]\nname = "vip"',
    '[[tier]]\nname = "big"\nwhen.customer.x.deal_amount.gte = 100_000\n\n[[tier]]\nname = "vip"',
)
RULE: Change = ('when.customer.tier = ["vip"]', 'when.customer.tier = ["vip", "big"]')


def crm(folder: Path, *rows: str, default: str = ", default = 0", more: str = "") -> Change:
    """Declare a column and the file that fills it, and write the file."""
    write(folder, *rows)
    declared = f"""
[attributes]
"customer.x.deal_amount" = {{ type = "int", title = "交易额"{default} }}

[sources.crm]
type = "csv"
path = "{folder / "crm.csv"}"
key = "phone"
key_column = "手机"
columns = {{ "customer.x.deal_amount" = "交易额" }}
{more}

[defaults]
"""
    return ("[defaults]\n", declared)


def write(folder: Path, *rows: str) -> None:
    new = folder / "crm.new"
    new.write_text("\n".join(["手机,交易额", *rows, ""]), "utf-8")
    new.replace(folder / "crm.csv")


async def is_read(stage: Stage, rows: int) -> SourceState:
    """Wait until the source has so many rows."""

    async def look() -> SourceState | None:
        return await stage.db.read(lambda tx: tx.sources.get("crm"))

    found: SourceState = await stage.until(
        look, lambda it: it and it.made_at and it.rows == rows and it, "the source is read"
    )
    return found


async def asked(stage: Stage, userid: str = "sunlei") -> Request:
    """Have a member ask for the same customer and return the request it became."""
    before = {
        each.id for each in await stage.db.read(lambda tx: tx.requests.by_requester(userid, 9))
    }
    await stage.say(userid, ASK)

    async def look() -> list[Request]:
        made = await stage.db.read(lambda tx: tx.requests.by_requester(userid, 9))
        return [each for each in made if each.id not in before]

    found: list[Request] = await stage.until(look, lambda it: it, f"{userid} has a new request")
    return found[0]


async def test_an_add_is_judged_by_the_deal_amount_of_the_crm(opens: Opens, tmp_path: Path) -> None:
    stage = await opens(crm(tmp_path, "138 0000 1234,250000", "13900005678,10"), VIP, RULE)
    await is_read(stage, 2)

    request = await asked(stage)

    assert request.facts["customer.x.deal_amount"] == 250_000
    assert (request.state, request.verdict.rules) == (State.PENDING, ("vip-by-junior",))
    assert request.verdict.chain == "lead_then_director"
    await stage.card("wangfang", "张伟")


async def test_a_refresh_changes_the_verdict(opens: Opens, tmp_path: Path) -> None:
    stage = await opens(crm(tmp_path, "13800001234,250000"), VIP, RULE)
    await is_read(stage, 1)
    first = await asked(stage)
    assert first.verdict.outcome is Outcome.APPROVAL
    await stage.say("sunlei", f"撤回 {first.id}")
    await stage.hears("sunlei", "已撤回")

    write(tmp_path, "13800001234,500", "13900005678,10")
    stage.clock.move(minutes=20)
    await is_read(stage, 2)

    assert (await asked(stage)).verdict.outcome is Outcome.ALLOW


async def test_who_is_not_in_the_source_has_the_default_and_without_one_a_human_decides(
    opens: Opens, tmp_path: Path
) -> None:
    stage = await opens(crm(tmp_path, "13700000000,250000", default=""), VIP, RULE)
    await is_read(stage, 1)

    unknown = await asked(stage)

    assert unknown.verdict.outcome is Outcome.APPROVAL
    assert unknown.verdict.missing == ("customer.x.deal_amount",)
    assert "customer.x.deal_amount" not in unknown.facts


async def test_the_default_is_known_from_a_fresh_source_only(opens: Opens, tmp_path: Path) -> None:
    stage = await opens(crm(tmp_path, "13700000000,250000"), VIP, RULE)
    await is_read(stage, 1)

    known = await asked(stage)

    assert known.verdict.outcome is Outcome.ALLOW
    assert known.facts["customer.x.deal_amount"] == 0


async def test_a_stale_source_leaves_it_to_a_human_and_the_admins_hear_of_it_once(
    opens: Opens, tmp_path: Path
) -> None:
    stage = await opens(crm(tmp_path, "13800001234,500"), VIP, RULE)
    await is_read(stage, 1)

    stage.clock.move(hours=25)
    await stage.hears("zhaomin", "stale_after")
    request = await asked(stage)
    stage.clock.move(minutes=20)
    await stage.quiet()

    assert request.verdict.outcome is Outcome.APPROVAL
    assert request.verdict.missing == ("customer.x.deal_amount",)
    assert stage.times_told("zhaomin", "数据源 crm") == 1

    write(tmp_path, "13800001234,500", "13900005678,10")
    after = (stage.clock.now()).timestamp()
    os.utime(tmp_path / "crm.csv", (after, after))
    stage.clock.move(minutes=20)
    await stage.hears("zhaomin", "已恢复正常")
    await stage.say("sunlei", f"撤回 {request.id}")
    await stage.hears("sunlei", "已撤回")
    assert (await asked(stage)).verdict.outcome is Outcome.ALLOW


async def test_a_source_that_is_missing_is_told_with_what_is_wrong_and_a_human_decides(
    opens: Opens, tmp_path: Path
) -> None:
    change = crm(tmp_path, "13800001234,500")
    (tmp_path / "crm.csv").unlink()
    stage = await opens(change, VIP, RULE)

    told = await stage.hears("zhaomin", "crm.csv")

    assert "还从未读成功过" in str(told)
    assert (await asked(stage)).verdict.missing == ("customer.x.deal_amount",)
    async with stage.http.get(f"{stage.address}/metrics") as figures:
        assert 'menwei_source_failed{source="crm"} 1.0' in await figures.text()


async def test_a_restart_with_another_declaration_reads_the_source_anew(
    opens: Opens, tmp_path: Path
) -> None:
    stage = await opens(crm(tmp_path, "13800001234,250000"), VIP, RULE)
    await is_read(stage, 1)
    await stage.stop()
    (tmp_path / "crm.csv").write_text("手机,金额\n13800001234,5\n13900005678,6\n", "utf-8")

    await stage.start(('"customer.x.deal_amount" = "交易额"', '"customer.x.deal_amount" = "金额"'))
    await is_read(stage, 2)

    assert (await asked(stage)).facts["customer.x.deal_amount"] == 5


async def test_a_source_that_is_taken_out_of_the_file_is_forgotten(
    opens: Opens, tmp_path: Path
) -> None:
    change = crm(tmp_path, "13800001234,250000")
    stage = await opens(change, VIP, RULE)
    await is_read(stage, 1)
    await stage.stop()

    section = re.search(r"\[sources\.crm\].*?(?=\[defaults\])", change[1], re.DOTALL)
    assert section is not None
    await stage.start((section[0], ""))

    assert await stage.db.read(lambda tx: tx.sources.all()) == []
    assert (await asked(stage)).verdict.missing == ("customer.x.deal_amount",)


# --- the command line


def menwei(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["sources", *words, "--config", str(folder / "config.toml")])


async def test_the_command_lists_rows_age_and_what_is_wrong(opens: Opens, tmp_path: Path) -> None:
    rows = ("13800001234,25万", "13900005678,10", "张伟,7")
    stage = await opens(crm(tmp_path, *rows), VIP, RULE)
    await is_read(stage, 2)

    listed = await asyncio.to_thread(menwei, tmp_path)
    as_json = await asyncio.to_thread(menwei, tmp_path, "--json")

    assert listed.exit_code == 1
    assert f"crm  {tmp_path / 'crm.csv'}" in listed.output
    assert "2 行，按 phone 查找" in listed.output
    assert "“交易额”一列有 1 处读不懂（第一处在第 2 行）" in listed.output
    (found,) = json.loads(as_json.output)["sources"]
    assert (found["rows"], found["fresh"], found["trouble"]) == (2, True, None)
    assert {each["column"]: each["first"] for each in found["doubts"]} == {"交易额": 2, "手机": 4}


async def test_the_command_reads_a_source_at_once(opens: Opens, tmp_path: Path) -> None:
    stage = await opens(crm(tmp_path, "13800001234,250000"), VIP, RULE)
    await is_read(stage, 1)
    write(tmp_path, "13800001234,500", "13900005678,10")

    done = await asyncio.to_thread(menwei, tmp_path, "refresh", "crm")

    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "crm：读到 2 行。")
    assert (await asked(stage)).verdict.outcome is Outcome.ALLOW


async def test_the_command_says_why_a_source_is_not_read_and_needs_an_order_to_lose_rows(
    opens: Opens, tmp_path: Path
) -> None:
    stage = await opens(crm(tmp_path, *(f"1380000{n:04},1" for n in range(9))), VIP, RULE)
    await is_read(stage, 9)
    write(tmp_path, "13800001234,1")

    refused = await asyncio.to_thread(menwei, tmp_path, "refresh", "crm")
    taken = await asyncio.to_thread(menwei, tmp_path, "refresh", "crm", "--fewer")
    nothing = await asyncio.to_thread(menwei, tmp_path, "refresh", "erp")

    assert refused.exit_code == 1
    assert "从 9 行变成了 1 行" in refused.output
    assert (taken.exit_code, taken.output.strip()) == (0, "crm：读到 1 行。")
    assert nothing.exit_code == 1
    assert "没有数据源“erp”，有的是：crm" in nothing.output
