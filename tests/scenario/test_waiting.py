"""While nobody answers: reminders, the ladder, quiet hours, a restart in between, renewed cards."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from storage.work import Job, Queue
from tests.scenario.conftest import Change, Opens, Stage
from workflows.model import Request, State

ASK = "加 张伟 明达贸易 13800001234 展会认识"
EXPIRY = 'expires_after  = "8h"'
TRAINEE, LEAD, DIRECTOR, ADMIN = "zhouxiaomei", "wangfang", "liqiang", "zhaomin"
ZONE = ZoneInfo("Asia/Shanghai")


def timed(*lines: str, expires: str = "8h") -> Change:
    return EXPIRY, "\n".join((f'expires_after = "{expires}"', *lines))


REMINDED = timed('remind_after = "30m"')
CLIMBING = timed(
    'remind_after = "30m"',
    'escalate_after = "2h"',
    'escalate_to = ["manager_of_approver", "role:admin"]',
)


async def asked(stage: Stage) -> Request:
    await stage.say(TRAINEE, ASK)
    await stage.card(LEAD, "张伟")
    await stage.quiet()
    return await stage.newest(TRAINEE)


async def again(stage: Stage) -> None:
    await stage.quiet()
    await stage.stop()
    await stage.start()


async def test_who_has_not_answered_is_reminded_once(opens: Opens) -> None:
    stage = await opens(REMINDED)
    request = await asked(stage)

    stage.clock.move(minutes=31)

    await stage.hears(LEAD, f"提醒：周小美 的申请 {request.id}（张伟）")
    stage.clock.move(hours=2)
    await stage.quiet()
    assert stage.times_told(LEAD, "提醒：") == 1
    assert len(await stage.records(request.id, "request.reminded")) == 1


async def test_what_is_decided_reminds_nobody(opens: Opens) -> None:
    stage = await opens(CLIMBING)
    request = await asked(stage)
    await stage.say(LEAD, f"同意 {request.id}")
    await stage.hears(TRAINEE, "已由 王芳 同意")

    stage.clock.move(hours=3)
    await again(stage)

    assert stage.times_told(LEAD, "提醒：") == 0
    assert stage.times_told(TRAINEE, "已升级") == 0


async def test_a_reminder_that_was_due_while_menwei_was_down_is_caught_up(opens: Opens) -> None:
    stage = await opens(REMINDED)
    request = await asked(stage)
    await stage.stop()
    stage.clock.move(minutes=45)

    await stage.start()

    await stage.hears(LEAD, f"提醒：周小美 的申请 {request.id}")
    await again(stage)
    assert stage.times_told(LEAD, "提醒：") == 1


async def test_rung_by_rung_more_people_are_asked_and_the_end_stays(opens: Opens) -> None:
    stage = await opens(CLIMBING)
    request = await asked(stage)

    stage.clock.move(hours=2, minutes=1)

    card = await stage.card(DIRECTOR, "张伟")
    assert "升级：之前的审批人还没有处理" in card["card"]["sub_title_text"]
    await stage.hears(TRAINEE, f"申请 {request.id}（张伟）还没有人处理，已升级，同时请 李强 审批")
    await again(stage)
    stage.clock.move(hours=2)
    await stage.card(ADMIN, "张伟")
    now = await stage.request(request.id)
    assert now.due_at == request.due_at
    assert {p.userid for p in now.approvers} == {LEAD, DIRECTOR, "zhaomin", "chenyu"}

    await stage.press(DIRECTOR, card, "approve")

    await stage.hears(TRAINEE, f"申请 {request.id}（张伟）已由 李强 同意")
    await stage.hears(LEAD, "已同意", kind="card")


async def test_whoever_was_asked_first_may_still_decide_after_an_escalation(opens: Opens) -> None:
    stage = await opens(CLIMBING)
    request = await asked(stage)
    stage.clock.move(hours=2, minutes=1)
    await stage.card(DIRECTOR, "张伟")

    await stage.say(LEAD, f"同意 {request.id}")

    await stage.hears(TRAINEE, f"申请 {request.id}（张伟）已由 王芳 同意")


async def test_an_english_company_is_reminded_in_english(opens: Opens) -> None:
    stage = await opens(REMINDED, ('language = "zh-CN"', 'language = "en"'))
    request = await asked(stage)

    stage.clock.move(minutes=31)

    await stage.hears(LEAD, f"Reminder: request {request.id} of 周小美")


async def test_reminders_wait_for_the_end_of_quiet_hours_and_escalations_do_not(
    opens: Opens,
) -> None:
    now = datetime.now(ZONE)
    until = now + timedelta(hours=4)
    quiet = f'[quiet_hours]\nhours = "{now:%H:%M}-{until:%H:%M}"\n\n[tickets]'
    stage = await opens(CLIMBING, ("[tickets]", quiet))
    request = await asked(stage)

    stage.clock.move(hours=2, minutes=1)
    await stage.card(DIRECTOR, "张伟")
    assert stage.times_told(LEAD, "提醒：") == 0

    stage.clock.move(hours=2)
    await stage.hears(LEAD, f"提醒：周小美 的申请 {request.id}")
    await stage.hears(DIRECTOR, f"提醒：周小美 的申请 {request.id}")


async def test_a_card_that_could_soon_not_be_updated_is_sent_anew(opens: Opens) -> None:
    stage = await opens(timed(expires="72h"))
    request = await asked(stage)
    old = await stage.card(LEAD, "张伟")

    stage.clock.move(hours=70, minutes=1)

    await stage.hears(LEAD, "已换新卡片", kind="card")
    new = await stage.card(LEAD, "张伟")
    assert new["task_id"] != old["task_id"]
    await stage.press(LEAD, new, "approve")
    await stage.hears(TRAINEE, f"申请 {request.id}（张伟）已由 王芳 同意")


async def test_nobody_answers_to_the_end_and_it_is_refused_in_time(opens: Opens) -> None:
    stage = await opens(CLIMBING)
    request = await asked(stage)

    stage.clock.move(hours=8, minutes=1)

    await stage.hears(TRAINEE, "在规定时间内无人审批")
    assert (await stage.request(request.id)).state is State.EXPIRED


async def test_a_timer_of_a_newer_version_is_set_aside_and_not_lost(stage: Stage) -> None:
    job = Job(Queue.TIMERS, "of_a_newer_version", "lane", "body")
    await stage.db.write(lambda tx: tx.work.add([job], stage.clock.now()))

    async def dead() -> list[str]:
        stage.clock.move(minutes=1)  # it waits longer before each try
        await asyncio.sleep(0.3)
        return [each.kind for each in await stage.db.read(lambda tx: tx.work.dead_letters(9))]

    await stage.until(dead, lambda kinds: kinds == ["of_a_newer_version"], "it is set aside")
