"""The charges of the CPOs that the sandbox IOP plays: what they ask of EMSPs, and the sessions and CDRs that they tell.

These are told as they are said to be: once, twice, late or otherwise.

| request | what it does |
| --- | --- |
| `POST /_sandbox/authorize` | an `Asked`: asks the EMSP, and tells what the CPO was answered |
| `POST /_sandbox/sessions` | a `PlayedSession`: tells the EMSP; the same `id` again changes that session |
| `POST /_sandbox/cdrs` | a `PlayedCdr` |
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from adapters.core.sandbox import PREFIX, Sandbox
from adapters.gireve.sandbox.agreements import Agreements
from adapters.gireve.sandbox.asking import Asking
from adapters.gireve.sandbox.behaviours import Behaviours
from adapters.gireve.sandbox.cards import Cards
from adapters.gireve.sandbox.charge_records import PLAYED_SESSIONS, PlayedCdr, PlayedSession, Told, Writing
from adapters.gireve.sandbox.checks import Refusal, Wrong
from adapters.gireve.sandbox.emsps import Emsps
from adapters.gireve.sandbox.forwarding import Forwarding
from adapters.gireve.sandbox.platforms import EMSP, Platform, Platforms
from adapters.gireve.sandbox.serving import problem
from mappings.canonical.ids import PartyId

_KW = 3.5


class Asked(BaseModel):
    """A driver at a played CPO's station.

    Attributes:
        platform: Whose EMSP is asked; else that of whoever pushed the token.
        emsp: Which EMSP there; else the token's, else the platform's first.
    """

    model_config = ConfigDict(extra="forbid")

    party: PartyId
    uid: str
    type: str = "RFID"
    location_id: str
    evse_uid: str | None = None
    platform: str | None = None
    emsp: PartyId | None = None


class PlayedCharges:
    """The charges."""

    def __init__(
        self,
        sandbox: Sandbox,
        platforms: Platforms,
        emsps: Emsps,
        cards: Cards,
        asking: Asking,
        forwarding: Forwarding,
        behaviours: Behaviours,
        writing: Writing,
        agreements: Agreements,
    ) -> None:
        self._sandbox = sandbox
        self._platforms = platforms
        self._emsps = emsps
        self._cards = cards
        self._asking = asking
        self._forwarding = forwarding
        self._behaviours = behaviours
        self._writing = writing
        self._agreements = agreements

    def routes(self) -> list[web.RouteDef]:
        """Gives the control routes."""
        return [
            web.post(f"{PREFIX}/authorize", self._authorize),
            web.post(f"{PREFIX}/sessions", self._session),
            web.post(f"{PREFIX}/cdrs", self._cdr),
        ]

    # Asking

    async def _authorize(self, request: web.Request) -> web.Response:
        try:
            asked = Asked.model_validate_json(await request.read())
            platform, emsp, uid = self._whom(asked)
        except ValueError as error:
            return problem(400, str(error))
        if not self._agreements.agreed(asked.party, emsp):
            self._sandbox.counted("authorize", "no agreement")
            return web.json_response({"status": 200, "code": 1000, "allowed": "NOT_ALLOWED"})
        try:
            told = await self._asking.ask(
                platform, emsp, asked.party, uid, asked.type, asked.location_id, asked.evse_uid
            )
        except Refusal as refusal:
            return web.json_response({"status": refusal.status, "code": int(refusal.code), "text": str(refusal)})
        return web.json_response({"status": 200, "code": 1000, **told})

    def _whom(self, asked: Asked) -> tuple[Platform, PartyId, str]:
        card = self._cards.find(asked.uid, asked.type)
        if asked.platform is None and card is None:
            raise Wrong("nobody pushed this token: name the platform to be asked")
        platform = self._platforms.named(asked.platform or (card[0] if card is not None else None))
        owners = [PartyId.of(card[1]["country_code"], card[1]["party_id"])] if card is not None else []
        emsp = next(iter([*([asked.emsp] if asked.emsp else []), *owners, *platform.parties(EMSP)]), None)
        if emsp is None:
            raise Wrong("the platform has no EMSP that is known")
        return platform, emsp, card[1]["uid"] if card is not None else asked.uid

    # Telling

    async def _session(self, request: web.Request) -> web.Response:
        try:
            asked = PlayedSession.model_validate_json(await request.read())
            platform, cpo, wire = self._writing.session(asked)
        except (ValueError, KeyError) as error:
            return problem(400, repr(error))
        identity = self._forwarding.session_id(platform, cpo, wire["id"])
        authorisation = self._emsps.authorisation(wire.get("authorization_reference"))

        def tell() -> None:
            self._forwarding.session(platform, cpo, wire, authorisation)

        self._tell(asked, tell)
        return web.json_response({"id": wire["id"], "gireve_id": identity, "session": wire})

    async def _cdr(self, request: web.Request) -> web.Response:
        try:
            asked = PlayedCdr.model_validate_json(await request.read())
            platform, cpo, wire = self._writing.cdr(asked)
        except (ValueError, KeyError) as error:
            return problem(400, repr(error))
        authorisation = self._emsps.authorisation(wire.get("authorization_reference"))

        def tell() -> None:
            self._forwarding.cdr(platform, cpo, wire, authorisation, asked.billing)

        self._tell(asked, tell)
        return web.json_response({"id": wire["id"], "cdr": wire})

    def _tell(self, asked: Told, tell: Any) -> None:
        for _ in range(asked.times):
            if asked.seconds:
                self._behaviours.after(asked.seconds, tell)
            else:
                tell()

    def begin(self, cpo: PartyId, reference: str, command: Mapping[str, Any]) -> None:
        """Begins the session of a START_SESSION."""
        connector = command.get("connector_id") or "1"
        asked = PlayedSession(reference=reference, auth_method="COMMAND", connector_id=connector)
        platform, _, wire = self._writing.session(asked)
        self._forwarding.session(platform, cpo, wire, self._emsps.authorisation(reference))

    def end(self, cpo: PartyId, session_id: str, kwh: float | None) -> None:
        """Ends the session of a STOP_SESSION, with its CDR; one that is not played stays as it is."""
        before = self._sandbox.memory[PLAYED_SESSIONS].get(f"{cpo}/{session_id}")
        if before is None:
            return
        authorisation = self._emsps.authorisation(before.get("authorization_reference"))
        now = self._sandbox.wall()
        used = _used(before, now) if kwh is None else kwh
        common: dict[str, Any] = {"party": cpo, "kwh": used, "end": now}
        platform, _, wire = self._writing.session(PlayedSession(id=session_id, status="COMPLETED", **common))
        self._forwarding.session(platform, cpo, wire, authorisation)
        platform, _, wire = self._writing.cdr(PlayedCdr(session=session_id, **common))
        self._forwarding.cdr(platform, cpo, wire, authorisation)


def _used(session: Mapping[str, Any], now: datetime) -> float:
    """Gives what any socket gives in the time that a session lasted, kWh."""
    lasted = now - datetime.fromisoformat(session["start_date_time"]).replace(tzinfo=UTC)
    return round(_KW * lasted.total_seconds() / 3600, 4)
