"""Who owes whom: CDRs summed up as they come, one after the other, in memory that does not grow with them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from gateway.settling.facts import Fact
from gateway.settling.lines import Line, Remark, plain, settle
from gateway.settling.rounding import EXACT, rounded
from gateway.settling.taxing import Treatment, Undecided
from mappings.canonical.agreements import RoundedAt, SettlementRounding
from mappings.canonical.base import Number
from mappings.canonical.billing import BillingParty
from mappings.canonical.ids import PartyId

_ZERO: Final = Decimal(0)

_SHOWN: Final = 100
"""CDRs that are named for a remark; the others are counted, and told with the lines."""

LISTED: Final = frozenset(
    {
        *(Remark.UNPRICED, Remark.UNDECIDED, Remark.DISPUTED, Remark.DIFFERS, Remark.AGREED),
        Remark.REFUSED_BY_HUB,
    }
)
"""Remarks whose CDRs a report names: a person has to look at them."""


class RowKey(NamedTuple):
    """What CDRs have in common that are summed up together; parties in normal form."""

    cpo: str
    emsp: str | None
    connection: str
    country: str | None
    currency: str
    treatment: Treatment
    why: Undecided | None
    rate: Decimal | None
    legal: str | None
    rounding: tuple[str, str]


@dataclass(frozen=True, slots=True)
class SettlementRow:
    """CDRs of two parties that are taxed alike.

    Attributes:
        country: Of the stations, ISO 3166-1 alpha-3; left out where nobody tells.
        why: The tax is undecided.
        vat_rate: Per cent; left out where none is charged, or the CDRs tell only amounts.
        legal: What stands on an invoice where no tax is charged.
        rounding: As their agreements say.
        sessions, energy, minutes: Those that were taken back are taken off; kWh.
        net, vat, gross: Left out where they are not known.
        cdrs: How many CDRs, credits and what was taken back are among this.
        hub_priced, agreed, refused_by_hub, late, taken_back, no_agreement: How many of them are so; as in the remarks
            of lines.
        disputed, disputed_net: Of them, and what they come to.
        differs, difference_net: Of them, and what they tell less what they come to.
    """

    cpo: PartyId
    emsp: PartyId | None
    connection: str
    country: str | None
    currency: str
    treatment: Treatment
    why: Undecided | None
    vat_rate: Number | None
    legal: str | None
    rounding: SettlementRounding
    sessions: int
    energy: Number
    minutes: Number
    net: Number | None
    vat: Number | None
    gross: Number | None
    cdrs: int
    hub_priced: int
    agreed: int
    refused_by_hub: int
    late: int
    taken_back: int
    no_agreement: int
    disputed: int
    disputed_net: Number
    differs: int
    difference_net: Number


@dataclass(frozen=True, slots=True)
class Balance:
    """What an EMSP owes a CPO in one currency.

    Attributes:
        owed_by: The EMSP; the CPO where more was taken back than billed, and amounts are negative.
        net, vat, gross: Of what is decided.
        undecided_net: Comes on top, with a tax that is not decided.
        unpriced: CDRs without a price, which come on top, too.
        disputed_net: Is part of the others.
    """

    cpo: PartyId
    emsp: PartyId | None
    owed_by: PartyId | None
    currency: str
    sessions: int
    energy: Number
    minutes: Number
    net: Number
    vat: Number
    gross: Number
    undecided_net: Number
    unpriced: int
    disputed: int
    disputed_net: Number


@dataclass(frozen=True, slots=True)
class Named:
    """A CDR that a person has to look at.

    Attributes:
        difference_net: What it tells less what it comes to under its agreement.
        agreed_net: What both agreed on when it was disputed, until a correction comes.
    """

    cdr: str
    cpo: PartyId
    emsp: PartyId | None
    connection: str
    currency: str
    net: Number | None
    detail: str | None = None
    difference_net: Number | None = None
    agreed_net: Number | None = None


@dataclass(frozen=True, slots=True)
class Remarked:
    """The CDRs of which something is to be said.

    Attributes:
        count: Of all.
        first: Some, as they come; the lines tell all.
    """

    remark: Remark
    count: int
    first: Sequence[Named]


@dataclass(slots=True)
class _Sums:
    cdrs: int = 0
    sessions: int = 0
    energy: Decimal = _ZERO
    minutes: Decimal = _ZERO
    net: Decimal = _ZERO
    vat: Decimal = _ZERO
    disputed_net: Decimal = _ZERO
    difference_net: Decimal = _ZERO
    remarks: dict[Remark, int] = field(default_factory=dict)


class Settling:
    """Settles CDRs, and sums them up.

    Args:
        parties: Those of whom it is on record how they are billed.
    """

    def __init__(self, parties: Mapping[PartyId, BillingParty]) -> None:
        self._parties = parties
        self._sums: dict[RowKey, _Sums] = {}
        self._named: dict[Remark, list[Named]] = {remark: [] for remark in Remark if remark in LISTED}
        self._counted: dict[Remark, int] = {}
        self._digest = hashlib.sha256()
        self.count = 0

    def add(self, fact: Fact) -> Line:
        """Adds a CDR, or takes one off, and gives its line."""
        line = settle(fact, self._parties)
        self.count += 1
        self._digest.update(line.canonical())
        sums = self._sums.setdefault(_key(line), _Sums())
        sums.cdrs += 1
        sums.sessions += fact.counts
        sums.energy = EXACT.add(sums.energy, line.energy)
        sums.minutes = EXACT.add(sums.minutes, line.minutes)
        if line.net is not None:
            sums.net = EXACT.add(sums.net, line.net)
        if line.vat is not None:
            sums.vat = EXACT.add(sums.vat, line.vat)
        for remark in line.remarks():
            sums.remarks[remark] = sums.remarks.get(remark, 0) + 1
            self._note(remark, line)
        if fact.difference.disputed and line.net is not None:
            sums.disputed_net = EXACT.add(sums.disputed_net, line.net)
        if fact.difference.differs and fact.difference.net is not None:
            sums.difference_net = EXACT.add(sums.difference_net, fact.difference.net)
        return line

    def _note(self, remark: Remark, line: Line) -> None:
        self._counted[remark] = self._counted.get(remark, 0) + 1
        named = self._named.get(remark)
        if named is None or len(named) >= _SHOWN:
            return
        fact = line.fact
        detail = line.why.value if line.why is not None else fact.difference.why
        difference = fact.difference.net if fact.difference.differs else None
        named.append(
            Named(
                *(fact.cdr, fact.cpo, fact.emsp, fact.connection, fact.currency, line.net, detail),
                difference_net=difference,
                agreed_net=fact.difference.agreed,
            )
        )

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical lines so far, in hexadecimal digits."""
        return self._digest.hexdigest()

    def rows(self) -> list[SettlementRow]:
        """Gives the sums, in one order."""
        return [_row(key, self._sums[key]) for key in sorted(self._sums, key=_order)]

    def remarks(self) -> list[Remarked]:
        """Gives what is to be said of CDRs, and names those that a person has to look at."""
        return [
            Remarked(remark, self._counted[remark], tuple(self._named.get(remark, ())))
            for remark in Remark
            if remark in self._counted
        ]


def _key(line: Line) -> RowKey:
    fact, rounding = line.fact, line.fact.terms.rounding
    return RowKey(
        fact.cpo.normal,
        fact.emsp.normal if fact.emsp is not None else None,
        fact.connection,
        fact.country,
        fact.currency,
        line.treatment,
        line.why,
        Decimal(plain(line.rate)) if line.rate is not None else None,  # 20 and 20.0 are one row, and told alike
        line.legal,
        (rounding.at.value, rounding.mode.value),
    )


def _order(key: RowKey) -> tuple[str, ...]:
    return tuple("" if part is None else f"{part:020.6f}" if isinstance(part, Decimal) else str(part) for part in key)


def _row(key: RowKey, sums: _Sums) -> SettlementRow:
    rounding = SettlementRounding.model_validate({"at": key.rounding[0], "mode": key.rounding[1]})
    net: Decimal | None = sums.net
    vat: Decimal | None = sums.vat
    gross: Decimal | None = None
    if rounding.at is RoundedAt.TOTAL:
        net, vat = (rounded(amount, key.currency, rounding.mode) for amount in (sums.net, sums.vat))
    if key.treatment is Treatment.UNPRICED:
        net = vat = None
    elif key.treatment is Treatment.UNDECIDED:
        vat = None
    elif net is not None and vat is not None:
        gross = EXACT.add(net, vat)
    remarks = sums.remarks
    return SettlementRow(
        cpo=PartyId(key.cpo),
        emsp=PartyId(key.emsp) if key.emsp is not None else None,
        connection=key.connection,
        country=key.country,
        currency=key.currency,
        treatment=key.treatment,
        why=key.why,
        vat_rate=key.rate,
        legal=key.legal,
        rounding=rounding,
        sessions=sums.sessions,
        energy=sums.energy,
        minutes=sums.minutes,
        net=net,
        vat=vat,
        gross=gross,
        cdrs=sums.cdrs,
        hub_priced=remarks.get(Remark.HUB_PRICED, 0),
        agreed=remarks.get(Remark.AGREED, 0),
        refused_by_hub=remarks.get(Remark.REFUSED_BY_HUB, 0),
        late=remarks.get(Remark.LATE, 0),
        taken_back=remarks.get(Remark.TAKEN_BACK, 0),
        no_agreement=remarks.get(Remark.NO_AGREEMENT, 0),
        disputed=remarks.get(Remark.DISPUTED, 0),
        disputed_net=sums.disputed_net,
        differs=remarks.get(Remark.DIFFERS, 0),
        difference_net=sums.difference_net,
    )


def balances(rows: Sequence[SettlementRow]) -> list[Balance]:
    """Sums rows up to what each party owes each other, in each currency."""
    grouped: dict[tuple[PartyId, PartyId | None, str], list[SettlementRow]] = {}
    for row in rows:
        grouped.setdefault((row.cpo, row.emsp, row.currency), []).append(row)
    return [_balance(*key, those) for key, those in grouped.items()]


def _balance(cpo: PartyId, emsp: PartyId | None, currency: str, rows: Sequence[SettlementRow]) -> Balance:
    decided = [row for row in rows if row.gross is not None]
    undecided = _total([row.net for row in rows if row.treatment is Treatment.UNDECIDED])
    gross = _total([row.gross for row in decided])
    return Balance(
        cpo=cpo,
        emsp=emsp,
        owed_by=cpo if EXACT.add(gross, undecided) < 0 else emsp,
        currency=currency,
        sessions=sum(row.sessions for row in rows),
        energy=_total([row.energy for row in rows]),
        minutes=_total([row.minutes for row in rows]),
        net=_total([row.net for row in decided]),
        vat=_total([row.vat for row in decided]),
        gross=gross,
        undecided_net=undecided,
        unpriced=sum(row.sessions for row in rows if row.treatment is Treatment.UNPRICED),
        disputed=sum(row.disputed for row in rows),
        disputed_net=_total([row.disputed_net for row in rows]),
    )


def _total(amounts: Sequence[Decimal | None]) -> Decimal:
    total = _ZERO
    for amount in amounts:
        if amount is not None:
            total = EXACT.add(total, amount)
    return total
