"""The section of the config file that limits temporary permissions (临时授权)."""

from __future__ import annotations

from datetime import timedelta

from workflows.notations import Duration
from workflows.schedules import parse_duration
from workflows.section import Section


class Grants(Section):
    """For how long a permission may be lent at most."""

    longest: Duration = "30d"

    @property
    def most(self) -> timedelta:
        """The longest that may be asked for or given."""
        return parse_duration(self.longest)

    def gives_no_more_than(self, other: Grants) -> bool:
        """Whether nothing can be lent by this that could not be by the other."""
        return self.most <= other.most
