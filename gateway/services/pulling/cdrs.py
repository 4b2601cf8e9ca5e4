"""Where pulled CDRs go: the same way as those that hubs bring by themselves."""

from collections.abc import Sequence

from adapters.core.connection import Connection
from adapters.core.inbound import CdrTaken, Received
from adapters.core.roaming import FeedProfile, Record
from gateway.services.catalogue.ingesting import Ingested, Kept
from mappings.report import Refused


class CdrSink:
    """Implements `one_pull.Sink`."""

    def __init__(self, received: Received) -> None:
        self._received = received

    async def ingest(self, connection: Connection, feed: FeedProfile, records: Sequence[Record]) -> Ingested:  # noqa: ARG002
        """Takes CDRs; what a CDR that is here already says otherwise is kept beside it."""
        done = Ingested()
        for record in records:
            try:
                (cdr, leg), _ = record.read()
            except Refused as refused:
                done.refused.append((record.key, refused))
                continue
            match await self._received.cdr(connection, cdr, leg, record.digest):
                case CdrTaken.NEW:
                    done.new += 1
                case CdrTaken.SAME:
                    done.same += 1
                case CdrTaken.CONFLICT:
                    done.changed += 1
        return done

    async def prune(self, connection: Connection, feed: FeedProfile, kept: Kept) -> int:  # noqa: ARG002
        """Prunes nothing: a CDR that a hub no longer lists was charged all the same."""
        return 0
