"""When a tariff's element holds, in words."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from gateway.pricing.clock import WEEKDAY_NUMBERS, WEEKDAYS, parts_of_day
from gateway.pricing.explaining.languages.figures import quantity, span
from gateway.pricing.explaining.languages.speech import Phrase, Speech
from mappings.canonical.tariffs import DayOfWeek, TariffHours, TariffRestrictions

_MIDNIGHT: Final = "00:00"

Triple = tuple[Phrase, Phrase, Phrase]
_ENERGY: Final[Triple] = (Phrase.ENERGY_FROM, Phrase.ENERGY_UNDER, Phrase.ENERGY_BETWEEN)
_LOAD: Final[Triple] = (Phrase.LOAD_FROM, Phrase.LOAD_UNDER, Phrase.LOAD_BETWEEN)
_DURATION: Final[Triple] = (Phrase.DURATION_FROM, Phrase.DURATION_UNDER, Phrase.DURATION_BETWEEN)


def said(restrictions: TariffRestrictions, speech: Speech) -> str:
    """Says when all restrictions hold; empty where there are none. Reservations are told elsewhere."""
    parts = [
        *_days_and_clock(restrictions, speech),
        *_dates(restrictions, speech),
        *_range(restrictions.min_kwh, restrictions.max_kwh, "kWh", _ENERGY, speech),
        *_range(restrictions.min_power, restrictions.max_power, "kW", _LOAD, speech),
        *_range(restrictions.min_current, restrictions.max_current, "A", _LOAD, speech),
        *_durations(restrictions, speech),
    ]
    if restrictions.unknown:
        parts.append(speech(Phrase.FOREIGN, names=", ".join(restrictions.unknown)))
    return ", ".join(parts)


def hours_said(hours: TariffHours, speech: Speech) -> str:
    """Says when a charge has to begin (Gireve's OCPI)."""
    spans = [_clock(span.start, span.end, speech) for span in hours.spans]
    return ", ".join(filter(None, [days_said(hours.days, speech), speech.listed([one for one in spans if one])]))


_NOTHING: Final = TariffRestrictions()


def restricts(restrictions: TariffRestrictions | None) -> bool:
    """Tells whether an element does not hold all the time; that it is for reservations aside."""
    return restrictions is not None and any(part(restrictions) != part(_NOTHING) for part in _KINDS.values())


def turns_on(several: Sequence[TariffRestrictions | None]) -> Sequence[Phrase]:
    """Names in what restrictions differ."""
    asked = [each or _NOTHING for each in several]
    return [phrase for phrase, part in _KINDS.items() if len({part(each) for each in asked}) > 1]


def days_said(days: Iterable[DayOfWeek], speech: Speech, names: Sequence[str] | None = None) -> str:
    """Says weekdays, three or more on end as a span; empty for all of them and for none.

    Args:
        days: In any order.
        speech: In which to say them.
        names: Of the days, Monday first; the language's whole names where left out.
    """
    chosen = sorted({WEEKDAY_NUMBERS[day] for day in days})
    if len(chosen) in {0, len(WEEKDAYS)}:
        return ""
    words = names or speech.days
    parts: list[str] = []
    for first, last in _stretches(chosen):
        if last - first > 1:
            parts.append(speech(Phrase.DAYS, first=words[first], last=words[last]))
        else:
            parts += words[first : last + 1]
    return speech.listed(parts)


def _stretches(chosen: Sequence[int]) -> Iterable[tuple[int, int]]:
    first = last = chosen[0]
    for each in chosen[1:]:
        if each != last + 1:
            yield first, last
            first = each
        last = each
    yield first, last


def _days_of(restrictions: TariffRestrictions) -> frozenset[DayOfWeek]:
    days = frozenset(restrictions.day_of_week)
    return days if len(days) < len(WEEKDAYS) else frozenset()


def _days_and_clock(restrictions: TariffRestrictions, speech: Speech) -> list[str]:
    days = days_said(restrictions.day_of_week, speech)
    clock = _clock_of(restrictions)
    parts = [days] if days else []
    if clock:
        parts.append(_clock(*clock, speech))
        if days and _over_midnight(*clock):
            parts.append(f"({speech(Phrase.DAY_OF_MOMENT)})")
    return [" ".join(parts)] if parts and len(parts) == 3 else parts


def _clock_of(restrictions: TariffRestrictions) -> tuple[str, str] | None:
    start, end = restrictions.start_time or _MIDNIGHT, restrictions.end_time or _MIDNIGHT
    return None if start == end else (start, end)


def _over_midnight(start: str, end: str) -> bool:
    return len(parts_of_day(start, end)) > 1


def _clock(start: str, end: str, speech: Speech) -> str:
    if start == end:
        return ""
    phrase = Phrase.CLOCK_NIGHT if _over_midnight(start, end) else Phrase.CLOCK
    return speech(phrase, start=start, end="24:00" if end == _MIDNIGHT else end)


def _dates(restrictions: TariffRestrictions, speech: Speech) -> list[str]:
    start, end = (
        None if given is None else speech.date(date.fromisoformat(given))
        for given in (restrictions.start_date, restrictions.end_date)
    )
    if start and end:
        return [speech(Phrase.DATES, start=start, end=end)]
    if start:
        return [speech(Phrase.DATE_FROM, start=start)]
    return [speech(Phrase.DATE_BEFORE, end=end)] if end else []


def _range(least: Decimal | None, most: Decimal | None, unit: str, phrases: Triple, speech: Speech) -> list[str]:
    low, high = (None if one is None else quantity(one, unit, speech) for one in (least, most))
    return _between(low, high, phrases, speech)


def _durations(restrictions: TariffRestrictions, speech: Speech) -> list[str]:
    given = (restrictions.min_duration, restrictions.max_duration)
    low, high = (None if one is None else span(one, speech) for one in given)
    return _between(low, high, _DURATION, speech)


def _between(least: str | None, most: str | None, phrases: Triple, speech: Speech) -> list[str]:
    from_, under, between = phrases
    if least is not None and most is not None:
        return [speech(between, least=least, most=most)]
    if least is not None:
        return [speech(from_, least=least)]
    return [] if most is None else [speech(under, most=most)]


_KINDS: Final[Mapping[Phrase, Callable[[TariffRestrictions], Hashable]]] = {
    Phrase.BY_CLOCK: _clock_of,
    Phrase.BY_DAY: _days_of,
    Phrase.BY_DATE: lambda asked: (asked.start_date, asked.end_date),
    Phrase.BY_ENERGY: lambda asked: (asked.min_kwh, asked.max_kwh),
    Phrase.BY_LOAD: lambda asked: (asked.min_power, asked.max_power, asked.min_current, asked.max_current),
    Phrase.BY_DURATION: lambda asked: (asked.min_duration, asked.max_duration),
    Phrase.BY_FOREIGN: lambda asked: repr(asked.unknown) if asked.unknown else None,
}
"""What of restrictions a price may depend on, in the order in which it is told."""
