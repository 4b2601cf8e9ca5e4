"""What our drivers do at partners' stations: commands that are sent, sessions and CDRs that come home."""

from typing import Any

from gateway.cli.client.wire import Wire, params, path_of
from gateway.services.ports import Page
from gateway.services.ports.received import ReceivedCdrView, ReceivedSessionView, Verdict
from gateway.services.ports.sent_commands import SentCommandView

_WORDS = {Verdict.ACCEPTED: "accept", Verdict.REJECTED: "reject"}


class SentCommands:
    """`/v1/sent-commands`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def list(self, **wanted: Any) -> Page[SentCommandView]:
        """Gives a page of commands, the newest first; by the operation's parameters."""
        return await self._wire.ask(Page[SentCommandView], "GET", path_of("sent-commands"), params=params(**wanted))

    async def get(self, id_: str) -> SentCommandView:
        """Gives one command."""
        return await self._wire.ask(SentCommandView, "GET", path_of("sent-commands", id_))


class ReceivedSessions:
    """`/v1/received-sessions`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def list(self, **wanted: Any) -> Page[ReceivedSessionView]:
        """Gives a page of sessions, the newest first; by the operation's parameters."""
        path = path_of("received-sessions")
        return await self._wire.ask(Page[ReceivedSessionView], "GET", path, params=params(**wanted))

    async def get(self, no: int) -> ReceivedSessionView:
        """Gives one session."""
        return await self._wire.ask(ReceivedSessionView, "GET", path_of("received-sessions", str(no)))

    async def check(self, no: int) -> ReceivedSessionView:
        """Has a session judged anew."""
        return await self._wire.ask(ReceivedSessionView, "POST", path_of("received-sessions", str(no), "check"))

    async def accept(self, no: int, why: str, permit: str | None) -> ReceivedSessionView:
        """Ends a session's review."""
        body = {"why": why} | ({"permit": permit} if permit is not None else {})
        path = path_of("received-sessions", str(no), "accept")
        return await self._wire.ask(ReceivedSessionView, "POST", path, json=body)

    async def waive_cdr(self, no: int, why: str) -> ReceivedSessionView:
        """Says that a session will have no CDR."""
        path = path_of("received-sessions", str(no), "waive-cdr")
        return await self._wire.ask(ReceivedSessionView, "POST", path, json={"why": why})


class ReceivedCdrs:
    """`/v1/received-cdrs`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def list(self, **wanted: Any) -> Page[ReceivedCdrView]:
        """Gives a page of CDRs, the newest first; by the operation's parameters."""
        return await self._wire.ask(Page[ReceivedCdrView], "GET", path_of("received-cdrs"), params=params(**wanted))

    async def get(self, no: int) -> ReceivedCdrView:
        """Gives one CDR."""
        return await self._wire.ask(ReceivedCdrView, "GET", path_of("received-cdrs", str(no)))

    async def check(self, no: int) -> ReceivedCdrView:
        """Has a CDR judged anew."""
        return await self._wire.ask(ReceivedCdrView, "POST", path_of("received-cdrs", str(no), "check"))

    async def decide(self, no: int, verdict: Verdict, why: str) -> ReceivedCdrView:
        """Accepts or rejects a CDR that waits for review."""
        path = path_of("received-cdrs", str(no), _WORDS[verdict])
        return await self._wire.ask(ReceivedCdrView, "POST", path, json={"why": why})
