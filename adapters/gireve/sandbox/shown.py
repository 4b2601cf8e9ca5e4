"""What the sandbox IOP shows to EMSPs: locations and tariffs as their owners name them, with Gireve's ids beside.

Everything is kept with the moment at which IOP changed it, by which `date_from` and `date_to` choose: a location that
left the quality process today is news today, whenever its owner touched it last. What is loaded as a played network
keeps its own stamps.

An EVSE that is gone stays as `REMOVED`, and so does a location all of whose EVSEs are: lists with dates show them,
lists without do not (guide, eMSP locations, Get List).
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from adapters.gireve.sandbox.packed import Packed
from adapters.gireve.sandbox.shapes import in_time
from mappings.canonical.ids import PartyId
from mappings.ocpi import times

SHOWN, SHOWN_TARIFFS = "shown", "shown_tariffs"

Record = dict[str, Any]

_REMOVED = "REMOVED"
_NOT_IMPLEMENTED = ("publish_allowed_to", "charging_when_closed", "images", "energy_mix")
"""Fields that no EMSP receives (guide, eMSP locations, Fields Not Implemented by Gireve)."""
_IDS = uuid.UUID("7d0f6f0e-9a51-4b7c-8d2b-6c2f0c7a1e55")
_LISTS_KEPT = 8


def gireve_id(*parts: str) -> str:
    """Gives the id by which Gireve knows a thing; always the same one for the same thing."""
    return str(uuid.uuid5(_IDS, "/".join(parts)))


class Shown(Packed):
    """Records in the order in which they came, each with the moment of its last change.

    Attributes:
        gone: Keys of records that are removed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gone: set[str] = set()
        self._stamps: dict[str, datetime] = {}
        self._lists: dict[tuple[datetime | None, datetime | None, str], list[str]] = {}

    def keep(self, key: str, record: Any, at: datetime, *, gone: bool = False) -> None:
        """Takes a record, or changes it.

        Args:
            gone: It is there no more, which lists with dates tell.
        """
        self._lists = {} if key not in self or gone != (key in self.gone) else self._undated()
        self[key] = record
        self._stamps[key] = at
        (self.gone.add if gone else self.gone.discard)(key)

    def _undated(self) -> dict[tuple[datetime | None, datetime | None, str], list[str]]:
        return {key: found for key, found in self._lists.items() if key[:2] == (None, None)} if self._lists else {}

    def drop(self, key: str) -> None:
        """Takes a record away without a trace."""
        if self.pop(key, None) is not None:
            self._stamps.pop(key, None)
            self.gone.discard(key)
            self._lists = {}

    def clear(self) -> None:
        """Forgets everything."""
        super().clear()
        self.gone, self._stamps, self._lists = set(), {}, {}

    def listed(self, since: datetime | None, until: datetime | None, party: PartyId | None) -> list[str]:
        """Gives the keys of what a list holds, in a stable order.

        Args:
            since, until: The first moment of a change, and the first that is too late.
            party: Only this one's.
        """
        asked = (since, until, f"{party}/" if party is not None else "")
        found = self._lists.get(asked)
        if found is None:
            found = list(self._chosen(*asked))
            while len(self._lists) >= _LISTS_KEPT:
                del self._lists[next(iter(self._lists))]
            self._lists[asked] = found
        return found

    def _chosen(self, since: datetime | None, until: datetime | None, prefix: str) -> Iterator[str]:
        dated = since is not None or until is not None
        for key, at in self._stamps.items():
            in_time = (since is None or at >= since) and (until is None or at < until)
            if in_time and key.startswith(prefix) and (dated or key not in self.gone):
                yield key


class Stations:
    """The locations that are shown, put together out of what is published piece by piece.

    Args:
        wall: The time of day.
    """

    def __init__(self, memory: Shown, wall: Callable[[], datetime]) -> None:
        self._memory = memory
        self._wall = wall
        self._early: dict[str, dict[str, Record]] = {}
        """EVSEs that are published before their location."""
        self.told: Callable[[str, str, str | None, Record, str | None], None] = lambda *_: None
        """Called with what EMSPs are to be told of: method, location's key, EVSE's uid, body, correlation id."""

    def publish(self, key: str, record: Record | None, follows: str | None) -> None:
        """Takes what `memory` publishes."""
        party, _, rest = key.partition("/")
        location_key = self._location_of(party, rest, record)
        if location_key == key:
            self._publish_location(key, record, follows)
        elif record is None:
            uid = key.removeprefix(f"{location_key}/")
            self.change(location_key, uid, {"status": _REMOVED, "last_updated": self._now_text()}, follows)
        else:
            self._publish_evse(location_key, record, follows)

    def _location_of(self, party: str, rest: str, record: Record | None) -> str:
        """Finds the location's key: an id may hold a slash, and of what is gone there is but the key."""
        key = f"{party}/{rest}"
        if record is not None:
            return key.removesuffix(f"/{record['uid']}") if "uid" in record else key
        while key not in self._memory and "/" in key:
            key = key.rpartition("/")[0]
        return key if "/" in key else f"{party}/{rest}"

    def _publish_location(self, key: str, record: Record | None, follows: str | None) -> None:
        before = self._memory.get(key)
        if record is None:
            self._early.pop(key, None)
            for evse in (before or {}).get("evses") or ():
                if evse.get("status") != _REMOVED:
                    self.change(key, evse["uid"], {"status": _REMOVED, "last_updated": self._now_text()}, follows)
            return
        evses = list(self._early.pop(key, {}).values()) if before is None else before.get("evses") or []
        after = {**_cleaned(record), "evses": evses}
        if before is None or _without(before, "last_updated") != _without(after, "last_updated"):
            self.put(after, self._wall(), follows)

    def _publish_evse(self, location_key: str, record: Record, follows: str | None) -> None:
        evse = _evse(record)
        location = self._memory.get(location_key)
        if location is None:
            self._early.setdefault(location_key, {})[evse["uid"]] = evse
            return
        before = next((each for each in location["evses"] if each["uid"] == evse["uid"]), None)
        if before == evse:
            return
        dynamic: Record = {name: evse[name] for name in ("status", "last_updated") if name in evse}
        if before is not None and {**before, **dynamic} == evse:
            self.change(location_key, evse["uid"], dynamic, follows)
        else:
            others = [each for each in location["evses"] if each["uid"] != evse["uid"]]
            self._keep({**location, "evses": [*others, evse]}, evse.get("last_updated"), None)
            self.told("PUT", location_key, evse["uid"], evse, follows)

    def put(self, location: Record, at: datetime, follows: str | None = None, *, tell: bool = True) -> str:
        """Shows a whole location, in the place of what was there; gives its key.

        Args:
            at: When it was changed.
            tell: Whether EMSPs are pushed it.
        """
        key = self._keep(_cleaned(location), None, at)
        if tell:
            self.told("PUT", key, None, self._memory[key], follows)
        return key

    def change(
        self, key: str, uid: str, patch: Mapping[str, Any], follows: str | None = None, *, tell: bool = True
    ) -> bool:
        """Changes fields of an EVSE; tells whether it is there."""
        location = self._memory.get(key)
        evse = next((each for each in (location or {}).get("evses") or () if each.get("uid") == uid), None)
        if location is None or evse is None:
            return False
        if evse.get("status") == patch.get("status") and not patch.keys() - {"status", "last_updated"}:
            return True  # guide, IOP is a "HUB": the same status again is forwarded to nobody
        evse |= patch
        self._keep(location, patch.get("last_updated"), None)
        if tell:
            self.told("PATCH", key, uid, dict(patch), follows)
        return True

    def _now_text(self) -> str:
        # To the millisecond, as stamps of others are: cut to the second it would be older than what it comes after.
        return times.write(self._wall())

    def _keep(self, location: Record, touched: str | None, at: datetime | None) -> str:
        if touched is not None and in_time(touched) > in_time(location.get("last_updated")):
            # OCPI 2.2.1, mod_locations, GET List: with an EVSE, its location is updated.
            location = {**location, "last_updated": touched}
        key = f"{location['country_code']}*{location['party_id']}/{location['id']}"
        evses = location.get("evses") or []
        gone = bool(evses) and all(isinstance(each, Mapping) and each.get("status") == _REMOVED for each in evses)
        self._memory.keep(key, location, at or self._wall(), gone=gone)
        return key


def told_location(location: Record, *, removed: bool) -> Record:
    """Writes a location as an EMSP gets it.

    Args:
        removed: Whether EVSEs that are gone are shown, as REMOVED.
    """
    key = (f"{location.get('country_code')}*{location.get('party_id')}", str(location.get("id")))
    evses = location.get("evses")
    told = {**location, "gireve_id": gireve_id(*key)}
    if isinstance(evses, list):
        told["evses"] = [told_evse(each, *key) for each in evses if removed or not _is_removed(each)]
    return told


def told_evse(evse: Any, party: str, location_id: str) -> Any:
    """Writes an EVSE as an EMSP gets it; what is none passes as it is."""
    if not isinstance(evse, Mapping):
        return evse
    uid = str(evse.get("uid"))
    told = dict(evse)
    if isinstance(evse.get("connectors"), list):
        told["connectors"] = [
            {**each, "gireve_id": gireve_id(party, location_id, uid, str(each.get("id")))}
            if isinstance(each, Mapping)
            else each
            for each in evse["connectors"]
        ]
    # A patch of a status bears no id of Gireve's: it says only what changed.
    return told if "uid" not in evse else {**told, "gireve_id": gireve_id(party, location_id, uid)}


def told_tariff(tariff: Record) -> Record:
    """Writes a tariff as an EMSP gets it."""
    target = f"{tariff.get('target_operator_country_code')}*{tariff.get('target_operator_party_id')}"
    party = f"{tariff.get('country_code')}*{tariff.get('party_id')}"
    return {**tariff, "gireve_id": gireve_id("tariff", party, str(tariff.get("id")), target)}


def _is_removed(evse: Any) -> bool:
    return isinstance(evse, Mapping) and evse.get("status") == _REMOVED


def _cleaned(location: Mapping[str, Any]) -> Record:
    """A location without what Gireve does not implement."""
    told = {name: value for name, value in location.items() if name not in _NOT_IMPLEMENTED}
    if isinstance(hours := location.get("opening_times"), Mapping):
        told["opening_times"] = _without(hours, "exceptional_openings")
    if isinstance(evses := location.get("evses"), list):
        told["evses"] = [_without(each, "images") if isinstance(each, Mapping) else each for each in evses]
    return told


def _evse(record: Mapping[str, Any]) -> Record:
    """An EVSE as published: its tariffs, which are those of the first connector, stand at each connector."""
    tariffs = record.get("tariff_ids") or []
    connectors = [{**each, "tariff_ids": tariffs} for each in record.get("connectors") or ()]
    return {**_without(_without(record, "tariff_ids"), "images"), "connectors": connectors}


def _without(record: Mapping[str, Any], name: str) -> Record:
    return {key: value for key, value in record.items() if key != name}
