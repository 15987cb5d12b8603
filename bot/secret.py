"""Secrets in the config file: a string, `{ env = "NAME" }` or `{ file = "path" }`. Never shown."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, SecretStr
from pydantic_core import PydanticCustomError


def _resolved(given: object) -> object:
    match given:
        case {"env": str(name), **rest} if not rest:
            if not (found := os.environ.get(name)):
                raise PydanticCustomError("secret_env", "", {"name": name})
            return found
        case {"file": str(name), **rest} if not rest:
            return _in_file(name)
        case dict():
            raise PydanticCustomError("secret_shape", "")
        case str() if not given or given.startswith("$"):
            raise PydanticCustomError("secret_empty", "")  # nothing fills in a "$NAME"
        case _:
            return given


def _in_file(name: str) -> str:
    try:
        found = Path(name).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise PydanticCustomError("secret_file", "", {"name": name}) from None
    if not found:
        raise PydanticCustomError("secret_file", "", {"name": name})
    return found


Secret = Annotated[SecretStr, BeforeValidator(_resolved)]
