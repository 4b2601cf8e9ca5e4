"""The sandbox passes on to EMSPs what CPOs tell it, and asks them for CPOs, as Gireve does; over loopback."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import pytest

from adapters.core import ocpi
from adapters.core.sandbox import SANDBOX, SandboxServer
from adapters.gireve.sandbox import SandboxSettings, create
from adapters.gireve.sandbox.platforms import Provision
from mappings.canonical.ids import PartyId
from tests.adapters.gireve.cpo import BEGUN, cdr, session
from tests.adapters.gireve.emsp import CPO, HUB, TOKEN_A, UID, Emsp, beside, evse, location, platform, token

LATER = "2026-06-07T19:00:00Z"
ALLOWED = {"allowed": "ALLOWED", "token": token(), "authorization_reference": "emsp-1"}


@pytest.fixture
async def emsp() -> AsyncIterator[Emsp]:
    async with platform() as made:
        yield made


class Two(NamedTuple):
    """A CPO's platform and an EMSP's, each registered by itself."""

    cpo: Emsp
    emsp: Emsp

    async def tell(self, method: str, module: str, tail: str, body: Any) -> tuple[int, int | None, Any]:
        return (await self.cpo.ask(method, module, tail, body, sender=CPO))[:3]


@asynccontextmanager
async def two(**settings: Any) -> AsyncIterator[Two]:
    other = Provision(name="emsp", token="b", roles=frozenset({"EMSP"}))
    first: dict[str, Any] = {"token": TOKEN_A, "roles": frozenset({"CPO"}), "platforms": (other,)}
    app = create(SandboxSettings(**(first | {"retry_seconds": 0.01} | settings)))
    iop = SandboxServer(app)
    await iop.start()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(iop.stop)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        sandbox = app[SANDBOX]
        cpo = await stack.enter_async_context(beside(iop, sandbox, session, {"NL*TNM": "CPO"}, ["commands/RECEIVER"]))
        emsp = await stack.enter_async_context(beside(iop, sandbox, session, {"DE*MP1": "EMSP"}))
        await cpo.register()
        await emsp.register("b")
        yield Two(cpo, emsp)


# Stations


async def test_a_location_is_pushed_whole_then_by_evse_then_by_status(emsp: Emsp) -> None:
    wire = location("LOC 1", evse("1"), evse("2"))
    await emsp.ask("PUT", "locations/RECEIVER", "/NL/TNM/LOC%201", wire, sender=CPO)
    await emsp.settled()
    (whole,) = emsp.heard
    assert (whole.method, whole.path) == ("PUT", "locations/NL/TNM/LOC%201")
    assert (whole.sender, whole.receiver) == ("NL*TNM", "DE*MP1")
    assert [each["uid"] for each in whole.body["evses"]] == ["1", "2"]
    assert whole.body["gireve_id"] != whole.body["evses"][0]["gireve_id"]
    emsp.heard.clear()
    changed = evse("1", floor_level="-1", last_updated=LATER)
    await emsp.ask("PUT", "locations/RECEIVER", "/NL/TNM/LOC%201/1", changed, sender=CPO)
    for _ in range(2):
        body = {"status": "CHARGING", "last_updated": LATER}
        await emsp.ask("PATCH", "locations/RECEIVER", "/NL/TNM/LOC%201/2", body, sender=CPO)
    await emsp.settled()
    put, patch = emsp.heard
    assert (put.method, put.path, put.body["floor_level"]) == ("PUT", "locations/NL/TNM/LOC%201/1", "-1")
    assert (patch.method, patch.path) == ("PATCH", "locations/NL/TNM/LOC%201/2")
    assert patch.body == {"status": "CHARGING", "last_updated": LATER}


async def test_one_correlation_id_goes_with_what_follows(emsp: Emsp) -> None:
    url = f"{emsp.endpoints['locations/RECEIVER']}/NL/TNM/LOC1"
    headers = {
        "Authorization": ocpi.authorization(emsp.token),
        "X-Request-ID": "r-1",
        "X-Correlation-ID": "c-1",
        "OCPI-from-country-code": "NL",
        "OCPI-from-party-id": "TNM",
        "OCPI-to-country-code": "FR",
        "OCPI-to-party-id": "107",
    }
    async with emsp.session.put(url, json=location(), headers=headers) as got:
        assert got.status == 200
    assert (await emsp.wait_for(1))[0].correlation == "c-1"


async def test_what_is_removed_is_told_as_removed(emsp: Emsp) -> None:
    await emsp.ask("PUT", "locations/RECEIVER", "/NL/TNM/LOC1", location(), sender=CPO)
    body = {"status": "REMOVED", "last_updated": LATER}
    await emsp.ask("PATCH", "locations/RECEIVER", "/NL/TNM/LOC1/1", body, sender=CPO)
    await emsp.settled()
    assert [(each.method, each.path) for each in emsp.heard] == [
        ("PUT", "locations/NL/TNM/LOC1"),
        ("PATCH", "locations/NL/TNM/LOC1/1"),
    ]
    assert emsp.heard[1].body["status"] == "REMOVED"


async def test_emsps_are_told_when_the_quality_process_ends_whether_or_not_anybody_asks() -> None:
    async with platform(SandboxSettings(token=TOKEN_A, quality_seconds=0.05)) as emsp:
        began = time.monotonic()
        await emsp.ask("PUT", "locations/RECEIVER", "/NL/TNM/LOC1", location(), sender=CPO)
        (told,) = await emsp.wait_for(1)
        assert time.monotonic() - began >= 0.05
        assert (told.method, told.path) == ("PUT", "locations/NL/TNM/LOC1")
        assert len(told.body["evses"]) == 1


async def test_statuses_of_a_played_cpo_are_pushed_or_kept_for_the_pull(emsp: Emsp) -> None:
    await emsp.load(location("LOC1", evse("1"), evse("2")))
    change = {"party": "NL*TNM", "location_id": "LOC1", "evse_uid": "1", "status": "CHARGING"}
    changes = [change, change | {"evse_uid": "2", "push": False}, change | {"evse_uid": "9"}]
    assert await emsp.drive("statuses", changes) == (200, {"changed": 2, "unknown": 1})
    await emsp.settled()
    assert [each.path for each in emsp.heard] == ["locations/NL/TNM/LOC1/1"]
    assert await emsp.drive("locations", {"locations": [location("LOC2")]}) == (200, {"taken": 1})
    await emsp.settled()
    assert (emsp.heard[1].method, emsp.heard[1].path) == ("PUT", "locations/NL/TNM/LOC2")


async def test_what_is_not_taken_waits_and_goes_first_in_first_out(emsp: Emsp) -> None:
    await emsp.load(location("LOC1", evse("1")))
    emsp.answers["PATCH"] = (503, 3000, None)
    change = {"party": "NL*TNM", "location_id": "LOC1", "evse_uid": "1"}
    for status in ("CHARGING", "BLOCKED", "AVAILABLE"):
        await emsp.drive("statuses", change | {"status": status})
    await emsp.wait_for(3)
    assert {each.body["status"] for each in emsp.heard} == {"CHARGING"}
    assert await emsp.drive("queue", method="GET") == (200, {"gateway": 3})
    emsp.answers.clear()
    emsp.heard.clear()
    await emsp.settled()
    assert [each.body["status"] for each in emsp.heard] == ["CHARGING", "BLOCKED", "AVAILABLE"]
    kept = list(emsp.sandbox.memory["pushes"].values())
    assert [each["status"] for each in kept] == [200, 200, 200]
    assert kept[0]["tries"] > 1


@pytest.mark.parametrize("answer", [(404, 2003, None), (405, 2000, None), (200, 2001, None)])
async def test_what_the_emsp_refuses_is_not_sent_again(emsp: Emsp, answer: tuple[int, int, Any]) -> None:
    await emsp.load(location("LOC1", evse("1")))
    emsp.answers["PATCH"] = answer
    await emsp.drive("statuses", {"party": "NL*TNM", "location_id": "LOC1", "evse_uid": "1", "status": "CHARGING"})
    await emsp.settled()
    assert len(emsp.heard) == 1
    assert emsp.sandbox.requests["pushes", "PATCH locations/RECEIVER: refused"] == 1


async def test_pushes_are_repeated_and_reordered_as_faults_say(emsp: Emsp) -> None:
    await emsp.load(location("LOC1", evse("1")))
    faults = [{"kind": "repeat", "method": "PATCH", "count": 1}, {"kind": "reorder", "method": "PATCH", "count": 1}]
    await emsp.drive("faults", faults)
    change = {"party": "NL*TNM", "location_id": "LOC1", "evse_uid": "1"}
    await emsp.drive("statuses", [change | {"status": status} for status in ("CHARGING", "BLOCKED")])
    await emsp.settled()
    assert [each.body["status"] for each in emsp.heard] == ["BLOCKED", "BLOCKED", "CHARGING"]


async def test_anything_at_all_is_said_to_a_platform(emsp: Emsp) -> None:
    emsp.answers["PATCH locations/FR/XYZ"] = (404, 2003, None)
    raw = {"method": "PATCH", "endpoint": "locations/RECEIVER", "tail": "FR/XYZ/none/1", "sender": "NL*TNM"}
    status, told = await emsp.drive("push", raw | {"body": {"status": "CHARGING"}})
    assert (status, told["status"], told["code"]) == (200, 404, 2003)
    assert (emsp.heard[0].sender, emsp.heard[0].receiver) == ("NL*TNM", "DE*MP1")
    assert (await emsp.drive("push", raw | {"endpoint": "parking/RECEIVER"}))[0] == 502


async def test_an_emsp_without_an_endpoint_is_not_pushed_to() -> None:
    async with platform(modules=["tokens/SENDER"]) as emsp:
        await emsp.ask("PUT", "locations/RECEIVER", "/NL/TNM/LOC1", location(), sender=CPO)
        await emsp.settled()
        assert not emsp.heard


# A charge between two platforms


async def test_an_authorisation_goes_to_the_emsp_that_pushed_the_token() -> None:
    async with two() as both:
        await both.emsp.ask("PUT", "tokens/RECEIVER", f"/DE/MP1/{UID}", token())
        both.emsp.answers["POST tokens"] = (200, 1000, ALLOWED)
        at = {"location_id": "LOC1", "evse_uids": ["1"]}
        tail = f"/{UID.lower()}/authorize?type=RFID"
        status, code, told = await both.tell("POST", "tokens/SENDER", tail, at)
        assert (status, code) == (200, 1000)
        (asked,) = both.emsp.heard
        assert (asked.method, asked.path) == ("POST", f"tokens/{UID}/authorize?type=RFID")
        assert (asked.sender, asked.receiver, asked.body) == ("NL*TNM", "DE*MP1", at)
        assert told["allowed"] == "ALLOWED"
        assert told["location"] == at
        reference = told["authorization_reference"]
        assert reference not in {None, "emsp-1"}
        assert both.emsp.sandbox.memory["authorisations"][reference]["emsp_reference"] == "emsp-1"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((200, 1000, {"allowed": "BLOCKED", "token": token()}), (200, 1000)),
        ((404, 2004, None), (404, 2004)),
        ((200, 2004, None), (404, 2004)),
        ((500, 3000, None), (200, 4000)),
        ((200, 1000, {"allowed": "PERHAPS", "token": token()}), (200, 4000)),
        ((200, 1000, {"allowed": "ALLOWED"}), (200, 4000)),
    ],
)
async def test_what_the_emsp_answers_is_what_the_cpo_hears(
    answer: tuple[int, int, Any], expected: tuple[int, int]
) -> None:
    async with two() as both:
        await both.emsp.ask("PUT", "tokens/RECEIVER", f"/DE/MP1/{UID}", token())
        both.emsp.answers["POST tokens"] = answer
        at = {"location_id": "LOC1", "evse_uids": ["1"]}
        status, code, told = await both.tell("POST", "tokens/SENDER", f"/{UID}/authorize", at)
        assert (status, code) == expected
        assert "authorization_reference" not in (told or {})


async def authorised(both: Two) -> str:
    await both.emsp.ask("PUT", "tokens/RECEIVER", f"/DE/MP1/{UID}", token())
    both.emsp.answers["POST tokens"] = (200, 1000, ALLOWED)
    at = {"location_id": "LOC1", "evse_uids": ["1"]}
    _, _, told = await both.tell("POST", "tokens/SENDER", f"/{UID}/authorize", at)
    both.emsp.heard.clear()
    return str(told["authorization_reference"])


HERE = {"country_code": "NL", "party_id": "TNM"}


@pytest.mark.parametrize("own", [True, False])
async def test_session_and_cdr_come_home_under_gireves_ids(own: bool) -> None:
    async with two(own_references=own) as both:
        reference = await authorised(both)
        for status in ("ACTIVE", "COMPLETED", "COMPLETED"):
            wire = session(reference, **HERE, status=status)
            assert (await both.tell("PUT", "sessions/RECEIVER", "/NL/TNM/S1", wire))[0] == 200
        wire = cdr(reference, **HERE, home_charging_compensation=False, remark="thanks")
        assert (await both.tell("POST", "cdrs/RECEIVER", "", wire))[0] == 200
        await both.emsp.settled()
        first, second, record = both.emsp.heard  # what is repeated is not passed on
        identity = first.body["id"]
        assert identity != "S1"
        assert first.path == second.path == f"sessions/NL/TNM/{identity}"
        assert (first.body["status"], second.body["status"]) == ("ACTIVE", "COMPLETED")
        assert (first.sender, first.receiver) == ("NL*TNM", "DE*MP1")
        expected = reference if own else "emsp-1"
        assert {each.body["authorization_reference"] for each in both.emsp.heard} == {expected}
        assert (record.method, record.path) == ("POST", "cdrs")
        assert (record.body["id"], record.body["session_id"], record.body["remark"]) == ("C1", identity, "thanks")
        assert "home_charging_compensation" not in record.body
        assert both.emsp.sandbox.memory["gireve_sessions"][identity]["id"] == "S1"


async def test_a_credit_never_comes_home_and_a_second_cdr_does() -> None:
    async with two() as both:
        reference = await authorised(both)
        credit = {"credit": True, "credit_reference_id": "C1", "total_energy": -12.5, "charging_periods": [_period()]}
        for changes in ({"id": "C1"}, {"id": "C2", **credit}, {"id": "C3"}):
            wire = cdr(reference, **HERE, **changes)
            assert (await both.tell("POST", "cdrs/RECEIVER", "", wire))[:2] == (200, 1000)
        await both.emsp.settled()
        assert [each.body["id"] for each in both.emsp.heard] == ["C1", "C3"]


def _period() -> dict[str, Any]:
    return {"start_date_time": BEGUN, "dimensions": [{"type": "ENERGY", "volume": -12.5}]}


# Commands between two platforms

START = {"response_url": "http://never/", "token": token(), "location_id": "LOC1", "evse_uid": "1"}


async def test_a_start_goes_to_the_cpos_platform_and_its_result_is_called_back() -> None:
    async with two() as both:
        both.cpo.answers["POST commands"] = (200, 1000, {"result": "ACCEPTED", "timeout": 20})
        url = f"{both.emsp.url}/2.2.1/commands/START_SESSION/42"
        body = START | {"response_url": url, "authorization_reference": "emsp-7", "connector_id": "1"}
        asked = await both.emsp.ask("POST", "commands/RECEIVER", "/START_SESSION", body, receiver=CPO)
        assert asked[:3] == (200, 1000, {"result": "ACCEPTED", "timeout": 20})
        (sent,) = both.cpo.heard
        assert (sent.sender, sent.receiver, sent.path) == ("DE*MP1", "NL*TNM", "commands/START_SESSION")
        assert (sent.body["token"], sent.body["evse_uid"], sent.body["connector_id"]) == (token(), "1", "1")
        reference = sent.body["authorization_reference"]
        assert reference != "emsp-7"
        assert sent.body["response_url"].startswith(f"{both.cpo.iop.url}/ocpi/")
        assert not both.emsp.heard
        told = await both.tell("POST", sent.body["response_url"], "", {"result": "EVSE_OCCUPIED"})
        assert told[:2] == (200, 1000)
        await both.emsp.settled()
        (heard,) = both.emsp.heard
        assert (heard.path, heard.body) == ("commands/START_SESSION/42", {"result": "EVSE_OCCUPIED"})
        assert (heard.sender, heard.receiver) == ("NL*TNM", "DE*MP1")
        # The session that comes of it is the EMSP's, and is stopped by Gireve's id.
        wire = session(reference, **HERE, auth_method="COMMAND")
        assert (await both.tell("PUT", "sessions/RECEIVER", "/NL/TNM/S1", wire))[:2] == (200, 1000)
        await both.emsp.settled()
        stop = {"response_url": url, "session_id": both.emsp.heard[1].body["id"]}
        await both.emsp.ask("POST", "commands/RECEIVER", "/STOP_SESSION", stop, receiver=CPO)
        assert both.cpo.heard[1].body["session_id"] == "S1"


@pytest.mark.parametrize(
    ("answer", "code"),
    [((400, 2003, None), 2003), ((503, 3000, None), 3000), ((200, 1000, None), 4000), ((200, 1000, {}), 4000)],
)
async def test_a_cpo_that_does_not_answer_as_it_should_is_told_to_the_emsp(
    answer: tuple[int, int, Any], code: int
) -> None:
    async with two() as both:
        both.cpo.answers["POST commands"] = answer
        told = await both.emsp.ask("POST", "commands/RECEIVER", "/START_SESSION", START, receiver=CPO)
        assert told[:2] == (200, code)


async def test_what_is_not_for_a_cpo_or_not_implemented_is_refused(emsp: Emsp) -> None:
    await emsp.load(location())

    async def ask(kind: str = "START_SESSION", receiver: PartyId = CPO, **changes: Any) -> tuple[int, int | None]:
        body = {name: value for name, value in (START | changes).items() if value is not None}
        return (await emsp.ask("POST", "commands/RECEIVER", f"/{kind}", body, receiver=receiver))[:2]

    assert await ask(receiver=HUB) == (400, 2001)
    assert await ask(evse_uid=None) == (400, 2001)
    assert await ask(response_url=None) == (400, 2001)
    assert await ask(token=token(party_id="MP2")) == (400, 2001)
    assert await ask(evse_uid="9") == (400, 2003)
    assert await ask(receiver=PartyId("FR*XYZ")) == (400, 4001)
    assert await ask("DANCE") == (404, 2000)
    for kind in ("RESERVE_NOW", "CANCEL_RESERVATION", "UNLOCK_CONNECTOR"):
        told = await emsp.ask("POST", "commands/RECEIVER", f"/{kind}", {}, receiver=CPO)
        assert told[2]["result"] == "NOT_SUPPORTED"
    stop = {"response_url": "http://x/", "session_id": "none"}
    told = await emsp.ask("POST", "commands/RECEIVER", "/STOP_SESSION", stop, receiver=CPO)
    assert told[2]["result"] == "UNKNOWN_SESSION"


async def test_one_platform_is_cpo_and_emsp_of_its_own_charge(emsp: Emsp) -> None:
    emsp.answers["POST tokens"] = (200, 1000, ALLOWED)
    await emsp.ask("PUT", "tokens/RECEIVER", f"/DE/MP1/{UID}", token())
    at = {"location_id": "LOC1", "evse_uids": ["1"]}
    _, _, told, _ = await emsp.ask("POST", "tokens/SENDER", f"/{UID}/authorize", at, sender=CPO)
    wire = session(told["authorization_reference"], **HERE)
    assert (await emsp.ask("PUT", "sessions/RECEIVER", "/NL/TNM/S1", wire, sender=CPO))[0] == 200
    await emsp.settled()
    assert [each.method for each in emsp.heard] == ["POST", "PUT"]


async def test_an_emsp_that_does_not_answer_ends_with_iops_patience() -> None:
    async with two(emsp_patience_seconds=0.05) as both:
        await both.emsp.ask("PUT", "tokens/RECEIVER", f"/DE/MP1/{UID}", token())
        both.emsp.answers["POST tokens"] = (200, 1000, ALLOWED)
        both.emsp.open.clear()
        at = {"location_id": "LOC1", "evse_uids": ["1"]}
        told = await both.tell("POST", "tokens/SENDER", f"/{UID}/authorize", at)
        both.emsp.open.set()
        assert told[:2] == (200, 4002)
