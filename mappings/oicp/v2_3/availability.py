"""When a pricing product holds: IsValid24hours and ProductAvailabilityTimes as times of day and weekdays (OICP 2.3)."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from mappings.canonical.locations import RegularHours
from mappings.canonical.tariffs import DayOfWeek
from mappings.oicp.v2_3 import forms, opening_times
from mappings.oicp.v2_3.values import boolean, listed
from mappings.oicp.v2_3.wire import Record
from mappings.oicp.v2_3.wire_pricing import AvailabilityTimes
from mappings.report import IssueKind, Refused, Report

_FIELD = "ProductAvailabilityTimes"
_DAYS = tuple(DayOfWeek)
_MIDNIGHT, _DAYS_END = "00:00", "24:00"


class Span(NamedTuple):
    """Times of day on some weekdays; local to the station.

    Attributes:
        begin, end: `HH:MM`; an end of `00:00` is the day's end, any other before the beginning is on the day after.
            Both are None for the whole day.
        days: Empty for all.
    """

    begin: str | None = None
    end: str | None = None
    days: tuple[DayOfWeek, ...] = ()


ALWAYS = (Span(),)


def write(hours: Iterable[RegularHours] | None) -> Record:
    """Writes IsValid24hours and ProductAvailabilityTimes, days with equal hours under one word where OICP has one.

    Args:
        hours: When a product holds, none over midnight; None for always.
    """
    if hours is None:
        return {"IsValid24hours": True, _FIELD: []}
    # "Applicable 24 hours a day" is no word for all Saturday: the times beside it may be passed over.
    times = [{"Periods": each["Period"], "on": each["on"]} for each in opening_times.write(hours)]
    return {"IsValid24hours": False, _FIELD: times}


def read(values: Record, report: Report) -> tuple[Span, ...]:
    """Reads when a product holds; one that holds past midnight on some days only is given as two spans.

    Raises:
        Refused: It is not said, or a time or day cannot be read: another price may hold then.
    """
    given = listed(values.get(_FIELD))
    if boolean(values.get("IsValid24hours"), "IsValid24hours", report):
        if given and not _is_always(given):
            report.add(IssueKind.NARROWED, _FIELD, "valid around the clock, so the times beside it were not read")
        return ALWAYS
    spans = _spans(given, report)
    if not spans:
        raise report.refuse(_FIELD, "not said when the product holds")
    return spans


def _is_always(given: list[Any]) -> bool:
    try:
        return _spans(given, Report()) == ALWAYS
    except Refused:
        return False


def _item(item: Any, path: str, report: Report) -> Record:
    if not isinstance(item, Mapping):
        raise report.refuse(path, "not an object", item)
    known, other = forms.fields(AvailabilityTimes, item)
    # The OpenAPI has a list of `Periods`, the text of OICP a `Period`.
    periods = known.get("Periods", next((inner for name, inner in other.items() if name.casefold() == "period"), None))
    for n, period in enumerate(listed(periods)):
        begin, end = (period.get(name) for name in ("begin", "end")) if isinstance(period, Mapping) else (None, None)
        if begin is not None and begin == end != _MIDNIGHT:
            raise report.refuse(f"{path}.Periods[{n}]", "ends when it begins: no time, or a whole day", begin)
    return {"Period": periods, "on": known.get("on")}


def _spans(given: list[Any], report: Report) -> tuple[Span, ...]:
    times = [_item(item, f"{_FIELD}[{n}]", report) for n, item in enumerate(given)]
    inner = Report()
    hours = opening_times.read(times, None, _FIELD, inner)
    wrong = next((issue for issue in inner.issues if issue.kind is IssueKind.LEFT_OUT), None)
    if wrong is not None:
        raise report.refuse(wrong.field, wrong.detail, wrong.value)
    report.issues += inner.issues
    days: dict[tuple[str, str], list[DayOfWeek]] = {}
    for each in hours.regular if hours is not None else ():
        days.setdefault((each.begin, each.end), []).append(_DAYS[each.weekday - 1])
    return _joined([_span(*span, tuple(on)) for span, on in days.items()])


def _joined(spans: list[Span]) -> tuple[Span, ...]:
    """Joins what ends every day and what begins it: a session at midnight stays under one set of prices."""
    evening = next((span for span in spans if span.end == _MIDNIGHT and not span.days), None)
    morning = next((span for span in spans if span.begin == _MIDNIGHT and not span.days), None)
    if evening is None or morning is None or str(morning.end) >= str(evening.begin):
        return tuple(spans)
    night = Span(evening.begin, morning.end)
    return (*(span for span in spans if span not in {evening, morning}), night)


def _span(begin: str, end: str, on: tuple[DayOfWeek, ...]) -> Span:
    days = () if len(on) == len(_DAYS) else on
    if (begin, end) == (_MIDNIGHT, _DAYS_END):
        return Span(days=days)
    return Span(begin, _MIDNIGHT if end == _DAYS_END else end, days)
