"""Sent commands, and what came home, in memory."""

from dataclasses import replace
from decimal import Decimal

from gateway.services.ports import BadCursor, Conflict, Invalid, NotFound, Page, Parties
from gateway.services.ports.received import (
    CdrStanding,
    Decided,
    Doubt,
    PriceSource,
    ReceivedCdrView,
    ReceivedFilter,
    ReceivedSessionView,
    Review,
    Verdict,
)
from gateway.services.ports.sent_commands import SentCommandView, SentFilter, Wish
from mappings.canonical.cdrs import Cdr
from mappings.canonical.commands import CommandResult
from mappings.canonical.ids import PartyId
from mappings.canonical.sessions import SessionStatus
from tests.http.fakes import NOW

EMSP, CPO = PartyId("FR*XYZ"), PartyId("NL*ABC")


class FakeSentCommands:
    """Commands; one that nobody waits for has no result, and the driver `blocked` may not charge."""

    def __init__(self) -> None:
        self.wishes: list[Wish] = []
        self.filters: list[SentFilter] = []
        self.views: dict[str, SentCommandView] = {}

    async def send(self, wish: Wish) -> SentCommandView:
        self.wishes.append(wish)
        if wish.token is not None and wish.token.uid == "blocked":
            raise Invalid(("token", "is blocked"))
        result = CommandResult.ACCEPTED if wish.wait != 0 else None
        id_ = f"{len(self.wishes):032x}"
        self.views[id_] = SentCommandView(
            id=id_,
            request_id=wish.request_id,
            connection="hubject",
            kind=wish.kind,
            party=wish.party,
            cpo=CPO,
            evse="NLABCE1",
            command={"kind": wish.kind.value},
            permit=id_,
            at=NOW,
            deadline=NOW,
            result=result,
            text=None,
            session_id=None,
            answered_at=NOW if result is not None else None,
            late=None,
        )
        return self.views[id_]

    async def get(self, parties: Parties, id_: str) -> SentCommandView:
        view = self.views.get(id_)
        if view is None or (parties is not None and view.party not in parties):
            raise NotFound(f"There is no sent command {id_}")
        return view

    async def list(self, wanted: SentFilter, after: str | None, limit: int) -> Page[SentCommandView]:
        if after is not None:
            raise BadCursor
        self.filters.append(wanted)
        return Page(list(self.views.values())[:limit])


class FakeReceived:
    """One session and one CDR, both in review."""

    def __init__(self) -> None:
        doubts = [Doubt(Review.UNKNOWN_PERMIT, "auth_method", "is COMMAND, but no permit fits it")]
        self.one = ReceivedSessionView(
            id=7,
            session_id="s-1",
            cpo=CPO,
            party=EMSP,
            connection="hubject",
            status=SessionStatus.COMPLETED,
            started=NOW,
            ended=NOW,
            energy=Decimal(10),
            evse="NLABCE1",
            permit=None,
            review=[Review.UNKNOWN_PERMIT],
            doubts=doubts,
            decided=None,
            cdr=None,
            waived=None,
            last_updated=NOW,
            updated=NOW,
        )
        self.bill = ReceivedCdrView(
            id=9,
            cdr=Cdr.model_validate(
                {
                    "party": CPO,
                    "id": "c-1",
                    "start": NOW,
                    "end": NOW,
                    "identification": {"type": "RFID", "uid": "04A2B3C4D5E680"},
                    "auth_method": "COMMAND",
                    "location": {"id": "L1", "evse_uid": "U1", "connector_id": "1"},
                    "currency": "EUR",
                    "periods": [],
                    "energy": 10,
                    "time": 1,
                    "last_updated": NOW,
                }
            ),
            version=1,
            standing=CdrStanding.REVIEW,
            party=EMSP,
            connection="hubject",
            evse="NLABCE1",
            session=7,
            permit=None,
            price_source=PriceSource.NONE,
            review=[Review.UNKNOWN_PERMIT],
            doubts=doubts,
            decided=None,
            credited_by=None,
            received=NOW,
        )
        self.filters: list[ReceivedFilter] = []
        self.permits: list[str | None] = []

    async def sessions(self, wanted: ReceivedFilter, after: str | None, limit: int) -> Page[ReceivedSessionView]:
        if after is not None:
            raise BadCursor
        self.filters.append(wanted)
        return Page([self.one][:limit])

    async def session(self, parties: Parties, no: int) -> ReceivedSessionView:
        if no != self.one.id or (parties is not None and EMSP not in parties):
            raise NotFound(f"There is no received session {no}")
        return self.one

    async def check_session(self, parties: Parties, no: int, who: str) -> ReceivedSessionView:
        view = await self.session(parties, no)
        if not view.review:
            raise Conflict("The session does not wait for review")
        self.one = replace(view, review=[], doubts=[])
        return self.one

    async def accept_session(
        self, parties: Parties, no: int, permit: str | None, why: str, who: str
    ) -> ReceivedSessionView:
        view = await self.session(parties, no)
        if not view.review:
            raise Conflict("The session does not wait for review")
        self.permits.append(permit)
        self.one = replace(view, review=[], permit=permit, decided=Decided(Verdict.ACCEPTED, why, who, NOW))
        return self.one

    async def waive_cdr(self, parties: Parties, no: int, why: str, who: str) -> ReceivedSessionView:
        self.one = replace(await self.session(parties, no), waived=why)
        return self.one

    async def cdrs(self, wanted: ReceivedFilter, after: str | None, limit: int) -> Page[ReceivedCdrView]:
        if after is not None:
            raise BadCursor
        self.filters.append(wanted)
        return Page([self.bill][:limit])

    async def cdr(self, parties: Parties, no: int) -> ReceivedCdrView:
        if no != self.bill.id or (parties is not None and EMSP not in parties):
            raise NotFound(f"There is no received CDR {no}")
        return self.bill

    async def check_cdr(self, parties: Parties, no: int, who: str) -> ReceivedCdrView:
        view = await self.cdr(parties, no)
        if view.standing is not CdrStanding.REVIEW:
            raise Conflict("The CDR does not wait for review")
        self.bill = replace(view, standing=CdrStanding.ACCEPTED, review=[], doubts=[])
        return self.bill

    async def decide(self, parties: Parties, no: int, verdict: Verdict, why: str, who: str) -> ReceivedCdrView:
        view = await self.cdr(parties, no)
        if view.standing is not CdrStanding.REVIEW:
            raise Conflict("The CDR does not wait for review")
        self.bill = replace(view, standing=CdrStanding(verdict.value), decided=Decided(verdict, why, who, NOW))
        return self.bill
