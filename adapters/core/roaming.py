"""The contract for the EMSP's side: what is pulled from a hub, and what a hub is asked to do for our own drivers.

What hubs push by themselves comes by `adapters.core.inbound`; driver tokens go out as projections, like everything that
is state (`Adapter.keys`). A pull is one request a page: the gateway decides when, keeps the mark, and survives what a
page holds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from adapters.core.charging import ChargingAdapter, Message
from adapters.core.offers import OffersProfile, OfferToTell
from adapters.core.outcomes import Outcome
from mappings.canonical.agreements import Offer, OfferTerms
from mappings.canonical.commands import Command, CommandAnswer
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.parties import Role
from mappings.report import Issue, Refused

# Pulling


class FeedKind(StrEnum):
    """What the records of a feed are read as."""

    LOCATIONS = "locations"
    """`Location`; key (party, location id)."""
    STATUSES = "statuses"
    """`EvseStatusReport`; key (party, EvseID's normal form)."""
    TARIFFS = "tariffs"
    """`Tariff`; key (party, tariff id, target or "")."""
    PRICES = "prices"
    """`EvsePrices`; key (party, EvseID's normal form)."""
    CDRS = "cdrs"
    """`tuple[Cdr, Leg | None]`; key (party, CDR id)."""
    PARTIES = "parties"
    """`ClientInfo`; key (party, role)."""
    OFFERS = "offers"
    """`mappings.canonical.held_offers.HubOffer`; key (CPO, the hub's offer id)."""
    GROUP_EVSES = "group_evses"
    """`mappings.canonical.held_offers.HubGroupEvse`; key (CPO, the hub's group id, EvseID's normal form)."""


@dataclass(frozen=True, slots=True)
class FeedProfile:
    """One thing that is pulled.

    Attributes:
        name: The operation, as in metrics; unique in the adapter.
        every: How often it is pulled.
        full_every: How often everything is pulled; None where every pull is of everything.
        overlap: By how much a pull of what changed reaches back behind the last one's beginning, since clocks differ.
        longest: The longest span of time that a pull of what changed may name; an older mark needs a full pull.
        per_minute: Requests a minute that all replicas share; None where the hub names no limit.
        prunes: A full pull names everything, so that what it does not name is gone. CDRs never are.
        tells_gone: A pull of what changed tells what is gone, too.
        statuses: Its locations carry the EVSEs' statuses; else these are kept as they are.
        after: A feed that must have been read to its end before this one makes sense.
    """

    name: str
    kind: FeedKind
    every: timedelta
    full_every: timedelta | None = None
    overlap: timedelta = timedelta(minutes=5)
    longest: timedelta | None = None
    per_minute: int | None = None
    prunes: bool = False
    tells_gone: bool = False
    statuses: bool = False
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a page, not yet translated.

    Attributes:
        key: As `FeedKind` says; parties in their normal form.
        digest: Of what the hub sent, 16 bytes; equal content has an equal digest. What is known is not read again.
        read: Translates it. Raises `Refused`, which spoils this record alone.
        gone: The hub says that it no longer is (OICP: deltaType `delete`).
    """

    key: tuple[str, ...]
    digest: bytes
    read: Callable[[], tuple[Any, Sequence[Issue]]]
    gone: bool = False


@dataclass(frozen=True, slots=True)
class PulledPage:
    """One page.

    Attributes:
        unreadable: Records without as much as a key.
        cursor: Where the next page begins, in the adapter's own words; None at the end, of which the adapter makes sure
            by the records, not by what a hub claims of their number.
        total: How many records the hub says there are in all; None where it does not say. A pull of several pages
            whose records do not add up to it may have overlooked something, and prunes nothing.
        part: Which list the page and `total` are of, where a feed is read from several, one after the other.
        at_hand: The next page came with this one, so that it takes no request of the hub's to get it.
    """

    records: Sequence[Record]
    unreadable: Sequence[Refused] = ()
    cursor: str | None = None
    total: int | None = None
    part: str = ""
    at_hand: bool = False


class PullFailed(Exception):
    """A page did not come.

    Attributes:
        outcome: What is known of the request; never `Delivered`.
    """

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(str(outcome))
        self.outcome = outcome


# Commanding


class CommandSent(NamedTuple):
    """What a hub says to a command of ours.

    Attributes:
        answer: What came of it; None where that is told later (`inbound.SentCommands.told`).
        leg: What the hub calls the session that is to begin; None where it does not tell.
        timeout: After which the result will not come any more; None where the hub does not say.
    """

    answer: CommandAnswer | None
    leg: Leg | None = None
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True)
class RoamingProfile:
    """How a hub serves an EMSP.

    Attributes:
        feeds: What can be pulled, by name, in the order in which a first time should run.
        commands: The kinds of `Command` that the hub carries on.
        command_within: What a command may take until its result is known.
    """

    feeds: Mapping[str, FeedProfile]
    commands: frozenset[str]
    command_within: timedelta


class RoamingAdapter(Protocol):
    """A hub behind which there are stations for our drivers."""

    @property
    def roaming(self) -> RoamingProfile:
        """How the hub serves an EMSP; without feeds and commands where the connection is none's."""

    async def pull(self, feed: str, since: datetime | None, cursor: str | None) -> PulledPage:
        """Asks for one page.

        Args:
            since: Only what changed from then on; None for everything.
            cursor: As the page before gave it; None for the first.

        Raises:
            PullFailed: It did not come, or is no page.
        """

    async def pull_statuses(self, evse_keys: Sequence[str]) -> PulledPage:
        """Asks for the statuses of some EVSEs by their EvseIDs' normal forms; `FeedKind.STATUSES`.

        Raises:
            PullFailed: As `pull`; `Misconfigured` where the hub cannot be asked so.
        """

    async def command(self, id_: str, command: Command, cpo: PartyId) -> CommandSent:
        """Has a command carried out at a partner's station. Raises nothing that a hub or a network can cause.

        Args:
            id_: Ours; by which a later result finds it.
            cpo: Whose station.
        """


# Offering


class OffersAdapter(Protocol):
    """A hub, as far as offers go."""

    @property
    def offers(self) -> OffersProfile:
        """What the hub takes of offers."""

    def check_offer(self, offer: Offer, terms: OfferTerms, first: OfferTerms | None = None) -> None:
        """Says whether the hub could take an offer, before it is published, or a later version of it. Pure.

        Args:
            first: What the offer's first version says; None where `terms` are of that.

        Raises:
            Refused: It could not, with the field of the offer or its terms.
        """

    def of_offer(self, told: OfferToTell) -> Message:
        """Says how the hub is told one step. Pure; it is rendered and refused when it is sent."""


class HubAdapter(ChargingAdapter, RoamingAdapter, OffersAdapter, Protocol):
    """All that the gateway knows of one connection to a hub."""

    @property
    def roles(self) -> frozenset[Role]:
        """Which parts our parties play over it: `CPO` (own stations are told), `EMSP` (own drivers are), or both."""
