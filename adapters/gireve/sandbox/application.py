"""A sandbox IOP: Gireve's platform as a CPO's gateway meets it, by OCPI 2.2.1.

Beside the control requests that all sandboxes have (`adapters.core.sandbox`):

| request | what it does |
| --- | --- |
| `POST /_sandbox/register` | `{"versions_url", "token"}`: registers with a gateway |
| `POST /_sandbox/unregister` | sends `DELETE credentials`, then forgets the registration |
| `POST /_sandbox/pull` | `{"modules", "limit", "date_from", "date_to"}`: pulls into `pulled_…` |
| `GET`, `POST /_sandbox/drivers` | the drivers of the EMSPs behind it; a list of `emsps.Driver` to add |
| `POST /_sandbox/commands` | a `driving.Command`, or a list: has an EMSP send it, and tells what came of it |
| `POST /_sandbox/tokens` | `{"uids"}`: has EMSPs push their drivers' tokens to the gateway |
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from adapters.core import ocpi
from adapters.core.faults import Fault, Handler
from adapters.core.http import read_json
from adapters.core.sandbox import PREFIX, Sandbox, make_application
from adapters.gireve.sandbox import checks
from adapters.gireve.sandbox.charging import CDRS, COMMAND_RESULTS, SESSIONS, Charging, Given
from adapters.gireve.sandbox.checks import Refusal, Wrong
from adapters.gireve.sandbox.driving import Driving
from adapters.gireve.sandbox.emsps import AUTHORISATIONS, Emsps
from adapters.gireve.sandbox.memory import KINDS, Memory, evse_key, tariff_key
from adapters.gireve.sandbox.peer import RECEIVER, ROOT, Peer
from adapters.gireve.settings import HUB_PARTY, Environment
from mappings.canonical.ids import PartyId
from mappings.ocpi.envelope import StatusCode

_CONFIGURATION = (f"{ROOT}/versions", f"{ROOT}/{ocpi.VERSION}")


class SandboxSettings(BaseModel):
    """Settings of a sandbox IOP.

    Attributes:
        token: CREDENTIALS_TOKEN_A, with which a gateway may register.
        operators: CPOs under contract; empty for any.
        quality_seconds: How long the quality process takes.
        strict: What the quality process holds back is refused at once instead.
        delay_seconds: How far away the platform is.
        page_cap: Most objects it asks for in a page.
        emsp_patience_seconds: How long it waits for an EMSP.
        unknown_token: The code for a token that nobody knows: OCPI's, or the one that Gireve names.
        seed: For the dice of faults.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: Environment = Environment.PREPRODUCTION
    token: Annotated[str, Field(min_length=1, max_length=64)] = "gireve-sandbox-token"
    operators: frozenset[PartyId] = frozenset()
    quality_seconds: Annotated[float, Field(ge=0)] = 0.0
    strict: bool = False
    delay_seconds: Annotated[float, Field(ge=0)] = 0.0
    page_cap: Annotated[int, Field(ge=1)] = 100
    emsp_patience_seconds: Annotated[float, Field(ge=0)] = 30.0
    unknown_token: Literal[2000, 2004] = 2004
    seed: int = 0


def create(settings: SandboxSettings | None = None) -> web.Application:
    """Makes the sandbox's application, to be run by `adapters.core.sandbox.SandboxServer`."""
    return _Iop(settings or SandboxSettings()).application()


class _Iop:
    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._sandbox = Sandbox((*KINDS, AUTHORISATIONS, SESSIONS, CDRS, COMMAND_RESULTS), seed=settings.seed)
        self._memory = Memory(self._sandbox, settings.quality_seconds)
        self._party = HUB_PARTY[settings.environment]
        self._peer = Peer(self._sandbox, self._party, settings.token, settings.page_cap)
        emsps = Emsps(self._sandbox, settings.emsp_patience_seconds, settings.unknown_token)
        self._charging = Charging(self._sandbox, self._memory, emsps, _sender)
        self._driving = Driving(self._sandbox, self._peer, self._memory, emsps, self._charging, self._party)
        self._peer.more_endpoints = self._charging.endpoints

    def application(self) -> web.Application:
        location = f"{RECEIVER}/locations/{{country}}/{{code}}/{{id}}"
        tariff = f"{RECEIVER}/tariffs/{{country}}/{{code}}/{{id}}"
        routes = [
            *self._peer.routes(self._served),
            web.put(location, self._served("locations", self._put_location)),
            web.patch(location, self._served("locations", self._patch_location)),
            web.put(f"{location}/{{evse}}", self._served("locations", self._put_evse)),
            web.patch(f"{location}/{{evse}}", self._served("locations", self._patch_evse)),
            web.put(f"{location}/{{evse}}/{{connector}}", self._served("locations", self._put_connector)),
            web.patch(f"{location}/{{evse}}/{{connector}}", self._served("locations", self._patch_connector)),
            web.put(tariff, self._served("tariffs", self._put_tariff)),
            web.delete(tariff, self._served("tariffs", self._delete_tariff)),
            *self._charging.routes(self._served),
            *self._driving.routes(),
            web.post(f"{PREFIX}/register", self._peer.drive_register),
            web.post(f"{PREFIX}/unregister", self._peer.drive_unregister),
            web.post(f"{PREFIX}/pull", self._peer.drive_pull),
        ]
        app = make_application(self._sandbox, routes, refuse=_refuse, delay=self._settings.delay_seconds)
        app.on_cleanup.append(self._peer.close)
        return app

    # What holds for every request

    def _served(
        self, operation: str, handle: Callable[[web.Request], Awaitable[Any]], *, to_emsp: bool = False
    ) -> Handler:
        """Wraps a handler.

        Args:
            to_emsp: The request may be addressed to an EMSP behind IOP as well.
        """

        async def serve(request: web.Request) -> web.StreamResponse:
            extra: Mapping[str, str] = {}
            try:
                self._check_request(request, operation, to_emsp=to_emsp)
                data = await handle(request)
                if isinstance(data, Given):
                    data, extra = data
            except Refusal as refusal:
                status, code, text = refusal.status, refusal.code, str(refusal)
            except (Wrong, ValueError) as wrong:
                status, code, text = 400, int(StatusCode.INVALID_PARAMETERS), str(wrong)
            else:
                self._sandbox.counted(operation, "ok")
                return ocpi.answered(request, datetime.now(UTC), data, extra=extra)
            self._sandbox.counted(operation, f"{status} {code} {text}"[:200])
            return ocpi.answered(request, datetime.now(UTC), code=code, status=status, message=text)

        return serve

    def _check_request(self, request: web.Request, operation: str, *, to_emsp: bool) -> None:
        token = ocpi.presented_token(request.headers.get("Authorization"))
        configuration = operation in {"versions", "credentials"}
        if token is None or not self._peer.lets_in(token, configuration=configuration):
            raise Refusal(401, StatusCode.CLIENT_ERROR, "Unknown token")
        for name in (ocpi.REQUEST_ID, ocpi.CORRELATION_ID):
            if not request.headers.get(name):
                raise Wrong(f"Missing header {name}")
        if configuration:
            return
        sender = ocpi.party_in(request.headers, ocpi.FROM_COUNTRY, ocpi.FROM_PARTY)
        receiver = ocpi.party_in(request.headers, ocpi.TO_COUNTRY, ocpi.TO_PARTY)
        if sender is None or receiver is None:
            raise Wrong("Missing routing headers")
        if receiver != self._party and not to_emsp:
            raise Refusal(400, StatusCode.UNKNOWN_RECEIVER, f"Unknown receiver {receiver}")
        if self._settings.operators and sender not in self._settings.operators:
            raise Wrong(f"Unknown operator {sender}")
        if "code" in request.match_info and sender != _owner(request):
            raise Wrong(f"The object is not one of {sender}")

    async def _body(self, request: web.Request) -> Any:
        if request.content_type != "application/json":
            raise Refusal(415, StatusCode.CLIENT_ERROR, "Content-Type is not application/json")
        return read_json(await request.read())

    def _keep_quality(self, doubts: list[str]) -> None:
        if self._settings.strict and doubts:
            raise Wrong("; ".join(doubts))

    def _known(self, request: web.Request) -> str:
        """The wire key of the location, or of the EVSE, that is to be changed."""
        names = request.match_info
        key = location_key = f"{_owner(request)}/{names['id']}"
        if "evse" in names:
            key = evse_key(location_key, names["evse"])
        if key not in self._memory.locations:
            raise Refusal(404, StatusCode.UNKNOWN_LOCATION, "Unknown location or EVSE")
        return key

    # Locations

    async def _put_location(self, request: web.Request) -> dict[str, Any]:
        names, wire = request.match_info, await self._body(request)
        checks.check_location(wire)
        checks.check_owner(wire, names["country"], names["code"], names["id"])
        owner = _owner(request)
        doubts = checks.doubts_of_location(wire)
        for evse in wire.get("evses") or ():
            doubts += checks.doubts_of_evse(evse, owner)
        self._keep_quality(doubts)
        self._memory.put_location(f"{owner}/{names['id']}", wire)
        return {}

    async def _patch_location(self, request: web.Request) -> dict[str, Any]:
        patch = checks.check_patch(await self._body(request))
        self._memory.patch_location(self._known(request), patch)
        return {}

    async def _put_evse(self, request: web.Request) -> dict[str, Any]:
        names, wire = request.match_info, await self._body(request)
        owner = _owner(request)
        location = f"{owner}/{names['id']}"
        if location not in self._memory.locations:
            raise Refusal(404, StatusCode.UNKNOWN_LOCATION, "Unknown location")
        checks.check_evse(wire)
        if wire["uid"] != names["evse"]:
            raise Wrong("uid is not that of the URL")
        self._keep_quality(checks.doubts_of_evse(wire, owner))
        self._memory.put_evse(location, wire)
        return {}

    async def _patch_evse(self, request: web.Request) -> dict[str, Any]:
        patch = checks.check_patch(await self._body(request))
        self._memory.patch_evse(self._known(request), patch)
        return {}

    async def _put_connector(self, request: web.Request) -> dict[str, Any]:
        wire = await self._body(request)
        checks.check_connector(wire)
        if wire["id"] != request.match_info["connector"]:
            raise Wrong("id is not that of the URL")
        self._memory.put_connector(self._known(request), wire)
        return {}

    async def _patch_connector(self, request: web.Request) -> dict[str, Any]:
        patch = checks.check_patch(await self._body(request))
        if not self._memory.patch_connector(self._known(request), request.match_info["connector"], patch):
            raise Refusal(404, StatusCode.UNKNOWN_LOCATION, "Unknown connector")
        return {}

    # Tariffs

    async def _put_tariff(self, request: web.Request) -> dict[str, Any]:
        names, wire = request.match_info, await self._body(request)
        checks.check_tariff(wire)
        checks.check_owner(wire, names["country"], names["code"], names["id"])
        key = tariff_key(wire, str(_owner(request)), names["id"])
        self._memory.tariffs[key] = wire
        self._sandbox.received("tariffs", key, "PUT", wire["last_updated"])
        return {}

    async def _delete_tariff(self, request: web.Request) -> dict[str, Any]:
        key = tariff_key(request.query, str(_owner(request)), request.match_info["id"])
        if self._memory.tariffs.pop(key, None) is None:
            raise Refusal(404, StatusCode.CLIENT_ERROR, "Unknown tariff")
        self._sandbox.received("tariffs", key, "DELETE")
        return {}


def _owner(request: web.Request) -> PartyId:
    try:
        return PartyId.of(request.match_info["country"], request.match_info["code"])
    except ValueError as error:
        raise Wrong(str(error)) from None


def _sender(request: web.Request) -> PartyId:
    party = ocpi.party_in(request.headers, ocpi.FROM_COUNTRY, ocpi.FROM_PARTY)
    if party is None:
        raise Wrong("Missing routing headers")
    return party


def _refuse(request: web.Request, fault: Fault) -> web.Response:
    """The refusal that a fault asks for: an OCPI code, 2001 where it names none, with the HTTP status that fits."""
    code = int(fault.code) if fault.code and fault.code.isdigit() else int(StatusCode.INVALID_PARAMETERS)
    status = 200 if code < 2000 or code >= 3000 else 400
    return ocpi.answered(request, datetime.now(UTC), code=code, status=status, message="the sandbox refuses")
