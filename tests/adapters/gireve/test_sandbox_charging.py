"""The sandbox answers for drivers and takes sessions and CDRs as Gireve's platform does; over loopback."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from adapters.core import ocpi
from adapters.core.outcomes import Delivered
from adapters.gireve.adapter import GireveAdapter
from adapters.gireve.sandbox import SandboxSettings
from tests.adapters.gireve.cpo import (
    ADVENIR,
    AT_EVSE,
    BEGUN,
    CONTRACT,
    DRIVER,
    EMSP,
    ENDED,
    HUB,
    LATER,
    UID,
    Cpo,
    cdr,
    charging,
    session,
    token,
)
from tests.adapters.gireve.network import ABC, TOKEN_A, XYZ
from tests.adapters.gireve.network import location as network_location
from tests.adapters.gireve.test_sandbox import Pushed


@pytest.fixture
async def cpo() -> AsyncIterator[Cpo]:
    async with charging() as made:
        yield made


# Authorisation


async def test_the_modules_of_a_charge_are_in_the_version_details(cpo: Cpo) -> None:
    modules = cpo.both.registry.connection.secrets.endpoints["modules"]
    assert {"tokens/SENDER", "sessions/RECEIVER", "cdrs/RECEIVER", "commands/SENDER"} <= modules.keys()


async def test_a_driver_is_allowed_with_token_place_and_a_reference_of_iops_own(cpo: Cpo) -> None:
    status, code, data = await cpo.authorise(UID.lower())
    assert (status, code, data["allowed"]) == (200, 1000, "ALLOWED")
    assert data["location"] == AT_EVSE
    assert data["token"] | {"uid": UID} == data["token"]
    assert data["token"]["contract_id"] == CONTRACT
    assert cpo.both.sandbox.memory["authorisations"][data["authorization_reference"]]["emsp"] == "DE*MP1"
    assert await cpo.reference() != await cpo.reference()


@pytest.mark.parametrize("answer", ["BLOCKED", "EXPIRED", "NO_CREDIT", "NOT_ALLOWED"])
async def test_an_emsps_no_has_its_token_and_no_reference(answer: str) -> None:
    async with charging(None, DRIVER | {"answer": answer, "text": "Call us"}) as cpo:
        status, code, data = await cpo.authorise()
        assert (status, code, data["allowed"]) == (200, 1000, answer)
        assert data["info"] == {"language": "en", "text": "Call us"}
        assert not {"authorization_reference", "location"} & data.keys()


@pytest.mark.parametrize("code", [2004, 2000])
async def test_a_token_that_nobody_knows_is_404_without_data(code: int) -> None:
    settings = SandboxSettings.model_validate({"token": TOKEN_A, "unknown_token": code})
    async with charging(settings) as cpo:
        assert await cpo.authorise("DEADBEEF") == (404, code, None)
        # A card is no app, whatever its number.
        assert (await cpo.authorise(type_="APP_USER"))[:2] == (404, code)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (None, 2002),
        ({}, 2002),
        ({"location_id": ""}, 2002),
        ({"location_id": "LOC1"}, 2002),
        ({"location_id": "LOC1", "evse_uids": []}, 2002),
        ({"location_id": "LOC1", "evse_uids": ["1", "2"]}, 2001),
        ({"location_id": "LOC1", "evse_uids": "1"}, 2001),
        ({"location_id": 7, "evse_uids": ["1"]}, 2001),
    ],
)
async def test_a_driver_is_asked_for_at_one_location_and_exactly_one_evse(cpo: Cpo, body: Any, code: int) -> None:
    assert (await cpo.authorise(body=body))[:2] == (400, code)


@pytest.mark.parametrize("uid", ["123", "04E8A1B2C3D4", "ZZZZZZZZ", "04E8A1B2C3D480AABBCC"])
async def test_a_card_in_another_form_is_refused(cpo: Cpo, uid: str) -> None:
    assert (await cpo.authorise(uid))[:2] == (400, 2001)


async def test_an_unknown_type_of_token_is_refused(cpo: Cpo) -> None:
    assert (await cpo.authorise(type_="QR_CODE"))[:2] == (400, 2001)


async def test_whoever_told_iop_of_stations_is_asked_at_those_only(cpo: Cpo) -> None:
    adapter = GireveAdapter(cpo.both.registry.connection, cpo.both.measured)
    try:
        assert await Pushed(adapter).push(network_location()) == Delivered()
    finally:
        await adapter.close()
    assert (await cpo.authorise())[1] == 1000
    assert (await cpo.authorise(body={"location_id": "LOC1", "evse_uids": ["9"]}))[:2] == (400, 2003)
    assert (await cpo.authorise(body={"location_id": "LOC9", "evse_uids": ["1"]}))[:2] == (400, 2003)


async def test_a_silent_emsp_ends_with_iops_patience() -> None:
    settings = SandboxSettings(token=TOKEN_A, emsp_patience_seconds=0.05)
    async with charging(settings, DRIVER | {"silent": True}) as cpo:
        assert await cpo.authorise() == (200, 4002, None)


async def test_a_late_emsp_answers_when_nobody_waits_any_more() -> None:
    async with charging(None, DRIVER | {"seconds": 0.3}) as cpo:
        await cpo.both.drive("faults", [{"kind": "delay", "seconds": 0}])  # only to see that somebody came
        asking = asyncio.create_task(cpo.say("POST", "tokens/SENDER", f"/{UID}/authorize", AT_EVSE))
        while not cpo.both.sandbox.faults.shown()[0]["hits"]:
            assert not asking.done()
            await asyncio.sleep(0)
        await cpo.both.drive("faults", [])  # by its answer the question was read whole
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        # The answer was given all the same; nobody heard it.
        assert (await cpo.authorise())[1] == 1000
        assert len(cpo.both.sandbox.memory["authorisations"]) == 2


@pytest.mark.parametrize(
    ("twist", "departs"),
    [
        ("other_token", lambda data: data["token"]["uid"] != UID),
        ("other_evse", lambda data: data["location"]["evse_uids"] != ["1"]),
        ("no_reference", lambda data: "authorization_reference" not in data),
        ("no_token", lambda data: "token" not in data),
        ("unknown_word", lambda data: data["allowed"] == "PERHAPS"),
    ],
)
async def test_an_emsp_contradicts_what_it_was_asked(twist: str, departs: Any) -> None:
    async with charging(None, DRIVER | {"twist": twist}) as cpo:
        status, code, data = await cpo.authorise()
        assert (status, code) == (200, 1000)
        assert departs(data)


async def test_drivers_that_cannot_be_are_refused(cpo: Cpo) -> None:
    status, _ = await cpo.both.drive("drivers", [DRIVER | {"answer": "PERHAPS"}])
    assert status == 400
    async with cpo.both.session.get(f"{cpo.both.iop.url}/_sandbox/drivers") as got:
        assert [each["uid"] for each in await got.json()] == [UID]


# Sessions


async def test_a_session_is_taken_whole_and_kept(cpo: Cpo) -> None:
    wire = session(await cpo.reference())
    assert await cpo.session(wire) == (200, 1000)
    done = wire | {"status": "COMPLETED", "end_date_time": ENDED, "kwh": 12.5, "last_updated": LATER}
    assert await cpo.session(done) == (200, 1000)
    assert cpo.both.sandbox.memory["sessions"]["FR*ABC/S1"] == done
    assert [receipt.value for receipt in cpo.both.sandbox.receipts] == ["ACTIVE", "COMPLETED"]
    assert (await cpo.say("GET", "sessions/RECEIVER", "/FR/ABC/S1"))[2] == done
    assert (await cpo.say("GET", "sessions/RECEIVER", "/FR/ABC/S2"))[0] == 404


async def test_sessions_out_of_order_and_repeated_ones_are_counted(cpo: Cpo) -> None:
    wire = session(await cpo.reference(), status="COMPLETED", last_updated=LATER)
    for each in (wire, wire, wire | {"last_updated": BEGUN, "status": "ACTIVE"}):
        assert await cpo.session(each) == (200, 1000)
    assert cpo.counted("sessions", "repeated") == 1
    assert cpo.counted("sessions", "out of order") == 1
    assert cpo.counted("sessions", "changed after COMPLETED") == 1


async def test_a_session_that_changes_within_the_second_is_in_order(cpo: Cpo) -> None:
    wire = session(await cpo.reference())
    for stamp in ("2026-01-05T11:00:00Z", "2026-01-05T11:00:00.001Z", "2026-01-05T11:00:00.01Z"):
        assert await cpo.session(wire | {"last_updated": stamp}) == (200, 1000)
    assert cpo.counted("sessions", "out of order") == 0


async def test_patch_of_sessions_is_not_implemented(cpo: Cpo) -> None:
    wire = session(await cpo.reference())
    assert await cpo.session(wire) == (200, 1000)
    assert await cpo.session(wire, "PATCH") == (405, 2000)


MISSING = ("start_date_time", "kwh", "cdr_token", "auth_method", "location_id", "evse_uid", "connector_id", "currency")


@pytest.mark.parametrize(
    "change",
    [
        *({name: None} for name in (*MISSING, "status", "last_updated")),
        {"kwh": "1.5"},
        {"kwh": -1},
        {"kwh": True},
        {"start_date_time": "2026-01-05T10:00:00+01:00"},
        {"end_date_time": "2026-01-05T09:59:59Z"},
        {"status": "DONE"},
        {"auth_method": "MAGIC"},
        {"currency": "EURO"},
        {"charging_periods": [{"start_date_time": BEGUN, "dimensions": []}]},
        {"charging_periods": [{"start_date_time": BEGUN, "dimensions": [{"type": "JOULE", "volume": 1}]}]},
        {"charging_periods": {}},
        {"total_cost": {"incl_vat": 1}},
        {"total_cost": 4},
        {"cdr_token": {"uid": UID}},
        {"party_id": "XYZ"},
        {"location_id": "LOC2"},
        {"evse_uid": "2"},
        {"authorization_reference": "never given"},
        {"authorization_reference": None},
        {"cdr_token": token(uid="01234567")},
        {"cdr_token": token(contract_id="DE-MP1-C00000002")},
        {"cdr_token": token(party_id="MP2")},
        {"cdr_token": token(type="APP_USER")},
        {"auth_method": "WHITELIST", "authorization_reference": None},
        {"auth_method": "WHITELIST", "authorization_reference": None, "cdr_token": token(uid="01234567")},
        {"evse_uid": "é" * 3},
    ],
)
async def test_a_session_that_cannot_be_right_is_refused(cpo: Cpo, change: dict[str, Any]) -> None:
    wire = session(await cpo.reference(), **change)
    tail = "/FR/ABC/S1"
    assert (await cpo.say("PUT", "sessions/RECEIVER", tail, wire))[:2] == (400, 2001)
    assert not cpo.both.sandbox.memory["sessions"]


async def test_a_session_of_another_operator_is_refused(cpo: Cpo) -> None:
    reference = await cpo.reference()
    wire = session(reference, party_id="XYZ")
    assert (await cpo.say("PUT", "sessions/RECEIVER", "/FR/XYZ/S1", wire))[:2] == (400, 2001)
    # The reference was given to FR*ABC.
    assert (await cpo.say("PUT", "sessions/RECEIVER", "/FR/XYZ/S1", wire, sender=XYZ))[:2] == (400, 2001)


async def test_an_authorisation_without_a_reference_is_found_by_its_token() -> None:
    async with charging(None, DRIVER | {"twist": "no_reference"}) as cpo:
        await cpo.authorise()
        assert await cpo.session(session(None)) == (200, 1000)
        assert await cpo.session(session(None, evse_uid="2")) == (400, 2001)


async def test_a_whitelisted_token_needs_no_authorisation() -> None:
    async with charging(None, DRIVER | {"whitelist": "ALLOWED"}) as cpo:
        assert await cpo.session(session(None, auth_method="WHITELIST")) == (200, 1000)


async def test_a_session_that_does_not_roam_is_taken_for_advenir_with_its_fixed_token_only(cpo: Cpo) -> None:
    assert await cpo.session(session(None, cdr_token=ADVENIR)) == (200, 1000)
    assert await cpo.cdr(cdr(None, cdr_token=ADVENIR)) == (200, 1000)
    assert await cpo.session(session(None, id="S2", cdr_token=ADVENIR | {"uid": UID})) == (400, 2001)
    assert await cpo.session(session(await cpo.reference(), id="S3", cdr_token=ADVENIR)) == (400, 2001)


# CDRs


async def test_a_cdr_is_taken_once_whatever_its_sender_does(cpo: Cpo) -> None:
    reference = await cpo.reference()
    await cpo.session(session(reference))
    wire = cdr(reference)
    status, code, _, headers = await cpo.heard("POST", "cdrs/RECEIVER", "", wire)
    assert (status, code) == (200, 1000)
    assert await cpo.cdr(wire) == (200, 1000)
    assert await cpo.cdr(dict(reversed(wire.items()))) == (200, 1000)
    assert await cpo.cdr(wire | {"total_time": 2}) == (400, 2001)
    assert cpo.counted("cdrs", "repeated") == 2
    assert dict(cpo.both.sandbox.memory["cdrs"].items()) == {"FR*ABC/C1": wire}
    assert len([each for each in cpo.both.sandbox.receipts if each.operation == "cdrs"]) == 1
    assert (await cpo.say("GET", headers["Location"]))[2] == wire


async def test_a_second_cdr_of_a_session_and_a_credit_are_counted(cpo: Cpo) -> None:
    reference = await cpo.reference()
    await cpo.session(session(reference))
    assert await cpo.cdr(cdr(reference)) == (200, 1000)
    credit = cdr(reference, id="C1-1", credit=True, credit_reference_id="C1", total_cost={"excl_vat": -4.0})
    assert await cpo.cdr(credit) == (200, 1000)
    assert await cpo.cdr(cdr(reference, id="C2")) == (200, 1000)
    assert cpo.counted("cdrs", "credit ignored") == 1
    assert cpo.counted("cdrs", "second of a session") == 1
    assert set(cpo.both.sandbox.memory["cdrs"]) == {"FR*ABC/C1", "FR*ABC/C2"}
    await cpo.both.session.delete(f"{cpo.both.iop.url}/_sandbox/memory")
    assert not cpo.both.sandbox.memory["cdrs"]


async def test_a_cdr_before_its_session_is_taken_by_its_reference_and_counted(cpo: Cpo) -> None:
    assert await cpo.cdr(cdr(await cpo.reference())) == (200, 1000)
    assert await cpo.cdr(cdr(await cpo.reference(), id="C2", session_id=None)) == (200, 1000)
    assert cpo.counted("cdrs", "before its session") == 1
    assert cpo.counted("cdrs", "without a session") == 1


PLACE = cdr(None)["cdr_location"]


@pytest.mark.parametrize(
    "change",
    [
        *({name: None} for name in cdr("r") if name not in {"session_id", "authorization_reference"}),
        *({"cdr_location": {**PLACE, name: None}} for name in PLACE),
        {"id": "x" * 40},
        {"charging_periods": []},
        {"charging_periods": [{"start_date_time": BEGUN, "dimensions": [{"type": "POWER", "volume": 1}]}]},
        {"end_date_time": "2026-01-05T09:00:00Z"},
        {"end_date_time": "2199-01-05T11:30:00Z"},
        {"end_date_time": "2026-01-05T11:30:00+00:00"},
        {"total_energy": -1},
        {"total_energy": 12.6},
        {"total_energy": "12.5"},
        {"total_time": -1},
        {"total_parking_time": 1.6},
        {"total_cost": {"excl_vat": "4"}},
        {"credit": True},
        {"credit_reference_id": "C0"},
        {"signed_data": {"encoding_method": "OCMF", "signed_values": []}},
        {"party_id": "XYZ"},
        {"authorization_reference": "never given"},
        {"authorization_reference": None},
        {"cdr_token": token(uid="01234567")},
        {"cdr_location": {**PLACE, "evse_uid": "2"}},
        {"cdr_location": {**PLACE, "id": "LOC2"}},
    ],
)
async def test_a_cdr_that_cannot_be_right_is_refused(cpo: Cpo, change: dict[str, Any]) -> None:
    reference = await cpo.reference()
    await cpo.session(session(reference))
    assert await cpo.cdr(cdr(reference, **change)) == (400, 2001)
    assert not cpo.both.sandbox.memory["cdrs"]


async def test_a_cdr_that_differs_from_its_session_is_refused() -> None:
    other = DRIVER | {"uid": "01234567"}
    async with charging(None, DRIVER, other) as cpo:
        await cpo.session(session(await cpo.reference()))
        _, _, data = await cpo.authorise("01234567")
        wire = cdr(data["authorization_reference"], cdr_token=token(uid="01234567"))
        assert await cpo.cdr(wire) == (400, 2001)


async def test_an_answer_lost_after_the_cdr_was_taken_leaves_one_cdr(cpo: Cpo) -> None:
    wire = cdr(await cpo.reference())
    async with cpo.both.session.post(
        f"{cpo.both.iop.url}/_sandbox/faults", json=[{"kind": "drop", "path": "/cdrs", "count": 1}]
    ) as armed:
        assert armed.status == 200
    with pytest.raises(aiohttp.ClientError):
        await cpo.cdr(wire)
    assert await cpo.cdr(wire) == (200, 1000)
    assert len(cpo.both.sandbox.memory["cdrs"]) == cpo.counted("cdrs", "repeated") == 1


@pytest.mark.parametrize("module", ["sessions/RECEIVER", "cdrs/RECEIVER", "tokens/SENDER"])
async def test_what_is_not_for_iop_or_without_a_token_is_refused(cpo: Cpo, module: str) -> None:
    method, tail = {
        "sessions/RECEIVER": ("PUT", "/FR/ABC/S1"),
        "cdrs/RECEIVER": ("POST", ""),
        "tokens/SENDER": ("POST", f"/{UID}/authorize"),
    }[module]
    assert (await cpo.say(method, module, tail, {}, receiver=EMSP))[:2] == (400, 4001)
    url = cpo.both.registry.connection.secrets.endpoints["modules"][module].rstrip("/") + tail
    headers = ocpi.headers("wrong", ABC, HUB)
    async with cpo.both.session.request(method, url, json={}, headers=headers) as got:
        assert got.status == 401
