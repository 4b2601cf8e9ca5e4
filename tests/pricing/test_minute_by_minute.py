"""The engine against a second one that knows nothing but the specification's sentences, and looks at every minute.

Whatever changes does so on a whole minute here: a vehicle takes 0.2 kWh in each or nothing, and limits are multiples of
that. So a minute is priced alike from its first moment to its last, and what is found for it is exact.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.pricing.charge import Charge, Phase, Reading, Stretch
from gateway.pricing.engine import price
from gateway.pricing.rounding import Rounding, Rules
from mappings.canonical.tariffs import DayOfWeek, PriceComponent, Tariff, TariffElement, TariffRestrictions
from tests.pricing.building import ENERGY, FLAT, PARKING_TIME, SESSION_TIME, TIME, tariff

RATE = Decimal("0.2")  # kWh a minute
MINUTE = timedelta(minutes=1)
RESERVING = (Phase.RESERVED, Phase.EXPIRED)


class Moment(NamedTuple):
    """A minute of a charge: what is known at its beginning and holds until its end."""

    phase: Phase
    local: datetime
    kwh: Decimal
    seconds: int
    power: Decimal
    flows: Decimal


def moments(charge: Charge) -> Iterator[Moment]:
    zone, kwh = ZoneInfo(charge.zone), Decimal(0)
    begun: dict[bool, datetime] = {}
    for stretch in charge.stretches:
        minutes = (stretch.end - stretch.start) // MINUTE
        for number in range(minutes):
            at = stretch.start + number * MINUTE
            since = begun.setdefault(stretch.phase in RESERVING, at)
            flows = stretch.energy / minutes
            yield Moment(
                stretch.phase, at.astimezone(zone), kwh, int((at - since).total_seconds()), stretch.power.most, flows
            )
            kwh += flows


def holds(asked: TariffRestrictions | None, at: Moment) -> bool:
    """Reads OCPI 2.2.1, TariffRestrictions, sentence by sentence."""
    if asked is None:
        return True
    clock, day = at.local.strftime("%H:%M"), at.local.date().isoformat()
    start, end = asked.start_time or "00:00", asked.end_time or "00:00"
    if end == "00:00":
        within = clock >= start
    elif start < end:
        within = start <= clock < end
    else:
        within = clock >= start or clock < end  # "wraps around to the next day"; all day where they are equal
    return (
        within
        and (asked.start_date is None or day >= asked.start_date)
        and (asked.end_date is None or day < asked.end_date)
        and (not asked.day_of_week or list(DayOfWeek)[at.local.weekday()] in asked.day_of_week)
        and (asked.min_kwh is None or at.kwh >= asked.min_kwh)
        and (asked.max_kwh is None or at.kwh < asked.max_kwh)
        and (asked.min_power is None or at.power >= asked.min_power)
        and (asked.max_power is None or at.power < asked.max_power)
        and (asked.min_duration is None or at.seconds >= asked.min_duration)
        and (asked.max_duration is None or at.seconds < asked.max_duration)
    )


DIMENSIONS = {
    Phase.RESERVED: (TIME, FLAT),
    Phase.EXPIRED: (TIME, FLAT),
    Phase.CHARGING: (ENERGY, TIME, SESSION_TIME, FLAT),
    Phase.PARKING: (PARKING_TIME, SESSION_TIME, FLAT),
}
KINDS = {
    Phase.RESERVED: ("RESERVATION",),
    Phase.EXPIRED: ("RESERVATION_EXPIRES", "RESERVATION"),
    Phase.CHARGING: (None,),
    Phase.PARKING: (None,),
}


def counting(tariff: Tariff, dimension, at: Moment) -> tuple[int, int] | None:
    """Finds the first element with a component of the dimension that holds."""
    for kind in KINDS[at.phase]:
        for number, each in enumerate(tariff.elements):
            asked = each.restrictions
            if (asked.reservation if asked is not None else None) != kind or not holds(asked, at):
                continue
            for index, component in enumerate(each.price_components):
                if component.type is dimension:
                    return number, index
    return None


def worked_out(tariff: Tariff, charge: Charge) -> dict[tuple[int, int], Fraction]:
    """Gives what each component costs."""
    used: dict[tuple[int, int], Fraction] = defaultdict(Fraction)
    last: dict[str, tuple[int, int]] = {}
    fees: dict[bool, tuple[int, int]] = {}
    last_timed = None
    for at in moments(charge):
        for dimension in DIMENSIONS[at.phase]:
            found = counting(tariff, dimension, at)
            if found is None or (dimension is ENERGY and not at.flows):
                continue
            if dimension is FLAT:
                fees.setdefault(at.phase in RESERVING, found)
                continue
            used[found] += Fraction(at.flows) if dimension is ENERGY else Fraction(1, 60)
            group = "reservation" if at.phase in RESERVING else dimension.value
            last[group] = found
            if group in {"TIME", "PARKING_TIME"}:
                last_timed = group
    # "once per session for ENERGY and once for PARKING_TIME and TIME combined", of the total, by the last component.
    for group, place in last.items():
        if group in {"TIME", "PARKING_TIME"} and group != last_timed:
            continue
        step = component_at(tariff, place).step_size
        if step:
            total = sum(amount for other, amount in used.items() if group_of(tariff, other) == group)
            unit = 1000 if group == "ENERGY" else 3600
            used[place] += Fraction(-(-total * unit // step) * step, unit) - total
    for place in fees.values():
        used[place] += 1
    return {place: amount * Fraction(component_at(tariff, place).price) for place, amount in used.items()}


def component_at(tariff: Tariff, place: tuple[int, int]) -> PriceComponent:
    return tariff.elements[place[0]].price_components[place[1]]


def group_of(tariff: Tariff, place: tuple[int, int]) -> str:
    asked = tariff.elements[place[0]].restrictions
    if asked is not None and asked.reservation is not None:
        return "reservation"
    return component_at(tariff, place).type.value


# Any tariff and charge of whole minutes


COMPONENTS = st.builds(
    PriceComponent,
    type=st.sampled_from([ENERGY, TIME, PARKING_TIME, SESSION_TIME, FLAT]),
    price=st.integers(0, 999).map(lambda number: Decimal(number).scaleb(-2)),
    step_size=st.sampled_from([0, 1, 60, 300, 700, 1000]),
)
CLOCKS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 59]))
DATES = st.sampled_from(["2026-10-24", "2026-10-25", "2026-10-26"])
KWH = st.integers(0, 60).map(lambda number: number * RATE)
POWERS = st.sampled_from([Decimal(0), Decimal(11), Decimal(12), Decimal(13)])
DURATIONS = st.integers(0, 300).map(lambda number: number * 60)
ASKED = {
    "start_time": CLOCKS,
    "end_time": CLOCKS,
    "start_date": DATES,
    "end_date": DATES,
    "day_of_week": st.lists(st.sampled_from(DayOfWeek), min_size=1, unique=True).map(tuple),
    "min_kwh": KWH,
    "max_kwh": KWH,
    "min_power": POWERS,
    "max_power": POWERS,
    "min_duration": DURATIONS,
    "max_duration": DURATIONS,
}
RESERVATIONS = {"reservation": st.sampled_from(["RESERVATION", "RESERVATION_EXPIRES"])}


def restrictions(always: dict[str, st.SearchStrategy[str]], least: int, most: int):
    return st.lists(st.sampled_from(sorted(ASKED)), min_size=least, max_size=most, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: ASKED[name] for name in names} | always).map(
            TariffRestrictions.model_validate
        )
    )


RESTRICTIONS = st.one_of(st.none(), restrictions({}, 1, 1), restrictions({}, 2, 3), restrictions(RESERVATIONS, 0, 1))
ELEMENTS = st.builds(
    TariffElement,
    price_components=st.lists(COMPONENTS, min_size=1, max_size=3).map(tuple),
    restrictions=RESTRICTIONS,
)
TARIFFS = st.lists(ELEMENTS, min_size=2, max_size=6).map(lambda found: tariff(*found))


@st.composite
def charges(draw: st.DrawFn) -> Charge:
    """Makes charges around the night in which the clock is put back."""
    at = datetime(2026, 10, 24, tzinfo=UTC) + draw(st.integers(0, 60 * 24 * 2)) * MINUTE
    first = draw(st.sampled_from([None, None, *RESERVING]))
    phases = [] if first is None else [first]
    if first is not Phase.EXPIRED:
        phases += draw(st.lists(st.sampled_from([Phase.CHARGING, Phase.PARKING]), min_size=1, max_size=4))
    stretches = []
    for number, phase in enumerate(phases):
        lasts = draw(st.integers(1, 150))
        flows = draw(st.sampled_from([RATE, RATE, Decimal(0)])) if phase is Phase.CHARGING else Decimal(0)
        stretches.append(
            Stretch(
                start=at,
                end=at + lasts * MINUTE,
                phase=phase,
                seconds=Decimal(lasts * 60),
                energy=flows * lasts,
                power=Reading(flows * 60, flows * 60),
                period=number,
            )
        )
        at += lasts * MINUTE
    return Charge(tuple(stretches), draw(st.sampled_from(["Europe/Amsterdam", "Europe/London", "Asia/Tokyo"])))


@settings(deadline=None, max_examples=300)
@given(tariff=TARIFFS, charge=charges())
def test_the_engine_finds_what_every_minute_costs(tariff: Tariff, charge: Charge) -> None:
    found: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for line in price(tariff, charge, Rules(Rounding(9))).lines:
        found[line.element, line.component] += line.net
    expected = worked_out(tariff, charge)
    assert found.keys() == expected.keys()
    for place, cost in expected.items():
        assert abs(Fraction(found[place]) - cost) <= Fraction(1, 10**9)
