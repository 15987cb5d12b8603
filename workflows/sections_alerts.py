"""The section of the config file that says from when on something is worth an alarm."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workflows.section import Section

_Many = Annotated[int, Field(ge=0, le=10_000)]


class Alerts(Section):
    """How much by one member passes without an alarm; 0 means no alarm at all."""

    deletions_per_hour: _Many = 5
    deletions_per_day: _Many = 10
    denials_per_day: _Many = 5

    def alarms_no_less_than(self, other: Alerts) -> bool:
        """Whether everything that sets off an alarm by the other does so by this."""
        limits = (
            (self.deletions_per_hour, other.deletions_per_hour),
            (self.deletions_per_day, other.deletions_per_day),
            (self.denials_per_day, other.denials_per_day),
        )
        return all(old == 0 or 0 < new <= old for new, old in limits)
