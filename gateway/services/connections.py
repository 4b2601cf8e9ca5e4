"""Connections as the backend and the command line handle them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import Any

import asyncpg
from pydantic import BaseModel, ValidationError

from adapters.core.connection import Connection, Mode, Scope, Secrets, State
from adapters.core.hub import Gateway, Hub, RegistrationFailed, RegistrationOutOfPlace
from gateway.outbox.projecting import Link, Stored, project
from gateway.services.cursors import decode, encode
from gateway.services.links import SQL, Links
from gateway.services.ports import (
    BadCursor,
    Conflict,
    ConnectionView,
    Difference,
    DifferenceCount,
    DifferenceRow,
    DifferenceState,
    HubFailed,
    Invalid,
    NotFound,
)
from gateway.services.registry import Registry
from gateway.services.storing import read_driver_tokens, read_locations, read_tariffs
from gateway.services.visibility.audience import Audiences
from gateway.store.growth import Growth
from gateway.store.objects import SQL as OBJECTS
from gateway.store.pool import Record, Store, Transaction
from mappings.canonical.parties import Role

_NOTICED = timedelta(seconds=3)
"""After which every replica serves a connection as it was changed: each looks once a second."""

_BATCH = 500
"""Objects in one transaction when a connection is brought in line with the network."""


class Connections:
    """Makes and changes connections, and brings them in line with the network.

    Args:
        audiences: Says which tariffs are for EMSPs that may have them.
        hubs: By name.
        gateway: What a registration from our side needs.
        wake: Called when there is something to tell.
    """

    def __init__(
        self,
        store: Store,
        links: Links,
        audiences: Audiences,
        registry: Registry,
        hubs: Mapping[str, Hub],
        gateway: Gateway,
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._growth = Growth(store)
        self._links = links
        self._audiences = audiences
        self._registry = registry
        self._hubs = hubs
        self._gateway = gateway
        self._wake = wake

    async def list(self) -> list[ConnectionView]:
        """See `ports.Connections.list`."""
        await self._links.refresh()
        counts = await self._counts(None)
        views = [_view(link.connection, counts.get(link.connection.id, ())) for link in self._links.all()]
        return sorted(views, key=lambda view: view.name)

    async def get(self, name: str) -> ConnectionView:
        """See `ports.Connections.get`."""
        link = await self._find(name)
        counts = await self._counts(link.connection.id)
        return _view(link.connection, counts.get(link.connection.id, ()))

    async def create(
        self, name: str, hub: str, mode: Mode, scope: Scope, settings: Mapping[str, Any], who: str
    ) -> ConnectionView:
        """See `ports.Connections.create`."""
        found = self._hubs.get(hub)
        if found is None:
            raise Invalid(("hub", f"is none of {', '.join(sorted(self._hubs))}"))
        checked = _checked("settings", found.settings(settings), settings)
        # A hub without a registration of its own (certificates) is ready as soon as it is set up.
        waits = found.register is not None
        why = "never registered" if waits else None
        state = State.UNREGISTERED if waits else State.READY
        planned = checked.model_dump(mode="json")
        await self._try(Connection(0, name, hub, mode, state, scope, planned, Secrets(), why))
        async with self._links.changing(alone=True) as tx:
            settings_ = checked.model_dump_json()
            if found.single and (other := await tx.fetchval(SQL["of_hub"], hub)) is not None:
                raise Conflict(f"{hub} has a connection already, {other}", "hub")
            number = await tx.fetchval(
                SQL["insert"], name, hub, mode.value, state.value, scope.model_dump_json(), settings_, why, found.rank
            )
            if number is None:
                raise Conflict(f"a connection {name} exists already")
            await tx.execute(SQL["audit"], who, "created", f"connection/{name}", None)
        link = await self._find(name)
        await self._enrol(link)
        await self._plan_full_syncs(link)
        return await self.get(name)

    async def set_settings(self, name: str, settings: Mapping[str, Any], who: str) -> ConnectionView:
        """See `ports.Connections.set_settings`."""
        link = await self._find(name)
        checked = _checked("settings", self._hubs[link.connection.hub].settings(settings), settings)
        await self._try(replace(link.connection, settings=checked.model_dump(mode="json")))
        async for attempt in self._store.attempts():
            with attempt:
                async with self._links.changing(alone=True) as tx:
                    await tx.execute(SQL["set_settings"], link.connection.id, checked.model_dump_json())
                    await tx.execute(SQL["render_again"], link.connection.id, _NOTICED)
                    await tx.execute(SQL["audit"], who, "settings", f"connection/{name}", None)
        link = await self._find(name)
        await self._enrol(link)
        await self._plan_full_syncs(link)
        await self._store.execute(SQL["forget_operations"], link.connection.id, [*link.adapter.profile.operations])
        return await self.get(name)

    async def _plan_full_syncs(self, link: Link) -> None:
        """Sets the time of the first full synchronisation of operations that have none yet."""
        if (every := link.adapter.profile.full_sync_every) is not None:
            for operation in _whole(link):
                await self._store.execute(
                    SQL["plan_full_sync"], link.connection.id, operation, datetime.now(UTC) + every
                )

    async def remove(self, name: str, who: str) -> None:
        """See `ports.Connections.remove`."""
        link = await self._find(name)
        if link.connection.mode is not Mode.OFF:
            raise Conflict(f"{name} is {link.connection.mode}: switch it off first")
        if link.connection.secrets.ours is not None:
            raise Conflict(f"{name} is registered: unregister it first")
        async for attempt in self._store.attempts():
            with attempt:
                async with self._links.changing() as tx:
                    if open_ := await tx.fetchrow(SQL["unbilled"], link.connection.id):
                        raise Conflict(_unbilled(name, open_["cdrs"], open_["sessions"]))
                    await tx.execute(SQL["remove"], link.connection.id)
                    await tx.execute(SQL["audit"], who, "removed", f"connection/{name}", None)

    async def _try(self, connection: Connection) -> None:
        """Makes sure that an adapter can be made: one that cannot would stop this process from reading any connection.

        Raises:
            Invalid: It cannot; a certificate's file is not there, say.
        """
        try:
            adapter = self._links.build(connection)
        except OSError as error:
            raise Invalid(("settings", f"{error.strerror or error}: {error.filename or ''}".rstrip(": "))) from None
        await adapter.close()

    async def register(self, name: str, token: str, who: str) -> ConnectionView:
        """See `ports.Connections.register`."""
        link = await self._find(name)
        register = self._hubs[link.connection.hub].register
        if register is None:
            raise Conflict(f"{link.connection.hub} has no registration")
        try:
            await register(link.connection, self._gateway, token)
        except RegistrationOutOfPlace as error:
            raise Conflict(str(error)) from None
        except RegistrationFailed as error:
            raise HubFailed(str(error)) from error
        await self._audit(who, "registered", name)
        self._wake()
        return await self.get(name)

    async def expect(self, name: str, who: str) -> str:
        """See `ports.Connections.expect`."""
        link = await self._find(name)
        if self._hubs[link.connection.hub].register is None:
            raise Conflict(f"{link.connection.hub} has no registration")
        if link.connection.secrets.ours is not None:
            raise Conflict(f"{name} is registered: unregister it first")
        token = token_urlsafe(32)
        await self._registry.expect(link.connection, token, who)
        return token

    async def adopt(
        self, name: str, token_ours: str, token_theirs: str, endpoints: Mapping[str, Any], who: str
    ) -> ConnectionView:
        """See `ports.Connections.adopt`."""
        link = await self._find(name)
        model = self._hubs[link.connection.hub].endpoints
        if model is None:
            raise Conflict(f"{link.connection.hub} has no tokens: its certificate stands in the settings")
        _checked("endpoints", model, endpoints, settings=link.connection.settings)
        try:
            await self._registry.registered(
                link.connection, ours=token_ours, endpoints=endpoints, token=token_theirs, who=who
            )
        except asyncpg.UniqueViolationError:
            raise Conflict("the token that the hub presents is another connection's already") from None
        self._wake()
        return await self.get(name)

    async def set_mode(self, name: str, mode: Mode, who: str) -> ConnectionView:
        """See `ports.Connections.set_mode`."""
        link = await self._find(name)
        followers = [one for one in link.adapter.profile.operations.values() if one.after is not None]
        names, after = [one.name for one in followers], [one.after for one in followers]
        async for attempt in self._store.attempts():
            with attempt:
                async with self._links.changing(alone=True) as tx:
                    await tx.execute(SQL["set_mode"], link.connection.id, mode.value)
                    if mode is Mode.LIVE:
                        await tx.execute(SQL["show_shadowed"], link.connection.id, names, after)
                    await tx.execute(SQL["audit"], who, f"mode {mode}", f"connection/{name}", None)
        self._wake()
        return await self.get(name)

    async def set_scope(self, name: str, scope: Scope, who: str) -> ConnectionView:
        """See `ports.Connections.set_scope`."""
        link = await self._find(name)
        async with self._links.changing(alone=True) as tx:
            await tx.execute(SQL["set_scope"], link.connection.id, scope.model_dump_json())
            await tx.execute(SQL["audit"], who, "scope", f"connection/{name}", scope.model_dump_json())
        await self._enrol(await self._find(name))
        return await self.get(name)

    async def pause(self, name: str, why: str, who: str) -> ConnectionView:
        """See `ports.Connections.pause`."""
        return await self._set_state(name, State.PAUSED, why, who)

    async def resume(self, name: str, who: str) -> ConnectionView:
        """See `ports.Connections.resume`."""
        link = await self._find(name)
        if link.connection.state is not State.PAUSED:
            raise Conflict(f"{name} is not paused")
        credentialed = link.connection.secrets != Secrets() or self._hubs[link.connection.hub].register is None
        view = await self._set_state(
            name,
            State.READY if credentialed else State.UNREGISTERED,
            None if credentialed else "not registered",
            who,
        )
        self._wake()
        return view

    async def resync(self, name: str, who: str) -> int:
        """See `ports.Connections.resync`."""
        link = await self._find(name)
        await self._enrol(link)
        operations = link.adapter.profile.operations.values()
        # What replaces everything in one request does so only when it may send.
        whole = _whole(link) if link.connection.mode is Mode.LIVE else []
        followers = [one.name for one in operations if one.after is not None]
        count = 0
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    await tx.execute(SQL["ask_again"], link.connection.id, whole, followers)
                    for operation in whole:
                        await tx.execute(SQL["schedule_full_sync"], link.connection.id, operation, datetime.now(UTC))
                    count = await tx.fetchval(SQL["count"], link.connection.id)
                    await tx.execute(SQL["audit"], who, "resynchronised", f"connection/{name}", None)
        self._wake()
        return count

    async def unregister(self, name: str, who: str) -> ConnectionView:
        """See `ports.Connections.unregister`."""
        link = await self._find(name)
        unregister = self._hubs[link.connection.hub].unregister
        if unregister is None:
            raise Conflict(f"{link.connection.hub} has no registration")
        try:
            await unregister(link.connection, self._gateway)
        except RegistrationOutOfPlace as error:
            raise Conflict(str(error)) from None
        except RegistrationFailed as error:
            raise HubFailed(str(error)) from error
        await self._audit(who, "unregistered", name)
        return await self.get(name)

    async def difference(self, name: str, operation: str | None, after: str | None, limit: int) -> Difference:
        """See `ports.Connections.difference`."""
        link = await self._find(name)
        start = decode(after, 2) if after is not None else ("", "")
        if start is None:
            raise BadCursor
        counts = (await self._counts(link.connection.id)).get(link.connection.id, [])
        rows = await self._store.fetch(SQL["difference"], link.connection.id, operation, *start, limit)
        last = rows[-1] if len(rows) == limit else None
        return Difference(
            counts=[one for one in counts if operation in {None, one.operation}],
            rows=[DifferenceRow(**{**row, "state": DifferenceState(row["state"])}) for row in map(dict, rows)],
            next=encode(last["key"], last["operation"]) if last else None,
        )

    async def _find(self, name: str) -> Link:
        await self._links.refresh()
        link = self._links.by_name(name)
        if link is None:
            raise NotFound(f"there is no connection {name}")
        return link

    async def _counts(self, connection_id: int | None) -> dict[int, Sequence[DifferenceCount]]:
        counts: dict[int, list[DifferenceCount]] = {}
        for row in await self._store.fetch(SQL["counts"], connection_id):
            values = dict(row)
            counts.setdefault(values.pop("connection_id"), []).append(DifferenceCount(**values))
        return dict(counts)

    async def _set_state(self, name: str, state: State, why: str | None, who: str) -> ConnectionView:
        link = await self._find(name)
        async with self._links.changing(alone=True) as tx:
            await tx.execute(SQL["set_state"], link.connection.id, state.value, why)
            await tx.execute(SQL["audit"], who, state.value, f"connection/{name}", json.dumps({"why": why}))
        return await self.get(name)

    async def _audit(self, who: str, action: str, name: str) -> None:
        await self._store.execute(SQL["audit"], who, action, f"connection/{name}", None)

    async def _enrol(self, link: Link) -> None:
        """Gives a connection the projections that its scope asks for, and withdraws those outside it."""
        last = 0
        while numbers := [row["no"] for row in await self._store.fetch(OBJECTS["tariff_nos_after"], last, _BATCH)]:
            last = numbers[-1]
            await self._project_tariffs(link, numbers)
        last = 0
        while numbers := [row["no"] for row in await self._store.fetch(OBJECTS["location_nos_after"], last, _BATCH)]:
            last = numbers[-1]
            await self._project(link, numbers, read_locations)
        last = 0
        while numbers := [row["no"] for row in await self._tokens_after(link, last)]:
            last = numbers[-1]
            await self._project(link, numbers, read_driver_tokens)
        self._wake()

    async def _tokens_after(self, link: Link, last: int) -> Sequence[Record]:
        """Gives the numbers of some driver tokens; where no hub is to know any, of those alone that it may know."""
        if Role.EMSP in link.adapter.roles:
            return await self._store.fetch(OBJECTS["driver_token_nos_after"], last, _BATCH)
        return await self._store.fetch(OBJECTS["projected_driver_tokens"], last, _BATCH, link.connection.id)

    async def _project_tariffs(self, link: Link, numbers: Sequence[int]) -> None:
        async for attempt in self._store.attempts():
            with attempt:
                async with self._audiences.publishing() as (tx, links, audience):
                    stored = await read_tariffs(tx, links, numbers, audience)
                    await project(tx, [link], stored, changed=False)
        await self._grown(link, stored)

    async def _project(self, link: Link, numbers: Sequence[int], read: "_Read") -> None:
        async for attempt in self._store.attempts():
            with attempt:
                async with self._links.publishing() as (tx, links):
                    stored = await read(tx, links, numbers)
                    await project(tx, [link], stored, changed=False)
        await self._grown(link, stored)

    async def _grown(self, link: Link, stored: Sequence[Stored]) -> None:
        await self._growth.note(projection=sum(len(one.keys.get(link.connection.id, ())) for one in stored))


def _checked(field: str, model: type[BaseModel], given: Mapping[str, Any], **context: Any) -> BaseModel:
    """Reads what is a hub's own by the hub's model.

    Raises:
        Invalid: The model refuses it, by fields under `field`.
    """
    try:
        return model.model_validate(given, context=context)
    except ValidationError as error:
        faults = ((".".join((field, *map(str, one["loc"]))), one["msg"]) for one in error.errors())
        raise Invalid(*faults) from None


_Read = Callable[[Transaction, Sequence[Link], Sequence[int]], Any]


def _whole(link: Link) -> list[str]:
    """Names the operations that have a full synchronisation of their own."""
    return [one.name for one in link.adapter.profile.operations.values() if one.full_sync]


def _unbilled(name: str, cdrs: int, sessions: int) -> str:
    """Says what would be lost with a connection."""
    return (
        f"{name} is still needed: its hub has not taken {cdrs} CDRs yet, and {sessions} sessions have none"
        ": let them be taken, discard what was refused, waive what is missing"
    )


def _view(connection: Connection, counts: Sequence[DifferenceCount]) -> ConnectionView:
    secrets = connection.secrets
    return ConnectionView(
        name=connection.name,
        hub=connection.hub,
        mode=connection.mode,
        state=connection.state,
        why=connection.why,
        scope=connection.scope,
        settings=connection.settings,
        registered=secrets.ours is not None,
        endpoints=secrets.endpoints,
        pending=sum(one.pending for one in counts),
        held=sum(one.held for one in counts),
        refused=sum(one.refused for one in counts),
        ours_hint=secrets.ours[-4:] if secrets.ours else None,
    )
