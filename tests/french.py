"""Real charges: a month and a half of the French network, each priced by what its operator asks for where it says so.

Prices were published in 2026, and the charges took place in winter 2024 to 2025: each is set 78 weeks later, on the
same weekday at nearly the same hour, when the prices were in force. Operators that published none ask a stated price.
"""

import csv
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from gateway.pricing.charge import Charge, Phase, Stretch
from gateway.pricing.engine import price
from gateway.pricing.notes import Unpriceable
from gateway.pricing.result import Calculation, Extra
from gateway.store.pool import Store
from mappings.canonical.agreements import OfferTerms, RoundedAt, RoundingMode, Service, SettlementRounding, TaxRule
from mappings.canonical.base import json_number
from mappings.canonical.billing import BillingParty
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.tariffs import Tariff, TariffDimension
from tests.pricing.corpora import french

SESSIONS: Final = "data/fr/irve-sessions-2025-01.json.gz"
NETWORK: Final = "data/fr/irve-static-2025-07.json.gz"
FIRST: Final = datetime(2026, 5, 31, tzinfo=UTC)
"""Before all charges."""
LAST: Final = datetime(2026, 7, 16, tzinfo=UTC)
"""After all charges."""

_LATER: Final = timedelta(weeks=78)
_OPERATOR: Final = PartyId("FR*RGT")
_PERCENT: Final = 100
_ROWS: Final = 4000

_STATED: Final = Tariff.model_validate(
    {
        "party": "FR*RGT",
        "id": "stated",
        "currency": "EUR",
        "elements": [
            {"price_components": [{"type": "FLAT", "price": "0.35", "vat": 20, "step_size": 1}]},
            {"price_components": [{"type": "ENERGY", "price": "0.39917", "vat": 20, "step_size": 1}]},
        ],
        "last_updated": FIRST,
    }
)

_PARTS: Final = {
    "fixed_cost": (TariffDimension.FLAT,),
    "energy_cost": (TariffDimension.ENERGY,),
    "time_cost": (TariffDimension.TIME, TariffDimension.SESSION_TIME),
    "parking_cost": (TariffDimension.PARKING_TIME,),
}


@dataclass(frozen=True, slots=True)
class Partner:
    """An EMSP, and how its agreement has CDRs settled."""

    billed: BillingParty
    terms: OfferTerms


def _partner(party: str, country: str, vat_id: str, tax: TaxRule, at: RoundedAt, mode: RoundingMode) -> Partner:
    billed = BillingParty(party=PartyId(party), name=f"{party} EMSP", country=country, vat_id=vat_id)
    rounding = SettlementRounding(at=at, mode=mode)
    return Partner(billed, OfferTerms(services=frozenset(Service), tax=tax, rounding=rounding))


PARTNERS: Final = (
    _partner("FR*AAA", "FRA", "FR83404833048", TaxRule.BY_COUNTRIES, RoundedAt.CDR, RoundingMode.HALF_UP),
    _partner("DE*BBB", "DEU", "DE136695976", TaxRule.BY_COUNTRIES, RoundedAt.TOTAL, RoundingMode.HALF_EVEN),
    _partner("CH*CCC", "CHE", "CHE116281710MWST", TaxRule.CHARGED, RoundedAt.LINE, RoundingMode.HALF_UP),
    _partner("FR*DDD", "FRA", "FR40303265045", TaxRule.NONE, RoundedAt.TOTAL, RoundingMode.UP),
    _partner("CH*EEE", "CHE", "CHE105805649", TaxRule.BY_COUNTRIES, RoundedAt.CDR, RoundingMode.DOWN),
)


@dataclass(frozen=True, slots=True)
class Billed:
    """A real charge with its price, as a CDR's JSON.

    Attributes:
        partner: Whose driver it was: an index of `PARTNERS`.
    """

    id: str
    party: str
    end: datetime
    partner: int
    body: str


def charges(
    root: Path, most: int | None = None, places: Mapping[str, tuple[str, str]] = MappingProxyType({})
) -> Iterator[Billed]:
    """Prices real charges, in the order of the file.

    Args:
        root: Of the data beside the project.
        most: How many; None for all 110,366.
        places: Location and uid by the normal form of the EVSE's id, where the network is known.
    """
    tariffs = _tariffs(root)
    with gzip.open(root / SESSIONS, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(islice(lines, most)):
            yield _billed(number, json.loads(line), tariffs, places)


def _tariffs(root: Path) -> Mapping[str, Tariff]:
    """Gives the published tariffs by the normal form of the EVSE's id."""
    found: dict[str, Tariff] = {}
    for name, prefix in (("electra", "FRELC"), ("total", "")):
        by_id = {prefix + one.id: _in_per_cent(one) for one in french(root / f"data/fr/tariffs/{name}.json").tariffs}
        with (root / f"data/fr/tariffs/{name}-evse.csv").open(newline="") as rows:
            for row in csv.DictReader(rows):
                if (tariff := by_id.get(row["id_tariff"])) is not None:
                    found[EvseId(row["id_pdc_itinerance"]).normal] = tariff
    return found


def _in_per_cent(tariff: Tariff) -> Tariff:
    """Reads the tax of an operator that tells 20 per cent as 0.2."""
    told = tariff.model_dump(mode="json", exclude_defaults=True)
    for element in told["elements"]:
        for component in element["price_components"]:
            if 0 < component.get("vat", 0) < 1:
                component["vat"] *= _PERCENT
    return Tariff.model_validate(told)


def _billed(
    number: int, told: Mapping[str, Any], tariffs: Mapping[str, Tariff], places: Mapping[str, tuple[str, str]]
) -> Billed:
    evse_id = EvseId(told["id_pdc_itinerance"])
    location, uid = places.get(evse_id.normal, ("L", evse_id.normal[:36]))
    party = evse_id.party or _OPERATOR
    start, end = (datetime.fromtimestamp(told[name] / 1000, UTC) + _LATER for name in ("start", "end"))
    energy = Decimal(str(told["energy"]))
    seconds = Decimal((end - start) // timedelta(milliseconds=1)).scaleb(-3)
    stretch = Stretch(start, end, Phase.CHARGING, seconds, energy)
    body: dict[str, Any] = {
        "party": party.normal,
        "id": f"c-{number}",
        "session_id": f"s-{number}",
        "start": start.isoformat(),
        "end": end.isoformat(),
        "identification": {"type": "RFID", "uid": f"04{number:012d}"},
        "auth_method": "AUTH_REQUEST",
        "location": {"id": location, "evse_uid": uid, "connector_id": "1", "evse_id": evse_id.text}
        | {"country": "FRA", "time_zone": "Europe/Paris"},
        "currency": "EUR",
        "periods": [{"start": start.isoformat(), "dimensions": [{"type": "ENERGY", "volume": json_number(energy)}]}],
        "energy": json_number(energy),
        "time": json_number((seconds / 3600).quantize(Decimal("0.0001"))),
        "last_updated": end.isoformat(),
    }
    with suppress(Unpriceable):  # it tells no price then, as such CDRs do
        body |= _costs(price(tariffs.get(evse_id.normal, _STATED), Charge((stretch,), "Europe/Paris")))
    return Billed(f"c-{number}", party.normal, end, number % len(PARTNERS), json.dumps(body))


def _costs(made: Calculation) -> dict[str, Any]:
    costs = {"total_cost": made.total} | {name: made.part(*of) for name, of in _PARTS.items()}
    costs["fixed_cost"] = made.part(TariffDimension.FLAT, *Extra)
    return {
        name: money.model_dump(mode="json", exclude_none=True)
        for name, money in costs.items()
        if name == "total_cost" or money.net
    }


async def store_charges(store: Store, some: Iterator[Billed]) -> int:
    """Stores charges with their sessions and what let them begin, under the partners' agreements; gives how many."""
    connection: int = await store.fetchval(
        "INSERT INTO connection (name, hub, mode, state, scope, settings)"
        " VALUES ('bench', 'bench', 'off', 'ready', '{}', '{}') RETURNING id"
    )
    await store.execute("INSERT INTO network_group (id, name) VALUES ('fr', 'France')")
    for partner in PARTNERS:
        await _agree(store, connection, partner)
    many = 0
    parties: set[str] = set()
    while rows := list(islice(some, _ROWS)):
        await _write(store, connection, rows)
        many += len(rows)
        parties |= {row.party for row in rows}
    for party in sorted(parties):
        billed = BillingParty(party=PartyId(party), name=f"{party} SA", country="FRA", vat_id="FR40303265045")
        await _bill(store, billed)
    await store.execute("ANALYZE")
    return many


async def _agree(store: Store, connection: int, partner: Partner) -> None:
    offer = f"to-{partner.billed.party.code}"
    await store.execute(
        "INSERT INTO offer (id, connection_id, network_group, title, body, state, starts_at)"
        " VALUES ($1, $2, 'fr', $1, '{}', 'PUBLISHED', $3)",
        *(offer, connection, FIRST),
    )
    await store.execute(
        "INSERT INTO offer_version (offer_id, number, starts_at, terms, created_by) VALUES ($1, 1, $2, $3, 'test')",
        *(offer, FIRST, partner.terms.model_dump_json()),
    )
    await _bill(store, partner.billed)


async def _bill(store: Store, billed: BillingParty) -> None:
    await store.execute(
        "INSERT INTO billing_party (party, body) VALUES ($1, $2)", billed.party.normal, billed.model_dump_json()
    )


async def _write(store: Store, connection: int, rows: Sequence[Billed]) -> None:
    legs = [
        json.dumps({"emsp": PARTNERS[row.partner].billed.party.normal, "identification": {"type": "RFID", "uid": "04"}})
        for row in rows
    ]
    agreements = [json.dumps({"offer": f"to-{PARTNERS[row.partner].billed.party.code}", "version": 1}) for row in rows]
    ids, parties = [row.id for row in rows], [row.party for row in rows]
    async with store.transaction() as tx:
        await tx.execute(
            "INSERT INTO authorisation (id, origin, party, location_id, evse_uid, identity, connection_id, allowed,"
            " leg, detail, agreement) SELECT i.id, 'tap', i.party, 'L', 'E', i.id, $3, true, i.leg, '{}', i.agreement"
            " FROM unnest($1::text[], $2::text[], $4::json[], $5::json[]) AS i(id, party, leg, agreement)",
            *(ids, parties, connection, legs, agreements),
        )
        await tx.execute(
            "INSERT INTO session (party, session_id, body, place, digest, status, authorisation_no, connection_id,"
            " ended_at, last_updated) SELECT i.party, i.id, '{}', '{}', '', 'COMPLETED', a.no, $3, i.ended, i.ended"
            " FROM unnest($1::text[], $2::text[], $4::timestamptz[]) AS i(id, party, ended)"
            " JOIN authorisation a ON a.id = i.id",
            *(ids, parties, connection, [row.end for row in rows]),
        )
        await tx.execute(
            "INSERT INTO cdr (party, cdr_id, body, digest, session_no, connection_id, leg, energy, last_updated)"
            " SELECT i.party, i.id, i.body, '', s.no, $3, i.leg, 0, i.ended"
            " FROM unnest($1::text[], $2::text[], $4::json[], $5::json[], $6::timestamptz[])"
            " AS i(id, party, body, leg, ended) JOIN session s ON s.party = i.party AND s.session_id = i.id",
            *(ids, parties, connection, [row.body for row in rows], legs, [row.end for row in rows]),
        )
        await tx.execute(
            "UPDATE session s SET cdr_no = d.no FROM cdr d WHERE d.session_no = s.no AND d.cdr_id = ANY($1::text[])",
            ids,
        )
