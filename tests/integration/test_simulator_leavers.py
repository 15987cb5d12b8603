"""What the pretend WeCom does about members who have left: its limits, codes and states."""

from __future__ import annotations

from bot.simulator.seed import LIN_XUE, LIU_JIANGUO, ZHANG_WEI
from tests.makers_leavers import customers_of
from tests.makers_simulator import Box, Json, a_box

UNASSIGNED = "externalcontact/get_unassigned_list"
RESIGNED = "externalcontact/resigned/transfer_customer"
RESULT = "externalcontact/resigned/transfer_result"
GROUPS = "externalcontact/groupchat/transfer"
LIST = "externalcontact/groupchat/list"
BOTH = {"handover_userid": "liqiang", "takeover_userid": "sunlei"}


def moving(*externals: str, **changes: str) -> Json:
    return {**BOTH, **changes, "external_userid": list(externals)}


async def unassigned(box: Box, **body: object) -> list[str]:
    answer = await box.api.post(UNASSIGNED, body)
    return [each["external_userid"] for each in answer["info"]]


async def groups(box: Box, status: int, owner: str = "liqiang") -> list[str]:
    body = {"status_filter": status, "owner_filter": {"userid_list": [owner]}, "limit": 100}
    return [each["chat_id"] for each in (await box.api.post(LIST, body))["group_chat_list"]]


async def test_only_who_has_left_is_listed_and_disabled_is_not_left() -> None:
    async with a_box() as box:
        box.world.disable_member("liqiang")
        assert await unassigned(box) == []
        assert await box.api.code(RESIGNED, moving(LIU_JIANGUO)) == 40097

        box.world.member_leaves("liqiang")

        assert await unassigned(box) == [LIU_JIANGUO]
        assert await box.api.code("externalcontact/transfer_customer", moving(LIU_JIANGUO)) == 40003


async def test_a_leaver_is_out_of_sight_everywhere_else() -> None:
    async with a_box() as box:
        assert (await box.api.get("user/get", userid="liqiang"))["errcode"] == 0
        box.world.member_leaves("liqiang")

        assert (await box.api.get("user/get", userid="liqiang"))["errcode"] == 60111
        assert (await box.api.get("externalcontact/list", userid="liqiang"))["errcode"] == 60111
        found = await box.api.get("externalcontact/get", external_userid=LIU_JIANGUO)
        assert found["errcode"] == 84061
        follow = await box.api.get("externalcontact/get_follow_user_list")
        assert "liqiang" not in follow["follow_user"]
        told = [each for each in box.receiver.events if each.get("Event") == "unsubscribe"]
        await box.sim.idle()
        told = [each for each in box.receiver.events if each.get("Event") == "unsubscribe"]
        assert [each["FromUserName"] for each in told] == ["liqiang"]


async def test_the_list_comes_in_pages_and_says_which_is_the_last() -> None:
    async with a_box() as box:
        ids = customers_of(box.world, "sunlei", 5)
        box.world.member_leaves("sunlei")

        first = await box.api.post(UNASSIGNED, {"page_size": 3})
        second = await box.api.post(UNASSIGNED, {"page_size": 3, "cursor": first["next_cursor"]})

        assert (first["is_last"], second["is_last"]) == (False, True)
        shown = [each["external_userid"] for each in (*first["info"], *second["info"])]
        assert shown == ids
        assert first["info"][0]["dimission_time"] == int(box.clock.now)
        assert await box.api.code(UNASSIGNED, {"cursor": "nonsense"}) == 50100
        assert await box.api.code(UNASSIGNED, {"page_size": 1001}) != 0


async def test_nothing_is_shown_before_its_time_nor_after_a_year() -> None:
    async with a_box() as box:
        box.world.unassigned_lag = 600.0
        box.world.member_leaves("liqiang")
        assert await unassigned(box) == []
        box.clock.move(seconds=601)
        assert await unassigned(box) == [LIU_JIANGUO]

        box.clock.move(days=366)
        await box.api.login()

        assert await unassigned(box) == []
        assert await box.api.code(RESIGNED, moving(LIU_JIANGUO)) == 40097


async def test_a_takeover_takes_a_day_and_a_refusal_puts_the_customer_back() -> None:
    async with a_box() as box:
        ids = customers_of(box.world, "liqiang", 2)
        box.world.member_leaves("liqiang")
        box.world.state.refuses_transfer.add(ids[1])

        answer = await box.api.post(RESIGNED, moving(*ids, "wmNobody"))

        assert [each["errcode"] for each in answer["customer"]] == [0, 0, 40096]
        assert await unassigned(box) == [LIU_JIANGUO]
        again = await box.api.post(RESIGNED, moving(ids[0]))
        assert again["customer"][0]["errcode"] == 40129
        box.clock.move(hours=25)
        await box.api.login()
        shown = (await box.api.post(RESULT, BOTH))["customer"]
        assert [each["status"] for each in shown] == [1, 3]
        assert await unassigned(box) == [LIU_JIANGUO, ids[1]]
        await box.sim.idle()
        changes = [each.get("ChangeType") for each in box.receiver.events]
        assert "add_external_contact" in changes
        assert "transfer_fail" in changes
        assert "del_external_contact" not in changes  # the leaver hears nothing


async def test_a_taker_has_a_limit_and_must_be_able_to_take() -> None:
    async with a_box() as box:
        ids = customers_of(box.world, "liqiang", 101)
        box.world.member_leaves("liqiang")
        assert await box.api.code(RESIGNED, moving(*ids)) == 40058
        box.world.member("sunlei").contact_limit = 0
        full = await box.api.post(RESIGNED, moving(ids[0]))
        assert full["customer"][0]["errcode"] == 40099
        box.world.member("sunlei").verified = False
        assert await box.api.code(RESIGNED, moving(ids[0])) == 40098


async def test_groups_go_only_from_who_has_left_and_change_hands_a_day_later() -> None:
    async with a_box() as box:
        group, _ = box.world.create_group("liqiang", "大客户", [ZHANG_WEI])
        body = {"chat_id_list": [group.chat_id, "wrNone"], "new_owner": "sunlei"}
        failed = (await box.api.post(GROUPS, body))["failed_chat_list"]
        assert [each["errcode"] for each in failed] == [90500, 40050]
        assert await groups(box, 0) == [group.chat_id]

        box.world.member_leaves("liqiang")

        assert await groups(box, 1) == [group.chat_id]
        named = await box.api.post(LIST, {"status_filter": 0, "limit": 100})
        assert named["group_chat_list"] == []  # resigned owners must be named
        failed = (await box.api.post(GROUPS, body))["failed_chat_list"]
        assert [each["errcode"] for each in failed] == [40050]
        assert await groups(box, 2) == [group.chat_id]
        again = (await box.api.post(GROUPS, body))["failed_chat_list"]
        assert again[0]["errcode"] == 90507
        box.clock.move(hours=25)
        await box.api.login()
        assert await groups(box, 3, "sunlei") == [group.chat_id]
        assert group.owner == "sunlei"


async def test_at_most_300_groups_of_one_person_go_in_a_day() -> None:
    async with a_box() as box:
        made = [box.world.create_group("liqiang", f"群{n}")[0].chat_id for n in range(301)]
        box.world.member_leaves("liqiang")
        for start in (0, 100, 200):
            body = {"chat_id_list": made[start : start + 100], "new_owner": "sunlei"}
            assert (await box.api.post(GROUPS, body))["failed_chat_list"] == []
        last = {"chat_id_list": made[300:], "new_owner": "sunlei"}
        assert len((await box.api.post(GROUPS, last))["failed_chat_list"]) == 1
        assert await box.api.code(GROUPS, {"chat_id_list": made[:101], "new_owner": "x"}) == 40058

        box.clock.move(hours=25)
        await box.api.login()

        assert (await box.api.post(GROUPS, last))["failed_chat_list"] == []


async def test_who_is_hired_again_begins_with_nothing() -> None:
    async with a_box() as box:
        box.world.member_leaves("liqiang")
        box.world.member_returns("liqiang")

        assert await unassigned(box) == []
        assert (await box.api.get("externalcontact/list", userid="liqiang"))["errcode"] == 84061
        assert await box.api.code(RESIGNED, moving(LIU_JIANGUO)) == 40097
        box.world.member_adds_customer("liqiang", LIN_XUE)
        listed = await box.api.get("externalcontact/list", userid="liqiang")
        assert listed["external_userid"] == [LIN_XUE]
