"""Settlements, in memory."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from gateway.services.ports import BadCursor, NotFound, Page, Parties
from gateway.services.ports.settlement import (
    Missing,
    SettlementLine,
    SettlementReport,
    SettlementWanted,
    WithoutCdr,
    shown,
)
from gateway.settling.lines import Remark, settle
from gateway.settling.report import Settling, balances
from mappings.canonical.billing import BillingParty
from mappings.canonical.ids import PartyId
from tests.http.fakes import NOW
from tests.settling.facts import CPO, FRENCH, GERMAN, PARTIES, fact

_FACTS = (
    fact(1, FRENCH),
    fact(2, GERMAN, "3.333", cdr="=1+1", by_hub=True),
    fact(3, FRENCH, None, connection="<b>hub</b>"),
)


class FakeSettlements:
    """Three CDRs of `FR*CPO`.

    Attributes:
        asked: What was wanted.
        only: Of which things lines were wanted alone.
    """

    def __init__(self) -> None:
        self.asked: list[SettlementWanted] = []
        self.only: list[frozenset[Remark] | None] = []

    async def report(self, wanted: SettlementWanted) -> SettlementReport:
        self._ask(wanted)
        settling = Settling(PARTIES)
        for one in _FACTS:
            settling.add(one)
        rows = settling.rows()
        return SettlementReport(
            party=wanted.party,
            direction=wanted.direction,
            start=wanted.start,
            end=wanted.end,
            partner=wanted.partner,
            connection=wanted.connection,
            as_of=wanted.as_of or NOW,
            late_since=wanted.late_since,
            digest=settling.digest,
            cdrs=settling.count,
            balances=balances(rows),
            rows=rows,
            remarks=settling.remarks(),
            missing=Missing(1, 0, 2, [WithoutCdr("s-9", None, CPO, None, "hub", NOW - timedelta(hours=1))]),
            parties=list(PARTIES.values()),
        )

    async def lines(
        self, wanted: SettlementWanted, only: frozenset[Remark] | None = None
    ) -> AsyncIterator[Sequence[SettlementLine]]:
        self._ask(wanted)
        self.only.append(only)
        return _pages()

    def _ask(self, wanted: SettlementWanted) -> None:
        self.asked.append(wanted)
        if wanted.party != CPO:
            raise NotFound(f"There is no party {wanted.party}", "party")


async def _pages() -> AsyncIterator[Sequence[SettlementLine]]:
    lines = [shown(settle(one, PARTIES)) for one in _FACTS]
    for page in (lines[:2], [], lines[2:]):
        yield page


class FakeBillingParties:
    """Those of the settlements."""

    def __init__(self) -> None:
        self.parties = dict(PARTIES)

    async def list(self, parties: Parties, after: str | None, limit: int) -> Page[BillingParty]:
        if after is not None:
            raise BadCursor
        return Page([one for one in self.parties.values() if parties is None or one.party in parties][:limit])

    async def get(self, party: PartyId) -> BillingParty:
        if party not in self.parties:
            raise NotFound(f"It is not on record how {party} is billed")
        return self.parties[party]

    async def put(self, given: BillingParty, who: str) -> bool:
        created = given.party not in self.parties
        self.parties[given.party] = given
        return created
