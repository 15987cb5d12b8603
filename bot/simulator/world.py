"""The pretend corporation: its people, their customers, their chats, and WeCom's rules for them."""

from __future__ import annotations

from bot.simulator.app_chat import AppChat
from bot.simulator.groups import Groups
from bot.simulator.transfers import Transfers


class World(AppChat, Transfers, Groups):
    """Pure state and rules; no network. Whoever wants the callbacks calls `on_event`.

    What people do on their phones are the methods named after them (`member_says`,
    `customer_scans`, …). They raise ImpossibleError when the client would not allow it.
    """
