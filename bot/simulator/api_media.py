"""Handing in files for three days, by which messages may carry them (doc 90253)."""

from __future__ import annotations

from bot.simulator.calls import Call, Endpoints
from bot.simulator.errors import ApiError
from bot.simulator.records import Json, Media

MB = 1 << 20
LEAST = 6  # all files must have more than 5 bytes
MOST = {"image": 10 * MB, "voice": 2 * MB, "video": 10 * MB, "file": 20 * MB}
TOO_LARGE = {"image": 40009, "voice": 45001, "video": 40011, "file": 45001}
BEGINNINGS = {
    "image": (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"),
    "voice": (b"#!AMR",),
    "video": (),
    "file": (),
}
LIFE = 3 * 86400


def upload(call: Call) -> Json:
    """media/upload: one file in the field `media` of a multipart/form-data body."""
    kind = call.params.get("type", "")
    if kind not in MOST:
        raise ApiError(40005, "invalid type")
    part = call.file
    if part is None or part.field != "media" or not part.name:
        raise ApiError(44001, "empty media data")
    if len(part.content) < LEAST:
        raise ApiError(40006, "invalid file size")
    if len(part.content) > MOST[kind]:
        raise ApiError(TOO_LARGE[kind], "media size out of limit")
    if BEGINNINGS[kind] and not part.content.startswith(BEGINNINGS[kind]):
        raise ApiError(40004, "invalid media type")
    media = Media(call.world.fresh("media_", 40), kind, part.name, part.content, call.world.now())
    call.world.state.media[media.media_id] = media
    # A text, unlike every other time in WeCom's answers.
    return {"type": kind, "media_id": media.media_id, "created_at": str(int(media.at))}


def named(call: Call, media_id: str, kind: str) -> Media:
    """Return what was handed in as this kind; raises 40007 and 40145."""
    media = call.world.state.media.get(media_id)
    if media is None or media.kind != kind:
        raise ApiError(40007, "invalid media_id")
    if call.world.now() - media.at > LIFE:
        raise ApiError(40145, "media_id expired")
    return media


CALLS: Endpoints = {"media/upload": ("POST", upload)}
