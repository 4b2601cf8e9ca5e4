"""Whether a driver of ours may stop a session, when a hub asks."""

from collections.abc import Sequence

from adapters.core.charging import Allowed, Answer, Denial, Denied
from adapters.core.connection import Connection
from adapters.core.inbound import Asked
from gateway.services.authorisation.admitting import references
from gateway.services.charge.drivers import keys_of, same_driver
from gateway.services.drivers.deciding import Known, may_stop
from gateway.services.drivers.permits import SQL
from gateway.store.pool import Record, Store
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Token


class Stopping:
    """Says who may stop what."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def authorise(self, connection: Connection, asked: Asked) -> Answer:
        """See `inbound.Drivers.authorise_stop`. What began the session may stop it, also if it was blocked since."""
        refs = references(asked.leg)
        kinds, values = [kind.value for kind, _ in refs], [value for _, value in refs]
        rows = await self._store.fetch(SQL["to_stop"], connection.id, kinds, values)
        open_ = {row["no"]: row for row in rows if row["allowed"] and not row["ended"]}
        if len(open_) != 1:  # among several is never guessed
            return Denied(Denial.UNKNOWN_SESSION)
        [row] = open_.values()
        leg = Leg.model_validate_json(row["leg"])
        if not same_driver(leg.identification, asked.leg.identification):
            held_up = await self._held_up(asked)
            beginner = _known(row) if row["token"] is not None else None
            if not any(may_stop(one, beginner, connection.scope) for one in held_up):
                return Denied(Denial.OTHER_MEDIUM)
        named = {"emsp_session": row["id"], "reference": row["id"], "emsp": PartyId(row["party"])}
        return Allowed(leg.model_copy(update=named))

    async def _held_up(self, asked: Asked) -> Sequence[Known]:
        uid, contract = keys_of(asked.leg.identification)
        return [_known(row) for row in await self._store.fetch(SQL["held_up"], uid, contract)]


def _known(row: Record) -> Known:
    return Known(row["no"], Token.model_validate_json(row["token"]), row["driver"])
