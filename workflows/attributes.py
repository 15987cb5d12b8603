"""The words a policy may use: every attribute a rule can read and every action it can judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from workflows.facts import WAYS


class Kind(StrEnum):
    """The type of an attribute's value."""

    TEXT = "text"
    INT = "int"
    NUMBER = "number"
    BOOL = "bool"
    SET = "set"
    DATE = "date"


class Source(StrEnum):
    """Where an attribute's value comes from."""

    DIRECTORY = "directory"  # WeCom's address book
    POLICY = "policy"  # computed from the config file
    WECOM = "wecom"  # WeCom's customer contact
    REQUESTER = "requester"  # typed by the requester: a claim
    COUNTERS = "counters"  # counted by Menwei
    OUTSIDE = "outside"  # a column declared in [attributes]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. `words` are all values there are, or all elements of a set; `folded` ignores
    the case of userids.
    """

    name: str
    kind: Kind
    source: Source
    zh: str
    en: str
    personal: bool = False
    words: tuple[str, ...] = ()
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """One action. An observed one may already have happened when it is judged."""

    name: str
    zh: str
    en: str
    observed: bool = False


Registry = Mapping[str, Attribute]

TIER = "customer.tier"
GROUPS = "customer.groups"
LEVEL = "sender.level"
GRANTS = "sender.grants"
COMPUTED = frozenset({TIER, GROUPS})
OUTSIDE_PREFIX = "customer.x."

_T, _I, _B, _S = Kind.TEXT, Kind.INT, Kind.BOOL, Kind.SET
_DIRECTORY, _POLICY, _WECOM = Source.DIRECTORY, Source.POLICY, Source.WECOM
_TYPED, _COUNTED = Source.REQUESTER, Source.COUNTERS

ACTIONS: Mapping[str, Action] = {
    a.name: a
    for a in (
        Action("friend.add", "添加客户", "add a customer", observed=True),
        Action("friend.add_bulk", "批量添加客户", "add customers in bulk"),
        Action("friend.delete", "删除客户", "delete a customer", observed=True),
        Action("customer.transfer", "转移客户", "transfer a customer"),
        Action("customer.tag", "给客户打标签", "tag a customer"),
        Action("customer.edit", "修改客户备注或标签", "edit a customer", observed=True),
        Action("customer.export", "导出客户", "export customers"),
        Action("chat.join", "外部人员进入客户群", "an outsider enters a group", observed=True),
        Action("permission.grant", "授予权限", "grant a permission"),
        Action("permission.revoke", "收回权限", "revoke a permission"),
        Action("config.change", "修改规则", "change the rules"),
        Action("freeze.lift", "解除冻结", "lift a freeze"),
    )
}

# These decide who may do what: a person looks at them every time, and nobody lends them.
ABOUT_RIGHTS = frozenset({"config.change", "permission.grant", "permission.revoke", "freeze.lift"})

# Known only after the fact: nothing of them can be stopped or taken back.
ONLY_OBSERVED = frozenset({"friend.delete", "customer.edit", "chat.join"})

BUILT_IN: Registry = {
    a.name: a
    for a in (
        Attribute("sender.userid", _T, _DIRECTORY, "成员账号", "member's id", True, folded=True),
        Attribute("sender.name", _T, _DIRECTORY, "成员姓名", "member's name", True),
        Attribute(LEVEL, _I, _POLICY, "成员级别", "member's level"),
        Attribute("sender.roles", _S, _POLICY, "成员角色", "member's roles"),
        Attribute(GRANTS, _S, _POLICY, "临时授权", "temporary permissions", words=tuple(ACTIONS)),
        Attribute("sender.departments", _S, _DIRECTORY, "所属部门（含上级）", "departments"),
        Attribute("sender.position", _T, _DIRECTORY, "职务", "position"),
        Attribute("sender.tags", _S, _DIRECTORY, "成员标签", "member's tags"),
        Attribute("sender.contact_count", _I, _WECOM, "成员的客户数", "member's customers"),
        Attribute("sender.days_employed", _I, _DIRECTORY, "入职天数", "days employed"),
        Attribute("customer.external_userid", _T, _WECOM, "客户编号", "customer's id", True),
        Attribute("customer.name", _T, _WECOM, "客户名称", "customer's name", True),
        Attribute(
            "customer.type", _T, _WECOM, "客户类型", "customer type", words=("wechat", "wecom")
        ),
        Attribute("customer.corp_name", _T, _WECOM, "客户公司", "customer's company"),
        Attribute("customer.tags", _S, _WECOM, "客户标签", "customer's tags"),
        Attribute(TIER, _T, _POLICY, "客户等级", "customer tier"),
        Attribute(GROUPS, _S, _POLICY, "客户分组", "customer groups"),
        Attribute("customer.chats", _S, _WECOM, "所在客户群", "customer's group chats"),
        Attribute(
            "customer.owners", _S, _WECOM, "已添加的同事", "colleagues following", True, folded=True
        ),
        Attribute("customer.owner_count", _I, _WECOM, "已添加的同事数", "colleagues following"),
        Attribute("customer.known_days", _I, _WECOM, "认识天数", "days known"),
        Attribute(
            "customer.same_company_owners",
            _S,
            _WECOM,
            "有同公司客户的同事",
            "colleagues with customers of the same company",
            True,
            folded=True,
        ),
        Attribute(
            "customer.same_company_count",
            _I,
            _WECOM,
            "有同公司客户的同事数",
            "how many colleagues have customers of the same company",
        ),
        Attribute(
            "customer.same_company_other_team",
            _B,
            _WECOM,
            "其他部门有同公司客户",
            "another team has customers of the same company",
        ),
        Attribute(
            "customer.reserved_by",
            _T,
            _COUNTED,
            "先报备的同事",
            "who reported the customer first",
            True,
            folded=True,
        ),
        Attribute("customer.is_reserved", _B, _COUNTED, "在保护期内", "reserved by a colleague"),
        Attribute("contact.planned", _B, _WECOM, "是否先报备", "asked first"),
        Attribute(
            "contact.way",
            _T,
            _WECOM,
            "添加方式",
            "way of adding",
            words=tuple(dict.fromkeys(WAYS.values())),
        ),
        Attribute(
            "contact.initiator",
            _T,
            _WECOM,
            "发起方",
            "who started it",
            words=("member", "customer", "colleague", "admin", "unknown"),
        ),
        Attribute("contact.channel", _T, _WECOM, "渠道", "channel"),
        Attribute("contact.half", _B, _WECOM, "等待成员确认", "not yet confirmed"),
        Attribute("claim.signed", _B, _TYPED, "自述已签约", "claimed to be signed"),
        Attribute("claim.company", _T, _TYPED, "自述公司", "claimed company"),
        Attribute("claim.phone", _T, _TYPED, "自述电话", "claimed phone", True),
        Attribute("claim.reason", _T, _TYPED, "自述理由", "claimed reason"),
        Attribute("request.count", _I, _TYPED, "批量数量", "bulk size"),
        Attribute("request.target", _T, _TYPED, "接收成员", "receiving member", True, folded=True),
        Attribute("request.tag", _T, _TYPED, "要打的标签", "tag to set"),
        Attribute(
            "request.right", _T, _TYPED, "申请的权限", "permission asked for", words=tuple(ACTIONS)
        ),
        Attribute("request.days", _I, _TYPED, "申请的天数", "days asked for"),
        Attribute("request.reason", _T, _TYPED, "申请理由", "reason"),
        Attribute("today.adds", _I, _COUNTED, "今日添加数", "adds today"),
        Attribute("today.requests", _I, _COUNTED, "今日申请数", "requests today"),
        Attribute("today.denials", _I, _COUNTED, "今日被拒数", "refusals today"),
        Attribute("week.adds", _I, _COUNTED, "本周添加数", "adds this week"),
        Attribute("week.requests", _I, _COUNTED, "本周申请数", "requests this week"),
        Attribute("week.denials", _I, _COUNTED, "本周被拒数", "refusals this week"),
    )
}


def registry(outside: Mapping[str, tuple[Kind, str]]) -> Registry:
    """Return the built-in attributes and the declared outside columns (name → kind, title)."""
    columns = {
        name: Attribute(name, kind, Source.OUTSIDE, title or name, title or name, personal=True)
        for name, (kind, title) in outside.items()
    }
    return {**BUILT_IN, **columns}
