"""Settings of a CPO's offers at Hubject, and how its NGP API wants to be served."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from adapters.core.charging import MessageProfile
from adapters.core.offers import OffersProfile
from adapters.core.pricing import Unsayable
from adapters.core.roaming import FeedKind, FeedProfile
from mappings.canonical.agreements import Joining
from mappings.canonical.base import Model
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import TariffType
from mappings.oicp.ngp.enums import SERVICES
from mappings.oicp.ngp.offer_rules import LEAST_LEAD_TIME, LONGEST
from mappings.oicp.ngp.vocabulary import MasterData

OFFERS: Final = "offers"
DOCUMENTS: Final = "offer_documents"

BY_PORTAL: Final = OffersProfile(subscribed_there=True)
"""Of a connection that does not use the API: offers are made in Hubject's portal."""


class OffersSettings(Model):
    """How offers are told and read back.

    Attributes:
        partners: Hubject's own ids of the EMPs that bilateral offers are for; its portal shows them, no call does.
        master_data: What an EMP has to state that asks for an offer which needs approval.
        unsayable: What becomes of a tariff with steps, roundings or a highest price, which Hubject's prices have none
            of: refused, or told without them.
        announced_days, bilateral_announced_days: How long before its start an offer has to be told, one to all and any
            other. Hubject's text says that the start lies in the future.
        poll_minutes: How often Hubject's offers and subscriptions are read back.
        per_minute, documents_per_minute: Most requests a minute; Hubject allows 50, and 6 documents.
    """

    partners: Mapping[PartyId, Annotated[str, StringConstraints(min_length=1)]] = {}
    master_data: Annotated[frozenset[MasterData], Field(min_length=1)] = frozenset({MasterData.TAX_ID})
    unsayable: Unsayable = Unsayable.REFUSE
    announced_days: Annotated[int, Field(ge=0, le=366)] = 42
    bilateral_announced_days: Annotated[int, Field(ge=0, le=366)] = 1
    poll_minutes: Annotated[float, Field(gt=0, le=1440)] = 15
    per_minute: Annotated[int, Field(ge=1, le=50)] = 22
    documents_per_minute: Annotated[int, Field(ge=1, le=6)] = 5

    def profile(self) -> OffersProfile:
        """What Hubject takes of offers."""
        return OffersProfile(
            told=True,
            subscribed_there=True,
            joinings=frozenset({Joining.SUBSCRIBE, Joining.APPROVE}),
            services=frozenset().union(*SERVICES.values()),
            announced=timedelta(days=self.bilateral_announced_days),
            announced_to_all=timedelta(days=self.announced_days),
            longest=LONGEST,
            least_lead_time_days=LEAST_LEAD_TIME,
            tariff_types=frozenset({TariffType.REGULAR}),
            one_group=True,
        )

    def messages(self) -> Iterator[MessageProfile]:
        """How steps are told; one whose outcome is in doubt takes two requests, hence under half of what is allowed."""
        yield MessageProfile(OFFERS, 2, self.per_minute)
        yield MessageProfile(DOCUMENTS, 1, self.documents_per_minute)

    def feed(self) -> FeedProfile:
        """How offers are read back."""
        return FeedProfile(
            OFFERS,
            FeedKind.OFFERS,
            every=timedelta(minutes=self.poll_minutes),
            per_minute=self.per_minute,
            prunes=True,
        )
