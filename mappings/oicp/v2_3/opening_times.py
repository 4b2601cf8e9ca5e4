"""OpeningTimesType in both directions; hours are local to the place, never UTC."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mappings.canonical.locations import Hours, RegularHours
from mappings.oicp.v2_3.enums import WEEKDAYS
from mappings.oicp.v2_3.vocabulary import Day
from mappings.oicp.v2_3.wire import Record
from mappings.report import IssueKind, Report

_CLOCK = re.compile(r"\s*(\d{1,2}):(\d{2})(?::\d{2})?\s*")
_DAYS_BY_TEXT = {day.value.casefold(): day for day in Day}
# Most stations say no more: made once, since hours cannot be changed.
_BARE = {always: Hours(twentyfourseven=always) for always in (True, False)}
_SINGLE_DAYS = {days[0]: day for day, days in WEEKDAYS.items() if len(days) == 1}


def write(regular: Iterable[RegularHours]) -> list[Record]:
    """Writes regular hours, days with equal hours under one word where OICP has one."""
    by_day: dict[int, list[Record]] = {}
    for hours in sorted(regular, key=lambda h: (h.weekday, h.begin)):
        by_day.setdefault(hours.weekday, []).append({"begin": hours.begin, "end": hours.end})
    written: list[Record] = []
    for word in (Day.EVERYDAY, Day.WORKDAYS, Day.WEEKEND):
        days = WEEKDAYS[word]
        first = by_day.get(days[0])
        if first is not None and all(by_day.get(day) == first for day in days):
            written.append({"Period": first, "on": word.value})
            for day in days:
                del by_day[day]
    written.extend({"Period": periods, "on": _SINGLE_DAYS[day].value} for day, periods in sorted(by_day.items()))
    return written


def read(value: Any, always: bool | None, field: str, report: Report) -> Hours | None:
    """Reads OpeningTimes beside IsOpen24Hours; a period alone or in a list, words for several days, past midnight.

    Returns:
        None where neither says anything.
    """
    if value is None:
        return None if always is None else _BARE[always]
    regular: dict[RegularHours, None] = {}
    for n, item in enumerate(value if isinstance(value, list) else [value]):
        path = f"{field}[{n}]"
        if not isinstance(item, Mapping):
            report.add(IssueKind.LEFT_OUT, path, "not an opening time", item)
            continue
        day = _DAYS_BY_TEXT.get(str(item.get("on")).strip().casefold())
        if day is None:
            report.add(IssueKind.LEFT_OUT, f"{path}.on", "not a word for days", item.get("on"))
            continue
        periods = item.get("Period")
        for p, period in enumerate(periods if isinstance(periods, list) else [periods]):
            span = _span(period, f"{path}.Period[{p}]", report)
            if span is not None:
                for weekday in WEEKDAYS[day]:
                    regular.update(dict.fromkeys(_hours(weekday, *span)))
    if always is None and not regular:
        return None
    if always and regular:
        report.add(IssueKind.NARROWED, field, "open 24 hours, so the opening times beside it were not read")
        regular.clear()
    ordered = sorted(regular, key=lambda h: (h.weekday, h.begin, h.end))
    return Hours(twentyfourseven=bool(always), regular=tuple(ordered))


def _span(period: Any, field: str, report: Report) -> tuple[str, str] | None:
    begin = _clock(period.get("begin")) if isinstance(period, Mapping) else None
    end = _clock(period.get("end")) if isinstance(period, Mapping) else None
    if begin is None or end is None or begin == "24:00":
        report.add(IssueKind.LEFT_OUT, field, "not a period from HH:MM to HH:MM", period)
        return None
    if end == "00:00":
        report.add(IssueKind.MENDED, field, "ends at 24:00, since 00:00 begins a day")
        end = "24:00"
    elif end <= begin:
        report.add(IssueKind.MENDED, field, "ends on the day after, read as two periods", f"{begin}-{end}")
    return begin, end


def _hours(weekday: int, begin: str, end: str) -> list[RegularHours]:
    if end > begin:
        return [RegularHours(weekday=weekday, begin=begin, end=end)]
    following = weekday % 7 + 1
    return [
        RegularHours(weekday=weekday, begin=begin, end="24:00"),
        RegularHours(weekday=following, begin="00:00", end=end),
    ]


def _clock(text: Any) -> str | None:
    match = _CLOCK.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2])
    if minute > 59 or hour > 24 or (hour == 24 and minute):
        return None
    return f"{hour:02d}:{minute:02d}"
