"""Changes of the demo's config file, whatever it says already, for scenarios under other rules."""

from __future__ import annotations

import re
from importlib import resources

from tests.scenario.conftest import Change

_DEMO = resources.files("bot.demo").joinpath("config.toml").read_text("utf-8")
_LAST = '"config.change" = { approval = 5 }'
_CHAINS = "[chains.lead]"
_ENFORCED = '[enforcement."friend.add"]'

ENGLISH: Change = ('language = "zh-CN"', 'language = "en"')


def permission(action: str, levels: str) -> Change:
    """Return the change that makes `levels` an action's line: 'allow = 2, approval = 1'."""
    line = f'"{action}" = {{ {levels} }}'
    found = re.search(rf'^"{re.escape(action)}"\s*=.*$', _DEMO, re.MULTILINE)
    return (found[0], line) if found else (_LAST, f"{_LAST}\n{line}")


def rule(text: str) -> Change:
    """Return the change that adds a rule."""
    return _CHAINS, f"[[rule]]\n{text}\n\n{_CHAINS}"


def section(text: str) -> Change:
    """Return the change that adds a section."""
    return _ENFORCED, f"{text}\n\n{_ENFORCED}"
