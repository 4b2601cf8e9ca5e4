"""What the sandbox IOP pushes to platforms: stored and forwarded, first in, first out, until somebody takes it.

| request | what it does |
| --- | --- |
| `GET /_sandbox/queue` | how much waits, by platform |
| `DELETE /_sandbox/queue` | forgets what waits |
| `POST /_sandbox/settle` | `{"seconds"}`: waits until nothing waits any more; tells how much does |

What was sent is kept under `pushes`, by number.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.core import ocpi
from adapters.core.faults import FaultKind
from adapters.core.http import Reply
from adapters.core.outcomes import NotSent, OutcomeUnknown, Throttled
from adapters.core.sandbox import PREFIX, Sandbox
from adapters.gireve.sandbox.calling import Caller, DriveFailed, said
from adapters.gireve.sandbox.platforms import Platform, Platforms
from adapters.gireve.sandbox.serving import problem
from mappings.canonical.ids import PartyId

PUSHES = "pushes"

_AGAIN = (NotSent, Throttled, OutcomeUnknown)
"""What is sent again: anything but a yes and a no; and what is not let in, until a registration mends it."""
_MOST_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class Push:
    """One request to be made.

    Attributes:
        endpoint: `module/ROLE`, or a whole URL that the platform gave.
        tail: What follows the endpoint's URL, quoted.
        correlation: Of the request that it follows from.
    """

    method: str
    endpoint: str
    tail: str
    body: Any
    sender: PartyId
    receiver: PartyId | None
    correlation: str | None = None


class _Settle(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seconds: Annotated[float, Field(ge=0, le=300)] = 10.0


class Outbox:
    """A queue for each platform.

    Args:
        retry_seconds: Pause before what nobody took is sent again.
    """

    def __init__(self, sandbox: Sandbox, platforms: Platforms, caller: Caller, retry_seconds: float) -> None:
        self._sandbox = sandbox
        self._platforms = platforms
        self._caller = caller
        self._retry = retry_seconds
        self._queues: dict[str, deque[Push]] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._number = 0

    def routes(self) -> list[web.RouteDef]:
        """Gives the control routes."""
        return [
            web.get(f"{PREFIX}/queue", self._show),
            web.delete(f"{PREFIX}/queue", self._forget),
            web.post(f"{PREFIX}/settle", self._settle),
        ]

    def push(self, platform: Platform, push: Push) -> None:
        """Queues a request behind those that wait for the same platform."""
        if "://" not in push.endpoint and platform.ours is not None and push.endpoint not in platform.endpoints:
            self._sandbox.counted(PUSHES, f"{push.endpoint}: no endpoint")
            return
        self._queues.setdefault(platform.name, deque()).append(push)
        worker = self._workers.get(platform.name)
        if worker is None or worker.done():
            self._workers[platform.name] = asyncio.create_task(self._work(platform))

    async def close(self) -> None:
        """Ends it; what waits is lost."""
        for worker in self._workers.values():
            worker.cancel()
        await asyncio.gather(*self._workers.values(), return_exceptions=True)

    async def _work(self, platform: Platform) -> None:
        queue, tries = self._queues[platform.name], 0
        while queue:
            if not tries and len(queue) > 1 and self._reordered(queue[0]):
                queue.insert(1, queue.popleft())
            push, tries = queue[0], tries + 1
            if await self._sent(platform, push, tries):
                if queue and queue[0] is push:
                    queue.popleft()
                tries = 0
            else:
                await asyncio.sleep(self._retry)

    def _reordered(self, push: Push) -> bool:
        return self._sandbox.faults.driving(FaultKind.REORDER, push.method, f"{push.endpoint}/{push.tail}")

    async def _sent(self, platform: Platform, push: Push, tries: int) -> bool:
        """Sends once; tells whether that was the last time."""
        try:
            replies = await self._caller.call(
                platform,
                push.method,
                push.endpoint,
                push.tail,
                push.body,
                sender=push.sender,
                receiver=push.receiver,
                correlation=push.correlation,
            )
        except DriveFailed:
            return False  # until it is registered again
        reply = replies[-1]
        shut_out = reply.answer is not None and reply.answer.status == 401
        if shut_out or isinstance(reply.outcome, _AGAIN):
            self._sandbox.counted(PUSHES, f"{_name(push)}: again")
            return False
        self._note(platform, push, reply, tries)
        return True

    def _note(self, platform: Platform, push: Push, reply: Reply, tries: int) -> None:
        told = said(reply)
        ok = told.get("code", 1000) == 1000 and (told["status"] or 0) < 300
        self._sandbox.counted(PUSHES, f"{_name(push)}: {'ok' if ok else 'refused'}")
        self._number += 1
        memory = self._sandbox.memory[PUSHES]
        if len(memory) < _MOST_KEPT:
            path = ocpi.below(push.endpoint, push.tail)
            memory[str(self._number)] = {
                "platform": platform.name,
                "method": push.method,
                "path": path,
                "status": told["status"],
                "code": told.get("code"),
                "tries": tries,
            }

    # Control requests

    def _waiting(self) -> dict[str, int]:
        return {name: len(queue) for name, queue in self._queues.items() if queue}

    async def _show(self, _request: web.Request) -> web.Response:
        return web.json_response(self._waiting())

    async def _forget(self, _request: web.Request) -> web.Response:
        for queue in self._queues.values():
            queue.clear()
        return web.json_response({})

    async def _settle(self, request: web.Request) -> web.Response:
        try:
            asked = _Settle.model_validate_json(await request.read() or b"{}")
        except ValidationError as error:
            return problem(400, str(error))
        workers = [worker for worker in self._workers.values() if not worker.done()]
        if workers:
            await asyncio.wait(workers, timeout=asked.seconds)
        return web.json_response({"waiting": sum(self._waiting().values())})


def _name(push: Push) -> str:
    return "callback" if "://" in push.endpoint else f"{push.method} {push.endpoint}"
