"""What EMSPs see of the catalogue: of the own network what agreements say, of hubs everything."""

import random
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from gateway.agreements.policy import Reason, Request, decide
from gateway.agreements.repository import Agreements
from gateway.http.v1.catalogue_shapes import feature
from gateway.services.ports import NotFound
from mappings.canonical.agreements import EVERY_SERVICE, Service
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import EvseStatus, GeoPoint
from tests.harness import OTHER, PARTY, evse, later, location, report, report_by_id, tariff
from tests.services.seeing import MINE, OTHERS, Seeing, seeing

SILENT = EVERY_SERVICE - {Service.STATUS}


@pytest.fixture
async def at(database_url: str) -> AsyncIterator[Seeing]:
    """An empty catalogue."""
    async with seeing(database_url) as made:
        yield made


async def test_a_network_that_nobody_restricts_is_seen_by_all(at: Seeing) -> None:
    await at.shows(location("L1"))
    assert await at.keys(MINE) == ["NLABCEL1"]
    [entry] = await at.search(MINE)
    assert entry.ways[0].agreement is not None
    assert (entry.ways[0].agreement.allowed, entry.ways[0].agreement.reason) == (True, Reason.UNRESTRICTED)


async def test_a_restricted_network_is_seen_by_whom_its_offers_name(at: Seeing) -> None:
    await at.shows(location("L1"))
    await at.shows(location("X1", party=OTHER))
    offer = await at.agrees(MINE)
    assert await at.keys(MINE) == ["NLABCEL1", "NLXYZEX1"]
    assert await at.keys(OTHERS) == ["NLXYZEX1"]
    assert await at.keys() == ["NLABCEL1", "NLXYZEX1"], "who looks after all EMSPs sees everything"
    way = (await at.search(MINE))[0].ways[0]
    assert way.agreement is not None
    assert (way.agreement.offer, way.agreement.version) == (offer, 1)


async def test_a_key_of_several_emsps_sees_what_any_of_them_may(at: Seeing) -> None:
    await at.shows(location("L1"))
    await at.agrees(MINE)
    [entry] = await at.search(MINE, OTHERS)
    assert entry.ways[0].agreement is None, "it may differ from one to the other"


async def test_what_hubs_offer_is_seen_and_says_what_our_record_has(at: Seeing) -> None:
    await at.shows(location("L1"), "gireve")
    await at.agrees(OTHERS, "gireve")
    [entry] = await at.search(MINE)
    assert entry.ways[0].agreement is not None
    assert (entry.ways[0].agreement.allowed, entry.ways[0].agreement.reason) == (False, Reason.NO_AGREEMENT)
    assert feature(entry).properties["agreed"] == []
    [entry] = await at.search(OTHERS)
    assert feature(entry).properties["agreed"] == ["gireve"]


async def test_a_way_that_is_not_seen_does_not_speak_for_an_entry(at: Seeing) -> None:
    await at.app.store.execute("UPDATE connection SET rank = CASE name WHEN 'home' THEN 0 ELSE 1 END")
    await at.shows(location("L1", evse("U1", status=EvseStatus.CHARGING), address="Ours"))
    await at.shows(location("G1", evse("V1", at=later(-60)), address="Theirs"), "gireve")
    await at.agrees(OTHERS)
    [entry] = await at.search(MINE)
    assert entry.location["address"] == "Theirs"
    assert [(way.connection, way.preferred) for way in entry.ways] == [("gireve", True)]
    assert (entry.status, entry.evse["uid"]) == (EvseStatus.AVAILABLE, "V1")
    [one] = await at.listed(MINE)
    assert (one.id, one.address) == ("G1", "Theirs")
    [entry] = await at.search(OTHERS)
    assert (entry.location["address"], entry.status) == ("Ours", EvseStatus.CHARGING)
    assert [one.id for one in await at.listed(OTHERS)] == ["L1"]


async def test_a_status_that_is_not_agreed_upon_is_not_told(at: Seeing) -> None:
    await at.shows(location("L1", evse("U1", status=EvseStatus.CHARGING)))
    await at.agrees(MINE, services=SILENT)
    [entry] = await at.search(MINE)
    assert (entry.status, entry.status_at, entry.evse["status"]) == (EvseStatus.UNKNOWN, None, "UNKNOWN")
    assert [one.evses[0].status for one in await at.listed(MINE)] == [EvseStatus.UNKNOWN]
    assert [one.evses[0].status for one in await at.listed(MINE, "home")] == [EvseStatus.UNKNOWN]
    assert await at.search(MINE, statuses=frozenset({EvseStatus.CHARGING})) == [], "nor found out by a filter"
    assert await at.keys(MINE, statuses=frozenset({EvseStatus.UNKNOWN})) == ["NLABCE1"]


async def test_only_evses_of_the_groups_agreed_upon_are_seen(at: Seeing) -> None:
    await at.shows(location("L1", evse("U1"), evse("U2", "NL*ABC*E2"), evse("U3", None)))
    await at.group("G1", "NL*ABC*E2")
    await at.agrees(MINE, evse_groups=("G1",))
    assert await at.keys(MINE) == ["NLABCE2"]
    [one] = await at.listed(MINE)
    assert [each.uid for each in one.evses] == ["U2"]
    await at.group("G1", "NL*ABC*E1")
    assert await at.keys(MINE) == ["NLABCE1"]


async def test_a_location_without_evses_is_seen_where_all_of_the_network_is(at: Seeing) -> None:
    empty = location("L1").model_copy(update={"evses": ()})
    await at.shows(empty)
    await at.group("G1", "NL*ABC*E2")
    await at.agrees(MINE)
    await at.agrees(OTHERS, evse_groups=("G1",))
    assert [one.id for one in await at.listed(MINE, "home")] == ["L1"]
    assert await at.listed(OTHERS, "home") == []


async def test_agreements_begin_and_end_by_the_clock(at: Seeing) -> None:
    await at.shows(location("L1"))
    await at.agrees(MINE, starts=later(10_000), ends=later(20_000))
    assert (await at.keys(MINE), await at.keys(OTHERS)) == (["NLABCEL1"], ["NLABCEL1"]), "nothing has begun"
    at.now = later(10_000)
    assert (await at.keys(MINE), await at.keys(OTHERS)) == (["NLABCEL1"], [])
    at.now = later(20_000)
    assert (await at.keys(MINE), await at.keys(OTHERS)) == ([], []), "an end opens nothing"
    at.now = later(15_000)
    assert (await at.keys(MINE), await at.keys(OTHERS)) == (["NLABCEL1"], []), "the clock went back"


async def test_an_entry_that_is_not_seen_is_not_there(at: Seeing) -> None:
    await at.shows(location("L1"))
    await at.agrees(OTHERS)
    with pytest.raises(NotFound):
        await at.app.services.catalogue.entry("NL*ABC*EL1", frozenset({MINE}))
    assert (await at.app.services.catalogue.entry("NL*ABC*EL1", frozenset({OTHERS}))).evse_key == "NLABCEL1"


async def test_who_does_not_see_an_evse_hears_nothing_of_it(at: Seeing) -> None:
    await at.agrees(OTHERS)
    since = await at.cursor()
    await at.shows(location("L1"))
    await at.tells(report("CHARGING", later(60)))
    await at.shows(location("L2", evse("U1", "NL*ABC*EL2")), "gireve")
    await at.tells(report("REMOVED", later(90)))
    assert [change.evse_key for change in await at.followed(since, MINE)] == ["NLABCEL2"]
    assert [change.evse_key for change in await at.followed(since, MINE, limit=1)] == ["NLABCEL2"]
    assert sorted(change.evse_key for change in await at.followed(since, OTHERS)) == ["NLABCEL1", "NLABCEL2"]


async def test_who_saw_an_evse_hears_that_it_is_gone(at: Seeing) -> None:
    await at.shows(location("L1"))
    await at.agrees(MINE)
    since = await at.cursor()
    await at.tells(report("REMOVED", later(90)))
    assert [(change.evse_key, change.gone) for change in await at.followed(since, MINE)] == [("NLABCEL1", True)]
    assert await at.followed(since, OTHERS) == []


async def test_prices_are_shown_to_whom_they_are_for_and_who_sees_the_network(at: Seeing) -> None:
    for over in ("home", "gireve"):
        await at.prices(tariff("T1"), over)
        await at.prices(tariff("T1", "0.4", target=MINE), over)
        await at.prices(tariff("T1", "0.3", target=OTHERS), over)
    told = {one.target for one in await at.tariffs(MINE)}
    assert (told, len(await at.tariffs(MINE))) == ({None, MINE}, 4)
    await at.agrees(OTHERS)
    assert len(await at.tariffs(MINE)) == 2, "those over the hub"
    assert {one.target for one in await at.tariffs(OTHERS)} == {None, OTHERS}
    assert len(await at.tariffs(None)) == 6


# Of all networks and agreements


async def _scene(at: Seeing, rng: random.Random) -> list[str]:
    """Stations of two CPOs over the own network, a hub, or both; groups; offers of all kinds. Gives their EvseIDs."""
    ids = []
    for n in range(24):
        party = rng.choice((PARTY, OTHER))
        given = [
            evse(f"U{k}", f"{party}*E{n}{k}", status=rng.choice((EvseStatus.AVAILABLE, EvseStatus.CHARGING)))
            for k in range(rng.choice((1, 2)))
        ]
        point = GeoPoint(latitude=Decimal(52) + Decimal(rng.randint(0, 99)) / 100, longitude=Decimal("5.1"))
        one = location(f"L{n}", *given, party=party, coordinates=point)
        ids += [each.evse_id.text for each in given if each.evse_id is not None]
        over = rng.choice((("home",), ("gireve",), ("home", "gireve"), ("home",)))
        for name in over:
            await at.shows(one if name == "home" else one.model_copy(update={"id": f"G{n}"}), name)
        if over == ("home", "gireve") and rng.random() < 0.5:
            await at.tells(report_by_id("OUTOFORDER", later(9), ids[-1]), rng.choice(over))
    await at.app.store.execute("UPDATE connection SET rank = CASE name WHEN $1 THEN 0 ELSE 1 END", rng.choice(over))
    for party in (PARTY, OTHER):
        of_party = [id_ for id_ in ids if EvseId(id_).party == party]
        for name in ("A", "B"):
            await at.group(f"{name}-{party.code}", *rng.sample(of_party, len(of_party) // 3), cpo=party)
        for _ in range(rng.choice((0, 1, 2, 3))):
            starts, ends = rng.choice(((-9, None), (-9, 7199), (-9, 9999), (9000, None), (9000, 9999)))
            await at.agrees(
                rng.choice((MINE, OTHERS, MINE, None)),
                rng.choice(("home", "home", "gireve")),
                cpo=party,
                services=rng.choice((EVERY_SERVICE, SILENT, EVERY_SERVICE - {Service.POI}, {Service.POI})),
                starts=later(starts),
                ends=later(ends) if ends is not None else None,
                evse_groups=rng.choice(((), (f"A-{party.code}",), (f"A-{party.code}", f"B-{party.code}"))),
            )
    return ids


async def _expected(at: Seeing, emsp: PartyId) -> dict[str, EvseStatus]:
    """The entries that an EMSP may see, with their statuses: way by way, by the policy itself."""
    book = await Agreements(at.app.store, at.app.links, lambda: at.now).book()
    home = at.connection("home").id
    rows = await at.app.store.fetch(
        "SELECT evse_key, connection_id, party, status, status_at, no FROM catalogue_evse WHERE NOT removed"
        " ORDER BY status_at DESC, preferred DESC, no"
    )
    found: dict[str, EvseStatus] = {}
    for row in rows:
        key = row["evse_key"]

        def may(service: Service, row: object = row) -> bool:
            if row["connection_id"] != home:  # type: ignore[index]
                return True
            request = Request(service, PartyId(row["party"]), emsp, row["evse_key"])  # type: ignore[index]
            return decide(book, home, request, at.now).allowed

        if may(Service.POI):
            told = EvseStatus(row["status"]) if may(Service.STATUS) else EvseStatus.UNKNOWN
            if found.get(key, EvseStatus.UNKNOWN) is EvseStatus.UNKNOWN:
                found[key] = told
    return found


@pytest.mark.parametrize("seed", range(8))
async def test_nobody_is_ever_shown_what_the_policy_does_not_grant(at: Seeing, seed: int) -> None:
    rng = random.Random(seed)
    since = await at.cursor()
    ids = await _scene(at, rng)
    for now in (at.now, later(9500)):
        at.now = now
        for emsp in (MINE, OTHERS, PartyId("IT*NEW")):
            expected = await _expected(at, emsp)
            assert await at.everything(emsp, ids, since) == set(expected)
            found = await at.search(emsp)
            assert {entry.evse_key: entry.status for entry in found} == expected
            assert all(sum(way.preferred for way in entry.ways) == 1 for entry in found)
            told = [evse_ for one in await at.listed(emsp) for evse_ in one.evses]
            assert {one.evse_id.normal: one.status for one in told if one.evse_id is not None} == expected
            assert len(told) == len(expected), "each once"
            for status in EvseStatus:
                wanted = sorted(key for key, one in expected.items() if one is status)
                assert await at.keys(emsp, statuses=frozenset({status})) == wanted
            over = await at.keys(emsp, connection="home")
            assert over == sorted(entry.evse_key for entry in found if "home" in [w.connection for w in entry.ways])
