"""A sandbox Hubject with drivers, for the tests of what it plays in a charge, and messages to it."""

import asyncio
import copy
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp

from adapters.hubject.sandbox import HubjectSandbox, Partner, Running, run
from mappings.canonical.ids import PartyId
from tests.adapters.hubject.network import HUB_CPO, SUB_ONE, adapter, evse, items, location

OTHER = PartyId("FR*OTH")
NOW = datetime(2026, 6, 7, 12, 0, tzinfo=UTC)
OPERATOR = "/api/oicp/{}/operators/FR*HUB/{}"
START, STOP = (OPERATOR.format("charging/v21", f"authorize/{verb}") for verb in ("start", "stop"))
CDR = OPERATOR.format("cdrmgmt/v22", "charge-detail-record")
NOTE = "/api/oicp/notificationmgmt/v11/charging-notifications"
CARD, OTHER_CARD = "04E8A1B2C3D480", "04AABBCC"
EVCO = "NL-EMS-C12345678-X"
UNKNOWN = "f98efba4-02d8-4fa0-b810-9a9d50d2c527"
DRIVER: dict[str, Any] = {"provider": "NL-EMS", "uid": CARD}


def card(uid: str = CARD) -> dict[str, Any]:
    return {"RFIDMifareFamilyIdentification": {"UID": uid}}


def asking(who: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    body = {"OperatorID": "FR*HUB", "EvseID": "FR*HUB*E1", "Identification": who or card(), "CPOPartnerSessionID": "a1"}
    return {name: value for name, value in (body | changes).items() if value is not None}


def stopping(session: str, who: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return asking(who, SessionID=session, **changes)


def note(session: str, kind: str = "Start", **changes: Any) -> dict[str, Any]:
    body = {"Type": kind, "SessionID": session, "EvseID": "FR*HUB*E1", "OperatorID": "FR*HUB"}
    own = {
        "Start": {"ChargingStart": "2026-06-07T12:00:00+02:00"},
        "Progress": {
            "ChargingStart": "2026-06-07T12:00:00+02:00",
            "EventOccurred": "2026-06-07T12:10:00+02:00",
            "ConsumedEnergyProgress": 1.5,
        },
        "End": {"ChargingEnd": "2026-06-07T13:00:00+02:00"},
        "Error": {"ErrorType": "CriticalError"},
    }
    return {name: value for name, value in (body | own.get(kind, {}) | changes).items() if value is not None}


def cdr(session: str, **changes: Any) -> dict[str, Any]:
    body = {
        "SessionID": session,
        "EvseID": "FR*HUB*E1",
        "Identification": card(),
        "SessionStart": "2026-06-07T12:00:00+02:00",
        "ChargingStart": "2026-06-07T12:01:00+02:00",
        "ChargingEnd": "2026-06-07T13:00:00+02:00",
        "SessionEnd": "2026-06-07T13:30:00+02:00",
        "MeterValueStart": 100.1,
        "MeterValueEnd": 121.5,
        "ConsumedEnergy": 21.4,
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


@dataclass
class Hub:
    """A sandbox, and requests to it."""

    running: Running
    session: aiohttp.ClientSession

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.session.post(path, data=raw) as answer:
            return answer.status, json.loads(await answer.text())

    async def code(self, path: str, body: Any) -> str:
        status, answer = await self.post(path, body)
        assert status == 200
        code = answer["StatusCode"]["Code"]
        good = answer["AuthorizationStatus"] == "Authorized" if "AuthorizationStatus" in answer else answer["Result"]
        assert good is (code == "000")
        assert isinstance(code, str)
        return code

    async def drivers(self, *drivers: dict[str, Any]) -> None:
        status, _ = await self.post("/_sandbox/drivers", list(drivers))
        assert status == 200

    async def begun(self, **changes: Any) -> str:
        _, answer = await self.post(START, asking(**changes))
        assert answer["AuthorizationStatus"] == "Authorized", answer
        return str(answer["SessionID"])

    async def memory(self, kind: str) -> dict[str, Any]:
        async with self.session.get("/_sandbox/memory", params={"kind": kind}) as answer:
            lines = [json.loads(line) for line in (await answer.text()).splitlines()]
        return {line["key"]: line["record"] for line in lines}


@asynccontextmanager
async def playing(**options: Any) -> AsyncIterator[Hub]:
    partners = [Partner(HUB_CPO, frozenset({SUB_ONE})), Partner(OTHER)]
    sandbox = HubjectSandbox(partners, wall=lambda: NOW, patience=options.pop("patience", 0.05), **options)
    async with run(sandbox, None) as running, aiohttp.ClientSession(running.url) as session:
        yield Hub(running, session)


@asynccontextmanager
async def under_way(hbs: Hub, path: str, body: Any) -> AsyncIterator[None]:
    """A request that the hub is reading as long as one is inside: the rest of it, and the yes, come at the end."""
    raw, let_go = json.dumps(body).encode(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield raw[:1]
        await let_go.wait()
        yield raw[1:]

    async def sent() -> Any:
        async with hbs.session.post(path, data=slowly()) as answer:
            return json.loads(await answer.text())

    first = asyncio.create_task(sent())
    try:
        while not hbs.running.sandbox.under_way:
            assert not first.done(), "it was answered before all of it came"
            await hbs.memory("sessions")
        yield
    finally:
        let_go.set()
        answer = await first
    assert answer["Result"] is True, answer


async def push(hbs: Hub, evse_id: str = "FR*HUB*E1", **changes: Any) -> None:
    made = adapter()
    (call,) = made.plan("evse_data", items(made, "evse_data", location(evse("a", evse_id)))).calls
    body = copy.deepcopy(call.body)
    body["ActionType"] = "insert"
    body["OperatorEvseData"]["EvseDataRecord"][0] |= changes
    _, answer = await hbs.post("/api/oicp/evsepush/v23/operators/FR*HUB/data-records", body)
    assert answer["Result"] is True, answer
