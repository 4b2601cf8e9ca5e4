"""Our own drivers, at a Dutch partner's stations behind both hubs and at our own: from the token to the CDR at home."""

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import cycle
from typing import Any, Final
from urllib.parse import quote

from pydantic import JsonValue

from gateway.cli.demo import network, prices
from gateway.cli.demo.backend import Backend
from gateway.cli.demo.costs import Quoted, quoted
from gateway.cli.demo.drivers import Spot
from gateway.cli.demo.processes import Failed
from gateway.cli.demo.stage import HOME, OWN_EMSP, PARTNER, Stage
from mappings.canonical.ids import ContractId, EvseId, PartyId
from mappings.canonical.locations import Location
from mappings.canonical.tokens import Identification, TokenType
from mappings.ocpi.v2_2_1 import locations as ocpi
from mappings.ocpi.v2_2_1 import tariffs as ocpi_tariffs
from mappings.oicp.v2_3 import evse_data, prices_out, products_out
from mappings.oicp.v2_3.defaults import OperatorDefaults, PricingDefaults
from mappings.oicp.v2_3.vocabulary import ActionType
from mappings.report import Refused

WAYS: Final = ("gireve", "hubject-emp", HOME)
"""The connections over which our drivers roam."""

_STATIONS: Final = (("gireve", "locations"), ("hubject-emp", "evse_data"))
_PRICES: Final = (("gireve", "tariffs"), ("hubject-emp", "pricing_products"), ("hubject-emp", "evse_pricing"))
"""Feeds of a connection; an EVSE's prices are known once it is."""
_EACH: Final = 2
_MINUTES: Final = 90.0
_PATIENCE: Final = 60.0
_LOOK_EVERY: Final = 0.2


@dataclass(frozen=True, slots=True)
class OwnDriver:
    """A driver of ours, who taps a card or starts from our app."""

    way: str
    taps: bool
    card: str
    contract: ContractId
    place: Spot | None
    evse: EvseId
    location_id: str
    kwh: Decimal


@dataclass(frozen=True, slots=True)
class CameHome:
    """What came of the charges over one way.

    Attributes:
        charges: That were admitted.
        cdrs: That came home without a doubt, with the very energy that was charged.
        energy: kWh.
    """

    way: str
    taps: int
    starts: int
    charges: int
    cdrs: int
    energy: Decimal

    @property
    def equal(self) -> bool:
        """Whether every charge has its CDR."""
        return 0 < self.charges == self.cdrs


@dataclass(frozen=True, slots=True)
class Catalogued:
    """What the catalogue has of the partner's stations.

    Attributes:
        two_ways: Entries that both hubs offer.
    """

    evses: int
    entries: int
    two_ways: int

    @property
    def equal(self) -> bool:
        """Whether every EVSE is one entry with both ways to it."""
        return 0 < self.evses == self.entries == self.two_ways


async def bring_in(stage: Stage, seed: int) -> tuple[list[Location], Catalogued]:
    """Puts the partner's stations behind both hubs, and waits until our catalogue has them by its own pulls."""
    wires = list(network.partner(seed=seed))
    stations = [ocpi.to_canonical(wire)[0] for wire in wires]
    lines = b"".join(json.dumps(wire).encode() + b"\n" for wire in wires)
    await stage.load("gireve", "network", lines)
    records = [record for station in stations for record in _records(station)]
    lines = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    await stage.load("hubject", f"network?operator={quote(PARTNER.normal)}&name=Stroompunt", lines)
    await _set_prices(stage, stations)
    await stage.drive("gireve", "cpos", {"party": PARTNER.normal, "kwh": float(PLAYED_KWH)})
    await _pull(stage, _STATIONS)
    evses = sum(len(station.evses) for station in stations)
    found = Catalogued(evses, 0, 0)
    for _ in range(int(_PATIENCE / _LOOK_EVERY)):
        page = await stage.call("GET", f"/v1/catalogue/evses?party={quote(PARTNER.normal)}&limit=1000")
        two_ways = sum(len(entry["ways"]) == 2 for entry in page["items"])
        found = Catalogued(evses, len(page["items"]), two_ways)
        if found.equal:
            break
        await asyncio.sleep(_LOOK_EVERY)
    await _pull(stage, _PRICES)
    return stations, found


async def _pull(stage: Stage, feeds: Sequence[tuple[str, str]]) -> None:
    """Has feeds pulled whole, and waits until they were.

    Raises:
        Failed: One was not, for too long.
    """
    asked = datetime.now(UTC)
    for connection, feed in feeds:
        await stage.call("POST", f"/v1/pulls/{connection}/{feed}?full=true")
    for _ in range(int(_PATIENCE / _LOOK_EVERY)):
        views = (await stage.call("GET", "/v1/pulls"))["items"]
        full = {(view["connection"], view["feed"]): view.get("full_at") for view in views}
        if all(at is not None and datetime.fromisoformat(at) >= asked for at in map(full.get, feeds)):
            return
        await asyncio.sleep(_LOOK_EVERY)
    raise Failed(f"what the partner has was not pulled: {views}")


async def _set_prices(stage: Stage, stations: Sequence[Location]) -> None:
    """Puts the partner's prices behind both hubs, as it would tell each of them."""
    wires = [price.record(network.PARTNER, tariff_id) for tariff_id, price in prices.PARTNER.items()]
    lines = b"".join(json.dumps(wire).encode() + b"\n" for wire in wires)
    await stage.load("gireve", "network-tariffs", lines)
    defaults = PricingDefaults(price=Decimal(0), currency="EUR", power=Decimal(22))
    tariffs = [ocpi_tariffs.to_canonical(wire)[0] for wire in wires]
    made = [products_out.record(tariff, power=defaults.power, approximate=False).record for tariff in tariffs]
    said = products_out.push(ActionType.FULL_LOAD, PARTNER, "Stroompunt", None, defaults, made)
    await stage.drive("hubject", "pricing-products", [said["PricingProductData"]])
    evses: JsonValue = [
        prices_out.evse_pricing(evse.evse_id, None, [*prices.PARTNER]) for station in stations for evse in station.evses
    ]
    offered: JsonValue = {"OperatorID": PARTNER.normal, "OperatorName": "Stroompunt", "EVSEPricing": evses}
    await stage.drive("hubject", "evse-pricing", [offered])


def _records(station: Location) -> list[dict[str, Any]]:
    """Writes a station's EVSEs as the partner would push them to Hubject."""
    defaults = OperatorDefaults.model_validate(network.PARTNER_DEFAULTS)
    written = [rendered.record for rendered in evse_data.records(station, defaults, PARTNER)]
    if refused := next((record for record in written if isinstance(record, Refused)), None):
        raise Failed(f"the partner's network cannot be said in OICP: {refused}")
    return [record for record in written if not isinstance(record, Refused)]


def drivers(stations: Sequence[Location], own: Sequence[Spot], seed: int) -> list[OwnDriver]:
    """Makes drivers: by turns of each way, tapping and starting from our app, each at an EVSE of their own."""
    # The same every time, and no card that a foreign driver has.
    dice = random.Random(f"abroad {seed}")  # noqa: S311
    abroad = [(station, evse) for station in stations for evse in station.evses]
    at_home = iter(own)
    made = []
    kinds = cycle((way, taps) for way in WAYS for taps in (True, False))
    for number in range(len(WAYS) * 2 * _EACH):
        way, taps = next(kinds)
        contract = ContractId(ContractId(f"{OWN_EMSP.country}-{OWN_EMSP.code}-C{number:08}").separated())
        card = f"04{dice.getrandbits(48):012X}"
        kwh = Decimal(dice.randrange(1_000, 7_000)) / 1000
        if way == HOME:
            spot = next(at_home)
            if spot.place.evse_id is None:
                raise Failed("a spot at home has no EvseID")
            made.append(OwnDriver(way, taps, card, contract, spot, spot.place.evse_id, spot.place.id, kwh))
        else:
            station, evse = abroad[number]
            if evse.evse_id is None:
                raise Failed("a station of the partner's has no EvseID")
            made.append(OwnDriver(way, taps, card, contract, None, evse.evse_id, station.id, kwh))
    return made


HOME_SPOTS: Final = 2 * _EACH
"""How many EVSEs of our own the drivers at home need."""


async def enrol(stage: Stage, many: Sequence[OwnDriver]) -> None:
    """Gives the drivers their tokens."""
    for one in many:
        # Whoever taps is asked for, so that all three ways are seen to work.
        await give_card(stage, OWN_EMSP, one.card, one.contract, "NEVER" if one.taps else "ALLOWED")


async def give_card(stage: Stage, emsp: PartyId, card: str, contract: ContractId, whitelist: str) -> None:
    """Gives a driver of an EMSP of ours a card."""
    token: JsonValue = {
        "party": emsp.normal,
        "uid": card,
        "type": "RFID",
        "contract_id": contract.text,
        "issuer": "Roamgate Demo",
        "valid": True,
        "whitelist": whitelist,
        "last_updated": "2026-01-01T00:00:00Z",
    }
    await stage.call("PUT", f"/v1/driver-tokens/{quote(emsp.normal)}/RFID/{card}", token)


async def ask_price(stage: Stage, driver: OwnDriver) -> Quoted | None:
    """Asks what the charge of a driver abroad will cost there, by the way that they take; None where nobody can say.

    At home our own station's backend asks, who knows what the driver needs.
    """
    kwh = PLAYED_KWH if driver.way == "gireve" and not driver.taps else driver.kwh
    wish: JsonValue = {
        "evse": {"evse_id": driver.evse.text},
        "need": {"energy": float(kwh), "power": 11},
        "party": OWN_EMSP.normal,
        "token": {"type": "RFID", "uid": driver.card},
    }
    return quoted(await stage.call("POST", "/v1/quotes", wish), driver.way)


async def charge(stage: Stage, backend: Backend, driver: OwnDriver) -> None:
    """Has a driver charge.

    Raises:
        Failed: They were not let.
    """
    if driver.way == HOME:
        await _charge_at_home(stage, backend, driver)
    elif driver.way == "gireve":
        await _charge_over_gireve(stage, driver)
    else:
        await _charge_over_hubject(stage, driver)


async def _charge_at_home(stage: Stage, backend: Backend, driver: OwnDriver) -> None:
    if driver.place is None:
        raise Failed("a driver at home has no spot")
    if not driver.taps:
        await _start(stage, driver)
        return
    card = Identification(type=TokenType.RFID, uid=driver.card)
    if not await backend.tap(driver.place.party, driver.place.place, card):
        raise Failed("a driver of ours was not let charge at home")


async def _charge_over_gireve(stage: Stage, driver: OwnDriver) -> None:
    if not driver.taps:
        permit = await _start(stage, driver)
        session = await _session_of(stage, permit)
        stop: JsonValue = {"party": OWN_EMSP.normal, "kind": "STOP_SESSION", "session": session}
        await _accepted(stage, stop)
        return
    asked: JsonValue = {
        "party": PARTNER.normal,
        "uid": driver.card,
        "location_id": driver.location_id,
        "evse_uid": driver.evse.normal,
    }
    said = await stage.drive("gireve", "authorize", asked)
    if said.get("allowed") != "ALLOWED":
        raise Failed(f"a driver of ours was not let charge over Gireve: {said}")
    now = datetime.now(UTC)
    told: dict[str, JsonValue] = {
        "kwh": float(driver.kwh),
        "start": (now - timedelta(minutes=_MINUTES)).isoformat(),
        "end": now.isoformat(),
    }
    begun = {**told, "reference": said["authorization_reference"], "status": "COMPLETED"}
    session = await stage.drive("gireve", "sessions", begun)
    await stage.drive("gireve", "cdrs", {**told, "session": session["id"]})


async def _charge_over_hubject(stage: Stage, driver: OwnDriver) -> None:
    if driver.taps:
        said = await stage.drive("hubject", "taps", {"evse": driver.evse.text, "uid": driver.card})
        if said.get("AuthorizationStatus") != "Authorized":
            raise Failed(f"a driver of ours was not let charge over Hubject: {said}")
        session = said["SessionID"]
    else:
        permit = await stage.call("GET", f"/v1/permits/{await _start(stage, driver)}")
        session = permit["leg"]["hub_session"]
    told: dict[str, JsonValue] = {"session": session, "energy": float(driver.kwh), "minutes": _MINUTES}
    for kind in ("Start", "End"):
        await stage.drive("hubject", "notifications", {**told, "type": kind})
    await stage.drive("hubject", "cdrs", told)


async def _start(stage: Stage, driver: OwnDriver) -> str:
    """Starts from our app; gives our id of the permit."""
    wish: JsonValue = {
        "party": OWN_EMSP.normal,
        "kind": "START_SESSION",
        "connection": driver.way,
        "evse": {"evse_id": driver.evse.text},
        "token": {"type": "RFID", "uid": driver.card},
    }
    permit: str = (await _accepted(stage, wish))["permit"]
    return permit


async def _accepted(stage: Stage, wish: JsonValue) -> Any:
    said = await stage.call("POST", "/v1/sent-commands", wish)
    if said.get("result") != "ACCEPTED":
        raise Failed(f"a command of ours came to nothing: {said}")
    return said


async def _session_of(stage: Stage, permit: str) -> int:
    """Waits until the session that a permit led to has come home."""
    for _ in range(int(_PATIENCE / _LOOK_EVERY)):
        page = await stage.call("GET", "/v1/received-sessions?limit=1000")
        for one in page["items"]:
            if one.get("permit") == permit:
                number: int = one["id"]
                return number
        await asyncio.sleep(_LOOK_EVERY)
    raise Failed("a session that we started did not come home")


async def judge(stage: Stage, backend: Backend, many: Sequence[OwnDriver]) -> list[CameHome]:
    """Holds every charge against the CDR that came home; waits for them a while."""
    found: list[CameHome] = []
    for _ in range(int(_PATIENCE / _LOOK_EVERY)):
        page = await stage.call("GET", "/v1/received-cdrs?limit=1000")
        found = [_came_home(way, many, backend, page["items"]) for way in WAYS]
        if all(one.equal for one in found):
            break
        await asyncio.sleep(_LOOK_EVERY)
    return found


async def numbers(stage: Stage) -> dict[tuple[str, str], str]:
    """Gives the numbers of the CDRs that came home, by way and EVSE: here each driver has one of their own."""
    page = await stage.call("GET", "/v1/received-cdrs?limit=1000")
    return {(cdr["connection"], cdr["evse"]): str(cdr["id"]) for cdr in page["items"]}


def _came_home(way: str, many: Sequence[OwnDriver], backend: Backend, cdrs: Sequence[Any]) -> CameHome:
    ours = [one for one in many if one.way == way]
    wanted = {one.evse.normal: _charged(one, backend) for one in ours}
    held = {
        cdr["evse"]: Decimal(str(cdr["cdr"]["energy"]))
        for cdr in cdrs
        if cdr["connection"] == way and not cdr["doubts"] and cdr["standing"] == "accepted"
    }
    return CameHome(
        way=way,
        taps=sum(one.taps for one in ours),
        starts=sum(not one.taps for one in ours),
        charges=len(ours),
        cdrs=sum(held.get(evse) == energy for evse, energy in wanted.items()),
        energy=sum((energy for energy in held.values()), Decimal(0)),
    )


def _charged(driver: OwnDriver, backend: Backend) -> Decimal | None:
    """Tells how much a driver charged: at home as the backend counted, at a partner's as it was told to."""
    if driver.way == HOME:
        at = [one.energy for one in backend.charges.values() if one.place.evse_id == driver.evse]
        return sum(at, Decimal(0)) if at else None
    return PLAYED_KWH if driver.way == "gireve" and not driver.taps else driver.kwh


PLAYED_KWH: Final = Decimal("0.5")
"""What a session comes to that the partner behind Gireve begins and ends by itself, within seconds."""
