"""Makers for the step of an add: a company of which lin has added a customer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot import texts
from bot.actions import adding
from bot.actions.scene import Scene
from bot.events import ContactAdded
from bot.wecom.answers import ExternalContact, FollowUser
from storage.transaction import Transaction
from tests.makers_approval import NOON, a_company
from tests.makers_policy import a_policy
from workflows.policy import Policy
from workflows.standing import Standing

_ZH = texts.load("zh-CN")
_ROLES: dict[str, Any] = {
    "seller": {"level": 2, "members": ["department:销售部"]},
    "admin": {"level": 5, "members": ["user:zhao"]},
}
_COMPANY = a_company()
ALLOWED = a_policy(roles=_ROLES, permissions={"friend.add": {"allow": 2}})
HELD = a_policy(roles=_ROLES, permissions={"friend.add": {"approval": 2}})


def a_scene(tx: Transaction, policy: Policy, at: datetime = NOON) -> Scene:
    """Return the scene in which WeCom tells of something."""
    return Scene(tx, Standing(policy, _COMPANY), _ZH, _ZH, at, "wecom:event")


def add(
    tx: Transaction, policy: Policy, customer: str, at: datetime = NOON, code: str = "c1"
) -> None:
    """Take the step of an add: lin's, with a welcome `code`, at the time it was told."""
    told = ContactAdded("lin", customer, at, welcome_code=code)
    shown = ExternalContact(
        external_userid=customer, name="张三", follow_user=(FollowUser(userid="lin"),)
    )
    adding.added(a_scene(tx, policy, at), told, shown)
