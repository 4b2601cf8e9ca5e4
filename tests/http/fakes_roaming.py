"""What an EMSP's backend sees, in memory."""

from collections.abc import Sequence

from gateway.services.ports import NotFound
from gateway.services.ports.pulls import PullOutcome, PullReport, PullView
from tests.http.fakes import NOW


class FakePulls:
    """One feed of one connection."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bool, str]] = []

    async def list(self) -> Sequence[PullView]:
        report = PullReport(PullOutcome.DONE, True, NOW, NOW, pages=2, records=3, new=3)
        return [PullView("hubject", "evse_data", NOW, NOW, NOW, 0, False, report)]

    async def ask(self, connection: str, feed: str, *, full: bool, who: str) -> PullView:
        if (connection, feed) != ("hubject", "evse_data"):
            raise NotFound(f"{connection} has no feed {feed}")
        self.asked.append((connection, feed, full, who))
        return (await self.list())[0]
