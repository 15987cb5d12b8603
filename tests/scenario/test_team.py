"""团队, 反馈 and 帮助: the team at a glance, a word to the admins, and help for who one is."""

from __future__ import annotations

from tests.scenario.conftest import Stage

ASK = "加 张伟 明达贸易 13800001234 展会认识"


async def test_a_supervisor_sees_who_added_what_and_what_waits(stage: Stage) -> None:
    await stage.say("zhouxiaomei", ASK)
    await stage.card("wangfang", "张伟")
    await stage.say("sunlei", "加 林雪 青松科技 13900005678 老客户介绍")
    await stage.hears("sunlei", "通行码", kind="news")

    await stage.say("wangfang", "团队")

    board = await stage.hears("wangfang", "团队 ")
    lines = board["text"].splitlines()
    assert "今天添加（含报备）2，本周 2；待审批 1，本周被拒 0" in lines[0]
    assert lines[1].startswith("周小美：今天 1，本周 1；待审批 1（最早 今天")
    assert lines[2] == "孙磊：今天 1，本周 1"


async def test_who_is_away_stands_on_the_board_with_who_stands_in(stage: Stage) -> None:
    await stage.say("sunlei", "away 3 days to zhouxiaomei")
    await stage.hears("sunlei", "decides for you")

    await stage.say("wangfang", "team")

    board = await stage.hears("wangfang", "Your team of")
    assert any("孙磊" in line and "周小美 stands in" in line for line in board["text"].splitlines())


async def test_the_director_sees_the_teams_below_too(stage: Stage) -> None:
    await stage.say("zhouxiaomei", ASK)
    await stage.card("wangfang", "张伟")

    await stage.say("liqiang", "team")

    board = await stage.hears("liqiang", "Your team of")
    assert {"周小美", "王芳"} <= {line.split(":")[0] for line in board["text"].splitlines()}


async def test_an_admin_who_leads_nobody_sees_the_whole_company(stage: Stage) -> None:
    await stage.say("zhouxiaomei", ASK)
    await stage.card("wangfang", "张伟")

    await stage.say("zhaomin", "报表")
    await stage.say("sunlei", "团队")

    board = await stage.hears("zhaomin", "全公司 ")
    lines = board["text"].splitlines()
    assert "今天添加（含报备）1，本周 1；待审批 1，本周被拒 0" in lines[0]
    assert lines[1].startswith("周小美：今天 1，本周 1；待审批 1（最早 今天")
    await stage.hears("sunlei", "您名下没有团队成员")


async def test_a_word_about_a_request_reaches_the_admins_with_its_reason(stage: Stage) -> None:
    await stage.say("zhouxiaomei", ASK)
    await stage.card("wangfang", "张伟")
    request = await stage.newest("zhouxiaomei")

    await stage.say("zhouxiaomei", f"反馈 {request.id} 等得太久，客户 13800001234 已经走了")

    await stage.hears("zhouxiaomei", "已转给管理员")
    told = await stage.hears("zhaomin", "反馈")
    for words in (request.id, "等得太久", "需要审批"):
        assert words in told["text"]
    assert "13800001234" not in told["text"]
    records = await stage.db.read(lambda tx: tx.audit.of_request(request.id))
    assert [record.kind for record in records if record.kind == "feedback"] == ["feedback"]


async def test_a_request_of_somebody_else_is_not_told_of_by_its_number(stage: Stage) -> None:
    await stage.say("zhouxiaomei", ASK)
    await stage.card("wangfang", "张伟")
    request = await stage.newest("zhouxiaomei")

    await stage.say("sunlei", f"feedback {request.id} I am curious")

    told = await stage.hears("zhaomin", "孙磊")
    assert "张伟" not in told["text"]


async def test_the_help_shows_each_what_they_can_use(stage: Stage) -> None:
    for userid in ("sunlei", "wangfang", "zhaomin"):
        await stage.say(userid, "帮助")
        await stage.hears(userid, "我是门卫")
    await stage.quiet()

    async def said(userid: str) -> str:
        return "\n".join(str(each.get("text", "")) for each in await stage.heard(userid))

    seller, lead, admin = [await said(each) for each in ("sunlei", "wangfang", "zhaomin")]
    assert "加 张总" in seller
    assert "同意 A7K2" not in seller
    assert "同意 A7K2" in lead
    assert "紧急放行" not in lead
    assert "同意 A7K2" in admin
    assert "紧急放行" in admin
