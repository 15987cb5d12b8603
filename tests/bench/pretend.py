"""A pretend WeCom that costs next to nothing: the calls Menwei makes, answered from fixed shapes.

The simulator checks every field and keeps a world; on a machine that also runs the server it would
be what is measured. This one knows a company of teams, and a customer for every id it is asked for.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

TEAMS = 50
SELLERS, TRAINEES = 400, 400
_SALES, _FIRST_TEAM = 2, 100
_TRAINEE_TAG = 7
_VIP = "战略客户"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """One call from Menwei."""

    at: float  # perf_counter
    path: str
    body: Json


@dataclass(slots=True)
class Pretend:
    """The API of one company. Calls that change something are kept in `heard`."""

    heard: list[Heard] = field(default_factory=list)
    is_silent: bool = False  # it takes calls and answers none
    url: str = ""
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to listen; `url` says where."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Line(self), "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.url = f"http://{host}:{port}"

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    def of(self, path: str) -> list[Heard]:
        """Return the calls of one kind so far."""
        return [each for each in self.heard if each.path == path]

    def answer(self, path: str, query: Mapping[str, str], body: Json) -> Json | None:
        """Return what WeCom would say; None to hang up, on what would only stand in the way.

        That is the reading of customers and groups at the start, which is measured elsewhere.
        """
        if body:
            self.heard.append(Heard(time.perf_counter(), path, body))
        known = _ANSWERS.get(path)
        return known(query, body) if known else None


def seller(number: int) -> str:
    """Return the userid of one who may add customers."""
    return f"seller{number % SELLERS}"


def trainee(number: int) -> str:
    """Return the userid of one who has to ask first."""
    return f"trainee{number % TRAINEES}"


def ordinary(seller_number: int, number: int) -> str:
    """Return a customer whom that seller has just added."""
    return f"wm-{seller_number % SELLERS}-plain-{number}"


def important(seller_number: int, number: int) -> str:
    """Return a customer whom that seller has just added, and who is a VIP."""
    return f"wm-{seller_number % SELLERS}-vip-{number}"


def _member(userid: str, team: int, position: str) -> Json:
    return {
        "userid": userid,
        "name": f"成员{userid}",
        "department": [_FIRST_TEAM + team],
        "main_department": _FIRST_TEAM + team,
        "is_leader_in_dept": [int(position == "主管")],
        "position": position,
        "status": 1,
    }


def _team(query: Mapping[str, str], _body: Json) -> Json:
    team = int(query["department_id"]) - _FIRST_TEAM
    people = []
    if team >= 0:
        people.append(_member(f"lead{team}", team, "主管"))
        people += [_member(seller(n), team, "销售") for n in range(team, SELLERS, TEAMS)]
        people += [_member(trainee(n), team, "实习") for n in range(team, TRAINEES, TEAMS)]
    return {"userlist": people}


def _department(query: Mapping[str, str], _body: Json) -> Json:
    number = int(query["id"])
    names = {1: "公司", _SALES: "销售部"}
    found = {"id": number, "name": names.get(number, f"销售{number}组"), "parentid": number > 1}
    if number >= _FIRST_TEAM:
        leaders = [f"lead{number - _FIRST_TEAM}"]
        found |= {"parentid": _SALES, "department_leader": leaders}
    return {"department": found}


def _customer(query: Mapping[str, str], _body: Json) -> Json:
    external = query["external_userid"]
    _, owner, kind, number = external.split("-")
    tags = [{"tag_name": _VIP, "type": 1, "tag_id": "et1"}] if kind == "vip" else []
    follower = {
        "userid": seller(int(owner)),
        "remark": "",
        "createtime": int(time.time()),
        "tags": tags,
        "remark_mobiles": [],
        "add_way": 2,
        "oper_userid": seller(int(owner)),
    }
    contact = {"external_userid": external, "name": f"客户{number}", "type": 1}
    return {"external_contact": contact, "follow_user": [follower]}


def _sent(_query: Mapping[str, str], body: Json) -> Json:
    card = body.get("template_card")
    return {"msgid": "m1", "response_code": f"sent-{card['task_id']}" if card else ""}


_Answer = Callable[[Mapping[str, str], Json], Json]
_ANSWERS: dict[str, _Answer] = {
    "gettoken": lambda _q, _b: {"access_token": "t0ken", "expires_in": 7200},
    "getcallbackip": lambda _q, _b: {"ip_list": ["127.0.0.1"]},
    "agent/get": lambda _q, _b: {},
    "department/simplelist": lambda _q, _b: {
        "department_id": [{"id": n} for n in (1, _SALES, *range(_FIRST_TEAM, _FIRST_TEAM + TEAMS))]
    },
    "department/get": _department,
    "user/list": _team,
    "tag/list": lambda _q, _b: {"taglist": [{"tagid": _TRAINEE_TAG, "tagname": "试用期"}]},
    "tag/get": lambda _q, _b: {
        "tagname": "试用期",
        "userlist": [{"userid": trainee(n)} for n in range(TRAINEES)],
    },
    "externalcontact/get": _customer,
    # Busy: reading all customers would be measured too, and find none of those that were added.
    "externalcontact/get_follow_user_list": lambda _q, _b: {"errcode": -1},
    "externalcontact/get_corp_tag_list": lambda _q, _b: {
        "tag_group": [
            {
                "group_id": "g1",
                "group_name": "门卫",
                "tag": [{"id": "et2", "name": "待审批"}, {"id": "et3", "name": "违规添加"}],
            }
        ]
    },
    "externalcontact/mark_tag": lambda _q, _b: {},
    "externalcontact/remark": lambda _q, _b: {},
    "externalcontact/send_welcome_msg": lambda _q, _b: {},
    "externalcontact/add_contact_way": lambda _q, b: {
        "config_id": f"way-{b['state']}",
        "qr_code": "https://example.com/qr",
    },
    "externalcontact/del_contact_way": lambda _q, _b: {},
    "message/send": _sent,
    "message/update_template_card": lambda _q, _b: {},
}


class _Line(asyncio.Protocol):
    """One connection of Menwei's HTTP client: requests with a Content-Length or without a body."""

    def __init__(self, wecom: Pretend) -> None:
        self._wecom = wecom
        self._got = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (request := self._whole()) is not None:
            self._serve(*request)

    def _whole(self) -> tuple[str, bytes] | None:
        head, end, rest = self._got.partition(b"\r\n\r\n")
        if not end:
            return None
        _, _, length = head.lower().partition(b"\r\ncontent-length:")
        size = int(length.split(b"\r\n", 1)[0]) if length else 0
        if len(rest) < size:
            return None
        self._got = rest[size:]
        return head.split(b" ", 2)[1].decode(), rest[:size]

    def _serve(self, target: str, body: bytes) -> None:
        assert self._transport is not None
        if self._wecom.is_silent:
            return
        path, _, query = target.partition("?")
        found = self._wecom.answer(
            path.removeprefix("/cgi-bin/"),
            dict(parse_qsl(query)),
            json.loads(body) if body else {},
        )
        if found is None:
            self._transport.close()
            return
        answer = json.dumps({"errcode": 0, "errmsg": "ok", **found}).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}"
        self._transport.write(head.encode() + b"\r\n\r\n" + answer)
