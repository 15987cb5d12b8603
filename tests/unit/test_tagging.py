"""Which words of a command are tags, and who is meant by the others."""

from __future__ import annotations

import pytest

from workflows.tagging import Split, meant, split

KNOWN = ("战略客户", "VIP", "已签约", "Key Account")


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("张总 VIP", Split("张总", ("VIP",))),
        ("张总、vip", Split("张总", ("VIP",))),
        ("李雷的 张总 VIP 已签约", Split("李雷的 张总", ("VIP", "已签约"))),
        ("张总 VIP、VIP", Split("张总", ("VIP",))),
        ("John Smith key  account", Split("John Smith", ("Key Account",))),
        ("VIP VIP", Split("VIP", ("VIP",))),
        ("张总 ＶＩＰ", Split("张总", ("VIP",))),  # noqa: RUF001
        ("张总 VIP 原因：签了大单", Split("张总", ("VIP",), reason="签了大单")),
        ("John Smith VIP because he signed", Split("John Smith", ("VIP",), reason="he signed")),
    ],
)
def test_all_known_tags_at_the_end_are_tags(said: str, found: Split) -> None:
    assert split(said, KNOWN) == found


def test_the_last_word_is_what_should_have_been_a_tag() -> None:
    assert split("张总 VIIP", KNOWN) == Split("张总", unknown="VIIP")
    assert split("张总 VIP 客户", KNOWN) == Split("张总 VIP", unknown="客户")
    assert split("张总", KNOWN) == Split("张总")
    assert split("张总 VIP", ()) == Split("张总", unknown="VIP")


def test_a_slip_is_guessed_at_and_something_else_is_not() -> None:
    assert meant("VIIP", KNOWN) == "VIP"
    assert meant("已签", KNOWN) == "已签约"
    assert meant("金牌", KNOWN) == ""
