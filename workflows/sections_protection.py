"""The section of the config file that protects who reported a customer first (报备保护期)."""

from __future__ import annotations

from datetime import timedelta

from workflows.notations import Duration
from workflows.schedules import parse_duration
from workflows.section import Section


class Protection(Section):
    """For how long a report keeps a customer for the member who made it; without it, not at all."""

    period: Duration | None = None

    @property
    def lasts(self) -> timedelta | None:
        """The period; None if reports protect nothing."""
        return None if self.period is None else parse_duration(self.period)
