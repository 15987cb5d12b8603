"""Positions of keys in a config file."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.places import Places

TEXT = """\
# customer.tier is named in this comment only
language = "zh-CN"
[wecom]
"corp.id" = "a"
inline = { one = 1, two = { three = [1, { four = 4 }] } }
[[rule]]
id = "first"
when.customer.tier = ["vip"]
[[rule]]
id = "竞品"
   unless.customer.tags.any_of = ["已签约"]
[rule.more]
note = 1
[roles.lead]
level = 3
"""


@pytest.mark.parametrize(
    ("loc", "line", "column"),
    [
        (("language",), 2, 1),
        (("wecom",), 3, 2),
        (("wecom", "corp.id"), 4, 1),
        (("wecom", "inline", "two", "three", 1, "four"), 5, 43),
        (("rule", 0), 6, 3),
        (("rule", 0, "when", "customer", "tier"), 8, 15),
        (("rule", 1, "id"), 10, 1),
        (("rule", 1, "unless", "customer", "tags", "any_of"), 11, 25),
        (("rule", 1, "more", "note"), 13, 1),
        (("roles", "lead", "level"), 15, 1),
    ],
)
def test_a_key_is_found_where_it_stands(loc: tuple[str | int, ...], line: int, column: int) -> None:
    place = Places(TEXT).of(loc)

    assert place is not None
    assert (place.line, place.column) == (line, column)


def test_what_is_missing_is_shown_at_its_nearest_parent() -> None:
    place = Places(TEXT).of(("rule", 0, "chain"))

    assert place is not None
    assert place.line == 6


def test_nothing_at_all_of_a_path_has_no_place() -> None:
    assert Places(TEXT).of(("storage", "url")) is None


def test_the_caret_stands_under_the_key_behind_wide_characters() -> None:
    place = Places('"已签约" = { "键" = 2, port = 3 }\n').of(("已签约", "port"))

    assert place is not None
    assert place.text[place.column - 1 :].startswith("port")
    assert place.caret() == " " * (8 + 5 + 10) + "^^^^"


def test_every_key_that_tomllib_reads_has_a_place() -> None:
    places = Places(TEXT)

    def walk(value: object, loc: tuple[str | int, ...]) -> None:
        if loc:
            found = places._found.get(loc)
            assert found is not None, loc
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, (*loc, key))
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                walk(inner, (*loc, index))

    walk(tomllib.loads(TEXT), ())


@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    Places(text).of(("rule", 0, "when"))
