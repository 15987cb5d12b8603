"""A file of customers, sent in chat: approved, masked, traceable, and kept nowhere."""

from __future__ import annotations

import csv
import hashlib
import io
from typing import Any

from bot.simulator.records import Customer
from bot.simulator.seed import LIN_XUE, MA_CHAO, ZHANG_WEI
from tests.makers_demo import ENGLISH, permission, rule
from tests.scenario.conftest import Opens, Stage
from workflows.model import State

BY_LEAD = permission("customer.export", "approval = 2")
NO_VIP_FILES = rule(
    'id = "no-vip-files"\naction = ["customer.export"]\n'
    'when.customer.tier = ["vip"]\nthen = "deny"\nsay = "VIP 客户不导出。"'
)


async def befriended(stage: Stage, userid: str, external: str, **edits: Any) -> None:
    world = stage.simulator.world
    world.member_adds_customer(userid, external)
    await stage.quiet()
    if edits:
        world.member_edits(userid, external, **edits)
        await stage.quiet()


async def file(stage: Stage, userid: str) -> tuple[str, bytes]:
    """Wait for a file on a member's phone, and open it as the page does."""

    async def look() -> list[dict[str, Any]]:
        chat = (await stage.state())["chats"].get(userid, [])
        return [each["file"] for each in chat if each["kind"] == "file"]

    found = (await stage.until(look, lambda files: files, f"{userid} gets a file"))[-1]
    async with stage.http.get(f"{stage.simulator.base_url}{found['url']}") as answer:
        assert answer.status == 200
        assert "attachment" in answer.headers["Content-Disposition"]
        content = await answer.read()
    assert found["size"] == len(content)
    return str(found["name"]), content


def rows(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


async def approved(stage: Stage, said: str, who: str = "sunlei") -> tuple[str, bytes]:
    """Let a member ask for an export and their supervisor agree; return the file."""
    await stage.say(who, said)
    boss = "wangfang" if who != "wangfang" else "liqiang"
    await stage.press(boss, await stage.card(boss, "导出"), "approve")
    await stage.nobody_regrets(who)
    return await file(stage, who)


async def test_ones_own_customers_come_in_full_with_watermark_and_hash(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI, mobiles=["13800001234"], tags=["etDemoTag02"])
    await befriended(stage, "sunlei", LIN_XUE)

    name, content = await approved(stage, "导出客户")

    request = await stage.newest("sunlei")
    assert name == f"customers-{request.id}.csv"
    first, head, *body, last = rows(content)
    assert head == [
        "姓名",
        "公司",
        "等级",
        "分组",
        "标签",
        "跟进人",
        "添加时间",
        "电话",
        "导出编号",
    ]
    by_name = {row[0]: row for row in body}
    assert set(by_name) == {"张伟", "林雪"}
    assert by_name["张伟"][2] == "VIP 客户"
    assert by_name["张伟"][4:6] == ["VIP", "孙磊"]
    assert by_name["张伟"][7:] == ["13800001234", request.id]
    for mark in (first, last):
        assert len(mark) == 1
        assert mark[0].startswith(f"# 门卫导出 {request.id} · 孙磊（sunlei）")
        assert "2 位客户" in mark[0]
    told = await stage.hears("sunlei", f"查 {request.id}")
    (built,) = await stage.records(request.id, "export.built")
    (sent,) = await stage.records(request.id, "export.sent")
    sha256 = hashlib.sha256(content).hexdigest()
    assert built.detail["sha256"] == sent.detail["sha256"] == sha256
    assert (built.detail["rows"], built.detail["bytes"]) == (2, len(content))
    assert built.seq < sent.seq
    assert sha256[:12] in told["text"]
    assert (await stage.request(request.id)).state is State.EXECUTED


async def test_colleagues_customers_are_masked_where_nobody_may_see_all(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI, mobiles=["13800001234"])
    await befriended(stage, "wangfang", LIN_XUE, mobiles=["13900005678"])

    card_text, content = "", b""
    await stage.say("wangfang", "导出客户 团队")
    card = await stage.card("liqiang", "导出")
    card_text = str(card["card"]["horizontal_content_list"])
    assert "同事的客户会打码" in card_text
    await stage.press("liqiang", card, "approve")
    await stage.nobody_regrets("wangfang")
    _, content = await file(stage, "wangfang")

    body = rows(content)[2:-1]
    assert [[row[0], row[5], row[7]] for row in body] == [["张*", "孙磊", "138****1234"]]
    assert b"13800001234" not in content
    assert "张伟".encode() not in content


async def test_a_level_that_may_export_without_asking_sees_all(opens: Opens) -> None:
    stage = await opens(permission("customer.export", "allow = 5, approval = 2"))
    await stage.knows_the_customers()  # of whom one was there before Menwei
    await befriended(stage, "sunlei", ZHANG_WEI, mobiles=["13800001234"])
    await befriended(stage, "wangfang", LIN_XUE)

    await stage.say("zhaomin", "导出客户 全部")

    _, content = await file(stage, "zhaomin")
    body = rows(content)[2:-1]
    found = sorted([row[0], row[7]] for row in body)
    assert found == [["刘建国", ""], ["张伟", "13800001234"], ["林雪", ""]]


async def test_only_a_tier_or_a_group_is_exported_and_others_are_not(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI, tags=["etDemoTag02"])
    await befriended(stage, "sunlei", LIN_XUE, tags=["etDemoTag04"])

    _, content = await approved(stage, "导出客户 VIP")
    assert [row[0] for row in rows(content)[2:-1]] == ["张伟"]

    stage.clock.move(seconds=5)
    await stage.say("sunlei", "导出客户 已签约客户")
    card = await stage.card("wangfang", "已签约客户")
    await stage.press("wangfang", card, "approve")
    await stage.nobody_regrets("sunlei")
    request = await stage.newest("sunlei")
    await stage.hears("sunlei", f"（{request.id}），三天内")
    _, content = await file(stage, "sunlei")
    assert [row[0] for row in rows(content)[2:-1]] == ["林雪"]


async def test_names_that_would_be_formulas_are_text_in_the_file(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    evil = '=HYPERLINK("http://evil.example";"点我")'
    stage.simulator.world.create_customer(Customer("woEvil", evil, 2, "+cmd|' /C calc'!A0"))
    await befriended(stage, "sunlei", "woEvil", mobiles=["+4420790000"])

    _, content = await approved(stage, "导出客户")

    (row,) = rows(content)[2:-1]
    assert row[0] == f"'{evil}"
    assert row[1] == "'+cmd|' /C calc'!A0"
    assert row[7] == "'+4420790000"
    for line in rows(content):
        assert all(not cell.startswith(("=", "+", "-", "@")) for cell in line)


async def test_whoever_has_no_permission_gets_no_file_and_nobody_is_asked(opens: Opens) -> None:
    stage = await opens(permission("customer.export", "approval = 5"))
    await befriended(stage, "sunlei", ZHANG_WEI)

    await stage.say("sunlei", "导出客户")

    await stage.hears("sunlei", "不能导出：孙磊 的客户")
    await stage.quiet()
    assert stage.simulator.called("media/upload") == []
    assert stage.chat("wangfang") == []


async def test_a_rule_about_some_customers_counts_for_the_whole_export(opens: Opens) -> None:
    stage = await opens(BY_LEAD, NO_VIP_FILES)
    await befriended(stage, "sunlei", ZHANG_WEI, tags=["etDemoTag02"])
    await befriended(stage, "sunlei", LIN_XUE)

    await stage.say("sunlei", "导出客户")

    await stage.hears("sunlei", "张伟：VIP 客户不导出。")
    assert (await stage.newest("sunlei")).state is State.DENIED


async def test_a_refusal_does_not_name_colleagues_customers(opens: Opens) -> None:
    stage = await opens(BY_LEAD, NO_VIP_FILES)
    await befriended(stage, "sunlei", ZHANG_WEI, tags=["etDemoTag02"])
    await befriended(stage, "sunlei", LIN_XUE)

    await stage.say("wangfang", "导出客户 团队")

    told = await stage.hears("wangfang", "VIP 客户不导出。")
    assert "张*：" in told["text"]
    assert "张伟" not in told["text"]


async def test_who_came_after_the_request_is_not_in_the_file(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI)
    await stage.say("sunlei", "导出客户")
    card = await stage.card("wangfang", "导出")
    stage.clock.move(minutes=5)
    await befriended(stage, "sunlei", MA_CHAO)

    await stage.press("wangfang", card, "approve")
    await stage.nobody_regrets("sunlei")

    _, content = await file(stage, "sunlei")
    assert [row[0] for row in rows(content)[2:-1]] == ["张伟"]


async def test_scopes_and_what_cannot_be_exported(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI)

    for who, said, answer in (
        ("sunlei", "导出客户 团队", "您没有下属"),
        ("sunlei", "导出客户 李强", "您无权查看"),
        ("sunlei", "导出客户 VVIP", "没有“VVIP”这个等级、分组或成员"),
        ("sunlei", "导出客户 VIP", "没有符合条件的客户"),
        ("sunlei", "export customers team", "You lead nobody"),
        ("sunlei", "导出", "已提交"),
    ):
        await stage.say(who, said)
        await stage.hears(who, answer)
    await stage.say("wangfang", "导出客户 孙磊")
    await stage.card("liqiang", "孙磊 的客户")


async def test_the_same_export_asked_twice_is_one_request(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI)
    await stage.say("sunlei", "导出客户")
    first = await stage.hears("sunlei", "已提交")
    await stage.say("sunlei", "导出客户 我的")
    await stage.hears("sunlei", "已有申请")

    assert (await stage.newest("sunlei")).id in first["text"]


async def test_an_upload_that_fails_is_tried_again_and_the_file_comes(opens: Opens) -> None:
    stage = await opens(ENGLISH, BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI)
    stage.simulator.faults.fail("media/upload", -1)
    await stage.say("sunlei", "export customers")
    await stage.press("wangfang", await stage.card("wangfang", "asks to export"), "approve")
    await stage.nobody_regrets("sunlei")

    async def tries() -> int:
        return len(stage.simulator.called("media/upload"))

    await stage.until(tries, lambda count: count, "the first try")
    stage.clock.move(seconds=5)

    _, content = await file(stage, "sunlei")

    first, head, body, _ = rows(content)
    assert first[0].startswith("# Menwei export")
    assert head[0] == "name"
    assert body[0] == "张伟"
    built = await stage.records((await stage.newest("sunlei")).id, "export.built")
    assert len(built) == 2
    assert len({each.detail["sha256"] for each in built}) == 1  # the very same file


async def test_a_file_that_cannot_be_sent_is_said_to_have_failed(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI)
    stage.simulator.faults.fail("media/upload", 40004)
    await stage.say("sunlei", "导出客户")
    await stage.press("wangfang", await stage.card("wangfang", "导出"), "approve")
    await stage.nobody_regrets("sunlei")

    await stage.hears("sunlei", "执行失败")

    request = await stage.newest("sunlei")
    assert request.state is State.EXECUTION_FAILED
    await stage.quiet()  # the card that was pressed has changed
    await stage.say("sunlei", f"重提 {request.id}")
    await stage.press("wangfang", await stage.card("wangfang", "导出"), "approve")
    await stage.nobody_regrets("sunlei")
    await file(stage, "sunlei")


async def test_nothing_of_the_file_is_kept(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI, mobiles=["13800001234"])
    _, content = await approved(stage, "导出客户")
    await stage.quiet()

    request = await stage.newest("sunlei")
    header = "姓名,公司,等级".encode()
    assert header in content
    for path in stage.folder.rglob("*"):
        assert not path.is_file() or header not in path.read_bytes(), path
    assert not any("13800001234" in str(r.detail) for r in await stage.records(request.id))
