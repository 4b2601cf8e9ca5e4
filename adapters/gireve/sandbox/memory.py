"""What the sandbox IOP remembers of the CPOs that are registered, and how it takes things in.

`locations` is what partners sent, at once, keyed as the gateway keys it: a location without its EVSEs, and
each EVSE. `published` is what EMSPs may see: static data only after the quality process, status and tariff ids at
once, the tariffs of the first connector standing for the EVSE (guide, CPO locations, Static and dynamic attributes);
`shown` puts it together for them.
`held` is what the quality process does not let through, with the reasons.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from adapters.core.sandbox import Sandbox
from adapters.gireve.sandbox.checks import doubts_of_evse, doubts_of_location
from mappings.canonical.ids import PartyId

LOCATIONS, PUBLISHED, HELD, TARIFFS = "locations", "published", "held", "tariffs"
PULLED_LOCATIONS, PULLED_TARIFFS = "pulled_locations", "pulled_tariffs"
PULLED_SESSIONS, PULLED_CDRS = "pulled_sessions", "pulled_cdrs"
KINDS = (
    *(LOCATIONS, PUBLISHED, HELD, TARIFFS),
    *(PULLED_LOCATIONS, PULLED_TARIFFS, PULLED_SESSIONS, PULLED_CDRS),
)

Record = dict[str, Any]

_SLOW_STATUSES = {"REMOVED", "PLANNED"}
"""Statuses that pass the quality process like static data (guide, Gireve management of Locations data)."""


def evse_key(location_key: str, uid: str) -> str:
    """The wire key of an EVSE."""
    return f"{location_key}/{uid}"


def tariff_key(wire: Mapping[str, Any], party: str, tariff_id: str) -> str:
    """The wire key of a tariff, with the EMSP that it is for."""
    country, code = wire.get("target_operator_country_code"), wire.get("target_operator_party_id")
    return f"{party}/{tariff_id}/{f'{country}*{code}' if country and code else '-'}"


def exploded(location: Mapping[str, Any]) -> dict[str, Record]:
    """Takes a location apart into records by wire key."""
    key = f"{location['country_code']}*{location['party_id']}/{location['id']}"
    records: dict[str, Record] = {key: {name: value for name, value in location.items() if name != "evses"}}
    records |= {evse_key(key, evse["uid"]): dict(evse) for evse in location.get("evses") or ()}
    return records


class Audience(Protocol):
    """Whom what is published is shown to."""

    def publish(self, key: str, record: Record | None, follows: str | None) -> None:
        """A location without EVSEs, or an EVSE, is published as it is now; None where it is gone.

        Args:
            follows: Correlation id of the request that it comes from.
        """

    def publish_tariff(self, key: str, record: Record | None) -> None:
        """A tariff is as it is now; None where it is gone."""


class Memory:
    """IOP's charge point repository.

    Args:
        quality_seconds: How long the quality process takes.
        clock: Monotonic seconds.

    Attributes:
        follows: Correlation id of the request that is being taken in.
    """

    def __init__(
        self, sandbox: Sandbox, quality_seconds: float, audience: Audience, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.follows: str | None = None
        self._audience = audience
        self._sandbox = sandbox
        self._quality = quality_seconds
        self._clock = clock
        self._evses: defaultdict[str, set[str]] = defaultdict(set)
        self._in_quality: deque[tuple[float, str, Record | None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        sandbox.before_memory = self.settle

    @property
    def locations(self) -> dict[str, Record]:
        """What was received, by wire key."""
        return self._sandbox.memory[LOCATIONS]

    @property
    def tariffs(self) -> dict[str, Record]:
        """Tariffs, by wire key."""
        return self._sandbox.memory[TARIFFS]

    @property
    def _published(self) -> dict[str, Record]:
        return self._sandbox.memory[PUBLISHED]

    def settle(self) -> None:
        """Publishes what has passed the quality process by now."""
        now = self._clock()
        follows = None if self._quality else self.follows
        while self._in_quality and self._in_quality[0][0] <= now:
            _, key, record = self._in_quality.popleft()
            held = self._sandbox.memory[HELD]
            held.pop(key, None)
            if record is None:
                self._published.pop(key, None)
                self._audience.publish(key, None, follows)
            elif doubts := self._doubts(key, record):
                held[key] = {"reasons": doubts}
            else:
                dynamic = self.locations.get(key)
                self._publish(key, _merged(record, dynamic) if dynamic is not None else record, follows)
        if self._in_quality and self._timer is None:
            # EMSPs are told when its time has come, whether or not anybody asks.
            self._timer = asyncio.get_running_loop().call_later(self._in_quality[0][0] - now, self._due)

    def _due(self) -> None:
        self._timer = None
        self.settle()

    def close(self) -> None:
        """Ends the quality process."""
        if self._timer is not None:
            self._timer.cancel()

    def _publish(self, key: str, record: Record, follows: str | None) -> None:
        if self._published.get(key) != record:
            self._published[key] = record
            self._audience.publish(key, record, follows)

    @staticmethod
    def _doubts(key: str, record: Record) -> list[str]:
        return doubts_of_evse(record, PartyId(key.split("/", 1)[0])) if "uid" in record else doubts_of_location(record)

    def put_location(self, key: str, wire: Mapping[str, Any]) -> None:
        """Takes a location with its EVSEs; one that it does not name stays, since removal is told by REMOVED."""
        evses = wire.get("evses") or []
        static = {name: value for name, value in wire.items() if name != "evses"}
        for evse in evses:
            self.put_evse(key, evse)
        if evses and all(evse.get("status") == "REMOVED" for evse in evses):
            self.locations.pop(key, None)
            self._to_quality(key, None)
        else:
            self.locations[key] = static
            self._to_quality(key, static)

    def put_evse(self, location_key: str, wire: Mapping[str, Any]) -> None:
        """Takes an EVSE."""
        key = evse_key(location_key, wire["uid"])
        before = self.locations.get(key, {})
        record = dict(wire)
        if record.get("status") == "REMOVED":
            self._remove(key, record)
            return
        self.locations[key] = record
        self._evses[location_key].add(wire["uid"])
        self._note_status(key, before, record)
        self._to_quality(key, _published_evse(record))
        self._publish_dynamic(key, record)

    def patch_evse(self, key: str, patch: Mapping[str, Any]) -> None:
        """Changes an EVSE that is there."""
        before = self.locations[key]
        if patch.get("status") == "REMOVED":
            self._remove(key, {**before, **patch})
            return
        record = {**before, **patch}
        self.locations[key] = record
        self._note_status(key, before, record)
        if patch.keys() - {"status", "last_updated", "uid"} or record.get("status") in _SLOW_STATUSES:
            self._to_quality(key, _published_evse(record))
        self._publish_dynamic(key, record)

    def patch_connector(self, key: str, connector_id: str, patch: Mapping[str, Any]) -> bool:
        """Changes a connector of an EVSE that is there; tells whether it was found."""
        record = self.locations[key]
        connectors = [dict(each) for each in record.get("connectors", ())]
        found = next((each for each in connectors if each.get("id") == connector_id), None)
        if found is None:
            return False
        found.update(patch)
        changed = {**record, "connectors": connectors}
        self.locations[key] = changed
        if patch.keys() - {"tariff_ids", "last_updated", "id"}:
            self._to_quality(key, _published_evse(changed))
        self._publish_dynamic(key, changed)
        return True

    def put_connector(self, key: str, wire: Mapping[str, Any]) -> None:
        """Takes a connector of an EVSE that is there."""
        record = self.locations[key]
        others = [each for each in record.get("connectors", ()) if each.get("id") != wire["id"]]
        self.put_evse(key.removesuffix(f"/{record['uid']}"), {**record, "connectors": [*others, dict(wire)]})

    def patch_location(self, key: str, patch: Mapping[str, Any]) -> None:
        """Changes a location that is there."""
        record = {**self.locations[key], **{name: value for name, value in patch.items() if name != "evses"}}
        self.locations[key] = record
        self._to_quality(key, record)

    def _remove(self, key: str, record: Mapping[str, Any]) -> None:
        self.locations.pop(key, None)
        self._sandbox.received(LOCATIONS, key, "REMOVED", record.get("last_updated"))
        self._to_quality(key, None)
        location = key.removesuffix(f"/{record['uid']}")
        left = self._evses[location]
        left.discard(record["uid"])
        if location in self.locations and not any(evse_key(location, uid) in self.locations for uid in left):
            # OCPI 2.2.1, mod_locations: a location goes by the removal of all its EVSEs.
            del self.locations[location]
            self._to_quality(location, None)

    def _note_status(self, key: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        """Notes a status for the latency; the same one again is forwarded to nobody."""
        if before.get("status") == now.get("status"):
            self._sandbox.counted("status", "repeated")
        else:
            self._sandbox.counted("status", "forwarded")
        if before.get("status") != now.get("status") or before.get("last_updated") != now.get("last_updated"):
            self._sandbox.received(LOCATIONS, key, str(now.get("status")), now.get("last_updated"))

    def _to_quality(self, key: str, record: Record | None) -> None:
        self._in_quality.append((self._clock() + self._quality, key, record))
        self.settle()

    def _publish_dynamic(self, key: str, record: Mapping[str, Any]) -> None:
        published = self._published.get(key)
        if published is not None:
            self._publish(key, _merged(published, record), self.follows)

    def put_tariff(self, key: str, wire: Record) -> None:
        """Takes a tariff, which passes no quality process."""
        self.tariffs[key] = wire
        self._audience.publish_tariff(key, wire)

    def delete_tariff(self, key: str) -> bool:
        """Takes a tariff away; tells whether it was there."""
        if self.tariffs.pop(key, None) is None:
            return False
        self._audience.publish_tariff(key, None)
        return True


def _published_evse(record: Mapping[str, Any]) -> Record:
    """An EVSE with its tariffs: those of the first connector, whatever the others name."""
    connectors = record.get("connectors") or [{}]
    return {**record, "tariff_ids": connectors[0].get("tariff_ids", [])}


def _merged(published: Mapping[str, Any], received: Mapping[str, Any]) -> Record:
    """What is published, with the dynamic part of what was received since."""
    if "uid" not in published:
        return dict(published)
    merged = {**published, "tariff_ids": _published_evse(received)["tariff_ids"]}
    if received.get("status") not in _SLOW_STATUSES:
        merged["status"] = received.get("status")
        merged["last_updated"] = received.get("last_updated")
    return merged
