"""What agreements begin or end is told: to who follows the catalogue, and to hubs that have one EMSP's prices."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.core.inbound import Window
from gateway.services.visibility import syncing as module
from mappings.canonical.agreements import EVERY_SERVICE, Service
from tests.harness import OTHER, PARTY, WHO, eventually, evse, later, location, tariff
from tests.services.seeing import MINE, OTHERS, Seeing, seeing

BILLED = frozenset({Service.CDR})


@pytest.fixture
async def at(database_url: str) -> AsyncIterator[Seeing]:
    """Two stations of the own network, and one of another CPO there."""
    async with seeing(database_url) as made:
        await made.shows(location("L1"))
        await made.shows(location("L2", evse("U1", "NL*ABC*E21"), evse("U2", "NL*ABC*E22")))
        await made.shows(location("X1", party=OTHER))
        yield made


async def heard(at: Seeing, after: str, *emsps: object) -> dict[str, bool]:
    """What is told after a cursor, and whether it is gone."""
    return {one.evse_key: one.gone for one in await at.followed(after, *emsps)}  # type: ignore[arg-type]


ALL = {"NLABCEL1", "NLABCE21", "NLABCE22"}


async def test_what_begins_and_ends_is_told_to_those_whom_it_is_about(at: Seeing) -> None:
    replica, since = at.syncing(), await at.cursor()
    await at.agrees(MINE, starts=later(9000), ends=later(20_000))
    assert await replica.look() == 0, "nothing has begun"
    at.now = later(9000)
    assert await replica.look() == 1
    assert await replica.look() == 0, "once"
    assert await heard(at, since, MINE) == dict.fromkeys(ALL, False)
    assert await heard(at, since, OTHERS) == dict.fromkeys(ALL, True)
    assert await heard(at, since) == {}, "for who sees everything, nothing has changed"
    since, at.now = await at.cursor(), later(20_000)
    assert await replica.look() == 1
    assert await heard(at, since, MINE) == dict.fromkeys(ALL, True)
    assert await heard(at, since, OTHERS) == {}


async def test_a_subscription_of_one_is_not_told_to_others(at: Seeing) -> None:
    replica = at.syncing()
    await at.agrees(MINE)
    await replica.look()
    since = await at.cursor()
    await at.agrees(OTHERS, starts=later(7000))
    assert await replica.look() == 1
    assert await heard(at, since, OTHERS) == dict.fromkeys(ALL, False)
    assert await heard(at, since, MINE) == {}


async def test_members_of_an_evse_group_are_told_as_they_come_and_go(at: Seeing) -> None:
    replica = at.syncing()
    await at.group("G1", "NL*ABC*E21")
    await at.agrees(MINE, evse_groups=("G1",))
    await replica.look()
    since = await at.cursor()
    await at.group("G1", "NL*ABC*E22")
    assert await replica.look() == 1
    assert {key for key, gone in (await heard(at, since, MINE)).items() if not gone} == {"NLABCE22"}
    assert (await heard(at, since, MINE))["NLABCE21"] is True


async def test_what_changes_nothing_is_told_to_nobody(at: Seeing) -> None:
    replica = at.syncing()
    await at.agrees(MINE)
    await replica.look()
    since = await at.cursor()
    at.now = later(9999)
    assert await replica.look() == 0
    assert await at.syncing().look() == 0, "nor by a replica that has just begun"
    assert await heard(at, since, MINE) == {}


async def test_two_replicas_tell_a_network_once(at: Seeing) -> None:
    one, other = at.syncing(), at.syncing()
    await at.agrees(MINE)
    told = await asyncio.gather(one.look(), other.look())
    assert sum(told) == 1
    assert await at.app.store.fetchval("SELECT count(*) FROM catalogue_change WHERE emsps <> '{}'") == 1


async def test_what_a_replica_left_in_the_middle_is_told_by_another(
    at: Seeing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOCATIONS", 1)
    monkeypatch.setattr(module, "PACE", 0.001)  # it rests for an hour after the first location
    since = await at.cursor()
    await at.agrees(MINE)
    dying = asyncio.create_task(at.syncing(timedelta(0)).look())

    async def begun() -> bool:
        count = await at.app.store.fetchval("SELECT count(*) FROM catalogue_change WHERE emsps <> '{}'")
        return bool(count == 1)

    await eventually(begun)
    monkeypatch.setattr(module, "PACE", 1e9)
    assert await at.syncing().look() == 1, "its claim was over"
    assert await heard(at, since, MINE) == dict.fromkeys(ALL, False)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert await at.syncing().look() == 0


async def test_nobody_tells_what_another_replica_is_telling(at: Seeing) -> None:
    await at.agrees(MINE)
    await at.app.store.execute(
        "INSERT INTO agreed_view (connection_id, cpo, claimed_until) VALUES ($1, 'NL*ABC', now() + interval '1 hour')",
        at.connection().id,
    )
    replica = at.syncing()
    assert await replica.look() == 0
    await at.app.store.execute("UPDATE agreed_view SET claimed_until = '-infinity'")
    assert await replica.look() == 1, "it looks again"


# Prices for one EMSP


async def told(at: Seeing, connection: str) -> set[str]:
    """The keys of tariffs that a connection's hub is to have."""
    rows = await at.rows("tariffs", connection)
    return {key for (_, key), row in rows.items() if not row["gone"]}


@pytest.mark.parametrize("over", ["gireve", "home"])
async def test_a_price_of_ones_own_is_told_as_long_as_its_emsp_may_know_of_the_network(at: Seeing, over: str) -> None:
    replica = at.syncing()
    await at.put_tariffs(tariff("T1"), tariff("T1", "0.4", target=MINE), tariff("T1", "0.3", target=OTHERS))
    assert len(await told(at, over)) == 3, "the network is open"
    await at.agrees(MINE, over, starts=later(9000), ends=later(20_000))
    at.now = later(9000)
    assert await replica.look() == 1
    assert len(await told(at, over)) == 2
    assert not any("DE" in key for key in await told(at, over))
    assert at.wakes
    at.now = later(20_000)
    await replica.look()
    assert len(await told(at, over)) == 1


@pytest.mark.parametrize("over", ["gireve", "home"])
async def test_a_new_price_for_one_is_told_only_where_that_one_may_know_of_the_network(at: Seeing, over: str) -> None:
    await at.agrees(MINE, over)
    await at.put_tariffs(tariff("T1"), tariff("T1", "0.4", target=MINE), tariff("T1", "0.3", target=OTHERS))
    assert len(await told(at, over)) == 2
    other = {"gireve": "home", "home": "gireve"}[over]
    assert len(await told(at, other)) == 3, "each connection has its own record"
    await at.agrees(OTHERS, over, services=BILLED)
    await at.syncing().look()
    assert len(await told(at, over)) == 2
    await at.agrees(OTHERS, over, services=EVERY_SERVICE)
    await at.syncing().look()
    assert len(await told(at, over)) == 3, "it came back"


async def test_a_connection_brought_in_line_anew_gets_no_price_of_who_may_not_know(at: Seeing) -> None:
    await at.put_tariffs(tariff("T1"), tariff("T1", "0.3", target=OTHERS))
    await at.agrees(MINE, "gireve")
    await at.app.services.connections.resync("gireve", WHO)
    assert len(await told(at, "gireve")) == 1


async def test_a_hub_that_pulls_gets_no_price_of_who_may_not_know(at: Seeing) -> None:
    await at.put_tariffs(tariff("T1"), tariff("T1", "0.4", target=MINE), tariff("T2", "0.3", target=OTHERS))
    await at.agrees(MINE, "gireve")
    page = await at.app.gateway.published.tariffs(at.connection("gireve"), Window(limit=10, offset=0))
    assert {(one.id, one.target) for one in page.objects} == {("T1", None), ("T1", MINE)}
    assert await at.app.gateway.published.tariff(at.connection("gireve"), PARTY, "T2") is None
