"""Writing the operator's network: an object and the wish to tell it to every hub, in one transaction."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b

import asyncpg

from gateway.outbox.projecting import Link, Stored, project
from gateway.services.links import Links
from gateway.services.ports import Conflict, Parties, PutResult, StatusOutcome
from gateway.services.stamps import without_future
from gateway.services.storing import columns, dump_issues, load_issues, stored_tariff, tariff_place, write_evses
from gateway.services.tariffs.doubts import with_doubts
from gateway.services.visibility.audience import Audiences, Published
from gateway.store.growth import Growth
from gateway.store.objects import SQL, read_location, tombstone, without_evses
from gateway.store.pool import Record, Store, Transaction
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import EvseStatus, EvseStatusReport, Location
from mappings.canonical.tariffs import Tariff
from mappings.report import Issue, IssueKind


class Publishing:
    """Writes locations and tariffs with the projections that every connection needs of them.

    Args:
        links: The connections.
        audiences: Says which tariffs are for EMSPs that may have them.
        wake: Called after a commit that left something to tell.
        clock: Gives the present, aware.
    """

    def __init__(
        self,
        store: Store,
        links: Links,
        audiences: Audiences,
        wake: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._links = links
        self._audiences = audiences
        self._growth = Growth(store)
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
        written = [latest[place][0] for place, result in outcomes.items() if result.outcome != "unchanged"]
        evses = sum(len(location.evses) for location in written)
        projections = (len(written) + evses) * len(self._links.all())
        await self._growth.note(location=len(written), evse=evses, projection=projections)
        return [outcomes[location.party.normal, location.id] for location, _ in batch]

    async def withdraw_location(self, party: PartyId, location_id: str, who: str) -> bool:
        """See `ports.Publishing.withdraw_location`."""
        del who
        now = self._clock()
        async for attempt in self._store.attempts():
            with attempt:
                async with self._links.publishing() as (tx, links):
                    row = await tx.fetchrow(SQL["lock_locations"], [party.normal], [location_id])
                    if row is None or row["withdrawn_at"] is not None:
                        return False
                    location = tombstone(Location.model_validate_json(row["body"]), now)
                    place = (party.normal, location_id)
                    latest = {place: (location, load_issues(row["issues"]))}
                    await self._write_locations(tx, links, latest, None, withdrawn_at=now)
        self._wake()
        return True

    async def remove_evses(self, report: EvseStatusReport, at: datetime, parties: Parties) -> StatusOutcome:
        """Withdraws what a report of REMOVED names: a change of the location, which keeps the EVSE as a tombstone."""
        named = (
            report.party.normal if report.party else None,
            report.location_id,
            report.evse_uid,
            report.evse_id.normal if report.evse_id else None,
            None if parties is None else [one.normal for one in parties],
        )
        outcome = StatusOutcome.UNKNOWN_EVSE
        async for attempt in self._store.attempts():
            with attempt:
                async with self._links.publishing() as (tx, links):
                    rows = await tx.fetch(SQL["evses_to_remove"], *named)
                    outcome = await self._remove_evses(tx, links, rows, at)
        if outcome is StatusOutcome.APPLIED:
            self._wake()
        return outcome

    async def _remove_evses(
        self, tx: Transaction, links: Sequence[Link], rows: Sequence[Record], at: datetime
    ) -> StatusOutcome:
        latest: dict[tuple[str, str], tuple[Location, Sequence[Issue]]] = {}
        stale = False
        for row in rows:
            present = read_location(row)
            named = {evse.uid: evse for evse in present.evses if evse.uid in set(row["named"])}
            gone = {uid for uid, evse in named.items() if evse.status is EvseStatus.REMOVED}
            older = {uid for uid in named.keys() - gone if row["named_at"][row["named"].index(uid)] > at}
            stale = stale or bool(older)
            if remove := named.keys() - gone - older:
                location = without_evses(present, remove, at)
                latest[location.party.normal, location.id] = (location, load_issues(row["issues"]))
        if latest:
            await self._write_locations(tx, links, latest, None, withdrawn_at=None)
            return StatusOutcome.APPLIED
        if stale:
            return StatusOutcome.STALE
        return StatusOutcome.UNCHANGED if rows else StatusOutcome.UNKNOWN_EVSE

    async def _write_locations(
        self,
        tx: Transaction,
        links: Sequence[Link],
        latest: Mapping[tuple[str, str], tuple[Location, Sequence[Issue]]],
        if_revision: int | None,
        *,
        withdrawn_at: datetime | None,
    ) -> dict[tuple[str, str], PutResult]:
        found = await tx.fetch(SQL["lock_locations"], *columns(latest.keys(), 2))
        known = {(row["party"], row["location_id"]): row for row in found}
        if if_revision is not None:
            _require_revision(known.values(), if_revision)
        results: dict[tuple[str, str], PutResult] = {}
        write: list[tuple[Location, Sequence[Issue], str, bytes]] = []
        now = self._clock()
        for place, (given, translated) in latest.items():
            body = given.model_dump_json(exclude_defaults=True)
            # Of what was given, not of what is made of it: the same again is then known to be the same.
            digest = blake2b(body.encode(), digest_size=16).digest()
            old = known.get(place)
            unchanged = old is not None and old["digest"] == digest and old["withdrawn_at"] == withdrawn_at
            outcome = "unchanged" if unchanged else "created" if old is None else "updated"
            location, mended = _mended(given, now)
            issues = (*translated, *mended)
            results[place] = PutResult(given.party, given.id, outcome, issues)  # type: ignore[arg-type]
            if unchanged:
                continue
            if old is not None and (left := set(old["uids"] or ()) - {evse.uid for evse in location.evses}):
                location = _keep(location, Location.model_validate_json(old["body"]), left, now)
            if location is not given:
                body = location.model_dump_json(exclude_defaults=True)
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
        _require_alone({(row["party"], row["location_id"]) for row in rows if row["inserted"]}, numbers.keys() - before)
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
        latest = {tariff_place(tariff): (tariff, await with_doubts(tariff, issues)) for tariff, issues in batch}
        results: dict[tuple[str, str, str], PutResult] = {}
        async for attempt in self._store.attempts():
            with attempt:
                async with self._audiences.publishing() as published:
                    results = await self._write_tariffs(published, latest, if_revision)
        self._wake()
        return [results[tariff_place(tariff)] for tariff, _ in batch]

    async def _write_tariffs(
        self,
        published: Published,
        latest: dict[tuple[str, str, str], tuple[Tariff, Sequence[Issue]]],
        if_revision: int | None,
    ) -> dict[tuple[str, str, str], PutResult]:
        tx, links, audience = published
        found = await tx.fetch(SQL["lock_tariffs"], *columns(latest.keys(), 3))
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
                *columns((tariff_place(tariff) for tariff, *_ in write), 3),
                [body for *_, body, _ in write],
                [digest for *_, digest in write],
                [dump_issues(issues) for _, issues, *_ in write],
                [tariff.last_updated for tariff, *_ in write],
            )
            numbers = {(row["party"], row["tariff_id"], row["target"]): row["no"] for row in rows}
            inserted = {(row["party"], row["tariff_id"], row["target"]) for row in rows if row["inserted"]}
            _require_alone(inserted, numbers.keys() - known.keys())
            stored = [
                stored_tariff(links, numbers[place], tariff, audience, existed=place in known)
                for tariff, *_ in write
                for place in [tariff_place(tariff)]
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


def _mended(location: Location, now: datetime) -> tuple[Location, list[Issue]]:
    """Gives a location that can be stored: without stamps in the future, each EVSE once, the last one of several."""
    location, issues = without_future(location, now)
    by_uid = {evse.uid: evse for evse in location.evses}
    if len(by_uid) < len(location.evses):
        counted = Counter(evse.uid for evse in location.evses)
        detail = "stands there several times: the last one counts"
        issues += [Issue(IssueKind.LEFT_OUT, "evses", detail, uid) for uid, count in counted.items() if count > 1]
        location = location.model_copy(update={"evses": tuple(by_uid.values())})
    return location, issues


def _keep(location: Location, old: Location, left: set[str], now: datetime) -> Location:
    """Adds the EVSEs that a new version does not name, as REMOVED: OCPI never deletes an EVSE."""
    dropped = without_evses(old, left, now)
    kept = tuple(evse for evse in dropped.evses if evse.uid in left)
    fresh = any(evse.uid in left and evse.status is not EvseStatus.REMOVED for evse in old.evses)
    at = max(location.last_updated, now) if fresh else location.last_updated
    return location.model_copy(update={"evses": location.evses + kept, "last_updated": at})


def _require_alone(inserted: Collection[tuple[str, ...]], unknown: Collection[tuple[str, ...]]) -> None:
    """Makes sure that what was not stored when it was looked up was not stored by somebody else meanwhile.

    Raises:
        asyncpg.SerializationError: It was; the transaction is to be repeated, and finds what there is.
    """
    if set(unknown) - set(inserted):
        raise asyncpg.SerializationError("somebody else wrote the same object first")


def _require_revision(rows: Iterable[Record], revision: int) -> None:
    found = [row["revision"] for row in rows]
    if found != [revision]:
        stored = f"revision {found[0]} is stored" if found else "nothing is stored"
        raise Conflict(f"revision {revision} was to be written over, but {stored}")
