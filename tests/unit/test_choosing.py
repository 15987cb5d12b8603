"""Whom a name means, among the customers somebody has."""

from __future__ import annotations

import pytest

from workflows.choosing import Candidate, find, means_all, names_in, owner_and_rest

ZHANG = Candidate("wm1", "张伟", "张总 明达", "明达贸易")
OTHER = Candidate("wm2", "张伟")
LIN = Candidate("wm3", "林雪", "林总")
JOHN = Candidate("wm4", "John Smith", "", "Acme Ltd")
ALL = (ZHANG, OTHER, LIN, JOHN)


@pytest.mark.parametrize(
    ("said", "who"),
    [
        ("林雪", LIN),
        ("林总", LIN),
        ("张总 明达", ZHANG),
        ("john smith", JOHN),
        ("Ｊｏｈｎ  Smith", JOHN),  # noqa: RUF001
        ("wm2", OTHER),
    ],
)
def test_an_exact_name_remark_or_id_is_sure(said: str, who: Candidate) -> None:
    assert find(said, ALL).sure is who


@pytest.mark.parametrize(
    ("said", "who"),
    [
        ("张伟", (ZHANG, OTHER)),
        ("张总", (ZHANG, OTHER)),
        ("明达", (ZHANG,)),
        ("Smith", (JOHN,)),
        ("acme", (JOHN,)),
        ("林先生", (LIN,)),
    ],
)
def test_several_or_merely_alike_are_put_to_whoever_asked(
    said: str, who: tuple[Candidate, ...]
) -> None:
    found = find(said, ALL)

    assert (found.sure, found.choices) == (None, who)


@pytest.mark.parametrize("said", ["", "  ", "王总", "wm9", "某"])
def test_a_name_nobody_has_finds_nobody(said: str) -> None:
    found = find(said, ALL)

    assert (found.sure, found.choices) == (None, ())


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("张总、林总", ("张总", "林总")),
        ("张总，林总; 王总", ("张总", "林总", "王总")),
        ("张总 林总", ("张总", "林总")),
        ("张总 明达", ("张总 明达",)),  # somebody is called so
        ("John Smith, 林总", ("John Smith", "林总")),
        ("林总、林总", ("林总",)),
    ],
)
def test_names_are_told_apart(said: str, names: tuple[str, ...]) -> None:
    assert names_in(said, ALL) == names


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ("李雷的张总", [("李雷", "张总")]),
        ("李雷的 全部", [("李雷", "全部")]),
        ("lilei's John Smith", [("lilei", "John Smith")]),
        ("all of lilei", [("lilei", "all")]),
        ("张总", []),
    ],
)
def test_whose_customers_are_meant_can_be_said(said: str, parts: list[tuple[str, str]]) -> None:
    assert owner_and_rest(said) == parts


@pytest.mark.parametrize("said", ["全部", "所有客户", "All", "everything"])
def test_all_can_be_said_in_both_languages(said: str) -> None:
    assert means_all(said)
    assert not means_all(f"{said}x")
