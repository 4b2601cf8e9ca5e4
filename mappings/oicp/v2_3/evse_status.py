"""EvseStatusRecordType from and to a canonical status report (OICP 2.3, CPO Data Types, EvseStatusRecordType)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mappings.canonical.ids import EvseId
from mappings.canonical.locations import EvseStatus, EvseStatusReport
from mappings.oicp.v2_3 import forms
from mappings.oicp.v2_3.enums import EVSE_STATUS
from mappings.oicp.v2_3.evse_data import wire_id
from mappings.oicp.v2_3.values import enum
from mappings.oicp.v2_3.wire import EvseStatusRecord, Record
from mappings.report import Issue, IssueKind, Refused, Report

_SAID = {row.canonical: row.wire for row in EVSE_STATUS.rows() if row.wire != "—"}
NARROWED: Mapping[EvseStatus, tuple[Issue, ...]] = MappingProxyType(
    {
        status: (Issue(IssueKind.NARROWED, "status", lost, status.value),) if (lost := EVSE_STATUS.lost(status)) else ()
        for status in EvseStatus
    }
)
"""What is noted of a status that is sent."""


def record(evse_id: EvseId | None, status: EvseStatus) -> Record:
    """Writes a status record.

    Raises:
        Refused: The id is missing or not well formed, or the EVSE is REMOVED, which OICP says by a delete.
    """
    word = _SAID.get(status.value)
    if word is None:
        raise Refused("status", "a removed EVSE is deleted at the hub, not told a status", status.value)
    return {"EvseID": wire_id(evse_id), "EvseStatus": word}


def from_canonical(report: EvseStatusReport) -> tuple[Record, list[Issue]]:
    """Writes a status report that names its EVSE by the public id; OICP takes no time with it.

    Raises:
        Refused: See `record`.
    """
    return record(report.evse_id, report.status), [*NARROWED[report.status]]


def to_canonical(value: Mapping[Any, Any]) -> tuple[EvseStatusReport, list[Issue]]:
    """Reads a status record in any spelling; a word that OICP does not have is UNKNOWN, with an issue.

    Raises:
        Refused: There is no EvseID or no status.
    """
    report = Report()
    values, _ = forms.fields(EvseStatusRecord, value)
    given = values.get("EvseID")
    if not isinstance(given, str) or not given.strip():
        raise report.refuse("EvseID", "missing", given)
    if "EvseStatus" not in values:
        raise report.refuse("EvseStatus", "missing", None)
    evse_id = EvseId(given)
    if not evse_id.well_formed:
        report.add(IssueKind.SUSPECT, "EvseID", "neither an ISO nor a DIN EvseID", given)
    status = enum(EVSE_STATUS, values["EvseStatus"], "EvseStatus", report) or EvseStatus.UNKNOWN
    return EvseStatusReport(status=status, evse_id=evse_id), report.issues
