"""Everything that is stored has a lifetime, or a reason to stay, where an operator looks for it."""

from __future__ import annotations

import re
from pathlib import Path

from storage.tables import metadata

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


def test_the_page_for_operators_says_of_every_table_how_long_its_rows_are_kept() -> None:
    _, _, rest = OPERATIONS.read_text("utf-8").partition("| What | Tables | Kept for |")
    rows = [row.split("|") for row in rest.partition("\n\n")[0].splitlines()[2:]]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row[2])}
    assert named == metadata.tables.keys()
    assert all(row[3].strip() for row in rows)
