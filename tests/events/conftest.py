"""A whole gateway without hubs, and a backend that hears it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from gateway.app import App, running
from gateway.events.writing import Event, EventType, append
from gateway.settings import Settings
from mappings.canonical.ids import PartyId
from tests.backend import Backend, backend
from tests.harness import KEY

ADMIN = "an-administrator-from-the-environment"
ABC = PartyId("FR*ABC")


@dataclass
class Running:
    """A gateway, and a client of its API."""

    app: App
    url: str
    client: aiohttp.ClientSession

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """Sends a request; gives status and parsed body."""
        headers = {"Authorization": f"Bearer {ADMIN}"} | options.pop("headers", {})
        async with self.client.request(method, self.url + path, headers=headers, **options) as answer:
            return answer.status, await answer.json(content_type=None) if answer.status != 204 else None

    async def happen(self, *subjects: str, party: PartyId = ABC, type_: EventType = EventType.SESSION_CHANGED) -> None:
        """Writes events, as a service does."""
        async with self.app.store.transaction() as tx:
            await append(tx, *(Event(type_, party, subject, {"of": subject}) for subject in subjects))
        self.app.ears.feed.wake()


def settings(database_url: str) -> Settings:
    """What such a gateway runs with."""
    return Settings(host="127.0.0.1", port=0, database_url=database_url, secret_key=KEY, admin_key=ADMIN)


@pytest.fixture
async def gateway(database_url: str) -> AsyncIterator[Running]:
    """A gateway that serves and dispatches."""
    async with running(settings(database_url)) as (app, port), aiohttp.ClientSession() as client:
        yield Running(app, f"http://127.0.0.1:{port}", client)


@pytest.fixture
async def listener() -> AsyncIterator[Backend]:
    """A backend."""
    async with backend() as made:
        yield made
