"""From how much on something is worth an alarm, and whether a change of it tells less."""

from __future__ import annotations

import pytest

from workflows.sections_alerts import Alerts

USUAL = Alerts()


def test_refusals_alarm_from_five_a_day_on_unless_the_file_says_otherwise() -> None:
    assert USUAL.denials_per_day == 5


@pytest.mark.parametrize("name", ["deletions_per_hour", "deletions_per_day", "denials_per_day"])
def test_a_higher_limit_or_none_tells_less_and_a_lower_one_no_less(name: str) -> None:
    usual = getattr(USUAL, name)
    for limit, no_less in ((usual, True), (usual - 1, True), (usual + 1, False), (0, False)):
        assert Alerts(**{name: limit}).alarms_no_less_than(USUAL) is no_less
    assert USUAL.alarms_no_less_than(Alerts(**{name: 0}))
