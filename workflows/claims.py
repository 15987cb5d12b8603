"""What a member says about a customer they want to add."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """What the requester typed. Shown to approvers and readable as `claim.*`; never a fact."""

    name: str = ""
    company: str = ""
    phone: str = ""
    reason: str = ""
    signed: bool | None = None
