"""A sandbox IOP: Gireve's platform as the gateways of CPOs and EMSPs meet it, by OCPI 2.2.1.

Beside the control requests that all sandboxes have (`adapters.core.sandbox`):

| request | what it does |
| --- | --- |
| `GET`, `POST /_sandbox/platforms` | the platforms; a `platforms.Provision` to add |
| `POST /_sandbox/register` | `{"versions_url", "token", "platform"}`: registers with a gateway |
| `POST /_sandbox/unregister` | `{"platform"}`: sends `DELETE credentials`, then forgets the registration |
| `POST /_sandbox/pull` | `{"modules", "limit", "date_from", "date_to", "platform"}`: pulls into `pulled_…` |
| `GET`, `POST /_sandbox/drivers` | the drivers of the EMSPs behind it; a list of `emsps.Driver` to add |
| `POST /_sandbox/commands` | a `driving.Command`, or a list: has an EMSP send it, and tells what came of it |
| `POST /_sandbox/tokens` | `{"uids", "platform"}`: has EMSPs push their drivers' tokens to a gateway |
| `POST /_sandbox/network`, `network-tariffs` | OCPI Locations, Tariffs, NDJSON: what played CPOs have |
| `POST /_sandbox/locations` | `{"locations", "push"}`: a played CPO's locations as they are now |
| `POST /_sandbox/statuses` | a `played.StatusChange`, or a list |
| `POST /_sandbox/cpos` | a `behaviours.Behaviour`: how played CPOs answer commands |
| `POST /_sandbox/authorize`, `sessions`, `cdrs` | what played CPOs ask and tell; see `played_charges` |
| `GET`, `DELETE /_sandbox/queue`, `POST /_sandbox/settle` | what is still to be pushed; see `outbox` |
| `POST /_sandbox/push` | a `pushing.Raw`: says anything at all to a platform |
| `GET`, `POST`, `DELETE /_sandbox/agreements` | who has an agreement with whom; see `agreements` |
| `POST`, `DELETE /_sandbox/pages` | a list of `page_faults.PageFault` to arm; disarm all |
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from adapters.core import ocpi
from adapters.core.faults import Fault
from adapters.core.sandbox import SANDBOX, Sandbox, make_application
from adapters.gireve.sandbox.agreements import Agreements
from adapters.gireve.sandbox.asking import Asking
from adapters.gireve.sandbox.behaviours import Behaviours
from adapters.gireve.sandbox.calling import Caller
from adapters.gireve.sandbox.cards import TOKENS, Cards
from adapters.gireve.sandbox.charge_records import PLAYED_CDRS, PLAYED_SESSIONS, Writing
from adapters.gireve.sandbox.charging import CDRS, COMMAND_RESULTS, SESSIONS, Charging
from adapters.gireve.sandbox.commanding import Commanding
from adapters.gireve.sandbox.driving import Driving
from adapters.gireve.sandbox.emsps import AUTHORISATIONS, Emsps
from adapters.gireve.sandbox.forwarding import GIREVE_SESSIONS, Forwarding
from adapters.gireve.sandbox.memory import KINDS, Memory
from adapters.gireve.sandbox.outbox import PUSHES, Outbox
from adapters.gireve.sandbox.page_faults import PageFaults
from adapters.gireve.sandbox.peer import Peer
from adapters.gireve.sandbox.platforms import BOTH, Platforms, Provision, Role
from adapters.gireve.sandbox.played import Played
from adapters.gireve.sandbox.played_charges import PlayedCharges
from adapters.gireve.sandbox.pulling import Pulling
from adapters.gireve.sandbox.pushing import Pushing
from adapters.gireve.sandbox.receiving import Receiving
from adapters.gireve.sandbox.serving import Serving
from adapters.gireve.sandbox.showing import Showing, transferred
from adapters.gireve.sandbox.shown import SHOWN, SHOWN_TARIFFS, Shown, Stations
from adapters.gireve.settings import HUB_PARTY, Environment
from mappings.canonical.ids import PartyId
from mappings.ocpi.envelope import StatusCode

_KINDS = (
    *(*KINDS, AUTHORISATIONS, SESSIONS, CDRS, COMMAND_RESULTS, TOKENS),
    *(PUSHES, GIREVE_SESSIONS, PLAYED_SESSIONS, PLAYED_CDRS),
)


class SandboxSettings(BaseModel):
    """Settings of a sandbox IOP.

    Attributes:
        token: CREDENTIALS_TOKEN_A, with which the first platform, named `gateway`, may register.
        roles: What the operators of that platform may be, whatever it presents.
        platforms: Further platforms.
        operators: CPOs under contract; empty for any.
        quality_seconds: How long the quality process takes.
        strict: What the quality process holds back is refused at once instead.
        delay_seconds: How far away the platform is.
        page_cap: Most objects of a page, asked for or answered.
        emsp_patience_seconds: How long it waits for an EMSP.
        unknown_token: The code for a token that nobody knows: OCPI's, or the one that Gireve names.
        own_references: Whether EMSPs are told Gireve's authorisation references, or those that they gave.
        retry_seconds: Pause before a push that no platform took is sent again.
        seed: For the dice of faults.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: Environment = Environment.PREPRODUCTION
    token: Annotated[str, Field(min_length=1, max_length=64)] = "gireve-sandbox-token"
    roles: frozenset[Role] = BOTH
    platforms: tuple[Provision, ...] = ()
    operators: frozenset[PartyId] = frozenset()
    quality_seconds: Annotated[float, Field(ge=0)] = 0.0
    strict: bool = False
    delay_seconds: Annotated[float, Field(ge=0)] = 0.0
    page_cap: Annotated[int, Field(ge=1)] = 100
    emsp_patience_seconds: Annotated[float, Field(ge=0)] = 30.0
    unknown_token: Literal[2000, 2004] = 2004
    own_references: bool = True
    retry_seconds: Annotated[float, Field(gt=0)] = 5.0
    seed: int = 0


def create(settings: SandboxSettings | None = None) -> web.Application:
    """Makes the sandbox's application, to be run by `adapters.core.sandbox.SandboxServer`."""
    return _Iop(settings or SandboxSettings()).application()


class _Audience:
    """Whom what CPOs published is shown to: stations put together, tariffs as they are."""

    def __init__(self, stations: Stations, tariffs: Shown, wall: Callable[[], datetime]) -> None:
        self.publish = stations.publish
        self._wall = wall
        self._tariffs = tariffs

    def publish_tariff(self, key: str, record: dict[str, Any] | None) -> None:
        """Shows a tariff that EMSPs get to see."""
        if record is None or not transferred(record):
            self._tariffs.drop(key)
        else:
            self._tariffs.keep(key, record, self._wall())


class _Iop:
    def __init__(self, settings: SandboxSettings) -> None:
        sandbox = self._sandbox = Sandbox(_KINDS, seed=settings.seed)
        self._delay = settings.delay_seconds
        party = HUB_PARTY[settings.environment]
        first = Provision(name="gateway", token=settings.token, roles=settings.roles)
        platforms = Platforms([first, *settings.platforms])
        caller = self._caller = Caller(sandbox, party)
        self._serving = Serving(sandbox, platforms, party, settings.operators)
        outbox = self._outbox = Outbox(sandbox, platforms, caller, settings.retry_seconds)
        agreements = Agreements(sandbox.wall)
        forwarding = Forwarding(sandbox, platforms, outbox, agreements, own_references=settings.own_references)

        shown, shown_tariffs = Shown(), Shown()
        sandbox.memory |= {SHOWN: shown, SHOWN_TARIFFS: shown_tariffs}
        stations = Stations(shown, sandbox.wall)
        stations.told = forwarding.location
        memory = self._memory = Memory(
            sandbox, settings.quality_seconds, _Audience(stations, shown_tariffs, sandbox.wall)
        )
        faults = PageFaults()
        played = Played(shown, shown_tariffs, stations, sandbox.wall)

        patience = settings.emsp_patience_seconds
        cards = Cards(sandbox)
        emsps = Emsps(sandbox, cards, patience, settings.unknown_token)
        asking = Asking(sandbox, caller, emsps, patience, settings.unknown_token)
        charging = Charging(sandbox, memory, platforms, emsps, cards, asking, forwarding, agreements)
        behaviours = self._behaviours = Behaviours(patience)
        writing = Writing(sandbox, platforms, emsps, shown)
        charges = PlayedCharges(sandbox, platforms, emsps, cards, asking, forwarding, behaviours, writing, agreements)
        commanding = Commanding(
            sandbox, platforms, caller, outbox, emsps, shown, played, behaviours, charges, agreements, party
        )
        charging.hears.append(commanding.heard)
        showing = Showing(memory, shown, shown_tariffs, faults, agreements, sandbox.wall, party, settings.page_cap)
        receiving = Receiving(sandbox, memory, strict=settings.strict)
        peer = Peer(platforms, caller, party, [each.endpoints for each in (charging, showing, cards, commanding)])
        driving = Driving(sandbox, platforms, caller, memory, emsps, charging, agreements, party)
        pulling = Pulling(sandbox, platforms, caller, settings.page_cap)

        self._modules = (peer, receiving, showing, cards, charging, commanding)
        pushing = Pushing(platforms, caller, party)
        self._drives = (driving, pulling, pushing, faults, played, behaviours, charges, outbox, agreements)

    def application(self) -> web.Application:
        routes = [route for module in self._modules for route in module.routes(self._serving.served)]
        routes += [route for drive in self._drives for route in drive.routes()]
        app = make_application(self._sandbox, routes, refuse=_refuse, delay=self._delay)
        app.on_cleanup.append(self._close)
        return app

    async def _close(self, app: web.Application) -> None:
        self._memory.close()
        await self._behaviours.close()
        await self._outbox.close()
        await self._caller.close(app)


def _refuse(request: web.Request, fault: Fault) -> web.Response:
    """The refusal that a fault asks for: an OCPI code, 2001 where it names none, with the HTTP status that fits."""
    code = int(fault.code) if fault.code and fault.code.isdigit() else int(StatusCode.INVALID_PARAMETERS)
    status = 200 if code < 2000 or code >= 3000 else 400
    return ocpi.answered(request, request.app[SANDBOX].wall(), code=code, status=status, message="the sandbox refuses")
