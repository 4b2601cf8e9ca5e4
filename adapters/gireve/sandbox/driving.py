"""What the sandbox IOP, and the EMSPs behind it, do to a gateway by themselves: commands and tokens.

A command is what `POST /_sandbox/commands` names: the driver by `uid`, or a whole `token`. IOP passes it on with a
`response_url` of its own, and keeps what comes there under `command_results`, by the command's id.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import uuid4

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from adapters.core import ocpi
from adapters.core.faults import FaultKind
from adapters.core.sandbox import PREFIX, Sandbox
from adapters.gireve.sandbox.agreements import Agreements
from adapters.gireve.sandbox.calling import Caller, DriveFailed, said
from adapters.gireve.sandbox.charging import COMMAND_RESULTS, SESSIONS, Charging
from adapters.gireve.sandbox.emsps import DRIVERS, Driver, Emsps
from adapters.gireve.sandbox.memory import Memory
from adapters.gireve.sandbox.platforms import CPO, Platform, Platforms
from adapters.gireve.sandbox.serving import SENDER, problem
from mappings.canonical.ids import PartyId
from mappings.ocpi import times


class Command(BaseModel):
    """A command to be sent.

    Attributes:
        party: The CPO; else the one whose location or session it is about.
        emsp: Who sends it; else the driver's EMSP, else IOP.
        uid, type: A known driver's.
        token: In the driver's place, as it is.
        expires_minutes: Of a reservation, from now.
        reference: Whether IOP gives a reference with it, as it always does.
        wait: Seconds to wait for the result.
        also: Fields of the body to add, to replace, or, by null, to leave out.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Literal["START_SESSION", "STOP_SESSION", "RESERVE_NOW", "CANCEL_RESERVATION", "UNLOCK_CONNECTOR"]
    party: PartyId | None = None
    emsp: PartyId | None = None
    uid: str | None = None
    type: str = "RFID"
    token: dict[str, JsonValue] | None = None
    location_id: str | None = None
    evse_uid: str | None = None
    connector_id: str | None = None
    session_id: str | None = None
    reservation_id: str | None = None
    expires_minutes: float = 15.0
    reference: bool = True
    wait: Annotated[float, Field(ge=0, le=120)] = 0.0
    also: dict[str, JsonValue] = {}


class _Tokens(BaseModel):
    model_config = ConfigDict(extra="forbid")

    uids: tuple[str, ...] | None = None
    platform: str | None = None
    also: dict[str, JsonValue] = {}


_COMMANDS: TypeAdapter[Command | list[Command]] = TypeAdapter(Command | list[Command])
_WITH_TOKEN = frozenset({"START_SESSION", "RESERVE_NOW"})


class Driving:
    """The control requests of a charge."""

    def __init__(
        self,
        sandbox: Sandbox,
        platforms: Platforms,
        caller: Caller,
        network: Memory,
        emsps: Emsps,
        charging: Charging,
        agreements: Agreements,
        hub: PartyId,
    ) -> None:
        self._sandbox = sandbox
        self._platforms = platforms
        self._caller = caller
        self._network = network
        self._emsps = emsps
        self._agreements = agreements
        self._hub = hub
        self._waiting: dict[str, asyncio.Event] = {}
        charging.hears.append(self._heard)

    def routes(self) -> list[web.RouteDef]:
        """Gives the routes."""
        return [
            web.get(f"{PREFIX}/drivers", self._list_drivers),
            web.post(f"{PREFIX}/drivers", self._set_drivers),
            web.post(f"{PREFIX}/commands", self._commands),
            web.post(f"{PREFIX}/tokens", self._tokens),
        ]

    async def _list_drivers(self, _request: web.Request) -> web.Response:
        return web.json_response(DRIVERS.dump_python(self._emsps.drivers, mode="json"))

    async def _set_drivers(self, request: web.Request) -> web.Response:
        try:
            drivers = DRIVERS.validate_json(await request.read())
        except ValidationError as error:
            return problem(400, str(error))
        self._emsps.add(drivers)
        return web.json_response({"drivers": len(self._emsps.drivers)})

    # Commands

    async def _commands(self, request: web.Request) -> web.Response:
        try:
            asked = _COMMANDS.validate_json(await request.read())
        except ValidationError as error:
            return problem(400, str(error))
        several = asked if isinstance(asked, list) else [asked]
        if self._sandbox.faults.driving(FaultKind.REORDER, "POST", "commands"):
            several = several[::-1]
        try:
            told = [await self._command(each, str(request.url.origin())) for each in several]
        except DriveFailed as failed:
            return problem(502, str(failed))
        return web.json_response(told if isinstance(asked, list) else told[0])

    async def _command(self, asked: Command, origin: str) -> dict[str, Any]:
        identity, driver, cpo = str(uuid4()), self._driver(asked), self._cpo(asked)
        sender = asked.emsp or (driver.party if driver is not None else self._hub)
        if asked.kind in _WITH_TOKEN and not self._agreements.agreed(cpo, sender):
            return self._rejected(identity, asked, cpo)
        body, reference = self._body(asked, driver, cpo)
        body["response_url"] = f"{origin}{SENDER}/commands/{ocpi.path(asked.kind, identity)}"
        body |= asked.also
        body = {name: value for name, value in body.items() if value is not None}
        kept: dict[str, Any] = {"kind": asked.kind, "cpo": cpo.normal, "responses": [], "results": []}
        self._sandbox.memory[COMMAND_RESULTS][identity] = kept
        event = self._waiting[identity] = asyncio.Event()
        try:
            replies = await self._caller.call(
                self._platform(cpo),
                "POST",
                "commands/RECEIVER",
                ocpi.path(asked.kind),
                body,
                sender=sender,
                receiver=cpo,
            )
            kept["responses"] = [said(reply) for reply in replies]
            if asked.wait and _taken(kept["responses"]):
                await self._wait(event, asked.wait)
        finally:
            del self._waiting[identity]
        return {"id": identity, "reference": reference, **kept}

    def _rejected(self, identity: str, asked: Command, cpo: PartyId) -> dict[str, Any]:
        """Answers an EMSP without an agreement; nothing is passed on."""
        self._sandbox.counted("commands", "no agreement")
        answer = {"status": 200, "code": 1000, "data": {"result": "REJECTED", "timeout": 0}}
        kept: dict[str, Any] = {"kind": asked.kind, "cpo": cpo.normal, "responses": [answer], "results": []}
        self._sandbox.memory[COMMAND_RESULTS][identity] = kept
        return {"id": identity, "reference": None, **kept}

    def _platform(self, cpo: PartyId) -> Platform:
        """Finds the platform of a CPO; one that nobody presented is taken for the first platform's."""
        return self._platforms.serving(cpo, CPO) or self._platforms.named(None)

    def _heard(self, command: str, _result: Mapping[str, Any]) -> None:
        if (event := self._waiting.get(command)) is not None:
            event.set()

    @staticmethod
    async def _wait(event: asyncio.Event, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return  # whoever asked sees that there is no result

    def _driver(self, asked: Command) -> Driver | None:
        if asked.kind not in _WITH_TOKEN or asked.token is not None:
            return None
        driver = self._emsps.find(asked.uid or "", asked.type)
        if driver is None:
            raise DriveFailed("uid is no known driver's")
        return driver

    def _cpo(self, asked: Command) -> PartyId:
        """Finds the CPO: the one named, else whose location or session it is."""
        if asked.party is not None:
            return asked.party
        memory: Mapping[str, Any] = self._network.locations
        wanted = asked.location_id
        if asked.session_id is not None:
            memory, wanted = self._sandbox.memory[SESSIONS], asked.session_id
        owners = {key.partition("/")[0] for key in memory if key.partition("/")[2] == wanted}
        if len(owners) != 1:
            raise DriveFailed("party: it is not known whose location or session it is")
        return PartyId(owners.pop())

    def _body(self, asked: Command, driver: Driver | None, cpo: PartyId) -> tuple[dict[str, Any], str | None]:
        """Writes the command without its `response_url`; gives IOP's reference where there is one."""
        if asked.kind == "STOP_SESSION":
            return {"session_id": asked.session_id}, None
        if asked.kind == "CANCEL_RESERVATION":
            return {"reservation_id": asked.reservation_id}, None
        body: dict[str, Any] = {
            "location_id": asked.location_id,
            "evse_uid": asked.evse_uid,
        }
        if asked.kind != "RESERVE_NOW":
            body["connector_id"] = asked.connector_id
        reference = None
        if asked.kind in _WITH_TOKEN:
            body["token"] = asked.token if driver is None else driver.token()
            if driver is not None:
                reference = self._emsps.authorised(driver, cpo, asked.location_id, asked.evse_uid, told=asked.reference)
                body["authorization_reference"] = reference if asked.reference else None
        if asked.kind == "RESERVE_NOW":
            expires = self._sandbox.wall() + timedelta(minutes=asked.expires_minutes)
            body |= {"reservation_id": asked.reservation_id, "expiry_date": times.write(expires)}
        return body, reference if asked.reference else None

    # Tokens

    async def _tokens(self, request: web.Request) -> web.Response:
        try:
            asked = _Tokens.model_validate_json(await request.read() or b"{}")
            platform = self._platforms.named(asked.platform)
        except ValueError as error:
            return problem(400, str(error))
        wanted = None if asked.uids is None else {uid.casefold() for uid in asked.uids}
        drivers = [each for each in self._emsps.drivers if wanted is None or each.uid.casefold() in wanted]
        if self._sandbox.faults.driving(FaultKind.REORDER, "PUT", "tokens"):
            drivers.reverse()
        try:
            told = [await self._put(platform, driver, asked.also) for driver in drivers]
        except DriveFailed as failed:
            return problem(502, str(failed))
        return web.json_response(told)

    async def _put(self, platform: Platform, driver: Driver, also: Mapping[str, JsonValue]) -> dict[str, Any]:
        body = {name: value for name, value in {**driver.token(), **also}.items() if value is not None}
        tail = f"{ocpi.path(driver.party.country, driver.party.code, driver.uid)}?type={driver.type}"
        replies = await self._caller.call(
            platform, "PUT", "tokens/RECEIVER", tail, body, sender=driver.party, receiver=None
        )
        return {"uid": driver.uid, **said(replies[-1])}


def _taken(responses: list[dict[str, Any]]) -> bool:
    """Whether a result is to be waited for."""
    return any(isinstance(each.get("data"), dict) and each["data"].get("result") == "ACCEPTED" for each in responses)
