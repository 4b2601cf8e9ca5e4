"""Writing the operator's network: an object and the wish to tell it to every hub, in one transaction."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from hashlib import blake2b

from pydantic import TypeAdapter

from gateway.outbox.projecting import Link, Stored, project
from gateway.services.links import Links
from gateway.services.ports import Conflict, Parties, PutResult, StatusOutcome
from gateway.store.objects import SQL, tombstone, without_evses
from gateway.store.pool import Record, Store, Transaction
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Evse, EvseStatus, EvseStatusReport, Location
from mappings.canonical.tariffs import Tariff
from mappings.report import Issue

_ISSUES = TypeAdapter(list[Issue])


class Publishing:
    """Writes locations and tariffs with the projections that every connection needs of them.

    Args:
        links: The connections.
        wake: Called after a commit that left something to tell.
        clock: Gives the present, aware.
    """

    def __init__(self, store: Store, links: Links, wake: Callable[[], None], clock: Callable[[], datetime]) -> None:
        self._store = store
        self._links = links
        self._wake = wake
        self._clock = clock

    async def put_locations(
        self, batch: Sequence[tuple[Location, Sequence[Issue]]], who: str, *, if_revision: int | None = None
    ) -> list[PutResult]:
        """See `ports.Publishing.put_locations`."""
        del who  # objects are not audited: the stored revision and time say what there is to say
        latest = {(location.party.normal, location.id): (location, issues) for location, issues in batch}
        outcomes: dict[tuple[str, str], PutResult] = {}
        async for attempt in self._store.attempts():
            with attempt:
                async with self._links.publishing() as (tx, links):
                    outcomes = await self._write_locations(tx, links, latest, if_revision, withdrawn_at=None)
        self._wake()
        return [outcomes[location.party.normal, location.id] for location, _ in batch]

    async def withdraw_location(self, party: PartyId, location_id: str, who: str) -> bool:
        """See `ports.Publishing.withdraw_location`."""
        del who
        now = self._clock()
        async for attempt in self._store.attempts():
            with attempt:
                async with self._links.publishing() as (tx, links):
                    row = await tx.fetchrow(SQL["location"], party.normal, location_id)
                    if row is None or row["withdrawn_at"] is not None:
                        return False
                    location = tombstone(Location.model_validate_json(row["body"]), now)
                    place = (party.normal, location_id)
                    await self._write_locations(tx, links, {place: (location, ())}, None, withdrawn_at=now)
        self._wake()
        return True

    async def remove_evses(self, report: EvseStatusReport, at: datetime, parties: Parties) -> StatusOutcome:
        """Withdraws what a report of REMOVED names: a change of the location, which keeps the EVSE as a tombstone."""
        party = report.party.normal if report.party else None
        key = report.evse_id.normal if report.evse_id else None
        allowed = None if parties is None else [one.normal for one in parties]
        found = False
        async for attempt in self._store.attempts():
            with attempt:
                async with self._links.publishing() as (tx, links):
                    rows = await tx.fetch(
                        SQL["evses_to_remove"], party, report.location_id, report.evse_uid, key, allowed, at
                    )
                    latest: dict[tuple[str, str], tuple[Location, Sequence[Issue]]] = {}
                    for row in rows:
                        location = without_evses(Location.model_validate_json(row["body"]), set(row["uids"]), at)
                        latest[location.party.normal, location.id] = (location, load_issues(row["issues"]))
                    if found := bool(latest):
                        await self._write_locations(tx, links, latest, None, withdrawn_at=None)
        if found:
            self._wake()
        return StatusOutcome.APPLIED if found else StatusOutcome.UNKNOWN_EVSE

    async def _write_locations(
        self,
        tx: Transaction,
        links: Sequence[Link],
        latest: dict[tuple[str, str], tuple[Location, Sequence[Issue]]],
        if_revision: int | None,
        *,
        withdrawn_at: datetime | None,
    ) -> dict[tuple[str, str], PutResult]:
        found = await tx.fetch(SQL["lock_locations"], *_columns(latest.keys(), 2))
        known = {(row["party"], row["location_id"]): row for row in found}
        if if_revision is not None:
            _require_revision(known.values(), if_revision)
        results: dict[tuple[str, str], PutResult] = {}
        write: list[tuple[Location, Sequence[Issue], str, bytes]] = []
        for place, (location, issues) in latest.items():
            body = location.model_dump_json(exclude_defaults=True)
            digest = blake2b(body.encode(), digest_size=16).digest()
            old = known.get(place)
            unchanged = old is not None and old["digest"] == digest and old["withdrawn_at"] == withdrawn_at
            outcome = "unchanged" if unchanged else "created" if old is None else "updated"
            results[place] = PutResult(location.party, location.id, outcome, issues)  # type: ignore[arg-type]
            if unchanged:
                continue
            if old is not None and (dropped := set(old["uids"] or ()) - {evse.uid for evse in location.evses}):
                whole = _keep_dropped(location, Location.model_validate_json(old["body"]), dropped, self._clock())
                write.append((whole, issues, whole.model_dump_json(exclude_defaults=True), digest))
            else:
                write.append((location, issues, body, digest))
        if write:
            await self._store_and_project(tx, links, write, known.keys(), withdrawn_at)
        return results

    async def _store_and_project(
        self,
        tx: Transaction,
        links: Sequence[Link],
        write: Sequence[tuple[Location, Sequence[Issue], str, bytes]],
        known: Iterable[tuple[str, str]],
        withdrawn_at: datetime | None,
    ) -> None:
        rows = await tx.fetch(
            SQL["write_locations"],
            [location.party.normal for location, *_ in write],
            [location.id for location, *_ in write],
            [body for *_, body, _ in write],
            [digest for *_, digest in write],
            [dump_issues(issues) for _, issues, *_ in write],
            [float(location.coordinates.longitude) for location, *_ in write],
            [float(location.coordinates.latitude) for location, *_ in write],
            [location.last_updated for location, *_ in write],
            [withdrawn_at] * len(write),
        )
        numbers = {(row["party"], row["location_id"]): row["no"] for row in rows}
        before = set(known)
        named = [
            (numbers[place], location, place in before)
            for location, *_ in write
            for place in [(location.party.normal, location.id)]
        ]
        await project(tx, links, await write_evses(tx, links, named))

    async def put_tariffs(
        self, batch: Sequence[tuple[Tariff, Sequence[Issue]]], who: str, *, if_revision: int | None = None
    ) -> list[PutResult]:
        """See `ports.Publishing.put_tariffs`."""
        del who
        latest = {tariff_place(tariff): (tariff, issues) for tariff, issues in batch}
        results: dict[tuple[str, str, str], PutResult] = {}
        async for attempt in self._store.attempts():
            with attempt:
                async with self._links.publishing() as (tx, links):
                    results = await self._write_tariffs(tx, links, latest, if_revision)
        self._wake()
        return [results[tariff_place(tariff)] for tariff, _ in batch]

    async def _write_tariffs(
        self,
        tx: Transaction,
        links: Sequence[Link],
        latest: dict[tuple[str, str, str], tuple[Tariff, Sequence[Issue]]],
        if_revision: int | None,
    ) -> dict[tuple[str, str, str], PutResult]:
        found = await tx.fetch(SQL["lock_tariffs"], *_columns(latest.keys(), 3))
        known = {(row["party"], row["tariff_id"], row["target"]): row for row in found}
        if if_revision is not None:
            _require_revision(known.values(), if_revision)
        results: dict[tuple[str, str, str], PutResult] = {}
        write: list[tuple[Tariff, Sequence[Issue], str, bytes]] = []
        for place, (tariff, issues) in latest.items():
            body = tariff.model_dump_json(exclude_defaults=True)
            digest = blake2b(body.encode(), digest_size=16).digest()
            old = known.get(place)
            unchanged = old is not None and old["digest"] == digest and old["withdrawn_at"] is None
            outcome = "unchanged" if unchanged else "created" if old is None else "updated"
            results[place] = PutResult(tariff.party, tariff.id, outcome, issues)  # type: ignore[arg-type]
            if not unchanged:
                write.append((tariff, issues, body, digest))
        if write:
            rows = await tx.fetch(
                SQL["write_tariffs"],
                *_columns((tariff_place(tariff) for tariff, *_ in write), 3),
                [body for *_, body, _ in write],
                [digest for *_, digest in write],
                [dump_issues(issues) for _, issues, *_ in write],
                [tariff.last_updated for tariff, *_ in write],
            )
            numbers = {(row["party"], row["tariff_id"], row["target"]): row["no"] for row in rows}
            stored = [
                stored_tariff(links, numbers[tariff_place(tariff)], tariff, existed=tariff_place(tariff) in known)
                for tariff, *_ in write
            ]
            await project(tx, links, stored)
        return results

    async def withdraw_tariff(self, party: PartyId, tariff_id: str, target: PartyId | None, who: str) -> bool:
        """See `ports.Publishing.withdraw_tariff`."""
        del who
        async for attempt in self._store.attempts():
            with attempt:
                async with self._links.publishing() as (tx, links):
                    place = (party.normal, tariff_id, target.normal if target else "")
                    row = await tx.fetchrow(SQL["withdraw_tariff"], *place, self._clock())
                    if row is None:
                        return False
                    gone = Stored(row["no"], Tariff.model_validate_json(row["body"]), {}, {}, existed=True)
                    await project(tx, links, [gone])
        self._wake()
        return True


def stored_tariff(links: Sequence[Link], no: int, tariff: Tariff, *, existed: bool) -> Stored:
    """Gives a tariff with the keys that each connection has of it."""
    keys = {link.connection.id: link.keys(tariff) for link in links}
    return Stored(no, tariff, keys, {}, existed=existed)


async def write_evses(
    tx: Transaction, links: Sequence[Link], locations: Sequence[tuple[int, Location, bool]]
) -> list[Stored]:
    """Writes the EVSEs of stored locations and gives what is to be projected.

    Args:
        locations: Number, location, and whether it existed before.
    """
    keyed = [
        (no, location, {link.connection.id: link.keys(location) for link in links}, existed)
        for no, location, existed in locations
    ]
    columns: list[tuple[int, str, str | None, str, str, datetime]] = []
    for no, location, keys, _ in keyed:
        claims: dict[str, set[int]] = {}
        for connection_id, wires in keys.items():
            for wire in wires:
                if wire.shared and wire.evse_uid is not None:
                    claims.setdefault(wire.evse_uid, set()).add(connection_id)
        columns += [
            (
                no,
                evse.uid,
                evse.evse_id.normal if evse.evse_id is not None else None,
                ",".join(map(str, sorted(claims.get(evse.uid, ())))),
                evse.status.value,
                evse.last_updated,
            )
            for evse in location.evses
        ]
    evses: dict[int, dict[str, int]] = {no: {} for no, *_ in keyed}
    if columns:
        for row in await tx.fetch(SQL["write_evses"], *_columns(columns, 6)):
            evses[row["location_no"]][row["uid"]] = row["no"]
    return [Stored(no, location, keys, evses[no], existed=existed) for no, location, keys, existed in keyed]


def tariff_place(tariff: Tariff) -> tuple[str, str, str]:
    """Gives a tariff's key: party, id, target party or `""` for all."""
    return tariff.party.normal, tariff.id, tariff.target.normal if tariff.target else ""


def dump_issues(issues: Sequence[Issue]) -> str | None:
    """Gives issues as JSON for the store; None for none."""
    return json.dumps([tuple(issue) for issue in issues], separators=(",", ":")) if issues else None


def load_issues(stored: str | None) -> list[Issue]:
    """Reads issues as `dump_issues` wrote them."""
    return _ISSUES.validate_json(stored) if stored else []


def _keep_dropped(location: Location, old: Location, dropped: set[str], now: datetime) -> Location:
    """Adds the EVSEs that a new version no longer names, as REMOVED: OCPI never deletes an EVSE."""
    gone: tuple[Evse, ...] = tuple(
        evse.model_copy(update={"status": EvseStatus.REMOVED, "last_updated": now})
        for evse in old.evses
        if evse.uid in dropped
    )
    return location.model_copy(update={"evses": location.evses + gone, "last_updated": max(location.last_updated, now)})


def _require_revision(rows: Iterable[Record], revision: int) -> None:
    found = [row["revision"] for row in rows]
    if found != [revision]:
        stored = f"revision {found[0]} is stored" if found else "nothing is stored"
        raise Conflict(f"revision {revision} was to be written over, but {stored}")


def _columns(rows: Iterable[Sequence[object]], width: int) -> list[list[object]]:
    """Turns rows into columns; `width` empty ones if there are no rows."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    return columns or [[] for _ in range(width)]
