"""WeCom's limits that we keep ourselves: lengths of text, messages per member."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sized

TEXT_BYTES = 2048  # message/send, document 90236
WELCOME_BYTES = 4000  # document 92137
TITLE_BYTES = 128
DESCRIPTION_BYTES = 512
REMARK_CHARACTERS = 20  # document 92115
REMARK_DESCRIPTION_CHARACTERS = 150
TAG_NAME_CHARACTERS = 30  # document 92117
CONTACT_WAY_CHARACTERS = 30  # `remark` and `state`, document 92228
TRANSFER_CHARACTERS = 200  # document 92125
FILE_BYTES_LEAST, FILE_BYTES = 6, 20 << 20  # document 90253: above 5 bytes, at most 20 MB
AT_ONCE = 100  # members, customers or groups in one call (documents 92994, 92125, 92127)
DUPLICATE_CHECK_SECONDS = 4 * 3600  # the longest interval, document 90236

_ELLIPSIS = "…"
_JOINER = "\u200d"  # glues emoji together; shown as a box when nothing follows


def at_most(ids: Sized) -> None:
    """Raise ValueError for more ids than a call takes."""
    if len(ids) > AT_ONCE:
        raise ValueError(f"{len(ids)} ids in one call, at most {AT_ONCE}")


def cut(text: str, most: int) -> str:
    """Return `text` in at most `most` UTF-8 bytes, ending in '…' where something was left out."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= most:
        return raw.decode()
    room = most - len(_ELLIPSIS.encode())
    if room < 0:
        return ""
    return raw[:room].decode("utf-8", "ignore").rstrip(_JOINER) + _ELLIPSIS


def cut_characters(text: str, most: int) -> str:
    """Return `text` in at most `most` characters, ending in '…' where something was left out."""
    if len(text) <= most:
        return text
    return text[: most - 1].rstrip(_JOINER) + _ELLIPSIS


class MessageBudget:
    """Keeps messages to one member below the rate at which WeCom drops them without an error.

    WeCom allows an app 30 a minute and 1000 an hour per member (document 90312). The defaults
    leave room for messages that set off within one window and arrive within another. The count
    is this process's own; `bot.wecom.budgets` counts for several.
    """

    def __init__(
        self, clock: Callable[[], float], *, per_minute: int = 28, per_hour: int = 960
    ) -> None:
        self._clock = clock
        self._windows = ((per_minute, 60.0), (per_hour, 3600.0))
        self._sent: dict[str, deque[float]] = {}
        self._reserved: dict[str, deque[float]] = {}  # of these, what others may have sent
        self._next_sweep = clock() + 3600.0

    async def delay(self, userid: str, weight: int = 1) -> float:
        """Return the seconds to wait before asking again; 0 means send now, it is counted.

        With a `weight` it counts for as many, but one is allowed however heavy it is.
        """
        self._sweep(self._clock())
        wait = self.wait(userid, weight)
        if wait == 0.0:
            key, now = userid.lower(), self._clock()
            self._sent.setdefault(key, deque()).extend([now] * weight)
            if weight > 1:
                self._reserved.setdefault(key, deque()).extend([now] * (weight - 1))
        return wait

    def wait(self, userid: str, weight: int = 1) -> float:
        """Return the same without counting anything."""
        now = self._clock()
        sent = self._sent.get(userid.lower(), deque())
        self._forget_old(sent, now)
        return max(
            _until_free(sent, max(1, most - weight + 1), window, now)
            for most, window in self._windows
        )

    def remember(self, userid: str, seconds_ago: float) -> None:
        """Count a message that was sent before, by this process or another; the oldest first."""
        self._sent.setdefault(userid.lower(), deque()).append(self._clock() - seconds_ago)

    def recall(self, sent: Iterable[tuple[str, float]], but: float) -> None:
        """Count these (member, seconds ago) in place of all but what was counted in the last `but`.

        What others may have sent meanwhile stays reserved for them. What is both here and there
        counts twice, which is on the safe side.
        """
        now = self._clock()
        found = [(at, key) for key, kept in self._sent.items() for at in kept if at >= now - but]
        found += [
            (at, key) for key, kept in self._reserved.items() for at in kept if at < now - but
        ]
        found += [(now - seconds, userid.lower()) for userid, seconds in sent]
        self._sent.clear()
        for at, key in sorted(found):
            self._sent.setdefault(key, deque()).append(at)

    def _forget_old(self, sent: deque[float], now: float) -> None:
        longest = max(window for _, window in self._windows)
        while sent and sent[0] <= now - longest:
            sent.popleft()

    def _sweep(self, now: float) -> None:
        """Drop members to whom nothing was sent for an hour."""
        if now < self._next_sweep:
            return
        self._next_sweep = now + 3600.0
        for counted in (self._sent, self._reserved):
            for userid, sent in list(counted.items()):
                self._forget_old(sent, now)
                if not sent:
                    del counted[userid]


def _until_free(sent: deque[float], most: int, window: float, now: float) -> float:
    """Return the seconds until fewer than `most` of `sent` lie within `window`."""
    if len(sent) < most:
        return 0.0
    blocking = sent[-most]
    # A millisecond more, so that rounding never makes the promised moment too early.
    return max(0.0, blocking + window - now + 0.001) if blocking > now - window else 0.0
