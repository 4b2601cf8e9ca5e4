"""Hubs that are told of charges, in this process, and the gateway's sessions and CDRs over them."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from adapters.core.adapter import Item, Plan, Subject, WireKey
from adapters.core.charging import ChargingProfile, Message, MessageProfile, Told
from adapters.core.connection import Connection, Mode
from adapters.core.profile import Profile
from gateway.services.authorisation.admitting import Admission, Origin, record
from gateway.services.cdrs.alarms import Alarms, own_sessions
from gateway.services.cdrs.service import Cdrs
from gateway.services.links import Links
from gateway.services.ports import Agreed, CdrResult, CdrState, Correction, SessionResult
from gateway.services.publishing import Publishing
from gateway.services.sessions.service import Sessions
from gateway.store.pool import Record, Store
from gateway.store.secrets import Cipher
from mappings.canonical.cdrs import Cdr, CdrLocation
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import AuthMethod, ChargingPeriod, Dimension, DimensionType, Session, SessionStatus
from mappings.canonical.tariffs import Money, Tax
from mappings.canonical.tokens import Identification, TokenType
from tests.agreed import audiences
from tests.harness import AT, KEY, PARTY, WHO, evse, later, location

CARD = Identification(type=TokenType.RFID, uid="04A2B3C4D5E680")
OTHER_CARD = Identification(type=TokenType.RFID, uid="04FFFFFFFFFF80")
CONTRACT = ContractId("FR-XYZ-C12345678-9")
NOW = later(7200)


class TellingHub:
    """Implements `ChargingAdapter` as far as hubs are told: of every charge that roams over it, in lanes by session.

    Attributes:
        anonymous: Whether it is told of other charges too.
    """

    def __init__(self, anonymous: bool = False, takes_credit: bool = False) -> None:
        self.anonymous = anonymous
        messages = {name: MessageProfile(name, 4) for name in ("sessions", "cdrs")}
        self.charging = ChargingProfile(messages, timedelta(seconds=5), timedelta(seconds=5), takes_credit)
        self.profile = Profile("scripted", "none", {}, timedelta(seconds=5))

    def keys(self, subject: Subject) -> Iterable[WireKey]:
        return ()

    def plan(
        self, operation: str, items: Sequence[Item], blocked: frozenset[str] = frozenset(), *, full_load: bool = False
    ) -> Plan:
        return Plan()

    def of_session(self, session: Session, place: CdrLocation, leg: Leg | None, told: Told) -> list[Message]:
        if leg is None and not self.anonymous:
            return []
        kind = "PATCH" if "PUT" in told else "PUT"
        return [_message("sessions", kind, session.id, session.party, leg, session=session, place=place)]

    def of_cdr(self, cdr: Cdr, leg: Leg | None) -> list[Message]:
        if leg is None and not self.anonymous:
            return []
        return [_message("cdrs", "POST", cdr.session_id or cdr.id, cdr.party, leg, cdr=cdr)]

    async def close(self) -> None:
        pass


def _message(operation: str, kind: str, key: str, party: PartyId, leg: Leg | None, **what: Any) -> Message:
    return Message(operation=operation, kind=kind, lane=f"{party}/{key}", key=key, party=party, leg=leg, **what)


def session(id_: str = "s-1", **changes: Any) -> Session:
    """A session at `L1`/`U1` that began ten minutes after `AT`."""
    fields: dict[str, Any] = {
        "party": PARTY,
        "id": id_,
        "start": later(600),
        "energy": Decimal("1.5"),
        "identification": CARD,
        "auth_method": AuthMethod.AUTH_REQUEST,
        "location_id": "L1",
        "evse_uid": "U1",
        "connector_id": "1",
        "currency": "EUR",
        "status": SessionStatus.ACTIVE,
        "last_updated": later(900),
    }
    return Session.model_validate(fields | changes)


def ended(id_: str = "s-1", **changes: Any) -> Session:
    """The same, an hour after `AT`, when it is over."""
    over = {"status": SessionStatus.COMPLETED, "end": later(3600), "energy": Decimal(12), "last_updated": later(3600)}
    return session(id_, **(over | changes))


def cdr(id_: str = "c-1", session_id: str | None = "s-1", **changes: Any) -> Cdr:
    """The CDR of that session."""
    energy = changes.get("energy", Decimal(12))
    fields: dict[str, Any] = {
        "party": PARTY,
        "id": id_,
        "session_id": session_id,
        "start": later(600),
        "end": later(3600),
        "identification": CARD,
        "auth_method": AuthMethod.AUTH_REQUEST,
        "location": CdrLocation(id="L1", evse_uid="U1", connector_id="1"),
        "currency": "EUR",
        "periods": (
            ChargingPeriod(start=later(600), dimensions=(Dimension(type=DimensionType.ENERGY, volume=energy),)),
        ),
        "energy": energy,
        "time": Decimal("0.8333"),
        "total_cost": Money(net=Decimal(6), taxes=(Tax(name="VAT", amount=Decimal("1.2")),)),
        "last_updated": later(3700),
    }
    return Cdr.model_validate(fields | changes)


def leg(reference: str | None = "hub-ref-1", **changes: Any) -> Leg:
    """How a hub names a charge."""
    fields = {"reference": reference, "hub_session": "hub-1", "identification": CARD, "emsp": PartyId("FR-XYZ")}
    return Leg.model_validate(fields | changes)


@dataclass
class Roaming:
    """A network of `L1` and `L2`, connections to telling hubs by name, and the services over them.

    Attributes:
        now: What the clock shows.
        counted: CDRs: connection, outcome, how many, kWh.
    """

    store: Store
    links: Links
    hubs: dict[str, Any]
    now: datetime = NOW
    wakes: int = 0
    counted: list[tuple[str | None, str, int, Decimal]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sessions = Sessions(self.store, self.links, self.wake, lambda: self.now)
        self.cdrs = Cdrs(self.store, self.links, self.wake, lambda: self.now, lambda *one: self.counted.append(one))
        self.alarms = Alarms(self.store, [own_sessions(timedelta(hours=24))], self.wake)

    def wake(self) -> None:
        self.wakes += 1

    async def connect(
        self, name: str, mode: Mode = Mode.LIVE, scope: Mapping[str, Sequence[str]] | None = None, **script: bool
    ) -> int:
        """Makes a connection, and gives its number."""
        self.hubs[name] = TellingHub(**script)
        async with self.links.changing() as tx:
            number: int = await tx.fetchval(
                "INSERT INTO connection (name, hub, mode, state, scope, settings)"
                " VALUES ($1, 'scripted', $2, 'ready', $3, '{}') RETURNING id",
                name,
                mode.value,
                dict(scope or {}),
            )
        return number

    def connection(self, name: str) -> Connection:
        link = self.links.by_name(name)
        assert link is not None
        return link.connection

    async def admit(self, id_: str = "a-1", connection: str | None = "hub", **changes: Any) -> None:
        """Has a driver admitted at `L1`/`U1`, five minutes after `AT`."""
        number = self.connection(connection).id if connection is not None else None
        fields: dict[str, Any] = {
            "id": id_,
            "origin": Origin.TAP,
            "party": PARTY,
            "location_id": "L1",
            "evse_uid": "U1",
            "identification": CARD,
            "at": later(300),
            "connection_id": number,
            "leg": leg() if number is not None else None,
            "auth_method": AuthMethod.AUTH_REQUEST,
        }
        async with self.store.transaction() as tx:
            await record(tx, [Admission(**(fields | changes))])

    async def time_out(self, id_: str = "a-1") -> None:
        """Has nobody say in time whether a driver is admitted."""
        changed = await self.store.execute(
            "UPDATE authorisation SET allowed = false, reason = 'NO_ANSWER' WHERE id = $1", id_
        )
        assert changed == 1

    async def put(self, given: Session | None = None) -> SessionResult:
        return await self.sessions.put(given or session(), WHO)

    async def accept(self, given: Cdr | None = None) -> CdrResult:
        return await self.cdrs.accept(given or cdr(), WHO)

    async def charged(self, **changes: Any) -> None:
        """Has a driver admitted who charges till the session is over."""
        await self.admit()
        await self.put()
        await self.put(ended(**changes))

    async def messages(self, connection: str | None = None) -> list[Message]:
        """What hubs are to be told, in order."""
        rows = await self.store.fetch(
            "SELECT d.payload FROM delivery d JOIN connection c ON c.id = d.connection_id"
            " WHERE $1::text IS NULL OR c.name = $1 ORDER BY d.no",
            connection,
        )
        return [Message.model_validate_json(row["payload"]) for row in rows]

    async def settle(self, state: str) -> None:
        """Has everything pending settled, as the outbox would."""
        await self.store.execute(
            "UPDATE delivery SET state = $1, settled_at = now(), error = 'x' WHERE state = 'pending'", state
        )

    async def events(self) -> list[str]:
        return [row["type"] for row in await self.store.fetch("SELECT type FROM event ORDER BY no")]

    async def row(self, table: str) -> Record:
        """The only row of a table."""
        [row] = await self.store.fetch(f"SELECT * FROM {table}")
        return row


@asynccontextmanager
async def roaming(store: Store) -> AsyncIterator[Roaming]:
    """Services over one live connection named `hub`."""
    hubs: dict[str, Any] = {}
    links = Links(store, Cipher(KEY), {"scripted": lambda connection: hubs[connection.name]})
    made = Roaming(store, links, hubs)
    try:
        await links.refresh()
        await Publishing(store, links, audiences(store, links, lambda: AT), lambda: None, lambda: AT).put_locations(
            [(location("L1", evse("U1"), evse("U2", "NL*ABC*E2")), ()), (location("L2"), ())], WHO
        )
        await made.connect("hub")
        yield made
    finally:
        await links.close()


def agreed(**changes: Any) -> Correction:
    """A correction."""
    return Correction(reason="the meter was read wrongly", agreed=Agreed.model_validate(changes))


async def state(hubs: Roaming, cdr_id: str = "c-1") -> CdrState:
    """How far a CDR is."""
    view = await hubs.cdrs.get(PARTY, cdr_id)
    assert view is not None
    return view.state


async def told(hubs: Roaming) -> list[Cdr]:
    """The CDRs that the hub is told."""
    return [message.cdr for message in await hubs.messages("hub") if message.cdr is not None]
