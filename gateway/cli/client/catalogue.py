"""Partners' stations, and what is pulled of them."""

from collections.abc import Sequence

from gateway.cli.client.wire import Wire, params, path_of
from gateway.http.v1.pulls import PullList
from gateway.services.ports.pulls import PullView


class Pulls:
    """`/v1/pulls`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def list(self) -> Sequence[PullView]:
        """Gives every feed of every connection."""
        return (await self._wire.ask(PullList, "GET", path_of("pulls"))).items

    async def ask(self, connection: str, feed: str, *, full: bool) -> PullView:
        """Has a feed pulled at once."""
        return await self._wire.ask(PullView, "POST", path_of("pulls", connection, feed), params=params(full=full))
