"""Hubs that say what they are told to say, when they are told to, and a gateway's services over them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from adapters.core.adapter import Item, Plan, Subject, WireKey
from adapters.core.charging import (
    Allowed,
    Answer,
    ChargingProfile,
    Denial,
    Denied,
    Question,
    Unanswered,
)
from adapters.core.connection import Connection, Mode, Scope, State
from adapters.core.outcomes import OutcomeUnknown
from adapters.core.profile import Profile
from gateway.agreements.repository import Agreements
from gateway.services.authorisation import asking, service
from gateway.services.authorisation.service import Authorisation
from gateway.services.authorisation.tokens import Tokens
from gateway.services.links import Links
from gateway.services.ports.authorising import AuthorisationView, Tap
from gateway.services.publishing import Publishing
from gateway.store.pool import Record, Store
from gateway.store.secrets import Cipher
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.parties import Role
from mappings.canonical.tokens import Identification, Token, TokenType, Whitelist
from tests.agreed import audiences
from tests.harness import AT, KEY, PARTY, WHO, location

UID = "04A2B3C4D5E680"
CARD = Identification(type=TokenType.RFID, uid=UID)
EMSP = PartyId("FR-XYZ")
CONTRACT = ContractId("FR-XYZ-C12345678")
SILENT = Unanswered(OutcomeUnknown("no answer in time"))
UNKNOWN = Denied(Denial.UNKNOWN_TOKEN, "2004", "unknown token")


def yes(reference: str = "r-1", emsp: PartyId | None = None, **changes: Any) -> Allowed:
    """A hub's yes."""
    leg = Leg(reference=reference, hub_session=f"s-{reference}", emsp=emsp, identification=CARD)
    return Allowed(leg, **changes)


def token(whitelist: Whitelist = Whitelist.ALLOWED, *, valid: bool = True, **changes: Any) -> Token:
    """A token of the card."""
    fields: dict[str, Any] = {
        "party": EMSP,
        "uid": UID,
        "type": TokenType.RFID,
        "contract_id": CONTRACT,
        "issuer": "XYZ",
        "valid": valid,
        "whitelist": whitelist,
        "last_updated": AT,
    }
    return Token.model_validate(fields | changes)


class ScriptedHub:
    """One hub, implementing `ChargingAdapter` as far as drivers are asked for.

    Attributes:
        roles: As what the hub knows us.
        answer: What it says to a driver; an exception is raised.
        gate: It says so once this is set; None for at once.
        reached: It was asked.
        homes: The EMSPs that it is the home of.
        asked, stops: The questions, in order.
        released: The legs that were given back.
        takes_back: What it says to that.
    """

    def __init__(self) -> None:
        self.roles = frozenset({Role.CPO})
        self.answer: Answer | Exception = UNKNOWN
        self.stop_answer: Answer = Denied(Denial.OTHER_MEDIUM)
        self.gate: asyncio.Event | None = None
        self.reached = asyncio.Event()
        self.homes: set[PartyId] = set()
        self.asked: list[Question] = []
        self.stops: list[tuple[Question, Leg]] = []
        self.released: list[Leg] = []
        self.takes_back = True
        self.has_contracts = True
        self.given_back = asyncio.Event()
        self.answer_within = timedelta(seconds=20)
        self.request_timeout = timedelta(seconds=20)

    @property
    def profile(self) -> Profile:
        return Profile("scripted", "none", {}, self.request_timeout)

    @property
    def charging(self) -> ChargingProfile:
        return ChargingProfile({}, self.answer_within, timedelta(seconds=20), has_contracts=self.has_contracts)

    def keys(self, subject: Subject) -> Iterable[WireKey]:
        return ()

    def plan(
        self, operation: str, items: Sequence[Item], blocked: frozenset[str] = frozenset(), *, full_load: bool = False
    ) -> Plan:
        return Plan()

    def answers_for(self, party: PartyId) -> bool:
        return party in self.homes

    async def authorise(self, question: Question) -> Answer:
        self.asked.append(question)
        self.reached.set()
        if self.gate is not None:
            await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def authorise_stop(self, question: Question, leg: Leg) -> Answer:
        self.stops.append((question, leg))
        if self.gate is not None:
            await self.gate.wait()
        return self.stop_answer

    async def release(self, question: Question, leg: Leg) -> bool:
        self.released.append(leg)
        self.given_back.set()
        return self.takes_back

    async def close(self) -> None:
        pass


@dataclass
class Counted:
    """Implements `authorisation.Figures`."""

    decisions: list[tuple[str, Denial | None]] = field(default_factory=list)
    answers: list[tuple[str, str]] = field(default_factory=list)
    late: list[tuple[str, bool]] = field(default_factory=list)
    stops: list[tuple[str, Denial | None]] = field(default_factory=list)

    def authorised(self, hub: str, reason: Denial | None, seconds: float) -> None:
        assert seconds >= 0
        self.decisions.append((hub, reason))

    def asked(self, hub: str, connection: str, answer: str, seconds: float) -> None:
        assert seconds >= 0
        self.answers.append((connection, answer))

    def late_yes(self, hub: str, connection: str, *, released: bool) -> None:
        self.late.append((connection, released))

    def stop_authorised(self, hub: str, reason: Denial | None) -> None:
        self.stops.append((hub, reason))


@dataclass
class Noted:
    """Disagreements with hubs, by connection."""

    drifted: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def said_yes(self, connection: Connection, cpo: PartyId, emsp: PartyId | None, ours: str) -> None:
        self.drifted.append(connection.name)

    def said_no(self, connection: Connection, cpo: PartyId, emsp: PartyId | None, theirs: str) -> None:
        self.missed.append(connection.name)


@dataclass
class Stations:
    """An own network with a location `L1`, and hubs by name, all live."""

    store: Store
    links: Links
    agreements: Agreements
    witness: Noted
    tokens: Tokens
    authorisation: Authorisation
    publishing: Publishing
    figures: Counted
    hubs: dict[str, ScriptedHub]
    wakes: list[None]

    def replica(self) -> Authorisation:
        """The service of another process over the same store and hubs."""
        return Authorisation(
            self.store,
            self.links,
            self.agreements,
            self.witness,
            self.figures,
            lambda: None,
            lambda: AT,
            timedelta(hours=1),
        )

    def __getitem__(self, name: str) -> ScriptedHub:
        return self.hubs[name]

    def connection(self, name: str) -> Connection:
        link = self.links.by_name(name)
        assert link is not None
        return link.connection

    async def change(self, name: str, column: str, value: str) -> None:
        """Changes a connection as an operator would."""
        async with self.links.changing() as tx:
            await tx.execute(f"UPDATE connection SET {column} = $2 WHERE name = $1", name, value)

    async def tap(self, identification: Identification = CARD, **changes: Any) -> AuthorisationView:
        """Has a driver tap at `L1`/`U1`."""
        return await self.authorisation.authorise(wish(identification, **changes))

    async def events(self) -> list[Record]:
        return await self.store.fetch("SELECT type, party, subject, data FROM event ORDER BY no")

    async def rows(self) -> list[Record]:
        return await self.store.fetch("SELECT * FROM authorisation ORDER BY no")

    async def everything(self) -> str:
        """All that is stored of charges, as one text."""
        tables = ("authorisation", "session_ref", "token", "event", "audit", "emsp_seen")
        found = [await self.store.fetch(f"SELECT t::text FROM {table} t") for table in tables]
        return "\n".join(row["t"] for rows in found for row in rows)


def wish(identification: Identification = CARD, **changes: Any) -> Tap:
    """A driver at `L1`/`U1`."""
    by_key = {} if "evse_id" in changes else {"location_id": "L1", "evse_uid": "U1"}
    return Tap(**{"party": PARTY, "identification": identification, **by_key, **changes})


def time_is_over_once_asked(monkeypatch: pytest.MonkeyPatch, hub: ScriptedHub) -> None:
    """Has the driver's time stand still until a hub is asked, and be over then: to get there may take a while."""
    for module in (asking, service):
        monkeypatch.setattr(module, "monotonic", lambda: 60.0 if hub.reached.is_set() else 0.0)


@asynccontextmanager
async def stations(
    database_url: str, *names: str, next_after: timedelta = timedelta(hours=1), clock: Callable[[], Any] = lambda: AT
) -> AsyncIterator[Stations]:
    """Services over hubs named in the order in which they are asked."""
    hubs = {name: ScriptedHub() for name in names}
    wakes: list[None] = []
    store = Store(database_url, size=4)
    await store.open()
    links = Links(store, Cipher(KEY), {"scripted": lambda connection: hubs[connection.name]})
    agreements, witness, figures = Agreements(store, links, clock), Noted(), Counted()
    authorisation = Authorisation(
        store, links, agreements, witness, figures, lambda: wakes.append(None), clock, next_after
    )
    publishing = Publishing(store, links, audiences(store, links, clock), lambda: None, clock)
    try:
        async with links.changing() as tx:
            for name in names:
                await tx.execute(
                    "INSERT INTO connection (name, hub, mode, state, scope, settings)"
                    " VALUES ($1, 'scripted', $2, $3, $4, $5)",
                    name,
                    Mode.LIVE.value,
                    State.READY.value,
                    Scope().model_dump_json(),
                    "{}",
                )
        await publishing.put_locations([(location(), ())], WHO)
        yield Stations(
            store, links, agreements, witness, Tokens(store, links), authorisation, publishing, figures, hubs, wakes
        )
    finally:
        await authorisation.close()
        await links.close()
        await store.close()
