"""The commands that EMSPs' platforms send through the sandbox IOP: the module commands, Receiver.

START_SESSION and STOP_SESSION only, each addressed to the CPO, the start to an EVSE (guide, eMSP commands). It goes to
the CPO's platform where that is registered, with a `response_url` of IOP's and Gireve's reference; else the CPO is
played. The result is posted to the EMSP's `response_url`. A start without an agreement is rejected, and goes nowhere.
"""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from aiohttp import web

from adapters.core import ocpi
from adapters.core.http import Reply
from adapters.core.sandbox import Sandbox
from adapters.gireve.sandbox.agreements import Agreements
from adapters.gireve.sandbox.behaviours import Behaviours
from adapters.gireve.sandbox.calling import Caller, DriveFailed, said
from adapters.gireve.sandbox.cards import TOKEN, check_token
from adapters.gireve.sandbox.charge_checks import KINDS
from adapters.gireve.sandbox.charging import COMMAND_RESULTS
from adapters.gireve.sandbox.checks import Refusal, Wrong
from adapters.gireve.sandbox.emsps import Driver, Emsps
from adapters.gireve.sandbox.forwarding import GIREVE_SESSIONS
from adapters.gireve.sandbox.outbox import Outbox, Push
from adapters.gireve.sandbox.platforms import CPO, EMSP, Platform, Platforms, Role
from adapters.gireve.sandbox.played import Played
from adapters.gireve.sandbox.played_charges import PlayedCharges
from adapters.gireve.sandbox.serving import (
    RECEIVER,
    SENDER,
    Serve,
    body_of,
    correlation_of,
    platform_of,
    receiver_of,
    sender_of,
)
from adapters.gireve.sandbox.shapes import Shape, checked, ci_string, inner, may, needs, text
from adapters.gireve.sandbox.shown import Shown
from mappings.canonical.ids import PartyId
from mappings.ocpi.envelope import StatusCode

_IMPLEMENTED = frozenset({"START_SESSION", "STOP_SESSION"})
_START: Shape = {
    "response_url": needs(text(255)),
    "token": needs(inner(TOKEN)),
    "location_id": needs(ci_string(36)),
    # Guide, "evse_uid" mandatory in StartSession command.
    "evse_uid": needs(ci_string(36)),
    "connector_id": may(ci_string(36)),
    "authorization_reference": may(ci_string(36)),
}
_STOP: Shape = {"response_url": needs(text(255)), "session_id": needs(ci_string(36))}


class Commanding:
    """The module commands; what was sent and heard is kept under `command_results`."""

    def __init__(
        self,
        sandbox: Sandbox,
        platforms: Platforms,
        caller: Caller,
        outbox: Outbox,
        emsps: Emsps,
        shown: Shown,
        played: Played,
        behaviours: Behaviours,
        charges: PlayedCharges,
        agreements: Agreements,
        hub: PartyId,
    ) -> None:
        self._sandbox = sandbox
        self._platforms = platforms
        self._caller = caller
        self._outbox = outbox
        self._emsps = emsps
        self._shown = shown
        self._played = played
        self._behaviours = behaviours
        self._charges = charges
        self._agreements = agreements
        self._hub = hub

    def routes(self, served: Serve) -> list[web.RouteDef]:
        """Gives the routes."""
        take = served("commands", self._take, role=EMSP, to_others=True)
        return [web.post(f"{RECEIVER}/commands/{{kind}}", take)]

    @staticmethod
    def endpoints(origin: str, roles: frozenset[Role]) -> list[dict[str, str]]:
        """Gives what the version details name."""
        named = {"identifier": "commands", "role": "RECEIVER", "url": f"{origin}{RECEIVER}/commands"}
        return [named] * (EMSP in roles)

    async def _take(self, request: web.Request) -> dict[str, Any]:
        kind, cpo = request.match_info["kind"], receiver_of(request)
        if kind not in KINDS:
            raise Refusal(404, StatusCode.CLIENT_ERROR, f"{kind} is no command")
        if kind not in _IMPLEMENTED:
            return {"result": "NOT_SUPPORTED", "timeout": 0}
        if cpo == self._hub:
            raise Wrong("OCPI-to has to name the CPO of the location or session")
        wire = await body_of(request)
        if kind == "STOP_SESSION":
            return await self._stop(request, cpo, checked(wire, _STOP))
        return await self._start(request, cpo, checked(wire, _START))

    async def _start(self, request: web.Request, cpo: PartyId, wire: Mapping[str, Any]) -> dict[str, Any]:
        emsp, platform, token = sender_of(request), platform_of(request), wire["token"]
        check_token(token)
        if PartyId.of(token["country_code"], token["party_id"]) != emsp:
            raise Wrong("token is of another EMSP")
        if not self._agreements.agreed(cpo, emsp):
            self._sandbox.counted("commands", "no agreement")
            return {"result": "REJECTED", "timeout": 0}
        self._check_place(cpo, wire["location_id"], wire["evse_uid"])
        driver = Driver(uid=token["uid"], type=token["type"], party=emsp, contract_id=token["contract_id"])
        reference = self._emsps.authorised(
            driver,
            cpo,
            wire["location_id"],
            wire["evse_uid"],
            platform=platform.name,
            emsp_reference=wire.get("authorization_reference"),
        )
        body = {**wire, "authorization_reference": reference}

        async def charge() -> None:
            self._charges.begin(cpo, reference, wire)

        return await self._pass_on(request, "START_SESSION", cpo, body, charge)

    async def _stop(self, request: web.Request, cpo: PartyId, wire: Mapping[str, Any]) -> dict[str, Any]:
        kept = self._sandbox.memory[GIREVE_SESSIONS].get(wire["session_id"])
        if kept is None or kept["platform"] != platform_of(request).name or kept["cpo"] != cpo.normal:
            return {"result": "UNKNOWN_SESSION", "timeout": 0}

        async def charge() -> None:
            self._charges.end(cpo, kept["id"], self._behaviours.of(cpo).kwh)

        # The CPO knows the session by its own id.
        return await self._pass_on(request, "STOP_SESSION", cpo, {**wire, "session_id": kept["id"]}, charge)

    def _check_place(self, cpo: PartyId, location_id: str, uid: str) -> None:
        location = self._shown.get(f"{cpo}/{location_id}")
        if location is None and not self._shown.listed(None, None, cpo):
            return  # IOP was told of none of its stations, and lets the CPO judge
        evses = (location or {}).get("evses") or ()
        if not any(each.get("uid") == uid and each.get("status") != "REMOVED" for each in evses):
            raise Refusal(400, StatusCode.UNKNOWN_LOCATION, "Unknown location or EVSE")

    async def _pass_on(
        self, request: web.Request, kind: str, cpo: PartyId, body: Mapping[str, Any], charge: Any
    ) -> dict[str, Any]:
        identity, emsp, platform = str(uuid4()), sender_of(request), platform_of(request)
        answer_to = body["response_url"]
        kept: dict[str, Any] = {"kind": kind, "cpo": cpo.normal, "responses": [], "results": []}
        kept |= {"emsp": emsp.normal, "platform": platform.name, "response_url": answer_to}
        kept["follows"] = correlation_of(request)
        self._sandbox.memory[COMMAND_RESULTS][identity] = kept
        theirs = self._platforms.serving(cpo, CPO)
        if theirs is not None and "commands/RECEIVER" in theirs.endpoints:
            ours = f"{request.url.origin()}{SENDER}/commands/{ocpi.path(kind, identity)}"
            return await self._forward(theirs, kind, emsp, cpo, {**body, "response_url": ours}, kept)
        if cpo not in self._played.parties:
            raise Refusal(400, StatusCode.UNKNOWN_RECEIVER, f"Unknown receiver {cpo}")

        def hear(result: dict[str, Any]) -> None:
            kept["results"].append(result)
            self.heard(identity, result)

        response = await self._behaviours.respond(cpo, hear, charge)
        kept["responses"].append({"status": 200, "code": 1000, "data": response})
        return response

    async def _forward(
        self,
        theirs: Platform,
        kind: str,
        emsp: PartyId,
        cpo: PartyId,
        body: Mapping[str, Any],
        kept: dict[str, Any],
    ) -> dict[str, Any]:
        sent = {name: value for name, value in body.items() if value is not None}
        try:
            replies = await self._caller.call(
                theirs,
                "POST",
                "commands/RECEIVER",
                ocpi.path(kind),
                sent,
                sender=emsp,
                receiver=cpo,
                correlation=kept["follows"],
            )
        except DriveFailed as failed:
            raise Refusal(200, StatusCode.CONNECTION_PROBLEM, str(failed)) from None
        kept["responses"] = [said(reply) for reply in replies]
        return _response(replies[-1])

    def heard(self, identity: str, result: Mapping[str, Any]) -> None:
        """Calls an EMSP back with what came of its command; one that a played EMSP sent concerns nobody here."""
        kept = self._sandbox.memory[COMMAND_RESULTS].get(identity)
        if kept is None or "response_url" not in kept:
            return
        cpo, emsp = PartyId(kept["cpo"]), PartyId(kept["emsp"])
        push = Push("POST", kept["response_url"], "", dict(result), cpo, emsp, kept["follows"])
        self._outbox.push(self._platforms.named(kept["platform"]), push)


def _response(reply: Reply) -> dict[str, Any]:
    """Reads the CPO's CommandResponse.

    Raises:
        Refusal: There is none.
    """
    if reply.answer is None:
        raise Refusal(200, StatusCode.CONNECTION_PROBLEM, "The CPO is not reached")
    found = ocpi.said(reply.answer)
    if found is None:
        raise Refusal(200, StatusCode.HUB_ERROR, "The CPO answered wrongly")
    if found.code != StatusCode.SUCCESS:
        raise Refusal(200, found.code, found.message or "The CPO refused")
    if not isinstance(found.data, dict) or "result" not in found.data:
        raise Refusal(200, StatusCode.HUB_ERROR, "The CPO answered wrongly")
    return found.data
