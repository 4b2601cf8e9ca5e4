"""How the CPOs that the sandbox IOP plays answer commands: `POST /_sandbox/cpos`."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from adapters.core.sandbox import PREFIX
from adapters.gireve.sandbox.checks import Refusal
from adapters.gireve.sandbox.serving import problem
from mappings.canonical.ids import PartyId
from mappings.ocpi.envelope import StatusCode


class Behaviour(BaseModel):
    """What a played CPO does with commands.

    Attributes:
        party: Which CPO; None for all that are not named.
        response: What it answers at once, OCPI's CommandResponseType.
        timeout: Seconds within which it promises the result.
        seconds: How late it answers.
        silent: It never answers; IOP says so when its patience ends.
        result: What comes of a command that it accepted, OCPI's CommandResultType; None for nothing ever.
        result_seconds: How much later that is told.
        results: How often it is told.
        charges: A start begins a session, and a stop ends it with a CDR.
        kwh: What such a session comes to; None for 3.5 kW as long as it lasts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    party: PartyId | None = None
    response: Literal["NOT_SUPPORTED", "REJECTED", "ACCEPTED", "UNKNOWN_SESSION"] = "ACCEPTED"
    timeout: Annotated[int, Field(ge=0)] = 30
    seconds: Annotated[float, Field(ge=0, le=600)] = 0.0
    silent: bool = False
    result: (
        Literal["ACCEPTED", "EVSE_OCCUPIED", "EVSE_INOPERATIVE", "FAILED", "NOT_SUPPORTED", "REJECTED", "TIMEOUT"]
        | None
    ) = "ACCEPTED"
    result_seconds: Annotated[float, Field(ge=0, le=600)] = 0.0
    results: Annotated[int, Field(ge=1, le=10)] = 1
    charges: bool = True
    kwh: float | None = None


class Behaviours:
    """The behaviour of each, and the results that are still to come.

    Args:
        patience: Seconds that IOP waits for a CPO.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._by_party: dict[PartyId | None, Behaviour] = {}
        self._coming: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        """Gives the control route."""
        return [web.post(f"{PREFIX}/cpos", self._set)]

    async def _set(self, request: web.Request) -> web.Response:
        try:
            asked = Behaviour.model_validate_json(await request.read())
        except ValueError as error:
            return problem(400, str(error))
        self._by_party[asked.party] = asked
        return web.json_response(asked.model_dump(mode="json"))

    def of(self, cpo: PartyId) -> Behaviour:
        """Gives a CPO's behaviour."""
        return self._by_party.get(cpo) or self._by_party.get(None) or Behaviour()

    async def respond(
        self, cpo: PartyId, hear: Callable[[dict[str, Any]], None], done: Callable[[], Awaitable[None]]
    ) -> dict[str, Any]:
        """Answers a command; gives the CommandResponse.

        Args:
            hear: Takes each CommandResult.
            done: What happens when the first one says yes.

        Raises:
            Refusal: The CPO is silent (4002).
        """
        behaviour = self.of(cpo)
        if behaviour.silent:
            await asyncio.sleep(self._patience)
            raise Refusal(200, StatusCode.TIMEOUT_ON_FORWARDED_REQUEST, "The CPO did not answer")
        await asyncio.sleep(behaviour.seconds)
        if behaviour.response == "ACCEPTED" and behaviour.result is not None:
            self.later(self._result(behaviour, hear, done))
        return {"result": behaviour.response, "timeout": behaviour.timeout}

    @staticmethod
    async def _result(
        behaviour: Behaviour, hear: Callable[[dict[str, Any]], None], done: Callable[[], Awaitable[None]]
    ) -> None:
        await asyncio.sleep(behaviour.result_seconds)
        for _ in range(behaviour.results):
            hear({"result": behaviour.result})
        if behaviour.result == "ACCEPTED" and behaviour.charges:
            await done()

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Has something happen some seconds from now."""

        async def wait() -> None:
            await asyncio.sleep(seconds)
            act()

        self.later(wait())

    def later(self, coming: Coroutine[Any, Any, None]) -> None:
        """Has something happen by itself."""
        task = asyncio.create_task(coming)
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)

    async def close(self) -> None:
        """Ends what is still to come."""
        for task in self._coming:
            task.cancel()
        await asyncio.gather(*self._coming, return_exceptions=True)
