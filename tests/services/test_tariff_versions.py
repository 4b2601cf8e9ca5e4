"""What tariffs said at any time is kept, whichever way they are written."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files

from adapters.core.roaming import FeedKind
from gateway.services.tariffs.versions import Asked, Version, known
from gateway.store.pool import Store
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Tariff
from tests import database
from tests.harness import AT, PARTY, WHO, eventually, idle, later, tariff
from tests.services.partners import FEEDS, Partners, of_tariff

MIGRATIONS = files("gateway.store") / "migrations"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
EMSP = PartyId("FR*EMS")


def price(version: Version) -> str:
    """A version's price of energy."""
    return str(version.tariff.elements[0].price_components[0].price)


async def versions(
    store: Store,
    at: datetime,
    *ids: str,
    connection: int | None = None,
    party: PartyId = PARTY,
    until: datetime | None = None,
) -> list[Version]:
    """What one question gives."""
    [found] = await known(store, [Asked(connection, party, ids, at, until)])
    return found


async def now(store: Store) -> datetime:
    """The database's clock."""
    moment: datetime = await store.fetchval("SELECT clock_timestamp()")
    return moment


async def test_a_tariff_is_known_as_it_was_before_it_changed_and_before_it_went(
    database_url: str, store: Store
) -> None:
    async with idle(database_url) as services:
        await services.app.services.publishing.put_tariffs([(tariff("T1", "0.5"), ())], WHO)
        first = await now(store)
        await services.app.services.publishing.put_tariffs([(tariff("T1", "0.6"), ())], WHO)
        second = await now(store)
        await services.app.services.publishing.withdraw_tariff(PARTY, "T1", None, WHO)
        third = await now(store)
        await services.app.services.publishing.put_tariffs([(tariff("T1", "0.7"), ())], WHO)
        assert [price(each) for each in await versions(store, first, "T1")] == ["0.5"]
        assert [price(each) for each in await versions(store, second, "T1")] == ["0.6"]
        assert await versions(store, third, "T1") == []
        assert [price(each) for each in await versions(store, await now(store), "T1")] == ["0.7"]


async def test_the_same_tariff_under_another_stamp_is_no_new_version(database_url: str, store: Store) -> None:
    async with idle(database_url) as services:
        publishing = services.app.services.publishing
        await publishing.put_tariffs([(tariff("T1"), ())], WHO)
        [before] = await versions(store, await now(store), "T1")
        await publishing.put_tariffs([(tariff("T1", last_updated=datetime(2026, 5, 1, tzinfo=UTC)), ())], WHO)
        [after] = await versions(store, await now(store), "T1")
        assert (after.no, after.known_until) == (before.no, None)


async def test_what_came_while_charging_is_told_beside_what_held_at_the_start(database_url: str, store: Store) -> None:
    async with idle(database_url) as services:
        publishing = services.app.services.publishing
        await publishing.put_tariffs([(tariff("T1", "0.5"), ())], WHO)
        start = await now(store)
        await publishing.put_tariffs([(tariff("T1", "0.6"), ())], WHO)
        end = await now(store)
        await publishing.put_tariffs([(tariff("T1", "0.7"), ())], WHO)
        assert [price(each) for each in await versions(store, start, "T1", until=end)] == ["0.5", "0.6"]
        assert [price(each) for each in await versions(store, start, "T1")] == ["0.5"]


async def test_where_nothing_was_known_in_time_the_first_version_is_told_and_no_later_one(
    database_url: str, store: Store
) -> None:
    async with idle(database_url) as services:
        publishing = services.app.services.publishing
        await publishing.put_tariffs([(tariff("T1", "0.5"), ())], WHO)
        await publishing.put_tariffs([(tariff("T1", "0.6"), ())], WHO)
        [found] = await versions(store, LONG_AGO, "T1")
        assert price(found) == "0.5"
        assert found.known_from is not None
        assert found.known_from > LONG_AGO


async def test_a_tariff_that_was_gone_when_it_came_back_was_not_known_meanwhile(
    database_url: str, store: Store
) -> None:
    async with idle(database_url) as services:
        publishing = services.app.services.publishing
        await publishing.put_tariffs([(tariff("T1", "0.5"), ())], WHO)
        await publishing.withdraw_tariff(PARTY, "T1", None, WHO)
        gone = await now(store)
        await publishing.put_tariffs([(tariff("T1", "0.5"), ())], WHO)
        assert await versions(store, gone, "T1") == []


async def test_all_variants_are_told_in_the_order_of_the_ids_and_no_id_s_case_matters(
    database_url: str, store: Store
) -> None:
    async with idle(database_url) as services:
        publishing = services.app.services.publishing
        for one in (tariff("T1"), tariff("T1", target=EMSP), tariff("T2"), tariff("T3")):
            await publishing.put_tariffs([(one, ())], WHO)
        found = await versions(store, await now(store), "t2", "T1")
        assert [(each.tariff.id, each.tariff.target) for each in found] == [("T2", None), ("T1", EMSP), ("T1", None)]


async def test_of_own_ids_that_differ_by_case_the_one_as_asked_is_told(database_url: str, store: Store) -> None:
    async with idle(database_url) as services:
        publishing = services.app.services.publishing
        await publishing.put_tariffs([(tariff("night"), ()), (tariff("NIGHT"), ())], WHO)
        assert [each.tariff.id for each in await versions(store, await now(store), "NIGHT")] == ["NIGHT"]
        assert len(await versions(store, await now(store), "Night")) == 2


async def test_hundreds_of_questions_are_answered_each_for_itself(database_url: str, store: Store) -> None:
    async with idle(database_url) as services:
        every = [(tariff(f"T{n}", str(n)), ()) for n in range(1, 301)]
        await services.app.services.publishing.put_tariffs(every, WHO)
        at = await now(store)
        asked = [Asked(None, PARTY, (f"T{n}",), at) for n in range(1, 301)] + [Asked(None, PARTY, (), at)]
        *found, nothing = await known(store, asked)
        assert [price(one) for [one] in found] == [str(n) for n in range(1, 301)]
        assert nothing == []
    assert await known(store, []) == []


async def test_partners_tariffs_are_known_by_connection_however_they_were_written(abroad: Partners) -> None:
    store, over = abroad.store, abroad.gireve
    await abroad.catalogue.put_tariff(over, tariff("T-a", "0.5"), b"0" * 16)
    await abroad.catalogue.put_tariff(abroad.hubject, tariff("T-a", "0.9"), b"0" * 16)
    pushed = await now(store)
    await abroad.pull([of_tariff(tariff("t-A", "0.6", last_updated=later(9)))], feed=FEEDS[FeedKind.TARIFFS])
    pulled, abroad.clock.now = await now(store), later(9000)
    assert await abroad.pull_all([[of_tariff(tariff("T2"))]], feed=FEEDS[FeedKind.TARIFFS]) == 1
    pruned = await now(store)
    told = {at: await versions(store, at, "T-A", connection=over.id) for at in (pushed, pulled, pruned)}
    assert [[price(each) for each in found] for found in told.values()] == [["0.5"], ["0.6"], []]
    assert [price(each) for each in await versions(store, pruned, "t-a", connection=abroad.hubject.id)] == ["0.9"]
    assert await versions(store, pruned, "T-a") == []


async def test_what_is_changed_by_hand_is_kept_and_what_is_deleted_ends(store: Store) -> None:
    body = tariff("T1", "0.5").model_dump_json(exclude_defaults=True)
    await store.execute(
        "INSERT INTO tariff (party, tariff_id, body, digest, last_updated) VALUES ($1, 'T1', $2, '', now())",
        PARTY.normal,
        body,
    )
    first = await now(store)
    await store.execute("UPDATE tariff SET body = $1", body.replace("0.5", "0.6"))
    second = await now(store)
    await store.execute("DELETE FROM tariff")
    assert [price(each) for each in await versions(store, first, "T1")] == ["0.5"]
    assert [price(each) for each in await versions(store, second, "T1")] == ["0.6"]
    assert await versions(store, await now(store), "T1") == []


async def test_of_two_who_change_a_tariff_at_once_the_one_that_waited_comes_later(
    database_url: str, store: Store
) -> None:
    async with idle(database_url) as services:
        await services.app.services.publishing.put_tariffs([(tariff("T1", "0.5"), ())], WHO)
    body = tariff("T1", "0.5").model_dump_json(exclude_defaults=True)
    change = "UPDATE tariff SET body = $1"
    async with store.transaction() as last:
        await last.fetchval("SELECT 1")  # it begins before the other one
        async with store.transaction() as first:
            await first.execute(change, body.replace("0.5", "0.6"))
            waiting = asyncio.create_task(last.execute(change, body.replace("0.5", "0.7")))
            await eventually(lambda: _waits(store), "somebody who waits for the row")
        await waiting
    rows = await store.fetch("SELECT body, known_from, known_until FROM tariff_version ORDER BY no")
    assert [Tariff.model_validate_json(row["body"]).elements[0].price_components[0].price for row in rows] == [
        Decimal("0.5"),
        Decimal("0.6"),
        Decimal("0.7"),
    ]
    assert [row["known_until"] for row in rows[:-1]] == [row["known_from"] for row in rows[1:]]
    assert rows == sorted(rows, key=lambda row: row["known_from"])


async def _waits(store: Store) -> bool:
    waiting: bool = await store.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
    return waiting


async def test_with_a_connection_goes_what_was_known_over_it(abroad: Partners) -> None:
    await abroad.catalogue.put_tariff(abroad.gireve, tariff("T1"), b"0" * 16)
    await abroad.catalogue.put_tariff(abroad.hubject, tariff("T1"), b"0" * 16)
    await abroad.store.execute("DELETE FROM connection WHERE id = $1", abroad.gireve.id)
    [row] = await abroad.store.fetch("SELECT connection_id, known_until FROM tariff_version")
    assert row["connection_id"] == abroad.hubject.id
    assert row["known_until"].year == 9999


async def test_what_was_stored_before_versions_were_kept_is_known_since_it_was_stamped(server_url: str) -> None:
    async with database.copy(server_url, "template1") as url:
        store = Store(url, size=2)
        await store.open()
        try:
            for name in sorted(each.name for each in MIGRATIONS.iterdir() if each.name < "0005"):
                async with store.transaction() as tx:
                    await tx.execute((MIGRATIONS / name).read_text())
            body = tariff("T1").model_dump_json(exclude_defaults=True)
            for tariff_id, withdrawn_at in (("T1", None), ("T2", later(60)), ("T3", AT)):
                await store.execute(
                    "INSERT INTO tariff (party, tariff_id, body, digest, last_updated, withdrawn_at)"
                    " VALUES ($1, $2, $3, '', $4, $5)",
                    *(PARTY.normal, tariff_id, body, AT, withdrawn_at),
                )
            async with store.transaction() as tx:
                await tx.execute((MIGRATIONS / "0005_tariff_versions.before.sql").read_text())
            for at, ids in ((AT, ["T1", "T2"]), (later(60), ["T1"])):
                found = await known(store, [Asked(None, PARTY, ("T1", "T2", "T3"), at)])
                assert [len(found[0])] == [len(ids)]
        finally:
            await store.close()
