"""Shows offers with all that belongs to them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from gateway.services.offers.hubs import HubsTold
from gateway.services.offers.rows import SQL, Row, StoredOffer, StoredVersion, read_offer, read_version
from gateway.services.ports.offers import OfferView, VersionState, VersionView
from gateway.store.pool import Store, Transaction
from mappings.canonical.agreements import OfferState, SubscriptionState


async def shown(on: "Store | Transaction", rows: Sequence[Row], now: datetime, hubs: HubsTold) -> list[OfferView]:
    """Makes views of rows of `offer`."""
    ids = [row["id"] for row in rows]
    versions: dict[str, list[StoredVersion]] = defaultdict(list)
    for each in await on.fetch(SQL["versions"], ids):
        versions[each["offer_id"]].append(read_version(each))
    counts: dict[str, dict[SubscriptionState, int]] = defaultdict(dict)
    for each in await on.fetch(SQL["subscription_counts"], ids):
        counts[each["offer_id"]][SubscriptionState(each["state"])] = each["count"]
    ours = {each["id"] for each in await on.fetch(SQL["ours"], ids)}
    told = await hubs.hub_sides(on, ids)
    views = []
    for row in rows:
        stored = read_offer(row)
        views.append(
            OfferView(
                offer=stored.offer,
                state=stored.state,
                ours=row["id"] in ours,
                versions=version_views(stored, versions[row["id"]], now),
                published_at=stored.published_at,
                cancelled_at=stored.cancelled_at,
                ends_at=stored.ends_at,
                subscriptions=counts[row["id"]],
                hub=told.get(row["id"]),
            )
        )
    return views


def version_views(stored: StoredOffer, versions: Sequence[StoredVersion], now: datetime) -> list[VersionView]:
    """Says where the versions of an offer stand; they come by their starts."""
    begun = [number for number, each in enumerate(versions) if _began(stored, each, now)]
    last = begun[-1] if begun else -1
    views = []
    for number, each in enumerate(versions):
        following = versions[number + 1].version.starts if number + 1 < len(versions) else None
        ends = min((moment for moment in (following, stored.ends_at) if moment is not None), default=None)
        if number < last or stored.state is OfferState.ENDED:
            state = VersionState.PAST
        else:
            state = VersionState.IN_FORCE if number == last else VersionState.COMING
        views.append(
            VersionView(
                each.version.number,
                each.version.starts,
                ends,
                state,
                each.version.terms,
                each.created_at,
                each.created_by,
            )
        )
    return views


def _began(stored: StoredOffer, version: StoredVersion, now: datetime) -> bool:
    """Whether a version is or was in force: what was told once is not unsaid by a clock."""
    if stored.state is OfferState.DRAFT:
        return False
    return not version.waits or version.version.starts <= now
