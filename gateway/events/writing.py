"""Events, written in the transaction of what they tell of."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import JsonValue

from gateway.store.pool import Transaction
from gateway.store.queries import Queries
from mappings.canonical.ids import PartyId

SQL = Queries("gateway.events", "events.sql")


PREFIX: Final = "roamgate."
"""Begins every type, where an event is told."""


class EventType(StrEnum):
    """What happened."""

    AUTHORISATION_ALLOWED = "authorisation.allowed"
    AUTHORISATION_DENIED = "authorisation.denied"
    AUTHORISATION_LATE = "authorisation.late"
    """A second yes came after the first; it opens nothing."""
    COMMAND_RECEIVED = "command.received"
    COMMAND_ANSWERED = "command.answered"
    SESSION_CHANGED = "session.changed"
    SESSION_REVIEW = "session.review"
    """A person has to say what it belongs to."""
    SESSION_WITHOUT_CDR = "session.without_cdr"
    CDR_ACCEPTED = "cdr.accepted"
    CDR_DELIVERED = "cdr.delivered"
    CDR_REFUSED = "cdr.refused"
    CDR_REVIEW = "cdr.review"
    CDR_CORRECTED = "cdr.corrected"
    """It was taken back, and another one stands in its place."""
    CDR_DISPUTED = "cdr.disputed"
    """Another amount was agreed on, which the hub has no message for."""
    CDR_PRICE_DIFFERS = "cdr.price_differs"
    """It costs otherwise than its tariff says, or cannot be shown to cost that; a person has to decide."""
    TOKEN_CHANGED = "token.changed"
    PREFERENCES_RECEIVED = "preferences.received"
    PERMIT_ALLOWED = "permit.allowed"
    """A driver of ours may charge at a partner's station, as a hub asked."""
    PERMIT_DENIED = "permit.denied"
    SENT_COMMAND_ANSWERED = "sent_command.answered"
    RECEIVED_SESSION_CHANGED = "received_session.changed"
    RECEIVED_SESSION_REVIEW = "received_session.review"
    """A person has to look at it."""
    RECEIVED_SESSION_WITHOUT_CDR = "received_session.without_cdr"
    RECEIVED_CDR_ACCEPTED = "received_cdr.accepted"
    RECEIVED_CDR_REVIEW = "received_cdr.review"
    """It is taken, and a person has to accept or reject it."""
    RECEIVED_CDR_DECIDED = "received_cdr.decided"
    """A person did."""
    RECEIVED_CDR_PRICE_DIFFERS = "received_cdr.price_differs"
    """As of an own one."""
    REPRICING_DECIDED = "repricing.decided"
    """A person accepted or disputed what a CDR costs."""
    REPRICING_CLEARED = "repricing.cleared"
    """Nobody has to decide about what a CDR costs any more: it matches by now, or is not in effect."""
    OFFER_PUBLISHED = "offer.published"
    OFFER_VERSION_ADDED = "offer.version_added"
    """It has to come into force yet."""
    OFFER_VERSION_DROPPED = "offer.version_dropped"
    """It was taken back before it came into force."""
    OFFER_VERSION_IN_FORCE = "offer.version_in_force"
    OFFER_CANCELLED = "offer.cancelled"
    """It ends at a day that is known."""
    OFFER_ENDED = "offer.ended"
    OFFER_DRIFT = "offer.drift"
    """A hub holds something else than the record here."""
    SUBSCRIPTION_REQUESTED = "subscription.requested"
    SUBSCRIPTION_APPROVED = "subscription.approved"
    SUBSCRIPTION_ACTIVE = "subscription.active"
    """It holds from now on."""
    SUBSCRIPTION_REFUSED = "subscription.refused"
    SUBSCRIPTION_CANCELLED = "subscription.cancelled"
    """It ends at a day that is known."""
    SUBSCRIPTION_ENDED = "subscription.ended"
    GROUP_CHANGED = "group.changed"
    """Members came to a network group or an EVSE group, or left it."""

    @classmethod
    def _missing_(cls, value: object) -> "EventType | None":
        """Takes a type as events carry it, too."""
        return next((one for one in cls if value == PREFIX + one.value), None)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the backend shall hear of.

    Attributes:
        party: Whose backend.
        subject: Of what, as a path below `/v1`: `sessions/FR*ABC/s-1`. Told in order per subject.
        data: JSON; no secret and no PIN.
    """

    type: EventType
    party: PartyId
    subject: str
    data: JsonValue


async def append(tx: Transaction, *events: Event) -> None:
    """Writes events; they are seen and sent once the transaction is committed."""
    if not events:
        return
    await tx.execute(
        SQL["append"],
        [event.type.value for event in events],
        [event.party.normal for event in events],
        [event.subject for event in events],
        [event.data for event in events],
    )
