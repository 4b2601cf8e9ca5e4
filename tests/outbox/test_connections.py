"""Registration, pauses, credentials that fail, and synchronising anew."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.core.connection import Connection, Mode, Scope, State
from adapters.hubject.sandbox import Partner
from gateway.services.ports import Conflict, Invalid
from mappings.canonical.ids import PartyId
from tests.harness import OTHER, PARTY, TOKEN_A, WHO, Rig, eventually, evse, idle, later, location, report, rig, tariff


async def drive(gateway: Rig, what: str, **body: Any) -> None:
    """Has Gireve do something by itself."""
    url = f"{gateway.servers['gireve'].url}/_sandbox/{what}"
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        assert response.status == 200, await response.text()


async def test_what_is_queued_survives_that_gireve_unregisters_and_registers_again(database_url: str) -> None:
    async with rig(database_url, "gireve") as gateway:
        await gateway.put(location())
        await gateway.settled()
        await drive(gateway, "unregister")
        assert (await gateway.state("gireve"))[0] == "unregistered"
        requests = gateway.gireve.requests["locations", "ok"]
        await gateway.report(report("CHARGING", later(1)))
        await gateway.put(location("L2"))
        assert not await gateway.app.outbox.quiet()
        assert gateway.gireve.requests["locations", "ok"] == requests
        token = await gateway.app.services.connections.expect("gireve", WHO)
        await drive(gateway, "register", versions_url=gateway.public_url + "/ocpi/versions", token=token)
        assert (await gateway.state("gireve"))[0] == "ready"
        await gateway.settled()
        assert gateway.memory("locations")["NL*ABC/L1/U1"]["status"] == "CHARGING"


async def test_what_is_queued_survives_that_we_unregister_and_register_again(database_url: str) -> None:
    async with rig(database_url, "gireve") as gateway:
        connections = gateway.app.services.connections
        await connections.unregister("gireve", WHO)
        await gateway.put(location())
        await connections.register("gireve", TOKEN_A, WHO)
        await gateway.settled()
        with pytest.raises(Conflict):
            await connections.expect("gireve", WHO)


async def test_a_token_that_fails_pauses_at_once_and_new_credentials_end_the_pause(database_url: str) -> None:
    async with rig(database_url, "gireve") as gateway:
        connections = gateway.app.services.connections
        secrets, agreed = (await found(gateway)).secrets, gateway.app.links.agreed
        await connections.adopt("gireve", "a-wrong-token", "what-gireve-presents", secrets.endpoints, WHO)
        await gateway.put(*(location(f"L{number}") for number in range(200)))
        await eventually(lambda: paused(gateway, "gireve"), "paused")
        assert "401" in ((await gateway.state("gireve"))[1] or "")
        refused = sum(count for (_, result), count in gateway.gireve.requests.items() if result.startswith("401"))
        assert 1 <= refused <= 64  # those in flight, and no more
        assert not gateway.memory("locations")
        # Nobody has to resume what nobody paused.
        assert secrets.ours is not None
        await connections.adopt("gireve", secrets.ours, "what-gireve-presents", secrets.endpoints, WHO)
        assert await gateway.state("gireve") == ("ready", None)
        await gateway.settled()
        assert await gateway.letters() == {}
        assert gateway.app.links.agreed == agreed  # none of it touched an agreement, which would be read anew


async def test_a_pause_waits_for_new_credentials_instead_of_locking_them_out(database_url: str) -> None:
    async with rig(database_url, "gireve") as gateway:
        app, connection = gateway.app, await found(gateway)
        waiting = "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = $1"
        async with app.links.changing() as tx:
            pausing = asyncio.create_task(app.outbox.pause(connection, "HTTP 401"))
            await eventually(lambda: app.store.fetchval(waiting, "transactionid"), "waiting")
            # A wait here would be a deadlock.
            await tx.execute("SELECT FROM connection WHERE id = $1 FOR UPDATE NOWAIT", connection.id)
            await tx.execute("UPDATE connection SET state = 'unregistered' WHERE id = $1", connection.id)
        await pausing
        assert (await gateway.state("gireve"))[0] == "unregistered"


async def found(gateway: Rig) -> Connection:
    """The connection to Gireve with its secrets."""
    link = gateway.app.links.by_name("gireve")
    assert link is not None
    return link.connection


async def paused(gateway: Rig, hub: str) -> bool:
    """Whether a connection is paused in the store, and this process knows it."""
    link = gateway.app.links.by_name(hub)
    assert link is not None
    return link.connection.state is State.PAUSED and (await gateway.state(hub))[0] == "paused"


async def test_a_connection_adopted_with_tokens_and_endpoints_is_shown_first_and_then_works(database_url: str) -> None:
    async with rig(database_url, "gireve") as gateway:
        connections = gateway.app.services.connections
        secrets = (await found(gateway)).secrets
        assert secrets.ours is not None
        await connections.pause("gireve", "moves", WHO)
        await connections.create("moved", "gireve", Mode.SHADOW, Scope(), gateway.settings["gireve"], WHO)
        await connections.adopt("moved", secrets.ours, "theirs", secrets.endpoints, WHO)
        with pytest.raises(Conflict, match="another connection"):
            await connections.adopt("gireve", secrets.ours, "theirs", secrets.endpoints, WHO)
        view = await connections.get("moved")
        assert (view.state, view.registered, view.ours_hint) == ("ready", True, secrets.ours[-4:])
        await gateway.put(location())

        async def shown() -> bool:
            counts = (await connections.difference("moved", "locations", None, 10)).counts
            return [count.shadowed for count in counts] == [2]

        await eventually(shown, "the first synchronisation is shown")
        assert not gateway.memory("locations")
        await connections.set_mode("moved", Mode.LIVE, WHO)
        await eventually(lambda: len(gateway.memory("locations")) == 2, "told")


async def test_a_persons_pause_tries_nothing_and_outlives_a_new_registration(database_url: str) -> None:
    async with rig(database_url) as gateway:
        connections = gateway.app.services.connections
        await gateway.put(location())
        await gateway.settled()
        for hub in ("gireve", "hubject"):
            await connections.pause(hub, "work on the platform", WHO)
        before = gateway.gireve.requests["locations", "ok"], gateway.hubject.requests.copy()
        await gateway.report(report("CHARGING", later(1)))
        await drive(gateway, "unregister")
        assert await gateway.state("gireve") == ("paused", "work on the platform")
        token = await connections.expect("gireve", WHO)
        await drive(gateway, "register", versions_url=gateway.public_url + "/ocpi/versions", token=token)
        assert await gateway.state("gireve") == ("paused", "work on the platform")
        assert (gateway.gireve.requests["locations", "ok"], gateway.hubject.requests) == before
        for hub in ("gireve", "hubject"):
            await connections.resume(hub, WHO)
            assert await gateway.state(hub) == ("ready", None)
        await gateway.settled()
        with pytest.raises(Conflict, match="not paused"):
            await connections.resume("hubject", WHO)


def swapped(files: Sequence[Path]) -> list[bytes]:
    """Puts the other partner's certificate in place of ours; gives what was there."""
    own = [path.read_bytes() for path in files]
    restored(files, [path.with_name(path.name.replace("NL-ABC", "NL-XYZ")).read_bytes() for path in files])
    return own


def restored(files: Sequence[Path], contents: Sequence[bytes]) -> None:
    """Writes files."""
    for path, content in zip(files, contents, strict=True):
        path.write_bytes(content)


async def test_a_wrong_certificate_pauses_and_resuming_goes_on(database_url: str, tmp_path: Path) -> None:
    partners = [Partner(PARTY), Partner(OTHER)]
    async with rig(database_url, "hubject", partners=partners, folder=tmp_path) as gateway:
        await gateway.put(location())
        await gateway.settled()
        settings = gateway.settings["hubject"]
        files = Path(settings["client_certificate"]), Path(settings["client_key"])
        own = swapped(files)
        await gateway.report(report("CHARGING", later(1)))
        await eventually(lambda: paused(gateway, "hubject"), "paused")
        assert "017" in ((await gateway.state("hubject"))[1] or "")
        requests = gateway.hubject.requests.copy()
        await gateway.report(report("BLOCKED", later(2)))
        await gateway.put(location("L2"))
        assert gateway.hubject.requests == requests
        restored(files, own)
        await gateway.app.services.connections.resume("hubject", WHO)
        await gateway.settled()
        assert gateway.statuses("NLABCEL1") == ["Available", "Occupied"]


async def test_settings_whose_files_are_missing_harm_no_other_connection(database_url: str) -> None:
    async with rig(database_url, "hubject") as gateway:
        bad = {"sandbox": True, "client_certificate": "/nowhere/cert.pem", "ca_file": "/nowhere/ca.pem"}
        with suppress(Invalid):
            await gateway.app.services.connections.create("bad", "gireve", Mode.LIVE, Scope(), bad, WHO)
        await gateway.put(location())
        await eventually(lambda: "NLABCEL1" in gateway.memory("evse_status"), "told")


# Synchronising anew


async def test_a_full_load_carries_the_records_of_every_sub_operator(database_url: str) -> None:
    subs = frozenset({OTHER, PartyId("NL*SUB")})
    async with rig(database_url, "hubject", partners=[Partner(PARTY, sub_operators=subs)]) as gateway:
        await gateway.put(location("L1"), location("L1", party=OTHER), location("L1", party=PartyId("NL*SUB")))
        await gateway.settled()
        gateway.hubject.memory["evse_data"]["NLXYZEL1"]["HotlinePhoneNumber"] = "+49000"
        gateway.hubject.books["evse_data"].act("delete", "NL*ABC", {"NLSUBEL1": {}})
        assert await gateway.app.services.connections.resync("hubject", WHO) == 6
        await gateway.settled()
        assert set(gateway.memory("evse_data")) == {"NLABCEL1", "NLXYZEL1", "NLSUBEL1"}
        assert gateway.hubject.requests["evse_data", "ok"] == 2


async def test_everything_is_told_anew_to_a_hub_that_lost_everything(database_url: str) -> None:
    async with rig(database_url) as gateway:
        await gateway.put_tariffs(tariff())
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1"])), location("L2"))
        await gateway.report(report("CHARGING", later(1)))
        await gateway.settled()
        gateway.hubject.forget()
        gateway.gireve.forget()
        for hub in ("gireve", "hubject"):
            await gateway.app.services.connections.resync(hub, WHO)
        await gateway.settled()
        assert await gateway.letters() == {}
        assert gateway.memory("evse_status")["NLABCE1"]["EvseStatus"] == "Occupied"


async def test_a_full_load_that_is_refused_is_told_in_batches(database_url: str) -> None:
    async with rig(database_url, "hubject", partners=[Partner(PARTY)]) as gateway:
        await gateway.put(*(location(f"L{number}") for number in range(20)), location("L1", party=OTHER))
        await gateway.settled()
        assert set(await gateway.letters()) == {"NLXYZEL1"}
        gateway.hubject.forget()
        await gateway.app.services.connections.resync("hubject", WHO)
        await gateway.settled()
        assert len(gateway.memory("evse_data")) == 20
        assert set(await gateway.letters()) == {"NLXYZEL1"}
        assert gateway.hubject.requests["evse_data", "018"] >= 2


async def test_what_a_full_load_left_out_is_known_to_be_gone(database_url: str) -> None:
    async with rig(database_url, "hubject") as gateway:
        await gateway.put(location("L1"), location("L2"))
        await gateway.settled()
        gateway.fail("hubject", "refuse", path="data-records", code="022")
        await gateway.put(location("L1", city="Delft"))
        await gateway.settled()
        gateway.mend()
        # The scheduled synchronisation leaves out what was refused, and so takes it off the hub.
        await gateway.app.store.execute("UPDATE full_sync SET due_at = now()")
        await eventually(lambda: set(gateway.memory("evse_data")) == {"NLABCEL2"}, "the full load")
        await gateway.settled()
        await gateway.put(location("L1", city="Gouda"))
        await gateway.settled()
        assert set(gateway.memory("evse_data")) == {"NLABCEL1", "NLABCEL2"}


async def test_a_network_too_big_for_one_request_is_synchronised_record_by_record(database_url: str) -> None:
    async with rig(database_url, "hubject", hubject_settings={"full_load_max": 10, "data_batch": 8}) as gateway:
        await gateway.put(*(location(f"L{number}") for number in range(30)))
        await gateway.settled()
        gateway.hubject.forget()
        await gateway.app.services.connections.resync("hubject", WHO)
        await gateway.settled()
        assert len(gateway.memory("evse_data")) == 30


async def test_a_full_load_is_scheduled_daily_and_again_after_each(database_url: str) -> None:
    async with rig(database_url, "hubject") as gateway:
        ahead = await gateway.app.store.fetchval("SELECT due_at - now() FROM full_sync WHERE operation = 'evse_data'")
        assert timedelta(hours=23) < ahead <= timedelta(hours=24)
        await gateway.put(location())
        await gateway.settled()
        await gateway.app.store.execute("UPDATE full_sync SET due_at = now()")
        await gateway.settled()
        ahead = await gateway.app.store.fetchval("SELECT due_at - now() FROM full_sync WHERE operation = 'evse_data'")
        assert timedelta(hours=23) < ahead <= timedelta(hours=24)
        assert gateway.hubject.requests["evse_data", "ok"] == 2


async def test_changes_during_a_full_load_are_told_after_it(database_url: str) -> None:
    async with rig(database_url, "hubject") as gateway:
        await gateway.put(*(location(f"L{number}") for number in range(5)))
        await gateway.settled()
        gateway.fail("hubject", "delay", path="data-records", seconds=0.5, count=1)
        await gateway.app.services.connections.resync("hubject", WHO)
        await eventually(lambda: not gateway.hubject.faults.shown(), "the full load is under way")
        await gateway.put(location("L1", city="Delft"), location("L9"))
        await gateway.withdraw("L2")
        await gateway.report(report("CHARGING", later(5), "L0"))
        await gateway.settled()
        assert gateway.memory("evse_data")["NLABCEL1"]["Address"]["City"] == "Delft"
        assert "NLABCEL2" not in gateway.memory("evse_data")
        assert "NLABCEL9" in gateway.memory("evse_data")


async def test_an_adopted_connection_needs_every_endpoint_that_is_called(database_url: str) -> None:
    async with rig(database_url, "gireve") as gateway:
        connections = gateway.app.services.connections
        complete = dict((await found(gateway)).secrets.endpoints)
        modules = dict(complete["modules"])
        del modules["locations/RECEIVER"]
        for endpoints in (
            {},
            complete | {"modules": modules},
            complete | {"modules": modules | {"locations/RECEIVER": "http://8.8.8.8/x"}},
        ):
            with pytest.raises(Invalid, match="endpoints"):
                await connections.adopt("gireve", "ours", "theirs", endpoints, WHO)
        assert (await gateway.state("gireve"))[0] == "ready"


async def test_changed_settings_send_what_they_change_and_nothing_else(database_url: str) -> None:
    async with rig(database_url, "hubject") as gateway:
        connections = gateway.app.services.connections
        await gateway.put(location())
        await gateway.settled()
        settings = dict((await connections.get("hubject")).settings)
        pushes = gateway.hubject.requests["evse_data", "ok"]
        await connections.set_settings("hubject", settings, WHO)
        await gateway.settled()
        assert gateway.hubject.requests["evse_data", "ok"] == pushes
        hotline = {"defaults": settings["defaults"] | {"hotline": "+31209876543"}}
        await connections.set_settings("hubject", settings | hotline, WHO)
        await gateway.settled()
        records = gateway.memory("evse_data").values()
        assert {record["HotlinePhoneNumber"] for record in records} == {"+31209876543"}
        with pytest.raises(Invalid, match=r"settings\.operator_id"):
            await connections.set_settings("hubject", settings | {"operator_id": "nobody"}, WHO)


async def test_a_connection_is_removed_only_when_it_is_off_and_not_registered(database_url: str) -> None:
    async with rig(database_url, "gireve") as gateway:
        connections = gateway.app.services.connections
        await gateway.put(location())
        await gateway.settled()
        with pytest.raises(Conflict, match="switch it off"):
            await connections.remove("gireve", WHO)
        await connections.set_mode("gireve", Mode.OFF, WHO)
        with pytest.raises(Conflict, match="unregister it"):
            await connections.remove("gireve", WHO)
        await connections.unregister("gireve", WHO)
        with pytest.raises(Conflict, match="not registered"):
            await connections.unregister("gireve", WHO)
        await connections.remove("gireve", WHO)
        assert await connections.list() == []
        assert not await gateway.app.store.fetch("SELECT FROM projection")
        await gateway.put(location("L2"))


async def test_home_speaks_before_any_hub_and_has_one_connection(database_url: str) -> None:
    async with idle(database_url, "hubject") as services:
        await services.connect("home", {})
        ranks = {
            row["name"]: row["rank"] for row in await services.app.store.fetch("SELECT name, rank FROM connection")
        }
        assert ranks["home"] < ranks["hubject"]
        with pytest.raises(Conflict, match="home"):
            await services.app.services.connections.create("home2", "home", Mode.LIVE, Scope(), {}, WHO)


async def test_a_call_that_failed_before_the_connection_was_made_ready_again_pauses_nothing(database_url: str) -> None:
    async with rig(database_url, "gireve") as gateway:
        app, before = gateway.app, await found(gateway)
        assert await app.outbox.pause(before, "HTTP 401")
        await app.links.refresh()
        await app.services.connections.resume("gireve", WHO)
        assert not await app.outbox.pause(before, "HTTP 401")
        assert await gateway.state("gireve") == ("ready", None)
        assert await app.outbox.pause(await found(gateway), "HTTP 401")
