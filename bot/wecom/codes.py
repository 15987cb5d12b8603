"""What WeCom's error codes mean and what to do about each (documents 90313 and 90312).

Names of codes in wechatpy are those of Official Accounts, where several numbers mean something
else (48002, 48006, 50002), so the words here are our own.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What a caller does about a refused call."""

    RETRY = "retry"  # try again with growing delays, a few times
    WAIT = "wait"  # try again after `retry_after`
    TOKEN = "token"  # noqa: S105 - a fresh token was refused too: treat like RETRY
    PERMANENT = "permanent"  # wrong for this input whenever it is tried: tell a human
    CONFIG = "config"  # wrong for every input: stop the job and alert an admin
    DONE = "done"  # what was asked has already happened: treat as success
    UNKNOWN = "unknown"  # not in our table: log, do not retry, alert

    @property
    def may_retry(self) -> bool:
        """Whether the same call may succeed later without anybody acting."""
        return self in {Kind.RETRY, Kind.WAIT, Kind.TOKEN}


class Meaning(NamedTuple):
    """One row of the table."""

    kind: Kind
    words: str


BAD_SECRET = 40001
BAD_USERID = 40003
BAD_CORP_ID = 40013
TAG_NAME_EXISTS = 40071
UNKNOWN_CONTACT_WAY = 41044
TOO_OFTEN = 45009
ABNORMAL_TRAFFIC = 45036
NO_MENU = 46003
NOBODY_REACHED = 81013
NO_RELATION = 84061

# What is said of a member, department or tag that is not there, or not to be seen by the app.
NO_MEMBER = frozenset({60111, BAD_USERID})
NO_DEPARTMENT = frozenset({60003, 60123})
NO_TAG = frozenset({40068})
UNSEEN = NO_MEMBER | {60011, 60021, 60030, 50002, 46004}

# Codes of our own, for calls to which WeCom gave no usable answer. WeCom's are above -1000.
NO_ANSWER = -2001
ODD_ANSWER = -2002
TOO_LARGE = -2003

_RETRY, _WAIT, _TOKEN = Kind.RETRY, Kind.WAIT, Kind.TOKEN
_PERMANENT, _CONFIG, _DONE = Kind.PERMANENT, Kind.CONFIG, Kind.DONE

_CODES: dict[int, Meaning] = {
    NO_ANSWER: Meaning(_RETRY, "no answer from WeCom"),
    ODD_ANSWER: Meaning(_RETRY, "an answer that is not WeCom's"),
    TOO_LARGE: Meaning(_PERMANENT, "request or answer too large"),
    -1: Meaning(_RETRY, "system busy"),
    6000: Meaning(_RETRY, "data version conflict"),
    BAD_SECRET: Meaning(_CONFIG, "bad secret: missing, reset, or the app was stopped"),
    BAD_USERID: Meaning(_PERMANENT, "bad userid"),
    BAD_CORP_ID: Meaning(_CONFIG, "bad corpid"),
    40004: Meaning(_PERMANENT, "media file of a type that is not allowed"),
    40005: Meaning(_PERMANENT, "bad type of media"),
    40006: Meaning(_PERMANENT, "media file too small or too large"),
    40007: Meaning(_PERMANENT, "bad media_id"),
    40014: Meaning(_TOKEN, "token invalid"),
    40029: Meaning(_PERMANENT, "login code bad: log in again"),
    40031: Meaning(_PERMANENT, "bad list of userids"),
    40032: Meaning(_PERMANENT, "list of userids too long"),
    40035: Meaning(_PERMANENT, "bad parameter"),
    40050: Meaning(_PERMANENT, "no such group, or its owner is not visible"),
    40056: Meaning(_CONFIG, "bad agentid"),
    40058: Meaning(_PERMANENT, "bad parameter: wrong JSON, too long or empty"),
    40063: Meaning(_PERMANENT, "empty parameter"),
    40068: Meaning(_PERMANENT, "tag unknown"),
    TAG_NAME_EXISTS: Meaning(_PERMANENT, "tag name exists"),
    40093: Meaning(_PERMANENT, "bad JS signature"),
    40096: Meaning(_PERMANENT, "bad external_userid, or its follower is not visible to the app"),
    40097: Meaning(_PERMANENT, "member has not resigned"),
    40098: Meaning(_PERMANENT, "member is not real-name verified"),
    40099: Meaning(_PERMANENT, "member has reached the limit of external contacts"),
    40100: Meaning(_DONE, "transfer already running"),
    40126: Meaning(_PERMANENT, "too many corp tags"),
    40128: Meaning(_PERMANENT, "customer was transferred twice within 90 days"),
    40129: Meaning(_DONE, "transfer already running"),
    40130: Meaning(_PERMANENT, "transfer to the same member"),
    40131: Meaning(_PERMANENT, "member does not follow this customer"),
    40143: Meaning(_PERMANENT, "member is blocked"),
    40144: Meaning(_PERMANENT, "customer has too many tags"),
    40145: Meaning(_PERMANENT, "media_id older than three days"),
    40201: Meaning(_PERMANENT, "refused by anti-spam"),
    40204: Meaning(_PERMANENT, "refused by anti-spam"),
    40205: Meaning(_PERMANENT, "member has not logged in for a year"),
    41001: Meaning(_PERMANENT, "token missing in the request"),
    41006: Meaning(_PERMANENT, "media_id missing"),
    41045: Meaning(_CONFIG, "quota of contact ways used up"),
    UNKNOWN_CONTACT_WAY: Meaning(_PERMANENT, "contact way unknown"),
    41050: Meaning(_PERMANENT, "welcome code invalid, expired or used"),
    41051: Meaning(_DONE, "already chatting, or a welcome was delivered"),
    41053: Meaning(_PERMANENT, "customer has not consented to chat archiving"),
    41054: Meaning(_PERMANENT, "member is not activated"),
    41095: Meaning(_CONFIG, "quota of customer-acquisition links used up"),
    41096: Meaning(_RETRY, "another app is sending the welcome"),
    41110: Meaning(_PERMANENT, "bad tag id"),
    41111: Meaning(_PERMANENT, "bad number of tags"),
    41200: Meaning(_CONFIG, "not allowed for the company's business category"),
    41305: Meaning(_CONFIG, "the company's business category is not set"),
    42001: Meaning(_TOKEN, "token expired"),
    42003: Meaning(_PERMANENT, "login code expired: log in again"),
    42022: Meaning(_PERMANENT, "login code used: log in again"),
    42052: Meaning(_PERMANENT, "message older than 24 h cannot be recalled"),
    43012: Meaning(_CONFIG, "the app has no callback URL, so it may not send interactive cards"),
    44001: Meaning(_PERMANENT, "media file is empty"),
    45001: Meaning(_PERMANENT, "media file too large"),
    45002: Meaning(_PERMANENT, "message too large"),
    TOO_OFTEN: Meaning(_WAIT, "called too often"),
    45029: Meaning(_PERMANENT, "answer too big: narrow the query"),
    45033: Meaning(_RETRY, "too many calls of this API at once"),
    45035: Meaning(_RETRY, "somebody else is writing the same record"),
    ABNORMAL_TRAFFIC: Meaning(_WAIT, "abnormal traffic: slow down, look for unofficial clients"),
    NO_MENU: Meaning(_PERMANENT, "the app has no menu"),
    46004: Meaning(_PERMANENT, "user does not exist"),
    48001: Meaning(_CONFIG, "function not authorised for this app"),
    48002: Meaning(_CONFIG, "API not permitted: add the app under 可调用接口的应用"),
    48006: Meaning(_CONFIG, "permission withdrawn for disuse"),
    48009: Meaning(_CONFIG, "this address may not read the directory with the sync secret"),
    48010: Meaning(_CONFIG, "TLS version not supported"),
    48011: Meaning(_PERMANENT, "member not active enough, customer data withheld"),
    50001: Meaning(_CONFIG, "redirect domain not trusted"),
    50002: Meaning(_PERMANENT, "member out of scope"),
    50003: Meaning(_CONFIG, "app is disabled"),
    50100: Meaning(_RETRY, "bad cursor: start at the first page"),
    60011: Meaning(_PERMANENT, "no right on this member, department or tag (visible range)"),
    60020: Meaning(_CONFIG, "this address is not in 企业可信IP (a change takes a minute)"),
    60021: Meaning(_PERMANENT, "outside the app's visible range"),
    60030: Meaning(_PERMANENT, "outside the app's visible range"),
    60031: Meaning(_CONFIG, "app is barred from APIs"),
    60111: Meaning(_PERMANENT, "userid unknown or not visible"),
    60140: Meaning(_PERMANENT, "response_code invalid or expired: send a new message instead"),
    80001: Meaning(_CONFIG, "trusted domain is wrong or has no ICP record"),
    81011: Meaning(_CONFIG, "no right on this directory tag"),
    NOBODY_REACHED: Meaning(_PERMANENT, "no recipient is valid and visible to the app"),
    81017: Meaning(_PERMANENT, "too many items or too wide a range: narrow it"),
    82001: Meaning(_PERMANENT, "no recipient given"),
    NO_RELATION: Meaning(_PERMANENT, "member and customer are not contacts"),
    84074: Meaning(_PERMANENT, "member lacks the customer-contact permission (使用范围)"),
    84083: Meaning(_PERMANENT, "not a service member"),
    84084: Meaning(_PERMANENT, "not a follower of this customer"),
    85005: Meaning(_CONFIG, "ownership of the domain not verified"),
    90500: Meaning(_PERMANENT, "group owner has not resigned"),
    90501: Meaning(_PERMANENT, "not a customer group"),
    90502: Meaning(_PERMANENT, "group owner has resigned"),
    90503: Meaning(_PERMANENT, "group is full"),
    90504: Meaning(_DONE, "group owner unchanged"),
    90507: Meaning(_DONE, "group is being inherited"),
    90508: Meaning(_DONE, "group was inherited already"),
    90510: Meaning(_PERMANENT, "company was inactive for a year"),
    90511: Meaning(_PERMANENT, "bad opengid"),
    301002: Meaning(_CONFIG, "token belongs to another app than agentid"),
    301025: Meaning(_PERMANENT, "approval: bad parameters"),
    301026: Meaning(_RETRY, "approval: template or list could not be fetched"),
    301055: Meaning(_CONFIG, "approval: no permission, or applicant not visible"),
    301056: Meaning(_CONFIG, "approval: the approval app is off"),
    301057: Meaning(_RETRY, "approval: submission failed"),
    853000: Meaning(_CONFIG, "smart bot: bad bot_id or secret"),
}

_RANGES: tuple[tuple[range, Meaning], ...] = (
    (range(41037, 41046), Meaning(_PERMANENT, "bad field of a contact way")),
    (range(42014, 42021), Meaning(_PERMANENT, "bad field of a template card")),
    (range(42027, 42052), Meaning(_PERMANENT, "bad field of a template card")),
    (range(86001, 86225), Meaning(_PERMANENT, "bad parameter of an app group chat")),
    (range(95000, 95028), Meaning(_PERMANENT, "code of WeChat customer service")),
)

_BLOCKED_FOR = {ABNORMAL_TRAFFIC: timedelta(minutes=10)}
_A_MINUTE = timedelta(minutes=1)  # the shortest window of document 90312


def meaning(code: int) -> Meaning:
    """Return what `code` means; one that is not in the table is `Kind.UNKNOWN`."""
    if code in _CODES:
        return _CODES[code]
    for codes, found in _RANGES:
        if code in codes:
            return found
    return Meaning(Kind.UNKNOWN, "unknown code")


def pause(code: int) -> timedelta | None:
    """Return how long to wait at least before trying again, for codes of `Kind.WAIT`."""
    if meaning(code).kind is not Kind.WAIT:
        return None
    return _BLOCKED_FOR.get(code, _A_MINUTE)
