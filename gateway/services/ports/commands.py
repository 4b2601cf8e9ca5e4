"""Commands from hubs, as the backend sees and answers them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue

from gateway.services.ports.common import Page, Parties
from mappings.canonical.commands import CommandAnswer, CommandResult
from mappings.canonical.ids import PartyId


@dataclass(frozen=True, slots=True)
class CommandView:
    """A command from a hub.

    Attributes:
        kind: `START_SESSION` and so on, as OCPI names them.
        command: What the hub asked for.
        deadline: Until when an answer counts.
        reference: Our id of the authorisation that it is about: what the session shall carry as its reference.
        session_id: The session that it is about, or that began.
        result: What came of it; None as long as nobody said.
    """

    id: str
    connection: str
    kind: str
    party: PartyId
    command: JsonValue
    at: datetime
    deadline: datetime
    reference: str | None = None
    session_id: str | None = None
    result: CommandResult | None = None
    text: str | None = None
    answered_at: datetime | None = None


class CommandDesk(Protocol):
    """Commands from hubs, as the backend sees and answers them."""

    async def list(
        self, parties: Parties, connection: str | None, open_: bool | None, after: str | None, limit: int
    ) -> Page[CommandView]:
        """Gives commands, the newest first.

        Args:
            open_: Whether only those that wait for an answer, or only those that do not.
        """

    async def get(self, parties: Parties, id_: str) -> CommandView:
        """Gives one.

        Raises:
            NotFound: There is none of that id that the parties may see.
        """

    async def answer(self, parties: Parties, id_: str, answer: CommandAnswer) -> CommandView:
        """Says what came of a command. A reservation that was accepted may still be cancelled.

        Raises:
            NotFound: As `get`.
            Conflict: It was answered before, or nobody waits for the answer any more; nothing changed.
        """
