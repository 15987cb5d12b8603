"""A WeCom in a box: strict about WeCom's limits, with a page of phones to play on.

Why it is apart: it shares no code with the client and the webhook, so that one misunderstanding
of WeCom cannot hide at both ends. It imports nothing of the program outside this folder.
"""

from bot.simulator.corp import Corp
from bot.simulator.seed import AGENT_ID, CORP_ID, demo_world
from bot.simulator.server import Simulator
from bot.simulator.world import World

__all__ = ["AGENT_ID", "CORP_ID", "Corp", "Simulator", "World", "demo_world"]
