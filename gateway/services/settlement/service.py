"""Settlement reports: CDRs read from the store one after the other, settled, and summed up."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Final

from gateway.services.ports import Invalid, NotFound
from gateway.services.ports.repricing import Direction
from gateway.services.ports.settlement import (
    Missing,
    SettlementLine,
    SettlementReport,
    SettlementWanted,
    WithoutCdr,
    shown,
)
from gateway.services.settlement.reading import SQL, Reader
from gateway.settling.facts import Fact
from gateway.settling.lines import Remark, settle
from gateway.settling.report import Settling, balances
from gateway.store.pool import Record, Store
from mappings.canonical.billing import BillingParty
from mappings.canonical.ids import PartyId

_PAGE: Final = 1000
"""CDRs that are fetched at once."""
_AT_ONCE: Final = 50
"""CDRs that are settled at once; the event loop serves others between them."""
_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)
_FIRST: Final = 0
"""Less than the number of any entry."""
_SHOWN: Final = 100
"""Sessions and CDRs in review that a report names."""


class Settlements:
    """Implements `ports.settlement.Settlements`, by the store's clock: that says when what came into effect."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def report(self, wanted: SettlementWanted) -> SettlementReport:
        """See `ports.settlement.Settlements.report`."""
        as_of = await self._checked(wanted)
        parties = await self._parties(as_of)
        settling = Settling(parties)
        named = {wanted.party}
        async for facts in self._facts(wanted, as_of):
            for fact in facts:
                settling.add(fact)
                named |= {fact.cpo, fact.emsp} if fact.emsp is not None else {fact.cpo}
        rows = settling.rows()
        return SettlementReport(
            party=wanted.party,
            direction=wanted.direction,
            start=wanted.start,
            end=wanted.end,
            partner=wanted.partner,
            connection=wanted.connection,
            as_of=as_of,
            late_since=wanted.late_since,
            digest=settling.digest,
            cdrs=settling.count,
            balances=balances(rows),
            rows=rows,
            remarks=settling.remarks(),
            missing=await self._missing(wanted, as_of),
            parties=sorted((parties[each] for each in named if each in parties), key=lambda one: one.party.normal),
        )

    async def lines(
        self, wanted: SettlementWanted, only: frozenset[Remark] | None = None
    ) -> AsyncIterator[Sequence[SettlementLine]]:
        """See `ports.settlement.Settlements.lines`."""
        as_of = await self._checked(wanted)
        return self._lines(wanted, as_of, only)

    async def _lines(
        self, wanted: SettlementWanted, as_of: datetime, only: frozenset[Remark] | None
    ) -> AsyncIterator[Sequence[SettlementLine]]:
        parties = await self._parties(as_of)
        async for facts in self._facts(wanted, as_of):
            lines = [shown(settle(fact, parties)) for fact in facts]
            yield [line for line in lines if only is None or not only.isdisjoint(line.remarks)]

    async def _checked(self, wanted: SettlementWanted) -> datetime:
        """Gives the moment as of which is told what is wanted.

        Raises:
            NotFound: There is no such party or connection.
            Invalid: The period ends before it begins, or a moment lies ahead.
        """
        [clock] = await self._store.fetch(SQL["clock"])
        faults: list[tuple[str, str]] = []
        if wanted.end <= wanted.start:
            faults.append(("to", "is not after the beginning of the period"))
        if wanted.as_of is not None and wanted.as_of > clock["now"]:
            faults.append(("as_of", "lies ahead"))
        if wanted.late_since is not None and wanted.late_since > (wanted.as_of or clock["now"]):
            faults.append(("late_since", "is after the moment of the report"))
        if faults:
            raise Invalid(*faults)
        await self._demand(wanted)
        settled: datetime = clock["settled"]
        return settled if wanted.as_of is None else min(settled, wanted.as_of)

    async def _demand(self, wanted: SettlementWanted) -> None:
        if not await self._store.fetchval(SQL["known"], wanted.party.normal):
            raise NotFound(f"There is no party {wanted.party}", "party")
        if wanted.connection is not None and not await self._store.fetchval(SQL["connection_known"], wanted.connection):
            raise NotFound(f"There is no connection {wanted.connection}", "connection")

    async def _facts(self, wanted: SettlementWanted, as_of: datetime) -> AsyncIterator[Sequence[Fact]]:
        """Gives what is settled, some at a time.

        Page by page, and not in one transaction: what came into effect by a moment never changes, and whoever reads
        slowly would keep the store from cleaning up.
        """
        reader = Reader(wanted.start)
        partner = wanted.partner.normal if wanted.partner is not None else None
        asked = (wanted.party.normal, wanted.start, wanted.end, as_of, wanted.late_since, wanted.connection, partner)
        # Where nothing late is wanted, the store need not walk through all that ended before the period.
        after = (wanted.start if wanted.late_since is None else _BEFORE_ALL, _FIRST)
        while rows := await self._store.search(SQL[wanted.direction.value], *asked, *after, _PAGE):
            after = (rows[-1]["ended_at"], rows[-1]["no"])
            for begin in range(0, len(rows), _AT_ONCE):
                facts = [reader.fact(row) for row in rows[begin : begin + _AT_ONCE]]
                if partner is not None and wanted.direction is Direction.OUT:
                    facts = [fact for fact in facts if fact.emsp == wanted.partner]
                yield facts
                await asyncio.sleep(0)
            if len(rows) < _PAGE:
                break

    async def _parties(self, as_of: datetime) -> dict[PartyId, BillingParty]:
        rows = await self._store.fetch(SQL["billed_by"], as_of)
        return {one.party: one for one in (BillingParty.model_validate_json(row["body"]) for row in rows)}

    async def _missing(self, wanted: SettlementWanted, as_of: datetime) -> Missing:
        asked = (
            *(wanted.party.normal, wanted.start, wanted.end, as_of, wanted.connection),
            wanted.partner.normal if wanted.partner is not None else None,
            _SHOWN,
        )
        sessions = await self._store.search(SQL[f"without_cdr_{wanted.direction.value}"], *asked)
        waiting = await self._store.search(SQL[f"in_review_{wanted.direction.value}"], *asked)
        nobodys = 0
        if wanted.direction is Direction.IN:
            nobodys = await self._store.fetchval(SQL["without_emsp_in"], *asked[1:-1])
        first = [_without(row) for row in (*sessions, *waiting)][:_SHOWN]
        return Missing(_count(sessions), _count(waiting), nobodys, first)


def _count(rows: Sequence[Record]) -> int:
    return rows[0]["count"] if rows else 0


def _without(row: Record) -> WithoutCdr:
    emsp = row["emsp"]
    return WithoutCdr(
        row["session"],
        row["cdr"],
        PartyId(row["cpo"]),
        PartyId(emsp) if emsp is not None else None,
        row["connection"],
        row["ended"],
    )
