"""Commands from hubs, carried to the backend."""

from collections.abc import Mapping

from adapters.core.charging import CommandTaken
from adapters.core.connection import Connection
from mappings.canonical.commands import Command, CommandAnswer


class Commands:
    """Implements `adapters.core.inbound.Commands`."""

    async def perform(self, connection: Connection, command: Command) -> CommandAnswer:
        """See `inbound.Commands.perform`."""
        raise NotImplementedError

    async def take(self, connection: Connection, command: Command, reply_to: Mapping[str, str]) -> CommandTaken:
        """See `inbound.Commands.take`."""
        raise NotImplementedError
