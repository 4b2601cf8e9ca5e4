"""Turns projections of locations and EVSEs into OCPI requests; pure.

What is sent is as little as says it: the whole location where its own fields changed, else by EVSE; a PATCH where only
what Gireve calls dynamic changed (status, tariff ids), which passes at once, while anything in a PUT goes through its
quality process.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from adapters.core import ocpi
from adapters.core.adapter import Call, Item, Plan, Rendered
from adapters.gireve import fingerprints
from adapters.gireve.fingerprints import GONE, Change
from adapters.gireve.rendering import NONE_SAID, Rendering
from adapters.gireve.settings import LOCATIONS
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Evse, EvseStatus, Location
from mappings.ocpi import times
from mappings.ocpi.v2_2_1.wire import Wire
from mappings.report import Issue, Refused


def plan_locations(rendering: Rendering, items: Sequence[Item], blocked: frozenset[str]) -> Plan:
    """Plans the projections of a location and its EVSEs.

    Args:
        blocked: Keys of tariffs that the hub has not accepted in their present content.
    """
    lanes: dict[str, _LocationPlan] = {}
    for item in items:
        lane = lanes.get(item.lane)
        if lane is None:
            lane = lanes[item.lane] = _LocationPlan(rendering, item.lane, blocked)
        lane.take(item)
    plan = Plan()
    for lane in lanes.values():
        lane.into(plan)
    return plan


@lru_cache(maxsize=4)
def _blocked_tariffs(blocked: frozenset[str]) -> frozenset[str]:
    """Drops the target from tariff keys: a connector names all variants of a tariff by one id."""
    return frozenset(key.rsplit("/", 1)[0] for key in blocked)


class _Put(NamedTuple):
    """A whole location as it would be put, and what that would settle of its EVSEs."""

    body: Wire
    settles: list[Rendered]


class _LocationPlan:
    """The plan of one lane: one location, its own projection and those of its EVSEs."""

    def __init__(self, rendering: Rendering, lane: str, blocked: frozenset[str]) -> None:
        self._rendering = rendering
        party, self._id = lane.split("/", 1)
        self._party = PartyId(party)
        self._path = ocpi.path(self._party.country, self._party.code, self._id)
        self._blocked = _blocked_tariffs(blocked) if blocked else frozenset()
        self._own: Item | None = None
        self._evses: list[Item] = []
        self._written: dict[str, tuple[Wire, list[Issue]] | Refused] = {}
        self._static: tuple[Wire, list[Issue]] | Refused | None = None

    def take(self, item: Item) -> None:
        if item.evse_uid is None:
            self._own = item
        else:
            self._evses.append(item)

    def into(self, plan: Plan) -> None:
        """Adds the lane's calls."""
        settled = self._plan_location(self._own, plan) if self._own is not None else self._introduce(plan)
        if self._own is not None and self._own in plan.waiting and self._own.sent_as is None:
            # No EVSE can be told of before its location.
            plan.waiting.extend(self._evses)
            return
        for item in self._evses:
            if item.key not in settled:
                self._plan_evse(item, plan)

    # The location itself

    def _plan_location(self, own: Item, plan: Plan) -> frozenset[str]:
        """Plans the location's own projection; gives the keys that its call settles."""
        location = own.subject
        known = location.evses if isinstance(location, Location) else ()
        withdrawn = own.gone or fingerprints.all_removed(evse.status for evse in known)
        if not isinstance(location, Location) or (withdrawn and own.sent_as is None and not own.attempts):
            # The hub never had it, or nothing is left to name its EVSEs by: each has a projection that says REMOVED.
            plan.unchanged.append(Rendered(own, GONE, None))
            return frozenset()
        written = self._write_location(location)
        if isinstance(written, Refused):
            plan.refused.append((own, written))
            return frozenset()
        wire, issues = written
        fingerprint = GONE if withdrawn else fingerprints.of_location(wire)
        rendered = Rendered(own, fingerprint, None if withdrawn else self._path, tuple(issues))
        if fingerprint == own.accepted:
            plan.unchanged.append(rendered)
            return frozenset()
        put = self._put_whole(wire, location, withdrawn=withdrawn)
        if put is None:
            plan.waiting.append(own)
            return frozenset()
        if location.evses and not put.body["evses"]:
            plan.refused.append((own, NONE_SAID))
            return frozenset()
        return self._call(plan, put, rendered)

    def _introduce(self, plan: Plan) -> frozenset[str]:
        """Puts the whole location for EVSEs that the hub never had, where the location's own projection is not at hand.

        A claim may be cut in the middle of a lane: whether the hub knows the location is not known here, and an EVSE
        below one that it does not know would be refused.
        """
        new = [item for item in self._evses if item.sent_as is None and not item.gone]
        location = next((item.subject for item in new if isinstance(item.subject, Location)), None)
        if location is None:
            return frozenset()
        written = self._write_location(location)
        if isinstance(written, Refused):
            return frozenset()
        put = self._put_whole(written[0], location, withdrawn=False)
        if put is None:
            plan.waiting.extend(new)
            return frozenset(item.key for item in new)
        return self._call(plan, put) if put.body["evses"] else frozenset()

    def _call(self, plan: Plan, put: _Put, *first: Rendered) -> frozenset[str]:
        settles = (*first, *put.settles)
        body = put.body if put.body["evses"] else {name: value for name, value in put.body.items() if name != "evses"}
        plan.calls.append(Call(LOCATIONS, "PUT", self._path, body, settles))
        return frozenset(each.item.key for each in settles)

    def _put_whole(self, wire: Wire, location: Location, *, withdrawn: bool) -> _Put | None:
        """Writes a location with every EVSE that can be said; None if it must wait for a tariff."""
        pending = {item.evse_uid: item for item in self._evses}
        settles: list[Rendered] = []
        evses: list[Wire] = []
        for each in location.evses:
            item = pending.get(each.uid)
            evse = _removed(each) if withdrawn or (item is not None and item.gone) else each
            written = self._write(evse)
            if isinstance(written, Refused):
                continue  # its own projection, planned after this, tells why
            evse_wire, issues = written
            evses.append(evse_wire)
            if item is None:
                continue
            fingerprint = fingerprints.of_evse(evse_wire)
            if self._must_wait(evse, Change(item.accepted, fingerprint)):
                return None
            sent_as = None if fingerprint == GONE else self._evse_path(evse.uid)
            settles.append(Rendered(item, fingerprint, sent_as, tuple(issues)))
        return _Put({**wire, "evses": evses}, settles)

    # One EVSE

    def _plan_evse(self, item: Item, plan: Plan) -> None:
        evse = self._find(item)
        if evse is None or evse.status is EvseStatus.REMOVED or item.gone:
            self._remove(item, evse, plan)
            return
        written = self._write(evse)
        if not isinstance(written, Refused) and item.sent_as is None and isinstance(item.subject, Location):
            # The hub would not know the location that this EVSE is put below.
            location = self._write_location(item.subject)
            written = location if isinstance(location, Refused) else written
        if isinstance(written, Refused):
            plan.refused.append((item, written))
            return
        wire, issues = written
        fingerprint = fingerprints.of_evse(wire)
        change = Change(item.accepted, fingerprint)
        path = self._evse_path(evse.uid)
        rendered = Rendered(item, fingerprint, path, tuple(issues))
        if change.nothing:
            plan.unchanged.append(rendered)
        elif self._must_wait(evse, change):
            plan.waiting.append(item)
        else:
            plan.calls.append(_update(path, wire, change, rendered))

    def _remove(self, item: Item, evse: Evse | None, plan: Plan) -> None:
        rendered = Rendered(item, GONE, None)
        if (item.sent_as is None and not item.attempts) or item.accepted == GONE:
            plan.unchanged.append(rendered)
            return
        body: dict[str, Any] = {"status": EvseStatus.REMOVED.value}
        # A PATCH needs a stamp; where none is left to take it from, it gets that of its sending.
        stamp = evse if evse is not None else item.subject
        if stamp is not None:
            body["last_updated"] = times.write(stamp.last_updated)
        plan.calls.append(Call(LOCATIONS, "PATCH", self._evse_path(item.evse_uid or ""), body, (rendered,)))

    def _find(self, item: Item) -> Evse | None:
        if not isinstance(item.subject, Location):
            return None
        return next((evse for evse in item.subject.evses if evse.uid == item.evse_uid), None)

    def _write_location(self, location: Location) -> tuple[Wire, list[Issue]] | Refused:
        if self._static is None:
            try:
                self._static = self._rendering.location(location)
            except Refused as refused:
                self._static = refused
        return self._static

    def _write(self, evse: Evse) -> tuple[Wire, list[Issue]] | Refused:
        written = self._written.get(evse.uid)
        if written is None:
            try:
                written = self._rendering.evse(self._party, evse)
            except Refused as refused:
                written = refused
            self._written[evse.uid] = written
        return written

    def _must_wait(self, evse: Evse, change: Change) -> bool:
        """A tariff is known to the hub before an EVSE that newly names it."""
        if not self._blocked or not (change.static or change.tariffs):
            return False
        return any(
            f"{self._party}/{tariff}" in self._blocked
            for connector in evse.connectors
            for tariff in connector.tariff_ids
        )

    def _evse_path(self, uid: str) -> str:
        return f"{self._path}/{ocpi.path(uid)}"


def _removed(evse: Evse) -> Evse:
    return evse if evse.status is EvseStatus.REMOVED else evse.model_copy(update={"status": EvseStatus.REMOVED})


def _update(path: str, wire: Wire, change: Change, rendered: Rendered) -> Call:
    """Tells what changed in one request: of two, one could be taken and the other refused."""
    connectors = wire["connectors"]
    if change.static or (change.tariffs and (change.status or len(connectors) > 1)):
        return Call(LOCATIONS, "PUT", path, wire, (rendered,))
    if change.status:
        body = {"status": wire["status"], "last_updated": wire["last_updated"]}
        return Call(LOCATIONS, "PATCH", path, body, (rendered,))
    (connector,) = connectors
    # OCPI takes a field that is left out as unchanged: that there is no tariff is said by an empty list.
    body = {"tariff_ids": connector.get("tariff_ids", []), "last_updated": connector["last_updated"]}
    return Call(LOCATIONS, "PATCH", f"{path}/{ocpi.path(connector['id'])}", body, (rendered,))
