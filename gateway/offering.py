"""The part of the composition root that builds what offers need."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.core.roaming import FeedKind
from gateway.agreements.repository import Agreements
from gateway.metrics import Metrics
from gateway.services.agreement_files.importing import AgreementImporting
from gateway.services.hub_offers.drifting import Drifting
from gateway.services.hub_offers.group_hearing import GroupHearing
from gateway.services.hub_offers.hearing import OfferHearing
from gateway.services.hub_offers.telling import Telling
from gateway.services.links import Links
from gateway.services.offers.announcing import Turned
from gateway.services.offers.clock import Judge
from gateway.services.offers.groups import Groups
from gateway.services.offers.offers import Offers
from gateway.services.offers.previewing import Previewing
from gateway.services.offers.subscriptions import Subscriptions
from gateway.services.offers.turning import Turning
from gateway.services.pulling.one_pull import Sink
from gateway.services.visibility.audience import Audiences
from gateway.services.visibility.syncing import Syncing
from gateway.store.pool import Store


@dataclass(frozen=True, slots=True)
class Offering:
    """What offers are made by, told to hubs, turned by time, and synchronised.

    Attributes:
        sinks: Where goes what hubs say of offers.
    """

    offers: Offers
    subscriptions: Subscriptions
    groups: Groups
    previews: Previewing
    audiences: Audiences
    telling: Telling
    syncing: Syncing
    turning: Turning
    sinks: Mapping[FeedKind, Sink]
    imports: AgreementImporting

    def start(self) -> None:
        """Starts what goes on by itself."""
        self.syncing.start()
        self.telling.start()
        self.turning.start()

    async def stop(self) -> None:
        """Stops it."""
        await self.turning.stop()
        await self.telling.stop()
        await self.syncing.stop()


def offering(
    store: Store,
    links: Links,
    agreements: Agreements,
    drifting: Drifting,
    metrics: Metrics,
    now: Callable[[], datetime],
    judge: Judge,
    *,
    seen: Callable[[], None],
    told: Callable[[], None],
    wake: Callable[[], None],
) -> Offering:
    """Builds it.

    Args:
        judge: The clock by which all replicas go in what they write.
        seen: Called when the catalogue may be seen otherwise.
        told: Called when there are events, or messages to hubs.
        wake: Called when there is something else to tell to hubs.
    """
    audiences, telling = Audiences(agreements, links, now), Telling(store, links, told, now)
    syncing = Syncing(store, links, agreements, audiences, now, seen, wake)

    async def turned(changes: Sequence[Turned]) -> None:
        told()
        telling.members_changed()
        await syncing.on_turned(changes)

    def heard() -> None:
        told()
        telling.members_changed()

    return Offering(
        Offers(store, links, judge, turned, telling),
        Subscriptions(store, links, judge, turned, lambda: uuid.uuid4().hex),
        Groups(store, links, judge, turned),
        Previewing(store, links, agreements, now),
        audiences,
        telling,
        syncing,
        Turning(store, links, now, turned, told, metrics.clock_skew, judge),
        {
            FeedKind.OFFERS: OfferHearing(store, links, drifting, turned, heard, judge),
            FeedKind.GROUP_EVSES: GroupHearing(store, links),
        },
        AgreementImporting(store, links, turned, judge),
    )
