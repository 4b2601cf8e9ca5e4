"""Fixtures for every test that needs the database, and a judge of everything that is sent to Hubject."""

import os
import random
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import structlog
from aiohttp import web
from hypothesis import HealthCheck, settings

from adapters.core.http import HubClient
from adapters.core.sandbox import SANDBOX
from gateway.store.pool import Store
from tests import database
from tests.oicp_schema import OPENAPI, faults_of_answer, faults_of_request

# A property does not fail because the machine is busy: Hypothesis would hold every example to 200 ms, and the drawing
# of the first ten to half a minute. Its other checks count what is drawn, whatever the time that takes: they stay.
# Where CI says that it runs, examples are the same each time, as in Hypothesis' own profile for it: no change shall be
# refused for an example that it has nothing to do with. By hand they are new ones every time, so that such are found.
settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("unhurried")


# As the gateway itself, without local variables: to draw those of a failure takes longer than what a test waits for.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


def pytest_configure() -> None:
    """Gives the processes that are about to share a run one order of sets, or each would name other tests.

    It is another one every time.
    """
    os.environ.setdefault("PYTHONHASHSEED", str(random.randrange(2**32)))


def pytest_report_header() -> str:
    """Says how to have the same order again."""
    return f"PYTHONHASHSEED={os.environ['PYTHONHASHSEED']} where -n spreads the tests"


_LONGEST = 300
"""Seconds after which a test fails that would hold up all others."""


@pytest.fixture(autouse=True)
def a_test_that_hangs_fails() -> Iterator[None]:
    """Ends a test that waits for what never comes, with a traceback of where it waits."""

    def ring(_number: int, _frame: object) -> None:
        raise TimeoutError(f"not ended within {_LONGEST} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(_LONGEST)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


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
def every_word_to_hubject_is_judged(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Holds whatever any test says to Hubject against Hubject's own OpenAPI, where that lies beside the project.

    Both what the gateway asks and how it answers commands. What a sandbox says is not ours.
    """
    if not OPENAPI.exists():
        yield
        return
    faults: list[str] = []
    send, prepare = HubClient.request, web.Response.prepare

    async def judged(self: HubClient, operation: str, method: str, url: str, **options: Any) -> Any:
        if method == "POST" and options.get("body") is not None:
            faults.extend(faults_of_request(url, options["body"]))
        return await send(self, operation, method, url, **options)

    async def answered(self: web.Response, request: web.BaseRequest) -> Any:
        told = self.status == 200 and isinstance(self.body, bytes)
        # The library answers what is no HTTP itself, over a request that belongs to no application.
        if told and isinstance(request, web.Request) and SANDBOX not in request.app:
            faults.extend(faults_of_answer(request.path, self.body))
        return await prepare(self, request)

    monkeypatch.setattr(HubClient, "request", judged)
    monkeypatch.setattr(web.Response, "prepare", answered)
    yield
    assert not faults, faults[:3]
