"""Commands that ask of charges, beside a gateway with a hub whose drivers come."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.cli.words import driver_of
from mappings.canonical.tokens import Identification, TokenType
from tests.backend import says
from tests.bills import bill
from tests.cli.conftest import Cli
from tests.e2e.scene import OVER, scene
from tests.harness import ADMIN, PARTY

LATER = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%d")


def beside(stage, folder: Path) -> Cli:
    """The command line with the gateway of a scene."""
    return Cli({"ROAMGATE_URL": stage.gateway.public_url, "ROAMGATE_KEY": ADMIN}, folder, stage.gateway.public_url)


def ids(result) -> list[str]:
    """What a list of sessions or CDRs names."""
    assert (result.code, result.err) == (0, "")
    return [(one.get("session") or one.get("cdr"))["id"] for one in result.json["items"]]


async def test_a_drivers_way_is_followed_from_the_tap_to_the_cdr(database_url, tmp_path):
    async with scene(database_url, "gireve") as stage:
        cli = beside(stage, tmp_path)
        driver = await stage.enrol("gireve")
        charge = await stage.charge(driver)
        [granted] = (await cli.here("authorisations", "list", "--allowed", "--json")).json["items"]
        assert granted["id"] == charge.reference
        assert (await cli.here("authorisations", "list", "--denied", "--json")).json["items"] == []
        shown = await cli.here("authorisations", "show", charge.reference)
        assert "asked" in shown.out
        assert driver.contract.text in shown.out
        assert driver.uid not in shown.out + (await cli.here("authorisations", "list")).out

        await stage.tell(charge, OVER)
        await stage.quiet()
        assert ids(await cli.here("sessions", "list", "--connection", "gireve", "--json")) == ["S-1"]
        assert ids(await cli.here("sessions", "list", "--status", "ACTIVE", "--json")) == []
        assert ids(await cli.here("sessions", "list", "--without-cdr", 0, "--party", PARTY, "--json")) == ["S-1"]
        shown = await cli.here("sessions", "show", PARTY, "S-1")
        assert charge.reference in shown.out
        assert "delivered" in shown.out
        assert driver.uid not in shown.out + (await cli.here("sessions", "list")).out

        file = tmp_path / "cdrs.ndjson.gz"
        file.write_bytes(gzip.compress(json.dumps(bill(charge)).encode()))
        assert (await cli.here("cdrs", "send", file, "--json")).json["created"] == 1
        assert "unchanged  1" in (await cli.here("cdrs", "send", file)).out
        await stage.quiet()
        assert ids(await cli.here("cdrs", "list", "--state", "delivered", "--json")) == ["CDR-S-1"]
        assert ids(await cli.here("cdrs", "list", "--unconfirmed", 0, "--json")) == []
        assert ids(await cli.here("cdrs", "list", "--since", LATER, "--json")) == []
        assert ids(await cli.here("cdrs", "list", "--disputed", "--json")) == []
        assert "12.5" in (await cli.here("cdrs", "show", PARTY, "CDR-S-1")).out
        assert "CDR-S-1" in (await cli.here("cdrs", "list", "--connection", "gireve", "--party", PARTY)).out


async def test_what_waits_for_a_person_is_found_and_assigned(database_url, tmp_path):
    async with scene(database_url, "gireve") as stage:
        cli = beside(stage, tmp_path)
        charge = await stage.charge(await stage.enrol("gireve"))
        stranger = {"type": "RFID", "uid": "04FFFFFFFFFF80"}
        for session in ("S-1", "S-2"):
            body = charge.session(OVER) | {"id": session, "reference": None, "identification": stranger}
            await stage.ask("PUT", f"/v1/sessions/{PARTY}/{session}", body)
        assert ids(await cli.here("sessions", "list", "--review", "--json")) == ["S-2", "S-1"]
        await stage.bill(charge, identification=stranger, reference=None)
        assert ids(await cli.here("cdrs", "list", "--state", "review", "--json")) == ["CDR-S-1"]
        assert (await cli.here("sessions", "assign", PARTY, "S-1")).code == 2
        assigned = await cli.here("sessions", "assign", PARTY, "S-1", charge.reference, "--json")
        assert (assigned.json["connection"], assigned.json["review"]) == ("gireve", None)
        assert "outcome" in (await cli.here("sessions", "assign", PARTY, "S-2", "--none")).out
        assert (await cli.here("sessions", "assign", PARTY, "S-2", "--none")).code == 1
        assert ids(await cli.here("sessions", "list", "--review", "--json")) == []
        await stage.quiet()
        assert ids(await cli.here("cdrs", "list", "--state", "delivered", "--json")) == ["CDR-S-1"]


async def test_a_cdr_that_names_no_session_is_assigned(database_url, tmp_path):
    async with scene(database_url, "gireve") as stage:
        cli = beside(stage, tmp_path)
        charge = await stage.charge(await stage.enrol("gireve"))
        await stage.tell(charge, OVER)
        await stage.bill(charge, session_id=None, reference=None)
        assert "no session" in (await cli.here("cdrs", "list", "--state", "review")).out
        assert (await cli.here("cdrs", "assign", PARTY, "CDR-S-1", "S-1", "--none")).code == 2
        assigned = await cli.here("cdrs", "assign", PARTY, "CDR-S-1", "S-1", "--json")
        assert (assigned.json["connection"], assigned.json["review"]) == ("gireve", None)
        await stage.quiet()
        assert ids(await cli.here("cdrs", "list", "--state", "delivered", "--json")) == ["CDR-S-1"]
        assert (await cli.here("cdrs", "assign", PARTY, "CDR-S-1", "--none")).code == 1


async def test_a_missing_cdr_is_waived(database_url, tmp_path):
    async with scene(database_url, "gireve") as stage:
        cli = beside(stage, tmp_path)
        await stage.tell(await stage.charge(await stage.enrol("gireve")), OVER)
        assert (await cli.here("sessions", "waive-cdr", PARTY, "S-1", "--why", "no energy")).code == 0
        assert ids(await cli.here("sessions", "list", "--without-cdr", 0, "--json")) == []
        assert "no energy" in (await cli.here("sessions", "show", PARTY, "S-1")).out
        assert (await cli.here("sessions", "waive-cdr", PARTY, "S-9", "--why", "no energy")).code == 1


async def test_cdrs_that_are_refused_are_told_by_line_and_by_the_exit_code(database_url, tmp_path):
    async with scene(database_url, "gireve") as stage:
        cli = beside(stage, tmp_path)
        charge = await stage.charge(await stage.enrol("gireve"))
        await stage.tell(charge, OVER)
        good, early = json.dumps(bill(charge)), json.dumps(bill(charge) | {"id": "C-2", "session_id": "S-9"})
        file = tmp_path / "cdrs.ndjson"
        for content, code, text in (
            (f"{early}\n", 3, "session_id"),
            (f"{good}\n{early}\n", 1, "session_id"),
            (gzip.compress(f"{good}\n".encode() * 50, 0)[:-500], 4, "unchanged"),
            ("", 0, "read"),
        ):
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
            result = await cli.here("cdrs", "send", file)
            assert (result.code, bool(result.err)) == (code, code > 0)
            assert text in result.out
        assert (await cli.here("cdrs", "send", "not-there")).code == 2
        assert (await cli.here("cdrs", "send", file, ROAMGATE_KEY="rg_wrong")).code == 1


async def test_a_command_is_listed_as_open_till_it_is_answered(database_url, tmp_path):
    async with scene(database_url, "gireve") as stage:
        cli = beside(stage, tmp_path)
        driver = await stage.enrol("gireve")
        stage.backend.always = says({"result": "PENDING"}, 202)
        place = {"party": "NL*ABC", "location_id": "L1", "evse_uid": "U1"}
        await stage.drive("gireve", "commands", {"kind": "START_SESSION", "uid": driver.uid, **place})
        [heard] = await stage.was_asked()
        [waiting] = (await cli.here("commands", "list", "--open", "--json")).json["items"]
        assert (waiting["id"], waiting["kind"], waiting["result"]) == (heard.json["id"], "START_SESSION", None)
        await stage.ask("POST", f"/v1/commands/{waiting['id']}/result", {"result": "REJECTED"})
        assert (await cli.here("commands", "list", "--open", "--json")).json["items"] == []
        listed = await cli.here("commands", "list", "--connection", "gireve", "--party", PARTY)
        assert "REJECTED" in listed.out
        assert driver.uid not in listed.out


@pytest.mark.parametrize(
    ("identification", "shown"),
    [
        ({"type": TokenType.RFID, "uid": "04A2B3C4D5E680", "contract_id": "FR-XYZ-C12345678-9"}, "FR-XYZ-C12345678-9"),
        ({"type": TokenType.RFID, "uid": "04A2B3C4D5E680"}, "RFID …E680"),
        ({"type": TokenType.APP_USER, "uid": "1234"}, "APP_USER …34"),
        ({"type": TokenType.PLUG_AND_CHARGE}, "PLUG_AND_CHARGE"),
    ],
)
def test_a_driver_is_named_without_the_whole_number_of_the_card(identification, shown):
    assert driver_of(Identification.model_validate(identification)) == shown
