"""The chat between members and the app: messages, cards, presses, updates (docs 90236-90241)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from bot.simulator.cards_check import buttons_of, menu_of, questions_of
from bot.simulator.errors import ApiError, ImpossibleError
from bot.simulator.events import Event
from bot.simulator.people import People
from bot.simulator.records import Json, Member, Message, ResponseCode, Sent

PER_MINUTE, PER_HOUR = 30, 1000  # to one member from one app; the excess is dropped silently
RESPONSE_CODE_LIFE = 72 * 3600
RECALL_WITHIN = 24 * 3600

Selected = Mapping[str, Sequence[str]]


class AppChat(People):
    """What appears in the chat with the app, and what members do there."""

    # -- what the app does ---------------------------------------------------------------------

    def deliver(self, sent: Sent, looks: Mapping[str, Any]) -> None:
        """Show an accepted message on the phones of its recipients, within WeCom's limits."""
        self.state.sent[sent.msgid] = sent
        if sent.task_id:
            self.task_ids.add(sent.task_id)
        for userid in sent.recipients:
            message = Message(self.next_id(), "app", userid, at=sent.at, msgid=sent.msgid, **looks)
            if not self._within_limits(userid, sent.at):
                self.state.dropped.append(message)
                continue
            if sent.task_id:
                self.state.cards[userid.lower(), sent.task_id] = message
            self.put(userid, message)

    def new_response_code(self, sent: Sent) -> str:
        """A code for one update of this card."""
        code = self.fresh("rc_", 40)
        self.state.response_codes[code] = ResponseCode(sent.msgid, self.now())
        return code

    def peek(self, code: str) -> Sent:
        """The message that a response code may update; raises 60140."""
        known = self.state.response_codes.get(code)
        too_old = known is not None and self.now() - known.at > RESPONSE_CODE_LIFE
        if known is None or known.used or too_old:
            raise ApiError(60140, "invalid response_code")
        return self.state.sent[known.msgid]

    def redeem(self, code: str) -> Sent:
        """The same, and the code is used up."""
        sent = self.peek(code)
        self.state.response_codes[code].used = True
        return sent

    def redeem_passively(self, code: str) -> Sent:
        """The same for a passive update, which is taken to use the code up as well.

        WeCom does not document it; raises ValueError when an API call was quicker.
        """
        try:
            return self.redeem(code)
        except ApiError as error:
            raise ValueError("the response_code of this event is used up") from error

    def replace_button(self, sent: Sent, userid: str, text: str) -> None:
        """Grey the buttons of one recipient's card."""
        message = self.state.cards.get((userid.lower(), sent.task_id))
        if message is not None:
            message.replaced, message.open = text, False
            self._show_updated(message)

    def replace_card(self, sent: Sent, userid: str, card: Json) -> None:
        """Replace the whole card of one recipient."""
        message = self.state.cards.get((userid.lower(), sent.task_id))
        if message is not None:
            message.card = {**card, "task_id": sent.task_id}
            message.replaced = card.get("replace_text", "")
            message.open = not message.replaced and bool(buttons_of(card) or menu_of(card))
            self._show_updated(message)

    def recall(self, msgid: str) -> None:
        """Take a message off all phones; raises 40058 or 42052."""
        sent = self.state.sent.get(msgid)
        if sent is None:
            raise ApiError(40058, "msgid unknown or of another app")
        if self.now() - sent.at > RECALL_WITHIN:
            raise ApiError(42052, "msgid expired")
        for userid in sent.recipients:
            for message in self.state.chats.get(userid.lower(), []):
                if message.msgid == msgid:
                    message.kind, message.open, message.card = "notice", False, None
                    message.articles, message.text, message.key = [], "", "recalled"
                    message.media = None
                    self._show_updated(message)
            self.state.cards.pop((userid.lower(), sent.task_id), None)

    def _within_limits(self, userid: str, now: float) -> bool:
        times = self.state.received.setdefault(userid.lower(), deque(maxlen=PER_HOUR))
        full_hour = len(times) == PER_HOUR and now - times[0] < 3600
        full_minute = len(times) >= PER_MINUTE and now - times[-PER_MINUTE] < 60
        if full_hour or full_minute:
            return False
        times.append(now)
        return True

    def _show_updated(self, message: Message) -> None:
        self.show_message(message, {"userid": message.to}, "message_updated")

    # -- what members do -----------------------------------------------------------------------

    def member_says(self, userid: str, text: str) -> Event:
        """A member writes to the app."""
        member = self._user(userid)
        if not text.strip():
            raise ImpossibleError("nothing to say")
        self._put_own(member, "said", text)
        more = {"Content": text, "MsgId": int(self.fresh_msgid())}
        return self.tell_app(member, "text", more)

    def member_enters_app(self, userid: str) -> Event:
        """A member opens the chat with the app."""
        return self.tell_app(self._user(userid), "event", {"Event": "enter_agent", "EventKey": ""})

    def member_clicks_menu(self, userid: str, key: str) -> Event:
        """A member clicks a button of the menu under the chat; `key` is its key or URL."""
        member = self._user(userid)
        leaves = [leaf for top in self.menu for leaf in top.get("sub_button") or [top]]
        for leaf in leaves:
            if key in (leaf.get("key"), leaf.get("url")):
                more = {"Event": leaf["type"], "EventKey": key}
                return self.tell_app(member, "event", more)
        raise ImpossibleError(f"the menu has no button {key}")

    def member_presses(
        self, userid: str, task_id: str, key: str, selected: Selected | None = None
    ) -> Event:
        """A member presses a button or submits a card; what is not selected stays as shown."""
        member, message = self._card_in_hand(userid, task_id)
        card = message.card or {}
        labels = buttons_of(card)
        if not message.open or key not in labels:
            raise ImpossibleError(f"the card has no button {key} that can be pressed")
        chosen = _choose(card, selected or {})
        self._put_own(member, "pressed", labels[key], task_id=task_id, key=key)
        items = [
            {"QuestionKey": question, "OptionIds": {"OptionId": options}}
            for question, options in chosen.items()
        ]
        more = {"SelectedItems": {"SelectedItem": items}} if items else {}
        return self._tell_card(member, message, "template_card_event", {"EventKey": key, **more})

    def member_menu_presses(self, userid: str, task_id: str, key: str) -> Event:
        """A member picks from the menu in a card's corner."""
        member, message = self._card_in_hand(userid, task_id)
        labels = menu_of(message.card or {})
        if key not in labels:
            raise ImpossibleError(f"the card's menu has no {key}")
        self._put_own(member, "pressed", labels[key], task_id=task_id, key=key)
        return self._tell_card(member, message, "template_card_menu_event", {"EventKey": key})

    def _tell_card(
        self, member: Member, message: Message, name: str, more: Mapping[str, Any]
    ) -> Event:
        code = self.new_response_code(self.state.sent[message.msgid])
        fields = {
            "Event": name,
            **more,
            "TaskId": message.task_id,
            "CardType": (message.card or {})["card_type"],
            "ResponseCode": code,
        }
        of_card = {"task_id": message.task_id, "response_code": code}
        return self.tell_app(member, "event", fields, **of_card)

    def _card_in_hand(self, userid: str, task_id: str) -> tuple[Member, Message]:
        member = self._user(userid)
        message = self.state.cards.get((member.key, task_id))
        if message is None:
            raise ImpossibleError(f"{userid} has no card {task_id}")
        return member, message

    def _put_own(self, member: Member, kind: str, text: str, **more: str) -> None:
        own = Message(self.next_id(), member.userid, "app", kind, self.now(), text, **more)  # type: ignore[arg-type]
        self.put(member.userid, own)

    def _user(self, userid: str) -> Member:
        member = self.working(userid)
        if not member.visible:
            raise ImpossibleError(f"{userid} does not see the app")
        return member

    # -- passive replies -----------------------------------------------------------------------

    def reply_text(self, userid: str, text: str) -> None:
        """A passive text appears in the member's chat, cut at 2048 bytes."""
        shown = text.encode()[:2048].decode(errors="ignore")
        self.put(userid, Message(self.next_id(), "app", userid, "text", self.now(), shown))

    def reply_articles(self, userid: str, articles: list[Json]) -> None:
        """A passive list of articles appears in the member's chat."""
        message = Message(self.next_id(), "app", userid, "news", self.now(), articles=articles)
        self.put(userid, message)


def _choose(card: Json, selected: Selected) -> dict[str, list[str]]:
    """What the event says was selected: the person's choice, or what the card preselects."""
    questions = questions_of(card)
    unknown = set(selected) - set(questions)
    if unknown:
        raise ImpossibleError(f"the card does not ask {sorted(unknown)}")
    chosen = {}
    for key, question in questions.items():
        picked = list(selected.get(key, question.preset))
        if not set(picked) <= set(question.options):
            raise ImpossibleError(f"{key} has no option {picked}")
        if not question.several and len(picked) != 1:
            raise ImpossibleError(f"{key} needs exactly one answer")
        chosen[key] = picked
    return chosen
