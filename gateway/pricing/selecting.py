"""Which tariff holds for a charge: of those that its connector names, the one in force when it began."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Generic, TypeVar

from gateway.pricing.clock import WEEKDAYS, parts_of_day, zone_of
from gateway.pricing.notes import Note, NoteKind, Unpriceable, Why
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Tariff, TariffHours, TariffType

_FIRST: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tariff that may hold.

    Attributes:
        known_from: When it was heard of; None for always.
        known_until: When another one was, or its end; None for never.
    """

    tariff: Tariff
    known_from: datetime | None = None
    known_until: datetime | None = None


C = TypeVar("C", bound=Candidate)


@dataclass(frozen=True, slots=True)
class Selected(Generic[C]):
    """The tariff that holds, and what is to be said of the choice."""

    candidate: C
    notes: Sequence[Note] = ()

    @property
    def tariff(self) -> Tariff:
        """The tariff."""
        return self.candidate.tariff


def select(
    candidates: Sequence[C],
    start: datetime,
    zone: str | None,
    emsp: PartyId | None,
    type: TariffType = TariffType.REGULAR,  # noqa: A002 - the field's name
) -> Selected[C]:
    """Chooses the tariff by which a charge is priced, all of it (OCPI 2.2.1, mod_tariffs, Tariff object).

    Of those in force at the start, known then, of the type or of none, and for all EMSPs or this one: the variant for
    the EMSP goes before the one of the same id that is for all; one that names the hours in which a charge has to
    begin, before one that names none (Gireve); then the order in which they are given; then the one that began last.
    What was first heard of after the start is taken where nothing else holds.

    Args:
        candidates: In the order in which the connector names their ids. Versions that were heard of after the start are
            those of the charge's time, and, where nothing was known before, the first.
        start: Of the session, aware.
        zone: IANA name of the place's time zone; None where it is not known.
        emsp: Whose driver it is; None where that is not known, which leaves tariffs for all.

    Raises:
        Unpriceable: NO_TARIFF: none holds. NO_ZONE: one holds at some hours, and the local time is not known.
    """
    reasons: list[str] = []
    holding: list[C] = []
    for candidate in candidates:
        reason = _why_not(candidate, start, zone, emsp, type)
        if reason is None:
            holding.append(candidate)
        else:
            reasons.append(f"{candidate.tariff.id} {reason}")
    # What was known in time goes before what was not, and only then may a variant displace the one for all.
    left = _of_variants([each for each in holding if _known(each, start)] or _earliest(holding))
    chosen = [each for each in left if each.tariff.hours is not None] or left
    if not chosen:
        detail = "; ".join(dict.fromkeys(reasons)) or "no tariff is known here"
        raise Unpriceable(Why.NO_TARIFF, "", f"no tariff holds at {start.isoformat()}: {detail}")
    first = _first(chosen)
    return Selected(first, _notes(first, chosen, candidates, start))


def _why_not(
    candidate: Candidate, start: datetime, zone: str | None, emsp: PartyId | None, type_: TariffType
) -> str | None:
    """Says why a candidate is out whatever the others are; None where it is not.

    Raises:
        Unpriceable: NO_ZONE.
    """
    tariff, until = candidate.tariff, candidate.known_until
    said: str | None = None
    if tariff.target is not None and tariff.target != emsp:
        said = f"is for {tariff.target}"
    elif tariff.type not in {None, type_}:
        said = f"is of the type {tariff.type}"
    elif tariff.start is not None and start < tariff.start:
        said = f"begins at {tariff.start.isoformat()}"
    elif tariff.end is not None and start >= tariff.end:
        said = f"ended at {tariff.end.isoformat()}"
    elif until is not None and start >= until:
        said = f"was replaced or withdrawn at {until.isoformat()}"
    elif not begins_within(tariff, start, zone):
        said = "is for charges that begin at other hours"
    return said


def _known(candidate: Candidate, start: datetime) -> bool:
    return candidate.known_from is None or candidate.known_from <= start


def _earliest(holding: Sequence[C]) -> list[C]:
    """Gives of each variant the version that was heard of first, where all were too late."""
    found: dict[tuple[PartyId, str, PartyId | None], C] = {}
    for each in sorted(holding, key=lambda each: each.known_from or _FIRST):
        found.setdefault(_variant(each), each)
    return [each for each in holding if found[_variant(each)] is each]


def _variant(candidate: Candidate) -> tuple[PartyId, str, PartyId | None]:
    return *_id(candidate), candidate.tariff.target


def _of_variants(holding: Sequence[C]) -> list[C]:
    """Leaves out what is for all where the same id has a variant for the EMSP."""
    special = {_id(each) for each in holding if each.tariff.target is not None}
    return [each for each in holding if each.tariff.target is not None or _id(each) not in special]


def _id(candidate: Candidate) -> tuple[PartyId, str]:
    return candidate.tariff.party, candidate.tariff.id.lower()


def begins_within(tariff: Tariff, start: datetime, zone: str | None) -> bool:
    """Tells whether a charge that begins then is one for which the tariff holds.

    Raises:
        Unpriceable: NO_ZONE.
    """
    hours = tariff.hours
    if hours is None or (not hours.spans and not hours.days):
        return True
    place = zone_of(zone)
    if place is None:
        detail = f"the tariff {tariff.id} holds at local hours, and the place's time zone is not known"
        raise Unpriceable(Why.NO_ZONE, "hours", detail)
    return _holds(hours, start.astimezone(place))


def _holds(hours: TariffHours, local: datetime) -> bool:
    if hours.days and WEEKDAYS[local.weekday()] not in hours.days:
        return False
    minute = local.hour * 60 + local.minute
    parts = [part for span in hours.spans for part in parts_of_day(span.start, span.end)]
    return not parts or any(opens <= minute < closes for opens, closes in parts)


def _first(chosen: Sequence[C]) -> C:
    order: dict[tuple[PartyId, str], int] = {}
    for each in chosen:
        order.setdefault(_id(each), len(order))
    return min(chosen, key=lambda each: (order[_id(each)], -(each.tariff.start or _FIRST).timestamp()))


def _notes(first: C, chosen: Sequence[C], candidates: Sequence[C], start: datetime) -> list[Note]:
    notes = []
    if len(chosen) > 1:
        names = ", ".join(dict.fromkeys(each.tariff.id for each in (first, *chosen)))
        notes.append(Note(NoteKind.AMBIGUOUS, "", f"several tariffs hold alike: {names}; {first.tariff.id} is taken"))
    if not _known(first, start):
        detail = f"the tariff was first heard of at {first.known_from:%Y-%m-%dT%H:%M:%S%z}, after the charge began"
        notes.append(Note(NoteKind.KNOWN_LATER, "", detail))
    elif later := [each for each in candidates if _variant(each) == _variant(first) and not _known(each, start)]:
        detail = f"the tariff changed at {later[0].known_from:%Y-%m-%dT%H:%M:%S%z}; what held at the start counts"
        notes.append(Note(NoteKind.CHANGED, "", detail))
    return notes
