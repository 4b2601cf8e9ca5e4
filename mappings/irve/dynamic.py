"""Dynamic records (schema IRVE dynamique 2.3) to canonical status reports, in only."""

from datetime import datetime
from enum import StrEnum
from itertools import product
from typing import NamedTuple, TypeVar

from mappings.canonical.locations import EvseStatus, EvseStatusReport
from mappings.irve.ids import evse_id, roaming_id
from mappings.irve.values import Words, moment
from mappings.irve.wire import DynamicRow, EtatPdc, EtatPrise, OccupationPdc
from mappings.report import Issue, IssueKind, Report
from mappings.tables import TableError

W = TypeVar("W", bound=StrEnum)

STATUS: dict[tuple[EtatPdc, OccupationPdc], EvseStatus] = {
    (EtatPdc.EN_SERVICE, OccupationPdc.LIBRE): EvseStatus.AVAILABLE,
    # OCPI's CHARGING says "in use"; the schema cannot tell a charging car from one that only stands there.
    (EtatPdc.EN_SERVICE, OccupationPdc.OCCUPE): EvseStatus.CHARGING,
    (EtatPdc.EN_SERVICE, OccupationPdc.RESERVE): EvseStatus.RESERVED,
    (EtatPdc.EN_SERVICE, OccupationPdc.INCONNU): EvseStatus.UNKNOWN,  # it works, but may be taken
    (EtatPdc.HORS_SERVICE, OccupationPdc.LIBRE): EvseStatus.OUTOFORDER,
    (EtatPdc.HORS_SERVICE, OccupationPdc.OCCUPE): EvseStatus.OUTOFORDER,
    (EtatPdc.HORS_SERVICE, OccupationPdc.RESERVE): EvseStatus.OUTOFORDER,
    (EtatPdc.HORS_SERVICE, OccupationPdc.INCONNU): EvseStatus.OUTOFORDER,
    (EtatPdc.INCONNU, OccupationPdc.LIBRE): EvseStatus.UNKNOWN,  # nobody there, but it may not work
    (EtatPdc.INCONNU, OccupationPdc.OCCUPE): EvseStatus.CHARGING,
    (EtatPdc.INCONNU, OccupationPdc.RESERVE): EvseStatus.RESERVED,
    (EtatPdc.INCONNU, OccupationPdc.INCONNU): EvseStatus.UNKNOWN,
}
if missing := set(product(EtatPdc, OccupationPdc)) - STATUS.keys():
    raise TableError(f"no status for {sorted(missing)}")

_ETAT = Words(EtatPdc)
_OCCUPATION = Words(OccupationPdc)
_PRISE = Words(EtatPrise)
_PLUG_COLUMNS = ("etat_prise_type_2", "etat_prise_type_combo_ccs", "etat_prise_type_chademo", "etat_prise_type_ef")


class StatusTranslation(NamedTuple):
    """A status report and what its record lost."""

    report: EvseStatusReport
    issues: list[Issue]


def to_canonical(row: DynamicRow, time_zone: str = "Europe/Paris") -> StatusTranslation:
    """Translates one record.

    Args:
        row: The record.
        time_zone: IANA zone of stamps without an offset. They are the point's local time, and the id does not say where
            it is: a caller who knows the location gives its zone.

    Raises:
        Refused: The id is missing or cannot be an id, or the stamp is unreadable. An absent stamp means on arrival.
    """
    issues = Report()
    if row.id_pdc_itinerance is None or roaming_id(row.id_pdc_itinerance) is None:
        raise issues.refuse("id_pdc_itinerance", "the record names no point", row.id_pdc_itinerance)
    at = _stamp(row, time_zone, issues)
    etat = _read(_ETAT, row.etat_pdc, "etat_pdc", EtatPdc.INCONNU, issues)
    occupation = _read(_OCCUPATION, row.occupation_pdc, "occupation_pdc", OccupationPdc.INCONNU, issues)
    status = STATUS[etat, occupation]
    if etat is EtatPdc.HORS_SERVICE and occupation in {OccupationPdc.OCCUPE, OccupationPdc.RESERVE}:
        issues.add(IssueKind.NARROWED, "occupation_pdc", "out of order, so the occupation is not told", occupation)
    if row[4:] != (None, None, None, None):
        _plugs(row, status, issues)
    return StatusTranslation(
        EvseStatusReport(status=status, at=at, evse_id=evse_id(row.id_pdc_itinerance)), issues.issues
    )


def _stamp(row: DynamicRow, time_zone: str, issues: Report) -> datetime | None:
    if row.horodatage is None:
        issues.add(IssueKind.DEFAULTED, "horodatage", "no stamp; taken as of its arrival")
        return None
    try:
        at, mended = moment(row.horodatage, time_zone)
    except ValueError as error:
        raise issues.refuse("horodatage", str(error), row.horodatage) from None
    if mended:
        issues.add(IssueKind.MENDED, "horodatage", mended, row.horodatage)
    return at


def _read(words: Words[W], text: str | None, column: str, unknown: W, issues: Report) -> W:
    if text is None:
        issues.add(IssueKind.UNKNOWN, column, "not given")
        return unknown
    try:
        word, mended = words.read(text)
    except ValueError as error:
        issues.add(IssueKind.UNKNOWN, column, str(error), text)
        return unknown
    if mended:
        issues.add(IssueKind.MENDED, column, mended, text)
    return word


def _plugs(row: DynamicRow, status: EvseStatus, issues: Report) -> None:
    """Says what the plugs' own states add, since a canonical status is the EVSE's."""
    for column in _PLUG_COLUMNS:
        text: str | None = getattr(row, column)
        if text is None:
            continue
        plug = _read(_PRISE, text, column, EtatPrise.INCONNU, issues)
        if plug is EtatPrise.HORS_SERVICE and status is not EvseStatus.OUTOFORDER:
            issues.add(IssueKind.LOST, column, "one plug is out of order; a status is the whole point's", text)
