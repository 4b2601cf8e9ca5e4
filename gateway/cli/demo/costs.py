"""What charges were quoted at, what their CDRs say, and what these come to when they are priced anew."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from gateway.cli.demo.stage import Stage
from mappings.canonical.tariffs import Money, Tax

_CENT: Final = Decimal("0.01")
_PATIENCE: Final = 60.0
_LOOK_EVERY: Final = 0.2


@dataclass(frozen=True, slots=True)
class Quoted:
    """A charge's price before the charge.

    Attributes:
        tariff: Its id.
        cost: To the cent.
    """

    tariff: str
    cost: Money


@dataclass(frozen=True, slots=True)
class Bill:
    """What one charge cost, net.

    Attributes:
        cdr: Its id, of an own one; else the number of the received one.
        tariff: Id of the tariff that it was quoted by.
        told, repriced: None where the CDR tells no cost, or was not priced anew (yet).
    """

    cdr: str
    tariff: str
    quoted: Decimal
    told: Decimal | None
    repriced: Decimal | None
    same: bool


@dataclass(frozen=True, slots=True)
class Costs:
    """What charges cost, summed, net.

    Attributes:
        where: At our own stations, or over which connection.
        charges: That there were.
        due: Those that have to have a price: all of them, or where the network is not ours those that had a quote.
        told: By the CDRs; None where that protocol's CDRs tell no cost.
        same: Charges whose CDR was priced anew to what was quoted, and tells that or nothing.
    """

    where: str
    charges: int
    due: int
    quoted: Decimal
    told: Decimal | None
    repriced: Decimal
    same: int
    bills: Sequence[Bill] = ()

    @property
    def equal(self) -> bool:
        """Whether every charge that has to have a price cost what was quoted."""
        return self.due == self.same


def quoted(answer: Any, connection: str | None = None) -> Quoted | None:
    """Reads a quote, of the way over a connection or of the own network; None where there is none to be had."""
    for offer in answer["offers"]:
        if offer.get("connection") == connection and "cost" in offer:
            cost = offer["cost"]
            tax = Tax(name="VAT", amount=Decimal(str(cost["tax"])))
            return Quoted(offer["tariff"]["id"], Money(net=Decimal(str(cost["net"])), taxes=(tax,)))
    return None


async def compare(
    stage: Stage, quotes: Mapping[str, Mapping[str, Quoted | None]], unpriced: frozenset[str] = frozenset()
) -> list[Costs]:
    """Holds quotes against repriced CDRs; waits for these a while.

    Args:
        quotes: By where, then by the CDR: an own one's id, else the number of a received one.
        unpriced: Where charges may lack a quote, since the stations may lack tariffs.
    """
    found: list[Costs] = []
    for _ in range(int(_PATIENCE / _LOOK_EVERY)):
        repriced = await _repriced(stage)
        found = [costs_of(where, quotes[where], repriced, every=where not in unpriced) for where in quotes]
        if all(one.equal for one in found):
            break
        await asyncio.sleep(_LOOK_EVERY)
    return found


async def _repriced(stage: Stage) -> dict[str, Any]:
    """Gives repricings by the id of an own CDR, or the number of a received one."""
    page = await stage.call("GET", "/v1/repricings?limit=1000")
    return {str(one.get("received") or one["cdr"]): one for one in page["items"]}


def costs_of(where: str, quotes: Mapping[str, Quoted | None], repriced: Mapping[str, Any], *, every: bool) -> Costs:
    """Holds the quotes of one place against repricings, of whichever there are by now."""
    bills = [_bill(cdr, quote, repriced.get(cdr)) for cdr, quote in quotes.items() if quote is not None]
    told = [bill.told for bill in bills if bill.told is not None]
    return Costs(
        where=where,
        charges=len(quotes),
        due=len(quotes) if every else len(bills),
        quoted=_sum(bill.quoted for bill in bills),
        told=_sum(told) if told else None,
        repriced=_sum(bill.repriced for bill in bills if bill.repriced is not None),
        same=sum(bill.same for bill in bills),
        bills=bills,
    )


def _bill(cdr: str, quote: Quoted, one: Any) -> Bill:
    told, net = (one.get(name) for name in ("told_net", "net")) if one is not None else (None, None)
    repriced = Decimal(str(net)) if net is not None else None
    follows = one is not None and one["outcome"] in {"matches", "untold"}
    return Bill(
        cdr=cdr,
        tariff=quote.tariff,
        quoted=quote.cost.net,
        told=Decimal(str(told)) if told is not None else None,
        repriced=repriced,
        same=follows and repriced is not None and abs(repriced - quote.cost.net) <= _CENT,
    )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
