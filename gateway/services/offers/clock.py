"""The clock by which all replicas go in what they write of offers: when something starts, or ends after a notice."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeAlias

from gateway.store.pool import Store, Transaction
from gateway.store.queries import Queries

SQL = Queries("gateway.services.offers", "turning.sql")

Judge: TypeAlias = Callable[["Store | Transaction"], Awaitable[datetime]]
"""Gives the present, aware: within a transaction under way where one is given, which then needs no other connection."""


async def by_database(on: "Store | Transaction") -> datetime:
    """Gives the present of the database, so that a replica whose own clock is off writes no wrong days."""
    at: datetime = await on.fetchval(SQL["judge"])
    return at
