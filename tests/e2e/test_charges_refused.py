"""What nobody should send: each has its answer by the book, and changes nothing."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from gateway.services.keys import KeyRole
from mappings.canonical.ids import PartyId
from tests.bills import bill
from tests.e2e.scene import BEGUN, HUBS, OVER, Scene, scene
from tests.harness import OTHER, WHO

FOREIGN = {"OCPI-from-country-code": "FR", "OCPI-from-party-id": "107"}
_HOURS_AHEAD = timezone(timedelta(hours=5, minutes=30))

ASKED = [
    ("GET", "sender/sessions"),
    ("GET", "sender/cdrs"),
    ("PUT", "sender/sessions/S-1/charging_preferences"),
    ("GET", "receiver/tokens/FR/EVP/04A2B3C4D5E601"),
    ("PUT", "receiver/tokens/FR/EVP/04A2B3C4D5E601"),
    ("PATCH", "receiver/tokens/FR/EVP/04A2B3C4D5E601"),
    ("POST", "receiver/commands/START_SESSION"),
]


async def test_a_wrong_or_undecodable_token_is_401_at_every_module_of_a_charge(database_url: str) -> None:
    async with scene(database_url, "gireve") as stage:
        for token in (None, "Token", "Token wrong", "Token d3Jvbmc=", "Token \u00e4", "Bearer d3Jvbmc="):
            headers = FOREIGN if token is None else {**FOREIGN, "Authorization": token}
            for method, path in ASKED:
                url = f"{stage.gateway.public_url}/ocpi/2.2.1/{path}"
                async with stage.http.request(method, url, headers=headers, json={}) as answer:
                    assert answer.status == 401, (token, method, path)
                    assert (await answer.json())["status_code"] == 2000
        assert not stage.backend.heard


@pytest.mark.parametrize("hub", HUBS)
async def test_another_partys_charges_are_not_found(database_url: str, hub: str) -> None:
    async with scene(database_url, hub) as stage:
        charge = await stage.charge(await stage.enrol(hub))
        await stage.tell(charge, OVER)
        await stage.bill(charge)
        key = await _key_of(stage, OTHER)
        headers = {"Authorization": f"Bearer {key}"}
        for path in ("sessions/NL*ABC/S-1", "cdrs/NL*ABC/CDR-S-1", f"authorisations/{charge.reference}"):
            async with stage.http.get(f"{stage.gateway.public_url}/v1/{path}", headers=headers) as answer:
                assert answer.status in {403, 404}, path
                assert "S-1" not in (await answer.json()).get("title", "")
        for path, body in ((f"sessions/NL*ABC/{charge.session_id}", charge.session(OVER)), ("cdrs", bill(charge))):
            method = "PUT" if path != "cdrs" else "POST"
            url = f"{stage.gateway.public_url}/v1/{path}"
            async with stage.http.request(method, url, headers=headers, json=body) as answer:
                assert answer.status in {403, 404}, path


async def test_another_emsps_token_and_another_hubs_session_are_not_found(database_url: str) -> None:
    async with scene(database_url) as stage:
        driver = await stage.enrol("gireve", whitelist="ALWAYS")
        await stage.drive("gireve", "tokens", {})
        charge = await stage.charge(await stage.enrol("hubject"))
        await stage.tell(charge, BEGUN)
        stop = {"kind": "STOP_SESSION", "party": "NL*ABC", "session_id": "S-1"}
        answer = await stage.drive("gireve", "commands", stop)
        assert [one["data"]["result"] for one in answer["responses"]] == ["UNKNOWN_SESSION"]
        moved = await stage.drive("gireve", "tokens", {"uids": [driver.uid], "also": {"party_id": "XXX"}})
        assert [(one["status"], one["code"]) for one in moved] == [(200, 2001)]
        assert not stage.backend.heard


CANNOT_BE: list[tuple[dict[str, Any], str]] = [
    ({"energy": -1}, "energy"),
    ({"energy": 1000.5}, "energy"),
    ({"end": "2020-01-01T00:00:00Z"}, "end"),
    ({"location": {"id": "L1", "evse_uid": "U2", "connector_id": "1"}}, "location.evse_uid"),
]


@pytest.mark.parametrize("hub", HUBS)
async def test_a_cdr_that_cannot_be_is_refused_by_field_and_told_to_nobody(database_url: str, hub: str) -> None:
    async with scene(database_url, hub) as stage:
        charge = await stage.charge(await stage.enrol(hub))
        await stage.tell(charge, OVER)
        body = bill(charge)
        for changes, field in CANNOT_BE:
            status, problem = await stage.said("POST", "/v1/cdrs", body | changes)
            assert (status, [one["field"] for one in problem["errors"]]) == (422, [field])
        await stage.quiet()
        assert not stage.bills(hub)


@pytest.mark.parametrize("hub", HUBS)
async def test_a_cdr_twice_otherwise_or_too_early(database_url: str, hub: str) -> None:
    async with scene(database_url, hub) as stage:
        charge = await stage.charge(await stage.enrol(hub))
        body = bill(charge)
        assert (await stage.said("POST", "/v1/cdrs", body))[0] == 409
        await stage.tell(charge, OVER)
        assert (await stage.bill(charge))["outcome"] == "created"
        assert (await stage.bill(charge))["outcome"] == "unchanged"
        assert (await stage.said("POST", "/v1/cdrs", body | {"remark": "otherwise"}))[0] == 409
        assert (await stage.said("POST", "/v1/cdrs", body | {"id": "CDR-2"}))[0] == 409
        await stage.quiet()
        assert len(stage.bills(hub)) == 1
        assert len(await stage.happened("cdr.delivered")) == 1


@pytest.mark.parametrize("hub", HUBS)
async def test_stamps_with_an_offset_name_the_same_moment_to_the_hub(database_url: str, hub: str) -> None:
    async with scene(database_url, hub) as stage:
        charge = await stage.charge(await stage.enrol(hub))
        zone = charge.start.astimezone(tz=_HOURS_AHEAD)
        await stage.tell(charge, OVER, start=zone.isoformat())
        await stage.bill(charge, start=zone.isoformat())
        await stage.quiet()
        [bill] = stage.bills(hub)
        told = bill["start_date_time" if hub == "gireve" else "SessionStart"]
        assert datetime.fromisoformat(told) == charge.start
        # OCPI's stamps are UTC; OICP's carry the offset of the station's own time zone.
        assert told.endswith("Z") is (hub == "gireve")


async def _key_of(stage: Scene, party: PartyId) -> str:
    key, _ = await stage.gateway.app.services.keys.create("other", [party], list(KeyRole), WHO)
    return key
