"""Drivers of our own at stations of our own, over a hub or at home: what the tests of both roles are played with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from gateway.cli.demo.charges import Charge
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.tokens import Identification, TokenType
from tests.backend import backend
from tests.e2e.scene import STATION, Driver, Scene
from tests.harness import eventually, rig

EMSP = PartyId("FR*RGT")
WAYS = ("gireve", "hubject", "home")
CONNECTIONS = {"gireve": ("gireve",), "hubject": ("hubject", "hubject-emp"), "home": ("home",)}
"""By way, the connections that it takes: the CPO's first, the EMSP's last."""

CONTRACT = ContractId(ContractId("FR-RGT-C00000001").separated())


class Abroad(Scene):
    """A scene with a driver of our own.

    Attributes:
        way: How the two sides reach each other.
    """

    way: str = ""

    @property
    def over(self) -> str:
        """The EMSP's connection."""
        return CONNECTIONS[self.way][-1]

    @property
    def hub(self) -> str:
        """Whose sandbox fails where something shall fail."""
        return self.way

    async def own(self, uid: str = "04A2B3C4D5E601", **changes: Any) -> Driver:
        """Gives a driver a token, and waits until everybody who shall know it does."""
        token = {
            "party": EMSP.normal,
            "uid": uid,
            "type": "RFID",
            "contract_id": CONTRACT.text,
            "driver": "d-1",
            "issuer": "Roamgate",
            "valid": True,
            "whitelist": "ALLOWED_OFFLINE",
            "last_updated": "2026-01-01T00:00:00Z",
        }
        await self.ask("PUT", f"/v1/driver-tokens/{EMSP}/RFID/{uid}", token | changes)
        await self.quiet()
        return Driver(self.way, uid, CONTRACT)

    async def start(self, uid: str = "U1", token: str = "04A2B3C4D5E601", **changes: Any) -> Any:
        """Has a driver start from the app."""
        wish = {
            "party": EMSP.normal,
            "kind": "START_SESSION",
            "evse": {"evse_id": f"NL*ABC*E{uid.removeprefix('U')}"},
            "token": {"type": "RFID", "uid": token},
        }
        return await self.ask("POST", "/v1/sent-commands", wish | changes)

    async def found(self, uid: str = "U1", **changes: Any) -> Any:
        """Waits until the catalogue has an EVSE of the station, as somebody says; gives it."""
        key = f"NLABCE{uid.removeprefix('U')}"
        got: list[Any] = []

        async def there() -> bool:
            status, answer = await self.said("GET", f"/v1/catalogue/evses/{key}")
            got[:] = [answer]
            return status == 200 and all(answer[name] == value for name, value in changes.items())

        await eventually(there, f"{key} in the catalogue with {changes}")
        return got[0]

    async def pulled(self) -> None:
        """Has the EMSP's connection pull whatever it can, everything anew."""
        for feed in (await self.ask("GET", "/v1/pulls"))["items"]:
            if feed["connection"] != self.over:
                continue
            await self.ask("POST", f"/v1/pulls/{self.over}/{feed['feed']}?full=true")
            before = feed.get("last", {}).get("began_at")

            async def over(name: str = feed["feed"], before: Any = before) -> bool:
                views = (await self.ask("GET", "/v1/pulls"))["items"]
                last = next(one for one in views if (one["connection"], one["feed"]) == (self.over, name)).get("last")
                return last is not None and last["began_at"] != before and last["outcome"] != "running"

            await eventually(over, f"{feed['feed']} pulled")

    async def came_home(self, kind: str, many: int = 1) -> list[Any]:
        """Waits until as many sessions or CDRs came home; gives them."""

        async def there() -> bool:
            return len((await self.ask("GET", f"/v1/received-{kind}"))["items"]) >= many

        await eventually(there, f"{many} {kind}")
        items: list[Any] = (await self.ask("GET", f"/v1/received-{kind}"))["items"]
        return items

    async def permits(self) -> list[Any]:
        """Who may, or may not, charge."""
        items: list[Any] = (await self.ask("GET", "/v1/permits"))["items"]
        return items

    def begun(self, asked: Any, session_id: str = "S-1") -> Charge:
        """Gives the charge that a call-out asked to begin."""
        given = asked["command"]["leg"]["identification"]
        uid = asked["place"]["evse_uid"]
        return self.admitted(Identification.model_validate(given), asked["reference"], uid, session_id)


CARD = Identification(type=TokenType.RFID, uid="04A2B3C4D5E601")


@asynccontextmanager
async def abroad(database_url: str, way: str, **options: Any) -> AsyncIterator[Abroad]:
    """Sets the scene: a station that the way carries to the catalogue, and a driver of ours."""
    async with (
        rig(database_url, *CONNECTIONS[way], emsp=EMSP, **options) as gateway,
        aiohttp.ClientSession() as http,
        backend() as listener,
    ):
        made = Abroad(gateway, http, listener)
        made.way = way
        made.secret = (await made.ask("POST", "/v1/call-outs", {"name": "backend", "url": listener.url}))["secret"]
        await gateway.put(STATION)
        await gateway.settled()
        yield made
