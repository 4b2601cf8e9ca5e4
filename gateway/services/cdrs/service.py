"""CDRs: accepted once, checked against their session, and told to the hub that authorised it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from gateway.services.cdrs.accepting import SQL, Acceptance
from gateway.services.cdrs.assigning import assign
from gateway.services.cdrs.corrections import correct
from gateway.services.cursors import LAST, encode, number_of
from gateway.services.links import Links
from gateway.services.ports import (
    CdrFilter,
    CdrRefusal,
    CdrResult,
    CdrState,
    CdrView,
    Conflict,
    Corrected,
    Correction,
    Dispute,
    Invalid,
    IssueShown,
    Page,
)
from gateway.services.storing import load_issues
from gateway.store.growth import Growth
from gateway.store.pool import Record, Store
from mappings.canonical.cdrs import Cdr
from mappings.canonical.ids import PartyId

Count: TypeAlias = Callable[[str | None, str, int, Decimal], None]
"""Counts CDRs: the connection's name, what came of them, how many, and their kWh."""


class Cdrs:
    """Implements `ports.Cdrs`.

    Args:
        wake: Called after a commit that left something to tell.
        clock: Gives the present, aware.
        count: Told of what was accepted, refused, or corrected.
    """

    def __init__(
        self,
        store: Store,
        links: Links,
        wake: Callable[[], None],
        clock: Callable[[], datetime],
        count: Count,
    ) -> None:
        self._store = store
        self._links = links
        self._growth = Growth(store)
        self._wake = wake
        self._clock = clock
        self._count = count

    async def accept(self, cdr: Cdr, who: str) -> CdrResult:
        """See `ports.Cdrs.accept`."""
        [result] = await self.accept_many([cdr], who)
        if isinstance(result, CdrResult):
            return result
        if result.conflict:
            [(field, detail)] = result.problems
            raise Conflict(detail, field)
        raise Invalid(*result.problems)

    async def accept_many(self, cdrs: Sequence[Cdr], who: str) -> list[CdrResult | CdrRefusal]:
        """See `ports.Cdrs.accept_many`."""
        del who  # CDRs are not audited: the row says when it came, and never changes
        results: list[CdrResult | CdrRefusal] = []
        async for attempt in self._store.attempts():
            with attempt:
                async with self._links.publishing() as (tx, links):
                    results = await Acceptance(tx, links, self._clock()).run(cdrs)
        created = 0
        for cdr, result in zip(cdrs, results, strict=True):
            if isinstance(result, CdrRefusal):
                self._count(None, "rejected", 1, Decimal())
            elif result.outcome == "created":
                created += 1
                self._count(result.connection, "accepted", 1, cdr.energy)
        if created:
            self._wake()
            await self._growth.note(cdr=created, delivery=created, event=created)
        return results

    async def get(self, party: PartyId, cdr_id: str) -> CdrView | None:
        """See `ports.Cdrs.get`."""
        known = await self._store.fetchrow(SQL["numbers"], party.normal, cdr_id)
        if known is None:
            return None
        # The list from there on, which begins with it.
        rows = await self._store.fetch(
            SQL["list"], known["no"] + 1, [party.normal], None, None, None, False, None, 1, None
        )
        disputes = [
            Dispute(**{**dict(row), "agreed": json.loads(row["agreed"])})
            for row in await self._store.fetch(SQL["disputes"], rows[0]["no"])
        ]
        return replace(_view(rows[0]), disputes=disputes)

    async def list(self, wanted: CdrFilter, after: str | None, limit: int) -> Page[CdrView]:
        """See `ports.Cdrs.list`."""
        rows = await self._store.fetch(
            SQL["list"],
            number_of(after, LAST),
            None if wanted.parties is None else [party.normal for party in wanted.parties],
            wanted.connection,
            wanted.since,
            wanted.unconfirmed_for,
            wanted.disputed,
            wanted.state.value if wanted.state is not None else None,
            limit,
            wanted.session,
        )
        return Page([_view(row) for row in rows], encode(str(rows[-1]["no"])) if len(rows) == limit else None)

    async def assign(self, party: PartyId, cdr_id: str, session: str | None, who: str) -> CdrResult:
        """See `ports.Cdrs.assign`."""
        async for attempt in self._store.attempts():
            with attempt:
                async with self._links.publishing() as (tx, links):
                    result = await assign(tx, links, (party, cdr_id), session, who, self._clock())
                self._wake()
                return result
        raise AssertionError("unreachable")

    async def correct(self, party: PartyId, cdr_id: str, correction: Correction, who: str) -> Corrected:
        """See `ports.Cdrs.correct`."""
        async for attempt in self._store.attempts():
            with attempt:
                async with self._links.publishing() as (tx, links):
                    done = await correct(tx, links, (party, cdr_id), correction, who, self._clock())
                break
        if done.corrected.unchanged:
            return done.corrected
        self._wake()
        self._count(done.connection, done.outcome, 1, done.energy)
        return done.corrected


def _view(row: Record) -> CdrView:
    return CdrView(
        cdr=Cdr.model_validate_json(row["body"]),
        state=CdrState(row["state"]),
        connection=row["connection"],
        review=row["review"],
        attempts=row["attempts"],
        code=row["code"],
        error=row["error"],
        replaced_by=row["replaced_by"],
        replaces=row["replaces"],
        correction=Correction.model_validate_json(row["correction"]) if row["correction"] is not None else None,
        accepted=row["accepted_at"],
        settled=row["settled_at"],
        issues=[IssueShown(*issue) for issue in load_issues(row["issues"])],
    )
