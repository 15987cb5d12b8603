"""What each event leads to: look at WeCom's present state, then act in one transaction.

Events may come late, twice or out of order, so that a handler never trusts what an event says of
the state of things; it asks WeCom, and runs again harmlessly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, assert_never

from bot import chores, commands, events
from bot.actions import adding, containing, conversation, editing, moving, parting, pressing
from bot.actions.scene import Scene
from bot.chat_reading import ChatReader
from bot.command_types import TagCustomer, UntagCustomer
from bot.company import Company
from bot.console_reading import ConsoleReader
from bot.directory_reading import DirectoryReader
from bot.events import (
    AgentEntered,
    CardMenuPressed,
    CardPressed,
    ChatChanged,
    ContactAdded,
    ContactDeleted,
    ContactEdited,
    DirectoryChanged,
    MenuClicked,
    OtherSaid,
    Subscribed,
    TagChange,
    TagChanged,
    TextSaid,
    TransferFailed,
    Unknown,
    Unsubscribed,
)
from bot.tags import CorpTags
from bot.wecom import ExternalContact, Wecom, WecomError
from bot.worker import Hopeless, Ignore, Postpone, Step
from storage.database import Database
from storage.transaction import Transaction
from storage.work import Claimed
from workflows.containment import TransferRefused
from workflows.model import same_user

_STRANGERS_WAIT = timedelta(seconds=1)
_GONE = frozenset({84061, 40096})  # no relation with anybody visible; an id nobody knows


@dataclass(frozen=True, slots=True)
class Handlers:
    """Handles the rows of the inbox."""

    db: Database
    wecom: Wecom
    company: Company
    tags: CorpTags

    async def __call__(self, work: Claimed) -> Step:
        """Return what to write for one event. Raises Ignore when nothing is to be done."""
        try:
            event = events.parse(work.body.encode())
        except events.Malformed as wrong:
            raise Hopeless(f"malformed: {wrong}") from None
        of_people = isinstance(event, DirectoryChanged | Subscribed | Unsubscribed)
        if not of_people and (userid := getattr(event, "userid", "")):
            await self.know_member(userid, work.created_at)
            event = self._as_spelled(event, userid)
        match event:
            case ContactAdded() | ContactEdited() | ContactDeleted() | TransferFailed():
                return await self._relation(event)
            case TextSaid():
                return await self._said(event)
            case CardPressed():
                return lambda tx: pressing.press(self._as(tx, event.userid), event)
            case CardMenuPressed() | MenuClicked():
                return lambda tx: pressing.menu(self._as(tx, event.userid), event.userid, event.key)
            case AgentEntered():
                return lambda tx: conversation.greet(self._as(tx, event.userid), event.userid)
            case OtherSaid():
                return lambda tx: conversation.not_text(self._as(tx, event.userid), event.userid)
            case DirectoryChanged():
                return await self.directory.heard(event)
            case Subscribed() | Unsubscribed():
                return lambda tx: self.directory.note(tx, f"user:{event.userid.lower()}")
            case TagChanged():
                self.tags.forget()
                return lambda tx: self._tag_changed(tx, event.change)
            case ChatChanged():
                return await self.chats.changed(event, work.created_at)
            case Unknown():
                raise Ignore(f"unknown event {event.event} {event.change_type}".strip())
            case _:
                assert_never(event)

    @property
    def chats(self) -> ChatReader:
        """What looks at customer groups."""
        return ChatReader(self.db, self.wecom, self.company, self.contact, self.know_member)

    @property
    def directory(self) -> DirectoryReader:
        """What looks at the company."""
        return DirectoryReader(self.db, self.wecom, self.company)

    @property
    def console(self) -> ConsoleReader:
        """What looks at lists in WeCom's console."""
        return ConsoleReader(self.db, self.wecom, self.company)

    async def _relation(
        self, event: ContactAdded | ContactEdited | ContactDeleted | TransferFailed
    ) -> Step:
        contact = await self.contact(event.external_userid)
        match event:
            case ContactAdded():
                return lambda tx: adding.added(self._event(tx), event, contact)
            case ContactEdited():
                return lambda tx: editing.edited(self._event(tx), event, contact)
            case ContactDeleted():
                return lambda tx: parting.deleted(self._event(tx), event, contact)
            case TransferFailed():
                return lambda tx: self._transfer_failed(tx, event)
            case _:
                assert_never(event)

    async def contact(self, external_userid: str) -> ExternalContact | None:
        """Return the customer as WeCom shows them; None when no visible member has them."""
        began = self.company.now()
        try:
            contact = await self.wecom.external_contact(external_userid)
        except WecomError as error:
            if error.code in _GONE:
                return None
            raise
        return contact.model_copy(update={"asked_at": began})

    async def look_again(self, userid: str, external_userid: str, look: int) -> Step:
        """Look for an add that WeCom did not show when it told of it."""
        contact = await self.contact(external_userid)
        return lambda tx: adding.looked_again(
            self._event(tx), userid, external_userid, contact, look
        )

    async def know_member(self, userid: str, told_at: datetime) -> None:
        """Read the directory again when an event names somebody who is not in it.

        That is done once a minute at most; a stranger's event waits for it, since a new colleague
        would be judged as nobody.
        """
        if self._knows(userid):
            return
        await self.company.refresh(self.db)
        if self._knows(userid) or self.company.read_since(told_at):
            return
        if not self.company.may_read_again():
            raise Postpone(_STRANGERS_WAIT)
        began = self.company.now()
        await self.db.write(await self.directory.everything())
        await self.company.refresh(self.db)
        self.company.was_read(began)

    def _as_spelled(self, event: Any, userid: str) -> events.Event:
        """Return the event with its member as the directory spells them: WeCom ignores case."""
        member = self.company.standing.directory.member(userid)
        spelled: events.Event = replace(event, userid=member.userid) if member else event
        return spelled

    def _knows(self, userid: str) -> bool:
        return self.company.standing.directory.member(userid) is not None

    def _transfer_failed(self, tx: Transaction, event: TransferFailed) -> None:
        """The event names the member who failed to take over; the remedy is the giver's."""
        scene = self._event(tx)
        moving.failed(scene, event.userid, event.external_userid, event.fail_reason)
        for relation in tx.relations.of_customer(event.external_userid):
            remedy = tx.remedies.open_for(relation.userid, event.external_userid)
            if remedy is not None and same_user(remedy.transfer_to, event.userid):
                refused = TransferRefused(event.fail_reason)
                containing.seen(scene, remedy.userid, event.external_userid, refused)

    async def _said(self, event: TextSaid) -> Step:
        language = commands.language_of(event.text)
        about_tags = isinstance(commands.parse(event.text), TagCustomer | UntagCustomer)
        tags = await self.tags.names() if about_tags else ()
        return lambda tx: conversation.hear(
            self.company.scene_of(tx, event.userid, language), event.userid, event.text, tags
        )

    def _as(self, tx: Transaction, userid: str) -> Scene:
        return self.company.scene_of(tx, userid)

    def _event(self, tx: Transaction) -> Scene:
        return self.company.scene(tx, "wecom:event")

    def _tag_changed(self, tx: Transaction, change: TagChange) -> None:
        """A tag that is called otherwise, or is no more, changes what is on file of customers."""
        scene = self._event(tx)
        scene.record("tag.changed", change=change.value)
        if change in {TagChange.UPDATE, TagChange.DELETE}:
            chores.read_customers_soon(scene)
