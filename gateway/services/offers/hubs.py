"""What offers ask of whoever tells hubs of them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from adapters.core.offers import HubIds
from gateway.services.ports.offers import HubSide
from gateway.store.pool import Store, Transaction


class HubsTold(Protocol):
    """Tells hubs of offers, in the transaction that changes them; where a hub is told of none, it does nothing."""

    async def tell(self, tx: Transaction, offer_id: str) -> None:
        """Has the hub of an offer told what it does not know of it."""

    async def take_back(self, tx: Transaction, offer_id: str, number: int) -> bool:
        """Takes back that a hub is told of a version; False where it was told, or may have been."""

    async def hub_sides(self, on: "Store | Transaction", offer_ids: Sequence[str]) -> Mapping[str, HubSide]:
        """Says how far hubs have been told of some offers, those whose hubs are told of any."""

    async def set_hub_ids(self, tx: Transaction, offer_id: str, ids: HubIds, who: str) -> None:
        """See `ports.offers.Offers.set_hub_ids`."""
