"""Where messages go: the contract, and what keeps it for the hub of a connection."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from pydantic import JsonValue

from adapters.core.adapter import Call
from adapters.core.charging import Message, MessageProfile
from adapters.core.connection import Mode, State
from adapters.core.outcomes import Outcome
from gateway.outbox.delivery_store import Claimed
from gateway.outbox.gate import Gate, Rests
from gateway.outbox.projecting import Link
from gateway.outbox.repository import Outbox
from gateway.services.links import Links
from mappings.report import Issue


class Place(NamedTuple):
    """What one worker serves in each replica.

    Attributes:
        destination: The connection's number, or the hook's negated.
    """

    destination: int
    operation: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery, ready to be sent.

    Attributes:
        send: Sends it; raises nothing that a receiver or a network can cause.
        body: The request's body, to be shown.
        issues: What the translation lost.
    """

    send: Callable[[], Awaitable[Outcome]]
    body: JsonValue
    issues: Sequence[Issue] = ()


class Sender(Protocol):
    """A destination as it is at one moment."""

    @property
    def hub(self) -> str:
        """As metrics have it."""

    @property
    def name(self) -> str:
        """The connection's name, or the hook's."""

    @property
    def protocol(self) -> str:
        """Whose translation it is."""

    @property
    def profile(self) -> MessageProfile:
        """How this kind of message is delivered."""

    @property
    def live(self) -> bool:
        """Whether it sends, or only shows."""

    def prepare(self, claimed: Claimed) -> Prepared:
        """Renders a delivery. Pure.

        Raises:
            Refused: It cannot be said.
        """

    def lets(self) -> bool:
        """Tells whether it may still be sent to: it is as it was when this sender was given."""

    async def turn(self) -> float:
        """Reserves the next request of a paced operation among all replicas; gives the seconds to wait for it."""

    async def pause(self, reason: str) -> None:
        """Stops the destination until somebody acts."""


class Destination(Protocol):
    """One kind of message to one destination."""

    @property
    def rests(self) -> Rests:
        """What its failures come to."""

    def sender(self) -> Sender | None:
        """Gives it as it is now; None where nothing may be tried."""


class Source(Protocol):
    """Knows some destinations."""

    def places(self) -> Collection[Place]:
        """Gives what is to be served."""

    def destination(self, place: Place) -> Destination:
        """Opens a destination."""

    async def refresh(self) -> object:
        """Lets this process know destinations as they are in the store."""


class _OverLink:
    """Implements `Sender` for a connection."""

    def __init__(self, link: Link, gate: Gate, outbox: Outbox, profile: MessageProfile) -> None:
        self._link = link
        self._gate = gate
        self._outbox = outbox
        self.profile = profile
        self.hub = link.connection.hub
        self.name = link.connection.name
        self.protocol = link.adapter.profile.protocol
        self.live = link.connection.mode is Mode.LIVE

    def prepare(self, claimed: Claimed) -> Prepared:
        call, issues = self._link.adapter.render(Message.model_validate_json(claimed.payload))
        return Prepared(lambda: self._tell(call, claimed), call.body, issues)

    async def _tell(self, call: Call, claimed: Claimed) -> Outcome:
        return await self._link.adapter.tell(call, doubtful=claimed.doubtful)

    def lets(self) -> bool:
        return self._gate.lets(self._link)

    async def turn(self) -> float:
        if self.profile.per_minute is None:
            return 0.0
        interval = timedelta(minutes=1) / self.profile.per_minute
        return await self._outbox.pace(self._link.connection.id, self.profile.name, interval)

    async def pause(self, reason: str) -> None:
        await self._gate.pause(self._link, reason)


class LinkDestination:
    """Implements `Destination` for one kind of message of a connection."""

    def __init__(self, outbox: Outbox, links: Links, place: Place, clock: Callable[[], datetime]) -> None:
        self._outbox = outbox
        self._links = links
        self._place = place
        self.rests = Gate(outbox, self._link, links.refresh, clock)

    def _link(self) -> Link | None:
        return self._links.get(self._place.destination)

    def sender(self) -> Sender | None:
        """Gives the connection; None where it is off, not registered, paused or gone."""
        link = self._link()
        if link is None or link.connection.mode is Mode.OFF or link.connection.state is not State.READY:
            return None
        profile = link.adapter.charging.messages.get(self._place.operation)
        return None if profile is None else _OverLink(link, self.rests, self._outbox, profile)


class LinkSource:
    """Implements `Source` for the connections."""

    def __init__(self, outbox: Outbox, links: Links, clock: Callable[[], datetime]) -> None:
        self._outbox = outbox
        self._links = links
        self._clock = clock

    def places(self) -> Collection[Place]:
        """Gives every kind of message of every connection."""
        return {
            Place(link.connection.id, name) for link in self._links.all() for name in link.adapter.charging.messages
        }

    def destination(self, place: Place) -> LinkDestination:
        """Opens one of them."""
        return LinkDestination(self._outbox, self._links, place, self._clock)

    async def refresh(self) -> None:
        """Reads nothing: the dispatcher reads the connections."""
