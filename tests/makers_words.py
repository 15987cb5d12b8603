"""Makers for tests of what people read and type."""

from bot.cards import Sheet
from workflows.model import Origin


def wide(text: str) -> str:
    """Return the text as a Chinese keyboard in full-width mode types it."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def a_sheet(**changes: object) -> Sheet:
    """Return a sheet with everything filled in, but for the changes."""
    filled: dict[str, object] = {
        "request_id": "A7K2",
        "stage": 0,
        "stages": 2,
        "requester": "王小明",
        "requester_id": "wang.xiaoming",
        "departments": ("销售一部", "销售部"),
        "position": "实习销售",
        "level": "实习销售（1 级）",
        "customer": "张总",
        "company": "某某公司",
        "phone": "138****1234",
        "tier": "vip",
        "groups": ("已签约客户",),
        "tags": ("重点", "展会"),
        "followers": ("李*", "赵**"),
        "way": "搜索手机号",
        "reason": "展会认识，助理电话 13911112222",
        "signed": True,
        "rules": (("vip-by-junior", "VIP 客户需要主管和总监批准。"),),
        "adds_today": 12,
        "due": "今天 18:00",
        "on_behalf": "王芳",
        "reasons": ("资料不全", "非目标客户", "已有同事跟进"),
    }
    return Sheet(**{**filled, **changes})  # type: ignore[arg-type]


def an_english_sheet(**changes: object) -> Sheet:
    """Return the sheet of an observed add, about which little is known."""
    filled: dict[str, object] = {
        "request_id": "Q9XW",
        "stage": 1,
        "stages": 2,
        "origin": Origin.OBSERVED,
        "requester": "Tom Chen",
        "customer": "John Smith",
        "way": "phone search",
        "rules": (("night", ""),),
        "due": "today 18:00",
    }
    return Sheet(**{**filled, **changes})  # type: ignore[arg-type]
