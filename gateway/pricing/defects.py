"""What is wrong with a tariff in itself, before any charge is priced by it (OCPI 2.2.1, mod_tariffs)."""

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gateway.pricing.areas import (
    ALL_WEEK,
    EVERYWHERE,
    WEEK,
    Area,
    Ranges,
    area_of,
    contains,
    contradictions,
    overlap,
)
from gateway.pricing.charge import Phase
from gateway.pricing.clock import DAY, minute
from gateway.pricing.limits import crossed
from gateway.pricing.notes import Note, NoteKind
from gateway.pricing.painting import PRICED
from mappings.canonical.tariffs import (
    PriceComponent,
    ReservationRestriction,
    Tariff,
    TariffDimension,
    TariffRestrictions,
)

_LAST_MINUTE: Final = "23:59"
_NO_RESTRICTIONS: Final = TariffRestrictions()
_LOOKS_BACK: Final = 256
"""With how many ranges before its own an element is compared, beside those without any: more than twice as many as real
tariffs have, and few enough that time grows with the elements and not with their square."""


class _Place(NamedTuple):
    """A component in its tariff, and where it can hold."""

    element: int
    number: int
    component: PriceComponent
    area: Area

    @property
    def path(self) -> str:
        return f"elements[{self.element}].price_components[{self.number}]"


@dataclass(slots=True)
class _Taken:
    """What earlier components of one dimension with the same ranges have taken of the week."""

    ranges: Ranges
    week: int = 0
    places: list[_Place] = field(default_factory=list)


_Group = tuple[ReservationRestriction | None, TariffDimension]
"""Among these the first that holds counts."""


def find(tariff: Tariff) -> list[Note]:
    """Finds what is wrong with a tariff, or is hardly meant, in the order of its elements.

    Steps of zero, restrictions that cannot hold, components that earlier ones hide or cut into, prices below zero,
    taxes below one per cent, crossed limits, and minutes left between two times of day. Nothing of it keeps a tariff
    from being priced by the rules.
    """
    notes: list[Note] = []
    groups: dict[_Group, list[_Place]] = defaultdict(list)
    for number, element in enumerate(tariff.elements):
        asked = element.restrictions or _NO_RESTRICTIONS
        against = list(contradictions(asked))
        if against:
            notes.append(Note(NoteKind.NEVER_HOLDS, f"elements[{number}].restrictions", against[0]))
        area = area_of(asked)
        for at, component in enumerate(element.price_components):
            place = _Place(number, at, component, area)
            notes += _values(place)
            if against:
                continue
            if reason := _never_priced(component, asked):
                notes.append(Note(NoteKind.NEVER_HOLDS, place.path, reason))
            else:
                groups[asked.reservation, component.type].append(place)
    for places in groups.values():
        notes += _order(places)
    notes += _gaps(tariff, groups)
    notes.sort(key=_position)
    return [*_limits(tariff), *notes]


def _position(note: Note) -> int:
    return int(note.field[len("elements[") : note.field.index("]")])


# In a component by itself


def _values(place: _Place) -> Iterator[Note]:
    component = place.component
    if component.price < 0:
        yield Note(NoteKind.NEGATIVE_PRICE, f"{place.path}.price", f"{component.price:f}: the driver is paid")
    # A flat fee has no steps, and the specification's own tariff that is free of charge has 0 there.
    if component.step_size == 0 and component.type is not TariffDimension.FLAT:
        yield Note(NoteKind.STEP_ZERO, f"{place.path}.step_size", "a step size of 0; nothing is rounded to steps")
    if component.vat is not None and 0 < component.vat < 1:
        said = f"{component.vat:f} is read as {component.vat:f} per cent, and {component.vat * 100:f} may be meant"
        yield Note(NoteKind.TAX_AS_FRACTION, f"{place.path}.vat", said)


def _never_priced(component: PriceComponent, asked: TariffRestrictions) -> str | None:
    """Says why a dimension is never priced under restrictions that do hold at times; None where it is."""
    if asked.reservation is not None:
        if component.type not in PRICED[Phase.RESERVED]:
            return f"a reservation has no {component.type}, only TIME and FLAT"
    elif component.type is TariffDimension.PARKING_TIME and any(
        least is not None and least > 0 for least in (asked.min_power, asked.min_current)
    ):
        return "parking is when no power is asked for"
    return None


def _limits(tariff: Tariff) -> Iterator[Note]:
    for name, money in (("min_price", tariff.min_price), ("max_price", tariff.max_price)):
        if money is not None and money.net < 0:
            yield Note(NoteKind.NEGATIVE_PRICE, name, f"{money.net:f}: the driver is paid")
    yield from crossed(tariff)


# Between elements


def _order(places: Sequence[_Place]) -> Iterator[Note]:
    """Notes components of one dimension that earlier ones take all of, or a part of."""
    taken: dict[Ranges, _Taken] = {EVERYWHERE.ranges: _Taken(EVERYWHERE.ranges)}
    nearest: deque[_Taken] = deque(maxlen=_LOOKS_BACK)
    for place in places:
        week, ranges = place.area
        always = taken[EVERYWHERE.ranges]
        met = [one for one in (always, *nearest) if one.week & week and overlap(one.ranges, ranges)]
        yield from _met(place, met)
        here = taken.get(ranges)
        if here is None:
            here = taken[ranges] = _Taken(ranges)
            nearest.append(here)
        here.week |= week
        here.places.append(place)


def _met(place: _Place, met: Sequence[_Taken]) -> Iterator[Note]:
    """Notes what components do to a later one whose ranges and times of the week theirs meet."""
    if not met:
        return
    week, ranges = place.area
    around = [one for one in met if contains(one.ranges, ranges)]
    by = next((one for each in around for one in each.places if not week & ~one.area.week), None)
    covered = 0
    for each in around:
        covered |= each.week
    if by is not None:
        said = f"elements[{by.element}] always counts in its place for {place.component.type}"
        yield Note(NoteKind.HIDDEN, place.path, said)
    # One for all times, after others that fill the week, is the default that the specification advises.
    elif place.area != EVERYWHERE and not week & ~covered:
        said = f"earlier elements together always count in its place for {place.component.type}"
        yield Note(NoteKind.HIDDEN, place.path, said)
    elif before := _cutting(place, met):
        said = f"where elements[{before.element}] holds too, that one counts for {place.component.type}"
        yield Note(NoteKind.OVERLAP, place.path, said)


def _cutting(place: _Place, met: Sequence[_Taken]) -> _Place | None:
    """Gives the first earlier component that takes a part of another's times but has times of its own as well.

    One whose times all lie within the later one's is an exception to it, as is common; one of the same price takes
    nothing.
    """
    week, ranges = place.area
    for taken in met:
        inside = contains(ranges, taken.ranges)
        if inside and not taken.week & ~week:
            continue
        for one in taken.places:
            meets = one.area.week & week and not (inside and not one.area.week & ~week)
            if meets and one.component != place.component:
                return one
    return None


def _gaps(tariff: Tariff, groups: dict[_Group, list[_Place]]) -> Iterator[Note]:
    """Notes ends that leave a single minute without a price, as 23:59 for the day's end does."""
    told: set[int] = set()
    for (reservation, dimension), places in groups.items():
        if reservation is not None or dimension is TariffDimension.FLAT:
            continue
        covered = 0
        for place in places:
            covered |= place.area.week
        bare = covered ^ ALL_WEEK
        single = bare & _shifted(covered, 1) & _shifted(covered, WEEK - 1)
        for place in places:
            asked = tariff.elements[place.element].restrictions
            if asked is None or asked.end_time is None or place.element in told:
                continue
            missing = bare if asked.end_time == _LAST_MINUTE else single
            if missing & _minute_after(asked.end_time, place.area.week):
                told.add(place.element)
                said = f"the minute from {asked.end_time} on has no price for {dimension}; the end is excluded"
                yield Note(NoteKind.GAP, f"elements[{place.element}].restrictions.end_time", said)


def _shifted(week: int, by: int) -> int:
    """Moves minutes later; those past Sunday's end come round to Monday."""
    return (week << by | week >> (WEEK - by)) & ALL_WEEK


_EACH_MIDNIGHT: Final = sum(1 << DAY * number for number in range(7))


def _minute_after(end: str, week: int) -> int:
    """Gives the minutes of the week at an end time that follow one of the times before it."""
    return (_EACH_MIDNIGHT << minute(end)) & _shifted(week, 1)
