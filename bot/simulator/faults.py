"""Misfortunes that a test can order: refused calls, slow calls, lost and doubled callbacks."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class _Planned:
    path: str
    kind: str  # fail, fail_after, delay, http_500, garble
    value: float
    times: int


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens to any callback: parts of all of them, and seconds."""

    lost: float = 0.0
    doubled: float = 0.0  # of those that are not lost
    late: float = 0.0  # each sending comes late by up to so many seconds, so that others overtake


class Faults:
    """What goes wrong next. Paths may be written with or without '/cgi-bin/'."""

    def __init__(self, seed: int = 1) -> None:
        self._planned: list[_Planned] = []
        self._callbacks = {"drop": 0, "duplicate": 0}
        self._weather = Weather()
        self._dice = random.Random(seed)  # noqa: S311

    def fail(self, path: str, errcode: int, times: int = 1) -> None:
        """Answer the next `times` calls of an API with this errcode, before anything is done."""
        self._planned.append(_Planned(short(path), "fail", errcode, times))

    def fail_after(self, path: str, errcode: int, times: int = 1) -> None:
        """Do what was asked and then answer with this errcode, as a lost answer would look."""
        self._planned.append(_Planned(short(path), "fail_after", errcode, times))

    def delay(self, path: str, seconds: float, times: int = 1) -> None:
        """Make the next `times` calls of an API slow."""
        self._planned.append(_Planned(short(path), "delay", seconds, times))

    def http_500(self, path: str, times: int = 1) -> None:
        """Answer the next `times` calls of an API with HTTP 500 and no JSON."""
        self._planned.append(_Planned(short(path), "http_500", 500, times))

    def garble(self, path: str, times: int = 1) -> None:
        """Do what was asked, and answer with HTTP 200 and something that is not WeCom's JSON."""
        self._planned.append(_Planned(short(path), "garble", 200, times))

    def drop_callbacks(self, times: int = 1) -> None:
        """Never send the next `times` callbacks."""
        self._callbacks["drop"] += times

    def duplicate_callbacks(self, times: int = 1) -> None:
        """Send each of the next `times` callbacks twice."""
        self._callbacks["duplicate"] += times

    def bad_weather(self, weather: Weather, seed: int = 1) -> None:
        """Lose, double and delay a share of all callbacks from now on, the same ones each time."""
        shares = (weather.lost, weather.doubled)
        if any(not 0 <= share <= 1 for share in shares) or weather.late < 0:
            raise ValueError("shares are between 0 and 1, and nothing comes before its time")
        self._weather, self._dice = weather, random.Random(seed)  # noqa: S311

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._weather = Weather()
        self._planned.clear()
        self._callbacks = {"drop": 0, "duplicate": 0}

    def take(self, path: str, kind: str) -> float | None:
        """Use up one planned fault of this API, if there is one."""
        for planned in self._planned:
            if planned.path == short(path) and planned.kind == kind:
                planned.times -= 1
                if planned.times <= 0:
                    self._planned.remove(planned)
                return planned.value
        return None

    def take_callback(self) -> Sequence[float]:
        """After how many seconds the next callback is to be sent: never, once or twice."""
        return [self._weather.late * self._dice.random() for _ in range(self._times())]

    def _times(self) -> int:
        for kind, times in (("drop", 0), ("duplicate", 2)):
            if self._callbacks[kind]:
                self._callbacks[kind] -= 1
                return times
        is_lost = self._dice.random() < self._weather.lost
        is_doubled = self._dice.random() < self._weather.doubled
        return 0 if is_lost else 1 + is_doubled


def short(path: str) -> str:
    """'/cgi-bin/message/send' as 'message/send'."""
    return path.removeprefix("/").removeprefix("cgi-bin/")
