"""Anything at all that the sandbox IOP may be told to say to a platform: `POST /_sandbox/push`.

For what no CPO would say: the change of what was never there, an object of another party, a body without sense.
"""

from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, JsonValue

from adapters.core.sandbox import PREFIX
from adapters.gireve.sandbox.calling import Caller, DriveFailed, said
from adapters.gireve.sandbox.platforms import EMSP, Platforms
from adapters.gireve.sandbox.serving import problem
from mappings.canonical.ids import PartyId


class Raw(BaseModel):
    """A request to be made at once.

    Attributes:
        endpoint: `module/ROLE`, as the platform's version details name them, or a whole URL.
        tail: What follows the endpoint's URL, quoted.
        sender: Who speaks; IOP itself where it is not said.
        receiver: To whom; the platform's first EMSP where it is not said.
        platform: The first one where it is not said.
    """

    model_config = ConfigDict(extra="forbid")

    method: Literal["GET", "PUT", "PATCH", "POST", "DELETE"]
    endpoint: str
    tail: str = ""
    body: JsonValue = None
    sender: PartyId | None = None
    receiver: PartyId | None = None
    platform: str | None = None


class Pushing:
    """The control request."""

    def __init__(self, platforms: Platforms, caller: Caller, party: PartyId) -> None:
        self._platforms = platforms
        self._caller = caller
        self._party = party

    def routes(self) -> list[web.RouteDef]:
        """Gives the control route."""
        return [web.post(f"{PREFIX}/push", self._push)]

    async def _push(self, request: web.Request) -> web.Response:
        try:
            asked = Raw.model_validate_json(await request.read())
            platform = self._platforms.named(asked.platform)
        except ValueError as error:
            return problem(400, str(error))
        receiver = asked.receiver or next(iter(platform.parties(EMSP)), None)
        try:
            replies = await self._caller.call(
                platform,
                asked.method,
                asked.endpoint,
                asked.tail,
                asked.body,
                sender=asked.sender or self._party,
                receiver=receiver,
            )
        except DriveFailed as failed:
            return problem(502, str(failed))
        told: list[dict[str, Any]] = [said(reply) for reply in replies]
        return web.json_response({**told[-1], "times": len(told)})
