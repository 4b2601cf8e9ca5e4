"""Tariffs as pricing products, as a CPO tells Hubject (OICP 2.3, eRoamingPushPricingProductData).

A product has one base price, per kWh or per unit of time, that holds whenever it is available, and beside it fees for
the start, for parking, at the least and at the most. What is written is read back by `products`: that is what it says.

A tariff that asks for more than a product can say is refused, or, where the operator wants it, approximated. A product
must not promise less than what the tariff asks. So of several prices the dearest is said, and what would make the
product cheaper is refused all the same:

- Prices by time of day, weekday, date, energy, duration, power or current: the dearest that may count, whenever the
  product is available. Several products would be worth no more: which of them prices a charge that goes from the times
  of one into those of another is written nowhere.
- A price per kWh beside one per hour of charging: refused. There is one base price.
- A session's time is the time charging and the time parking, at the same price. That is no approximation.
- Steps: a price per minute may well be one per begun minute. So the unit is chosen that is no finer than the step, as
  far as there is one, and a step above an hour or a kWh is refused.
- Roundings of what a component costs: left out; each is worth a unit of the currency at most.
- Prices of reservations: left out. A product prices a charge.
- Hours in which a charge has to begin, and tariffs that a driver has to choose or to pay at once: refused.

VAT, texts, links and the mix of energy have no place and change no price that OICP knows: they are told as lost. So are
a tariff's start and end: a product holds at an EVSE as long as the EVSE names it.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Context, Decimal
from typing import Any, Final, NamedTuple

from mappings.canonical.base import json_number
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Money, RoundingRule, Tariff, TariffDimension
from mappings.oicp.v2_3 import availability, process, product_terms, products
from mappings.oicp.v2_3.defaults import PricingDefaults, defaulted
from mappings.oicp.v2_3.enums_pricing import PER_HOUR, REFERENCE_UNITS
from mappings.oicp.v2_3.messages import OPERATOR_NAME_LENGTH
from mappings.oicp.v2_3.product_losses import Losses
from mappings.oicp.v2_3.product_terms import Terms
from mappings.oicp.v2_3.vocabulary import ActionType, AdditionalReference, ReferenceUnit
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, IssueKind, Report

_NUMBER: Final = Context(prec=15, rounding=ROUND_CEILING)
"""The digits that every JSON number holds; never less than the price."""
_BY_TIME: Final = (TariffDimension.TIME, TariffDimension.SESSION_TIME)
_PARKED: Final = (TariffDimension.PARKING_TIME, TariffDimension.SESSION_TIME)
_MINUTE: Final = 60


class Said(NamedTuple):
    """A product.

    Attributes:
        record: PricingProductDataRecordType.
        said: What it says, read back as a tariff.
        issues: What differs from the tariff: NARROWED where a charge may come to another price, LOST where it may not,
            DEFAULTED for the power.
    """

    record: Record
    said: Tariff
    issues: list[Issue]


def record(tariff: Tariff, *, power: Decimal | None, approximate: bool) -> Said:
    """Writes a tariff as a product.

    Args:
        tariff: The tariff; its id is the product's.
        power: kW of the facilities that it is meant for, where it has no limit of power itself.
        approximate: Whether the nearest product will do where OICP cannot say the tariff; each change is an issue.

    Raises:
        Refused: OICP cannot say it; the last issue names the first field, those before it the others.
    """
    terms = product_terms.of(tariff)
    losses = Losses(tariff, terms)
    losses.settle(approximate=approximate)
    report = Report(before=losses.issues)
    written = {
        "ProductID": tariff.id,
        **_prices(tariff, terms, report),
        products.POWER: _power(terms, power, report),
        **availability.write(terms.hours),
    }
    if fees := _fees(tariff, terms, report):
        written["AdditionalReferences"] = fees
    return Said(written, _read_back(tariff, written), report.issues)


def provider_word(provider: PartyId | None) -> str:
    """Writes for whom a price is: a ProviderID, or `*` for all.

    Raises:
        Refused: The party is no EMP.
    """
    return products.FOR_ALL if provider is None else process.provider_id(provider)


def push(
    action: ActionType,
    operator_id: PartyId,
    operator_name: str,
    provider: PartyId | None,
    defaults: PricingDefaults,
    records: Sequence[Record],
) -> Record:
    """Makes an eRoamingPushPricingProductData message.

    Args:
        action: What Hubject does with the records.
        operator_id: The party of the connection's certificate.
        operator_name: Free text; what exceeds 100 characters is cut.
        provider: The EMP for whose drivers the products are; None for all.
        defaults: What the operator states for all its products.
        records: Of `record`, or of `tombstone` for DELETE, no ProductID twice.

    Raises:
        Refused: The provider is no EMP.
    """
    return {
        "ActionType": action.value,
        "PricingProductData": {
            "OperatorID": operator_id.normal,
            "OperatorName": operator_name[:OPERATOR_NAME_LENGTH],
            "ProviderID": provider_word(provider),
            "PricingDefaultPrice": json_number(defaults.price),
            "PricingDefaultPriceCurrency": defaults.currency,
            "PricingDefaultReferenceUnit": defaults.unit.value,
            "PricingProductDataRecords": [*records],
        },
    }


def tombstone(product_id: str, defaults: PricingDefaults) -> Record:
    """Writes the record that deletes a product: all that OICP demands, of which but the id has a meaning to nobody."""
    return {
        "ProductID": product_id,
        "ReferenceUnit": defaults.unit.value,
        "ProductPriceCurrency": defaults.currency,
        "PricePerReferenceUnit": json_number(defaults.price),
        products.POWER: 0,
        **availability.write(None),
    }


def _prices(tariff: Tariff, terms: Terms, report: Report) -> Record:
    unit, price = _base(terms), _base_price(terms)
    return {
        "ReferenceUnit": unit.value,
        "ProductPriceCurrency": tariff.currency,
        "PricePerReferenceUnit": _figure(price / PER_HOUR.get(unit, 1), "elements", report),
    }


def _base_price(terms: Terms) -> Decimal:
    """Gives the one of the two that is asked for; per kWh or hour."""
    return terms.dearest(TariffDimension.ENERGY) or terms.together(*_BY_TIME)


def _base(terms: Terms) -> ReferenceUnit:
    if terms.together(*_BY_TIME) or not terms.asked.keys() & {TariffDimension.ENERGY, TariffDimension.FLAT}:
        return _unit_of_time(terms, _BY_TIME)
    return REFERENCE_UNITS.from_canonical(TariffDimension.ENERGY)


def _unit_of_time(terms: Terms, dimensions: Sequence[TariffDimension]) -> ReferenceUnit:
    """Chooses minutes where whole ones are billed and the price of one is a plain figure."""
    per_minute = _NUMBER.divide(terms.together(*dimensions), PER_HOUR[ReferenceUnit.MINUTE])
    steps = [
        asked.component.step_size
        for dimension in dimensions
        for asked in terms.asked.get(dimension, ())
        if asked.component.step_rounding is not RoundingRule.ROUND_DOWN
    ]
    plain = per_minute * PER_HOUR[ReferenceUnit.MINUTE] == terms.together(*dimensions)
    if plain and 1 < max(steps, default=0) <= _MINUTE:
        return ReferenceUnit.MINUTE
    return ReferenceUnit.HOUR


def _fees(tariff: Tariff, terms: Terms, report: Report) -> list[Record]:
    """Writes what is asked for beside the base price; what is paid once has the product's unit, which means nothing."""
    unit, fees = _base(terms), []
    parking, flat = terms.together(*_PARKED), terms.dearest(TariffDimension.FLAT)
    if flat:
        # OICP 2.3, AdditionalReferenceType: a fixed fee is a single price, a start fee comes on top of others.
        alone = not parking and not _base_price(terms)
        word = AdditionalReference.FIXED if alone else AdditionalReference.START
        fees.append(_fee(word, unit, flat, "elements", report))
    if parking:
        per = _unit_of_time(terms, _PARKED)
        fees.append(_fee(AdditionalReference.PARKING, per, parking / PER_HOUR[per], "elements", report))
    limits: tuple[tuple[AdditionalReference, str, Money | None], ...] = (
        (AdditionalReference.MINIMUM, "min_price", tariff.min_price),
        (AdditionalReference.MAXIMUM, "max_price", tariff.max_price),
    )
    fees += [_fee(word, unit, limit.net, field, report) for word, field, limit in limits if limit is not None]
    return fees


def _fee(word: AdditionalReference, unit: ReferenceUnit, price: Decimal, field: str, report: Report) -> Record:
    return {
        "AdditionalReference": word.value,
        "AdditionalReferenceUnit": unit.value,
        "PricePerAdditionalReferenceUnit": _figure(price, field, report),
    }


def _figure(amount: Decimal, field: str, report: Report) -> int | float:
    plain = _NUMBER.plus(amount)
    if plain != amount:
        report.add(IssueKind.NARROWED, field, "rounded up to the digits of a JSON number", amount)
    return json_number(plain)


def _power(terms: Terms, power: Decimal | None, report: Report) -> int | float:
    field = "elements[0].restrictions.max_power"
    if terms.power is not None:
        detail = "what the product is meant for; OICP does not say that nothing is asked for from there on"
        report.add(IssueKind.NARROWED, field, detail, terms.power)
        power = terms.power
    else:
        power = defaulted(power, field, report)
    return _figure(Decimal(power), field, report)


def _read_back(tariff: Tariff, record: Record) -> Tariff:
    body: dict[str, Any] = {
        "OperatorID": tariff.party.normal,
        "ProviderID": provider_word(tariff.target),
        "PricingProductDataRecords": [record],
    }
    answer = products.read({"PricingProductData": [body]}, tariff.last_updated)
    if answer is None:
        raise TypeError("what is written here is an answer of products")
    for refusal in answer.unreadable:
        raise refusal
    said, _ = answer.entries[0].read()
    return said
