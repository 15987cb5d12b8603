"""What the bot says to a command that cannot be carried out, to an incomplete ask, and as help."""

from __future__ import annotations

from collections.abc import Iterable

from bot.command_arguments import LOOK_ALIKES
from bot.command_types import Command, Unclear
from bot.commands import OFFERED, VERBS, Verb, verb
from bot.texts import Text, Texts, joined

EXAMPLE_ID = "A7K2"


def unclear(command: Unclear, texts: Texts) -> Text:
    """Return what was wrong with a command, and how it is said."""
    meant = verb(command.suggestion)
    used = sorted({char for char in command.text.upper() if char in LOOK_ALIKES})
    return texts(
        f"unclear.{command.why}",
        typed=command.text,
        verb=meant.word(texts.language),
        usage=_usage(meant, texts),
        letters=texts.listed(used),
    )


def unfinished(missing: Iterable[str], texts: Texts) -> Text:
    """Return the question for what an ask lacks (`Reading.missing`)."""
    return texts("asking.intro", missing=texts.listed(texts(f"asking.{need}") for need in missing))


def help_on(topic: str | None, texts: Texts, offered: tuple[type[Command], ...] = OFFERED) -> Text:
    """Return the help for one verb's name, or for all that is offered."""
    if topic:
        return _topic(verb(topic), texts)
    items = [
        texts("help.item", usage=_usage(each, texts), line=texts(f"help.line.{each.name}"))
        for each in VERBS
        if each.kind in offered
    ]
    footer = texts("help.footer", example=verb("approve").word(texts.language))
    return joined([texts("help.intro"), "", *items, "", footer])


def _topic(each: Verb, texts: Texts) -> Text:
    words = [*each.zh, *each.en]
    words.remove(each.word(texts.language))
    return texts(
        "help.topic",
        line=texts(f"help.line.{each.name}"),
        usage=_usage(each, texts),
        also=texts.listed(words),
    )


def _usage(each: Verb, texts: Texts) -> Text:
    return texts(f"help.usage.{each.name}", verb=each.word(texts.language), id=EXAMPLE_ID)
