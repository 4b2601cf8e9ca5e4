"""What charges will cost."""

from pydantic import JsonValue

from gateway.cli.client.wire import Wire, path_of
from gateway.services.ports.quotes import Quote


class Quotes:
    """`/v1/quotes`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def quote(self, wish: dict[str, JsonValue]) -> Quote:
        """Has a charge priced; the wish is the operation's body."""
        return await self._wire.ask(Quote, "POST", path_of("quotes"), json=wish)
