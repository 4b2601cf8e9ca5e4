"""What one charging period of a CDR tells (OCPI 2.2.1, mod_cdrs, CdrDimensionType)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from gateway.pricing.charge import Phase, Reading
from gateway.pricing.notes import Unpriceable, Why
from mappings.canonical.sessions import ChargingPeriod, DimensionType

_TIMES: Final[Mapping[DimensionType, Phase]] = {
    DimensionType.RESERVATION_TIME: Phase.RESERVED,
    DimensionType.TIME: Phase.CHARGING,
    DimensionType.PARKING_TIME: Phase.PARKING,
}
"""In the order in which they follow each other within a period."""

_VOLUMES: Final = frozenset({*_TIMES, DimensionType.ENERGY, DimensionType.ENERGY_IMPORT, DimensionType.ENERGY_EXPORT})


@dataclass(frozen=True, slots=True)
class Told:
    """What a period tells.

    Attributes:
        number: Of the period, from 0.
        times: Hours by phase, in the order in which they follow each other; only those that are told.
        energy: kWh; None where not told.
        fed_back: Whether the vehicle gave energy back, which is not part of `energy`.
        tariff_id: The tariff that it names.
    """

    number: int
    times: tuple[tuple[Phase, Decimal], ...] = ()
    energy: Decimal | None = None
    power: Reading | None = None
    current: Reading | None = None
    tariff_id: str | None = None
    fed_back: bool = False

    @property
    def tells_time(self) -> bool:
        """Whether any time is told, be it none."""
        return bool(self.times)

    def without_energy(self) -> "Told":
        """Gives the same for a part in which nothing flows."""
        return replace(self, energy=None, power=None, current=None)


def told_of(period: ChargingPeriod, number: int) -> Told:
    """Reads a period; of a dimension told twice the volumes are summed.

    Raises:
        Unpriceable: NEGATIVE_VOLUME. UNKNOWN_DIMENSION: it has no dimension, as where none was known on the way in.
    """
    if not period.dimensions:
        raise Unpriceable(Why.UNKNOWN_DIMENSION, f"periods[{number}].dimensions", "none of them is known")
    volumes: dict[DimensionType, Decimal] = {}
    for each in period.dimensions:
        if each.type in _VOLUMES:
            if each.volume < 0:
                raise Unpriceable(Why.NEGATIVE_VOLUME, f"periods[{number}]", f"{each.volume} {each.type}")
            volumes[each.type] = volumes.get(each.type, Decimal(0)) + each.volume
        else:
            volumes[each.type] = each.volume
    return Told(
        number=number,
        times=tuple((phase, volumes[type_]) for type_, phase in _TIMES.items() if type_ in volumes),
        energy=volumes.get(DimensionType.ENERGY, volumes.get(DimensionType.ENERGY_IMPORT)),
        power=_reading(volumes, DimensionType.MIN_POWER, DimensionType.MAX_POWER, DimensionType.POWER),
        current=_reading(volumes, DimensionType.MIN_CURRENT, DimensionType.MAX_CURRENT, DimensionType.CURRENT),
        tariff_id=period.tariff_id,
        fed_back=bool(volumes.get(DimensionType.ENERGY_EXPORT)),
    )


def _reading(
    volumes: Mapping[DimensionType, Decimal], least: DimensionType, most: DimensionType, average: DimensionType
) -> Reading | None:
    if not volumes.keys() & {least, most, average}:
        return None
    return Reading(least=volumes.get(least), most=volumes.get(most), average=volumes.get(average))
