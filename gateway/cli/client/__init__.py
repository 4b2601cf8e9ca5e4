"""A client of the north API, as far as the command line needs it."""

from types import TracebackType
from typing import Self

from gateway.cli.client.abroad import ReceivedCdrs, ReceivedSessions, SentCommands
from gateway.cli.client.catalogue import Pulls
from gateway.cli.client.charging import Authorisations, Cdrs, Commands, Sessions
from gateway.cli.client.connections import Connections
from gateway.cli.client.deliveries import Deliveries, Imports
from gateway.cli.client.driving import DriverTokens, Permits
from gateway.cli.client.events import Events, Listeners
from gateway.cli.client.groups import Documents, EvseGroups, NetworkGroups
from gateway.cli.client.offers import Offers, Subscriptions
from gateway.cli.client.quoting import Quotes
from gateway.cli.client.repricing import Repricings
from gateway.cli.client.settling import BillingParties, Settlements
from gateway.cli.client.wire import ApiRefused, Unreachable, Wire

__all__ = ["ApiRefused", "Client", "Unreachable"]


class Client:
    """One session with a gateway, by resource; each call raises `ApiRefused` or `Unreachable`.

    Args:
        url: Of the gateway, `http://host:port`.
        key: An API key.
    """

    def __init__(self, url: str, key: str) -> None:
        self._wire = wire = Wire(url, key)
        self.connections = Connections(wire)
        self.offers = Offers(wire)
        self.subscriptions = Subscriptions(wire)
        self.network_groups = NetworkGroups(wire)
        self.evse_groups = EvseGroups(wire)
        self.documents = Documents(wire)
        self.deliveries = Deliveries(wire)
        self.imports = Imports(wire)
        self.authorisations = Authorisations(wire)
        self.commands = Commands(wire)
        self.sessions = Sessions(wire)
        self.cdrs = Cdrs(wire)
        self.pulls = Pulls(wire)
        self.driver_tokens = DriverTokens(wire)
        self.permits = Permits(wire)
        self.sent_commands = SentCommands(wire)
        self.received_sessions = ReceivedSessions(wire)
        self.received_cdrs = ReceivedCdrs(wire)
        self.repricings = Repricings(wire)
        self.settlements = Settlements(wire)
        self.billing_parties = BillingParties(wire)
        self.quotes = Quotes(wire)
        self.events = Events(wire)
        self.webhooks = Listeners(wire, "webhooks")
        self.call_outs = Listeners(wire, "call-outs")

    async def __aenter__(self) -> Self:
        await self._wire.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._wire.__aexit__(kind, error, trace)
