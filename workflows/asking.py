"""Reads what a member types about somebody they want to add: free text in, a claim out.

People write a name, a company, a number and a reason in any order, or label them. Reading is by
signs (digits, 公司, titles, surnames) and then by place; what is left over is the reason. Nothing
here is a fact: a claim is shown to the approver as the member's words.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace

from workflows.claims import Claim
from workflows.masking import PHONE, narrow, phone_digits

# 'contact' is a telephone number or a company, 'phone' the number that was mistyped.
NEEDED = ("name", "contact", "phone", "reason")

_MOST = 2000  # characters read of one message
_LONGEST = {"name": 40, "company": 80, "reason": 500}
_GAP = r"[\s,，;；、|]"
_HERE = "\ue000"  # stands where the telephone number stood

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
    "温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴"
    "霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳穆农司卓古吉缪简车项连芦麦褚娄窦戚岑"
)
_COMPOUND = "欧阳|上官|司马|诸葛|司徒|东方|皇甫|令狐|慕容|尉迟|公孙|夏侯|端木|百里"
_TITLE = (
    "董事长|总经理|副总裁|副经理|总监|总裁|副总|经理|主任|老板|老师|先生|女士|小姐|太太|院长|校长|教授|医生"
    "|律师|会计|博士|局长|处长|科长|部长|厂长|店长|校董|总|董|工|哥|姐|姨|叔|嫂"
)
_TITLED = re.compile(rf"(?![我你他她它您的老那这本各])[\u4e00-\u9fff]{{1,3}}?(?:{_TITLE})")
_BARE_TITLE = re.compile(rf"(?:{_TITLE})")
_CHINESE_NAME = re.compile(
    rf"(?:{_COMPOUND})[\u4e00-\u9fff]{{1,2}}|[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}"
    rf"|[小老阿][{_SURNAMES}]"
)
_DOTTED_NAME = re.compile(r"[\u4e00-\u9fff]{2,6}·[\u4e00-\u9fff]{2,8}")
_LATIN_NAME = re.compile(r"[A-Z][A-Za-zÀ-ÿ'\u2019.-]*")
# Words of reasons and times, which are no names, and no companies by place alone.
_TALK = re.compile(
    "认识|介绍|推荐|展会|会议|客户|朋友|同学|同事|校友|邻居|亲戚|合作|咨询|微信|扫码|名片|见面|见过|拜访|需要"
    "|需求|想|谈|聊|采购|购买|买|签|合同|项目|[上下本这]周|昨|今天|明天|去年|今年|上次|之前|活动|沙龙|峰会|论坛"
    "|老客|转介|询价|报价|对接|跟进|来电|电话|官网|线上|线下|了解|沟通|试用|产品|业务|意向|加|因为|由于|通过|[我你他她]"
    "|^在|^是|^来|^要|^的|^有"
)
_COMPANY_TAIL = (
    r"(?:公司|集团|银行|有限合伙|事务所|工作室|研究院|研究所|商行|基金会|协会|科技|股份)"
)
_COMPANY = re.compile(
    rf"(?!.*(?:[我咱他她你]们|对方|贵公司)).+{_COMPANY_TAIL}(?:[（(][^）)]*[）)])?"
)
_PLACE_TAIL = re.compile(r".{2,}(?:医院|学校|大学|中学|酒店|超市|工厂|厂|店|中心|商场|餐厅|科技园)")
_LATIN_TAIL = (
    r"(?:Co\.?,?\s?Ltd|Pte\.?\s?Ltd|Inc|Ltd|LLC|LLP|PLC|GmbH|Corporation|Corp|Company|Co|Limited"
    r"|Group|Holdings|Bank|Technologies|Technology|Industries|Trading)\b\.?"
)
_LATIN_COMPANY = re.compile(
    rf"(?<!\w)(?:[A-Z0-9][\w&'\u2019.-]*\s+){{1,6}}{_LATIN_TAIL}(?:,?\s?{_LATIN_TAIL})*"
)
_JOINED = re.compile(rf"(?P<name>{_TITLED.pattern})(?P<company>.{{2,}}{_COMPANY_TAIL})")
_OWNED = re.compile(rf"(?P<company>.+{_COMPANY_TAIL})的?(?P<name>.{{2,6}})")

_LABELS = {
    "name": "客户姓名|客户名称?|联系人|姓名|名字|称呼|客户|customer name|customer|contact|name",
    "company": "公司名称?|公司|单位|企业|company|firm|employer",
    "phone": "手机号码?|手机|电话号码?|电话|联系方式|联系电话|phone number|phone|mobile|tel",
    "reason": "添加理由|申请理由|理由|原因|事由|备注|说明|reason|why|because|note",
}
_LABEL = re.compile(
    r"(?:(?<=^)|(?<=[\s,，;；、。.|\ue000]))(?:"
    + "|".join(f"(?P<{field}>{words})" for field, words in _LABELS.items())
    + r")\s*[:：=]\s*",
    re.IGNORECASE,
)
_BEFORE_PHONE = re.compile(rf"(?:{_LABELS['phone']}|微信号?)\s*[:：=是]?\s*$", re.IGNORECASE)
_BEFORE_REASON = re.compile(r"^(?:理由|原因|事由)(?:是|为)?\s*", re.IGNORECASE)
# A mobile number with digits too few or too many; shorter ones are amounts, and so is what has a
# unit behind it.
_BROKEN = re.compile(
    r"(?<![0-9A-Za-z.+-])1[3-9](?:[0-9]{5,8}|[0-9]{10,11})(?![0-9A-Za-z.%元块万亿个件台套份+-])"
)
_UNSIGNED = re.compile(
    r"(?:不是|并非|[没未非](?:有|曾)?|尚未|not(?: yet)?)\s?(?:已经?)?(?:签约|签合同|signed)"
    r"|unsigned",
    re.IGNORECASE,
)
_SIGNED = re.compile(r"已经?签约|已经?签(?:了)?合同|\bsigned\b", re.IGNORECASE)
_NO_ANSWER = re.compile(
    r"(?:我?(?:也|还)?不(?:太)?(?:知道|清楚|记得|晓得)|没有?|无|暂无|none|unknown|n/?a|no|not sure)"
    r"[了。.!！]*",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r".*(?:[?？]|[吗么])[\s!！。.~～]*"
    r"|(?!.*(?:不知道|不清楚|不?记不?得|忘)).*(?:哪[些里儿个位]|(?:[有差]|[能可]以?加)几个)"
    r"[呢啊呀了]?[\s!！。.~～]*"
    r"|(?:请问|什么时候|啥时候|何时|多久|怎么|为什么|为啥|谁|要等|还要多).*"
    r"|(?:when|how|why|who|what|where|which|can|could|may|do|does|is)\b.*\b(?:i|you|it|this|we)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_LEGAL_FORM = re.compile(
    r"(?:股份|责任|有限|集团|公司|coltd|pteltd|limited|ltd|inc|llc|corporation|corp|company|co|gmbh)+$"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood, and which of `NEEDED` must be asked for."""

    claim: Claim
    missing: tuple[str, ...] = ()
    broken: str = ""  # what was surely meant as a telephone number


def read(text: str) -> Reading:
    """Return the claim in what a member typed: `张总 某某公司 13800001234 展会认识`."""
    return _reading(_read(text, Claim()), text)


def complete(reading: Reading, more: str) -> Reading:
    """Return the reading with a member's answer to what was missing put in; the rest stays."""
    claim = reading.claim
    match reading.missing:
        case ():
            return reading
        case ("reason",):
            found = _read(more, replace(claim, name=claim.name or "-", company="-"))
            return _reading(replace(found, name=claim.name, company=claim.company), more)
        case (only,):
            found = _read(more, replace(claim, reason=""))
            return _reading(_answered(only, replace(found, reason=claim.reason), more), more)
        case _:
            return _reading(_read(more, claim), more)


def is_question(text: str) -> bool:
    """Whether somebody who was asked something asks back instead: `什么时候能批？`.

    Whatever has a label or a telephone number is an answer all the same.
    """
    said = narrow(text).strip()
    is_answer = _LABEL.search(said) or PHONE.search(said)
    return not is_answer and _QUESTION.fullmatch(said) is not None


def fingerprint(claim: Claim) -> str:
    """Return a stable key of whom a claim is about, from the number or else name and company.

    It is a hash, since keys appear in logs and records where telephone numbers must not.
    """
    digits = phone_digits(claim.phone)
    if digits:
        return "p" + _hash(digits)
    company = _LEGAL_FORM.sub("", _letters(claim.company))
    return "n" + _hash(f"{_letters(claim.name)}|{company}")


def looks_like_name(word: str) -> bool:
    """Whether a word is surely a person's name: a surname, a title, or a Latin capital."""
    if _DOTTED_NAME.fullmatch(word):
        return True
    if _TALK.search(word):
        return False
    signs = (_TITLED, _CHINESE_NAME, _LATIN_NAME)
    return len(word) > 1 and any(sign.fullmatch(word) for sign in signs)


def is_titled(word: str) -> bool:
    """Whether a word is a name with a title, such as 张总 or 李经理."""
    return _TITLED.fullmatch(word) is not None


def is_company(word: str) -> bool:
    """Whether a word names a company by how it ends."""
    return len(word) > 2 and _COMPANY.fullmatch(word) is not None


def _reading(claim: Claim, said: str) -> Reading:
    found = None if claim.phone else _BROKEN.search(narrow(said[:_MOST]))
    broken = found.group() if found else ""
    lacking = {
        "name": not claim.name,
        "contact": not (claim.phone or claim.company or broken),
        "phone": bool(broken),
        "reason": not claim.reason,
    }
    return Reading(claim, tuple(need for need in NEEDED if lacking[need]), broken)


def _answered(need: str, claim: Claim, more: str) -> Claim:
    """Take an answer to one question as it stands when nothing in it was recognised."""
    answer = " ".join(narrow(more).split())
    if _NO_ANSWER.fullmatch(answer):
        return claim
    if need == "name" and not claim.name and len(answer) <= 20:
        return replace(claim, name=answer)
    if (
        need == "contact"
        and not (claim.phone or claim.company)
        and len(answer) <= _LONGEST["company"]
    ):
        return replace(claim, company=answer)
    return claim


def _read(text: str, known: Claim) -> Claim:
    """Fill the blanks of `known` from a text; what it already says is not looked for."""
    said = narrow(text[:_MOST]).replace(_HERE, " ").strip()
    phone, said = _take_phone(said, known.phone)
    if not phone:
        said = _BROKEN.sub(" ", said)  # neither a company nor a reason
    labelled, said = _take_labelled(said)
    claim = replace(
        known,
        name=known.name or labelled.get("name", ""),
        company=known.company or labelled.get("company", ""),
        phone=phone,
        signed=_signed(text) if known.signed is None else known.signed,
    )
    claim, left = _take_unlabelled(claim, said)
    reason = known.reason or labelled.get("reason", "") or left
    return _cut(replace(claim, reason=reason))


def _take_phone(said: str, known: str) -> tuple[str, str]:
    found = PHONE.search(said)
    if found is None or known:
        return known, said
    before = _BEFORE_PHONE.sub("", said[: found.start()])
    return phone_digits(found.group()), f"{before} {_HERE} {said[found.end() :]}"


def _take_labelled(said: str) -> tuple[dict[str, str], str]:
    labels = list(_LABEL.finditer(said))
    if not labels:
        return {}, said
    values: dict[str, str] = {}
    left = said[: labels[0].start()]
    ends = [label.start() for label in labels[1:]] + [len(said)]
    for label, end in zip(labels, ends, strict=True):
        field = label.lastgroup or ""
        value, rest = _value(field, said[label.end() : end])
        values.setdefault(field, value)
        left += f" {rest}"
    return values, left


def _value(field: str, text: str) -> tuple[str, str]:
    """Split what follows a label into its value and what belongs to no label."""
    if field == "reason":
        return _tidy(text.replace(_HERE, " ")), ""
    latin = re.match(r"[A-Za-z]", text)
    stop = rf"[,，;；\n|{_HERE}]" if latin else rf"{_GAP}|{_HERE}"
    parts = re.split(stop, text, maxsplit=1)
    cut = len(parts[0])
    return _tidy(parts[0]), text[cut:]


def _take_unlabelled(claim: Claim, said: str) -> tuple[Claim, str]:
    """Find company and name among what no label named; return what is left as well."""
    if not claim.company:
        claim, said = _take_latin_company(claim, said)
    pieces = _Pieces.of(said)
    if not claim.company:
        claim = _take_company(claim, pieces)
    if not claim.name:
        claim = _take_name(claim, pieces)
    if not claim.company:
        claim = replace(claim, company=pieces.take_before_phone() or pieces.take_first_of_many())
    return claim, pieces.left()


def _take_latin_company(claim: Claim, said: str) -> tuple[Claim, str]:
    found = _LATIN_COMPANY.search(said)
    if found is None:
        return claim, said
    words = found.group().split()
    tail = len(re.split(rf"\s+(?={_LATIN_TAIL})", found.group(), maxsplit=1)[0].split())
    first = found.start() == 0 and not claim.name
    own = min(2, tail - 1) if first else 0  # 'John Smith Acme Ltd': the name comes first
    claim = replace(
        claim,
        name=claim.name or " ".join(words[:own]),
        company=" ".join(words[own:]),
    )
    return claim, f"{said[: found.start()]} , {said[found.end() :]}"


def _take_company(claim: Claim, pieces: _Pieces) -> Claim:
    for index, word in enumerate(pieces.words):
        joined = _JOINED.fullmatch(word) or _OWNED.fullmatch(word)
        if joined and (claim.name or looks_like_name(joined["name"])):
            pieces.take(index)
            return replace(claim, name=claim.name or joined["name"], company=joined["company"])
        if is_company(word) or (_PLACE_TAIL.fullmatch(word) and not _TALK.search(word)):
            return replace(claim, company=pieces.take(index))
    return claim


def _take_name(claim: Claim, pieces: _Pieces) -> Claim:
    words = pieces.words
    sure = [i for i, word in enumerate(words) if looks_like_name(word) and not word.isascii()]
    titled = [i for i in sure if is_titled(words[i])]
    if titled or sure:
        index = (titled or sure)[0]
        name = pieces.take(index)
        if _BARE_TITLE.fullmatch("".join(pieces.words[index : index + 1])):
            name += pieces.take(index)
        return replace(claim, name=name)
    return replace(claim, name=pieces.take_leading_name())


def _signed(text: str) -> bool | None:
    if _UNSIGNED.search(text):
        return False
    return True if _SIGNED.search(text) else None


def _cut(claim: Claim) -> Claim:
    return replace(
        claim,
        name=claim.name[: _LONGEST["name"]],
        company=claim.company[: _LONGEST["company"]],
        reason=claim.reason[: _LONGEST["reason"]],
    )


def _tidy(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip(" ,，;；、|。:：")


def _letters(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


class _Pieces:
    """The words of a text with the gaps before them, from which words are taken out."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._pairs = list(pairs)

    @classmethod
    def of(cls, text: str) -> _Pieces:
        gaps_and_words = ["", *re.split(rf"({_GAP}+)", text)]
        pairs = zip(gaps_and_words[::2], gaps_and_words[1::2], strict=True)
        return cls((gap, word) for gap, word in pairs if word)

    @property
    def words(self) -> list[str]:
        return [word for _, word in self._pairs]

    def take(self, index: int) -> str:
        return self._pairs.pop(index)[1]

    def take_leading_name(self) -> str:
        """Take the name that comes first, if what comes first may be one."""
        if not self._pairs or _TALK.search(self.words[0]) or self.words[0] == _HERE:
            return ""
        if not self.words[0].isascii():
            short = 2 <= len(self.words[0]) <= 4
            return self.take(0) if short else ""
        if not self.words[0][0].isalpha():
            return ""
        second = self._pairs[1] if len(self._pairs) > 1 else ("", "")
        goes_on = second[0] == " " and _LATIN_NAME.fullmatch(second[1])
        return f"{self.take(0)} {self.take(0)}" if goes_on else self.take(0)

    def take_before_phone(self) -> str:
        """Take what stands between the beginning and the number: by place a company."""
        if _HERE not in self.words:
            return ""
        before = self.words[: self.words.index(_HERE)]
        if not before or any(_TALK.search(word) for word in before):
            return ""
        return " ".join(self.take(0) for _ in before) if len(" ".join(before)) <= 40 else ""

    def take_first_of_many(self) -> str:
        """Take the first of several words, if it is no talk: by place a company."""
        words = [word for word in self.words if word != _HERE]
        if len(words) < 2 or _TALK.search(words[0]) or not 2 <= len(words[0]) <= 12:
            return ""
        latin_talk = words[0].isascii() and not words[0][0].isupper()
        return "" if latin_talk else self.take(self.words.index(words[0]))

    def left(self) -> str:
        """Return what was not taken, with gaps as typed where words still stand side by side."""
        text = "".join(gap + word for gap, word in self._pairs).replace(_HERE, " ")
        text = re.sub(r"\s*([,，;；、|])(?:\s*[,，;；、|])*", r"\1", text)
        return _BEFORE_REASON.sub("", _tidy(text))
