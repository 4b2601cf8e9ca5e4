"""A page of what is pulled, as records that are read when somebody wants them; pure."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from adapters.core.digest import digest, ordered_digest
from adapters.core.http import compact_json, holds_nul
from adapters.core.roaming import FeedKind, Record
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import EvseStatus
from mappings.ocpi.dialects import gireve, gireve_charging, gireve_tariffs
from mappings.ocpi.v2_2_1 import hub_client_info, pages
from mappings.report import Issue, Refused

Read = Callable[[Mapping[str, Any], datetime], tuple[Any, list[Issue]]]


def _cdr(raw: Mapping[str, Any], received: datetime) -> tuple[Any, list[Issue]]:
    cdr, issues = gireve_charging.cdr_to_canonical(raw, received)
    return (cdr, None), issues  # the CDR's own fields are all that names the charge


_KINDS: dict[FeedKind, tuple[pages.KeyOf, Read]] = {
    FeedKind.LOCATIONS: (pages.by_id, gireve.location_to_canonical),
    FeedKind.TARIFFS: (gireve_tariffs.key, gireve_tariffs.to_canonical),
    FeedKind.CDRS: (pages.by_id, _cdr),
    FeedKind.PARTIES: (pages.by_role, hub_client_info.to_canonical),
}


def records_of(
    kind: FeedKind, data: Sequence[Any], received: datetime, emsps: Collection[PartyId] = (), *, spoilt: bool = False
) -> tuple[list[Record], list[Refused]]:
    """Makes records of the objects of a page; gives those that can be told apart, and why others cannot.

    Args:
        received: For what has no `last_updated`.
        emsps: Ours. EMSPs are told tariffs that are for others, too (guide, EMSP side, tariffs); these are gone for us.
        spoilt: Somewhere on the page a text holds NUL, which cannot be stored.
    """
    key, translate = _KINDS[kind]
    targets = {"", *(emsp.normal for emsp in emsps)}
    digested = ordered_digest if kind is FeedKind.LOCATIONS else digest
    page = pages.take_apart(data, key, lambda raw: translate(raw, received))
    records, unreadable = [], list(page.unreadable)
    for entry in page.entries:
        nul = spoilt and holds_nul(compact_json(entry.raw))
        if nul and any("\0" in part for part in entry.key):
            unreadable.append(Refused("", "its key holds NUL"))
        else:
            gone = _all_removed(entry.raw) if kind is FeedKind.LOCATIONS else False
            gone |= kind is FeedKind.TARIFFS and entry.key[-1] not in targets
            records.append(Record(entry.key, digested(entry.raw), _refuse if nul else entry.read, gone))
    return records, unreadable


def _all_removed(raw: Mapping[str, Any]) -> bool:
    """Tells whether a location is gone: a list with dates then has all its EVSEs as REMOVED (guide, EMSP side)."""
    evses = raw.get("evses")
    if not isinstance(evses, list) or not evses:
        return False
    return all(isinstance(each, Mapping) and each.get("status") == EvseStatus.REMOVED for each in evses)


def _refuse() -> tuple[Any, Sequence[Issue]]:
    raise Refused("", "a text holds NUL")
