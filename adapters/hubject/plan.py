"""Turns claimed projections into pushes. Pure.

Hubject describes its actions at PushAuthenticationData and says that the pushes of EVSEs work alike: an insert is
refused whole if a record is there already, an update if one is not. So the action follows from whether the hub has
accepted the EVSE before; where that is in doubt, `adapter.py` mends it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from adapters.core.adapter import Call, Item, Plan, Rendered
from adapters.core.digest import digest
from adapters.hubject import settings as names
from adapters.hubject.settings import Settings
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import Evse, EvseStatus, Location
from mappings.oicp.v2_3 import evse_data, evse_status
from mappings.oicp.v2_3.messages import push_evse_data, push_evse_status
from mappings.oicp.v2_3.vocabulary import ActionType
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, Refused


def size(call: Call) -> int:
    """Counts the records in a call."""
    return len(next(part for part in _parts(call) if isinstance(part, list)))


def with_action(call: Call, action: str) -> Record:
    """Gives the body of a call with another action."""
    return {**_body(call), "ActionType": action}


def _body(call: Call) -> Record:
    if not isinstance(call.body, dict):
        raise TypeError("a push of Hubject's is an object")
    return call.body


def _parts(call: Call) -> Iterator[object]:
    for value in _body(call).values():
        if isinstance(value, dict):
            yield from value.values()


class Written(NamedTuple):
    """An item with the record that the hub shall hold, or why there is none."""

    item: Item
    record: Record | Refused
    issues: Sequence[Issue]


class _Kind(NamedTuple):
    """What differs between the two operations."""

    operation: str
    path: str
    write: Callable[[Sequence[Item], Settings], Iterator[Written]]
    message: Callable[[ActionType, PartyId, str, list[Record]], Record]
    tombstone: Callable[[str], Record]
    most: int


def make_plan(operation: str, items: Sequence[Item], settings: Settings, *, full_load: bool) -> Plan:
    """Makes the plan for `items`; see `adapters.core.adapter.Adapter.plan`.

    Deletes come first, then EVSEs whose EvseID is spelt anew (a delete and an insert), updates, and inserts. An EVSE
    that is gone and that the hub may never have had is settled without a call.

    Args:
        full_load: One fullLoad carries everything that can be said, and settles the gone as well. EVSEs that the hub
            has and that can no longer be said fall out of it. Where there is nothing to carry but what was refused, or
            nothing at all, there is no call, since it would take the whole network off.
    """
    kind = _kind(operation, settings)
    plan = Plan()
    gone: list[Item] = []
    alive: list[Item] = []
    for item in items:
        (gone if item.gone or item.status is EvseStatus.REMOVED else alive).append(item)
    if full_load:
        _replace_all(plan, kind, settings, gone, alive)
        return plan
    deletes: list[tuple[Record, Rendered]] = []
    for item in gone:
        if (known_as := _known_as(item)) is None:
            plan.unchanged.append(Rendered(item, b"", None))
        else:
            deletes.append((kind.tombstone(known_as), Rendered(item, b"", None)))
    renamed: list[tuple[Record, Rendered]] = []
    updates: list[tuple[Record, Rendered]] = []
    inserts: list[tuple[Record, Rendered]] = []
    for record, rendered in _rendered(plan, kind.write(alive, settings)):
        item = rendered.item
        if item.sent_as is None:
            inserts.append((record, rendered))
        elif item.sent_as != rendered.sent_as:
            renamed.append((record, rendered))
        elif item.accepted == rendered.fingerprint:
            plan.unchanged.append(rendered)
        else:
            updates.append((record, rendered))
    plan.calls.extend(_calls(kind, settings, ActionType.DELETE, deletes))
    for batch in _batches(renamed, kind.most):
        stale = [kind.tombstone(rendered.item.sent_as) for _, rendered in batch if rendered.item.sent_as is not None]
        plan.calls.append(_call(kind, settings, ActionType.DELETE, stale, ()))
        plan.calls.extend(_calls(kind, settings, ActionType.INSERT, batch))
    plan.calls.extend(_calls(kind, settings, ActionType.UPDATE, updates))
    plan.calls.extend(_calls(kind, settings, ActionType.INSERT, inserts))
    return plan


def _known_as(item: Item) -> str | None:
    """Gives the EvseID under which the hub has a gone item, or may have it; None if it surely has not."""
    if item.sent_as is not None:
        return item.sent_as
    # An insert that was tried may have been acted upon without an answer.
    evse_id = EvseId(item.key)
    return evse_id.separated() if item.attempts and evse_id.well_formed else None


def _replace_all(plan: Plan, kind: _Kind, settings: Settings, gone: Sequence[Item], alive: Sequence[Item]) -> None:
    said = list(_rendered(plan, kind.write(alive, settings)))
    if said or (gone and not plan.refused):
        settled = [rendered for _, rendered in said] + [Rendered(item, b"", None) for item in gone]
        records = [record for record, _ in said]
        plan.calls.append(_call(kind, settings, ActionType.FULL_LOAD, records, settled))


def _rendered(plan: Plan, written: Iterable[Written]) -> Iterator[tuple[Record, Rendered]]:
    """Puts the refused where they belong and gives the others with what the hub will hold of them."""
    for item, record, issues in written:
        if isinstance(record, Refused):
            plan.refused.append((item, record))
        else:
            yield record, Rendered(item, digest(record), record["EvseID"], tuple(issues))


def _calls(
    kind: _Kind, settings: Settings, action: ActionType, pairs: Sequence[tuple[Record, Rendered]]
) -> Iterator[Call]:
    for batch in _batches(pairs, kind.most):
        yield _call(kind, settings, action, [record for record, _ in batch], [rendered for _, rendered in batch])


def _batches(pairs: Sequence[tuple[Record, Rendered]], most: int) -> Iterator[Sequence[tuple[Record, Rendered]]]:
    return (pairs[start : start + most] for start in range(0, len(pairs), most))


def _call(
    kind: _Kind, settings: Settings, action: ActionType, records: list[Record], settles: Iterable[Rendered]
) -> Call:
    body = kind.message(action, settings.operator_id, settings.operator_name, records)
    return Call(kind.operation, action.value, kind.path, body, tuple(settles))


# --- EVSE data


def _write_data(items: Sequence[Item], settings: Settings) -> Iterator[Written]:
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


def _write_status(items: Sequence[Item], _settings: Settings) -> Iterator[Written]:
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


def _kind(operation: str, settings: Settings) -> _Kind:
    match operation:
        case names.EVSE_DATA:
            most = settings.data_batch
            return _Kind(names.EVSE_DATA, settings.data_path, _write_data, push_evse_data, _data_tombstone, most)
        case names.EVSE_STATUS:
            most = settings.status_batch
            return _Kind(
                names.EVSE_STATUS, settings.status_path, _write_status, push_evse_status, _status_tombstone, most
            )
    raise ValueError(f"Hubject has no operation {operation}")
