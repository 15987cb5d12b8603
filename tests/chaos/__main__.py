"""`python -m tests.chaos [--minutes N | --quick] [--seed N]`: exits with 1 if anything is wrong."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import places
from tests.chaos.database import Postgres
from tests.chaos.run import Run, report
from tests.services import RedisServer

_QUICK = 0.5  # minutes
_USUAL = 10.0
_ENDS_WITHIN = 900.0  # seconds after the storm, whatever hangs


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=_USUAL, help="how long the storm lasts")
    parser.add_argument("--quick", action="store_true", help="a storm of half a minute")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of all dice")
    parser.add_argument("--keep", action="store_true", help="keep logs of the nodes and all tables")
    return parser.parse_args()


def _main() -> int:
    options = _options()
    if not (RedisServer.is_installed() and places.has_postgresql()):
        _say("chaos needs redis-server, and PostgreSQL at MENWEI_TEST_POSTGRES")
        return 1 if os.environ.get("CI") else 0
    minutes = _QUICK if options.quick else options.minutes
    _say(f"seed {options.seed}, {minutes:g} minutes")
    folder = Path(tempfile.mkdtemp(prefix="menwei-chaos-"))
    try:
        with places.postgresql(folder) as place:
            run = Run(options.seed, minutes * 60, folder, Postgres(place.url))
            wrongs = asyncio.run(asyncio.wait_for(run.through(), minutes * 60 + _ENDS_WITHIN))
    finally:
        if options.keep:
            _say(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    _say(report(run, wrongs))
    return 1 if wrongs else 0


if __name__ == "__main__":
    sys.exit(_main())
