"""Approval cards: everything needed to decide, within what WeCom shows (document 90236).

A `Sheet` is filled by whoever knows the request; here it becomes a card with buttons, the card that
replaces it, and the long form in text. Everything outside people wrote is made harmless and short.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from bot.texts import Text, Texts, joined
from bot.verbs import verb
from workflows.masking import mask_text, plain
from workflows.model import Origin

KEY_BYTES = 1024
TEXT_BYTES = 2048
TASK_ID_BYTES = 128
REASON_QUESTION = "reason"
NO_REASON = "r0"

# Characters WeCom shows before it shortens by itself, or takes at most.
_SOURCE, _TITLE, _DESC, _SUB_TITLE = 20, 36, 44, 160
_QUOTE = 120  # WeCom names no limit; longer makes the card too tall to decide on
_ROWS, _KEYNAME, _VALUE = 6, 5, 30
_SELECTOR_TITLE, _OPTIONS, _OPTION, _BUTTON = 16, 10, 16, 10

_PREFIX = "ap"
_SEPARATOR = ":"
_ELLIPSIS = "…"


class Choice(StrEnum):
    """What a button of an approval card means."""

    APPROVE = "approve"
    DENY = "deny"
    MORE = "more"  # show the details as text
    WAIVE = "waive"  # approve this one and, for some days, the same ones to come
    AGAIN = "again"  # submit a request again that the rules have overtaken


@dataclass(frozen=True, slots=True)
class Press:
    """A button's key: which request, which stage, what was chosen."""

    request_id: str
    stage: int
    choice: Choice

    def pack(self) -> str:
        """Return the key; ValueError if it would not come back the same or is too long."""
        key = _SEPARATOR.join((_PREFIX, self.request_id, str(self.stage), self.choice))
        if len(key.encode()) > KEY_BYTES:
            raise ValueError(f"key has more than {KEY_BYTES} bytes")
        if Press.unpack(key) != self:
            raise ValueError(f"request id {self.request_id!r} cannot be part of a key")
        return key

    @classmethod
    def unpack(cls, key: str) -> Press | None:
        """Return the press that a key stands for; None if the key is not ours."""
        found = re.fullmatch(rf"{_PREFIX}:([^:\s]+):([0-9]{{1,4}}):({'|'.join(Choice)})", key)
        return cls(found[1], int(found[2]), Choice(found[3])) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All that an approver is told about a request. None means unknown; empty means none.

    `phone` and `followers` come masked. `due` and `way` are words in the reader's language.
    """

    request_id: str
    stage: int  # counted from 0
    stages: int
    requester: str
    customer: str
    action: str = "friend.add"
    origin: Origin = Origin.ASKED
    requester_id: str = ""  # links the requester's row to their profile
    departments: tuple[str, ...] = ()
    position: str = ""
    level: str = ""
    company: str = ""
    phone: str = ""
    tier: str | None = None
    tags: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None
    followers: tuple[str, ...] | None = None  # other members who follow the customer
    way: str = ""
    reason: str = ""
    signed: bool | None = None  # what the requester says
    rules: tuple[tuple[str, str], ...] = ()  # id and `say`
    why: str = ""  # why somebody is asked, where no rule says it
    agreed: tuple[str, ...] = ()  # one line for everybody who agreed at an earlier stage
    adds_today: int | None = None
    due: str = ""
    on_behalf: str = ""  # the approver's name, when a deputy reads this
    note: str = ""  # why this reader is asked, where the chain does not say so
    evidence: tuple[str, ...] = ()  # how like cases were decided, and more to weigh
    reasons: tuple[str, ...] = ()  # for refusing, as configured
    waive_days: int = 0  # for how long the same may be approved in advance; 0: not at all
    rows: tuple[tuple[str, str], ...] = ()  # label and value, where it is not about a customer
    lines: tuple[str, ...] = ()  # more of the details, likewise


def approval_card(sheet: Sheet, texts: Texts, task_id: str) -> dict[str, Any]:
    """Return the `template_card` that asks one person to decide."""
    card = _face(sheet, texts, texts("card.source"))
    card["sub_title_text"] = shorten(_because(sheet, texts), _SUB_TITLE)
    card["task_id"] = task_id
    if sheet.reasons:
        card["button_selection"] = _selection(sheet.reasons, texts)
    styles = {Choice.APPROVE: 1, Choice.DENY: 2, Choice.MORE: 3}
    if sheet.waive_days:
        styles[Choice.WAIVE] = 4
    card["button_list"] = [
        {
            "text": shorten(texts(f"card.{choice}", days=sheet.waive_days), _BUTTON),
            "style": style,
            "key": Press(sheet.request_id, sheet.stage, choice).pack(),
        }
        for choice, style in styles.items()
    ]
    return _without_blanks(card)


def again_card(sheet: Sheet, texts: Texts, task_id: str, said: str) -> dict[str, Any]:
    """Return the card with which a request can be submitted again by one press."""
    card = _face(replace(sheet, due=""), texts, texts("card.source_again"))
    card["sub_title_text"] = shorten(said, _SUB_TITLE)
    card["task_id"] = task_id
    key = Press(sheet.request_id, sheet.stage, Choice.AGAIN).pack()
    card["button_list"] = [{"text": texts("card.again"), "style": 1, "key": key}]
    return _without_blanks(card)


def decided_card(
    sheet: Sheet, texts: Texts, outcome: str, *, who: str, when: str, comment: str = ""
) -> dict[str, Any]:
    """Return the whole card that replaces one after the end: no live button (document 94888).

    `outcome` is a word such as 已同意; `who` decided, `when` as people say it.
    """
    key = "card.decided_comment" if comment else "card.decided"
    line = texts(key, outcome=outcome, who=who, when=when, comment=mask_text(comment))
    card = _face(replace(sheet, due=""), texts, texts("card.source_done"))
    card["sub_title_text"] = shorten(line, _SUB_TITLE)
    # WeCom wants a button here too; `replace_text` greys it, and its key would only show details.
    word = shorten(plain(outcome), _BUTTON)
    more = Press(sheet.request_id, sheet.stage, Choice.MORE).pack()
    card["button_list"] = [{"text": word, "style": 1, "key": more}]
    card["replace_text"] = word
    return _without_blanks(card)


def details_text(sheet: Sheet, texts: Texts) -> Text:
    """Return the long form in at most 2048 bytes, ending with how to answer by text."""
    language = texts.language
    answer = texts(
        "details.answer",
        approve=verb("approve").word(language),
        deny=verb("deny").word(language),
        id=sheet.request_id,
    )
    head = texts("details.head", id=sheet.request_id, title=_title(sheet, texts))
    step = texts("details.step", stage=sheet.stage + 1, stages=sheet.stages)
    body = [
        texts("details.line", label=texts(f"details.{label}"), value=value)
        for label, value in _details(sheet, texts)
        if value
    ]
    more = [Text(plain(line)) for line in sheet.lines]
    kept = shorten_bytes(joined([head, step, *body, *more]), TEXT_BYTES - len(answer.encode()) - 2)
    return joined([Text(kept), "", answer])


def reason_chosen(option_id: str, reasons: Sequence[str]) -> str:
    """Return the reason of an option on the card; '' for none or an unknown option."""
    options = {f"r{number}": reason for number, reason in enumerate(reasons[: _OPTIONS - 1], 1)}
    return options.get(option_id, "")


def task_id(request_id: str, stage: int, userid: str, round_: int) -> str:
    """Return the id of one card: for one person, in one round of asking (never used again)."""
    whole = f"{request_id}|{stage}|{round_}|{userid.lower()}"
    short = hashlib.sha256(whole.encode()).hexdigest()[:12]
    made = f"mw-{request_id}-{stage}-{round_}-{short}"
    if not re.fullmatch(rf"[0-9A-Za-z_@-]{{1,{TASK_ID_BYTES}}}", made):
        raise ValueError(f"request id {request_id!r} cannot be part of a task id")
    return made


def shorten(text: str, most: int) -> str:
    """Return at most `most` characters, ending in '…' if some were left out."""
    if len(text) <= most:
        return text
    return text[: _boundary(text, most - 1)].rstrip() + _ELLIPSIS


def shorten_bytes(text: str, most: int) -> str:
    """Return at most `most` UTF-8 bytes on a character boundary, ending in '…' if cut."""
    encoded = text.encode()
    if len(encoded) <= most:
        return text
    kept = encoded[: most - len(_ELLIPSIS.encode())].decode(errors="ignore")
    return text[: _boundary(text, len(kept))].rstrip() + _ELLIPSIS


def _boundary(text: str, at: int) -> int:
    """Return the last place up to `at` where cutting does not tear a combined character apart."""
    while at > 0 and (_joins_on(text[at]) or text[at - 1] == "\u200d"):
        at -= 1
    return at


def _joins_on(char: str) -> bool:
    marks = unicodedata.category(char) in {"Mn", "Me", "Mc"}
    return marks or char == "\u200d" or "\U0001f3fb" <= char <= "\U0001f3ff"


def _face(sheet: Sheet, texts: Texts, source: str) -> dict[str, Any]:
    """Return what a card shows before and after the decision."""
    base = f"card.quote_none.{sheet.origin}"
    none = texts.either(f"{base}.{sheet.action}", base)
    quote = shorten(_reason(sheet, texts) or none, _QUOTE)
    return {
        "card_type": "button_interaction",
        "source": {"desc": shorten(source, _SOURCE), "desc_color": 0},
        "main_title": {
            "title": shorten(_title(sheet, texts), _TITLE),
            "desc": shorten(_where(sheet, texts), _DESC),
        },
        "quote_area": {"type": 0, "title": texts("card.quote"), "quote_text": quote},
        "sub_title_text": "",
        "horizontal_content_list": _rows(sheet, texts),
    }


def _title(sheet: Sheet, texts: Texts) -> Text:
    base = f"card.title.{sheet.origin}"
    return texts.either(
        f"{base}.{sheet.action}",
        f"{base}.other",
        requester=shorten(plain(sheet.requester) or texts("word.unknown"), 10),
        customer=shorten(plain(mask_text(sheet.customer)) or texts("word.unknown"), 13),
        action=texts.action(sheet.action),
    )


def _where(sheet: Sheet, texts: Texts) -> Text:
    return texts(
        "card.desc_due" if sheet.due else "card.desc",
        id=sheet.request_id,
        stage=sheet.stage + 1,
        stages=sheet.stages,
        due=sheet.due,
    )


def _because(sheet: Sheet, texts: Texts) -> Text:
    says = [say for _, say in sheet.rules if say] or ([sheet.why] if sheet.why else [])
    behalf = [texts("card.behalf", name=sheet.on_behalf)] if sheet.on_behalf else []
    because = [texts("card.because", rules=joined(says, " "))] if says else []
    note = [sheet.note] if sheet.note else []
    return joined([*behalf, *note, *because, *sheet.evidence, *sheet.agreed], " ")


def _reason(sheet: Sheet, texts: Texts) -> str:
    claims = {True: texts("card.signed"), False: texts("card.not_signed"), None: ""}
    return plain(mask_text(sheet.reason) + claims[sheet.signed])


def _rows(sheet: Sheet, texts: Texts) -> list[dict[str, Any]]:
    """Return the six rows a supervisor decides on; blanks are left out."""
    if sheet.rows:
        return [_row(label, plain(value)) for label, value in sheet.rows[:_ROWS] if value]
    who = _dotted([sheet.requester, *sheet.departments[:1], sheet.position or sheet.level])
    kinds = [sheet.tier or "", *(sheet.groups or ()), *(sheet.tags or ())]
    adds = sheet.adds_today
    values = {
        "requester": who,
        "company": plain(mask_text(sheet.company)),
        "contact": _dotted([mask_text(sheet.phone), sheet.way]),
        "customer": _dotted(kinds) or texts("word.unknown"),
        "followers": _followers(sheet, texts),
        "adds": "" if adds is None else texts("card.value.adds", count=adds),
    }
    rows = [_row(texts(f"card.key.{key}"), value) for key, value in values.items() if value]
    if who and sheet.requester_id:
        rows[0] |= {"type": 3, "userid": sheet.requester_id}
    return rows[:_ROWS]


def _row(key: str, value: str) -> dict[str, Any]:
    return {"keyname": shorten(key, _KEYNAME), "value": shorten(value, _VALUE)}


def _followers(sheet: Sheet, texts: Texts) -> Text:
    if sheet.followers is None:
        return texts("word.unknown")
    return texts.listed(sheet.followers) if sheet.followers else texts("card.value.no_followers")


def _selection(reasons: Sequence[str], texts: Texts) -> dict[str, Any]:
    words = [texts("card.no_reason"), *reasons[: _OPTIONS - 1]]
    return {
        "question_key": REASON_QUESTION,
        "title": shorten(texts("card.reasons"), _SELECTOR_TITLE),
        "selected_id": NO_REASON,
        "option_list": [
            {"id": f"r{number}", "text": shorten(plain(word), _OPTION) or "-"}
            for number, word in enumerate(words)
        ],
    }


def _details(sheet: Sheet, texts: Texts) -> list[tuple[str, str]]:
    """Return label and value of each line, what matters most first: the end may be cut."""
    if sheet.rows:
        return [("due", sheet.due), ("reason", _reason(sheet, texts))]
    return [
        ("due", sheet.due),
        ("origin", texts.either(f"origin.{sheet.origin}.{sheet.action}", f"origin.{sheet.origin}")),
        ("requester", sheet.requester),
        ("department", _some(sheet.departments, texts, 5)),
        ("position", sheet.position),
        ("level", sheet.level),
        ("behalf", sheet.on_behalf),
        ("customer", mask_text(sheet.customer)),
        ("company", mask_text(sheet.company)),
        ("phone", mask_text(sheet.phone)),
        ("way", sheet.way),
        ("tier", texts("word.unknown") if sheet.tier is None else sheet.tier),
        ("groups", _some(sheet.groups, texts, 8)),
        ("tags", _some(sheet.tags, texts, 8)),
        ("followers", _some(sheet.followers, texts, 8)),
        ("adds", "" if sheet.adds_today is None else str(sheet.adds_today)),
        ("rules", _some([_rule(rule, texts) for rule in sheet.rules], texts, 6)),
        ("why", "" if sheet.rules else sheet.why),
        ("reason", _reason(sheet, texts)),
        ("agreed", joined(sheet.agreed, " ")),
        ("evidence", joined(sheet.evidence, " ")),
    ]


def _rule(rule: tuple[str, str], texts: Texts) -> Text:
    rule_id, say = rule
    return texts("card.value.rule", say=say, id=rule_id) if say else Text(plain(rule_id))


def _some(values: Sequence[str] | None, texts: Texts, most: int) -> Text:
    if values is None:
        return texts("word.unknown")
    more = [Text(_ELLIPSIS)] if len(values) > most else []
    return texts.listed([*values[:most], *more]) if values else texts("word.none")


def _dotted(parts: Iterable[str]) -> str:
    return " · ".join(part for part in map(plain, parts) if part)


def _without_blanks(card: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in card.items() if value not in ("", [], {})}
