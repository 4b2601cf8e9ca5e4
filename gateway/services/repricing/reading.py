"""What is needed to price CDRs anew, read for many at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from pydantic_core import from_json

from gateway.pricing.rounding import PLAIN, Rules
from gateway.services.repricing.judging import Question, VersionText
from gateway.services.storing import columns
from gateway.services.tariffs.versions import SQL as VERSIONS
from gateway.store.pool import Record, Transaction
from gateway.store.queries import Queries
from mappings.canonical.agreements import OfferTerms, PriceSource
from mappings.canonical.ids import EvseId, PartyId

SQL: Final = Queries("gateway.services.repricing", "repricing.sql")

_PLACES_KEPT: Final = 2048
_TERMS_KEPT: Final = 1024


@dataclass(frozen=True, slots=True)
class Terms:
    """How amounts are compared and rounded.

    Attributes:
        tolerance: By how much amounts may differ that are the same, in units of their currency.
        rules: By hub, for CDRs of its connections whose cost it worked out itself; else OCPI's places.
    """

    tolerance: Decimal
    rules: Mapping[str, Rules] = field(default_factory=dict)


class Asked(NamedTuple):
    """Questions, the versions that they name, and whose connections' they are."""

    questions: Sequence[Question]
    versions: Mapping[int, VersionText]
    connections: Mapping[int, tuple[str, str]]


class _Place(NamedTuple):
    """What a place says of prices: its time zone, and tariffs by EVSE and connector."""

    zone: str | None
    tariffs: Mapping[str, Mapping[str, Sequence[str]]]


@dataclass(slots=True)
class _Peek:
    """A CDR as far as it has to be looked into before it is priced.

    Attributes:
        ids, told: As in `Question`.
        named: Ids of the tariffs that its periods name.
        product: The partner's name of what was sold, which may be a tariff's id (OICP 2.3, PartnerProductID), where
            nothing else names one; `ids` are those of its place then.
        priced_by: Whose tariffs they are, where not the CPO's.
        agreed: As in `Question`.
    """

    row: Record
    queue_no: int
    start: datetime
    end: datetime
    currency: str
    location: Mapping[str, Any]
    hub_priced: bool
    ids: list[str]
    named: list[str]
    zone: str | None = None
    told: bool = True
    product: str | None = None
    priced_by: str | None = None
    agreed: Sequence[str] | None = None


async def ask(tx: Transaction, claimed: Sequence[Record], terms: Terms) -> Asked:
    """Reads what is needed to price CDRs.

    Args:
        claimed: Rows with `subject` and `queue_no`.
    """
    orders = {row["subject"]: row["queue_no"] for row in claimed}
    rows = [
        *await tx.fetch(SQL["own_cdrs"], [subject for subject in orders if subject > 0]),
        *await tx.fetch(SQL["received_cdrs"], [-subject for subject in orders if subject < 0]),
    ]
    peeks = [_peek(row, orders[row["subject"]]) for row in rows]
    await _see_places(tx, peeks)
    await _see_agreements(tx, peeks)
    found, versions = await _see_versions(tx, peeks)
    questions = [_question(peek, found[number], terms) for number, peek in enumerate(peeks)]
    connections = {row["subject"]: (row["hub"] or "", row["connection"] or "") for row in rows}
    return Asked(questions, versions, connections)


def _peek(row: Record, queue_no: int) -> _Peek:
    body = from_json(row["body"])
    start = datetime.fromisoformat(body["start"])
    ids = [tariff["id"] for tariff in body.get("tariffs", ())]
    named = list({name: None for period in body["periods"] if (name := period.get("tariff_id"))})
    return _Peek(
        row=row,
        queue_no=queue_no,
        start=start,
        end=max(start, datetime.fromisoformat(body["end"])),
        currency=body["currency"],
        location=body["location"],
        hub_priced=body.get("priced_by_hub", False),
        ids=ids,
        named=named,
        zone=body["location"].get("time_zone"),
        product=None if ids or named else body.get("product"),
    )


# Places


async def _see_places(tx: Transaction, peeks: Sequence[_Peek]) -> None:
    """Completes what CDRs do not name: their time zone, and tariffs."""
    lacking = [peek for peek in peeks if peek.zone is None or not (peek.ids or peek.named)]
    own = [(n, peek) for n, peek in enumerate(lacking) if peek.row["subject"] > 0]
    partners = [
        (n, peek)
        for n, peek in enumerate(lacking)
        if peek.row["subject"] < 0 and peek.row["evse_key"] is not None and peek.row["connection_id"] is not None
    ]
    if own:
        asked = [(n, peek.row["cpo"], peek.location["id"]) for n, peek in own]
        for row in await tx.fetch(SQL["own_places"], *columns(asked, 3)):
            peek = lacking[row["n"]]
            _complete(peek, _place(row["body"]), peek.location["evse_uid"], None)
    if partners:
        asked = [(n, peek.row["connection_id"], peek.row["evse_key"]) for n, peek in partners]
        for row in await tx.fetch(SQL["partners_places"], *columns(asked, 3)):
            _complete(lacking[row["n"]], _place(row["body"]), row["uid"], row["prices"])
            lacking[row["n"]].priced_by = row["priced_by"]


def _complete(peek: _Peek, place: _Place, uid: str, prices: Sequence[str] | None) -> None:
    peek.zone = peek.zone or place.zone
    if peek.ids or peek.named:
        return
    connectors = place.tariffs.get(uid, {})
    ids = prices or connectors.get(peek.location["connector_id"])
    if ids is None:  # the CDR names none of them: what holds at all of them
        ids = [id_ for tariffs in connectors.values() for id_ in tariffs]
    peek.ids, peek.told = list(dict.fromkeys(ids)), False


@lru_cache(_PLACES_KEPT)
def _place(body: str) -> _Place:
    location = from_json(body)
    return _Place(
        location.get("time_zone"),
        {
            evse["uid"]: {one["id"]: one.get("tariff_ids", ()) for one in evse.get("connectors", ())}
            for evse in location.get("evses", ())
        },
    )


# Agreements


async def _see_agreements(tx: Transaction, peeks: Sequence[_Peek]) -> None:
    """Finds the tariffs that were agreed on; where the agreement is about none, what is named elsewhere counts."""
    asked = [
        (n, ref["offer"], ref["version"], _evse_key(peek))
        for n, peek in enumerate(peeks)
        if peek.row["agreement"] is not None
        for ref in [from_json(peek.row["agreement"])]
    ]
    if asked:
        for row in await tx.fetch(SQL["agreed"], *columns(asked, 4)):
            peeks[row["n"]].agreed = _agreed(_terms(row["terms"]), row["groups"])


def _evse_key(peek: _Peek) -> str:
    if peek.row["subject"] < 0 and peek.row["evse_key"] is not None:
        key: str = peek.row["evse_key"]
        return key
    id_ = peek.location.get("evse_id")
    return EvseId(id_).normal if id_ is not None else ""


def _agreed(terms: OfferTerms, groups: Sequence[str]) -> Sequence[str] | None:
    """Gives the tariffs for an EVSE of groups: the line of one of them goes before the one for all others."""
    if terms.price_source is not PriceSource.AGREED:
        return None
    own = (price for price in terms.prices if price.evse_group is not None and price.evse_group in groups)
    rest = (price for price in terms.prices if price.evse_group is None)
    line = next(own, None) or next(rest, None)
    return line.tariff_ids if line is not None else ()


@lru_cache(_TERMS_KEPT)
def _terms(text: str) -> OfferTerms:
    return OfferTerms.model_validate_json(text)


# Tariffs


async def _see_versions(tx: Transaction, peeks: Sequence[_Peek]) -> tuple[list[list[int]], dict[int, VersionText]]:
    """Gives what is known of the tariffs of each CDR, by numbers, and the versions of these numbers."""
    asked = [
        (
            n,
            0 if peek.row["subject"] > 0 else peek.row["connection_id"],
            party,
            id_,
            peek.start,
            peek.end,
        )
        for n, peek in enumerate(peeks)
        for party, id_ in _named(peek)
        if peek.row["subject"] > 0 or peek.row["connection_id"] is not None
    ]
    found: list[list[int]] = [[] for _ in peeks]
    versions: dict[int, VersionText] = {}
    if asked:
        for row in await tx.fetch(VERSIONS["known"], *columns(asked, 6)):
            found[row["n"]].append(row["no"])
            if row["no"] not in versions:
                versions[row["no"]] = VersionText(row["no"], row["body"], row["known_from"], row["known_until"])
            peek = peeks[row["n"]]
            if peek.product is not None and row["tariff_id"].lower() == peek.product.lower():
                peek.ids, peek.told = [peek.product], True
    return found, versions


def _named(peek: _Peek) -> Iterable[tuple[str, str]]:
    """Gives the tariffs that a CDR may be priced by: whose, and their ids."""
    cpo = peek.row["cpo"]
    ids = dict.fromkeys((*([peek.product] if peek.product else []), *peek.ids, *peek.named))
    agreed = [(cpo, id_) for id_ in peek.agreed or ()]
    return dict.fromkeys([*agreed, *((peek.priced_by or cpo, id_) for id_ in ids)])


def _question(peek: _Peek, versions: Sequence[int], terms: Terms) -> Question:
    row = peek.row
    emsp = row["emsp"]
    return Question(
        subject=row["subject"],
        queue_no=peek.queue_no,
        body=row["body"],
        cdr_id=row["cdr_id"],
        started=peek.start,
        currency=peek.currency,
        party=row["party"],
        cpo=row["cpo"],
        emsp=PartyId(emsp).normal if emsp is not None else None,
        connection_id=row["connection_id"],
        void=row["void"],
        ids=peek.ids,
        told=peek.told,
        agreement=row["agreement"],
        agreed=peek.agreed,
        versions=list(dict.fromkeys(versions)),
        zone=peek.zone,
        rules=terms.rules.get(row["hub"] or "", PLAIN) if peek.hub_priced else PLAIN,
        tolerance=terms.tolerance,
    )
