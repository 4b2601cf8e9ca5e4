"""A gateway's services on a fresh database, nothing served or dispatched."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

import pytest

from gateway.app import App, assembled
from gateway.services.ports import ImportReport, Progress
from gateway.settings import Settings
from gateway.store.secrets import Cipher
from mappings.canonical.ids import PartyId


@dataclass
class Importer:
    app: App
    progress: list[Progress]

    async def __call__(self, content: bytes, *, party: str | None = None, step: int = 7_000) -> ImportReport:
        """Imports content that arrives in pieces of so many bytes."""
        return await self.chunks((content[i : i + step] for i in range(0, len(content), step)), party=party)

    async def chunks(self, pieces: Iterable[bytes], *, party: str | None = None) -> ImportReport:
        async def arriving() -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece

        return await self.app.services.importing.run(
            arriving(),
            filename=None,
            party=PartyId(party) if party else None,
            who="a test",
            progress=self.progress.append,
        )

    async def stored(self) -> list[tuple[str, str, int]]:
        """Gives party, id and number of EVSEs of each location that is stored."""
        locations, _ = await self.app.services.network.locations(None, None, 100)
        return [(str(one.location.party), one.location.id, len(one.location.evses)) for one in locations]

    async def statuses(self) -> dict[str, str]:
        """Gives the status of each EVSE by its uid."""
        locations, _ = await self.app.services.network.locations(None, None, 100)
        return {evse.uid: evse.status.value for one in locations for evse in one.location.evses}


@pytest.fixture
async def importer(database_url: str) -> AsyncIterator[Importer]:
    async with assembled(Settings(database_url=database_url, secret_key=Cipher.new_key())) as app:
        yield Importer(app, [])
