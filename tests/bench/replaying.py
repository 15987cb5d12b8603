"""`python -m tests.bench.replaying`: how long judging many recorded decisions again takes.

The decisions are of thirty days under the demo's rules; they are judged by rules with a lower cap.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from bot import checking, demo, settings
from storage.database import Database
from storage.policies import StoredPolicy
from storage.transaction import Transaction
from tests.makers_storage import a_request
from workflows.directory import Directory, Member
from workflows.model import Facts, FactValue, Origin, Person, Request
from workflows.policy import Policy, decide

_BATCH = 2_000
_RULES = Path(demo.__file__).with_name("config.toml")
_CAP = "today.adds.gte = 50"
_PEOPLE = [Member(f"seller{n}", f"销售{n}", position="销售") for n in range(200)]
_ADMINS = [Member("zhaomin", "赵敏"), Member("chenyu", "陈宇")]


def _facts(dice: random.Random, member: Member) -> Facts:
    """Return every fact that Menwei records of an observed add."""
    counted: dict[str, FactValue] = {
        f"{since}.{what}": dice.randrange(60)
        for since in ("today", "week")
        for what in ("adds", "requests", "denials")
    }
    return counted | {
        "sender.userid": member.userid,
        "sender.name": member.name,
        "sender.level": 2,
        "sender.roles": frozenset({"seller"}),
        "sender.departments": frozenset({"青禾科技", "销售部"}),
        "sender.position": "销售",
        "sender.tags": frozenset(),
        "customer.tags": frozenset({"VIP"}) if dice.random() < 0.1 else frozenset(),
        "customer.owners": frozenset(),
        "customer.owner_count": 0,
        "customer.known_days": 0,
        "customer.corp_name": dice.choice(["", "明达贸易", "竞品甲科技"]),
        "customer.external_userid": "wm-someone",
        "customer.name": "某人",
        "customer.type": "wechat",
        "contact.planned": False,
        "contact.initiator": "member",
        "contact.channel": "",
        "contact.half": False,
        "contact.way": dice.choice(["qr", "phone", "referral"]),
        "claim.company": "",
        "claim.phone": "",
        "claim.reason": "",
        "request.reason": "",
        "request.count": 1,
    }


def _requests(policy: Policy, count: int) -> Iterator[Request]:
    dice, now = random.Random(1), datetime.now(UTC)
    for number in range(count):
        member = dice.choice(_PEOPLE)
        facts, at = _facts(dice, member), now - timedelta(days=30) * dice.random()
        yield a_request(
            f"R{number}",
            origin=Origin.OBSERVED,
            requester=Person(member.userid, member.name),
            facts=facts,
            verdict=decide(policy, facts, "friend.add", at),
            created_at=at,
            external_userid=f"wm{number}",
        )


async def _fill(database: Database, policy: Policy, count: int) -> None:
    def begin(tx: Transaction) -> None:
        text = policy.rulebook.model_dump_json(by_alias=True)
        tx.people.replace(Directory.of([*_PEOPLE, *_ADMINS]))
        tx.policies.activate(StoredPolicy(policy.hash, text, datetime.now(UTC), "file"))

    def add(tx: Transaction) -> None:
        for request in batch:
            tx.requests.add(request)

    await database.write(begin)
    requests = _requests(policy, count)
    while batch := list(islice(requests, _BATCH)):
        await database.write(add)


def main() -> int:
    """Make the decisions, judge them again with `menwei replay`, and print how long that took."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.replaying", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="how many decisions")
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{name}/menwei.db"
        config, new = Path(name) / "config.toml", Path(name) / "new.toml"
        text = _RULES.read_text("utf-8").replace("sqlite:///menwei-demo.db", url)
        config.write_text(text, "utf-8")
        new.write_text(text.replace(_CAP, "today.adds.gte = 40"), "utf-8")
        with closing(Database.open(url)) as database:
            database.upgrade()
            policy = checking.compiled(settings.load(config).rules)
            asyncio.run(_fill(database, policy, count))
        words = ["replay", str(new), "--config", str(config), "--since", "31d"]
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "bot", *words], stdout=subprocess.PIPE, text=True, check=True
        )
        took = time.perf_counter() - start
    sys.stdout.write(f"{done.stdout.splitlines()[1]}\n{count} decisions in {took:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
