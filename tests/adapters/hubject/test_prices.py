"""Tariffs and EVSEs' prices as pushes."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import ValidationError

from adapters.core.faults import Fault
from adapters.core.outcomes import Delivered, NotSent, RefusedByHub
from adapters.core.tls import TlsSettings
from adapters.hubject.products import remembering
from adapters.hubject.settings import PricingSettings
from mappings.canonical.locations import EvseStatus
from mappings.canonical.tariffs import TariffType
from mappings.report import IssueKind
from tests.adapters.hubject.network import (
    HUB_CPO,
    NOW,
    PRICING,
    SUB_ONE,
    accepted,
    adapter,
    evse,
    gone,
    items,
    location,
    push,
    settings,
    tariff,
)
from tests.adapters.hubject.pricing import (
    EMP,
    PRICES,
    PRODUCTS,
    RIVAL,
    by_day,
    claimed,
    pricing_adapter,
    products,
    rows,
)

T1, T1_EMP, T2 = "FR*HUB/T1/-", "FR*HUB/T1/NL*EMS", "FR*HUB/T2/-"


@pytest.fixture
def hub():
    return pricing_adapter()


def place(*tariffs, **changes):
    return location(evse("a", "FR*HUB*E1", tariffs=tariffs), **changes)


# Settings


def test_without_the_setting_no_prices_are_pushed():
    silent = adapter()
    assert not [key for one in (tariff(), place("T1")) for key in silent.keys(one) if "pric" in key.operation]
    assert set(silent.profile.operations) == {"evse_data", "evse_status"}


def test_prices_are_pushed_in_sequence_and_under_half_the_limit_without_a_full_load():
    made = adapter(pricing={"price": "0.6", "currency": "EUR"})
    for name in (PRODUCTS, PRICES):
        operation = made.profile.operations[name]
        assert (operation.lanes_in_flight, operation.atomic, operation.full_load) == (1, True, False)
        assert operation.told_again
        assert operation.per_minute < 6 / 2
    prices = made.profile.operations[PRICES]
    assert (prices.after, prices.waits_for, prices.refers_to) == ("evse_data", PRODUCTS, PRODUCTS)


def test_a_batch_of_evses_leaves_room_for_a_row_of_each_target():
    made = adapter(pricing=PRICING | {"evse_batch": 9, "targets": ["NL-EMS", "DE-EMP"]})
    assert made.profile.operations[PRICES].max_items == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"price": None},
        {"currency": "euro"},
        {"unit": "DAY"},
        {"targets": ["+49*810"]},
        {"unsayable": "guess"},
        {"power": "0"},
        {"per_minute": 0},
        {"batch": 1},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValidationError):
        settings(pricing=PRICING | wrong)


def test_settings_survive_being_stored():
    made = settings(pricing=PRICING | {"targets": ["NL-EMS"], "unsayable": "approximate"})
    assert type(made).model_validate_json(made.model_dump_json()) == made
    assert isinstance(made.pricing, PricingSettings)
    assert isinstance(made, TlsSettings)


# Products


def test_a_tariff_is_a_product_for_all_or_for_its_target(hub):
    every, own = tariff(), tariff(target=EMP, price="0.4")
    plan = hub.plan(PRODUCTS, claimed(hub, PRODUCTS, every, own))
    assert [(call.action, call.path) for call in plan.calls] == [
        ("insert", "/api/oicp/dynamicpricing/v10/operators/FR*HUB/pricing-products")
    ] * 2
    heads = [call.body["PricingProductData"] for call in plan.calls]
    assert [(head["OperatorID"], head["ProviderID"]) for head in heads] == [("FR*HUB", "*"), ("FR*HUB", "NL-EMS")]
    assert {
        (head["PricingDefaultPrice"], head["PricingDefaultPriceCurrency"], head["PricingDefaultReferenceUnit"])
        for head in heads
    } == {(0.6, "EUR", "KILOWATT_HOUR")}
    records = [head["PricingProductDataRecords"][0] for head in heads]
    assert [(one["ProductID"], one["PricePerReferenceUnit"]) for one in records] == [("T1", 0.5), ("T1", 0.4)]


def test_tariffs_for_drivers_who_pay_at_the_station_are_not_hubjects(hub):
    kinds = {kind for kind in (None, *TariffType) if claimed(hub, PRODUCTS, tariff(type=kind))}
    assert kinds == {None, TariffType.REGULAR}


def test_a_tariff_for_an_emp_that_is_no_target_is_refused_by_the_settings_name(hub):
    plan = hub.plan(PRODUCTS, claimed(hub, PRODUCTS, tariff(target=RIVAL)))
    ((_, refused),) = plan.refused
    assert not plan.calls
    assert refused.reason.field == "target"
    assert "pricing.targets" in refused.reason.detail


def test_products_of_sub_operators_are_told_apart(hub):
    plan = hub.plan(PRODUCTS, claimed(hub, PRODUCTS, tariff(), tariff(party=SUB_ONE), tariff("x" * 30, party=SUB_ONE)))
    (call,) = plan.calls
    assert products(call) == ["T1", "FR*ONE:T1"]
    assert [refused.reason.field for _, refused in plan.refused] == ["id"]
    at = location(evse("a", "FR*ONE*E1", tariffs=["T1"]), party=SUB_ONE)
    known = [T1, "FR*HUB/FR*ONE:T1/-"]
    (call,) = hub.plan(PRICES, claimed(hub, PRICES, at, known=known)).calls
    assert rows(call) == {("FR*ONE*E1", "*"): ["FR*ONE:T1"]}


def test_what_cannot_be_said_is_refused_unless_the_operator_wants_it_approximated():
    ((_, refused),) = pricing_adapter().plan(PRODUCTS, claimed(pricing_adapter(), PRODUCTS, by_day())).refused
    assert refused.reason.field.startswith("elements")
    made = pricing_adapter(pricing={"unsayable": "approximate"})
    (call,) = made.plan(PRODUCTS, claimed(made, PRODUCTS, by_day())).calls
    (record,) = call.body["PricingProductData"]["PricingProductDataRecords"]
    assert record["PricePerReferenceUnit"] == 0.7
    (rendered,) = call.settles
    (*_, last) = rendered.issues
    assert (last.kind, last.field, last.detail) == (IssueKind.NARROWED, "elements", "T1 against T1")


def test_what_can_no_longer_be_said_is_taken_off_and_refused_with_that(hub):
    insert = hub.plan(PRODUCTS, claimed(hub, PRODUCTS, tariff())).calls[0]
    known = [replace(item, subject=by_day()) for item in accepted(insert.settles)]
    plan = hub.plan(PRODUCTS, known)
    (call,) = plan.calls
    assert (call.action, products(call), plan.refused) == ("delete", ["T1"], [])
    (rendered,) = call.settles
    assert (rendered.sent_as, rendered.fingerprint) == (None, b"")
    assert rendered.refused is not None
    assert rendered.refused.reason.field.startswith("elements")
    # An insert that nobody answered may have been acted upon.
    (tried,) = claimed(hub, PRODUCTS, by_day())
    assert [one.action for one in hub.plan(PRODUCTS, [replace(tried, attempts=1)]).calls] == ["delete"]


def test_a_tariff_is_compared_once_however_often_it_is_planned():
    asked = []

    def compare(wanted, said):
        asked.append(wanted.id)
        return "said"

    remembered = remembering(compare)
    first, other = tariff(), tariff(price="0.6")
    assert [remembered(first, other), remembered(tariff(), other), remembered(other, first)] == ["said"] * 3
    assert len(asked) == 2


def test_a_tariff_that_is_said_as_it_is_is_compared_with_nothing():
    made = pricing_adapter(pricing={"unsayable": "approximate"})
    (call,) = made.plan(PRODUCTS, claimed(made, PRODUCTS, tariff())).calls
    assert "T1 against T1" not in {issue.detail for issue in call.settles[0].issues}


def test_a_tariff_is_a_product_from_its_start_to_its_end(hub):
    def plan(**changes):
        return hub.plan(PRODUCTS, claimed(hub, PRODUCTS, tariff(**changes)))

    second = timedelta(seconds=1)
    assert plan(start=NOW, end=NOW + second).calls
    for field, changes in (("start", {"start": NOW + second}), ("end", {"start": NOW - second, "end": NOW})):
        (nothing,) = plan(**changes).unchanged
        assert (nothing.fingerprint, nothing.sent_as) == (b"", None)
        assert [(issue.kind, issue.field) for issue in nothing.issues] == [(IssueKind.LEFT_OUT, field)]
    (known,) = accepted(plan().calls[0].settles)
    (call,) = hub.plan(PRODUCTS, [replace(known, subject=tariff(end=NOW))]).calls
    assert (call.action, products(call)) == ("delete", ["T1"])


def test_a_default_of_another_price_is_told_with_every_product(hub):
    known = accepted(hub.plan(PRODUCTS, claimed(hub, PRODUCTS, tariff())).calls[0].settles)
    assert hub.plan(PRODUCTS, known).unchanged
    (call,) = pricing_adapter(pricing={"price": "0.7"}).plan(PRODUCTS, known).calls
    assert (call.action, call.body["PricingProductData"]["PricingDefaultPrice"]) == ("update", 0.7)


def test_a_withdrawn_product_is_deleted_for_whom_it_was(hub):
    inserts = hub.plan(PRODUCTS, claimed(hub, PRODUCTS, tariff(), tariff(target=EMP))).calls
    known = accepted(one for call in inserts for one in call.settles)
    calls = hub.plan(PRODUCTS, gone(known)).calls
    told = [(call.action, call.body["PricingProductData"]["ProviderID"], *products(call)) for call in calls]
    assert told == [("delete", "*", "T1"), ("delete", "NL-EMS", "T1")]
    tried = [replace(item, gone=True, attempts=1) for item in claimed(hub, PRODUCTS, tariff(target=EMP))]
    (call,) = hub.plan(PRODUCTS, tried).calls
    assert (call.action, call.body["PricingProductData"]["ProviderID"], *products(call)) == ("delete", "NL-EMS", "T1")


# EVSEs' prices


def test_an_evse_has_the_products_of_its_connectors_for_all_and_for_each_target_with_one_of_its_own(hub):
    at = location(evse("a", "FR*HUB*E1", tariffs=["T2", "T1"]), evse("b", "FR*HUB*E2", tariffs=["T2"]))
    (call,) = hub.plan(PRICES, claimed(hub, PRICES, at, known=[T1, T1_EMP, T2])).calls
    assert (call.action, call.path) == ("insert", "/api/oicp/dynamicpricing/v10/operators/FR*HUB/evse-pricing")
    assert rows(call) == {
        ("FR*HUB*E1", "*"): ["T2", "T1"],
        ("FR*HUB*E1", "NL-EMS"): ["T2", "T1"],
        ("FR*HUB*E2", "*"): ["T2"],
    }
    (call,) = hub.plan(PRICES, claimed(hub, PRICES, place("T1"), known=[T1_EMP])).calls
    assert rows(call) == {("FR*HUB*E1", "NL-EMS"): ["T1"]}


def test_evses_without_tariffs_removed_or_without_an_id_have_no_prices(hub):
    at = location(
        evse("a", "FR*HUB*E1"),
        evse("b", None, tariffs=["T1"]),
        evse("c", "FR*HUB*E3", EvseStatus.REMOVED, tariffs=["T1"]),
    )
    assert claimed(hub, PRICES, at) == []


def test_prices_wait_for_a_product_that_is_still_to_be_told_and_not_for_its_change(hub):
    (item,) = claimed(hub, PRICES, place("T1", "T2"), known=[T1])
    assert hub.plan(PRICES, [item], frozenset({T2})).waiting == [item]
    assert hub.plan(PRICES, [item], frozenset({T1, "FR*HUB/T9/-"})).calls


def test_a_tariff_that_hubject_has_not_is_left_out_and_said_so(hub):
    (item,) = claimed(hub, PRICES, place("T1", "ADHOC"), known=[T1])
    (call,) = hub.plan(PRICES, [item]).calls
    assert rows(call) == {("FR*HUB*E1", "*"): ["T1"]}
    (issue,) = call.settles[0].issues
    assert (issue.kind, issue.field, issue.value) == (IssueKind.LEFT_OUT, "connectors.tariff_ids", "ADHOC")
    (nothing,) = hub.plan(PRICES, claimed(hub, PRICES, place("ADHOC"))).unchanged
    assert (nothing.fingerprint, nothing.sent_as) == (b"", None)
    assert [issue.value for issue in nothing.issues] == ["ADHOC"]


def test_an_evse_whose_last_product_went_has_its_prices_deleted(hub):
    (call,) = hub.plan(PRICES, claimed(hub, PRICES, place("T1"), known=[T1, T1_EMP])).calls
    (known,) = accepted(call.settles)
    (call,) = hub.plan(PRICES, [replace(known, known=frozenset())]).calls
    assert call.action == "delete"
    assert set(rows(call)) == {("FR*HUB*E1", "*"), ("FR*HUB*E1", "NL-EMS")}
    assert [(one.fingerprint, one.sent_as) for one in call.settles] == [(b"", None)]


def test_prices_of_an_emp_come_and_go_without_taking_everybodys_away(hub):
    (call,) = hub.plan(PRICES, claimed(hub, PRICES, place("T1"), known=[T1])).calls
    (known,) = accepted(call.settles)
    calls = hub.plan(PRICES, [replace(known, known=frozenset({T1, T1_EMP}))]).calls
    assert [(each.action, [*rows(each)], len(each.settles)) for each in calls] == [
        ("update", [("FR*HUB*E1", "*")], 0),
        ("insert", [("FR*HUB*E1", "NL-EMS")], 1),
    ]
    (both,) = accepted(calls[-1].settles)
    calls = hub.plan(PRICES, [replace(both, known=frozenset({T1}))]).calls
    assert [(each.action, [*rows(each)], len(each.settles)) for each in calls] == [
        ("delete", [("FR*HUB*E1", "NL-EMS")], 0),
        ("update", [("FR*HUB*E1", "*")], 1),
    ]


def test_an_evse_that_is_spelt_anew_has_its_prices_deleted_and_inserted(hub):
    (call,) = hub.plan(PRICES, claimed(hub, PRICES, place("T1"), known=[T1])).calls
    (known,) = accepted(call.settles)
    anew = location(evse("a", "FR*HUB*E*1", tariffs=["T1"]))
    calls = hub.plan(PRICES, [replace(known, subject=anew)]).calls
    assert [(each.action, [*rows(each)]) for each in calls] == [
        ("delete", [("FR*HUB*E1", "*")]),
        ("insert", [("FR*HUB*E*1", "*")]),
    ]


# Against the sandbox


async def test_products_and_prices_stand_change_and_go(plain):
    made = pricing_adapter(base_url=plain.url)
    at = place("T1")
    await push(made, "evse_data", items(made, "evse_data", at))
    told = await push(made, PRODUCTS, claimed(made, PRODUCTS, tariff(), tariff(target=EMP, price="0.4")))
    memory = plain.sandbox.memory
    assert {key: one["PricingProductDataRecord"]["PricePerReferenceUnit"] for key, one in memory[PRODUCTS].items()} == {
        T1: 0.5,
        T1_EMP: 0.4,
    }
    prices = await push(made, PRICES, claimed(made, PRICES, at, known=[T1, T1_EMP]))
    assert set(memory[PRICES]["FRHUBE1"]) == {"*", "NL-EMS"}
    changed = [replace(told[0], subject=tariff(price="0.45")), told[1]]
    await push(made, PRODUCTS, changed)
    assert memory[PRODUCTS][T1]["PricingProductDataRecord"]["PricePerReferenceUnit"] == 0.45
    await push(made, PRICES, gone(prices))
    await push(made, PRODUCTS, gone(told))
    assert not memory[PRICES]
    assert not memory[PRODUCTS]
    await made.close()


async def test_an_action_that_does_not_fit_is_mended(plain):
    made = pricing_adapter(base_url=plain.url)
    fresh = claimed(made, PRODUCTS, tariff())
    known = await push(made, PRODUCTS, fresh)
    assert await push(made, PRODUCTS, fresh)  # inserted already
    plain.sandbox.pushed_prices.forget()
    plain.sandbox.memory[PRODUCTS].clear()
    await push(made, PRODUCTS, [replace(known[0], subject=tariff(price="0.3"))])
    assert set(plain.sandbox.memory[PRODUCTS]) == {T1}
    await made.close()


async def test_an_evses_prices_of_which_some_are_gone_are_deleted_row_by_row(plain):
    made = pricing_adapter(base_url=plain.url)
    await push(made, "evse_data", items(made, "evse_data", place("T1")))
    await push(made, PRODUCTS, claimed(made, PRODUCTS, tariff(), tariff(target=EMP)))
    known = await push(made, PRICES, claimed(made, PRICES, place("T1"), known=[T1, T1_EMP]))
    # Once refused for the EVSE, as a hub may refuse that does not let pass what is not there.
    fault = {"kind": "refuse", "code": "603", "path": "evse-pricing", "count": 1}
    plain.sandbox.faults.add([Fault.model_validate(fault)])
    await push(made, PRICES, gone(known))
    assert not plain.sandbox.memory[PRICES]
    await made.close()


async def test_prices_for_another_emp_are_there_beside_those_that_nobody_knew_were_there(plain):
    made = pricing_adapter(base_url=plain.url)
    await push(made, "evse_data", items(made, "evse_data", place("T1")))
    await push(made, PRODUCTS, claimed(made, PRODUCTS, tariff(), tariff(target=EMP)))
    (fresh,) = claimed(made, PRICES, place("T1"), known=[T1])
    await push(made, PRICES, [fresh])
    await push(made, PRICES, [replace(fresh, known=frozenset({T1, T1_EMP}), attempts=1)])
    assert set(plain.sandbox.memory[PRICES]["FRHUBE1"]) == {"*", "NL-EMS"}
    await made.close()


async def test_prices_of_which_somebody_took_some_away_are_mended(plain):
    made = pricing_adapter(base_url=plain.url)
    await push(made, "evse_data", items(made, "evse_data", place("T1")))
    await push(made, PRODUCTS, claimed(made, PRODUCTS, tariff(), tariff(target=EMP)))
    known = await push(made, PRICES, claimed(made, PRICES, place("T1"), known=[T1, T1_EMP]))
    await push(made, PRICES, gone([replace(known[0], sent_as="FR*HUB*E1 NL-EMS")]))
    assert set(plain.sandbox.memory[PRICES]["FRHUBE1"]) == {"*"}
    await push(made, PRICES, [replace(known[0], accepted=None)])
    assert set(plain.sandbox.memory[PRICES]["FRHUBE1"]) == {"*", "NL-EMS"}
    await made.close()


def test_what_may_be_there_is_not_inserted_with_what_surely_is_not(hub):
    first, second = claimed(hub, PRODUCTS, tariff(), tariff("T2"))
    calls = hub.plan(PRODUCTS, [first, replace(second, attempts=1)]).calls
    assert [(call.action, products(call)) for call in calls] == [("insert", ["T2"]), ("insert", ["T1"])]


async def test_without_an_offer_prices_wait_and_nothing_else_does(plain):
    made = pricing_adapter(base_url=plain.url)
    partner = plain.sandbox.partners[HUB_CPO.normal]
    plain.sandbox.partners[HUB_CPO.normal] = replace(partner, offers_prices=False)
    (call,) = made.plan(PRODUCTS, claimed(made, PRODUCTS, tariff())).calls
    assert isinstance(await made.send(call), NotSent)
    await push(made, "evse_data", items(made, "evse_data", place("T1")))
    plain.sandbox.partners[HUB_CPO.normal] = partner
    assert await made.send(call) == Delivered()
    await made.close()


async def test_a_product_that_the_hub_has_not_refuses_the_batch(plain):
    made = pricing_adapter(base_url=plain.url)
    await push(made, "evse_data", items(made, "evse_data", place("T1")))
    (call,) = made.plan(PRICES, claimed(made, PRICES, place("T1"), known=[T1])).calls
    outcome = await made.send(call)
    assert isinstance(outcome, RefusedByHub)
    assert outcome.code == "022"
    assert "T1" in outcome.text
    await made.close()
