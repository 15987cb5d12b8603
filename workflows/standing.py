"""Where everybody stands: one policy applied to one directory, worked out once and read often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from workflows import roles
from workflows.directory import Directory
from workflows.model import Outcome
from workflows.policy import Policy, permission


@dataclass(frozen=True)
class Standing:
    """Roles and levels of all active members. Made anew when policy or directory change."""

    policy: Policy
    directory: Directory

    @cached_property
    def _roles(self) -> Mapping[str, frozenset[str]]:
        found = roles.table(self.policy.rulebook.roles, self.directory)
        return {userid.lower(): held for userid, held in found.items()}

    @cached_property
    def _holders(self) -> Mapping[str, frozenset[str]]:
        return {
            role: roles.holders(self.policy.rulebook.roles, role, self.directory)
            for role in self.policy.rulebook.roles
        }

    @cached_property
    def admins(self) -> tuple[str, ...]:
        """Who may change the rules, and so is told when something needs mending."""
        everybody = sorted(member.userid for member in self.directory.members.values())
        return tuple(u for u in everybody if self.may(u, "config.change") is not Outcome.DENY)

    def roles(self, userid: str) -> frozenset[str]:
        """Return a member's roles; none for who is not active or not known."""
        return self._roles.get(userid.lower(), frozenset())

    def level(self, userid: str) -> int:
        """Return a member's level; 0 without a role."""
        return roles.highest(self.policy.rulebook.roles, self.roles(userid))

    def holders(self, role: str) -> frozenset[str]:
        """Return who holds a role; nobody for a role that does not exist."""
        return self._holders.get(role, frozenset())

    def may(self, userid: str, action: str) -> Outcome:
        """Return what the permission table alone says."""
        return permission(self.policy.rulebook, action, self.level(userid))
