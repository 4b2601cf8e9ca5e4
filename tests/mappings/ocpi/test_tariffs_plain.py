"""What OCPI cannot say of a tariff: refused, or approximated."""

from decimal import Decimal
from typing import Any

import pytest

from mappings.canonical.tariffs import (
    ClockSpan,
    DayOfWeek,
    PriceComponent,
    PriceRounding,
    ReservationRestriction,
    RoundingRule,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffHours,
    TariffRestrictions,
)
from mappings.ocpi.v2_2_1 import tariffs
from mappings.report import IssueKind, Refused
from tests.mappings.ocpi.samples import TARIFF

PRICED = tariffs.to_canonical(TARIFF)[0]
RESERVED = TariffRestrictions(reservation=ReservationRestriction.RESERVATION)


def component(type_: TariffDimension = TariffDimension.ENERGY, price: str = "0.5", **fields: Any) -> PriceComponent:
    return PriceComponent(type=type_, price=Decimal(price), step_size=1, **fields)


def element(*components: PriceComponent, restrictions: TariffRestrictions | None = None) -> TariffElement:
    return TariffElement(price_components=components, restrictions=restrictions)


def tariff(*elements: TariffElement, hours: TariffHours | None = None) -> Tariff:
    return PRICED.model_copy(update={"elements": elements, "hours": hours})


def hours(*spans: tuple[str, str], days: tuple[DayOfWeek, ...] = ()) -> TariffHours:
    return TariffHours(spans=tuple(ClockSpan(start=start, end=end) for start, end in spans), days=days)


def found(issues: list[Any]) -> list[tuple[IssueKind, str]]:
    return [(i.kind, i.field) for i in issues]


@pytest.mark.parametrize(
    ("beyond", "field"),
    [
        (tariff(element(component()), hours=hours(("08:00", "12:00"))), "hours"),
        (
            tariff(element(component(price_rounding=PriceRounding(places=2, rule=RoundingRule.ROUND_UP)))),
            "elements[0].price_components[0].price_rounding",
        ),
        (
            tariff(element(component(step_rounding=RoundingRule.ROUND_NEAR))),
            "elements[0].price_components[0].step_rounding",
        ),
        (tariff(element(component(TariffDimension.SESSION_TIME))), "elements[0].price_components[0].type"),
    ],
)
def test_what_money_hangs_on_is_refused(beyond: Tariff, field: str) -> None:
    with pytest.raises(Refused) as refused:
        tariffs.from_canonical(beyond)
    assert refused.value.reason.field == field


def test_what_no_money_hangs_on_is_lost_with_an_issue() -> None:
    told = tariff(element(component(exact=False, step_rounding=RoundingRule.ROUND_UP)))
    wire, issues = tariffs.from_canonical(told)
    assert wire == tariffs.from_canonical(tariff(element(component())))[0]
    assert [kind for kind, _ in found(issues)] == [IssueKind.LOST, IssueKind.NARROWED]


def test_a_tariff_that_can_be_said_is_approximated_by_itself() -> None:
    assert tariffs.nearest(PRICED) == (PRICED, [])


def test_roundings_are_left_to_the_reader_in_an_approximation() -> None:
    rounding = PriceRounding(places=0, rule=RoundingRule.ROUND_UP)
    rounded = tariff(element(component(price_rounding=rounding, step_rounding=RoundingRule.ROUND_DOWN)))
    nearest, issues = tariffs.nearest(rounded)
    assert nearest == tariff(element(component()))
    assert [kind for kind, _ in found(issues)] == [IssueKind.NARROWED, IssueKind.NARROWED]


def test_session_time_is_approximated_by_charging_time_and_parking_time() -> None:
    wanted = tariff(element(component(), component(TariffDimension.SESSION_TIME, "3", vat=Decimal(20))))
    nearest, issues = tariffs.nearest(wanted)
    assert nearest == tariff(
        element(
            component(),
            component(TariffDimension.TIME, "3", vat=Decimal(20)),
            component(TariffDimension.PARKING_TIME, "3", vat=Decimal(20)),
        )
    )
    assert found(issues) == [(IssueKind.NARROWED, "elements[0].price_components[1].type")]


@pytest.mark.parametrize("other", [TariffDimension.TIME, TariffDimension.PARKING_TIME])
def test_session_time_beside_another_time_has_no_approximation(other: TariffDimension) -> None:
    wanted = tariff(element(component(TariffDimension.SESSION_TIME)), element(component(other)))
    with pytest.raises(Refused) as refused:
        tariffs.from_canonical(wanted, approximate=True)
    assert refused.value.reason.field == "elements[0].price_components[0].type"


def test_session_time_of_a_reservation_prices_nothing_and_is_left_out() -> None:
    wanted = tariff(
        element(component(TariffDimension.SESSION_TIME), restrictions=RESERVED),
        element(component(TariffDimension.TIME), restrictions=RESERVED),
        element(component(TariffDimension.SESSION_TIME)),
    )
    nearest, issues = tariffs.nearest(wanted)
    assert nearest == tariff(
        element(component(TariffDimension.TIME), restrictions=RESERVED),
        element(component(TariffDimension.TIME), component(TariffDimension.PARKING_TIME)),
    )
    assert [kind for kind, _ in found(issues)] == [IssueKind.LOST, IssueKind.NARROWED]
    with pytest.raises(Refused):
        tariffs.nearest(tariff(wanted.elements[0]))


@pytest.mark.parametrize(
    ("own", "given", "left"),
    [
        ((None, None), [("08:00", "12:00")], [("08:00", "12:00")]),
        ((None, None), [("22:00", "06:00")], [("22:00", "06:00")]),
        ((None, None), [("08:00", "12:00"), ("14:00", "18:00")], [("08:00", "12:00"), ("14:00", "18:00")]),
        ((None, None), [("08:00", "12:00"), ("12:00", "18:00")], [("08:00", "18:00")]),
        ((None, None), [("07:00", "07:00")], [(None, None)]),
        (("10:00", None), [("08:00", "12:00")], [("10:00", "12:00")]),
        ((None, "10:00"), [("08:00", "12:00")], [("08:00", "10:00")]),
        (("20:00", "00:00"), [("18:00", "06:00")], [("20:00", "00:00")]),
        (("20:00", "09:00"), [("08:00", "21:00")], [("08:00", "09:00"), ("20:00", "21:00")]),
        (("20:00", "08:00"), [("22:00", "06:00")], [("22:00", "06:00")]),
        (("20:00", "08:00"), [("23:00", "01:00"), ("07:00", "10:00")], [("07:00", "08:00"), ("23:00", "01:00")]),
        (("08:00", "12:00"), [("12:00", "18:00")], []),
    ],
)
def test_hours_are_approximated_by_the_spans_that_elements_have_within_them(
    own: tuple[str | None, str | None],
    given: list[tuple[str, str]],
    left: list[tuple[str | None, str | None]],
) -> None:
    restrictions = TariffRestrictions(start_time=own[0], end_time=own[1], max_kwh=Decimal(9))
    always = element(component(TariffDimension.FLAT), restrictions=RESERVED)
    nearest, issues = tariffs.nearest(
        tariff(element(component(), restrictions=restrictions), always, hours=hours(*given))
    )
    assert nearest.hours is None
    parts = [each.restrictions for each in nearest.elements[:-1] if each.restrictions is not None]
    assert [(part.start_time, part.end_time, part.max_kwh) for part in parts] == [(*span, 9) for span in left]
    assert nearest.elements[-1] == always
    assert found(issues) == [(IssueKind.NARROWED, "hours")]


def test_days_of_hours_are_those_that_elements_have_too() -> None:
    monday, sunday = DayOfWeek.MONDAY, DayOfWeek.SUNDAY
    sundays = TariffRestrictions(day_of_week=(sunday,))
    nearest, _ = tariffs.nearest(
        tariff(
            element(component()),
            element(component(price="1"), restrictions=sundays),
            hours=hours(days=(monday,)),
        )
    )
    assert nearest == tariff(element(component(), restrictions=TariffRestrictions(day_of_week=(monday,))))
    with pytest.raises(Refused) as refused:
        tariffs.nearest(tariff(element(component(), restrictions=sundays), hours=hours(days=(monday,))))
    assert refused.value.reason.field == "hours"
