"""What hubs come to know: inserts, updates, deletes, coalescing, order, scope, withdrawal."""

from typing import Any

import aiohttp

from adapters.core.connection import Mode, Scope
from mappings.canonical.ids import EvseId
from mappings.canonical.locations import EvseStatus
from tests.harness import (
    OTHER,
    PARTY,
    WHO,
    Rig,
    eventually,
    evse,
    later,
    location,
    report,
    report_by_id,
    rig,
    tariff,
)


async def test_a_network_reaches_both_hubs_and_later_changes_follow(database_url: str) -> None:
    async with rig(database_url) as gateway:
        await gateway.put_tariffs(tariff())
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1"])), location("L2"))
        await gateway.settled()
        await gateway.report(report("CHARGING", later(1)))
        await gateway.settled()
        assert gateway.memory("evse_status")["NLABCE1"]["EvseStatus"] == "Occupied"
        assert gateway.memory("locations")["NL*ABC/L1/U1"]["status"] == "CHARGING"
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", floor_level="2", tariffs=["T1"])))
        await gateway.settled()
        changed = gateway.memory("locations")["NL*ABC/L1/U1"]
        assert (changed["floor_level"], changed["status"]) == ("2", "CHARGING")  # newer than what was put


async def test_a_hub_that_was_away_is_told_only_the_last_of_a_hundred_statuses(database_url: str) -> None:
    async with rig(database_url, "hubject") as gateway:
        await gateway.put(location())
        await gateway.settled()
        gateway.fail("hubject", "close")
        for second in range(1, 101):
            await gateway.report(report("CHARGING" if second % 2 else "AVAILABLE", later(second)))
        await gateway.report(report("RESERVED", later(200)))
        gateway.mend()
        await gateway.settled()
        assert gateway.statuses("NLABCEL1") == ["Available", "Reserved"]


async def test_content_that_is_the_same_again_is_not_sent_again(database_url: str) -> None:
    async with rig(database_url) as gateway:
        await gateway.put(location())
        await gateway.settled()
        before = (gateway.gireve.requests.copy(), gateway.hubject.requests.copy())
        await gateway.put(location())
        await gateway.put(location("L1", evse("U1", "NL*ABC*EL1"), last_updated=later(5)))
        await gateway.report(report("AVAILABLE", later(6)))
        await gateway.settled()
        assert (gateway.gireve.requests, gateway.hubject.requests) == before


async def test_a_new_evse_id_is_a_delete_and_an_insert_at_hubject(database_url: str) -> None:
    async with rig(database_url) as gateway:
        await gateway.put(location("L1", evse("U1", "NL*ABC*EOLD")))
        await gateway.settled()
        await gateway.put(location("L1", evse("U1", "NL*ABC*ENEW")))
        await gateway.settled()
        assert set(gateway.memory("evse_data")) == set(gateway.memory("evse_status")) == {"NLABCENEW"}
        assert gateway.memory("locations")["NL*ABC/L1/U1"]["evse_id"] == "NL*ABC*ENEW"


async def test_an_evse_id_that_is_only_spelt_anew_is_known_by_its_new_spelling(database_url: str) -> None:
    async with rig(database_url, "hubject") as gateway:
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1*2"), evse("U2", "NL*ABC*E2*2")))
        await gateway.settled()
        await gateway.put(location("L1", evse("U1", "NLABCE12"), evse("U2", "NLABCE22")))
        await gateway.settled()
        assert set(gateway.memory("evse_data")) == {"NLABCE12", "NLABCE22"}
        assert await gateway.letters() == {}


async def pulled(gateway: Rig, **window: Any) -> dict[str, Any]:
    """What Gireve reads from the gateway."""
    async with aiohttp.ClientSession() as session:
        url = gateway.servers["gireve"].url + "/_sandbox/pull"
        async with session.post(url, json={"modules": ["locations"], **window}) as response:
            assert response.status == 200, await response.text()
    return gateway.memory("pulled_locations")


async def test_an_evse_that_a_put_leaves_out_is_removed_everywhere_and_stays_a_tombstone(database_url: str) -> None:
    async with rig(database_url) as gateway:
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1"), evse("U2", "NL*ABC*E2")))
        await gateway.settled()
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1")))
        await gateway.settled()
        assert "NL*ABC/L1/U2" not in gateway.memory("locations")
        assert set(gateway.memory("evse_data")) == {"NLABCE1"}
        # A later version that does not name it either leaves the tombstone.
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", floor_level="3")))
        await gateway.settled()
        seen = await pulled(gateway, date_from="2026-06-01T00:00:00Z")
        assert seen["NL*ABC/L1/U2"]["status"] == "REMOVED"
        assert seen["NL*ABC/L1/U1"]["status"] == "AVAILABLE"


async def test_a_withdrawn_location_is_removed_everywhere_and_seen_by_who_pulls_by_date(database_url: str) -> None:
    async with rig(database_url) as gateway:
        await gateway.put(location("L1"), location("L2"))
        await gateway.settled()
        assert await gateway.withdraw("L1")
        assert not await gateway.withdraw("L1")
        assert not await gateway.withdraw("L9")
        await gateway.settled()
        assert set(gateway.memory("locations")) == {"NL*ABC/L2", "NL*ABC/L2/U1"}
        assert set(gateway.memory("evse_data")) == set(gateway.memory("evse_status")) == {"NLABCEL2"}
        seen = await pulled(gateway, date_from="2026-06-01T00:00:00Z")
        assert seen["NL*ABC/L1/U1"]["status"] == "REMOVED"
        assert "NL*ABC/L2" not in seen
        await gateway.put(location("L1"))
        await gateway.settled()
        assert "NL*ABC/L1/U1" in gateway.memory("locations")
        assert set(gateway.memory("evse_status")) == {"NLABCEL1", "NLABCEL2"}


async def test_an_evse_that_was_removed_comes_back_with_data_before_its_status(database_url: str) -> None:
    async with rig(database_url) as gateway:
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1"), evse("U2", "NL*ABC*E2")))
        await gateway.settled()
        gateway.fail("hubject", "error", path="status-records", status=500)
        await gateway.report(report("REMOVED", later(10)))
        await eventually(lambda: "NLABCE1" not in gateway.memory("evse_data"), "the data is deleted")
        # Its status is still to be deleted when the EVSE comes back.
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", later(20)), evse("U2", "NL*ABC*E2")))
        gateway.mend()
        await gateway.settled()
        assert set(gateway.memory("evse_status")) == {"NLABCE1", "NLABCE2"}
        assert await gateway.letters() == {}
        assert gateway.hubject.requests["evse_status", "603"] == 0


async def test_a_narrowed_scope_withdraws_and_a_widened_one_tells(database_url: str) -> None:
    async with rig(database_url) as gateway:
        await gateway.put(location("L1"), location("L2"), location("L1", party=OTHER))
        await gateway.put_tariffs(tariff(), tariff(party=OTHER))
        await gateway.settled()
        connections = gateway.app.services.connections
        for hub in ("gireve", "hubject"):
            await connections.set_scope(hub, Scope(parties=frozenset({PARTY})), WHO)
        await gateway.settled()
        assert set(gateway.memory("locations")) == {"NL*ABC/L1", "NL*ABC/L1/U1", "NL*ABC/L2", "NL*ABC/L2/U1"}
        assert set(gateway.memory("tariffs")) == {"NL*ABC/T1/-"}
        assert set(gateway.memory("evse_data")) == set(gateway.memory("evse_status")) == {"NLABCEL1", "NLABCEL2"}
        for hub in ("gireve", "hubject"):
            await connections.set_scope(hub, Scope(evses=frozenset({EvseId("nl*abc*el2")})), WHO)
        await gateway.settled()
        assert set(gateway.memory("evse_data")) == {"NLABCEL2"}
        for hub in ("gireve", "hubject"):
            await connections.set_scope(hub, Scope(), WHO)
        await gateway.settled()
        assert len(gateway.memory("evse_status")) == 3
        assert len(gateway.memory("locations")) == 6


async def test_statuses_wait_until_hubject_has_the_data(database_url: str) -> None:
    async with rig(database_url, "hubject") as gateway:
        gateway.fail("hubject", "error", path="data-records", status=500)
        await gateway.put(location())
        await gateway.report(report("CHARGING", later(1)))
        await eventually(lambda: bool(gateway.hubject.faults.shown()[0]["hits"]), "a push failed")
        [row] = (await gateway.rows("evse_status")).values()
        assert (row["held"], row["pending"]) == (True, False)
        gateway.mend()
        await gateway.settled()
        assert gateway.statuses("NLABCEL1") == ["Occupied"]


async def test_a_tariff_is_acknowledged_before_the_location_that_names_it(database_url: str) -> None:
    async with rig(database_url, "gireve") as gateway:
        gateway.fail("gireve", "error", path="tariffs", status=503)
        await gateway.put_tariffs(tariff("T1"))
        await gateway.put(
            location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1"])),
            location("L2", evse("U1", "NL*ABC*E2", tariffs=["UNHEARD-OF"])),
            location("L3"),
        )
        await eventually(lambda: "NL*ABC/L2/U1" in gateway.memory("locations"), "what names no pending tariff goes")
        await eventually(lambda: "NL*ABC/L3/U1" in gateway.memory("locations"))
        assert "NL*ABC/L1" not in gateway.memory("locations")
        assert gateway.memory("tariffs") == {}
        gateway.mend()
        await gateway.settled()
        kinds = [one.operation for one in gateway.gireve.receipts if one.key in {"NL*ABC/T1/-", "NL*ABC/L1/U1"}]
        assert kinds == ["tariffs", "locations"]


async def test_a_withdrawn_tariff_is_deleted(database_url: str) -> None:
    async with rig(database_url, "gireve") as gateway:
        await gateway.put_tariffs(tariff("T1"), tariff("T1", "0.4", target="FR*EMS"))
        await gateway.settled()
        assert set(gateway.memory("tariffs")) == {"NL*ABC/T1/-", "NL*ABC/T1/FR*EMS"}
        assert await gateway.app.services.publishing.withdraw_tariff(PARTY, "T1", None, WHO)
        await gateway.settled()
        assert set(gateway.memory("tariffs")) == {"NL*ABC/T1/FR*EMS"}
        await gateway.put_tariffs(tariff("T1"))
        await gateway.settled()
        assert len(gateway.memory("tariffs")) == 2


async def test_shadow_mode_sends_nothing_and_going_live_sends_all(database_url: str) -> None:
    async with rig(database_url, mode=Mode.SHADOW) as gateway:
        await gateway.put_tariffs(tariff())
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1"])), location("L2"))
        await gateway.report(report("CHARGING", later(1)))
        await gateway.quiet()
        assert not gateway.hubject.requests
        assert not gateway.memory("locations")
        issues = await gateway.app.services.network.issues(PARTY, "L1")
        assert {issue.connection for issue in issues} >= {"hubject"}
        for hub in ("gireve", "hubject"):
            counts = (await gateway.app.services.connections.difference(hub, None, None, 10)).counts
            assert [count.pending for count in counts] == [0, 0]
            assert all(count.shadowed == count.wanted > 0 for count in counts)
            await gateway.app.services.connections.set_mode(hub, Mode.LIVE, WHO)
        await gateway.settled()
        assert len(gateway.memory("evse_status")) == 2
        assert gateway.hubject.requests["evse_status", "603"] == 0
        assert await gateway.letters() == {}


async def test_a_connection_that_is_off_renders_nothing_and_loses_nothing(database_url: str) -> None:
    async with rig(database_url, "hubject", mode=Mode.OFF) as gateway:
        await gateway.put(location())
        await gateway.report(report("CHARGING", later(1)))
        assert not gateway.hubject.requests
        await gateway.app.services.connections.set_mode("hubject", Mode.LIVE, WHO)
        await gateway.settled()
        assert gateway.statuses("NLABCEL1") == ["Occupied"]


async def test_every_status_of_the_vocabulary_arrives(database_url: str) -> None:
    async with rig(database_url) as gateway:
        await gateway.put(location())
        for second, status in enumerate(one for one in EvseStatus if one is not EvseStatus.REMOVED):
            await gateway.report(report_by_id(status, later(second + 1), "nlabcel1"))
            await gateway.settled()
            assert gateway.memory("locations")["NL*ABC/L1/U1"]["status"] == status
