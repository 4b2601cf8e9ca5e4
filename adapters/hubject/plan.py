"""Turns projections of EVSEs into pushes of their data and statuses. Pure."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from adapters.core.adapter import Item, Plan
from adapters.hubject import planning
from adapters.hubject import settings as names
from adapters.hubject.planning import Kind, Written
from adapters.hubject.settings import Settings
from mappings.canonical.ids import EvseId
from mappings.canonical.locations import Evse, Location
from mappings.oicp.v2_3 import evse_data, evse_status
from mappings.oicp.v2_3.messages import push_evse_data, push_evse_status
from mappings.oicp.v2_3.vocabulary import ActionType
from mappings.oicp.v2_3.wire import Record
from mappings.report import Refused


def make_plan(operation: str, items: Sequence[Item], settings: Settings, *, full_load: bool) -> Plan:
    """Makes the plan for EVSEs; see `planning.make_plan`."""
    return planning.make_plan(_kind(operation, settings), items, full_load=full_load)


def _known_as(item: Item) -> str | None:
    """Gives the EvseID under which the hub has a gone EVSE, or may have it; None if it surely has not."""
    if item.sent_as is not None:
        return item.sent_as
    # An insert that was tried may have been acted upon without an answer.
    evse_id = EvseId(item.key)
    return evse_id.separated() if item.attempts and evse_id.well_formed else None


# --- EVSE data


def _write_data(settings: Settings, items: Sequence[Item]) -> Iterator[Written]:
    """Renders EVSEs, what the EVSEs of one location share only once."""
    by_location: dict[int, tuple[Location, dict[str, Item]]] = {}
    for item in items:
        if not isinstance(item.subject, Location) or item.evse_uid is None:
            yield Written(item, Refused("", "no EVSE of a location"), ())
            continue
        by_location.setdefault(id(item.subject), (item.subject, {}))[1][item.evse_uid] = item
    for location, wanted in by_location.values():
        missing = set(wanted)
        for evse, record, issues in evse_data.records(location, settings.defaults, settings.operator_id, wanted):
            if evse.uid in missing:
                missing.remove(evse.uid)
                yield Written(wanted[evse.uid], record, issues)
        for uid in missing:
            yield Written(wanted[uid], Refused("evses", "the location has no such EVSE", uid), ())


# A delete names its record by the EvseID, but Hubject's OpenAPI demands a whole EvseDataRecord, and a deleted EVSE's
# content may be gone here as well. What stands in for it has a meaning to nobody.
_TOMBSTONE: Final[Record] = {
    "ChargingStationNames": [{"lang": "en", "value": "removed"}],
    "Address": {"Country": "DEU", "City": "-", "Street": "__", "PostalCode": "-", "HouseNum": "-"},
    "GeoCoordinates": {"Google": {"Coordinates": "0.0 0.0"}},
    "Plugs": ["Type 2 Outlet"],
    "ChargingFacilities": [{"PowerType": "AC_1_PHASE", "Power": 0}],
    "RenewableEnergy": False,
    "CalibrationLawDataAvailability": "Not Available",
    "AuthenticationModes": ["No Authentication Required"],
    "PaymentOptions": ["No Payment"],
    "ValueAddedServices": ["None"],
    "Accessibility": "Test Station",
    "HotlinePhoneNumber": "+00000",
    "IsOpen24Hours": True,
    "IsHubjectCompatible": False,
    "DynamicInfoAvailable": "false",
}


def _data_tombstone(evse_id: str) -> Record:
    return {"EvseID": evse_id, **_TOMBSTONE}


# --- EVSE statuses


def _write_status(items: Sequence[Item]) -> Iterator[Written]:
    for item in items:
        evse = _evse(item)
        if evse is None:
            yield Written(item, Refused("", "no EVSE of a location"), ())
            continue
        status = item.status or evse.status
        try:
            yield Written(item, evse_status.record(evse.evse_id, status), evse_status.NARROWED[status])
        except Refused as refusal:
            yield Written(item, refusal, ())


def _evse(item: Item) -> Evse | None:
    if isinstance(item.subject, Location):
        for evse in item.subject.evses:
            if evse.uid == item.evse_uid:
                return evse
    return None


def _status_tombstone(evse_id: str) -> Record:
    return {"EvseID": evse_id, "EvseStatus": "Unknown"}


def _evse_id(record: Record) -> str:
    named: str = record["EvseID"]
    return named


def _kind(operation: str, settings: Settings) -> Kind:
    def data(action: ActionType, records: list[Record]) -> Record:
        return push_evse_data(action, settings.operator_id, settings.operator_name, records)

    def status(action: ActionType, records: list[Record]) -> Record:
        return push_evse_status(action, settings.operator_id, settings.operator_name, records)

    match operation:
        case names.EVSE_DATA:
            return Kind(
                names.EVSE_DATA,
                settings.data_path,
                settings.data_batch,
                partial(_write_data, settings),
                data,
                _evse_id,
                _data_tombstone,
                _known_as,
            )
        case names.EVSE_STATUS:
            return Kind(
                names.EVSE_STATUS,
                settings.status_path,
                settings.status_batch,
                _write_status,
                status,
                _evse_id,
                _status_tombstone,
                _known_as,
            )
    raise ValueError(f"Hubject has no operation {operation}")
