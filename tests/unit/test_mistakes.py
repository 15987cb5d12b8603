"""Every mistake has a code with a sentence in both languages, and a place a person can find."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from workflows.mistakes import CODES, Mistake, near

TEXTS = Path(__file__).parents[2] / "bot" / "texts"


def sentences(language: str) -> dict[str, str]:
    text = (TEXTS / language / "mistakes.toml").read_text("utf-8")
    found: dict[str, str] = tomllib.loads(text)["mistake"]
    return found


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_code_has_a_sentence_that_uses_its_own_parameters(language: str) -> None:
    texts = sentences(language)
    assert "{suggestion}" in texts.pop("did_you_mean")
    assert set(texts) == set(CODES)
    for code, sentence in texts.items():
        assert set(re.findall(r"\{(\w+)\}", sentence)) <= CODES[code], code


def test_both_languages_use_the_same_parameters() -> None:
    chinese, english = sentences("zh-CN"), sentences("en")
    for code, sentence in chinese.items():
        used = sorted(re.findall(r"\{(\w+)\}", sentence))
        assert used == sorted(re.findall(r"\{(\w+)\}", english[code])), code


def test_every_code_is_made_somewhere() -> None:
    folder = TEXTS.parents[1] / "workflows"
    files = [p for p in folder.glob("*.py") if p.name != "mistakes.py"]
    readers = ("settings.py", "secret.py", "source_settings.py")
    files += [TEXTS.parents[1] / "bot" / name for name in readers]
    source = "".join(p.read_text("utf-8") for p in files)
    for code in CODES:
        what = code.removeprefix("unknown_")  # made as f"unknown_{what}"
        assert f'"{code}"' in source or (what != code and f'"{what}"' in source), code


def test_a_place_names_array_tables_and_quotes_dotted_keys() -> None:
    loc = ("rule", 2, "when", "customer", "teir")
    made = Mistake(loc, "unknown_attribute", {"value": "customer.teir"}, item="vip")
    assert made.place == "rule[vip].when.customer.teir"
    assert Mistake(("rule", 2, "id"), "required").place == "rule[#3].id"
    assert Mistake(("permissions", "friend.add"), "empty").place == 'permissions."friend.add"'
    inner = Mistake(("chains", "lead", "stages", 0, "need"), "empty")
    assert inner.place == "chains.lead.stages[#1].need"


def test_a_mistake_without_a_sentence_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="no_such_code"):
        Mistake(("rule",), "no_such_code")
    with pytest.raises(ValueError, match="unknown_key"):
        Mistake(("rule",), "unknown_key", {"wrong": "x"})


def test_near_finds_what_was_probably_meant_or_nothing() -> None:
    assert near("customer.teir", ["customer.tier", "customer.tags"]) == "customer.tier"
    assert near("zzz", ["customer.tier"]) == ""
