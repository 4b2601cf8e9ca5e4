"""What a command from a hub is about: an EVSE of the own network, or a charge that the hub has a name for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from adapters.core.connection import Connection
from gateway.services.authorisation.admitting import Origin, identity
from gateway.services.authorisation.standing import emsp_of
from gateway.services.charge.evses import PLUG_HELD, Place, read_place
from gateway.store.pool import Record, Store
from gateway.store.queries import Queries
from mappings.canonical.commands import EvseRef
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import SessionStatus
from mappings.canonical.tokens import Identification

SQL = Queries("gateway.services.commands", "commands.sql")

UNUSED: Final = timedelta(days=1)
"""How long after an authorisation without an end of its own a session that nobody told of may run."""

_RUNNING: Final = frozenset({SessionStatus.ACTIVE, SessionStatus.PENDING, SessionStatus.RESERVATION})


@dataclass(frozen=True, slots=True)
class Charge:
    """An authorisation that a hub knows, and the session under it, if the backend told of one.

    Attributes:
        id: Ours, which the backend knows as the session's reference.
        session_id: The backend's.
    """

    no: int
    id: str
    origin: Origin
    party: PartyId
    location_id: str
    evse_uid: str
    connector_id: str | None
    leg: Leg | None
    allowed: bool
    at: datetime
    expires: datetime | None
    session_no: int | None
    session_id: str | None
    status: SessionStatus | None
    ended_at: datetime | None

    def is_open(self, now: datetime) -> bool:
        """Tells whether a session may still begin under it."""
        return self.allowed and now < (self.expires or self.at + UNUSED)

    def runs(self, now: datetime) -> bool:
        """Tells whether it can be stopped: its session runs, or may have begun untold."""
        if self.status is not None:
            return self.status in _RUNNING
        return self.origin is not Origin.RESERVE and self.is_open(now)

    def holds_plug(self, now: datetime) -> bool:
        """Tells whether a plug may be in: it runs, or ended not long ago."""
        return self.runs(now) or (self.ended_at is not None and now < self.ended_at + PLUG_HELD)

    def is_of(self, emsp: PartyId) -> bool:
        """Tells whether an EMSP surely answers for the driver."""
        return self.leg is not None and (self.leg.emsp or emsp_of(self.leg.identification)) == emsp

    def is_reserved(self, now: datetime) -> bool:
        """Tells whether it is a reservation that can be given up."""
        waits = self.status is None or self.status is SessionStatus.RESERVATION
        return self.origin is Origin.RESERVE and waits and self.is_open(now)


@dataclass(frozen=True, slots=True)
class Spot:
    """An EVSE, and the driver's own open reservation of it over the connection: its number and our id."""

    place: Place
    reserved_no: int | None
    reserved: str | None


class Finding:
    """Looks things up as a connection may see them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def spot(
        self, connection: Connection, at: EvseRef, driver: Identification | None, now: datetime
    ) -> Spot | None:
        """Gives the EVSE that is meant; None if there is none in the connection's scope, or it is not clear whose.

        Args:
            driver: Whose reservation is looked for.
        """
        identified = (None, None) if driver is None else (identity(driver) or None, _contract(driver))
        args = (_parties(connection, at), connection.id, *identified, now)
        if at.evse_id is not None:
            rows = await self._store.fetch(SQL["evses_by_id"], at.evse_id.normal, *args)
        elif at.location_id is not None:
            rows = await self._store.fetch(SQL["evses_by_location"], at.location_id, *args, at.evse_uid)
        else:
            return None
        spots = [Spot(read_place(row["body"], row["uid"]), row["reserved_no"], row["reserved"]) for row in rows]
        seen = [spot for spot in spots if spot.place.is_in(connection.scope)]
        if at.evse_id is None and len({spot.place.location.party for spot in seen}) > 1:
            return None
        return seen[0] if seen else None

    async def charges(
        self, connection: Connection, id_: str, emsp: PartyId | None, reservation: str | None = None
    ) -> list[Charge]:
        """Gives what a hub knows by an id, the latest first; without what is another EMSP's."""
        rows = await self._store.fetch(SQL["charges"], connection.id, id_, reservation)
        found = [_charge(row) for row in rows]
        return [charge for charge in found if charge.leg is None or charge.leg.may_be_of(emsp)]

    async def is_plugged_in(self, connection: Connection, place: Place, emsp: PartyId, now: datetime) -> bool:
        """Tells whether the plug of an EMSP's charge may be in at an EVSE: if no other charge came since.

        The connector is not asked for: only one of an EVSE is in use at a time, and it may be another one than was told
        when the driver was let in.
        """
        here = place.location.party.normal, place.location.id, place.evse_uid
        ended = now - PLUG_HELD
        for row in await self._store.fetch(SQL["plugged_in"], *here, ended - UNUSED, connection.id, ended):
            charge = _charge(row)
            if row["connection_id"] == connection.id and charge.is_of(emsp) and charge.holds_plug(now):
                return True
            if charge.session_no is not None:
                return False
        return False

    async def reservations(self, connection: Connection, id_: str, emsp: PartyId | None) -> list[Charge]:
        """Gives what a reservation may be by its id: the EMSP's, or whosever is called so where nobody says whose."""
        found = await self.charges(connection, id_, emsp, reservation_key(emsp, id_))
        if emsp is None:
            known = {charge.no for charge in found}
            rows = await self._store.fetch(SQL["reservations"], connection.id, id_)
            found += [charge for charge in map(_charge, rows) if charge.no not in known]
        return found


def reservation_key(emsp: PartyId | None, reservation: str) -> str:
    """Gives the name of a reservation at a connection: each EMSP counts its own."""
    return f"{emsp.normal if emsp is not None else ''}/{reservation}"


def _contract(driver: Identification) -> str | None:
    return driver.contract_id.normal if driver.contract_id is not None else None


def _parties(connection: Connection, at: EvseRef) -> Sequence[str] | None:
    """Gives the parties among which to look; None for all."""
    carried = connection.scope.parties
    if at.party is None:
        return [party.normal for party in carried] or None
    return [at.party.normal] if not carried or at.party in carried else []


def _charge(row: Record) -> Charge:
    status = SessionStatus(row["status"]) if row["status"] is not None else None
    if status is not None and row["ended_at"] is not None:
        status = SessionStatus.COMPLETED
    return Charge(
        no=row["no"],
        id=row["id"],
        origin=Origin(row["origin"]),
        party=PartyId(row["party"]),
        location_id=row["location_id"],
        evse_uid=row["evse_uid"],
        connector_id=row["connector_id"],
        leg=Leg.model_validate_json(row["leg"]) if row["leg"] is not None else None,
        allowed=row["allowed"],
        at=row["at"],
        expires=row["expires_at"],
        session_no=row["session_no"],
        session_id=row["session_id"],
        status=status,
        ended_at=row["ended_at"],
    )
