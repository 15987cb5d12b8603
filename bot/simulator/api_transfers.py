"""Handing customers over from active and from resigned members (wecom.md §6.10, 6.11)."""

from __future__ import annotations

from bot.simulator.calls import Call, Endpoints, page
from bot.simulator.errors import ApiError
from bot.simulator.records import LEFT, Json, Member, Transfer
from bot.simulator.transfers import YEAR

MOST_CUSTOMERS, MOST_GROUPS, MESSAGE_CHARS = 100, 100, 200


def transfer_customer(call: Call) -> Json:
    """Begin takeovers from an active member (doc 92125)."""
    handover = _handover(call)
    if handover.status == LEFT:
        raise ApiError(40003, "handover_userid has left")
    message = call.body.text("transfer_success_msg", most_chars=MESSAGE_CHARS)
    return _transfer(call, handover, message)


def resigned_transfer(call: Call) -> Json:
    """Begin takeovers from a member who has left (doc 94081)."""
    handover = _handover(call)
    if handover.status != LEFT or call.world.now() - handover.left_at > YEAR:
        raise ApiError(40097, "the member has not resigned")
    return _transfer(call, handover, "")


def _handover(call: Call) -> Member:
    userid = call.body.text("handover_userid", required=True, code=41009)
    found = call.world.find_member(userid)
    if found is None or not found.visible:
        raise ApiError(40003, "invalid handover_userid")
    return found


def _transfer(call: Call, handover: Member, message: str) -> Json:
    takeover = call.receiver(call.body.text("takeover_userid", required=True, code=41009))
    externals = call.body.texts("external_userid", least=1, most=MOST_CUSTOMERS)
    world = call.world
    world.settle_transfers()
    answers = []
    for external in externals:
        code = world.transfer_code(handover, takeover, external)
        if not code:
            world.begin_transfer(handover, takeover, external, message=message)
        answers.append({"external_userid": external, "errcode": code})
    return {"customer": answers}


def transfer_result(call: Call) -> Json:
    """How takeovers between two active members stand (doc 94088)."""
    return _result(call, resigned=False)


def resigned_result(call: Call) -> Json:
    """The same after somebody has left (doc 94082)."""
    return _result(call, resigned=True)


def _result(call: Call, *, resigned: bool) -> Json:
    giver = call.body.text("handover_userid", required=True, code=41009).lower()
    taker = call.body.text("takeover_userid", required=True, code=41009).lower()
    call.world.settle_transfers()
    latest: dict[str, Transfer] = {}
    for one in call.world.state.transfers:
        if (one.handover, one.takeover, one.resigned) == (giver, taker, resigned):
            latest[one.external_userid] = one
    shown, cursor = page(list(latest.values()), call.body.text("cursor"), 1000)
    customers = [
        {
            "external_userid": one.external_userid,
            "status": one.status,
            "takeover_time": int(one.takeover_time),
        }
        for one in shown
    ]
    return {"customer": customers, "next_cursor": cursor}


def get_unassigned_list(call: Call) -> Json:
    """Customers of members who have left and whom nobody took over (doc 92124)."""
    size = call.body.number("page_size", 1000, low=1, high=1000)
    shown, cursor = page(call.world.unassigned(), call.body.text("cursor"), size)
    info = [
        {
            "handover_userid": one.userid,
            "external_userid": one.external_userid,
            "dimission_time": int(call.world.member(one.userid).left_at),
        }
        for one in shown
    ]
    return {"info": info, "is_last": not cursor, "next_cursor": cursor}


def group_transfer(call: Call) -> Json:
    """Give groups of owners who have left to another member (doc 92127)."""
    chats = call.body.texts("chat_id_list", least=1, most=MOST_GROUPS)
    heir = call.receiver(call.body.text("new_owner", required=True, code=41009))
    world = call.world
    failed = []
    for chat_id in chats:
        if code := world.inherit_code(chat_id):
            failed.append({"chat_id": chat_id, "errcode": code, "errmsg": "not transferred"})
        else:
            world.inherit_group(chat_id, heir)
    return {"failed_chat_list": failed}


CALLS: Endpoints = {
    "externalcontact/transfer_customer": ("POST", transfer_customer),
    "externalcontact/transfer_result": ("POST", transfer_result),
    "externalcontact/resigned/transfer_customer": ("POST", resigned_transfer),
    "externalcontact/resigned/transfer_result": ("POST", resigned_result),
    "externalcontact/get_unassigned_list": ("POST", get_unassigned_list),
    "externalcontact/groupchat/transfer": ("POST", group_transfer),
}
