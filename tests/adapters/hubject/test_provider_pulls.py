"""What an EMP pulls from Hubject, and how it survives what comes: against the sandbox, over sockets."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from adapters.core.outcomes import Misconfigured, NotSent, OutcomeUnknown, RefusedByHub, Throttled
from adapters.hubject.provider import pulling
from adapters.hubject.provider.adapter import ProviderAdapter
from mappings.canonical.ids import EvseId
from mappings.canonical.locations import EvseStatus, Location
from mappings.canonical.tariffs import Tariff
from mappings.report import Refused
from tests.adapters.doubles import Measured
from tests.adapters.hubject.emps import World, record, world
from tests.adapters.hubject.peer import Peer
from tests.adapters.hubject.peer import playing as hearing
from tests.adapters.hubject.provider import failure, keys, pages, provider, provider_settings, records
from tests.adapters.hubject.test_provider_contract import evse_pricing, priced

EVSES = [f"NL*PLA*E{number}" for number in range(1, 8)]
KEYS = [EvseId(evse_id).normal for evse_id in EVSES]


@pytest.fixture
async def filled() -> AsyncIterator[World]:
    """A sandbox with seven EVSEs and their statuses."""
    async with world(limits=False) as made:
        await made.load(*(record(evse_id) for evse_id in EVSES))
        await made.do("statuses", [{"EvseID": evse_id, "EvseStatus": "Available"} for evse_id in EVSES])
        yield made


@pytest.fixture
async def emp(filled: World) -> AsyncIterator[ProviderAdapter]:
    """An EMP that pulls three records a page."""
    made = provider(filled, page_size=3)
    yield made
    await made.close()


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """A Hubject that says whatever a test has it say."""
    async with hearing() as made:
        yield made


@pytest.fixture
async def asking(peer: Peer) -> AsyncIterator[ProviderAdapter]:
    """An EMP that is answered by it."""
    made = provider(base_url=peer.url, pricing_operators=["NL*PLA"])
    yield made
    await made.close()


def page(*content: Any, **changes: Any) -> dict[str, Any]:
    about = {"number": 0, "size": 3, "last": True, "totalPages": 1, "totalElements": len(content), "first": True}
    return {"content": list(content), **about, "StatusCode": {"Code": "000"}, **changes}


# EVSE data


async def test_all_pages_are_pulled_and_every_record_read(filled: World, emp: ProviderAdapter) -> None:
    found = await pages(emp, "evse_data")
    assert [len(each.records) for each in found] == [3, 3, 1]
    assert [each.cursor for each in found] == ["1", "2", None]
    assert {each.total for each in found} == {7}
    assert not any(each.at_hand for each in found)
    assert keys(found) == KEYS
    for each in records(found):
        location, _ = each.read()
        assert isinstance(location, Location)
        assert (location.party.normal, location.id) == each.key
        assert [evse.uid for evse in location.evses] == [location.id]


async def test_changes_are_pulled_by_the_time_of_the_last_call(filled: World, emp: ProviderAdapter) -> None:
    full = {each.key: each.digest for each in records(await pages(emp, "evse_data"))}
    filled.wall.pass_by()
    since = filled.wall()
    filled.wall.pass_by()
    await filled.load(record(EVSES[0], HotlinePhoneNumber="+31207654321"), record("NL*PLA*E99"))
    await filled.session.delete("/_sandbox/network", data=json.dumps([EVSES[1]]))
    changed = {each.key[1]: each for each in records(await pages(emp, "evse_data", since))}
    assert changed.keys() == {KEYS[0], KEYS[1], "NLPLAE99"}
    assert [key for key, each in changed.items() if each.gone] == [KEYS[1]]
    assert changed[KEYS[1]].read()[0].evses[0].status is EvseStatus.REMOVED
    # What changes and what is there say the same of an EVSE alike, so that nothing is taken for changed twice.
    again = {each.key: each.digest for each in records(await pages(emp, "evse_data"))}
    assert {each.key: each.digest for each in changed.values() if not each.gone}.items() <= again.items()
    assert {key for key, digest in again.items() if full.get(key) != digest} == {
        ("NL*PLA", KEYS[0]),
        ("NL*PLA", "NLPLAE99"),
    }


async def test_an_empty_network_is_one_empty_page() -> None:
    async with world() as empty:
        emp = provider(empty)
        for feed in ("evse_data", "evse_status", "charge_detail_records"):
            (only,) = await pages(emp, feed)
            assert (len(only.records), len(only.unreadable), only.cursor) == (0, 0, None)
        await emp.close()


async def test_pages_that_overlap_name_a_record_twice_and_lose_none(filled: World, emp: ProviderAdapter) -> None:
    await filled.do("pull-faults", [{"kind": "overlapping_pages"}])
    found = keys(await pages(emp, "evse_data"))
    assert set(found) == set(KEYS)
    assert len(found) > len(KEYS)


async def test_pages_that_change_while_they_are_pulled_say_another_total(filled: World, emp: ProviderAdapter) -> None:
    await filled.do("pull-faults", [{"kind": "changing_pages", "count": 1}])
    found = await pages(emp, "evse_data")
    assert len({each.total for each in found}) > 1
    assert set(keys(found)) < set(KEYS)


async def test_a_page_that_fails_at_the_end_fails_and_comes_when_it_is_asked_for_again(
    filled: World, emp: ProviderAdapter
) -> None:
    await filled.do("pull-faults", [{"kind": "last_page_fails", "count": 1}])
    first = await emp.pull("evse_data", None, None)
    second = await emp.pull("evse_data", None, first.cursor)
    assert isinstance(await failure(emp, "evse_data", cursor=second.cursor), OutcomeUnknown)
    last = await emp.pull("evse_data", None, second.cursor)
    assert keys([first, second, last]) == KEYS


@pytest.mark.parametrize("by", [-2, -1, 1, 5])
async def test_a_number_of_pages_that_is_not_true_cuts_no_network_off(
    filled: World, emp: ProviderAdapter, by: int
) -> None:
    await filled.do("pull-faults", [{"kind": "total_pages", "by": by}])
    assert keys(await pages(emp, "evse_data")) == KEYS


async def test_records_that_do_not_validate_spoil_nothing_but_themselves(filled: World) -> None:
    emp = provider(filled, page_size=7)
    await filled.do("pull-faults", [{"kind": "invalid_records", "every": 1}])
    (found,) = await pages(emp, "evse_data")
    assert len(found.records) + len(found.unreadable) == len(EVSES)
    read, refused = 0, 0
    for each in found.records:
        try:
            each.read()
            read += 1
        except Refused:
            refused += 1
    assert read > 0
    assert refused > 0
    assert found.unreadable
    await emp.close()


async def test_changes_out_of_order_carry_the_times_by_which_they_are_put_in_order(
    filled: World, emp: ProviderAdapter
) -> None:
    filled.wall.pass_by()
    since = filled.wall()
    filled.wall.pass_by()
    await filled.load(record(EVSES[0], HotlinePhoneNumber="+31207654321"))
    await filled.do("pull-faults", [{"kind": "deltas_out_of_order"}, {"kind": "unknown_delete"}])
    *told, unknown = records(await pages(emp, "evse_data", since))
    assert {each.key[1] for each in told} == {KEYS[0]}
    newest = max(told, key=lambda each: each.read()[0].last_updated)
    assert newest.read()[0].hotline == "+31207654321"
    assert (unknown.key[1], unknown.gone) == ("DENIXE404", True)


@pytest.mark.parametrize("content", [None, []])
async def test_a_page_without_a_list_is_an_empty_one(peer: Peer, asking: ProviderAdapter, content: Any) -> None:
    peer.says = page() | {"content": content}
    found = await asking.pull("evse_data", None, None)
    assert (list(found.records), found.cursor) == ([], None)


async def test_a_page_past_the_end_ends_the_pull(filled: World, emp: ProviderAdapter) -> None:
    found = await emp.pull("evse_data", None, "40")
    assert (list(found.records), found.cursor) == ([], None)


async def test_a_page_asks_for_no_more_than_hubject_gives(filled: World) -> None:
    with pytest.raises(ValueError, match="page_size"):
        provider(filled, page_size=2001)


# What is no page


@pytest.mark.parametrize(
    "feed", ["evse_data", "evse_status", "pricing_products", "evse_pricing", "charge_detail_records"]
)
@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"StatusCode": {"Code": "210", "Description": "No valid contract"}}, Misconfigured),
        ({"Result": False, "StatusCode": {"Code": "017"}}, Misconfigured),
        ({"StatusCode": {"Code": "300"}}, Misconfigured),
        ({"Result": False, "StatusCode": {"Code": "001"}}, NotSent),
        ({"Result": False, "StatusCode": {"Code": "320"}}, NotSent),
        ({"Result": False, "StatusCode": {"Code": "022"}}, RefusedByHub),
        ({"Result": False, "StatusCode": {"Code": "603"}}, OutcomeUnknown),
        ({"Result": False, "StatusCode": {"Code": "999"}}, OutcomeUnknown),
        ({"Result": True, "StatusCode": {"Code": "000"}}, OutcomeUnknown),
        ({"StatusCode": {"Code": "000"}}, OutcomeUnknown),
        ({}, OutcomeUnknown),
        ([], OutcomeUnknown),
        (None, OutcomeUnknown),
        (b"<html>", OutcomeUnknown),
        (b"", OutcomeUnknown),
        (b'{"content": [], "number": "\\u0000"}', OutcomeUnknown),
    ],
)
async def test_an_answer_that_is_not_what_was_asked_for_is_a_failure_and_no_empty_network(
    peer: Peer, asking: ProviderAdapter, feed: str, body: Any, outcome: type
) -> None:
    peer.says = body
    assert isinstance(await failure(asking, feed), outcome)


@pytest.mark.parametrize(
    ("feed", "body"),
    [
        ("evse_data", page(StatusCode={"Code": "210"})),
        ("charge_detail_records", page(StatusCode={"Code": "210"})),
        ("evse_status", {"EvseStatuses": {"OperatorEvseStatus": []}, "StatusCode": {"Code": "210"}}),
        ("pricing_products", {"PricingProductData": [], "StatusCode": {"Code": "210"}}),
        ("evse_pricing", {"EVSEPricing": [], "StatusCode": {"Code": "210"}}),
    ],
)
async def test_a_page_of_http_200_that_says_that_it_failed_has_failed(
    peer: Peer, asking: ProviderAdapter, feed: str, body: Any
) -> None:
    peer.says = body
    assert isinstance(await failure(asking, feed), Misconfigured)


async def test_what_failed_is_counted_as_failed(peer: Peer) -> None:
    measured = Measured()
    emp = provider(observer=measured, base_url=peer.url)
    peer.says = page(StatusCode={"Code": "210"})
    await failure(emp, "evse_data")
    peer.says = page()
    await emp.pull("evse_data", None, None)
    assert [(each.operation, each.outcome) for each in measured.requests] == [
        ("evse_data", "misconfigured"),
        ("evse_data", "delivered"),
    ]
    await emp.close()


async def test_too_many_requests_say_when_to_come_again(peer: Peer, asking: ProviderAdapter) -> None:
    peer.status = 429
    for feed in ("evse_data", "evse_status", "charge_detail_records"):
        assert await failure(asking, feed) == Throttled(None)


async def test_an_answer_beyond_all_bounds_is_not_read(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.hubject.provider.adapter.LARGEST_ANSWER", 1000)
    emp = provider(base_url=peer.url)
    peer.says = page(*(record(evse_id) for evse_id in EVSES))
    assert isinstance(await failure(emp, "evse_data"), OutcomeUnknown)
    await emp.close()


async def test_a_full_page_of_2000_records_is_taken(peer: Peer, asking: ProviderAdapter) -> None:
    peer.says = page(*(record(f"NL*PLA*E{number}") for number in range(2000)), last=False, size=2000, totalPages=2)
    found = await asking.pull("evse_data", None, None)
    assert len(found.records) == 2000
    assert found.cursor == "1"
    assert len(json.dumps(peer.says)) > pulling._BIG  # so that it was parsed in a thread


async def test_a_big_answer_of_nonsense_is_a_failure(peer: Peer, asking: ProviderAdapter) -> None:
    for body in (b"[" * 300_000, b'{"content": [' + b"1," * 200_000 + b"]}", json.dumps({"x": "y" * 300_000}).encode()):
        peer.says = body
        for feed in ("evse_data", "evse_status"):
            assert isinstance(await failure(asking, feed), OutcomeUnknown)


# Prices


async def test_prices_are_pulled_of_the_operators_in_the_settings_alone(filled: World) -> None:
    await filled.do("pricing-products", [priced("NL*PLA", 0.4), priced("NL*OTH", 0.5)])
    await filled.do("evse-pricing", [evse_pricing("NL*PLA", EVSES[0], "A"), evse_pricing("NL*OTH", "NL*OTH*E1", "A")])
    emp = provider(filled, pricing_operators=["NL*PLA"])
    (products,) = await pages(emp, "pricing_products")
    assert [each.key for each in products.records] == [("NL*PLA", "A", "")]
    assert isinstance(products.records[0].read()[0], Tariff)
    (evses,) = await pages(emp, "evse_pricing")
    assert [each.key for each in evses.records] == [("NL*PLA", KEYS[0])]
    assert evses.records[0].read()[0].tariff_ids == ("A",)
    await emp.close()


def test_nobodys_prices_are_pulled_unless_the_settings_name_an_operator() -> None:
    assert not {"pricing_products", "evse_pricing"} & provider().roaming.feeds.keys()


# CDRs that were missed


async def bill(filled: World, count: int, **changes: Any) -> list[str]:
    told = {"evse": EVSES[0], "provider": "NL-EMS", "forward": False} | changes
    return [(await filled.do("cdrs", told))[0]["sent"]["SessionID"] for _ in range(count)]


async def test_missed_cdrs_are_pulled_in_pages_with_the_names_of_their_charges(
    filled: World, emp: ProviderAdapter
) -> None:
    billed = await bill(filled, 4)
    filled.wall.pass_by()
    found = await pages(emp, "charge_detail_records")
    assert [len(each.records) for each in found] == [3, 1]
    assert keys(found) == billed
    cdr, leg = records(found)[0].read()[0]
    assert (cdr.id, leg.hub_session, str(cdr.currency)) == (billed[0], billed[0], "EUR")
    assert leg.emsp == provider_settings().provider_id


async def test_all_pages_of_cdrs_are_of_one_span_however_long_they_take(filled: World, emp: ProviderAdapter) -> None:
    billed = await bill(filled, 4)
    filled.wall.pass_by()
    first = await emp.pull("charge_detail_records", None, None)
    filled.wall.pass_by()
    await bill(filled, 2)
    filled.wall.pass_by()
    last = await emp.pull("charge_detail_records", None, first.cursor)
    assert keys([first, last]) == billed
    assert first.total == last.total == 4


async def test_the_first_look_for_cdrs_reaches_back_as_far_as_the_settings_say(filled: World) -> None:
    emp = provider(filled, cdr_days=2)
    await bill(filled, 1)
    filled.wall.pass_by(timedelta(days=3).total_seconds())
    (recent,) = await bill(filled, 1)
    filled.wall.pass_by()
    assert keys(await pages(emp, "charge_detail_records")) == [recent]
    await emp.close()


async def test_a_cdr_with_nulls_is_the_same_as_one_without(peer: Peer, asking: ProviderAdapter) -> None:
    cdr = {"SessionID": "f98efba4-02d8-4fa0-b810-9a9d50d2c527", "EvseID": EVSES[0], "ConsumedEnergy": 3}
    digests = []
    for body in (cdr, cdr | {"PartnerProductID": None, "SignedMeteringValues": None}, cdr | {"ConsumedEnergy": 4}):
        peer.says = page(body)
        (found,) = (await asking.pull("charge_detail_records", None, None)).records
        digests.append(found.digest)
    assert digests[0] == digests[1] != digests[2]
