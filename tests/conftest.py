"""Fixtures for every test that needs the database, and a judge of everything that is sent to Hubject."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from adapters.core.http import HubClient
from gateway.store.pool import Store
from tests import database
from tests.oicp_schema import OPENAPI, faults_of_push


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


@pytest.fixture(autouse=True)
def every_push_to_hubject_is_judged(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Holds whatever any test sends to Hubject against Hubject's own OpenAPI, where that lies beside the project."""
    if not OPENAPI.exists():
        yield
        return
    faults: list[str] = []
    send = HubClient.request

    async def judged(self: HubClient, operation: str, method: str, url: str, **options: Any) -> Any:
        if "/evsepush/" in url:
            faults.extend(faults_of_push(options["body"]))
        return await send(self, operation, method, url, **options)

    monkeypatch.setattr(HubClient, "request", judged)
    yield
    assert not faults, faults[:3]
