"""The sandbox with a CPO's EVSEs and two EMPs."""

from collections.abc import AsyncIterator

import pytest

from tests.adapters.hubject.ngp.trading import Trade, trading


@pytest.fixture
async def trade() -> AsyncIterator[Trade]:
    async with trading() as made:
        yield made
