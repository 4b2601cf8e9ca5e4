"""`price` and `tariff explain`: run as a person runs them, on files of every form that partners send."""

import gzip
import io
import json
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from rich.console import Console

from gateway.cli.exits import Exit
from gateway.cli.pricing.drawing import write_week
from gateway.pricing.explaining.languages import speech_of
from gateway.pricing.explaining.week import Conditions, week_of
from mappings.oicp.v2_3 import cdrs as oicp_cdrs
from tests.cli.conftest import Cli
from tests.mappings.ocpi.samples_charging import CDR
from tests.mappings.oicp.charges import LEG, cdr
from tests.pricing.building import WEEKEND, element, energy, parking_fee, tariff
from tests.project.files import ROOT

OICP_PRICES = ROOT / "tests/mappings/oicp/golden/prices.wire.json"

TARIFF: dict[str, Any] = {
    "country_code": "FR",
    "party_id": "ABC",
    "id": "DAY",
    "currency": "EUR",
    "elements": [
        {
            "price_components": [{"type": "ENERGY", "price": 0.3, "vat": 20, "step_size": 1}],
            "restrictions": {"start_time": "08:00", "end_time": "20:00"},
        },
        {"price_components": [{"type": "ENERGY", "price": 0.2, "vat": 20, "step_size": 1}]},
        {"price_components": [{"type": "PARKING_TIME", "price": 3, "vat": 20, "step_size": 600}]},
        {"price_components": [{"type": "FLAT", "price": 1, "vat": 20, "step_size": 1}]},
    ],
    "last_updated": "2026-01-01T00:00:00Z",
}
"""30 cents by day and 20 by night a kWh, 3 euros an hour of parking in steps of ten minutes, 1 euro a charge."""

BILL: dict[str, Any] = {
    **{
        name: CDR[name] for name in ("country_code", "party_id", "cdr_token", "auth_method", "cdr_location", "currency")
    },
    "id": "C-1",
    "start_date_time": "2026-01-05T17:00:00Z",
    "end_date_time": "2026-01-05T19:25:00Z",
    "charging_periods": [
        {
            "start_date_time": "2026-01-05T17:00:00Z",
            "dimensions": [{"type": "ENERGY", "volume": 20}, {"type": "TIME", "volume": 2}],
        },
        {"start_date_time": "2026-01-05T19:00:00Z", "dimensions": [{"type": "PARKING_TIME", "volume": 0.4167}]},
    ],
    "total_energy": 20,
    "total_time": 2.4167,
    "total_cost": {"excl_vat": 8.5, "incl_vat": 10.2},
    "last_updated": "2026-01-05T19:30:00Z",
}
"""20 kWh evenly from 18:00 to 20:00 in Paris, all of it by day, and 25 minutes of parking.

20 x 0.3 = 6, parking 30 min of 3 = 1.5, and 1 for the charge: 8.5, with 20 % 10.2.
"""


@pytest.fixture
def put(tmp_path: Path):
    def write(name: str, content: Any) -> Path:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def figures(line: str) -> list[str]:
    return line.split()


# A CDR


async def test_a_cdr_that_follows_from_its_tariff_is_shown_line_by_line(bare: Cli, put) -> None:
    done = await bare("price", put("t.json", TARIFF), put("c.json", BILL), "--zone", "Europe/Paris")
    assert done.code == Exit.DONE, done.err
    head, _, titles, *lines = done.out.splitlines()
    assert head == "FR*ABC/DAY: 2026-01-05 18:00 to 2026-01-05 20:25 CET"
    assert titles.split() == [
        "element",
        "what",
        "period",
        "from",
        "to",
        "used",
        "billed",
        "price",
        "net",
        "VAT",
        "tax",
        "gross",
    ]
    by_name = {line.split()[1]: line for line in lines[:4]}
    assert by_name["ENERGY"].split()[-9:] == ["20", "kWh", "20", "kWh", "0.30", "6.00", "20%", "1.20", "7.20"]
    assert by_name["PARKING_TIME"].split()[-9:] == ["25", "min", "30", "min", "3.00", "1.50", "20%", "0.30", "1.80"]
    assert by_name["FLAT"].split()[-5:] == ["1.00", "1.00", "20%", "0.20", "1.20"]
    assert figures(next(line for line in lines if "total EUR" in line))[2:] == ["8.50", "1.70", "10.20"]
    told = next(line for line in lines if line.startswith("total EUR"))
    assert figures(told)[2:] == ["8.50", "8.50", "0.00", "10.20", "10.20", "0.00"]
    assert "The CDR costs what follows from the tariff." in lines


async def test_a_cdr_that_differs_ends_with_a_code_of_its_own(bare: Cli, put) -> None:
    bill = put("c.json", BILL | {"total_cost": {"excl_vat": 9, "incl_vat": 10.8}})
    done = await bare("price", put("t.json", TARIFF), bill, "--zone", "Europe/Paris", "--json")
    assert done.code == Exit.DIFFERS, done.err
    assert done.json["outcome"] == "differs"
    total = done.json["parts"][-1]
    assert total["part"] == "total"
    assert (total["calculated"], total["told"]) == ({"net": 8.5, "gross": 10.2}, {"net": 9, "gross": 10.8})
    assert total["difference"] == {"net": 0.5, "gross": 0.6}
    within = await bare.here("price", bare.folder / "t.json", bill, "--zone", "Europe/Paris", "--tolerance", "0.6")
    assert within.code == Exit.DONE
    shown = await bare.here("price", bare.folder / "t.json", bill, "--zone", "Europe/Paris")
    assert "The CDR does not cost what follows from the tariff." in shown.out
    assert shown.code == Exit.DIFFERS


async def test_json_has_every_line_with_its_element_and_period(bare: Cli, put) -> None:
    done = await bare.here("price", put("t.json", TARIFF), put("c.json", BILL), "--zone", "Europe/Paris", "--json")
    assert (done.json["party"], done.json["tariff_id"], done.json["cdr"]) == ("FR*ABC", "DAY", "C-1")
    assert (done.json["start"], done.json["zone"]) == ("2026-01-05T17:00:00Z", "Europe/Paris")
    [parking] = [line for line in done.json["lines"] if line["of"] == "PARKING_TIME"]
    assert (parking["element"], parking["periods"], parking["used"], parking["billed"]) == (2, [1, 1], 0.416667, 0.5)
    assert sum(line["gross"] for line in done.json["lines"]) == pytest.approx(done.json["gross"]) == 10.2


async def test_what_the_tariff_asks_for_and_nobody_told_is_named(bare: Cli, put) -> None:
    place = {name: value for name, value in BILL["cdr_location"].items() if name != "time_zone"}
    asks_power = TARIFF["elements"][1] | {"restrictions": {"min_current": 16}}
    done = await bare.here(
        "price", put("t.json", TARIFF | {"elements": [asks_power]}), put("c.json", BILL | {"cdr_location": place})
    )
    assert done.code == Exit.FAILED
    assert "cannot be priced: periods[0]: the tariff asks for the current" in done.err
    other = await bare.here("price", put("u.json", TARIFF | {"currency": "SEK"}), put("c.json", BILL), "--zone", "UTC")
    assert "other_currency" in other.err


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"type": "SESSION_FEE"}, "price_components[0].type: not a Dimension; known are ENERGY, FLAT, PARKING_TIME"),
        ({"price": "0,30"}, "price_components[0].price: cannot be read (it is not a number)"),
    ],
)
async def test_what_cannot_be_read_of_a_tariff_says_what_could_be(
    bare: Cli, put, wrong: dict[str, str], said: str
) -> None:
    component = TARIFF["elements"][0]["price_components"][0] | wrong
    done = await bare.here(
        "price", put("t.json", TARIFF | {"elements": [{"price_components": [component]}]}), "--kwh", "2"
    )
    assert (done.code, said in done.err) == (Exit.FAILED, True), done.err


async def test_no_sentence_ends_twice_where_it_ends_with_an_abbreviation(bare: Cli, put, tmp_path: Path) -> None:
    out = tmp_path / "week.svg"
    done = await bare.here("tariff", "explain", put("t.json", TARIFF), "--language", "de", "--svg", str(out))
    assert ("MwSt." in done.out, ".." in done.out, ".." in out.read_text()) == (True, False, False)


async def test_a_cdr_without_a_time_zone_names_the_option_that_says_it(bare: Cli, put) -> None:
    place = {name: value for name, value in BILL["cdr_location"].items() if name != "time_zone"}
    done = await bare.here("price", put("t.json", TARIFF), put("c.json", BILL | {"cdr_location": place}))
    assert (done.code, "(no_zone); --zone says it" in done.err) == (Exit.FAILED, True), done.err


async def test_a_cdr_of_hubject_takes_its_product_and_the_currency_of_that(bare: Cli, put) -> None:
    record, _ = oicp_cdrs.from_canonical(cdr(product="AC by the minute"), LEG)
    bill = put("c.json", {"ChargeDetailRecords": {"content": [record]}})
    done = await bare.here("price", OICP_PRICES, bill, "--zone", "Europe/Berlin", "--json")
    assert done.code == Exit.DONE, done.err
    assert (done.json["tariff_id"], done.json["currency"], done.json["outcome"]) == (
        "AC by the minute",
        "EUR",
        "untold",
    )
    assert "TIME" in {line["of"] for line in done.json["lines"]}
    shown = await bare.here("price", OICP_PRICES, bill, "--zone", "Europe/Berlin")
    assert "The CDR tells no cost." in shown.out


async def test_canonical_objects_and_views_of_them_are_read(bare: Cli, put) -> None:
    made = tariff(element(energy("0.5")))
    charged = cdr(currency="EUR", total_cost={"net": 1})
    views = {"items": [{"id": 7, "cdr": json.loads(charged.model_dump_json())}]}
    done = await bare.here("price", put("t.json", made.model_dump_json()), put("c.json", views), "--json")
    assert done.code == Exit.DIFFERS, done.err
    assert done.json["net"] == pytest.approx(float(charged.energy) / 2, abs=0.01)


async def test_a_cdrs_own_tariff_can_be_named_by_the_cdr(bare: Cli, put) -> None:
    bill = put("c.json", BILL | {"tariffs": [TARIFF, TARIFF | {"id": "OTHER", "elements": TARIFF["elements"][3:]}]})
    done = await bare.here("price", bill, bill, "--zone", "Europe/Paris", "--json")
    assert (done.json["tariff_id"], done.code) == ("DAY", Exit.DONE)
    other = await bare.here("price", bill, bill, "--tariff", "OTHER", "--zone", "Europe/Paris", "--json")
    assert (other.json["tariff_id"], other.json["net"], other.code) == ("OTHER", 1, Exit.DIFFERS)


async def test_periods_that_name_several_tariffs_are_priced_by_each(bare: Cli, put) -> None:
    night = TARIFF | {"id": "NIGHT", "elements": TARIFF["elements"][1:]}
    periods = [period | {"tariff_id": name} for period, name in zip(BILL["charging_periods"], "AB", strict=True)]
    bill = put("c.json", BILL | {"charging_periods": periods})
    file = put("t.json", [TARIFF | {"id": "A"}, night | {"id": "B"}])
    done = await bare.here("price", file, bill, "--zone", "Europe/Paris", "--json")
    assert {line["tariff_id"] for line in done.json["lines"]} == {"A", "B"}
    assert done.json["outcome"] == "matches"


async def test_a_tariff_that_periods_name_and_the_file_lacks_is_said(bare: Cli, put) -> None:
    first, second = BILL["charging_periods"]
    bill = put("c.json", BILL | {"charging_periods": [first | {"tariff_id": "DAY"}, second | {"tariff_id": "GONE"}]})
    done = await bare.here("price", put("t.json", TARIFF), bill, "--zone", "Europe/Paris")
    assert (done.code, "GONE" in done.err) == (Exit.FAILED, True)
    chosen = await bare.here("price", put("t.json", TARIFF), bill, "--zone", "Europe/Paris", "--tariff", "DAY")
    assert chosen.code == Exit.DONE


async def test_a_period_that_names_no_tariff_where_another_does_costs_nothing(bare: Cli, put) -> None:
    first, second = BILL["charging_periods"]
    bill = put("c.json", BILL | {"charging_periods": [first | {"tariff_id": "DAY"}, second]})
    done = await bare.here("price", put("t.json", TARIFF), bill, "--zone", "Europe/Paris", "--json")
    assert done.code == Exit.DIFFERS
    assert {line["of"] for line in done.json["lines"]} == {"ENERGY", "FLAT"}


# A wish


async def test_the_sample_of_the_readme_is_what_the_command_says(bare: Cli, put) -> None:
    """Its tariff is this file's."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command, _, sample = readme.partition("$ roamgate price ")[2].partition("```")[0].partition("\n")
    put("day.json", TARIFF)
    done = await bare("price", *command.split())
    assert done.out == sample


async def test_a_wish_is_priced_by_the_clock_of_the_place(bare: Cli, put) -> None:
    file = put("t.json", TARIFF)
    wish = ("--kwh", "20", "--from", "19:00", "--date", "2026-01-05", "--power", "10", "--parked", "40")
    done = await bare("price", file, *wish, "--zone", "Europe/Paris")
    assert done.code == Exit.DONE, done.err
    assert done.out.startswith("FR*ABC/DAY: 2026-01-05 19:00 to 2026-01-05 21:40 CET")
    # 10 kWh till 20:00 at 0.3 and 10 after it at 0.2, 40 minutes of 3, and 1: 3 + 2 + 2 + 1 = 8, with 20 % 9.6.
    total = next(line for line in done.out.splitlines() if "total EUR" in line)
    assert figures(total)[2:] == ["8.00", "1.60", "9.60"]


async def test_without_a_zone_times_are_those_of_the_place_and_that_is_said(bare: Cli, put) -> None:
    wish = ("--kwh", "10", "--from", "19:30", "--date", "2026-01-05", "--json")
    done = await bare.here("price", put("t.json", TARIFF), *wish)
    assert done.json["zone"] is None
    assert {note["field"] for note in done.json["notes"]} == {"power", "zone"}
    shown = await bare.here("price", put("t.json", TARIFF), *wish[:-1])
    assert shown.out.startswith("FR*ABC/DAY: 2026-01-05 19:30 to 2026-01-05 20:24:33\n")


async def test_a_wish_may_be_a_time_or_a_state_of_charge(bare: Cli, put) -> None:
    file, at = put("t.json", TARIFF), ("--from", "10:00", "--date", "2026-01-05", "--power", "11", "--json")
    by_time = await bare.here("price", file, "--minutes", "60", *at)
    assert by_time.json["net"] == pytest.approx(11 * 0.3 + 1)
    by_charge = await bare.here("price", file, "--battery", "50", "--soc", "20", "--to-soc", "80", *at)
    assert by_charge.json["net"] == pytest.approx(30 * 0.3 + 1)
    full = await bare.here("price", file, "--battery", "50", "--soc", "90", "--to-soc", "80", *at)
    assert (full.code, "target" in full.err) == (Exit.FAILED, True)


async def test_a_wish_lasts_as_long_when_the_clock_changes(bare: Cli, put) -> None:
    file, wish = put("t.json", TARIFF), ("--minutes", "90", "--zone", "Europe/Paris", "--date", "2026-03-29")
    done = await bare.here("price", file, *wish, "--from", "01:30")
    assert done.out.startswith("FR*ABC/DAY: 2026-03-29 01:30 CET to 2026-03-29 04:00 CEST\n")
    as_json = await bare.here("price", file, *wish, "--from", "01:30", "--json")
    assert (as_json.json["start"], as_json.json["end"]) == ("2026-03-29T00:30:00Z", "2026-03-29T02:00:00Z")
    gone = await bare.here("price", file, *wish, "--from", "02:30")
    assert (gone.code, "there is no 02:30 on 2026-03-29 in Europe/Paris" in gone.err) == (Exit.USAGE, True)


async def test_a_tariff_that_is_not_in_force_then_is_priced_and_told(bare: Cli, put) -> None:
    file = put("t.json", TARIFF | {"start_date_time": "2026-06-01T00:00:00Z"})
    wish = ("--kwh", "1", "--from", "10:00", "--zone", "Europe/Paris", "--json", "--date")
    before, after = [await bare.here("price", file, *wish, day) for day in ("2026-05-31", "2026-06-02")]
    kinds = [[note["kind"] for note in done.json["notes"]] for done in (before, after)]
    assert kinds == [["not_in_force", "assumed"], ["assumed"]]
    told = await bare.here("price", file, put("c.json", BILL), "--zone", "Europe/Paris", "--json")
    assert (told.code, told.json["notes"][0]["kind"]) == (Exit.DONE, "not_in_force")


async def test_a_wish_may_tell_the_current(bare: Cli, put) -> None:
    strong = {"price_components": TARIFF["elements"][1]["price_components"], "restrictions": {"min_current": 32}}
    file = put("t.json", TARIFF | {"elements": [strong]})
    wish = ("--kwh", "10", "--from", "10:00", "--date", "2026-01-05")
    assert (await bare.here("price", file, *wish)).code == Exit.FAILED
    done = await bare.here("price", file, *wish, "--current", "48", "--json")
    assert done.json["net"] == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--kwh, --minutes or --to-soc"),
        (("--kwh", "much"), "is not a number"),
        (("--kwh", "nan"), "is not a number"),
        (("--kwh", "1", "--from", "25:00"), "not a time of day like 18:00"),
        (("--kwh", "1", "--zone", "Europe/Nowhere"), "not a time zone like Europe/Paris"),
        (("--kwh", "1", "--battery", "50"), "only together"),
        (("--kwh", "1", "--rounding", "up"), "is none of plain, gireve"),
        (("c.json", "--kwh", "1"), "either a CDR, or"),
        (("--minutes", "1e300"), "too many"),
    ],
)
async def test_a_command_line_that_makes_no_sense_is_told_so(
    bare: Cli, put, arguments: tuple[str, ...], said: str
) -> None:
    done = await bare.here("price", put("t.json", TARIFF), *arguments)
    assert done.code == Exit.USAGE
    assert said in " ".join(done.err.replace("│", " ").split())


# Files


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("elements", "is no JSON"),
        ("[1, 2]", "holds no tariff"),
        ('{"a": 1}', "holds no tariff; OCPI 2.2.1 (Gireve's too), OICP 2.3 and canonical JSON are known"),
        (json.dumps(TARIFF | {"currency": "€"}), "currency: not an ISO 4217 code"),
        (
            json.dumps({"data": [TARIFF | {"elements": [{"price_components": [{"type": "FLAT", "price": "x"}]}]}]}),
            "data[0]: elements[0].price_components[0].price",
        ),
        (json.dumps(TARIFF) + "\n{broken", "line 2: is no JSON"),
    ],
)
async def test_a_file_that_cannot_be_used_is_named_with_its_field(bare: Cli, put, content: str, said: str) -> None:
    done = await bare.here("tariff", "explain", put("t.json", content))
    assert done.code == Exit.FAILED
    assert f"t.json: {said}" in done.err
    assert "Traceback" not in done.err


async def test_a_canonical_tariff_that_is_none_names_its_field(bare: Cli, put) -> None:
    faulty = json.loads(tariff(element(energy("1"))).model_dump_json()) | {"currency": "euro"}
    done = await bare.here("tariff", "explain", put("t.json", faulty))
    assert (done.code, "t.json: currency: " in done.err) == (Exit.FAILED, True)


async def test_files_that_are_not_there_or_broken_are_told_apart(bare: Cli, put) -> None:
    gone = await bare.here("tariff", "explain", bare.folder / "no.json")
    assert (gone.code, "No such file" in gone.err) == (Exit.USAGE, True)
    packed = bare.folder / "t.gz"
    packed.write_bytes(gzip.compress(json.dumps(TARIFF).encode())[:-9])
    broken = await bare.here("tariff", "explain", packed)
    assert (broken.code, "gzip" in broken.err) == (Exit.FAILED, True)


async def test_of_several_tariffs_one_is_chosen(bare: Cli, put) -> None:
    lines = "\n".join(json.dumps(TARIFF | {"id": name}) for name in ("A", "B", "C"))
    packed = bare.folder / "t.ndjson.gz"
    packed.write_bytes(gzip.compress(lines.encode()))
    which = await bare.here("tariff", "explain", packed)
    assert (which.code, "choose one by --tariff: A, B, C" in which.err) == (Exit.USAGE, True)
    other = await bare.here("tariff", "explain", packed, "--tariff", "D")
    assert (other.code, "has no D; it has A, B, C" in other.err) == (Exit.USAGE, True)
    assert (await bare.here("tariff", "explain", packed, "--tariff", "B")).out.startswith("Tariff B of FR*ABC")


async def test_variants_of_one_id_are_told_apart_by_whom_they_are_for(bare: Cli, put) -> None:
    ours = TARIFF | {"target_operator_country_code": "FR", "target_operator_party_id": "EMS"}
    file = put("t.json", {"data": [TARIFF, ours], "status_code": 1000})
    which = await bare.here("tariff", "explain", file, "--tariff", "DAY")
    assert "choose one by --tariff: FR*ABC/DAY, FR*ABC/DAY for EMS" in which.err
    done = await bare.here("tariff", "explain", file, "--tariff", "FR*ABC/DAY for EMS")
    assert "Only for drivers of FR*EMS." in done.out


async def test_what_was_mended_on_the_way_is_told_beside_the_result(bare: Cli, put) -> None:
    done = await bare.here("tariff", "explain", put("t.json", TARIFF | {"currency": "eur"}))
    assert done.code == Exit.DONE
    assert "currency: read as EUR (eur)" in done.err
    assert "eur" not in done.out


# Explaining


async def test_a_tariff_is_explained_in_words_and_over_a_week(bare: Cli, put) -> None:
    svg = bare.folder / "week.svg"
    done = await bare("tariff", "explain", put("t.json", TARIFF), "--language", "fr", "--svg", svg)
    assert done.code == Exit.DONE, done.err
    assert done.out.startswith("Tarif DAY de FR*ABC, en EUR\n\nÉnergie\n")
    assert "  0,30 EUR par kWh (0,36 EUR avec 20 % de TVA), de 08:00 à 20:00\n" in done.out
    assert "  sinon 0,20 EUR par kWh (0,24 EUR avec 20 % de TVA)\n" in done.out
    # A pipe gets a table: nothing is drawn where nobody looks on.
    assert "du lundi au dimanche  00:00–08:00  0,20 EUR\n" in done.out
    assert not set("▁▂▃▅▆█\x1b") & set(done.out)
    root = Xml.parse(svg).getroot()
    assert root.get("lang") == "fr"
    assert "is drawn" in done.err


async def test_an_explanation_is_there_for_machines_too(bare: Cli, put) -> None:
    done = await bare.here("tariff", "explain", put("t.json", TARIFF), "--json", "--week", "2026-01-08")
    expected = "0.24 to 0.36 EUR per kWh depending on the time of day, 3.60 EUR per hour of parking, "
    assert done.json["summary"] == f"{expected}1.20 EUR per charge, with VAT."
    assert [section["title"] for section in done.json["sections"]][1:] == ["Energy", "Parking", "Per charge"]
    night, day, *_ = done.json["week"][0]["spans"]
    assert night == {"day": "MONDAY", "start": "00:00", "end": "08:00", "price": 0.2, "vat": 20, "element": 1}
    assert (day["end"], day["price"]) == ("20:00", 0.3)


async def test_products_of_hubject_are_explained(bare: Cli) -> None:
    done = await bare.here("tariff", "explain", OICP_PRICES, "--tariff", "DC night", "--language", "de")
    assert done.code == Exit.DONE, done.err
    assert done.out.startswith("Tarif DC night von DE*ABC, in EUR\n  Nur für Kunden von NL*EMS.")
    assert "0,49 EUR je kWh" in done.out


async def test_a_partners_text_does_not_command_the_terminal(bare: Cli, put) -> None:
    text = [{"language": "en", "text": "\x1b[2J[red]cheap"}]
    file = put("t.json", TARIFF | {"id": "\x1b[2J", "tariff_alt_text": text})
    explained = await bare.here("tariff", "explain", file)
    priced = await bare.here("price", file, "--kwh", "1", "--from", "10:00")
    assert "\x1b" not in explained.out + priced.out
    assert "␛[2J[red]cheap" in explained.out


async def test_a_place_for_the_drawing_that_cannot_be_written_is_told(bare: Cli, put) -> None:
    done = await bare.here("tariff", "explain", put("t.json", TARIFF), "--svg", bare.folder / "no" / "week.svg")
    assert (done.code, "--svg: " in done.err) == (Exit.USAGE, True)


# The drawing in a terminal


def drawn(width: int, *, terminal: bool = True, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, write_through=True, newline="")
    made = tariff(
        element(energy("0.2"), start_time="22:00", end_time="06:00"),
        element(energy("0.4")),
        element(parking_fee("3"), day_of_week=WEEKEND),
    )
    console = Console(file=file, width=width, force_terminal=terminal, color_system=None, legacy_windows=False)
    write_week(week_of(made, Conditions(date(2026, 1, 5))), speech_of("en"), console)
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize(("width", "signs"), [(120, 4), (60, 2), (40, 1)])
def test_a_drawing_is_as_wide_as_the_terminal_has_room_for(width: int, signs: int) -> None:
    lines = drawn(width).splitlines()
    assert all(len(line) <= width for line in lines)
    [monday, *_] = [line for line in lines if line.strip().startswith("Mon ")]
    assert monday.strip() == "Mon " + "▂" * 6 * signs + "▆" * 16 * signs + "▂" * 2 * signs
    assert [line.strip() for line in lines if "0.20 EUR" in line] == ["▂ 0.20 EUR   ▆ 0.40 EUR"]
    assert [line.strip() for line in lines if "3.00 EUR" in line] == ["· no price   ▂ 3.00 EUR"]
    [hours, _] = [line for line in lines if line.strip().startswith("00 ")]
    assert hours.index("06") == monday.index("▆")


@pytest.mark.parametrize("how", [{"width": 30}, {"width": 99, "terminal": False}, {"width": 99, "encoding": "cp1252"}])
def test_where_it_cannot_be_drawn_it_is_a_table(how: dict[str, Any]) -> None:
    text = drawn(**how)
    assert "Monday to Friday" in text
    assert "00:00–24:00  3.00 EUR" in text
    assert not set("▂▆·") & set(text)
