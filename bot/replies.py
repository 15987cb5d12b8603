"""What short texts mean that are no commands: second thoughts, nods, how a request stands.

Who is asked for the reason of a refusal refuses for good with the next words, so whatever may be
anything else is no reason; who means it all the same says so: 原因：….
"""

from __future__ import annotations

import re

from bot.command_arguments import GAPS, is_id
from workflows.asking import is_question
from workflows.masking import narrow

# No two of these begin alike: a long message is read in one go.
_FIRST = (
    r"(?:[我那就先啊,，。\s]|还是|现在|暂时|暂且|今天|这个|这次|算了|抱歉|不好意思|对不起|哎呀?|刚才?"
    r"|sorry)*"
)
_NEVER_MIND = re.compile(
    r"取消(?:吧|了)?|算了吧?|不用了|never ?mind|cancel(?: (?:it|that|this))?|forget it"
)
_NOT_REFUSED = re.compile(
    rf"{_FIRST}(?:"
    r"(?:不|别)(?:想|要|用|打算)?(?:拒绝|驳回|否决|拒).*"
    r"|是?(?:点|按|弄|搞|发|选|打|操作)错(?:了|啦|人了)?|(?:误点|误触|手滑)了?"
    r"|(?:取消|撤回|撤销|收回)(?:拒绝)?(?:吧|了)?|作罢|当我没说|[反后]悔了?"
    r"|(?:同意|通过|批准|批)(?:他|她|它)?(?:吧|了)"
    r"|(?:i )?(?:do not|don['\u2019]?t|won['\u2019]?t|will not|not) ?(?:want to )?"
    r"(?:reject|refuse|deny|decline)\w*.*"
    r"|(?:my |by |a )*mistake|mis-?(?:click|tap)\w*"
    r"|wrong (?:one|button|person)|undo|take (?:it )?back|i['\u2019]d rather not"
    r")",
    re.DOTALL,
)
_NOT_ADDED = re.compile(
    rf"{_FIRST}(?:不|别)(?:想|要|用|打算)?再?(?:添?加|报备|申请)"
    r"(?:[他她了吧啦人]|这个|客户)*(?:[,，].{0,30})?"
    r"|(?:i )?(?:do not|don['\u2019]?t|won['\u2019]?t|will not|not) ?(?:want to )?add\w*"
    r"(?: (?:him|her|them|it|anybody|anyone))?(?: (?:now|today|after all))?"
)
_THINKING = re.compile(
    r"(?:[我那先让容再得要还等下]|我们)*"
    r"(?:想一?想|想一?下|考虑考虑|考虑一?下|看一?看|看一?下|问一?问|问一?下|核实一?下|了解一?下"
    r"|等?一?下|等会儿?|稍等|不急|不着急|没想好|不确定|晚点|回头|考虑|放一?放|放着)"
    r"(?:再说|再看|[吧了他她])*(?:[,，].{0,30})?"
    r"|(?:let me |i(?:['\u2019]ll| will| need to| have to) )(?:think|check|see|ask)\b.*"
    r"|wait(?: a \w+)?|hold on|not sure(?: yet)?|later|one moment"
)
_NOD = re.compile(
    r"[嗯哦噢喔啊额呃唔哈]+|好+[的吧滴嘞啊]*|行[的吧]?|可以[的吧]?|[是对][的吧]?|[没暂]?[有无没]"
    r"|收到|知道了|明白了?|了解了?"
    r"|确[认定]|谢谢您?你?|多谢|感谢|[您你]好|在吗"
    r"|ok(?:ay)?|k|yes|yep|yeah|no|none|nope|sure|fine|right|hm+|oh|uh|well|got it|i see"
    r"|confirm(?:ed)?"
    r"|thanks?(?: you)?|hi|hello"
)
_LABEL = re.compile(
    r"\s*(?:拒绝)?(?:原因|理由|reason|because)\s*(?:是|is)?\s*[:：]\s*", re.IGNORECASE
)

_SHORT = 20  # characters
_OWN = r"(?:申请|报备|进度|审批)"
_HOW_IT_STANDS = re.compile(
    rf"(?:请问|我|的|这个|那个|上次|刚才|单子|现在|目前|到底|编号|[#,，:：\s]|{_OWN}(?=.))*(?:"
    r"(?:审?批准?|通过|同意|审批?|处理)[完好下来过]*了?(?:吗|没有?|么)"
    r"|(?:怎么?样|咋样)了?|到哪(?:里|儿|一步)?了?|卡?在哪(?:里|儿|一步)?了?|到谁(?:那里?|那儿)?了?"
    r"|谁来?(?:审?批|审批)|(?:在)?等谁|进[度展](?:如何|怎么?样)?|状态|什么(?:情况|进度|状态)"
    r"|(?:什么时候|多久)能?(?:批|好)|有?结果(?:呢|了?[吗没])?"
    r"|(?:is )?(?:it |my request )?(?:approved|decided)(?: yet)?|(?:any )?(?:status|progress|news)"
    r"(?: of| on)?|how is(?: it)?(?: going)?|what about|where is|who approves"
    r")[呢啊呀了吧]*"
    rf"|(?:我的?|[\s])*{_OWN}呢"
)
_WORD = re.compile(r"[0-9A-Za-z]+")


def asks_how_it_stands(text: str) -> str | None:
    """Return the id of the request whose state somebody asks for, '' for all; None if they do not.

    A lone id asks for it too.
    """
    said = _bare(text)
    if len(said) > _SHORT:
        return None
    ids = [word for word in _WORD.findall(said) if is_id(word)]
    if len(ids) > 1:
        return None
    rest = re.sub(r"\s+", " ", without_ids(said)).strip(GAPS + "#")
    asked = _HOW_IT_STANDS.fullmatch(rest) is not None
    if not ids:
        return "" if asked else None
    return ids[0].upper() if asked or rest in {"", "呢"} else None


def without_ids(text: str) -> str:
    """Return a text without the words that are written like ids of requests."""
    return _WORD.sub(lambda word: " " if is_id(word[0]) else word[0], text)


def gives_up(text: str) -> bool:
    """Whether somebody drops what they have begun, whatever it is."""
    return _NEVER_MIND.fullmatch(_bare(text)) is not None


def takes_refusal_back(text: str) -> bool:
    """Whether somebody who was asked why they refuse does not want to refuse any more."""
    return gives_up(text) or _NOT_REFUSED.fullmatch(_bare(text)) is not None


def takes_ask_back(text: str) -> bool:
    """Whether somebody who was asked for more does not want to add anybody any more."""
    return gives_up(text) or _NOT_ADDED.fullmatch(_bare(text)) is not None


def reason_in(text: str) -> str:
    """Return the reason of a refusal in a reply; '' if it may be anything else."""
    if label := _LABEL.match(text):
        return text[label.end() :].strip()
    said = _bare(text)
    is_other = len(said) < 2 or is_id(said) or _NOD.fullmatch(said) or _THINKING.fullmatch(said)
    return "" if is_other or is_question(text) else text


def _bare(text: str) -> str:
    return narrow(text).strip(GAPS).lower()
