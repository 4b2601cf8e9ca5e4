"""eRoamingPushPricingProductData, eRoamingPushEVSEPricing: what CPOs pushed of their prices, and what EMPs pull of it.

What OICP leaves open is decided strictly: a fullLoad takes away what there is for other EMPs, too; an EVSE is priced
only where its data are there, by products that are there for its EMP or for all. A delete of what is not there is
accepted. An EMP that has products of its own is shown, beside these, those for all of which it has no own ones.

Memory: `pricing_products` by operator, ProductID and EMP (`-` for all), each with what its push said of all products;
`evse_pricing` by the EvseID's normal form, rows by ProviderID.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from adapters.hubject.sandbox.memory import Refusal, named
from adapters.hubject.sandbox.partners import Partner
from adapters.hubject.sandbox.selections import party
from mappings.canonical.ids import EvseId, PartyId

ANYBODY: Final = "*"
_HEAD: Final = ("ProviderID", "PricingDefaultPrice", "PricingDefaultPriceCurrency", "PricingDefaultReferenceUnit")

_Product = tuple[str, str]
"""ProviderID's normal form or `*`, and ProductID."""
_Row = tuple[str, str]
"""EvseID's normal form; ProviderID's, or `*`."""


class _Told(NamedTuple):
    """A record, and when it was pushed."""

    at: datetime
    record: Mapping[str, Any]


class PushedPrices:
    """All prices that CPOs pushed.

    Args:
        products, prices: The sandbox's memory of both kinds, which this keeps in step.
        has_evse: Tells whether Hubject has an operator's EVSE, by both normal forms.
    """

    def __init__(self, products: dict[str, Any], prices: dict[str, Any], has_evse: Callable[[str, str], bool]) -> None:
        self._shown_products = products
        self._shown_prices = prices
        self._has_evse = has_evse
        self._products: dict[str, dict[_Product, _Told]] = {}
        self._rows: dict[str, dict[_Row, _Told]] = {}
        self._names: dict[str, str] = {}

    def forget(self) -> None:
        """Forgets everything."""
        self._products.clear()
        self._rows.clear()

    # Pushes

    def push_products(self, now: datetime, partner: Partner, body: Mapping[str, Any]) -> Refusal | list[str]:
        """Performs a well-shaped push of products, or says why not; gives the keys in memory that it was about."""
        data, action, operator = body["PricingProductData"], body["ActionType"], partner.operator.normal
        self._names[operator] = data.get("OperatorName") or operator
        whom = _whom(data)
        records = {(whom, record["ProductID"]): record for record in data["PricingProductDataRecords"]}
        if len(records) != len(data["PricingProductDataRecords"]):
            return Refusal("022", "a ProductID stands there twice")
        own = self._products.setdefault(operator, {})
        if refusal := _misfit(action, records.keys(), own.keys(), absent="022"):
            return refusal
        if action == "fullLoad":
            for product in [*own]:
                self._forget_product(operator, product)
        head = {name: data[name] for name in _HEAD}
        for product, record in records.items():
            if action == "delete":
                self._forget_product(operator, product)
            else:
                own[product] = _Told(now, {**head, "PricingProductDataRecord": record})
                self._shown_products[_product_key(operator, product)] = own[product].record
        return [_product_key(operator, product) for product in records]

    def _forget_product(self, operator: str, product: _Product) -> None:
        self._products[operator].pop(product, None)
        self._shown_products.pop(_product_key(operator, product), None)

    def push_prices(self, now: datetime, partner: Partner, body: Mapping[str, Any]) -> Refusal | list[str]:
        """Performs a well-shaped push of EVSEs' prices; as `push_products`."""
        action, operator = body["ActionType"], partner.operator.normal
        ids = [EvseId(record["EvseID"]) for record in body["EVSEPricing"]]
        if foreign := [each.text for each in ids if not partner.may_push(each)]:
            return Refusal("018", f"not of {operator} or a sub-operator: {named(foreign)}")
        records = {(each.normal, _whom(record)): record for each, record in zip(ids, body["EVSEPricing"], strict=True)}
        if len(records) != len(ids):
            return Refusal("022", "an EvseID stands there twice for one EMP")
        own = self._rows.setdefault(operator, {})
        if refusal := _misfit(action, records.keys(), own.keys(), absent="603"):
            return refusal
        if action != "delete" and (refusal := self._unknown(operator, records)):
            return refusal
        if action == "fullLoad":
            for row in [*own]:
                self._forget_row(operator, row)
        for row, record in records.items():
            self._forget_row(operator, row)
            if action != "delete":
                own[row] = _Told(now, record)
                self._shown_prices.setdefault(row[0], {})[record["ProviderID"]] = record
        return [*dict.fromkeys(evse for evse, _ in records)]

    def _unknown(self, operator: str, records: Mapping[_Row, Mapping[str, Any]]) -> Refusal | None:
        if absent := [evse for evse, _ in records if not self._has_evse(operator, evse)]:
            return Refusal("603", f"no EVSE data: {named(absent)}")
        there = self._products.get(operator, {}).keys()
        missing = [
            product
            for (_, whom), record in records.items()
            for product in record["EvseIDProductList"]
            if not {(whom, product), (ANYBODY, product)} & there
        ]
        return Refusal("022", f"no such product: {named(missing)}") if missing else None

    def _forget_row(self, operator: str, row: _Row) -> None:
        told = self._rows[operator].pop(row, None)
        if told is None:
            return
        evse, shown = row[0], self._shown_prices[row[0]]
        shown.pop(told.record["ProviderID"], None)
        if not shown:
            del self._shown_prices[evse]

    # Pulls

    def products(self, provider: PartyId, operator: str, since: datetime | None) -> Iterator[Mapping[str, Any]]:
        """Gives an operator's PricingProductData for an EMP: its own, and those for all beside them."""
        there = self._products.get(operator, {})
        own = {product for whom, product in there if whom == provider.normal}
        for whom, besides in ((provider.normal, frozenset[str]()), (ANYBODY, own)):
            told = [
                each.record
                for (for_whom, product), each in there.items()
                if for_whom == whom and product not in besides and (since is None or each.at >= since)
            ]
            if told:
                # What was said last of all products counts.
                head = {name: told[-1][name] for name in _HEAD}
                records = [each["PricingProductDataRecord"] for each in told]
                name = self._names[operator]
                yield {"OperatorID": operator, "OperatorName": name, **head, "PricingProductDataRecords": records}

    def evses(self, provider: PartyId, operator: str, since: datetime | None) -> list[Mapping[str, Any]]:
        """Gives an operator's EVSEPricing for an EMP: its own rows and those for all."""
        return [
            each.record
            for (_, whom), each in self._rows.get(operator, {}).items()
            if whom in {ANYBODY, provider.normal} and (since is None or each.at >= since)
        ]

    def name(self, operator: str) -> str:
        """Gives the name by which an operator pushed, or its id."""
        return self._names.get(operator, operator)


def _misfit(action: str, given: Iterable[_Row], there: Iterable[_Row], *, absent: str) -> Refusal | None:
    given, there = {*given}, {*there}
    if action == "insert" and (twice := given & there):
        return Refusal("022", f"exists already: {named(' '.join(each) for each in twice)}")
    if action == "update" and (missing := given - there):
        return Refusal(absent, f"does not exist: {named(' '.join(each) for each in missing)}")
    return None


def _product_key(operator: str, product: _Product) -> str:
    whom, product_id = product
    return f"{operator}/{product_id}/{'-' if whom == ANYBODY else whom}"


def _whom(record: Mapping[str, Any]) -> str:
    text: str = record["ProviderID"]
    return ANYBODY if text == ANYBODY else party(text)
