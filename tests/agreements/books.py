"""Random agreements, and a slow judge of them that shares nothing with the policy but the words.

The judge reads what was offered from one end to the other for each request, by these sentences alone:

- A network is public at a connection until the first published offer of it there starts. From then on it is restricted
  to what its offers say, for good. A member of a network group is in the group's offers from when it is one. An offer
  that had ended by then, or a group that the network had left, makes nothing of this.
- An offer that is published or cancelled serves from its start to its end, by the version that started last. Nothing
  that has ended serves, whatever a clock says.
- Whom an open offer is for has it; any other offer needs a subscription that is active or cancelled, within its time.
- A version gives its services, at the EVSEs of its groups; without groups, at all.
- Of several the most specific counts: a named audience before the public, EVSE groups before the whole network, the
  CPO's own before a network group's, then the lower rank, then the older offer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from gateway.agreements.book import Book, Offered, build
from gateway.agreements.policy import Request
from mappings.canonical.agreements import (
    Joining,
    Member,
    Offer,
    OfferState,
    OfferTerms,
    OfferVersion,
    Service,
    Subscription,
    SubscriptionState,
)
from mappings.canonical.ids import PartyId
from tests.harness import AT

HOUR: Final = timedelta(hours=1)
SPAN: Final = 12
"""Hours in which everything begins and ends; moments lie on the full and the half ones."""

CPOS: Final = (PartyId("NL*AAA"), PartyId("NL*BBB"))
EMSPS: Final = (PartyId("FR*EEE"), PartyId("FR*FFF"), PartyId("FR*GGG"))
STRANGER: Final = PartyId("DE*XXX")
WAYS: Final = (1, 2)
KEYS: Final = ("E1", "E2", "E3")
GROUPS: Final = ("g1", "g2", "empty")
SERVICES: Final = (Service.AUTHORISE, Service.REMOTE)


@dataclass(frozen=True)
class World:
    """What is stored: offers in the order in which they were made, and groups."""

    offers: Sequence[Offered]
    networks: Mapping[str, Sequence[Member]]
    members: Mapping[str, frozenset[str]]

    def book(self) -> Book:
        """Makes the index."""
        return build(self.offers, self.networks, self.members)


@dataclass(frozen=True)
class Judged:
    """What the slow judge says.

    Attributes:
        public: The network is, so that nobody needs anything.
        chosen: Offer, version and subscription that count; None for no.
        others: Offers that would grant it, too.
    """

    public: bool
    chosen: tuple[str, int, str | None] | None
    others: frozenset[tuple[str, int, str | None]]

    @property
    def allowed(self) -> bool:
        """Whether the request is granted."""
        return self.public or self.chosen is not None


def moment(random: Random, least: int = 0) -> datetime:
    """Draws a full hour."""
    return AT + HOUR * random.randint(least, SPAN)


def world(random: Random, most: int = 6) -> World:
    """Draws a world of some offers."""
    members = {group: frozenset(random.sample(KEYS, random.randint(1, 2))) for group in GROUPS[:2]}
    networks = {"n1": _members(random)}
    offers = [_offered(random, number) for number in range(1, random.randint(1, most) + 1)]
    return World(offers, networks, members)


def requests() -> list[Request]:
    """Every request there is: each service of each CPO for each EMSP, one that nobody names, and an unknown one."""
    return [
        Request(service, cpo, emsp, key)
        for service in SERVICES
        for cpo in CPOS
        for emsp in (*EMSPS, STRANGER, None)
        for key in ("E1", "E3", "", None)
    ]


def moments(random: Random, count: int) -> list[datetime]:
    """Draws moments: as something begins or ends, and between."""
    return [AT + HOUR / 2 * random.randint(-1, 2 * SPAN + 2) for _ in range(count)]


def judge(given: World, way: int, request: Request, now: datetime) -> Judged:
    """Judges a request, slowly."""
    public = True
    granting: list[tuple[tuple[object, ...], tuple[str, int, str | None]]] = []
    for one in given.offers:
        if one.connection_id != way or one.state is OfferState.DRAFT:
            continue
        for since, until in _memberships(given, one.offer, request.party):
            served_until = [each for each in (one.ends, until) if each is not None]
            began = max(one.offer.starts, since)
            if began <= now and all(began < each for each in served_until):
                public = False
            if (
                one.state is OfferState.ENDED
                or now < max(one.offer.starts, since)
                or any(now >= each for each in served_until)
            ):
                continue
            started = [version for version in one.versions if version.starts <= now]
            if not started:
                continue
            version = max(started, key=lambda each: each.starts)
            if request.service not in version.terms.services or not _covers(given, version, request.evse_key):
                continue
            named = one.offer.audience is not None
            order = (
                0 if named else 1,
                0 if version.terms.evse_groups else 1,
                0 if one.offer.network_group is None else 1,
                version.terms.rank,
                one.no,
            )
            granting += [
                (order, (one.offer.id, version.number, subscription)) for subscription in _held(one, request.emsp, now)
            ]
    if public:
        return Judged(True, None, frozenset())
    if not granting:
        return Judged(False, None, frozenset())
    _, chosen = min(granting)
    return Judged(False, chosen, frozenset(each for _, each in granting) - {chosen})


def _covers(given: World, version: OfferVersion, key: str | None) -> bool:
    groups = version.terms.evse_groups
    if not groups or key is None:
        return True
    for group in groups:
        for member in given.members.get(group, ()):
            if member == key:
                return True
    return False


def _held(one: Offered, emsp: PartyId | None, now: datetime) -> list[str | None]:
    """Gives by which subscriptions an EMSP has an offer; None for without one."""
    if one.offer.joining is Joining.OPEN:
        return [None] if emsp is None or one.offer.audience is None or emsp in one.offer.audience else []
    found: list[str | None] = []
    for subscription in one.subscriptions:
        if emsp is not None and subscription.emsp != emsp:
            continue
        if subscription.state not in {SubscriptionState.ACTIVE, SubscriptionState.CANCELLED}:
            continue
        if subscription.starts is not None and now < subscription.starts:
            continue
        if subscription.ends is not None and now >= subscription.ends:
            continue
        found.append(subscription.id)
    return found


def _memberships(given: World, offer: Offer, cpo: PartyId) -> list[tuple[datetime, datetime | None]]:
    if offer.cpo is not None:
        return [(offer.starts, None)] if offer.cpo == cpo else []
    members = given.networks.get(offer.network_group or "", ())
    return [(member.since, member.until) for member in members if member.party == cpo]


def _members(random: Random) -> list[Member]:
    """Draws the CPOs of a network group; one may go and come again."""
    found = []
    for cpo in CPOS:
        since = moment(random)
        until = since + HOUR * random.randint(1, 6) if random.random() < 0.5 else None
        found.append(Member(party=cpo, since=since, until=until))
        if until is not None and random.random() < 0.3:
            found.append(Member(party=cpo, since=until + HOUR))
    return random.sample(found, random.randint(0, len(found)))


def _offered(random: Random, number: int) -> Offered:
    starts = moment(random)
    ends = starts + HOUR * random.randint(1, 8) if random.random() < 0.5 else None
    own = random.random() < 0.7
    offer = Offer(
        id=f"o{number}",
        connection="way",
        cpo=random.choice(CPOS) if own else None,
        network_group=None if own else "n1",
        audience=tuple(random.sample(EMSPS, random.randint(1, 2))) if random.random() < 0.5 else None,
        joining=random.choice(list(Joining)),
        title=f"o{number}",
        starts=starts,
        ends=ends,
    )
    versions = [OfferVersion(number=1, starts=starts, terms=_terms(random))]
    if random.random() < 0.4:
        later = starts + HOUR * random.randint(1, 5)
        versions.append(OfferVersion(number=2, starts=later, terms=_terms(random)))
    state = random.choice([*OfferState, OfferState.PUBLISHED, OfferState.PUBLISHED])
    way = random.choice(WAYS)
    return Offered(number, way, offer, state, ends, versions, _subscriptions(random, offer))


def _terms(random: Random) -> OfferTerms:
    return OfferTerms(
        services=frozenset(random.sample(SERVICES, random.randint(1, 2))),
        evse_groups=tuple(random.sample(GROUPS, random.randint(1, 2))) if random.random() < 0.5 else (),
        rank=random.choice((1, 2, 100)),
    )


def _subscriptions(random: Random, offer: Offer) -> list[Subscription]:
    if offer.joining is Joining.OPEN:
        return []
    able = offer.audience if offer.audience is not None else EMSPS
    return [
        _subscription(random, offer, f"{offer.id}-{number}", emsp)
        for number, emsp in enumerate(random.sample(able, random.randint(0, len(able))))
    ]


def _subscription(random: Random, offer: Offer, id_: str, emsp: PartyId) -> Subscription:
    state = random.choice([*SubscriptionState, SubscriptionState.ACTIVE, SubscriptionState.ACTIVE])
    asked = state in {SubscriptionState.REQUESTED, SubscriptionState.UNDER_REVIEW, SubscriptionState.REFUSED}
    starts = None if asked else max(offer.starts, moment(random))
    leaves = state in {SubscriptionState.CANCELLED, SubscriptionState.ENDED}
    return Subscription(
        id=id_,
        offer=offer.id,
        emsp=emsp,
        state=state,
        requested_at=offer.starts,
        starts=starts,
        ends=starts + HOUR * random.randint(1, 6) if leaves and starts is not None else None,
    )
