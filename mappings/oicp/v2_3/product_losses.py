"""What a pricing product does not say of a tariff: what an approximation changes, and what none comes near to."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from mappings.canonical.tariffs import Money, RoundingRule, Tariff, TariffDimension, TariffHours
from mappings.oicp.v2_3.enums_pricing import CONDITIONS, ROAMING
from mappings.oicp.v2_3.product_terms import Asked, Terms
from mappings.report import Issue, IssueKind, Report

_UNIT: Final = Decimal(1)
_SHOWN: Final = Decimal("0.0001")
_LARGEST: Final = {
    TariffDimension.ENERGY: 1000,
    TariffDimension.TIME: 3600,
    TariffDimension.PARKING_TIME: 3600,
    TariffDimension.SESSION_TIME: 3600,
}
"""OICP's largest unit in the steps of a price: a kWh and an hour, which are what canonical prices are per."""


class Losses:
    """What is lost of one tariff.

    Args:
        tariff: The tariff.
        terms: What it asks for.
    """

    def __init__(self, tariff: Tariff, terms: Terms) -> None:
        self._tariff = tariff
        self._terms = terms
        self._never = Report()
        self._changed = Report()
        self._told = Report()
        self._scope()
        for dimension, asked in terms.asked.items():
            self._several(dimension)
            self._components(asked)
        self._of_time()
        self._beside()

    @property
    def issues(self) -> list[Issue]:
        """What the product says otherwise, and what it leaves out."""
        # An element's restrictions may matter to several of its prices.
        return [*dict.fromkeys((*self._changed.issues, *self._told.issues))]

    def settle(self, *, approximate: bool) -> None:
        """Ends it where the product would not be the tariff's.

        Raises:
            Refused: No product comes near, or one only comes near though the operator does not want that.
        """
        wrong = [*self._never.issues, *(() if approximate else dict.fromkeys(self._changed.issues))]
        if wrong:
            first, *others = wrong
            raise Report(others).refuse(first.field, first.detail, first.value)

    def _scope(self) -> None:
        tariff, terms, never = self._tariff, self._terms, IssueKind.REFUSED
        if tariff.id != tariff.id.strip():
            self._never.add(never, "id", "begins or ends with a space, which no ProductID does", tariff.id)
        if tariff.type is not None and not ROAMING[tariff.type]:
            self._never.add(never, "type", "not what a roaming driver pays who chose nothing", tariff.type)
        if tariff.hours is not None and tariff.hours != TariffHours():
            self._never.add(never, "hours", "OICP does not say when a charge has to begin")
        if terms.asked.keys() <= {TariffDimension.PARKING_TIME}:
            detail = "says nothing of what charging costs; a price of zero has to be said"
            self._never.add(never, "elements", detail)
        for element in terms.reserving:
            field = f"elements[{element}].restrictions.reservation"
            self._changed.add(IssueKind.NARROWED, field, "a product prices a charge, and no reservation")

    def _several(self, dimension: TariffDimension) -> None:
        """Notes of each component what it means that the dearest price is asked for all the time."""
        if len(self._terms.levels[dimension]) == 1:
            return
        dearest = self._terms.dearest(dimension)
        for asked in self._terms.asked[dimension]:
            component, restrictions = asked.component, f"elements[{asked.element}].restrictions"
            if component.price != dearest:
                detail = f"one of several prices; a product has one, the dearest: {dearest:f}"
                self._changed.add(IssueKind.NARROWED, f"{asked.path}.price", detail, component.price)
            for name in asked.conditions:
                detail = f"OICP has no {CONDITIONS[name]}; a product asks the dearest price whatever they are"
                self._changed.add(IssueKind.NARROWED, f"{restrictions}.{name}", detail)
            if asked.timed and component.price == dearest:
                detail = "at some times only; a product asks its price whenever it is available"
                self._changed.add(IssueKind.NARROWED, restrictions, detail)

    def _components(self, all_asked: Iterable[Asked]) -> None:
        for asked in all_asked:
            component = asked.component
            if component.unknown:
                self._changed.add(IssueKind.NARROWED, f"{asked.path}.unknown", "fields that OICP does not have")
            if not component.price:
                continue
            if component.price_rounding is not None:
                most = _UNIT.scaleb(-component.price_rounding.places)
                detail = f"OICP has no roundings; they add or take up to {most:f} {self._tariff.currency}"
                self._changed.add(IssueKind.NARROWED, f"{asked.path}.price_rounding", detail)
            if component.step_size > 1 and component.type in _LARGEST:
                self._step(asked, _LARGEST[component.type])

    def _step(self, asked: Asked, largest: int) -> None:
        component, field = asked.component, f"{asked.path}.step_size"
        if component.step_size > largest and component.step_rounding is not RoundingRule.ROUND_DOWN:
            detail = "OICP has no steps, and this one is coarser than its largest unit"
            self._never.add(IssueKind.REFUSED, field, detail, component.step_size)
            return
        worth = (component.price * component.step_size / largest).quantize(_SHOWN)
        detail = f"OICP has no steps; one of them is worth {worth.normalize():f} {self._tariff.currency}"
        self._changed.add(IssueKind.NARROWED, field, detail, component.step_size)

    def _of_time(self) -> None:
        terms = self._terms
        if terms.dearest(TariffDimension.SESSION_TIME):
            asked = terms.asked[TariffDimension.SESSION_TIME][0]
            detail = "said as the time charging and the time parking, at the same price"
            self._told.add(IssueKind.NARROWED, f"{asked.path}.type", detail, TariffDimension.SESSION_TIME)
        for dimension in (TariffDimension.TIME, TariffDimension.SESSION_TIME):
            if terms.dearest(dimension) and terms.dearest(TariffDimension.ENERGY):
                path = terms.asked[dimension][0].path
                detail = "a price of time beside one of energy, and a product has one base price"
                self._never.add(IssueKind.REFUSED, path, detail)

    def _beside(self) -> None:
        """Notes what changes no price that OICP knows."""
        tariff = self._tariff
        for field in self._taxed():
            self._told.add(IssueKind.LOST, field, "OICP's prices are without VAT")
            break
        for name in ("texts", "url", "energy_mix", "unknown"):
            if getattr(tariff, name):
                self._told.add(IssueKind.LOST, name, "OICP has no place for it")
        for name in ("start", "end"):
            if getattr(tariff, name) is not None:
                self._told.add(IssueKind.LOST, name, "a product holds at an EVSE as long as the EVSE names it")

    def _taxed(self) -> Iterator[str]:
        for all_asked in self._terms.asked.values():
            for asked in all_asked:
                if asked.component.vat is not None:
                    yield f"{asked.path}.vat"
        for name in ("min_price", "max_price"):
            limit: Money | None = getattr(self._tariff, name)
            if limit is not None and limit.taxes:
                yield f"{name}.taxes"
