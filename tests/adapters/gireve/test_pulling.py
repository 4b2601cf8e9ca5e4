"""Pulls that go wrong in the ways in which lists do, against the sandbox IOP; and what exactly is asked."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web

from adapters.core import ocpi
from adapters.core.connection import Scope, Secrets, State
from adapters.core.outcomes import Misconfigured, Outcome, OutcomeUnknown, RefusedByHub
from adapters.core.roaming import FeedKind, PulledPage, PullFailed, Record
from adapters.gireve.adapter import GireveAdapter
from adapters.gireve.home import Home, home_of
from adapters.gireve.records import records_of
from adapters.gireve.sandbox import SandboxSettings
from adapters.gireve.settings import Settings
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import EvseStatus, Location
from mappings.canonical.parties import Role
from mappings.report import Refused
from tests.adapters import doubles
from tests.adapters.doubles import Measured, Network
from tests.adapters.gireve.emsp import evse, location
from tests.adapters.gireve.network import TOKEN_A, Pair, pair
from tests.adapters.gireve.ours import EMSP_PARTY, MP1, NOW
from tests.adapters.gireve.test_contract_roaming import lines, priced

OTHER = PartyId("DE*MP2")


@dataclass
class Iop:
    """A sandbox with six locations in pages of two, and an EMSP's adapter."""

    both: Pair
    adapter: GireveAdapter

    async def spoil(self, **fault: Any) -> None:
        assert (await self.both.drive("pages", [fault]))[0] == 200

    async def load(self, *objects: Any, path: str = "network") -> None:
        url = f"{self.both.iop.url}/_sandbox/{path}"
        async with self.both.session.post(url, data=lines(*objects)) as got:
            assert got.status == 200, await got.text()

    async def pull(self, feed: str = "locations", since: datetime | None = None) -> list[PulledPage]:
        found = [await self.adapter.pull(feed, since, None)]
        while found[-1].cursor is not None and len(found) < 50:
            found.append(await self.adapter.pull(feed, since, found[-1].cursor))
        return found

    async def keys(self, **asked: Any) -> list[str]:
        return [record.key[1] for page in await self.pull(**asked) for record in page.records]

    async def failure(self, **asked: Any) -> Outcome:
        with pytest.raises(PullFailed) as failed:
            await self.pull(**asked)
        return failed.value.outcome


@pytest.fixture
async def iop() -> AsyncIterator[Iop]:
    settings = SandboxSettings(token=TOKEN_A, page_cap=2)
    async with pair(settings, Network([EMSP_PARTY]), roles=["EMSP"]) as both:
        await both.register()
        connection = both.registry.connection
        made = Iop(both, GireveAdapter(connection, Measured(), home=home_of(connection, both.gateway)))
        await made.load(*(location(f"L{number}") for number in range(6)))
        yield made
        await made.adapter.close()


ALL = [f"L{number}" for number in range(6)]


# Pages that lie


@pytest.mark.parametrize("total", [0, 1, 5, 999])
async def test_what_is_said_of_the_number_of_objects_does_not_count(iop: Iop, total: int) -> None:
    await iop.spoil(total=total)
    assert await iop.keys() == ALL


@pytest.mark.parametrize("without", [["Link"], ["Link", "X-Total-Count"], ["Link", "X-Total-Count", "X-Limit"]])
@pytest.mark.parametrize("number", [5, 6])
async def test_a_list_without_links_ends_where_no_more_comes(iop: Iop, without: list[str], number: int) -> None:
    if number < len(ALL):
        gone = {"party": "NL*TNM", "location_id": ALL[-1], "evse_uid": "1", "status": "REMOVED"}
        await iop.both.drive("statuses", gone)
    # Without X-Limit nobody says that pages are of two but who asked for them.
    settings = {**iop.both.registry.connection.settings, "pull_page": 2}
    connection = replace(iop.both.registry.connection, settings=settings)
    adapter = GireveAdapter(connection, Measured(), home=home_of(connection, iop.both.gateway))
    await iop.spoil(without=without)
    assert await Iop(iop.both, adapter).keys() == ALL[:number]
    await adapter.close()


async def test_links_that_lead_nowhere_but_back_end_the_pull(iop: Iop) -> None:
    await iop.spoil(endless=True)
    assert isinstance(await iop.failure(), OutcomeUnknown)


async def test_a_list_that_is_null_is_no_empty_one(iop: Iop) -> None:
    await iop.spoil(null_data=True, count=1)
    assert isinstance(await iop.failure(), OutcomeUnknown)
    await iop.spoil(null_data=True, total=0, count=1)
    (page, *_) = await iop.pull()
    assert list(page.records) == []


@pytest.mark.parametrize(("status", "code", "outcome"), [(500, 3000, OutcomeUnknown), (400, 2001, RefusedByHub)])
async def test_a_last_page_that_fails_is_told(iop: Iop, status: int, code: int, outcome: type) -> None:
    await iop.spoil(fail_last=status, fail_code=code)
    pages = [await iop.adapter.pull("locations", None, None)]
    pages.append(await iop.adapter.pull("locations", None, pages[0].cursor))
    with pytest.raises(PullFailed) as failed:
        await iop.adapter.pull("locations", None, pages[1].cursor)
    assert isinstance(failed.value.outcome, outcome)


async def test_pages_that_shift_show_in_their_records(iop: Iop) -> None:
    await iop.spoil(shift=1)
    assert await iop.keys() == ["L0", "L1", "L3", "L4", "L5"]  # one is missed: fewer than the hub says there are
    assert {page.total for page in await iop.pull()} == {6}


@pytest.mark.parametrize(
    "spoilt",
    [
        {"also": {"coordinates": None}},
        {"also": {"evses": [{"uid": "1"}], "coordinates": "north"}},
        {"also": {"last_updated": "yesterday"}},
        {"also": {"name": "a\0b"}},
    ],
)
async def test_a_record_that_does_not_validate_spoils_itself_alone(iop: Iop, spoilt: dict[str, Any]) -> None:
    await iop.spoil(spoilt=[{"at": 0, **spoilt}], count=1)
    page = await iop.adapter.pull("locations", None, None)
    assert [record.key for record in page.records] == [("NL*TNM", "L0"), ("NL*TNM", "L1")]
    with pytest.raises(Refused):
        page.records[0].read()
    assert isinstance(page.records[1].read()[0], Location)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"record": None},
        {"record": "L0"},
        {"record": []},
        {"also": {"id": None}},
        {"also": {"id": " "}},
        {"also": {"party_id": "TOO LONG"}},
        {"also": {"id": "a\0b"}},
    ],
)
async def test_a_record_without_a_key_is_told_apart(iop: Iop, spoilt: dict[str, Any]) -> None:
    await iop.spoil(spoilt=[{"at": 0, **spoilt}], count=1)
    page = await iop.adapter.pull("locations", None, None)
    assert [record.key[1] for record in page.records] == ["L1"]
    assert len(page.unreadable) == 1
    assert page.cursor is not None


async def test_evses_that_are_gone_come_with_dates_alone(iop: Iop) -> None:
    change = {"party": "NL*TNM", "location_id": "L0", "evse_uid": "1", "status": "REMOVED"}
    began = datetime.now(UTC) - timedelta(seconds=1)
    await iop.both.drive("statuses", change)
    assert await iop.keys() == ALL[1:]
    ((record,),) = [page.records for page in await iop.pull(since=began)]
    place, _ = record.read()
    assert [each.status for each in place.evses] == [EvseStatus.REMOVED]
    assert record.gone


async def test_gireves_ids_stay_beside_the_owners(iop: Iop) -> None:
    record: Record = (await iop.pull())[0].records[0]
    place, issues = record.read()
    assert place.unknown.keys() == {"gireve_id"}
    assert not issues


async def test_targeted_tariffs_have_a_key_each(iop: Iop) -> None:
    ours, others = ({"target_operator_country_code": "DE", "target_operator_party_id": each} for each in ("MP1", "MP2"))
    await iop.load(priced("T1"), priced("T1", **ours), priced("T1", **others), path="network-tariffs")
    records = {record.key[2]: record for page in await iop.pull("tariffs") for record in page.records}
    assert {key: record.read()[0].target for key, record in records.items()} == {
        "": None,
        "DE*MP1": MP1,
        "DE*MP2": OTHER,
    }
    # EMSPs are told of prices for others, which are none for them.
    assert {key for key, record in records.items() if record.gone} == {"DE*MP2"}


async def test_what_is_not_listed_at_the_platform_is_no_feed(iop: Iop) -> None:
    assert list(iop.adapter.roaming.feeds) == ["locations", "tariffs"]
    assert isinstance(await iop.failure(feed="cdrs"), Misconfigured)
    with pytest.raises(PullFailed):
        await iop.adapter.pull_statuses(["NL*TNM*E1"])


def test_what_another_platform_lists_is_a_feed_too() -> None:
    offered = {"locations/SENDER", "tariffs/SENDER", "cdrs/SENDER", "hubclientinfo/SENDER"}
    feeds = Settings(roles=frozenset({Role.EMSP})).roaming(offered).feeds
    assert {feed.kind for feed in feeds.values()} == {
        FeedKind.LOCATIONS,
        FeedKind.TARIFFS,
        FeedKind.CDRS,
        FeedKind.PARTIES,
    }
    assert not feeds["cdrs"].prunes
    longest = feeds["tariffs"].longest
    assert longest is not None
    assert longest < timedelta(days=28)
    assert not Settings().roaming(offered).feeds


def test_cdrs_and_parties_are_read_as_what_they_are() -> None:
    info = {"country_code": "NL", "party_id": "TNM", "role": "CPO", "status": "CONNECTED"}
    (record,), _ = records_of(FeedKind.PARTIES, [info], NOW)
    assert record.key == ("NL*TNM", "CPO")
    assert record.read()[0].last_updated == NOW


# What is asked


class Asked:
    """A platform that remembers what it was asked, and gives pages of one location each.

    Attributes:
        link: What leads to the second page; `{url}` stands for its own address.
        further: What leads on from there.
    """

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.link = self.further = ""
        self.body: Any = [location()]
        self.url = ""

    async def serve(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        link = dict(enumerate((self.link, self.further), 1)).get(len(self.requests))
        headers = {"Link": link.replace("{url}", self.url)} if link else {}
        body = {"status_code": 1000, "timestamp": "2026-06-07T18:40:07Z", "data": self.body}
        return web.Response(body=json.dumps(body), content_type="application/json", headers=headers)


@pytest.fixture
async def asked() -> AsyncIterator[Asked]:
    made = Asked()
    app = web.Application()
    app.add_routes([web.get("/{tail:.*}", made.serve)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def pulled(
    asked: Asked, *emsps: PartyId, since: datetime | None = None, query: str = "", **settings: Any
) -> list[PulledPage]:
    modules = {"locations/SENDER": f"{asked.url}/locations{query}"}
    connection = doubles.connection(
        "gireve",
        {"sandbox": True, "roles": ["EMSP"], **settings},
        state=State.READY,
        secrets=Secrets("token", {"versions": asked.url, "modules": modules}),
    )

    async def ours() -> tuple[PartyId, ...]:
        return emsps

    adapter = GireveAdapter(connection, Measured(), lambda: NOW, Home("http://127.0.0.1", ours))
    try:
        pages = [await adapter.pull("locations", since, None)]
        while pages[-1].cursor is not None:
            pages.append(await adapter.pull("locations", since, pages[-1].cursor))
    finally:
        await adapter.close()
    return pages


def queries(asked: Asked) -> list[dict[str, str]]:
    return [dict(parse_qsl(urlsplit(str(each.rel_url)).query)) for each in asked.requests]


async def test_a_pull_names_its_page_its_emsp_and_the_hub(asked: Asked) -> None:
    await pulled(asked, MP1, since=NOW - timedelta(hours=1))
    assert queries(asked) == [{"offset": "0", "limit": "100", "date_from": "2026-06-07T18:00:00Z"}]
    headers = asked.requests[0].headers
    assert (headers[ocpi.FROM_COUNTRY], headers[ocpi.FROM_PARTY]) == ("DE", "MP1")
    assert (headers[ocpi.TO_COUNTRY], headers[ocpi.TO_PARTY]) == ("FR", "107")


async def test_the_future_is_not_asked_for(asked: Asked) -> None:
    await pulled(asked, MP1, since=NOW + timedelta(days=1))
    assert queries(asked)[0]["date_from"] == "2026-06-07T19:00:00Z"


async def test_parameters_of_an_endpoint_stay(asked: Asked) -> None:
    await pulled(asked, MP1, query="?tenant=7")
    assert queries(asked)[0]["tenant"] == "7"


async def test_each_of_our_emsps_asks_for_itself(asked: Asked) -> None:
    pages = await pulled(asked, MP1, OTHER)
    assert [each.headers[ocpi.FROM_PARTY] for each in asked.requests] == ["MP1", "MP2"]
    assert len(pages) == 2
    assert [page.part for page in pages] == [str(MP1), str(OTHER)]


async def test_nobody_is_asked_in_the_name_of_nobody(asked: Asked) -> None:
    with pytest.raises(PullFailed) as failed:
        await pulled(asked)
    assert isinstance(failed.value.outcome, Misconfigured)
    assert not asked.requests


@pytest.mark.parametrize(
    ("link", "path"),
    [('<{url}/next?page=2>; rel="next"', "/next?page=2"), ("</next?page=2>; rel=next", "/next?page=2")],
)
async def test_a_link_is_followed_as_it_is(asked: Asked, link: str, path: str) -> None:
    asked.link = link
    pages = await pulled(asked, MP1)
    assert [str(each.rel_url) for each in asked.requests][1:] == [path]
    assert len(pages) == 2


@pytest.mark.parametrize(
    "link", ["https://elsewhere.example/locations", "ftp://127.0.0.1/x", "http://[", "http://a@127.0.0.1/"]
)
async def test_a_link_to_where_we_may_not_call_is_not_followed(asked: Asked, link: str) -> None:
    asked.link = f'<{link}>; rel="next"'
    with pytest.raises(PullFailed) as failed:
        await pulled(asked, MP1)
    assert isinstance(failed.value.outcome, Misconfigured)
    assert len(asked.requests) == 1


async def test_a_link_back_to_a_page_that_has_been_ends_the_pull(asked: Asked) -> None:
    asked.link = '<{url}/locations?offset=100>; rel="next"'
    asked.further = '<{url}/locations?offset=0>; rel="next"'
    with pytest.raises(PullFailed) as failed:
        await pulled(asked, MP1)
    assert isinstance(failed.value.outcome, OutcomeUnknown)


@pytest.mark.parametrize("limit", ["limit=0", "limit=-5", "limit=x", "offset=x"])
async def test_a_link_with_a_limit_that_makes_no_sense_is_not_made_worse(asked: Asked, limit: str) -> None:
    asked.link = f'<{{url}}/next?{limit}>; rel="next"'
    assert len(await pulled(asked, MP1)) == 2
    assert "limit=0" not in [query.get("limit") for query in queries(asked)[:1]]


async def test_an_answer_that_is_no_list_is_no_page(asked: Asked) -> None:
    nothing: list[Any] = [{}, "x", 7, None]
    for body in nothing:
        asked.body = body
        with pytest.raises(PullFailed) as failed:
            await pulled(asked, MP1)
        assert isinstance(failed.value.outcome, OutcomeUnknown)


async def test_an_object_twice_on_a_page_is_one_record_the_newer_one(asked: Asked) -> None:
    newer = location(name="newer", last_updated="2026-06-07T18:50:00Z")
    asked.body = [newer, location(), location("L2")]
    (page,) = await pulled(asked, MP1)
    assert [record.read()[0].name for record in page.records] == ["newer", None]


async def test_a_page_of_many_evses_is_read_aside(asked: Asked) -> None:
    asked.body = [location("L1", *(evse(str(number)) for number in range(2000)))]
    (page,) = await pulled(asked, MP1)
    assert len(page.records[0].read()[0].evses) == 2000


async def test_a_cursor_that_is_none_of_ours_is_refused(iop: Iop) -> None:
    for cursor in ("", "{", '{"speaker": -1}', '{"else": 1}'):
        with pytest.raises(PullFailed):
            await iop.adapter.pull("locations", None, cursor)
    assert list((await iop.adapter.pull("locations", None, '{"speaker": 7}')).records) == []


async def test_the_emsps_are_those_of_the_settings_else_with_a_profile_else_in_scope(iop: Iop) -> None:
    gateway, connection = iop.both.gateway, iop.both.registry.connection
    assert await home_of(connection, gateway).emsps() == [MP1]
    other = EMSP_PARTY.model_copy(update={"id": OTHER}).model_dump(mode="json")
    named = replace(connection, settings={**connection.settings, "parties": [other]})
    assert await home_of(named, gateway).emsps() == [OTHER]
    scoped = replace(connection, scope=Scope(parties=frozenset({OTHER})))
    assert await home_of(scoped, gateway).emsps() == [OTHER]
