"""`python -m bot.simulator`: the box alone, for a program that runs elsewhere."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal

from bot.simulator import AGENT_ID, CORP_ID, Corp, Simulator, demo_world

# made up for the demo; a real account has its own
DEMO_SECRET = "demo-secret-of-the-menwei-app"  # noqa: S105
DEMO_TOKEN = "MenweiDemoToken"  # noqa: S105
DEMO_AES_KEY = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bot.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--callback", default="", help="callback URL of the app")
    parser.add_argument("--secret", default=DEMO_SECRET)
    parser.add_argument("--token", default=DEMO_TOKEN)
    parser.add_argument("--aes-key", default=DEMO_AES_KEY)
    return parser.parse_args()


async def _serve(options: argparse.Namespace) -> None:
    keys = (options.secret, options.token, options.aes_key)
    corp = Corp(CORP_ID, AGENT_ID, *keys, options.callback)
    simulator = Simulator(corp, demo_world())
    url = await simulator.start(options.host, options.port)
    print(f"WeCom in a box: {url}  corp {CORP_ID}, app {AGENT_ID}")  # noqa: T201
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
    await simulator.stop()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(_options()))
