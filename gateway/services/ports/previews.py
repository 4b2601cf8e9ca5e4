"""Looking at an offer before anybody has it: who would see and pay what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol

from pydantic import Field

from mappings.canonical.agreements import Offer, OfferTerms, Service
from mappings.canonical.base import Instant, Model, Number
from mappings.canonical.ids import PartyId


class PreviewWish(Model):
    """An offer that is looked at before it is published, or a stored one.

    Attributes:
        at: The moment; the offer's start, or now if that is past, where it is left out.
        emsps: Who; those in the audience, or all that are known, where it is left out.
    """

    offer: Offer | None = None
    terms: OfferTerms | None = None
    at: Instant | None = None
    emsps: Annotated[tuple[PartyId, ...], Field(max_length=100)] | None = None


@dataclass(frozen=True, slots=True)
class SamplePrice:
    """What one sample charge costs at the EVSEs of a group.

    Attributes:
        group: None for all other EVSEs.
        sample: In words, as `20 kWh in 30 minutes, Monday 10:00`.
        net, gross: In `currency`; None where it cannot be said, and `why` says why.
    """

    group: str | None
    tariff_id: str | None
    sample: str
    currency: str | None = None
    net: Number | None = None
    gross: Number | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class PreviewedEmsp:
    """What one EMSP would have.

    Attributes:
        needs: What it would have to do first: nothing, subscribe, be approved.
        now: The services that it has now, at the same EVSEs, by this connection.
        overlapped_by: The offer that it has already and that goes before this one for it.
    """

    emsp: PartyId
    name: str | None
    needs: str
    services: Sequence[Service]
    now: Sequence[Service]
    locations: int
    evses: int
    overlapped_by: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """Who would see and pay what under an offer.

    Attributes:
        problems: Pairs of a field's path and one sentence: why it could not be published as it is.
        overlapping: Published offers of the same network and way, with who goes first in words.
    """

    at: datetime
    locations: int
    evses: int
    emsps: Sequence[PreviewedEmsp]
    prices: Sequence[SamplePrice]
    problems: Sequence[tuple[str, str]] = ()
    overlapping: Sequence[tuple[str, str]] = ()


class Previews(Protocol):
    """Looking at an offer before anybody has it."""

    async def preview(self, offer_id: str | None, wish: PreviewWish) -> Preview:
        """Says who would see and pay what.

        Raises:
            NotFound: There is no such offer, connection or group.
            Invalid: Neither an id nor an offer is given.
        """
