"""Partners' stations as they are pulled: pages, deltas, what a full pull no longer names; and that all orders agree."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import generate_latest

from adapters.core.roaming import FeedKind, Record
from gateway.services.catalogue.ingesting import Kept
from gateway.store.pool import Store
from mappings.canonical.ids import EvseId
from mappings.canonical.locations import EvseStatus
from mappings.canonical.parties import ClientInfo, ClientStatus, Role
from mappings.canonical.tariffs import EvsePrices
from mappings.report import Issue, IssueKind
from tests import database
from tests.harness import AT, OTHER, PARTY, evse, later, location, report, report_by_id, tariff
from tests.services.partners import (
    FEEDS,
    WITH_STATUSES,
    of_location,
    of_prices,
    of_status,
    of_tariff,
    partners,
    refused,
)

STATUSES, TARIFFS, PRICES, PARTIES = (
    FEEDS[kind] for kind in (FeedKind.STATUSES, FeedKind.TARIFFS, FeedKind.PRICES, FeedKind.PARTIES)
)


def counted(ingested):
    """New, changed, same, gone, unknown, refused."""
    made = ingested
    return (made.new, made.changed, made.same, made.gone, made.unknown, len(made.refused))


async def test_what_is_known_is_not_read_again(abroad):
    read = []

    def record(one):
        plain = of_location(one)
        return Record(plain.key, plain.digest, lambda: (read.append(one.id), plain.read())[1])

    first = [location("L1"), location("L2")]
    assert counted(await abroad.pull(map(record, first))) == (2, 0, 0, 0, 0, 0)
    second = [location("L1"), location("L2", city="Zeist", last_updated=later(1)), location("L3")]
    assert counted(await abroad.pull(map(record, second))) == (1, 1, 1, 0, 0, 0)
    assert read == ["L1", "L2", "L2", "L3"]


async def test_a_record_that_cannot_be_read_spoils_itself_alone(abroad):
    made = await abroad.pull([of_location(location("L1")), refused("L2"), of_location(location("L3"))])
    assert counted(made) == (2, 0, 0, 0, 0, 1)
    assert [(key, str(why)) for key, why in made.refused] == [(("NL*ABC", "L2"), "GeoCoordinates: no point")]
    text = _exposition(abroad)
    assert 'field="GeoCoordinates",kind="refused"' in text


async def test_a_record_that_cannot_be_stored_spoils_itself_alone(abroad):
    strange = [location("L2", city="\ud800"), location("L3", evse("U1", "NL*NUL*E\0")), location("L4")]
    made = await abroad.pull(map(of_location, [location("L1"), *strange]))
    assert counted(made) == (2, 0, 0, 0, 0, 2)
    assert [key[1] for key, _ in made.refused] == ["L2", "L3"]
    assert sorted(await abroad.entries()) == ["NLABCEL1", "NLABCEL4"]


def _exposition(abroad):
    return generate_latest(abroad.metrics.registry).decode()


async def test_issues_are_kept_with_their_record_and_counted(abroad):
    issue = Issue(IssueKind.MENDED, "Address.Country", "spelt in another case")
    await abroad.pull([of_location(location(f"L{n}"), issues=[issue]) for n in range(3)])
    stored = await abroad.store.fetchval("SELECT issues FROM catalogue_location LIMIT 1")
    assert "Address.Country" in stored
    text = _exposition(abroad)
    assert 'field="Address.Country",kind="mended",protocol="canonical"} 3.0' in text


async def test_of_one_key_twice_in_a_page_the_newest_counts_and_of_equal_stamps_the_last(abroad):
    made = await abroad.pull([of_location(location(city="Utrecht")), of_location(location(city="Zeist"))])
    assert counted(made) == (1, 1, 0, 0, 0, 0)
    assert (await abroad.catalogue.location(abroad.gireve, PARTY, "L1")).city == "Zeist"
    newer = location(city="Baarn", last_updated=later(9))
    assert counted(await abroad.pull([of_location(newer), of_location(location())])) == (0, 1, 1, 0, 0, 0)
    assert (await abroad.catalogue.location(abroad.gireve, PARTY, "L1")).city == "Baarn"


async def test_a_pulled_id_in_another_case_is_the_same(abroad):
    assert counted(await abroad.pull([of_location(location("Loc")), of_location(location("LOC"))])) == (
        1,
        1,
        0,
        0,
        0,
        0,
    )
    assert counted(await abroad.pull([of_location(location("loc"), gone=True)])) == (0, 0, 0, 1, 0, 0)


async def test_a_pulled_copy_older_than_what_was_pushed_since_changes_nothing(abroad):
    await abroad.put(location(city="Zeist", last_updated=later(10)))
    assert counted(await abroad.pull([of_location(location(city="Utrecht", last_updated=later(9)))]))[2] == 1
    assert (await abroad.catalogue.location(abroad.gireve, PARTY, "L1")).city == "Zeist"


async def test_a_delta_that_says_gone_withdraws(abroad):
    await abroad.pull([of_location(location("L1")), of_location(location("L2"))])
    made = await abroad.pull([of_location(location("L1", last_updated=later(5)), gone=True)])
    assert counted(made) == (0, 0, 0, 1, 0, 0)
    assert sorted(await abroad.entries()) == ["NLABCEL2"]
    assert counted(await abroad.pull([of_location(location("L1", last_updated=later(5)), gone=True)]))[2] == 1


async def test_a_delete_of_what_was_never_known_is_counted_and_no_error(abroad):
    assert counted(await abroad.pull([of_location(location("L9"), gone=True)])) == (0, 0, 0, 0, 1, 0)
    assert await abroad.entries() == {}


async def test_a_delete_that_cannot_be_read_withdraws_all_the_same(abroad):
    await abroad.pull([of_location(location())])
    broken = refused("L1")
    made = await abroad.pull([Record(broken.key, broken.digest, broken.read, gone=True)])
    assert counted(made) == (0, 0, 0, 1, 0, 0)


async def test_a_delete_older_than_what_is_stored_changes_nothing(abroad):
    await abroad.pull([of_location(location(last_updated=later(9)))])
    assert counted(await abroad.pull([of_location(location(last_updated=later(5)), gone=True)])) == (0, 0, 1, 0, 0, 0)
    assert sorted(await abroad.entries()) == ["NLABCEL1"]


async def test_a_full_pull_withdraws_what_it_does_not_name(abroad):
    await abroad.pull([of_location(location(f"L{n}")) for n in range(6)])
    pages = [[of_location(location("L1")), refused("L2")], [of_location(location("L9"))]]
    assert await abroad.pull_all(pages) == 4
    assert sorted(await abroad.entries()) == ["NLABCEL1", "NLABCEL2", "NLABCEL9"]
    assert await abroad.pull_all(pages) == 0


async def test_a_full_pull_leaves_what_was_pushed_since_it_began(abroad):
    await abroad.pull([of_location(location("L1"))])
    kept = Kept(abroad.clock())
    abroad.clock.now += timedelta(seconds=5)
    await abroad.put(location("L2"))
    kept.add((await abroad.pull([of_location(location("L3"))])).nos)
    assert await abroad.catalogue.prune(abroad.gireve, FEEDS[FeedKind.LOCATIONS], kept) == 1
    assert sorted(await abroad.entries()) == ["NLABCEL2", "NLABCEL3"]


async def test_a_full_pull_of_one_connection_leaves_the_other_alone(abroad):
    await abroad.put(location("M1"), abroad.hubject)
    assert await abroad.pull_all([[of_location(location("L1"))]]) == 0
    assert sorted(await abroad.entries()) == ["NLABCEL1", "NLABCEM1"]


async def test_pulled_statuses_are_found_by_the_evse_id(abroad):
    await abroad.pull([of_location(location("L1")), of_location(location("L2"))])
    page = [
        report_by_id("CHARGING", None, "nl*abc*el1"),
        report_by_id("AVAILABLE", later(9), "NLABCEL2"),
        report_by_id("CHARGING", None, "NL*ABC*E9"),
    ]
    assert counted(await abroad.pull(map(of_status, page), feed=STATUSES)) == (0, 2, 0, 0, 1, 0)
    assert counted(await abroad.pull(map(of_status, page), feed=STATUSES)) == (0, 0, 2, 0, 1, 0)
    assert {key: status for key, (status, _, _) in (await abroad.entries()).items()} == {
        "NLABCEL1": "CHARGING",
        "NLABCEL2": "AVAILABLE",
    }


async def test_a_pulled_status_older_than_a_pushed_one_changes_nothing(abroad):
    await abroad.pull([of_location(location())])
    await abroad.tell(report("RESERVED", later(20)))
    await abroad.pull([of_status(report_by_id("CHARGING", later(19), "NLABCEL1"))], feed=STATUSES)
    assert (await abroad.entries())["NLABCEL1"][0] == "RESERVED"


async def test_pulled_tariffs_are_pruned_and_come_back(abroad):
    one, other = tariff("T1"), tariff("T2", target=OTHER)
    assert counted(await abroad.pull([of_tariff(one), of_tariff(other)], feed=TARIFFS)) == (2, 0, 0, 0, 0, 0)
    assert await abroad.pull_all([[of_tariff(one)]], feed=TARIFFS) == 1
    assert await abroad.catalogue.tariff(abroad.gireve, PARTY, "T2", OTHER) is None
    assert counted(await abroad.pull([of_tariff(other)], feed=TARIFFS)) == (0, 1, 0, 0, 0, 0)
    assert counted(await abroad.pull([of_tariff(other, gone=True)], feed=TARIFFS)) == (0, 0, 0, 1, 0, 0)
    assert [found.id for found in (await abroad.search.tariffs(None, None, None, 10)).items] == ["T1"]


async def test_prices_hold_at_every_way_of_the_connection_until_a_full_pull_names_them_no_more(abroad):
    await abroad.pull([of_location(location("L1")), of_location(location("L2"))])
    prices = [EvsePrices(party=PARTY, evse_id=EvseId(f"NL*ABC*EL{n}"), tariff_ids=("A, B", 'C"')) for n in (1, 2, 3)]
    assert await abroad.pull_all([map(of_prices, prices[1:])], feed=PRICES) == 0
    assert await abroad.pull_all([map(of_prices, prices[:1])], feed=PRICES) == 1
    told = "SELECT prices, priced_by FROM catalogue_evse WHERE prices IS NOT NULL OR priced_by IS NOT NULL"
    assert {(*row["prices"], row["priced_by"]) for row in await abroad.store.fetch(told)} == {
        ("A, B", 'C"', PARTY.normal)
    }
    found = {entry.evse_key: entry.ways[0].tariff_ids for entry in await abroad.find()}
    assert found == {"NLABCEL1": ["A, B", 'C"'], "NLABCEL2": None}


async def test_pulled_parties_are_counted(abroad):
    def record(status, at):
        info = ClientInfo(party=OTHER, role=Role.CPO, status=status, last_updated=at)
        return Record((OTHER.normal, "CPO"), b"0" * 16, lambda: (info, ()))

    assert counted(await abroad.pull([record(ClientStatus.PLANNED, AT)], feed=PARTIES))[:3] == (1, 0, 0)
    assert counted(await abroad.pull([record(ClientStatus.CONNECTED, later(1))], feed=PARTIES))[:3] == (0, 1, 0)
    assert counted(await abroad.pull([record(ClientStatus.PLANNED, AT)], feed=PARTIES))[:3] == (0, 0, 1)


async def test_a_feed_of_cdrs_is_none_of_the_catalogue(abroad):
    with pytest.raises(ValueError, match="not kept"):
        await abroad.pull([], feed=FEEDS[FeedKind.CDRS])


def test_what_was_named_is_kept_as_bits():
    kept = Kept(AT)
    numbers = [1, 2, 65_535, 65_536, 10_000_000]
    kept.add(numbers)
    assert kept.missing(range(65_530, 65_540)) == [65_530, 65_531, 65_532, 65_533, 65_534, 65_537, 65_538, 65_539]
    assert kept.missing(numbers) == []


# Any sequence of deltas equals a full pull of the final state.

_IDS = ("L1", "L2", "L3")
_SHARED = "NL*ABC*ESHARED"


@st.composite
def _histories(draw):
    """Versions of a few locations over two connections, as (connection, version), in any order and repeated."""
    versions = []
    for over in ("gireve", "hubject"):
        for id_ in _IDS:
            count = draw(st.integers(0, 4))
            for n in range(count):
                gone = draw(st.booleans()) if n else False
                uids = draw(st.lists(st.sampled_from(("U1", "U2")), min_size=1, unique=True))
                shared = draw(st.sampled_from(("", *uids)))
                versions.append((over, id_, n + 1, gone, tuple(uids), shared))
    told = draw(st.permutations(versions + draw(st.lists(st.sampled_from(versions), max_size=4)) if versions else []))
    pushed = draw(st.lists(st.booleans(), min_size=len(told), max_size=len(told)))
    sizes = draw(st.lists(st.integers(1, 5), min_size=len(told), max_size=len(told)))
    return versions, told, pushed, sizes


def _made(version):
    _, id_, n, _, uids, shared = version
    evses = [
        evse(uid, _SHARED if uid == shared else f"NL*ABC*E{id_}{uid}", later(n), status=_STATUSES[n % len(_STATUSES)])
        for uid in uids
    ]
    return location(id_, *evses, city=f"City {n}", last_updated=later(n))


_STATUSES = (EvseStatus.AVAILABLE, EvseStatus.CHARGING, EvseStatus.OUTOFORDER)


async def _state(abroad):
    """Everything that can be told from the outside."""
    locations = {}
    for connection in (abroad.gireve, abroad.hubject):
        for id_ in _IDS:
            found = await abroad.catalogue.location(connection, PARTY, id_)
            if found is not None:
                left = [(one.uid, one.status.value) for one in found.evses]
                if any(status != "REMOVED" for _, status in left):
                    locations[connection.name, id_] = (found.city, found.last_updated, sorted(left))
    return locations, await abroad.entries()


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(history=_histories())
def test_any_sequence_of_deltas_equals_a_full_pull(ends, history):
    assert ends(lambda abroad: _told(abroad, history)) == ends(lambda abroad: _pulled(abroad, history))


async def _told(abroad, history):
    _, told, pushed, sizes = history
    connections = {"gireve": abroad.gireve, "hubject": abroad.hubject}
    left, sizes = list(zip(told, pushed, strict=True)), list(sizes)
    while left:
        page, left = left[: sizes[0]], left[sizes[0] :]
        sizes = sizes[1:]
        for over, connection in connections.items():
            mine = [(version, push) for version, push in page if version[0] == over]
            await abroad.pull(
                [of_location(_made(version), gone=version[3]) for version, push in mine if not push or version[3]],
                connection,
                WITH_STATUSES,
            )
            await asyncio.gather(
                *(abroad.put(_made(version), connection) for version, push in mine if push and not version[3])
            )
    return await _state(abroad)


async def _pulled(abroad, history):
    versions, *_ = history
    last = {}
    for version in versions:
        last[version[:2]] = version
    for connection in (abroad.gireve, abroad.hubject):
        mine = [version for (over, _), version in last.items() if over == connection.name and not version[3]]
        await abroad.pull_all([[of_location(_made(version)) for version in mine]], connection, WITH_STATUSES)
    return await _state(abroad)


@pytest.fixture
def ends(server_url, migrated):
    """Tells how a story ends that begins with an empty catalogue."""
    with asyncio.Runner() as runner:
        made = database.copy(server_url, migrated)
        store = Store(runner.run(made.__aenter__()), size=4)
        runner.run(store.open())

        async def told(story):
            # Not TRUNCATE, which makes the files of every table anew and has them synchronised.
            for table in ("catalogue_location", "catalogue_evse", "catalogue_change", "connection"):
                await store.execute(f"DELETE FROM {table}")
            async with partners(store) as abroad:
                return await story(abroad)

        yield lambda story: runner.run(told(story))
        runner.run(store.close())
        runner.run(made.__aexit__(None, None, None))
