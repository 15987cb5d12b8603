"""Reads what follows 转移, 打标签, 去标签 and 导出客户 in a chat command.

Who and what is meant by the names depends on people, customers and tags, so that only the parts are
told apart here.
"""

from __future__ import annotations

import re

from bot.command_arguments import GAPS, Wrong, is_name
from bot.command_types import ExportCustomers, Fault, TagCustomer, TransferCustomers, UntagCustomer

_TO_ZH = re.compile(r"\s*(?:转?交?给|移交给)\s*")
_TO_EN = re.compile(r"\s+to\s+", re.IGNORECASE)
_SCOPES = frozenset({"团队", "我的团队", "全部", "所有", "我的", "自己"})
_FILLERS = re.compile(r"^(?:客户|customers?\s)\s*", re.IGNORECASE)
_REASON = re.compile(r"(?<=[\s，,])(?:原因|理由|因为|because|reason)\s*[:：]?\s*", re.IGNORECASE)


def to_transfer(rest: str) -> TransferCustomers:
    """Read '张总、王总 给 李雷 原因': whom, and the taker with the reason behind."""
    said = _FILLERS.sub("", rest.strip(GAPS))
    parts = _TO_ZH.split(said, maxsplit=1)
    if len(parts) < 2:
        parts = _TO_EN.split(said, maxsplit=1)
    if not parts[0].strip(GAPS):
        raise Wrong(Fault.WHAT_MISSING, rest)
    if len(parts) < 2 or not parts[1].strip(GAPS):
        raise Wrong(Fault.WHO_MISSING, rest)
    return TransferCustomers(parts[0].strip(GAPS), _REASON.sub("", parts[1].strip(GAPS), count=1))


def names_taker(rest: str) -> bool:
    """Whether what follows the verb without a space says to whom."""
    return _TO_ZH.search(rest) is not None


def names_scope(rest: str) -> bool:
    """Whether what follows the verb without a space says whose customers."""
    return rest.strip(GAPS) in _SCOPES or is_name(rest)


def to_tag(rest: str) -> TagCustomer:
    """Read '张总 VIP'."""
    return TagCustomer(_needed(rest))


def to_untag(rest: str) -> UntagCustomer:
    """Read '张总 VIP'."""
    return UntagCustomer(_needed(rest))


def to_export(rest: str) -> ExportCustomers:
    """Read whose customers and which; nothing is one's own, all of them."""
    return ExportCustomers(_FILLERS.sub("", rest.strip(GAPS)).strip(GAPS))


def _needed(rest: str) -> str:
    said = rest.strip(GAPS)
    if len(said.split()) < 2 and not re.search(r"[、,，]", said):
        raise Wrong(Fault.WHAT_MISSING, rest)
    return said
