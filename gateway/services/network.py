"""Reading the operator's network, for the backend and for hubs that pull."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from adapters.core.connection import Connection
from adapters.core.inbound import Page, Window
from gateway.services.cursors import decode, encode
from gateway.services.links import SQL as CONNECTIONS
from gateway.services.ports import (
    BadCursor,
    HubIssue,
    IssueCount,
    Parties,
    StoredLocation,
    StoredTariff,
)
from gateway.services.storing import load_issues
from gateway.services.visibility.audience import Audiences
from gateway.store.objects import SQL, read_location
from gateway.store.pool import Record, Store
from gateway.store.queries import Queries
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Location
from mappings.canonical.parties import Party
from mappings.canonical.tariffs import Tariff
from mappings.report import Issue, IssueKind

READING = Queries("gateway.services", "network.sql")

_INDEX = re.compile(r"\[\d+\]")


class Network:
    """Implements `ports.Network`, and `adapters.core.inbound.Published` for the hubs."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def location(self, party: PartyId, location_id: str) -> StoredLocation | None:
        """See `ports.Network.location`."""
        row = await self._store.fetchrow(SQL["location"], party.normal, location_id)
        return _stored_location(row) if row is not None else None

    async def locations(
        self, parties: Parties, after: str | None, limit: int
    ) -> tuple[list[StoredLocation], str | None]:
        """See `ports.Network.locations`."""
        start = _start(after, 2)
        rows = await self._store.fetch(SQL["locations_after"], _normal(parties), *start, limit)
        found = [_stored_location(row) for row in rows]
        last = found[-1].location if len(found) == limit else None
        return found, encode(last.party.normal, last.id) if last else None

    async def tariff(self, party: PartyId, tariff_id: str, target: PartyId | None) -> StoredTariff | None:
        """See `ports.Network.tariff`."""
        row = await self._store.fetchrow(SQL["tariff"], party.normal, tariff_id, target.normal if target else "")
        return _stored_tariff(row) if row is not None else None

    async def tariffs(self, parties: Parties, after: str | None, limit: int) -> tuple[list[StoredTariff], str | None]:
        """See `ports.Network.tariffs`."""
        start = _start(after, 3)
        rows = await self._store.fetch(SQL["tariffs_after"], _normal(parties), *start, limit)
        next_ = encode(*(rows[-1][name] for name in ("party", "tariff_id", "target"))) if len(rows) == limit else None
        return [_stored_tariff(row) for row in rows], next_

    async def issues(self, party: PartyId, location_id: str) -> list[HubIssue]:
        """See `ports.Network.issues`."""
        inbound = await self._store.fetchval(READING["inbound_issues"], party.normal, location_id)
        place = f"{party.normal}/{location_id}"
        found = [HubIssue("", "", place, issue) for issue in load_issues(inbound)]
        for row in await self._store.fetch(READING["hub_issues"], party.normal, location_id):
            found += [
                HubIssue(row["connection"], row["operation"], row["key"], issue) for issue in load_issues(row["issues"])
            ]
        for row in await self._store.fetch(READING["losers"], party.normal, location_id):
            detail = f"{row['winner']} names the same EVSE and is newer: that one is sent"
            found.append(
                HubIssue(
                    row["connection"],
                    row["operation"],
                    row["key"],
                    Issue(IssueKind.LEFT_OUT, "evse_id", detail, row["key"]),
                )
            )
        return found

    async def tariff_issues(self, party: PartyId, tariff_id: str, target: PartyId | None) -> list[HubIssue]:
        """See `ports.Network.tariff_issues`."""
        one = (party.normal, tariff_id, target.normal if target else "")
        inbound = await self._store.fetchval(READING["inbound_tariff_issues"], *one)
        place = "/".join(part for part in one if part)
        found = [HubIssue("", "", place, issue) for issue in load_issues(inbound)]
        for row in await self._store.fetch(READING["hub_tariff_issues"], *one):
            found += [
                HubIssue(row["connection"], row["operation"], row["key"], issue) for issue in load_issues(row["issues"])
            ]
        return found

    async def issue_counts(self, parties: Parties, connection: str | None) -> list[IssueCount]:
        """See `ports.Network.issue_counts`."""
        counted: Counter[tuple[str, str, IssueKind]] = Counter()
        for row in await self._store.fetch(READING["all_issues"], _normal(parties), connection):
            fields = {(_INDEX.sub("[]", issue.field), issue.kind) for issue in load_issues(row["issues"])}
            for field, kind in fields:
                counted[row["connection"], field, kind] += row["count"]
        return [IssueCount(*key, count) for key, count in counted.most_common()]

    async def parties(self) -> list[Party]:
        """See `ports.Network.parties`."""
        return [Party.model_validate_json(row["body"]) for row in await self._store.fetch(READING["parties"])]

    async def party(self, party: PartyId) -> Party | None:
        """See `ports.Network.party`."""
        body = await self._store.fetchval(READING["party"], party.normal)
        return Party.model_validate_json(body) if body is not None else None

    async def put_party(self, party: Party, who: str) -> bool:
        """See `ports.Network.put_party`."""
        async with self._store.transaction() as tx:
            created: bool = await tx.fetchval(READING["write_party"], party.id.normal, party.model_dump_json())
            await tx.execute(CONNECTIONS["audit"], who, "wrote", f"party/{party.id}", party.model_dump_json())
        return created


class Published:
    """Implements `adapters.core.inbound.Published`: the network as a connection may see it.

    A hub gets all that is in its scope, and hands on to whom its contracts say; of prices for one EMSP those alone that
    it would be told, too.
    """

    def __init__(self, store: Store, network: Network, audiences: Audiences) -> None:
        self._store = store
        self._network = network
        self._audiences = audiences

    async def locations(self, connection: Connection, window: Window) -> Page:
        """Gives a page of locations in the order of their numbers, which no change moves."""
        total, rows = await self._page("locations", connection, window)
        seen = (connection.scope.narrow(read_location(row)) for row in rows)
        return Page([location for location in seen if location is not None], total)

    async def location(self, connection: Connection, party: PartyId, location_id: str) -> Location | None:
        """Gives one location, REMOVED or not."""
        stored = await self._network.location(party, location_id)
        return connection.scope.narrow(stored.location) if stored else None

    async def tariffs(self, connection: Connection, window: Window) -> Page:
        """Gives a page of tariffs, every variant that is for all, or for an EMSP that may know of the CPO."""
        total, rows = await self._page("tariffs", connection, window)
        audience = await self._audiences.present()
        tariffs = (Tariff.model_validate_json(row["body"]) for row in rows)
        return Page([tariff for tariff in tariffs if audience.has(connection.id, tariff)], total)

    async def tariff(self, connection: Connection, party: PartyId, tariff_id: str) -> Tariff | None:
        """Gives the variant for all; else any."""
        if not connection.scope.has_party(party):
            return None
        audience = await self._audiences.present()
        rows = await self._store.fetch(READING["variants"], party.normal, tariff_id)
        variants = (Tariff.model_validate_json(row["body"]) for row in rows)
        return next((tariff for tariff in variants if audience.has(connection.id, tariff)), None)

    async def parties(self, connection: Connection) -> Sequence[Party]:
        """Gives the parties in scope."""
        return [party for party in await self._network.parties() if connection.scope.has_party(party.id)]

    async def owners(self, connection: Connection) -> Sequence[PartyId]:
        """Gives the parties in scope that have a profile, locations or tariffs."""
        found = [PartyId(row["party"]) for row in await self._store.fetch(READING["owners"])]
        return [party for party in found if connection.scope.has_party(party)]

    async def _page(self, kind: str, connection: Connection, window: Window) -> tuple[int, list[Record]]:
        scope = connection.scope
        parties = sorted(party.normal for party in scope.parties) or None
        dated = "_dated" if window.date_from is not None or window.date_to is not None else ""
        dates: tuple[datetime | None, ...] = (window.date_from, window.date_to) if dated else ()
        more: tuple[list[str] | None, ...] = ()
        if kind == "locations":
            more = (sorted(scope.locations) or None, sorted(evse.normal for evse in scope.evses) or None)
        total = await self._store.fetchval(READING[f"count_{kind}{dated}"], parties, *more, *dates)
        rows = await self._store.fetch(
            READING[f"page_{kind}{dated}"], parties, *more, *dates, window.offset, window.limit
        )
        return total, rows


def _stored_location(row: Record) -> StoredLocation:
    return StoredLocation(read_location(row), row["withdrawn_at"] is not None, row["revision"], row["updated_at"])


def _stored_tariff(row: Record) -> StoredTariff:
    tariff = Tariff.model_validate_json(row["body"])
    return StoredTariff(tariff, row["withdrawn_at"] is not None, row["revision"], row["updated_at"])


def _normal(parties: Parties) -> list[str] | None:
    return None if parties is None else [party.normal for party in parties]


def _start(after: str | None, size: int) -> tuple[str, ...]:
    start = decode(after, size) if after is not None else ("",) * size
    if start is None:
        raise BadCursor
    return start
