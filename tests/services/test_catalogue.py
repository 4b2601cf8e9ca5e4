"""Partners' stations as hubs push them: copies, statuses, withdrawals, and one entry for what several hubs offer."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.services.ports import Invalid, NotFound
from mappings.canonical.locations import EvseStatus
from mappings.canonical.parties import ClientInfo, ClientStatus, Role
from tests.harness import AT, OTHER, PARTY, WHO, evse, later, location, report, report_by_id, tariff

KEY = "NLABCEL1"


def named(uid="U1", at=AT, **changes):
    return evse(uid, "NL*ABC*EL1", at, **changes)


async def test_a_location_is_new_once(abroad):
    assert await abroad.put(location())
    assert not await abroad.put(location())
    assert not await abroad.put(location(city="Zeist", last_updated=later(1)))
    assert (await abroad.catalogue.location(abroad.gireve, PARTY, "L1")).city == "Zeist"


async def test_copies_belong_to_their_connection(abroad):
    await abroad.put(location())
    assert await abroad.catalogue.location(abroad.hubject, PARTY, "L1") is None
    assert await abroad.catalogue.location(abroad.gireve, OTHER, "L1") is None


async def test_an_older_copy_changes_nothing(abroad):
    await abroad.put(location(city="Zeist", last_updated=later(10)))
    await abroad.put(location(city="Utrecht", last_updated=later(9)))
    assert (await abroad.catalogue.location(abroad.gireve, PARTY, "L1")).city == "Zeist"


async def test_many_at_once_are_each_answered(abroad):
    made = [location(f"L{n % 40}", last_updated=later(n)) for n in range(120)]
    answers = await asyncio.gather(*(abroad.put(one) for one in made))
    assert answers == [n < 40 for n in range(120)]
    found = await abroad.catalogue.location(abroad.gireve, PARTY, "L39")
    assert found.last_updated == later(119)


async def test_what_cannot_be_stored_spoils_no_other(abroad):
    answers = await asyncio.gather(
        abroad.put(location("L1")),
        abroad.put(location("L2", city="\ud800")),
        abroad.put(location("L3")),
        return_exceptions=True,
    )
    assert [isinstance(answer, Exception) for answer in answers] == [False, True, False]


async def test_an_evse_that_is_left_out_is_removed_until_it_comes_back(abroad):
    both = (evse("U1", "NL*ABC*E1"), evse("U2", "NL*ABC*E2"))
    await abroad.put(location("L1", *both))
    await abroad.put(location("L1", both[0], last_updated=later(1)))
    assert await abroad.entries() == {"NLABCE1": ("AVAILABLE", "gireve", ["gireve"])}
    await abroad.put(location("L1", *both, last_updated=later(2)))
    assert sorted(await abroad.entries()) == ["NLABCE1", "NLABCE2"]


async def test_the_status_with_the_newest_stamp_counts(abroad):
    await abroad.put(location())
    assert await abroad.tell(report("CHARGING", later(20)))
    assert await abroad.tell(report("BLOCKED", later(10)))
    await abroad.put(location("L1", named(at=later(15)), last_updated=later(15), city="Zeist"))
    assert (await abroad.entries())[KEY][0] == "CHARGING"
    await abroad.put(location("L1", named(at=later(25)), last_updated=later(25)))
    assert (await abroad.entries())[KEY][0] == "AVAILABLE"


async def test_a_status_without_a_stamp_counts_from_its_arrival(abroad):
    await abroad.put(location())
    await abroad.tell(report_by_id("RESERVED", None, "NL*ABC*EL1"))
    await abroad.tell(report("CHARGING", abroad.clock() - timedelta(seconds=1)))
    assert (await abroad.entries())[KEY][0] == "RESERVED"


async def test_a_stamp_in_the_future_is_that_of_arrival(abroad):
    await abroad.put(location())
    await abroad.tell(report("CHARGING", abroad.clock() + timedelta(days=1)))
    abroad.clock.now += timedelta(seconds=1)
    await abroad.tell(report("AVAILABLE", abroad.clock()))
    assert (await abroad.entries())[KEY][0] == "AVAILABLE"
    tomorrow = abroad.clock() + timedelta(days=1)
    await abroad.put(location("L1", named(at=tomorrow), city="Zeist", last_updated=tomorrow))
    assert await abroad.put(location("L2")), "what came later is not held back by a clock that was wrong"
    found = await abroad.catalogue.location(abroad.gireve, PARTY, "L1")
    assert found.last_updated == abroad.clock()


async def test_a_status_of_what_is_not_there_is_told_so(abroad):
    assert not await abroad.tell(report("CHARGING", later(1)))
    await abroad.put(location())
    assert not await abroad.tell(report("CHARGING", later(1), uid="U9"))
    assert not await abroad.tell(report_by_id("CHARGING", later(1), "NL*ABC*E9"))
    assert not await abroad.tell(report("CHARGING", later(1)), abroad.hubject)


async def test_a_copy_without_statuses_keeps_those_that_are_stored(abroad):
    await abroad.put(location(), statuses=False)
    assert (await abroad.entries())[KEY][0] == "UNKNOWN"
    await abroad.tell(report("CHARGING", later(5)))
    await abroad.put(location(city="Zeist", last_updated=later(9)), statuses=False)
    assert (await abroad.entries())[KEY][0] == "CHARGING"


async def test_an_evse_reported_removed_is_gone_until_a_newer_copy_has_it(abroad):
    await abroad.put(location())
    assert await abroad.tell(report("REMOVED", later(5)))
    assert await abroad.entries() == {}
    await abroad.put(location(city="Zeist", last_updated=later(6)))
    assert await abroad.entries() == {}
    await abroad.put(location("L1", named(at=later(7))))
    assert (await abroad.entries())[KEY][0] == "AVAILABLE"


async def test_a_withdrawn_location_has_its_evses_removed_and_may_come_back(abroad):
    await abroad.put(location())
    assert await abroad.catalogue.withdraw_location(abroad.gireve, PARTY, "L1")
    assert not await abroad.catalogue.withdraw_location(abroad.gireve, PARTY, "L1")
    assert not await abroad.catalogue.withdraw_location(abroad.gireve, PARTY, "L9")
    assert await abroad.entries() == {}
    found = await abroad.catalogue.location(abroad.gireve, PARTY, "L1")
    assert [one.status for one in found.evses] == [EvseStatus.REMOVED]
    assert not await abroad.put(location())
    assert sorted(await abroad.entries()) == [KEY]


async def test_an_evse_without_an_id_is_an_entry_of_its_own(abroad):
    await abroad.put(location("L1", evse("U1", None), evse("U2", None)))
    await abroad.put(location("L1", evse("U1", None)), abroad.hubject)
    entries = await abroad.entries()
    assert len(entries) == 3
    assert all(ways == [speaks] for _, speaks, ways in entries.values())


async def test_ids_that_differ_in_case_or_separators_are_one_entry(abroad):
    await abroad.put(location("L1", evse("U1", "nl*abc*el1")))
    await abroad.put(location("M1", evse("U1", "NLABCEL1")), abroad.hubject)
    assert await abroad.entries() == {KEY: ("AVAILABLE", "gireve", ["gireve", "hubject"])}


async def test_ids_of_objects_have_no_case_and_keep_the_spelling_that_came_last(abroad):
    await abroad.put(location("Loc-a", evse("Uid-a", None)))
    assert not await abroad.put(location("LOC-A", evse("UID-A", None, later(1))))
    [entry] = await abroad.find()
    assert [(way.location_id, way.evse_uid) for way in entry.ways] == [("LOC-A", "UID-A")]
    assert (entry.location["id"], entry.evse["uid"]) == ("LOC-A", "UID-A")
    assert await abroad.tell(report("CHARGING", later(2), "loc-A", "uid-A"))
    found = await abroad.catalogue.location(abroad.gireve, PARTY, "loc-a")
    assert [one.status for one in found.evses] == [EvseStatus.CHARGING]
    assert await abroad.catalogue.put_tariff(abroad.gireve, tariff("T-a"), b"0" * 16)
    assert not await abroad.catalogue.put_tariff(abroad.gireve, tariff("t-A", last_updated=later(1)), b"1" * 16)
    assert (await abroad.catalogue.tariff(abroad.gireve, PARTY, "T-A")).id == "t-A"
    assert await abroad.catalogue.withdraw_tariff(abroad.gireve, PARTY, "t-a")


async def test_the_connection_that_was_put_first_speaks(abroad):
    await abroad.put(location("L1", named()), abroad.gireve)
    await abroad.put(location("M1", named("X1", later(9))), abroad.hubject)
    assert (await abroad.entries())[KEY][1] == "hubject", "nobody ranked them, and its copy is newer"
    ways = await abroad.search.order(["gireve"], WHO)
    assert ([one.connection for one in ways.connections], ways.electing) == (["gireve", "hubject"], False)
    assert (await abroad.entries())[KEY][1] == "gireve"
    await abroad.search.order(["hubject", "gireve"], WHO)
    assert (await abroad.entries())[KEY][1] == "hubject"
    await abroad.put(location("L1", named(at=later(20))), abroad.gireve)
    assert (await abroad.entries())[KEY][1] == "hubject", "the order goes before what is newer"


async def test_an_order_of_unknown_or_repeated_connections_is_refused(abroad):
    with pytest.raises(Invalid) as caught:
        await abroad.search.order(["gireve", "nowhere", "gireve"], WHO)
    assert caught.value.problems == (
        ("connections[1]", "does not exist"),
        ("connections[2]", "is named before"),
    )


async def test_equal_ranks_and_stamps_are_decided_by_the_number_of_the_connection(abroad):
    await abroad.put(location("M1", named()), abroad.hubject)
    await abroad.put(location("L1", named()), abroad.gireve)
    assert (await abroad.entries())[KEY][1] == "gireve"


async def test_whoever_is_left_speaks_when_the_preferred_way_goes(abroad):
    await abroad.put(location("L1", named()), abroad.gireve)
    await abroad.put(location("M1", named("X1")), abroad.hubject)
    await abroad.catalogue.withdraw_location(abroad.gireve, PARTY, "L1")
    assert await abroad.entries() == {KEY: ("AVAILABLE", "hubject", ["hubject"])}
    await abroad.put(location("L1", named()), abroad.gireve)
    assert await abroad.entries() == {KEY: ("AVAILABLE", "gireve", ["gireve", "hubject"])}
    await abroad.tell(report("REMOVED", later(9)))
    assert await abroad.entries() == {KEY: ("AVAILABLE", "hubject", ["hubject"])}


async def test_an_evse_that_gets_another_id_leaves_the_entry_to_others(abroad):
    await abroad.put(location("L1", named()), abroad.gireve)
    await abroad.put(location("M1", named("X1")), abroad.hubject)
    await abroad.put(location("L1", evse("U1", "NL*ABC*ENEW", later(1))), abroad.gireve)
    assert await abroad.entries() == {
        KEY: ("AVAILABLE", "hubject", ["hubject"]),
        "NLABCENEW": ("AVAILABLE", "gireve", ["gireve"]),
    }


async def test_evses_of_one_location_may_swap_their_ids(abroad):
    await abroad.put(location("L1", evse("U1", "NL*ABC*E1"), evse("U2", "NL*ABC*E2")))
    await abroad.put(location("L1", evse("U1", "NL*ABC*E2", later(1)), evse("U2", "NL*ABC*E1", later(1))))
    found = {entry.evse_key: entry.evse["uid"] for entry in await abroad.find()}
    assert found == {"NLABCE1": "U2", "NLABCE2": "U1"}


async def test_one_hub_that_offers_an_evse_twice_makes_one_entry(abroad):
    await abroad.put(location("L1", named()))
    await abroad.put(location("L2", named("U1", later(1))))
    await abroad.put(location("L3", named("U1"), named("U2")))
    [entry] = await abroad.find()
    assert [(way.location_id, way.evse_uid) for way in entry.ways if way.preferred] == [("L2", "U1")]
    assert len(entry.ways) == 4


async def test_the_newest_status_of_any_hub_is_that_of_the_entry(abroad):
    await abroad.put(location("L1", named()), abroad.gireve)
    await abroad.put(location("M1", named("X1")), abroad.hubject, statuses=False)
    await abroad.tell(report_by_id("CHARGING", later(30), "nlabcel1"), abroad.hubject)
    [entry] = await abroad.find()
    assert (entry.status, entry.status_at, entry.evse["status"]) == (EvseStatus.CHARGING, later(30), "CHARGING")
    assert {way.connection: way.status.value for way in entry.ways} == {"gireve": "AVAILABLE", "hubject": "CHARGING"}
    assert await abroad.find(statuses=frozenset({EvseStatus.CHARGING}))
    assert not await abroad.find(statuses=frozenset({EvseStatus.AVAILABLE}))
    await abroad.tell(report("OUTOFORDER", later(31)), abroad.gireve)
    assert (await abroad.entries())[KEY][0] == "OUTOFORDER"


async def test_the_status_of_a_way_that_is_removed_says_nothing(abroad):
    await abroad.put(location("L1", named()), abroad.gireve)
    await abroad.put(location("M1", named("X1")), abroad.hubject)
    await abroad.tell(report_by_id("CHARGING", later(30), "NL*ABC*EL1"), abroad.hubject)
    await abroad.catalogue.withdraw_location(abroad.hubject, PARTY, "M1")
    assert await abroad.entries() == {KEY: ("AVAILABLE", "gireve", ["gireve"])}


async def test_two_hubs_that_bring_the_same_stations_at_once_make_one_entry_each(abroad):
    """Each finds nothing when it looks, and the store lets only one of them speak."""
    stations = [location(f"L{n}", evse("U1", f"NL*ABC*E{n:03}")) for n in range(60)]
    backwards = [one.model_copy(update={"id": f"M{one.id}"}) for one in reversed(stations)]
    await asyncio.gather(
        *(abroad.put(one, abroad.gireve) for one in stations), *(abroad.put(one, abroad.hubject) for one in backwards)
    )
    entries = await abroad.entries()
    assert len(entries) == 60
    assert set(map(str, entries.values())) == {str(("AVAILABLE", "gireve", ["gireve", "hubject"]))}


async def test_an_entry_is_found_by_its_key_alone(abroad):
    await abroad.put(location())
    assert (await abroad.search.entry("nl*abc*el1")).evse["uid"] == "U1"
    with pytest.raises(NotFound):
        await abroad.search.entry("NL*ABC*E9")


async def test_tariffs_are_kept_by_target(abroad):
    mine = tariff(target=OTHER, price="0.4")
    assert await abroad.catalogue.put_tariff(abroad.gireve, tariff(), b"0" * 16)
    assert await abroad.catalogue.put_tariff(abroad.gireve, mine, b"1" * 16)
    assert not await abroad.catalogue.put_tariff(abroad.gireve, mine, b"1" * 16)
    assert await abroad.catalogue.tariff(abroad.gireve, PARTY, "T1", OTHER) == mine
    assert await abroad.catalogue.tariff(abroad.gireve, PARTY, "T1") == tariff()
    assert await abroad.catalogue.tariff(abroad.gireve, PARTY, "T1", PARTY) == tariff()
    older = tariff(price="0.1", last_updated=AT - timedelta(days=1))
    assert not await abroad.catalogue.put_tariff(abroad.gireve, older, b"2" * 16)
    assert await abroad.catalogue.tariff(abroad.gireve, PARTY, "T1") == tariff()
    assert await abroad.catalogue.withdraw_tariff(abroad.gireve, PARTY, "T1")
    assert not await abroad.catalogue.withdraw_tariff(abroad.gireve, PARTY, "T1")
    assert await abroad.catalogue.tariff(abroad.gireve, PARTY, "T1") is None


async def test_a_hub_tells_of_parties_and_the_newest_word_counts(abroad):
    def info(status, at):
        return ClientInfo(party=OTHER, role=Role.CPO, status=status, last_updated=at)

    await abroad.catalogue.put_party(abroad.gireve, info(ClientStatus.CONNECTED, later(5)))
    await abroad.catalogue.put_party(abroad.gireve, info(ClientStatus.OFFLINE, later(4)))
    assert await abroad.store.fetchval("SELECT status FROM client_info") == "CONNECTED"


async def test_facts_that_decide_a_search_follow_the_newest_copy(abroad):
    await abroad.put(location())
    assert [entry.power for entry in await abroad.find()] == [22_000]
    strong = named(at=later(1))
    connector = strong.connectors[0].model_copy(update={"max_power": Decimal(150_000)})
    await abroad.put(location("L1", strong.model_copy(update={"connectors": (connector,)})))
    assert [entry.power for entry in await abroad.find(min_power=100_000)] == [150_000]
