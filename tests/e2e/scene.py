"""A station, drivers of both hubs and the CPO's backend: what the end-to-end tests of a charge are played with."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp

from gateway.cli.demo.charges import Charge
from mappings.canonical.cdrs import CdrLocation, cdr_location
from mappings.canonical.ids import ContractId, EvseId, PartyId
from mappings.canonical.sessions import AuthMethod
from mappings.canonical.tokens import Identification, TokenType
from tests.backend import Backend, Heard, backend
from tests.bills import bill
from tests.harness import ADMIN, PARTY, Rig, eventually, evse, location, rig

HUBS = ("gireve", "hubject")
EMSPS = {"gireve": PartyId("FR*EVP"), "hubject": PartyId("DE*DRV")}
EVSES = 4

BEGUN, HALFWAY, OVER = Decimal(0), Decimal("0.5"), Decimal(1)
"""How much of a charge is over."""

AUTHORISE = {"gireve": "/tokens/.*/authorize", "hubject": "/authorize/start"}
TELL = {"gireve": "/sessions/", "hubject": "/charging-notifications"}
BILL = {"gireve": "/receiver/.*/cdrs", "hubject": "/charge-detail-record"}
"""By hub, the paths under which it is asked and told."""

FAULTS: dict[str, dict[str, Any]] = {
    "delay": {"seconds": 0.05},
    "throttle": {},
    "error": {"status": 500},
    "unavailable": {"kind": "error", "status": 503},
    "close": {},
    "drop": {},
    "truncate": {},
    "garble": {},
}
"""Every way in which a hub that listens may fail at a request, but for its refusal."""

ACTED = frozenset({"drop", "truncate", "garble"})
"""After these the hub has acted, and the gateway does not know."""


@dataclass(frozen=True)
class Driver:
    """A driver, and how their EMSP's hub knows them."""

    hub: str
    uid: str
    contract: ContractId

    @property
    def card(self) -> Identification:
        """What the station reads."""
        return Identification(type=TokenType.RFID, uid=self.uid)


@dataclass
class Scene:
    """What the tests play with.

    Attributes:
        backend: What is asked by call-outs.
        secret: By which they are signed.
        taken: Commands that were taken, to be answered later.
    """

    gateway: Rig
    http: aiohttp.ClientSession
    backend: Backend
    secret: str = ""
    drivers: list[Driver] = field(default_factory=list)
    taken: int = 0

    # The gateway

    async def said(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Asks the gateway; gives status and JSON."""
        headers = {"Authorization": f"Bearer {ADMIN}"}
        async with self.http.request(method, self.gateway.public_url + path, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Asks the gateway for something that it grants."""
        status, answer = await self.said(method, path, body)
        assert status < 300, answer
        return answer

    async def tap(self, driver: Driver, uid: str = "U1", **more: Any) -> Any:
        """Has a driver hold the card up at an EVSE."""
        wish = {
            "party": PARTY.normal,
            "location_id": "L1",
            "evse_uid": uid,
            "connector_id": "1",
            "identification": driver.card.model_dump(mode="json", exclude_none=True),
        }
        return await self.ask("POST", "/v1/authorisations", wish | more)

    async def charge(self, driver: Driver, uid: str = "U1", session_id: str = "S-1") -> Charge:
        """Has a driver tap and be let in."""
        granted = await self.tap(driver, uid)
        assert granted["allowed"], granted
        return self.admitted(driver.card, granted["reference"], uid, session_id)

    def admitted(
        self,
        identification: Identification,
        reference: str,
        uid: str = "U1",
        session_id: str = "S-1",
        auth_method: AuthMethod = AuthMethod.AUTH_REQUEST,
    ) -> Charge:
        """Gives a charge, of the hour before, that somebody admitted."""
        return Charge(
            party=PARTY,
            session_id=session_id,
            place=PLACES[uid],
            identification=identification,
            auth_method=auth_method,
            reference=reference,
            start=datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1),
            lasts=timedelta(minutes=40),
            energy=Decimal("12.5"),
            meter=Decimal(1000),
        )

    async def tell(self, charge: Charge, share: Decimal, **changes: Any) -> Any:
        """Has the backend tell of a session."""
        body = charge.session(share)
        assert isinstance(body, dict)
        return await self.ask("PUT", f"/v1/sessions/{charge.party}/{charge.session_id}", body | changes)

    async def bill(self, charge: Charge, **changes: Any) -> Any:
        """Has the backend hand the CDR over."""
        return await self.ask("POST", "/v1/cdrs", bill(charge) | changes)

    async def cdr(self, charge: Charge) -> Any:
        """What the gateway says of a charge's CDR."""
        return await self.ask("GET", f"/v1/cdrs/{charge.party}/CDR-{charge.session_id}")

    async def events(self) -> list[tuple[str, Any]]:
        """Everything that the backend may hear of, in order."""
        page = await self.ask("GET", "/v1/events?limit=1000")
        return [(one["type"].removeprefix("roamgate."), one["data"]) for one in page["items"]]

    async def happened(self, type_: str, many: int = 1) -> list[Any]:
        """Waits until the backend may hear of as many events of a type; gives what they tell."""

        async def there() -> bool:
            return len(await self._of(type_)) >= many

        await eventually(there, f"{many} {type_}")
        return await self._of(type_)

    async def _of(self, type_: str) -> list[Any]:
        return [data for kind, data in await self.events() if kind == type_]

    async def letters(self) -> list[tuple[str, str | None, str]]:
        """The dead letters: operation, code and words."""
        page = await self.ask("GET", "/v1/dead-letters")
        return [(one["operation"], one.get("code"), one["text"]) for one in page["items"]]

    async def pull(self, connection: str, feed: str, *, full: bool = True) -> Any:
        """Has a feed pulled; gives what came of it.

        Feeds are pulled by themselves, too: one that was under way, or began, before this was asked for is not it.
        """
        asked = await self.ask("POST", f"/v1/pulls/{connection}/{feed}?full={str(full).lower()}")
        since, found = datetime.fromisoformat(asked["next_at"]), dict[str, Any]()

        async def over() -> bool:
            views = (await self.ask("GET", "/v1/pulls"))["items"]
            view = next(one for one in views if (one["connection"], one["feed"]) == (connection, feed))
            found.update(view.get("last") or {"outcome": "running"})
            began = found.get("began_at")
            return found["outcome"] != "running" and began is not None and datetime.fromisoformat(began) >= since

        await eventually(over, f"{feed} pulled over {connection}")
        return found

    async def quiet(self) -> None:
        """Waits until nobody is left to be told anything."""
        await self.gateway.quiet()

    # The hubs

    async def drive(self, hub: str, what: str, body: Any = None, method: str = "POST") -> Any:
        """Has a sandbox hub do something."""
        url = f"{self.gateway.servers[hub].url}/_sandbox/{what}"
        async with self.http.request(method, url, json=body) as answer:
            return await answer.json()

    async def enrol(self, hub: str, **more: Any) -> Driver:
        """Has an EMSP know a driver."""
        emsp, number = EMSPS[hub], len(self.drivers) + 1
        contract = ContractId(f"{emsp.country}-{emsp.code}-C{number:08}")
        driver = Driver(hub, f"04A2B3C4D5E6{number:02X}", ContractId(contract.separated()))
        self.drivers.append(driver)
        await self.know(driver, **more)
        return driver

    async def know(self, driver: Driver, hub: str | None = None, **more: Any) -> None:
        """Has an EMSP know a driver otherwise than before, or one behind the other hub know them, too."""
        hub = hub or driver.hub
        emsp = EMSPS[hub].normal
        known = (
            {"uid": driver.uid, "party": emsp, "contract_id": driver.contract.text}
            if hub == "gireve"
            else {"uid": driver.uid, "provider": emsp, "contract": driver.contract.text}
        )
        await self.drive(hub, "drivers", [known | more])

    def fail(self, hub: str, kind: str, path: str, **fault: Any) -> None:
        """Has the next request to a hub under a path fail; `kind` may be a name of `FAULTS`."""
        self.gateway.fail(hub, **{"kind": kind, "path": path, "count": 1, **FAULTS.get(kind, {}), **fault})

    def failed(self, hub: str) -> bool:
        """Whether every fault that was armed happened."""
        return not self.gateway.sandbox(hub).faults.shown()

    def admissions(self, hub: str) -> list[Any]:
        """What a hub let begin."""
        return list(self.gateway.sandbox(hub).memory["authorisations" if hub == "gireve" else "sessions"].values())

    def bills(self, hub: str) -> list[Any]:
        """The CDRs that a hub has."""
        return list(self.gateway.sandbox(hub).memory["cdrs"].values())

    def told(self, hub: str) -> list[str]:
        """What a hub was told of sessions, in order: statuses, or kinds of notifications."""
        operation = {"gireve": "sessions", "hubject": "notifications"}[hub]
        receipts = self.gateway.sandbox(hub).receipts
        return [one.value for one in receipts if one.operation == operation]

    def counted(self, hub: str, operation: str) -> dict[str, int]:
        """How often a hub said what to an operation."""
        requests = self.gateway.sandbox(hub).requests
        return {result: count for (name, result), count in requests.items() if name == operation}

    @asynccontextmanager
    async def away(self, hub: str) -> AsyncIterator[None]:
        """Lets nobody listen at a hub while the block runs."""
        server = self.gateway.servers[hub]
        await server.refuse_connections()
        try:
            yield
        finally:
            await server.listen()

    # The backend

    def asked(self, kind: str | None = None) -> list[Any]:
        """The call-outs that the backend got."""
        return [one.json for one in self.backend.heard if kind in {None, one.json["kind"]}]

    async def was_asked(self, many: int = 1) -> list[Heard]:
        """Waits until the backend got some call-outs."""
        await eventually(lambda: len(self.backend.heard) >= many, "call-outs")
        return self.backend.heard


_EVSES = tuple(evse(f"U{number}", f"NL*ABC*E{number}") for number in range(1, EVSES + 1))
STATION = location("L1", *_EVSES)
PLACES: dict[str, CdrLocation] = {
    one.uid: cdr_location(STATION, one, one.connectors[0], one.connectors[0].id) for one in _EVSES
}


def evse_id(uid: str) -> EvseId:
    """The public id of an EVSE of the station."""
    found = PLACES[uid].evse_id
    assert found is not None
    return found


def without_repeats(given: Iterable[str]) -> list[str]:
    """Takes what comes several times in a row as one."""
    found: list[str] = []
    for one in given:
        if found[-1:] != [one]:
            found.append(one)
    return found


@asynccontextmanager
async def scene(database_url: str, *hubs: str, **options: Any) -> AsyncIterator[Scene]:
    """Sets the scene: a station that both hubs know, or those that are named.

    Args:
        options: Of `rig`.
    """
    known = {"gireve": ("emsps", "gireve_settings"), "hubject": ("providers", "hubject_settings")}
    for hub, (name, settings) in known.items():
        options[settings] = {name: [EMSPS[hub].normal], **options.get(settings, {})}
    async with (
        rig(database_url, *hubs, **options) as gateway,
        aiohttp.ClientSession() as http,
        backend() as listener,
    ):
        made = Scene(gateway, http, listener)
        made.secret = (await made.ask("POST", "/v1/call-outs", {"name": "backend", "url": listener.url}))["secret"]
        await gateway.put(STATION)
        await gateway.settled()
        yield made
