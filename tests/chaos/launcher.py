"""Starts nodes as `tests.scenario.launcher` does, with a clock that is wrong by some seconds.

Only here can a node's clock be shifted; the program itself has no such switch.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from functools import partial

from bot.app import App
from bot.console import serving
from tests.scenario.launcher import launch

if __name__ == "__main__":
    ahead = timedelta(seconds=float(sys.argv[1]))
    vars(serving)["App"] = partial(App, now=lambda: datetime.now(UTC) + ahead)
    launch()
