"""CDRs out and in that are priced anew, and tariffs that were known since a time of one's own."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from gateway.pricing.rounding import GIREVE
from gateway.services.ports.repricing import RepricingFilter, RepricingShown, RepricingView
from gateway.services.repricing.desk import RepricingDesk
from gateway.services.repricing.reading import Terms
from gateway.services.repricing.worker import Repricer
from gateway.store.pool import Store
from mappings.canonical.cdrs import Cdr
from mappings.canonical.tariffs import Tariff
from tests.harness import tariff
from tests.services.homecoming import CPO, START, Home, cdr, home

TOLERANCE = Decimal("0.01")
LONG_BEFORE = START - timedelta(days=30)


def priced(price: str = "0.4", id_: str = "T1", **changes: Any) -> Tariff:
    """A tariff of `CPO` for energy; 10 kWh cost 4.00."""
    return tariff(id_, price, CPO, **changes)


def bill(id_: str = "c-1", *tariffs: str, **changes: Any) -> Cdr:
    """A CDR of an hour and 10 kWh in one period, for 4.00, that names tariffs in its period."""
    name = {"tariff_id": tariffs[0]} if tariffs else {}
    dimensions = [{"type": "ENERGY", "volume": 10}, {"type": "TIME", "volume": 1}]
    fields: dict[str, Any] = {"periods": [{"start": START, "dimensions": dimensions} | name], "session_id": None}
    return cdr(id_, **(fields | changes))


@dataclass
class Desk:
    """The home, and who prices its CDRs."""

    home: Home
    store: Store
    repricer: Repricer
    desk: RepricingDesk
    counted: list[tuple[str, str, str, str]] = field(default_factory=list)

    async def publish(
        self,
        one: Tariff,
        since: datetime = LONG_BEFORE,
        until: datetime | None = None,
        over: str | None = "hub",
        *,
        first: bool = True,
    ) -> int:
        """Has a tariff known from a moment on, as its hub told it; `over` None for an own one."""
        no: int = await self.store.fetchval(
            "INSERT INTO tariff_version (connection_id, party, tariff_id, target, body, known_from, known_until, first)"
            " VALUES ($1, $2, $3, $4, $5, $6, coalesce($7::timestamptz, 'infinity'), $8) RETURNING no",
            self.home.connection(over).id if over is not None else None,
            one.party.normal,
            one.id,
            one.target.normal if one.target is not None else "",
            one.model_dump_json(exclude_defaults=True),
            since,
            until,
            first,
        )
        return no

    async def all(self, **wanted: Any) -> list[RepricingView]:
        """Prices what waits, and gives all repricings, the oldest first."""
        await self.repricer.work()
        page = await self.desk.list(RepricingFilter(**wanted), None, 1000)
        return list(reversed(page.items))

    async def one(self, *bills: Cdr) -> RepricingShown:
        """Has a hub bring CDRs, prices them, and gives the last repricing."""
        await self.home.bill(*bills)
        return await self.desk.get(None, (await self.all())[-1].id)

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Gives what is told of prices."""
        rows = await self.store.fetch("SELECT type, data FROM event WHERE subject LIKE 'repricings/%' ORDER BY no")
        return [(row["type"], json.loads(row["data"])) for row in rows]


@asynccontextmanager
async def desk(store: Store, processes: int = 0) -> AsyncIterator[Desk]:
    """A home with a desk for prices; nothing is priced by itself."""
    async with home(store) as made:
        counted: list[tuple[str, str, str, str]] = []
        terms = Terms(TOLERANCE, {"scripted": GIREVE})
        repricer = Repricer(store, terms, made.wake, lambda *one: counted.append(one), processes)
        yield Desk(made, store, repricer, RepricingDesk(store, repricer, made.wake, made.clock), counted)
