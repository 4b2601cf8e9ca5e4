"""Drivers of our own at stations of our own, over a hub or at home: what the tests of both roles are played with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import aiohttp
from aiohttp import web

from gateway.cli.demo.charges import Charge
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.sessions import AuthMethod
from mappings.canonical.tokens import Identification
from tests.backend import Heard, backend, says
from tests.e2e.scene import EVSES, Driver, Scene
from tests.harness import eventually, evse, location, rig, tariff

EMSP = PartyId("FR*RGT")
WAYS = ("gireve", "hubject", "home")
CONNECTIONS = {"gireve": ("gireve",), "hubject": ("hubject", "hubject-emp"), "home": ("home",)}
"""By way, the connections that it takes: the CPO's first, the EMSP's last."""

_ABLE = ("RFID_READER", "REMOTE_START_STOP_CAPABLE", "RESERVABLE")
STATION = location(
    "L1",
    *(evse(f"U{number}", f"NL*ABC*E{number}", capabilities=_ABLE, tariffs=["T1"]) for number in range(1, EVSES + 1)),
)
"""The scene's station, with what Gireve's quality process wants before an EMSP is shown it."""

CONTRACT = ContractId(ContractId("FR-RGT-C00000001").separated())


YES = {"PERMIT": {"result": "ALLOWED"}}
"""What the backend says to a question of a kind; to any other that it is done."""


@dataclass
class Abroad(Scene):
    """A scene with a driver of our own.

    Attributes:
        way: How the two sides reach each other.
        words: What the backend says, by kind of question.
    """

    way: str = ""
    words: dict[str, Any] = field(default_factory=lambda: dict(YES))

    async def answer(self, heard: Heard) -> web.StreamResponse:
        """Answers a call-out by its kind."""
        return await says(self.words.get(heard.json["kind"], {"result": "ACCEPTED"}))(heard)

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

    @staticmethod
    def wish(uid: str = "U1", card: str = "04A2B3C4D5E601", **changes: Any) -> dict[str, Any]:
        """What a driver asks of the app: to start, unless it is changed."""
        wish = {
            "party": EMSP.normal,
            "kind": "START_SESSION",
            "evse": {"evse_id": f"NL*ABC*E{uid.removeprefix('U')}"},
            "token": {"type": "RFID", "uid": card},
        }
        return {name: value for name, value in {**wish, **changes}.items() if value is not None}

    async def start(self, uid: str = "U1", card: str = "04A2B3C4D5E601", **changes: Any) -> Any:
        """Has a driver start from the app."""
        return await self.ask("POST", "/v1/sent-commands", self.wish(uid, card, **changes))

    async def charge(self, driver: Driver, uid: str = "U1", session_id: str = "S-1") -> Charge:
        """Has a driver tap and be let in, as the answer says."""
        granted = await self.tap(driver, uid)
        assert granted["allowed"], granted
        method = AuthMethod(granted["auth_method"])
        return self.admitted(driver.card, granted["reference"], uid, session_id, method)

    async def tell(self, charge: Charge, share: Decimal, **changes: Any) -> Any:
        """Has the backend tell of a session, which it does when it happens."""
        now = datetime.now(UTC).isoformat()
        return await super().tell(charge, share, **{"last_updated": now, **changes})

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
            if feed["connection"] == self.over:
                await self.pull(self.over, feed["feed"])

    async def at_rest(self) -> list[Any]:
        """Gives every feed, in a moment in which none is being pulled: they are by themselves, too."""
        feeds: list[Any] = []

        async def resting() -> bool:
            feeds[:] = (await self.ask("GET", "/v1/pulls"))["items"]
            return all(feed.get("last", {}).get("outcome") != "running" for feed in feeds)

        await eventually(resting, "no feed is being pulled")
        return feeds

    async def came_home(self, kind: str, many: int = 1) -> list[Any]:
        """Waits until as many sessions or CDRs came home; gives them."""

        async def there() -> bool:
            return len((await self.ask("GET", f"/v1/received-{kind}"))["items"]) >= many

        await eventually(there, f"{many} {kind}")
        items: list[Any] = (await self.ask("GET", f"/v1/received-{kind}"))["items"]
        return items

    async def permits(self) -> list[Any]:
        """Who may, or may not, charge, the newest first."""
        items: list[Any] = (await self.ask("GET", "/v1/permits"))["items"]
        return items

    def begun(self, asked: Any, session_id: str = "S-1") -> Charge:
        """Gives the charge that a call-out asked to begin."""
        driver = Identification.model_validate(asked["command"]["leg"]["identification"])
        uid = asked["place"]["evse_uid"]
        return self.admitted(driver, asked["reference"], uid, session_id, AuthMethod.COMMAND)


@asynccontextmanager
async def abroad(database_url: str, way: str, **options: Any) -> AsyncIterator[Abroad]:
    """Sets the scene: a station that the way carries to the catalogue, and a driver of ours."""
    async with (
        rig(database_url, *CONNECTIONS[way], emsp=EMSP, **options) as gateway,
        aiohttp.ClientSession() as http,
        backend() as listener,
    ):
        made = Abroad(gateway, http, listener, way=way)
        listener.always = made.answer
        made.secret = (await made.ask("POST", "/v1/call-outs", {"name": "backend", "url": listener.url}))["secret"]
        await gateway.put_tariffs(tariff())
        await gateway.put(STATION)
        await gateway.settled()
        yield made
