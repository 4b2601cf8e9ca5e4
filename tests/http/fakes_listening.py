"""Events, webhooks, call-outs and commands in memory."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gateway.events.writing import EventType
from gateway.services.ports import BadCursor, Conflict, Invalid, NotFound, Page, Parties
from gateway.services.ports.commands import CommandView
from gateway.services.ports.events import EventPage, FeedEvent, HookChange, HookView, Tested
from mappings.canonical.commands import CommandAnswer
from mappings.canonical.ids import PartyId
from tests.http.fakes import NOW


class FakeEvents:
    """One event, read with any cursor that is `latest` or a number; a feed that never changes."""

    def __init__(self) -> None:
        self.changes = asyncio.Event()
        self.changes.set()
        self.ended = False

    def end(self) -> None:
        self.ended = True

    async def read(self, parties: Parties, after: str | None, type_: EventType | None, limit: int) -> EventPage:
        if after is not None and after != "latest" and not after.isascii():
            raise BadCursor
        if after == "0":
            raise Conflict("Events after this cursor are no longer kept")
        event = {
            "specversion": "1.0",
            "id": "e-1",
            "source": "/v1/parties/FR*ABC",
            "type": "roamgate.session.changed",
            "subject": "sessions/FR*ABC/1",
            "time": "2026-03-01T12:00:00Z",
            "datacontenttype": "application/json",
            "party": "FR*ABC",
            "data": {"energy": 1.5},
        }
        return EventPage([FeedEvent("WyIxIl0", json.dumps(event))], "WyIxIl0")


class FakeListeners:
    """Knows those that were added."""

    def __init__(self) -> None:
        self.views: dict[str, HookView] = {}

    async def list(self) -> Sequence[HookView]:
        return [self.views[name] for name in sorted(self.views)]

    async def get(self, name: str) -> HookView:
        if name not in self.views:
            raise NotFound(f"There is no {name}")
        return self.views[name]

    async def create(
        self, name: str, url: str, types: Sequence[str], parties: Sequence[PartyId], silence: str | None, who: str
    ) -> tuple[HookView, str]:
        if name in self.views:
            raise Conflict(f"There is a {name} already")
        if "nonsense" in url:
            raise Invalid(("url", "is no URL"))
        self.views[name] = HookView(name, url, types, parties, True, NOW, silence=silence)
        return self.views[name], "whsec_c2VjcmV0"

    async def change(self, name: str, change: HookChange, who: str) -> HookView:
        changes: dict[str, Any] = {
            field: value
            for field in ("url", "types", "parties", "active", "silence")
            if (value := getattr(change, field)) is not None
        }
        self.views[name] = replace(await self.get(name), **changes)
        return self.views[name]

    async def rotate(self, name: str, who: str) -> tuple[HookView, str]:
        return await self.get(name), "whsec_bmV3"

    async def remove(self, name: str, who: str) -> None:
        await self.get(name)
        del self.views[name]

    async def test(self, name: str) -> Tested:
        await self.get(name)
        return Tested("delivered", "delivered")


class FakeDesk:
    """Knows one command, of `FR*ABC`."""

    def __init__(self) -> None:
        self.view = CommandView(
            id="0" * 32,
            connection="hubject",
            kind="START_SESSION",
            party=PartyId("FR*ABC"),
            command={"kind": "START_SESSION"},
            at=NOW,
            deadline=NOW,
            reference="r-1",
        )

    async def list(
        self, parties: Parties, connection: str | None, open_: bool | None, after: str | None, limit: int
    ) -> Page[CommandView]:
        if after is not None and after != "c":
            raise BadCursor
        seen = parties is None or self.view.party in parties
        return Page([self.view] if seen else [])

    async def get(self, parties: Parties, id_: str) -> CommandView:
        if id_ != self.view.id or (parties is not None and self.view.party not in parties):
            raise NotFound(f"There is no command {id_}")
        return self.view

    async def answer(self, parties: Parties, id_: str, answer: CommandAnswer) -> CommandView:
        if (await self.get(parties, id_)).result is not None:
            raise Conflict("The command was answered before")
        self.view = replace(self.view, result=answer.result, text=answer.text, answered_at=NOW)
        return self.view
