"""Menwei stops and starts again on the same database, with the same rules or with others."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

from typer.testing import CliRunner

from bot.cli import cli
from bot.simulator.seed import HE_CHEN, LIN_XUE, MA_CHAO, ZHANG_WEI
from tests.scenario.conftest import Change, Opens, Stage
from workflows.model import State

ASK = "加 张伟 明达贸易 13800001234 展会认识"
ONE_STAGE = 'stages = [{ from = ["manager_of_sender"], need = 1 }]\n'
BY_DIRECTOR = '[chains.director]\nstages = [{ from = ["role:director"], need = 1 }]\n'
DIRECTOR_DECIDES: tuple[Change, ...] = (
    (f"{ONE_STAGE}[chains.lead_then", f"{ONE_STAGE}{BY_DIRECTOR}[chains.lead_then"),
    ('chain = "lead"', 'chain = "director"'),
    ('strictness     = ["lead",', 'strictness     = ["lead", "director",'),
)
ALONE: Change = ('"config.change" = { approval = 5 }', '"config.change" = { allow = 5 }')


async def menwei(stage: Stage, *words: str) -> tuple[int, str]:
    """Run the command line beside the program, as an admin would."""

    def run() -> tuple[int, str]:
        result = CliRunner().invoke(cli, [*words, "--config", str(stage.folder / "config.toml")])
        return result.exit_code, result.output

    return await asyncio.to_thread(run)


async def again(stage: Stage, *changes: Change) -> None:
    """Restart; changed rules are in force when it returns, if nobody has to agree to them."""
    await stage.quiet()
    told = stage.times_told("zhaomin", "新规则已生效")
    await stage.stop()
    await stage.start(*changes)
    if changes:
        await stage.until(
            lambda: stage.heard("zhaomin"),
            lambda _: stage.times_told("zhaomin", "新规则已生效") > told,
            "the new rules are in force",
        )


async def test_what_was_pending_is_decided_after_a_restart(stage: Stage) -> None:
    await stage.say("zhouxiaomei", ASK)
    card = await stage.card("wangfang", "张伟")
    request = await stage.newest("zhouxiaomei")

    await again(stage)
    await stage.press("wangfang", card, "approve")

    await stage.hears("zhouxiaomei", f"申请 {request.id}（张伟）已由 王芳 同意")
    await stage.hears("wangfang", "已同意", kind="card")
    await stage.hears("zhouxiaomei", "通行码", kind="news")
    await stage.quiet()
    assert [m.kind for m in stage.chat("wangfang")] == ["card", "text"]


async def test_an_open_ticket_is_used_after_a_restart(stage: Stage) -> None:
    await stage.say("sunlei", ASK)
    await stage.hears("sunlei", "通行码", kind="news")

    await again(stage)
    stage.simulator.world.customer_scans(ZHANG_WEI, next(iter(stage.simulator.world.state.ways)))

    await stage.hears("sunlei", "一切正常")
    await stage.until(stage.state, lambda s: not s["contact_ways"], "the ticket is deleted")


async def test_timers_that_came_due_while_it_was_off_are_caught_up(stage: Stage) -> None:
    await stage.say("zhouxiaomei", ASK)
    await stage.card("wangfang")
    await stage.say("sunlei", "加 林雪 13900005678 展会认识")
    await stage.hears("sunlei", "通行码", kind="news")
    await stage.quiet()
    await stage.stop()

    stage.clock.move(hours=80)
    await stage.start()

    await stage.hears("zhouxiaomei", "按拒绝处理")
    await stage.hears("sunlei", "未使用，现已过期")
    await stage.until(stage.state, lambda s: not s["contact_ways"], "the ticket is deleted")


async def test_it_starts_while_wecom_is_down_and_knows_the_company_from_before(
    stage: Stage,
) -> None:
    await stage.say("zhouxiaomei", ASK)
    card = await stage.card("wangfang")
    await stage.quiet()
    await stage.stop()
    stage.simulator.faults.http_500("department/simplelist", 3)
    stage.simulator.faults.http_500("message/send", 1)
    await stage.start()

    await stage.press("wangfang", card, "approve")

    await stage.hears("zhouxiaomei", "通行码", kind="news")


async def test_an_unfinished_ask_is_still_remembered(stage: Stage) -> None:
    await stage.say("sunlei", "加 张伟 13800001234")
    await stage.hears("sunlei", "还差一点")

    await again(stage)
    await stage.say("sunlei", "展会认识")

    await stage.hears("sunlei", "可以添加 张伟")


async def test_a_restart_alone_tells_nobody_anything(stage: Stage) -> None:
    await stage.hears("zhaomin", "门卫已启用")
    await again(stage)
    await asyncio.sleep(1.5)
    await stage.quiet()

    assert [len(stage.chat(who)) for who in ("zhaomin", "chenyu", "sunlei")] == [1, 1, 0]


async def test_new_rules_are_told_in_people_and_actions(stage: Stage) -> None:
    await stage.hears("zhaomin", "门卫已启用")

    await again(stage, ("allow = 2, approval = 1", "allow = 3, approval = 2"))

    for admin in ("zhaomin", "chenyu"):
        await stage.hears(admin, "新规则已生效")
        told = await stage.hears(admin, "权限有变化（规则文件）")
        assert "－ 孙磊：添加客户，允许 → 需审批" in told["text"]
        assert "－ 周小美：添加客户，需审批 → 不允许" in told["text"]
    assert stage.times_told("sunlei", "权限有变化") == 0


async def test_stricter_rules_make_what_waits_stale_and_looser_ones_approve_nothing(
    opens: Opens,
) -> None:
    stage = await opens(ALONE)
    await stage.say("zhouxiaomei", ASK)
    await stage.card("wangfang", "张伟")
    request = await stage.newest("zhouxiaomei")

    await again(stage, ("allow = 2, approval = 1", "allow = 1, approval = 1"))
    await stage.hears("zhaomin", "新规则已生效")
    await stage.quiet()
    assert (await stage.request(request.id)).state is State.PENDING

    await again(stage, ("allow = 1, approval = 1", "allow = 4, approval = 3"))
    await stage.hears("zhouxiaomei", f"规则已变严，申请 {request.id}", kind="card")
    await stage.hears("wangfang", "需重提", kind="card")
    assert (await stage.request(request.id)).state is State.STALE
    await stage.say("zhouxiaomei", f"重提 {request.id}")
    await stage.hears("zhouxiaomei", "不能添加 张伟")


async def test_an_observed_add_that_waits_is_judged_again_by_stricter_rules(stage: Stage) -> None:
    stage.simulator.world.member_adds_customer("zhouxiaomei", MA_CHAO)
    await stage.card("wangfang", "马超")
    first = await stage.newest("zhouxiaomei")

    await again(stage, ("allow = 2, approval = 1", "allow = 4, approval = 3"))

    await stage.until(
        lambda: stage.relation("zhouxiaomei", MA_CHAO),
        lambda relation: relation["tags"] == ["违规添加"],
        "the relation is denied by the new rules",
    )
    assert (await stage.request(first.id)).state is State.STALE
    assert (await stage.newest("zhouxiaomei")).state is State.DENIED


async def test_an_open_ticket_is_no_pass_through_stricter_rules(stage: Stage) -> None:
    await stage.say("sunlei", "加 林雪 13900005678 展会认识")
    await stage.hears("sunlei", "通行码", kind="news")

    await again(stage, ("allow = 2, approval = 1", "allow = 3, approval = 1"))
    stage.simulator.world.customer_scans(LIN_XUE, next(iter(stage.simulator.world.state.ways)))

    await stage.hears("sunlei", "您添加的 林雪 需要审批")
    await stage.card("wangfang", "林雪")


async def test_a_role_given_to_somebody_else_moves_what_waits_for_it(opens: Opens) -> None:
    stage = await opens(ALONE)
    await again(stage, *DIRECTOR_DECIDES)
    await stage.say("zhouxiaomei", ASK)
    await stage.card("liqiang", "张伟")
    request = await stage.newest("zhouxiaomei")

    await again(stage, ('members = ["user:liqiang"]', 'members = ["user:wangfang"]'))

    await stage.press("wangfang", await stage.card("wangfang", "张伟"), "approve")
    await stage.hears("zhouxiaomei", f"申请 {request.id}（张伟）已由 王芳 同意")
    await stage.hears("liqiang", "无需您审批", kind="card")


async def test_the_command_line_tells_the_story_and_vouches_for_the_record(stage: Stage) -> None:
    await stage.say("zhouxiaomei", ASK)
    await stage.press("wangfang", await stage.card("wangfang"), "approve")
    await stage.hears("zhouxiaomei", "通行码", kind="news")
    request = await stage.newest("zhouxiaomei")
    await again(stage)
    stage.simulator.world.member_adds_customer("sunlei", HE_CHEN)
    await stage.hears("sunlei", "请在")
    await stage.quiet()

    code, story = await menwei(stage, "trace", request.id)
    assert code == 0
    steps = ("request.opened", "request.vote_approve", "ticket.ordered", "ticket.issued")
    assert [story.index(step) for step in steps] == sorted(story.index(step) for step in steps)
    assert "user:wangfang" in story
    assert "13800001234" not in story

    code, story = await menwei(stage, "trace", "何晨")
    assert code == 0
    assert "remedy.opened" in story
    assert (await menwei(stage, "trace", "ZZZ9"))[0] == 1

    code, said = await menwei(stage, "audit", "verify")
    assert (code, "留痕完整" in said) == (0, True)


async def test_the_command_line_notices_a_record_that_was_touched(stage: Stage) -> None:
    await stage.say("sunlei", ASK)
    await stage.hears("sunlei", "通行码", kind="news")
    await stage.quiet()
    await stage.stop()

    url = stage.settings.storage.url.get_secret_value()
    await asyncio.to_thread(_forge, url.removeprefix("sqlite:///"))

    code, said = await menwei(stage, "audit", "verify")
    assert code == 1
    assert "被动过" in said


def _forge(file: str) -> None:
    """Change a word of the record, as somebody with the file in hand could."""
    with closing(sqlite3.connect(file)) as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE audit SET actor = 'user:nobody' WHERE seq = 3")
        database.commit()
