"""A CPO's backend, as far as the demo needs one: asks for drivers who tap, answers call-outs, tells of charges."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hmac import compare_digest
from typing import Any

import aiohttp
from aiohttp import web
from pydantic import JsonValue, TypeAdapter

from gateway.cli.demo.charges import Charge
from gateway.cli.demo.costs import Quoted, quoted
from gateway.cli.demo.prices import Price
from gateway.cli.demo.stage import Refused, Stage
from gateway.events import signing
from mappings.canonical.cdrs import CdrLocation
from mappings.canonical.commands import CommandResult
from mappings.canonical.ids import PartyId
from mappings.canonical.sessions import AuthMethod
from mappings.canonical.tariffs import Money
from mappings.canonical.tokens import Identification

_IDENTIFICATION = TypeAdapter(Identification)
_AGAIN = 0.2
"""Seconds after which what failed is tried again."""
_PARTS = (Decimal(0), Decimal("0.5"), Decimal(1))
"""How much of a charge is over when its session is told."""


def tap_of(party: PartyId, place: CdrLocation, identification: Identification) -> JsonValue:
    """Says that a driver holds a card up, as `POST /v1/authorisations` takes it."""
    return {
        "party": party.normal,
        "location_id": place.id,
        "evse_uid": place.evse_uid,
        "connector_id": place.connector_id,
        "identification": identification.model_dump(mode="json", exclude_none=True),
    }


@dataclass(slots=True)
class Counts:
    """What the backend saw.

    Attributes:
        taps: Times that a driver held a card up, repeated ones included.
        silent: Taps to which nobody said yes or no in time.
        call_outs: Questions of the gateway.
    """

    taps: int = 0
    silent: int = 0
    call_outs: int = 0


@dataclass(slots=True)
class Backend:
    """A backend at work.

    Attributes:
        places: The EVSEs that can be charged at, by location and uid.
        prices: Of the tariffs that the backend can reckon by itself, by id; else it bills what was quoted.
        charges: By session id, all that were admitted.
        quotes: By session id, what the gateway quoted before the charge; None where it could not.
        told: Ids of the CDRs that the gateway accepted.
    """

    stage: Stage
    dice: random.Random
    places: Mapping[tuple[str, str], CdrLocation]
    prices: Mapping[str, Price]
    secret: str = ""
    counts: Counts = field(default_factory=Counts)
    charges: dict[str, Charge] = field(default_factory=dict)
    quotes: dict[str, Quoted | None] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    async def tap(self, party: PartyId, place: CdrLocation, identification: Identification) -> bool:
        """Has a driver hold a card up until somebody says yes or no; charges after a yes."""
        wish = tap_of(party, place, identification)
        while True:
            self.counts.taps += 1
            said = await self._patiently("POST", "/v1/authorisations", wish)
            if said["allowed"]:
                self._begin(party, place, identification, AuthMethod.AUTH_REQUEST, said["reference"])
                return True
            if said["reason"] != "NO_ANSWER":
                return False
            self.counts.silent += 1

    async def ended(self) -> None:
        """Waits until every charge is over and its CDR accepted.

        Raises:
            Refused: The gateway would not take something.
        """
        while self._running:
            await asyncio.gather(*self._running)

    async def answer(self, request: web.Request) -> web.Response:
        """Answers a call-out; what does not bear the gateway's signature is not even read."""
        body = await request.read()
        if not self._signed(request.headers, body):
            return web.json_response({"detail": "not signed by the gateway"}, status=401)
        self.counts.call_outs += 1
        asked = await request.json()
        if asked["kind"] == "PERMIT":
            return web.json_response({"result": "ALLOWED" if asked.get("token") else "UNKNOWN_TOKEN"})
        return web.json_response({"result": self._carry_out(asked).value})

    def _signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        try:
            id_, at = headers["webhook-id"], datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        except (KeyError, ValueError):
            return False
        ours = signing.headers([self.secret], id_, at, body)["webhook-signature"]
        return any(compare_digest(ours, theirs) for theirs in headers.get("webhook-signature", "").split(" "))

    def _carry_out(self, asked: Any) -> CommandResult:
        if asked["kind"] != "START_SESSION":
            return CommandResult.NOT_SUPPORTED
        if all(charge.reference != asked["reference"] for charge in self.charges.values()):
            place = self.places[asked["place"]["location_id"], asked["place"]["evse_uid"]]
            driver = _IDENTIFICATION.validate_python(asked["command"]["leg"]["identification"])
            self._begin(PartyId(asked["party"]), place, driver, AuthMethod.COMMAND, asked["reference"])
        return CommandResult.ACCEPTED

    def _begin(
        self,
        party: PartyId,
        place: CdrLocation,
        identification: Identification,
        auth_method: AuthMethod,
        reference: str,
    ) -> None:
        number = len(self.charges) + 1
        # An hour is over in a second here, so it is one of the past: hubs take no session that ends in the future.
        lasts = timedelta(minutes=self.dice.randrange(12, 55))
        charge = Charge(
            party=party,
            session_id=f"S-{number:05}",
            place=place,
            identification=identification,
            auth_method=auth_method,
            reference=reference,
            start=datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=60),
            lasts=lasts,
            # As much as the slowest socket gives in that time: what is more is held for review at the other end.
            energy=lasts // timedelta(minutes=1) * Decimal(self.dice.randrange(40, 110)) / 1000,
            meter=Decimal(self.dice.randrange(1_000, 99_000)),
        )
        self.charges[charge.session_id] = charge
        task = asyncio.create_task(self._charge(charge))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _charge(self, charge: Charge) -> None:
        quote = self.quotes[charge.session_id] = quoted(await self._patiently("POST", "/v1/quotes", self._wish(charge)))
        for share in _PARTS:
            await self._patiently("PUT", f"/v1/sessions/{charge.party}/{charge.session_id}", charge.session(share))
        cdr = charge.cdr(self._bill(charge, quote))
        await self._patiently("POST", "/v1/cdrs", cdr)
        self.told.add(f"CDR-{charge.session_id}")

    def _wish(self, charge: Charge) -> JsonValue:
        at = charge.place
        evse: JsonValue = {"cpo": charge.party.normal, "location_id": at.id, "evse_uid": at.evse_uid}
        return {
            "evse": evse,
            "connector_id": at.connector_id,
            "need": charge.need(),
            "start": charge.start.isoformat(),
        }

    def _bill(self, charge: Charge, quote: Quoted | None) -> Money | None:
        if quote is None:
            return None
        price = self.prices.get(quote.tariff)
        return price.bill(charge.energy, charge.hours) if price is not None else quote.cost

    async def _patiently(self, method: str, path: str, body: JsonValue) -> Any:
        """Asks until the gateway answers; the same again does no harm."""
        while True:
            try:
                return await self.stage.call(method, path, body)
            except aiohttp.ClientError:
                await asyncio.sleep(_AGAIN)


@asynccontextmanager
async def backend(
    stage: Stage, places: Iterable[CdrLocation], prices: Mapping[str, Price], seed: int
) -> AsyncIterator[Backend]:
    """Runs a backend until the block ends, and tells the gateway to ask it."""
    at = {(place.id, place.evse_uid): place for place in places}
    made = Backend(stage, random.Random(seed), at, prices)  # noqa: S311 - it shall be the same every time
    app = web.Application()
    app.router.add_post("/call-outs", made.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/call-outs"
        answer = await stage.call("POST", "/v1/call-outs", {"name": "backend", "url": url})
        if not isinstance(answer, dict) or "secret" not in answer:
            raise Refused("the gateway gave the call-out no secret")
        made.secret = answer["secret"]
        yield made
    finally:
        await runner.cleanup()
