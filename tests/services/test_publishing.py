"""Writing the network."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from adapters.core.connection import Mode, Scope
from gateway.app import now
from gateway.services.ports import Conflict, HubIssue
from mappings.canonical.ids import EvseId
from mappings.canonical.locations import Evse, EvseStatus
from mappings.report import Issue, IssueKind
from tests.harness import (
    AT,
    NOWHERE,
    OTHER,
    PARTY,
    WHO,
    Services,
    eventually,
    evse,
    idle,
    later,
    location,
    report,
    rig,
    tariff,
)


async def outcomes(gateway: Services, *locations: object, **options: object) -> list[str]:
    return [result.outcome for result in await gateway.put(*locations, **options)]  # type: ignore[arg-type]


async def test_the_same_again_writes_nothing(database_url: str) -> None:
    async with idle(database_url, "gireve", "hubject") as gateway:
        assert await outcomes(gateway, location(), location("L2")) == ["created", "created"]
        await gateway.put_tariffs(tariff())
        marks = (
            "SELECT array_agg(xmin::text ORDER BY no) FROM location UNION ALL SELECT array_agg(xmin::text) FROM tariff"
        )
        marks += " UNION ALL SELECT array_agg(xmin::text ORDER BY connection_id, key, operation) FROM projection"
        before = await gateway.app.store.fetch(marks)
        assert await outcomes(gateway, location(), location("L2")) == ["unchanged", "unchanged"]
        assert [result.outcome for result in await gateway.put_tariffs(tariff())] == ["unchanged"]
        assert await gateway.app.store.fetch(marks) == before


async def test_a_change_raises_the_revision_and_a_stale_revision_conflicts(database_url: str) -> None:
    async with idle(database_url) as gateway:
        with pytest.raises(Conflict, match="nothing is stored"):
            await gateway.put(location(), if_revision=1)
        await gateway.put(location())
        assert await outcomes(gateway, location(city="Delft"), if_revision=1) == ["updated"]
        with pytest.raises(Conflict, match="revision 2 is stored"):
            await gateway.put(location(city="Gouda"), if_revision=1)
        stored = await gateway.app.services.network.location(PARTY, "L1")
        assert stored is not None
        assert (stored.revision, stored.location.city) == (2, "Delft")


async def test_of_a_location_that_stands_twice_in_a_batch_the_last_is_stored(database_url: str) -> None:
    async with idle(database_url, "gireve", "hubject") as gateway:
        first, last = location(city="Delft"), location("L1", evse("U9", "NL*ABC*E9"), city="Gouda")
        assert await outcomes(gateway, first, location("L2"), last) == ["created"] * 3
        stored = await gateway.app.services.network.location(PARTY, "L1")
        assert stored is not None
        assert stored.location.city == "Gouda"
        assert ("evse_data", "NLABCE9") in await gateway.rows()
        assert ("evse_data", "NLABCEL1") not in await gateway.rows()


async def test_issues_of_a_tariff_are_those_of_one_variant_on_the_way_in_and_at_hubs(database_url: str) -> None:
    async with rig(database_url, "gireve") as gateway:
        network = gateway.app.services.network
        mended = Issue(IssueKind.MENDED, "currency", "read as EUR", "eur")
        given = [(tariff(start=AT, type="REGULAR"), [mended]), (tariff(target=OTHER, type="REGULAR"), ())]
        await gateway.app.services.publishing.put_tariffs(given, WHO)
        await gateway.quiet()
        assert await network.tariff_issues(PARTY, "T1", None) == [HubIssue("", "", "NL*ABC/T1", mended)]
        [told] = await network.tariff_issues(PARTY, "T1", OTHER)
        assert (told.connection, told.operation, told.issue.field) == ("gireve", "tariffs", "start")
        assert await network.tariff_issues(PARTY, "T2", None) == []
        counted = {(one.connection, one.field): one.count for one in await network.issue_counts(None, None)}
        assert counted == {("", "currency"): 1, ("gireve", "start"): 1}
        assert await network.issue_counts(frozenset({OTHER}), None) == []


async def test_what_makes_no_sense_in_a_tariff_is_told_and_stored_as_it_is(database_url: str) -> None:
    async with rig(database_url) as gateway:
        component = {"type": "ENERGY", "price": "-0.3", "vat": "0.2", "step_size": 0}
        never = {"price_components": [component], "restrictions": {"min_kwh": 20, "max_kwh": 10}}
        given = tariff(elements=[never, {"price_components": [component]}])
        [result] = await gateway.app.services.publishing.put_tariffs([(given, ())], WHO)
        assert {issue.kind for issue in result.issues} == {IssueKind.SUSPECT}
        fields = {issue.field for issue in result.issues}
        prices = {f"elements[{n}].price_components[0].{name}" for n in (0, 1) for name in ("price", "vat", "step_size")}
        assert fields == {"elements[0].restrictions", *prices}
        shown = await gateway.app.services.network.tariff_issues(PARTY, "T1", None)
        assert {one.issue.field for one in shown} == fields


async def test_of_an_evse_that_stands_twice_in_a_location_the_last_is_stored_with_an_issue(database_url: str) -> None:
    async with idle(database_url, "gireve", "hubject") as gateway:
        [result, other] = await gateway.put(
            location("L1", evse("U1", "NL*ABC*E1"), evse("U1", "NL*ABC*E2")), location("L2")
        )
        assert [(one.kind, one.value) for one in result.issues] == [(IssueKind.LEFT_OUT, "U1")]
        assert not other.issues
        stored = await gateway.app.services.network.location(PARTY, "L1")
        assert stored is not None
        assert [str(one.evse_id) for one in stored.location.evses] == ["NL*ABC*E2"]
        issues = await gateway.app.services.network.issues(PARTY, "L1")
        assert any(one.issue.value == "U1" for one in issues)
        # The same dirt again is no change.
        assert await outcomes(gateway, location("L1", evse("U1", "NL*ABC*E1"), evse("U1", "NL*ABC*E2"))) == [
            "unchanged"
        ]


async def test_a_thousand_locations_are_one_transaction(database_url: str) -> None:
    async with idle(database_url, "gireve", "hubject") as gateway:
        batch = [location(f"L{number}") for number in range(1000)]
        assert await outcomes(gateway, *batch) == ["created"] * 1000
        assert len(await gateway.rows()) == 4000
        found = await gateway.app.store.fetchval("SELECT count(DISTINCT xmin::text) FROM location")
        assert found == 1


async def test_a_stamp_in_the_future_is_replaced_so_that_later_statuses_count(database_url: str) -> None:
    async with idle(database_url) as gateway:
        ahead = datetime(2199, 1, 1, tzinfo=UTC)
        given = location("L1", evse(at=ahead), last_updated=ahead)
        [result] = await gateway.put(given)
        assert {one.field for one in result.issues} == {"last_updated", "evses[0].last_updated"}
        stored = await gateway.app.services.network.location(PARTY, "L1")
        assert stored is not None
        assert stored.location.last_updated <= now() + timedelta(minutes=1)
        assert await gateway.report(report("CHARGING", now() + timedelta(seconds=1))) == ["applied"]
        assert await outcomes(gateway, given) == ["unchanged"]
        # A clock that is a little ahead is nobody's fault.
        soon = now() + timedelta(minutes=4)
        [result] = await gateway.put(location("L2", evse(at=soon)))
        assert not result.issues


async def test_a_status_newer_than_the_put_survives_it_and_an_older_one_does_not(database_url: str) -> None:
    async with idle(database_url, "gireve") as gateway:
        await gateway.put(location())
        await gateway.report(report("CHARGING", later(100)))
        await gateway.put(location("L1", evse(at=later(50), status="AVAILABLE"), city="Delft"))
        assert await gateway.status() is EvseStatus.CHARGING
        await gateway.put(location("L1", evse(at=later(200), status="OUTOFORDER"), city="Delft"))
        assert await gateway.status() is EvseStatus.OUTOFORDER
        assert await gateway.report(report("CHARGING", later(150))) == ["stale"]


async def test_concurrent_first_puts_of_one_location_lose_no_evse(database_url: str) -> None:
    async with idle(database_url, "gireve", "hubject") as one, idle(database_url) as other:
        for number in range(20):
            id_ = f"L{number}"
            left = location(id_, evse("A", f"NL*ABC*EA{number}"))
            right = location(id_, evse("B", f"NL*ABC*EB{number}"))
            results = await asyncio.gather(outcomes(one, left), outcomes(other, right))
            assert sorted(results) == [["created"], ["updated"]]
            stored = await one.app.services.network.location(PARTY, id_)
            assert stored is not None
            statuses = {each.uid: each.status for each in stored.location.evses}
            assert sorted(statuses.values()) == ["AVAILABLE", "REMOVED"]
            alive = next(uid for uid, status in statuses.items() if status is EvseStatus.AVAILABLE)
            rows = await one.rows("evse_data")
            key = f"NLABCE{alive}{number}"
            gone = f"NLABCE{'B' if alive == 'A' else 'A'}{number}"
            assert not rows["evse_data", key]["gone"]
            assert ("evse_data", gone) not in rows or rows["evse_data", gone]["gone"]


async def test_concurrent_puts_of_many_locations_in_any_order_all_succeed(database_url: str) -> None:
    async with idle(database_url, "gireve", "hubject") as one, idle(database_url) as other:
        ids = [f"L{number}" for number in range(40)]
        for turn in range(5):
            forward = [location(id_, city=f"A{turn}") for id_ in ids]
            backward = [location(id_, city=f"B{turn}") for id_ in reversed(ids)]
            await asyncio.gather(one.put(*forward), other.put(*backward), one.put(*forward[:20]))
        cities = {each["city"] for each in await one.app.store.fetch("SELECT body->>'city' AS city FROM location")}
        assert cities <= {"A4", "B4"}


async def test_connections_made_while_objects_are_written_miss_none(database_url: str) -> None:
    async with idle(database_url) as one, idle(database_url) as other:
        stop = asyncio.Event()
        written: list[str] = []

        async def write(gateway: Services, name: str) -> None:
            number = 0
            while not stop.is_set():
                ids = [f"{name}{number}-{each}" for each in range(5)]
                await gateway.put(*(location(id_) for id_ in ids))
                await gateway.put_tariffs(tariff(ids[0]))
                written.extend(ids)
                number += 1

        writers = [asyncio.create_task(write(one, "A")), asyncio.create_task(write(other, "B"))]
        await eventually(lambda: len(written) > 100)
        await one.connect("hubject", NOWHERE["hubject"])
        await other.connect("gireve", NOWHERE["gireve"])
        seen = len(written)
        await eventually(lambda: len(written) > seen + 100)
        stop.set()
        await asyncio.gather(*writers)
        rows = await one.rows()
        for id_ in written:
            assert ("locations", f"NL*ABC/{id_}/U1") in rows
            assert ("evse_data", EvseId(f"NL*ABC*E{id_}").normal) in rows
        tariffs = [key for operation, key in rows if operation == "tariffs"]
        assert len(tariffs) == len(written) // 5


async def test_making_a_connection_brings_back_no_evse_that_is_removed_meanwhile(database_url: str) -> None:
    async with idle(database_url) as one, idle(database_url) as other:

        def pair(number: int) -> tuple[Evse, Evse]:
            return evse("U1", f"NL*ABC*E{number}*1"), evse("U2", f"NL*ABC*E{number}*2")

        await one.put(*(location(f"L{number}", *pair(number)) for number in range(300)))
        dropped = [location(f"L{number}", pair(number)[0]) for number in range(300)]

        async def drop() -> None:
            for each in reversed(dropped):
                await other.put(each)

        await asyncio.gather(drop(), one.connect("hubject", NOWHERE["hubject"]))
        removed = await one.app.store.fetchval("SELECT count(*) FROM evse WHERE removed AND status = 'REMOVED'")
        assert removed == 300
        rows = await one.rows("evse_data")
        alive = {key for (_, key), row in rows.items() if not row["gone"]}
        assert alive == {f"NLABCE{number}1" for number in range(300)}


async def test_a_connection_in_scope_of_one_party_projects_only_its_objects(database_url: str) -> None:
    async with idle(database_url) as gateway:
        await gateway.connect("hubject", NOWHERE["hubject"], mode=Mode.OFF, scope=Scope(parties=frozenset({OTHER})))
        await gateway.put(location("L1"), location("L1", party=OTHER))
        await gateway.put_tariffs(tariff(), tariff(party=OTHER))
        assert {key for _, key in await gateway.rows()} == {"NLXYZEL1"}


async def test_a_withdrawn_location_keeps_what_it_was_and_its_tombstones(database_url: str) -> None:
    async with idle(database_url) as gateway:
        await gateway.put(location("L1", evse("A", "NL*ABC*EA"), evse("B", "NL*ABC*EB")))
        await gateway.put(location("L1", evse("A", "NL*ABC*EA")))
        await gateway.put(location("L1", evse("C", "NL*ABC*EC"), city="Delft"))
        assert await gateway.app.services.publishing.withdraw_location(PARTY, "L1", WHO)
        stored = await gateway.app.services.network.location(PARTY, "L1")
        assert stored is not None
        assert stored.withdrawn
        assert {(each.uid, each.status) for each in stored.location.evses} == {
            (uid, EvseStatus.REMOVED) for uid in "ABC"
        }
        assert stored.location.last_updated > AT
        await gateway.put(location("L1", evse("C", "NL*ABC*EC")))
        stored = await gateway.app.services.network.location(PARTY, "L1")
        assert stored is not None
        assert not stored.withdrawn
        assert {each.uid: each.status for each in stored.location.evses} == {
            "A": "REMOVED",
            "B": "REMOVED",
            "C": "AVAILABLE",
        }
