"""Hubs that fail: nothing is lost, and what they know is equal in the end."""

import asyncio
import time
from typing import Any

import pytest

from adapters.core.connection import Mode
from mappings.canonical.locations import EvseStatus
from tests.harness import WHO, Rig, eventually, evse, later, location, replica, report, rig, tariff


async def network(gateway: Rig, count: int = 12) -> None:
    await gateway.put_tariffs(tariff())
    await gateway.put(
        *(location(f"L{number}", evse("U1", f"NL*ABC*E{number}", tariffs=["T1"])) for number in range(count))
    )


async def changes(gateway: Rig, steps: int = 10, count: int = 12) -> None:
    """Status changes with some time between them."""
    for step in range(1, steps + 1):
        status = ("CHARGING", "AVAILABLE", "BLOCKED")[step % 3]
        await gateway.report(*(report(status, later(step), f"L{number}") for number in range(step % 2, count, 2)))
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "close", "probability": 0.4},
        {"kind": "drop", "probability": 0.4},
        {"kind": "truncate", "probability": 0.4},
        {"kind": "error", "status": 500, "probability": 0.4},
        {"kind": "error", "status": 503, "probability": 0.4},
        {"kind": "throttle", "probability": 0.3},
        {"kind": "delay", "seconds": 0.05, "probability": 0.7},
    ],
    ids=lambda fault: f"{fault['kind']}-{fault.get('status', '')}".strip("-"),
)
async def test_whatever_fails_at_random_nothing_is_lost(database_url: str, fault: dict[str, Any]) -> None:
    async with rig(database_url) as gateway:
        for hub in ("gireve", "hubject"):
            gateway.fail(hub, **fault, path="(receiver|records)", count=4)
        await network(gateway)
        await changes(gateway)
        await gateway.put(location("L0", evse("U1", "NL*ABC*E0", later(50))), location("L1", evse("U2", "NL*ABC*E1")))
        await gateway.withdraw("L2")
        await gateway.settled(seconds=40)
        assert await gateway.letters() == {}
        assert gateway.hubject.requests["evse_data", "parallel"] == 0


async def test_a_hub_that_is_down_gets_everything_when_it_is_back(database_url: str) -> None:
    async with rig(database_url) as gateway:
        await network(gateway)
        await gateway.settled()
        for server in gateway.servers.values():
            await server.refuse_connections()
        await changes(gateway)
        await gateway.withdraw("L3")
        await eventually(lambda: failed(gateway), "both hubs were tried in vain")
        for server in gateway.servers.values():
            await server.listen()
        await gateway.settled()


async def failed(gateway: Rig) -> bool:
    found = await gateway.app.store.fetch("SELECT DISTINCT operation FROM lane WHERE attempts > 0")
    return {row["operation"] for row in found} >= {"locations", "evse_data"}


async def test_retry_after_is_kept_by_every_lane(database_url: str) -> None:
    async with rig(database_url, "gireve") as gateway:
        await network(gateway)
        await gateway.settled()
        gateway.fail("gireve", "throttle", path="receiver", seconds=2, count=1)
        began = time.monotonic()
        await gateway.report(report("CHARGING", later(1), "L0"))
        await eventually(lambda: gateway.gireve.faults.shown() == [], "throttled")
        told = len(gateway.gireve.receipts)
        await gateway.report(*(report("CHARGING", later(1), f"L{number}") for number in range(1, 12)))
        await eventually(lambda: len(gateway.gireve.receipts) > told, "told")
        assert time.monotonic() - began >= 2
        await gateway.settled()


async def test_gireve_gets_what_failed_before_what_is_newer(database_url: str) -> None:
    async with rig(database_url, "gireve") as gateway:
        await gateway.put(location())
        await gateway.settled()
        gateway.fail("gireve", "error", path="receiver", status=500)
        await gateway.report(report("CHARGING", later(1)))
        await eventually(lambda: attempted(gateway), "the attempt is kept")
        await gateway.report(report("BLOCKED", later(2)))
        await gateway.report(report("RESERVED", later(3)))
        gateway.mend()
        await gateway.settled()
        assert gateway.statuses("NL*ABC/L1/U1") == ["AVAILABLE", "CHARGING", "RESERVED"]


async def attempted(gateway: Rig) -> bool:
    return bool(await gateway.app.store.fetchval("SELECT count(*) FROM projection WHERE attempt IS NOT NULL"))


async def test_a_kept_attempt_does_not_keep_a_shadowed_connection_busy(database_url: str) -> None:

    async with rig(database_url, "gireve") as gateway:
        await gateway.put(location())
        await gateway.settled()
        gateway.fail("gireve", "error", path="receiver", status=500)
        await gateway.report(report("CHARGING", later(1)))
        await eventually(lambda: attempted(gateway))
        connections = gateway.app.services.connections
        await connections.set_mode("gireve", Mode.SHADOW, WHO)
        await gateway.quiet()
        gateway.mend()
        await connections.set_mode("gireve", Mode.LIVE, WHO)
        await gateway.settled()
        assert gateway.statuses("NL*ABC/L1/U1") == ["AVAILABLE", "CHARGING"]


async def test_hubject_gets_only_the_newest_after_a_failure(database_url: str) -> None:
    async with rig(database_url, "hubject") as gateway:
        await gateway.put(location())
        await gateway.settled()
        gateway.fail("hubject", "error", status=500, count=2)
        await gateway.report(report("CHARGING", later(1)))
        await gateway.report(report("RESERVED", later(3)))
        await gateway.settled()
        assert gateway.statuses("NLABCEL1")[-1] == "Reserved"


async def test_two_gateways_on_one_database_keep_hubject_sequential_and_end_equal(database_url: str) -> None:
    async with rig(database_url) as gateway, replica(gateway) as other:
        for hub in ("gireve", "hubject"):
            for kind in ("close", "drop", "truncate", "error"):
                gateway.fail(hub, kind, probability=0.1, path="(receiver|records)", count=15)
            gateway.fail(hub, "delay", probability=0.5, seconds=0.02, path="(receiver|records)", count=200)
        await network(gateway, 30)
        second = Rig(**{**{name: getattr(gateway, name) for name in Rig.__dataclass_fields__}, "app": other})
        for step in range(1, 30):
            status = ("CHARGING", "AVAILABLE", "BLOCKED")[step % 3]
            halves = [[report(status, later(step), f"L{number}") for number in range(half, 30, 2)] for half in (0, 1)]
            await asyncio.gather(gateway.report(*halves[0]), second.report(*halves[1]))
            if step % 10 == 0:
                await asyncio.gather(
                    gateway.put(location(f"L{step}", evse("U1", f"NL*ABC*E{step}", tariffs=["T1"]), city="Delft")),
                    second.put(location(f"M{step}")),
                )
        await gateway.settled(seconds=40)
        assert gateway.hubject.requests["evse_data", "parallel"] == 0
        assert gateway.hubject.requests["evse_status", "parallel"] == 0
        assert await gateway.letters() == {}
        assert await gateway.status("L5") is EvseStatus.BLOCKED


async def test_a_gateway_that_stops_while_a_hub_is_slow_loses_nothing(database_url: str) -> None:
    async with rig(database_url) as gateway:
        await network(gateway)
        await gateway.settled()
        for hub in ("gireve", "hubject"):
            gateway.fail(hub, "delay", seconds=0.3, path="(receiver|records)")
        await changes(gateway)
        await eventually(lambda: bool(gateway.gireve.faults.shown()[0]["hits"]), "a call is under way")
        await gateway.app.dispatcher.stop()
        assert not [task for task in asyncio.all_tasks() if "Worker" in repr(task)]
        leased = await gateway.app.store.fetchval("SELECT count(*) FROM lane WHERE expires_at > now()")
        assert leased == 0
        gateway.mend()
        await gateway.app.dispatcher.start()
        await gateway.settled()
