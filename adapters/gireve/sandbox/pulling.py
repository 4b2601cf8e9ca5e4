"""Pulls of the sandbox IOP: what CPOs' platforms list, page by page, as `Link` leads."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from adapters.core import ocpi
from adapters.core.faults import FaultKind
from adapters.core.sandbox import PREFIX, Sandbox
from adapters.gireve.sandbox.calling import Caller, DriveFailed, data
from adapters.gireve.sandbox.memory import (
    PULLED_CDRS,
    PULLED_LOCATIONS,
    PULLED_SESSIONS,
    PULLED_TARIFFS,
    exploded,
    tariff_key,
)
from adapters.gireve.sandbox.platforms import Platform, Platforms
from adapters.gireve.sandbox.serving import problem

_MOST_PAGES = 100_000
_PULLED: Mapping[str, str] = {
    "locations": PULLED_LOCATIONS,
    "tariffs": PULLED_TARIFFS,
    "sessions": PULLED_SESSIONS,
    "cdrs": PULLED_CDRS,
}
_CDR_PAGE = 20
"""Guide, Pagination: CDRs come in pages of 20, whatever the others do."""


class _Pull(BaseModel):
    model_config = ConfigDict(extra="forbid")

    modules: tuple[Literal["locations", "tariffs", "sessions", "cdrs"], ...] = ("locations", "tariffs")
    limit: Annotated[int, Field(ge=1)] | None = None
    date_from: str | None = None
    date_to: str | None = None
    platform: str | None = None


class Pulling:
    """Pulls over a registration.

    Args:
        page_cap: Most objects asked for in a page.
    """

    def __init__(self, sandbox: Sandbox, platforms: Platforms, caller: Caller, page_cap: int) -> None:
        self._sandbox = sandbox
        self._platforms = platforms
        self._caller = caller
        self._page_cap = page_cap

    def routes(self) -> list[web.RouteDef]:
        """Gives the control route."""
        return [web.post(f"{PREFIX}/pull", self._drive)]

    async def _drive(self, request: web.Request) -> web.Response:
        try:
            asked = _Pull.model_validate_json(await request.read() or b"{}")
            platform = self._platforms.named(asked.platform)
        except ValueError as error:
            return problem(400, str(error))
        if platform.ours is None:
            return problem(409, "not registered")
        told = {}
        try:
            for module in asked.modules:
                told[module] = await self._pull(platform, module, asked)
        except DriveFailed as failed:
            return problem(502, str(failed))
        return web.json_response(told)

    async def _pull(self, platform: Platform, module: str, asked: _Pull) -> dict[str, Any]:
        endpoint = platform.endpoints.get(f"{module}/SENDER")
        if endpoint is None:
            raise DriveFailed(f"the gateway has no endpoint {module}/SENDER")
        cap = min(self._page_cap, _CDR_PAGE) if module == "cdrs" else self._page_cap
        query = {"offset": "0", "limit": str(min(asked.limit or cap, cap))}
        query |= {name: value for name in ("date_from", "date_to") if (value := getattr(asked, name)) is not None}
        dated = len(query) > 2
        memory = self._sandbox.memory[_PULLED[module]]
        if not dated:
            memory.clear()  # all pages together are the new truth
        pages = objects = total = 0
        reordered = self._sandbox.faults.driving(FaultKind.REORDER, "GET", endpoint)
        waiting = [f"{endpoint}?{urlencode(query)}"]
        while waiting and pages < _MOST_PAGES:
            found, headers = await self._page(platform, waiting.pop())
            total = int(headers["X-Total-Count"])
            pages += 1
            objects += len(found)
            for each in found:
                _take(memory, module, each)
            if not reordered:
                waiting += [following] if (following := ocpi.next_page(headers)) is not None else []
            elif pages == 1:
                # The last page first: each offset is asked for once, whatever the links say.
                step = int(query["limit"])
                waiting = [f"{endpoint}?{urlencode(query | {'offset': str(at)})}" for at in range(step, total, step)]
        return {"pages": pages, "objects": objects, "total": total}

    async def _page(self, platform: Platform, url: str) -> tuple[list[Any], Any]:
        repeats = self._sandbox.faults.driving(FaultKind.REPEAT, "GET", url)
        replies = [await self._caller.ask("GET", url, platform.ours or "", routed=True) for _ in range(1 + repeats)]
        found = [data(reply) for reply in replies]
        if any(each != found[0] for each in found):
            raise DriveFailed(f"{url} answered another page when it was asked again")
        answer = replies[-1].answer
        if not isinstance(found[0], list) or answer is None:
            raise DriveFailed(f"{url} answered no list")
        if "X-Total-Count" not in answer.headers or "X-Limit" not in answer.headers:
            raise DriveFailed(f"{url} is not paginated")  # IOP ignores an answer that is not
        return found[0], answer.headers


def _take(memory: dict[str, Any], module: str, wire: dict[str, Any]) -> None:
    if module == "locations":
        memory.update(exploded(wire))
        return
    owner = f"{wire['country_code']}*{wire['party_id']}"
    memory[tariff_key(wire, owner, wire["id"]) if module == "tariffs" else f"{owner}/{wire['id']}"] = wire
