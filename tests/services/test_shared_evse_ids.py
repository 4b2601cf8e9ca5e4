"""One EvseID under several EVSEs: one projection at hubs that know EVSEs by it, and the newest is sent."""

import asyncio
import gzip
import json
from collections import defaultdict

from adapters.core.connection import Scope
from mappings.canonical.ids import EvseId
from mappings.canonical.locations import EvseStatus, Location
from mappings.ocpi.v2_2_1 import locations as ocpi_locations
from mappings.report import Refused
from tests.harness import (
    NOWHERE,
    PARTY,
    WHO,
    Services,
    evse,
    idle,
    later,
    location,
    report,
    report_by_id,
    rig,
)
from tests.shared import shared_path

KEY = "NLABCE1"


async def winner(gateway: Services, key: str = KEY) -> str | None:
    """The location whose EVSE is sent under a key; data and status agree."""
    found = [row for (_, of), row in (await gateway.rows(connection="hubject")).items() if of == key]
    alive = {row["location_id"] for row in found if not row["gone"]}
    assert len(alive) <= 1
    assert not alive or len(found) == 2
    return alive.pop() if alive else None


def copy(location_id: str, at: float = 0, status: str = "AVAILABLE", evse_id: str = "NL*ABC*E1") -> Location:
    return location(location_id, evse("U1", evse_id, later(at), status=status))


async def test_the_newest_wins_and_ties_go_to_the_smaller_location_id(database_url: str) -> None:
    async with idle(database_url, "hubject") as gateway:
        await gateway.put(copy("M"))
        assert await winner(gateway) == "M"
        await gateway.put(copy("N"))
        assert await winner(gateway) == "M"
        await gateway.put(copy("A"))
        assert await winner(gateway) == "A"
        await gateway.put(copy("Z", 5))
        assert await winner(gateway) == "Z"
        await gateway.put(copy("A", 6))
        assert await winner(gateway) == "A"


async def test_spellings_of_one_id_are_one_id(database_url: str) -> None:
    async with idle(database_url, "hubject") as gateway:
        await gateway.put(copy("A", evse_id="NL*ABC*E1"), copy("B", 1, evse_id="nlabce1"))
        assert await winner(gateway) == "B"


async def test_a_report_makes_the_loser_take_over_and_the_new_winner_is_told(database_url: str) -> None:
    async with rig(database_url, "hubject") as gateway:
        await gateway.put(copy("A"), copy("B"))
        await gateway.settled()
        assert await winner(gateway) == "A"
        await gateway.report(report("CHARGING", later(5), "B"))
        assert await winner(gateway) == "B"
        await gateway.settled()
        assert gateway.memory("evse_status")[KEY]["EvseStatus"] == "Occupied"
        # The same status with a newer stamp takes over as well.
        await gateway.report(report("AVAILABLE", later(6), "A"))
        await gateway.settled()
        assert (await winner(gateway), gateway.memory("evse_status")[KEY]["EvseStatus"]) == ("A", "Available")
        assert len(gateway.memory("evse_data")) == 1


async def test_a_report_of_the_loser_that_is_not_newer_than_the_winner_changes_nothing(database_url: str) -> None:
    async with idle(database_url, "hubject") as gateway:
        await gateway.put(copy("A", 10), copy("B"))
        wanted = (await gateway.rows())["evse_status", KEY]["wanted"]
        assert await gateway.report(report("CHARGING", later(5), "B")) == ["applied"]
        assert await winner(gateway) == "A"
        assert (await gateway.rows())["evse_status", KEY]["wanted"] == wanted


async def test_reports_of_both_copies_in_one_call_leave_the_newest(database_url: str) -> None:
    async with idle(database_url, "hubject") as gateway:
        await gateway.put(copy("A"), copy("B"))
        await gateway.report(report("CHARGING", later(2), "A"), report("RESERVED", later(3), "B"))
        assert await winner(gateway) == "B"
        await gateway.report(report("BLOCKED", later(5), "A"), report("AVAILABLE", later(4), "B"))
        assert await winner(gateway) == "A"


async def test_a_report_by_id_reaches_both_copies_and_the_smaller_location_id_is_sent(database_url: str) -> None:
    async with rig(database_url, "hubject") as gateway:
        await gateway.put(copy("A"), copy("B", 1))
        await gateway.settled()
        assert await winner(gateway) == "B"
        assert await gateway.report(report_by_id("CHARGING", later(5), "nl*abc*e1")) == ["applied"]
        assert await winner(gateway) == "A"
        assert [await gateway.status(one) for one in "AB"] == [EvseStatus.CHARGING] * 2
        await gateway.settled()
        assert gateway.memory("evse_status")[KEY]["EvseStatus"] == "Occupied"


async def test_the_loser_takes_over_when_the_winner_goes_in_whatever_way(database_url: str) -> None:
    async with idle(database_url, "hubject") as gateway:
        await gateway.put(copy("A", 5), copy("B"))
        await gateway.report(report("REMOVED", later(6), "A"))
        assert await winner(gateway) == "B"
        await gateway.put(copy("A", 7))
        assert await winner(gateway) == "A"
        await gateway.withdraw("A")
        assert await winner(gateway) == "B"
        await gateway.put(copy("A", 8))
        await gateway.put(location("A", evse("U2", "NL*ABC*E2")))
        assert await winner(gateway) == "B"
        await gateway.put(copy("A", 9), copy("B", 1, evse_id="NL*ABC*E5"))
        assert (await winner(gateway), await winner(gateway, "NLABCE5")) == ("A", "B")
        await gateway.put(copy("A", 10, evse_id="NL*ABC*E5"))
        assert (await winner(gateway), await winner(gateway, "NLABCE5")) == (None, "A")
        await gateway.withdraw("A")
        await gateway.withdraw("B")
        assert await winner(gateway, "NLABCE5") is None


async def test_the_loser_tells_who_is_sent_in_its_place(database_url: str) -> None:
    async with idle(database_url, "hubject") as gateway:
        await gateway.put(copy("A", 5), copy("B"))
        network = gateway.app.services.network
        issues = [one for one in await network.issues(PARTY, "B") if one.key == KEY]
        assert {one.operation for one in issues} == {"evse_data", "evse_status"}
        assert all("NL*ABC/A/U1" in one.issue.detail for one in issues)
        assert [one for one in await network.issues(PARTY, "A") if "newer" in one.issue.detail] == []


async def test_a_copy_out_of_scope_does_not_take_part(database_url: str) -> None:
    async with idle(database_url) as gateway:
        scope = Scope(locations=frozenset({"NL*ABC/B"}))
        await gateway.connect("hubject", NOWHERE["hubject"], scope=scope)
        await gateway.put(copy("A", 5), copy("B"))
        assert await winner(gateway) == "B"
        await gateway.report(report("CHARGING", later(9), "A"))
        assert await winner(gateway) == "B"
        connections = gateway.app.services.connections
        await connections.set_scope("hubject", Scope(), WHO)
        assert await winner(gateway) == "A"
        await connections.set_scope("hubject", scope, WHO)
        assert await winner(gateway) == "B"


async def test_writers_and_reporters_at_once_end_with_the_newest(database_url: str) -> None:
    """Two replicas put and report both copies at the same time: whoever is newest in the end is sent."""
    async with idle(database_url, "hubject") as one, idle(database_url) as other:
        keys = [f"NLABCE{number}" for number in range(8)]
        names = [f"NL*ABC*E{number}" for number in range(8)]
        for step in range(1, 40, 2):

            async def put(gateway: Services, prefix: str, at: float) -> None:
                await gateway.put(
                    *(location(f"{prefix}{index}", evse("U1", name, later(at))) for index, name in enumerate(names))
                )

            async def tell(gateway: Services, prefix: str, at: float) -> None:
                status = ("CHARGING", "AVAILABLE")[int(at) % 2]
                await gateway.report(*(report(status, later(at), f"{prefix}{index}") for index in range(8)))

            await asyncio.gather(
                put(one, "A", step), put(other, "B", step), tell(one, "A", step + 0.6), tell(other, "B", step + 0.5)
            )
            expected = {
                row["evse_key"]: row["location_id"]
                for row in await one.app.store.fetch(
                    "SELECT DISTINCT ON (evse_key) evse_key, location_id FROM evse"
                    " ORDER BY evse_key, status_at DESC, location_id"
                )
            }
            assert {key: await winner(one, key) for key in keys} == expected


def _dutch_pairs(most: int) -> list[Location]:
    """Locations of the Dutch feed that share EvseIDs, and as many that do not."""
    by_key: defaultdict[str, set[int]] = defaultdict(set)
    lines: list[bytes] = []
    with gzip.open(shared_path("data/nl/locations-2026-06-07.ndjson.gz")) as feed:
        for number, line in enumerate(feed):
            lines.append(line)
            if number >= 30_000:
                break
            for each in json.loads(line).get("evses") or ():
                if each.get("evse_id"):
                    by_key[EvseId(each["evse_id"]).normal].add(number)
    pairs = sorted({number for numbers in by_key.values() if len(numbers) > 1 for number in numbers})[:most]
    chosen = sorted({*pairs, *range(100)})
    found = []
    for number in chosen:
        try:
            found.append(ocpi_locations.to_canonical(json.loads(lines[number]))[0])
        except Refused:
            continue
    return found


async def test_the_dutch_pairs_end_with_one_record_each_and_the_right_one(database_url: str) -> None:
    locations = _dutch_pairs(300)
    async with rig(database_url, "hubject") as gateway:
        for start in range(0, len(locations), 50):
            await gateway.put(*locations[start : start + 50])
        await gateway.settled(seconds=60)
        rights: dict[str, tuple[object, ...]] = {}
        candidates: defaultdict[str, int] = defaultdict(int)
        for each in locations:
            for one in each.evses:
                if one.evse_id is None or one.status is EvseStatus.REMOVED:
                    continue
                key = one.evse_id.normal
                candidates[key] += 1
                rank = (-one.last_updated.timestamp(), each.id, each.party.normal, one.uid)
                rights[key] = min(rights.get(key, rank), rank)
        rows = {key: row for (_, key), row in (await gateway.rows("evse_data")).items() if row["shared"]}
        assert rows.keys() == rights.keys()
        assert sum(count > 1 for count in candidates.values()) > 5
        for key, row in rows.items():
            assert (row["location_id"], row["uid"]) == (rights[key][1], rights[key][3])
        assert set(gateway.memory("evse_data")) <= rows.keys()
