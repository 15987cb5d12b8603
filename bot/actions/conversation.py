"""What a member says to the bot, and what follows from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import assert_never

from bot import commands, hints, outgoing, replies, verbs
from bot.actions import (
    arranging,
    asking,
    batching,
    breaking_glass,
    bulk_adding,
    bulk_voting,
    customers,
    exceptional,
    explaining,
    feedback,
    helping,
    missing_ids,
    queries,
    rights,
    team,
    voting,
    waiving,
)
from bot.actions.scene import Scene
from bot.command_types import (
    Add,
    AddApprover,
    AddMany,
    AnswerOwner,
    Appeal,
    ApproveExcept,
    ApproveRequest,
    AskOwner,
    AskRight,
    Away,
    Back,
    BreakGlass,
    Command,
    ConfirmBreakGlass,
    DeadLetters,
    DenyRequest,
    EndWaiver,
    ExportCustomers,
    Fault,
    Feedback,
    Freeze,
    Grant,
    HandOver,
    Help,
    Look,
    Mine,
    Nudge,
    PlainText,
    ReplayWork,
    Resubmit,
    Review,
    RevokeRight,
    Rights,
    Rules,
    SendBack,
    Supplement,
    TagCustomer,
    Team,
    Todo,
    TransferCustomers,
    Unclear,
    Undo,
    Unfreeze,
    UntagCustomer,
    Waive,
    Why,
    WithdrawRequest,
)
from storage.drafts import Draft
from workflows.asking import read
from workflows.model import Answer
from workflows.steps import Refused

# What the entries of the app's menu stand for; `menwei doctor --menu` sets them.
MENU: dict[str, Command] = {"mine": Mine(), "todo": Todo(), "help": Help(None)}

_HELLO = frozenset({"你好", "您好", "hi", "hello", "在吗", "早", "早上好"})
_THANKS = frozenset({"谢谢", "谢谢你", "多谢", "感谢", "thanks", "thank you"})
# 我想加个客户, 怎么添加好友, how do I add a customer
_WISH = re.compile(
    r"^(?!.*(?:不|没|别|已|\bnot?\b|n't)).*"
    r"(?:(?:添?加|报备|新增)(?:[一几]?[个位]|新的?)*(?:客户|好友|微信|人)"
    r"|\badd (?:an?|some|my|new)\b.*\b(?:customer|client|contact|friend))",
    re.IGNORECASE,
)
# 报备客户：王五，五洲集团，13655556666，展会认识
_WISHED = re.compile(
    r"[我想要请帮忙]*(?:添?加|报备|新增)(?:[一几]?[个位]|新的?)*(?:客户|好友|微信|人)"
    r"[\s:：,，、]+(?P<who>[^\n]+)"
)
_SHORT = 40
_ORDERS = frozenset({"approve", "deny", "waive", "grant", "revoke", "freeze", "break_glass"})


def hear(scene: Scene, userid: str, text: str, tags: Sequence[str] = ()) -> None:
    """Carry out a command, or take a text as the answer to what was asked back.

    `tags` are the names of all corp tags, where the command is about tags.
    """
    command = commands.parse(text)
    draft = scene.tx.drafts.get(userid, scene.now)
    if draft is not None and _gives_up(draft.kind, text):
        _drop(scene, userid, draft)
        return
    if draft is not None and draft.kind == batching.DRAFT and batching.is_yes(text):
        batching.confirm(scene, userid, draft.body)
        return
    if draft is not None and draft.kind == breaking_glass.DRAFT and _half_confirms(command, text):
        scene.tell([userid], "breakglass.in_full", id=draft.body.partition("|")[0])
        return
    if draft is not None and _is_talk(command, text, draft.kind):
        if draft.kind == asking.DRAFT and _is_order(command, text):
            missing = read(draft.body).missing
            scene.answer(userid, hints.unfinished(missing, scene.texts, asked=True))
        elif draft.kind == asking.DRAFT:
            asking.complete(scene, userid, draft.body, text)
        elif draft.kind == bulk_adding.DRAFT:
            bulk_adding.complete(scene, userid, draft.body, text)
        elif draft.kind == customers.DRAFT:
            customers.choose(scene, userid, draft.body, text)
        else:
            voting.finish_denial(scene, userid, draft.body, text)
        return
    if draft is not None and not isinstance(command, ConfirmBreakGlass):
        scene.tx.drafts.drop(userid)  # another command: what was begun is given up
    obey(scene, userid, command, tags)


def _gives_up(asked: str, text: str) -> bool:
    """Whether somebody who was asked something drops what they have begun."""
    match asked:
        case voting.DENIAL:
            return replies.takes_refusal_back(text)
        case asking.DRAFT | bulk_adding.DRAFT:
            return replies.takes_ask_back(text)
        case _:
            return replies.gives_up(text)


def _drop(scene: Scene, userid: str, draft: Draft) -> None:
    if draft.kind == voting.DENIAL:
        voting.drop_denial(scene, userid, draft.body)
        return
    scene.tx.drafts.drop(userid)
    scene.tell([userid], "talk.given_up")


def _is_talk(command: Command, text: str, asked: str) -> bool:
    """Whether somebody who was asked something answers, rather than says a command.

    A command that is only nearly right is never taken as the reason of a refusal.
    """
    if asked in {breaking_glass.DRAFT, batching.DRAFT}:
        return False  # it waits for a command, or for a yes
    if isinstance(command, Help) and command.topic is None:  # '帮助不大' begins like one
        called = verbs.verb("help")
        return text.strip().lower() not in {*called.zh, *called.en, "？"}
    drafts = {asking.DRAFT, bulk_adding.DRAFT}
    answers = PlainText | Unclear if asked in drafts else PlainText
    return isinstance(command, answers)


def _half_confirms(command: Command, text: str) -> bool:
    """Whether somebody confirms an emergency without all the words that takes."""
    match command:
        case Unclear("break_glass", Fault.ID_MISSING):
            return True
        case PlainText():
            first = re.match(r"\s*(?:确认|确定|[a-z]+)", text.lower())
            return first is not None and batching.is_yes(first[0])
        case _:
            return False


def _is_order(command: Command, text: str) -> bool:
    """Whether somebody says a command of approvers or admins, and leaves something out.

    An answer may begin like one: 通过展会认识, 通过 LinkedIn 认识, 授权代理商.
    """
    if not isinstance(command, Unclear) or command.suggestion not in _ORDERS:
        return False
    found = next(verbs.matches(text.strip()), None)
    if found is None or found.glued:
        return False
    no_id = command.why in {Fault.ID_MISSING, Fault.ID_SHAPE}
    odd_word = command.why is Fault.ID_LETTERS and not any(map(str.isdigit, command.text))
    return not found.rest or not (no_id or odd_word)


def obey(scene: Scene, userid: str, command: Command, tags: Sequence[str] = ()) -> None:
    """Carry out one command; a refusal is answered, never raised."""
    try:
        _obey(scene, userid, command, tags)
    except Refused as refused:
        scene.tell_as_core([userid], f"refused.{refused.key}", refused.params)


def _obey(scene: Scene, userid: str, command: Command, tags: Sequence[str]) -> None:
    match command:
        case Add(rest):
            asking.ask(scene, userid, rest)
        case AddMany(rest):
            bulk_adding.ask(scene, userid, rest)
        case Mine():
            queries.mine(scene, userid)
        case WithdrawRequest(id):
            voting.withdraw(scene, userid, id)
        case Nudge(id):
            voting.nudge(scene, userid, id)
        case Resubmit(id):
            voting.resubmit(scene, userid, id)
        case Why(id):
            explaining.why(scene, userid, id)
        case Rights(who, customer):
            rights.show(scene, userid, who, customer)
        case Todo():
            queries.todo(scene, userid)
        case ApproveExcept() | ApproveRequest() | DenyRequest() | Waive() | EndWaiver():
            _decide(scene, userid, command)
        case AddApprover() | Appeal() | Away() | Back():
            arranging.obey(scene, userid, command)
        case HandOver() | SendBack() | Supplement() | Undo():
            arranging.obey(scene, userid, command)
        case AskRight() | Grant() | RevokeRight() | Freeze() | Unfreeze() | Review():
            exceptional.obey(scene, userid, command)
        case BreakGlass() | ConfirmBreakGlass() | DeadLetters() | ReplayWork():
            exceptional.obey(scene, userid, command)
        case (
            TransferCustomers()
            | TagCustomer()
            | UntagCustomer()
            | ExportCustomers()
            | AskOwner()
            | AnswerOwner()
        ):
            customers.obey(scene, userid, command, tags)
        case Look(what):
            queries.look(scene, userid, what)
        case Team() | Rules() | Feedback() | Help():
            _inform(scene, userid, command)
        case Unclear():
            _clear_up(scene, userid, command)
        case PlainText(text):
            _chat(scene, userid, text)
        case _:
            assert_never(command)


def _clear_up(scene: Scene, userid: str, command: Unclear) -> None:
    """Ask for what a command lacks."""
    if command.suggestion == "add" and command.why is Fault.WHAT_MISSING:
        asking.ask(scene, userid, "")
    elif command.why is Fault.DOUBTFUL and (
        (stands := replies.asks_how_it_stands(command.text)) is not None
    ):
        _show(scene, userid, stands)  # 通过了吗, A7K2 批了没
    elif command.why is Fault.ID_MISSING:
        missing_ids.answer(scene, userid, command)
    else:
        scene.answer(userid, hints.unclear(command, scene.texts))


def _chat(scene: Scene, userid: str, text: str) -> None:
    """Answer what is no command."""
    said = text.strip(" ！!。.~").lower()
    stands = replies.asks_how_it_stands(text)
    if stands is not None:
        _show(scene, userid, stands)
    elif batching.is_yes(text):
        scene.tell([userid], "batch.nothing")
    elif said in _HELLO:
        scene.tell([userid], "talk.greeting", name=scene.person(userid).name)
    elif said in _THANKS:
        scene.tell([userid], "talk.thanked")
    elif (wished := _WISHED.fullmatch(text.strip())) and read(wished["who"]).claim.name:
        asking.ask(scene, userid, wished["who"])
    elif len(said) <= _SHORT and _WISH.search(said):
        asking.ask(scene, userid, "")  # which asks for what it takes
    else:
        scene.tell([userid], "talk.not_a_command")


def _show(scene: Scene, userid: str, request_id: str) -> None:
    """Show how a request stands, or all of one's own."""
    if request_id:
        queries.look(scene, userid, request_id)
    else:
        queries.mine(scene, userid)


def _inform(scene: Scene, userid: str, command: Team | Rules | Feedback | Help) -> None:
    match command:
        case Team():
            team.show(scene, userid)
        case Rules():
            queries.rules(scene, userid)
        case Feedback(text):
            feedback.give(scene, userid, text)
        case Help(str(topic)):
            scene.answer(userid, hints.help_on(topic, scene.texts))
        case Help():
            helping.answer(scene, userid)
        case _:
            assert_never(command)


def _decide(
    scene: Scene,
    userid: str,
    command: ApproveExcept | ApproveRequest | DenyRequest | Waive | EndWaiver,
) -> None:
    match command:
        case ApproveExcept():
            bulk_voting.approve(scene, userid, command, via="command")
        case ApproveRequest(id, comment, True):
            batching.begin(scene, userid, id, Answer.APPROVE, comment)
        case DenyRequest(id, comment, True):
            batching.begin(scene, userid, id, Answer.DENY, comment)
        case ApproveRequest(id, comment):
            voting.approve(scene, userid, id, comment=comment, via="command")
        case DenyRequest(id, comment):
            voting.deny(scene, userid, id, comment=comment, via="command")
        case Waive(None):
            waiving.show(scene, userid)
        case Waive():
            voting.waive(scene, userid, command, via="command")
        case EndWaiver(id):
            waiving.revoke(scene, userid, id)
        case _:
            assert_never(command)


def greet(scene: Scene, userid: str) -> None:
    """Say once, when a member first opens the chat, what the bot is for."""
    said = scene.texts("talk.greeting", name=scene.person(userid).name)
    scene.send(outgoing.SendText(userid, said), key=f"greeting:{userid.lower()}")


def not_text(scene: Scene, userid: str) -> None:
    """Answer a picture or a voice message."""
    scene.tell([userid], "talk.only_text")
