"""What an action acts upon: one transaction, the rules and the directory as they are now."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot import outgoing
from bot.command_arguments import ID_ALPHABET
from bot.texts import Text, Texts
from bot.wording import Wording, of_core
from storage.transaction import Transaction
from storage.work import Job, Queue
from workflows import absences, roles
from workflows.approvers import Sources
from workflows.directory import ACTIVE, Directory
from workflows.model import AuditRecord, Person, RelationState, Request, same_user
from workflows.policy import Policy
from workflows.sections import Rulebook
from workflows.standing import Standing

_LETTERS = "".join(char for char in ID_ALPHABET if char.isalpha())
_TRIES_PER_LENGTH = 4
_ROUNDING = timedelta(milliseconds=1)  # the database cuts times to this: never call too early


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything an action may use. Made anew for every transaction."""

    tx: Transaction
    standing: Standing
    texts: Texts  # the language of whoever acts
    company: Texts  # the language of everybody else
    now: datetime
    actor: str = "system:menwei"  # who causes what is written

    def by(self, userid: str, texts: Texts | None = None) -> Scene:
        """Return the same scene with a member as the one who acts, in the language they use."""
        actor = f"user:{self.person(userid).userid}"
        return replace(self, actor=actor, texts=texts or self.texts)

    def standing_as(self, standing: Standing) -> Scene:
        """Return the same scene once people or rules have changed."""
        return replace(self, standing=standing)

    @property
    def policy(self) -> Policy:
        """The rules in force."""
        return self.standing.policy

    @property
    def directory(self) -> Directory:
        """The company."""
        return self.standing.directory

    @property
    def book(self) -> Rulebook:
        """The rules as the admin wrote them."""
        return self.policy.rulebook

    @property
    def zone(self) -> ZoneInfo:
        """The company's time zone."""
        return ZoneInfo(self.book.timezone)

    # People

    def person(self, userid: str) -> Person:
        """Name a member; somebody who is not in the directory is named by their userid."""
        member = self.directory.member(userid)
        return Person(member.userid, member.name) if member else Person(userid, userid)

    def sources(self, request: Request) -> Sources:
        """Return where approvers of this request come from, as of now."""
        external = request.subject.external_userid
        relations = self.tx.relations.of_customer(external) if external else []
        owners = tuple(r.userid for r in relations if r.state is RelationState.ADDED)
        away = functools.cache(
            lambda: absences.away_at(self.tx.absences.in_force(self.now), self.now)
        )
        return Sources(self.directory, self.standing.holders, owners, away)

    def listeners(self, kind: str) -> tuple[str, ...]:
        """Return whom the file's `[[notify]]` entries name for a kind of news."""
        named: set[str] = set()
        for entry in self.book.notify:
            if kind in entry.on:
                for selector in entry.to:
                    named |= self.named(selector)
        return tuple(sorted(named))

    def named(self, selector: str) -> frozenset[str]:
        """Return whom a recipient in the file means: `role:`, `user:` or the like."""
        kind, _, name = selector.partition(":")
        if kind == "role":
            return self.standing.holders(name)
        means = roles.selected(selector, self.directory)
        everybody = self.directory.members.values()
        return frozenset(m.userid for m in everybody if m.status == ACTIVE and means(m))

    # What follows

    def send(self, what: outgoing.Outgoing, key: str | None = None) -> None:
        """Put a call to WeCom into the outbox."""
        self.tx.work.add_later(outgoing.job(what, key), self.now)

    @property
    def mine(self) -> Wording:
        """How things are said to the one who acts."""
        return Wording(self.texts, self.zone, self.now)

    @property
    def theirs(self) -> Wording:
        """How things are said to everybody else."""
        return Wording(self.company, self.zone, self.now)

    def tell(self, to: Iterable[str], text: str, /, **params: object) -> None:
        """Say a text of the catalogue to members; the one who acts hears it in their language."""
        for userid in dict.fromkeys(to):
            acts = same_user(f"user:{userid}", self.actor)
            said = (self.mine if acts else self.theirs)(text, **params)
            self.send(outgoing.SendText(userid, said))

    def tell_as_core(self, to: Iterable[str], text: str, params: Mapping[str, object]) -> None:
        """Say a text that the pure core has named."""
        self.tell(to, text, **of_core(params))

    def variant(self, text: str, request: Request) -> str:
        """Return the key of a text as it is said of such a request, where there is such a one.

        `vote.done_approve` is `vote.done_approve_config_change` for a change of the rules, and
        `request.stale` is `request.stale_observed` for what has happened already.
        """
        by_action, by_origin = request.action.replace(".", "_"), request.origin.value
        keys = (f"{text}_{by_action}", f"{text}_{by_origin}")
        return next((key for key in keys if key in self.company), text)

    def answer(self, userid: str, said: Text) -> None:
        """Give the one who acts an answer that is put into words already."""
        self.send(outgoing.SendText(userid, said))

    def remind(self, kind: str, name: str, due: datetime) -> None:
        """Ask the clock to call `kind` for `name` at `due`. Asking twice is harmless."""
        # A lane of its own: in a shared one a later timer would hold up an earlier one.
        key = f"{kind}:{name}@{int(due.timestamp())}"
        after = due + _ROUNDING
        self.tx.work.add_later(Job(Queue.TIMERS, kind, key, name, key, after), self.now)

    def record(
        self,
        kind: str,
        request: Request | None = None,
        *,
        actor: str | None = None,
        who: tuple[str, str] = ("", ""),
        **detail: object,
    ) -> None:
        """Write a line of the audit. `who` is (userid, external_userid) if there is no request."""
        userid, external = who
        if request is not None:
            userid = request.requester.userid
            external = request.subject.external_userid or ""
        request_id = request.id if request else ""
        self.tx.audit.add(
            AuditRecord(
                self.now, actor or self.actor, kind, request_id, userid, external, _plain(detail)
            )
        )

    def new_id(self) -> str:
        """Return a free request id: four characters, five once four are crowded."""
        length = 4
        while True:
            for _ in range(_TRIES_PER_LENGTH):
                text = _speakable(length)
                if not self.tx.requests.exists(text):
                    return text
            length += 1


def _speakable(length: int) -> str:
    """Return random characters that can be told from a word, by a digit, and from a number."""
    while True:
        # At once: each look at the system's dice is a call of the kernel. An id is no secret.
        head, *tail = secrets.token_bytes(length)
        rest = "".join(ID_ALPHABET[number % len(ID_ALPHABET)] for number in tail)
        text = _LETTERS[head % len(_LETTERS)] + rest
        if not text.isalpha():
            return text


def _plain(detail: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in detail.items() if value not in (None, "", (), [])}
