"""Fixtures of the services."""

from collections.abc import AsyncIterator

import pytest

from gateway.store.pool import Store
from tests.backend import backend
from tests.harness import NOWHERE, WHO, idle, location
from tests.services.commanding import Desk
from tests.services.driving import Driving, driving
from tests.services.partners import Partners, partners
from tests.services.roaming import Roaming, roaming


@pytest.fixture
async def listener():
    async with backend() as made:
        yield made


@pytest.fixture
async def desk(database_url, listener):
    async with idle(database_url) as services:
        made = Desk(services.app, listener)
        await made.connect("hubject", NOWHERE["hubject"] | {"command_seconds": 8.0})
        await made.connect("gireve", NOWHERE["gireve"] | {"command_seconds": 9.0, "margin_seconds": 1.0})
        await made.put(location())
        _, made.secret = await made.app.services.call_outs.create("ears", listener.url, [], [], None, WHO)
        yield made
        await made.commands.stop()


@pytest.fixture
async def hubs(store: Store) -> AsyncIterator[Roaming]:
    async with roaming(store) as made:
        yield made


@pytest.fixture
async def emsp(store: Store) -> AsyncIterator[Driving]:
    async with driving(store) as made:
        yield made


@pytest.fixture
async def abroad(store: Store) -> AsyncIterator[Partners]:
    async with partners(store) as made:
        yield made
