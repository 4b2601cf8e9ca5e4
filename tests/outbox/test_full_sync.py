"""Full synchronisations of operations of which one follows the other."""

from tests.harness import WHO, Rig, eventually, evse, later, location, report, rig


def pushes(gateway: Rig, operation: str) -> dict[str, int]:
    """How many pushes of an operation the hub took or refused, by its code."""
    return {code: count for (of, code), count in gateway.hubject.requests.items() if of == operation}


async def due(gateway: Rig) -> None:
    """Lets every full synchronisation fall due, as a day does."""
    await gateway.app.store.execute("UPDATE full_sync SET due_at = now()")
    await gateway.quiet()


async def test_data_and_then_statuses_are_loaded_whole_once(database_url: str) -> None:
    async with rig(database_url, "hubject") as gateway:
        await gateway.put(*(location(f"L{number}") for number in range(5)), location("L9", evse("U1", "nonsense")))
        await gateway.report(report("CHARGING", later(1)))
        await gateway.settled()
        gateway.hubject.forget()
        gateway.hubject.requests.clear()
        await gateway.app.services.connections.resync("hubject", WHO)
        await gateway.settled()
        assert pushes(gateway, "evse_data") == pushes(gateway, "evse_status") == {"ok": 1}
        assert {key: one["EvseStatus"] for key, one in gateway.memory("evse_status").items()} == {
            "NLABCEL0": "Available",
            "NLABCEL1": "Occupied",
            "NLABCEL2": "Available",
            "NLABCEL3": "Available",
            "NLABCEL4": "Available",
        }


async def test_a_daily_load_of_statuses_mends_what_strayed(database_url: str) -> None:
    async with rig(database_url, "hubject") as gateway:
        await gateway.put(location("L1"), location("L2"))
        await gateway.settled()
        book = gateway.hubject.books["evse_status"]
        book.act("update", "NL*ABC", {"NLABCEL1": {"EvseID": "NL*ABC*EL1", "EvseStatus": "Occupied"}})
        book.act("insert", "NL*ABC", {"NLABCEL7": {"EvseID": "NL*ABC*EL7", "EvseStatus": "Occupied"}})
        assert not (await gateway.equality("hubject", "evse_status")).equal
        await due(gateway)
        await gateway.assert_equal()
        assert set(gateway.memory("evse_status")) == {"NLABCEL1", "NLABCEL2"}


async def test_an_evse_whose_data_was_refused_has_no_status_in_the_load(database_url: str) -> None:
    async with rig(database_url, "hubject") as gateway:
        await gateway.put(location("L1"), location("L2"))
        await gateway.settled()
        gateway.fail("hubject", "refuse", path="data-records", code="022")
        await gateway.put(location("L1", city="Delft"))
        await gateway.quiet()
        gateway.mend()
        await due(gateway)
        await gateway.assert_equal()
        assert set(gateway.memory("evse_status")) == set(gateway.memory("evse_data")) == {"NLABCEL2"}
        assert set(pushes(gateway, "evse_status")) == {"ok"}
        # Its statuses wait for its data.
        await gateway.report(report("CHARGING", later(1)))
        await gateway.quiet()
        assert set(pushes(gateway, "evse_status")) == {"ok"}
        await gateway.put(location("L1", city="Gouda"))
        await gateway.settled()
        assert gateway.memory("evse_status")["NLABCEL1"]["EvseStatus"] == "Occupied"
        assert await gateway.letters() == {}


async def test_statuses_are_not_loaded_while_data_is_told_record_by_record(database_url: str) -> None:
    small = {"full_load_max": 20, "data_batch": 3}
    async with rig(database_url, "hubject", hubject_settings=small) as gateway:
        await gateway.put(*(location(f"L{number}") for number in range(20)))
        await gateway.settled()
        gateway.hubject.forget()
        # The data's load is refused once; until all of it is told, a load of statuses would be, too.
        gateway.fail("hubject", "refuse", path="data-records", code="022", count=1)
        await due(gateway)
        await gateway.assert_equal()
        assert len(gateway.memory("evse_status")) == 20
        assert set(pushes(gateway, "evse_status")) == {"ok"}
        assert await gateway.letters() == {}


async def test_statuses_go_on_while_the_datas_load_fails(database_url: str) -> None:
    async with rig(database_url, "hubject") as gateway:
        await gateway.put(location("L1"), location("L2"))
        await gateway.settled()
        gateway.fail("hubject", "refuse", path="data-records", code="320")
        await gateway.app.store.execute("UPDATE full_sync SET due_at = now()")
        await gateway.report(report("CHARGING", later(1)))
        await eventually(lambda: gateway.memory("evse_status")["NLABCEL1"]["EvseStatus"] == "Occupied", "the status")
        gateway.mend()
        await gateway.settled()


async def test_a_status_under_way_while_everything_is_asked_for_anew_waits_for_the_data_like_the_others(
    database_url: str,
) -> None:
    async with rig(database_url, "hubject") as gateway:
        await gateway.put(location("L1"), location("L2"))
        await gateway.settled()
        gateway.fail("hubject", "delay", path="status-records", seconds=0.5, count=1)
        gateway.fail("hubject", "delay", path="data-records", seconds=2, count=1)
        await gateway.report(report("CHARGING", later(1)))
        await eventually(lambda: len(gateway.hubject.faults.shown()) == 1, "the status is under way")
        gateway.hubject.requests.clear()
        await gateway.app.services.connections.resync("hubject", WHO)
        await gateway.report(report("OUTOFORDER", later(2)))
        await gateway.settled()
        # The one that was under way, and the load.
        assert pushes(gateway, "evse_status") == {"ok": 2}
        assert gateway.memory("evse_status")["NLABCEL1"]["EvseStatus"] == "OutOfService"
