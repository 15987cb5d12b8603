"""What an endpoint of the pretend API gets, and how lists are paged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bot.simulator.errors import ApiError
from bot.simulator.fields import BAD, Body
from bot.simulator.records import ACTIVE, Json, Member, Relation
from bot.simulator.world import World

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file in a multipart/form-data body."""

    field: str  # the name of its field
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One call that has passed token, frequency and JSON checks."""

    world: World
    body: Body  # of a POST
    params: Mapping[str, str]  # of the query
    base_url: str
    has_callback: bool  # whether the app has a callback URL
    file: FilePart | None = None

    def param(self, name: str, code: int) -> str:
        """A required query parameter."""
        value = self.params.get(name, "")
        if not value:
            raise ApiError(code, f"{name} missing")
        return value

    def param_number(self, name: str, code: int, default: int | None = None) -> int:
        """A numeric query parameter; required when it has no default."""
        text = self.params.get(name, "")
        if not text and default is not None:
            return default
        if not text.isascii() or not text.isdigit():
            raise ApiError(code, f"{name} missing or not a number")
        return int(text)

    def agentid(self) -> None:
        """Check the body's agentid against the app of the token."""
        if "agentid" not in self.body:
            raise ApiError(41011, "agentid missing")
        if self.body.number("agentid", code=40056) != self.world.agent_id:
            raise ApiError(301002, "access_token does not belong to this agentid")

    def member(self, userid: str) -> Member:
        """A member the app sees who still works here; raises 60111."""
        found = self.world.find_member(userid)
        if found is None or not found.visible or found.left_at:
            raise ApiError(60111, f"invalid string value {userid}. userid not found")
        return found

    def seller(self, userid: str) -> Member:
        """A member who may use customer contact; raises 84074."""
        member = self.member(userid)
        if not member.customer_contact:
            raise ApiError(84074, "no external contact permission")
        return member

    def receiver(self, userid: str) -> Member:
        """A member who may take customers on: active, verified, allowed."""
        member = self.world.find_member(userid)
        if member is None or member.left_at:
            raise ApiError(40003, f"invalid userid {userid}")
        checks = (
            (not member.visible, 60011, "no privilege to access the member"),
            (member.status != ACTIVE, 41054, "user not active"),
            (not member.verified, 40098, "user not real-name verified"),
            (not member.customer_contact, 84074, "no external contact permission"),
        )
        for failed, code, words in checks:
            if failed:
                raise ApiError(code, words)
        return member

    def relation(self) -> Relation:
        """The relation named by userid and external_userid; raises 84061 and others."""
        member = self.seller(self.body.text("userid", required=True, code=41009))
        external = self.body.text("external_userid", required=True, code=41035)
        if external not in self.world.state.customers:
            raise ApiError(40096, "invalid external userid")
        relation = self.world.returned(member.userid, external)
        if relation is None:
            raise ApiError(84061, "not external contact")
        return relation


Handler = Callable[[Call], Json]
Endpoints = dict[str, tuple[str, Handler]]


def page(everything: Sequence[T], cursor: str, limit: int) -> tuple[list[T], str]:
    """One page and the cursor of the next ('' after the last); raises 50100."""
    start = 0
    if cursor:
        if not cursor.startswith("cur_") or not (cursor[4:].isascii() and cursor[4:].isdigit()):
            raise ApiError(50100, "invalid cursor")
        start = int(cursor[4:])
    end = start + limit
    return list(everything[start:end]), f"cur_{end}" if end < len(everything) else ""


def paged(call: Call, everything: Sequence[T], *, most: int, default: int) -> tuple[list[T], str]:
    """A page as the body's cursor and limit ask."""
    limit = call.body.number("limit", default, low=1, high=most, code=BAD)
    return page(everything, call.body.text("cursor"), limit)
