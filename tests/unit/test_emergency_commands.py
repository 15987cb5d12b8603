"""What follows 冻结, 解冻, 紧急放行 and 复盘, in both languages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.command_emergency import scope_of
from bot.command_types import (
    BreakGlass,
    Command,
    ConfirmBreakGlass,
    Fault,
    Freeze,
    PlainText,
    Review,
    Unclear,
    Unfreeze,
)
from bot.commands import parse
from workflows.freezing import Scope

HOURS = timedelta(hours=2)


@pytest.mark.parametrize(
    ("said", "command"),
    [
        ("冻结 全部 2小时 账号异常", Freeze("全部", HOURS, "账号异常")),
        ("冻结全部2小时账号异常", Freeze("全部", HOURS, "账号异常")),
        ("freeze department Sales 2h odd", Freeze("department Sales", HOURS, "odd")),
        ("解冻", Unfreeze()),
        ("解冻 F-A7K2", Unfreeze("F-A7K2")),
        ("解除冻结f a7k2", Unfreeze("F-A7K2")),
        ("unfreeze f—a7k2", Unfreeze("F-A7K2")),
        ("紧急放行 a7k2 客户在现场", BreakGlass("A7K2", "客户在现场")),
        ("A7K2 紧急放行 客户在现场", BreakGlass("A7K2", "客户在现场")),
        ("break glass A7K2: on site", BreakGlass("A7K2", "on site")),
        ("确认 紧急放行 A7K2", ConfirmBreakGlass("A7K2")),
        ("确认紧急放行a7k2", ConfirmBreakGlass("A7K2")),
        ("Confirm break-glass A7K2", ConfirmBreakGlass("A7K2")),
        ("紧急放行 A7K2", ConfirmBreakGlass("A7K2")),  # which finds nothing to confirm
        ("复盘 F-A7K2 误报", Review("F-A7K2", "误报")),
        ("复盘 F_a7k2：误报", Review("F-A7K2", "误报")),
        ("复盘 A7K2 已核实", Review("A7K2", "已核实")),
        ("review FA7K2 checked", Review("FA7K2", "checked")),  # the id of a request may begin so
    ],
)
def test_every_way_to_say_it_is_read(said: str, command: Command) -> None:
    assert parse(said) == command


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("冻结 全部 账号异常", Fault.DURATION),
        ("解冻 A7K2", Fault.FREEZE_ID),
        ("解冻 F-A7K2 快点", Fault.FREEZE_ID),
        ("紧急放行", Fault.ID_MISSING),
        ("复盘 F-A7K2", Fault.WHAT_MISSING),
        ("复盘 A7K2", Fault.WHAT_MISSING),
        ("复盘 F-A0K2 误报", Fault.ID_SHAPE),
    ],
)
def test_what_is_missing_is_said(said: str, why: Fault) -> None:
    found = parse(said)
    assert isinstance(found, Unclear)
    assert found.why is why


@pytest.mark.parametrize("said", ["确认", "确认一下", "confirm", "紧急", "复盘会几点开"])
def test_talk_stays_talk(said: str) -> None:
    assert isinstance(parse(said), PlainText | Unclear)
    assert not isinstance(parse(said), ConfirmBreakGlass | BreakGlass | Review)


@pytest.mark.parametrize(
    ("said", "scope", "name"),
    [
        ("全部", Scope.EVERYTHING, ""),
        ("everything", Scope.EVERYTHING, ""),
        ("部门销售一部", Scope.DEPARTMENT, "销售一部"),
        ("部门 销售一部", Scope.DEPARTMENT, "销售一部"),
        ("Department Sales", Scope.DEPARTMENT, "Sales"),
        ("动作 customer.transfer", Scope.ACTION, "customer.transfer"),
        ("action transfer a customer", Scope.ACTION, "transfer a customer"),
        ("成员 李雷", Scope.MEMBER, "李雷"),
        ("李雷", Scope.MEMBER, "李雷"),
        ("Allen", Scope.MEMBER, "Allen"),
    ],
)
def test_a_scope_is_read_and_a_bare_name_is_a_members(said: str, scope: Scope, name: str) -> None:
    assert scope_of(said) == (scope, name)
