"""Pulled prices: products as tariffs, money never guessed; and which of them hold at an EVSE."""

from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.tariffs import (
    DayOfWeek,
    EvsePrices,
    Money,
    PriceComponent,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffRestrictions,
)
from mappings.oicp.v2_3 import pricing, products
from mappings.oicp.v2_3.wire_pricing import OperatorEvsePricing, ProductData
from mappings.report import IssueKind, Refused
from tests.mappings.oicp.charges import OPERATOR, PROVIDER
from tests.mappings.oicp.examples import AT
from tests.oicp_schema import validate

SINCE = datetime(2026, 6, 7, 18, 40, 7, tzinfo=UTC)
WORKDAYS = tuple(DayOfWeek)[:5]


def product(**changes: object) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "ProductID": "AC 1",
        "ReferenceUnit": "KILOWATT_HOUR",
        "ProductPriceCurrency": "EUR",
        "PricePerReferenceUnit": 0.39,
        "MaximumProductChargingPower": 22,
        "IsValid24hours": True,
        "ProductAvailabilityTimes": [],
    }
    return fields | changes


def answer(*records: object, **changes: object) -> dict[str, Any]:
    block: dict[str, Any] = {
        "OperatorID": "DE*ABC",
        "OperatorName": "ABC technologies",
        "ProviderID": "*",
        "PricingDefaultPrice": 0.5,
        "PricingDefaultPriceCurrency": "EUR",
        "PricingDefaultReferenceUnit": "KILOWATT_HOUR",
        "PricingProductDataRecords": [*records],
    }
    return {"PricingProductData": [block | changes], "StatusCode": {"Code": "000", "Description": "Success"}}


def fee(word: str, price: float, unit: str = "HOUR") -> dict[str, Any]:
    return {
        "AdditionalReference": word,
        "AdditionalReferenceUnit": unit,
        "PricePerAdditionalReferenceUnit": price,
    }


def times(*periods: tuple[str, str], on: str = "Everyday") -> dict[str, Any]:
    return {"Periods": [{"begin": begin, "end": end} for begin, end in periods], "on": on}


def read(record: dict[str, Any], **changes: object) -> tuple[Tariff, list[Any]]:
    body = answer(record, **changes)
    said = products.read(body, AT)
    assert said is not None
    (entry,) = said.entries
    tariff, issues = entry.read()
    assert entry.key == (tariff.party.normal, tariff.id, tariff.target.normal if tariff.target else "")
    return tariff, issues


def refused(record: dict[str, Any]) -> str:
    said = products.read(answer(record), AT)
    assert said is not None
    with pytest.raises(Refused) as refusal:
        said.entries[0].read()
    return refusal.value.reason.field


# Asking


def test_prices_are_asked_for_by_operator_and_since_the_last_call() -> None:
    asked = pricing.product_data([OPERATOR, PartyId("+49*810")], SINCE)
    assert asked == {"OperatorIDs": ["DE*ABC", "+49*810"], "LastCall": "2026-06-07T18:40:07Z"}
    validate("eRoamingPullPricingProductData", asked, role="emp", closed=True)
    at_evses = pricing.evse_prices(PROVIDER, [OPERATOR])
    assert at_evses == {"ProviderID": "NL-EMS", "OperatorIDs": ["DE*ABC"]}
    validate("eRoamingPullEVSEPricing", at_evses, role="emp", closed=True)


def test_nobodys_prices_are_not_asked_for() -> None:
    for asking in (lambda: pricing.product_data([]), lambda: pricing.evse_prices(PROVIDER, [])):
        with pytest.raises(Refused):
            asking()


# Products


def test_a_product_is_a_tariff_with_what_is_asked_for_beside_its_price() -> None:
    record = product(
        AdditionalReferences=[
            fee("START FEE", 0.5, "KILOWATT_HOUR"),
            fee("PARKING FEE", 0.1, "MINUTE"),
            fee("MINIMUM FEE", 1),
            fee("MAXIMUM FEE", 40),
        ],
        IsValid24hours=False,
        ProductAvailabilityTimes=[times(("09:00", "18:00"), on="Workdays"), times(("10:00", "14:30"), on="Saturday")],
    )
    body = answer(record, ProviderID="NL-EMS")
    validate("eRoamingPricingProductData", body, role="emp", closed=True)
    ProductData.model_validate(body["PricingProductData"][0])
    tariff, issues = read(record, ProviderID="NL-EMS")
    components = (
        PriceComponent(type=TariffDimension.ENERGY, price=Decimal("0.39"), step_size=1),
        PriceComponent(type=TariffDimension.FLAT, price=Decimal("0.5"), step_size=1),
        PriceComponent(type=TariffDimension.PARKING_TIME, price=Decimal("6.0"), step_size=1),
    )
    assert tariff == Tariff(
        party=OPERATOR,
        id="AC 1",
        target=PROVIDER,
        currency="EUR",
        min_price=Money(net=Decimal(1)),
        max_price=Money(net=Decimal(40)),
        elements=(
            TariffElement(
                price_components=components,
                restrictions=TariffRestrictions(start_time="09:00", end_time="18:00", day_of_week=WORKDAYS),
            ),
            TariffElement(
                price_components=components,
                restrictions=TariffRestrictions(
                    start_time="10:00",
                    end_time="14:30",
                    day_of_week=(DayOfWeek.SATURDAY,),
                ),
            ),
        ),
        last_updated=AT,
        unknown={
            "PricingDefaultPrice": 0.5,
            "PricingDefaultPriceCurrency": "EUR",
            "PricingDefaultReferenceUnit": "KILOWATT_HOUR",
            "MaximumProductChargingPower": 22,
        },
    )
    assert issues == []


@pytest.mark.parametrize(
    ("unit", "price", "dimension", "read_as"),
    [
        ("KILOWATT_HOUR", 0.29, TariffDimension.ENERGY, "0.29"),
        ("HOUR", 2, TariffDimension.TIME, "2"),
        ("MINUTE", 0.05, TariffDimension.TIME, "3.00"),
        ("minute", "0.05", TariffDimension.TIME, "3.00"),
    ],
)
def test_a_price_of_time_is_per_hour(unit: str, price: Any, dimension: TariffDimension, read_as: str) -> None:
    tariff, _ = read(product(ReferenceUnit=unit, PricePerReferenceUnit=price))
    (component,) = tariff.elements[0].price_components
    assert (component.type, component.price, component.vat) == (dimension, Decimal(read_as), None)


def test_a_product_for_every_emp_around_the_clock_has_no_restriction() -> None:
    tariff, issues = read(product())
    assert tariff.target is None
    assert tariff.elements[0].restrictions is None
    assert issues == []


@pytest.mark.parametrize("power", [22, 0, "22 kW"])
def test_the_power_that_a_product_is_meant_for_restricts_no_price(power: Any) -> None:
    tariff, _ = read(product(MaximumProductChargingPower=power))
    assert tariff.elements[0].restrictions is None
    assert tariff.unknown["MaximumProductChargingPower"] == power


def test_a_fixed_fee_is_flat_and_adds_to_a_start_fee() -> None:
    record = product(PricePerReferenceUnit=0, AdditionalReferences=[fee("FIXED FEE", 5), fee("start_fee", 1.5)])
    tariff, _ = read(record)
    assert [(c.type, c.price) for c in tariff.elements[0].price_components] == [
        (TariffDimension.ENERGY, Decimal(0)),
        (TariffDimension.FLAT, Decimal("6.5")),
    ]


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("ReferenceUnit", {"ReferenceUnit": "DAY"}),
        ("ReferenceUnit", {"ReferenceUnit": None}),
        ("PricePerReferenceUnit", {"PricePerReferenceUnit": None}),
        ("PricePerReferenceUnit", {"PricePerReferenceUnit": "cheap"}),
        ("PricePerReferenceUnit", {"PricePerReferenceUnit": True}),
        ("ProductPriceCurrency", {"ProductPriceCurrency": "€"}),
        ("ProductPriceCurrency", {"ProductPriceCurrency": None}),
        ("AdditionalReferences[0].AdditionalReference", {"AdditionalReferences": [fee("IDLE FEE", 1)]}),
        ("AdditionalReferences[1]", {"AdditionalReferences": [fee("START FEE", 1), fee("START FEE", 1)]}),
        ("AdditionalReferences[0]", {"AdditionalReferences": ["START FEE"]}),
        (
            "AdditionalReferences[0].PricePerAdditionalReferenceUnit",
            {"AdditionalReferences": [fee("START FEE", 1) | {"PricePerAdditionalReferenceUnit": None}]},
        ),
        ("AdditionalReferences[0].AdditionalReferenceUnit", {"AdditionalReferences": [fee("PARKING FEE", 1, "DAY")]}),
        (
            "AdditionalReferences[0].AdditionalReferenceUnit",
            {"AdditionalReferences": [fee("PARKING FEE", 1, "KILOWATT_HOUR")]},
        ),
        ("AdditionalReferences", {"AdditionalReferences": [fee("FIXED FEE", 1)]}),
        ("ProductAvailabilityTimes", {"IsValid24hours": False}),
        ("ProductAvailabilityTimes", {"IsValid24hours": None, "ProductAvailabilityTimes": None}),
        ("ProductAvailabilityTimes[0].on", {"ProductAvailabilityTimes": [times(("09:00", "18:00"), on="Holidays")]}),
        ("ProductAvailabilityTimes[0].Period[0]", {"ProductAvailabilityTimes": [times(("9 a.m.", "18:00"))]}),
        ("ProductAvailabilityTimes[0].Periods[0]", {"ProductAvailabilityTimes": [times(("09:00", "09:00"))]}),
        ("ProductAvailabilityTimes[0]", {"ProductAvailabilityTimes": ["Everyday"]}),
    ],
)
def test_a_price_that_is_not_known_for_certain_is_refused(field: str, changes: dict[str, Any]) -> None:
    timed = {"IsValid24hours": False} if "ProductAvailabilityTimes" in changes else {}
    assert refused(product(**timed | changes)) == field


def test_a_negative_price_is_passed_on_as_suspect() -> None:
    tariff, issues = read(product(PricePerReferenceUnit=-0.1))
    assert tariff.elements[0].price_components[0].price == Decimal("-0.1")
    assert issues[0].kind is IssueKind.SUSPECT


@pytest.mark.parametrize(
    ("periods", "on", "spans"),
    [
        ((("00:00", "24:00"),), "Everyday", [(None, None, ())]),
        ((("00:00", "00:00"),), "Everyday", [(None, None, ())]),
        ((("00:00", "24:00"),), "Weekend", [(None, None, (DayOfWeek.SATURDAY, DayOfWeek.SUNDAY))]),
        ((("18:00", "24:00"),), "Everyday", [("18:00", "00:00", ())]),
        ((("22:00", "06:00"),), "Everyday", [("22:00", "06:00", ())]),
        ((("00:00", "06:00"), ("22:00", "24:00")), "Everyday", [("22:00", "06:00", ())]),
        ((("12:00", "06:00"), ("05:00", "13:00")), "Everyday", [("05:00", "13:00", ()), ("12:00", "06:00", ())]),
        (
            (("22:00", "06:00"),),
            "Sunday",
            [("00:00", "06:00", (DayOfWeek.MONDAY,)), ("22:00", "00:00", (DayOfWeek.SUNDAY,))],
        ),
        ((("08:00", "12:00"), ("14:00", "18:00")), "Everyday", [("08:00", "12:00", ()), ("14:00", "18:00", ())]),
    ],
)
def test_when_a_product_holds_is_read_as_times_of_day_and_weekdays(
    periods: tuple[tuple[str, str], ...], on: str, spans: list[Any]
) -> None:
    tariff, _ = read(product(IsValid24hours=False, ProductAvailabilityTimes=[times(*periods, on=on)]))
    found = [element.restrictions or TariffRestrictions() for element in tariff.elements]
    assert [(each.start_time, each.end_time, each.day_of_week) for each in found] == spans


def test_a_period_as_the_text_of_oicp_spells_it_is_read_too() -> None:
    spelt = {"Period": {"begin": "09:00", "end": "18:00"}, "On": "everyday"}
    tariff, _ = read(product(IsValid24hours=None, ProductAvailabilityTimes=spelt))
    assert tariff.elements[0].restrictions is not None
    assert tariff.elements[0].restrictions.start_time == "09:00"


@pytest.mark.parametrize("given_times", [[times(("09:00", "18:00"))], [times(("nine", "six"))], ["always"]])
def test_around_the_clock_goes_before_the_times_beside_it(given_times: list[Any]) -> None:
    tariff, issues = read(product(ProductAvailabilityTimes=given_times))
    assert tariff.elements[0].restrictions is None
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.NARROWED, "ProductAvailabilityTimes")]


@pytest.mark.parametrize(
    ("field", "record", "head"),
    [
        ("PricingProductDataRecords[0].ProductID", product(ProductID=None), {}),
        ("PricingProductDataRecords[0].ProductID", product(ProductID="x" * 37), {}),
        ("PricingProductDataRecords[0].OperatorID", product(), {"OperatorID": "nobody"}),
        ("PricingProductDataRecords[0].ProviderID", product(), {"ProviderID": None}),
        ("PricingProductDataRecords[0].deltaType", product(deltaType="moved"), {}),
        ("PricingProductDataRecords[0]", 7, {}),
    ],
)
def test_a_product_without_a_key_is_named_and_spoils_no_other(field: str, record: Any, head: dict[str, Any]) -> None:
    body = answer(record, **head)
    body["PricingProductData"] += [None, *answer(product())["PricingProductData"]]
    said = products.read(body, AT)
    assert said is not None
    assert [refusal.reason.field for refusal in said.unreadable] == [
        f"PricingProductData[0].{field}",
        "PricingProductData[1]",
    ]
    assert [entry.key for entry in said.entries] == [("DE*ABC", "AC 1", "")]


def test_a_product_that_is_gone_says_so_where_hubject_says_it() -> None:
    said = products.read(answer(product(deltaType="delete"), product(deltaType="update")), AT)
    assert said is not None
    assert [entry.gone for entry in said.entries] == [True, False]
    assert said.entries[0].read()[1] == []


def test_a_change_of_whom_a_product_is_for_is_a_change_of_what_was_said() -> None:
    one, other = (products.read(answer(product(), ProviderID=who), AT) for who in ("*", "NL-EMS"))
    assert one is not None
    assert other is not None
    assert one.entries[0].raw != other.entries[0].raw
    same = products.read(deepcopy(answer(product())), AT)
    assert same is not None
    assert one.entries[0].raw == same.entries[0].raw


@pytest.mark.parametrize("body", [None, [], {}, {"Result": True, "StatusCode": {"Code": "000"}}, {"Result": False}])
def test_no_answer_is_no_empty_price_list(body: Any) -> None:
    assert products.read(body, AT) is None
    assert pricing.read_evse_prices(body) is None


@pytest.mark.parametrize("body", [{"PricingProductData": None}, answer(), answer(PricingProductDataRecords=None)])
def test_null_lists_of_products_are_empty_ones(body: dict[str, Any]) -> None:
    said = products.read(body, AT)
    assert said is not None
    assert said.entries == said.unreadable == []


_odd = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.lists(st.text(max_size=3))


@given(st.dictionaries(st.sampled_from([*product(), "AdditionalReferences"]), _odd))
def test_whatever_a_product_says_it_is_read_or_refused(odd: dict[str, Any]) -> None:
    said = products.read(answer(product(**odd)), AT)
    assert said is not None
    assert len(said.entries) + len(said.unreadable) == 1
    for entry in said.entries:
        try:
            tariff, _ = entry.read()
        except Refused:
            continue
        assert all(component.price.is_finite() for component in tariff.elements[0].price_components)


# Prices of EVSEs


def at_evses(*records: object, name: str = "EVSEPricing") -> dict[str, Any]:
    return {name: [{"OperatorID": "DE*ABC", "OperatorName": "ABC", "EVSEPricing": [*records]}]}


def evse_price(**changes: object) -> dict[str, Any]:
    return {"EvseID": "DE*ABC*E1*2", "EvseIDProductList": ["AC 1", "AC 2"], "ProviderID": "NL-EMS"} | changes


def test_an_evse_has_the_products_of_its_operator() -> None:
    body = at_evses(evse_price())
    validate("eRoamingEVSEPricing", body, role="emp", closed=True)
    OperatorEvsePricing.model_validate(body["EVSEPricing"][0])
    said = pricing.read_evse_prices(body)
    assert said is not None
    (entry,) = said.entries
    assert entry.key == ("DE*ABC", "DEABCE12")
    assert entry.read() == (
        EvsePrices(party=OPERATOR, evse_id=EvseId("DE*ABC*E1*2"), tariff_ids=("AC 1", "AC 2"), target=PROVIDER),
        [],
    )


def test_prices_in_the_forms_of_the_text_are_read_too() -> None:
    spelt = evse_price(EvseIDProductList=[{"ProductID": "AC 1"}], ProviderID="*", EvseID="DE*SUB*E9")
    said = pricing.read_evse_prices(at_evses(spelt, name="OperatorEVSEPricing"))
    assert said is not None
    (entry,) = said.entries
    assert entry.key == ("DE*ABC", "DESUBE9")
    prices, _ = entry.read()
    assert (prices.party, prices.target, prices.tariff_ids) == (OPERATOR, None, ("AC 1",))


def test_prices_for_one_emp_go_before_those_for_all_in_any_order() -> None:
    records = [evse_price(ProviderID="*", EvseIDProductList=["AC 1"]), evse_price(EvseIDProductList=["AC 9"])]
    for ordered in (records, records[::-1]):
        said = pricing.read_evse_prices(at_evses(*ordered))
        assert said is not None
        (entry,) = said.entries
        assert entry.read()[0].tariff_ids == ("AC 9",)


def test_an_evse_without_products_has_none_and_one_with_a_product_that_cannot_be_named_is_refused() -> None:
    said = pricing.read_evse_prices(
        at_evses(evse_price(EvseIDProductList=None), evse_price(EvseID="DE*ABC*E3", EvseIDProductList=["x" * 37]))
    )
    assert said is not None
    assert said.entries[0].read()[0].tariff_ids == ()
    with pytest.raises(Refused) as refusal:
        said.entries[1].read()
    assert refusal.value.reason.field == "EvseIDProductList[0]"


def test_a_price_without_a_key_is_named_and_spoils_no_other() -> None:
    said = pricing.read_evse_prices(
        at_evses(None, evse_price(EvseID=None), evse_price(ProviderID="all"), evse_price(deltaType="delete"))
    )
    assert said is not None
    assert [refusal.reason.field for refusal in said.unreadable] == [
        "EVSEPricing[0].EVSEPricing[0]",
        "EVSEPricing[0].EVSEPricing[1].EvseID",
        "EVSEPricing[0].EVSEPricing[2].ProviderID",
    ]
    assert [entry.gone for entry in said.entries] == [True]
