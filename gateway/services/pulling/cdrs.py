"""Where pulled CDRs go: the same way as those that hubs bring by themselves."""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from adapters.core.connection import Connection
from adapters.core.inbound import CdrTaken, Received
from adapters.core.roaming import FeedProfile, Record
from gateway.services.catalogue.ingesting import Ingested, Kept
from mappings.canonical.cdrs import Cdr
from mappings.canonical.legs import Leg
from mappings.report import Refused

_TOGETHER: Final = 50
"""CDRs that are taken at once, which share transactions."""

_log = structlog.get_logger(__name__)


class CdrSink:
    """Implements `one_pull.Sink`."""

    def __init__(self, received: Received) -> None:
        self._received = received

    async def ingest(self, connection: Connection, feed: FeedProfile, records: Sequence[Record]) -> Ingested:
        """Takes CDRs; what a CDR that is here already says otherwise is kept beside it.

        One that cannot be read is not asked for again by itself, since it would not change: it is told of in the log,
        and comes again by a full pull.
        """
        done = Ingested()
        read: list[tuple[Cdr, Leg | None, bytes]] = []
        for record in records:
            try:
                (cdr, leg), _ = record.read()
            except Refused as refused:
                done.refused.append((record.key, refused))
                # The field alone: what it holds may be a driver's.
                _log.warning(
                    "a CDR was not read",
                    connection=connection.name,
                    feed=feed.name,
                    cdr=record.key,
                    field=refused.reason.field,
                )
            else:
                read.append((cdr, leg, record.digest))
        for start in range(0, len(read), _TOGETHER):
            taking = (self._received.cdr(connection, *one) for one in read[start : start + _TOGETHER])
            for taken in await asyncio.gather(*taking):
                done.new += taken is CdrTaken.NEW
                done.same += taken is CdrTaken.SAME
                done.changed += taken is CdrTaken.CONFLICT
        return done

    async def prune(self, connection: Connection, feed: FeedProfile, kept: Kept) -> int:  # noqa: ARG002
        """Prunes nothing: a CDR that a hub no longer lists was charged all the same."""
        return 0
