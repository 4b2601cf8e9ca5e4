"""Fixtures of offers."""

from collections.abc import AsyncIterator

import pytest

from gateway.store.pool import Store
from tests.offers.desk import Desk, desk


@pytest.fixture
async def made(store: Store) -> AsyncIterator[Desk]:
    """A replica with the own network, a hub that is told of offers, and one whose portal keeps its agreements."""
    async with desk(store, None, "home", "portal", "hub") as one:
        yield one
