"""Who owes whom: settlement reports, and how parties are billed. Nothing is paid here."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.services.ports.common import Page, Parties
from gateway.services.ports.repricing import Direction
from gateway.settling.lines import Line, Remark
from gateway.settling.report import Balance, Remarked, SettlementRow
from mappings.canonical.base import Number
from mappings.canonical.billing import BillingParty
from mappings.canonical.ids import PartyId


@dataclass(frozen=True, slots=True)
class SettlementWanted:
    """Which CDRs are to be settled.

    Attributes:
        party: Ours: the CPO of what goes out, the EMSP of what came home.
        start, end: Those of charges that ended from `start` on, and before `end`.
        partner: Only with this one.
        connection: Only over this one, by its name.
        as_of: Only what came into effect by then; None for all that is.
        late_since: Those of earlier periods, too, that came into effect after this moment: the `as_of` of the report
            before.
    """

    party: PartyId
    direction: Direction
    start: datetime
    end: datetime
    partner: PartyId | None = None
    connection: str | None = None
    as_of: datetime | None = None
    late_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class SettlementLine:
    """A CDR as it is settled, for people and spreadsheets.

    Attributes:
        no: In which order lines are told, unique.
        sessions: 1; -1 where it takes a session back.
        at: When it came into effect, or ceased to be.
        net, vat, gross: Rounded where the agreement rounds lines or CDRs.
        offer, version, subscription: The agreement that it is pinned to.
        difference_net: What it tells less what it comes to under that agreement.
        agreed_net: What both agreed on when it was disputed, until a correction comes.
    """

    no: int
    cdr: str
    cpo: PartyId
    emsp: PartyId | None
    connection: str
    country: str | None
    sessions: int
    start: datetime
    end: datetime
    at: datetime
    energy: Number
    minutes: Number
    currency: str
    treatment: str
    why: str | None
    vat_rate: Number | None
    net: Number | None
    vat: Number | None
    gross: Number | None
    rounded_at: str
    rounding: str
    legal: str | None
    offer: str | None
    version: int | None
    subscription: str | None
    difference_net: Number | None
    agreed_net: Number | None
    remarks: Sequence[Remark]


def shown(line: Line) -> SettlementLine:
    """Shows a line."""
    fact, agreement = line.fact, line.fact.agreement
    return SettlementLine(
        no=fact.no,
        cdr=fact.cdr,
        cpo=fact.cpo,
        emsp=fact.emsp,
        connection=fact.connection,
        country=fact.country,
        sessions=fact.counts,
        start=fact.start,
        end=fact.end,
        at=fact.at,
        energy=line.energy,
        minutes=line.minutes,
        currency=fact.currency,
        treatment=line.treatment,
        why=line.why,
        vat_rate=line.rate,
        net=line.net,
        vat=line.vat,
        gross=line.gross,
        rounded_at=fact.terms.rounding.at,
        rounding=fact.terms.rounding.mode,
        legal=line.legal,
        offer=agreement.offer if agreement is not None else None,
        version=agreement.version if agreement is not None else None,
        subscription=agreement.subscription if agreement is not None else None,
        difference_net=fact.difference.net,
        agreed_net=fact.difference.agreed,
        remarks=line.remarks(),
    )


@dataclass(frozen=True, slots=True)
class WithoutCdr:
    """A session that ended in the period and has no CDR, or one that waits for a person.

    Attributes:
        cdr: The one that waits; left out where there is none.
    """

    session: str | None
    cdr: str | None
    cpo: PartyId
    emsp: PartyId | None
    connection: str | None
    ended: datetime


@dataclass(frozen=True, slots=True)
class Missing:
    """What is not settled though it may have to be.

    Attributes:
        sessions_without_cdr: That ended in the period, and whose CDR nobody waived.
        cdrs_in_review: That came by the moment of the report, and wait for a person.
        cdrs_without_emsp: That came home by then, and of whose drivers nobody knows whose they are: they are in no
            EMSP's settlement. Those that wait for a person are among them.
        first: Some of both.
    """

    sessions_without_cdr: int
    cdrs_in_review: int
    cdrs_without_emsp: int
    first: Sequence[WithoutCdr]


@dataclass(frozen=True, slots=True)
class SettlementReport:
    """Who owes whom for a period.

    Attributes:
        as_of: What came into effect by then is in it: the same question with this moment gives the same report.
        digest: SHA-256 over the canonical lines, hexadecimal: equal where every line is.
        cdrs: How many lines there are.
        parties: How those are billed who are on record, as it was then.
        remarks: What is to be said of CDRs.
    """

    party: PartyId
    direction: Direction
    start: datetime
    end: datetime
    partner: PartyId | None
    connection: str | None
    as_of: datetime
    late_since: datetime | None
    digest: str
    cdrs: int
    balances: Sequence[Balance]
    rows: Sequence[SettlementRow]
    remarks: Sequence[Remarked]
    missing: Missing
    parties: Sequence[BillingParty]


class Settlements(Protocol):
    """Settlements of own CDRs and of those that came home."""

    async def report(self, wanted: SettlementWanted) -> SettlementReport:
        """Settles CDRs.

        Raises:
            NotFound: There is no such party or connection.
            Invalid: The period ends before it begins, or a moment lies ahead.
        """

    async def lines(
        self, wanted: SettlementWanted, only: frozenset[Remark] | None = None
    ) -> AsyncIterator[Sequence[SettlementLine]]:
        """Gives every line, some at a time, in one order; those only of which one of these things is to be said.

        Raises as `report`, before the first.
        """


class BillingParties(Protocol):
    """How parties are billed, ours and partners'."""

    async def list(self, parties: Parties, after: str | None, limit: int) -> Page[BillingParty]:
        """Gives them by id."""

    async def get(self, party: PartyId) -> BillingParty:
        """Gives one. Raises `NotFound`."""

    async def put(self, given: BillingParty, who: str) -> bool:
        """Writes one; tells whether it is new. Reports as of an earlier moment stay as they were."""
