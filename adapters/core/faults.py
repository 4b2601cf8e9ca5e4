"""Faults that a sandbox hub commits when it is told to."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from enum import StrEnum
from re import compile as compile_pattern
from re import error as PatternError  # noqa: N812  # the standard library's own name for it is `error`
from typing import Annotated, Self

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, model_validator

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FaultKind(StrEnum):
    """What goes wrong."""

    REFUSE = "refuse"
    """Answers with the hub's own refusal, `code` where given; not acted upon."""
    DELAY = "delay"
    """Waits `seconds`, then acts; any other fault may follow."""
    THROTTLE = "throttle"
    """429, with `Retry-After` of `seconds` where given; not acted upon."""
    ERROR = "error"
    """HTTP `status`; not acted upon."""
    CLOSE = "close"
    """Cuts the connection before acting."""
    DROP = "drop"
    """Acts, then cuts the connection without an answer."""
    TRUNCATE = "truncate"
    """Acts, then cuts the connection in the middle of the answer's body."""
    GARBLE = "garble"
    """Acts, then answers HTTP 200 with a page that is no JSON, as a portal in between does."""
    DOWN = "down"
    """Nobody listens for `seconds`: connections are refused and open ones cut."""
    REPEAT = "repeat"
    """Sends what it sends by itself twice, with the same ids."""
    REORDER = "reorder"
    """Sends what it sends by itself in another order than was meant."""


_DRIVES = frozenset({FaultKind.REPEAT, FaultKind.REORDER})
_WAITS = frozenset({FaultKind.DELAY, FaultKind.DOWN})


class Fault(BaseModel):
    """One fault and when it happens.

    Attributes:
        method: Only requests with this method.
        path: Only requests whose path has this regular expression somewhere; control requests are never hit.
        seconds: Of `delay` and `down`, and of `throttle`'s Retry-After.
        status: Of `error`.
        code: Of `refuse`: the hub's own code.
        probability: How often it happens where it could.
        count: How many times at most.
        duration: For how many seconds from now at most.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FaultKind
    method: str | None = None
    path: str = ""
    seconds: Annotated[float, Field(ge=0, le=3600)] | None = None
    status: Annotated[int, Field(ge=400, le=599)] = 503
    code: str | None = None
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    count: Annotated[int, Field(ge=1)] | None = None
    duration: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind in _WAITS and self.seconds is None:
            raise ValueError(f"a {self.kind} needs seconds")
        try:
            compile_pattern(self.path)
        except PatternError as error:
            raise ValueError(f"path is no regular expression: {error}") from None
        return self


class _Armed:
    """A fault with what is left of it."""

    def __init__(self, fault: Fault, now: float) -> None:
        self.fault = fault
        self.hits = 0
        self.ends = None if fault.duration is None else now + fault.duration
        self.path = compile_pattern(fault.path)

    def spent(self, now: float) -> bool:
        count = self.fault.count
        return (count is not None and self.hits >= count) or (self.ends is not None and now >= self.ends)


class Faults:
    """The faults that a sandbox was told to commit.

    Args:
        seed: For the dice, so that a run can be repeated.
    """

    def __init__(self, seed: int = 0) -> None:
        self._armed: list[_Armed] = []
        self._dice = random.Random(seed)  # noqa: S311  # nothing here is a secret

    def add(self, faults: Iterable[Fault]) -> None:
        """Arms faults, after those that are armed."""
        now = time.monotonic()
        self._armed += [_Armed(fault, now) for fault in faults]

    def clear(self) -> None:
        """Ends all faults."""
        self._armed.clear()

    def shown(self) -> list[dict[str, object]]:
        """Lists the faults that may still happen, with how often they did."""
        now = time.monotonic()
        live = [armed for armed in self._armed if not armed.spent(now)]
        return [{**armed.fault.model_dump(mode="json", exclude_none=True), "hits": armed.hits} for armed in live]

    def drawn(self, method: str, path: str) -> tuple[float, Fault | None]:
        """Draws what happens to a request: seconds to wait, and the fault that follows."""
        if not self._armed:
            return 0.0, None
        wait = 0.0
        for armed in self._matching(method, path):
            if armed.fault.kind in _DRIVES:
                continue
            armed.hits += 1
            if armed.fault.kind is not FaultKind.DELAY:
                return wait, armed.fault
            wait += armed.fault.seconds or 0.0
        return wait, None

    def driving(self, kind: FaultKind, method: str, path: str) -> bool:
        """Draws whether a request that the sandbox sends by itself is to be repeated or reordered."""
        for armed in self._matching(method, path):
            if armed.fault.kind is kind:
                armed.hits += 1
                return True
        return False

    def _matching(self, method: str, path: str) -> Iterable[_Armed]:
        now = time.monotonic()
        self._armed = [armed for armed in self._armed if not armed.spent(now)]
        for armed in self._armed:
            fault = armed.fault
            if (
                (fault.method is None or fault.method == method)
                and armed.path.search(path)
                and (fault.probability >= 1 or self._dice.random() < fault.probability)
            ):
                yield armed


async def commit(
    faults: Faults, refuse: Callable[[web.Request, Fault], web.Response], request: web.Request, handler: Handler
) -> web.StreamResponse:
    """Serves a request with what the faults make of it.

    Args:
        refuse: Makes the hub's own refusal.
    """
    wait, fault = faults.drawn(request.method, request.path)
    if wait:
        await asyncio.sleep(wait)
    if fault is None:
        return await handler(request)
    if (answer := _instead(fault, refuse, request)) is not None:
        return answer
    answer = await handler(request)
    match fault.kind:
        case FaultKind.DROP:
            return _cut(request)
        case FaultKind.GARBLE:
            return web.Response(text="<html>It works!</html>", content_type="text/html")
        case _:
            return await _truncate(request, answer)


def _instead(
    fault: Fault, refuse: Callable[[web.Request, Fault], web.Response], request: web.Request
) -> web.StreamResponse | None:
    """What is answered without acting; None where the hub acts first."""
    match fault.kind:
        case FaultKind.REFUSE:
            return refuse(request, fault)
        case FaultKind.THROTTLE:
            headers = {} if fault.seconds is None else {"Retry-After": f"{fault.seconds:.0f}"}
            return web.Response(status=429, headers=headers)
        case FaultKind.ERROR:
            return web.Response(status=fault.status, text="the sandbox was told to fail")
        case FaultKind.CLOSE:
            return _cut(request)
    return None


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()  # goes nowhere


async def _truncate(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    body = answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else b""
    part = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
    part.content_length = max(len(body), 2)
    await part.prepare(request)
    await part.write(body[: len(body) // 2] or b"{")
    if request.transport is not None:
        request.transport.close()  # flushes what was written, then ends
    return part
