"""Which element prices what, and when: of each dimension the first that holds (OCPI 2.2.1, mod_tariffs, Tariff)."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from gateway.pricing.charge import Phase
from gateway.pricing.holding import Place, Run, Timeline
from gateway.pricing.notes import Note, NoteKind
from mappings.canonical.tariffs import PriceComponent, ReservationRestriction, Tariff, TariffDimension

_FIRST = {
    Phase.RESERVED: (ReservationRestriction.RESERVATION,),
    Phase.EXPIRED: (ReservationRestriction.RESERVATION_EXPIRES, ReservationRestriction.RESERVATION),
    Phase.CHARGING: (None,),
    Phase.PARKING: (None,),
}
"""Which elements price a phase, those first that go before the others."""

PRICED: Final = {
    Phase.RESERVED: frozenset({TariffDimension.TIME, TariffDimension.FLAT}),
    Phase.EXPIRED: frozenset({TariffDimension.TIME, TariffDimension.FLAT}),
    Phase.CHARGING: frozenset(
        {TariffDimension.TIME, TariffDimension.ENERGY, TariffDimension.SESSION_TIME, TariffDimension.FLAT}
    ),
    Phase.PARKING: frozenset(
        {TariffDimension.PARKING_TIME, TariffDimension.ENERGY, TariffDimension.SESSION_TIME, TariffDimension.FLAT}
    ),
}
"""What there is to price in a phase."""


class Painted(NamedTuple):
    """A run in which one component counts, which is the first of its dimension in its element."""

    dimension: TariffDimension
    element: int
    component: int
    run: Run


class _Bare:
    """What no element of a dimension has taken yet: runs in order, none into the next."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._begins: list[Place] = []
        self._ends: list[Place] = []
        for number in numbers:
            if self._ends and self._ends[-1] == number:
                self._ends[-1] = number + 1
            else:
                self._begins.append(number)
                self._ends.append(number + 1)

    def __bool__(self) -> bool:
        return bool(self._begins)

    def numbers(self) -> list[int]:
        """Gives the stretches that are not wholly taken."""
        found: list[int] = []
        for begin, end in zip(self._begins, self._ends, strict=True):
            first = int(begin)
            found.extend(range(first + (bool(found) and found[-1] == first), -int(-end // 1)))
        return found

    def take(self, run: Run) -> list[Run]:
        """Takes what is left of a run."""
        begin, end = run
        first = bisect_right(self._ends, begin)
        last = first
        taken: list[Run] = []
        left: list[Run] = []
        while last < len(self._begins) and self._begins[last] < end:
            low, high = self._begins[last], self._ends[last]
            taken.append((max(low, begin), min(high, end)))
            if low < begin:
                left.append((low, begin))
            if end < high:
                left.append((end, high))
            last += 1
        self._begins[first:last] = [low for low, _ in left]
        self._ends[first:last] = [high for _, high in left]
        return taken


def paint(tariff: Tariff, timeline: Timeline, among: Sequence[int]) -> list[Painted]:
    """Finds the component that counts for each dimension at each place, in the order of the places.

    What touches and has the same component is one run, so that it does not matter how finely a charge is told.

    Args:
        among: The stretches that this tariff prices.

    Raises:
        Unpriceable: A restriction asks for what is not known.
    """
    painted: list[Painted] = []
    for phases in ((Phase.RESERVED,), (Phase.EXPIRED,), (Phase.CHARGING, Phase.PARKING)):
        numbers = [number for number in among if timeline.stretches[number].phase in phases]
        if numbers:
            bare = {dimension: _Bare(_to_price(dimension, timeline, numbers)) for dimension in TariffDimension}
            for number in _in_order(tariff, _FIRST[phases[0]]):
                painted += _strokes(tariff, number, bare, timeline)
                if not any(bare.values()):
                    break
    return painted


def _in_order(tariff: Tariff, kinds: Iterable[ReservationRestriction | None]) -> Iterator[int]:
    """Numbers the elements of some kinds: kind by kind, as they stand in the tariff."""
    for kind in kinds:
        for number, element in enumerate(tariff.elements):
            if (element.restrictions.reservation if element.restrictions is not None else None) is kind:
                yield number


def _strokes(
    tariff: Tariff, number: int, bare: Mapping[TariffDimension, _Bare], timeline: Timeline
) -> Iterator[Painted]:
    """Takes for an element what is left of its dimensions where it holds."""
    element = tariff.elements[number]
    components: dict[TariffDimension, int] = {}
    for index, component in enumerate(element.price_components):
        if bare[component.type]:
            components.setdefault(component.type, index)
    if not components:
        return
    left = sorted({at for dimension in components for at in bare[dimension].numbers()})
    unknown = element.restrictions.unknown if element.restrictions is not None else {}
    for run in timeline.holding(element.restrictions, left):
        for dimension, index in components.items():
            for part in bare[dimension].take(run):
                yield Painted(dimension, number, index, part)
                for name in unknown:
                    path = f"elements[{number}].restrictions.{name}"
                    timeline.notes[Note(NoteKind.ASSUMED, path, "is not known here, and taken as met")] = None


def component_of(tariff: Tariff, painted: Painted) -> PriceComponent:
    """Gives the component that counts in a run."""
    return tariff.elements[painted.element].price_components[painted.component]


def _to_price(dimension: TariffDimension, timeline: Timeline, numbers: Sequence[int]) -> list[int]:
    """Gives the stretches in which there is something of a dimension, so that nothing is asked of the others."""
    found = []
    for number in numbers:
        if dimension not in PRICED[timeline.stretches[number].phase]:
            continue
        amount = timeline.energy if dimension is TariffDimension.ENERGY else timeline.seconds
        if dimension is TariffDimension.FLAT or amount[number]:
            found.append(number)
    return found
