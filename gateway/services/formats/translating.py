"""Records of every known family, translated and handed to the intake, or put aside until their group is whole."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from gateway.complaints import field_errors, guard
from gateway.services.formats.intake import Intake
from gateway.services.formats.recognising import Family, Header, family_of
from gateway.services.formats.records import Raw
from gateway.services.formats.spool import MOST_IN_ROW, MOST_ROWS, Group, Spool
from gateway.services.formats.tables import Row
from gateway.services.formats.tally import Tally
from mappings.canonical.locations import Location
from mappings.canonical.tariffs import Tariff
from mappings.irve import dynamic, static
from mappings.irve.ids import station_key
from mappings.irve.wire import DynamicRow, StaticRow
from mappings.ocpi.v2_2_1 import locations, tariffs
from mappings.oicp.v2_3 import evse_status, grouping, reading
from mappings.report import Issue, IssueKind, Refused

UNKNOWN: Final = "is no record of a known kind"

_IRVE, _OICP = "irve/", "oicp/"

_LOCATION: Final = TypeAdapter(Location)
_TARIFF: Final = TypeAdapter(Tariff)


class Translator:
    """Translates records; each costs at most itself.

    Args:
        spool: Where rows wait for the others of their station.
        received: When the file arrived.
    """

    def __init__(self, intake: Intake, tally: Tally, spool: Spool, received: datetime) -> None:
        self._intake = intake
        self._tally = tally
        self._spool = spool
        self._received = received
        self.families: dict[Family, None] = {}
        self._read: Mapping[Family, Callable[[Raw], None]] = {
            Family.OCPI_LOCATION: self._ocpi_location,
            Family.OCPI_TARIFF: self._ocpi_tariff,
            Family.CANONICAL_LOCATION: self._canonical_location,
            Family.CANONICAL_TARIFF: self._canonical_tariff,
            Family.OICP_DATA: self._oicp_data,
            Family.OICP_STATUS: self._oicp_status,
            Family.IRVE_STATIC: self._irve_static_object,
            Family.IRVE_DYNAMIC: self._irve_dynamic_object,
        }

    def json(self, raw: Raw) -> None:
        """Takes a JSON object of any family."""
        self._tally.read += 1
        if raw.fault is not None:
            self._tally.refuse(raw.number, "", raw.fault)
            return
        family = family_of(raw.body)
        if family is None:
            self._tally.refuse(raw.number, "", UNKNOWN)
            return
        self.families[family] = None
        if faults := guard(raw.body):
            self._tally.refuse(raw.number, faults[0].field, faults[0].detail)
            return
        self._guarded(family, raw.number, lambda: self._read[family](raw))

    def row(self, row: Row, header: Header) -> None:
        """Takes a row of a CSV."""
        self._tally.read += 1
        self.families[header.family] = None
        if row.fault is not None:
            self._tally.refuse(row.line, "", row.fault)
        elif len(row.cells) != len(header.columns):
            self._tally.refuse(row.line, "", "has another number of cells than the header")
        else:
            fields = dict(zip(header.columns, row.cells, strict=True))
            take = self._irve_static if header.family is Family.IRVE_STATIC else self._irve_dynamic
            self._guarded(header.family, row.line, lambda: take(row.line, fields))

    def group(self, group: Group) -> None:
        """Takes the rows of one station, now whole."""
        if group.beyond:
            detail = f"stands after the first {MOST_ROWS} of its station, or after as many bytes as one may have"
            self._tally.refuse(group.first_beyond, "", detail, group.beyond)
        is_irve = group.key.startswith(_IRVE)
        take = self._irve_station if is_irve else self._oicp_place
        family = Family.IRVE_STATIC if is_irve else Family.OICP_DATA
        self._guarded(family, group.rows[0][0], lambda: take(group))

    def _guarded(self, family: Family, number: int, take: Callable[[], None]) -> None:
        try:
            take()
        except Refused as error:
            self._tally.refuse_all(family.protocol, number, error.issues)
        except ValidationError as error:
            fault = field_errors(error)[0]
            self._tally.refuse(number, fault.field, fault.detail)
        except RecursionError:
            self._tally.refuse(number, "", "is nested too deep")
        except (ValueError, ArithmeticError) as error:
            self._tally.refuse(number, "", str(error)[:200])

    def _note(self, family: Family, issues: Iterable[Issue]) -> None:
        self._tally.note(family.protocol, issues)

    # --- One record, one object ---------------------------------------------------------------------------------------

    def _ocpi_location(self, raw: Raw) -> None:
        location, issues = locations.to_canonical(raw.body, self._received)
        self._note(Family.OCPI_LOCATION, issues)
        self._intake.location(raw.number, location, issues, len(raw.body))

    def _ocpi_tariff(self, raw: Raw) -> None:
        tariff, issues = tariffs.to_canonical(raw.body, received=self._received)
        self._note(Family.OCPI_TARIFF, issues)
        self._intake.tariff(raw.number, tariff, issues, len(raw.body))

    def _canonical_location(self, raw: Raw) -> None:
        self._intake.location(raw.number, _LOCATION.validate_json(raw.body, strict=True), (), len(raw.body))

    def _canonical_tariff(self, raw: Raw) -> None:
        self._intake.tariff(raw.number, _TARIFF.validate_json(raw.body, strict=True), (), len(raw.body))

    def _oicp_status(self, raw: Raw) -> None:
        report, issues = evse_status.to_canonical(from_json(raw.body))
        self._note(Family.OICP_STATUS, issues)
        self._intake.status(raw.number, report)

    def _irve_dynamic_object(self, raw: Raw) -> None:
        self._irve_dynamic(raw.number, from_json(raw.body))

    def _irve_dynamic(self, number: int, fields: Mapping[str, Any]) -> None:
        report, issues = dynamic.to_canonical(DynamicRow.read(fields))
        self._note(Family.IRVE_DYNAMIC, issues)
        self._intake.status(number, report)

    # --- Many records, one object -------------------------------------------------------------------------------------

    def _put_aside(self, key: str, number: int, body: bytes) -> None:
        if len(body) > MOST_IN_ROW:
            raise Refused("", f"is over {MOST_IN_ROW} bytes, the most for one charge point")
        self._spool.add(key, number, body)

    def _irve_static_object(self, raw: Raw) -> None:
        self._irve_static(raw.number, from_json(raw.body))

    def _irve_static(self, number: int, fields: Mapping[str, Any]) -> None:
        row = StaticRow.read(fields)
        self._put_aside(_IRVE + station_key(row), number, to_json(row))

    def _irve_station(self, group: Group) -> None:
        rows = [(number, _static_row(body)) for number, body in group.rows]
        translation = static.to_canonical(rows, self._received)
        for number, error in translation.refused:
            self._tally.refuse_all("irve", number, error.issues)
        if translation.location is not None:
            self._note(Family.IRVE_STATIC, translation.issues)
            self._intake.location(rows[0][0], translation.location, translation.issues, _weight(group), len(rows))

    def _oicp_data(self, raw: Raw) -> None:
        location, issues = reading.to_canonical(from_json(raw.body), self._received, raw.under.id, raw.under.name)
        self._note(Family.OICP_DATA, issues)
        numbered = [issue._replace(field=f"records[{raw.number}].{issue.field}") for issue in issues]
        # Coarser than a place: whatever belongs together, or contends for an id, meets in one group.
        key = f"{_OICP}{location.party.normal}/{location.id.upper().replace('*', '')}"
        body = to_json([location.model_dump_json(exclude_defaults=True), numbered])
        self._put_aside(key, raw.number, body)

    def _oicp_place(self, group: Group) -> None:
        parts: list[Location] = []
        issues: list[Issue] = []
        for _, body in group.rows:
            text, noted = from_json(body)
            parts.append(Location.model_validate_json(text))
            issues += [Issue(IssueKind(kind), *more) for kind, *more in noted]
        places, doubled = grouping.group(parts)
        self._note(Family.OICP_DATA, doubled)
        for index, place in enumerate(places):
            self._intake.location(
                group.rows[0][0], place, () if index else [*issues, *doubled], _weight(group), len(place.evses)
            )


def _static_row(body: bytes) -> StaticRow:
    *cells, others = from_json(body)
    return StaticRow._make([*cells, tuple((name, value) for name, value in others)])


def _weight(group: Group) -> int:
    return sum(len(body) for _, body in group.rows)
