"""Real charges at real prices are settled as an independent sum has them."""

import json
from collections import defaultdict
from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

from gateway.services.ports.repricing import Direction
from gateway.services.ports.settlement import SettlementWanted
from gateway.services.settlement.service import Settlements
from gateway.settling.taxing import Treatment
from gateway.store.pool import Store
from mappings.canonical.ids import PartyId
from tests.french import FIRST, LAST, NETWORK, PARTNERS, SESSIONS, charges, store_charges
from tests.shared import ROOT, shared_path

MANY = 3000
CENT = Decimal("0.01")


async def test_every_operator_s_settlement_is_what_the_raw_rows_come_to(store: Store) -> None:
    for name in (SESSIONS, NETWORK, "data/fr/tariffs"):
        shared_path(name)
    raw = list(charges(ROOT, MANY))
    assert await store_charges(store, iter(raw)) == MANY
    expected = _sums([(one.party, one.partner, json.loads(one.body, parse_float=Decimal)) for one in raw])
    settled: dict[tuple[str, str], tuple[Any, ...]] = {}
    settlements = Settlements(store)
    undecided = 0
    for party in sorted({one.party for one in raw}):
        report = await settlements.report(SettlementWanted(PartyId(party), Direction.OUT, FIRST, LAST))
        undecided += sum(row.sessions for row in report.rows if row.treatment is Treatment.UNDECIDED)
        for one in report.balances:
            amounts = (one.net + one.undecided_net, one.vat)
            settled[party, str(one.emsp)] = (one.sessions, one.energy, one.unpriced, *amounts)
    assert settled == expected
    assert sum(one[0] for one in settled.values()) == MANY
    assert undecided > 0  # the Swiss partner to which no agreement says how it is taxed


def _sums(rows: Iterable[tuple[str, int, dict[str, Any]]]) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Sums up, by what each partner's agreement says and nothing of the engine."""
    grouped: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for party, partner, body in rows:
        grouped[party, partner].append(body)
    return {
        (party, str(PARTNERS[partner].billed.party)): (
            len(bodies),
            sum(Decimal(body["energy"]) for body in bodies),
            sum("total_cost" not in body for body in bodies),
            *_amounts(partner, [body for body in bodies if "total_cost" in body]),
        )
        for (party, partner), bodies in grouped.items()
    }


def _amounts(partner: int, bodies: list[dict[str, Any]]) -> tuple[Decimal, Decimal]:
    nets = [Decimal(body["total_cost"]["net"]) for body in bodies]
    taxes = [_tax(body) for body in bodies]
    zero = Decimal(0)
    if partner == 0:  # France to France, each CDR rounded, a half up
        return _each(nets, ROUND_HALF_UP), _each(taxes, ROUND_HALF_UP)
    if partner == 1:  # France to Germany: reverse charge, the total rounded
        return sum(nets, zero).quantize(CENT, ROUND_HALF_EVEN), zero
    if partner == 2:  # tax is charged as agreed; each part of the cost rounded
        told = [cost for body in bodies for name, cost in body.items() if name.endswith("_cost") and name[0] != "t"]
        told += [body["time_cost"] for body in bodies if "time_cost" in body]
        parts = [Decimal(cost["net"]) for cost in told]
        return _each(parts, ROUND_HALF_UP), _each(taxes, ROUND_HALF_UP)
    if partner == 3:  # no tax as agreed, the total rounded up
        return sum(nets, zero).quantize(CENT, ROUND_CEILING), zero
    return _each(nets, ROUND_DOWN), zero  # Switzerland: undecided


def _tax(body: dict[str, Any]) -> Decimal:
    """The tax of a CDR; of one with two rates nobody tells which part of the cost each is on, and it is not decided."""
    told = [amount for tax in body["total_cost"].get("taxes", ()) if (amount := Decimal(tax["amount"]))]
    return told[0] if len(told) == 1 else Decimal(0)


def _each(amounts: Iterable[Decimal], rounding: str) -> Decimal:
    return sum((amount.quantize(CENT, rounding) for amount in amounts), Decimal(0))
