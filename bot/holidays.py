"""China's public holidays and the weekends worked instead, for schedules with `holidays = "CN"`.

The State Council publishes them each autumn for the next year; a new release of chinese-calendar
brings them. A year it does not know degrades to Monday to Friday.
"""

from __future__ import annotations

from chinese_calendar.constants import holidays, workdays

from workflows.schedules import Holidays

CHINA = Holidays(
    off=frozenset(holidays),
    work=frozenset(workdays),
    years=frozenset(day.year for day in holidays),
)
