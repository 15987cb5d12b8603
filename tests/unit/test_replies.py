"""Short replies: what takes back what was begun, and what is never the reason of a refusal."""

from __future__ import annotations

import time

import pytest

from bot.replies import asks_how_it_stands, reason_in, takes_ask_back, takes_refusal_back


@pytest.mark.parametrize(
    "text",
    [
        "不拒绝了", "点错了", "先不拒绝，等他补资料", "取消", "算了吧", "取消拒绝", "我点错了。",
        "手滑", "我反悔了", "后悔了", "I'd rather not",
        "还是同意吧",
        "那就不拒绝了", "Cancel", "never mind", "don't reject", "my mistake",
        "I do not want to reject it",
    ],
)  # fmt: skip
def test_who_does_not_want_to_refuse_any_more_is_understood(text: str) -> None:
    assert takes_refusal_back(text)


@pytest.mark.parametrize(
    "text",
    [
        "我再想想", "嗯", "哦哦", "ok", "好", "好的！",
        "他什么时候认识的？", "等一下", "等下", "再考虑一下",
        "先放着", "先放一放", "没有", "D32Q", "D32Q 批了吗", "。。。", "1", "确认", "谢谢",
        "我问一下他，晚点回", "原因：", "yes",
        "let me think", "not sure", "when did you meet him?",
    ],
)  # fmt: skip
def test_what_may_be_anything_else_is_no_reason(text: str) -> None:
    assert not takes_refusal_back(text)
    assert reason_in(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "加班谈过了，不合适", "规则不允许", "帮助不大", "重复了", "查无此公司", "考虑不周",
        "已有同事跟进", "没有资料",
        "好几个人在跟", "不是我们的客户", "他不符合要求，先不加", "无效", "竞品",
        "not our kind of customer", "no budget", "wrong company", "ok but not now",
    ],
)  # fmt: skip
def test_a_reason_stays_one(text: str) -> None:
    assert not takes_refusal_back(text)
    assert reason_in(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "今天先不加了", "不加了", "先不加", "不报备了", "我不想加了", "不加他了，改天再说", "算了",
        "I don't want to add him", "don't add", "Cancel",
    ],
)  # fmt: skip
def test_who_does_not_want_to_add_any_more_is_understood(text: str) -> None:
    assert takes_ask_back(text)


@pytest.mark.parametrize("text", ["不加班也要谈的客户", "不加微信就谈不成", "展会认识", "先不加价"])
def test_a_reason_to_add_ends_no_ask(text: str) -> None:
    assert not takes_ask_back(text)


def test_what_is_called_a_reason_is_one() -> None:
    assert reason_in("原因：点错了") == "点错了"
    assert reason_in("Reason: what is this?") == "what is this?"


@pytest.mark.parametrize(
    "text",
    [
        "D32Q", "d32q", "#D32Q", "D32Q？", "D32Q 批了吗", "D32Q怎么样了", "D32Q 到哪了",
        "谁来批 D32Q",
        "D32Q呢", "D32Q 批准了没有", "D32Q 通过了吗？", "请问 D32Q 的进度", "申请 D32Q 批了没",
        "D32Q 审批完了吗", "is D32Q approved?", "D32Q approved", "status of D32Q", "D32Q 在等谁",
    ],
)  # fmt: skip
def test_who_asks_how_a_request_stands_is_understood(text: str) -> None:
    assert asks_how_it_stands(text) == "D32Q"


@pytest.mark.parametrize(
    "text",
    [
        "批了吗", "批了没", "到哪了", "我的申请呢", "进度", "我的申请批了吗？", "审批到哪一步了",
        "我的进度呢",
        "怎么样了", "批准了吗", "is it approved yet?", "any news?",
    ],
)  # fmt: skip
def test_who_asks_how_their_own_requests_stand_is_understood(text: str) -> None:
    assert asks_how_it_stands(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "D32Q 批了吧", "D32Q 批", "D32Q 同意", "D32Q 可以", "D32Q 不行", "D32Q ok", "D32Q A7K2",
        "好的", "申请", "呢", "批了", "D32Q 的客户上次在展会上说要买什么东西来着怎么样了",
        "在哪里认识的", "今天怎么样",
        "结果很好", "客户怎么样了",
    ],
)  # fmt: skip
def test_other_talk_asks_for_no_request(text: str) -> None:
    assert asks_how_it_stands(text) is None


def test_a_long_message_is_read_at_once() -> None:
    began = time.monotonic()
    for part in ("那就", "，", "我们先", "哎呀，", "了吧", "等下"):
        reason_in(part * 5000)
        takes_refusal_back(part * 5000)
        takes_ask_back(part * 5000)

    assert time.monotonic() - began < 1
