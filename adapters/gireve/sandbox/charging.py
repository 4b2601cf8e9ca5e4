"""What the sandbox IOP takes of a charge: real-time authorisations, sessions, CDRs and results of commands.

A session is taken whole by PUT; PATCH is not implemented (guide, PATCH Sessions). A CDR is taken once: the same again
is answered as taken and counted as `repeated`, another one under its id is refused. A second CDR of a session is passed
on like the first, and counted; a credit is ignored, and counted (guide, CreditCDR).
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from adapters.core import ocpi
from adapters.core.http import read_json
from adapters.core.sandbox import Sandbox
from adapters.gireve.sandbox import charge_checks as checks
from adapters.gireve.sandbox.agreements import Agreements
from adapters.gireve.sandbox.asking import Asking
from adapters.gireve.sandbox.cards import Cards
from adapters.gireve.sandbox.checks import Refusal, Wrong, check_owner
from adapters.gireve.sandbox.emsps import Emsps
from adapters.gireve.sandbox.forwarding import Forwarding
from adapters.gireve.sandbox.memory import Memory, evse_key
from adapters.gireve.sandbox.packed import Packed, content
from adapters.gireve.sandbox.platforms import CPO, Platforms, Role
from adapters.gireve.sandbox.serving import RECEIVER, SENDER, Given, Serve, body_of, correlation_of, sender_of
from adapters.gireve.sandbox.shapes import in_time
from mappings.canonical.ids import PartyId
from mappings.ocpi.envelope import StatusCode

SESSIONS, CDRS, COMMAND_RESULTS = "sessions", "cdrs", "command_results"


class Charging:
    """The modules tokens (Sender), sessions and cdrs (Receiver) and commands (Sender).

    Args:
        network: What IOP knows of stations.
        asking: Asks EMSPs that are registered.
        forwarding: Passes on to them.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        network: Memory,
        platforms: Platforms,
        emsps: Emsps,
        cards: Cards,
        asking: Asking,
        forwarding: Forwarding,
        agreements: Agreements,
    ) -> None:
        self._sandbox = sandbox
        self._network = network
        self._platforms = platforms
        self._emsps = emsps
        self._cards = cards
        self._asking = asking
        self._forwarding = forwarding
        self._agreements = agreements
        self._of_session: defaultdict[str, set[str]] = defaultdict(set)
        sandbox.memory |= {SESSIONS: Packed(), CDRS: Packed()}
        self.hears: list[Callable[[str, Mapping[str, Any]], None]] = []
        """Called with a command's id and its result, whenever one comes in."""

    def routes(self, served: Serve) -> list[web.RouteDef]:
        """Gives the routes."""
        session, cdrs = f"{RECEIVER}/sessions/{{country}}/{{code}}/{{id}}", f"{RECEIVER}/cdrs"
        return [
            web.post(f"{SENDER}/tokens/{{uid}}/authorize", served("authorize", self._authorize)),
            web.put(session, served("sessions", self._put_session)),
            web.patch(session, served("sessions", self._patch_session)),
            web.get(session, served("sessions", self._get_session)),
            web.post(cdrs, served("cdrs", self._post_cdr)),
            web.get(f"{cdrs}/{{country}}/{{code}}/{{id}}", served("cdrs", self._get_cdr)),
            web.post(f"{SENDER}/commands/{{kind}}/{{id}}", served("command_results", self._result, to_others=True)),
        ]

    @staticmethod
    def endpoints(origin: str, roles: frozenset[Role]) -> list[dict[str, str]]:
        """Gives what the version details name."""
        if CPO not in roles:
            return []
        named = (("tokens", SENDER), ("sessions", RECEIVER), ("cdrs", RECEIVER), ("commands", SENDER))
        return [
            {"identifier": name, "role": root.split("/")[2].upper(), "url": f"{origin}{root}/{name}"}
            for name, root in named
        ]

    # Tokens

    async def _authorize(self, request: web.Request) -> dict[str, Any]:
        uid, type_ = request.match_info["uid"], request.query.get("type", "RFID")
        raw = await request.read()
        location, evse = checks.check_asked(uid, type_, read_json(raw) if raw else None)
        cpo = sender_of(request)
        self._check_place(cpo, location, evse)
        card, driver = self._cards.find(uid, type_), self._emsps.find(uid, type_)
        if driver is not None and not self._agreements.agreed(cpo, driver.party):
            return self._not_allowed(driver.token())
        if card is None or driver is not None:
            return await self._emsps.answer(cpo, uid, type_, location, evse)
        name, token = card
        emsp = PartyId.of(token["country_code"], token["party_id"])
        if not self._agreements.agreed(cpo, emsp):
            return self._not_allowed(token)
        platform = self._platforms.named(name)
        return await self._asking.ask(platform, emsp, cpo, token["uid"], type_, location, evse, correlation_of(request))

    def _not_allowed(self, token: Mapping[str, Any]) -> dict[str, Any]:
        """Says no in the EMSP's place, which is not asked."""
        self._sandbox.counted("authorize", "no agreement")
        return {"allowed": "NOT_ALLOWED", "token": dict(token)}

    def _check_place(self, cpo: PartyId, location: str, evse: str) -> None:
        """A CPO who told IOP of stations is served at those only; one who told of none is not looked up."""
        known = self._network.locations
        if any(key.startswith(f"{cpo}/") for key in known) and evse_key(f"{cpo}/{location}", evse) not in known:
            raise Refusal(400, StatusCode.UNKNOWN_LOCATION, "Unknown location or EVSE")

    # Sessions

    async def _put_session(self, request: web.Request) -> dict[str, Any]:
        names, wire = request.match_info, checks.check_session(await body_of(request))
        check_owner(wire, names["country"], names["code"], names["id"])
        cpo = sender_of(request)
        self._emsps.check_driver(wire, cpo, wire["location_id"], wire["evse_uid"])
        memory, key = self._sandbox.memory[SESSIONS], f"{cpo}/{wire['id']}"
        before = memory.get(key)
        if before == wire:
            self._sandbox.counted("sessions", "repeated")
        elif before is not None and in_time(before["last_updated"]) > in_time(wire["last_updated"]):
            # The guide wants them first in, first out.
            self._sandbox.counted("sessions", "out of order")
        if before is not None and before["status"] == "COMPLETED" != wire["status"]:
            self._sandbox.counted("sessions", "changed after COMPLETED")
        memory[key] = dict(wire)
        self._sandbox.received(SESSIONS, key, wire["status"], wire["last_updated"])
        if before != wire and (home := self._emsps.home(wire)) is not None:
            authorisation = self._emsps.authorisation(wire.get("authorization_reference"))
            self._forwarding.session(self._platforms.named(home), cpo, wire, authorisation, correlation_of(request))
        return {}

    async def _patch_session(self, _request: web.Request) -> dict[str, Any]:
        raise Refusal(405, StatusCode.CLIENT_ERROR, "PATCH Sessions is not implemented")

    async def _get_session(self, request: web.Request) -> Any:
        return self._kept(SESSIONS, request)

    # CDRs

    async def _post_cdr(self, request: web.Request) -> Given:
        wire = checks.check_cdr(await body_of(request), self._sandbox.wall())
        cpo = sender_of(request)
        if (wire["country_code"], wire["party_id"]) != (cpo.country, cpo.code):
            raise Wrong("country_code or party_id is not the sender's")
        key = f"{cpo}/{wire['id']}"
        given = Given({}, {"Location": f"{request.url.origin()}{RECEIVER}/cdrs/{ocpi.path(*_parts(wire))}"})
        memory = self._sandbox.memory[CDRS]
        if key in memory:
            if content(memory[key]) != content(wire):
                raise Wrong("another CDR has this id")
            self._sandbox.counted("cdrs", "repeated")
            return given
        self._check_charge(wire, cpo)
        if wire.get("credit"):
            self._sandbox.counted("cdrs", "credit ignored")
            return given
        memory[key] = wire
        self._sandbox.received(CDRS, key, str(wire["total_energy"]), wire["last_updated"])
        if (home := self._emsps.home(wire)) is not None:
            authorisation = self._emsps.authorisation(wire.get("authorization_reference"))
            platform, follows = self._platforms.named(home), correlation_of(request)
            self._forwarding.cdr(platform, cpo, wire, authorisation, follows=follows)
        return given

    def _check_charge(self, wire: Mapping[str, Any], cpo: PartyId) -> None:
        """The session, or the authorisation, is known, and of the same driver."""
        place = wire["cdr_location"]
        known = self._emsps.check_driver(wire, cpo, place["id"], place["evse_uid"])
        session_id = wire.get("session_id")
        if session_id is None:
            if known == "advenir":
                raise Wrong("session_id is missing")
            self._sandbox.counted("cdrs", "without a session")
            return
        session_key = f"{cpo}/{session_id}"
        session = self._sandbox.memory[SESSIONS].get(session_key)
        if session is None:
            self._sandbox.counted("cdrs", "before its session")
        elif session["cdr_token"] != wire["cdr_token"]:
            raise Wrong("cdr_token is not the session's")
        elif (session["location_id"], session["evse_uid"]) != (place["id"], place["evse_uid"]):
            raise Wrong("cdr_location is not the session's")
        if wire.get("credit"):
            return
        if not self._sandbox.memory[CDRS]:
            self._of_session.clear()  # the sandbox was told to forget
        if self._of_session[session_key]:
            self._sandbox.counted("cdrs", "second of a session")
        self._of_session[session_key].add(wire["id"])

    async def _get_cdr(self, request: web.Request) -> Any:
        return self._kept(CDRS, request)

    def _kept(self, kind: str, request: web.Request) -> Any:
        record = self._sandbox.memory[kind].get(f"{sender_of(request)}/{request.match_info['id']}")
        if record is None:
            raise Refusal(404, StatusCode.CLIENT_ERROR, f"Unknown {kind[:-1]}")
        return record

    # Commands

    async def _result(self, request: web.Request) -> dict[str, Any]:
        names = request.match_info
        command = self._sandbox.memory[COMMAND_RESULTS].get(names["id"])
        if command is None or command["kind"] != names["kind"]:
            raise Refusal(404, StatusCode.CLIENT_ERROR, "Unknown command")
        wire = checks.check_result(await body_of(request))
        if command["cpo"] != sender_of(request).normal:
            raise Wrong("the command was another operator's")
        if command["results"]:
            self._sandbox.counted("command_results", "came again")
        command["results"].append(dict(wire))
        self._sandbox.received(COMMAND_RESULTS, names["id"], wire["result"])
        for hear in self.hears:
            hear(names["id"], wire)
        return {}


def _parts(wire: Mapping[str, Any]) -> tuple[str, str, str]:
    return wire["country_code"], wire["party_id"], wire["id"]
