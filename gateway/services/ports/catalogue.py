"""Partners' stations, as they can be searched and followed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from pydantic import JsonValue

from gateway.agreements.policy import Reason
from gateway.services.ports.common import Page, Parties
from mappings.canonical.agreements import Service
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import ConnectorStandard, EvseStatus, Location
from mappings.canonical.tariffs import Tariff


class Forgotten(ValueError):
    """What changed after the cursor is no longer kept."""


class Box(NamedTuple):
    """Degrees on WGS 84; `west` is greater than `east` where the box crosses the date line."""

    west: float
    south: float
    east: float
    north: float

    def parts(self) -> "tuple[Box, ...]":
        """Gives the box as one or two that do not cross the date line."""
        if self.west <= self.east:
            return (self,)
        return (self._replace(east=180.0), self._replace(west=-180.0))


class Around(NamedTuple):
    """Whatever is at most `radius` metres from a point in degrees."""

    latitude: float
    longitude: float
    radius: float


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries are wanted; what is None or empty says nothing.

    Attributes:
        near: Then entries come by distance.
        statuses: Any of these.
        min_power: In watts, of at least one connector; what nobody told counts as none.
        standards: Any of these, of at least one connector.
        parties: CPOs, any of these.
        text: Words; each must be, or begin, a word of name, address, city, postal code or operator.
        opening_now: Open at this moment; where nobody told when, it is not known to be.
        connection: One of the ways is over this connection.
    """

    box: Box | None = None
    near: Around | None = None
    statuses: frozenset[EvseStatus] = frozenset()
    min_power: int | None = None
    standards: frozenset[ConnectorStandard] = frozenset()
    parties: frozenset[PartyId] = frozenset()
    text: str | None = None
    opening_now: bool = False
    connection: str | None = None


@dataclass(frozen=True, slots=True)
class WayAgreement:
    """What the record here says of charging by a way, for the EMSP that asks.

    A hub knows its own contracts, so that a charge may well begin where the record has no agreement with it; over the
    own network and direct partners it does not.

    Attributes:
        allowed: A charge may be begun from afar, or by a medium at the station.
        reason: Why, or why not: `unrestricted` where the network has no offers there, `agreed`, or what is lacking.
        services: What there is of `remote`, `authorise` and `reservation`.
        offer, version: By which; left out where none is needed, or none grants it.
    """

    allowed: bool
    reason: Reason
    services: Sequence[Service]
    offer: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """An EVSE as one hub offers it.

    Attributes:
        preferred: It speaks for the entry.
        status: As this hub told it.
        status_at: Since when; None where nobody told.
        tariff_ids: Of the prices that this hub told for the EVSE, apart from its connectors'; of `party`'s tariffs.
        agreement: Where it was asked for one EMSP.
    """

    connection: str
    party: PartyId
    location_id: str
    evse_uid: str
    preferred: bool
    status: EvseStatus
    status_at: datetime | None = None
    tariff_ids: Sequence[str] | None = None
    agreement: WayAgreement | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One EVSE, whichever hubs offer it.

    Attributes:
        evse_key: The EvseID's normal form; a name of the catalogue's own where there is none.
        status: The newest that any hub told.
        status_at: Since when; None where nobody told.
        power: Watts that the strongest connector gives; 0 where nobody told.
        distance: Metres, where something near was asked for.
        evse: As the preferred way has it: `Evse` as JSON, with the entry's status.
        location: Likewise: `Location` as JSON, without its EVSEs.
        ways: All of them.
    """

    evse_key: str
    status: EvseStatus
    status_at: datetime | None
    power: int
    distance: float | None
    evse: Mapping[str, JsonValue]
    location: Mapping[str, JsonValue]
    ways: Sequence[Way]


@dataclass(frozen=True, slots=True)
class Change:
    """An entry that changed, as it is now; without one where it is gone."""

    evse_key: str
    gone: bool
    entry: Entry | None = None


class ChangePage(NamedTuple):
    """Some changes; reading on after `next` overlooks none."""

    changes: list[Change]
    next: str


@dataclass(frozen=True, slots=True)
class RankedConnection:
    """A connection, and whether it speaks before others.

    Attributes:
        rank: The smallest speaks; of equal ones, that with the EVSE that was updated last.
    """

    connection: str
    rank: int


@dataclass(frozen=True, slots=True)
class Ways:
    """Who speaks for what several hubs offer.

    Attributes:
        connections: In the order of their ranks.
        electing: The order was changed, and not all entries follow it yet.
    """

    connections: Sequence[RankedConnection]
    electing: bool


class CatalogueSearch(Protocol):
    """Reading partners' stations.

    `emsps`: for whom; what they may not see is not there. None for whoever looks after them all, and sees everything.
    """

    async def search(self, wanted: EntryFilter, after: str | None, limit: int, emsps: Parties = None) -> Page[Entry]:
        """Gives entries, near ones by distance, others in a stable order. A page may be short and have a next one."""

    async def entry(self, evse_key: str, emsps: Parties = None) -> Entry:
        """Gives one entry, by its key in any spelling.

        Raises:
            NotFound: There is none.
        """

    async def locations(
        self, connection: str | None, party: PartyId | None, after: str | None, limit: int, emsps: Parties = None
    ) -> Page[Location]:
        """Gives locations with present statuses.

        Args:
            connection: All that this one offers; None for every EVSE once, as its preferred way has it.
        """

    async def tariffs(
        self, connection: str | None, party: PartyId | None, after: str | None, limit: int, emsps: Parties = None
    ) -> Page[Tariff]:
        """Gives tariffs of partners, those that are for others left out."""

    async def changes(self, after: str | None, limit: int, wait: float, emsps: Parties = None) -> ChangePage:
        """Gives entries that changed since the cursor, each once, as they are now; none of them without a cursor.

        What is not seen any more, since an agreement ended, is given as gone.

        Args:
            wait: Seconds to wait for a change where there is none.

        Raises:
            Forgotten: They are no longer kept.
        """

    async def ways(self) -> Ways:
        """Tells who speaks for what several hubs offer."""

    async def order(self, connections: Sequence[str], who: str) -> Ways:
        """Sets who speaks first: the connections named, in this order, then all others. Audited.

        Raises:
            Invalid: One of them does not exist, or is named twice.
        """

    def end(self) -> None:
        """Has everybody stop who waits for changes."""
