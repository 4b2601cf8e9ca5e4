"""The gateway's side of the contract for an EMSP, in memory: partners' stations, own drivers, and what comes home."""

import asyncio
from collections.abc import Sequence
from typing import TypeAlias

from adapters.core.charging import Allowed, Answer, Denial, Denied
from adapters.core.connection import Connection
from adapters.core.inbound import Asked, CdrTaken, LocationCopy, Page, Window
from mappings.canonical.cdrs import Cdr
from mappings.canonical.commands import CommandAnswer
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.locations import Evse, EvseStatus, EvseStatusReport, Location
from mappings.canonical.parties import ClientInfo, Role
from mappings.canonical.sessions import Session, SessionNews
from mappings.canonical.tariffs import Tariff
from mappings.canonical.tokens import Identification, Token, TokenType

Key: TypeAlias = tuple[PartyId, str]
"""Party and id, spelt as it came."""


def _key(party: PartyId, id_: str) -> Key:
    return party, id_


class Stations:
    """Implements `Catalogue` for one connection.

    Attributes:
        places: What is known, by party and id.
        copies: What was put, in order.
        reports: Statuses that were written by themselves, in order.
        prices: Tariffs by party, id and target.
        told: What was said of parties.
        failing: Raised by whatever writes, if there is one.
    """

    def __init__(self) -> None:
        self.places: dict[Key, Location] = {}
        self.copies: list[LocationCopy] = []
        self.reports: list[EvseStatusReport] = []
        self.prices: dict[tuple[PartyId, str, PartyId | None], Tariff] = {}
        self.told: dict[tuple[PartyId, Role], ClientInfo] = {}
        self.failing: Exception | None = None

    async def put_location(self, connection: Connection, copy: LocationCopy) -> bool:
        self._fail()
        self.copies.append(copy)
        key = _key(copy.location.party, copy.location.id)
        before = self.places.get(key)
        if before is None or copy.location.last_updated >= before.last_updated:
            self.places[key] = copy.location
        return before is None

    async def location(self, connection: Connection, party: PartyId, location_id: str) -> Location | None:
        return self.places.get(_key(party, location_id))

    async def put_status(self, connection: Connection, report: EvseStatusReport) -> bool:
        self._fail()
        found = False
        for key, place in self.places.items():
            hit = [each for each in place.evses if _speaks_of(report, place, each)]
            if not hit:
                continue
            found = True
            self.reports.append(report)
            at = report.at or place.last_updated
            evses = tuple(
                each.model_copy(update={"status": report.status, "last_updated": at})
                if each in hit and at >= each.last_updated
                else each
                for each in place.evses
            )
            self.places[key] = place.model_copy(update={"evses": evses, "last_updated": max(at, place.last_updated)})
        return found

    async def withdraw_location(self, connection: Connection, party: PartyId, location_id: str) -> bool:
        self._fail()
        place = self.places.get(_key(party, location_id))
        if place is None:
            return False
        gone = tuple(each.model_copy(update={"status": EvseStatus.REMOVED}) for each in place.evses)
        self.places[_key(party, location_id)] = place.model_copy(update={"evses": gone})
        return True

    async def put_tariff(self, connection: Connection, tariff: Tariff, digest: bytes) -> bool:
        self._fail()
        assert len(digest) == 16
        key = (*_key(tariff.party, tariff.id), tariff.target)
        new = key not in self.prices
        self.prices[key] = tariff
        return new

    async def tariff(
        self, connection: Connection, party: PartyId, tariff_id: str, target: PartyId | None = None
    ) -> Tariff | None:
        key = _key(party, tariff_id)
        return self.prices.get((*key, target)) or self.prices.get((*key, None))

    async def withdraw_tariff(
        self, connection: Connection, party: PartyId, tariff_id: str, variant: str | None = None
    ) -> bool:
        self._fail()
        variants = [
            each
            for each in self.prices
            if each[:2] == _key(party, tariff_id) and variant in {None, each[2].normal if each[2] else ""}
        ]
        for each in variants:
            del self.prices[each]
        return bool(variants)

    async def put_party(self, connection: Connection, info: ClientInfo) -> None:
        self._fail()
        self.told[info.party, info.role] = info

    def _fail(self) -> None:
        if self.failing is not None:
            raise self.failing


def _speaks_of(report: EvseStatusReport, place: Location, evse: Evse) -> bool:
    if report.party is not None and report.party != place.party:
        return False
    if report.evse_id is not None:
        return evse.evse_id == report.evse_id
    named = (report.location_id or "").casefold(), (report.evse_uid or "").casefold()
    return named == (place.id.casefold(), evse.uid.casefold())


class OwnDrivers:
    """Implements `Drivers`.

    Attributes:
        held: Our own tokens.
        asked, asked_to_stop: What hubs asked, in order.
        answer: What is said; an exception is raised. None admits whoever is held and denies others as unknown.
        delay: Seconds that an answer takes.
    """

    def __init__(self, *held: Token) -> None:
        self.held: list[Token] = list(held)
        self.asked: list[Asked] = []
        self.asked_to_stop: list[Asked] = []
        self.answer: Answer | Exception | None = None
        self.delay = 0.0

    async def authorise(self, connection: Connection, asked: Asked) -> Answer:
        self.asked.append(asked)
        return await self._say(asked)

    async def authorise_stop(self, connection: Connection, asked: Asked) -> Answer:
        self.asked_to_stop.append(asked)
        return await self._say(asked)

    async def _say(self, asked: Asked) -> Answer:
        if self.delay:
            await asyncio.sleep(self.delay)
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is not None:
            return self.answer
        token = next((each for each in self.held if _stands_for(each, asked.leg.identification)), None)
        if token is None:
            return Denied(Denial.UNKNOWN_TOKEN)
        if not token.valid:
            return Denied(Denial.BLOCKED, token=token)
        leg = asked.leg.model_copy(
            update={"emsp_session": "permit-1", "reference": "permit-1", "identification": token.identification}
        )
        return Allowed(leg, token)

    async def tokens(self, connection: Connection, window: Window) -> Page:
        since, until = window.date_from, window.date_to
        found = [
            each
            for each in self.held
            if connection.scope.has_party(each.party)
            and (since is None or each.last_updated >= since)
            and (until is None or each.last_updated < until)
        ]
        return Page(found[window.offset : window.offset + window.limit], len(found))

    async def token(self, connection: Connection, party: PartyId, uid: str, type_: TokenType) -> Token | None:
        key = (party, type_, uid.casefold())
        return next((each for each in self.held if (each.party, each.type, each.uid.casefold()) == key), None)


def _stands_for(token: Token, asked: Identification) -> bool:
    if asked.uid is not None:
        return (asked.type, asked.uid.casefold()) == (token.type, token.uid.casefold())
    return asked.contract_id == token.contract_id


class Homecoming:
    """Implements `Received` for one connection.

    Attributes:
        sessions: What was told whole, by party and id.
        pieces: News of sessions, in order.
        cdrs: The CDRs that were taken first, by party and id, with the digest of what came.
        legs: How the hub named each charge, in order.
        conflicts: What came under an id that stood for something else, in order.
        failing: Raised by whatever writes, if there is one.
    """

    def __init__(self) -> None:
        self.sessions: dict[Key, Session] = {}
        self.pieces: list[SessionNews] = []
        self.cdrs: dict[Key, tuple[Cdr, bytes]] = {}
        self.legs: list[Leg | None] = []
        self.conflicts: list[Cdr] = []
        self.failing: Exception | None = None

    async def session(self, connection: Connection, session: Session) -> bool:
        self._fail()
        key = _key(session.party, session.id)
        before = self.sessions.get(key)
        if before is None or session.last_updated >= before.last_updated:
            self.sessions[key] = session
        return before is None

    async def get_session(self, connection: Connection, party: PartyId, session_id: str) -> Session | None:
        return self.sessions.get(_key(party, session_id))

    async def news(self, connection: Connection, news: SessionNews) -> None:
        self._fail()
        self.pieces.append(news)

    async def cdr(self, connection: Connection, cdr: Cdr, leg: Leg | None, digest: bytes) -> CdrTaken:
        self._fail()
        assert len(digest) == 16
        before = self.cdrs.get(_key(cdr.party, cdr.id))
        self.legs.append(leg)
        if before is None:
            self.cdrs[_key(cdr.party, cdr.id)] = cdr, digest
            return CdrTaken.NEW
        if before[1] == digest:
            return CdrTaken.SAME
        self.conflicts.append(cdr)
        return CdrTaken.CONFLICT

    async def get_cdr(self, connection: Connection, party: PartyId, cdr_id: str) -> Cdr | None:
        found = self.cdrs.get(_key(party, cdr_id))
        return None if found is None else found[0]

    def _fail(self) -> None:
        if self.failing is not None:
            raise self.failing


class Sent:
    """Implements `SentCommands`.

    Attributes:
        open: Ids of the commands that were sent.
        results: What came of them, in order.
    """

    def __init__(self, open_: Sequence[str] = ()) -> None:
        self.open = set(open_)
        self.results: list[tuple[str, CommandAnswer]] = []

    async def told(self, connection: Connection, id_: str, answer: CommandAnswer) -> bool:
        if id_ not in self.open:
            return False
        self.results.append((id_, answer))
        return True
