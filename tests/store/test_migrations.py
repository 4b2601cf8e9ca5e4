"""Migrations: each runs once, whoever else migrates at the same time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.resources import files

import pytest

from gateway.services.state import Readiness
from gateway.store.migrate import migrate, pending
from gateway.store.pool import Store
from mappings.canonical.agreements import Joining, Offer, OfferTerms
from mappings.canonical.ids import PartyId
from tests import database


@asynccontextmanager
async def empty(server_url: str) -> AsyncIterator[Store]:
    """An empty database."""
    async with database.copy(server_url, "template1") as url:
        store = Store(url, size=4)
        await store.open()
        try:
            yield store
        finally:
            await store.close()


async def test_migrating_twice_is_harmless(server_url: str) -> None:
    async with empty(server_url) as store:
        waiting = await pending(store)
        assert waiting == sorted(waiting) != []
        assert await migrate(store, "before") == waiting
        assert await pending(store) == []
        assert await migrate(store, "before") == []
        later = await pending(store, "after")
        assert await migrate(store, "after") == later
        assert await migrate(store, "after") == await pending(store, "after") == []


async def test_a_gateway_is_not_ready_before_its_migrations(server_url: str) -> None:
    async with empty(server_url) as store:
        readiness = Readiness(store, lambda: True)
        assert "not run: 0001" in str((await readiness.faults())["migrations"])
        await migrate(store, "before")
        assert set((await readiness.faults()).values()) == {None}


async def test_two_processes_that_migrate_at_once_run_each_file_once(server_url: str) -> None:
    async with empty(server_url) as store:
        other = Store(store.url, size=2)
        await other.open()
        try:
            ran = await asyncio.gather(*(migrate(each, "before") for each in (store, other, store, other)))
        finally:
            await other.close()
        assert sum(map(len, ran)) == max(map(len, ran)) > 0


async def test_a_phase_that_fails_leaves_nothing_behind(server_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with empty(server_url) as store:
        every = await pending(store)
        await store.execute("CREATE TABLE projection (in_the_way int)")
        with pytest.raises(Exception, match="projection"):
            await migrate(store, "before")
        assert await store.fetchval("SELECT to_regclass('location')") is None
        assert await pending(store) == every


async def test_agreements_become_offers_that_say_the_same(server_url: str) -> None:
    async with empty(server_url) as store:
        every = [name for name in await pending(store) if name < "0007"]
        for name in every:
            await store.pool.execute((files("gateway.store") / "migrations" / name).read_text())
        await store.pool.execute(
            """
            CREATE TABLE schema_migration (name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
            INSERT INTO connection (name, hub, mode, state, scope, settings)
            VALUES ('hub', 'gireve', 'live', 'ready', '{}', '{}');
            INSERT INTO party (id, body) VALUES
                ('FR*ABC', '{"id": "FR*ABC", "roles": ["CPO"], "business": {"name": "A"}}'),
                ('DE*XYZ', '{"id": "DE*XYZ", "roles": ["EMSP"], "business": {"name": "no CPO"}}');
            INSERT INTO agreement (connection_id, party, emsp, services, rank, valid_from, valid_to) VALUES
                (1, 'FR*ABC', NULL, '{authorise}', 5, '2025-01-01Z', NULL),
                (1, NULL, 'DE*XYZ', '{authorise,cdr}', 7, '2025-01-01Z', '2099-01-01Z'),
                (1, NULL, NULL, '{remote}', 1000000, '2020-01-01Z', '2021-01-01Z'),
                (1, 'FR*ABC', NULL, '{authorise}', 5, '2099-01-01Z', NULL),
                (1, 'FR*ABC', NULL, '{authorise}', 5, '2025-01-01Z', '2025-01-01Z');
            """
        )
        await store.pool.executemany("INSERT INTO schema_migration (name) VALUES ($1)", [(name,) for name in every])
        await migrate(store, "before")
        # Code before this goes on writing until none of it is left.
        await store.execute(
            "INSERT INTO agreement (connection_id, party, services, valid_from)"
            " VALUES (1, 'FR*ABC', '{cdr}', '2025-01-01Z')"
        )
        await store.execute("UPDATE agreement SET valid_to = '2026-01-01Z' WHERE id = 1")
        await migrate(store, "after")
        rows = await store.fetch(
            "SELECT o.*, v.terms, v.due_at AS begins_at FROM offer o JOIN offer_version v ON v.offer_id = o.id"
            " ORDER BY o.id"
        )
        offers = [Offer.model_validate_json(row["body"]) for row in rows]
        terms = [OfferTerms.model_validate_json(row["terms"]) for row in rows]
        group, abc, future = "all-of-hub", PartyId("FR*ABC"), datetime(2099, 1, 1, tzinfo=UTC)
        assert [(one.id, one.cpo, one.network_group, one.audience, one.joining) for one in offers] == [
            ("agreement-1", abc, None, None, Joining.OPEN),
            ("agreement-2", None, group, (PartyId("DE*XYZ"),), Joining.OPEN),
            ("agreement-3", None, group, None, Joining.OPEN),
            ("agreement-4", abc, None, None, Joining.OPEN),  # the same again: none of it is lost
            ("agreement-6", abc, None, None, Joining.OPEN),
            ("closed-hub", None, group, None, Joining.OPEN),  # to all whom no agreement names
        ]
        assert [(sorted(one.services), one.rank) for one in terms[:5]] == [
            (["authorise"], 5),
            (["authorise", "cdr"], 7),
            (["remote"], 9999),
            (["authorise"], 5),
            (["cdr"], 100),
        ]
        assert [(row["state"], row["due_at"], row["begins_at"]) for row in rows] == [
            ("CANCELLED", datetime(2026, 1, 1, tzinfo=UTC), None),
            ("PUBLISHED", future, None),
            ("ENDED", None, None),
            ("PUBLISHED", None, future),
            ("PUBLISHED", None, None),
            ("ENDED", None, None),
        ]
        assert await store.fetchval("SELECT array_agg(party) FROM network_group_member") == ["FR*ABC"]
