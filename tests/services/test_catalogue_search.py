"""Searching partners' stations, against a search in plain Python."""

import math
import random
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

import pytest

from gateway.services.catalogue import cells, words
from gateway.services.catalogue.opening import is_open
from gateway.services.ports import BadCursor
from gateway.services.ports.catalogue import Around, Box, EntryFilter
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Connector, ConnectorStandard, EvseStatus, GeoPoint, Hours, Period, RegularHours
from mappings.canonical.texts import Business
from tests.harness import AT, OTHER, PARTY, evse, later, location, report_by_id, tariff

T2, CCS = ConnectorStandard.IEC_62196_T2, ConnectorStandard.IEC_62196_T2_COMBO
CITIES = ("Utrecht", "Zürich", "Den Haag", "Saint-Étienne")
ALWAYS, NEVER = Hours(twentyfourseven=True), Hours(twentyfourseven=False)


def point(longitude, latitude):
    return GeoPoint(latitude=Decimal(str(latitude)), longitude=Decimal(str(longitude)))


def plug(standard=T2, power=22_000):
    return Connector(id="1", standard=standard, max_power=Decimal(power), last_updated=AT)


def station(n, rng):
    """One of many in and around a city; every fifth has two EVSEs, and the second a point of its own."""
    longitude, latitude = round(5 + rng.random(), 5), round(52 + rng.random(), 5)
    party = rng.choice((PARTY, OTHER))
    evses = [
        evse(
            f"U{k}",
            f"{party}*E{n:04}{k}",
            status=rng.choice((EvseStatus.AVAILABLE, EvseStatus.CHARGING)),
            connectors=(plug(rng.choice((T2, CCS)), rng.choice((11_000, 50_000, 150_000))),),
            coordinates=point(round(longitude + 0.2, 5), latitude) if k else None,
        )
        for k in range(2 if n % 5 == 0 else 1)
    ]
    return location(
        f"L{n}",
        *evses,
        party=party,
        name=f"Plein {n}",
        city=rng.choice(CITIES),
        coordinates=point(longitude, latitude),
        operator=Business(name=rng.choice(("Snel Laden BV", "Électricité"))),
        opening_times=rng.choice((None, ALWAYS, NEVER)),
    )


@pytest.fixture
async def city(abroad):
    """Eighty stations over the first hub, some of them over the second, too."""
    rng = random.Random(7)
    stations = [station(n, rng) for n in range(80)]
    for one in stations:
        await abroad.put(one)
    for one in stations[::4]:
        await abroad.put(one.model_copy(update={"id": f"M{one.id}"}), abroad.hubject, statuses=False)
    for one in stations[::8]:
        await abroad.tell(report_by_id("OUTOFORDER", later(9), one.evses[0].evse_id.text), abroad.hubject)
    return abroad, stations


def facts(stations):
    """Each EVSE with all that a search may ask of it."""
    for n, one in enumerate(stations):
        for k, each in enumerate(one.evses):
            where = each.coordinates or one.coordinates
            yield {
                "key": each.evse_id.normal,
                "at": (float(where.longitude), float(where.latitude)),
                "status": EvseStatus.OUTOFORDER if n % 8 == 0 and k == 0 else each.status,
                "power": int(each.connectors[0].max_power),
                "standard": each.connectors[0].standard,
                "party": one.party,
                "city": one.city,
                "open": one.opening_times == ALWAYS,
                "connections": {"gireve", "hubject"} if n % 4 == 0 else {"gireve"},
            }


def metres(one, other):
    lon1, lat1, lon2, lat2 = map(math.radians, (*one, *other))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6_371_008.8 * math.asin(math.sqrt(half))


BOX = Box(5.2, 52.1, 5.8, 52.9)
CENTRE = (5.5, 52.5)


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({}, lambda one: True),
        ({"box": BOX}, lambda one: BOX.west <= one["at"][0] <= BOX.east and BOX.south <= one["at"][1] <= BOX.north),
        ({"near": Around(52.5, 5.5, 25_000.0)}, lambda one: metres(CENTRE, one["at"]) <= 25_000),
        ({"statuses": frozenset({EvseStatus.OUTOFORDER})}, lambda one: one["status"] is EvseStatus.OUTOFORDER),
        (
            {"statuses": frozenset({EvseStatus.AVAILABLE, EvseStatus.CHARGING}), "box": BOX},
            lambda one: one["status"] is not EvseStatus.OUTOFORDER and _in_box(one),
        ),
        ({"min_power": 50_000}, lambda one: one["power"] >= 50_000),
        ({"standards": frozenset({CCS})}, lambda one: one["standard"] is CCS),
        ({"parties": frozenset({OTHER})}, lambda one: one["party"] == OTHER),
        ({"opening_now": True}, lambda one: one["open"]),
        ({"connection": "hubject"}, lambda one: "hubject" in one["connections"]),
        ({"connection": "nowhere"}, lambda one: False),
        ({"text": "zurich"}, lambda one: one["city"] == "Zürich"),
        ({"text": "ETIE", "box": BOX}, lambda one: one["city"] == "Saint-Étienne" and _in_box(one)),
        ({"text": "haag den"}, lambda one: one["city"] == "Den Haag"),
        ({"text": "?!"}, lambda one: False),
        (
            {"near": Around(52.5, 5.5, 40_000.0), "min_power": 50_000, "standards": frozenset({CCS}), "text": "utr"},
            lambda one: (
                metres(CENTRE, one["at"]) <= 40_000
                and one["power"] >= 50_000
                and one["standard"] is CCS
                and one["city"] == "Utrecht"
            ),
        ),
    ],
    ids=count(),  # no word of a function or of a set is the same in two processes
)
async def test_a_search_finds_what_plain_python_finds(city, wanted, fits):
    abroad, stations = city
    expected = sorted(one["key"] for one in facts(stations) if fits(one))
    found = await abroad.find(**wanted)
    assert sorted(entry.evse_key for entry in found) == expected
    if "near" in wanted:
        away = [entry.distance for entry in found]
        assert away == sorted(away)
        by_key = {one["key"]: metres(CENTRE, one["at"]) for one in facts(stations)}
        assert all(abs(entry.distance - by_key[entry.evse_key]) < 0.01 for entry in found)


def _in_box(one):
    return BOX.west <= one["at"][0] <= BOX.east and BOX.south <= one["at"][1] <= BOX.north


async def test_an_entry_has_all_its_ways_and_speaks_with_one(city):
    abroad, stations = city
    entry = await abroad.search.entry(stations[0].evses[0].evse_id.text)
    assert {way.connection: (way.preferred, way.status) for way in entry.ways} == {
        "gireve": (True, stations[0].evses[0].status),
        "hubject": (False, EvseStatus.OUTOFORDER),
    }
    assert entry.location["id"] == "L0"
    assert "evses" not in entry.location


async def test_a_box_over_the_date_line_is_one_box(abroad):
    await abroad.put(location("W", coordinates=point(179.9, -17)))
    await abroad.put(location("E", coordinates=point(-179.9, -17)))
    await abroad.put(location("N", coordinates=point(0, -17)))
    found = await abroad.find(box=Box(179.0, -18.0, -179.0, -16.0))
    assert sorted(entry.location["id"] for entry in found) == ["E", "W"]
    near = await abroad.find(near=Around(-17.0, 179.95, 50_000.0))
    assert [entry.location["id"] for entry in near] == ["W", "E"]


async def test_a_cursor_that_is_none_of_ours_is_refused(abroad):
    for cursor in ("?", "W10", "WyJhIiwiYiJd", "WyItMSIsIjEiXQ", "WyJuYW4iLCIxIl0"):
        for wanted in (EntryFilter(), EntryFilter(near=Around(52.0, 5.0, 100.0))):
            with pytest.raises(BadCursor):
                await abroad.search.search(wanted, cursor, 10)


async def test_pages_go_on_where_the_one_before_ended_while_statuses_change(city):
    abroad, stations = city
    found, after = [], None
    while True:
        page = await abroad.search.search(EntryFilter(box=BOX), after, 5)
        found += [entry.evse_key for entry in page.items]
        for one in stations[::3]:
            await abroad.tell(report_by_id("RESERVED", None, one.evses[0].evse_id.text))
        after = page.next
        if after is None:
            break
    assert sorted(found) == sorted(one["key"] for one in facts(stations) if _in_box(one))


async def test_closed_places_make_a_page_short_but_do_not_end_the_search(abroad):
    for n in range(30):
        hours = ALWAYS if n == 29 else NEVER
        await abroad.put(location(f"L{n:02}", coordinates=point(5 + n / 100, 52), opening_times=hours))
    page = await abroad.search.search(EntryFilter(opening_now=True), None, 2)
    assert (len(page.items), page.next is not None) == (0, True)
    assert len(await abroad.find(opening_now=True)) == 1


def _json(**changes):
    return location(**changes).model_dump(mode="json", exclude_defaults=True)


@pytest.mark.parametrize(
    ("hours", "moment", "known_open"),
    [
        (None, "2026-06-01T10:00", False),
        (ALWAYS, "2026-06-01T03:00", True),
        (((1, "08:00", "18:00"),), "2026-06-01T05:59", False),  # Monday; 07:59 in Amsterdam
        (((1, "08:00", "18:00"),), "2026-06-01T06:00", True),
        (((1, "08:00", "18:00"),), "2026-06-01T16:00", False),
        (((1, "08:00", "18:00"),), "2026-06-02T10:00", False),
        (((1, "20:00", "02:00"),), "2026-06-01T23:30", True),  # past midnight it is Tuesday
        (((1, "20:00", "02:00"),), "2026-06-02T00:30", False),
        (((7, "20:00", "02:00"),), "2026-05-31T23:00", True),  # from Sunday to Monday
        (((1, "00:00", "24:00"),), "2026-06-01T21:59", True),
        (((1, "00:00", "23:59"),), "2026-06-01T21:59", True),
        (((1, "00:00", "00:00"),), "2026-06-01T12:00", True),
    ],
)
def test_a_place_is_open_by_its_own_clock(hours, moment, known_open):
    if isinstance(hours, tuple):
        regular = tuple(RegularHours(weekday=day, begin=begin, end=end) for day, begin, end in hours)
        hours = Hours(twentyfourseven=False, regular=regular)
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert is_open(_json(opening_times=hours, time_zone="Europe/Amsterdam"), at) is known_open


def test_exceptions_go_before_regular_hours_and_closings_before_openings():
    night = Period(begin=AT, end=later(3600))
    rest = Period(begin=later(1800), end=later(3600))
    opened = Hours(twentyfourseven=False, exceptional_openings=(night,), exceptional_closings=(rest,))
    closed = Hours(twentyfourseven=True, exceptional_closings=(rest,))
    for hours, before in ((opened, False), (closed, True)):
        body = _json(opening_times=hours)
        moments = (AT.replace(year=2025), AT, later(1800), later(3600))
        assert [is_open(body, at) for at in moments] == [before, True, False, before]


def test_an_unknown_time_zone_opens_nothing_but_what_is_always_open():
    regular = Hours(twentyfourseven=False, regular=(RegularHours(weekday=4, begin="00:00", end="24:00"),))
    assert not is_open(_json(opening_times=regular, time_zone="Mars/Olympus"), AT)
    assert is_open(_json(opening_times=ALWAYS, time_zone="Mars/Olympus"), AT)


def test_words_lose_case_and_accents():
    assert words.words("Straße 12-14", "ZÜRICH  Hbf.", None, "zurich") == ["strasse", "12", "14", "zurich", "hbf"]
    assert words.query("Zür 8'") == "'zur':* & '8':*"
    assert words.query("--") is None


def test_ranges_of_cells_cover_their_box():
    rng = random.Random(3)
    for _ in range(200):
        west, south = rng.uniform(-179, 170), rng.uniform(-89, 80)
        box = Box(west, south, west + rng.uniform(0, 9), south + rng.uniform(0, 9))
        found = cells.ranges(box)
        assert len(found) <= 64
        assert found == sorted(found)
        for _ in range(20):
            number = cells.cell(rng.uniform(box.west, box.east), rng.uniform(box.south, box.north))
            assert any(low <= number <= high for low, high in found)
    assert cells.ranges(Box(-180.0, -90.0, 180.0, 90.0)) == [(0, (1 << 52) - 1)]
    assert all(low <= cells.cell(180, 90) <= high for low, high in cells.ranges(Box(180.0, 90.0, 180.0, 90.0)))


async def test_locations_have_each_evse_where_its_preferred_way_has_it(city):
    abroad, stations = city
    seen, after = [], None
    while True:
        page = await abroad.search.locations(None, None, after, 9)
        seen += page.items
        after = page.next
        if after is None:
            break
    assert sorted(one.id for one in seen) == sorted(one.id for one in stations)
    first = next(one for one in seen if one.id == "L0")
    assert first.evses[0].status is EvseStatus.OUTOFORDER, "the newest that any hub told"
    offered = (await abroad.search.locations("hubject", None, None, 100)).items
    assert len(offered) == 20
    assert {one.id[0] for one in offered} == {"M"}
    own = (await abroad.search.locations("gireve", OTHER, None, 100)).items
    assert {one.party for one in own} == {OTHER}
    assert next(one for one in (await abroad.search.locations("gireve", None, None, 1)).items).evses[0].status in {
        EvseStatus.AVAILABLE,
        EvseStatus.CHARGING,
    }


async def test_tariffs_are_listed_page_by_page(abroad):
    for n in range(5):
        await abroad.catalogue.put_tariff(abroad.gireve, tariff(f"T{n}"), bytes([n]) * 16)
    first = await abroad.search.tariffs("gireve", PARTY, None, 3)
    rest = await abroad.search.tariffs("gireve", PARTY, first.next, 3)
    assert [one.id for one in (*first.items, *rest.items)] == [f"T{n}" for n in range(5)]
    assert rest.next is None
    assert not (await abroad.search.tariffs("hubject", None, None, 3)).items
    assert not (await abroad.search.tariffs(None, PartyId("FR*XXX"), None, 3)).items
