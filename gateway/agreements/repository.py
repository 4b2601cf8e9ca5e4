"""Agreements in the store, kept in memory: asking them costs no way to the database."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from adapters.core.connection import Connection
from gateway.agreements import policy
from gateway.agreements.model import Agreement, Service
from gateway.agreements.policy import Candidate, Decision, Request
from gateway.services.cursors import encode, number_of
from gateway.services.links import SQL as CONNECTIONS
from gateway.services.links import Links
from gateway.services.ports import Conflict, Invalid, NotFound, Page
from gateway.services.ports.agreements import AgreementView, NewAgreement
from gateway.store.pool import Record, Store
from gateway.store.queries import Queries
from mappings.canonical.ids import PartyId

SQL = Queries("gateway.agreements", "agreements.sql")

_MOST = 2**31 - 1
"""No agreement has a higher number."""

_LATE = timedelta(seconds=60)
"""A moment that is past by less than this is taken for now: clocks differ."""


class Agreements:
    """Implements `ports.Agreements`, and answers what the services ask.

    A change of an agreement counts as a change of the connections, which every replica looks for once a second; what is
    in memory is read anew when the connections were.

    Args:
        clock: Gives the present, aware.
    """

    def __init__(self, store: Store, links: Links, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._links = links
        self._clock = clock
        self._known: Mapping[int, Sequence[Agreement]] = {}
        self._revision: int | None = None
        self._reading = asyncio.Lock()

    async def decide(self, connection_id: int, request: Request) -> Decision:
        """Decides whether a connection may have something; see `policy.decide`."""
        known = await self._current()
        return policy.decide(known.get(connection_id, ()), request, self._clock())

    async def candidates(self, connections: Iterable[Connection], request: Request) -> list[Candidate]:
        """Gives those connections that may serve a request, in the order of asking; see `policy.candidates`."""
        return policy.candidates(await self._current(), connections, request, self._clock())

    async def list(self, connection: str | None, after: str | None, limit: int) -> Page[AgreementView]:
        """See `ports.Agreements.list`."""
        if connection is not None:
            self._find(connection)
        start = number_of(after, 0, _MOST)
        items = [_view(row) for row in await self._store.fetch(SQL["page"], connection, start, limit)]
        return Page(items, encode(str(items[-1].id)) if len(items) == limit else None)

    async def create(self, new: NewAgreement, who: str) -> AgreementView:
        """See `ports.Agreements.create`."""
        connection = self._find(new.connection)
        begins = new.valid_from or self._clock()
        if new.valid_to is not None and new.valid_to <= begins:
            raise Invalid(("valid_to", "is not after its beginning"))
        services = sorted(service.value for service in new.services)
        async with self._links.changing() as tx:
            number = await tx.fetchval(
                SQL["insert"],
                connection.id,
                new.party.normal if new.party else None,
                new.emsp.normal if new.emsp else None,
                services,
                new.rank,
                begins,
                new.valid_to,
            )
            view = AgreementView(
                number, new.connection, new.services, new.rank, begins, new.valid_to, new.party, new.emsp
            )
            await tx.execute(CONNECTIONS["audit"], who, "created", f"agreement/{number}", _audited(view))
        return view

    async def end(self, agreement_id: int, at: datetime | None, who: str) -> AgreementView:
        """See `ports.Agreements.end`."""
        now = self._clock()
        moment = at or now
        if moment < now - _LATE:
            raise Invalid(("at", "is past"))
        async with self._links.changing() as tx:
            row = await tx.fetchrow(SQL["lock"], agreement_id)
            if row is None:
                raise NotFound(f"there is no agreement {agreement_id}")
            if row["valid_to"] is not None and row["valid_to"] <= now:
                raise Conflict(f"agreement {agreement_id} has ended already")
            if moment < row["valid_from"]:
                # One that is still to begin never does.
                if at is not None:
                    raise Invalid(("at", "is before its beginning"))
                moment = row["valid_from"]
            await tx.execute(SQL["end"], agreement_id, moment)
            view = _view({**row, "valid_to": moment})
            await tx.execute(CONNECTIONS["audit"], who, "ended", f"agreement/{agreement_id}", _audited(view))
        return view

    def _find(self, name: str) -> Connection:
        link = self._links.by_name(name)
        if link is None:
            raise NotFound(f"there is no connection {name}", "connection")
        return link.connection

    async def _current(self) -> Mapping[int, Sequence[Agreement]]:
        """Gives all agreements by connection, read anew if the connections were."""
        if self._revision == self._links.revision:
            return self._known
        async with self._reading:
            revision = self._links.revision
            if self._revision != revision:
                known: dict[int, list[Agreement]] = defaultdict(list)
                for row in await self._store.fetch(SQL["all"]):
                    known[row["connection_id"]].append(_agreement(row))
                # Read after the revision was noted: what changed since is noticed by the next one.
                self._known, self._revision = dict(known), revision
        return self._known


def _agreement(row: Record) -> Agreement:
    return Agreement(
        id=row["id"],
        connection_id=row["connection_id"],
        party=_party(row["party"]),
        emsp=_party(row["emsp"]),
        services=frozenset(map(Service, row["services"])),
        rank=row["rank"],
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
    )


def _view(row: Mapping[str, object] | Record) -> AgreementView:
    values = dict(row)
    services = frozenset(map(Service, values.pop("services")))
    party, emsp = _party(values.pop("party")), _party(values.pop("emsp"))
    return AgreementView(services=services, party=party, emsp=emsp, **values)


def _party(text: object) -> PartyId | None:
    return PartyId(str(text)) if text is not None else None


def _audited(view: AgreementView) -> dict[str, object]:
    return {
        "connection": view.connection,
        "party": view.party.normal if view.party else None,
        "emsp": view.emsp.normal if view.emsp else None,
        "services": sorted(view.services),
        "rank": view.rank,
        "valid_from": view.valid_from.isoformat(),
        "valid_to": view.valid_to.isoformat() if view.valid_to else None,
    }
