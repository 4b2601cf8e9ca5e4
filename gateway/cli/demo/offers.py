"""Offers on the own network: one shuts out whom it is not for, a second EMSP subscribes to another and cancels it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from pydantic import JsonValue

from gateway.cli.demo.abroad import give_card
from gateway.cli.demo.backend import tap_of
from gateway.cli.demo.charges import Charge
from gateway.cli.demo.costs import Costs, Quoted, compare, quoted
from gateway.cli.demo.drivers import Spot
from gateway.cli.demo.prices import Price
from gateway.cli.demo.stage import HOME, OWN_EMSP, Refused, Stage
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.sessions import AuthMethod
from mappings.canonical.tokens import Identification, TokenType

GUEST: Final = PartyId("FR*GST")
"""A second EMSP of the own network."""

EMSPS: Final = (OWN_EMSP, GUEST)

_CARDS: Final = {OWN_EMSP: "04DE0000000001", GUEST: "04DE0000000002"}
_OWN, _PUBLIC, _SUBSCRIPTION = "demo-own", "demo-public", "demo-guest"
_ENERGY: Final = Decimal(10)
_HOUR: Final = timedelta(hours=1)
_PATIENCE: Final = 30.0
_LOOK_EVERY: Final = 0.2


@dataclass(frozen=True, slots=True)
class Has:
    """What an EMSP has of an EVSE at home.

    Attributes:
        net: What 10 kWh in an hour cost its driver, EUR; None where nobody can say.
    """

    sees: bool
    starts: bool
    net: Decimal | None


@dataclass(frozen=True, slots=True)
class Moment:
    """What each EMSP has of an EVSE after something happened, and whether that is right."""

    what: str
    has: Mapping[PartyId, Has]
    equal: bool


@dataclass(frozen=True, slots=True)
class Agreed:
    """What came of the offers.

    Attributes:
        bill: Of the charge in the middle of which its agreement ended, once its prices are known.
    """

    moments: Sequence[Moment]
    bill: Costs

    @property
    def equal(self) -> bool:
        """Whether both had what they should at every moment, and the charge cost what was agreed when it began."""
        return all(one.equal for one in self.moments) and self.bill.equal


async def agree(stage: Stage, spot: Spot, known: Mapping[str, Price]) -> Agreed:
    """Offers the network of a spot's CPO at home, and watches that EVSE.

    Args:
        known: Prices of tariffs that can be reckoned here; of any other that is quoted, it is only seen that it is.
    """
    act = _Act(stage, spot, known)
    await act.enrol()
    first, second = await act.tariffs()
    moments = [await act.moment("no offer: public", dict.fromkeys(EMSPS))]
    await act.offer(_OWN, first, "OPEN", [OWN_EMSP])
    moments.append(await act.moment(f"an offer for {OWN_EMSP}", {OWN_EMSP: first}))
    await act.offer(_PUBLIC, second, "APPROVE", None)
    await stage.call("POST", "/v1/subscriptions", {"id": _SUBSCRIPTION, "offer": _PUBLIC, "emsp": GUEST.normal})
    moments.append(await act.moment(f"{GUEST} asks for another", {OWN_EMSP: first}))
    await stage.call("POST", f"/v1/subscriptions/{_SUBSCRIPTION}/approve", {})
    moments.append(await act.moment("approved", {OWN_EMSP: first, GUEST: second}))
    charge = act.charge(GUEST)
    await act.tell(charge, Decimal(0))
    await stage.call("POST", f"/v1/subscriptions/{_SUBSCRIPTION}/cancel", {"as": "emsp"})
    moments.append(await act.moment("cancelled, while it charges", {OWN_EMSP: first}))
    return Agreed(moments, await act.finish(charge, second))


@dataclass(slots=True)
class _Act:
    """Both EMSPs at one EVSE.

    Attributes:
        references: Of the last authorisation of each.
    """

    stage: Stage
    spot: Spot
    known: Mapping[str, Price]
    references: dict[PartyId, str] = field(default_factory=dict)

    async def enrol(self) -> None:
        """Has the second EMSP join the own network, and gives each a driver with a card."""
        party: JsonValue = {"id": GUEST.normal, "roles": ["EMSP"], "business": {"name": "Guest"}}
        await self.stage.call("PUT", f"/v1/parties/{GUEST.normal}", party)
        emsps: JsonValue = {"emsps": [emsp.normal for emsp in EMSPS]}
        await self.stage.call("PUT", f"/v1/connections/{HOME}/settings", emsps)
        for emsp in EMSPS:
            contract = ContractId(f"{emsp.country}-{emsp.code}-C90000001")
            await give_card(self.stage, emsp, _CARDS[emsp], contract, "ALLOWED")

    async def tariffs(self) -> tuple[str | None, str | None]:
        """Gives two tariffs of the CPO to agree on; None where it has none."""
        page = await self.stage.call("GET", f"/v1/tariffs?party={quote(self.spot.party.normal)}&limit=100")
        found = sorted({one["tariff"]["id"] for one in page["items"] if one["tariff"]["id"] in self.known})
        return (found[0], found[-1]) if found else (None, None)

    async def offer(self, id_: str, tariff: str | None, joining: str, audience: Sequence[PartyId] | None) -> None:
        """Publishes an offer that begins at once."""
        offer: dict[str, JsonValue] = {
            "id": id_,
            "connection": HOME,
            "cpo": self.spot.party.normal,
            "title": id_,
            "joining": joining,
            "starts": datetime.now(UTC).isoformat(),
        }
        if audience is not None:
            offer["audience"] = [emsp.normal for emsp in audience]
        terms: dict[str, JsonValue] = {"services": ["poi", "status", "authorise", "remote", "cdr"]}
        if tariff is not None:
            terms |= {"price_source": "AGREED", "prices": [{"tariff_ids": [tariff]}]}
        await self.stage.call("PUT", f"/v1/offers/{id_}", {"offer": offer, "terms": terms})
        await self.stage.call("POST", f"/v1/offers/{id_}/publish")

    async def moment(self, what: str, wanted: Mapping[PartyId, str | None]) -> Moment:
        """Looks until each EMSP has what it should, for a while.

        Args:
            wanted: The EMSPs that should have the EVSE, and by which tariff; None where the EVSE's own counts.
        """
        found = Moment(what, {}, equal=False)
        for _ in range(int(_PATIENCE / _LOOK_EVERY)):
            has = {emsp: await self._has(emsp) for emsp in EMSPS}
            found = Moment(what, has, all(self._is_right(emsp, has[emsp], wanted) for emsp in EMSPS))
            if found.equal:
                break
            await asyncio.sleep(_LOOK_EVERY)
        return found

    def _is_right(self, emsp: PartyId, has: Has, wanted: Mapping[PartyId, str | None]) -> bool:
        if emsp not in wanted:
            return not has.sees and not has.starts
        price = self.known.get(wanted[emsp] or "")
        costs = price is None or has.net == price.bill(_ENERGY, Decimal(1)).net
        return has.sees and has.starts and costs

    async def _has(self, emsp: PartyId) -> Has:
        place = self.spot.place
        evse = place.evse_id.normal if place.evse_id is not None else ""
        path = f"/v1/catalogue/evses/{evse}?emsp={quote(emsp.normal)}"
        seen = await self.stage.call("GET", path, may_refuse=True)
        wish: JsonValue = {
            "evse": {"evse_id": evse},
            "connection": HOME,
            "party": emsp.normal,
            "need": {"energy": float(_ENERGY), "power": float(_ENERGY)},
        }
        asked = await self.stage.call("POST", "/v1/quotes", wish, may_refuse=True)
        price = quoted(asked, HOME) if asked is not None else None
        tapped = await self.stage.call("POST", "/v1/authorisations", tap_of(self.spot.party, place, _shown(emsp)))
        # Our stations come back by the hubs as well, who know their own contracts: here only what is at home counts.
        sees = seen is not None and any(way["connection"] == HOME for way in seen["ways"])
        starts = tapped["allowed"] and tapped["connection"] == HOME
        if starts:
            self.references[emsp] = tapped["reference"]
        return Has(sees, starts, price.cost.net if price is not None else None)

    def charge(self, emsp: PartyId) -> Charge:
        """Has the driver charge who was let last."""
        # An hour is over at once here, so it is one of the past: no session ends in the future.
        start = datetime.now(UTC).replace(microsecond=0) - _HOUR
        return Charge(
            party=self.spot.party,
            session_id="S-OFFER",
            place=self.spot.place,
            identification=_shown(emsp),
            auth_method=AuthMethod.AUTH_REQUEST,
            reference=self.references[emsp],
            start=start,
            lasts=_HOUR,
            energy=_ENERGY,
            meter=Decimal(1000),
        )

    async def tell(self, charge: Charge, share: Decimal) -> None:
        """Tells of the session when a share of it is over."""
        path = f"/v1/sessions/{charge.party}/{charge.session_id}"
        await self.stage.call("PUT", path, charge.session(share))

    async def finish(self, charge: Charge, tariff: str | None) -> Costs:
        """Has the charge stopped by its driver, and billed by a tariff; gives what that came to."""
        shown = charge.identification.model_dump(mode="json", exclude_none=True)
        path = f"/v1/authorisations/{charge.reference}/stop"
        stopped = await self.stage.call("POST", path, {"identification": shown})
        if not stopped["allowed"]:
            raise Refused(f"POST {path}: a driver may not stop whose agreement has ended")
        await self.tell(charge, Decimal(1))
        price = self.known.get(tariff or "")
        cost = price.bill(charge.energy, charge.hours) if price is not None else None
        await self.stage.call("POST", "/v1/cdrs", charge.cdr(cost))
        due = {f"CDR-{charge.session_id}": Quoted(tariff or "", cost) if cost is not None else None}
        unpriced = frozenset() if cost is not None else frozenset({HOME})
        [found] = await compare(self.stage, {HOME: due}, unpriced)
        return found


def _shown(emsp: PartyId) -> Identification:
    """What a station reads off the card of an EMSP's driver."""
    return Identification(type=TokenType.RFID, uid=_CARDS[emsp])
