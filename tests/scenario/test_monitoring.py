"""What operators see of a running program."""

from __future__ import annotations

import pytest

from bot import app
from tests.scenario.conftest import Stage


def figure(body: str, name: str) -> str:
    return next(line.split()[1] for line in body.splitlines() if line.startswith(f"{name} "))


async def seen(stage: Stage, path: str) -> tuple[int, str]:
    async with stage.http.get(f"{stage.address}{path}") as answer:
        return answer.status, await answer.text()


async def test_a_running_program_is_alive_and_ready(stage: Stage) -> None:
    status, body = await seen(stage, "/readyz")

    assert (await seen(stage, "/healthz"))[0] == 200
    assert (status, body) == (200, '{"database": "ok", "policy": "ok", "wecom": "ok"}')


async def test_it_is_not_ready_when_wecom_refuses_it_and_says_no_more_than_the_code(
    stage: Stage,
) -> None:
    stage.simulator.faults.fail("getcallbackip", 60020, 1)

    status, body = await seen(stage, "/readyz")

    assert status == 503
    assert '"wecom": "answers 60020"' in body
    assert "127.0.0.1" not in body


async def test_it_stays_ready_when_wecom_is_only_busy_or_away(stage: Stage) -> None:
    stage.simulator.faults.fail("getcallbackip", -1, 1)

    status, body = await seen(stage, "/readyz")

    assert status == 200
    assert '"wecom": "degraded: answers -1"' in body


async def test_the_figures_count_events_and_calls_and_name_nobody(stage: Stage) -> None:
    await stage.say("zhouxiaomei", "加 张伟 明达贸易 13800001234 展会认识")
    await stage.card("wangfang", "张伟")
    await stage.quiet()

    status, body = await seen(stage, "/metrics")

    assert status == 200
    assert 'menwei_events_accepted_total{kind="message.text"} 1.0' in body
    assert 'menwei_wecom_seconds_count{code="0",path="message/send"}' in body
    assert 'menwei_work_handled_total{kind="SendCard",queue="outbox",result="done"} 1.0' in body
    assert "menwei_effect_seconds_count 1.0" in body
    assert 'menwei_work_oldest_seconds{queue="inbox"} 0.0' in body
    assert float(figure(body, "menwei_directory_read_timestamp_seconds")) > 1e9
    assert float(figure(body, "menwei_audit_records")) > 3
    for personal in ("zhouxiaomei", "周小美", "张伟", "13800001234"):
        assert personal not in body


async def test_a_program_of_which_a_part_has_died_says_that_it_should_be_restarted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object) -> None:
        raise RuntimeError("no more")

    await stage.stop()
    monkeypatch.setattr(app, "_keep_fresh", dies)
    await stage.start()

    await stage.until(
        lambda: seen(stage, "/healthz"), lambda answer: answer[0] == 500, "it says it is broken"
    )
