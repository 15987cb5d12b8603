"""How long things took, as figures."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(ordered: Sequence[float], share: float, digits: int = 1) -> float | None:
    """Return a percentile of seconds in milliseconds, None of nothing."""
    if not ordered:
        return None
    return round(ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000, digits)
