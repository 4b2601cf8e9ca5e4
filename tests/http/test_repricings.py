"""`/v1/repricings`."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from gateway.services.keys import KeyRole
from gateway.services.ports.repricing import Direction, Outcome, RepricingState
from mappings.canonical.ids import PartyId
from tests.http.conftest import Face

WHY = {"why": "the start fee is not in the tariff"}
ONE = "/v1/repricings/7"


async def test_both_calculations_are_shown_side_by_side(face: Face) -> None:
    status, shown, _ = await face.call("GET", ONE)
    assert (status, shown["repricing"]["outcome"], shown["repricing"]["difference_net"]) == (200, "differs", 1)
    assert shown["repricing"]["agreement"] == {"offer": "o-1", "version": 2, "subscription": "s-1"}
    [total] = shown["result"]["parts"]
    assert (total["told"], total["calculated"]) == ({"net": 4}, {"net": 3, "gross": 3.6})
    [line] = shown["result"]["lines"]
    assert (line["tariff_id"], line["of"], line["element"], line["periods"]) == ("T1", "ENERGY", 0, [0, 1])
    [note] = shown["result"]["notes"]
    assert note == {"kind": "changed", "field": "", "detail": "the tariff changed"}


@pytest.mark.parametrize("path", ["/v1/repricings", "/v1/repricings/export"])
async def test_lists_and_exports_take_filters(face: Face, path: str) -> None:
    query = "party=FR*XYZ&direction=in&outcome=differs&state=open&connection=gireve&cpo=NLABC&emsp=FR*XYZ&cdr=c-1"
    status, *_ = await face.call("GET", f"{path}?{query}&since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z")
    assert status == 200
    wanted = face.repricings.filters[-1]
    assert wanted.parties == frozenset({PartyId("FR*XYZ")})
    assert (wanted.direction, wanted.outcome, wanted.state) == (Direction.IN, Outcome.DIFFERS, RepricingState.OPEN)
    assert (wanted.cpo, wanted.emsp, wanted.connection) == (PartyId("NL*ABC"), PartyId("FR*XYZ"), "gireve")
    assert wanted.cdr == "c-1"
    assert (wanted.since, wanted.until) == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    assert (await face.call("GET", f"{path}?outcome=WHATEVER"))[0] == 422
    key = await face.key(KeyRole.READ, parties=("DE*ABC",))
    assert (await face.call("GET", f"{path}?party=FR*XYZ", key=key))[0] == 403


async def test_a_cursor_that_is_none_of_ours_is_refused(face: Face) -> None:
    assert (await face.call("GET", "/v1/repricings?after=nonsense"))[0] == 422


async def test_everything_is_exported_as_json_lines_unless_a_table_is_asked_for(face: Face) -> None:
    async with face.client.get(f"{face.url}/v1/repricings/export", headers=await bearer(face)) as answer:
        assert answer.content_type == "application/x-ndjson"
        lines = [json.loads(line) for line in (await answer.text()).splitlines()]
    assert [line["id"] for line in lines] == [7, 6, 5]
    await face.call("POST", f"{ONE}/accept", json={"why": "+1"})
    headers = {**await bearer(face), "Accept": "text/csv"}
    async with face.client.get(f"{face.url}/v1/repricings/export", headers=headers) as answer:
        assert answer.content_type == "text/csv"
        first, *others = csv.DictReader(io.StringIO(await answer.text(), newline=""))
    assert (first["id"], first["told_net"], first["told_gross"], first["state"]) == ("7", "4", "", "accepted")
    assert (first["offer"], first["offer_version"], first["subscription"]) == ("o-1", "2", "s-1")
    # A partner's text is no formula in anybody's spreadsheet.
    assert (first["cdr"], first["decided_why"]) == ("'=c-1", "'+1")
    assert [one["id"] for one in others] == ["6", "5"]


@pytest.mark.parametrize("why", ["=1+1", "-1", "@SUM(1)", "\t=1", "\n=1", "＝1"])
async def test_no_text_of_a_table_is_a_formula_and_what_was_agreed_on_stands_there(face: Face, why: str) -> None:
    await face.call("POST", f"{ONE}/dispute", json={"why": why, "agreed": {"net": -3}})
    headers = {**await bearer(face), "Accept": "text/csv"}
    async with face.client.get(f"{face.url}/v1/repricings/export", headers=headers) as answer:
        first, *_ = csv.DictReader(io.StringIO(await answer.text(), newline=""))
    assert (first["decided_why"], first["agreed_net"]) == (f"'{why}", "-3")


async def bearer(face: Face) -> dict[str, str]:
    """The header of a key that may read."""
    return {"Authorization": f"Bearer {await face.key(KeyRole.READ)}"}


async def test_a_person_accepts_and_disputes(face: Face) -> None:
    status, shown, _ = await face.call("POST", f"{ONE}/dispute", json=WHY | {"agreed": {"net": 3}})
    assert (status, shown["repricing"]["state"], shown["repricing"]["decided"]["why"]) == (200, "disputed", WHY["why"])
    assert shown["repricing"]["decided"]["agreed"]["net"] == 3
    status, shown, _ = await face.call("POST", f"{ONE}/accept", json=WHY)
    assert (status, shown["repricing"]["state"]) == (200, "accepted")


async def test_where_nothing_differs_there_is_nothing_to_decide(face: Face) -> None:
    status, shown, _ = await face.call("POST", f"{ONE}/recompute")
    assert (status, shown["repricing"]["outcome"]) == (200, "matches")
    for word in ("accept", "dispute"):
        assert (await face.call("POST", f"{ONE}/{word}", json=WHY))[0] == 409


async def test_all_since_a_moment_are_priced_anew(face: Face) -> None:
    since = {"since": "2026-01-01T00:00:00Z"}
    status, answer, _ = await face.call("POST", "/v1/repricings/recompute", json=since | {"party": "FR*XYZ"})
    assert (status, answer) == (202, {"count": 3})
    assert face.repricings.asked == [(frozenset({PartyId("FR*XYZ")}), datetime(2026, 1, 1, tzinfo=UTC))]
    assert (await face.call("POST", "/v1/repricings/recompute", json={}))[0] == 422


async def test_nothing_is_decided_without_a_reason_or_by_who_may_only_read(face: Face) -> None:
    reader = await face.key(KeyRole.READ)
    for word in ("accept", "dispute"):
        assert (await face.call("POST", f"{ONE}/{word}", json={"why": ""}))[0] == 422
        assert (await face.call("POST", f"{ONE}/{word}", json=WHY, key=reader))[0] == 403
    assert (await face.call("POST", f"{ONE}/recompute", key=reader))[0] == 403


async def test_another_emsps_key_sees_nothing(face: Face) -> None:
    key = await face.key(KeyRole.READ, KeyRole.PUBLISH, parties=("DE*ABC",))
    assert (await face.call("GET", ONE, key=key))[0] == 404
    assert (await face.call("POST", f"{ONE}/accept", key=key, json=WHY))[0] == 404
    assert (await face.call("GET", "/v1/repricings/0"))[0] == 422
