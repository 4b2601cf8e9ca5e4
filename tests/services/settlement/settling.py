"""Settlements over charges that went their whole way."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from gateway.services.ports.repricing import Direction
from gateway.services.ports.settlement import SettlementLine, SettlementReport, SettlementWanted
from gateway.services.settlement.billing import BillingParties
from gateway.services.settlement.service import Settlements
from gateway.settling.lines import Remark
from gateway.store.pool import Store
from mappings.canonical.billing import BillingParty
from mappings.canonical.ids import PartyId
from mappings.canonical.parties import Party, Role
from mappings.canonical.texts import Business
from tests.harness import WHO, later

DAY = timedelta(days=1)


class Office:
    """Who asks for settlements of a party, of the day of all tests unless told otherwise."""

    def __init__(self, store: Store, party: PartyId, direction: Direction) -> None:
        self._store = store
        self.settlements = Settlements(store)
        self.billing = BillingParties(store)
        self.wanted = SettlementWanted(party, direction, later(-3600), later(-3600) + DAY)

    async def open(self) -> None:
        """Makes the party known."""
        party = self.wanted.party
        role = Role.CPO if self.wanted.direction is Direction.OUT else Role.EMSP
        body = Party(id=party, roles=frozenset({role}), business=Business(name=str(party))).model_dump_json()
        await self._store.execute(
            "INSERT INTO party (id, body) VALUES ($1, $2) ON CONFLICT DO NOTHING", party.normal, body
        )

    async def bills(self, party: PartyId, country: str, vat_id: str | None = None) -> None:
        """Says how a party is billed."""
        one = BillingParty(party=party, name=f"{party} SA", country=country, vat_id=vat_id)
        await self.billing.put(one, WHO)

    async def report(self, **changes: Any) -> SettlementReport:
        """Settles."""
        return await self.settlements.report(replace(self.wanted, **changes))

    async def lines(self, *only: Remark, **changes: Any) -> list[SettlementLine]:
        """Gives every line."""
        wanted = replace(self.wanted, **changes)
        pages = await self.settlements.lines(wanted, frozenset(only) if only else None)
        return [line for page in [one async for one in pages] for line in page]

    async def now(self) -> datetime:
        """The store's clock, once nobody writes with an earlier one."""
        moment: datetime = await self._store.fetchval("SELECT now()")
        return moment


async def opened(store: Store, party: PartyId, direction: Direction) -> AsyncIterator[Office]:
    """An office of a party that is known."""
    office = Office(store, party, direction)
    await office.open()
    yield office
