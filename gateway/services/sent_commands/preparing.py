"""What a driver's wish comes to: a command, and the connection over which it goes; or why there is none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from adapters.core.connection import Connection, Mode, State
from gateway.agreements.model import BEGINNING
from gateway.agreements.policy import REFUSALS
from gateway.outbox.projecting import Link
from gateway.services.authorisation.admitting import uid_key
from gateway.services.charge.drivers import keys_of
from gateway.services.charge.evses import PLUG_HELD, Place, read_place
from gateway.services.drivers.contracts import Contract, Contracts
from gateway.services.links import Links
from gateway.services.ports import Conflict, Invalid, NotFound
from gateway.services.ports.permits import PermitOrigin
from gateway.services.ports.sent_commands import EvseNamed, SentKind, Wish
from gateway.services.sent_commands.answering import SQL
from gateway.store.pool import Record, Store
from mappings.canonical.agreements import AgreementRef
from mappings.canonical.commands import (
    CancelReservation,
    Command,
    CommandResult,
    EvseRef,
    ReserveNow,
    StartSession,
    StopSession,
    UnlockConnector,
)
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Token, TokenType

_ENDS: Final = frozenset({SentKind.STOP_SESSION, SentKind.CANCEL_RESERVATION})
"""What is sent whatever agreements say: nothing that began is kept from ending."""

UNTOLD: Final = timedelta(days=1)
"""How long after a permit a charge that nobody told of may run."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Under what something begins.

    Attributes:
        token_no: The number of the driver's token.
    """

    origin: PermitOrigin
    token: Token
    token_no: int
    leg: Leg


@dataclass(frozen=True, slots=True)
class Prepared:
    """A command that can be sent.

    Attributes:
        begun: The permit that is to be written; None where nothing begins.
        permit_no: Of what is ended.
        agreement: By which something begins.
    """

    link: Link
    cpo: PartyId
    evse_key: str | None
    command: Command
    begun: Begun | None = None
    permit_no: int | None = None
    agreement: AgreementRef | None = None


@dataclass(frozen=True, slots=True)
class _Way:
    """A way to an EVSE."""

    link: Link
    cpo: PartyId
    evse_key: str
    place: Place

    def ref(self, connector_id: str | None) -> EvseRef:
        """Names the EVSE as its hub knows it.

        Raises:
            Invalid: It has no such connector.
        """
        if not self.place.has_connector(connector_id):
            raise Invalid(("connector_id", f"the EVSE has no connector {connector_id}"))
        [evse] = self.place.location.evses
        return EvseRef(
            party=self.cpo,
            evse_id=evse.evse_id,
            location_id=self.place.location.id,
            evse_uid=evse.uid,
            connector_id=self.place.connector(connector_id),
        )


class Preparing:
    """Makes commands of wishes."""

    def __init__(self, store: Store, links: Links, contracts: Contracts, now: Callable[[], datetime]) -> None:
        self._store = store
        self._links = links
        self._contracts = contracts
        self._now = now

    async def prepare(self, wish: Wish, id_: str) -> Prepared:
        """Makes the command that a wish comes to.

        Args:
            id_: Ours, of the permit that a start or reservation makes.

        Raises:
            NotFound: There is no such connection, permit or session.
            Invalid: The EVSE is not known, nobody carries such a command there, or the driver may not charge.
            Conflict: What is to be ended is over, or the connection is not live.
        """
        if wish.kind in _ENDS:
            return await self._ending(wish)
        if wish.expires is not None and wish.expires <= self._now():
            raise Invalid(("expires", "is over"))
        assert wish.evse is not None  # noqa: S101 - the wish says so
        way, agreement = await self._choose(wish, await self._ways(wish, wish.evse))
        at = way.ref(wish.connector_id)
        if wish.kind is SentKind.UNLOCK_CONNECTOR:
            return Prepared(way.link, way.cpo, way.evse_key, UnlockConnector(at=at, emsp=wish.party))
        token_no, token = await self._driver(wish)
        leg = Leg(emsp_session=id_, reference=id_, emsp=wish.party, identification=token.identification)
        about = {"at": at, "emsp": wish.party, "leg": leg, "token": token}
        if wish.expires is None:
            begun = Begun(PermitOrigin.START, token, token_no, leg)
            start = StartSession.model_validate(about)
            return Prepared(way.link, way.cpo, way.evse_key, start, begun, agreement=agreement)
        reserving = ReserveNow.model_validate(about | {"reservation": id_, "expires": wish.expires})
        begun = Begun(PermitOrigin.RESERVE, token, token_no, leg)
        return Prepared(way.link, way.cpo, way.evse_key, reserving, begun, agreement=agreement)

    def _named(self, name: str) -> Link:
        link = self._links.by_name(name)
        if link is None:
            raise NotFound(f"There is no connection {name}", "connection")
        return link

    async def _ways(self, wish: Wish, evse: EvseNamed) -> Sequence[_Way]:
        """Gives the ways to an EVSE, the preferred one first.

        Raises:
            Invalid: The catalogue has no such EVSE, or several.
        """
        only = self._named(wish.connection) if wish.connection is not None else None
        if evse.evse_id is not None:
            field, rows = "evse.evse_id", await self._store.fetch(SQL["ways_by_id"], evse.evse_id.normal)
        else:
            number = only.connection.id if only is not None else None
            cpo = evse.cpo.normal if evse.cpo is not None else None
            field = "evse.evse_uid"
            rows = await self._store.fetch(SQL["ways_by_location"], number, evse.location_id, cpo, evse.evse_uid)
            if len({row["party"] for row in rows}) > 1:
                raise Invalid(("evse.cpo", "several CPOs have such a location"))
        ways = [way for row in rows if (way := self._way(row)) is not None]
        if only is not None:
            ways = [way for way in ways if way.link.connection.id == only.connection.id]
        if not ways:
            where = f" over {wish.connection}" if wish.connection is not None else ""
            raise Invalid((field, f"{CommandResult.UNKNOWN_EVSE}: the catalogue has no such EVSE{where}"))
        return ways

    def _way(self, row: Record) -> _Way | None:
        link = self._links.get(row["connection_id"])
        if link is None:
            return None
        return _Way(link, PartyId(row["party"]), row["evse_key"], read_place(row["body"], row["uid"]))

    async def _choose(self, wish: Wish, ways: Sequence[_Way]) -> tuple[_Way, AgreementRef | None]:
        """Takes the first way by which the command can be sent, and gives by which agreement.

        What goes over a hub is not held back by our record: the hub knows its contracts.

        Raises:
            Invalid: None carries such a command for the EMSP, or the EMSP has no agreement where that binds.
            Conflict: Those that would are not live.
        """
        carried = [way for way in ways if wish.kind.value in way.link.adapter.roaming.commands]
        if not carried:
            field = "connection" if wish.connection is not None else "kind"
            raise Invalid((field, f"{CommandResult.NOT_SUPPORTED}: no hub carries {wish.kind} to this EVSE"))
        scoped = [way for way in carried if way.link.connection.scope.has_party(wish.party)]
        if not scoped:
            raise Invalid(("party", f"{CommandResult.NOT_SUPPORTED}: no connection to this EVSE is for {wish.party}"))
        if (way := await self._plugged_in(wish, scoped)) is not None:
            return way, None
        contracts = [(way, await self._contract(wish, way)) for way in scoped]
        granted = [(way, contract) for way, contract in contracts if not contract.refused]
        if not granted:
            reason = contracts[0][1].reason
            raise Invalid(("party", f"{CommandResult.NO_CONTRACT}: {REFUSALS[reason]} ({reason})"))
        for way, contract in granted:
            if _is_live(way.link.connection):
                return way, contract.ref
        raise Conflict(f"{granted[0][0].link.connection.name} is not live", "connection")

    async def _plugged_in(self, wish: Wish, ways: Sequence[_Way]) -> _Way | None:
        """Gives the way by which a plug of a driver's is to be let go: where the charge roams, whatever agreements say.

        Nor does a pause keep it from ending, as it keeps no stop.
        """
        if wish.kind is not SentKind.UNLOCK_CONNECTOR:
            return None
        now = self._now()
        for way in ways:
            number = way.link.connection.id
            args = number, way.evse_key, wish.party.normal, now - PLUG_HELD, now, UNTOLD
            if _may_end(way.link.connection) and await self._store.fetchval(SQL["plugged_in"], *args):
                return way
        return None

    async def _contract(self, wish: Wish, way: _Way) -> Contract:
        service = BEGINNING[wish.kind]
        return await self._contracts.of(way.link.connection, service, way.cpo, wish.party, way.place.evse_key)

    async def _driver(self, wish: Wish) -> tuple[int, Token]:
        """Gives the driver's token.

        Raises:
            Invalid: There is none, or none that is valid.
        """
        field = "token" if wish.token is not None else "identification"
        if wish.token is not None:
            key = uid_key(wish.token.uid)
            rows = await self._store.fetch(SQL["token"], wish.party.normal, wish.token.type.value, key)
        else:
            assert wish.identification is not None  # noqa: S101 - the wish says so
            uid, contract = keys_of(wish.identification)
            if uid is not None:
                rows = await self._store.fetch(SQL["tokens_by_uid"], wish.party.normal, uid, contract)
            else:
                rows = await self._store.fetch(SQL["tokens_by_contract"], wish.party.normal, contract)
        found = [(row["no"], Token.model_validate_json(row["body"])) for row in rows]
        if not found:
            raise Invalid((field, f"is no driver token of {wish.party}"))
        valid = [(no, token) for no, token in found if token.valid]
        if not valid:
            raise Invalid((field, "is blocked"))
        if wish.identification is not None:
            # The driver is not at the station: of several media the app stands for them best.
            asked = {wish.identification.type: 0, TokenType.APP_USER: 1}
            valid.sort(key=lambda one: asked.get(one[1].type, 2))
        return valid[0]

    async def _ending(self, wish: Wish) -> Prepared:
        """Makes the command that ends a session or a reservation, at the hub that knows it."""
        if wish.permit is not None:
            field, row = "permit", await self._store.fetchrow(SQL["charge_of_permit"], wish.permit, wish.party.normal)
        else:
            field = "session"
            row = await self._store.fetchrow(SQL["charge_of_session"], wish.session, wish.party.normal)
        if row is None:
            raise NotFound(f"There is no such {field}", field)
        link = self._links.get(row["connection_id"]) if row["connection_id"] is not None else None
        if link is None:
            raise Conflict("The connection over which it roams is there no more", field)
        if wish.connection is not None and wish.connection != link.connection.name:
            raise Invalid(("connection", f"it roams over {link.connection.name}"))
        if wish.kind.value not in link.adapter.roaming.commands:
            raise Invalid(("kind", f"{CommandResult.NOT_SUPPORTED}: {link.connection.name} does not carry {wish.kind}"))
        if not _may_end(link.connection):
            raise Conflict(f"{link.connection.name} is not live", "connection")
        if row["ended_at"] is not None:
            raise Conflict("The session is over", field)
        at = await self._where(link, row)
        cpo = PartyId(row["cpo"]) if row["cpo"] is not None else at.party if at is not None else None
        if cpo is None:
            raise Conflict("Nobody told whose station it is", field)
        command = _stop(wish, row, at) if wish.kind is SentKind.STOP_SESSION else _cancel(wish, row, at)
        return Prepared(link, cpo, row["evse_key"], command, permit_no=row["permit_no"])

    async def _where(self, link: Link, row: Record) -> EvseRef | None:
        """Names the EVSE of a session as its hub knows it."""
        if row["evse_key"] is None:
            return None
        for found in await self._store.fetch(SQL["ways_by_id"], row["evse_key"]):
            if found["connection_id"] == link.connection.id and (way := self._way(found)) is not None:
                return way.ref(None)
        evse_id = EvseId(row["evse_key"])
        return EvseRef(party=evse_id.party, evse_id=evse_id) if evse_id.well_formed else None


def _is_live(connection: Connection) -> bool:
    return connection.mode is Mode.LIVE and connection.state is State.READY


def _may_end(connection: Connection) -> bool:
    return connection.mode is Mode.LIVE and connection.state is not State.UNREGISTERED


def _leg(row: Record) -> Leg | None:
    return Leg.model_validate_json(row["leg"]) if row["leg"] is not None else None


def _stop(wish: Wish, row: Record, at: EvseRef | None) -> StopSession:
    """Names the session as its hub does: as it was told of, else as the hub called it when it let it begin."""
    leg = _leg(row)
    session = row["session_id"]
    if session is None and leg is not None:
        session = leg.hub_session or leg.own_session
    if session is None:
        raise Conflict("The hub has not named the session yet", "permit")
    return StopSession(session=session, emsp=wish.party, at=at)


def _cancel(wish: Wish, row: Record, at: EvseRef | None) -> CancelReservation:
    """Names the reservation as its hub does, else as we named it."""
    if row["origin"] != PermitOrigin.RESERVE:
        raise Conflict("The permit is of no reservation", "permit")
    leg = _leg(row)
    name = leg.hub_session if leg is not None and leg.hub_session is not None else row["permit"]
    return CancelReservation(reservation=name, emsp=wish.party, at=at)
