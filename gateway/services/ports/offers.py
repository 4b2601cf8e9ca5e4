"""Offers, subscriptions and the groups that they speak of; documents, and what a hub holds instead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pydantic import JsonValue

from adapters.core.offers import HubIds
from gateway.services.ports.common import Page, Parties
from mappings.canonical.agreements import (
    AgreementKey,
    EvseGroup,
    NetworkGroup,
    Offer,
    OfferState,
    OfferTerms,
    Subscription,
    SubscriptionState,
)
from mappings.canonical.base import Instant, Model
from mappings.canonical.ids import EvseId, PartyId

# Offers


class VersionState(StrEnum):
    """Where a version of an offer stands."""

    COMING = "COMING"
    """It may still be taken back."""
    IN_FORCE = "IN_FORCE"
    PAST = "PAST"


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version; `ends` is the next one's start, or the offer's end."""

    number: int
    starts: datetime
    ends: datetime | None
    state: VersionState
    terms: OfferTerms
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class HubSide:
    """How far the hub has been told of an offer.

    Attributes:
        pending: Steps that are on their way.
        refused: Why the hub will not take it, or the mapping cannot say it; somebody has to act.
        seen_at: When the hub's own copy was last read; None if it never showed it.
    """

    ids: HubIds
    pending: Sequence[str] = ()
    refused: str | None = None
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OfferView:
    """An offer with all its versions, the oldest first.

    Attributes:
        ours: The CPO is a party of this gateway; else it is a partner's, on record here.
        ends_at: When it ends: by its terms, or cancelled before; None for an unlimited one.
        subscriptions: How many, by state.
        hub: Only where the hub is told of offers.
    """

    offer: Offer
    state: OfferState
    ours: bool
    versions: Sequence[VersionView]
    published_at: datetime | None
    cancelled_at: datetime | None
    ends_at: datetime | None
    subscriptions: Mapping[SubscriptionState, int]
    hub: HubSide | None = None


@dataclass(frozen=True, slots=True)
class OfferFilter:
    """Which offers: of these parties (as CPO, member of a group, or in the audience), of a connection, in a state.

    Attributes:
        parties: For whom the caller speaks; public published offers are shown to everyone.
        document: Only those that have these terms.
        evse_group: Only those a version of which is for it.
    """

    parties: Parties = None
    connection: str | None = None
    cpo: PartyId | None = None
    state: OfferState | None = None
    document: str | None = None
    evse_group: str | None = None


class NewVersion(Model):
    """A later version of a published offer; it starts after the lead time of the one in force."""

    starts: Instant
    terms: OfferTerms


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the audit trail."""

    at: datetime
    who: str
    action: str
    subject: str
    detail: JsonValue | None


class Offers(Protocol):
    """Offers, of our CPOs and, on record, of partners."""

    async def list(self, wanted: OfferFilter, after: str | None, limit: int) -> Page[OfferView]:
        """Gives offers by id.

        Raises:
            NotFound: There is no such connection.
        """

    async def get(self, offer_id: str) -> OfferView:
        """Gives one. Raises NotFound."""

    async def put(self, offer: Offer, terms: OfferTerms, who: str) -> tuple[OfferView, bool]:
        """Writes a draft; tells whether it is new.

        Raises:
            NotFound: There is no such connection, group or document.
            Conflict: It is published already, so that only a new version changes it; or the title is taken.
            Invalid: The hub could not take it, or a tariff, group or party is unknown.
        """

    async def publish(self, offer_id: str, who: str) -> OfferView:
        """Publishes a draft. From now on it never changes, but by new versions.

        Raises:
            NotFound: There is none.
            Conflict: It is no draft.
            Invalid: It starts too soon for the hub, or in the past (by more than a minute), or makes no sense any more.
        """

    async def add_version(self, offer_id: str, version: NewVersion, who: str) -> OfferView:
        """Adds a version that starts later.

        Raises:
            NotFound: There is no such offer.
            Conflict: It is a draft, cancelled or ended; or a version that starts later is there already.
            Invalid: It starts before the lead time is over or after the offer's end; or as `put`.
        """

    async def drop_version(self, offer_id: str, number: int, who: str) -> OfferView:
        """Takes a version back that is not in force yet.

        Raises:
            NotFound: There is none.
            Conflict: It is or was in force, or the hub was told of it.
        """

    async def cancel(self, offer_id: str, at: datetime | None, who: str) -> OfferView:
        """Ends an offer after its notice, or later; it takes no more subscriptions, and those there are end with it.

        Raises:
            NotFound: There is none.
            Conflict: It is a draft, or ends before already.
            Invalid: The moment is within the notice.
        """

    async def remove(self, offer_id: str, who: str) -> None:
        """Forgets a draft.

        Raises:
            NotFound: There is none.
            Conflict: It is no draft.
        """

    async def history(self, offer_id: str) -> Sequence[Entry]:
        """Gives what was done to it and its subscriptions, by whom, the oldest first. Raises NotFound."""

    async def set_hub_ids(self, offer_id: str, ids: HubIds, who: str) -> OfferView:
        """Says what a hub calls the parts of an offer, where an answer was lost; what is told next is told with them.

        Raises:
            NotFound: There is none.
            Conflict: The hub is told of no offers.
        """


# Subscriptions


class NewSubscription(Model):
    """An EMSP wants an offer.

    Attributes:
        id: Made where it is left out.
        starts: Not before this; as soon as it may otherwise.
    """

    id: AgreementKey | None = None
    offer: AgreementKey
    emsp: PartyId
    starts: Instant | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionFilter:
    """Which subscriptions; `parties`: on either side."""

    parties: Parties = None
    offer: str | None = None
    emsp: PartyId | None = None
    cpo: PartyId | None = None
    connection: str | None = None
    state: SubscriptionState | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    """A subscription and whose offer it is.

    Attributes:
        by_hub: The hub is the authority on it.
    """

    subscription: Subscription
    connection: str
    by_hub: bool
    cpo: PartyId | None = None
    network_group: str | None = None


class Subscriptions(Protocol):
    """Subscriptions, from either side."""

    async def list(self, wanted: SubscriptionFilter, after: str | None, limit: int) -> Page[SubscriptionView]:
        """Gives subscriptions in the order in which they came.

        Raises:
            NotFound: There is no such connection or offer.
        """

    async def get(self, subscription_id: str) -> SubscriptionView:
        """Gives one. Raises NotFound."""

    async def request(self, new: NewSubscription, who: str) -> SubscriptionView:
        """Subscribes. The same request (id and content) once more gives the same subscription.

        Raises:
            NotFound: There is no such offer.
            Conflict: The offer is a draft, cancelled, ended or open to all; the EMSP has it or waits for it already;
                the hub has subscriptions made in its portal; the id is another one's.
            Invalid: The offer is not for this EMSP.
        """

    async def approve(self, subscription_id: str, starts: datetime | None, who: str) -> SubscriptionView:
        """Says yes.

        Raises:
            NotFound: There is none.
            Conflict: It does not wait for that, or the hub decides.
        """

    async def refuse(self, subscription_id: str, why: str, who: str) -> SubscriptionView:
        """Says no. Raises as `approve`."""

    async def cancel(
        self, subscription_id: str, at: datetime | None, who: str, *, by_cpo: bool, why: str | None = None
    ) -> SubscriptionView:
        """Ends one, not before its minimum term and the cancellation days (the CPO: notice days) are over.

        Raises:
            NotFound: There is none.
            Conflict: It is over or cancelled already, or the hub decides.
            Invalid: The moment is too soon.
        """


# Groups and documents


class MembersChanged(Model):
    """EVSEs that come to a group and that leave it."""

    add: tuple[EvseId, ...] = ()
    remove: tuple[EvseId, ...] = ()


@dataclass(frozen=True, slots=True)
class EvseGroupView:
    """An EVSE group without its members, of which there may be very many."""

    id: str
    party: PartyId
    name: str
    description: str
    evses: int


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A terms document; `digest` is SHA-256, in hex."""

    id: str
    party: PartyId
    name: str
    media_type: str
    size: int
    digest: str
    uploaded_at: datetime


class Groups(Protocol):
    """Network groups, EVSE groups, and the documents of terms."""

    async def networks(self, after: str | None, limit: int) -> Page[NetworkGroup]:
        """Gives network groups by id."""

    async def network(self, group_id: str) -> NetworkGroup:
        """Gives one. Raises NotFound."""

    async def put_network(self, group: NetworkGroup, who: str) -> bool:
        """Writes one with its members, who have the group's agreements as long as they are; tells whether it is new.

        Raises:
            Conflict: A member is gone that was one in the past: an end can be set, what was is not unmade.
        """

    async def remove_network(self, group_id: str, who: str) -> None:
        """Forgets one that no offer names. Raises NotFound, Conflict."""

    async def evse_groups(self, parties: Parties, after: str | None, limit: int) -> Page[EvseGroupView]:
        """Gives EVSE groups by id."""

    async def evse_group(self, group_id: str) -> EvseGroupView:
        """Gives one. Raises NotFound."""

    async def members(self, group_id: str, after: str | None, limit: int) -> Page[EvseId]:
        """Gives a group's EVSEs by EvseID. Raises NotFound."""

    async def put_evse_group(self, group: EvseGroup, who: str) -> bool:
        """Writes one with its EVSEs; tells whether it is new.

        Raises:
            Conflict: An EVSE is in another group of the same active network at a hub that allows one.
            Invalid: An EvseID is not one of the party's.
        """

    async def change_members(self, group_id: str, changed: MembersChanged, who: str) -> EvseGroupView:
        """Adds and removes EVSEs. Raises as `put_evse_group`, and NotFound."""

    async def remove_evse_group(self, group_id: str, who: str) -> None:
        """Forgets one that no version in force or to come names. Raises NotFound, Conflict."""

    async def put_document(
        self, document_id: str, party: PartyId, name: str, media_type: str, content: bytes, who: str
    ) -> DocumentView:
        """Stores terms, once.

        Raises:
            Conflict: Another document has the id.
            Invalid: It is no PDF, or larger than 10 MB.
        """

    async def document(self, document_id: str) -> tuple[DocumentView, bytes]:
        """Gives a document. Raises NotFound."""


# Imports


@dataclass(frozen=True, slots=True)
class AgreementRefusal:
    """A row of an import that was not taken; `row` counts from 1, the header not counted."""

    row: int
    field: str
    detail: str


@dataclass(frozen=True, slots=True)
class AgreementImport:
    """What came of an import: rows taken by what became of them, and those refused.

    Attributes:
        missing: Agreements of the connection on record that the file does not name; nothing is done about them.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: Sequence[AgreementRefusal] = ()
    missing: Sequence[str] = field(default_factory=list)


class AgreementImports(Protocol):
    """Taking agreements over from a file: what was signed in a portal without an interface (Gireve's Connect Place)."""

    async def take(self, connection: str, content: bytes, who: str, *, dry_run: bool = False) -> AgreementImport:
        """Takes the rows of a file, CSV or JSON; a bad one is refused by row, the rest is taken.

        Raises:
            NotFound: There is no such connection.
            Invalid: It is neither CSV with the header nor a JSON list, or not UTF-8.
        """


# What the hub holds instead


class DriftKind(StrEnum):
    """In what the record here and the hub disagree."""

    FIELD = "FIELD"
    """An offer or subscription says otherwise there; `field` says where."""
    ONLY_HERE = "ONLY_HERE"
    ONLY_THERE = "ONLY_THERE"
    HUB_SAID_YES = "HUB_SAID_YES"
    """It let somebody charge for whom there is no agreement here."""
    HUB_SAID_NO = "HUB_SAID_NO"
    """It found no contract where there is an agreement here."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A disagreement. It is shown, and nothing is overwritten.

    Attributes:
        subject: The offer, subscription, or pair of parties that it is about, as `offer/O1`, `FR*ABC/DE-XYZ`.
        times: How often it was seen.
    """

    connection: str
    kind: DriftKind
    subject: str
    field: str
    ours: JsonValue | None
    theirs: JsonValue | None
    first_seen_at: datetime
    last_seen_at: datetime
    times: int


class Drifts(Protocol):
    """Where hubs disagree with the record here."""

    async def list(self, connection: str | None, after: str | None, limit: int) -> Page[Drift]:
        """Gives what is not settled, the newest first.

        Raises:
            NotFound: There is no such connection.
        """

    async def settle(self, connection: str, kind: DriftKind, subject: str, field: str, who: str) -> None:
        """Puts one aside that somebody has looked at; it comes back when it is seen again. Raises NotFound."""
