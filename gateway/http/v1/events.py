"""The feed of events: read on from a cursor, waited for, or streamed."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

from aiohttp import web
from pydantic import Field, JsonValue, ValidationError

from gateway.complaints import FieldError
from gateway.events.writing import EventType
from gateway.http.problems import Problem
from gateway.http.routing import LIMIT, PARTY, Answer, Call, Cursor, Parameter, Route, adapter_of
from gateway.services.ports.events import EventPage, Events
from mappings.canonical.ids import PartyId

STREAM: Final = "text/event-stream"

HEARTBEAT: Final = 15.0
"""Seconds of silence after which a stream says that it lives."""

LONGEST: Final = 600.0
"""Seconds after which a stream ends, so that its reader comes back with a key that is looked at anew."""


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """An event (CloudEvents 1.0, JSON).

    Attributes:
        id: Of the event; the same wherever it is told.
        source: Whose: `/v1/parties/FR*ABC`.
        type: `roamgate.` and what happened.
        subject: Of what, as a path below `/v1`.
        time: When it happened.
        party: The party.
    """

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: Literal["application/json"]
    party: PartyId
    data: JsonValue


@dataclass(frozen=True, slots=True)
class EventList:
    """Events in order; `next` is where to read on, also when there is none yet."""

    items: Sequence[CloudEvent]
    next: str


_AFTER = Parameter(
    "after", Cursor, "Where to read on: `next` of the page before; `latest` for what happens from now on."
)
_TYPE = Parameter("type", EventType, "Only this type, with or without `roamgate.`.")
_WAIT = Parameter(
    "wait", Annotated[int, Field(ge=0, le=60)], "Seconds to wait for an event where there is none.", default=0
)


class EventOperations:
    """`/v1/events`."""

    def __init__(self, events: Events) -> None:
        self._events = events

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        return [
            Route(
                "GET",
                "/v1/events",
                self.list,
                "Read events",
                "Events",
                {
                    200: Answer(
                        "Events in the order of the feed.",
                        EventList,
                        also={STREAM: "Server-Sent Events; the data of each is one event."},
                    )
                },
                parameters=(PARTY, _TYPE, _AFTER, LIMIT, _WAIT),
                problems=["conflict"],
            )
        ]

    async def list(self, call: Call) -> web.StreamResponse:
        """Gives what happened to the key's parties, each event once and in order.

        With `Accept: text/event-stream` events are streamed as they happen (Server-Sent Events); `Last-Event-ID`
        goes before `after`. A cursor whose events are no longer kept is a conflict.
        """
        if STREAM in call.request.headers.get("Accept", ""):
            return await self._stream(call)
        page = await self._wait(call, call["after"], call["wait"], call["limit"])
        items = ",".join(event.json for event in page.events)
        return web.Response(text=f'{{"items":[{items}],"next":"{page.next}"}}', content_type="application/json")

    async def _wait(self, call: Call, after: str | None, seconds: float, limit: int) -> EventPage:
        """Reads on, waiting for something to read."""
        until = time.monotonic() + seconds
        parties = call.parties(call["party"])
        while True:
            changes = self._events.changes
            page = await self._events.read(parties, after, call["type"], limit)
            left = until - time.monotonic()
            if page.events or left <= 0 or self._events.ended:
                return page
            after = page.next
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await changes.wait()

    async def _stream(self, call: Call) -> web.StreamResponse:
        after = _last_event_id(call.request) or call["after"]
        page = await self._wait(call, after, 0, call["limit"])  # what is wrong is said before the stream begins
        response = web.StreamResponse(headers={"Content-Type": STREAM, "Cache-Control": "no-store"})
        await response.prepare(call.request)
        until = time.monotonic() + LONGEST
        with suppress(ConnectionError):  # the reader is gone
            await response.write(b"retry: 1000\n\n")
            while True:
                await response.write(_written(page))
                if self._events.ended or time.monotonic() >= until:
                    break
                page = await self._wait(call, page.next, HEARTBEAT, call["limit"])
            await response.write_eof()
        return response


def _written(page: EventPage) -> bytes:
    """Writes events as the stream has them; a comment, with the cursor reached, where there are none."""
    if not page.events:
        return f"id: {page.next}\n:\n\n".encode()
    return "".join(f"id: {cursor}\ndata: {_one_line(json)}\n\n" for cursor, json in page.events).encode()


def _one_line(json: str) -> str:
    # Line breaks of JSON stand between its tokens only: in its texts they are escaped.
    return json.replace("\r", " ").replace("\n", " ")


def _last_event_id(request: web.Request) -> str | None:
    given = request.headers.get("Last-Event-ID")
    if not given:
        return None
    try:
        cursor: str = adapter_of(Cursor).validate_python(given)
    except ValidationError:
        fault = FieldError(field="Last-Event-ID", detail="is not a cursor given by this gateway")
        raise Problem("invalid", "Refused for Last-Event-ID", [fault]) from None
    return cursor
