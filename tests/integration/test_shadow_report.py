"""The message about what ran in shadow: sent once, short enough, and only when there is news."""

from __future__ import annotations

from datetime import timedelta

from bot import chores
from bot.actions import shadowing
from bot.company import Company
from bot.outgoing import SendText, read
from bot.replays import Shadowed, Window
from bot.wecom.limits import TEXT_BYTES
from storage.candidates import Candidate
from storage.database import Database
from storage.transaction import Transaction
from storage.work import Queue
from tests.makers_policy import a_policy, a_rule
from tests.makers_storage import NOON
from workflows.directory import Directory, Member
from workflows.replaying import Tally
from workflows.shadowing import Trial, Trials

MANY = [f"rule-on-trial-{n:02}" for n in range(13)]
POLICY = a_policy(*(a_rule(name, {"today": {"adds": {"gte": 1}}}, mode="shadow") for name in MANY),
    permissions={"config.change": {"allow": 5}})  # fmt: skip
WINDOW = Window(NOON - timedelta(days=1), NOON)
CANDIDATE = Candidate("0123456789ab", "{}", "file", "", NOON)


async def sent(db: Database, *found: Shadowed) -> list[SendText]:
    """Return the messages that these reports put into the outbox."""
    company = Company(POLICY, lambda: NOON)
    admins = Directory.of([Member("zhaomin", "赵敏")])
    await db.write(lambda tx: tx.people.replace(admins))
    await company.refresh(db)

    def report(tx: Transaction) -> None:
        for each in found:
            shadowing.report(company.scene(tx), each)

    await db.write(report)
    rows = await db.write(lambda tx: tx.work.claim(Queue.OUTBOX, NOON, 9, timedelta(minutes=1)))
    messages = [read(row) for row in rows]
    return [each for each in messages if isinstance(each, SendText)]


def trials(**hits: Trial) -> Trials:
    return Trials({name: Trial() for name in MANY} | hits)


async def test_nothing_is_said_where_nothing_was_hit(db: Database) -> None:
    unchanged = Shadowed(WINDOW, trials(), CANDIDATE, Tally(total=7, unchanged=7))

    assert await sent(db, Shadowed(WINDOW, trials()), unchanged) == []


async def test_the_same_report_is_sent_once_however_often_it_is_made(db: Database) -> None:
    found = Shadowed(WINDOW, trials(**{MANY[0]: Trial(hits=37, approval=35, denied=2)}))

    [message] = await sent(db, found, found)

    assert message.userid == "zhaomin"
    assert "rule-on-trial-00：命中 37 次（35 次会需审批、2 次会不允许）" in message.content
    assert "rule-on-trial-01" not in message.content


async def test_many_rules_are_told_of_in_one_message(db: Database) -> None:
    busy = Trial(hits=10_000, approval=2_500, denied=2_500, other_chain=2_500)
    found = Shadowed(WINDOW, trials(**dict.fromkeys(MANY, busy)), CANDIDATE, Tally(total=7))

    [message] = await sent(db, found)

    assert len(message.content.encode()) <= TEXT_BYTES
    assert "0123456789ab" in message.content
    assert "rule-on-trial-09" in message.content
    assert message.content.endswith("……还有 3 条规则，见 menwei shadow")


def test_each_report_begins_where_the_last_one_ended() -> None:
    """Noon in Shanghai on a Monday; the report of that morning is three hours late."""
    nine = NOON - timedelta(hours=3)

    late = chores.since_last(POLICY, nine, NOON)
    very_late = chores.since_last(POLICY, nine, NOON + timedelta(days=2))
    then = chores.since_last(POLICY, nine + timedelta(days=1), NOON + timedelta(days=1))

    assert late == Window(nine - timedelta(days=3), nine)  # since Friday
    assert very_late == Window(late.since, nine + timedelta(days=2))
    assert then.since == late.until
