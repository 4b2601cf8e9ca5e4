"""A sandbox Hubject with an EMP, the EMP's gateway, stations of played CPOs, and what the EMP asks."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import aiohttp
from aiohttp import web

from adapters.hubject.sandbox import HubjectSandbox, Partner, Provider, run
from mappings.canonical.ids import PartyId
from tests.adapters.hubject.charging import OTHER, Hub
from tests.adapters.hubject.network import HUB_CPO, SUB_ONE
from tests.oicp_schema import validate

EMS, RIVAL = PartyId("NL-EMS"), PartyId("DE-EMP")
EVCO, RIVALS_EVCO, NOBODYS_EVCO = (f"{party}-C12345678-X" for party in ("NL-EMS", "DE-EMP", "XX-NIX"))
_PROVIDERS = "/api/oicp/{}/providers/NL-EMS/{}"
DATA = _PROVIDERS.format("evsepull/v23", "data-records")
STATUS = _PROVIDERS.format("evsepull/v21", "status-records")
BY_ID, BY_OPERATOR = f"{STATUS}-by-id", f"{STATUS}-by-operator-id"
PRODUCTS = _PROVIDERS.format("dynamicpricing/v10", "pricing-products")
PRICING = _PROVIDERS.format("dynamicpricing/v10", "evse-pricing")
PUSH = _PROVIDERS.format("authdata/v21", "push-request")
GET_CDRS = _PROVIDERS.format("cdrmgmt/v22", "get-charge-detail-records-request")
REMOTE_START, REMOTE_STOP = (
    _PROVIDERS.format("charging/v21", f"authorize-remote/{verb}") for verb in ("start", "stop")
)
RESERVE, CANCEL = (_PROVIDERS.format("reservation/v11", f"reservation-{verb}-request") for verb in ("start", "stop"))
ASKING: dict[str, Any] = {"ProviderID": "NL-EMS", "GeoCoordinatesResponseFormat": "DecimalDegree"}


def record(evse_id: str, **changes: Any) -> dict[str, Any]:
    """An EvseDataRecord as a CPO would have it."""
    made = {
        "EvseID": evse_id,
        "ChargingStationNames": [{"lang": "en", "value": f"Station of {evse_id}"}],
        "Address": {
            "Country": "NLD",
            "City": "Utrecht",
            "Street": "Oudegracht",
            "PostalCode": "3511 AA",
            "HouseNum": "1",
        },
        "GeoCoordinates": {"DecimalDegree": {"Longitude": "5.121420", "Latitude": "52.090737"}},
        "Plugs": ["Type 2 Outlet"],
        "ChargingFacilities": [{"PowerType": "AC_3_PHASE", "Power": 22}],
        "RenewableEnergy": True,
        "CalibrationLawDataAvailability": "Not Available",
        "AuthenticationModes": ["NFC RFID Classic", "REMOTE"],
        "PaymentOptions": ["Contract"],
        "ValueAddedServices": ["None"],
        "Accessibility": "Free publicly accessible",
        "HotlinePhoneNumber": "+31201234567",
        "IsOpen24Hours": True,
        "IsHubjectCompatible": True,
        "DynamicInfoAvailable": "true",
    }
    return {name: value for name, value in (made | changes).items() if value is not None}


class Wall:
    """The time of day, which passes when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 6, 7, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float = 60.0) -> str:
        """Lets time pass; gives the moment in between, as a LastCall."""
        between = self.now + timedelta(seconds=seconds / 2)
        self.now += timedelta(seconds=seconds)
        return between.strftime("%Y-%m-%dT%H:%M:%SZ")


def yes(**changes: Any) -> dict[str, Any]:
    return {
        "AuthorizationStatus": "Authorized",
        "StatusCode": {"Code": "000"},
        "ProviderID": "NL-EMS",
        "EMPPartnerSessionID": "emp-1",
    } | changes


def no(code: str) -> dict[str, Any]:
    return {"AuthorizationStatus": "NotAuthorized", "StatusCode": {"Code": code}}


def acknowledged(code: str = "000") -> dict[str, Any]:
    return {"Result": code == "000", "StatusCode": {"Code": code}}


@dataclass
class Gateway:
    """The gateway of a partner, which says what a test has it say, and remembers what it was asked.

    Attributes:
        says: By the last word of the path; what is not there is acknowledged. Bytes are answered as they are.
        heard: Path below the partner's URL, and body.
    """

    url: str = ""
    says: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.heard.append((request.path.removeprefix("/oicp/here"), await request.json()))
        said = self.says.get(request.path.rsplit("/", 1)[1], acknowledged())
        # Not a `Response`: those are judged, and what a gateway may never say is said here, too.
        answer = web.StreamResponse(status=self.status, headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        await answer.write(said if isinstance(said, bytes) else json.dumps(said).encode())
        await answer.write_eof()
        return answer

    def heard_at(self, end: str) -> list[dict[str, Any]]:
        return [body for path, body in self.heard if path.endswith(end)]


@asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    made = Gateway()
    app = web.Application()
    app.router.add_post("/oicp/here/{tail:.*}", made.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/oicp/here"
    try:
        yield made
    finally:
        await runner.cleanup()


@dataclass
class World(Hub):
    """A sandbox, the gateways of an EMP, of its rival and of a CPO, and requests to the sandbox."""

    wall: Wall = field(default_factory=Wall)
    emp: Gateway = field(default_factory=Gateway)
    rival: Gateway = field(default_factory=Gateway)
    cpo: Gateway = field(default_factory=Gateway)

    @property
    def sandbox(self) -> HubjectSandbox:
        return self.running.sandbox

    async def do(self, what: str, body: Any) -> Any:
        """Tells the sandbox to do something."""
        status, answer = await self.post(f"/_sandbox/{what}", body)
        assert status == 200, answer
        return answer

    async def load(self, *records: dict[str, Any]) -> None:
        raw = b"\n".join(json.dumps(each).encode() for each in records)
        assert (await self.do("network?name=Played", raw))["skipped"] == 0

    async def pull(self, page: int = 0, size: int = 100, **changes: Any) -> dict[str, Any]:
        """Pulls a page of EVSE data, which is judged."""
        status, answer = await self.post(f"{DATA}?page={page}&size={size}", ASKING | changes)
        assert status == 200, answer
        validate("eRoamingEVSEData", answer, role="emp")
        assert isinstance(answer, dict)
        return answer

    async def pulled(self, size: int = 100, **changes: Any) -> list[dict[str, Any]]:
        """Pulls all pages that there are said to be."""
        first = await self.pull(0, size, **changes)
        found = list(first["content"])
        for page in range(1, first["totalPages"]):
            found += (await self.pull(page, size, **changes))["content"]
        return found

    async def refused(self, path: str, body: Any) -> str:
        """Gives the code with which a request is refused."""
        status, answer = await self.post(path, body)
        assert status == 200
        return str(answer["StatusCode"]["Code"])


def ids(records: Sequence[dict[str, Any]]) -> list[str]:
    return [each["EvseID"] for each in records]


PATIENT: Final = dict.fromkeys(("patience", "command_patience", "forward_patience"), 60.0)
"""Hubject waits for gateways as long as a busy machine may take; a test of silence says how long it is to wait."""


@asynccontextmanager
async def world(**options: Any) -> AsyncIterator[World]:
    wall = Wall()
    async with gateway() as emp, gateway() as rival, gateway() as cpo:
        sandbox = HubjectSandbox(
            [Partner(HUB_CPO, frozenset({SUB_ONE})), Partner(OTHER)],
            providers=[Provider(EMS, emp.url), Provider(RIVAL, rival.url)],
            gateway=cpo.url,
            wall=wall,
            **PATIENT | options,
        )
        async with run(sandbox, None) as running, aiohttp.ClientSession(running.url) as session:
            yield World(running, session, wall, emp, rival, cpo)
