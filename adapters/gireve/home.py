"""What an adapter of an EMSP's connection knows of its own gateway, beyond the connection."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from adapters.core.connection import Connection
from adapters.core.hub import Gateway
from adapters.gireve.settings import Settings
from mappings.canonical.ids import PartyId
from mappings.canonical.parties import Role


@dataclass(frozen=True, slots=True)
class Home:
    """The gateway's side of a connection.

    Attributes:
        public_url: Where IOP reaches the gateway, without a trailing slash.
        emsps: Gives the EMSPs that the connection speaks for, in order.
    """

    public_url: str
    emsps: Callable[[], Awaitable[Sequence[PartyId]]]


async def _nobody() -> Sequence[PartyId]:
    return ()


NOWHERE = Home("", _nobody)
"""Of a connection that speaks for no EMSP."""


def home_of(connection: Connection, gateway: Gateway) -> Home:
    """Gives the home of a connection.

    The EMSPs are those of the settings, else those with a profile that are one, else whoever is in scope.
    """
    presented = Settings.model_validate(connection.settings).parties

    async def emsps() -> Sequence[PartyId]:
        known = presented or await gateway.published.parties(connection)
        named = [party.id for party in known if Role.EMSP in party.roles]
        return named or sorted(connection.scope.parties, key=str)

    return Home(gateway.public_url, emsps)
