"""Callbacks, sealed and signed before any clock starts, as the bytes that go over the wire."""

from __future__ import annotations

import time
from urllib.parse import urlencode

from tests import makers_door as door

_AT = int(time.time())  # fixed: the same letter made twice is a repeat of the same callback
_HEAD = "<xml><ToUserName><![CDATA[{corp}]]></ToUserName><CreateTime>{at}</CreateTime>"


def post(message: str) -> bytes:
    """Return the whole HTTP request that brings one message."""
    sealed = door.seal(message.encode())
    timestamp, nonce = str(_AT), "n0nce77"
    signature = door.sign(sealed, timestamp, nonce)
    query = urlencode({"msg_signature": signature, "timestamp": timestamp, "nonce": nonce})
    body = door.envelope_xml(sealed)
    head = (
        f"POST /wecom/callback?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def added(userid: str, external_userid: str, channel: str = "") -> bytes:
    """Return the callback of a member who has added a customer, with a welcome code."""
    return post(
        _head("sys", "event")
        + "<Event><![CDATA[change_external_contact]]></Event>"
        + "<ChangeType><![CDATA[add_external_contact]]></ChangeType>"
        + f"<UserID><![CDATA[{userid}]]></UserID>"
        + f"<ExternalUserID><![CDATA[{external_userid}]]></ExternalUserID>"
        + f"<State><![CDATA[{channel}]]></State>"
        + f"<WelcomeCode><![CDATA[code-{external_userid}]]></WelcomeCode></xml>"
    )


def said(userid: str, text: str, number: int) -> bytes:
    """Return the callback of a member who has written to the app."""
    return post(
        _head(userid, "text")
        + f"<Content><![CDATA[{text}]]></Content><MsgId>{8_000_000 + number}</MsgId>"
        + "<AgentID>1000007</AgentID></xml>"
    )


def pressed(userid: str, key: str, task_id: str) -> bytes:
    """Return the callback of a button pressed on a card."""
    return post(
        _head(userid, "event")
        + "<Event><![CDATA[template_card_event]]></Event>"
        + f"<EventKey><![CDATA[{key}]]></EventKey><TaskId><![CDATA[{task_id}]]></TaskId>"
        + "<CardType><![CDATA[button_interaction]]></CardType>"
        + f"<ResponseCode><![CDATA[pressed-{task_id}]]></ResponseCode>"
        + "<AgentID>1000007</AgentID></xml>"
    )


def numbered(count: int, start: int = 0) -> list[bytes]:
    """Return different adds, for a door behind which nobody looks at them."""
    numbers = range(start, start + count)
    return [added(f"seller{number % 200}", f"wmBench{number:08d}") for number in numbers]


def texts(count: int, start: int = 0) -> list[bytes]:
    """Return different texts from members."""
    numbers = range(start, start + count)
    return [said(f"seller{number % 200}", f"待办 {number}", number) for number in numbers]


def _head(sender: str, kind: str) -> str:
    return (
        _HEAD.format(corp=door.CORP, at=_AT)
        + f"<FromUserName><![CDATA[{sender}]]></FromUserName><MsgType><![CDATA[{kind}]]></MsgType>"
    )
