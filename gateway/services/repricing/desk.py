"""Repricings as the backend and people see them, and what people decide."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter

from gateway.events.writing import Event, EventType
from gateway.events.writing import append as append_events
from gateway.services.cursors import LAST, encode, number_of
from gateway.services.ports import Conflict, NotFound, Page, Parties
from gateway.services.ports.repricing import (
    Direction,
    Outcome,
    PastRepricing,
    RepricingDecided,
    RepricingFilter,
    RepricingResult,
    RepricingShown,
    RepricingState,
    RepricingView,
    TariffSource,
)
from gateway.services.repricing.reading import SQL
from gateway.services.repricing.worker import Repricer
from gateway.store.pool import Record, Store
from mappings.canonical.agreements import AgreementRef
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Money

_DECIDED: Final = TypeAdapter(RepricingDecided)
_RESULT: Final = TypeAdapter(RepricingResult)
_PAST: Final = TypeAdapter(PastRepricing)

_EXPORTED: Final = 1000
"""Lines that are read at once."""


class RepricingDesk:
    """Implements `ports.repricing.Repricings`.

    Args:
        wake: Called after a commit that left an event.
        clock: Gives the present, aware.
    """

    def __init__(
        self, store: Store, repricer: Repricer, wake: Callable[[], None], clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._repricer = repricer
        self._wake = wake
        self._clock = clock

    async def list(self, wanted: RepricingFilter, after: str | None, limit: int) -> Page[RepricingView]:
        """See `ports.repricing.Repricings.list`."""
        items = await _read(self._store, wanted, number_of(after, LAST), limit)
        return Page(items, encode(str(items[-1].id)) if len(items) == limit else None)

    async def export(self, wanted: RepricingFilter) -> AsyncIterator[Sequence[RepricingView]]:
        """See `ports.repricing.Repricings.export`."""
        before = LAST
        while items := await _read(self._store, wanted, before, _EXPORTED):
            yield items
            before = items[-1].id

    async def get(self, parties: Parties, no: int) -> RepricingShown:
        """See `ports.repricing.Repricings.get`."""
        row = _found(await self._store.fetchrow(SQL["one"], no, _normal(parties)), no)
        past = await self._store.fetch(SQL["history"], no)
        return RepricingShown(_view(row), _RESULT.validate_json(row["result"]), [_past(each) for each in past])

    async def accept(self, parties: Parties, no: int, why: str, who: str) -> RepricingShown:
        """See `ports.repricing.Repricings.accept`."""
        decided = RepricingDecided(RepricingState.ACCEPTED, why, who, self._clock())
        return await self._decide(parties, no, decided)

    async def dispute(self, parties: Parties, no: int, why: str, agreed: Money | None, who: str) -> RepricingShown:
        """See `ports.repricing.Repricings.dispute`."""
        decided = RepricingDecided(RepricingState.DISPUTED, why, who, self._clock(), agreed)
        return await self._decide(parties, no, decided)

    async def _decide(self, parties: Parties, no: int, decided: RepricingDecided) -> RepricingShown:
        async with self._store.transaction() as tx:
            _found(await tx.fetchrow(SQL["one"], no, _normal(parties)), no)
            row = _found(await tx.fetchrow(SQL["lock"], no), no)
            if row["state"] == RepricingState.CLEAR:
                raise Conflict("There is nothing to decide about what the CDR costs")
            stored = _DECIDED.dump_json(decided, exclude_none=True).decode()
            await tx.execute(SQL["decide"], no, decided.state.value, stored)
            detail = json.dumps({"why": decided.why})
            await tx.execute(SQL["audit"], decided.who, decided.state.value, f"repricing/{no}", detail)
            if row["party"] is not None:
                data: dict[str, Any] = {
                    "id": no,
                    "cpo": row["cpo"],
                    "cdr": row["cdr_id"],
                    "state": decided.state.value,
                    "why": decided.why,
                }
                event = Event(EventType.REPRICING_DECIDED, PartyId(row["party"]), f"repricings/{no}", data)
                await append_events(tx, event)
        self._wake()
        return await self.get(parties, no)

    async def recompute(self, parties: Parties, no: int, who: str) -> RepricingShown:
        """See `ports.repricing.Repricings.recompute`."""
        async with self._store.transaction() as tx:
            row = _found(await tx.fetchrow(SQL["one"], no, _normal(parties)), no)
            await tx.execute(SQL["audit"], who, "recomputed", f"repricing/{no}", None)
        await self._repricer.again(row["subject"])
        return await self.get(parties, no)

    async def recompute_all(self, parties: Parties, since: datetime, who: str) -> int:
        """See `ports.repricing.Repricings.recompute_all`."""
        async with self._store.transaction() as tx:
            count: int = await tx.fetchval(SQL["ask_since"], since, _normal(parties))
            detail = json.dumps({"since": since.isoformat(), "count": count})
            await tx.execute(SQL["audit"], who, "recomputed", "repricings", detail)
        return count


async def _read(store: Store, wanted: RepricingFilter, before: int, limit: int) -> list[RepricingView]:
    rows = await store.search(
        SQL["list"],
        before,
        _normal(wanted.parties),
        wanted.direction is Direction.OUT if wanted.direction is not None else None,
        wanted.outcome,
        wanted.state,
        wanted.connection,
        wanted.cpo.normal if wanted.cpo is not None else None,
        wanted.emsp.normal if wanted.emsp is not None else None,
        wanted.since,
        wanted.until,
        wanted.cdr,
        limit,
    )
    return [_view(row) for row in rows]


def _found(row: Record | None, no: int) -> Record:
    if row is None:
        raise NotFound(f"There is no repricing {no}")
    return row


def _normal(parties: Parties) -> list[str] | None:
    return None if parties is None else [party.normal for party in parties]


def _party(normal: str | None) -> PartyId | None:
    return PartyId(normal) if normal is not None else None


def _view(row: Record) -> RepricingView:
    own = row["subject"] > 0
    return RepricingView(
        id=row["no"],
        direction=Direction.OUT if own else Direction.IN,
        received=None if own else -row["subject"],
        cpo=PartyId(row["cpo"]),
        cdr=row["cdr_id"],
        party=_party(row["party"]),
        emsp=_party(row["emsp"]),
        connection=row["connection"],
        started=row["started_at"],
        currency=row["currency"],
        outcome=Outcome(row["outcome"]),
        why=row["why"],
        told_net=row["told_net"],
        told_gross=row["told_gross"],
        net=row["net"],
        gross=row["gross"],
        difference_net=row["difference_net"],
        difference_gross=row["difference_gross"],
        tariff=row["tariff_id"],
        source=TariffSource(row["source"]) if row["source"] is not None else None,
        version=row["version_no"],
        state=RepricingState(row["state"]),
        decided=_DECIDED.validate_json(row["decided"]) if row["decided"] is not None else None,
        computed=row["computed_at"],
        agreement=AgreementRef.model_validate_json(row["agreement"]) if row["agreement"] is not None else None,
    )


def _past(row: Record) -> PastRepricing:
    return _PAST.validate_python(json.loads(row["body"]) | {"until": row["at"]})
