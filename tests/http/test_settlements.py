"""`/v1/settlements` and `/v1/billing-parties`."""

import csv
import io
import json
import re
from datetime import UTC, datetime

import pytest

from gateway.services.keys import KeyRole
from gateway.services.ports.repricing import Direction
from gateway.settling.lines import Remark
from mappings.canonical.ids import PartyId
from tests.http.conftest import Face

ASKED = "party=FR*CPO&from=2025-01-01&to=2025-02-01"
ALL = "/v1/settlements?" + ASKED
LINES = "/v1/settlements/lines?" + ASKED
BILLED = "/v1/billing-parties/FR*CPO"
BODY = {"party": "FR*CPO", "name": "Bornes SA", "country": "FRA", "vat_id": "FR 40 303 265 045"}


async def test_who_owes_whom_is_told_with_its_tax(face: Face) -> None:
    status, report, headers = await face.call("GET", ALL)
    assert status == 200
    assert (report["party"], report["direction"], report["cdrs"]) == ("FR*CPO", "out", 3)
    german, french = report["balances"]
    assert (german["owed_by"], german["gross"]) == ("DE*EMS", 3.33)
    assert (french["net"], french["vat"], french["gross"], french["unpriced"]) == (10, 2, 12, 1)
    assert report["rows"][0]["legal"] == "Reverse charge: Articles 38 and 195 of Directive 2006/112/EC"
    assert {one["vat_id"] for one in report["parties"]} >= {"FR40303265045", "DE136695976"}
    assert (headers["Roamgate-Digest"], headers["Roamgate-As-Of"]) == (report["digest"], "2026-03-01T12:00:00+00:00")


async def test_days_begin_at_midnight_of_the_time_zone_asked_for(face: Face) -> None:
    await face.call("GET", f"{ALL}&time_zone=Europe/Paris")
    wanted = face.settlements.asked[-1]
    assert wanted.start == datetime(2024, 12, 31, 23, tzinfo=UTC)
    assert wanted.end == datetime(2025, 1, 31, 23, tzinfo=UTC)
    await face.call("GET", ALL)
    assert face.settlements.asked[-1].start == datetime(2025, 1, 1, tzinfo=UTC)
    await face.call("GET", "/v1/settlements?party=FR*CPO&from=2025-01-01T00:00:00%2B01:00&to=2025-01-01T12:00:00Z")
    assert face.settlements.asked[-1].start == datetime(2024, 12, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize("path", [ALL, LINES])
async def test_settlements_take_filters(face: Face, path: str) -> None:
    more = "&direction=in&partner=NL*ABC&connection=hub&as_of=2025-02-03T00:00:00Z&late_since=2025-01-03T00:00:00Z"
    status, *_ = await face.call("GET", path + more)
    assert status == 200
    wanted = face.settlements.asked[-1]
    assert (wanted.direction, wanted.partner, wanted.connection) == (Direction.IN, PartyId("NL*ABC"), "hub")
    assert (wanted.as_of, wanted.late_since) == (datetime(2025, 2, 3, tzinfo=UTC), datetime(2025, 1, 3, tzinfo=UTC))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "party"),
        ("party=FR*CPO&to=2025-02-01", "from"),
        ("party=FR*CPO&from=2025-01-01", "to"),
        (f"{ASKED}&time_zone=Mars/Base", "time_zone"),
        ("party=FR*CPO&from=2025-01-32&to=2025-02-01", "from"),
        ("party=FR*CPO&from=2025-01-01T00:00:00&to=2025-02-01", "from"),
        (f"{ASKED}&direction=sideways", "direction"),
        (f"{ASKED}&format=pdf", "format"),
    ],
)
async def test_what_is_not_understood_is_refused_by_name(face: Face, query: str, field: str) -> None:
    for path in ("/v1/settlements", "/v1/settlements/lines"):
        status, problem, _ = await face.call("GET", f"{path}?{query}")
        assert status == 422
        assert field in {one["field"] for one in problem["errors"]}


async def test_only_who_speaks_for_the_party_may_ask(face: Face) -> None:
    theirs = await face.key(KeyRole.READ, parties=("DE*EMS",))
    ours = await face.key(KeyRole.READ, parties=("FR*CPO",))
    for path in (ALL, LINES):
        assert (await face.call("GET", path, key=theirs))[0] == 403
        assert (await face.call("GET", path, key=ours))[0] == 200
        assert (await face.call("GET", path.replace("FR*CPO", "FR*NON")))[0] == 404


@pytest.mark.parametrize("how", ["accept", "format"])
async def test_rows_and_lines_come_as_tables_that_no_spreadsheet_computes(face: Face, how: str) -> None:
    suffix, headers = ("", {"Accept": "text/csv"}) if how == "accept" else ("&format=csv", {})
    _, rows, _ = await face.call("GET", ALL + suffix, headers=headers)
    german, unpriced, french = csv.DictReader(io.StringIO(rows, newline=""))
    assert (german["net"], german["gross"], german["vat_rate"]) == ("3.33", "3.33", "")
    assert (french["net"], french["vat"], french["vat_rate"], french["rounded_at"]) == ("10.00", "2.00", "20", "CDR")
    assert unpriced["net"] == ""
    _, lines, _ = await face.call("GET", LINES + suffix, headers=headers)
    first, second, third = csv.DictReader(io.StringIO(lines, newline=""))
    assert (first["cdr"], first["gross"], first["offer"]) == ("c-1", "12.00", "all")
    assert (second["cdr"], second["remarks"]) == ("'=1+1", "hub_priced")
    assert third["remarks"] == "unpriced"


async def test_lines_come_one_after_the_other(face: Face) -> None:
    status, text, headers = await face.call("GET", LINES + "&only=hub_priced")
    assert (status, headers["Content-Type"]) == (200, "application/x-ndjson")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["cdr"], line.get("gross")) for line in lines] == [("c-1", 12), ("=1+1", 3.33), ("c-3", None)]
    assert face.settlements.only == [frozenset({Remark.HUB_PRICED})]


@pytest.mark.parametrize("how", ["accept", "format"])
async def test_the_page_can_be_printed_and_runs_nothing(face: Face, how: str) -> None:
    suffix, headers = ("", {"Accept": "text/html"}) if how == "accept" else ("&format=html", {})
    status, page, told = await face.call("GET", ALL + suffix, headers=headers)
    assert (status, told["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "Reverse charge: Articles 38 and 195 of Directive 2006/112/EC" in page
    assert "VAT id FR40303265045" in page
    assert "<td class=n>12.00</td>" in page
    assert "&lt;b&gt;hub&lt;/b&gt;" in page
    assert "<b>" not in page
    assert "@media print" in page
    assert "<p>2 CDRs of drivers of whom nobody knows whose they are.</p>" in page
    assert not re.search(r"<script|src=|href=|url\(|@import", page)
    assert "unsafe" not in told["Content-Security-Policy"]
    assert "default-src 'none'" in told["Content-Security-Policy"]


async def test_how_a_party_is_billed_is_written_and_read(face: Face) -> None:
    status, made, _ = await face.call("PUT", BILLED, json=BODY)
    assert (status, made["vat_id"]) == (200, "FR40303265045")
    assert (await face.call("GET", BILLED))[1] == made
    status, listed, _ = await face.call("GET", "/v1/billing-parties")
    assert {one["party"] for one in listed["items"]} == {"FR*CPO", "FR*EMS", "DE*EMS", "CH*EMS"}
    new = {"party": "NL*NEW", "name": "Nieuw BV", "country": "NLD"}
    assert (await face.call("PUT", "/v1/billing-parties/NL*NEW", json=new))[0] == 201
    assert (await face.call("GET", "/v1/billing-parties/XX*XXX"))[0] == 404
    assert (await face.call("GET", "/v1/billing-parties?after=nonsense"))[0] == 422


@pytest.mark.parametrize(
    "change",
    [
        {"vat_id": "FR123"},
        {"vat_id": "FR4030326504\N{ARABIC-INDIC DIGIT FIVE}"},
        {"vat_id": "DE136695976"},
        {"country": "FR"},
        {"name": " "},
        {"email": "nobody"},
        {"address": ["x"] * 9},
        {"party": "DE*EMS"},
        {"iban": "FR76"},
    ],
)
async def test_who_cannot_be_billed_so_is_refused(face: Face, change: dict[str, object]) -> None:
    assert (await face.call("PUT", BILLED, json=BODY | change))[0] == 422


async def test_a_key_sees_and_writes_its_own_parties(face: Face) -> None:
    key = await face.key(KeyRole.READ, KeyRole.ADMIN, parties=("FR*CPO",))
    assert (await face.call("PUT", BILLED, key=key, json=BODY))[0] == 200
    _, listed, _ = await face.call("GET", "/v1/billing-parties", key=key)
    assert [one["party"] for one in listed["items"]] == ["FR*CPO"]
    assert (await face.call("GET", "/v1/billing-parties/DE*EMS", key=key))[0] == 403
    reader = await face.key(KeyRole.READ, parties=("FR*CPO",))
    assert (await face.call("PUT", BILLED, key=reader, json=BODY))[0] == 403
