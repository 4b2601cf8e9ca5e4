"""What is billed of what was used: the steps, once for a charge (OCPI 2.2.1, mod_cdrs, "step_size")."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from gateway.pricing.holding import Run
from gateway.pricing.notes import Note, NoteKind
from gateway.pricing.rounding import TO_WHOLE
from mappings.canonical.tariffs import PriceComponent, RoundingRule, TariffDimension

_TIMES: Final = frozenset({TariffDimension.TIME, TariffDimension.PARKING_TIME})

UNITS: Final = {TariffDimension.ENERGY: 1000, **dict.fromkeys((*_TIMES, TariffDimension.SESSION_TIME), 3600)}
"""Step units (Wh, seconds) in a unit of the price (kWh, hours). A flat fee has none."""


@dataclass(slots=True)
class Quantity:
    """What one component prices in one run.

    Attributes:
        path: Of the component in its tariff.
        reservation: Whether the run is one of a reservation.
        used, billed: In units of the price; `billed` is `used` until steps are taken.
        stepped: Whether a step may be taken at its end: not where another tariff came after this one.
    """

    dimension: TariffDimension
    element: int
    index: int
    component: PriceComponent
    tariff_id: str
    run: Run
    reservation: bool
    used: Fraction
    billed: Fraction
    stepped: bool

    @property
    def path(self) -> str:
        """Where the component stands in its tariff."""
        return f"elements[{self.element}].price_components[{self.index}]"


def take_steps(quantities: Sequence[Quantity]) -> list[Note]:
    """Rounds what is billed to whole steps.

    Energy is rounded once, and so is time: charging or parking, whichever came last, in its sum by the step of its last
    component; charging time that parking followed stays as it is. A reservation's time is rounded by itself, and so is
    Gireve's SESSION_TIME, which runs beside both. What is added goes to the last run.

    Where a component is rounded down or to the nearest step, which is Gireve's addition, it is rounded by itself, as
    Gireve has it ("for each TariffElement"). Its ROUND_UP stands for what OCPI does: where such a component came last,
    nothing before it is rounded up.

    Args:
        quantities: In the order of time.

    Returns:
        What is to be said of the steps.
    """
    notes: list[Note] = []
    alone: dict[tuple[str, str], list[Quantity]] = {}
    for each in quantities:
        if not _as_ocpi(each):
            alone.setdefault((each.tariff_id, each.path), []).append(each)
    charging = [each for each in quantities if not each.reservation]
    timed = [each for each in charging if each.dimension in _TIMES]
    together = [
        [each for each in charging if each.dimension is TariffDimension.ENERGY],
        [each for each in timed if each.dimension is timed[-1].dimension],
        [each for each in charging if each.dimension is TariffDimension.SESSION_TIME],
        [each for each in quantities if each.reservation and each.dimension is TariffDimension.TIME],
    ]
    for group in together:
        if group and group[-1].stepped and _as_ocpi(group[-1]):
            notes += _round([each for each in group if _as_ocpi(each)])
    for group in alone.values():
        if group[-1].stepped:
            notes += _round([each for each in group if each.stepped])
    return notes


def _as_ocpi(quantity: Quantity) -> bool:
    return quantity.component.step_rounding in {None, RoundingRule.ROUND_UP}


def _round(group: Sequence[Quantity]) -> list[Note]:
    last = group[-1]
    step = last.component.step_size
    if not step:
        said = "a step size of 0; nothing is rounded to steps"
        return [Note(NoteKind.STEP_ZERO, f"{last.path}.step_size", said)]
    unit = UNITS[last.dimension]
    used = sum((each.used for each in group), Fraction(0))
    steps = used * unit / step
    number = TO_WHOLE[last.component.step_rounding or RoundingRule.ROUND_UP](steps.numerator, steps.denominator)
    more = Fraction(number * step, unit) - used
    for each in reversed(group):
        # Only a step that is rounded down can take more than the last run has.
        part = max(more, -each.billed)
        each.billed += part
        more -= part
        if not more:
            break
    return []
