"""Which tariffs a CDR is priced by: those agreed on go before those named, what was published before a CDR's copy."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypeVar

from gateway.pricing.charge import Charge
from gateway.pricing.notes import Note, NoteKind, Unpriceable, Why
from gateway.pricing.selecting import Candidate, select
from gateway.services.ports.repricing import TariffSource
from gateway.services.tariffs.versions import Version
from mappings.canonical.cdrs import Cdr
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Tariff, TariffType

_TERMS: Final = ("currency", "elements", "min_price", "max_price", "hours")
"""What a charge costs by."""

C = TypeVar("C", bound=Candidate)


class Chosen(NamedTuple):
    """A tariff, and whose word it is.

    Attributes:
        version: Its number, where it was published.
    """

    tariff: Tariff
    source: TariffSource
    version: int | None
    notes: Sequence[Note]


class Choice(NamedTuple):
    """What a CDR is priced by.

    Attributes:
        base: For the whole charge where one was agreed on or no period names any, else the first that one names.
        named: By the ids that periods name, where these count.
    """

    base: Chosen
    named: Mapping[str, Tariff]
    notes: Sequence[Note]


def choose(
    cdr: Cdr,
    charge: Charge,
    ids: Sequence[str],
    published: Sequence[Version],
    emsp: PartyId | None,
    *,
    told: bool,
    agreed: Sequence[str] | None = None,
) -> Choice:
    """Chooses the tariffs in force at the start of a charge, which count for all of it.

    Args:
        ids: Of the tariffs of the charge, but for those that periods name, in the order in which they are to be tried.
        published: What is known of all ids.
        told: The CDR names the ids. Else they are those of its connector now.
        agreed: Ids of the tariffs that the agreement names under which the charge began, in the order in which they are
            to be tried; empty where it names none for this EVSE, None where it leaves prices to the EVSEs.

    Raises:
        Unpriceable: NO_TARIFF, NO_ZONE: as `select`.
    """
    picker = _Picker(cdr, charge.start, charge.zone, emsp, published)
    if agreed:
        return _agreed(picker.pick(agreed, told=True), charge, ids if told else ())
    names = list(dict.fromkeys(each.tariff_id for each in charge.stretches if each.tariff_id is not None))
    named = {name: picker.pick([name], told=True) for name in names}
    notes: list[Note] = []
    if agreed is not None:
        detail = "the agreement names no price for the EVSE: the tariffs of the EVSE are taken"
        notes.append(Note(NoteKind.ASSUMED, "tariffs", detail))
    if not names:
        base = picker.pick(ids, told=told)
        if not told and ids:
            detail = "the CDR names no tariff: what its connector names now is taken"
            notes.append(Note(NoteKind.ASSUMED, "tariffs", detail))
    else:
        base = named[names[0]]
    for chosen in (base, *named.values()):
        notes += chosen.notes
    return Choice(base, {name: chosen.tariff for name, chosen in named.items()}, list(dict.fromkeys(notes)))


def _agreed(base: Chosen, charge: Charge, told: Sequence[str]) -> Choice:
    """Takes the tariff that was agreed on for all of a charge, and says what the CDR names in its place."""
    named = [each.tariff_id for each in charge.stretches if each.tariff_id is not None]
    others = [id_ for id_ in dict.fromkeys(named or told) if not _same(id_, base.tariff.id)]
    if not named and len(others) < len(told):  # one of the CDR's copies is of it
        others = []
    notes = list(base.notes)
    if others:
        detail = f"the CDR names {', '.join(others)}; {base.tariff.id} was agreed on, and counts"
        notes.append(Note(NoteKind.NOT_AGREED, "periods" if named else "tariffs", detail))
    return Choice(base, {}, notes)


class _Picker:
    """Picks tariffs for one charge."""

    def __init__(
        self, cdr: Cdr, start: datetime, zone: str | None, emsp: PartyId | None, published: Sequence[Version]
    ) -> None:
        self._start = start
        self._zone = zone
        self._emsp = emsp
        self._published = published
        self._copies = cdr.tariffs

    def pick(self, ids: Sequence[str], *, told: bool) -> Chosen:
        candidates = [each for id_ in ids for each in self._published if _same(each.tariff.id, id_)]
        copies = [each for id_ in ids for each in self._copies if _same(each.id, id_)]
        try:
            version, notes = self._select(candidates, told=told)
        except Unpriceable as error:
            if not copies or error.why is not Why.NO_TARIFF:
                raise
            copy, notes = self._select([Candidate(each) for each in copies], told=True)
            return Chosen(copy.tariff, TariffSource.CDR, None, notes)
        tariff = version.tariff
        if others := [each for each in copies if _same(each.id, tariff.id)]:
            differing = [term for term in _TERMS if getattr(others[0], term) != getattr(tariff, term)]
            if differing:
                detail = f"the CDR's copy of {tariff.id} has other {', '.join(differing)}; what was published counts"
                notes = [*notes, Note(NoteKind.OTHER_TERMS, "tariffs", detail)]
        return Chosen(tariff, TariffSource.PUBLISHED, version.no, notes)

    def _select(self, candidates: Sequence[C], *, told: bool) -> tuple[C, Sequence[Note]]:
        """Selects one for every driver, else, where the CDR names it, of whatever type it is."""
        types = {each.tariff.type for each in candidates} - {None, TariffType.REGULAR} if told else set()
        try:
            selected = select(candidates, self._start, self._zone, self._emsp)
        except Unpriceable as error:
            if error.why is not Why.NO_TARIFF or len(types) != 1:
                raise
            selected = select(candidates, self._start, self._zone, self._emsp, types.pop() or TariffType.REGULAR)
        return selected.candidate, selected.notes


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()
