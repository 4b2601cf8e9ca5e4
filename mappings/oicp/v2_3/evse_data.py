"""EvseDataRecordType from and to a location with its EVSEs (OICP 2.3, CPO Data Types, EvseDataRecordType).

Records out are plain JSON dictionaries, made to be dumped at once: parts of them are shared between the records of a
location, so they are to be read and not changed. `lastUpdate` and `deltaType` are Hubject's to assign and never sent.
What the tables of `tables` call lost for every value (tariff ids, times of change) is not reported again per object.
"""

from collections.abc import Container, Iterator
from typing import NamedTuple

from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import Evse, Location
from mappings.oicp.v2_3 import extras
from mappings.oicp.v2_3.defaults import OperatorDefaults
from mappings.oicp.v2_3.grouping import group
from mappings.oicp.v2_3.kinds import kinds
from mappings.oicp.v2_3.place import NAME_LENGTH, Place
from mappings.oicp.v2_3.reading import to_canonical
from mappings.oicp.v2_3.texts import cut
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, Refused, Report

__all__ = ["Rendered", "from_canonical", "group", "records", "to_canonical", "wire_id"]

# OICP 2.3, EvseIDType; a party in the id says already that the rest has the form.
_ISO_INSTANCE, _DIN_INSTANCE = 30, 32


class Rendered(NamedTuple):
    """One EVSE's record, or why there is none.

    Attributes:
        evse: The source.
        record: The record, or the refusal, whose reason names the field.
        issues: What was noted of the location and of this EVSE, paths from the location.
    """

    evse: Evse
    record: Record | Refused
    issues: list[Issue]


def wire_id(evse_id: EvseId | None, field: str = "evse_id") -> str:
    """Gives an EvseID as it is sent: capitals, with separators.

    Raises:
        Refused: There is none, or it is neither an ISO nor a DIN id within OICP's length.
    """
    if evse_id is None:
        raise Refused(field, "missing, and OICP knows an EVSE by nothing else")
    if evse_id.party is None:
        raise Refused(field, "neither an ISO nor a DIN EvseID as OICP demands", evse_id.text)
    longest = _DIN_INSTANCE if evse_id.party.country.startswith("+") else _ISO_INSTANCE
    if len(evse_id.instance) > longest:
        raise Refused(field, f"longer than the {longest} characters after the operator that OICP allows", evse_id.text)
    return evse_id.separated()


def from_canonical(
    location: Location, evse: Evse, defaults: OperatorDefaults, operator: PartyId
) -> tuple[Record, list[Issue]]:
    """Writes one EVSE of a location.

    Args:
        location: The location.
        evse: One of its EVSEs.
        defaults: The operator's values for mandatory fields that the source leaves open.
        operator: The connection's OperatorID; an EVSE of another party is a sub-operator's.

    Raises:
        Refused: The record cannot be said; the reason names the field.
    """
    index = next((n for n, one in enumerate(location.evses) if one is evse), 0)
    writer = _Writer(location, defaults, operator)
    report = writer.report()
    return writer.record(evse, index, report), report.issues


def records(
    location: Location, defaults: OperatorDefaults, operator: PartyId, uids: Container[str] | None = None
) -> Iterator[Rendered]:
    """Writes EVSEs of a location, working out what they share once.

    Args:
        location: The location.
        defaults: The operator's values for mandatory fields that the source leaves open.
        operator: The connection's OperatorID; an EVSE of another party is a sub-operator's.
        uids: Of the EVSEs wanted; None means all.

    Yields:
        One for each EVSE, in order. Nothing is raised: a refusal stands in the place of the record.
    """
    try:
        writer = _Writer(location, defaults, operator)
    except Refused as refusal:
        for evse in location.evses:
            if uids is None or evse.uid in uids:
                yield Rendered(evse, refusal, refusal.issues)
        return
    for index, evse in enumerate(location.evses):
        if uids is not None and evse.uid not in uids:
            continue
        report = writer.report()
        try:
            record = writer.record(evse, index, report)
        except Refused as refusal:
            yield Rendered(evse, refusal, refusal.issues)
        else:
            yield Rendered(evse, record, report.issues)


class _Writer:
    """Writes the records of one location's EVSEs."""

    __slots__ = ("_defaults", "_kinds", "_location", "_operator", "place")

    def __init__(self, location: Location, defaults: OperatorDefaults, operator: PartyId) -> None:
        self.place = Place(location, defaults)
        self._location = location
        self._defaults = defaults
        self._operator = operator
        self._kinds = kinds(defaults)

    def report(self) -> Report:
        """Begins an EVSE's report, with what was noted of the location."""
        return Report(self.place.issues)

    def record(self, evse: Evse, index: int, report: Report) -> Record:
        """Writes the EVSE at an index of the location.

        Raises:
            Refused: It cannot be said.
        """
        evse_id, place = evse.evse_id, self.place
        kind = self._kinds.of(evse)
        try:
            wired = wire_id(evse_id, f"evses[{index}].evse_id")
            kind.demand_said(index)
        except Refused as refusal:
            refusal.issues[:0] = report.issues
            raise
        report.issues += kind.issues(index)
        record: Record = {"EvseID": wired, **place.base, **kind.fields}
        party = None if evse_id is None else evse_id.party
        if party is not None and party.normal != self._operator.normal and "SubOperatorName" not in record:
            name = place.operator_name or party.normal
            record["SubOperatorName"] = cut(name, NAME_LENGTH, "operator.name", report)
        # OCPI says few of these, so most EVSEs have nothing to add.
        if not extras.FIELDS.isdisjoint(evse.model_fields_set):
            extras.write(place, evse, f"evses[{index}]", self._location, self._defaults, record, report)
        return record
