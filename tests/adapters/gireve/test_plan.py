"""What Gireve's adapter sends, and when it sends nothing."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from adapters.core.adapter import Call, Item, Plan, Rendered
from adapters.core.connection import Secrets
from adapters.gireve import fingerprints
from adapters.gireve.adapter import GireveAdapter
from mappings.canonical.ids import EvseId
from mappings.canonical.locations import EvseStatus, Location
from mappings.canonical.tariffs import Tariff
from tests.adapters.doubles import Measured, connection
from tests.adapters.gireve.network import AT, EMSP, connector, evse, location, tariff, with_status

LOC = "FR*ABC/LOC1"
STAMP, LATER = "2026-06-07T18:40:07Z", "2026-06-07T18:41:07Z"


@pytest.fixture
async def adapter() -> Any:
    made = GireveAdapter(connection("gireve", {}, secrets=Secrets()), Measured())
    yield made
    await made.close()


class Held:
    """What the gateway keeps of one connection, as far as planning sees it."""

    def __init__(self, adapter: GireveAdapter) -> None:
        self.adapter = adapter
        self.known: dict[tuple[str, str], Rendered] = {}

    def items(self, subject: Location | Tariff, gone: Sequence[str] = (), only: Sequence[str] = ()) -> Iterator[Item]:
        for key in self.adapter.keys(subject):
            if only and key.key not in only:
                continue
            before = self.known.get((key.operation, key.key))
            yield Item(
                operation=key.operation,
                key=key.key,
                lane=key.lane,
                evse_uid=key.evse_uid,
                subject=subject,
                status=None,
                gone=key.key in gone,
                sent_as=before.sent_as if before else None,
                accepted=before.fingerprint if before else None,
            )

    def accept(self, plan: Plan) -> None:
        for rendered in [*plan.unchanged, *(each for call in plan.calls for each in call.settles)]:
            self.known[rendered.item.operation, rendered.item.key] = rendered

    def plan(
        self,
        subject: Location | Tariff,
        gone: Sequence[str] = (),
        only: Sequence[str] = (),
        blocked: frozenset[str] = frozenset(),
    ) -> Plan:
        items = list(self.items(subject, gone, only))
        return self.adapter.plan(items[0].operation, items, blocked)


@pytest.fixture
def held(adapter: GireveAdapter) -> Held:
    return Held(adapter)


def short(calls: Sequence[Call]) -> list[tuple[str, str, Any]]:
    return [(call.action, call.path, call.body) for call in calls]


def test_a_location_and_its_evses_share_a_lane_and_only_evses_follow_the_status(adapter: GireveAdapter) -> None:
    keys = list(adapter.keys(location()))
    assert [(key.key, key.lane, key.evse_uid, key.follows_status) for key in keys] == [
        (LOC, LOC, None, False),
        (f"{LOC}/1", LOC, "1", True),
        (f"{LOC}/2", LOC, "2", True),
    ]


def test_what_is_removed_has_no_key(adapter: GireveAdapter) -> None:
    partly = location(evses=[evse("1"), evse("2", EvseStatus.REMOVED)])
    assert [key.key for key in adapter.keys(partly)] == [LOC, f"{LOC}/1"]
    assert list(adapter.keys(location(evses=[evse("1", EvseStatus.REMOVED)]))) == []
    assert [key.key for key in adapter.keys(location(evses=[]))] == [LOC]


def test_a_tariffs_key_holds_its_target(adapter: GireveAdapter) -> None:
    assert [key.key for key in adapter.keys(tariff())] == ["FR*ABC/T1/-"]
    assert [key.key for key in adapter.keys(tariff(target=EMSP))] == ["FR*ABC/T1/DE*MP1"]


async def test_tariffs_are_nobodys_business_where_prices_stand_in_the_agreement() -> None:
    silent = GireveAdapter(connection("gireve", {"push_tariffs": False}), Measured())
    assert list(silent.keys(tariff())) == []
    assert set(silent.profile.operations) == {"locations"}
    assert silent.profile.operations["locations"].waits_for is None
    await silent.close()


def test_a_new_location_is_put_whole_and_settles_its_evses(held: Held) -> None:
    plan = held.plan(location())
    (call,) = plan.calls
    assert (call.action, call.path) == ("PUT", "FR/ABC/LOC1")
    assert [each["status"] for each in call.body["evses"]] == ["AVAILABLE", "CHARGING"]  # type: ignore[index, call-overload]
    assert {(each.item.key, each.sent_as) for each in call.settles} == {
        (LOC, "FR/ABC/LOC1"),
        (f"{LOC}/1", "FR/ABC/LOC1/1"),
        (f"{LOC}/2", "FR/ABC/LOC1/2"),
    }
    assert {len(each.fingerprint) for each in call.settles} == {16, 48}


def test_a_status_alone_is_a_patch_of_the_evse(held: Held) -> None:
    held.accept(held.plan(location()))
    plan = held.plan(with_status(location(), "1", EvseStatus.OUTOFORDER), only=[f"{LOC}/1"])
    assert short(plan.calls) == [
        ("PATCH", "FR/ABC/LOC1/1", {"status": "OUTOFORDER", "last_updated": LATER}),
    ]


def test_a_location_whose_stamp_rose_with_a_status_is_not_put_again(held: Held) -> None:
    held.accept(held.plan(location()))
    plan = held.plan(with_status(location(), "1", EvseStatus.OUTOFORDER))
    assert [call.action for call in plan.calls] == ["PATCH"]
    assert {each.item.key for each in plan.unchanged} == {LOC, f"{LOC}/2"}


@pytest.mark.parametrize("tariffs", [["T2"], []])
def test_tariff_ids_alone_are_a_patch_of_the_connector(held: Held, tariffs: list[str]) -> None:
    held.accept(held.plan(location(evses=[evse("1")])))
    changed = location(evses=[evse("1", connectors=(connector(tariffs=tariffs),))])
    assert short(held.plan(changed).calls) == [
        ("PATCH", "FR/ABC/LOC1/1/1", {"tariff_ids": tariffs, "last_updated": STAMP}),
    ]


def test_what_would_need_several_patches_is_one_put(held: Held) -> None:
    place = location(evses=[evse("1"), evse("2", connectors=(connector("1"), connector("2")))])
    held.accept(held.plan(place))
    changed = location(
        evses=[
            evse("1", EvseStatus.BLOCKED, connectors=(connector(tariffs=["T2"]),)),
            evse("2", connectors=(connector("1", tariffs=["T2"]), connector("2"))),
        ]
    )
    assert [(call.action, call.path, len(call.settles)) for call in held.plan(changed).calls] == [
        ("PUT", "FR/ABC/LOC1/1", 1),
        ("PUT", "FR/ABC/LOC1/2", 1),
    ]


def test_static_data_of_an_evse_is_a_put_of_the_evse(held: Held) -> None:
    held.accept(held.plan(location()))
    changed = location(evses=[evse("1", floor_level="-1"), evse("2", EvseStatus.CHARGING)])
    plan = held.plan(changed)
    assert [(call.action, call.path) for call in plan.calls] == [("PUT", "FR/ABC/LOC1/1")]
    assert plan.calls[0].body["floor_level"] == "-1"  # type: ignore[index, call-overload]


def test_a_new_evse_of_a_known_location_is_a_put_of_the_evse(held: Held) -> None:
    held.accept(held.plan(location(evses=[evse("1")])))
    plan = held.plan(location(evses=[evse("1"), evse("9")]))
    assert [(call.action, call.path) for call in plan.calls] == [("PUT", "FR/ABC/LOC1/9")]


def test_new_evses_without_their_locations_projection_bring_the_whole_location(held: Held) -> None:
    plan = held.plan(location(), only=[f"{LOC}/2"])
    (call,) = plan.calls
    assert (call.action, call.path) == ("PUT", "FR/ABC/LOC1")
    assert [each["uid"] for each in call.body["evses"]] == ["1", "2"]  # type: ignore[index, call-overload]
    assert [each.item.key for each in call.settles] == [f"{LOC}/2"]


def test_new_evses_without_their_locations_projection_wait_for_tariffs_too(held: Held) -> None:
    plan = held.plan(location(), only=[f"{LOC}/1", f"{LOC}/2"], blocked=frozenset({"FR*ABC/T1/-"}))
    assert not plan.calls
    assert {item.key for item in plan.waiting} == {f"{LOC}/1", f"{LOC}/2"}


def test_a_status_that_says_removed_is_patched_and_forgotten(held: Held) -> None:
    held.accept(held.plan(location()))
    items = list(held.items(location(), only=[f"{LOC}/1"]))
    removed = [replace(item, subject=with_status(location(), "1", EvseStatus.REMOVED)) for item in items]
    plan = held.adapter.plan("locations", removed)
    assert short(plan.calls) == [("PATCH", "FR/ABC/LOC1/1", {"status": "REMOVED", "last_updated": LATER})]
    assert plan.calls[0].settles[0].sent_as is None


def test_a_changed_location_is_put_whole_with_present_statuses(held: Held) -> None:
    held.accept(held.plan(location()))
    plan = held.plan(with_status(location(name="Nouveau nom"), "2", EvseStatus.AVAILABLE))
    (call,) = plan.calls
    assert call.action == "PUT"
    assert [each["status"] for each in call.body["evses"]] == ["AVAILABLE", "AVAILABLE"]  # type: ignore[index, call-overload]
    assert len(call.settles) == 3


def test_what_must_be_sent_again_regardless_is_sent_again(held: Held) -> None:
    held.accept(held.plan(location()))
    items = [replace(item, accepted=None) for item in held.items(location())]
    assert [call.action for call in held.adapter.plan("locations", items).calls] == ["PUT"]


def test_a_gone_evse_is_patched_removed(held: Held) -> None:
    held.accept(held.plan(location()))
    plan = held.plan(location(), gone=[f"{LOC}/2"])
    assert short(plan.calls) == [("PATCH", "FR/ABC/LOC1/2", {"status": "REMOVED", "last_updated": STAMP})]
    (rendered,) = plan.calls[0].settles
    assert (rendered.fingerprint, rendered.sent_as) == (b"", None)


def test_a_gone_evse_of_which_nothing_is_left_is_patched_removed_without_a_stamp(held: Held) -> None:
    held.accept(held.plan(location()))
    items = [replace(item, subject=None) for item in held.items(location(), gone=[f"{LOC}/2"], only=[f"{LOC}/2"])]
    assert short(held.adapter.plan("locations", items).calls) == [("PATCH", "FR/ABC/LOC1/2", {"status": "REMOVED"})]


def test_a_withdrawn_location_is_put_with_every_evse_removed(held: Held) -> None:
    held.accept(held.plan(location()))
    tombstone = location(evses=[evse("1", EvseStatus.REMOVED), evse("2", EvseStatus.REMOVED)])
    items = [replace(item, subject=tombstone) for item in held.items(location(), gone=[LOC, f"{LOC}/1", f"{LOC}/2"])]
    (call,) = held.adapter.plan("locations", items).calls
    assert call.action == "PUT"
    assert [each["status"] for each in call.body["evses"]] == ["REMOVED", "REMOVED"]  # type: ignore[index, call-overload]
    assert {(each.fingerprint, each.sent_as) for each in call.settles} == {(b"", None)}


def test_a_location_out_of_scope_is_put_removed_though_it_lives_on(held: Held) -> None:
    held.accept(held.plan(location()))
    plan = held.plan(location(), gone=[LOC, f"{LOC}/1", f"{LOC}/2"])
    assert [each["status"] for each in plan.calls[0].body["evses"]] == ["REMOVED", "REMOVED"]  # type: ignore[index, call-overload]


def test_a_withdrawn_location_that_comes_back_is_put_whole(held: Held) -> None:
    held.accept(held.plan(location()))
    held.accept(held.plan(location(), gone=[LOC, f"{LOC}/1", f"{LOC}/2"]))
    plan = held.plan(location())
    assert [(call.action, len(call.settles)) for call in plan.calls] == [("PUT", 3)]


def test_an_evse_that_cannot_be_said_is_refused_and_the_others_are_sent(held: Held) -> None:
    dumb = evse("2", connectors=(connector(max_voltage=None),))
    plan = held.plan(location(evses=[evse("1"), dumb]))
    assert [each["uid"] for each in plan.calls[0].body["evses"]] == ["1"]  # type: ignore[index, call-overload]
    assert [item.key for item, _ in plan.refused] == [f"{LOC}/2"]
    assert "connectors" in plan.refused[0][1].reason.field


def test_a_location_none_of_whose_evses_can_be_said_is_refused(held: Held) -> None:
    plan = held.plan(location(evses=[evse("1", connectors=(connector(max_voltage=None),))]))
    assert not plan.calls
    assert {item.key for item, _ in plan.refused} == {LOC, f"{LOC}/1"}


def test_a_location_that_cannot_be_said_refuses_its_new_evses_too(held: Held) -> None:
    plan = held.plan(location(owner=None))
    assert not plan.calls
    assert {(item.key, refused.reason.field) for item, refused in plan.refused} == {
        (LOC, "owner.name"),
        (f"{LOC}/1", "owner.name"),
        (f"{LOC}/2", "owner.name"),
    }


async def test_names_that_gireve_demands_come_from_the_settings() -> None:
    made = GireveAdapter(connection("gireve", {"owner_name": "Commune", "operator_name": "Marque"}), Measured())
    plan = Held(made).plan(location(owner=None, operator=None))
    body: Any = plan.calls[0].body
    assert (body["owner"]["name"], body["operator"]["name"]) == ("Commune", "Marque")
    assert {issue.field for issue in plan.calls[0].settles[0].issues} >= {"owner.name", "operator.name"}
    await made.close()


BLOCKED = frozenset({"FR*ABC/T1/-"})


def test_a_new_location_waits_for_the_tariff_that_it_names(held: Held) -> None:
    plan = held.plan(location(), blocked=BLOCKED)
    assert not plan.calls
    assert {item.key for item in plan.waiting} == {LOC, f"{LOC}/1", f"{LOC}/2"}


def test_any_variant_of_a_tariff_is_waited_for(held: Held) -> None:
    assert held.plan(location(), blocked=frozenset({"FR*ABC/T1/DE*MP1"})).waiting


@pytest.mark.parametrize("key", ["FR*XYZ/T1/-", "FR*ABC/T2/-", "FR*ABC/T/1/-"])
def test_another_tariff_is_not_waited_for(held: Held, key: str) -> None:
    assert not held.plan(location(), blocked=frozenset({key})).waiting


def test_a_status_does_not_wait_for_a_tariff_that_the_hub_has_seen_named(held: Held) -> None:
    held.accept(held.plan(location()))
    plan = held.plan(with_status(location(), "1", EvseStatus.BLOCKED), blocked=BLOCKED)
    assert [call.action for call in plan.calls] == ["PATCH"]
    assert not plan.waiting


def test_an_evse_that_newly_names_a_blocked_tariff_waits_and_the_others_do_not(held: Held) -> None:
    held.accept(held.plan(location(evses=[evse("1", connectors=(connector(tariffs=["T9"]),)), evse("2")])))
    changed = location(evses=[evse("1"), evse("2", EvseStatus.BLOCKED)])
    plan = held.plan(changed, blocked=BLOCKED)
    assert [item.key for item in plan.waiting] == [f"{LOC}/1"]
    assert [call.path for call in plan.calls] == ["FR/ABC/LOC1/2"]


def test_a_tariff_is_put_and_a_gone_one_deleted(held: Held) -> None:
    plan = held.plan(tariff(target=EMSP))
    (call,) = plan.calls
    body: Any = call.body
    assert (call.action, call.path) == ("PUT", "FR/ABC/T1")
    assert (body["target_operator_country_code"], body["target_operator_party_id"]) == ("DE", "MP1")
    held.accept(plan)
    gone = held.plan(tariff(target=EMSP), gone=["FR*ABC/T1/DE*MP1"])
    query = "target_operator_country_code=DE&target_operator_party_id=MP1"
    assert short(gone.calls) == [("DELETE", f"FR/ABC/T1?{query}", None)]


def test_ids_are_quoted_whole_in_paths(held: Held) -> None:
    strange = location("A/B ?#", evses=[evse("é%1".replace("é", "e"), evse_id=EvseId("FR*ABC*E1"))])
    held.accept(held.plan(strange))
    plan = held.plan(with_status(strange, "e%1", EvseStatus.BLOCKED))
    assert [call.path for call in plan.calls] == ["FR/ABC/A%2FB%20%3F%23/e%251"]


def test_a_plan_does_not_depend_on_the_order_of_fields_or_stamps() -> None:
    wire = {"uid": "1", "status": "AVAILABLE", "connectors": [{"id": "1", "tariff_ids": ["T"], "max_voltage": 400}]}
    other = json.loads(json.dumps(dict(reversed(wire.items()))))
    other |= {"last_updated": STAMP, "evse_id": None}
    assert fingerprints.of_evse(wire) == fingerprints.of_evse(other)


def test_no_tariffs_and_an_empty_list_of_them_are_the_same() -> None:
    one = {"uid": "1", "status": "AVAILABLE", "connectors": [{"id": "1"}]}
    two = {"uid": "1", "status": "AVAILABLE", "connectors": [{"id": "1", "tariff_ids": []}]}
    assert fingerprints.of_evse(one) == fingerprints.of_evse(two)


def test_several_locations_in_one_batch_are_planned_each_by_itself(held: Held) -> None:
    items = [*held.items(location("LOC1")), *held.items(location("LOC2"))]
    assert [call.path for call in held.adapter.plan("locations", items).calls] == ["FR/ABC/LOC1", "FR/ABC/LOC2"]


def test_the_stamp_of_what_is_written_is_the_objects(held: Held) -> None:
    body: Any = held.plan(location()).calls[0].body
    assert body["last_updated"] == AT.isoformat().replace("+00:00", "Z")
