"""Tells a command that is meant from one that is asked about, put off or denied in one breath.

`同意 A7K2？`, `同意 A7K2 先别发码`, `撤回 A7K2 会怎么样` begin like commands, and nothing is done:
to send it again without the doubt takes a moment; what was done by mistake costs a customer.
"""

from __future__ import annotations

import re

# Verbs after which something happens to a request, a customer or a permission.
ACTING = frozenset(
    {
        "add_approver", "approve", "break_glass", "end_waiver", "export", "freeze", "grant",
        "hand_over", "resubmit", "revoke", "tag", "transfer", "undo", "unfreeze", "untag", "waive",
        "withdraw",
    }
)  # fmt: skip
_QUESTION = re.compile(
    r"[?？]|(?:吗|么|了没有?|行不行|好不好|可不可以|怎么样|怎么办|会怎样)[\s。.!！~～]*$|还是.|[要该能会]不[要该能会]",
)
_PUT_OFF = re.compile(
    r"先别|先不|先等|暂时?[不别]|暂缓|等一?[下等]|再想想|再看看|还没|别[批发转撤给动]"
    r"|\b(?:not yet|don'?t|do not|hold on|wait|never ?mind)\b",
    re.IGNORECASE,
)
# Of what follows a yes: words that take it back, or make it hang on something.
_TAKEN_BACK = re.compile(
    r"(?:不(?![错用必谢仅但止光限])|别|勿|莫|未|没(?!问题|关系|意见|异议|事|毛病|得说)|算了"
    r"|之?前(?=[我先要得请须])|如果|要是|假如|除非|等|待|no\b(?!\s+(?:problem|worries|objection|issue|comment))|not\b"
    r"|never\b|if\b|unless\b|only if\b|once\b|after\b|before\b|when\b)",
    re.IGNORECASE,
)


def is_doubtful(rest: str) -> bool:
    """Whether what follows an acting verb asks, or says to wait."""
    return _QUESTION.search(rest) is not None or _PUT_OFF.search(rest) is not None


def is_taken_back(comment: str) -> bool:
    """Whether the words behind a yes begin by taking it back, or hang it on a condition."""
    return _TAKEN_BACK.match(comment) is not None
