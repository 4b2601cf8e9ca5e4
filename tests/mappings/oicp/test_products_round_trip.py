"""Tariff → product → tariff loses only what the table lists; and what a product costs, by the tariff engine."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.pricing.charge import Charge
from gateway.pricing.engine import price
from gateway.pricing.rounding import Rounding, Rules
from gateway.pricing.samples import samples
from mappings.canonical.tariffs import (
    DayOfWeek,
    PriceComponent,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffRestrictions,
)
from mappings.oicp.v2_3 import product_terms, products, products_out
from mappings.oicp.v2_3.products_out import Said
from mappings.oicp.v2_3.tables_driving import PRODUCTS
from mappings.oicp.v2_3.wire_pricing import ProductRecord
from mappings.report import IssueKind, Refused
from tests import strategies
from tests.mappings.oicp.charges import OPERATOR
from tests.mappings.oicp.test_pricing import answer, fee, product, times
from tests.oicp_schema import validate

AT = datetime(2026, 3, 29, 3, tzinfo=UTC)
FINE = Rules(line=Rounding(15))
SAME = Decimal("1e-9")
"""Prices in several lines, each of which is rounded."""
LOSSY = PRODUCTS.lossy_fields()
POWER = Decimal(22)
# A third of the tariffs cannot be said or are drawn anew. By chance that can be most of the first ones.
_SLOW = settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)

_clocks = st.sampled_from(["00:00", "06:00", "08:30", "12:00", "20:00", "22:00"])
_days = st.sampled_from([(), tuple(DayOfWeek)[:5], tuple(DayOfWeek)[5:], (DayOfWeek.SUNDAY,)])
_hours = st.builds(TariffRestrictions, start_time=st.none() | _clocks, end_time=st.none() | _clocks, day_of_week=_days)
_limits = st.builds(
    TariffRestrictions,
    start_time=st.none() | _clocks,
    day_of_week=_days,
    min_kwh=st.none() | st.sampled_from([Decimal(0), Decimal(5)]),
    max_duration=st.none() | st.just(3600),
    max_power=st.none() | st.just(Decimal(22)),
    start_date=st.none() | st.just("2026-06-03"),
)
_prices = st.sampled_from([Decimal(0), Decimal("0.4"), Decimal("0.40"), Decimal("1.5")])


def _components(*steps: int) -> st.SearchStrategy[tuple[PriceComponent, ...]]:
    one = st.builds(
        PriceComponent, type=st.sampled_from(TariffDimension), price=_prices, step_size=st.sampled_from(steps)
    )
    return st.lists(one, min_size=1, max_size=2).map(tuple)


def _tariffs(restrictions: st.SearchStrategy[TariffRestrictions], *steps: int) -> st.SearchStrategy[Tariff]:
    """Tariffs that a product often can say: of few prices and few hours."""
    element = st.builds(TariffElement, price_components=_components(*steps), restrictions=st.none() | restrictions)
    return st.builds(
        Tariff,
        party=st.just(OPERATOR),
        id=st.just("AC 1"),
        currency=st.just("EUR"),
        min_price=st.none() | strategies.moneys,
        max_price=st.none() | strategies.moneys,
        elements=st.lists(element, min_size=1, max_size=4).map(tuple),
        last_updated=st.just(AT),
    )


def _said(tariff: Tariff, *, approximate: bool) -> Said | None:
    try:
        result = products_out.record(tariff, power=POWER, approximate=approximate)
    except Refused:
        return None
    validate("PricingProductDataRecord", result.record, closed=True)
    ProductRecord.model_validate(result.record)
    return result


def _net(tariff: Tariff, charge: Charge) -> Decimal:
    return price(tariff, charge, FINE).net


_charges = st.sampled_from(samples())


@_SLOW
@given(strategies.tariffs | _tariffs(_hours | _limits, 0, 1, 60), st.booleans())
def test_a_trip_through_a_product_loses_only_what_the_table_lists(tariff: Tariff, approximate: bool) -> None:
    result = _said(tariff, approximate=approximate)
    if result is None:
        return
    for name in Tariff.model_fields:
        if getattr(tariff, name) != getattr(result.said, name):
            assert f"Tariff.{name}" in LOSSY
    for name in ("min_price", "max_price"):
        before, after = getattr(tariff, name), getattr(result.said, name)
        assert (before and before.net) == (after and after.net)


@_SLOW
@given(_tariffs(_hours, 1))
def test_a_product_that_is_no_approximation_costs_what_the_tariff_costs(tariff: Tariff) -> None:
    result = _said(tariff, approximate=False)
    assume(result is not None)
    assert result is not None
    for charge in samples()[::11]:
        assert abs(_net(tariff, charge) - _net(result.said, charge)) < SAME


@_SLOW
@given(_tariffs(_hours | _limits, 1), _charges)
def test_an_approximation_never_costs_less_than_the_tariff(tariff: Tariff, charge: Charge) -> None:
    result = _said(tariff, approximate=True)
    assume(result is not None)
    assert result is not None
    wanted, said = _net(tariff, charge), _net(result.said, charge)
    assert wanted < said + SAME
    if wanted < said - SAME:
        assert IssueKind.NARROWED in {issue.kind for issue in result.issues}


@_SLOW
@given(_tariffs(_hours | _limits, 0, 1))
def test_what_is_no_approximation_is_said_alike_where_one_is_allowed(tariff: Tariff) -> None:
    exact, near = _said(tariff, approximate=False), _said(tariff, approximate=True)
    if exact is not None:
        assert exact == near
    elif near is not None:
        assert IssueKind.NARROWED in {issue.kind for issue in near.issues}


@_SLOW
@given(_tariffs(_hours, 60, 500, 1000), _charges)
def test_a_step_left_out_is_all_that_a_product_costs_less(tariff: Tariff, charge: Charge) -> None:
    result = _said(tariff, approximate=True)
    assume(result is not None)
    assert result is not None
    most = sum(
        (
            component.price * component.step_size / (1000 if component.type is TariffDimension.ENERGY else 3600)
            for element in tariff.elements
            for component in element.price_components
            if component.type is not TariffDimension.FLAT
        ),
        Decimal(0),
    )
    assert _net(tariff, charge) - _net(result.said, charge) <= most


_fees = st.lists(
    st.builds(
        fee,
        st.sampled_from(["START FEE", "PARKING FEE", "MINIMUM FEE", "MAXIMUM FEE"]),
        st.sampled_from([0, 0.35, 2]),
        st.sampled_from(["HOUR", "MINUTE"]),
    ),
    unique_by=lambda each: each["AdditionalReference"],
)
_available = st.lists(
    st.builds(
        lambda begin, end, on: times((begin, "24:00" if begin == end or end == "00:00" else end), on=on),
        _clocks,
        _clocks,
        st.sampled_from(["Everyday", "Workdays", "Weekend", "Friday"]),
    ),
    min_size=1,
    max_size=3,
)


@_SLOW
@given(
    unit=st.sampled_from(["KILOWATT_HOUR", "HOUR", "MINUTE"]),
    amount=st.sampled_from([0, 0.39, 2]),
    fees=_fees,
    available=st.none() | _available,
)
def test_a_product_that_was_read_is_written_as_it_was(
    unit: str, amount: float, fees: list[Any], available: list[Any] | None
) -> None:
    timed = {} if available is None else {"IsValid24hours": False, "ProductAvailabilityTimes": available}
    given_record = product(ReferenceUnit=unit, PricePerReferenceUnit=amount, AdditionalReferences=fees, **timed)
    first = products.read(answer(given_record), AT)
    assert first is not None
    tariff, _ = first.entries[0].read()
    result = products_out.record(tariff, power=POWER, approximate=False)
    assert [issue for issue in result.issues if issue.kind not in {IssueKind.DEFAULTED, IssueKind.LOST}] == []
    before, after = product_terms.of(tariff), product_terms.of(result.said)
    assert {kind: before.dearest(kind) for kind in TariffDimension} == {
        kind: after.dearest(kind) for kind in TariffDimension
    }
    assert before.hours == after.hours
    assert (tariff.min_price, tariff.max_price) == (result.said.min_price, result.said.max_price)
    again = products_out.record(result.said, power=POWER, approximate=False)
    assert again.record == result.record
