"""What a member says to the bot, and what follows from it."""

from __future__ import annotations

from bot import commands, hints, outgoing
from bot.actions import asking, explaining, queries, rights, voting, waiving
from bot.actions.scene import Scene
from bot.command_types import (
    Add,
    ApproveRequest,
    Command,
    DenyRequest,
    EndWaiver,
    Fault,
    Help,
    Look,
    Mine,
    Nudge,
    PlainText,
    Resubmit,
    Rights,
    Rules,
    Todo,
    Unclear,
    Waive,
    Why,
    WithdrawRequest,
)
from workflows.steps import Refused

# What the entries of the app's menu stand for; the keys are set by the menu (`menwei menu`).
MENU: dict[str, Command] = {"mine": Mine(), "todo": Todo(), "help": Help(None)}

_HELLO = frozenset({"你好", "您好", "hi", "hello", "在吗", "早", "早上好"})
_THANKS = frozenset({"谢谢", "谢谢你", "多谢", "感谢", "thanks", "thank you"})
_NEVER_MIND = frozenset({"取消", "算了", "不用了", "cancel", "never mind"})


def hear(scene: Scene, userid: str, text: str) -> None:
    """Carry out a command, or take a text as the answer to what was asked back."""
    command = commands.parse(text)
    draft = scene.tx.drafts.get(userid, scene.now)
    if draft is not None and text.strip().lower() in _NEVER_MIND:
        scene.tx.drafts.drop(userid)
        scene.tell([userid], "talk.given_up")
        return
    if draft is not None and _is_talk(command, text, draft.kind):
        if draft.kind == asking.DRAFT:
            asking.complete(scene, userid, draft.body, text)
        else:
            voting.finish_denial(scene, userid, draft.body, text)
        return
    if draft is not None:
        scene.tx.drafts.drop(userid)  # another command: what was begun is given up
    obey(scene, userid, command)


def _is_talk(command: Command, text: str, asked: str) -> bool:
    """Whether somebody who was asked something answers, rather than says a command.

    A command that is only nearly right is never taken as the reason of a refusal.
    """
    if isinstance(command, Help) and command.topic is None:  # '帮助不大' begins like one
        called = commands.verb("help")
        return text.strip().lower() not in {*called.zh, *called.en, "？"}
    answers = PlainText | Unclear if asked == asking.DRAFT else PlainText
    return isinstance(command, answers)


def obey(scene: Scene, userid: str, command: Command) -> None:
    """Carry out one command; a refusal is answered, never raised."""
    try:
        _obey(scene, userid, command)
    except Refused as refused:
        scene.tell_as_core([userid], f"refused.{refused.key}", refused.params)


def _obey(scene: Scene, userid: str, command: Command) -> None:
    match command:
        case Add(rest):
            asking.ask(scene, userid, rest)
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
        case Look(what):
            queries.look(scene, userid, what)
        case Rules():
            queries.rules(scene, userid)
        case Help(topic):
            scene.answer(userid, hints.help_on(topic, scene.texts))
        case Unclear(suggestion="add", why=Fault.WHAT_MISSING):
            asking.ask(scene, userid, "")
        case Unclear():
            scene.answer(userid, hints.unclear(command, scene.texts))
        case PlainText(text) if text.strip(" ！!。.~").lower() in _HELLO:
            scene.tell([userid], "talk.greeting", name=scene.person(userid).name)
        case PlainText(text) if text.strip(" ！!。.~").lower() in _THANKS:
            scene.tell([userid], "talk.thanked")
        case _:
            scene.tell([userid], "talk.not_a_command")


def greet(scene: Scene, userid: str) -> None:
    """Say once, when a member first opens the chat, what the bot is for."""
    said = scene.texts("talk.greeting", name=scene.person(userid).name)
    scene.send(outgoing.SendText(userid, said), key=f"greeting:{userid.lower()}")


def not_text(scene: Scene, userid: str) -> None:
    """Answer a picture or a voice message."""
    scene.tell([userid], "talk.only_text")
