"""Tariffs and charges in a line each, and what is expected of their price.

Nothing here rounds or judges: a charge is laid out end to end, its times exact to the second.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from gateway.pricing.charge import Charge, Phase, Reading, Stretch
from gateway.pricing.result import Calculation, Extra, Line
from gateway.pricing.rounding import PLAIN, Rules
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import (
    Money,
    PriceComponent,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffRestrictions,
    Tax,
)

ZONE = "Europe/Berlin"
UPDATED = datetime(2015, 6, 29, 20, 39, 9, tzinfo=UTC)

WORKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY")
WEEKEND = ("SATURDAY", "SUNDAY")

ENERGY = TariffDimension.ENERGY
FLAT = TariffDimension.FLAT
TIME = TariffDimension.TIME
PARKING_TIME = TariffDimension.PARKING_TIME
SESSION_TIME = TariffDimension.SESSION_TIME
MINIMUM, MAXIMUM = Extra.MINIMUM, Extra.MAXIMUM


# Tariffs


def component(kind: TariffDimension, price: str, vat: str | None, step: int, **gireve: Any) -> PriceComponent:
    return PriceComponent(
        type=kind, price=Decimal(price), vat=None if vat is None else Decimal(vat), step_size=step, **gireve
    )


def energy(price: str, vat: str | None = None, step: int = 1, **gireve: Any) -> PriceComponent:
    return component(ENERGY, price, vat, step, **gireve)


def flat(price: str, vat: str | None = None, step: int = 1) -> PriceComponent:
    return component(FLAT, price, vat, step)


def hourly(price: str, vat: str | None = None, step: int = 1, **gireve: Any) -> PriceComponent:
    """Makes a price for time charging, or for the time of a reservation."""
    return component(TIME, price, vat, step, **gireve)


def parking_fee(price: str, vat: str | None = None, step: int = 1, **gireve: Any) -> PriceComponent:
    return component(PARKING_TIME, price, vat, step, **gireve)


def session_fee(price: str, vat: str | None = None, step: int = 1, **gireve: Any) -> PriceComponent:
    return component(SESSION_TIME, price, vat, step, **gireve)


def element(*components: PriceComponent, **restrictions: Any) -> TariffElement:
    return TariffElement(
        price_components=components,
        restrictions=TariffRestrictions.model_validate(restrictions) if restrictions else None,
    )


def tariff(*elements: TariffElement, **more: Any) -> Tariff:
    return Tariff(
        **{"id": "T", "party": PartyId("DE*ALL"), "currency": "EUR", "last_updated": UPDATED} | more, elements=elements
    )


def limit(net: str, gross: str | None = None) -> Money:
    """Makes a limit of a price as the wire gives it: with and without VAT, the rate left open."""
    if gross is None:
        return Money(net=Decimal(net))
    return Money(net=Decimal(net), taxes=(Tax(name="VAT", amount=Decimal(gross) - Decimal(net)),))


# Charges


class Part(NamedTuple):
    """One stretch to be, without its place in time."""

    phase: Phase
    seconds: int
    kwh: Decimal
    power: Reading | None
    current: Reading | None


def local(text: str, zone: str = ZONE, fold: int = 0) -> datetime:
    """Reads a local time like `2026-06-01 16:55` (a Monday); `fold` 1 for its second coming in autumn."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def charging(
    minutes: float, kwh: str = "0", *, power: Reading | str | None = None, current: Reading | str | None = None
) -> Part:
    return Part(Phase.CHARGING, round(minutes * 60), Decimal(kwh), _reading(power), _reading(current))


def parking(minutes: float) -> Part:
    return Part(Phase.PARKING, round(minutes * 60), Decimal(0), None, None)


def reserved(minutes: float) -> Part:
    return Part(Phase.RESERVED, round(minutes * 60), Decimal(0), None, None)


def expired(minutes: float) -> Part:
    return Part(Phase.EXPIRED, round(minutes * 60), Decimal(0), None, None)


def between(least: str | None, most: str | None) -> Reading:
    return Reading(
        least=None if least is None else Decimal(least),
        most=None if most is None else Decimal(most),
    )


def charge(start: datetime, *parts: Part, zone: str | None = ZONE) -> Charge:
    """Lays parts end to end from a moment on; each is a period of its own."""
    at, stretches = start.astimezone(UTC), []
    for number, part in enumerate(parts):
        end = at + timedelta(seconds=part.seconds)
        stretches.append(
            Stretch(
                start=at,
                end=end,
                phase=part.phase,
                seconds=Decimal(part.seconds),
                energy=part.kwh,
                power=part.power,
                current=part.current,
                period=number,
            )
        )
        at = end
    return Charge(stretches=tuple(stretches), zone=zone)


def _reading(value: Reading | str | None) -> Reading | None:
    return between(value, value) if isinstance(value, str) else value


# What is expected


class Row(NamedTuple):
    """A line as it is worked out by hand.

    Attributes:
        billed: kWh, minutes, or 1; "" for an extra, which bills nothing.
        net, tax: In the currency.
        reserved: It prices a reservation.
    """

    of: TariffDimension | Extra
    billed: str
    net: str
    tax: str = "0"
    reserved: bool = False


@dataclass(frozen=True)
class Worked:
    """A charge whose price was worked out by hand.

    Attributes:
        file: The specification's example whose elements `tariff` has; None where it is ours.
    """

    name: str
    file: str | None
    tariff: Tariff
    charge: Charge
    rows: tuple[Row, ...]
    net: str
    gross: str
    rules: Rules = PLAIN


_TIMES = {TIME, PARKING_TIME, SESSION_TIME}


def told(lines: Iterable[Line]) -> list[tuple[str, bool, Decimal, Decimal, Decimal]]:
    """Gives lines as rows are given, in an order of their own: which of two of one moment comes first says nothing."""
    return sorted((line.of.value, line.reservation, _billed(line), line.net, line.tax) for line in lines)


def expected(rows: Iterable[Row]) -> list[tuple[str, bool, Decimal, Decimal, Decimal]]:
    return sorted(
        (row.of.value, row.reserved, Decimal(row.billed or 0), Decimal(row.net), Decimal(row.tax)) for row in rows
    )


def _billed(line: Line) -> Decimal:
    if line.of in {MINIMUM, MAXIMUM, Extra.ROUNDING}:
        return Decimal(0)
    # A line tells its hours to six places.
    return round(line.billed * 60, 3) if line.of in _TIMES else line.billed


def check(worked: Worked, calculation: Calculation) -> None:
    """Holds a calculation against what was worked out."""
    assert told(calculation.lines) == expected(worked.rows)
    assert calculation.net == Decimal(worked.net)
    assert calculation.gross == Decimal(worked.gross)
