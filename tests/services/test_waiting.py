"""Several who wait for one thing."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.services import waiting
from gateway.services.waiting import Waiting

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


class Read:
    """Gives an answer, once there is one."""

    def __init__(self) -> None:
        self.answer: str | None = None
        self.looked = asyncio.Event()

    async def __call__(self) -> str | None:
        self.looked.set()
        return self.answer


async def test_one_who_gives_up_does_not_keep_what_is_heard_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "POLL", 3600.0)
    waits, read = Waiting(lambda: NOW), Read()
    patient = asyncio.create_task(waits.wait("c", LATER, read))
    await read.looked.wait()
    assert await waits.wait("c", NOW, read) is None
    read.answer = "done"
    waits.heard("c")
    async with asyncio.timeout(10):
        assert await patient == "done"
