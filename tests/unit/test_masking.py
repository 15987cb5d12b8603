"""Masking: no telephone number gets through, and nothing from outside acts as markup."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.makers_words import wide
from workflows.masking import (
    mask_company,
    mask_name,
    mask_phone,
    mask_text,
    narrow,
    phone_digits,
    plain,
)


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("13800001234", "138****1234"),
        ("+86 138-0000-1234", "138****1234"),
        (wide("13800001234"), "138****1234"),
        ("010-62345678", "010****5678"),
        ("62345678", "62****78"),
        ("+1 415 555 0100", "141****0100"),
        ("12", "****"),
        ("没有", "****"),
        ("", ""),
    ],
)
def test_a_number_keeps_its_ends_only(number: str, masked: str) -> None:
    assert mask_phone(number) == masked
    assert mask_phone(masked) == masked


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张伟", "张*"),
        ("欧阳娜娜", "欧**"),
        ("张", "*"),
        ("John Smith", "J*** S***"),
        ("  张\n伟 ", "张**"),
        ("", ""),
    ],
)
def test_a_name_keeps_its_beginning_only(name: str, masked: str) -> None:
    assert mask_name(name) == masked


def test_a_company_keeps_two_characters() -> None:
    assert mask_company("某某科技有限公司") == "某某***"
    assert mask_company("") == ""


@pytest.mark.parametrize(
    "text",
    [
        "他的电话13800001234，晚上打",
        "call 138 0000 1234 please",
        wide("138-0000-1234"),
        "138\u200b0000\u200b1234",
        "138.0000.1234",
        "1 3 8 0 0 0 0 1 2 3 4",
        "+86-138-0000-1234",
        "座机(010)6234 5678",
        "400-123-4567",
        "A13800001234B",
    ],
)
def test_numbers_inside_a_text_are_masked(text: str) -> None:
    shown = mask_text(text)

    assert "****" in shown
    assert len(re.sub(r"\D", "", narrow(shown))) <= 7


@pytest.mark.parametrize(
    "text", ["2026年11月20日", "订单 202601050012345", "价格 13800 元", "A7K2", ""]
)
def test_other_digits_are_left_alone(text: str) -> None:
    assert mask_text(text) == text


def test_what_stands_around_a_number_stays_as_typed() -> None:
    assert (
        mask_text(f"{wide('AB')}：{wide('13800001234')}（急）")
        == f"{wide('AB')}：138****1234（急）"
    )


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("+86 138 0000 1234", "13800001234"),
        ("008613800001234", "13800001234"),
        ("8613800001234", "13800001234"),
        ("+1 415 555 0100", "+14155550100"),
        ("(010) 6234-5678", "01062345678"),
        ("", ""),
    ],
)
def test_one_number_has_one_form(typed: str, digits: str) -> None:
    assert phone_digits(typed) == digits


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("<a href='x'>点</a>", "\uff1ca href='x'\uff1e点\uff1c/a\uff1e"),
        ("$userName=boss$", "\uff04userName=boss\uff04"),
        ("$user\u200bName=boss$", "\uff04userName=boss\uff04"),
        ("张总\n\n【已批准】", "张总 【已批准】"),
        ("\u202e已批准", "已批准"),
        ("\ud800张", "张"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        (None, "None"),
        (3, "3"),
    ],
)
def test_outside_values_become_one_harmless_line(value: object, shown: str) -> None:
    assert plain(value) == shown


@given(st.text())
def test_masking_takes_anything(text: str) -> None:
    for mask in (mask_phone, mask_name, mask_company, mask_text, plain, narrow, phone_digits):
        assert isinstance(mask(text), str)
    assert len(narrow(text)) == len(text)
    assert plain(plain(text)) == plain(text)


@given(st.text("ab ,，的。", max_size=5), st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_no_mobile_number_survives_in_a_text(words: str, number: str) -> None:
    assert number not in mask_text(f"{words}{number}{words}")
