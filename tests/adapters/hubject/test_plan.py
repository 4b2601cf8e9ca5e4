"""What is planned, without a hub."""

import random
from dataclasses import replace

import pytest

from adapters.hubject.planning import size
from mappings.canonical.locations import EvseStatus
from mappings.canonical.tariffs import PriceComponent, Tariff, TariffDimension, TariffElement
from tests.adapters.hubject.network import (
    AT,
    HUB_CPO,
    SUB_ONE,
    SUB_TWO,
    accepted,
    adapter,
    evse,
    gone,
    ids,
    items,
    location,
    records,
    settings,
)
from tests.oicp_schema import validate


def known(operation="evse_data", *locations):
    """Items that the hub has as they are."""
    hub = adapter()
    plan = hub.plan(operation, items(hub, operation, *locations))
    return accepted(rendered for call in plan.calls for rendered in call.settles)


def actions(plan):
    return [(call.action, ids(call), [one.item.key for one in call.settles]) for call in plan.calls]


def test_an_evse_has_a_key_for_its_data_and_one_for_its_status_and_a_removed_one_has_none():
    place = location(evse("a", "FR*HUB*E1*2"), evse("b", "frhube3", EvseStatus.REMOVED))
    data, status = adapter().keys(place)
    assert data == ("evse_data", "FRHUBE12", "", "a", False, True)
    assert status == ("evse_status", "FRHUBE12", "", "a", True, True)


def test_an_evse_without_evse_id_has_a_key_of_its_own_and_is_refused_with_the_field():
    place = location(evse("a", None))
    (item,) = items(adapter(), "evse_data", place)
    assert item.key == "FR*HUB/L1/a"
    assert not items(adapter(), "evse_status", place)
    plan = adapter().plan("evse_data", [item])
    assert not plan.calls
    assert [(one, refused.reason.field) for one, refused in plan.refused] == [(item, "evses[0].evse_id")]


def test_a_tariff_is_not_hubjects_to_have():
    element = TariffElement(price_components=(PriceComponent(type=TariffDimension.FLAT, price=1, step_size=0),))
    tariff = Tariff(party=HUB_CPO, id="T", currency="EUR", elements=(element,), last_updated=AT)
    assert list(adapter().keys(tariff)) == []


@pytest.mark.parametrize("operation", ["evse_data", "evse_status"])
def test_what_the_hub_never_had_is_inserted_and_what_it_has_differently_is_updated(operation):
    one, two = evse("a", "FR*HUB*E1"), evse("b", "FR*HUB*E2")
    (had, same) = known(operation, location(one, two))
    changed = location(one, two, name="Gare du Nord")
    fresh = items(adapter(), operation, location(evse("c", "FR*HUB*E3"), id="L2"))
    changes = {"subject": changed} if operation == "evse_data" else {"status": EvseStatus.CHARGING}
    plan = adapter().plan(operation, [replace(had, **changes), same, *fresh])
    assert actions(plan) == [
        ("update", ["FR*HUB*E1"], ["FRHUBE1"]),
        ("insert", ["FR*HUB*E3"], ["FRHUBE3"]),
    ]
    assert [one.item.key for one in plan.unchanged] == ["FRHUBE2"]


@pytest.mark.parametrize("operation", ["evse_data", "evse_status"])
def test_what_must_be_sent_again_regardless_is_updated(operation):
    (item,) = known(operation, location(evse("a", "FR*HUB*E1")))
    plan = adapter().plan(operation, [replace(item, accepted=None)])
    assert actions(plan) == [("update", ["FR*HUB*E1"], ["FRHUBE1"])]


@pytest.mark.parametrize("operation", ["evse_data", "evse_status"])
def test_a_renamed_evse_is_deleted_under_its_old_name_and_inserted_under_the_new_one(operation):
    (item,) = known(operation, location(evse("a", "FR*HUB*E1")))
    plan = adapter().plan(operation, [replace(item, sent_as="FR*HUB*E*1", accepted=None)])
    assert actions(plan) == [
        ("delete", ["FR*HUB*E*1"], []),
        ("insert", ["FR*HUB*E1"], ["FRHUBE1"]),
    ]


@pytest.mark.parametrize("operation", ["evse_data", "evse_status"])
def test_what_is_gone_is_deleted_and_settled_with_nothing(operation):
    (item,) = gone(known(operation, location(evse("a", "FR*HUB*E1"))))
    plan = adapter().plan(operation, [item])
    (call,) = plan.calls
    assert (call.action, ids(call)) == ("delete", ["FR*HUB*E1"])
    (settled,) = call.settles
    assert (settled.fingerprint, settled.sent_as) == (b"", None)


def test_what_is_gone_and_was_never_sent_needs_no_call():
    (item,) = gone(items(adapter(), "evse_data", location(evse("a", "FR*HUB*E1"))))
    plan = adapter().plan("evse_data", [item])
    assert not plan.calls
    assert [(one.item, one.fingerprint, one.sent_as) for one in plan.unchanged] == [(item, b"", None)]


def test_what_is_gone_and_was_tried_is_deleted_since_the_hub_may_have_it():
    (item,) = gone(items(adapter(), "evse_data", location(evse("a", "FR*HUB*E1"))))
    plan = adapter().plan("evse_data", [replace(item, attempts=1)])
    assert actions(plan) == [("delete", ["FR*HUB*E1"], ["FRHUBE1"])]


def test_a_status_of_a_removed_evse_is_a_delete():
    (item,) = known("evse_status", location(evse("a", "FR*HUB*E1")))
    plan = adapter().plan("evse_status", [replace(item, status=EvseStatus.REMOVED)])
    assert actions(plan) == [("delete", ["FR*HUB*E1"], ["FRHUBE1"])]


def test_the_status_that_is_stored_counts_and_not_the_one_in_the_location():
    (item,) = items(adapter(), "evse_status", location(evse("a", "FR*HUB*E1")))
    (call,) = adapter().plan("evse_status", [replace(item, status=EvseStatus.RESERVED)]).calls
    assert records(call) == [{"EvseID": "FR*HUB*E1", "EvseStatus": "Reserved"}]


def test_what_a_status_loses_is_an_issue():
    (item,) = items(adapter(), "evse_status", location(evse("a", "FR*HUB*E1", EvseStatus.BLOCKED)))
    (call,) = adapter().plan("evse_status", [item]).calls
    assert [issue.field for issue in call.settles[0].issues] == ["status"]


def test_no_call_is_larger_than_the_setting_and_the_order_of_items_does_not_matter():
    hub = adapter(data_batch=7)
    places = [location(*(evse(f"e{n}", f"FR*HUB*E{p}*{n}") for n in range(5)), id=f"L{p}") for p in range(6)]
    given = items(hub, "evse_data", *places)
    random.Random(4).shuffle(given)
    plan = hub.plan("evse_data", given)
    assert [size(call) for call in plan.calls] == [7, 7, 7, 7, 2]
    rendered = [one for call in plan.calls for one in call.settles]
    assert {one.item.key for one in rendered} == {item.key for item in given}
    for call in plan.calls:
        assert len(set(ids(call))) == size(call)
        assert ids(call) == [one.sent_as for one in call.settles]


def test_a_refused_evse_does_not_stop_the_others():
    place = location(evse("a", "FR*HUB*E1"), evse("b", "NL.SPI.ECO01064*1"), evse("c", "FR*HUB*E3"))
    plan = adapter().plan("evse_data", items(adapter(), "evse_data", place))
    assert [ids(call) for call in plan.calls] == [["FR*HUB*E1", "FR*HUB*E3"]]
    assert [refused.reason.field for _, refused in plan.refused] == ["evses[1].evse_id"]


def test_an_evse_that_its_location_lost_is_refused_and_not_guessed():
    (item,) = items(adapter(), "evse_data", location(evse("a", "FR*HUB*E1")))
    for operation in ("evse_data", "evse_status"):
        plan = adapter().plan(operation, [replace(item, operation=operation, subject=location())])
        assert not plan.calls
        assert len(plan.refused) == 1


@pytest.mark.parametrize("operation", ["evse_data", "evse_status"])
def test_a_full_load_carries_everything_in_one_call_and_settles_the_gone(operation):
    hub = adapter(data_batch=2, status_batch=2)
    own = location(*(evse(f"{n}", f"FR*HUB*E{n}") for n in range(3)))
    one = location(evse("x", "FR*ONE*E1"), id="O", party=SUB_ONE)
    two = location(evse("x", "FR*TWO*E1"), id="T", party=SUB_TWO)
    away = gone(known(operation, location(evse("a", "FR*HUB*E9"))))
    plan = hub.plan(operation, [*items(hub, operation, own, one, two), *away], full_load=True)
    (call,) = plan.calls
    assert call.action == "fullLoad"
    assert ids(call) == ["FR*HUB*E0", "FR*HUB*E1", "FR*HUB*E2", "FR*ONE*E1", "FR*TWO*E1"]
    assert {rendered.item.key for rendered in call.settles} == {
        "FRHUBE0", "FRHUBE1", "FRHUBE2", "FRONEE1", "FRTWOE1", "FRHUBE9",
    }  # fmt: skip


def test_a_full_load_of_statuses_says_what_is_and_leaves_out_what_cannot_be_said():
    had = known("evse_status", location(evse("a", "FR*HUB*E1"), evse("b", "FR*HUB*E2")))
    wrong = items(adapter(), "evse_status", location(evse("c", "NL.SPI.ECO01064*1")))
    given = [replace(had[0], status=EvseStatus.CHARGING), replace(had[1], status=EvseStatus.REMOVED), *wrong]
    plan = adapter().plan("evse_status", given, full_load=True)
    (call,) = plan.calls
    assert records(call) == [{"EvseID": "FR*HUB*E1", "EvseStatus": "Occupied"}]
    assert [rendered.item.key for rendered in call.settles] == ["FRHUBE1", "FRHUBE2"]
    assert [item for item, _ in plan.refused] == wrong


def test_a_full_load_of_nothing_that_can_be_said_is_not_made():
    broken = items(adapter(), "evse_data", location(evse("a", None)))
    plan = adapter().plan("evse_data", broken, full_load=True)
    assert not plan.calls
    assert len(plan.refused) == 1
    assert not adapter().plan("evse_data", [], full_load=True).calls


def test_the_operator_id_is_always_the_certificates_party_and_sub_operators_appear_in_evse_ids_only():
    hub = adapter()
    place = location(evse("x", "FR*ONE*E1"), party=SUB_ONE)
    for operation, part in (("evse_data", "OperatorEvseData"), ("evse_status", "OperatorEvseStatus")):
        (call,) = hub.plan(operation, items(hub, operation, place)).calls
        assert call.body[part]["OperatorID"] == "FR*HUB"
        assert "/operators/FR*HUB/" in call.path
        assert ids(call) == ["FR*ONE*E1"]
    (call,) = hub.plan("evse_data", items(hub, "evse_data", place)).calls
    assert records(call)[0]["SubOperatorName"] == "FR*ONE"


@pytest.mark.parametrize("operation", ["evse_data", "evse_status"])
def test_every_kind_of_call_is_valid_by_hubjects_openapi(operation):
    place = location(evse("a", "FR*HUB*E1"), evse("b", "+49*810*000*438"), evse("c", "FR*HUB*E3"))
    had = known(operation, place)
    given = [
        replace(had[0], accepted=None),
        replace(had[1], sent_as="+49*810*000438"),
        *gone(had[2:]),
        *items(adapter(), operation, location(evse("d", "FR*HUB*E4"))),
    ]
    plan = adapter().plan(operation, given)
    assert [call.action for call in plan.calls] == ["delete", "delete", "insert", "update", "insert"]
    whole = adapter().plan(operation, given, full_load=True)
    for call in [*plan.calls, *whole.calls]:
        validate("eRoamingPushEvseData" if operation == "evse_data" else "eRoamingPushEvseStatus", call.body)


def test_an_operation_that_hubject_does_not_have_is_an_error():
    with pytest.raises(ValueError, match="no operation tariffs"):
        adapter().plan("tariffs", [])


def test_a_call_and_its_second_try_stay_under_the_published_limits():
    profile = settings().profile()
    for operation, published in (("evse_data", 375), ("evse_status", 2000)):
        assert 2 * profile.operations[operation].per_minute < published
        assert profile.operations[operation].lanes_in_flight == 1
        assert profile.operations[operation].atomic
    assert profile.operations["evse_status"].after == "evse_data"
