"""The section of the config file about the nightly reading of all customers."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from workflows.section import Section

_DAY = timedelta(days=1)


class Customers(Section):
    """When all customers are read from WeCom, and how many a member may have."""

    read_at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "03:00"
    capacity: Annotated[int, Field(ge=1)] | None = None  # by the company's plan

    def latest(self, now: datetime, zone: ZoneInfo) -> datetime:
        """Return when customers were to be read last, up to now."""
        clock = time.fromisoformat(self.read_at)
        today = now.astimezone(zone).date()
        found = datetime.combine(today, clock, zone).astimezone(UTC)
        return (
            found if found <= now else datetime.combine(today - _DAY, clock, zone).astimezone(UTC)
        )
