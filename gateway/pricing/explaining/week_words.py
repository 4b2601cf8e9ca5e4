"""A week's prices in words: what a drawing says to whoever does not see it."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from gateway.pricing.clock import DAY, WEEKDAYS
from gateway.pricing.explaining.groups import UNITS, title_of
from gateway.pricing.explaining.languages.figures import money, quantity, span
from gateway.pricing.explaining.languages.speech import Phrase, Speech
from gateway.pricing.explaining.restrictions import days_said
from gateway.pricing.explaining.week import Conditions, Span, Track, Week


class Row(NamedTuple):
    """What is asked for in a part of some days.

    Attributes:
        days: All of them where all are alike; the same as in the row above where empty.
        hours: As `09:00–17:00`.
        price: With its currency.
    """

    days: str
    hours: str
    price: str


_CONDITIONS: Final[Mapping[str, Callable[[Conditions, Speech], str]]] = {
    "monday": lambda at, speech: speech(Phrase.WEEK_OF, start=speech.date(at.monday)),
    "power": lambda at, speech: quantity(at.power, "kW", speech),
    "current": lambda at, speech: quantity(at.current, "A", speech),
    "energy": lambda at, speech: quantity(at.energy, "kWh", speech),
    "seconds": lambda at, speech: span(at.seconds, speech),
}


def title(week: Week, speech: Speech) -> str:
    """Names a week's drawing."""
    return speech(Phrase.WEEK, id=week.tariff_id)


def assumptions(week: Week, speech: Speech) -> str:
    """Says what the prices are looked up at, as far as it matters; empty where nothing does."""
    texts = [_CONDITIONS[name](week.conditions, speech) for name in week.asked]
    return speech(Phrase.AT, assumed=speech.listed(texts)) if texts else ""


def heading(track: Track, week: Week, speech: Speech) -> str:
    """Names a track with its unit, as `Energy (EUR per kWh)`."""
    unit = speech(UNITS[track.group], money=week.currency)
    return f"{speech(title_of(track.group))} ({unit})"


def price_said(price: Decimal | None, currency: str, speech: Speech) -> str:
    """Says one price, or that there is none."""
    if price is None:
        return speech(Phrase.UNPRICED)
    return money(price, currency, speech) if price else speech(Phrase.NOTHING)


def rows(track: Track, currency: str, speech: Speech) -> Sequence[Row]:
    """Says a track line by line; days that are alike stand together."""
    alike: dict[tuple[tuple[int, int, Decimal | None], ...], list[int]] = {}
    for number, day in enumerate(track.days()):
        alike.setdefault(tuple((one.begin, one.end, one.price) for one in day), []).append(number)
    found: list[Row] = []
    for parts, numbers in alike.items():
        days = days_said([WEEKDAYS[one] for one in numbers], speech)
        days = days or speech(Phrase.DAYS, first=speech.days[0], last=speech.days[-1])
        for index, (begin, end, price) in enumerate(parts):
            found.append(
                Row("" if index else days, f"{clock(begin)}–{clock(end)}", price_said(price, currency, speech))
            )
    return found


def clock(minute: int) -> str:
    """Writes a minute of the day."""
    return f"{minute // 60:02}:{minute % 60:02}"


def spoken(span_: Span, week: Week, speech: Speech) -> str:
    """Says one span in a sentence's worth, as for a tooltip."""
    hours = f"{clock(span_.begin)}–{clock(span_.end)}" if span_.end - span_.begin < DAY else ""
    where = " ".join(filter(None, [speech.days[span_.weekday], hours]))
    return f"{where}: {price_said(span_.price, week.currency, speech)}"
