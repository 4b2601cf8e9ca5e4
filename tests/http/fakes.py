"""The services in memory, enough of each to tell whether the HTTP face asks rightly and answers what they say."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from adapters.core.connection import Mode, Scope, State
from gateway.services.ports import (
    BadCursor,
    CdrSample,
    ChargeSample,
    Conflict,
    ConnectionView,
    DeadLetter,
    DeliveryState,
    DeliveryView,
    Difference,
    DifferenceCount,
    DifferenceRow,
    DifferenceState,
    EndedEarly,
    HubFailed,
    HubIssue,
    ImportReport,
    Invalid,
    IssueCount,
    IssueShown,
    LaneSample,
    Letters,
    MessageFilter,
    MessageState,
    MessageView,
    NotFound,
    Page,
    Parties,
    PutResult,
    Sample,
    StatusOutcome,
    StoredLocation,
    StoredTariff,
)
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import EvseStatus, EvseStatusReport, Location
from mappings.canonical.parties import Party
from mappings.canonical.tariffs import Tariff
from mappings.report import Issue, IssueKind

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Memory:
    """The store; `broken` is raised by whatever would touch it."""

    def __init__(self) -> None:
        self.locations: dict[tuple[PartyId, str], StoredLocation] = {}
        self.tariffs: dict[tuple[PartyId, str, PartyId | None], StoredTariff] = {}
        self.parties: dict[PartyId, Party] = {}
        self.statuses: dict[EvseId, tuple[datetime, EvseStatus]] = {}
        self.batches: list[int] = []
        self.who: list[str] = []
        self.broken: Exception | None = None
        self.before_write: Callable[[], None] | None = None

    def touch(self) -> None:
        if self.broken is not None:
            raise self.broken


class FakePublishing:
    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    async def put_locations(
        self, batch: Sequence[tuple[Location, Sequence[Issue]]], who: str, *, if_revision: int | None = None
    ) -> list[PutResult]:
        if self.memory.before_write:
            self.memory.before_write()
        self.memory.touch()
        await asyncio.sleep(0)
        self.memory.batches.append(len(batch))
        self.memory.who.append(who)
        results = []
        for location, issues in batch:
            key = (location.party, location.id)
            before = self.memory.locations.get(key)
            if if_revision is not None and (before.revision if before else 0) != if_revision:
                raise Conflict("The location changed meanwhile")
            outcome = "created" if before is None else "unchanged" if before.location == location else "updated"
            revision = (before.revision if before else 0) + 1
            self.memory.locations[key] = StoredLocation(location, False, revision, NOW)
            results.append(PutResult(location.party, location.id, outcome, issues))
        return results

    async def withdraw_location(self, party: PartyId, location_id: str, who: str) -> bool:
        self.memory.touch()
        stored = self.memory.locations.get((party, location_id))
        if stored is None or stored.withdrawn:
            return False
        self.memory.locations[party, location_id] = replace(stored, withdrawn=True)
        return True

    async def put_tariffs(
        self, batch: Sequence[tuple[Tariff, Sequence[Issue]]], who: str, *, if_revision: int | None = None
    ) -> list[PutResult]:
        self.memory.touch()
        results = []
        for tariff, issues in batch:
            key = (tariff.party, tariff.id, tariff.target)
            before = self.memory.tariffs.get(key)
            if if_revision is not None and (before.revision if before else 0) != if_revision:
                raise Conflict("The tariff changed meanwhile")
            self.memory.tariffs[key] = StoredTariff(tariff, False, (before.revision if before else 0) + 1, NOW)
            results.append(PutResult(tariff.party, tariff.id, "updated" if before else "created", issues))
        return results

    async def withdraw_tariff(self, party: PartyId, tariff_id: str, target: PartyId | None, who: str) -> bool:
        return self.memory.tariffs.pop((party, tariff_id, target), None) is not None


class FakeStatuses:
    """Knows the EVSEs `FR*ABC*E1` to `FR*ABC*E9` and those of the stored locations by key."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.calls = 0

    async def report(self, reports: Sequence[EvseStatusReport], parties: Parties) -> list[StatusOutcome]:
        self.memory.touch()
        self.calls += 1
        return [self._one(report, parties) for report in reports]

    def _one(self, report: EvseStatusReport, parties: Parties) -> StatusOutcome:
        known = report.evse_id
        if known is None:
            stored = self.memory.locations.get((report.party, report.location_id))
            uids = {evse.uid for evse in stored.location.evses} if stored else set()
            return StatusOutcome.APPLIED if report.evse_uid in uids else StatusOutcome.UNKNOWN_EVSE
        outside = parties is not None and known.party not in parties
        if outside or known.party is None or len(known.instance) > 6:
            return StatusOutcome.UNKNOWN_EVSE
        at = report.at or NOW
        before, status = self.memory.statuses.get(known, (datetime.min.replace(tzinfo=UTC), None))
        if at < before:
            return StatusOutcome.STALE
        self.memory.statuses[known] = at, report.status
        return StatusOutcome.UNCHANGED if status is report.status else StatusOutcome.APPLIED


class FakeNetwork:
    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    async def location(self, party: PartyId, location_id: str) -> StoredLocation | None:
        self.memory.touch()
        return self.memory.locations.get((party, location_id))

    async def locations(self, parties: Parties, after: str | None, limit: int):
        return self._page(self.memory.locations, parties, after, limit)

    async def tariff(self, party: PartyId, tariff_id: str, target: PartyId | None) -> StoredTariff | None:
        return self.memory.tariffs.get((party, tariff_id, target))

    async def tariffs(self, parties: Parties, after: str | None, limit: int):
        return self._page(self.memory.tariffs, parties, after, limit)

    def _page(self, stored: Mapping[Any, Any], parties: Parties, after: str | None, limit: int):
        self.memory.touch()
        if after is not None and not after.isdecimal():
            raise BadCursor
        rows = [stored[key] for key in sorted(stored, key=str) if parties is None or key[0] in parties]
        start = int(after or 0)
        return rows[start : start + limit], str(start + limit) if start + limit < len(rows) else None

    async def issues(self, party: PartyId, location_id: str) -> list[HubIssue]:
        issue = Issue(IssueKind.NARROWED, "evses[0].status", "The hub has no word for BLOCKED", "BLOCKED")
        return [HubIssue("hubject", "evse_status", "FRABCE1", issue)]

    async def tariff_issues(self, party: PartyId, tariff_id: str, target: PartyId | None) -> list[HubIssue]:
        issue = Issue(IssueKind.LEFT_OUT, "tax_included", "The hub has no word for it", "YES")
        return [HubIssue("gireve", "tariffs", f"{party.normal}/{tariff_id}/{target or ''}", issue)]

    async def issue_counts(self, parties: Parties, connection: str | None) -> list[IssueCount]:
        return [IssueCount(connection or "", "evses[].evse_id", IssueKind.MENDED, 3)]

    async def parties(self) -> list[Party]:
        return sorted(self.memory.parties.values(), key=lambda party: party.id.normal)

    async def party(self, party: PartyId) -> Party | None:
        return self.memory.parties.get(party)

    async def put_party(self, party: Party, who: str) -> bool:
        new = party.id not in self.memory.parties
        self.memory.parties[party.id] = party
        return new


class FakeConnections:
    """Hubs `gireve`, which registers with the token `good`, and `hubject`, which has no registration."""

    def __init__(self) -> None:
        self.views: dict[str, ConnectionView] = {}
        self.adopted: dict[str, tuple[str, str]] = {}

    async def list(self):
        return [self.views[name] for name in sorted(self.views)]

    async def get(self, name: str) -> ConnectionView:
        if name not in self.views:
            raise NotFound(f"There is no connection {name}")
        return self.views[name]

    async def create(
        self, name: str, hub: str, mode: Mode, scope: Scope, settings: Mapping[str, Any], who: str
    ) -> ConnectionView:
        if name in self.views:
            raise Conflict(f"There is a connection {name} already")
        if hub not in ("gireve", "hubject"):
            raise Invalid(("hub", "is neither gireve nor hubject"))
        self._check(settings)
        self.views[name] = ConnectionView(
            name, hub, mode, State.UNREGISTERED, None, scope, dict(settings), False, {}, 0, 0, 0
        )
        return self.views[name]

    @staticmethod
    def _check(settings: Mapping[str, Any]) -> None:
        if "nonsense" in settings:
            raise Invalid(("settings.nonsense", "is not a setting of this hub"))

    async def set_settings(self, name: str, settings: Mapping[str, Any], who: str) -> ConnectionView:
        self._check(settings)
        return await self._set(name, settings=dict(settings))

    async def remove(self, name: str, who: str) -> None:
        if (await self.get(name)).mode is not Mode.OFF:
            raise Conflict("It is not off")
        del self.views[name]

    async def _set(self, name: str, **changes: Any) -> ConnectionView:
        self.views[name] = replace(await self.get(name), **changes)
        return self.views[name]

    async def register(self, name: str, token: str, who: str) -> ConnectionView:
        if (await self.get(name)).hub == "hubject":
            raise Conflict("Hubject has no registration")
        if token != "good":
            raise HubFailed("The hub answered 401")
        return await self._set(name, state=State.READY, registered=True)

    async def expect(self, name: str, who: str) -> str:
        if (await self.get(name)).registered:
            raise Conflict(f"{name} is registered")
        return f"a token for {name}"

    async def adopt(
        self, name: str, token_ours: str, token_theirs: str, endpoints: Mapping[str, Any], who: str
    ) -> ConnectionView:
        self.adopted[name] = token_ours, token_theirs
        return await self._set(name, state=State.READY, registered=True, endpoints=dict(endpoints))

    async def set_mode(self, name: str, mode: Mode, who: str) -> ConnectionView:
        return await self._set(name, mode=mode)

    async def set_scope(self, name: str, scope: Scope, who: str) -> ConnectionView:
        return await self._set(name, scope=scope)

    async def pause(self, name: str, why: str, who: str) -> ConnectionView:
        return await self._set(name, state=State.PAUSED, why=why)

    async def resume(self, name: str, who: str) -> ConnectionView:
        if (await self.get(name)).state is not State.PAUSED:
            raise Conflict("It is not paused")
        return await self._set(name, state=State.READY, why=None)

    async def resync(self, name: str, who: str) -> int:
        await self.get(name)
        return 12

    async def unregister(self, name: str, who: str) -> ConnectionView:
        return await self._set(name, state=State.UNREGISTERED, registered=False)

    async def difference(self, name: str, operation: str | None, after: str | None, limit: int) -> Difference:
        await self.get(name)
        count = DifferenceCount(operation or "locations", 3, 2, 1, 0, 0, 0)
        row = DifferenceRow(count.operation, "FR*ABC/1", DifferenceState.PENDING, False, 4, 3, None, NOW)
        return Difference([count], [row])


class FakeDeliveries:
    def __init__(self) -> None:
        self.replayed: list[Letters] = []
        self.discarded: list[tuple[Sequence[int], str]] = []

    async def list(self, connection: str | None, state: DeliveryState | None, after: str | None, limit: int):
        state = state or DeliveryState.PENDING
        return Page([DeliveryView(connection or "g", "locations", "FR*ABC/1", state, 2, 1, 0, NOW, None, None)])

    async def messages(self, which: MessageFilter, after: str | None, limit: int):
        state = which.state or MessageState.REFUSED
        issue = IssueShown(IssueKind.LOST, "cdr.total_cost", "no place for it")
        place = (7, which.connection or "g", which.webhook, "cdrs", "POST", "cdr-1", which.key or "cdr-1", "FR*ABC")
        view = MessageView(*place, state, 1, True, NOW, None, None, NOW, "2001", "no", [issue], {"id": "1"})
        return Page([view])

    async def dead_letters(self, connection: str | None, after: str | None, limit: int):
        return Page([DeadLetter(7, connection or "g", "locations", "FR*ABC/1", "2001", "no", "", 1, NOW, {"id": "1"})])

    async def replay(self, letters: Letters, who: str) -> int:
        self.replayed.append(letters)
        return len(letters.ids) or 5

    async def discard(self, ids: Sequence[int], why: str, who: str) -> int:
        self.discarded.append((ids, why))
        return len(ids)


class FakeImporting:
    def __init__(self) -> None:
        self.bytes = 0
        self.largest = 0
        self.arguments: dict[str, Any] = {}

    async def run(self, chunks: AsyncIterator[bytes], *, filename, party, who, progress=None) -> ImportReport:
        self.arguments = {"filename": filename, "party": party}
        async for chunk in chunks:
            self.bytes += len(chunk)
            self.largest = max(self.largest, len(chunk))
        if self.bytes == 0:
            raise Invalid(("", "The content has no known format"))
        report = ImportReport("irve-static-csv", 1, 1, 1, 0, 0, 1, 0, 0, 0, [], [], 0.1)
        if chunk == b"damaged":
            raise EndedEarly("The gz ends early", report)
        return report


CHARGES = ChargeSample(3, 1, 2, 4, [CdrSample("gireve", "g", 5, 1, 7200.0)])


@dataclass
class FakeSampler:
    fails: bool = False
    taken: int = 0

    async def sample(self) -> Sample:
        self.taken += 1
        if self.fails:
            raise OSError("no route to the database")
        lane = LaneSample("gireve", "g", "locations", 3, 1.5, 1, 2, 1, 0)
        return Sample([lane], [], [("gireve", "g", Mode.LIVE, State.READY)], {EvseStatus.CHARGING: 4}, CHARGES, 8, 6)


@dataclass
class FakeReadiness:
    fault: str | None = None

    async def faults(self) -> Mapping[str, str | None]:
        return {"database": self.fault, "migrations": None, "dispatcher": None}


@dataclass
class KeyRows:
    """The table `api_key`, as far as `Keys` uses it."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    reads: int = 0
    broken: Exception | None = None

    async def fetch(self, sql: str, /, *args: Any) -> Sequence[Any]:
        if self.broken is not None:
            raise self.broken
        if "INSERT INTO api_key" in sql:
            name, digest, parties, roles, _who = args
            row = {"id": len(self.rows) + 1, "name": name, "hash": digest, "parties": parties, "roles": roles}
            self.rows.append(row | {"created_at": NOW, "revoked_at": None})
            return self.rows[-1:]
        if "UPDATE api_key" in sql:
            found = [row for row in self.rows if row["id"] == args[0] and row["revoked_at"] is None]
            for row in found:
                row["revoked_at"] = NOW
            return found
        self.reads += 1
        return [row for row in self.rows if "IS NULL" not in sql or row["revoked_at"] is None]


@dataclass
class Ticks:
    """A clock that stands still until it is told."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now
