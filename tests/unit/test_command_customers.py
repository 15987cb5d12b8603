"""Commands about one's customers: what people type becomes one command, or a helpful question."""

from __future__ import annotations

import pytest

from bot.command_types import (
    Command,
    ExportCustomers,
    Fault,
    HandOver,
    PlainText,
    TagCustomer,
    TransferCustomers,
    Unclear,
    UntagCustomer,
)
from bot.commands import language_of, parse


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("转移 张总 给 李雷", TransferCustomers("张总", "李雷")),
        ("转移 张总、王总 给 李雷 调区", TransferCustomers("张总、王总", "李雷 调区")),
        ("转移张总给李雷", TransferCustomers("张总", "李雷")),
        ("转移客户 李雷的张总 给 韩梅梅", TransferCustomers("李雷的张总", "韩梅梅")),
        ("移交 李雷的全部 转交给 韩梅梅 离职", TransferCustomers("李雷的全部", "韩梅梅 离职")),
        ("转移 张总 给 李雷，原因：调区", TransferCustomers("张总", "李雷，调区")),
        ("@门卫 转移 张总 给 李雷", TransferCustomers("张总", "李雷")),
        ("transfer John Smith to lilei", TransferCustomers("John Smith", "lilei")),
        (
            "Transfer customer John Smith to Li Lei because he moves",
            TransferCustomers("John Smith", "Li Lei he moves"),
        ),
        ("transfer all of lilei to hanmei", TransferCustomers("all of lilei", "hanmei")),
        ("打标签 张总 VIP", TagCustomer("张总 VIP")),
        ("加标签 张总 VIP", TagCustomer("张总 VIP")),
        ("tag John Smith VIP", TagCustomer("John Smith VIP")),
        ("去标签 张总、VIP", UntagCustomer("张总、VIP")),
        ("取消标签 张总 VIP", UntagCustomer("张总 VIP")),
        ("untag John Smith VIP", UntagCustomer("John Smith VIP")),
        ("导出客户", ExportCustomers()),
        ("导出", ExportCustomers()),
        ("导出 客户 团队", ExportCustomers("团队")),
        ("导出客户 李雷 VIP", ExportCustomers("李雷 VIP")),
        ("导出客户团队", ExportCustomers("团队")),
        ("export customers team", ExportCustomers("team")),
        ("Export", ExportCustomers()),
    ],
)
def test_commands_about_customers_are_read(text: str, command: Command) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(
    ("text", "verb", "why"),
    [
        ("转移 张总", "transfer", Fault.WHO_MISSING),
        ("转移 张总 给", "transfer", Fault.WHO_MISSING),
        ("转移", "transfer", Fault.WHAT_MISSING),
        ("转移 给 李雷", "transfer", Fault.WHAT_MISSING),
        ("transfer John Smith", "transfer", Fault.WHO_MISSING),
        ("打标签 张总", "tag", Fault.WHAT_MISSING),
        ("untag", "untag", Fault.WHAT_MISSING),
    ],
)
def test_what_lacks_something_gets_its_usage(text: str, verb: str, why: Fault) -> None:
    command = parse(text)

    assert isinstance(command, Unclear)
    assert (command.suggestion, command.why) == (verb, why)


@pytest.mark.parametrize("text", ["转移话题", "导出的文件打不开怎么办", "transferred it", "tags"])
def test_talk_stays_talk(text: str) -> None:
    assert isinstance(parse(text), PlainText | Unclear)
    assert not isinstance(parse(text), TransferCustomers | ExportCustomers | TagCustomer)


def test_handing_a_request_over_is_another_thing() -> None:
    assert parse("转交 A7K2 给 王芳") == HandOver("A7K2", "王芳")


def test_the_language_is_that_of_the_verb() -> None:
    assert language_of("transfer 张伟 to liqiang") == "en"
    assert language_of("转移 John Smith 给 lilei") == "zh-CN"
