"""How parties are billed."""

from gateway.services.cursors import decode, encode
from gateway.services.ports import BadCursor, NotFound, Page, Parties
from gateway.services.settlement.reading import SQL
from gateway.store.pool import Store
from mappings.canonical.billing import BillingParty
from mappings.canonical.ids import PartyId


class BillingParties:
    """Implements `ports.settlement.BillingParties`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def list(self, parties: Parties, after: str | None, limit: int) -> Page[BillingParty]:
        """See `ports.settlement.BillingParties.list`."""
        normal = None if parties is None else [party.normal for party in parties]
        rows = await self._store.fetch(SQL["billing_parties"], _start(after), normal, limit)
        items = [BillingParty.model_validate_json(row["body"]) for row in rows]
        return Page(items, encode(rows[-1]["party"]) if len(rows) == limit else None)

    async def get(self, party: PartyId) -> BillingParty:
        """See `ports.settlement.BillingParties.get`."""
        body = await self._store.fetchval(SQL["billing_party"], party.normal)
        if body is None:
            raise NotFound(f"It is not on record how {party} is billed")
        return BillingParty.model_validate_json(body)

    async def put(self, given: BillingParty, who: str) -> bool:
        """See `ports.settlement.BillingParties.put`."""
        body = given.model_dump_json(exclude_none=True)
        async with self._store.transaction() as tx:
            created: bool = await tx.fetchval(SQL["write_billing_party"], given.party.normal, body)
            await tx.execute(SQL["audit"], who, "wrote", f"billing-party/{given.party}", body)
        return created


def _start(after: str | None) -> str:
    if after is None:
        return ""
    key = decode(after, 1)
    if key is None:
        raise BadCursor
    return key[0]
