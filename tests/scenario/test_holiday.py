"""A fortnight with the national holiday of 2026 in it, played by the whole program."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from storage.work import Queue
from tests.scenario.conftest import Change, Opens, Stage
from workflows.model import Request, State

ZONE = ZoneInfo("Asia/Shanghai")
TIMED: Change = (
    'expires_after  = "8h"',
    """clock = "work_hours"
remind_after = "30m"
escalate_after = "2h"
escalate_to = ["manager_of_approver"]
expires_after = "8h\"""",
)
TRAINEE = "zhouxiaomei"


def local(day: int, hour: int, minute: int = 0, month: int = 10) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE)


async def go_to(stage: Stage, moment: datetime) -> None:
    """Move the clock, and wait until every timer that is due has been looked at."""
    stage.clock.ahead = moment - datetime.now(UTC)

    async def due() -> int:
        now = int(stage.clock.now().timestamp() * 1000)
        file = stage.settings.storage.address.removeprefix("sqlite:///")
        with closing(sqlite3.connect(file)) as db:
            found = db.execute(
                "SELECT count(*) FROM work WHERE queue = ? AND state = 0 AND due <= ?",
                (int(Queue.TIMERS), now),
            )
            return int(found.fetchone()[0])

    await stage.until(due, lambda count: count == 0, "every timer has gone off")
    await stage.quiet()


async def asked(stage: Stage, name: str, number: int) -> Request:
    await stage.say(TRAINEE, f"加 {name} 明达贸易 1380000{number:04} 展会认识")
    await stage.hears(TRAINEE, f"添加 {name}")
    return await stage.newest(TRAINEE)


async def test_over_the_national_holiday_people_are_left_alone_and_nothing_is_lost(
    opens: Opens,
) -> None:
    stage = await opens(TIMED)
    await go_to(stage, local(30, 16, month=9))
    early = await asked(stage, "张伟", 1)
    await go_to(stage, local(30, 18, 45, month=9))
    late = await asked(stage, "李明", 2)
    assert late.due_at is not None
    assert abs(late.due_at - local(8, 16, 45)) < timedelta(minutes=1)
    noons = [local(day, 12) for day in range(1, 8)]
    for moment in [local(30, 21, month=9), *noons, local(8, 8, 59)]:
        await go_to(stage, moment)

    reminded = await stage.records(early.id, "request.reminded")
    assert [each.at.astimezone(ZONE).date() for each in reminded] == [local(30, 0, month=9).date()]
    assert await stage.records(late.id, "request.reminded") == []
    assert (await stage.request(late.id)).state is State.PENDING

    await stage.stop()  # the first working hour finds Menwei down
    stage.clock.ahead = local(8, 10) - datetime.now(UTC)
    await stage.start()
    for hour in range(10, 19):
        await go_to(stage, local(8, hour, 20))
    for day in (9, 10):
        await go_to(stage, local(day, 18, 30))

    for request in (early, late):
        assert (await stage.request(request.id)).state is State.EXPIRED
        for kind in ("request.reminded", "request.escalated", "request.expired"):
            [record] = await stage.records(request.id, kind)
            at = record.at.astimezone(ZONE)
            assert at.date() not in {local(day, 0).date() for day in range(1, 8)}, kind
            assert 9 <= at.hour < 19, (kind, at)
    assert early.due_at is not None
    assert abs(early.due_at - local(8, 14)) < timedelta(minutes=1)
