"""`/v1/quotes`."""

import pytest

from gateway.http.v1.quotes import preferred
from gateway.services.keys import KeyRole
from mappings.canonical.ids import PartyId
from tests.http.conftest import tariff

WISH = {"evse": {"evse_id": "NL*ABC*E1"}, "need": {"energy": 11}}


async def test_a_charge_is_quoted_by_every_way_each_priced_or_refused(face):
    status, quote, _ = await face.call("POST", "/v1/quotes", json=WISH)
    assert (status, quote["evse"], quote["language"]) == (200, "NLABCE1", "en")
    priced, refused = quote["offers"]
    assert priced["cost"]["gross"] == 6.6
    assert priced["tariff"]["version"] == 7
    assert priced["lines"][0]["used"] == 11
    assert priced["notes"] == [{"kind": "assumed", "field": "need.power", "detail": "11 kW"}]
    assert refused["refusal"] == {"why": "no_tariff", "field": "", "detail": "none"}
    assert "cost" not in refused


async def test_a_key_that_only_reads_may_ask_and_sees_its_own_parties(face):
    key = await face.key(KeyRole.READ, parties=("FR*ABC",))
    assert (await face.call("POST", "/v1/quotes", key=key, json=WISH))[0] == 200
    assert face.quotes.asked[-1][1] == frozenset({PartyId("FR*ABC")})


@pytest.mark.parametrize(
    "wish",
    [
        {"tariff": {"party": "NL*ABC", "id": "T1"}},
        {"terms": tariff(), "party": "FR*XYZ", "token": {"type": "RFID", "uid": "1"}},
    ],
)
async def test_own_tariffs_and_drivers_of_others_are_not_quoted(face, wish):
    key = await face.key(KeyRole.READ, parties=("FR*ABC",))
    status, problem, _ = await face.call("POST", "/v1/quotes", key=key, json={"need": {"energy": 1}, **wish})
    assert (status, problem["errors"][0]["field"]) == (403, "party")
    assert face.quotes.asked == []


async def test_a_partner_s_tariff_is_everybody_s_to_quote(face):
    key = await face.key(KeyRole.READ, parties=("FR*ABC",))
    named = {"party": "NL*ABC", "id": "T1", "connection": "gireve"}
    assert (await face.call("POST", "/v1/quotes", key=key, json={"need": {"energy": 1}, "tariff": named}))[0] == 200


async def test_what_is_not_stored_is_refused_by_its_field(face):
    wish = {"need": {"energy": 1}, "tariff": {"party": "NL*ABC", "id": "T9"}}
    status, problem, _ = await face.call("POST", "/v1/quotes", json=wish)
    assert (status, problem["errors"]) == (422, [{"field": "tariff.id", "detail": "is not known"}])


@pytest.mark.parametrize(
    ("wish", "fields"),
    [
        ({}, {"need"}),
        ({"need": {"energy": 1}}, {""}),
        ({**WISH, "terms": {"id": "T1"}}, {"terms.party", "terms.currency", "terms.elements", "terms.last_updated"}),
        ({**WISH, "tariff": {"party": "NL*ABC", "id": "T1"}}, {""}),
        ({**WISH, "need": {"energy": 0}}, {"need.energy"}),
        (
            {**WISH, "need": {"energy": -1, "parked": -1, "power": "eleven"}},
            {"need.energy", "need.parked", "need.power"},
        ),
        ({**WISH, "need": {"duration": 3_000_000}}, {"need.duration"}),
        (
            {**WISH, "need": {"target": 101, "battery": {"capacity": 0, "charged": 101}}},
            {
                "need.target",
                "need.battery.capacity",
                "need.battery.charged",
            },
        ),
        (
            {**WISH, "need": {"energy": 1, "curve": {"over": "speed", "points": []}}},
            {
                "need.curve.over",
                "need.curve.points",
            },
        ),
        ({**WISH, "need": {"energy": 1, "curve": {"over": "energy", "points": [[0, 1]] * 101}}}, {"need.curve"}),
        ({**WISH, "need": {"energy": 1, "power": 1, "curve": {"over": "energy", "points": [[0, 1]]}}}, {"need"}),
        (
            {**WISH, "start": "tomorrow", "language": "the King's", "time_zone": "Mars"},
            {
                "start",
                "language",
                "time_zone",
            },
        ),
        ({**WISH, "start": "0001-01-01T00:00:00Z"}, {"start"}),
        ({**WISH, "start": "9999-12-31T23:59:59Z"}, {"start"}),
        ({"need": {"energy": 1}, "terms": tariff(elements=tariff()["elements"] * 1001)}, {"terms"}),
        ({**WISH, "evse": {"location_id": "L1", "evse_uid": "U1"}}, {""}),
        ({**WISH, "token": {"type": "RFID", "uid": "1"}}, {""}),
        ({"need": {"energy": 1}, "terms": tariff(), "connector_id": "1"}, {""}),
    ],
)
async def test_each_wrong_field_is_named(face, wish, fields):
    status, problem, _ = await face.call("POST", "/v1/quotes", json=wish)
    assert status == 422
    assert {each["field"] for each in problem["errors"]} == fields


async def test_the_language_is_the_one_that_the_caller_prefers(face):
    headers = {"Accept-Language": "en;q=0.5, nl-NL, *;q=0.1"}
    _, quote, _ = await face.call("POST", "/v1/quotes", json=WISH, headers=headers)
    assert quote["language"] == "nl-NL"
    assert (await face.call("POST", "/v1/quotes", json={**WISH, "language": "de"}, headers=headers))[1][
        "language"
    ] == "de"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", None),
        ("*", None),
        ("fr", "fr"),
        ("fr;q=0", None),
        ("fr;q=0.2, de;q=0.9, en;q=0.9", "de"),
        ("fr;q=x, nl;q=2, de-AT;q=0.1", "de-AT"),
    ],
)
def test_what_is_accepted_is_weighed(accepted, language):
    assert preferred(accepted) == language
