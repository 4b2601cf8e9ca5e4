"""Pages that came with the one before them take no request, and so need not wait for the pace."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from adapters.core.connection import Connection
from adapters.core.roaming import FeedKind, FeedProfile, HubAdapter, PulledPage, Record
from gateway.services.catalogue.ingesting import Ingested
from gateway.services.ports.pulls import PullOutcome, PullReport
from gateway.services.pulling.one_pull import OnePull, Sink
from tests.adapters.doubles import connection

AT = datetime(2026, 6, 7, 12, 0, tzinfo=UTC)
FEED = FeedProfile("statuses", FeedKind.STATUSES, every=timedelta(minutes=5))


class Cut:
    """Two answers, of which the first is cut into three pages."""

    def __init__(self) -> None:
        self.pages = {
            None: PulledPage([], cursor="cut 1", at_hand=True),
            "cut 1": PulledPage([], cursor="cut 2", at_hand=True),
            "cut 2": PulledPage([], cursor="1"),
            "1": PulledPage([]),
        }
        self.asked: list[str | None] = []

    async def pull(self, feed: str, since: datetime | None, cursor: str | None) -> PulledPage:
        self.asked.append(cursor)
        return self.pages[cursor]


class Nowhere:
    async def ingest(self, connection: Connection, feed: FeedProfile, records: list[Record]) -> Ingested:
        return Ingested()


async def test_only_requests_wait_for_the_pace() -> None:
    adapter, paced = Cut(), []

    async def pace() -> None:
        paced.append(len(adapter.asked))

    async def progress(_report: PullReport) -> None:
        return None

    made: Any = connection("hubject", {})
    one = OnePull(made, cast("HubAdapter", adapter), FEED, cast("Sink", Nowhere()), pace, progress, lambda: AT)
    pulled = await one.run(AT, None, None, known=False)
    assert pulled.report.outcome is PullOutcome.DONE
    assert adapter.asked == [None, "cut 1", "cut 2", "1"]
    assert paced == [0, 3]
