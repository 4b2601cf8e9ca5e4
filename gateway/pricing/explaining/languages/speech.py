"""What a language has to have for a tariff to be said in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from gateway.pricing.notes import NoteKind


class Phrase(StrEnum):
    """Everything that is said of a tariff; names in braces are filled in."""

    TARIFF = "{id} {party} {currency}"

    # Titles
    ENERGY = "energy"
    TIME = "time"
    PARKING_TIME = "parking_time"
    SESSION_TIME = "session_time"
    FLAT = "flat"
    RESERVATION = "reservation"
    RESERVATION_EXPIRES = "reservation_expires"
    LIMITS = "limits"
    REMARKS = "remarks"

    # For whom and when
    AD_HOC_PAYMENT = "ad_hoc_payment"
    PROFILE_CHEAP = "profile_cheap"
    PROFILE_FAST = "profile_fast"
    PROFILE_GREEN = "profile_green"
    REGULAR = "regular"
    TARGET = "{target}"
    VALID_FROM = "valid from {start}"
    VALID_UNTIL = "valid until {end}"
    VALID_BETWEEN = "valid from {start} to {end}"
    HOURS = "begins {when}"
    URL = "{url}"

    # Prices
    PER_KWH = "{money} per kWh"
    PER_HOUR_CHARGING = "{money} per hour charging"
    PER_HOUR_PARKING = "{money} per hour parking"
    PER_HOUR_PLUGGED_IN = "{money} per hour plugged in"
    PER_MINUTE = "{money} per minute"
    FEE = "{money} per charge"
    PER_HOUR_RESERVED = "{money} per hour reserved"
    FEE_RESERVED = "{money} per reservation"
    PER_HOUR_EXPIRED = "{money} per hour expired"
    FEE_EXPIRED = "{money} per expired reservation"
    WITH_VAT = "{gross} {rate}"
    ZERO_VAT = "zero vat"
    VAT_UNKNOWN = "vat unknown"
    BOTH = "{net} {gross}"
    LEAST = "at least {money}"
    MOST = "at most {money}"

    # Steps and roundings
    STEP_UP = "step up {step}"
    STEP_DOWN = "step down {step}"
    STEP_NEAR = "step near {step}"
    STEP_ZERO = "step zero"
    COST_UP = "cost up {unit}"
    COST_DOWN = "cost down {unit}"
    COST_NEAR = "cost near {unit}"
    INEXACT = "inexact"

    # Conditions
    CLOCK = "clock {start} {end}"
    CLOCK_NIGHT = "clock over midnight {start} {end}"
    DAY_OF_MOMENT = "day of moment"
    DAYS = "days {first} {last}"
    DATE_FROM = "date {start}"
    DATE_BEFORE = "date before {end}"
    DATES = "dates {start} {end}"
    ENERGY_FROM = "energy {least}"
    ENERGY_UNDER = "energy under {most}"
    ENERGY_BETWEEN = "energy {least} {most}"
    LOAD_FROM = "load {least}"
    LOAD_UNDER = "load under {most}"
    LOAD_BETWEEN = "load {least} {most}"
    DURATION_FROM = "duration {least}"
    DURATION_UNDER = "duration under {most}"
    DURATION_BETWEEN = "duration {least} {most}"
    FOREIGN = "foreign {names}"
    FIRST_HOLDS = "first holds"
    FLAT_ONCE = "flat once"
    OTHERWISE = "otherwise {price}"
    OTHERWISE_NOTHING = "otherwise nothing"
    AND = "{left} and {right}"

    # In one sentence
    FREE = "free"
    RANGE = "{least} to {most}"
    DEPENDING = "depending {what}"
    BY_CLOCK = "by clock"
    BY_DAY = "by day"
    BY_DATE = "by date"
    BY_ENERGY = "by energy"
    BY_LOAD = "by load"
    BY_DURATION = "by duration"
    BY_FOREIGN = "by foreign"
    GROSS = "gross"
    NET = "net"

    # A week's drawing
    WEEK = "week of {id}"
    AT = "at {assumed}"
    NOTHING = "nothing"
    UNPRICED = "unpriced"
    LEGEND = "legend"
    WEEK_OF = "week of {start}"


OF_TARIFFS: Final = frozenset(
    {
        NoteKind.STEP_ZERO,
        NoteKind.NEVER_HOLDS,
        NoteKind.HIDDEN,
        NoteKind.OVERLAP,
        NoteKind.NEGATIVE_PRICE,
        NoteKind.TAX_AS_FRACTION,
        NoteKind.LIMITS_CROSSED,
        NoteKind.GAP,
    }
)
"""The kinds of notes on a tariff in itself; others speak of a charge."""


@dataclass(frozen=True)
class Speech:
    """A language.

    Attributes:
        tag: ISO 639-1.
        decimal, group: The signs before decimals and between thousands.
        percent: With `{number}`.
        day: Of a month, a date: with `{day}`, `{month}` and `{year}`.
        days: Monday first.
        short_days: The same, for the head of a drawing.
        months: January first.
        phrases: All of them.
        notes: What is said of each kind in `OF_TARIFFS`.
        first: How the first day of a month is counted, where not as 1.
    """

    tag: str
    decimal: str
    group: str
    percent: str
    day: str
    days: Sequence[str]
    short_days: Sequence[str]
    months: Sequence[str]
    phrases: Mapping[Phrase, str]
    notes: Mapping[NoteKind, str]
    first: str = field(default="1")

    def __post_init__(self) -> None:
        """Holds the table to being total, so that what it lacks is found when it is built and not when it is said.

        Raises:
            TypeError: It lacks a phrase, or a phrase lacks one of the places that are filled in.
        """
        lacking: list[StrEnum] = [*(set(Phrase) - self.phrases.keys()), *(OF_TARIFFS - self.notes.keys())]
        if lacking or (len(self.days), len(self.short_days), len(self.months)) != (7, 7, 12):
            raise TypeError(f"{self.tag}: not said: {', '.join(sorted(one.name for one in lacking)) or 'days, months'}")
        for phrase, text in self.phrases.items():
            if _places(text) != _places(phrase.value):
                raise TypeError(f"{self.tag}: {phrase.name} does not fill in what is told")

    def __call__(self, phrase: Phrase, **told: str) -> str:
        """Says a phrase."""
        return self.phrases[phrase].format(**told)

    def date(self, day: date) -> str:
        """Says a day, as `5 January 2026`."""
        number = self.first if day.day == 1 else str(day.day)
        return self.day.format(day=number, month=self.months[day.month - 1], year=day.year)

    def moment(self, moment: datetime) -> str:
        """Says a moment with the name of its zone."""
        return f"{self.date(moment)}, {moment:%H:%M} {moment.tzname() or ''}".rstrip()

    def listed(self, texts: Sequence[str]) -> str:
        """Says several things as one."""
        if len(texts) < 2:
            return "".join(texts)
        return self(Phrase.AND, left=", ".join(texts[:-1]), right=texts[-1])


_NAMES: Final = (
    *("id", "party", "currency", "target", "start", "end", "when", "url", "money", "gross", "rate", "net", "step"),
    *("unit", "first", "last", "least", "most", "names", "price", "left", "right", "what", "assumed"),
)


def _places(text: str) -> set[str]:
    return {name for name in _NAMES if "{" + name + "}" in text}
