"""Fixtures for every test that needs the database."""

from collections.abc import AsyncIterator, Iterator

import pytest

from gateway.store.pool import Store
from tests import database


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A PostgreSQL server on which databases may be created."""
    with database.server() as url:
        yield url


@pytest.fixture(scope="session")
def migrated(server_url: str) -> Iterator[str]:
    """Name of a migrated, empty database that others are copied from."""
    with database.template(server_url) as name:
        yield name


@pytest.fixture
async def database_url(server_url: str, migrated: str) -> AsyncIterator[str]:
    """URL of a fresh, migrated database for one test."""
    async with database.copy(server_url, migrated) as url:
        yield url


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """An open store on a fresh, migrated database."""
    opened = Store(database_url, size=8)
    await opened.open()
    yield opened
    await opened.close()
