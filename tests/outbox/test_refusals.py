"""What hubs refuse: it leaves the lane, is shown, and comes back when it is mended."""

import json

from adapters.core.connection import State
from adapters.hubject.sandbox import Partner
from gateway.services.ports import DeliveryState, Letters
from mappings.canonical.locations import EvseStatus
from tests.harness import PARTY, WHO, Rig, eventually, evse, later, location, report, rig

STRICT = [Partner(PARTY)]
"""Hubject refuses EVSEs of other parties: records that nothing is wrong with in shape."""


async def letters(gateway: Rig) -> list[int]:
    page = await gateway.app.services.deliveries.dead_letters(None, None, 1000)
    return [letter.id for letter in page.items]


async def test_faulty_records_of_a_batch_are_found_and_the_others_delivered(database_url: str) -> None:
    async with rig(database_url, "hubject", partners=STRICT) as gateway:
        faulty = {7, 100, 101}
        await gateway.put(
            *(
                location(f"L{number}", evse("U1", f"NL*{'XYZ' if number in faulty else 'ABC'}*E{number}"))
                for number in range(200)
            )
        )
        await gateway.settled()
        assert len(gateway.memory("evse_data")) == len(gateway.memory("evse_status")) == 197
        assert set(await gateway.letters()) == {f"NLXYZE{number}" for number in faulty}
        assert {code for code, _ in (await gateway.letters()).values()} == {"018"}
        assert gateway.hubject.requests["evse_data", "018"] < 40
        assert gateway.hubject.requests["evse_data", "parallel"] == 0


async def test_a_record_that_cannot_be_said_is_refused_with_its_field_and_asks_the_hub_nothing(
    database_url: str,
) -> None:
    async with rig(database_url, "hubject") as gateway:
        await gateway.put(location("L1", evse("U1", None)), location("L2"))
        await gateway.settled()
        page = await gateway.app.services.deliveries.dead_letters("hubject", None, 10)
        [letter] = page.items
        assert (letter.key, letter.code, letter.body) == ("NL*ABC/L1/U1", None, None)
        assert "evse_id" in letter.field
        assert gateway.hubject.requests["evse_data", "ok"] == 1
        assert set(gateway.memory("evse_data")) == {"NLABCEL2"}


async def test_a_dead_letter_is_replayed_after_the_fix_and_disappears(database_url: str) -> None:
    async with rig(database_url, "hubject", partners=STRICT) as gateway:
        await gateway.put(location("L1", evse("U1", "NL*XYZ*E1")))
        await gateway.report(report("CHARGING", later(3)))
        await gateway.quiet()
        deliveries = gateway.app.services.deliveries
        listed = await deliveries.list("hubject", DeliveryState.REFUSED, None, 10)
        assert [(item.key, item.error) for item in listed.items] == [
            ("NLXYZE1", (await gateway.letters())["NLXYZE1"][1])
        ]
        gateway.hubject.partners["NL*ABC"] = Partner(PARTY, sub_operators=None)
        assert await deliveries.replay(Letters(ids=tuple(await letters(gateway)), connection=None), WHO) == 1
        await gateway.settled()
        assert await gateway.letters() == {}
        assert gateway.memory("evse_status")["NLXYZE1"]["EvseStatus"] == "Occupied"


async def test_all_dead_letters_of_a_connection_are_replayed_and_the_faulty_come_back(database_url: str) -> None:
    async with rig(database_url, "hubject", partners=STRICT) as gateway:
        await gateway.put(*(location(f"L{number}", evse("U1", f"NL*XYZ*E{number}")) for number in range(5)))
        await gateway.quiet()
        before = await letters(gateway)
        assert len(before) == 5
        deliveries = gateway.app.services.deliveries
        assert await deliveries.replay(Letters(ids=(), connection="hubject"), WHO) == 5
        await gateway.settled()
        assert len(await gateway.letters()) == 5
        assert min(await letters(gateway)) > max(before)


async def test_a_discarded_dead_letter_is_gone_and_audited(database_url: str) -> None:
    async with rig(database_url, "hubject", partners=STRICT) as gateway:
        await gateway.put(location("L1", evse("U1", "NL*XYZ*E1")))
        await gateway.quiet()
        [number] = await letters(gateway)
        assert await gateway.app.services.deliveries.discard([number], "not ours", WHO) == 1
        assert await gateway.letters() == {}
        [row] = await gateway.app.store.fetch("SELECT who, detail FROM audit WHERE action = 'discarded'")
        assert row["who"] == WHO
        assert json.loads(row["detail"])["why"] == "not ours"
        await gateway.settled()


async def test_a_refused_record_is_tried_again_when_it_changes(database_url: str) -> None:
    async with rig(database_url, "hubject", partners=STRICT) as gateway:
        await gateway.put(location("L1", evse("U1", "NL*XYZ*E1")))
        await gateway.quiet()
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1")))
        await gateway.settled()
        assert await gateway.letters() == {}
        assert set(gateway.memory("evse_data")) == {"NLABCE1"}


async def test_a_refused_update_leaves_what_the_hub_had_and_a_later_one_passes(database_url: str) -> None:
    async with rig(database_url, "hubject") as gateway:
        await gateway.put(location("L1"), location("L2"))
        await gateway.settled()
        gateway.fail("hubject", "refuse", path="data-records", code="022")
        await gateway.put(location("L1", city="Delft"))
        await gateway.settled()
        assert set(await gateway.letters()) == {"NLABCEL1"}
        gateway.mend()
        await gateway.put(location("L1", city="Gouda"))
        await gateway.settled()
        assert await gateway.letters() == {}
        assert gateway.memory("evse_data")["NLABCEL1"]["Address"]["City"] == "Gouda"


async def test_what_gireve_refuses_is_told_with_the_next_change(database_url: str) -> None:
    async with rig(database_url, "gireve") as gateway:
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["A"])))
        await gateway.settled()
        gateway.fail("gireve", "refuse", path="L1/U1", code="2001", count=1)
        changed = evse("U1", "NL*ABC*E1", later(10), tariffs=["B"], status="CHARGING")
        await gateway.put(location("L1", changed, last_updated=later(10)))
        await gateway.settled()
        assert set(await gateway.letters()) == {"NL*ABC/L1/U1"}
        await gateway.report(report("BLOCKED", later(20)))
        await gateway.settled()
        assert await gateway.letters() == {}
        record = gateway.memory("locations")["NL*ABC/L1/U1"]
        assert (record["status"], record["connectors"][0]["tariff_ids"]) == ("BLOCKED", ["B"])


async def test_what_the_hub_lost_is_told_anew_and_whole(database_url: str) -> None:
    async with rig(database_url, "gireve") as gateway:
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1"), evse("U2", "NL*ABC*E2")))
        await gateway.settled()
        gateway.gireve.forget()
        await gateway.report(report("CHARGING", later(1)))
        await gateway.settled()
        assert await gateway.letters() == {}
        assert gateway.memory("locations")["NL*ABC/L1/U1"]["status"] == "CHARGING"
        assert "NL*ABC/L1/U2" in gateway.memory("locations")


async def test_a_new_evse_of_a_location_that_the_hub_lost_brings_the_location_back(database_url: str) -> None:
    async with rig(database_url, "gireve") as gateway:
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1")))
        await gateway.settled()
        gateway.gireve.forget()
        await gateway.put(location("L1", evse("U2", "NL*ABC*E1")))
        await gateway.settled()
        assert set(gateway.memory("locations")) == {"NL*ABC/L1", "NL*ABC/L1/U2"}
        assert await gateway.letters() == {}


async def test_a_hub_that_never_knows_what_it_accepted_is_not_asked_without_end(database_url: str) -> None:
    async with rig(database_url, "gireve") as gateway:
        await gateway.put(location())
        await gateway.settled()
        gateway.fail("gireve", "refuse", path="receiver", code="2003")
        await gateway.report(report("CHARGING", later(1)))
        await gateway.quiet()
        assert set(await gateway.letters()) >= {"NL*ABC/L1/U1"}
        assert gateway.gireve.faults.shown()[0]["hits"] <= 10


async def test_a_mapping_that_stumbles_over_one_record_keeps_nothing_else_back(database_url: str) -> None:
    async with rig(database_url, "hubject") as gateway:
        link = gateway.app.links.by_name("hubject")
        assert link is not None
        plan = link.adapter.plan

        def stumbling(operation, items, blocked=frozenset(), *, full_load=False):  # type: ignore[no-untyped-def]
            if any(item.key == "NLABCEL13" for item in items):
                raise ZeroDivisionError("a mistake of ours")
            return plan(operation, items, blocked, full_load=full_load)

        link.adapter.plan = stumbling  # type: ignore[method-assign]
        await gateway.put(*(location(f"L{number}") for number in range(40)))
        await gateway.quiet()
        assert len(gateway.memory("evse_data")) == 39
        assert "a mistake of ours" in (await gateway.letters())["NLABCEL13"][1]
        link.adapter.plan = plan  # type: ignore[method-assign]
        await gateway.put(location("L13", city="Delft"))
        await gateway.settled()
        assert (await gateway.state("hubject"))[0] == State.READY
        assert await gateway.status("L13") is EvseStatus.AVAILABLE
        await eventually(lambda: "NLABCEL13" in gateway.memory("evse_status"))
