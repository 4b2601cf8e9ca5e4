"""Any tariff and any charge, for properties that hold of all."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from gateway.pricing.charge import Charge, Phase, Reading, Stretch
from mappings.canonical.tariffs import (
    DayOfWeek,
    Money,
    PriceComponent,
    PriceRounding,
    RoundingRule,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffRestrictions,
    Tax,
)
from tests.pricing.building import tariff

ZONES = ("Europe/Amsterdam", "Europe/Lisbon", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")


def decimals(least: int, most: int, places: int) -> st.SearchStrategy[Decimal]:
    return st.integers(least, most).map(lambda number: Decimal(number).scaleb(-places))


# Tariffs


def components(
    kinds: Sequence[TariffDimension] = tuple(TariffDimension), steps: Sequence[int] = (0, 1, 60, 300, 1000)
) -> st.SearchStrategy[PriceComponent]:
    return st.builds(
        PriceComponent,
        type=st.sampled_from(kinds),
        price=decimals(0, 50_000, 4),
        vat=st.sampled_from([None, Decimal(0), Decimal(10), Decimal("5.2"), Decimal(21)]),
        step_size=st.sampled_from(steps),
    )


GIREVES = st.builds(
    PriceComponent,
    type=st.sampled_from(TariffDimension),
    price=decimals(0, 50_000, 4),
    vat=st.sampled_from([None, Decimal(20)]),
    step_size=st.sampled_from([0, 1, 60, 300]),
    price_rounding=st.none() | st.builds(PriceRounding, places=st.integers(0, 3), rule=st.sampled_from(RoundingRule)),
    step_rounding=st.none() | st.sampled_from(RoundingRule),
)
"""Components with what Gireve adds."""

_CLOCKS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 59]))
_DAYS = st.dates(datetime(2026, 3, 27, tzinfo=UTC).date(), datetime(2026, 11, 1, tzinfo=UTC).date()).map(str)


def restrictions(*without: str) -> st.SearchStrategy[TariffRestrictions | None]:
    """Makes restrictions, few at a time, that speak of neither of some things."""
    fields: dict[str, st.SearchStrategy[Any]] = {
        "start_time": _CLOCKS,
        "end_time": _CLOCKS,
        "start_date": _DAYS,
        "end_date": _DAYS,
        "day_of_week": st.lists(st.sampled_from(DayOfWeek), min_size=1, unique=True).map(tuple),
        "min_kwh": decimals(0, 400, 1),
        "max_kwh": decimals(0, 400, 1),
        "min_power": decimals(0, 500, 1),
        "max_power": decimals(0, 500, 1),
        "min_duration": st.integers(0, 20_000),
        "max_duration": st.integers(0, 20_000),
        "reservation": st.sampled_from(["RESERVATION", "RESERVATION_EXPIRES"]),
    }
    kept = {name: each for name, each in fields.items() if not any(word in name for word in without)}
    return st.none() | st.dictionaries(st.sampled_from(sorted(kept)), st.none(), max_size=3).flatmap(
        lambda names: st.fixed_dictionaries({name: kept[name] for name in names}).map(TariffRestrictions.model_validate)
    )


def tariffs(among: st.SearchStrategy[PriceComponent] | None = None, *without: str) -> st.SearchStrategy[Tariff]:
    elements = st.builds(
        TariffElement,
        price_components=st.lists(among if among is not None else components(), min_size=1, max_size=4).map(tuple),
        restrictions=restrictions(*without),
    )
    return st.lists(elements, min_size=1, max_size=5).map(lambda found: tariff(*found))


@st.composite
def limited(draw: st.DrawFn) -> Tariff:
    """Makes a tariff with limits whose taxes are told, and that do not cross."""
    least, more = draw(decimals(0, 1000, 2)), draw(decimals(0, 2000, 2))
    least_tax, more_tax = draw(decimals(0, 200, 2)), draw(decimals(0, 300, 2))
    return draw(tariffs()).model_copy(
        update={"min_price": _money(least, least_tax), "max_price": _money(least + more, least_tax + more_tax)}
    )


def _money(net: Decimal, tax: Decimal) -> Money:
    return Money(net=net, taxes=(Tax(name="VAT", amount=tax),))


# Charges


@st.composite
def charges(draw: st.DrawFn) -> Charge:
    """Makes charges of a year around both changes of the clock; energy is a whole number of 0.1 mWh a second."""
    at = datetime(2026, 3, 28, tzinfo=UTC) + timedelta(minutes=draw(st.integers(0, 60 * 24 * 215)))
    phases: list[Phase] = []
    if draw(st.booleans()):
        phases.append(draw(st.sampled_from([Phase.RESERVED, Phase.EXPIRED])))
    if Phase.EXPIRED not in phases:
        phases += draw(st.lists(st.sampled_from([Phase.CHARGING, Phase.PARKING]), min_size=1, max_size=4))
    stretches = []
    for number, phase in enumerate(phases):
        seconds = draw(st.integers(0, 30_000))
        rate = draw(st.integers(0, 500_000)) if phase is Phase.CHARGING else 0
        power = Decimal(rate).scaleb(-7) * 3600
        stretches.append(
            Stretch(
                start=at,
                end=at + timedelta(seconds=seconds),
                phase=phase,
                seconds=Decimal(seconds),
                energy=(Decimal(rate) * seconds).scaleb(-7),
                power=Reading(power, power),
                period=number,
            )
        )
        at += timedelta(seconds=seconds)
    return Charge(tuple(stretches), draw(st.sampled_from(ZONES)))
