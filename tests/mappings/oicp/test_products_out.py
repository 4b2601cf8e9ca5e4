"""Tariffs as pricing products: what is said, what is refused, and what an approximation changes."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from mappings.canonical.energy import EnergyMix
from mappings.canonical.ids import EvseId, PartyId
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
from mappings.canonical.texts import LocalText
from mappings.oicp.v2_3 import prices_out, pricing, products, products_out
from mappings.oicp.v2_3.defaults import PricingDefaults
from mappings.oicp.v2_3.products_out import Said
from mappings.oicp.v2_3.vocabulary import ActionType
from mappings.oicp.v2_3.wire_pricing import ProductRecord
from mappings.report import IssueKind, Refused
from tests.mappings.oicp.charges import OPERATOR, PROVIDER
from tests.mappings.oicp.examples import AT
from tests.oicp_schema import validate

ENERGY, FLAT, TIME = TariffDimension.ENERGY, TariffDimension.FLAT, TariffDimension.TIME
PARKING, SESSION = TariffDimension.PARKING_TIME, TariffDimension.SESSION_TIME
DEFAULTS = PricingDefaults(price=Decimal("0.59"), currency="EUR", power=Decimal(22))
WEEKEND = (DayOfWeek.SATURDAY, DayOfWeek.SUNDAY)


def component(kind: TariffDimension, price: str, step: int = 1, **more: Any) -> PriceComponent:
    return PriceComponent(type=kind, price=Decimal(price), step_size=step, **more)


def element(*components: PriceComponent, **restrictions: Any) -> TariffElement:
    return TariffElement(
        price_components=components, restrictions=TariffRestrictions(**restrictions) if restrictions else None
    )


def tariff(*elements: TariffElement, **more: Any) -> Tariff:
    fields: dict[str, Any] = {"party": OPERATOR, "id": "AC 1", "currency": "EUR", "last_updated": AT}
    return Tariff(**fields | more, elements=elements)


KWH = element(component(ENERGY, "0.39"))


def said(wanted: Tariff, *, approximate: bool = False, power: str | None = "22") -> Said:
    result = products_out.record(wanted, power=None if power is None else Decimal(power), approximate=approximate)
    validate("PricingProductDataRecord", result.record, closed=True)
    ProductRecord.model_validate(result.record)
    return result


def fees(result: Said) -> dict[str, tuple[str, float]]:
    return {
        fee["AdditionalReference"]: (fee["AdditionalReferenceUnit"], fee["PricePerAdditionalReferenceUnit"])
        for fee in result.record.get("AdditionalReferences", [])
    }


def base(result: Said) -> tuple[str, float]:
    return result.record["ReferenceUnit"], result.record["PricePerReferenceUnit"]


def changes(result: Said) -> list[tuple[IssueKind, str]]:
    """Gives what was changed; that the operator's power stands in is said by itself."""
    return [(issue.kind, issue.field) for issue in result.issues if issue.kind is not IssueKind.DEFAULTED]


def refused(wanted: Tariff, *, approximate: bool = False) -> list[str]:
    """Gives the fields for which a tariff is refused, the first one first."""
    with pytest.raises(Refused) as refusal:
        products_out.record(wanted, power=Decimal(22), approximate=approximate)
    *others, first = refusal.value.issues
    return [first.field, *(issue.field for issue in others)]


# What a product can say


def test_a_price_per_kwh_is_a_product_and_reads_back_as_the_tariff() -> None:
    wanted = tariff(KWH)
    result = said(wanted)
    assert result.record == {
        "ProductID": "AC 1",
        "ReferenceUnit": "KILOWATT_HOUR",
        "ProductPriceCurrency": "EUR",
        "PricePerReferenceUnit": 0.39,
        "MaximumProductChargingPower": 22,
        "IsValid24hours": True,
        "ProductAvailabilityTimes": [],
    }
    assert result.said == wanted.model_copy(update={"unknown": {"MaximumProductChargingPower": 22}})
    assert [(issue.kind, issue.field) for issue in result.issues] == [
        (IssueKind.DEFAULTED, "elements[0].restrictions.max_power")
    ]


def test_what_is_asked_for_beside_the_price_is_its_fees() -> None:
    result = said(
        tariff(
            element(component(FLAT, "0.35")),
            element(component(ENERGY, "0.49"), component(PARKING, "6")),
            target=PROVIDER,
            min_price=Money(net=Decimal("1.5")),
            max_price=Money(net=Decimal(60)),
        )
    )
    assert fees(result) == {
        "START FEE": ("KILOWATT_HOUR", 0.35),
        "PARKING FEE": ("HOUR", 6),
        "MINIMUM FEE": ("KILOWATT_HOUR", 1.5),
        "MAXIMUM FEE": ("KILOWATT_HOUR", 60),
    }
    assert changes(result) == []
    assert result.said.target == PROVIDER
    assert result.said.min_price == Money(net=Decimal("1.5"))


def test_a_single_price_is_a_fixed_fee_and_one_beside_others_a_start_fee() -> None:
    only = said(tariff(element(component(FLAT, "5"))))
    assert (base(only), fees(only)) == (("KILOWATT_HOUR", 0), {"FIXED FEE": ("KILOWATT_HOUR", 5)})
    with_parking = said(tariff(element(component(FLAT, "5"), component(PARKING, "2"))))
    assert base(with_parking) == ("KILOWATT_HOUR", 0)
    assert fees(with_parking) == {"START FEE": ("KILOWATT_HOUR", 5), "PARKING FEE": ("HOUR", 2)}
    timed = said(tariff(element(component(FLAT, "5"), component(TIME, "2"))))
    assert (base(timed), fees(timed)) == (("HOUR", 2), {"START FEE": ("HOUR", 5)})


def test_charging_that_is_free_is_said_to_be() -> None:
    assert base(said(tariff(element(component(ENERGY, "0"))))) == ("KILOWATT_HOUR", 0)
    assert base(said(tariff(element(component(TIME, "0"))))) == ("HOUR", 0)
    parking = said(tariff(element(component(ENERGY, "0"), component(PARKING, "3"))))
    assert (base(parking), fees(parking)) == (("KILOWATT_HOUR", 0), {"PARKING FEE": ("HOUR", 3)})


def test_a_price_of_zero_beside_one_of_time_leaves_the_base_price_to_time() -> None:
    assert base(said(tariff(element(component(ENERGY, "0"), component(TIME, "3"))))) == ("HOUR", 3)


def test_a_sessions_time_is_the_time_charging_and_the_time_parking() -> None:
    result = said(tariff(element(component(SESSION, "2.5"), component(PARKING, "1"), component(FLAT, "1"))))
    assert base(result) == ("HOUR", 2.5)
    assert fees(result) == {"START FEE": ("HOUR", 1), "PARKING FEE": ("HOUR", 3.5)}
    assert changes(result) == [(IssueKind.NARROWED, "elements[0].price_components[0].type")]


@pytest.mark.parametrize(
    ("restrictions", "written"),
    [
        ({"start_time": "09:00", "end_time": "18:00"}, [("Everyday", [("09:00", "18:00")])]),
        ({"start_time": "09:00"}, [("Everyday", [("09:00", "24:00")])]),
        ({"start_time": "22:00", "end_time": "06:00"}, [("Everyday", [("00:00", "06:00"), ("22:00", "24:00")])]),
        ({"day_of_week": WEEKEND}, [("Weekend", [("00:00", "24:00")])]),
        (
            {"start_time": "22:00", "end_time": "06:00", "day_of_week": (DayOfWeek.SUNDAY,)},
            [("Sunday", [("00:00", "06:00"), ("22:00", "24:00")])],
        ),
        ({"start_time": "10:00", "end_time": "10:00"}, None),
        ({"start_time": "00:00", "end_time": "00:00"}, None),
        ({"day_of_week": tuple(DayOfWeek)}, None),
        ({"min_kwh": Decimal(0), "min_duration": 0}, None),
    ],
)
def test_the_hours_of_a_tariff_are_when_its_product_is_available(
    restrictions: dict[str, Any], written: list[tuple[str, list[tuple[str, str]]]] | None
) -> None:
    result = said(tariff(element(component(ENERGY, "0.39"), **restrictions)))
    assert result.record["IsValid24hours"] is (written is None)
    assert result.record["ProductAvailabilityTimes"] == [
        {"Periods": [{"begin": begin, "end": end} for begin, end in periods], "on": on} for on, periods in written or []
    ]
    assert changes(result) == []


def test_prices_that_are_the_same_at_all_times_are_one() -> None:
    result = said(
        tariff(
            element(component(ENERGY, "0.39"), start_time="08:00", end_time="20:00"),
            element(component(ENERGY, "0.390"), max_kwh=Decimal(10)),
            KWH,
            element(component(ENERGY, "0.99")),
        )
    )
    assert (base(result), result.record["IsValid24hours"], changes(result)) == (("KILOWATT_HOUR", 0.39), True, [])


def test_what_no_moment_ever_comes_to_says_nothing() -> None:
    hidden = component(ENERGY, "9", 5000, vat=Decimal(20))
    assert changes(said(tariff(KWH, element(hidden, min_kwh=Decimal(3))))) == []


def test_a_limit_of_power_that_all_elements_have_is_what_the_product_is_meant_for() -> None:
    limited = element(component(ENERGY, "0.39"), max_power=Decimal(50))
    result = said(tariff(limited, element(component(FLAT, "1"), max_power=Decimal(50))), power=None)
    assert result.record["MaximumProductChargingPower"] == 50
    assert changes(result) == [(IssueKind.NARROWED, "elements[0].restrictions.max_power")]


def test_a_product_without_a_power_is_refused() -> None:
    with pytest.raises(Refused) as refusal:
        products_out.record(tariff(KWH), power=None, approximate=True)
    assert refusal.value.reason.field == "elements[0].restrictions.max_power"


def test_what_changes_no_price_is_told_as_lost() -> None:
    result = said(
        tariff(
            element(component(ENERGY, "0.39", vat=Decimal(20))),
            type=TariffType.REGULAR,
            texts=(LocalText(language="en", text="39 cents"),),
            url="https://example.org/prices",
            energy_mix=EnergyMix(is_green_energy=True),
            start=datetime(2026, 1, 1, tzinfo=UTC),
            end=datetime(2027, 1, 1, tzinfo=UTC),
            min_price=Money(net=Decimal(1), taxes=(Tax(name="VAT", percentage=Decimal(20)),)),
            unknown={"tariff_group": "AC"},
        )
    )
    lost = IssueKind.LOST
    assert changes(result) == [
        (lost, "elements[0].price_components[0].vat"),
        (lost, "texts"),
        (lost, "url"),
        (lost, "energy_mix"),
        (lost, "unknown"),
        (lost, "start"),
        (lost, "end"),
    ]


def test_more_digits_than_a_number_holds_are_rounded_up() -> None:
    result = said(tariff(element(component(ENERGY, "0.3900000000000000000001"))))
    assert base(result) == ("KILOWATT_HOUR", 0.390000000000001)
    assert changes(result) == [(IssueKind.NARROWED, "elements")]


# What it cannot


def test_several_prices_by_the_clock_are_refused_or_said_as_the_dearest() -> None:
    wanted = tariff(
        element(component(ENERGY, "0.59"), start_time="08:00", end_time="20:00"), element(component(ENERGY, "0.39"))
    )
    fields = ["elements[0].restrictions", "elements[1].price_components[0].price"]
    assert refused(wanted) == fields
    result = said(wanted, approximate=True)
    assert base(result) == ("KILOWATT_HOUR", 0.59)
    assert changes(result) == [(IssueKind.NARROWED, field) for field in fields]


def test_a_free_night_is_another_price() -> None:
    free = element(component(ENERGY, "0"), start_time="20:00", end_time="08:00")
    assert refused(tariff(free, KWH)) == ["elements[0].price_components[0].price"]
    # A night of which nothing is said is one in which the product is not available, as it is in the tariff.
    assert changes(said(tariff(element(component(ENERGY, "0.39"), start_time="08:00", end_time="20:00")))) == []


@pytest.mark.parametrize(
    "restrictions",
    [
        {"min_kwh": Decimal(20)},
        {"max_kwh": Decimal(20)},
        {"min_power": Decimal(11)},
        {"max_power": Decimal(11)},
        {"min_current": Decimal(16)},
        {"max_current": Decimal(16)},
        {"min_duration": 7200},
        {"max_duration": 7200},
        {"start_date": "2026-07-01"},
        {"end_date": "2026-09-01"},
        {"unknown": {"min_soc": 80}},
    ],
)
@pytest.mark.parametrize("price", ["0.29", "0.59"])
def test_prices_by_anything_but_the_clock_are_refused_or_said_as_the_dearest(
    restrictions: dict[str, Any], price: str
) -> None:
    wanted = tariff(element(component(ENERGY, price), **restrictions), KWH)
    field = f"elements[0].restrictions.{next(iter(restrictions))}"
    assert field in refused(wanted)
    result = said(wanted, approximate=True)
    assert base(result) == ("KILOWATT_HOUR", max(0.39, float(price)))
    assert (IssueKind.NARROWED, field) in changes(result)


def test_parking_that_costs_after_an_hour_is_said_to_cost_at_once() -> None:
    blocking = element(component(PARKING, "6"), min_duration=3600, start_time="07:00", end_time="19:00")
    fields = ["elements[1].restrictions.min_duration", "elements[1].restrictions"]
    assert refused(tariff(KWH, blocking)) == fields
    result = said(tariff(KWH, blocking), approximate=True)
    assert fees(result) == {"PARKING FEE": ("HOUR", 6)}
    assert changes(result) == [(IssueKind.NARROWED, field) for field in fields]


@pytest.mark.parametrize(
    ("kind", "price", "step", "unit", "per_unit"),
    [
        (TIME, "3", 60, "MINUTE", 0.05),
        (TIME, "3", 30, "MINUTE", 0.05),
        (TIME, "3", 300, "HOUR", 3),
        (TIME, "3", 3600, "HOUR", 3),
        (TIME, "3.1", 60, "HOUR", 3.1),
        (SESSION, "3", 60, "MINUTE", 0.05),
        (ENERGY, "0.4", 1000, "KILOWATT_HOUR", 0.4),
    ],
)
def test_a_step_is_left_out_only_if_asked_for_and_no_unit_is_finer(
    kind: TariffDimension, price: str, step: int, unit: str, per_unit: float
) -> None:
    wanted = tariff(element(component(kind, price, step)))
    field = "elements[0].price_components[0].step_size"
    assert refused(wanted) == [field]
    result = said(wanted, approximate=True)
    assert base(result) == (unit, per_unit)
    assert (IssueKind.NARROWED, field) in changes(result)


def test_what_a_step_is_worth_is_told() -> None:
    result = said(tariff(element(component(PARKING, "6", 900)), KWH), approximate=True)
    (issue,) = [issue for issue in result.issues if issue.kind is IssueKind.NARROWED]
    assert issue.detail == "OICP has no steps; one of them is worth 1.5 EUR"
    assert fees(result) == {"PARKING FEE": ("HOUR", 6)}
    per_minute = said(tariff(element(component(PARKING, "6", 60)), KWH), approximate=True)
    assert fees(per_minute) == {"PARKING FEE": ("MINUTE", 0.1)}


@pytest.mark.parametrize("step", [0, 1])
def test_a_step_of_nothing_or_of_the_least_is_none(step: int) -> None:
    assert changes(said(tariff(element(component(ENERGY, "0.4", step), component(FLAT, "1", 100))))) == []


def test_a_step_that_goes_down_only_makes_the_product_dearer() -> None:
    down = component(ENERGY, "0.4", 5000, step_rounding=RoundingRule.ROUND_DOWN)
    assert changes(said(tariff(element(down)), approximate=True)) == [
        (IssueKind.NARROWED, "elements[0].price_components[0].step_size")
    ]
    minutes = component(TIME, "3", 60, step_rounding=RoundingRule.ROUND_DOWN)
    assert base(said(tariff(element(minutes)), approximate=True)) == ("HOUR", 3)


def test_roundings_are_left_out_only_if_asked_for() -> None:
    rounding = PriceRounding(places=1, rule=RoundingRule.ROUND_UP)
    wanted = tariff(element(component(ENERGY, "0.4", price_rounding=rounding)))
    field = "elements[0].price_components[0].price_rounding"
    assert refused(wanted) == [field]
    result = said(wanted, approximate=True)
    assert changes(result) == [(IssueKind.NARROWED, field)]
    assert result.issues[0].detail == "OICP has no roundings; they add or take up to 0.1 EUR"


def test_prices_of_reservations_are_left_out_only_if_asked_for() -> None:
    reserving = element(component(FLAT, "2"), reservation=ReservationRestriction.RESERVATION)
    field = "elements[0].restrictions.reservation"
    assert refused(tariff(reserving, KWH)) == [field]
    result = said(tariff(reserving, KWH), approximate=True)
    assert (fees(result), changes(result)) == ({}, [(IssueKind.NARROWED, field)])


def test_fields_that_nobody_knows_of_a_price_are_left_out_only_if_asked_for() -> None:
    wanted = tariff(element(component(ENERGY, "0.4", unknown={"capped": True})))
    assert refused(wanted) == ["elements[0].price_components[0].unknown"]
    assert base(said(wanted, approximate=True)) == ("KILOWATT_HOUR", 0.4)


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("elements[0].price_components[1]", tariff(element(component(ENERGY, "0.4"), component(TIME, "1")))),
        ("elements[1].price_components[0]", tariff(KWH, element(component(SESSION, "1")))),
        ("elements[0].price_components[0].step_size", tariff(element(component(ENERGY, "0.4", 1001)))),
        ("elements[0].price_components[0].step_size", tariff(element(component(TIME, "1", 3601)))),
        ("elements", tariff(element(component(PARKING, "4")))),
        ("elements", tariff(element(component(FLAT, "4"), reservation=ReservationRestriction.RESERVATION))),
        ("type", tariff(KWH, type=TariffType.AD_HOC_PAYMENT)),
        ("type", tariff(KWH, type=TariffType.PROFILE_GREEN)),
        ("hours", tariff(KWH, hours=TariffHours(spans=(ClockSpan(start="08:00", end="18:00"),)))),
        ("id", tariff(KWH, id="AC 1 ")),
    ],
)
def test_what_no_product_comes_near_to_is_refused_however_it_is_asked_for(field: str, wanted: Tariff) -> None:
    assert refused(wanted)[0] == refused(wanted, approximate=True)[0] == field


def test_a_target_that_is_no_emp_is_refused() -> None:
    assert refused(tariff(KWH, target=PartyId("+49*810"))) == ["provider"]


def test_every_field_that_ends_it_is_named() -> None:
    wanted = tariff(
        element(component(ENERGY, "0.59", 500), start_time="08:00", end_time="20:00"),
        element(component(ENERGY, "0.39"), component(TIME, "1")),
        type=TariffType.AD_HOC_PAYMENT,
    )
    assert refused(wanted) == [
        "type",
        "elements[1].price_components[1]",
        "elements[0].restrictions",
        "elements[1].price_components[0].price",
        "elements[0].price_components[0].step_size",
    ]
    assert refused(wanted, approximate=True) == ["type", "elements[1].price_components[1]"]


# Messages


def test_products_are_pushed_for_one_emp_or_for_all() -> None:
    records = [said(tariff(KWH)).record]
    body = products_out.push(ActionType.FULL_LOAD, OPERATOR, "ABC" * 40, None, DEFAULTS, records)
    validate("eRoamingPushPricingProductData", body, closed=True)
    assert body == {
        "ActionType": "fullLoad",
        "PricingProductData": {
            "OperatorID": "DE*ABC",
            "OperatorName": ("ABC" * 40)[:100],
            "ProviderID": "*",
            "PricingDefaultPrice": 0.59,
            "PricingDefaultPriceCurrency": "EUR",
            "PricingDefaultReferenceUnit": "KILOWATT_HOUR",
            "PricingProductDataRecords": records,
        },
    }
    to_one = products_out.push(ActionType.UPDATE, OPERATOR, "ABC", PROVIDER, DEFAULTS, records)
    assert to_one["PricingProductData"]["ProviderID"] == "NL-EMS"
    with pytest.raises(Refused):
        products_out.push(ActionType.UPDATE, OPERATOR, "ABC", PartyId("+49*810"), DEFAULTS, records)


def test_a_deleted_product_is_told_with_all_that_oicp_demands() -> None:
    body = products_out.push(
        ActionType.DELETE, OPERATOR, "ABC", None, DEFAULTS, [products_out.tombstone("AC 1", DEFAULTS)]
    )
    validate("eRoamingPushPricingProductData", body, closed=True)
    ProductRecord.model_validate(body["PricingProductData"]["PricingProductDataRecords"][0])


def test_an_evses_products_are_pushed_with_its_id_as_hubject_has_it() -> None:
    record = prices_out.evse_pricing(EvseId("deabce1234"), PROVIDER, ["AC 1", "AC 2", "AC 1"])
    assert record == {"EvseID": "DE*ABC*E1234", "ProviderID": "NL-EMS", "EvseIDProductList": ["AC 1", "AC 2"]}
    gone = prices_out.tombstone("DE*ABC*E1234", None)
    for action, one in ((ActionType.INSERT, record), (ActionType.DELETE, gone)):
        body = prices_out.push(action, [one])
        validate("eRoamingPushEVSEPricing", body, closed=True)
        assert body == {"ActionType": action.value, "EVSEPricing": [one]}


@pytest.mark.parametrize(
    ("field", "evse_id", "provider", "ids"),
    [
        ("evse_id", None, None, ["AC 1"]),
        ("evse_id", EvseId("EVSE 1"), None, ["AC 1"]),
        ("tariff_ids", EvseId("DE*ABC*E1"), None, []),
        ("tariff_ids", EvseId("DE*ABC*E1"), None, [" "]),
        ("provider", EvseId("DE*ABC*E1"), PartyId("+49*810"), ["AC 1"]),
    ],
)
def test_an_evse_that_hubject_could_not_know_by_its_products_is_refused(
    field: str, evse_id: EvseId | None, provider: PartyId | None, ids: list[str]
) -> None:
    with pytest.raises(Refused) as refusal:
        prices_out.evse_pricing(evse_id, provider, ids)
    assert refusal.value.reason.field == field


def test_what_is_pushed_is_what_an_emp_reads() -> None:
    result = said(tariff(KWH, target=PROVIDER))
    body = products_out.push(ActionType.FULL_LOAD, OPERATOR, "ABC", PROVIDER, DEFAULTS, [result.record])
    answer = products.read({"PricingProductData": [body["PricingProductData"]]}, AT)
    assert answer is not None
    read, issues = answer.entries[0].read()
    assert (read.model_copy(update={"unknown": result.said.unknown}), issues) == (result.said, [])
    at_evse = prices_out.evse_pricing(EvseId("DE*ABC*E1"), PROVIDER, [read.id])
    prices = pricing.read_evse_prices({"EVSEPricing": [{"OperatorID": "DE*ABC", "EVSEPricing": [at_evse]}]})
    assert prices is not None
    assert prices.entries[0].read()[0].tariff_ids == ("AC 1",)
