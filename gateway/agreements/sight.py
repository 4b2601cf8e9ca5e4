"""What EMSPs see of networks: of all of them, or of some EVSE groups, or nothing. Pure.

Where a hub is the authority on its contracts, it has decided already what it tells us, and all of that is seen. Where
nobody but us keeps a record, a restricted network is seen by those whose agreements say so.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, NamedTuple, TypeAlias

from gateway.agreements.book import Book, Network
from gateway.agreements.policy import Reason, Request, decide
from mappings.canonical.agreements import Service
from mappings.canonical.ids import PartyId

Reach: TypeAlias = frozenset[str] | None
"""How much of a network somebody has: ids of EVSE groups, none at all, or None for all of it."""

Limits: TypeAlias = Mapping[Network, frozenset[str]]
"""Networks of which somebody has less than all, each with the EVSE groups that they have."""

NOTHING: Final[frozenset[str]] = frozenset()

_NEVER: Final = datetime.max.replace(tzinfo=UTC)

ANYBODY: Final = PartyId("ZZ*ZZZ")
"""Asks for whoever is named nowhere, of a book in which nobody is."""

CHARGING: Final = (Service.REMOTE, Service.AUTHORISE, Service.RESERVATION)
"""What begins a charge."""


class Charging(NamedTuple):
    """What the record here says of charging over a way.

    Attributes:
        allowed: A charge may be begun from afar, or by a medium at the station.
        reason: Of that, as the policy has it.
        services: Those of `CHARGING` that there are.
        offer, version: By which; None where none is needed, or none grants it.
    """

    allowed: bool
    reason: Reason
    services: tuple[Service, ...]
    offer: str | None
    version: int | None


def anybodys(book: Book) -> Book:
    """Gives a book in which nobody is named, which says what is there for everybody."""
    return replace(book, by_emsp={})


def reach(book: Book, network: Network, emsp: PartyId, service: Service, now: datetime) -> Reach:
    """Tells of how much of a network an EMSP has a service."""
    connection_id, cpo = network
    decision = decide(book, connection_id, Request(service, PartyId(cpo), emsp), now)
    if not decision.allowed:
        return NOTHING
    if decision.agreement is None:
        return None
    granting = [decision.agreement, *decision.others]
    if not all(each.terms.evse_groups for each in granting):
        return None
    return frozenset(group for each in granting for group in each.terms.evse_groups)


def restricted(book: Book, connections: Collection[int], now: datetime) -> list[Network]:
    """Gives the networks that not everybody has, over some connections."""
    return [network for network, since in book.restricted.items() if network[0] in connections and since <= now]


def next_moment(book: Book, now: datetime) -> datetime:
    """Gives when something begins or ends next, after a moment."""
    place = bisect_right(book.moments, now)
    return book.moments[place] if place < len(book.moments) else _NEVER


@dataclass(frozen=True, slots=True)
class Sight:
    """What some EMSPs see, together, as long as nothing begins or ends.

    Attributes:
        places: Of which networks they do not see everything.
        statuses: Of which networks they are not told every status.
    """

    book: Book
    emsps: frozenset[PartyId]
    now: datetime
    places: Limits
    statuses: Limits
    _memory: dict[tuple[int, str, str], Charging] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_limited(self) -> bool:
        """Whether there is anything that they do not see."""
        return bool(self.places or self.statuses)

    @property
    def hidden(self) -> Sequence[Network]:
        """The networks of which they see nothing at all."""
        return [network for network, groups in self.places.items() if not groups]

    def sees(self, connection_id: int, party: str, evse_key: str) -> bool:
        """Tells whether an EVSE is seen; `party`: the CPO's normal form, `evse_key` the catalogue's."""
        return self._has(self.places, connection_id, party, evse_key)

    def hears(self, connection_id: int, party: str, evse_key: str) -> bool:
        """Tells whether an EVSE's status is told."""
        return self._has(self.statuses, connection_id, party, evse_key)

    def charging(self, connection_id: int, party: str, evse_key: str) -> Charging | None:
        """Tells what the record says of charging at an EVSE; None where it is not asked for one EMSP alone."""
        if len(self.emsps) != 1:
            return None
        [emsp] = self.emsps
        by_groups = any(one.terms.evse_groups for one in self.book.of(connection_id, party, emsp.normal))
        place = (connection_id, party, evse_key if by_groups else "")
        if (known := self._memory.get(place)) is None:
            known = self._memory[place] = self._charging(connection_id, PartyId(party), emsp, evse_key)
        return known

    def _charging(self, connection_id: int, cpo: PartyId, emsp: PartyId, evse_key: str) -> Charging:
        decisions = {
            service: decide(self.book, connection_id, Request(service, cpo, emsp, evse_key), self.now)
            for service in CHARGING
        }
        services = tuple(service for service, decision in decisions.items() if decision.allowed)
        said = decisions[services[0] if services else Service.REMOTE]
        begins = bool({Service.REMOTE, Service.AUTHORISE} & set(services))
        ref = said.ref
        return Charging(
            begins,
            said.reason,
            services,
            ref.offer if ref is not None else None,
            ref.version if ref is not None else None,
        )

    def _has(self, limits: Limits, connection_id: int, party: str, evse_key: str) -> bool:
        groups = limits.get((connection_id, party))
        if groups is None:
            return True
        return any(evse_key in self.book.members.get(group, ()) for group in groups)


def sight(book: Book, connections: Collection[int], emsps: frozenset[PartyId], now: datetime) -> Sight:
    """Gives what some EMSPs see, each seeing what it may: together, what any of them may.

    Args:
        connections: Those over which nobody but us keeps a record of who may.
    """
    networks = restricted(book, connections, now)
    places = _limits(book, networks, emsps, Service.POI, now)
    statuses = _limits(book, networks, emsps, Service.STATUS, now)
    return Sight(book, emsps, now, places, statuses)


def _limits(
    book: Book, networks: Iterable[Network], emsps: frozenset[PartyId], service: Service, now: datetime
) -> Limits:
    found: dict[Network, frozenset[str]] = {}
    for network in networks:
        groups: set[str] = set()
        for emsp in emsps:
            each = reach(book, network, emsp, service, now)
            if each is None:
                break
            groups |= each
        else:
            found[network] = frozenset(groups)
    return found
