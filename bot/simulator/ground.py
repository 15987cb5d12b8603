"""What all rules of the pretend corporation stand on: its state, its clock and who listens."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from bot.simulator.console import Console
from bot.simulator.errors import ImpossibleError
from bot.simulator.events import Event
from bot.simulator.records import (
    ACTIVE,
    LEFT,
    Customer,
    Json,
    Member,
    Message,
    Relation,
    State,
)
from bot.simulator.views import customer_view, member_view, message_view, way_view

Look = Callable[[], Json]

KEEP = 5_000  # messages a phone keeps


class Ground:
    """State, clock, listeners and the look-ups that every rule needs."""

    def __init__(self, state: State | None = None, clock: Callable[[], float] = time.time) -> None:
        self.state = state or State()
        self.clock = clock
        self.corp_id = ""
        self.agent_id = 0
        self.task_ids: set[str] = set()  # never reused, so a reset does not forget them
        self.menu: list[Json] = []
        self.console = Console()
        self._ids = itertools.count(1)
        self._tellers: list[Callable[[Event], None]] = []
        self._watchers: list[Callable[[str, Look], None]] = []

    def on_event(self, teller: Callable[[Event], None]) -> None:
        """Have `teller` called with every callback that WeCom would send."""
        self._tellers.append(teller)

    def on_change(self, watcher: Callable[[str, Look], None]) -> None:
        """Have `watcher` called with the kind and the look of everything that changes."""
        self._watchers.append(watcher)

    def snapshot(self) -> State:
        """A copy of everything a reset puts back."""
        return deepcopy(self.state)

    def restore(self, state: State) -> None:
        """Go back to a snapshot. Task ids, message ids, menu and console are not forgotten."""
        self.state = deepcopy(state)
        self.show("reset", dict)

    def now(self) -> float:
        """Unix seconds."""
        return self.clock()

    def next_id(self) -> int:
        """A number never given before, also not before a reset."""
        return next(self._ids)

    def fresh_msgid(self) -> str:
        """A MsgId as in callbacks: a 64-bit number that no earlier run has used either."""
        return str(int(time.time() * 1000) * 1_000_000 + self.next_id() % 1_000_000)

    def fresh(self, prefix: str, length: int = 24) -> str:
        """An opaque id nobody can guess."""
        return prefix + secrets.token_hex(length // 2)

    # -- look-ups ------------------------------------------------------------------------------

    def find_member(self, userid: str) -> Member | None:
        """The member of that userid in any spelling."""
        return self.state.members.get(userid.lower())

    def member(self, userid: str) -> Member:
        """The same; raises ImpossibleError when there is none."""
        found = self.find_member(userid)
        if found is None:
            raise ImpossibleError(f"no member {userid}")
        return found

    def working(self, userid: str) -> Member:
        """A member who can use the client; raises ImpossibleError otherwise."""
        member = self.member(userid)
        if member.status != ACTIVE:
            raise ImpossibleError(f"{userid} is not active")
        return member

    def customer(self, external_userid: str) -> Customer:
        """The customer of that id; raises ImpossibleError when there is none."""
        found = self.state.customers.get(external_userid)
        if found is None:
            raise ImpossibleError(f"no customer {external_userid}")
        return found

    def relation(self, userid: str, external_userid: str) -> Relation | None:
        """What is between the two, if anything ever was."""
        return self.state.relations.get((userid.lower(), external_userid))

    def reports(self, member: Member) -> bool:
        """Whether the app hears of and reads this member's customers."""
        return member.visible and member.customer_contact and member.status != LEFT

    # -- telling -------------------------------------------------------------------------------

    def tell(self, event: Event) -> Event:
        """Send a callback."""
        for teller in self._tellers:
            teller(event)
        return event

    def tell_sys(self, name: str, change: str, more: Mapping[str, Any]) -> Event:
        """Send a callback about contacts: FromUserName is always 'sys', there is no MsgId."""
        common = {
            "ToUserName": self.corp_id,
            "FromUserName": "sys",
            "CreateTime": int(self.now()),
            "MsgType": "event",
            "Event": name,
            "ChangeType": change,
        }
        door = "directory" if name == "change_contact" else "app"
        return self.tell(Event({**common, **more}, door=door))

    def tell_app(self, member: Member, kind: str, more: Mapping[str, Any], **of_card: str) -> Event:
        """Send a callback caused by a member in the app; it may be answered passively."""
        common = {
            "ToUserName": self.corp_id,
            "FromUserName": member.userid,
            "CreateTime": int(self.now()),
            "MsgType": kind,
        }
        fields = {**common, **more, "AgentID": self.agent_id}
        return self.tell(Event(fields, member=member.userid, **of_card))

    # -- showing -------------------------------------------------------------------------------

    def show(self, kind: str, look: Look) -> None:
        """Let the page redraw something; `look` is called only if somebody watches."""
        for watcher in self._watchers:
            watcher(kind, look)

    def show_member(self, member: Member) -> None:
        """Redraw one member."""
        self.show("member", lambda: {"member": member_view(self.state, member)})

    def show_customer(self, external_userid: str, kind: str = "relation") -> None:
        """Redraw one customer with everybody who added them."""
        customer = self.state.customers[external_userid]
        self.show(kind, lambda: {"customer": customer_view(self.state, customer)})

    def show_way(self, config_id: str) -> None:
        """Redraw one contact way; a deleted one has only its id."""
        way = self.state.ways.get(config_id)
        look = way_view(way) if way else {"config_id": config_id, "deleted": True}
        self.show("contact_way", lambda: {"contact_way": look})

    def show_message(self, message: Message, owner: Json, kind: str = "message") -> None:
        """Redraw one message; `owner` is {'userid': …} or {'external_userid': …}."""
        self.show(kind, lambda: {"message": message_view(message), **owner})

    def put(self, userid: str, message: Message) -> Message:
        """Put a message on a member's phone, in the chat with the app."""
        _append(self.state.chats.setdefault(userid.lower(), []), message)
        self.show_message(message, {"userid": self.member(userid).userid})
        return message

    def put_to_customer(self, external_userid: str, message: Message) -> Message:
        """Put a message on a customer's phone."""
        _append(self.state.customer_chats.setdefault(external_userid, []), message)
        self.show_message(message, {"external_userid": external_userid})
        return message


def _append(chat: list[Message], message: Message) -> None:
    chat.append(message)
    if len(chat) > KEEP:
        del chat[: KEEP // 10]
