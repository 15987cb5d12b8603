"""Switches of WeCom's admin console that a company may have forgotten, or set wrongly."""

from __future__ import annotations

from dataclasses import dataclass

from bot.simulator.errors import ApiError


@dataclass(slots=True)
class Console:
    """How the console is set for the app. Who is visible and who may have customers is a member's.

    Like the real one it is no part of the world that a reset puts back.
    """

    enabled: bool = True  # the app is not stopped
    trusted_ip: bool = True  # 企业可信IP names the caller's address
    contact_calls: bool = True  # the app is ticked under 可调用接口的应用
    contact_events: bool = True  # 外部联系人变更回调 is ticked

    def admit(self, path: str) -> None:
        """Refuse a call that these settings do not allow."""
        if not self.trusted_ip:
            hint = "hint: [1767225600], from ip: 203.0.113.7, more info at the help page"
            raise ApiError(60020, f"not allow to access from your ip, {hint}")
        if not self.enabled and path != "agent/get":
            raise ApiError(50003, "app is disabled")
        if path.startswith("externalcontact/") and not self.contact_calls:
            raise ApiError(48002, "api forbidden")

    def tells(self, event: str) -> bool:
        """Whether an event of this name is sent at all."""
        return self.contact_events or not event.startswith("change_external_")
