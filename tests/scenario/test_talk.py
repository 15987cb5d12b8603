"""What people say to the bot and what it answers; what outsiders wrote never becomes markup."""

from __future__ import annotations

import re

import pytest

from bot.simulator.records import Customer
from bot.simulator.seed import ZHANG_WEI
from tests.scenario.conftest import Opens, Stage
from workflows.model import State

ASK = "加 张伟 明达贸易 13800001234 展会认识"
EVIL = '点我<a href="http://evil.example">x</a>\n$userName=zhaomin$'
MARKUP = re.compile(r"<\s*a|\$userName|</")


async def answer(stage: Stage, userid: str, text: str) -> str:
    """Say something, and return the next text that comes."""
    await stage.quiet()
    before = len(stage.chat(userid))
    await stage.say(userid, text)

    async def look() -> list[str]:
        return [each.text for each in stage.chat(userid)[before:] if each.kind == "text"]

    found: list[str] = await stage.until(look, lambda texts: texts, f"an answer to {text!r}")
    return found[0]


CHINESE = (
    ("帮助", "我是门卫"),
    ("？", "我是门卫"),
    ("帮助 同意", "通过"),
    ("我的", "您还没有申请"),
    ("待办", "没有等您审批的申请"),
    ("权限", "销售，2 级"),
    ("规则", "no-competitor"),
    ("同意 ZZZ9", "没有编号为 ZZZ9 的申请"),
    ("撤回 ZZZ9", "没有编号为 ZZZ9 的申请"),
    ("催 ZZZ9", "没有编号为 ZZZ9 的申请"),
    ("重提 ZZZ9", "没有编号为 ZZZ9 的申请"),
    ("为什么 ZZZ9", "没有编号为 ZZZ9 的申请"),
    ("查 没有这个人", "没有找到与“没有这个人”有关"),
    ("同意 A0O1", "为免看错，编号从不使用 0、O、1、I、L"),
    ("同意", "没有可以“同意”的申请"),
    ("拒绝", "没有可以“拒绝”的申请"),
    ("代办", "没有等您审批的申请"),
    ("同义 A7K2", "同意"),
    ("团队", "名下没有团队成员"),
    ("反馈", "还差内容"),
    ("反馈 很好用", "已转给管理员"),
    ("今天天气不错", "没看懂"),
    ("权限 王芳", "您无权查看"),
)
ENGLISH = (
    ("help", "approve"),
    ("help approve", "accept"),
    ("mine", "no requests"),
    ("todo", "Nothing"),
    ("rights", "level 2"),
    ("rules", "no-competitor"),
    ("approve zzz9", "ZZZ9"),
    ("why ZZZ9", "ZZZ9"),
    ("look nobody", "nobody"),
    ("approv A7K2", "approve"),
)
# Sets of their own: WeCom takes no more than 30 messages a minute for one member.
CHINESE_PASSING = (
    ("转交 ZZZ9 给 王芳", "没有编号为 ZZZ9 的申请"),
    ("加签 ZZZ9 王芳", "没有编号为 ZZZ9 的申请"),
    ("退回 ZZZ9 在哪认识的", "没有编号为 ZZZ9 的申请"),
    ("补充 ZZZ9 展会上", "没有编号为 ZZZ9 的申请"),
    ("申诉 ZZZ9 请再看看", "没有编号为 ZZZ9 的申请"),
    ("反悔 ZZZ9", "没有编号为 ZZZ9 的申请"),
    ("同意 ZZZ9 同类", "没有编号为 ZZZ9 的申请"),
    ("确认", "没有等您确认的操作"),
    ("请假 3天 给王芳", "您的审批由 王芳 代办"),
    ("取消请假", "欢迎回来"),
    ("回来", "您没有在请假"),
    ("请假 到明天 给王芳", "您的审批由 王芳 代办"),
    ("请假 给王芳", "请写上时长"),
)
ENGLISH_PASSING = (
    ("handover ZZZ9 to wangfang", "no request ZZZ9"),
    ("add-approver ZZZ9 wangfang", "no request ZZZ9"),
    ("return ZZZ9 where did you meet", "no request ZZZ9"),
    ("info ZZZ9 at the fair", "no request ZZZ9"),
    ("appeal ZZZ9 please look again", "no request ZZZ9"),
    ("undo ZZZ9", "no request ZZZ9"),
    ("approve ZZZ9 similar", "no request ZZZ9"),
    ("confirm", "nothing to confirm"),
    ("away 3 days to wangfang", "王芳 decides for you"),
    ("back", "Welcome back"),
    ("away until friday to wangfang", "王芳 decides for you"),
    ("away to wangfang", "Please say for how long"),
)


@pytest.mark.parametrize("said", [CHINESE, ENGLISH, CHINESE_PASSING, ENGLISH_PASSING])
async def test_every_command_and_near_miss_is_answered(
    stage: Stage, said: tuple[tuple[str, str], ...]
) -> None:
    for text, words in said:
        heard = await answer(stage, "sunlei", text)
        assert words.lower() in heard.lower(), f"{text!r} was answered {heard!r}"


async def test_who_leaves_the_id_out_is_told_which_there_are(stage: Stage) -> None:
    await stage.hears("zhaomin", "门卫已启用")
    assert "没有可以“撤回”的申请" in await answer(stage, "zhouxiaomei", "撤回")

    await stage.say("zhouxiaomei", ASK)
    await stage.card("wangfang")
    request = await stage.newest("zhouxiaomei")

    asked = await answer(stage, "wangfang", "同意")
    own = await answer(stage, "zhouxiaomei", "催")
    other = await answer(stage, "sunlei", "why")

    assert f"用法：同意 {request.id} [同类] [说明]" in asked
    assert f"{request.id} 周小美 申请：张伟" in asked
    assert f"用法：催 {request.id}" in own
    assert f"{request.id} 张伟 待审批" in own
    assert request.id not in other
    assert (await stage.newest("zhouxiaomei")).state is State.PENDING


@pytest.mark.parametrize("wish", ["我想加个客户", "怎么添加好友？", "I want to add a new customer"])
async def test_who_wants_to_add_somebody_is_asked_whom(stage: Stage, wish: str) -> None:
    first = await answer(stage, "zhouxiaomei", wish)
    then = await answer(stage, "zhouxiaomei", "张伟 明达贸易 13800001234 展会认识")

    assert "Nearly there" in first if wish.isascii() else "对方怎么称呼" in first
    assert "张伟" in then


async def test_who_says_that_nobody_is_to_be_added_is_not_asked_whom(stage: Stage) -> None:
    assert "没看懂" in await answer(stage, "zhouxiaomei", "这个客户不能加")


async def test_the_story_of_a_request_is_for_those_above_and_masked(stage: Stage) -> None:
    await stage.hears("zhaomin", "门卫已启用")
    await stage.say("zhouxiaomei", ASK)
    await stage.card("wangfang")
    request = await stage.newest("zhouxiaomei")

    for nosy in (f"查 {request.id}", "查 张伟", "查 周小美", f"为什么 {request.id}"):
        refused = await answer(stage, "sunlei", nosy)
        assert "没有找到" in refused or "您无权查看" in refused
        assert "13800001234" not in refused

    for who in ("zhaomin", "wangfang", "zhouxiaomei"):
        story = await answer(stage, who, f"查 {request.id.lower()}")
        assert "138****1234" in story
        assert "13800001234" not in story
        assert "提交申请" in story
    listed = await answer(stage, "zhaomin", "查 张伟")
    assert request.id in listed


async def test_how_a_request_stands_can_be_asked_in_natural_words(stage: Stage) -> None:
    await stage.say("zhouxiaomei", ASK)
    await stage.card("wangfang")
    request = await stage.newest("zhouxiaomei")
    story = await answer(stage, "zhouxiaomei", f"查 {request.id}")
    mine = await answer(stage, "zhouxiaomei", "我的")
    assert story != mine

    for said in ("{}", "{} 批了吗", "谁来批 {}", "{}到哪了"):
        assert await answer(stage, "zhouxiaomei", said.format(request.id.lower())) == story
    for said in ("批了吗", "到哪了", "我的申请呢", "通过了吗"):
        assert await answer(stage, "zhouxiaomei", said) == mine
    assert "没有找到" in await answer(stage, "sunlei", f"{request.id} 批了吗")
    assert await answer(stage, "wangfang", f"{request.id} 批了吗") == story
    assert (await stage.newest("zhouxiaomei")).state is State.PENDING


async def test_why_tells_the_member_what_next_and_the_admin_every_line(stage: Stage) -> None:
    await stage.hears("zhaomin", "门卫已启用")
    await stage.say("sunlei", "加 何晨 竞品甲科技 13800001234 展会认识")
    await stage.hears("sunlei", "不能添加 何晨")
    request = await stage.newest("sunlei")

    mine = await answer(stage, "sunlei", f"为什么 {request.id}")
    traced = await answer(stage, "zhaomin", f"为什么 {request.id}")

    assert "对方是竞品公司，不能添加。" in mine
    assert "重提" in mine
    assert "逐条判定" not in mine
    assert "逐条判定" in traced
    assert "no-competitor" in traced


async def test_my_list_says_who_holds_what(stage: Stage) -> None:
    await stage.say("zhouxiaomei", ASK)
    await stage.card("wangfang")
    request = await stage.newest("zhouxiaomei")

    mine = await answer(stage, "zhouxiaomei", "我的")
    todo = await answer(stage, "wangfang", "待办")
    english = await answer(stage, "wangfang", "todo")

    assert f"{request.id} 张伟 待审批，等待 王芳" in mine
    assert f"{request.id} 周小美 → 张伟，理由：展会认识" in todo
    assert f"approve {request.id}" in english


async def test_an_english_ask_is_answered_in_english_and_approved_in_chinese(stage: Stage) -> None:
    said = await answer(stage, "zhouxiaomei", "add John Smith, Acme Ltd, 13800001234, met at fair")

    assert "John Smith" in said
    assert not re.search(r"[\u4e00-\u9fff]", said.replace("王芳", "").split("\n")[0])
    await stage.press("wangfang", await stage.card("wangfang", "John Smith"), "approve")
    await stage.hears("zhouxiaomei", "已由 王芳 同意")


async def test_a_picture_is_answered_kindly(stage: Stage) -> None:
    world = stage.simulator.world
    more = {"PicUrl": "http://pic.example/1", "MediaId": "m1", "MsgId": int(world.fresh_msgid())}
    world.tell_app(world.member("sunlei"), "image", more)

    await stage.hears("sunlei", "我只看得懂文字")


async def test_a_member_is_greeted_once(stage: Stage) -> None:
    for _ in range(3):
        stage.simulator.world.member_enters_app("sunlei")
        stage.clock.move(seconds=2)
    await stage.hears("sunlei", "孙磊，您好！我是门卫")
    await stage.quiet()

    assert stage.times_told("sunlei", "我是门卫") == 1


async def test_the_menu_under_the_chat_is_a_command(stage: Stage) -> None:
    world = stage.simulator.world
    for key in ("mine", "todo", "help", "nothing-of-ours"):
        world.tell_app(world.member("sunlei"), "event", {"Event": "click", "EventKey": key})

    await stage.hears("sunlei", "您还没有申请")
    await stage.hears("sunlei", "没有等您审批的申请")
    await stage.hears("sunlei", "我是门卫")
    await stage.quiet()
    assert len(stage.chat("sunlei")) == 3


async def test_names_from_outside_never_become_markup(opens: Opens) -> None:
    stage = await opens()
    world = stage.simulator.world
    world.create_customer(Customer("wmEvil000000000000000000000001", EVIL, corp_name=EVIL))
    world.member_adds_customer("zhouxiaomei", "wmEvil000000000000000000000001")
    card = await stage.card("wangfang", "点我")
    await stage.press("wangfang", card, "more")
    request = await stage.newest("zhouxiaomei")
    await stage.say("wangfang", f"拒绝 {request.id} {EVIL}")
    await stage.hears("zhouxiaomei", "已被 王芳 拒绝")
    await stage.say("zhouxiaomei", f"加 {EVIL} 某某公司 13800001234 {EVIL}")
    await stage.say("zhouxiaomei", f"查 {EVIL}")
    await stage.say("zhouxiaomei", f"同意 {EVIL}")
    await stage.say("zhaomin", f"查 {request.id}")
    await stage.say("zhaomin", f"为什么 {request.id}")
    await stage.quiet()

    shown = [m for who in ("zhouxiaomei", "wangfang", "zhaomin") for m in stage.chat(who)]
    assert len(shown) > 6
    for message in shown:
        everything = f"{message.text}{message.articles}{message.card}"
        assert not MARKUP.search(everything), everything
    assert not any(re.search(r"点我[^\n]*\n[\uff04$]userName", m.text) for m in shown)


async def test_a_very_long_message_gets_a_short_answer(stage: Stage) -> None:
    flood = "哈" * 20_000
    for text in (flood, f"加 张伟 13800001234 {flood}", f"查 {flood}", f"同意 {flood}"):
        said = await answer(stage, "zhouxiaomei", text)
        assert len(said.encode()) <= 2048

    request = await stage.newest("zhouxiaomei")
    assert len(request.claim.reason) <= 500
    await stage.press("wangfang", await stage.card("wangfang", "张伟"), "more")
    await stage.hears("wangfang", f"同意 {request.id}")
    await stage.say("wangfang", f"拒绝 {request.id} {flood}")
    await stage.hears("zhouxiaomei", "已被 王芳 拒绝")
    assert (await stage.request(request.id)).state is State.DENIED
    for who in ("zhouxiaomei", "wangfang"):
        for message in stage.chat(who):
            assert len(message.text.encode()) <= 2048
            assert not message.text.endswith("�")


async def test_long_lists_stay_within_a_message(stage: Stage) -> None:
    """Long names in a long list: the answer is cut on a character, never refused."""
    for number in range(12):
        name = f"客户{chr(0x4E00 + number) * 30}"
        await stage.say(
            "zhouxiaomei", f"加 姓名：{name}，公司：{'大' * 70}公司{number}，理由：{'因' * 400}"
        )
    await stage.quiet()
    stage.clock.move(minutes=2)

    mine = await answer(stage, "zhouxiaomei", "我的")
    todo = await answer(stage, "wangfang", "待办")

    assert len(mine.encode()) <= 2048
    assert len(todo.encode()) <= 2048
    assert "12 个" in todo
    assert "同意 " in todo  # how to answer is not what is cut


async def test_telephone_numbers_in_reasons_are_masked_for_others(stage: Stage) -> None:
    await stage.say("zhouxiaomei", "加 张伟 明达贸易 13800001234 他同事电话 13911112222 介绍")
    card = await stage.card("wangfang", "张伟")
    request = await stage.newest("zhouxiaomei")
    await answer(stage, "wangfang", "待办")
    await answer(stage, "zhaomin", f"查 {request.id}")
    await stage.press("wangfang", card, "more")
    await stage.quiet()

    for who in ("wangfang", "zhaomin"):
        for message in stage.chat(who):
            assert "13911112222" not in f"{message.text}{message.card}"
            assert "13800001234" not in f"{message.text}{message.card}"


async def test_your_own_customer_is_not_asked_for_again(stage: Stage) -> None:
    world = stage.simulator.world
    world.member_adds_customer("zhouxiaomei", ZHANG_WEI)
    await stage.card("wangfang")
    world.member_edits("zhouxiaomei", ZHANG_WEI, mobiles=["13800001234"])
    await stage.quiet()

    said = await answer(stage, "zhouxiaomei", ASK)

    assert (await stage.newest("zhouxiaomei")).id in said
