"""The section of the config file that limits standing approvals (免批)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workflows.section import Section

_DAYS, _USES = 7, 20


class StandingApprovals(Section):
    """The most a supervisor may approve in advance; a 0 means the default."""

    enabled: bool = True  # false: none can be given, and those there are do not count
    days: Annotated[int, Field(ge=0, le=90)] = _DAYS
    uses: Annotated[int, Field(ge=0, le=200)] = _USES

    @property
    def most_days(self) -> int:
        """For how many days at most."""
        return self.days or _DAYS

    @property
    def most_uses(self) -> int:
        """For how many requests at most."""
        return self.uses or _USES

    def gives_no_more_than(self, other: StandingApprovals) -> bool:
        """Whether nothing can be approved in advance by this that could not be by the other."""
        if not self.enabled:
            return True
        fewer = self.most_days <= other.most_days and self.most_uses <= other.most_uses
        return other.enabled and fewer
