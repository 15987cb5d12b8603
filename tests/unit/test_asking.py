"""Asking: what sellers type about somebody they want to add becomes a claim, or a question back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.makers_words import wide
from workflows.asking import (
    NEEDED,
    complete,
    fingerprint,
    is_question,
    looks_like_name,
    read,
)
from workflows.claims import Claim

ZHANG = Claim("张总", "某某公司", "13800001234", "展会认识")


@pytest.mark.parametrize(
    "text",
    [
        "张总 某某公司 13800001234 展会认识",
        "张总，某某公司，13800001234，展会认识",
        "张总、某某公司、13800001234、展会认识",
        "某某公司 张总 13800001234 展会认识",
        "13800001234 张总 某某公司 展会认识",
        "展会认识 张总 某某公司 13800001234",
        "张总某某公司13800001234展会认识",
        "某某公司的张总 138 0000 1234 展会认识",
        "张总 某某公司 +86 138-0000-1234 展会认识",
        f"张总　某某公司　{wide('13800001234')}　展会认识",
        "姓名:张总 公司：某某公司 电话：13800001234 理由：展会认识",
        "理由：展会认识\n电话：13800001234\n公司：某某公司\n姓名：张总",
        "客户：张总，公司：某某公司，手机号13800001234，原因是展会认识",
        "张总 某某公司 电话 13800001234 展会认识",
    ],
)
def test_many_ways_of_saying_the_same(text: str) -> None:
    reading = read(text)

    assert reading.claim == ZHANG
    assert reading.missing == ()


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        (
            "John Smith, Acme Trading Co., Ltd., 13800001234, met at the fair",
            Claim("John Smith", "Acme Trading Co., Ltd.", "13800001234", "met at the fair"),
        ),
        (
            "John Smith Acme Ltd +1 415 555 0100 met at the fair, wants a demo",
            Claim("John Smith", "Acme Ltd", "+14155550100", "met at the fair, wants a demo"),
        ),
        (
            "name: John Smith company: Acme phone: 13800001234 reason: met at fair, wants a demo",
            Claim("John Smith", "Acme", "13800001234", "met at fair, wants a demo"),
        ),
        (
            "张伟 阿里巴巴 13800001234 朋友介绍",
            Claim("张伟", "阿里巴巴", "13800001234", "朋友介绍"),
        ),
        ("张伟 阿里巴巴 朋友介绍", Claim("张伟", "阿里巴巴", "", "朋友介绍")),
        ("张伟 经理 某某银行 老客户介绍", Claim("张伟经理", "某某银行", "", "老客户介绍")),
        ("小王 010-62345678 采购设备", Claim("小王", "", "01062345678", "采购设备")),
        (
            "李雷 上海（某某）有限公司 展会认识，想谈合作。下周来",
            Claim("李雷", "上海（某某）有限公司", "", "展会认识，想谈合作。下周来"),
        ),
        ("欧阳娜娜 北京某某医院 采购设备", Claim("欧阳娜娜", "北京某某医院", "", "采购设备")),
        ("王芳 13800001234 想介绍我们公司", Claim("王芳", "", "13800001234", "想介绍我们公司")),
    ],
)
def test_signs_and_places_tell_what_is_what(text: str, claim: Claim) -> None:
    assert read(text).claim == claim


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("", ("name", "contact", "reason")),
        ("张总 某某公司 1380000 展会认识", ("phone",)),
        ("张总 138000012345 展会认识", ("phone",)),
        ("张总 某某公司 采购 1500000元 展会认识", ()),
        ("张总 某某公司 采购 150000 展会认识", ()),
        ("张总", ("contact", "reason")),
        ("张总 13800001234", ("reason",)),
        ("张总 展会认识", ("contact",)),
        ("13800001234 展会认识", ("name",)),
        ("展会认识的一个客户", ("name", "contact")),
    ],
)
def test_what_is_missing_is_named(text: str, missing: tuple[str, ...]) -> None:
    assert read(text).missing == missing


@pytest.mark.parametrize(
    ("text", "signed"),
    [
        ("张总 某某公司 已签约 续费", True),
        ("张总 某某公司 老客户（已签合同）", True),
        ("John Smith, Acme Ltd, signed last year", True),
        ("张总 某某公司 未签约", False),
        ("张总 某某公司 还没签约", False),
        ("John Smith, Acme Ltd, not signed yet", False),
        ("张总 某某公司 展会认识", None),
    ],
)
def test_a_word_about_a_contract_is_a_claim(text: str, signed: bool | None) -> None:
    assert read(text).claim.signed is signed


@pytest.mark.parametrize(
    ("first", "more", "claim"),
    [
        ("张总 某某公司 13800001234", "展会认识", ZHANG),
        ("张总 某某公司 13800001234", "理由：展会认识", ZHANG),
        ("张总 某某公司 展会认识", "", Claim("张总", "某某公司", "", "展会认识")),
        ("张总 展会认识", "13800001234", Claim("张总", "", "13800001234", "展会认识")),
        ("张总 展会认识", "腾讯", Claim("张总", "腾讯", "", "展会认识")),
        ("13800001234 展会认识", "张总", Claim("张总", "", "13800001234", "展会认识")),
        ("13800001234 展会认识", "某某某", Claim("某某某", "", "13800001234", "展会认识")),
        ("张总", "13800001234 展会认识", Claim("张总", "", "13800001234", "展会认识")),
        ("张总", "腾讯 想采购", Claim("张总", "腾讯", "", "想采购")),
        ("", "张总 某某公司 13800001234 展会认识", ZHANG),
    ],
)
def test_an_answer_fills_what_was_missing(first: str, more: str, claim: Claim) -> None:
    reading = complete(read(first), more)

    assert reading.claim == claim
    assert reading.missing == ()


@pytest.mark.parametrize("answer", ["不知道", "没有。", "none", ""])
def test_no_answer_is_no_company(answer: str) -> None:
    assert complete(read("张总 展会认识"), answer).missing == ("contact",)


def test_an_answer_changes_nothing_that_was_said_before() -> None:
    reading = complete(read("张总 某某公司 13800001234"), "李四 别的公司 13911112222 介绍的")

    assert (reading.claim.name, reading.claim.company) == ("张总", "某某公司")
    assert reading.claim.phone == "13800001234"
    assert reading.missing == ()


def test_the_same_number_is_the_same_customer() -> None:
    one, other = read("张总 +86 138-0000-1234 x"), read("张伟 别家公司 13800001234 y")

    assert fingerprint(one.claim) == fingerprint(other.claim)


def test_without_a_number_name_and_company_tell() -> None:
    one = Claim("张 总", "某某有限公司")

    assert fingerprint(one) == fingerprint(Claim("张总", "某某公司", reason="别的"))
    assert fingerprint(one) != fingerprint(Claim("李总", "某某公司"))
    assert fingerprint(Claim("John", "ACME Co., Ltd.")) == fingerprint(Claim("john", "Acme"))


def test_a_fingerprint_does_not_show_the_number() -> None:
    assert "1234" not in fingerprint(Claim("张总", phone="13800001234"))


@pytest.mark.parametrize(
    "word", ["张总", "李经理", "张伟", "欧阳娜娜", "小王", "Tom", "阿里木·买买提"]
)
def test_names_are_known_by_surname_title_or_capital(word: str) -> None:
    assert looks_like_name(word)


@pytest.mark.parametrize("word", ["展会认识", "油站", "他们", "a", "我总", "老总", "朋友介绍", ""])
def test_other_words_are_no_names(word: str) -> None:
    assert not looks_like_name(word)


@given(st.text(max_size=200), st.text(max_size=60))
def test_anything_typed_is_read_without_an_error(text: str, more: str) -> None:
    reading = complete(read(text), more)

    assert set(reading.missing) <= set(NEEDED)
    assert len(reading.claim.reason) <= 500
    fingerprint(reading.claim)


WORDS = st.sampled_from(
    ["张总", "某某公司", "Acme Ltd", "13800001234", "展会认识", "理由：", "姓名:", ",", " "]
)


@given(st.lists(WORDS, max_size=12).map("".join))
def test_no_number_is_lost_in_a_heap_of_parts(text: str) -> None:
    claim = read(text).claim

    if "13800001234" in text and "1380000123413800001234" not in text:
        assert claim.phone == "13800001234"


def test_a_mistyped_number_is_asked_for_again_and_is_neither_a_reason_nor_a_company() -> None:
    first = read("张总 某某公司 1380000")
    assert first.claim == Claim("张总", "某某公司")
    assert (first.missing, first.broken) == (("phone", "reason"), "1380000")

    assert complete(first, "13800001234 展会认识").claim == ZHANG
    still = complete(first, "138000012345 展会认识")
    assert (still.missing, still.claim.phone) == (("phone",), "")
    assert complete(still, "没有").missing == ()
    assert complete(still, "13800001234").claim == ZHANG


def test_who_has_no_other_number_is_asked_for_the_company() -> None:
    first = read("张总 1380000 展会认识")

    assert first.missing == ("phone",)
    assert complete(first, "没有").missing == ("contact",)


@pytest.mark.parametrize(
    "text",
    [
        "什么时候能批", "什么时候能批？", "这样可以吗", "要等多久?", "多久能好", "为什么要写理由",
        "谁来批", "能不写么。", "请问找谁",
        "我的权限有哪些", "进度看哪里", "批的是哪个呀", "还差几个",
        "How long will it take you", "why do you need this", "ok?",
    ],
)  # fmt: skip
def test_a_question_is_told_from_an_answer(text: str) -> None:
    assert is_question(text)


@pytest.mark.parametrize(
    "text",
    [
        "展会认识", "李总介绍的", "没有", "明达贸易", "我的老客户，想谈续约",
        "13800001234 这个对吗", "理由：客户问有没有新款？", "met at a fair",
        "想采购几个", "不知道在哪里",
        "he can use our product", "May", "合作很久了", "昨天在展会上认识的嘛",
    ],
)  # fmt: skip
def test_an_answer_is_no_question(text: str) -> None:
    assert not is_question(text)
