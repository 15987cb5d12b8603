"""The client's token, its bounds, and each call's request and answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.wecom import Article, Kind, Unreachable, WecomError
from tests.makers_wecom_client import SECRET, TOKEN, MemoryStore, Setup, a_wecom, ok
from workflows.directory import Department, Member

EXPIRED = {"errcode": 42001, "errmsg": "access_token expired"}
BAD_SECRET = {"errcode": 40001, "errmsg": f"bad {SECRET}"}


@pytest.fixture
async def setup() -> AsyncIterator[Setup]:
    async with a_wecom() as made:
        yield made


# The token


async def test_a_hundred_callers_at_once_ask_for_one_token(setup: Setup) -> None:
    async def slowly(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.05)
        return ok(access_token=TOKEN, expires_in=7200)

    setup.server.answers("gettoken", slowly)
    await asyncio.gather(*(setup.wecom.follow_users() for _ in range(100)))

    assert len(setup.server.asked("gettoken")) == 1
    used = {each.query["access_token"] for each in setup.server.seen if each.path != "gettoken"}
    assert used == {TOKEN}


async def test_a_hundred_callers_share_one_failure_of_gettoken(setup: Setup) -> None:
    async def slowly(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.05)
        return web.Response(status=502)

    setup.server.answers("gettoken", slowly)
    calls = (setup.wecom.follow_users() for _ in range(100))
    failed = await asyncio.gather(*calls, return_exceptions=True)

    assert all(isinstance(each, Unreachable) and not each.maybe_done for each in failed)
    assert len(setup.server.asked("gettoken")) == 1


async def test_a_caller_who_gives_up_does_not_take_the_token_from_the_others(setup: Setup) -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    async def when_told(_: web.Request) -> web.StreamResponse:
        asked.set()
        await go.wait()
        return ok(access_token=TOKEN, expires_in=7200)

    setup.server.answers("gettoken", when_told)
    first = asyncio.create_task(setup.wecom.follow_users())
    second = asyncio.create_task(setup.wecom.follow_users())
    await asked.wait()
    first.cancel()
    await asyncio.sleep(0)
    go.set()
    await second

    assert first.cancelled()
    assert len(setup.server.asked("gettoken")) == 1


async def test_an_expired_token_is_renewed_and_the_call_made_again(setup: Setup) -> None:
    setup.server.answers("externalcontact/get_follow_user_list", EXPIRED, {"follow_user": ["mei"]})

    assert await setup.wecom.follow_users() == ("mei",)
    used = [each.query["access_token"] for each in setup.server.seen if each.path != "gettoken"]
    assert used == [f"{TOKEN}1", f"{TOKEN}2"]


async def test_many_callers_with_an_expired_token_renew_it_once(setup: Setup) -> None:
    await setup.wecom.callback_ips()

    async def only_the_second(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.01)
        return ok() if request.query["access_token"] == f"{TOKEN}2" else web.json_response(EXPIRED)

    setup.server.answers("externalcontact/get_follow_user_list", only_the_second)
    await asyncio.gather(*(setup.wecom.follow_users() for _ in range(40)))

    assert len(setup.server.asked("gettoken")) == 2


async def test_a_token_refused_for_ever_is_an_error_and_not_a_loop(setup: Setup) -> None:
    path = "externalcontact/get_follow_user_list"
    setup.server.answers(path, {"errcode": 40014, "errmsg": "invalid"})

    with pytest.raises(WecomError) as failed:
        await setup.wecom.follow_users()

    assert failed.value.kind is Kind.TOKEN
    assert failed.value.kind.may_retry
    assert len(setup.server.asked(path)) == 2
    assert len(setup.server.asked("gettoken")) == 2


async def test_tokens_refused_one_after_the_other_stop_being_asked_for(setup: Setup) -> None:
    path = "externalcontact/get_follow_user_list"
    setup.server.answers(path, EXPIRED)
    kinds = set()
    for _ in range(20):
        with pytest.raises(WecomError) as failed:
            await setup.wecom.follow_users()
        kinds.add(failed.value.kind)

    assert len(setup.server.asked("gettoken")) == 5
    assert kinds == {Kind.TOKEN, Kind.WAIT}
    setup.clock.now += 61
    setup.server.answers(path, {"follow_user": ["mei"]})
    assert await setup.wecom.follow_users() == ("mei",)


async def test_a_bad_secret_is_not_tried_again_for_ten_minutes(setup: Setup) -> None:
    setup.server.answers("gettoken", BAD_SECRET)
    for _ in range(3):
        with pytest.raises(WecomError) as failed:
            await setup.wecom.follow_users()
        assert (failed.value.code, failed.value.kind) == (40001, Kind.CONFIG)

    assert len(setup.server.asked("gettoken")) == 1
    assert "block this address" in str(failed.value)
    assert failed.value.retry_after == timedelta(minutes=10)

    setup.clock.now += 601
    setup.server.answers("gettoken", {"access_token": TOKEN, "expires_in": 7200})
    await setup.wecom.follow_users()
    assert len(setup.server.asked("gettoken")) == 2


async def test_bad_secret_on_a_call_drops_the_token_everywhere_without_a_retry(
    setup: Setup,
) -> None:
    path = "externalcontact/get_follow_user_list"
    setup.server.answers(path, BAD_SECRET, {"follow_user": ["mei"]})

    with pytest.raises(WecomError, match="bad secret"):
        await setup.wecom.follow_users()

    assert len(setup.server.asked(path)) == 1
    assert not setup.store.kept
    assert await setup.wecom.follow_users() == ("mei",)
    assert len(setup.server.asked("gettoken")) == 2


async def test_a_token_is_renewed_before_it_ends(setup: Setup) -> None:
    await setup.wecom.follow_users()
    setup.store.kept.clear()
    setup.clock.now += 6899
    await setup.wecom.follow_users()
    assert len(setup.server.asked("gettoken")) == 1
    setup.clock.now += 2
    await setup.wecom.follow_users()
    assert len(setup.server.asked("gettoken")) == 2
    assert setup.store.ttls == [timedelta(seconds=6900)] * 2


async def test_another_process_takes_the_token_from_the_store(setup: Setup) -> None:
    await setup.wecom.follow_users()
    await setup.another(setup.store).follow_users()
    assert len(setup.server.asked("gettoken")) == 1


async def test_a_process_whose_token_was_replaced_takes_the_new_one_from_the_store(
    setup: Setup,
) -> None:
    await setup.wecom.follow_users()
    (key,) = setup.store.kept
    setup.store.kept[key] = "newer"
    setup.server.answers("externalcontact/get_follow_user_list", EXPIRED, {"follow_user": []})

    await setup.wecom.follow_users()

    assert len(setup.server.asked("gettoken")) == 1
    assert setup.server.seen[-1].query["access_token"] == "newer"


async def test_a_store_that_is_down_costs_a_token_and_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with a_wecom(MemoryStore(broken=True)) as setup:
        await setup.wecom.follow_users()
        await setup.wecom.follow_users()
        assert len(setup.server.asked("gettoken")) == 1
    assert TOKEN not in capsys.readouterr().out


async def test_the_secret_is_no_part_of_the_stores_key(setup: Setup) -> None:
    await setup.wecom.follow_users()
    assert SECRET not in "".join(setup.store.kept)


# Bounds


async def test_no_more_than_five_calls_of_one_api_are_under_way_at_once(setup: Setup) -> None:
    now, most = {"user/get": 0, "agent/get": 0}, {"user/get": 0, "agent/get": 0}

    async def counted(request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/cgi-bin/")
        now[path] += 1
        most[path] = max(most[path], now[path])
        await asyncio.sleep(0.01)
        now[path] -= 1
        return ok(userid="mei")

    setup.server.answers("user/get", counted)
    setup.server.answers("agent/get", counted)
    await asyncio.gather(
        *(setup.wecom.user("mei") for _ in range(30)), *(setup.wecom.agent() for _ in range(30))
    )

    assert most == {"user/get": 5, "agent/get": 5}


async def test_every_exchange_is_counted_with_its_code(setup: Setup) -> None:
    setup.server.answers("user/get", {"errcode": 60111}, web.Response(status=500))
    for _ in range(2):
        with pytest.raises(WecomError):
            await setup.wecom.user("ghost")

    assert [(path, code) for path, code, _ in setup.calls] == [
        ("gettoken", 0),
        ("user/get", 60111),
        ("user/get", -2001),
    ]


async def test_a_slow_wecom_is_given_up(setup: Setup) -> None:
    async def never(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return ok()

    setup.server.answers("user/get", never)
    hasty = setup.another(setup.store, aiohttp.ClientTimeout(total=0.1))
    with pytest.raises(Unreachable, match=r"user/get: .*timeout") as failed:
        await hasty.user("mei")
    assert failed.value.maybe_done


# Messages


async def test_a_text_goes_to_one_member_once(setup: Setup) -> None:
    setup.server.answers("message/send", {"msgid": "m1", "invaliduser": ""})

    sent = await setup.wecom.send_text("mei.zhou", "你好")

    assert (sent.msgid, sent.response_code) == ("m1", "")
    assert setup.server.seen[-1].body == {
        "touser": "mei.zhou",
        "msgtype": "text",
        "agentid": 1000007,
        "text": {"content": "你好"},
        "enable_duplicate_check": 1,
        "duplicate_check_interval": 1800,
    }


async def test_a_long_text_is_cut_to_2048_bytes(setup: Setup) -> None:
    await setup.wecom.send_text("mei", "门" * 1000, once_in=10**6)
    body = setup.server.seen[-1].body
    assert body["text"]["content"] == "门" * 681 + "…"
    assert body["duplicate_check_interval"] == 14400


@pytest.mark.parametrize("field", ["invaliduser", "unlicenseduser"])
async def test_errcode_0_that_names_the_recipient_invalid_is_an_error(
    setup: Setup, field: str
) -> None:
    setup.server.answers("message/send", {"msgid": "m1", field: "other|mei.zhou"})
    with pytest.raises(WecomError) as failed:
        await setup.wecom.send_text("Mei.Zhou", "hello")
    assert (failed.value.code, failed.value.kind) == (81013, Kind.PERMANENT)


@pytest.mark.parametrize("userid", ["", "@all", "mei|qin"])
async def test_a_userid_cannot_widen_the_recipients(setup: Setup, userid: str) -> None:
    with pytest.raises(WecomError) as failed:
        await setup.wecom.send_text(userid, "hello")
    assert failed.value.kind is Kind.PERMANENT
    assert not setup.server.asked("message/send")


async def test_half_an_emoji_in_a_text_does_not_stop_it(setup: Setup) -> None:
    await setup.wecom.send_card("mei", {"main_title": {"title": "\ud83d!"}})
    assert setup.server.seen[-1].body["template_card"] == {"main_title": {"title": "?!"}}


async def test_a_card_returns_its_response_code(setup: Setup) -> None:
    setup.server.answers("message/send", {"msgid": "m1", "response_code": "code"})
    assert (await setup.wecom.send_card("mei", {"card_type": "x"})).response_code == "code"


async def test_news_carry_at_most_eight_articles(setup: Setup) -> None:
    await setup.wecom.send_news("mei", [Article("t" * 200, "https://a.example", picurl="p")])
    (article,) = setup.server.seen[-1].body["news"]["articles"]
    assert len(article["title"].encode()) == 128
    assert (article["url"], article["picurl"]) == ("https://a.example", "p")
    with pytest.raises(ValueError, match="1 to 8"):
        await setup.wecom.send_news("mei", [Article("t", "u")] * 9)


async def test_a_card_is_updated_for_some_or_for_all(setup: Setup) -> None:
    setup.server.answers("message/update_template_card", {"invaliduser": ["ghost"]})

    unknown = await setup.wecom.update_card("code", button="已同意", userids=["mei", "ghost"])
    await setup.wecom.update_card("code2", card={"card_type": "text_notice"}, atall=True)

    assert unknown == ("ghost",)
    assert [each.body for each in setup.server.asked("message/update_template_card")] == [
        {
            "agentid": 1000007,
            "response_code": "code",
            "userids": ["mei", "ghost"],
            "button": {"replace_name": "已同意"},
        },
        {
            "agentid": 1000007,
            "response_code": "code2",
            "atall": 1,
            "template_card": {"card_type": "text_notice"},
        },
    ]
    with pytest.raises(ValueError, match="either a card or a button"):
        await setup.wecom.update_card("code", atall=True)
    with pytest.raises(ValueError, match="either userids or atall"):
        await setup.wecom.update_card("code", button="x")


async def test_a_welcome_is_sent_with_its_code(setup: Setup) -> None:
    await setup.wecom.send_welcome("w1", "您好" * 1000)
    body = setup.server.seen[-1].body
    assert body["welcome_code"] == "w1"
    assert len(body["text"]["content"].encode()) <= 4000


# Customers


async def test_a_customer_is_read_over_all_pages(setup: Setup) -> None:
    person = {"external_userid": "wm1", "name": "张总", "type": 2, "corp_name": "某某", "new": 1}
    one = {
        "userid": "mei",
        "remark": None,
        "createtime": 1767230042,
        "tags": [{"group_name": "g", "tag_name": "VIP", "tag_id": "t1", "type": 1}],
        "remark_mobiles": ["138"],
        "add_way": 999,
        "oper_userid": "mei",
        "state": "fg-1",
    }
    setup.server.answers(
        "externalcontact/get",
        {"external_contact": person, "follow_user": [one], "next_cursor": "c2"},
        {"external_contact": person, "follow_user": [{"userid": "qin"}]},
    )

    contact = await setup.wecom.external_contact("wm1")

    assert (contact.external_userid, contact.name, contact.type) == ("wm1", "张总", 2)
    assert [each.userid for each in contact.follow_user] == ["mei", "qin"]
    mine = contact.follow_user[0]
    assert (mine.remark, mine.add_way, mine.state) == ("", 999, "fg-1")
    assert (mine.tags[0].tag_name, mine.tags[0].group_name) == ("VIP", "g")
    cursors = [each.query["cursor"] for each in setup.server.asked("externalcontact/get")]
    assert cursors == ["", "c2"]


async def test_pages_that_never_end_are_an_error(setup: Setup) -> None:
    page = {"external_contact": {"external_userid": "wm1"}, "next_cursor": "again"}
    setup.server.answers("externalcontact/get", page)
    with pytest.raises(WecomError, match="pages without end"):
        await setup.wecom.external_contact("wm1")
    assert len(setup.server.asked("externalcontact/get")) == 2


async def test_names_broken_by_wecom_are_mended(setup: Setup) -> None:
    raw = (
        b'{"errcode":0,"external_contact":{"external_userid":"wm1",'
        b'"name":"a\\ud83d|\\ud83d\\ude00\\u0000|\xe9\x97|\n"}}'
    )
    setup.server.answers("externalcontact/get", web.Response(body=raw))
    name = (await setup.wecom.external_contact("wm1")).name
    assert name == "a\ufffd|😀|\ufffd|\n"
    assert name.encode()


async def test_a_member_without_customers_has_an_empty_list(setup: Setup) -> None:
    path = "externalcontact/list"
    setup.server.answers(path, {"external_userid": ["wm1"]}, {"errcode": 84061}, {"errcode": -1})
    assert await setup.wecom.external_contact_list("mei") == ("wm1",)
    assert await setup.wecom.external_contact_list("mei") == ()
    with pytest.raises(WecomError):
        await setup.wecom.external_contact_list("mei")


@pytest.mark.parametrize(
    "listed",
    [
        {"external_contact": {"external_userid": "wm1"}},
        {"follow_info": {"userid": "mei"}},
        {"external_contact": "wm1", "follow_info": {"userid": "mei"}},
        {"external_contact": {"name": "张"}, "follow_info": {"userid": "mei"}},
        None,
    ],
)
async def test_a_page_of_customers_that_lacks_one_side_is_an_odd_answer(
    setup: Setup, listed: object
) -> None:
    setup.server.answers("externalcontact/batch/get_by_user", {"external_contact_list": [listed]})

    with pytest.raises(WecomError, match="unexpected"):
        await setup.wecom.batch_by_user(["mei"])


async def test_customers_of_many_members_come_page_by_page(setup: Setup) -> None:
    listed = {
        "external_contact": {"external_userid": "wm1", "name": "张"},
        "follow_info": {"userid": "mei", "tag_id": ["t1"], "remark_mobiles": [13800001234]},
    }
    setup.server.answers(
        "externalcontact/batch/get_by_user",
        {"external_contact_list": [listed], "next_cursor": "c2"},
    )

    page = await setup.wecom.batch_by_user(["mei"], "c1")

    assert page.next_cursor == "c2"
    assert page.contacts[0].follow_user[0].tag_id == ("t1",)
    assert page.contacts[0].follow_user[0].remark_mobiles == ("13800001234",)
    assert setup.server.seen[-1].body == {"userid_list": ["mei"], "cursor": "c1", "limit": 100}
    with pytest.raises(ValueError, match="at most 100"):
        await setup.wecom.batch_by_user(["mei"] * 101)


async def test_only_given_fields_of_a_remark_are_written(setup: Setup) -> None:
    await setup.wecom.remark("mei", "wm1", remark="待审批-" + "张" * 30, mobiles=[])
    assert setup.server.seen[-1].body == {
        "userid": "mei",
        "external_userid": "wm1",
        "remark": "待审批-" + "张" * 15 + "…",
        "remark_mobiles": [""],
    }
    await setup.wecom.remark("mei", "wm1")
    assert len(setup.server.asked("externalcontact/remark")) == 1


async def test_tags_are_put_on_and_taken_off_in_one_call(setup: Setup) -> None:
    await setup.wecom.mark_tag("mei", "wm1", add=["t1"], remove=["t2"])
    assert setup.server.seen[-1].body == {
        "userid": "mei",
        "external_userid": "wm1",
        "add_tag": ["t1"],
        "remove_tag": ["t2"],
    }
    await setup.wecom.mark_tag("mei", "wm1")
    assert len(setup.server.asked("externalcontact/mark_tag")) == 1


GROUP = {
    "group_id": "g1",
    "group_name": "门卫",
    "tag": [{"id": "t0", "name": "老", "deleted": True}, {"id": "t1", "name": "待审批"}],
}


async def test_corp_tags_come_without_the_deleted(setup: Setup) -> None:
    gone = {"group_id": "g2", "group_name": "gone", "deleted": True}
    setup.server.answers("externalcontact/get_corp_tag_list", {"tag_group": [GROUP, gone]})
    (group,) = await setup.wecom.corp_tags()
    assert [tag.id for tag in group.tag] == ["t1"]


async def test_a_tag_that_exists_is_found_instead_of_made(setup: Setup) -> None:
    setup.server.answers("externalcontact/get_corp_tag_list", {"tag_group": [GROUP]})
    setup.server.answers("externalcontact/add_corp_tag", {"tag_group": GROUP}, {"errcode": 40071})
    assert await setup.wecom.add_corp_tag("门卫", "待审批") == "t1"
    assert await setup.wecom.add_corp_tag("门卫", "待审批 ") == "t1"
    assert len(setup.server.asked("externalcontact/get_corp_tag_list")) == 1
    with pytest.raises(WecomError, match="not in the answer"):
        await setup.wecom.add_corp_tag("门卫", "别的")


async def test_a_contact_way_belongs_to_one_member_and_carries_its_state(setup: Setup) -> None:
    made = {"config_id": "c1", "qr_code": "https://q"}
    setup.server.answers("externalcontact/add_contact_way", made)

    way = await setup.wecom.add_contact_way("mei", state="fg-1", remark="r" * 40, skip_verify=False)

    assert (way.config_id, way.qr_code, way.state) == ("c1", "https://q", "fg-1")
    assert setup.server.seen[-1].body == {
        "type": 1,
        "scene": 2,
        "user": ["mei"],
        "state": "fg-1",
        "remark": "r" * 29 + "…",
        "skip_verify": False,
    }
    with pytest.raises(ValueError, match="at most 30"):
        await setup.wecom.add_contact_way("mei", state="s" * 31, skip_verify=True)


async def test_contact_ways_are_listed_read_and_deleted(setup: Setup) -> None:
    setup.server.answers(
        "externalcontact/list_contact_way",
        {"contact_way": [{"config_id": "c1"}], "next_cursor": "n"},
        {"contact_way": [{"config_id": "c2"}]},
    )
    way = {"config_id": "c1", "state": "fg-1", "user": ["mei"], "type": 1}
    setup.server.answers("externalcontact/get_contact_way", {"contact_way": way})
    setup.server.answers(
        "externalcontact/del_contact_way", {}, {"errcode": 41044}, {"errcode": 48002}
    )
    at = datetime(2026, 1, 1, tzinfo=UTC)

    assert await setup.wecom.list_contact_way(at, at + timedelta(days=1)) == ("c1", "c2")
    body = setup.server.asked("externalcontact/list_contact_way")[0].body
    assert (body["start_time"], body["end_time"]) == (1767225600, 1767312000)
    assert (await setup.wecom.get_contact_way("c1")).state == "fg-1"
    await setup.wecom.del_contact_way("c1")
    await setup.wecom.del_contact_way("c1")
    with pytest.raises(WecomError):
        await setup.wecom.del_contact_way("c1")


async def test_a_transfer_answers_for_each_customer(setup: Setup) -> None:
    setup.server.answers(
        "externalcontact/transfer_customer",
        {
            "customer": [
                {"external_userid": "wm1", "errcode": 0},
                {"external_userid": "wm2", "errcode": 40128},
            ]
        },
    )
    waiting = {"external_userid": "wm1", "status": 2, "takeover_time": 1767312000}
    setup.server.answers(
        "externalcontact/transfer_result",
        {"customer": [waiting], "next_cursor": "n"},
        {"customer": [{"external_userid": "wm2", "status": 1}]},
    )

    codes = await setup.wecom.transfer_customer("mei", "qin", ["wm1", "wm2"], "hello")
    results = await setup.wecom.transfer_result("mei", "qin")

    assert codes == {"wm1": 0, "wm2": 40128}
    assert [(each.external_userid, each.status) for each in results] == [("wm1", 2), ("wm2", 1)]
    with pytest.raises(ValueError, match="at most 100"):
        await setup.wecom.transfer_customer("mei", "qin", ["wm"] * 101)


async def test_a_customer_group_comes_with_its_people(setup: Setup) -> None:
    members = [{"userid": "mei", "type": 1}, {"userid": "wm1", "type": 2, "join_scene": 3}]
    group = {"chat_id": "wr1", "name": "g", "owner": "mei", "member_list": members}
    setup.server.answers("externalcontact/groupchat/get", {"group_chat": group})
    chat = await setup.wecom.group_chat("wr1")
    assert [(each.userid, each.type) for each in chat.member_list] == [("mei", 1), ("wm1", 2)]


async def test_the_groups_of_owners_come_page_by_page(setup: Setup) -> None:
    path = "externalcontact/groupchat/list"
    first = {"group_chat_list": [{"chat_id": "wr1", "status": 0}], "next_cursor": "n"}
    setup.server.answers(path, first, {"group_chat_list": [{"chat_id": "wr2", "status": 0}]})

    assert await setup.wecom.group_chats(["mei", "qin"]) == ("wr1", "wr2")
    assert setup.server.asked(path)[0].body == {
        "status_filter": 0,
        "owner_filter": {"userid_list": ["mei", "qin"]},
        "limit": 1000,
        "cursor": "",
    }
    assert await setup.wecom.group_chats([]) == ()
    with pytest.raises(ValueError, match="at most 100"):
        await setup.wecom.group_chats(["mei"] * 101)


async def test_whoever_was_invited_into_a_group_comes_with_who_did_it(setup: Setup) -> None:
    invited = {"userid": "wm1", "type": 2, "join_scene": 1, "invitor": {"userid": "mei"}}
    group = {"chat_id": "wr1", "member_list": [invited, {"userid": "wm2", "type": 2}]}
    setup.server.answers("externalcontact/groupchat/get", {"group_chat": group})

    chat = await setup.wecom.group_chat("wr1")

    assert [each.invitor.userid for each in chat.member_list] == ["mei", ""]


# The company


async def test_a_member_is_read_into_our_words(setup: Setup) -> None:
    mei = {
        "userid": "Mei.Zhou",
        "name": "周梅",
        "department": [5, 7],
        "is_leader_in_dept": [0, 1],
        "direct_leader": ["tan_hao"],
        "main_department": 5,
        "position": "销售",
        "status": 1,
    }
    setup.server.answers("user/get", mei)
    setup.server.answers("user/list", {"userlist": [mei, {"userid": "qin", "status": 4}]})
    known = Member("Mei.Zhou", "周梅", (5, 7), 5, (7,), ("tan_hao",), "销售")

    assert await setup.wecom.user("mei.zhou") == known
    members = await setup.wecom.users_of_department(5)
    assert members == (known, Member("qin", "", status=4))
    assert setup.server.seen[-1].query["department_id"] == "5"


async def test_departments_come_with_names_and_leaders(setup: Setup) -> None:
    async def by_id(request: web.Request) -> web.StreamResponse:
        wanted = int(request.query["id"])
        named = {"id": wanted, "name": f"d{wanted}", "parentid": wanted - 1}
        return ok(department={**named, "department_leader": ["tan"]})

    listed = [{"id": n, "parentid": n - 1, "order": 1} for n in (1, 2, 3)]
    setup.server.answers("department/simplelist", {"department_id": listed})
    setup.server.answers("department/get", by_id)

    assert await setup.wecom.departments() == tuple(
        Department(n, f"d{n}", n - 1, ("tan",)) for n in (1, 2, 3)
    )


async def test_one_department_that_fails_fails_the_list_and_leaves_nothing_running(
    setup: Setup,
) -> None:
    listed = [{"id": n} for n in range(1, 30)]
    setup.server.answers("department/simplelist", {"department_id": listed})
    setup.server.answers("department/get", {"errcode": 60011})
    before = asyncio.all_tasks()
    with pytest.raises(WecomError):
        await setup.wecom.departments()
    left = {task for task in asyncio.all_tasks() - before if "department" in repr(task.get_coro())}
    assert not left


async def test_directory_tags_scope_and_addresses_are_read(setup: Setup) -> None:
    setup.server.answers("tag/list", {"taglist": [{"tagid": 3, "tagname": "VIP"}]})
    tag = {"tagname": "VIP", "userlist": [{"userid": "mei", "name": "周"}], "partylist": [5]}
    setup.server.answers("tag/get", tag)
    scope = {
        "allow_userinfos": {"user": [{"userid": "mei"}]},
        "allow_partys": {"partyid": [1]},
        "allow_tags": None,
    }
    setup.server.answers("agent/get", scope)
    setup.server.answers("getcallbackip", {"ip_list": ["203.0.113.*"]})

    assert (await setup.wecom.tag_list())[0].tagname == "VIP"
    members = await setup.wecom.tag_members(3)
    assert (members.tagname, members.userids, members.departments) == ("VIP", ("mei",), (5,))
    agent = await setup.wecom.agent()
    assert (agent.userids, agent.departments, agent.tags) == (("mei",), (1,), ())
    assert await setup.wecom.callback_ips() == ("203.0.113.*",)


@pytest.mark.parametrize(
    "answer",
    [{}, {"external_contact": {}}, {"external_contact": {"external_userid": ["x"]}}],
)
async def test_an_answer_of_another_shape_is_an_error_that_shows_no_values(
    setup: Setup, answer: dict[str, Any]
) -> None:
    setup.server.answers("externalcontact/get", answer)
    with pytest.raises(Unreachable, match=r"unexpected: external_userid$"):
        await setup.wecom.external_contact("wm1")


async def test_the_app_and_its_menu_are_read_and_no_menu_is_none(setup: Setup) -> None:
    scope = {"allow_partys": {"partyid": [1]}}
    setup.server.answers("agent/get", {"name": "门卫", "close": 1, **scope})
    below = {"name": "更多", "sub_button": [{"type": "click", "name": "帮助", "key": "help"}]}
    one = {"type": "click", "name": "我的", "key": "mine"}
    setup.server.answers("menu/get", {"errcode": 46003}, {"button": [one, below]})

    app = await setup.wecom.app()
    assert (app.name, app.is_on, app.scope.departments) == ("门卫", False, (1,))
    assert await setup.wecom.menu() == ()
    assert [sorted(each.keys) for each in await setup.wecom.menu()] == [["mine"], ["help"]]


async def test_a_menu_is_set_for_our_app(setup: Setup) -> None:
    await setup.wecom.set_menu([("我的申请", "mine"), ("帮助", "help")])

    (asked,) = setup.server.asked("menu/create")
    assert (asked.method, asked.query["agentid"]) == ("POST", "1000007")
    assert asked.body["button"][0] == {"type": "click", "name": "我的申请", "key": "mine"}


@pytest.mark.parametrize("buttons", [[], [("a", "b")] * 4, [("超过十六个字节", "mine")]])
async def test_a_menu_that_wecom_would_refuse_is_not_sent(
    setup: Setup, buttons: list[tuple[str, str]]
) -> None:
    with pytest.raises(ValueError, match=r"button|bytes"):
        await setup.wecom.set_menu(buttons)
    assert not setup.server.asked("menu/create")
