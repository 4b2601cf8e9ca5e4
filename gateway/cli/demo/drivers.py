"""Foreign drivers: EMSPs know them at the sandbox hubs, and they tap at stations or start from their apps."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import cycle
from typing import Any

from pydantic import JsonValue

from gateway.cli.demo.backend import Backend
from gateway.cli.demo.charges import Charge
from gateway.cli.demo.stage import EMSPS, HUBS, Stage
from gateway.services.ports import Network
from gateway.store.pool import Store
from mappings.canonical.cdrs import CdrLocation, cdr_location
from mappings.canonical.ids import ContractId, EvseId, PartyId
from mappings.canonical.tokens import Identification, TokenType

_AGAIN = 0.3
_TRIES = 60


@dataclass(frozen=True, slots=True)
class Spot:
    """An EVSE at which a driver charges."""

    party: PartyId
    place: CdrLocation


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver of one hub, who taps or starts from an app."""

    hub: str
    taps: bool
    card: str
    contract: ContractId
    spot: Spot

    @property
    def shown(self) -> Identification:
        """What the station reads off the card."""
        return Identification(type=TokenType.RFID, uid=self.card)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of the charges over one hub.

    Attributes:
        charges: That were admitted.
        confirmed: CDRs that the gateway has the hub's word for.
        remembered: CDRs that the hub remembers with the very energy that was charged.
        repeated: How often the hub got a CDR that it had.
        energy: kWh.
    """

    hub: str
    taps: int
    starts: int
    charges: int
    confirmed: int
    remembered: int
    repeated: int
    energy: Decimal

    @property
    def equal(self) -> bool:
        """Whether every charge has its CDR, at the gateway and at the hub."""
        return 0 < self.charges == self.confirmed == self.remembered


async def spots(store: Store, network: Network, many: int) -> list[Spot]:
    """Gives EVSEs that both hubs have, and of which there is one only."""
    rows = await store.fetch(
        "SELECT e.party, e.location_id, e.uid FROM evse e"
        " WHERE NOT e.removed AND NOT e.contested AND e.evse_key IS NOT NULL"
        " AND (SELECT count(*) FROM projection p WHERE p.evse_no = e.no AND p.sent_as IS NOT NULL AND NOT p.refused)"
        " >= 3 ORDER BY md5(e.uid), e.no LIMIT $1",
        many,
    )
    found: list[Spot] = []
    for row in rows:
        party = PartyId(row["party"])
        stored = await network.location(party, row["location_id"])
        evse = next((one for one in stored.location.evses if one.uid == row["uid"]), None) if stored else None
        if stored is not None and evse is not None and evse.connectors:
            connector = evse.connectors[0]
            found.append(Spot(party, cdr_location(stored.location, evse, connector, connector.id)))
    return found


def drivers(at: Sequence[Spot], seed: int) -> list[Driver]:
    """Makes a driver for each spot: by turns of each hub, tapping and starting from an app."""
    dice = random.Random(seed)  # noqa: S311 - it shall be the same every time
    kinds = cycle((hub, taps) for hub in HUBS for taps in (True, False))
    return [_driver(number, spot, *next(kinds), dice) for number, spot in enumerate(at)]


def _driver(number: int, spot: Spot, hub: str, taps: bool, dice: random.Random) -> Driver:
    emsp = EMSPS[hub]
    contract = ContractId(f"{emsp.country}-{emsp.code}-C{number:08}")
    return Driver(hub, taps, f"04{dice.getrandbits(48):012X}", ContractId(contract.separated()), spot)


async def enrol(stage: Stage, many: Sequence[Driver]) -> None:
    """Has the EMSPs behind both hubs know their drivers."""
    gireve: list[JsonValue] = [
        {"uid": one.card, "party": EMSPS["gireve"].normal, "contract_id": one.contract.text}
        for one in many
        if one.hub == "gireve"
    ]
    hubject: list[JsonValue] = [
        {"uid": one.card, "provider": EMSPS["hubject"].normal, "contract": one.contract.text}
        for one in many
        if one.hub == "hubject"
    ]
    await stage.drive("gireve", "drivers", gireve)
    await stage.drive("hubject", "drivers", hubject)


async def charge(stage: Stage, backend: Backend, driver: Driver) -> bool:
    """Has a driver charge, who tries again while a hub is away; tells whether they could in the end."""
    if driver.taps:
        return await backend.tap(driver.spot.party, driver.spot.place, driver.shown)
    for _ in range(_TRIES):
        if _began(await stage.drive(driver.hub, *_start(driver), may_fail=True)):
            return True
        await asyncio.sleep(_AGAIN)
    return False


def _start(driver: Driver) -> tuple[str, JsonValue]:
    place = driver.spot.place
    if driver.hub == "hubject":
        evse = place.evse_id.text if place.evse_id is not None else ""
        told: JsonValue = {"evse": evse, "contract": driver.contract.text, "provider": EMSPS["hubject"].normal}
        return "remote-start", told
    return "commands", {
        "kind": "START_SESSION",
        "party": driver.spot.party.normal,
        "uid": driver.card,
        "location_id": place.id,
        "evse_uid": place.evse_uid,
        "wait": 15,
    }


def _began(answer: Any) -> bool:
    """Reads whether a start came about: OICP says so in its answer, OCPI in the result that comes after it."""
    if not isinstance(answer, Mapping):
        return False
    if "Result" in answer:
        return answer["Result"] is True
    return any(one.get("result") == "ACCEPTED" for one in answer.get("results", ()))


async def judge(stage: Stage, backend: Backend, many: Sequence[Driver]) -> list[Verdict]:
    """Holds every charge against what the gateway says of its CDR and what the hub remembers of it."""
    confirmed = await _confirmed(stage)
    taps = {one.card for one in many if one.taps}
    verdicts = []
    for hub in HUBS:
        contracts = {one.contract for one in many if one.hub == hub}
        cards = {one.card for one in many if one.hub == hub}
        own = [
            one
            for one in backend.charges.values()
            if one.identification.uid in cards or one.identification.contract_id in contracts
        ]
        held = await _remembered(stage, hub)
        verdicts.append(
            Verdict(
                hub=hub,
                taps=sum(one.identification.uid in taps for one in own),
                starts=sum(one.identification.uid not in taps for one in own),
                charges=len(own),
                confirmed=sum(f"CDR-{one.session_id}" in confirmed for one in own),
                remembered=_agreeing(own, held),
                repeated=await _repeated(stage, hub),
                energy=sum((one.energy for one in own), Decimal(0)),
            )
        )
    return verdicts


def _agreeing(own: Sequence[Charge], held: Mapping[str, Sequence[Decimal]]) -> int:
    """Counts the charges at those EVSEs of which a hub remembers these very energies, and no others.

    A driver whose start came to nothing that they heard of starts again, and has two charges at one EVSE.
    """
    charged: dict[str, list[Decimal]] = {}
    for one in own:
        charged.setdefault(_at(one), []).append(one.energy)
    return sum(len(energies) for at, energies in charged.items() if sorted(held.get(at, ())) == sorted(energies))


async def _confirmed(stage: Stage) -> set[str]:
    found: set[str] = set()
    after = ""
    while True:
        page = await stage.call("GET", f"/v1/cdrs?state=delivered&limit=1000{f'&after={after}' if after else ''}")
        found |= {one["cdr"]["id"] for one in page["items"]}
        after = page.get("next")
        if not after:
            return found


def _at(one: Charge) -> str:
    return one.place.evse_id.normal if one.place.evse_id is not None else ""


async def _remembered(stage: Stage, hub: str) -> dict[str, list[Decimal]]:
    """Gives the energies that a hub was told of, kWh, by the EVSE: here each driver has one of their own."""
    found: dict[str, list[Decimal]] = {}
    async for record in stage.memory(hub, "cdrs"):
        wire = record["record"]
        if hub == "hubject":
            evse, energy = wire["EvseID"], wire["ConsumedEnergy"]
        else:
            evse, energy = wire["cdr_location"]["evse_id"], wire["total_energy"]
        found.setdefault(EvseId(evse).normal, []).append(Decimal(str(energy)))
    return found


async def _repeated(stage: Stage, hub: str) -> int:
    """Tells how often a hub got a CDR once more that it had."""
    counts = (await stage.drive(hub, "counts", method="GET"))["requests"]
    if hub == "hubject":
        return int(sum(counts.get("repeated_cdrs", {}).values()))
    return int(counts.get("cdrs", {}).get("repeated", 0))
