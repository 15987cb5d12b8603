"""The pretend API as a program meets it: tokens, messages, updates, contacts, limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.simulator.seed import AGENT_ID, CORP_ID, LIU_JIANGUO, ZHANG_WEI
from tests.makers_simulator import SECRET, Box, Json, a_box, a_card, a_selection, a_way

TEXT = {"content": "你好"}


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with a_box() as made:
        yield made


def cards_of(box: Box, userid: str) -> list[Json]:
    chat = box.world.state.chats.get(userid, [])
    return [one.card | {"open": one.open} for one in chat if one.card]


# -- tokens and form -------------------------------------------------------------------------------


async def test_gettoken_names_what_is_wrong(box: Box) -> None:
    assert (await box.api.get("gettoken", corpid="ww1", corpsecret=SECRET))["errcode"] == 40013
    assert (await box.api.get("gettoken", corpid=CORP_ID, corpsecret="x"))["errcode"] == 40001
    good = await box.api.get("gettoken", corpid=CORP_ID, corpsecret=SECRET)
    assert (good["errcode"], good["expires_in"]) == (0, 7200)
    assert 100 < len(good["access_token"]) <= 512


async def test_too_many_wrong_secrets_block_the_caller_for_an_hour(box: Box) -> None:
    for _ in range(box.sim.limits.wrong_secrets):
        await box.api.get("gettoken", corpid=CORP_ID, corpsecret="x")
    blocked = await box.api.get("gettoken", corpid=CORP_ID, corpsecret=SECRET)
    assert blocked["errcode"] == 45009
    box.clock.move(hours=1.1)
    assert (await box.api.get("gettoken", corpid=CORP_ID, corpsecret=SECRET))["errcode"] == 0


async def test_a_token_is_missing_wrong_or_expired(box: Box) -> None:
    good, box.api.token = box.api.token, ""
    assert (await box.api.get("getcallbackip"))["errcode"] == 41001
    box.api.token = "made-up"
    assert (await box.api.get("getcallbackip"))["errcode"] == 40014
    box.api.token = good
    assert (await box.api.get("getcallbackip"))["errcode"] == 0
    box.clock.move(seconds=7200)
    assert (await box.api.get("getcallbackip"))["errcode"] == 42001


async def test_expired_tokens_can_be_ordered(box: Box) -> None:
    box.sim.expire_tokens()
    assert (await box.api.get("getcallbackip"))["errcode"] == 42001
    await box.api.login()
    assert (await box.api.get("getcallbackip"))["errcode"] == 0


async def test_a_body_that_is_no_json_object_and_a_wrong_method_are_bad_parameters(
    box: Box,
) -> None:
    url = f"{box.api.base}/cgi-bin/message/send?access_token={box.api.token}"
    async with box.api.session.post(url, data=b"{broken") as answer:
        assert (await answer.json())["errcode"] == 40058
    assert await box.api.code("message/send", [1, 2]) == 40058
    assert (await box.api.get("message/send"))["errcode"] == 40058


async def test_an_unknown_path_is_no_api(box: Box) -> None:
    async with box.api.session.get(f"{box.api.base}/cgi-bin/friend/accept") as answer:
        assert answer.status == 404


async def test_too_many_calls_of_one_api_block_it_for_a_minute(box: Box) -> None:
    box.sim.limits.per_minute = 3
    codes = [(await box.api.get("getcallbackip"))["errcode"] for _ in range(5)]
    assert codes == [0, 0, 0, 45009, 45009]
    assert (await box.api.get("tag/list"))["errcode"] == 0
    box.clock.move(seconds=61)
    assert (await box.api.get("getcallbackip"))["errcode"] == 0


async def test_too_many_calls_at_a_time_are_refused(box: Box) -> None:
    box.sim.limits.concurrent = 1
    box.sim.faults.delay("tag/list", 0.2)
    slow = asyncio.create_task(box.api.get("tag/list"))
    await asyncio.sleep(0.05)
    assert (await box.api.get("tag/list"))["errcode"] == 45033
    assert (await slow)["errcode"] == 0


async def test_ordered_faults_strike_as_often_as_ordered(box: Box) -> None:
    box.sim.faults.fail("/cgi-bin/message/send", -1, times=2)
    assert [(await box.api.send(text=TEXT))["errcode"] for _ in range(3)] == [-1, -1, 0]
    assert len(box.world.state.chats["wangfang"]) == 1
    box.sim.faults.fail_after("message/send", -1)
    assert (await box.api.send(text=TEXT))["errcode"] == -1
    assert len(box.world.state.chats["wangfang"]) == 2


async def test_calls_are_recorded_without_secrets(box: Box) -> None:
    await box.api.send(text=TEXT)
    assert box.sim.called("message/send")[0]["text"] == TEXT
    assert SECRET not in str(box.sim.calls)
    assert box.api.token not in str(box.sim.calls)
    assert box.api.token not in str(box.sim.log)


# -- messages --------------------------------------------------------------------------------------


async def test_a_message_needs_the_apps_own_agentid(box: Box) -> None:
    body: Json = {"touser": "wangfang", "msgtype": "text", "text": TEXT}
    assert await box.api.code("message/send", body) == 41011
    assert await box.api.code("message/send", {**body, "agentid": "1000007"}) == 40056
    assert await box.api.code("message/send", {**body, "agentid": 1}) == 301002


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"text": {"content": ""}}, 44004),
        ({"text": {"content": 5}}, 40058),
        ({"markdown": {"content": "门" * 683}}, 45002),
        ({"markdown": {"content": "门" * 682}}, 0),
        ({"hologram": {"content": "x"}}, 40008),
        ({"textcard": {"title": "t" * 129, "description": "d", "url": "https://m/"}}, 41016),
        ({"textcard": {"title": "t", "description": "d", "url": "m.example"}}, 45034),
        ({"textcard": {"title": "t", "description": "d"}}, 41010),
        ({"news": {"articles": []}}, 45008),
        ({"news": {"articles": [{"title": "t", "url": "https://m/"}] * 9}}, 45008),
        ({"news": {"articles": [{"title": "t", "url": "https://m/"}] * 8}}, 0),
        ({"template_card": a_card(task_id=None)}, 42014),
        ({"template_card": a_card()}, 0),
    ],
)
async def test_what_a_message_may_hold(box: Box, content: Json, code: int) -> None:
    assert (await box.api.send(**content))["errcode"] == code


async def test_too_long_a_text_is_cut_in_bytes(box: Box) -> None:
    await box.api.send(text={"content": "门" * 1000})
    assert box.world.state.chats["wangfang"][0].text == "门" * 682


async def test_invalid_recipients_are_listed_in_lower_case_and_the_rest_served(box: Box) -> None:
    box.world.disable_member("sunlei")
    answer = await box.api.send("WangFang|Ghost|SunLei", text=TEXT)
    assert (answer["errcode"], answer["invaliduser"]) == (0, "ghost|sunlei")
    assert list(box.world.state.chats) == ["wangfang"]


async def test_only_invalid_none_or_too_many_recipients_are_refused(box: Box) -> None:
    assert (await box.api.send("ghost", text=TEXT))["errcode"] == 81013
    assert (await box.api.send("", text=TEXT))["errcode"] == 82001
    assert (await box.api.send("|".join(["wangfang"] * 1001), text=TEXT))["errcode"] == 40032


async def test_the_31st_message_in_a_minute_vanishes_without_an_error(box: Box) -> None:
    answers = [await box.api.send(text={"content": str(number)}) for number in range(31)]
    assert {answer["errcode"] for answer in answers} == {0}
    assert len(box.world.state.chats["wangfang"]) == 30
    assert [one.text for one in box.world.state.dropped] == ["30"]
    box.clock.move(seconds=60)
    await box.api.send(text=TEXT)
    assert len(box.world.state.chats["wangfang"]) == 31


async def test_more_than_1000_messages_an_hour_vanish_too(box: Box) -> None:
    for _ in range(34):
        for _ in range(30):
            await box.api.send(text=TEXT)
        box.clock.move(seconds=61)
    assert len(box.world.state.chats["wangfang"]) == 1000


async def test_the_duplicate_check_swallows_the_same_json_within_the_interval(box: Box) -> None:
    body = {
        "touser": "wangfang",
        "msgtype": "template_card",
        "agentid": AGENT_ID,
        "template_card": a_card(),
        "enable_duplicate_check": 1,
        "duplicate_check_interval": 600,
    }
    first = await box.api.post("message/send", body)
    assert await box.api.post("message/send", body) == first
    assert len(box.world.state.chats["wangfang"]) == 1
    box.clock.move(seconds=601)
    assert await box.api.code("message/send", body) == 42014  # now the task_id is in the way


async def test_a_task_id_is_never_used_twice(box: Box) -> None:
    assert (await box.api.send(template_card=a_card("mw-1")))["errcode"] == 0
    assert (await box.api.send("sunlei", template_card=a_card("mw-1")))["errcode"] == 42014
    box.sim.reset()
    assert (await box.api.send(template_card=a_card("mw-1")))["errcode"] == 42014


async def test_an_app_without_a_callback_url_cannot_send_buttons() -> None:
    async with a_box(listening=False) as box:
        assert (await box.api.send(template_card=a_card()))["errcode"] == 43012
        assert (await box.api.send(text=TEXT))["errcode"] == 0


async def test_a_message_can_be_recalled_for_a_day(box: Box) -> None:
    old = await box.api.send(text=TEXT)
    box.clock.move(hours=25)
    await box.api.login()
    new = await box.api.send(text=TEXT)
    assert await box.api.code("message/recall", {"msgid": old["msgid"]}) == 42052
    assert await box.api.code("message/recall", {"msgid": "unknown"}) == 40058
    assert await box.api.code("message/recall", {"msgid": new["msgid"]}) == 0
    assert [one.kind for one in box.world.state.chats["wangfang"]] == ["text", "notice"]


# -- card updates ----------------------------------------------------------------------------------


def an_update(code: str, **changes: object) -> Json:
    body: Json = {
        "atall": 1,
        "agentid": AGENT_ID,
        "response_code": code,
        "button": {"replace_name": "已同意"},
    }
    body |= changes
    return {name: value for name, value in body.items() if value is not None}


async def test_a_response_code_greys_everybodys_card_once(box: Box) -> None:
    sent = await box.api.send("wangfang|liqiang", template_card=a_card())
    update = an_update(sent["response_code"])
    assert await box.api.code("message/update_template_card", update) == 0
    assert [cards_of(box, who)[0]["open"] for who in ("wangfang", "liqiang")] == [False, False]
    assert box.world.state.chats["wangfang"][0].replaced == "已同意"
    assert await box.api.code("message/update_template_card", update) == 60140


async def test_a_response_code_lives_72_hours(box: Box) -> None:
    sent = await box.api.send(template_card=a_card())
    box.clock.move(hours=72, seconds=1)
    await box.api.login()
    update = an_update(sent["response_code"])
    assert await box.api.code("message/update_template_card", update) == 60140


async def test_a_refused_update_does_not_use_the_code_up(box: Box) -> None:
    code = (await box.api.send(template_card=a_card()))["response_code"]
    path = "message/update_template_card"
    assert await box.api.code(path, an_update(code, atall=0)) == 82101
    assert await box.api.code(path, an_update(code, button={})) == 40058
    bad = an_update(code, button=None, template_card={"card_type": "text_notice"})
    assert await box.api.code(path, bad) == 42033
    assert await box.api.code(path, an_update(code, agentid=1)) == 301002
    assert await box.api.code(path, an_update(code)) == 0


async def test_a_card_can_be_replaced_for_some_and_strangers_are_listed(box: Box) -> None:
    sent = await box.api.send("wangfang|liqiang", template_card=a_card())
    new = {
        "card_type": "text_notice",
        "main_title": {"title": "已同意"},
        "card_action": {"type": 1, "url": "https://menwei.example/A17"},
    }
    body = an_update(sent["response_code"], atall=0, button=None, template_card=new)
    answer = await box.api.post(
        "message/update_template_card", {**body, "userids": ["WangFang", "ghost"]}
    )
    assert (answer["errcode"], answer["invaliduser"]) == (0, ["ghost"])
    assert cards_of(box, "wangfang")[0]["card_type"] == "text_notice"
    assert cards_of(box, "liqiang")[0]["card_type"] == "button_interaction"


async def test_a_press_gives_another_code_and_says_what_was_selected(box: Box) -> None:
    card = a_card(button_selection=a_selection(selected_id="dup"))
    await box.api.send(template_card=card)
    event = box.world.member_presses("wangfang", "mw-A17-1", "A17:deny", {"reason": ["rival"]})
    assert event.fields["EventKey"] == "A17:deny"
    assert event.fields["SelectedItems"]["SelectedItem"][0]["OptionIds"] == {"OptionId": ["rival"]}
    assert (
        await box.api.code("message/update_template_card", an_update(event.fields["ResponseCode"]))
        == 0
    )


# -- contacts --------------------------------------------------------------------------------------


async def test_contacts_are_read_as_they_stand(box: Box) -> None:
    got = await box.api.get("externalcontact/get", external_userid=LIU_JIANGUO)
    follow = got["follow_user"][0]
    assert got["external_contact"]["corp_name"] == "恒远集团"
    assert (follow["userid"], follow["tags"][0]["tag_name"]) == ("liqiang", "战略客户")
    listed = await box.api.post("externalcontact/batch/get_by_user", {"userid_list": ["liqiang"]})
    assert listed["external_contact_list"][0]["follow_info"]["tag_id"] == [
        follow["tags"][0]["tag_id"]
    ]


async def test_reading_contacts_that_are_not_there_names_why(box: Box) -> None:
    get, listing = "externalcontact/get", "externalcontact/list"
    assert (await box.api.get(get, external_userid="wmUnknown"))["errcode"] == 40096
    assert (await box.api.get(get, external_userid=ZHANG_WEI))["errcode"] == 84061
    assert (await box.api.get(listing, userid="sunlei"))["errcode"] == 84061
    assert (await box.api.get(listing, userid="ghost"))["errcode"] == 60111
    box.world.set_customer_contact("sunlei", allowed=False)
    assert (await box.api.get(listing, userid="sunlei"))["errcode"] == 84074
    followers = await box.api.get("externalcontact/get_follow_user_list")
    assert "sunlei" not in followers["follow_user"]


async def test_batch_reading_is_paged(box: Box) -> None:
    box.world.member_adds_customer("sunlei", ZHANG_WEI)
    path, body = "externalcontact/batch/get_by_user", {"userid_list": ["sunlei", "liqiang"]}
    first = await box.api.post(path, {**body, "limit": 1})
    second = await box.api.post(path, {**body, "limit": 1, "cursor": first["next_cursor"]})
    ids = [page["external_contact_list"][0]["external_contact"] for page in (first, second)]
    assert [one["external_userid"] for one in ids] == [ZHANG_WEI, LIU_JIANGUO]
    assert second["next_cursor"] == ""
    assert await box.api.code(path, {**body, "cursor": "nonsense"}) == 50100
    assert await box.api.code(path, {**body, "limit": 101}) == 40058


async def test_our_own_marks_are_kept_and_raise_no_callback(box: Box) -> None:
    pair = {"userid": "liqiang", "external_userid": LIU_JIANGUO}
    made = await box.api.post(
        "externalcontact/add_corp_tag", {"group_name": "门卫", "tag": [{"name": "待审批"}]}
    )
    tag = made["tag_group"]["tag"][0]["id"]
    assert await box.api.code("externalcontact/mark_tag", {**pair, "add_tag": [tag]}) == 0
    assert await box.api.code("externalcontact/remark", {**pair, "remark": "待审批 刘总"}) == 0
    await box.sim.idle()
    assert box.receiver.events == []
    relation = box.world.followers(LIU_JIANGUO)[0]
    assert (tag in relation.tags, relation.remark) == (True, "待审批 刘总")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("remark", {"remark": "备" * 21}, 40058),
        ("remark", {"description": "备" * 151}, 40058),
        ("remark", {}, 40058),
        ("remark", {"external_userid": ZHANG_WEI, "remark": "x"}, 84061),
        ("mark_tag", {}, 40058),
        ("mark_tag", {"add_tag": ["etUnknown"]}, 40068),
        ("del_corp_tag", {"tag_id": ["etDemoTag01"]}, 81011),
        ("edit_corp_tag", {"id": "etDemoTag01", "name": "新"}, 81011),
        ("add_corp_tag", {"group_name": "组", "tag": []}, 40058),
        ("add_corp_tag", {"group_id": "etDemoGroup01", "tag": [{"name": "VIP"}]}, 40071),
        ("add_corp_tag", {"group_name": "组", "tag": [{"name": "长" * 31}]}, 40058),
    ],
)
async def test_marks_and_tags_beyond_the_rules_are_refused(
    box: Box, path: str, body: Json, code: int
) -> None:
    pair = {"userid": "liqiang", "external_userid": LIU_JIANGUO}
    assert await box.api.code(f"externalcontact/{path}", {**pair, **body}) == code


# -- contact ways and welcomes ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"type": None}, 41037),
        ({"scene": None}, 41038),
        ({"type": 3}, 41039),
        ({"scene": 9}, 41040),
        ({"user": ["zhouxiaomei", "sunlei"]}, 41041),
        ({"user": []}, 40058),
        ({"user": ["ghost"]}, 40003),
        ({"state": "s" * 31}, 40058),
        ({"remark": "备" * 31}, 40058),
        ({"skip_verify": "yes"}, 40058),
        ({"is_temp": True}, 48002),
        ({"state": "s" * 30, "remark": "备" * 30}, 0),
    ],
)
async def test_what_a_contact_way_may_be(box: Box, changes: Json, code: int) -> None:
    assert await box.api.code("externalcontact/add_contact_way", a_way(**changes)) == code


async def test_a_contact_way_can_be_read_changed_and_deleted(box: Box) -> None:
    config = (await box.api.post("externalcontact/add_contact_way", a_way()))["config_id"]
    change = {"config_id": config, "state": "mw-B2", "user": ["sunlei"]}
    assert await box.api.code("externalcontact/update_contact_way", change) == 0
    got = await box.api.post("externalcontact/get_contact_way", {"config_id": config})
    assert (got["contact_way"]["state"], got["contact_way"]["user"]) == ("mw-B2", ["sunlei"])
    listed = await box.api.post("externalcontact/list_contact_way", {"limit": 10})
    assert listed["contact_way"] == [{"config_id": config}]
    for expected in (0, 41044):
        gone = await box.api.code("externalcontact/del_contact_way", {"config_id": config})
        assert gone == expected


async def test_a_contact_way_needs_members_who_may_use_it(box: Box) -> None:
    box.world.set_customer_contact("zhouxiaomei", allowed=False)
    assert await box.api.code("externalcontact/add_contact_way", a_way()) == 84074
    box.world.disable_member("zhouxiaomei")
    assert await box.api.code("externalcontact/add_contact_way", a_way()) == 41054


def welcome_code(box: Box) -> str:
    event = box.world.customer_adds_member(ZHANG_WEI, "sunlei")
    assert event is not None
    return str(event.fields["WelcomeCode"])


async def test_a_welcome_code_works_once_and_reaches_the_customer(box: Box) -> None:
    body = {"welcome_code": welcome_code(box), "text": {"content": "您好"}}
    box.clock.move(seconds=19)
    assert await box.api.code("externalcontact/send_welcome_msg", body) == 0
    assert await box.api.code("externalcontact/send_welcome_msg", body) == 41050
    last = box.world.state.customer_chats[ZHANG_WEI][-1]
    assert (last.kind, last.text) == ("welcome", "您好")


async def test_a_welcome_code_dies_after_20_seconds_or_the_first_word(box: Box) -> None:
    path, text = "externalcontact/send_welcome_msg", {"content": "您好"}
    body = {"welcome_code": welcome_code(box), "text": text}
    box.world.customer_says(ZHANG_WEI, "sunlei", "在吗")
    assert await box.api.code(path, body) == 41051
    box.clock.move(seconds=21)
    assert await box.api.code(path, body) == 41050
    assert await box.api.code(path, {"welcome_code": "made-up", "text": text}) == 41050


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({}, 40058),
        ({"text": {"content": "门" * 1334}}, 45002),
        ({"attachments": [{"msgtype": "image", "image": {"pic_url": "https://m/"}}] * 10}, 41064),
        ({"attachments": [{"msgtype": "card"}]}, 41065),
    ],
)
async def test_a_welcome_beyond_the_limits_is_refused(box: Box, content: Json, code: int) -> None:
    body = {"welcome_code": welcome_code(box), **content}
    assert await box.api.code("externalcontact/send_welcome_msg", body) == code


# -- transfers, directory, menu --------------------------------------------------------------------


async def test_a_transfer_is_accepted_waits_and_is_done_after_a_day(box: Box) -> None:
    pair = {"handover_userid": "liqiang", "takeover_userid": "pool"}
    body = {**pair, "external_userid": [LIU_JIANGUO, ZHANG_WEI]}
    answer = await box.api.post("externalcontact/transfer_customer", body)
    assert [one["errcode"] for one in answer["customer"]] == [0, 40131]
    waiting = await box.api.post("externalcontact/transfer_result", pair)
    assert waiting["customer"][0]["status"] == 2
    box.clock.move(hours=24)
    await box.api.login()
    done = await box.api.post("externalcontact/transfer_result", pair)
    assert done["customer"][0]["status"] == 1
    await box.sim.idle()
    kinds = {event["ChangeType"] for event in box.receiver.events}
    assert kinds == {"del_external_contact", "add_external_contact"}


async def test_customers_of_somebody_who_left_are_assigned_by_the_other_call(box: Box) -> None:
    body = {"handover_userid": "liqiang", "takeover_userid": "pool"}
    body |= {"external_userid": [LIU_JIANGUO]}  # type: ignore[dict-item]
    assert await box.api.code("externalcontact/resigned/transfer_customer", body) == 40097
    box.world.member_leaves("liqiang")
    listed = await box.api.post("externalcontact/get_unassigned_list", {})
    assert [one["external_userid"] for one in listed["info"]] == [LIU_JIANGUO]
    assert await box.api.code("externalcontact/transfer_customer", body) == 40003
    answer = await box.api.post("externalcontact/resigned/transfer_customer", body)
    assert answer["customer"][0]["errcode"] == 0
    assert (await box.api.get("user/get", userid="liqiang"))["errcode"] == 60111


async def test_the_directory_tells_leaders_tags_and_positions(box: Box) -> None:
    mei = await box.api.get("user/get", userid="ZhouXiaoMei")
    assert (mei["position"], mei["direct_leader"]) == ("实习销售", ["wangfang"])
    assert (await box.api.get("user/get", userid="wangfang"))["is_leader_in_dept"] == [1]
    sales = await box.api.get("department/get", id="2")
    assert sales["department"]["department_leader"] == ["wangfang"]
    below = await box.api.get("department/simplelist")
    assert [one["id"] for one in below["department_id"]] == [1, 2, 3, 4, 5]
    tag = await box.api.get("tag/get", tagid="1")
    assert [one["userid"] for one in tag["userlist"]] == ["zhouxiaomei"]
    assert "mobile" not in mei


async def test_members_outside_the_visible_range_do_not_exist_for_the_app(box: Box) -> None:
    box.world.set_visible("wangfang", visible=False)
    assert (await box.api.get("user/get", userid="wangfang"))["errcode"] == 60111
    assert (await box.api.get("user/get", userid="sunlei"))["direct_leader"] == []
    assert (await box.api.send("wangfang", text=TEXT))["errcode"] == 81013


async def test_a_customer_group_lists_its_members(box: Box) -> None:
    group, _ = box.world.create_group("wangfang", "老客户群")
    box.world.join_group(group.chat_id, ZHANG_WEI)
    path = "externalcontact/groupchat"
    assert await box.api.code(f"{path}/list", {}) == 40058  # limit is required
    listed = await box.api.post(f"{path}/list", {"limit": 10})
    assert listed["group_chat_list"] == [{"chat_id": group.chat_id, "status": 0}]
    body = {"chat_id": group.chat_id, "need_name": 1}
    got = (await box.api.post(f"{path}/get", body))["group_chat"]
    assert [one["name"] for one in got["member_list"]] == ["王芳", "张伟"]
    assert got["member_version"] == group.member_version


async def test_a_menu_has_limits_and_its_buttons_raise_events(box: Box) -> None:
    url = f"{box.api.base}/cgi-bin/menu/create"
    params = {"access_token": box.api.token, "agentid": str(AGENT_ID)}
    button = {"type": "click", "name": "我的", "key": "mine"}
    for buttons, code in (([button] * 4, 40016), ([{**button, "name": "六" * 6}], 40018)):
        async with box.api.session.post(url, params=params, json={"button": buttons}) as answer:
            assert (await answer.json())["errcode"] == code
    async with box.api.session.post(url, params=params, json={"button": [button]}) as answer:
        assert (await answer.json())["errcode"] == 0
    event = box.world.member_clicks_menu("sunlei", "mine")
    assert (event.fields["Event"], event.fields["EventKey"]) == ("click", "mine")


# -- the console -----------------------------------------------------------------------------------


async def test_an_address_that_is_not_trusted_may_only_ask_for_a_token(box: Box) -> None:
    box.world.console.trusted_ip = False
    answer = await box.api.get("agent/get", agentid=str(AGENT_ID))
    assert answer["errcode"] == 60020
    assert "from ip: 203.0.113.7" in answer["errmsg"]
    await box.api.login()
    assert box.api.token


async def test_an_app_that_is_not_listed_for_customer_contact_gets_48002_for_it(box: Box) -> None:
    box.world.console.contact_calls = False
    for path in ("get_follow_user_list", "list"):
        answer = await box.api.get(f"externalcontact/{path}", userid="sunlei")
        assert answer["errcode"] == 48002
    assert (await box.api.get("user/get", userid="sunlei"))["errcode"] == 0


async def test_a_stopped_app_can_only_be_looked_at(box: Box) -> None:
    box.world.console.enabled = False
    answer = await box.api.get("agent/get", agentid=str(AGENT_ID))
    assert (answer["errcode"], answer["close"]) == (0, 1)
    assert (await box.api.get("user/get", userid="sunlei"))["errcode"] == 50003


async def test_without_the_event_switch_nobody_hears_of_customers_but_of_all_else(box: Box) -> None:
    box.world.console.contact_events = False
    box.world.member_adds_customer("sunlei", ZHANG_WEI)
    box.world.member_says("sunlei", "帮助")
    await box.sim.idle()
    assert [event["MsgType"] for event in box.receiver.events] == ["text"]


async def test_answers_carry_the_time_of_wecoms_clock(box: Box) -> None:
    async with box.api.session.get(f"{box.api.base}/cgi-bin/gettoken") as answer:
        assert answer.headers["Date"] == "Thu, 01 Jan 2026 01:13:20 GMT"
