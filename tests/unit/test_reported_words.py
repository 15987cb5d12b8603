"""Whatever `menwei doctor` and the outside sources can find wrong has words, and is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot import doctor, texts
from bot.texts import Texts

ROOT = Path(__file__).parents[2]
SPOKEN = [texts.load(language) for language in texts.LANGUAGES]
BOTH = pytest.mark.parametrize("voice", SPOKEN, ids=texts.LANGUAGES)


def code_of(*patterns: str) -> str:
    return "\n".join(f.read_text("utf-8") for each in patterns for f in ROOT.glob(each))


@BOTH
def test_every_trouble_of_a_source_has_words_and_no_words_are_left_over(voice: Texts) -> None:
    code = code_of("bot/sources/*.py", "storage/outside.py")
    codes = set(re.findall(r'(?:SourceFailed|OutsideFailed)\("(\w+)"', code))
    worded = {key.rpartition(".")[2] for key in voice.by_key if key.startswith("sources.trouble.")}

    assert codes == worded
    assert len(codes) >= 15


@BOTH
def test_every_check_of_the_doctor_has_a_name_and_a_way_to_mend_it(voice: Texts) -> None:
    for check in doctor.NAMES:
        assert voice(f"doctor.{check}.name")
        assert f"doctor.{check}.fix" in voice


@BOTH
def test_every_code_of_the_doctor_has_words(voice: Texts) -> None:
    found = re.findall(r'(?:ok|warning|failure)\(\s*(?:"(\w+)"|check), "(\w+)"',
                       code_of("bot/doctor/*.py"))  # fmt: skip
    assert len(found) >= 20
    for check, code in found:
        assert f"doctor.{check}.{code}" in voice or f"doctor.{code}" in voice, (check, code)


def test_the_operators_page_lists_every_check() -> None:
    page = (ROOT / "docs/operations.md").read_text("utf-8")
    table = page[page.index("| Check | ") :].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", table)) == doctor.NAMES
