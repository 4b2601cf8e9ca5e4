"""A CPO that is registered to the sandbox IOP, and speaks to it without any of the gateway's own code."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from adapters.core import ocpi
from adapters.gireve.sandbox import SandboxSettings
from mappings.canonical.ids import PartyId
from tests.adapters.gireve.network import ABC, Pair, pair

EMSP = PartyId("DE*MP1")
HUB = PartyId("FR*107")
UID = "04E8A1B2C3D480"
CONTRACT = "DE-MP1-C00000001"
DRIVER = {"uid": UID, "party": "DE*MP1", "contract_id": CONTRACT}
AT_EVSE = {"location_id": "LOC1", "evse_uids": ["1"]}
# The sandbox judges by the real clock, and a charge is in the past of anybody's.
BEGUN, ENDED, LATER = "2026-01-05T10:00:00Z", "2026-01-05T11:30:00Z", "2026-01-05T11:31:00Z"


@dataclass
class Cpo:
    """A registered gateway's CPO, speaking to the sandbox without any of the gateway's own code."""

    both: Pair

    async def say(
        self, method: str, module: str, tail: str = "", body: Any = None, sender: PartyId = ABC, **more: Any
    ) -> tuple[int, int | None, Any]:
        """Makes a request; gives HTTP status, OCPI code and data."""
        status, code, data, _ = await self.heard(method, module, tail, body, sender, **more)
        return status, code, data

    async def heard(
        self, method: str, module: str, tail: str = "", body: Any = None, sender: PartyId = ABC, **more: Any
    ) -> tuple[int, int | None, Any, Mapping[str, str]]:
        secrets = self.both.registry.connection.secrets
        url = module if module.startswith("http") else f"{secrets.endpoints['modules'][module].rstrip('/')}{tail}"
        headers = ocpi.headers(secrets.ours or "", sender, more.pop("receiver", HUB))
        async with self.both.session.request(method, url, json=body, headers=headers, **more) as got:
            told = await got.json()
            return got.status, told.get("status_code"), told.get("data"), got.headers

    async def authorise(self, uid: str = UID, body: Any = AT_EVSE, type_: str = "RFID") -> tuple[int, int | None, Any]:
        return await self.say("POST", "tokens/SENDER", f"/{uid}/authorize?type={type_}", body)

    async def reference(self) -> str:
        _, _, data = await self.authorise()
        return str(data["authorization_reference"])

    async def session(self, wire: Mapping[str, Any], method: str = "PUT") -> tuple[int, int | None]:
        tail = f"/{wire['country_code']}/{wire['party_id']}/{wire['id']}"
        return (await self.say(method, "sessions/RECEIVER", tail, wire))[:2]

    async def cdr(self, wire: Mapping[str, Any], **more: Any) -> tuple[int, int | None]:
        return (await self.say("POST", "cdrs/RECEIVER", "", wire, **more))[:2]

    def counted(self, operation: str, result: str) -> int:
        return self.both.sandbox.requests[operation, result]


@asynccontextmanager
async def charging(settings: SandboxSettings | None = None, *drivers: Mapping[str, Any]) -> AsyncIterator[Cpo]:
    async with pair(settings) as both:
        await both.register()
        await both.drive("drivers", [*(drivers or [DRIVER])])
        yield Cpo(both)


def token(**changes: Any) -> dict[str, Any]:
    return {"country_code": "DE", "party_id": "MP1", "uid": UID, "type": "RFID", "contract_id": CONTRACT} | changes


def session(reference: str | None, **changes: Any) -> dict[str, Any]:
    wire = {
        "country_code": "FR",
        "party_id": "ABC",
        "id": "S1",
        "start_date_time": BEGUN,
        "kwh": 1.5,
        "cdr_token": token(),
        "auth_method": "AUTH_REQUEST",
        "authorization_reference": reference,
        "location_id": "LOC1",
        "evse_uid": "1",
        "connector_id": "1",
        "currency": "EUR",
        "charging_periods": [{"start_date_time": BEGUN, "dimensions": [{"type": "ENERGY", "volume": 1.5}]}],
        "status": "ACTIVE",
        "last_updated": ENDED,
    } | changes
    return {name: value for name, value in wire.items() if value is not None}


def cdr(reference: str | None, **changes: Any) -> dict[str, Any]:
    wire = {
        "country_code": "FR",
        "party_id": "ABC",
        "id": "C1",
        "start_date_time": BEGUN,
        "end_date_time": ENDED,
        "session_id": "S1",
        "cdr_token": token(),
        "auth_method": "AUTH_REQUEST",
        "authorization_reference": reference,
        "cdr_location": {
            "id": "LOC1",
            "address": "Place du 11 Novembre 1918",
            "city": "Paris",
            "country": "FRA",
            "coordinates": {"latitude": "48.8768", "longitude": "2.3592"},
            "evse_uid": "1",
            "evse_id": "FR*ABC*E1",
            "connector_id": "1",
            "connector_standard": "IEC_62196_T2",
            "connector_format": "SOCKET",
            "connector_power_type": "AC_3_PHASE",
        },
        "currency": "EUR",
        "charging_periods": [{"start_date_time": BEGUN, "dimensions": [{"type": "ENERGY", "volume": 12.5}]}],
        "total_cost": {"excl_vat": 4.0},
        "total_energy": 12.5,
        "total_time": 1.5,
        "last_updated": LATER,
    } | changes
    return {name: value for name, value in wire.items() if value is not None}


ADVENIR = {
    "country_code": "$$",
    "party_id": "ADV",
    "uid": "12345671234567",
    "type": "RFID",
    "contract_id": "Gireve2Advenir",
}
