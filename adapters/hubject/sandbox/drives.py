"""What the sandbox Hubject does when it is told to: it plays an EMP that starts, stops, reserves and cancels.

| request | what it does |
| --- | --- |
| `GET`, `POST`, `DELETE /_sandbox/drivers` | the drivers that EMPs know; sets some (`Driver`); forgets all |
| `POST /_sandbox/remote-start` | `{"evse", "contract", "provider"}`; an eRoamingAuthorizeRemoteStart |
| `POST /_sandbox/remote-stop` | `{"session"}`; an eRoamingAuthorizeRemoteStop |
| `POST /_sandbox/reserve` | as `remote-start`, with `minutes`; an eRoamingAuthorizeRemoteReservationStart |
| `POST /_sandbox/cancel-reservation` | as `remote-stop`; an eRoamingAuthorizeRemoteReservationStop |

Each answers with the eRoamingAcknowledgment that the EMP gets: Hubject's own where it refuses (see `commands`), else
the gateway's.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from aiohttp import web
from pydantic import Field, TypeAdapter, ValidationError

from adapters.core.sandbox import PREFIX
from adapters.hubject.sandbox import commands
from adapters.hubject.sandbox.commands import Begin, Drive, End, Said, ToEvse
from adapters.hubject.sandbox.control import problem, sandbox_of
from adapters.hubject.sandbox.drivers import Driver
from adapters.hubject.sandbox.partners import Provider
from adapters.hubject.sandbox.state import SESSIONS
from mappings.canonical.ids import ContractId, EvseId, PartyId

_DRIVERS: Final = TypeAdapter(list[Driver])


class _ToEvse(Drive):
    """Attributes: session: Our SessionID; a new one where it is left out."""

    evse: EvseId
    contract: ContractId
    provider: PartyId
    session: str | None = None
    emp_session: str | None = None
    product: str | None = None
    minutes: Annotated[int, Field(ge=1, le=99)] | None = None


class _ToSession(Drive):
    """Attributes: evse, provider: The session's where they are left out."""

    session: str
    evse: EvseId | None = None
    provider: PartyId | None = None


def routes() -> list[web.RouteDef]:
    """Gives the control routes."""
    return [
        web.get(f"{PREFIX}/drivers", _show),
        web.post(f"{PREFIX}/drivers", _set),
        web.delete(f"{PREFIX}/drivers", _forget),
        web.post(f"{PREFIX}/remote-start", _begin(commands.START)),
        web.post(f"{PREFIX}/remote-stop", _end(commands.STOP)),
        web.post(f"{PREFIX}/reserve", _begin(commands.RESERVE)),
        web.post(f"{PREFIX}/cancel-reservation", _end(commands.CANCEL)),
    ]


def _begin(command: Begin) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(request: web.Request) -> web.Response:
        try:
            asked = _ToEvse.model_validate_json(await request.read())
        except ValidationError as error:
            return problem(400, str(error))
        meant = ToEvse(asked.evse, asked.contract, asked.session, asked.emp_session, asked.product, asked.minutes)
        return _told(await commands.begin(sandbox_of(request), Provider(asked.provider), command, meant, asked))

    return serve


def _end(command: End) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(request: web.Request) -> web.Response:
        sandbox = sandbox_of(request)
        try:
            asked = _ToSession.model_validate_json(await request.read())
        except ValidationError as error:
            return problem(400, str(error))
        about = sandbox.memory[SESSIONS].get(asked.session) or {}
        evse, provider = asked.evse, asked.provider
        if evse is None and about.get("EvseID"):
            evse = EvseId(about["EvseID"])
        if provider is None and about.get("ProviderID"):
            provider = PartyId(about["ProviderID"])
        if evse is None or provider is None:
            if asked.force:
                return problem(400, "evse and provider are needed, since the session does not tell them")
            return _told(commands.no_session(sandbox, command))
        return _told(await commands.end(sandbox, provider, command, asked.session, evse, asked))

    return serve


def _told(said: Said) -> web.Response:
    return problem(*said.problem) if said.problem is not None else web.json_response(said.body)


async def _show(request: web.Request) -> web.Response:
    drivers = [driver.model_dump(mode="json", exclude={"pin"}) for driver in sandbox_of(request).emps.drivers]
    return web.json_response(drivers)


async def _set(request: web.Request) -> web.Response:
    try:
        sandbox_of(request).emps.set(_DRIVERS.validate_json(await request.read()))
    except ValidationError as error:
        return problem(400, str(error))
    return await _show(request)


async def _forget(request: web.Request) -> web.Response:
    sandbox_of(request).emps.drivers.clear()
    return web.json_response([])
