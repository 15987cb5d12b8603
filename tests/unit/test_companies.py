"""Two names mean the same company, or they do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows import companies

SAME = [
    ("恒远集团", "恒远集团（上海）有限公司"),
    ("恒远集团", "上海恒远集团股份有限公司"),
    ("上海明达贸易有限公司", "明达贸易"),
    ("明达贸易有限公司上海分公司", "上海市明达贸易有限公司"),
    ("深圳市华星光电技术有限公司", "华星光电"),
    ("TCL华星光电技术有限公司", "华星光电"),
    ("\uff21\uff23\uff2d\uff25\u3000Trading Co., Ltd.", "acme trading"),
    ("ACME Trading Limited", "Acme"),
    ("中国移动通信集团上海有限公司", "中国移动"),
    ("朗润 科技", "朗润科技有限公司"),
    ("北京字跃网络技术有限公司", "字跃网络技术（北京）有限公司"),
    ("【青禾】科技", "青禾科技有限责任公司"),
    ("58同城信息技术有限公司", "58同城"),
]
OTHERS = [
    ("恒远集团", "恒达集团"),
    ("恒远科技", "恒远物流"),
    ("新明达贸易", "明达贸易"),
    ("青岛啤酒", "哈尔滨啤酒"),
    ("中国银行", "北京银行"),
    ("Acme Trading", "Acmeland Trading"),
    ("上海贝林实业", "上海实业"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_company_is_known_however_it_is_written(one: str, other: str) -> None:
    first, second = companies.read(one), companies.read(other)

    assert first
    assert second
    assert companies.same(first, second)


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_companies_with_something_in_common_are_not_the_same(one: str, other: str) -> None:
    first, second = companies.read(one), companies.read(other)

    assert not (first and second and companies.same(first, second))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "公司",
        "科技有限公司",
        "上海公司",
        "贸易（深圳）有限公司",
        "某某公司",
        "无",
        "待定",
        "个人",
        "（）",
        "Co., Ltd.",
        "The Trading Company",
        "-",
        "12345",
        "有限公司有限公司",
        "A",
    ],
)
def test_a_name_of_general_words_is_nobodys(text: str) -> None:
    assert companies.read(text) is None


_PIECES = st.sampled_from(
    [
        "恒远",
        "明达",
        "华星",
        "光电",
        "上海",
        "中国",
        "深圳市",
        "科技",
        "贸易",
        "有限公司",
        "集团",
        "（上海）",
        "(",
        ")",
        "新",
        "TCL",
        "acme",
        "Co.,",
        "Ltd",
        "A",
        "5",
        "8",
        "移动",
    ]
)
_NAMES = st.one_of(st.text(max_size=20), st.lists(_PIECES, max_size=6).map("".join))


@given(_NAMES, _NAMES)
def test_it_does_not_matter_which_of_two_names_comes_first(one: str, other: str) -> None:
    first, second = companies.read(one), companies.read(other)

    if first and second:
        assert companies.same(first, second) == companies.same(second, first)


@given(_NAMES)
def test_a_name_is_either_nobodys_or_says_something_and_is_itself(text: str) -> None:
    company = companies.read(text)

    if company is not None:
        assert len(company.core.replace(" ", "")) >= 2
        assert company.core in company.begins
        assert companies.same(company, company)
        assert all(len(head) >= 4 for head in company.heads)


@given(_NAMES, _NAMES)
def test_whoever_is_the_same_is_found_by_the_rows_on_file(one: str, other: str) -> None:
    """As `storage.companies` looks them up: by core, by what begins with the stem, by stem."""
    first, second = companies.read(one), companies.read(other)

    if first and second and companies.same(first, second):
        by_core = first.core == second.core
        by_part = first.stem and any(part.startswith(first.stem) for part in second.begins)
        assert by_core or by_part or second.stem in first.heads
