"""What the bot says to a command that cannot be carried out, to an incomplete ask, and as help."""

from __future__ import annotations

from collections.abc import Iterable

from bot.command_arguments import LOOK_ALIKES, is_slip
from bot.command_types import Fault, Unclear
from bot.texts import Text, Texts, joined
from bot.verbs import VERBS, Audience, Verb, verb

EXAMPLE_ID = "A7K2"


def unclear(command: Unclear, texts: Texts, example: str = EXAMPLE_ID) -> Text:
    """Return what was wrong with a command, and how it is said, with such an id as an example."""
    meant = verb(command.suggestion)
    used = sorted({char for char in command.text.upper() if char in LOOK_ALIKES})
    return texts(
        f"unclear.{command.why}",
        typed=command.text,
        verb=word(command, texts),
        usage=_usage(meant, texts, example),
        letters=texts.listed(used),
    )


def word(command: Unclear, texts: Texts) -> str:
    """Return the verb's word that was nearly typed, or else the one that is shown to readers."""
    meant = verb(command.suggestion)
    near = (each for each in (*meant.zh, *meant.en) if is_slip(command.text.lower(), each))
    shown = meant.word(texts.language)
    return next(near, shown) if command.why is Fault.NEAR else shown


def unfinished(missing: Iterable[str], texts: Texts, *, asked: bool = False) -> Text:
    """Return the question for what an ask lacks (`Reading.missing`); `asked`: they asked back."""
    lacking = texts.listed(texts(f"asking.{need}") for need in missing)
    return texts("asking.question" if asked else "asking.intro", missing=lacking)


def overview(texts: Texts, audiences: Iterable[Audience]) -> list[Text]:
    """Return the help for these audiences: a message each, since WeCom cuts long ones."""
    parts = [_section(audience, texts) for audience in audiences]
    footer = texts("help.footer", example=verb("withdraw").word(texts.language))
    return [*parts[:-1], joined([parts[-1], "", footer])]


def _section(audience: Audience, texts: Texts) -> Text:
    items = [
        texts("help.item", usage=_usage(each, texts), line=texts(f"help.line.{each.name}"))
        for each in VERBS
        if each.audience is audience
    ]
    return joined([texts(f"help.intro.{audience}"), "", *items])


def help_on(topic: str, texts: Texts) -> Text:
    """Return the help for one verb's name."""
    each = verb(topic)
    words = [*each.zh, *each.en]
    words.remove(each.word(texts.language))
    return texts(
        "help.topic",
        line=texts(f"help.line.{each.name}"),
        usage=_usage(each, texts),
        also=texts.listed(words),
    )


def _usage(each: Verb, texts: Texts, example: str = EXAMPLE_ID) -> Text:
    return texts(f"help.usage.{each.name}", verb=each.word(texts.language), id=example)
