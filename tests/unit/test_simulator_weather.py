"""Bad weather in the simulator: a share of all callbacks is lost, doubled or late, by a seed."""

from __future__ import annotations

import pytest

from bot.simulator.faults import Faults, Weather


def sent(weather: Weather, seed: int = 1, times: int = 4_000) -> list[list[float]]:
    faults = Faults()
    faults.bad_weather(weather, seed)
    return [list(faults.take_callback()) for _ in range(times)]


def test_in_good_weather_everything_is_sent_once_and_at_once() -> None:
    assert sent(Weather(), times=50) == [[0.0]] * 50


def test_the_shares_are_as_ordered() -> None:
    found = [len(each) for each in sent(Weather(lost=0.1, doubled=0.2))]

    assert 0.08 < found.count(0) / len(found) < 0.12
    assert 0.16 < found.count(2) / len(found) < 0.20  # of those that are not lost


def test_the_same_seed_hits_the_same_ones() -> None:
    weather = Weather(0.3, 0.3, 2.0)

    assert sent(weather, 5, 100) == sent(weather, 5, 100)
    assert sent(weather, 5, 100) != sent(weather, 6, 100)


def test_late_ones_are_overtaken_within_the_time() -> None:
    delays = [delay for each in sent(Weather(doubled=0.5, late=2.0)) for delay in each]

    assert 0.0 <= min(delays) < 0.1
    assert 1.9 < max(delays) <= 2.0
    assert delays != sorted(delays)


def test_what_is_ordered_by_number_comes_first() -> None:
    faults = Faults()
    faults.bad_weather(Weather(lost=1.0))
    faults.duplicate_callbacks()

    assert [len(faults.take_callback()) for _ in range(3)] == [2, 0, 0]
    faults.clear()
    assert faults.take_callback() == [0.0]


@pytest.mark.parametrize("weather", [Weather(lost=1.1), Weather(doubled=-0.1), Weather(late=-1)])
def test_weather_that_cannot_be_is_refused(weather: Weather) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Faults().bad_weather(weather)
