"""Whether restrictions, taken together, leave no moment out."""

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import pairwise, product
from math import prod
from operator import or_
from typing import Any, Final

from gateway.pricing.areas import ALL_WEEK, EVERYWHERE, Area, area_of, contains, contradictions
from mappings.canonical.tariffs import TariffRestrictions

_MOST: Final = 10_000
"""Areas by the parts into which they cut all that there is; where there are more, nothing is claimed."""


def cover(several: Sequence[TariffRestrictions | None], *, in_common: bool = False) -> bool:
    """Tells whether at least one of several sets of restrictions holds at every moment, whatever is charged.

    Args:
        several: Of elements that price the same.
        in_common: Leaves aside what all of them ask for alike, as a first day.

    Returns:
        True where it surely is so.
    """
    if any(each is not None and each.unknown for each in several):
        return False
    areas = [area_of(each) for each in several if each is None or not any(contradictions(each))]
    if not areas:
        return False
    sides = list(_sides(areas, in_common=in_common))
    if len(areas) * prod(len(side) for side in sides) > _MOST:
        return False
    for cell in product(*sides):
        ranges: Any = tuple(bound for side in cell for bound in side)
        if reduce(or_, (area.week for area in areas if contains(area.ranges, ranges)), 0) != ALL_WEEK:
            return False
    return True


def _sides(areas: Sequence[Area], *, in_common: bool) -> Iterator[list[tuple[Any, Any]]]:
    """Cuts each range of what is counted where one of the areas begins or ends."""
    for at in range(0, len(EVERYWHERE.ranges), 2):
        given = {(area.ranges[at], area.ranges[at + 1]) for area in areas}
        if in_common and len(given) == 1:
            yield list(given)
        else:
            whole = {EVERYWHERE.ranges[at], EVERYWHERE.ranges[at + 1]}
            points: list[Any] = sorted(whole.union(*given))
            yield list(pairwise(points))
