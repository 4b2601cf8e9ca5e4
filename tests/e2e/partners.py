"""A partner's stations behind both hubs, whose CPO the sandboxes play, and drivers of ours who come there."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

import aiohttp
import asyncpg

from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.locations import Location
from mappings.ocpi.v2_2_1 import locations as ocpi
from mappings.oicp.v2_3 import evse_data
from mappings.oicp.v2_3.defaults import OperatorDefaults
from mappings.report import Refused
from tests import database
from tests.backend import backend
from tests.e2e.abroad import EMSP, Abroad
from tests.harness import DEFAULTS, evse, location, rig

PARTNER, STRANGER = PartyId("NL*PAR"), PartyId("NL*ZZZ")
OVER = {"gireve": "gireve", "hubject": "hubject-emp"}
"""By hub, our connection to it."""

_ABLE = ("RFID_READER", "REMOTE_START_STOP_CAPABLE", "RESERVABLE")


def station(id_: str = "P1", *evses: str, party: PartyId = PARTNER) -> Location:
    """A station with the EVSEs that are named, or one that is named after it."""
    many = [evse(name, f"{party}*E{name}", capabilities=_ABLE) for name in evses or (id_,)]
    return location(id_, *many, party=party)


def uid_of(name: str) -> str:
    """A card for a driver of a name, another one for each."""
    return f"04{crc32(name.encode()):012X}"


def contract_of(name: str) -> str:
    """The driver's contract."""
    number = crc32(name.encode()) % 10**8
    return ContractId(ContractId(f"FR-RGT-C{number:08}").separated()).text


def ago(minutes: float) -> str:
    """A moment that is over, to the second."""
    return (datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=minutes)).isoformat()


@dataclass
class Partners(Abroad):
    """A scene with a partner.

    Attributes:
        names: Drivers of ours.
    """

    names: list[str] = field(default_factory=list)

    @property
    def over(self) -> str:
        """Our connection to the hub that is played with."""
        return OVER[self.way]

    async def show(self, *stations: Location, hubs: Sequence[str] = tuple(OVER), name: str = "Partner") -> None:
        """Has a CPO behind hubs show stations."""
        for hub in hubs:
            for one in stations:
                await self.load(hub, written(hub, one), f"?operator={one.party.normal.replace('*', '%2A')}&name={name}")

    async def load(self, hub: str, records: Sequence[Any], query: str = "") -> None:
        """Gives a hub records of a played CPO's network, as they are."""
        url = f"{self.gateway.servers[hub].url}/_sandbox/network{query if hub == 'hubject' else ''}"
        async with self.http.post(url, data=b"".join(json.dumps(one).encode() + b"\n" for one in records)) as answer:
            assert answer.status == 200, await answer.text()

    async def pulls(self, *, full: bool = True, over: str | None = None, feeds: Sequence[str] = ()) -> dict[str, Any]:
        """Has a connection pull, and gives what came of each feed."""
        over = over or self.over
        found: dict[str, Any] = {}
        for view in (await self.ask("GET", "/v1/pulls"))["items"]:
            name = view["feed"]
            if view["connection"] == over and (not feeds or name in feeds):
                found[name] = await self.pull(over, name, full=full)
        return found

    async def entry(self, key: str) -> Any:
        """What the catalogue has under a key; None for nothing."""
        status, answer = await self.said("GET", f"/v1/catalogue/evses/{key}")
        return answer if status == 200 else None

    async def entries(self) -> dict[str, Any]:
        """All that the catalogue has."""
        items = (await self.ask("GET", "/v1/catalogue/evses?limit=1000"))["items"]
        return {one["evse_key"]: one for one in items}

    async def driver(self, name: str, **changes: Any) -> str:
        """Gives a driver a card; gives its uid."""
        self.names.append(name)
        await self.own(uid_of(name), driver=name, **{"contract_id": contract_of(name), "whitelist": "NEVER"} | changes)
        return uid_of(name)

    async def taps(self, name: str, evse_uid: str = "P1", location_id: str = "P1", party: PartyId = PARTNER) -> str:
        """Has a driver be let in at a partner's station; gives how the hub names the charge."""
        if self.way == "gireve":
            place = {"party": party.normal, "location_id": location_id, "evse_uid": evse_uid}
            said = await self.drive("gireve", "authorize", {"uid": uid_of(name), **place})
            assert said.get("allowed") == "ALLOWED", said
            return str(said["authorization_reference"])
        said = await self.drive("hubject", "taps", {"evse": f"{party}*E{evse_uid}", "uid": uid_of(name)})
        assert said["AuthorizationStatus"] == "Authorized", said
        return str(said["SessionID"])

    async def heard(self) -> None:
        """Waits until Gireve has told what it had to tell."""
        assert (await self.drive("gireve", "settle", {"seconds": 60}))["waiting"] == 0

    async def cdrs(self) -> list[Any]:
        """The CDRs that came home, the oldest first."""
        items: list[Any] = (await self.ask("GET", "/v1/received-cdrs?limit=1000"))["items"]
        return items[::-1]

    async def sessions(self) -> list[Any]:
        """The sessions that came home, the oldest first."""
        items: list[Any] = (await self.ask("GET", "/v1/received-sessions?limit=1000"))["items"]
        return items[::-1]

    @asynccontextmanager
    async def without_store(self) -> AsyncIterator[None]:
        """Lets nobody reach the database while the block runs, so that the gateway can take nothing."""
        url = self.gateway.database_url
        name = urlsplit(url).path.removeprefix("/")
        admin = await asyncpg.connect(database.at(url, "postgres"))
        try:
            await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
            try:
                yield
            finally:
                await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        finally:
            await admin.close()


def written(hub: str, one: Location) -> list[Mapping[str, Any]]:
    """Writes a station as a hub has it: an OCPI Location, or EvseDataRecords."""
    if hub == "gireve":
        return [ocpi.from_canonical(one)[0]]
    found: list[Mapping[str, Any]] = []
    for rendered in evse_data.records(one, OperatorDefaults.model_validate(DEFAULTS), one.party):
        assert not isinstance(rendered.record, Refused), rendered.record
        found.append(rendered.record)
    return found


@asynccontextmanager
async def partners(database_url: str, way: str, **options: Any) -> AsyncIterator[Partners]:
    """Sets the scene: connections to both hubs, nothing of ours to show, and nothing pulled yet."""
    async with (
        rig(database_url, "gireve", "hubject-emp", emsp=EMSP, **options) as gateway,
        aiohttp.ClientSession() as http,
        backend() as listener,
    ):
        made = Partners(gateway, http, listener, way=way)
        listener.always = made.answer
        made.secret = (await made.ask("POST", "/v1/call-outs", {"name": "backend", "url": listener.url}))["secret"]
        yield made
