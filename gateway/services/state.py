"""The present state of the store and of this process, for gauges and for readiness."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import TypeAlias

import asyncpg

from adapters.core.connection import Mode, State
from gateway.services.ports import AbroadSample, CdrSample, ChargeSample, LaneSample, MessageSample, Sample
from gateway.store.migrate import pending
from gateway.store.pool import Store
from gateway.store.queries import Queries
from mappings.canonical.agreements import OfferState, SubscriptionState
from mappings.canonical.locations import EvseStatus

SQL = Queries("gateway.services", "state.sql")

Places: TypeAlias = Callable[[], Iterable[tuple[int, str]]]
"""Gives destinations, numbered as deliveries number them, with an operation each."""


class Gauges:
    """Implements `ports.Sampler`.

    Args:
        missed: How long a session may be over before its CDR is missed.
        missed_abroad: The same of a driver of ours at a partner's station.
        unconfirmed: How long a hub may take to confirm a CDR.
        lanes, messages: What is told of also while it is empty: destination and operation of projections, of messages.
    """

    def __init__(
        self,
        store: Store,
        missed: timedelta,
        missed_abroad: timedelta,
        unconfirmed: timedelta,
        lanes: Places = tuple,
        messages: Places = tuple,
    ) -> None:
        self._store = store
        self._missed = missed
        self._missed_abroad = missed_abroad
        self._unconfirmed = unconfirmed
        self._lanes = lanes
        self._messages = messages

    async def sample(self) -> Sample:
        """Reads the present state."""
        lanes = [LaneSample(**dict(row)) for row in await self._store.fetch(SQL["lanes"], *_columns(self._lanes()))]
        messages = [
            MessageSample(**dict(row)) for row in await self._store.fetch(SQL["messages"], *_columns(self._messages()))
        ]
        connections = [
            (row["hub"], row["name"], Mode(row["mode"]), State(row["state"]))
            for row in await self._store.fetch(SQL["connections"])
        ]
        evses = {EvseStatus(row["status"]): row["count"] for row in await self._store.fetch(SQL["evses"])}
        [charges] = await self._store.fetch(SQL["charges"], self._missed)
        [abroad] = await self._store.fetch(SQL["abroad"], self._missed_abroad)
        cdrs = [CdrSample(**dict(row)) for row in await self._store.fetch(SQL["unconfirmed"], self._unconfirmed)]
        pool = self._store.pool
        return Sample(
            lanes,
            messages,
            connections,
            evses,
            ChargeSample(**dict(charges), cdrs=cdrs),
            pool.get_size(),
            pool.get_idle_size(),
            AbroadSample(**dict(abroad)),
            {
                (row["hub"], row["connection"], OfferState(row["state"])): row["count"]
                for row in await self._store.fetch(SQL["offers"])
            },
            {
                (row["hub"], row["connection"], SubscriptionState(row["state"])): row["count"]
                for row in await self._store.fetch(SQL["subscriptions"])
            },
        )


def _columns(places: Iterable[tuple[int, str]]) -> tuple[list[int], list[str]]:
    known = list(places)
    return [destination for destination, _ in known], [operation for _, operation in known]


class Readiness:
    """Implements `ports.Readiness`.

    Args:
        dispatching: Whether the dispatcher runs.
    """

    def __init__(self, store: Store, dispatching: Callable[[], bool]) -> None:
        self._store = store
        self._dispatching = dispatching

    async def faults(self) -> Mapping[str, str | None]:
        """Gives each check with what is wrong, if anything."""
        faults: dict[str, str | None] = {"database": None, "migrations": None, "dispatcher": None}
        try:
            if missing := await pending(self._store):
                faults["migrations"] = f"not run: {', '.join(missing)}"
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            faults["database"] = type(error).__name__
        if not self._dispatching():
            faults["dispatcher"] = "not running"
        return faults
