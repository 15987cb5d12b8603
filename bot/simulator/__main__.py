"""`python -m bot.simulator`: the box alone, for a program that runs elsewhere."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal

from bot.simulator import AGENT_ID, CORP_ID, Corp, Simulator, World, demo_world
from bot.simulator.crowd import crowd_world
from bot.simulator.faults import Weather
from bot.simulator.stirring import Stirrer

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
    crowd = parser.add_argument_group("a large corporation in the place of the demo's")
    crowd.add_argument("--members", type=int, default=0)
    crowd.add_argument("--relations", type=int, default=0, help="else 200 for each member")
    crowd.add_argument("--seed", type=int, default=1, help="the same seed gives the same one")
    crowd.add_argument("--stir", type=float, default=0.0, help="random changes in a second")
    crowd.add_argument("--lost", type=float, default=0.0, help="share of callbacks never sent")
    crowd.add_argument("--doubled", type=float, default=0.0, help="share of callbacks sent twice")
    crowd.add_argument("--late", type=float, default=0.0, help="seconds they may come late")
    return parser.parse_args()


def _world(options: argparse.Namespace) -> World:
    if not options.members:
        return demo_world()
    relations = options.relations or 200 * options.members
    return crowd_world(options.members, relations, options.seed)


async def _stir(world: World, options: argparse.Namespace) -> None:
    """Have people do something at random, again and again."""
    stirrer = Stirrer(world, options.seed)
    while options.stir:
        await asyncio.sleep(1 / options.stir)
        stirrer.step()


async def _serve(options: argparse.Namespace) -> None:
    keys = (options.secret, options.token, options.aes_key)
    corp = Corp(CORP_ID, AGENT_ID, *keys, options.callback)
    simulator = Simulator(corp, _world(options))
    weather = Weather(options.lost, options.doubled, options.late)
    simulator.faults.bad_weather(weather, options.seed)
    url = await simulator.start(options.host, options.port)
    print(f"WeCom in a box: {url}  corp {CORP_ID}, app {AGENT_ID}", flush=True)  # noqa: T201
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    stirring = asyncio.create_task(_stir(simulator.world, options))
    await stopped.wait()
    stirring.cancel()
    await simulator.stop()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(_options()))
