"""Tariffs with all that the canonical model can say of them, hubs' own additions now and then."""

from hypothesis import strategies as st

from mappings.canonical.tariffs import (
    ClockSpan,
    DayOfWeek,
    Money,
    PriceComponent,
    PriceRounding,
    ReservationRestriction,
    RoundingRule,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffHours,
    TariffRestrictions,
    TariffType,
    Tax,
)
from tests.drawing import (
    clocks,
    decimals,
    energy_mixes,
    ids,
    instants,
    local_texts,
    maybe,
    parties,
    rarely,
    several,
    tuples,
    urls,
)

moneys = st.builds(
    Money,
    net=decimals(0, 500, 2),
    taxes=st.just(()) | decimals(0, 99, 2).map(lambda amount: (Tax(name="VAT", amount=amount),)),
)
price_components = st.builds(
    PriceComponent,
    type=st.sampled_from(TariffDimension),
    price=decimals(0, 100, 4),
    vat=maybe(decimals(0, 30, 1)),
    step_size=st.integers(0, 3600),
    price_rounding=rarely(
        st.builds(PriceRounding, places=st.integers(0, 3), rule=st.sampled_from(RoundingRule)),
    ),
    step_rounding=rarely(st.sampled_from(RoundingRule)),
    exact=rarely(st.booleans()),
)
tariff_hours = st.builds(
    TariffHours,
    spans=tuples(st.builds(ClockSpan, start=clocks, end=clocks), 2),
    days=several(DayOfWeek, 7),
).filter(lambda hours: hours != TariffHours())
restrictions = st.builds(
    TariffRestrictions,
    start_time=maybe(clocks),
    end_time=maybe(clocks),
    start_date=maybe(st.dates().map(str)),
    end_date=maybe(st.dates().map(str)),
    min_kwh=maybe(decimals(0, 100, 4)),
    max_kwh=maybe(decimals(0, 100, 4)),
    min_current=maybe(decimals(0, 100, 1)),
    max_current=maybe(decimals(0, 100, 1)),
    min_power=maybe(decimals(0, 400, 1)),
    max_power=maybe(decimals(0, 400, 1)),
    min_duration=maybe(st.integers(0, 10**6)),
    max_duration=maybe(st.integers(0, 10**6)),
    day_of_week=several(DayOfWeek, 7),
    reservation=maybe(st.sampled_from(ReservationRestriction)),
)
elements = st.builds(
    TariffElement,
    price_components=st.lists(price_components, min_size=1, max_size=3).map(tuple),
    restrictions=maybe(restrictions.filter(lambda r: r != TariffRestrictions())),
)
tariffs = st.builds(
    Tariff,
    party=parties,
    id=ids,
    target=maybe(parties),
    currency=st.sampled_from(["EUR", "CHF"]),
    type=maybe(st.sampled_from(TariffType)),
    texts=tuples(local_texts),
    url=maybe(urls),
    min_price=maybe(moneys),
    max_price=maybe(moneys),
    elements=st.lists(elements, min_size=1, max_size=3).map(tuple),
    hours=rarely(tariff_hours),
    start=maybe(instants),
    end=maybe(instants),
    energy_mix=maybe(energy_mixes),
    last_updated=instants,
)
