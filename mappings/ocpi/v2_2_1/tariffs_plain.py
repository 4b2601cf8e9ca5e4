"""What OCPI 2.2.1 itself can say of a tariff, and what comes nearest to one that it cannot say.

OCPI leaves roundings to law and contract, prices charging and parking time apart, and restricts elements by the instant
and never a tariff by a charge's start. All three are money, so that such a tariff is refused unless an approximation
is asked for.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from mappings.canonical.tariffs import (
    DayOfWeek,
    PriceComponent,
    RoundingRule,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffHours,
    TariffRestrictions,
)
from mappings.ocpi.reading import Path, show
from mappings.report import IssueKind, Report

_DAY: Final = 24 * 60
_TIMES: Final = (TariffDimension.TIME, TariffDimension.PARKING_TIME)


def check(tariff: Tariff, report: Report) -> None:
    """Notes what is lost that no price hangs on.

    Raises:
        Refused: It has hours or roundings of its own. (SESSION_TIME is refused by the table of dimensions.)
    """
    if tariff.hours is not None:
        raise report.refuse("hours", "OCPI cannot say that a tariff holds by when a charge begins")
    for path, component in _components(tariff):
        if component.price_rounding is not None:
            raise report.refuse(show((*path, "price_rounding")), "OCPI has no place for how a price is rounded")
        if component.step_rounding not in {None, RoundingRule.ROUND_UP}:
            detail = "OCPI counts begun steps as whole ones"
            raise report.refuse(show((*path, "step_rounding")), detail, component.step_rounding)
        _told(component, report, path)


def nearest(tariff: Tariff, report: Report) -> Tariff:
    """Gives the tariff that OCPI can say and that comes nearest, with an issue for each departure.

    Hours become restrictions of the elements, so that they count at every instant instead of at the start; time of the
    session becomes charging time and parking time at the same price; roundings are left to the reader.

    Raises:
        Refused: Session time stands beside charging or parking time, whose sum OCPI cannot say; or nothing is left.
    """
    elements = [_unrounded(element, report, ("elements", index)) for index, element in enumerate(tariff.elements)]
    elements = _without_session_time(elements, report)
    if tariff.hours is not None:
        report.add(IssueKind.NARROWED, "hours", "said as restrictions, which count at every instant, not at the start")
        elements = [part for element in elements for part in _within(element, tariff.hours)]
        if not elements:
            raise report.refuse("hours", "no element can hold in them")
    return tariff.model_copy(update={"elements": tuple(elements), "hours": None})


def _components(tariff: Tariff) -> Iterator[tuple[Path, PriceComponent]]:
    for index, element in enumerate(tariff.elements):
        for at, component in enumerate(element.price_components):
            yield ("elements", index, "price_components", at), component


def _told(component: PriceComponent, report: Report, path: Path) -> None:
    if component.exact is not None:
        report.add(IssueKind.LOST, show((*path, "exact")), "OCPI has no place for it")
    if component.step_rounding is RoundingRule.ROUND_UP:
        report.add(IssueKind.NARROWED, show((*path, "step_rounding")), "not said, as OCPI has it so anyhow")


def _unrounded(element: TariffElement, report: Report, path: Path) -> TariffElement:
    components = []
    for index, component in enumerate(element.price_components):
        at = (*path, "price_components", index)
        _told(component, report, at)
        if component.price_rounding is not None:
            report.add(IssueKind.NARROWED, show((*at, "price_rounding")), "left to whoever reckons the price")
        if component.step_rounding not in {None, RoundingRule.ROUND_UP}:
            detail = "said as OCPI has it: begun steps are whole ones"
            report.add(IssueKind.NARROWED, show((*at, "step_rounding")), detail, component.step_rounding)
        plain = {"price_rounding": None, "step_rounding": None, "exact": None}
        components.append(component.model_copy(update=plain))
    return element.model_copy(update={"price_components": tuple(components)})


def _without_session_time(elements: Sequence[TariffElement], report: Report) -> list[TariffElement]:
    own = [element for element in elements if not _of_reservation(element)]
    said = {component.type for element in own for component in element.price_components}
    made = []
    for index, element in enumerate(elements):
        components: list[PriceComponent] = []
        for at, component in enumerate(element.price_components):
            if component.type is not TariffDimension.SESSION_TIME:
                components.append(component)
                continue
            path = show(("elements", index, "price_components", at, "type"))
            if _of_reservation(element):
                report.add(IssueKind.LOST, path, "a reservation has no session whose time it could price")
            elif not said.isdisjoint(_TIMES):
                raise report.refuse(path, "stands beside a price of charging or parking time, and OCPI says no sum")
            else:
                report.add(IssueKind.NARROWED, path, "said as charging time and parking time of the same price")
                components += [component.model_copy(update={"type": time}) for time in _TIMES]
        if components:
            made.append(element.model_copy(update={"price_components": tuple(components)}))
    if not made:
        raise report.refuse("elements", "nothing is left that OCPI can say")
    return made


def _of_reservation(element: TariffElement) -> bool:
    return element.restrictions is not None and element.restrictions.reservation is not None


def _within(element: TariffElement, hours: TariffHours) -> list[TariffElement]:
    """Restricts an element to hours of the day and the week: one element for each span that is left of its own."""
    if _of_reservation(element):
        return [element]
    own = element.restrictions or TariffRestrictions()
    days = _both(own.day_of_week, hours.days)
    if days is None:
        return []
    parts = []
    for start, end in _spans(own, hours):
        update: dict[str, Any] = {"start_time": start, "end_time": end, "day_of_week": days}
        restrictions = own.model_copy(update=update)
        none = restrictions == TariffRestrictions()
        parts.append(element.model_copy(update={"restrictions": None if none else restrictions}))
    return parts


def _both(own: tuple[DayOfWeek, ...], given: tuple[DayOfWeek, ...]) -> tuple[DayOfWeek, ...] | None:
    """Gives the days that are in both, where none means all; None where there is none."""
    if not own or not given:
        return own or given
    return tuple(day for day in DayOfWeek if day in own and day in given) or None


def _spans(own: TariffRestrictions, hours: TariffHours) -> list[tuple[str | None, str | None]]:
    """Gives the spans of a day that lie in both, in OCPI's way of saying them; one of none for the whole day."""
    inner = _minutes(own.start_time or "00:00", own.end_time or "00:00")
    outer = [part for span in hours.spans for part in _minutes(span.start, span.end)] or [(0, _DAY)]
    found = sorted({(max(a, c), min(b, d)) for a, b in inner for c, d in outer if max(a, c) < min(b, d)})
    joined: list[tuple[int, int]] = []
    for start, end in found:
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    if joined == [(0, _DAY)]:
        return [(None, None)]
    if len(joined) > 1 and joined[0][0] == 0 and joined[-1][1] == _DAY:  # one span, over midnight
        joined = [*joined[1:-1], (joined[-1][0], joined[0][1])]
    return [(_clock(start), _clock(end)) for start, end in joined]


def _minutes(start: str, end: str) -> list[tuple[int, int]]:
    """Gives a span as parts of one day; one that ends where it begins is all of it (mod_tariffs, end_time)."""
    first, last = (int(text[:2]) * 60 + int(text[3:]) for text in (start, end))
    if first < last:
        return [(first, last)]
    return [(first, _DAY), (0, last)] if last else [(first, _DAY)]


def _clock(minutes: int) -> str:
    return f"{minutes % _DAY // 60:02}:{minutes % 60:02}"
