"""A pretend company of any size: teams of a lead, four trainees and five sellers, all with names.

Trainees must ask before they add anybody, sellers need not; one director has the last word on VIPs.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Mapping

from tests.bench.pretend import Json, Pretend

TRAINEES, SELLERS = 4, 5  # of a team
DIRECTOR, ADMIN = "liqiang", "zhaomin"
_SALES, _FIRST_TEAM = 2, 100
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹"
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂文华建国玉兰斌宇浩然子轩梓涵欣怡俊思雨佳琪晨曦"
)


def lead(team: int) -> str:
    """Return the userid of a team's lead."""
    return f"lead{team}"


def trainee(team: int, number: int) -> str:
    """Return the userid of one of a team's trainees."""
    return f"trainee{team}-{number % TRAINEES}"


def seller(team: int, number: int) -> str:
    """Return the userid of one of a team's sellers."""
    return f"seller{team}-{number % SELLERS}"


def customer(userid: str, kind: str, number: int) -> str:
    """Return whom that member has just added: one of the 'plain', or a 'vip'."""
    return f"wm_{userid}_{kind}_{number}"


def name_of(number: int) -> str:
    """Return a person's name, the same for the same number."""
    mixed = number * 2_654_435_761 % 4_294_967_296
    first, rest = mixed % len(_SURNAMES), mixed // len(_SURNAMES)
    second, third = rest % len(_GIVEN), rest // len(_GIVEN) % len(_GIVEN)
    return _SURNAMES[first] + _GIVEN[second] + _GIVEN[third]


def member_name(userid: str) -> str:
    """Return the name of a member."""
    return name_of(zlib.crc32(userid.encode()))


def team_name(team: int) -> str:
    """Return the name of a team's department."""
    return f"销售{team}组"


class Company(Pretend):
    """The pretend WeCom of such a company."""

    def __init__(self, teams: int) -> None:
        super().__init__()
        self._teams = teams

    def answer(self, path: str, query: Mapping[str, str], body: Json) -> Json | None:
        """Return what WeCom would say."""
        match path:
            case "department/simplelist":
                numbers = (1, _SALES, *range(_FIRST_TEAM, _FIRST_TEAM + self._teams))
                return {"department_id": [{"id": number} for number in numbers]}
            case "department/get":
                return {"department": _department(int(query["id"]))}
            case "user/list":
                return {"userlist": _people(int(query["department_id"]))}
            case "tag/get":
                teams = range(self._teams)
                carriers = [trainee(team, n) for team in teams for n in range(TRAINEES)]
                return {"tagname": "试用期", "userlist": [{"userid": each} for each in carriers]}
            case "externalcontact/get":
                return _customer(query["external_userid"])
            case _:
                return super().answer(path, query, body)


def _department(number: int) -> Json:
    if number < _FIRST_TEAM:
        return {"id": number, "name": {1: "公司", _SALES: "销售部"}[number], "parentid": number > 1}
    team = number - _FIRST_TEAM
    leaders = [lead(team)]
    return {
        "id": number,
        "name": team_name(team),
        "parentid": _SALES,
        "department_leader": leaders,
    }


def _people(department: int) -> list[Json]:
    if department == 1:
        admins = [_member(each, 1, "行政") for each in (ADMIN, "chenyu")]  # a change needs two
        return [_member(DIRECTOR, 1, "总监"), *admins]
    team = department - _FIRST_TEAM
    if team < 0:
        return []
    sellers = [_member(seller(team, n), department, "销售") for n in range(SELLERS)]
    trainees = [_member(trainee(team, n), department, "实习") for n in range(TRAINEES)]
    return [_member(lead(team), department, "主管"), *sellers, *trainees]


def _member(userid: str, department: int, position: str) -> Json:
    return {
        "userid": userid,
        "name": member_name(userid),
        "department": [department],
        "main_department": department,
        "is_leader_in_dept": [int(position == "主管")],
        "position": position,
        "status": 1,
    }


def _customer(external_userid: str) -> Json:
    _, owner, kind, number = external_userid.split("_")
    tags = [{"tag_name": "战略客户", "type": 1, "tag_id": "et1"}] if kind == "vip" else []
    follower = {
        "userid": owner,
        "remark": "",
        "createtime": int(time.time()),
        "tags": tags,
        "remark_mobiles": [],
        "add_way": 2,
        "oper_userid": owner,
    }
    contact = {"external_userid": external_userid, "name": name_of(int(number)), "type": 1}
    return {"external_contact": contact, "follow_user": [follower]}
