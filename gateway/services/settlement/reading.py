"""Rows of the store as facts that are settled."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from pydantic_core import from_json

from gateway.settling.facts import USUAL, Difference, Fact, SettlingTerms
from gateway.store.pool import Record
from gateway.store.queries import Queries
from mappings.canonical.agreements import AgreementRef, OfferTerms
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.tariffs import Money, Tax

SQL: Final = Queries("gateway.services.settlement", "settlement.sql")

_PARTS: Final = ("fixed_cost", "energy_cost", "time_cost", "parking_cost", "reservation_cost")
_CENTS: Final = Decimal("0.01")
_MINUTE: Final = timedelta(minutes=1)
_MICRO: Final = timedelta(microseconds=1)
_KEPT: Final = 4096
"""Parties, agreements and terms of which a period has few, each a great many times."""

_party: Final = lru_cache(_KEPT)(PartyId)


@lru_cache(_KEPT)
def _terms(body: str) -> SettlingTerms:
    return SettlingTerms.of(OfferTerms.model_validate_json(body))


@lru_cache(_KEPT)
def _agreement(body: str) -> AgreementRef:
    return AgreementRef.model_validate_json(body)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads rows of the statements `out` and `in`.

    Attributes:
        start: Of the period: what ended before came late.
    """

    start: datetime

    def fact(self, row: Record) -> Fact:
        """Reads one. Of the body only what is settled is read: a CDR has a hundred other values."""
        told: dict[str, Any] = from_json(row["body"])
        agreed: dict[str, Any] = json.loads(row["agreed"]) if row["agreed"] is not None else {}
        body = told | {name: value for name, value in agreed.items() if value is not None}
        start, end = datetime.fromisoformat(told["start"]), row["ended_at"]
        cost = _money(body.get("total_cost"))
        return Fact(
            no=row["no"],
            cdr=row["cdr_id"],
            cpo=_party(row["cpo"]),
            emsp=_emsp(row["emsp"], told["identification"]),
            connection=row["connection"],
            country=row["country"],
            start=start,
            end=end,
            at=row["at"],
            energy=_number(body["energy"]),
            minutes=_minutes(end - start),
            currency=told["currency"],
            cost=cost,
            parts=_parts(body if agreed.get("total_cost") is None else agreed) if cost is not None else (),
            rates=_rates(told) if cost is not None and cost.taxes else frozenset(),
            sign=row["sign"],
            credit=row["credit"],
            by_hub=told.get("priced_by_hub", False),
            agreed=bool(agreed),
            late=end < self.start,
            refused=row["refused"],
            agreement=_agreement(row["agreement"]) if row["agreement"] is not None else None,
            terms=_terms(row["terms"]) if row["terms"] is not None else USUAL,
            difference=_difference(row),
        )


def _emsp(told: str | None, driver: Mapping[str, Any]) -> PartyId | None:
    """Names the driver's EMSP: as the hub or our own store does, else as the driver's contract does."""
    if named := told or driver.get("party"):
        return _party(named)
    contract = driver.get("contract_id")
    return ContractId(contract).party if contract is not None else None


def _number(value: float | str) -> Decimal:
    # By its text: the number that was written, and not the nearest one of base two.
    return Decimal(str(value))


def _minutes(lasted: timedelta) -> Decimal:
    return (Decimal(lasted // _MICRO) / (_MINUTE // _MICRO)).quantize(_CENTS)


def _money(told: Mapping[str, Any] | None) -> Money | None:
    if told is None:
        return None
    taxes = tuple(
        Tax.model_construct(
            name=tax["name"],
            percentage=_number(tax["percentage"]) if tax.get("percentage") is not None else None,
            amount=_number(tax["amount"]) if tax.get("amount") is not None else None,
        )
        for tax in told.get("taxes", ())
    )
    return Money.model_construct(net=_number(told["net"]), taxes=taxes)


def _parts(body: Mapping[str, Any]) -> Sequence[Decimal]:
    parts = [_number(cost["net"]) for cost in map(body.get, _PARTS) if cost]
    if body.get("credit") and sum(parts) * _number(body["total_cost"]["net"]) < 0:
        # Parts of a credit are told as those of what it takes back (OCPI 2.2.1, mod_cdrs, Credit CDRs).
        return [-part for part in parts]
    return parts


def _rates(body: Mapping[str, Any]) -> frozenset[Decimal]:
    return frozenset(
        _number(component["vat"])
        for tariff in body.get("tariffs", ())
        for element in tariff["elements"]
        for component in element["price_components"]
        if component.get("vat") is not None
    )


def _difference(row: Record) -> Difference:
    if row["outcome"] is None:
        return _NONE
    decided = json.loads(row["decided"]) if row["decided"] is not None else {}
    agreed = decided.get("agreed")
    return Difference(
        net=row["difference_net"],
        disputed=row["state"] == "disputed",
        differs=row["outcome"] == "differs" and row["state"] != "accepted",
        why=row["why"],
        agreed=_number(agreed["net"]) if agreed is not None else None,
    )


_NONE: Final = Difference()
