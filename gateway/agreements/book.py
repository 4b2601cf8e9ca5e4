"""All agreements, indexed for being asked. Pure: made of what the store holds, never changed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from gateway.agreements.model import Agreement, Standing
from mappings.canonical.agreements import (
    Joining,
    Member,
    Offer,
    OfferState,
    OfferVersion,
    Service,
    Subscription,
    SubscriptionState,
)
from mappings.canonical.ids import PartyId

Network: TypeAlias = tuple[int, str]
"""A connection's number and a CPO's normal form."""

Members: TypeAlias = Mapping[str, frozenset[str]]
"""The normal forms of the EvseIDs in EVSE groups, by the group's id."""

_STANDINGS: Final[Mapping[SubscriptionState, Standing]] = MappingProxyType(
    {
        SubscriptionState.REQUESTED: Standing.WAITS,
        SubscriptionState.UNDER_REVIEW: Standing.WAITS,
        SubscriptionState.ACTIVE: Standing.HOLDS,
        SubscriptionState.CANCELLED: Standing.HOLDS,
        SubscriptionState.ENDED: Standing.OVER,
        SubscriptionState.REFUSED: Standing.REFUSED,
    }
)


class Offered(NamedTuple):
    """A published offer as the store holds it.

    Attributes:
        no: Numbers offers in the order in which they were made.
        ends: By its own terms, or as it was cancelled; None without end.
        versions: By their starts.
    """

    no: int
    connection_id: int
    offer: Offer
    state: OfferState
    ends: datetime | None
    versions: Sequence[OfferVersion]
    subscriptions: Sequence[Subscription]


@dataclass(frozen=True, slots=True)
class Book:
    """Agreements by whom they are about.

    Attributes:
        restricted: Since when a network is served to none but those whom its agreements name; for good.
        by_emsp: What an EMSP has of a network, open agreements included, the most specific first.
        by_network: All of a network, those that are over left out; the most specific first.
        by_service: The same, by what they give: for whoever is not known, whose agreements cannot be looked up.
        open: What everybody has of a network.
        members: Of the EVSE groups that agreements name.
        moments: When something begins or ends, in order.
    """

    restricted: Mapping[Network, datetime] = field(default_factory=dict)
    by_emsp: Mapping[tuple[int, str, str], Sequence[Agreement]] = field(default_factory=dict)
    by_network: Mapping[Network, Sequence[Agreement]] = field(default_factory=dict)
    by_service: Mapping[tuple[int, str, Service], Sequence[Agreement]] = field(default_factory=dict)
    open: Mapping[Network, Sequence[Agreement]] = field(default_factory=dict)
    members: Members = field(default_factory=dict)
    moments: Sequence[datetime] = ()

    def of(self, connection_id: int, cpo: str, emsp: str) -> Sequence[Agreement]:
        """Gives the agreements that may concern an EMSP, by normal forms; the most specific first."""
        found = self.by_emsp.get((connection_id, cpo, emsp))
        return found if found is not None else self.open.get((connection_id, cpo), ())

    def covers(self, agreement: Agreement, evse_key: str | None) -> bool:
        """Tells whether an agreement is about an EVSE.

        Args:
            evse_key: The normal form of its EvseID, `""` where it has none; None where no EVSE is meant in particular.
        """
        groups = agreement.terms.evse_groups
        if not groups or evse_key is None:
            return True
        return any(evse_key in self.members.get(group, ()) for group in groups)

    def tariffs(self, agreement: Agreement, evse_key: str | None) -> Sequence[str] | None:
        """Gives the ids of the tariffs that were agreed for an EVSE; None where its own count.

        The line of a group that the EVSE is in goes before the one for all others, in the order of the terms.
        """
        prices = agreement.terms.prices
        for price in prices:
            if price.evse_group is not None and evse_key in self.members.get(price.evse_group, ()):
                return price.tariff_ids
        return next((price.tariff_ids for price in prices if price.evse_group is None), None)


def build(offered: Iterable[Offered], groups: Mapping[str, Sequence[Member]], members: Members) -> Book:
    """Makes the book.

    Args:
        groups: Members of network groups, by the group's id.
    """
    restricted: dict[Network, datetime] = {}
    named: dict[tuple[int, str, str], list[Agreement]] = defaultdict(list)
    open_: dict[Network, list[Agreement]] = defaultdict(list)
    every: dict[Network, list[Agreement]] = defaultdict(list)
    for one in offered:
        if one.state is OfferState.DRAFT:
            continue
        for member in _networks(one.offer, groups):
            network = one.connection_id, member.party.normal
            since = max(one.offer.starts, member.since)
            if any(end is not None and end <= since for end in (one.ends, member.until)):
                continue  # the network never was in it
            restricted[network] = min(since, restricted.get(network, since))
            for agreement in _agreements(one, member):
                if agreement.standing is not Standing.OVER:
                    every[network].append(agreement)
                if agreement.emsp is None:
                    open_[network].append(agreement)
                else:
                    named[(*network, agreement.emsp.normal)].append(agreement)
    by_emsp = {key: _in_order([*found, *open_.get(key[:2], ())]) for key, found in named.items()}
    by_network = {network: _in_order(found) for network, found in every.items()}
    return Book(
        restricted,
        by_emsp,
        by_network,
        _by_service(by_network),
        {network: _in_order(found) for network, found in open_.items()},
        members,
        _moments(restricted, by_network),
    )


def _moments(
    restricted: Mapping[Network, datetime], by_network: Mapping[Network, Sequence[Agreement]]
) -> Sequence[datetime]:
    found = set(restricted.values())
    for agreements in by_network.values():
        found.update(agreement.starts for agreement in agreements)
        found.update(agreement.ends for agreement in agreements if agreement.ends is not None)
    return sorted(found)


def _by_service(
    by_network: Mapping[Network, Sequence[Agreement]],
) -> Mapping[tuple[int, str, Service], Sequence[Agreement]]:
    found: dict[tuple[int, str, Service], list[Agreement]] = defaultdict(list)
    for network, agreements in by_network.items():
        for agreement in agreements:
            for service in agreement.terms.services:
                found[(*network, service)].append(agreement)
    return found


def _in_order(agreements: list[Agreement]) -> tuple[Agreement, ...]:
    return tuple(sorted(agreements, key=lambda one: one.precedence))


def _networks(offer: Offer, groups: Mapping[str, Sequence[Member]]) -> Sequence[Member]:
    if offer.cpo is not None:
        return [Member(party=offer.cpo, since=offer.starts)]
    return groups.get(offer.network_group or "", ())


def _agreements(one: Offered, member: Member) -> Iterable[Agreement]:
    """Gives the agreements that an offer makes for one network."""
    offer = one.offer
    if offer.joining is Joining.OPEN:
        standing = Standing.OVER if one.state is OfferState.ENDED else Standing.HOLDS
        for emsp in offer.audience if offer.audience is not None else (None,):
            yield from _versions(one, member, emsp, None, standing, offer.starts, None)
        return
    for subscription in one.subscriptions:
        standing = Standing.OVER if one.state is OfferState.ENDED else _STANDINGS[subscription.state]
        if standing is Standing.OVER and subscription.starts is None:  # nobody ever said yes
            continue
        starts = subscription.starts or offer.starts
        yield from _versions(one, member, subscription.emsp, subscription.id, standing, starts, subscription.ends)


def _versions(
    one: Offered,
    member: Member,
    emsp: PartyId | None,
    subscription: str | None,
    standing: Standing,
    starts: datetime,
    ends: datetime | None,
) -> Iterable[Agreement]:
    for number, version in enumerate(one.versions):
        later = one.versions[number + 1].starts if number + 1 < len(one.versions) else None
        begins = max(starts, version.starts, member.since)
        until = min((each for each in (ends, one.ends, later, member.until) if each is not None), default=None)
        if until is not None and until <= begins:
            continue
        yield Agreement(
            offer=one.offer.id,
            offer_no=one.no,
            version=version.number,
            subscription=subscription,
            connection_id=one.connection_id,
            cpo=member.party,
            emsp=emsp,
            terms=version.terms,
            starts=begins,
            ends=until,
            standing=standing,
            targeted=one.offer.audience is not None,
            by_group=one.offer.network_group is not None,
        )
