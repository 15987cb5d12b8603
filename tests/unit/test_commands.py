"""Commands: what people type becomes one command, a helpful question, or plain text."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import hints, texts
from bot.command_arguments import ID_ALPHABET, duration_of
from bot.command_types import (
    Add,
    AddApprover,
    Appeal,
    ApproveExcept,
    ApproveRequest,
    AskRight,
    Away,
    Back,
    Command,
    Day,
    DenyRequest,
    Fault,
    Feedback,
    Freeze,
    Grant,
    HandOver,
    Help,
    Look,
    Mine,
    Nudge,
    PlainText,
    Resubmit,
    RevokeRight,
    Rights,
    Rules,
    SendBack,
    Supplement,
    Team,
    Todo,
    Unclear,
    Undo,
    Unfreeze,
    Why,
    WithdrawRequest,
)
from bot.commands import language_of, parse
from bot.texts import Texts
from bot.verbs import VERBS, Audience
from bot.wecom import limits
from tests.makers_words import wide

ZH, EN = texts.load("zh-CN"), texts.load("en")
BOTH = pytest.mark.parametrize("spoken", [ZH, EN], ids=["zh-CN", "en"])
DAYS = timedelta(days=3)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("加 张总 某某公司 13800001234 展会认识", Add("张总 某某公司 13800001234 展会认识")),
        ("我的", Mine()),
        ("撤回 A7K2", WithdrawRequest("A7K2")),
        ("催 A7K2", Nudge("A7K2")),
        ("补充 A7K2 合同已寄出", Supplement("A7K2", "合同已寄出")),
        ("重提 A7K2", Resubmit("A7K2")),
        ("为什么 A7K2", Why("A7K2")),
        ("权限", Rights()),
        ("权限 王芳", Rights("王芳")),
        ("申请权限 friend.add 3天 出差拜访", AskRight("friend.add", DAYS, "出差拜访")),
        ("待办", Todo()),
        ("同意 A7K2", ApproveRequest("A7K2")),
        ("同意 A7K2 注意跟进", ApproveRequest("A7K2", "注意跟进")),
        ("拒绝 A7K2 资料不全", DenyRequest("A7K2", "资料不全")),
        ("转交 A7K2 给 王芳", HandOver("A7K2", "王芳")),
        ("加签 A7K2 王芳", AddApprover("A7K2", "王芳")),
        ("退回 A7K2 客户是谁介绍的？", SendBack("A7K2", "客户是谁介绍的?")),
        ("请假 3天 给王芳", Away("王芳", DAYS)),
        ("请假 给王芳 3天", Away("王芳", DAYS)),
        ("请假 到周五 给王芳", Away("王芳", until=Day(weekday=4))),
        ("请假到下周三 给 王芳", Away("王芳", until=Day(weekday=2, next_week=True))),
        ("请假 到10月8日 给王芳", Away("王芳", until=Day(month=10, day=8))),
        ("请假 到8号 给王芳", Away("王芳", until=Day(day=8))),
        ("请假 到后天 给王芳", Away("王芳", until=Day(ahead=2))),
        ("请假 明天 王芳", Away("王芳", since=Day(ahead=1))),
        ("请假 周五全天 给王芳", Away("王芳", since=Day(weekday=4))),
        ("请假 12月5日 给王芳", Away("王芳", since=Day(month=12, day=5))),
        ("请假 12-05 给 王芳", Away("王芳", since=Day(month=12, day=5))),
        ("请假 5号 给王芳", Away("王芳", since=Day(day=5))),
        ("请假 3日 给王芳", Away("王芳", DAYS)),
        ("请假 明天开始3天 给王芳", Away("王芳", DAYS, since=Day(ahead=1))),
        (
            "请假 从后天到周五 王芳",
            Away("王芳", since=Day(ahead=2), until=Day(weekday=4)),
        ),
        (
            "请假 下周一到下周三 给王芳",
            Away(
                "王芳",
                since=Day(weekday=0, next_week=True),
                until=Day(weekday=2, next_week=True),
            ),
        ),
        ("请假 3天 周一凡", Away("周一凡", DAYS)),
        ("请假 周一 周一凡", Away("周一凡", since=Day(weekday=0))),
        ("同意 A7K2 同类", ApproveRequest("A7K2", similar=True)),
        ("同意 A7K2 同类 没问题", ApproveRequest("A7K2", "没问题", similar=True)),
        ("同意 A7K2 同类客户都见过", ApproveRequest("A7K2", "同类客户都见过")),
        ("拒绝 A7K2 同类 资料不全", DenyRequest("A7K2", "资料不全", similar=True)),
        ("申诉 A7K2 资料已补齐", Appeal("A7K2", "资料已补齐")),
        ("反悔A7K2", Undo("A7K2")),
        ("回来", Back()),
        ("团队", Team()),
        ("查 A7K2", Look("A7K2")),
        ("授权 王芳 friend.add_bulk 3天 活动", Grant("王芳", "friend.add_bulk", DAYS, "活动")),
        ("收回 王芳 friend.add_bulk", RevokeRight("王芳", "friend.add_bulk")),
        ("冻结 销售一部 3天 投诉", Freeze("销售一部", DAYS, "投诉")),
        ("解冻", Unfreeze()),
        ("规则", Rules()),
        ("反馈 很好用", Feedback("很好用")),
        ("帮助", Help()),
    ],
)
def test_every_chinese_command_is_read(text: str, command: Command) -> None:
    assert parse(text) == command
    assert language_of(text) == "zh-CN"


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("add John Smith, Acme Ltd, met at fair", Add("John Smith, Acme Ltd, met at fair")),
        ("mine", Mine()),
        ("my requests", Mine()),
        ("withdraw a7k2", WithdrawRequest("A7K2")),
        ("nudge a7k2", Nudge("A7K2")),
        ("info a7k2 contract sent", Supplement("A7K2", "contract sent")),
        ("resubmit a7k2", Resubmit("A7K2")),
        ("why a7k2?", Why("A7K2")),
        ("rights wangfang", Rights("wangfang")),
        ("request-right friend.add 3d trade fair", AskRight("friend.add", DAYS, "trade fair")),
        ("todo", Todo()),
        ("Approve a7k2 well done", ApproveRequest("A7K2", "well done")),
        ("reject a7k2: no company", DenyRequest("A7K2", "no company")),
        ("handover a7k2 to wangfang", HandOver("A7K2", "wangfang")),
        ("away 3d to wangfang", Away("wangfang", DAYS)),
        ("away for 3 days to wangfang", Away("wangfang", DAYS)),
        ("away until friday to wangfang", Away("wangfang", until=Day(weekday=4))),
        ("away tomorrow to wangfang", Away("wangfang", since=Day(ahead=1))),
        ("away on friday to wangfang", Away("wangfang", since=Day(weekday=4))),
        ("away next mon to wangfang", Away("wangfang", since=Day(weekday=0, next_week=True))),
        ("away 3d to sun", Away("sun", DAYS)),
        ("away till next wed to lilei", Away("lilei", until=Day(weekday=2, next_week=True))),
        ("approve a7k2 similar", ApproveRequest("A7K2", similar=True)),
        ("reject a7k2 similar no company", DenyRequest("A7K2", "no company", similar=True)),
        ("appeal a7k2 look again", Appeal("A7K2", "look again")),
        ("undo a7k2", Undo("A7K2")),
        ("back", Back()),
        ("look up a7k2", Look("A7K2")),
        ("unfreeze", Unfreeze()),
        ("rules", Rules()),
        ("help", Help()),
    ],
)
def test_every_english_command_is_read(text: str, command: Command) -> None:
    assert parse(text) == command
    assert language_of(text) == "en"


@pytest.mark.parametrize(
    "text",
    [
        "同意A7K2",
        "同意a7k2",
        "同意 #A7K2",
        "同意：A7K2。",
        "同意，编号A7K2",
        "  同意   A7K2  ",
        "同意\nA7K2",
        wide("同意 A7K2"),
        "@门卫 同意 A7K2",
        "@门卫同意A7K2",
        "@门卫\u2005同意 A7K2",
        "/同意 A7K2",
        "麻烦同意 A7K2",
        "通过 A7K2",
        "批准 A7K2",
        "A7K2 同意",
        "APPROVE A7K2",
        "approveA7K2",
        "accept ID: A7K2",
        "approve no. A7K2",
    ],
)
def test_one_approval_typed_in_many_ways(text: str) -> None:
    assert parse(text) == ApproveRequest("A7K2")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("驳回 A7K2 重复", DenyRequest("A7K2", "重复")),
        ("不同意 A7K2 重复", DenyRequest("A7K2", "重复")),
        ("拒绝A7K2，原因：重复", DenyRequest("A7K2", "重复")),
        ("添加 张总", Add("张总")),
        ("报备：张总 某某公司", Add("张总 某某公司")),
        ("待审", Todo()),
        ("待办！", Todo()),
        ("？", Help()),
        ("?", Help()),
        ("帮助 同意", Help("approve")),
        ("help reject", Help("deny")),
        ("帮助 天气", Help()),
        ("催一下 A7K2", Nudge("A7K2")),
        ("查 张总", Look("张总")),
        ("查张总", Look("张总")),
        ("查a7k2", Look("A7K2")),
        ("查13800001234", Look("13800001234")),
        ("权限王芳", Rights("王芳")),
        ("加张总 展会认识", Add("张总 展会认识")),
        ("加张伟13800001234 展会认识", Add("张伟13800001234 展会认识")),
        ("加张伟 某某公司 展会认识", Add("张伟 某某公司 展会认识")),
    ],
)
def test_synonyms_and_missing_spaces_are_understood(text: str, command: Command) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(
    "text",
    [
        "加油",
        "加油！",
        "加班到几点",
        "加班费 什么时候 发",
        "加油站 在哪 里",
        "加温水 到 50度",
        "加个微信吧",
        "加 油",
        "查岗",
        "查岗了",
        "我的天",
        "我的 天啊",
        "待办事情太多",
        "催婚",
        "规则是什么",
        "同意你的看法",
        "通过率多少",
        "为什么不行",
        "拒绝了我",
        "回来了三个客户",
        "好的",
        "fine",
        "thanks",
        "hello",
        "adding up",
        "add up the numbers",
        "rulesets",
        "approved",
        "why not?",
        "mine is broken",
        "back in 5 minutes",
        "A7K2",
        "",
        "   ",
        "😀",
    ],
)
def test_small_talk_is_never_an_action(text: str) -> None:
    assert isinstance(parse(text), PlainText | Unclear)


@pytest.mark.parametrize(
    "text", ["加油", "加班到几点", "查岗", "我的天", "谁加了谁", "好的", "thanks", "fine", "你好"]
)
def test_plain_talk_comes_back_as_typed(text: str) -> None:
    assert parse(text) == PlainText(text)


@pytest.mark.parametrize(
    ("text", "unclear"),
    [
        ("同意", Unclear("approve", Fault.ID_MISSING)),
        ("同意 吧", Unclear("approve", Fault.ID_MISSING, "吧")),
        ("同意 A0K2", Unclear("approve", Fault.ID_LETTERS, "A0K2")),
        ("同意 al23", Unclear("approve", Fault.ID_LETTERS, "al23")),
        ("同意 A7", Unclear("approve", Fault.ID_SHAPE, "A7")),
        ("approve please", Unclear("approve", Fault.ID_SHAPE, "please")),
        ("同意 A7K2 B3M4", Unclear("approve", Fault.ONE_AT_A_TIME, "B3M4")),
        ("撤回 A7K2、B3M4", Unclear("withdraw", Fault.ONE_AT_A_TIME, "B3M4")),
        ("加", Unclear("add", Fault.WHAT_MISSING)),
        ("加 油", Unclear("add", Fault.WHAT_MISSING, "油")),
        ("查", Unclear("look", Fault.WHAT_MISSING)),
        ("待办 有哪些", Unclear("todo", Fault.NOT_UNDERSTOOD, "有哪些")),
        ("通意 A7K2", Unclear("approve", Fault.NEAR, "通意")),
        ("意同 A7K2", Unclear("approve", Fault.NEAR, "意同")),
        ("拒决A7K2 重复", Unclear("deny", Fault.NEAR, "拒决")),
        ("帮住", Unclear("help", Fault.NEAR, "帮住")),
        ("aprove A7K2", Unclear("approve", Fault.NEAR, "aprove")),
        ("hlep", Unclear("help", Fault.NEAR, "hlep")),
    ],
)
def test_a_wrong_command_gets_help_for_what_was_meant(text: str, unclear: Unclear) -> None:
    assert parse(text) == unclear


@pytest.mark.parametrize(
    ("text", "unclear"),
    [
        ("转交 A7K2", Unclear("hand_over", Fault.WHO_MISSING)),
        ("请假 给王芳", Unclear("away", Fault.DURATION, "给王芳")),
        ("请假 0天 给王芳", Unclear("away", Fault.DURATION, "0天")),
        ("请假 明天下午 给王芳", Unclear("away", Fault.DURATION, "明天下午 给王芳")),
        ("请假 13月5日 给王芳", Unclear("away", Fault.DURATION, "13月5日")),
        ("请假 明天", Unclear("away", Fault.WHO_MISSING, "")),
        ("冻结 999周 投诉", Unclear("freeze", Fault.DURATION, "999周")),
        ("补充 A7K2", Unclear("supplement", Fault.WHAT_MISSING)),
        ("授权 王芳 3天 原因", Unclear("grant", Fault.WHAT_MISSING)),
        ("收回", Unclear("revoke", Fault.WHO_MISSING)),
    ],
)
def test_arguments_that_lack_are_named(text: str, unclear: Unclear) -> None:
    assert parse(text) == unclear


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("3天", timedelta(days=3)),
        ("两天", timedelta(days=2)),
        ("2小时", timedelta(hours=2)),
        ("半小时", timedelta(minutes=30)),
        ("1.5小时", timedelta(minutes=90)),
        ("30分钟", timedelta(minutes=30)),
        ("3d", timedelta(days=3)),
        ("2h", timedelta(hours=2)),
        ("30m", timedelta(minutes=30)),
        ("1 week", timedelta(weeks=1)),
        ("3", None),
        ("明天", None),
    ],
)
def test_lengths_of_time_are_read(text: str, length: timedelta | None) -> None:
    assert duration_of(text) == length


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("权限 李雷 张总", Rights("李雷", "张总")),
        ("权限 李雷，张总", Rights("李雷", "张总")),
        ("权限 李雷、 张总。", Rights("李雷", "张总")),
        ("权限 张总", Rights("张总")),
        ("权限李雷 张总", Rights("李雷", "张总")),
        ("权限张总", Rights("张总")),
        ("查权限 lilei wmDemo0001", Rights("lilei", "wmDemo0001")),
        ("rights lilei John Smith", Rights("lilei", "John Smith")),
        ("my rights", Rights()),
    ],
)
def test_rights_are_asked_of_a_member_a_customer_or_both(text: str, command: Rights) -> None:
    assert parse(text) == command


@pytest.mark.parametrize("text", ["权限不够怎么办", "权限管理 在哪里", "权限有问题 张总"])
def test_talk_about_rights_asks_for_none(text: str) -> None:
    assert parse(text) == PlainText(text)


@pytest.mark.parametrize(
    "text",
    [
        "回来了", "取消请假", "请假取消", "不请假了", "结束请假", "取消请假！", "我回来了。",
        "I'm back", "cancel leave",
    ],
)  # fmt: skip
def test_an_absence_ends_in_natural_words(text: str) -> None:
    assert parse(text) == Back()


def test_no_word_belongs_to_two_verbs() -> None:
    words = [word for verb in VERBS for word in (*verb.zh, *verb.en)]

    assert len(words) == len(set(words))


@BOTH
def test_the_help_lists_every_command_and_nothing_else(spoken: Texts) -> None:
    offered = {verb.name for verb in VERBS}
    lines = {
        key.removeprefix("help.line.") for key in spoken.by_key if key.startswith("help.line.")
    }

    assert len(offered) == len(VERBS)
    assert lines == offered
    parts = hints.overview(spoken, Audience)
    assert sum(line.count(" — ") for part in parts for line in part.splitlines()) == len(offered)
    for part in parts:
        assert len(part.encode()) <= limits.TEXT_BYTES


@BOTH
def test_every_verb_and_every_fault_has_its_words(spoken: Texts) -> None:
    for verb in VERBS:
        for why in Fault:
            assert verb.word(spoken.language) in hints.unclear(
                Unclear(verb.name, why, "0x"), spoken
            ) or (why is Fault.ID_LETTERS)
        assert verb.word(spoken.language) in hints.help_on(verb.name, spoken)


def test_the_letters_that_no_id_has_are_named() -> None:
    said = hints.unclear(Unclear("approve", Fault.ID_LETTERS, "AO0L"), ZH)

    assert "不会有 0、L、O" in said


def test_an_unfinished_ask_is_asked_back() -> None:
    assert hints.unfinished(("contact", "reason"), ZH) == (
        "还差一点就能提交：对方的手机号或公司、为什么要加（审批人会看到）。直接回复即可，"
        "不加了就回“取消”。"
    )


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("？", None),
        ("你好", "zh-CN"),
        ("hi", "en"),
        ("1", None),
        ("WV2Z", None),
        ("wv2z OK", None),
        ("WV2Z 批了吗", "zh-CN"),
        ("is WV2Z approved", "en"),
        ("WV2Z approve", "en"),
        ("ok", "en"),
    ],
)
def test_without_a_verb_the_letters_tell_the_language(text: str, language: str | None) -> None:
    assert language_of(text) == language


@given(st.text(max_size=80))
def test_any_message_is_read_without_an_error(text: str) -> None:
    command = parse(text)
    language_of(text)

    if isinstance(command, Unclear):
        assert hints.unclear(command, ZH)
    if isinstance(command, PlainText):
        assert command.text == text


@given(
    st.sampled_from(["同意", "拒绝", "approve ", "撤回", "为什么 "]),
    st.text(ID_ALPHABET, min_size=4, max_size=6),
)
def test_every_id_is_read_in_either_case(verb: str, request_id: str) -> None:
    for typed in (request_id, request_id.lower(), wide(request_id)):
        assert getattr(parse(verb + typed), "id", None) == request_id


VOTES = ApproveRequest | DenyRequest | WithdrawRequest
NOISE = st.builds(
    lambda verb, rest: verb + rest,
    st.sampled_from(["同意", "拒绝", "撤回", "A7K2", ""]),
    st.text("同意的了吗 ，。？A7KB0OIL1", max_size=9),
)


@given(NOISE)
def test_nothing_is_voted_on_without_a_well_formed_id(text: str) -> None:
    command = parse(text)

    if isinstance(command, VOTES):
        assert command.id in text
        assert set(command.id) <= set(ID_ALPHABET)


@pytest.mark.parametrize(
    ("day", "meant"),
    [
        (Day(ahead=1), date(2026, 11, 25)),
        (Day(weekday=4), date(2026, 11, 27)),
        (Day(weekday=0), date(2026, 11, 30)),  # this week's Monday is over
        (Day(weekday=4, next_week=True), date(2026, 12, 4)),
        (Day(day=24), date(2026, 11, 24)),
        (Day(day=3), date(2026, 12, 3)),
        (Day(month=1, day=2), date(2027, 1, 2)),
    ],
)
def test_a_day_is_the_next_one_that_is_called_so(day: Day, meant: date) -> None:
    today = date(2026, 11, 24)  # a Tuesday
    ahead = (today + timedelta(days=n) for n in range(60))

    assert next(each for each in ahead if day.is_on(each, today)) == meant


def why_unclear(text: str) -> Fault:
    command = parse(text)
    assert isinstance(command, Unclear)
    return command.why


@pytest.mark.parametrize(
    "text",
    [
        "同意 T8SC 不行", "同意 WV2Z？", "VK6D 同意？", "同意 VN5Z 了吗", "同意 JK8C 还是拒绝",
        "同意 F8BG 前我要先问问他", "同意 GB38 先别发码", "同意 A7K2 等他补完资料", "同意不了 T8SC",
        "approve PY4P no way", "approve D32P not yet", "approve EX8H?", "approve A7K2 if he pays",
        "免批 T929 先不要", "免批 UU8H 吗", "撤回 BNJ3 会怎么样", "撤回 V246 先不撤", "撤回Z95V吗",
        "转移 刘建国 给 孙磊，先别转", "转移 刘建国 给 孙磊？", "反悔 A7K2？",
        "转交 A7K2 给 李强吗",
    ],
)  # fmt: skip
def test_a_doubt_does_nothing(text: str) -> None:
    assert why_unclear(text) is Fault.DOUBTFUL


@pytest.mark.parametrize(
    "text",
    [
        "同意 NMW3 和 D6AF", "同意 JG9J，拒绝 VN5Z", "approve WY6K and EX8H", "撤回 A7K2 还有 B3M4",
        "approve GX7W, reject PY4P", "免批 A7K2 和 B3M4",
    ],
)  # fmt: skip
def test_two_requests_in_one_message_are_not_half_done(text: str) -> None:
    assert why_unclear(text) is Fault.ONE_AT_A_TIME


@pytest.mark.parametrize(
    "text", ["同意 A7JP 同类 除 VYB8", "同意 A7JP 同类 除了张伟", "拒绝 UU8H 同类 重复，除了 T929"]
)
def test_all_alike_takes_no_exceptions(text: str) -> None:
    assert why_unclear(text) is Fault.ALL_ALIKE


@pytest.mark.parametrize(
    "comment",
    [
        "没问题", "不错的客户", "下次注意", "之前见过", "好的", "no problem", "注意保密，不要外传",
        "已核实", "不用再报了",
    ],
)  # fmt: skip
def test_a_comment_that_is_no_doubt_goes_with_the_yes(comment: str) -> None:
    command = parse(f"同意 A7K2 {comment}")

    assert isinstance(command, ApproveRequest | ApproveExcept)
    assert command.comment == comment


def test_who_says_not_to_approve_is_not_told_how_to_approve_more() -> None:
    assert parse("别批 UU8H") == PlainText("别批 UU8H")
