"""The rules change while Menwei runs: by the file, by command, with one admin or two, and back."""

from __future__ import annotations

import asyncio

from typer.testing import CliRunner

from bot.cli import cli
from bot.simulator.seed import ACCOUNTS
from tests.scenario.conftest import Change, Opens, Stage, changed
from workflows.model import AuditRecord, Request, State

ASK = "加 张伟 明达贸易 13800001234 展会认识"
ALONE: Change = ('"config.change" = { approval = 5 }', '"config.change" = { allow = 5 }')
TABLE = "allow = 2, approval = 1"
LOOSER: Change = (TABLE, "allow = 1, approval = 1")
STRICTER: Change = (TABLE, "allow = 3, approval = 1")
BROKEN: Change = (TABLE, 'allow = "two", approval = 1')
NO_ADMINS: Change = ('members = ["user:zhaomin", "user:chenyu"]', 'members = ["user:nobody"]')


def edit(stage: Stage, *changes: Change) -> None:
    """Save the config file, as an admin's editor does: a new file in the place of the old one."""
    file = stage.folder / "config.toml"
    beside = stage.folder / "config.toml.new"
    beside.write_text(changed(file.read_text("utf-8"), changes), "utf-8")
    beside.replace(file)


def undo(change: Change) -> Change:
    return change[1], change[0]


async def menwei(stage: Stage, *words: str) -> tuple[int, str]:
    """Run the command line beside the program, as an admin would."""

    def run() -> tuple[int, str]:
        result = CliRunner().invoke(cli, [*words, "--config", str(stage.folder / "config.toml")])
        return result.exit_code, result.output

    return await asyncio.to_thread(run)


async def in_force(stage: Stage) -> str:
    return await stage.db.read(lambda tx: tx.policies.active_hash())


async def records(stage: Stage, kind: str) -> list[AuditRecord]:
    found = await stage.db.read(lambda tx: tx.audit.tail(200))
    return [each for each in found if each.kind == kind]


async def proposed(stage: Stage) -> Request:
    """Return the one change of rules that waits for approval."""
    [found] = await stage.db.read(lambda tx: tx.requests.pending_of("config.change"))
    return found


async def version_of(stage: Stage, *changes: Change) -> str:
    """Write a second config file beside the first and return its path."""
    file = stage.folder / "other.toml"
    text = changed((stage.folder / "config.toml").read_text("utf-8"), changes)
    await asyncio.to_thread(file.write_text, text, "utf-8")
    return str(file)


async def test_an_edit_that_tightens_is_in_force_at_once_and_told(stage: Stage) -> None:
    await stage.hears("zhaomin", "门卫已启用")
    before = await in_force(stage)

    edit(stage, STRICTER)

    for admin in ("zhaomin", "chenyu"):
        await stage.hears(admin, "新规则已生效")
        told = await stage.hears(admin, "权限有变化（规则文件）")
        assert "－ 孙磊：添加客户，允许 → 需审批" in told["text"]
    assert await in_force(stage) != before
    await stage.say("sunlei", ASK)
    await stage.card("wangfang", "张伟")


async def test_an_edit_that_widens_waits_for_two_admins_when_nobody_says_who_made_it(
    stage: Stage,
) -> None:
    before = await in_force(stage)
    await stage.say("zhouxiaomei", ASK)
    await stage.card("wangfang", "张伟")

    edit(stage, LOOSER)

    card = await stage.card("zhaomin", "规则文件改了")
    assert "近 30 天 1 项：1 放宽，0 收紧" in str(card)
    assert "总体：放宽" in str(card)
    assert "1 人的权限有变化" in str(card)
    await stage.press("zhaomin", card, "more")
    await stage.hears("zhaomin", "周小美：添加客户，需审批 → 允许")
    await stage.press("zhaomin", card, "approve")
    await stage.hears("zhaomin", "还在等待 陈宇")
    assert await in_force(stage) == before

    await stage.press("chenyu", await stage.card("chenyu", "规则文件改了"), "approve")

    await stage.hears("zhaomin", "新规则已生效")
    assert await in_force(stage) != before
    await stage.say("zhouxiaomei", "加 林雪 13900005678 展会认识")
    await stage.hears("zhouxiaomei", "可以添加 林雪")


async def test_an_admin_who_says_who_they_are_needs_one_other_admin_and_never_themselves(
    stage: Stage,
) -> None:
    new = await version_of(stage, LOOSER)

    code, said = await menwei(stage, "apply", new, "--by", "zhaomin", "--reason", "旺季", "--yes")

    assert (code, "等待 陈宇" in said) == (0, True), said
    request = await proposed(stage)
    await stage.say("zhaomin", f"同意 {request.id}")
    await stage.hears("zhaomin", "不能自己审批")
    card = await stage.card("chenyu", "赵敏 提出修改规则")
    assert "旺季" in str(card)
    await stage.press("chenyu", card, "approve")
    await stage.hears("zhaomin", f"申请 {request.id}")
    await stage.hears("chenyu", "新规则已生效")
    [newest] = await stage.db.read(lambda tx: tx.policies.history(1))
    assert (newest.author, newest.reason) == ("zhaomin", "旺季")


async def test_a_refused_change_stays_out_also_after_a_restart(stage: Stage) -> None:
    before = await in_force(stage)
    edit(stage, LOOSER)
    await stage.press("chenyu", await stage.card("chenyu", "规则文件改了"), "deny", reason="r1")
    await stage.hears("zhaomin", "已被 陈宇 拒绝")

    await stage.stop()
    await stage.start()

    await stage.hears("zhaomin", "没有获得批准")
    assert await in_force(stage) == before
    await stage.say("zhouxiaomei", ASK)
    await stage.card("wangfang", "张伟")


async def test_a_bad_edit_is_told_once_and_a_good_one_recovers(stage: Stage) -> None:
    before = await in_force(stage)

    edit(stage, BROKEN)

    told = await stage.hears("zhaomin", "规则文件有问题")
    assert "config.toml:38" in told["text"]
    assert await in_force(stage) == before
    (stage.folder / "config.toml").touch()
    edit(stage, undo(BROKEN))
    await stage.hears("zhaomin", "规则文件已恢复正常")
    edit(stage, STRICTER)
    await stage.hears("zhaomin", "新规则已生效")
    assert stage.times_told("zhaomin", "规则文件有问题") == 1
    assert len(await records(stage, "config.rejected")) == 1


async def test_a_start_with_a_bad_file_runs_the_version_last_in_force(stage: Stage) -> None:
    await stage.quiet()
    await stage.stop()
    edit(stage, BROKEN)

    await stage.start_as_it_is()

    await stage.hears("zhaomin", "规则文件有问题")
    await stage.say("sunlei", ASK)
    await stage.hears("sunlei", "可以添加 张伟")


async def test_a_file_that_would_lock_the_admins_out_never_takes_effect(opens: Opens) -> None:
    stage = await opens(ALONE)
    before = await in_force(stage)

    edit(stage, NO_ADMINS)

    told = await stage.hears("zhaomin", "规则文件有问题")
    assert "config.change" in told["text"]
    assert await in_force(stage) == before
    code, said = await menwei(stage, "apply", "--yes", "--emergency", "--reason", "试试")
    assert (code, "先改正" in said) == (1, True)


async def test_two_admins_edits_meet_and_the_later_one_is_compared_anew(stage: Stage) -> None:
    new = await version_of(stage, LOOSER)
    await menwei(stage, "apply", new, "--by", "zhaomin", "--reason", "旺季", "--yes")
    first = await proposed(stage)
    card = await stage.card("chenyu", "赵敏 提出修改规则")

    edit(stage, ('say = "VIP', 'say = "贵宾 VIP'), STRICTER)
    await stage.hears("chenyu", "新规则已生效")

    await stage.hears("zhaomin", first.id, kind="card")
    assert (await stage.request(first.id)).state is State.STALE
    await stage.hears("chenyu", "需重提", kind="card")
    await stage.say("chenyu", f"同意 {first.id}")
    await stage.hears("chenyu", f"{first.id} 已")
    await stage.say("zhaomin", f"重提 {first.id}")
    again = await stage.card("chenyu", "赵敏 提出修改规则")
    assert again["task_id"] != card["task_id"]
    await stage.press("chenyu", again, "approve")
    await stage.until(
        lambda: stage.heard("chenyu"),
        lambda _: stage.times_told("chenyu", "新规则已生效") == 2,
        "the change is in force",
    )
    await stage.say("zhouxiaomei", ASK)
    await stage.hears("zhouxiaomei", "可以添加 张伟")


async def test_a_push_while_requests_wait_makes_them_stale_only_if_stricter(stage: Stage) -> None:
    await stage.say("zhouxiaomei", ASK)
    await stage.card("wangfang", "张伟")
    request = await stage.newest("zhouxiaomei")

    edit(stage, (TABLE, "allow = 4, approval = 3"))

    await stage.hears("zhouxiaomei", f"规则已变严，申请 {request.id}", kind="card")
    assert (await stage.request(request.id)).state is State.STALE


async def test_a_rollback_needs_nobody_and_a_restart_does_not_undo_it(stage: Stage) -> None:
    before = await in_force(stage)
    edit(stage, STRICTER)
    await stage.hears("zhaomin", "新规则已生效")

    code, said = await menwei(
        stage, "rollback", "--by", "chenyu", "--reason", "孙磊加不了人", "--yes"
    )

    assert (code, "已生效" in said) == (0, True), said
    await stage.hears("zhaomin", "陈宇 已把规则退回到")
    assert await in_force(stage) == before
    await stage.say("sunlei", ASK)
    await stage.hears("sunlei", "可以添加 张伟")

    await stage.quiet()
    await stage.stop()
    await stage.start()
    await stage.hears("zhaomin", "以前用过的版本")
    assert await in_force(stage) == before

    code, listed = await menwei(stage, "history")
    lines = [line for line in listed.splitlines() if not line.startswith("   ")]
    assert code == 0
    assert "chenyu" in lines[0]
    assert "孙磊加不了人" in lines[0]
    assert [line.split()[1] for line in lines] == ["3", "2", "1"]


async def test_in_an_emergency_one_person_is_enough_and_everybody_is_told(stage: Stage) -> None:
    new = await version_of(stage, LOOSER)
    code, said = await menwei(stage, "apply", new, "--emergency", "--by", "chenyu", "--yes")
    assert (code, "--reason" in said) == (1, True)

    code, said = await menwei(
        stage, "apply", new, "--emergency", "--by", "chenyu", "--reason", "展会当天", "--yes"
    )

    assert (code, "已生效" in said) == (0, True), said
    assert "config.toml 里还不是这一版" in said
    for admin in ("zhaomin", "chenyu"):
        await stage.hears(admin, "【紧急】陈宇 未经第二人同意")
    assert len(await records(stage, "config.emergency")) == 1


async def test_who_may_not_change_the_rules_is_refused(stage: Stage) -> None:
    before = await in_force(stage)
    new = await version_of(stage, STRICTER)

    code, said = await menwei(stage, "apply", new, "--by", "sunlei", "--reason", "x", "--yes")
    assert (code, "没有修改规则的权限" in said) == (1, True), said
    code, said = await menwei(stage, "apply", new, "--by", "nobody", "--yes")
    assert (code, "通讯录里没有" in said) == (1, True), said
    code, said = await menwei(stage, "apply", new)
    assert (code, "--yes" in said) == (1, True), said

    assert await in_force(stage) == before


async def test_taking_an_edit_back_takes_the_question_back(stage: Stage) -> None:
    edit(stage, LOOSER)
    card = await stage.card("chenyu", "规则文件改了")
    request = await proposed(stage)
    stage.simulator.faults.fail("message/update_template_card", 60140)  # it still looks open

    edit(stage, undo(LOOSER))

    await stage.until(
        lambda: stage.request(request.id),
        lambda it: it.state is State.SUPERSEDED,
        "the question is taken back",
    )
    await stage.press("chenyu", card, "approve")
    await stage.hears("chenyu", "已被新申请取代")


async def test_an_edit_that_names_a_department_nobody_knows_is_refused_with_what_was_meant(
    stage: Stage,
) -> None:
    before = await in_force(stage)

    edit(stage, ("department:大客户部", "department:大客户"))

    told = await stage.hears("zhaomin", "规则文件有问题")
    assert "“department:大客户”在通讯录里一个人也没有" in told["text"]
    assert "department:大客户部" in told["text"]
    assert await in_force(stage) == before


async def test_after_a_department_was_renamed_other_edits_still_go_through(stage: Stage) -> None:
    stage.simulator.world.rename_department(ACCOUNTS, "大客户一部")
    await stage.hears("zhaomin", "已经没有对应的人")
    before = await in_force(stage)

    edit(stage, ("today.adds.gte = 50", "today.adds.gte = 40"))

    async def version() -> str:
        return await in_force(stage)

    await stage.until(version, lambda now: now != before, "the tighter rules are in force")
