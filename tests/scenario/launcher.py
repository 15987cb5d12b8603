"""Starts the program again and again from one interpreter that has imported it already.

Importing takes seconds, which a test that starts it a dozen times does not have. A line on
standard input is the words of one command line, as JSON, and a file for what it says; answered is
its process id. The next line waits for its end; answered is its exit code. Until then its id is
not given to any other process, so that it can be killed twice. Everything after the imports is the
program's own.
"""

from __future__ import annotations

import json
import os
import sys

from bot.cli import main


def _become(words: list[str], log: str) -> None:
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(out, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = ["menwei", *words]
    main()


def launch() -> None:
    """Serve standard input until it is closed."""
    while line := sys.stdin.readline():
        words, log = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(words, log)
        print(child, flush=True)  # noqa: T201 - whoever asked reads it
        sys.stdin.readline()
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


if __name__ == "__main__":
    launch()
