"""Turns projections into what is handed over; pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import JsonValue

from adapters.core.adapter import Call, Item, Plan, Rendered, Subject, WireKey
from adapters.core.digest import digest
from adapters.home.settings import LOCATIONS, TARIFFS, TOKENS
from mappings.canonical.base import Model
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import EvseStatus, Location
from mappings.canonical.tariffs import Tariff

PUT, STATUS, WITHDRAW = "put", "status", "withdraw"
GONE = b""
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


def keys(subject: Subject) -> Iterable[WireKey]:
    """Names a location with each of its EVSEs, in one lane; a tariff with its target; a driver token."""
    if isinstance(subject, Location):
        lane = f"{subject.party}/{_escaped(subject.id)}"
        there = [evse for evse in subject.evses if evse.status is not EvseStatus.REMOVED]
        if there or not subject.evses:
            yield WireKey(LOCATIONS, lane, lane)
        for evse in there:
            yield WireKey(LOCATIONS, f"{lane}/{_escaped(evse.uid)}", lane, evse_uid=evse.uid, follows_status=True)
    elif isinstance(subject, Tariff):
        key = f"{subject.party}/{subject.id}/{subject.target or ''}"
        yield WireKey(TARIFFS, key, key)
    else:
        key = f"{subject.party}/{subject.type}/{subject.uid.casefold()}"
        yield WireKey(TOKENS, key, key)


def place_of(lane: str) -> tuple[PartyId, str]:
    """Gives the party and id of the location that a lane is of."""
    party, id_ = lane.split("/", 1)
    return PartyId(party), id_.replace("%2F", "/").replace("%25", "%")


def _escaped(id_: str) -> str:
    """Writes an id so that it ends where the next slash is: `A/B` below `C` is not `B` below `C/A`."""
    return id_.replace("%", "%25").replace("/", "%2F")


def make_plan(operation: str, items: Sequence[Item]) -> Plan:
    """Plans what to hand over of one lane."""
    plan = Plan()
    if operation == LOCATIONS:
        _locations(plan, items)
        return plan
    for item in items:
        if item.gone or item.subject is None:
            _withdraw(plan, operation, item.sent_as or item.key, [item])
            continue
        body = _json(item.subject)
        _hand_over(plan, Call(operation, PUT, item.key, body, (Rendered(item, digest(body), item.key),)))
    return plan


def _locations(plan: Plan, items: Sequence[Item]) -> None:
    """Hands a location over whole if anything but statuses changed; an EVSE that is gone goes with it."""
    lane = items[0].lane
    location = next((item.subject for item in items if isinstance(item.subject, Location)), None)
    if location is None or any(item.gone and item.evse_uid is None for item in items):
        _withdraw(plan, LOCATIONS, lane, items)
        return
    rendered = [_rendered(location, item) for item in items]
    changed = [each for each in rendered if each.fingerprint != each.item.accepted and not _never_told(each)]
    if any(each.item.evse_uid is None or each.fingerprint == GONE or not each.item.accepted for each in changed):
        plan.calls.append(Call(LOCATIONS, PUT, lane, _json(location), tuple(rendered)))
        return
    for each in rendered:
        if each not in changed:
            plan.unchanged.append(each)
            continue
        evse = next(evse for evse in location.evses if evse.uid == each.item.evse_uid)
        body: JsonValue = {"uid": evse.uid, "status": evse.status.value, "at": evse.last_updated.isoformat()}
        plan.calls.append(Call(LOCATIONS, STATUS, lane, body, (each,)))


def _rendered(location: Location, item: Item) -> Rendered:
    """Says what an item comes to; a location's own projection says nothing of what its EVSEs' projections say."""
    if item.evse_uid is None:
        return Rendered(item, digest(_json(_without_statuses(location))), item.key)
    evse = next((evse for evse in location.evses if evse.uid == item.evse_uid), None)
    if item.gone or evse is None:
        return Rendered(item, GONE, None)
    return Rendered(item, digest([evse.status.value, evse.last_updated.isoformat()]), item.key)


def _without_statuses(location: Location) -> Location:
    still = {"status": EvseStatus.UNKNOWN, "last_updated": _NEVER}
    there = [evse for evse in location.evses if evse.status is not EvseStatus.REMOVED]
    evses = tuple(evse.model_copy(update=still) for evse in there)
    return location.model_copy(update={"evses": evses, "last_updated": _NEVER})


def _never_told(rendered: Rendered) -> bool:
    """Tells whether what is gone was never there."""
    item = rendered.item
    return rendered.fingerprint == GONE and item.sent_as is None and not item.attempts


def _withdraw(plan: Plan, operation: str, path: str, items: Sequence[Item]) -> None:
    rendered = tuple(Rendered(item, GONE, None) for item in items)
    if all(_never_told(each) or each.item.accepted == GONE for each in rendered):
        plan.unchanged.extend(rendered)
    else:
        plan.calls.append(Call(operation, WITHDRAW, path, None, rendered))


def _hand_over(plan: Plan, call: Call) -> None:
    [rendered] = call.settles
    if rendered.fingerprint == rendered.item.accepted:
        plan.unchanged.append(rendered)
    else:
        plan.calls.append(call)


def _json(subject: Model) -> JsonValue:
    made: JsonValue = subject.model_dump(mode="json", exclude_defaults=True)
    return made
