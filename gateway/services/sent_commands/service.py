"""Commands for our drivers at partners' stations."""

from adapters.core.connection import Connection
from mappings.canonical.commands import CommandAnswer


class SentCommands:
    """Implements `adapters.core.inbound.SentCommands`."""

    async def told(self, connection: Connection, id_: str, answer: CommandAnswer) -> bool:
        """See `inbound.SentCommands.told`."""
        raise NotImplementedError
