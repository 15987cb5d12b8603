"""Keeps the calls of a large reading well below WeCom's limits, so that the rest has room.

WeCom allows 10,000 calls of one API in a minute and 150,000 in an hour for the whole company
(document 90312); here they are at most 6,000 and 90,000.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `burst` calls at once and `steady` in `seconds` besides: never more than their sum
    in any stretch of that length.
    """

    steady: int
    burst: int
    seconds: float


RATES = (Rate(5_000, 1_000, 60.0), Rate(60_000, 30_000, 3600.0))


@dataclass(slots=True)
class Pace:
    """The pace of one API within this process; several processes that read share the limit."""

    clock: Callable[[], float]  # seconds, never set back
    rates: tuple[Rate, ...] = RATES
    _due: dict[Rate, float] = field(default_factory=dict)  # when each rate would be used up evenly

    def take(self) -> float:
        """Return the seconds to wait before the next call, which is counted already."""
        now = self.clock()
        wait = 0.0
        for rate in self.rates:
            gap = rate.seconds / rate.steady
            due = max(self._due.get(rate, now), now)
            wait = max(wait, due - now - gap * (rate.burst - 1))
            self._due[rate] = due + gap
        return wait
