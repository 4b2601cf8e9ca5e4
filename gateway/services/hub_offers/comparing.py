"""Compares what a hub holds of an offer with what it was told. Pure.

Prices are compared by what they come to at every moment of a week, not by how they are written: a hub keeps one table
of days and times where a tariff has elements in an order of its own. What a hub does not say is not compared, nor what
hubs have no word for: taxes, steps, rounding, texts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from pydantic import JsonValue

from gateway.services.hub_offers.steps import groups_of
from mappings.canonical.agreements import Offer, OfferTerms, OfferVersion
from mappings.canonical.held_offers import HubGroup, HubOffer
from mappings.canonical.tariffs import DayOfWeek, Tariff, TariffElement, TariffRestrictions, TariffType

_PLACES: Final = Decimal("0.0001")
"""A hub keeps a price a minute where a tariff has one an hour."""

_DAY: Final = 24 * 60
_WHEN: Final = ("start_time", "end_time", "day_of_week", "unknown")


class Difference(NamedTuple):
    """In what they differ.

    Attributes:
        field: Path in the offer, `terms.` before what its versions change.
    """

    field: str
    ours: JsonValue
    theirs: JsonValue


@dataclass(frozen=True, slots=True)
class OurSide:
    """Our record of an offer, as far as hubs know offers.

    Attributes:
        version: The one that is compared.
        ends: By its terms, or as it was cancelled; None without end.
        tariffs: Those that the version agrees on or its EVSEs name, by EVSE group; without a line where none is known.
        names: Of the EVSE groups, by their ids.
        partners: The hub's own ids of EMSPs, by their normal forms, as far as they are known.
        group_ids: The hub's own ids of the EVSE groups, by ours.
    """

    offer: Offer
    version: OfferVersion
    ends: datetime | None
    tariffs: Mapping[str, Sequence[Tariff]]
    names: Mapping[str, str]
    partners: Mapping[str, str]
    group_ids: Mapping[str, str]


def version_of(versions: Sequence[OfferVersion], theirs: HubOffer) -> OfferVersion:
    """Gives the version of ours that a hub's offer is: by its number, or the one in force when it starts.

    Args:
        versions: The oldest first, at least one.
    """
    numbered = next((one for one in versions if one.number == theirs.version), None)
    if numbered is not None:
        return numbered
    begun = [one for one in versions if one.starts <= theirs.starts]
    return begun[-1] if begun else versions[0]


def compare(ours: OurSide, theirs: HubOffer) -> list[Difference]:
    """Gives in what our record and the hub's differ, each field once."""
    return [*_of_offer(ours, theirs), *_of_terms(ours.version.terms, theirs), *_of_groups(ours, theirs)]


def _of_offer(ours: OurSide, theirs: HubOffer) -> Iterable[Difference]:
    offer = ours.offer
    starts = offer.starts if ours.version.number == 1 else ours.version.starts
    pairs: list[tuple[str, JsonValue, JsonValue]] = [
        ("title", offer.title, theirs.title),
        ("starts", starts.isoformat(), theirs.starts.isoformat()),
        ("ends", _moment(ours.ends), _moment(theirs.ends)),
        ("minimum_term_days", offer.minimum_term_days, theirs.minimum_term_days),
        ("cancellation_days", offer.cancellation_days, theirs.cancellation_days),
        ("audience", *_audiences(ours, theirs)),
    ]
    if theirs.joining is not None:
        pairs.append(("joining", offer.joining.value, theirs.joining.value))
    if theirs.notice_days is not None:
        pairs.append(("notice_days", offer.notice_days, theirs.notice_days))
    if theirs.lead_time_days is not None and offer.ends is None:
        pairs.append(("lead_time_days", offer.lead_time_days, theirs.lead_time_days))
    for field, mine, other in pairs:
        if mine != other:
            yield Difference(field, mine, other)


def _audiences(ours: OurSide, theirs: HubOffer) -> tuple[JsonValue, JsonValue]:
    """Gives both audiences in words that can be compared: by the hub's ids where all are known, else how many."""
    audience = ours.offer.audience
    if audience is None or theirs.audience is None:
        mine = None if audience is None else _list(party.normal for party in audience)
        return mine, None if theirs.audience is None else _list(theirs.audience)
    if not theirs.audience:  # it does not say whom
        return None, None
    known = [ours.partners.get(party.normal) for party in audience]
    if all(known):
        return _list(str(each) for each in known), _list(theirs.audience)
    return len(audience), len(theirs.audience)


def _list(words: Iterable[str]) -> JsonValue:
    listed: list[JsonValue] = []
    listed += sorted(words)
    return listed


def _of_terms(terms: OfferTerms, theirs: HubOffer) -> Iterable[Difference]:
    if theirs.services and terms.services != theirs.services:
        mine, other = (_list(each.value for each in services) for services in (terms.services, theirs.services))
        yield Difference("terms.services", mine, other)


def _of_groups(ours: OurSide, theirs: HubOffer) -> Iterable[Difference]:
    if not theirs.groups:  # it does not say
        return
    found: dict[str, HubGroup] = {}
    for group in theirs.groups:
        name = _named(ours, group)
        if name is None:
            yield Difference(f"terms.evse_groups[{group.name}]", None, group.name)
        else:
            found[name] = group
    for name in groups_of(ours.version.terms):
        held = found.get(name)
        if held is None:
            yield Difference(f"terms.evse_groups[{name}]", ours.names.get(name, name), None)
        elif held.tariff is not None and ours.tariffs.get(name):
            mine = _first(ours.tariffs[name])
            if mine is not None and mine.currency != held.tariff.currency:
                yield Difference(f"terms.prices[{name}].currency", mine.currency, held.tariff.currency)
            elif mine is not None and (differing := _prices(mine, held.tariff)) is not None:
                yield Difference(f"terms.prices[{name}]", *differing)


def _named(ours: OurSide, group: HubGroup) -> str | None:
    """Gives our id of a hub's group: as the hub said it, else by its name."""
    wanted = groups_of(ours.version.terms)
    by_id = next((name for name in wanted if ours.group_ids.get(name) == group.id), None)
    if by_id is not None:
        return by_id
    return next((name for name in wanted if ours.names.get(name, name) == group.name), None)


def _first(tariffs: Sequence[Tariff]) -> Tariff | None:
    """Gives the tariff that a hub can hold, which knows no other kind and one alone."""
    return next((one for one in tariffs if one.type in {None, TariffType.REGULAR}), None)


# Prices

_Slot = tuple[tuple[str, str, str], ...]
"""Dimension, under which conditions, price; in the order in which they are tried."""


def _prices(ours: Tariff, theirs: Tariff) -> tuple[JsonValue, JsonValue] | None:
    """Gives what both come to at the first time of the week at which they differ; None where they never do."""
    times = sorted({0, *_times(ours), *_times(theirs)})
    for day in DayOfWeek:
        for minute in times:
            mine, other = _at(ours, day, minute), _at(theirs, day, minute)
            if mine != other:
                when = f"{day.value} {minute // 60:02}:{minute % 60:02}"
                return _told(when, mine), _told(when, other)
    return None


def _times(tariff: Tariff) -> Iterable[int]:
    for element in tariff.elements:
        if element.restrictions is not None:
            for text in (element.restrictions.start_time, element.restrictions.end_time):
                if text is not None:
                    yield _minute(text)


def _at(tariff: Tariff, day: DayOfWeek, minute: int) -> _Slot:
    """Gives the prices at a time of the week: of each dimension all up to the first that holds without condition."""
    settled: set[str] = set()
    slot: list[tuple[str, str, str]] = []
    for element in tariff.elements:
        if not _holds(element, day, minute):
            continue
        condition = _condition(element.restrictions)
        for component in element.price_components:
            dimension = component.type.value
            if dimension in settled:
                continue
            slot.append((dimension, condition, f"{component.price.quantize(_PLACES).normalize():f}"))
            if not condition:
                settled.add(dimension)
    return tuple(sorted((each for each in slot if each[1] or Decimal(each[2])), key=lambda each: each[:2]))


def _holds(element: TariffElement, day: DayOfWeek, minute: int) -> bool:
    limits = element.restrictions
    if limits is None:
        return True
    if limits.day_of_week and day not in limits.day_of_week:
        return False
    start = _minute(limits.start_time) if limits.start_time is not None else 0
    end = _minute(limits.end_time) if limits.end_time is not None else _DAY
    end = end or _DAY
    # From the evening into the morning it holds on both sides of midnight.
    return start <= minute < end if start < end else (minute >= start or minute < end)


def _condition(limits: TariffRestrictions | None) -> str:
    """Writes under which conditions beside the time of the week an element holds."""
    if limits is None:
        return ""
    said = limits.model_dump(mode="json", exclude_defaults=True)
    return ", ".join(f"{name} {value}" for name, value in sorted(said.items()) if name not in _WHEN)


def _told(when: str, slot: _Slot) -> JsonValue:
    return {
        when: {f"{dimension} ({condition})" if condition else dimension: price for dimension, condition, price in slot}
    }


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
