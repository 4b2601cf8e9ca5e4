"""An EMSP in this process: its driver tokens, hubs that are told them and ask, and a backend that is asked."""

import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from adapters.core.adapter import Item, Plan, Subject, WireKey
from adapters.core.charging import Answer, ChargingProfile, Denial
from adapters.core.connection import Connection, Mode
from adapters.core.inbound import Asked
from adapters.core.profile import OperationProfile, Profile
from gateway.agreements.repository import Agreements
from gateway.events.callouts import CallOuts
from gateway.events.hooks import HookKind, Hooks
from gateway.events.webhooks import Webhooks
from gateway.services.drivers.contracts import Contracts
from gateway.services.drivers.listing import PermitList
from gateway.services.drivers.service import Drivers
from gateway.services.drivers.tokens import DriverTokens
from gateway.services.links import Links
from gateway.services.listeners import Listeners
from gateway.services.network import Network
from gateway.services.ports import PutResult
from gateway.services.ports.driver_tokens import DriverToken
from gateway.store.pool import Record, Store
from gateway.store.secrets import Cipher
from mappings.canonical.commands import EvseRef
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.parties import Party, Role
from mappings.canonical.texts import Business
from mappings.canonical.tokens import Identification, Pin, Token, TokenType
from tests.adapters.doubles import Measured
from tests.backend import Backend, backend
from tests.harness import AT, KEY, WHO, later
from tests.services.charging import Noted

EMSP, OTHER_EMSP, CPO = PartyId("FR*EMS"), PartyId("DE*EMS"), PartyId("NL*CPO")
UID = "04A2B3C4D5E680"
CONTRACT = "FR-EMS-C12345678"
EVSE = EvseId("NL*CPO*E1")
NOW = later(3600)


def token(uid: str = UID, **changes: Any) -> DriverToken:
    """A card that is valid, and may be accepted at once."""
    fields: dict[str, Any] = {
        "party": EMSP,
        "uid": uid,
        "type": TokenType.RFID,
        "contract_id": CONTRACT,
        "issuer": "EMS",
        "valid": True,
        "whitelist": "ALLOWED",
        "last_updated": AT,
    }
    return DriverToken.model_validate(fields | changes)


def card(uid: str | None = UID, **changes: Any) -> Identification:
    """What is held up at a station."""
    return Identification.model_validate({"type": TokenType.RFID, "uid": uid} | changes)


def asked(who: Identification | None = None, session: str | None = None, **changes: Any) -> Asked:
    """A hub's question for a driver at an EVSE of `CPO`."""
    leg = Leg(hub_session=session, emsp=changes.pop("emsp", EMSP), identification=who or card())
    fields: dict[str, Any] = {
        "leg": changes.pop("leg", leg),
        "cpo": CPO,
        "at": EvseRef(evse_id=EVSE),
        "pin": None,
        "within": timedelta(seconds=60),
    }
    return Asked(**(fields | changes))


class TokenHub:
    """Implements as much of an adapter as tokens need.

    Attributes:
        says_blocked: It has a word for tokens that are not valid; else it should not have them.
    """

    def __init__(
        self, *, says_blocked: bool = True, roles: Iterable[Role] = (Role.EMSP,), has_contracts: bool = True
    ) -> None:
        within = timedelta(seconds=5)
        self.charging = ChargingProfile({}, within, within, has_contracts=has_contracts)
        self.says_blocked = says_blocked
        self.roles = frozenset(roles)
        operations = {"tokens": OperationProfile("tokens", 100, 1)}
        self.profile = Profile("scripted", "none", operations, timedelta(seconds=5))

    def keys(self, subject: Subject) -> Iterable[WireKey]:
        if isinstance(subject, Token) and Role.EMSP in self.roles and (subject.valid or self.says_blocked):
            yield WireKey("tokens", f"{subject.party}/{subject.type}/{subject.uid}", "")

    def plan(
        self, operation: str, items: Sequence[Item], blocked: frozenset[str] = frozenset(), *, full_load: bool = False
    ) -> Plan:
        return Plan()

    async def close(self) -> None:
        pass


@dataclass
class Counted:
    """Implements the figures of `Drivers`, and of `CallOuts`."""

    permits: list[tuple[str, Denial | None]] = field(default_factory=list)
    stops: list[Denial | None] = field(default_factory=list)

    def permit(self, hub: str, connection: str, decided: str, reason: Denial | None, seconds: float) -> None:
        assert seconds >= 0
        self.permits.append((decided, reason))

    def permit_stop(self, hub: str, connection: str, reason: Denial | None) -> None:
        self.stops.append(reason)

    def call_out(self, kind: str, outcome: str, seconds: float) -> None:
        assert kind == "PERMIT"


@dataclass
class Driving:
    """The services over some hubs."""

    store: Store
    links: Links
    hubs: dict[str, Any]
    listener: Backend
    hooks: Hooks
    now: datetime = NOW
    secret: str | None = None
    counted: Counted = field(default_factory=Counted)
    wakes: int = 0
    witness: Noted = field(default_factory=Noted)

    def __post_init__(self) -> None:
        self.drivers = self.replica()
        self.permits = PermitList(self.store)
        self.tokens = DriverTokens(self.store, self.links, self.wake, lambda: self.now)

    def replica(self) -> Drivers:
        """Another process's answers to hubs."""
        call_outs = CallOuts(self.hooks, self.counted, lambda: self.now)
        agreements = Agreements(self.store, self.links, lambda: self.now)
        contracts = Contracts(agreements, self.witness)
        return Drivers(self.store, contracts, call_outs, self.counted, self.wake, lambda: self.now)

    def wake(self) -> None:
        self.wakes += 1

    async def listen(self, *types: str) -> None:
        """Has the backend asked."""
        listeners = Listeners(
            HookKind.CALL_OUT,
            self.store,
            Cipher(KEY),
            self.hooks,
            Webhooks(self.hooks, lambda: self.now),
            lambda: self.now,
            self.wake,
        )
        _, self.secret = await listeners.create("ears", self.listener.url, types, [], None, WHO)

    async def connect(self, name: str, scope: Mapping[str, Sequence[str]] | None = None, **script: Any) -> int:
        """Makes a connection, and gives its number."""
        self.hubs[name] = TokenHub(**script)
        async with self.links.changing() as tx:
            number: int = await tx.fetchval(
                "INSERT INTO connection (name, hub, mode, state, scope, settings)"
                " VALUES ($1, 'scripted', $2, 'ready', $3, '{}') RETURNING id",
                name,
                Mode.LIVE.value,
                dict(scope or {}),
            )
        return number

    def connection(self, name: str = "hub") -> Connection:
        link = self.links.by_name(name)
        assert link is not None
        return link.connection

    async def profile(self, party: PartyId, role: Role = Role.EMSP) -> None:
        """Writes who a party is."""
        profile = Party(id=party, roles=frozenset({role}), business=Business(name="Op"))
        await Network(self.store).put_party(profile, WHO)

    async def put(self, *tokens: DriverToken) -> list[PutResult]:
        return await self.tokens.put([(one, ()) for one in tokens], WHO)

    async def ask(self, question: Asked | None = None, connection: str = "hub") -> Answer:
        return await self.drivers.authorise(self.connection(connection), question or asked())

    async def stop(self, question: Asked, connection: str = "hub") -> Answer:
        return await self.drivers.authorise_stop(self.connection(connection), question)

    async def projections(self, connection: str = "hub") -> dict[str, tuple[bool, bool, int]]:
        """Of each key of a hub, whether it is gone, whether it is pending, and its revision."""
        rows = await self.store.fetch(
            "SELECT key, gone, pending, wanted FROM projection WHERE connection_id = $1", self.connection(connection).id
        )
        return {row["key"]: (row["gone"], row["pending"], row["wanted"]) for row in rows}

    async def rows(self, table: str) -> list[Record]:
        return await self.store.fetch(f"SELECT * FROM {table} ORDER BY 1")


@asynccontextmanager
async def driving(store: Store) -> AsyncIterator[Driving]:
    """Services over one live connection named `hub`."""
    hubs: dict[str, Any] = {}
    links = Links(store, Cipher(KEY), {"scripted": lambda connection: hubs[connection.name]})
    async with backend() as listener:
        made: Driving | None = None
        hooks = Hooks(store, Cipher(KEY), Measured(), lambda: made.now if made else AT, time.monotonic)
        made = Driving(store, links, hubs, listener, hooks)
        try:
            await links.refresh()
            await made.connect("hub")
            yield made
        finally:
            await made.drivers.close()
            await hooks.close()
            await links.close()


def pin(value: str = "1234") -> Pin:
    return Pin.model_validate({"value": value})
