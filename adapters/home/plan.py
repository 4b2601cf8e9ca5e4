"""Turns projections into what is handed over; pure."""

from collections.abc import Iterable, Sequence

from pydantic import JsonValue

from adapters.core.adapter import Call, Item, Plan, Rendered, Subject, WireKey
from adapters.core.digest import digest
from adapters.home.settings import LOCATIONS, TARIFFS, TOKENS
from mappings.canonical.base import Model
from mappings.canonical.locations import EvseStatus, Location
from mappings.canonical.tariffs import Tariff

PUT, STATUS, WITHDRAW = "put", "status", "withdraw"
GONE = b""


def keys(subject: Subject) -> Iterable[WireKey]:
    """Names a location with each of its EVSEs, in one lane; a tariff with its target; a driver token."""
    if isinstance(subject, Location):
        lane = f"{subject.party}/{subject.id}"
        there = [evse for evse in subject.evses if evse.status is not EvseStatus.REMOVED]
        if there or not subject.evses:
            yield WireKey(LOCATIONS, lane, lane)
        for evse in there:
            yield WireKey(LOCATIONS, f"{lane}/{evse.uid}", lane, evse_uid=evse.uid, follows_status=True)
    elif isinstance(subject, Tariff):
        key = f"{subject.party}/{subject.id}/{subject.target or ''}"
        yield WireKey(TARIFFS, key, key)
    else:
        key = f"{subject.party}/{subject.type}/{subject.uid.casefold()}"
        yield WireKey(TOKENS, key, key)


def make_plan(operation: str, items: Sequence[Item]) -> Plan:
    """Plans what to hand over of one lane."""
    plan = Plan()
    if operation == LOCATIONS:
        _locations(plan, items)
        return plan
    for item in items:
        if item.gone or item.subject is None:
            rendered = Rendered(item, GONE, None)
            never = item.sent_as is None and not item.attempts
            if never:
                plan.unchanged.append(rendered)
            else:
                plan.calls.append(Call(operation, WITHDRAW, item.sent_as or item.key, None, (rendered,)))
            continue
        body = _json(item.subject)
        _hand_over(plan, Call(operation, PUT, item.key, body, (Rendered(item, digest(body), item.key),)))
    return plan


def _locations(plan: Plan, items: Sequence[Item]) -> None:
    """Hands a location over whole if anything but statuses changed; an EVSE that is gone goes with it."""
    whole = [item for item in items if item.evse_uid is None]
    evses = [item for item in items if item.evse_uid is not None and not item.gone]
    gone = tuple(Rendered(item, GONE, None) for item in items if item.evse_uid is not None and item.gone)
    location = next((item.subject for item in items if isinstance(item.subject, Location)), None)
    if location is None:
        lane = items[0].lane
        plan.calls.append(Call(LOCATIONS, WITHDRAW, lane, None, tuple(Rendered(item, GONE, None) for item in items)))
        return
    fresh = [item for item in evses if item.accepted is None]
    if whole or gone or fresh:
        rendered = tuple(Rendered(item, digest(_json(location)), item.key) for item in whole if not item.gone)
        rendered += tuple(Rendered(item, GONE, None) for item in whole if item.gone)
        rendered += tuple(Rendered(item, _of_status(location, item), item.key) for item in evses)
        plan.calls.append(Call(LOCATIONS, PUT, items[0].lane, _json(location), rendered + gone))
        return
    for item in evses:
        evse = next(evse for evse in location.evses if evse.uid == item.evse_uid)
        body: JsonValue = {"uid": evse.uid, "status": evse.status.value, "at": evse.last_updated.isoformat()}
        made = Rendered(item, _of_status(location, item), item.key)
        _hand_over(plan, Call(LOCATIONS, STATUS, item.lane, body, (made,)))


def _hand_over(plan: Plan, call: Call) -> None:
    [rendered] = call.settles
    if rendered.fingerprint == rendered.item.accepted:
        plan.unchanged.append(rendered)
    else:
        plan.calls.append(call)


def _of_status(location: Location, item: Item) -> bytes:
    evse = next((evse for evse in location.evses if evse.uid == item.evse_uid), None)
    return GONE if evse is None else digest([evse.status.value, evse.last_updated.isoformat()])


def _json(subject: Model) -> JsonValue:
    made: JsonValue = subject.model_dump(mode="json", exclude_defaults=True)
    return made
