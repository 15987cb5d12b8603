"""What runs in shadow changes nothing; each working morning the admins read what it would do."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from sqlalchemy import text

from bot import checking, chores
from storage.candidates import Candidate
from storage.work import WorkState
from tests.scenario.conftest import Opens, Stage
from workflows import workdays
from workflows.model import Request
from workflows.policy import Policy
from workflows.sections import Rulebook

ANY = 'rule]]\nid = "no-competitor"'
NOT_BY_PHONE = (
    'rule]]\nid = "by-hand"\ntitle = "先看两周"\naction = ["friend.add"]\n'
    'when.claim.phone.exists = true\nthen = "approval"\nmode = "shadow"\n\n[[' + ANY
)
TRIED = (ANY, NOT_BY_PHONE)
LISTENS = ('on = ["role.changed",', 'on = ["shadow.report", "role.changed",')
NOBODY_ADDS = {"permissions": {"friend.add": {"approval": 1}, "config.change": {"approval": 5}}}
_REPORT = "试运行日报"
_STATE = text("SELECT state FROM work WHERE key = :key")


def in_force(stage: Stage) -> Policy:
    return checking.compiled(stage.settings.rules)


def next_morning(stage: Stage, after: datetime) -> datetime:
    return workdays.following(in_force(stage), after, time(9))


async def morning(stage: Stage, at: datetime) -> None:
    """Move on until a minute past that morning, and let its report be done.

    Only when nothing is in hand: a lease that runs out by the clock would have it done twice.
    """
    await stage.quiet()
    stage.clock.ahead += at - stage.clock.now() + timedelta(minutes=1)

    async def look() -> object:
        with stage.db._reader.connect() as inside:
            values = {"key": f"{chores.SHADOW}:{at.isoformat()}"}
            return inside.execute(_STATE, values).scalar()

    await stage.until(look, lambda state: state == WorkState.DONE, "the report is done")
    await stage.quiet()


async def asks(stage: Stage, userid: str, words: str) -> Request:
    await stage.say(userid, words)
    await stage.quiet()
    return await stage.newest(userid)


async def put_in_shadow(stage: Stage, **sections: object) -> str:
    """Put the rules with other sections in shadow."""
    rules = stage.settings.rules.model_dump(by_alias=True) | sections
    book = Rulebook.model_validate(rules)
    version = checking.compiled(book).hash
    candidate = Candidate(
        version, book.model_dump_json(by_alias=True), "zhaomin", "", stage.clock.now()
    )
    await stage.db.write(lambda tx: tx.candidates.put_shadow(candidate))
    return version


async def test_a_rule_on_trial_lets_everything_pass_and_is_reported_in_the_morning(
    opens: Opens,
) -> None:
    stage = await opens(TRIED)
    request = await asks(stage, "sunlei", "加 张伟 明达贸易 13800001234 展会认识")
    assert request.state.is_allowed
    assert request.verdict.shadow_rules == ("by-hand",)

    await morning(stage, next_morning(stage, request.created_at))

    for admin in ("zhaomin", "chenyu"):
        told = await stage.hears(admin, _REPORT)
        assert "by-hand（先看两周）：命中 1 次（1 次会需审批）" in told["text"]
    assert stage.times_told("sunlei", _REPORT) == 0


async def test_a_hit_is_told_of_once_and_a_day_without_any_is_not_told_of(opens: Opens) -> None:
    stage = await opens(TRIED)
    request = await asks(stage, "sunlei", "加 张伟 明达贸易 13800001234 展会认识")
    first = next_morning(stage, request.created_at)
    second = next_morning(stage, first)
    await morning(stage, first)
    assert stage.times_told("zhaomin", _REPORT) == 1

    await morning(stage, second)
    await morning(stage, next_morning(stage, second))

    assert stage.times_told("zhaomin", _REPORT) == 1


async def test_nothing_is_lost_when_menwei_was_down_on_a_morning(opens: Opens) -> None:
    """It stops before nine and starts again two working days later: both days are in one report."""
    stage = await opens(TRIED)
    request = await asks(stage, "sunlei", "加 张伟 明达贸易 13800001234 展会认识")
    await stage.stop()
    first = next_morning(stage, request.created_at)
    second = next_morning(stage, first)
    stage.clock.ahead += second - stage.clock.now() + timedelta(minutes=1)

    await stage.start()

    await stage.hears("zhaomin", _REPORT)
    await morning(stage, next_morning(stage, second))
    assert stage.times_told("zhaomin", _REPORT) == 1


async def test_a_version_in_shadow_is_reported_with_the_people_it_would_touch(
    stage: Stage,
) -> None:
    version = await put_in_shadow(stage, **NOBODY_ADDS)
    request = await asks(stage, "sunlei", "加 张伟 明达贸易 13800001234 展会认识")
    assert request.state.is_allowed

    await morning(stage, next_morning(stage, request.created_at))

    told = await stage.hears("zhaomin", _REPORT)
    assert f"试运行的版本 {version}：共 1 项：不变 0，收紧 1，放宽 0，换人审批 0。" in told["text"]
    assert "受影响最多：孙磊（收紧 1）" in told["text"]


async def test_whoever_the_file_names_for_the_report_gets_it(opens: Opens) -> None:
    stage = await opens(TRIED, LISTENS, ('to = ["role:admin"]', 'to = ["user:liqiang"]'))
    request = await asks(stage, "sunlei", "加 张伟 明达贸易 13800001234 展会认识")

    await morning(stage, next_morning(stage, request.created_at))

    await stage.hears("liqiang", _REPORT)
    assert stage.times_told("zhaomin", _REPORT) == 0


async def test_members_see_which_rules_are_only_on_trial(opens: Opens) -> None:
    stage = await opens(TRIED)

    await stage.say("sunlei", "规则")

    told = await stage.hears("sunlei", "现行规则")
    by_hand, cap = (
        next(line for line in told["text"].splitlines() if rule in line)
        for rule in ("by-hand", "daily-cap")
    )
    assert "试运行" in by_hand
    assert "试运行" not in cap
