"""Offers and subscriptions as they lie in the store."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from gateway.store.pool import Record
from gateway.store.queries import Queries
from mappings.canonical.agreements import (
    Offer,
    OfferState,
    OfferTerms,
    OfferVersion,
    Subscription,
    SubscriptionState,
)
from mappings.canonical.ids import PartyId

SQL = Queries("gateway.services.offers", "offers.sql")

Row: TypeAlias = Record | Mapping[str, Any]


class StoredOffer(NamedTuple):
    """An offer with where it stands.

    Attributes:
        ends_at: By its terms, or as it was cancelled; None without end.
        told: The newest version that a hub was told of; 0 for none.
    """

    offer: Offer
    connection_id: int
    state: OfferState
    ends_at: datetime | None
    published_at: datetime | None
    cancelled_at: datetime | None
    told: int


class StoredVersion(NamedTuple):
    """A version with where it stands.

    Attributes:
        waits: It has not come into force.
    """

    version: OfferVersion
    waits: bool
    created_at: datetime
    created_by: str


class StoredSubscription(NamedTuple):
    """A subscription with where it stands.

    Attributes:
        source: Who keeps it.
        wanted_at: Before which its EMSP does not want it.
        began: It has been told that it holds.
    """

    subscription: Subscription
    source: str
    wanted_at: datetime | None
    began: bool
    external: str | None


def read_offer(row: Row) -> StoredOffer:
    """Reads a row of `offer`."""
    return StoredOffer(
        Offer.model_validate_json(row["body"]),
        row["connection_id"],
        OfferState(row["state"]),
        row["ends_at"],
        row["published_at"],
        row["cancelled_at"],
        row["told"],
    )


def read_version(row: Row) -> StoredVersion:
    """Reads a row of `offer_version`."""
    terms = OfferTerms.model_validate_json(row["terms"])
    version = OfferVersion(number=row["number"], starts=row["starts_at"], terms=terms)
    return StoredVersion(version, row["due_at"] is not None, row["created_at"], row["created_by"])


def read_subscription(row: Row) -> StoredSubscription:
    """Reads a row of `subscription`."""
    subscription = Subscription(
        id=row["id"],
        offer=row["offer_id"],
        emsp=PartyId(row["emsp"]),
        state=SubscriptionState(row["state"]),
        requested_at=row["requested_at"],
        starts=row["starts_at"],
        cancelled_at=row["cancelled_at"],
        ends=row["ends_at"],
        why=row["why"],
    )
    return StoredSubscription(subscription, row["source"], row["wanted_at"], row["began"], row["external"])


def offer_columns(offer: Offer) -> Sequence[Any]:
    """Gives the columns of an offer that follow from what it says: `$3` on of `insert_offer`."""
    return (
        offer.cpo.normal if offer.cpo is not None else None,
        offer.network_group,
        offer.title,
        offer.model_dump_json(exclude_none=True),
        offer.starts,
        offer.ends,
    )
