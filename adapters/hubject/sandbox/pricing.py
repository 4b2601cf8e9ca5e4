"""What CPOs ask for their charges: pricing products, and which of them an EVSE has (OICP 2.3, eRoamingDynamicPricing).

| request | what it does |
| --- | --- |
| `POST /_sandbox/pricing-products` | sets what an operator offers: a list of `PricingProductDataType` |
| `POST /_sandbox/evse-pricing` | sets which products its EVSEs have: a list of `OperatorEVSEPricing` |
| `DELETE` of either | forgets all |

What is said of an operator for an EMP takes the place of what was said before. A ProviderID of `*` is for every EMP.
What CPO partners pushed (`pushed_prices`) is given beside it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from adapters.hubject.sandbox.pushed_prices import ANYBODY, PushedPrices
from adapters.hubject.sandbox.selections import party
from mappings.canonical.ids import PartyId


class _Offer(NamedTuple):
    """What an operator said, and when."""

    at: datetime
    record: Mapping[str, Any]


class Pricing:
    """All prices.

    Args:
        pushed: Those that CPOs pushed.
    """

    def __init__(self, pushed: PushedPrices) -> None:
        self._pushed = pushed
        self._products: dict[tuple[str, str], _Offer] = {}
        self._evses: dict[tuple[str, str, str], _Offer] = {}
        self._names: dict[str, str] = {}

    def set_products(self, now: datetime, offers: Iterable[Mapping[str, Any]]) -> None:
        """Sets the products of operators; what an offer says for an EMP replaces what was said for that EMP."""
        for offer in offers:
            self._products[party(offer["OperatorID"]), _provider(offer)] = _Offer(now, offer)

    def set_evses(self, now: datetime, blocks: Iterable[Mapping[str, Any]]) -> None:
        """Sets the products of EVSEs; of others nothing changes."""
        for block in blocks:
            operator = party(block["OperatorID"])
            self._names[operator] = block.get("OperatorName") or operator
            for record in block["EVSEPricing"]:
                self._evses[operator, record["EvseID"], _provider(record)] = _Offer(now, record)

    def forget_products(self) -> None:
        """Forgets all products."""
        self._products.clear()

    def forget_evses(self) -> None:
        """Forgets which EVSE has which product."""
        self._evses.clear()

    def products(self, provider: PartyId, operators: Iterable[str], since: datetime | None) -> list[Mapping[str, Any]]:
        """Gives what operators offer an EMP; where a played one names it, what it offers everybody is not for it."""
        found: list[Mapping[str, Any]] = []
        for operator in operators:
            found += self._pushed.products(provider, operator, since)
            offer = self._products.get((operator, provider.normal)) or self._products.get((operator, ANYBODY))
            if offer is not None and (since is None or offer.at >= since):
                found.append(offer.record)
        return found

    def evses(self, provider: PartyId, operators: Iterable[str], since: datetime | None) -> list[Mapping[str, Any]]:
        """Gives which products EVSEs have for an EMP, by operator."""
        wanted = {operator: self._pushed.evses(provider, operator, since) for operator in operators}
        for (operator, _, whose), offer in self._evses.items():
            if operator in wanted and whose in {ANYBODY, provider.normal} and (since is None or offer.at >= since):
                wanted[operator].append(offer.record)
        return [
            {
                "OperatorID": operator,
                "OperatorName": self._name(operator),
                "EVSEPricing": records,
            }
            for operator, records in wanted.items()
            if records
        ]

    def _name(self, operator: str) -> str:
        return self._names.get(operator) or self._pushed.name(operator)


def _provider(record: Mapping[str, Any]) -> str:
    text: str = record["ProviderID"]
    return ANYBODY if text == ANYBODY else party(text)
