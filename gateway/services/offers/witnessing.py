"""Notes where a hub's yes or no is another one than the record here."""

import structlog

from adapters.core.connection import Connection
from gateway.metrics import Metrics
from mappings.canonical.ids import PartyId

_log = structlog.get_logger(__name__)


class Witnessing:
    """Implements `gateway.agreements.disagreeing.Witness`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def said_yes(self, connection: Connection, cpo: PartyId, emsp: PartyId | None, ours: str) -> None:
        """See `Witness.said_yes`."""
        self._metrics.drift(connection.hub, connection.name)
        _log.warning(
            "no agreement of ours covers it", connection=connection.name, cpo=cpo.normal, emsp=_named(emsp), ours=ours
        )

    def said_no(self, connection: Connection, cpo: PartyId, emsp: PartyId | None, theirs: str) -> None:
        """See `Witness.said_no`."""
        self._metrics.drift(connection.hub, connection.name)
        _log.warning(
            "the hub knows no contract", connection=connection.name, cpo=cpo.normal, emsp=_named(emsp), hub=theirs
        )


def _named(emsp: PartyId | None) -> str:
    return emsp.normal if emsp is not None else ""
