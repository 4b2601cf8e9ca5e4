"""EvseDataRecordType from and to a location with its EVSEs (OICP 2.3, CPO Data Types, EvseDataRecordType).

Records out are plain JSON dictionaries, made to be dumped at once: parts of them are shared between the records of a
location, so they are to be read and not changed. `lastUpdate` and `deltaType` are Hubject's to assign and never sent.
What the tables of `tables` call lost for every value (tariff ids, times of change) is not reported again per object.
"""

from collections.abc import Container, Iterator
from functools import lru_cache
from typing import NamedTuple, TypeVar

from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import Accessibility, CalibrationLaw, DynamicInfo, Evse, Location
from mappings.oicp.v2_3 import connectors, extras, services
from mappings.oicp.v2_3.defaults import OperatorDefaults
from mappings.oicp.v2_3.enums import ACCESSIBILITY, CALIBRATION_LAW, DYNAMIC_INFO
from mappings.oicp.v2_3.grouping import group
from mappings.oicp.v2_3.place import NAME_LENGTH, Place
from mappings.oicp.v2_3.reading import to_canonical
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, IssueKind, Refused

__all__ = ["Rendered", "from_canonical", "group", "records", "to_canonical", "wire_id"]

# OICP 2.3, EvseIDType; a party in the id says already that the rest has the form.
_ISO_INSTANCE, _DIN_INSTANCE = 30, 32

_T = TypeVar("_T")

_ACCESSIBILITY = {member: ACCESSIBILITY.from_canonical(member).value for member in ACCESSIBILITY.canonical}
_CALIBRATION_LAW = {member: CALIBRATION_LAW.from_canonical(member).value for member in CALIBRATION_LAW.canonical}
_DYNAMIC_INFO = {member: DYNAMIC_INFO.from_canonical(member).value for member in DYNAMIC_INFO.canonical}


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
    issues = (place := Place(location, defaults)).issues
    return _record(place, evse, index, location, defaults, operator, issues), issues


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
        place = Place(location, defaults)
    except Refused as refusal:
        for evse in location.evses:
            if uids is None or evse.uid in uids:
                yield Rendered(evse, refusal, refusal.issues)
        return
    for index, evse in enumerate(location.evses):
        if uids is not None and evse.uid not in uids:
            continue
        issues = place.issues.copy()
        try:
            record: Record | Refused = _record(place, evse, index, location, defaults, operator, issues)
        except Refused as refusal:
            record, issues = refusal, refusal.issues
        yield Rendered(evse, record, issues)


def _record(
    place: Place,
    evse: Evse,
    index: int,
    location: Location,
    defaults: OperatorDefaults,
    operator: PartyId,
    issues: list[Issue],
) -> Record:
    evse_id = evse.evse_id
    try:
        record: Record = {"EvseID": wire_id(evse_id, f"evses[{index}].evse_id"), **place.base}
        plugs, facilities = connectors.write(
            evse.connectors, f"evses[{index}].connectors", defaults.connector_format, issues
        )
    except Refused as refusal:
        raise _after(issues, refusal) from None
    record["Plugs"] = plugs
    record["ChargingFacilities"] = facilities
    said = services.write(evse, defaults)
    record["AuthenticationModes"] = said.authentication
    record["PaymentOptions"] = said.payment
    record["ValueAddedServices"] = said.services
    if said.alone:
        issues.append(_noted(index, "payment_options", IssueKind.LEFT_OUT, "`No Payment` stands only alone in OICP"))
    issues.extend(_defaulted(index, name) for name in said.defaulted)
    if not (said.authentication and said.payment and said.services):
        empty = next(name for name in said.defaulted if not getattr(defaults, name))
        raise _no_default(issues, index, empty)
    _mandatory(evse, index, defaults, record, issues)
    party = None if evse_id is None else evse_id.party
    if party is not None and party.normal != operator.normal and "SubOperatorName" not in record:
        name = place.operator_name or party.normal
        record["SubOperatorName"] = (
            name if len(name) <= NAME_LENGTH else extras.shortened(name, NAME_LENGTH, "operator.name", issues)
        )
    if evse.physical_reference is not None:
        issues.append(_noted(index, "physical_reference", IssueKind.LOST, "OICP has no place for it"))
    extras.write(place, evse, index, location, defaults, record, issues)
    return record


def _mandatory(evse: Evse, index: int, defaults: OperatorDefaults, record: Record, issues: list[Issue]) -> None:
    accessibility, law, dynamic = evse.accessibility, evse.calibration_law, evse.dynamic_info
    compatible = evse.hubject_compatible
    if accessibility is None and law is None and compatible is None and dynamic is None:
        # No OCPI source says any of these, so this is the way of most EVSEs.
        words = _default_words(
            defaults.accessibility, defaults.calibration_law, defaults.hubject_compatible, defaults.dynamic_info
        )
        if words is not None:
            record.update(words)
            issues += _all_defaulted(index)
            return
    if accessibility is None:
        accessibility = _default(defaults.accessibility, index, "accessibility", issues)
    if law is None:
        law = _default(defaults.calibration_law, index, "calibration_law", issues)
    if compatible is None:
        compatible = _default(defaults.hubject_compatible, index, "hubject_compatible", issues)
    if dynamic is None:
        dynamic = _default(defaults.dynamic_info, index, "dynamic_info", issues)
    record["Accessibility"] = _ACCESSIBILITY[accessibility]
    record["CalibrationLawDataAvailability"] = _CALIBRATION_LAW[law]
    record["IsHubjectCompatible"] = compatible
    record["DynamicInfoAvailable"] = _DYNAMIC_INFO[dynamic]


def _default(default: _T | None, index: int, name: str, issues: list[Issue]) -> _T:
    if default is None:
        raise _no_default(issues, index, name)
    issues.append(_defaulted(index, name))
    return default


@lru_cache(maxsize=8192)
def _noted(index: int, name: str, kind: IssueKind, detail: str) -> Issue:
    # A network raises the same few issues on every EVSE; they are made once.
    return Issue(kind, f"evses[{index}].{name}", detail)


@lru_cache(maxsize=64)
def _default_words(
    accessibility: Accessibility | None,
    law: CalibrationLaw | None,
    compatible: bool | None,
    dynamic: DynamicInfo | None,
) -> Record | None:
    if accessibility is None or law is None or compatible is None or dynamic is None:
        return None
    return {
        "Accessibility": _ACCESSIBILITY[accessibility],
        "CalibrationLawDataAvailability": _CALIBRATION_LAW[law],
        "IsHubjectCompatible": compatible,
        "DynamicInfoAvailable": _DYNAMIC_INFO[dynamic],
    }


@lru_cache(maxsize=2048)
def _all_defaulted(index: int) -> list[Issue]:
    fields = ("accessibility", "calibration_law", "hubject_compatible", "dynamic_info")
    return [_defaulted(index, field) for field in fields]


@lru_cache(maxsize=8192)
def _defaulted(index: int, name: str) -> Issue:
    return Issue(IssueKind.DEFAULTED, f"evses[{index}].{name}", "missing; the operator's default was used")


def _no_default(issues: list[Issue], index: int, name: str) -> Refused:
    detail = "missing; OICP demands it and the operator's defaults do not give it"
    return Refused(f"evses[{index}].{name}", detail, before=issues)


def _after(issues: list[Issue], refusal: Refused) -> Refused:
    """Puts what was noted before in front of a refusal that does not carry it."""
    if len(refusal.issues) == 1:
        refusal.issues[:0] = issues
    return refusal
