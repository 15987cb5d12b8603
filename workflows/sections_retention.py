"""The section of the config file that says how long finished work is kept."""

from __future__ import annotations

from datetime import timedelta

from workflows.notations import Duration
from workflows.schedules import parse_duration
from workflows.section import Section

_LEAST = timedelta(days=1)  # WeCom repeats a callback; its key must still be known


class Retention(Section):
    """After how long work is deleted: what was done, and what was given up.

    The record, requests and customers are never deleted by themselves.
    """

    work: Duration = "30d"
    dead: Duration = "180d"

    @property
    def of_work(self) -> timedelta:
        """How long what was done is kept: a day at least."""
        return max(parse_duration(self.work), _LEAST)

    @property
    def of_dead(self) -> timedelta:
        """How long what was given up is kept: a day at least."""
        return max(parse_duration(self.dead), _LEAST)
