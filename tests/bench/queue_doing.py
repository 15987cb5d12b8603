"""What is done with a queue: looked up, claimed, swept, asked, pressed, all by the program's parts.

Each of these draws people and requests anew and returns a step, which is run later, perhaps twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from bot.actions import asking, queries, sweeping, tickets, voting
from storage.transaction import Transaction
from storage.work import Queue
from tests.bench import queue_company as people
from tests.bench import queue_stories
from tests.bench.queue_filling import Known
from tests.bench.queue_office import Office
from workflows.claims import Claim

Step = Callable[[Transaction], object]
Draw = Callable[[Office], Step]

_LEASE = timedelta(minutes=15)
_TIMERS_AT_A_TIME = 8  # as the program claims them
_REPLAYED = 500  # decisions on a page of `menwei replay`
_SPAN = timedelta(days=400)
_FEW = 10  # a page of a hundred requests is worth many look-ups


def _todo(office: Office) -> Step:
    lead = people.lead(office.team())
    return lambda tx: queries.todo(office.scene(tx, lead), lead)


def _todo_of_director(office: Office) -> Step:
    who = people.DIRECTOR
    return lambda tx: queries.todo(office.scene(tx, who), who)


def _mine(office: Office) -> Step:
    who = office.any_known().who
    return lambda tx: queries.mine(office.scene(tx, who), who)


def _look(words: Callable[[Known], str]) -> Draw:
    def draw(office: Office) -> Step:
        what = words(office.any_known())
        return lambda tx: queries.look(office.scene(tx, people.ADMIN), people.ADMIN, what)

    return draw


def _audit(office: Office) -> Step:
    request_id = office.any_known().id
    return lambda tx: tx.audit.of_request(request_id)


def _timers(office: Office) -> Step:
    now = office.when_timers_are_due
    return lambda tx: tx.work.claim(Queue.TIMERS, now, _TIMERS_AT_A_TIME, _LEASE)


def _sweep(office: Office) -> Step:
    """The first page in the small one, any page in the large one."""
    last = office.dice.choice(office.waiting).id if office.teams > 1 else ""
    clock = "system:timer"
    return lambda tx: sweeping.go_on(office.company.scene(tx, clock), sweeping.RECHECK, last)


def _replay(office: Office) -> Step:
    now = datetime.now(UTC)
    until = now - _SPAN * 0.4 * office.dice.random()
    return lambda tx: tx.decisions.page(now - 2 * _SPAN, until, _REPLAYED)


LOOKS: Mapping[str, tuple[Draw, int]] = {  # and how many are worth one of it
    "待办": (_todo, 1),
    "待办, for whom a fifth waits": (_todo_of_director, 1),
    "我的": (_mine, 1),
    "查 by id": (_look(lambda known: known.id), 1),
    "查 by customer": (_look(lambda known: known.customer), 1),
    "查 by surname": (_look(lambda known: known.customer[0]), 1),
    "查 by requester": (_look(lambda known: people.member_name(known.who)), 1),
    "audit of a request": (_audit, 1),
    "due timers claimed": (_timers, 1),
    "a page swept": (_sweep, _FEW),
    "a page replayed": (_replay, _FEW),
}


def ask(office: Office) -> tuple[Known, Step]:
    """Return a wish to add somebody new, which has no id yet."""
    team, number = office.team(), office.dice.getrandbits(30)
    who, phone = people.trainee(team, number), f"139{number % 100_000_000:08d}"
    claim = Claim(people.name_of(number), queue_stories.FIRM, phone, "展会认识")
    known = Known("waits for the lead", "", team, who, claim.name)
    return known, lambda tx: asking.submit(office.scene(tx, who), who, claim)


def press(office: Office, known: Known) -> Step:
    lead = people.lead(known.team)
    return lambda tx: voting.approve(office.scene(tx, lead), lead, known.id, via="card")


def forget(office: Office, known: Known) -> Step:
    """Return a step that takes back the ticket which a press has brought.

    Nobody makes it here, and a member's open tickets are looked through when they ask again.
    """

    def step(tx: Transaction) -> None:
        if request := tx.requests.get(known.id):
            tickets.revoke(office.company.scene(tx), request)

    return step
