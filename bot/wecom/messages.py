"""Calls that say something: texts, news, cards and welcome messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from bot.wecom import codes, errors, limits
from bot.wecom.answers import Reply, Sent, read
from bot.wecom.caller import Caller
from bot.wecom.wire import Upload

HALF_AN_HOUR = 1800  # WeCom's own default for the duplicate check


@dataclass(frozen=True, slots=True)
class Article:
    """One entry of a news message."""

    title: str
    url: str
    description: str = ""
    picurl: str = ""


class _SendReply(Reply):
    msgid: str = ""
    response_code: str = ""
    invaliduser: str = ""
    unlicenseduser: str = ""


class _UploadReply(Reply):
    media_id: str = Field(min_length=1)


class _UpdateReply(Reply):
    invaliduser: tuple[str, ...] = ()


class Messages(Caller):
    """Sends to one member at a time.

    The very same content within `once_in` seconds (at most 4 h) is delivered once, so that a
    repeat after a timeout is harmless; a deliberate reminder must differ in its text.
    """

    async def send_text(self, userid: str, content: str, *, once_in: int = HALF_AN_HOUR) -> Sent:
        """Send a text, cut to 2048 bytes (document 90236)."""
        text = {"content": limits.cut(content, limits.TEXT_BYTES)}
        return await self._send(userid, "text", text, once_in)

    async def send_news(
        self, userid: str, articles: Sequence[Article], *, once_in: int = HALF_AN_HOUR
    ) -> Sent:
        """Send one to eight articles, each a link with a picture."""
        if not 1 <= len(articles) <= 8:
            raise ValueError(f"a news message has 1 to 8 articles, not {len(articles)}")
        listed = [
            {
                "title": limits.cut(article.title, limits.TITLE_BYTES),
                "description": limits.cut(article.description, limits.DESCRIPTION_BYTES),
                "url": article.url,
                "picurl": article.picurl,
            }
            for article in articles
        ]
        return await self._send(userid, "news", {"articles": listed}, once_in)

    async def upload_file(self, name: str, content: bytes) -> str:
        """Hand WeCom a file, and return the media_id by which it can be sent for three days.

        `name` is what people see. A file of up to 5 bytes, or of more than 20 MB, is refused here.
        """
        path = "media/upload"
        if not limits.FILE_BYTES_LEAST <= len(content) <= limits.FILE_BYTES:
            raise errors.too_large(path, f"file of {len(content)} bytes")
        answer = await self._upload(path, Upload(name, content), type="file")
        return read(_UploadReply, path, answer).media_id

    async def send_file(self, userid: str, media_id: str, *, once_in: int = HALF_AN_HOUR) -> Sent:
        """Send a file that was uploaded (document 90236)."""
        return await self._send(userid, "file", {"media_id": media_id}, once_in)

    async def send_card(
        self, userid: str, card: Mapping[str, object], *, once_in: int = HALF_AN_HOUR
    ) -> Sent:
        """Send a template card; `response_code` of the answer updates it once."""
        return await self._send(userid, "template_card", card, once_in)

    async def update_card(
        self,
        response_code: str,
        *,
        card: Mapping[str, object] | None = None,
        button: str | None = None,
        userids: Sequence[str] = (),
        atall: bool = False,
    ) -> tuple[str, ...]:
        """Replace a card, or grey its buttons with the words `button` (document 94888).

        Give either, and `userids` or `atall` (everybody who got the card). A response_code works
        once, within 72 h; after that 60140. Returns the userids that WeCom did not know.
        """
        if (card is None) == (button is None):
            raise ValueError("give either a card or a button")
        if atall == bool(userids):
            raise ValueError("give either userids or atall")
        body: dict[str, object] = {"agentid": self._app.agent_id, "response_code": response_code}
        body |= {"atall": 1} if atall else {"userids": list(userids)}
        body |= {"template_card": card} if card is not None else {"button": _replaced(button)}
        path = "message/update_template_card"
        return read(_UpdateReply, path, await self._post(path, body)).invaliduser

    async def send_welcome(self, code: str, text: str) -> None:
        """Greet a new customer, within 20 s of the event and once (document 92137)."""
        content = limits.cut(text, limits.WELCOME_BYTES)
        body = {"welcome_code": code, "text": {"content": content}}
        await self._post("externalcontact/send_welcome_msg", body)

    async def _send(self, userid: str, msgtype: str, content: object, once_in: int) -> Sent:
        path = "message/send"
        if not userid or "|" in userid or userid.startswith("@"):
            # '|' joins recipients and '@all' is everybody: neither may come in by a userid.
            raise errors.refusal(codes.BAD_USERID, path)
        body = {
            "touser": userid,
            "msgtype": msgtype,
            "agentid": self._app.agent_id,
            msgtype: content,
            "enable_duplicate_check": 1,
            "duplicate_check_interval": min(once_in, limits.DUPLICATE_CHECK_SECONDS),
        }
        sent = read(_SendReply, path, await self._post(path, body))
        # errcode 0 although nobody got it: the only recipient is among the invalid ones.
        if userid.lower() in _names(sent.invaliduser) | _names(sent.unlicenseduser):
            raise errors.refusal(codes.NOBODY_REACHED, path)
        return Sent(msgid=sent.msgid, response_code=sent.response_code)


def _replaced(button: str | None) -> dict[str, object]:
    return {"replace_name": button}


def _names(joined: str) -> set[str]:
    return {name.lower() for name in joined.split("|") if name}
