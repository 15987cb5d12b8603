"""The section of the config file that spares busy approvers single cards."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workflows.notations import Duration
from workflows.section import Section


class Digest(Section):
    """From how many waiting requests on an approver gets a list instead of cards, and how often."""

    above: Annotated[int, Field(ge=1, le=100)] = 10
    every: Duration = "30m"
