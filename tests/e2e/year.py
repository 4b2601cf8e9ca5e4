"""A year that is played in a minute: a clock that is set, and what somebody may have at any of its moments."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from gateway.cli.demo.charges import Charge
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.parties import Party, Role
from mappings.canonical.tariffs import Money
from mappings.canonical.texts import Business
from tests.e2e.abroad import EMSP, Abroad
from tests.e2e.scene import BEGUN, OVER, Driver
from tests.harness import WHO, eventually, tariff

BEGIN = datetime(2027, 1, 1, tzinfo=UTC)
GUEST = PartyId("FR*GST")
"""The second EMSP of the own network."""

CARDS = {"FR*RGT": "04A2B3C4D5E601", "FR*GST": "04A2B3C4D5E602"}
CONTRACTS = {"FR*RGT": "FR-RGT-C00000001-1", "FR*GST": "FR-GST-C00000001-1"}


class YearsClock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now

    def turn(self, day: float) -> None:
        """Sets it to a day of the year."""
        self.now = on(day)


def on(day: float) -> datetime:
    """Gives a moment of the year, in days from its beginning."""
    return BEGIN + timedelta(days=day)


def stamp(day: float) -> str:
    """The same, as it is written."""
    return on(day).isoformat()


@dataclass
class Year:
    """A scene on the own network with two EMSPs, whose time is told.

    Attributes:
        day: How far the year is.
    """

    scene: Abroad
    clock: YearsClock
    day: float = 0
    charges: dict[str, Any] = field(default_factory=dict)

    async def said(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Asks the gateway; gives status and JSON."""
        return await self.scene.said(method, path, body)

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Asks the gateway for something that it grants."""
        return await self.scene.ask(method, path, body)

    async def turn(self, day: float) -> None:
        """Lets it become a day, and waits until everything has happened that is due then."""
        self.day = day
        self.clock.turn(day)
        await eventually(self._turned, f"day {day}")
        await self.scene.gateway.app.links.refresh()
        await self.scene.quiet()

    async def _turned(self) -> bool:
        waits = """SELECT EXISTS (SELECT FROM offer WHERE due_at <= $1)
            OR EXISTS (SELECT FROM offer_version WHERE due_at <= $1)
            OR EXISTS (SELECT FROM subscription WHERE due_at <= $1)"""
        return not await self.scene.gateway.app.store.fetchval(waits, self.clock.now)

    async def state(self, emsp: PartyId, uid: str) -> tuple[bool, bool, Decimal | None]:
        """Tells whether an EMSP sees an EVSE, whether its drivers may start there, and what a kWh costs them."""
        key = f"NLABCE{uid.removeprefix('U')}"
        status, _ = await self.said("GET", f"/v1/catalogue/evses/{key}?emsp={emsp}")
        assert status in {200, 404}
        granted = await self.scene.tap(self.driver(emsp), uid)
        return status == 200, granted["allowed"], await self._price(emsp, uid)

    async def _price(self, emsp: PartyId, uid: str) -> Decimal | None:
        wish = {
            "evse": {"evse_id": f"NL*ABC*E{uid.removeprefix('U')}"},
            "connection": "home",
            "party": str(emsp),
            "need": {"energy": 10, "power": 10},
            "start": self.clock.now.isoformat(),
        }
        status, answer = await self.said("POST", "/v1/quotes", wish)
        if status != 200:
            return None
        [offer] = answer["offers"]
        return Decimal(str(offer["cost"]["net"])) / 10 if "cost" in offer else None

    async def priced(self, many: int) -> bool:
        """Tells whether as many CDRs were priced anew."""
        return len((await self.ask("GET", "/v1/repricings"))["items"]) >= many

    def driver(self, emsp: PartyId) -> Driver:
        """The EMSP's driver."""
        return Driver("home", CARDS[str(emsp)], ContractId(CONTRACTS[str(emsp)]))

    async def begin(self, emsp: PartyId, uid: str, session_id: str) -> Charge:
        """Has a driver start now."""
        charge = await self.scene.charge(self.driver(emsp), uid, session_id)
        charge = replace(charge, start=self.clock.now)
        await self.scene.tell(charge, BEGUN, last_updated=self.clock.now.isoformat())
        return charge

    async def finish(self, charge: Charge, cost: str) -> None:
        """Has the driver stop, and the CPO bill what the agreement says."""
        granted = await self.ask(
            "POST",
            f"/v1/authorisations/{charge.reference}/stop",
            {"identification": charge.identification.model_dump(mode="json", exclude_none=True)},
        )
        assert granted["allowed"], granted
        await self.scene.tell(charge, OVER, last_updated=(charge.start + charge.lasts).isoformat())
        await self.ask("POST", "/v1/cdrs", charge.cdr(Money(net=Decimal(cost))))
        await self.scene.quiet()


async def year(scene: Abroad, clock: YearsClock) -> Year:
    """Sets the year up: prices, a second EMSP, a driver of each."""
    app = scene.gateway.app
    prices = {"FIRST": "0.4", "SECOND": "0.6", "FAST": "0.3"}
    await scene.gateway.put_tariffs(*(tariff(id_, price) for id_, price in prices.items()))
    guest = Party(id=GUEST, roles=frozenset({Role.EMSP}), business=Business(name="Guest"))
    await app.services.network.put_party(guest, WHO)
    await app.services.connections.set_settings("home", {"emsps": [EMSP.normal, GUEST.normal]}, WHO)
    for emsp, card in CARDS.items():
        token = {
            "party": emsp,
            "uid": card,
            "type": "RFID",
            "contract_id": CONTRACTS[emsp],
            "issuer": emsp,
            "valid": True,
            "whitelist": "ALLOWED",
            "last_updated": BEGIN.isoformat(),
        }
        await scene.ask("PUT", f"/v1/driver-tokens/{emsp}/RFID/{card}", token)
    await scene.quiet()
    return Year(scene, clock)
