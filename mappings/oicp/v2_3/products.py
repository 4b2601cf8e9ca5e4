"""Pricing products as tariffs (OICP 2.3, PricingProductDataType).

Prices are without VAT. OICP tells no steps, so none is read into a price (1 Wh, 1 s). A product that cannot be read as
its operator means it is refused: money is never guessed.

MaximumProductChargingPower tells which charging facilities a product is meant for. It is no restriction of its prices:
a facility of 22 kW that gives all of them has the product of 22 kW, where OCPI's max_power would end, and no CDR of
OICP tells a power by which a restriction could be judged.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final

from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import (
    Money,
    PriceComponent,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffRestrictions,
)
from mappings.oicp.v2_3 import availability, forms
from mappings.oicp.v2_3.enums_pricing import PER_HOUR, REFERENCE_UNITS
from mappings.oicp.v2_3.pages import Answer, Entry, field, gone, listed_under, names, successful, take_apart
from mappings.oicp.v2_3.values import listed, number
from mappings.oicp.v2_3.vocabulary import AdditionalReference, ReferenceUnit
from mappings.oicp.v2_3.wire import Record
from mappings.oicp.v2_3.wire_pricing import AdditionalReference as WireReference
from mappings.oicp.v2_3.wire_pricing import ProductData, ProductRecord
from mappings.report import Issue, IssueKind, Refused, Report

FOR_ALL: Final = "*"
"""The ProviderID of what holds for every EMP."""

_LONGEST_ID: Final = 36
_STEP: Final = 1
_REFERENCES: Final = {word.value.casefold(): word for word in AdditionalReference}
_UNITS: Final = {unit.value.casefold(): unit for unit in ReferenceUnit}
_DEFAULTS: Final = ("PricingDefaultPrice", "PricingDefaultPriceCurrency", "PricingDefaultReferenceUnit")
"""What sessions cost at EVSEs without a product: kept beside each tariff, since it is no product itself."""
POWER: Final = "MaximumProductChargingPower"
"""Which facilities a product is meant for, kW: kept beside the tariff, too."""


def read(body: Any, at: datetime) -> Answer[Tariff] | None:
    """Takes an eRoamingPricingProductData apart; keys are (party, tariff id, target or "").

    Args:
        body: The parsed JSON.
        at: When it arrived, since OICP does not say when a product changed.

    Returns:
        None where the body is no such answer, or says that something failed.
    """
    fields = successful(body)
    if fields is None or "pricingproductdata" not in names(body):
        return None
    return take_apart(_products(fields), partial(_entry, at=at))


def _products(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for n, block in enumerate(listed(fields.get("pricingproductdata"))):
        path = f"PricingProductData[{n}]"
        if not isinstance(block, Mapping):
            yield path, None
            continue
        known, _ = forms.fields(ProductData, block)
        head = {name: known[name] for name in ("OperatorID", "ProviderID", *_DEFAULTS) if name in known}
        for m, record in enumerate(listed_under(block, "PricingProductDataRecords")):
            yield f"{path}.PricingProductDataRecords[{m}]", {**head, "record": record}


def _entry(said: Any, at: datetime) -> Entry[Tariff]:
    if said is None or not isinstance(said["record"], Mapping):
        raise Refused("", "not an object")
    record = said["record"]
    party, target = parties(said)
    tariff_id = product_id(field(record, "ProductID"), "ProductID")
    return Entry(
        key=(party.normal, tariff_id, target.normal if target else ""),
        raw=said,
        read=partial(_tariff, said, party, target, tariff_id, at),
        gone=gone(record),
    )


def _tariff(
    said: Mapping[str, Any], party: PartyId, target: PartyId | None, tariff_id: str, at: datetime
) -> tuple[Tariff, list[Issue]]:
    report = Report()
    values, unknown = forms.fields(ProductRecord, said["record"])
    unknown.pop("deltaType", None)
    for name in unknown:
        report.add(IssueKind.UNKNOWN, name, "a field that OICP 2.3 does not have")
    unknown |= {name: said[name] for name in _DEFAULTS if name in said}
    if POWER in values:
        unknown[POWER] = values[POWER]
    prices = _Prices(values, report)
    restrictions = [
        TariffRestrictions(start_time=span.begin, end_time=span.end, day_of_week=span.days)
        for span in availability.read(values, report)
    ]
    tariff = Tariff(
        party=party,
        id=tariff_id,
        target=target,
        currency=_currency(values.get("ProductPriceCurrency"), report),
        min_price=prices.least,
        max_price=prices.most,
        elements=tuple(
            TariffElement(
                price_components=prices.components,
                restrictions=None if each == TariffRestrictions() else each,
            )
            for each in restrictions
        ),
        last_updated=at,
        unknown=unknown,
    )
    return tariff, report.issues


class _Prices:
    """What a product costs: its own price, and what is asked for beside it."""

    def __init__(self, values: Record, report: Report) -> None:
        self._report = report
        self.least: Money | None = None
        self.most: Money | None = None
        base = self._base(values)
        fees = self._fees(values)
        flat: Decimal | None = None
        for word in (AdditionalReference.START, AdditionalReference.FIXED):
            if word in fees:
                flat = (flat or Decimal(0)) + fees[word][0]
        if AdditionalReference.FIXED in fees and base.price:
            # OICP 2.3, AdditionalReferenceType: beside a fixed fee the product's own price is zero.
            raise report.refuse("AdditionalReferences", "a fixed fee for everything, beside a price", base.price)
        if AdditionalReference.MINIMUM in fees:
            self.least = Money(net=fees[AdditionalReference.MINIMUM][0])
        if AdditionalReference.MAXIMUM in fees:
            self.most = Money(net=fees[AdditionalReference.MAXIMUM][0])
        found = [base]
        if flat is not None:
            found.append(PriceComponent(type=TariffDimension.FLAT, price=flat, step_size=_STEP))
        if AdditionalReference.PARKING in fees:
            price = self._per_hour(*fees[AdditionalReference.PARKING])
            found.append(PriceComponent(type=TariffDimension.PARKING_TIME, price=price, step_size=_STEP))
        self.components = tuple(found)

    def _base(self, values: Record) -> PriceComponent:
        unit = self._unit(values.get("ReferenceUnit"), "ReferenceUnit")
        price = self._money(values.get("PricePerReferenceUnit"), "PricePerReferenceUnit")
        dimension = REFERENCE_UNITS.to_canonical(unit.value)
        return PriceComponent(type=dimension, price=price * PER_HOUR.get(unit, Decimal(1)), step_size=_STEP)

    def _fees(self, values: Record) -> dict[AdditionalReference, tuple[Decimal, Any, str]]:
        """Reads what is asked for beside the price: the amount, the unit as given, and where it stands."""
        fees: dict[AdditionalReference, tuple[Decimal, Any, str]] = {}
        for n, item in enumerate(listed(values.get("AdditionalReferences"))):
            path = f"AdditionalReferences[{n}]"
            if not isinstance(item, Mapping):
                raise self._report.refuse(path, "not an object")
            known, _ = forms.fields(WireReference, item)
            given = known.get("AdditionalReference")
            word = _REFERENCES.get(" ".join(str(given).replace("_", " ").split()).casefold())
            if word is None:
                raise self._report.refuse(f"{path}.AdditionalReference", "none of OICP's, so not known", given)
            if word in fees:
                raise self._report.refuse(path, "a fee that was given before", given)
            price = self._money(known.get("PricePerAdditionalReferenceUnit"), f"{path}.PricePerAdditionalReferenceUnit")
            fees[word] = price, known.get("AdditionalReferenceUnit"), f"{path}.AdditionalReferenceUnit"
        return fees

    def _per_hour(self, price: Decimal, given: Any, path: str) -> Decimal:
        factor = PER_HOUR.get(self._unit(given, path))
        if factor is None:
            raise self._report.refuse(path, "parking is paid by time", given)
        return price * factor

    def _unit(self, given: Any, path: str) -> ReferenceUnit:
        unit = _UNITS.get(str(given).strip().casefold())
        if unit is None:
            raise self._report.refuse(path, "missing" if given is None else "no unit of OICP 2.3", given)
        if unit.value != given:
            self._report.add(IssueKind.MENDED, path, "spelt in another case", given)
        return unit

    def _money(self, given: Any, path: str) -> Decimal:
        amount = number(given, path, self._report)
        if amount is None:
            raise self._report.refuse(path, "missing" if given is None else "not an amount", given)
        if amount < 0:
            self._report.add(IssueKind.SUSPECT, path, "a negative price", given)
        return amount


def _currency(given: Any, report: Report) -> str:
    text = given.strip().upper() if isinstance(given, str) else ""
    if len(text) != 3 or not text.isascii() or not text.isalpha():
        raise report.refuse("ProductPriceCurrency", "missing" if given is None else "not a currency", given)
    if text != given:
        report.add(IssueKind.MENDED, "ProductPriceCurrency", "spelt in another case", given)
    return text


def parties(said: Mapping[str, Any]) -> tuple[PartyId, PartyId | None]:
    """Gives the operator, and the EMP for whom something holds, None for all.

    Raises:
        Refused: Either is missing, or no id of a party.
    """
    provider = field(said, "ProviderID")
    for_all = isinstance(provider, str) and provider.strip() == FOR_ALL
    return _party(field(said, "OperatorID"), "OperatorID"), None if for_all else _party(provider, "ProviderID")


def _party(given: Any, path: str) -> PartyId:
    try:
        return PartyId(given.strip() if isinstance(given, str) else "")
    except ValueError:
        raise Refused(path, "missing" if given is None else "not the id of a party", given) from None


def product_id(given: Any, path: str) -> str:
    """Reads a ProductID, which is a tariff's id.

    Raises:
        Refused: There is none, or one longer than a tariff's id may be.
    """
    text = given.strip() if isinstance(given, str) else ""
    if not text:
        raise Refused(path, "missing" if given is None else "not a text", given)
    if len(text) > _LONGEST_ID:
        # One cut short might be another product's.
        raise Refused(path, f"longer than the {_LONGEST_ID} signs of a tariff's id", text)
    return text
