"""Sessions and CDRs in memory, as the HTTP face asks for them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from gateway.services.ports import (
    BadCursor,
    CdrFilter,
    CdrRefusal,
    CdrResult,
    CdrState,
    CdrView,
    Conflict,
    Corrected,
    Correction,
    Dispute,
    Invalid,
    NotFound,
    Page,
    SessionFilter,
    SessionRef,
    SessionResult,
    SessionTold,
    SessionView,
)
from mappings.canonical.cdrs import Cdr
from mappings.canonical.ids import PartyId
from mappings.canonical.sessions import Session
from tests.http.fakes import NOW


class FakeSessions:
    """Sessions; those whose reference is `several` wait for review."""

    def __init__(self) -> None:
        self.views: dict[tuple[PartyId, str], SessionView] = {}
        self.filters: list[SessionFilter] = []
        self.waived: dict[str, str] = {}

    async def put(self, session: Session, who: str, *, if_updated: datetime | None = None) -> SessionResult:
        key = (session.party, session.id)
        before = self.views.get(key)
        if session.evse_uid == "nowhere":
            raise Invalid(("evse_uid", "the location has no EVSE nowhere"))
        if before is not None and session.last_updated < before.session.last_updated:
            return SessionResult(session.party, session.id, "stale", ())
        review = "2 authorisations fit its driver, EVSE and time" if session.reference == "several" else None
        outcome = "created" if before is None else "unchanged" if before.session == session else "updated"
        self.views[key] = SessionView(session, review, None, None, session.end, None, None, NOW)
        return SessionResult(session.party, session.id, outcome, (), None, None, review)

    async def get(self, party: PartyId, session_id: str) -> SessionView | None:
        view = self.views.get((party, session_id))
        refs = [SessionRef("gireve", "reference", "R-1")]
        told = [SessionTold("gireve", {"PUT": NOW}, 1, 2, 0, None)]
        return replace(view, refs=refs, told=told) if view is not None else None

    async def list(self, wanted: SessionFilter, after: str | None, limit: int) -> Page[SessionView]:
        if after is not None:
            raise BadCursor
        self.filters.append(wanted)
        return Page(
            [view for (party, _), view in self.views.items() if wanted.parties is None or party in wanted.parties]
        )

    async def assign(self, party: PartyId, session_id: str, authorisation: str | None, who: str) -> SessionResult:
        view = self.views.get((party, session_id))
        if view is None:
            raise NotFound("there is no such session")
        if view.review is None:
            raise Conflict("the session does not wait for review")
        self.views[party, session_id] = replace(view, review=None, authorisation=authorisation)
        return SessionResult(party, session_id, "updated", (), authorisation, None, None)

    async def waive_cdr(self, party: PartyId, session_id: str, why: str, who: str) -> None:
        if (party, session_id) not in self.views:
            raise NotFound("there is no such session")
        self.waived[session_id] = why


class FakeCdrs:
    """CDRs; the session `unknown` is not known, and the reason `credit` is one that the hub can take."""

    def __init__(self) -> None:
        self.views: dict[tuple[PartyId, str], CdrView] = {}
        self.filters: list[CdrFilter] = []
        self.batches: list[int] = []

    async def accept(self, cdr: Cdr, who: str) -> CdrResult:
        [result] = await self.accept_many([cdr], who)
        if isinstance(result, CdrResult):
            return result
        [(field, detail)] = result.problems
        raise Conflict(detail, field) if result.conflict else Invalid(*result.problems)

    async def accept_many(self, cdrs: Sequence[Cdr], who: str) -> list[CdrResult | CdrRefusal]:
        self.batches.append(len(cdrs))
        return [self._one(cdr) for cdr in cdrs]

    def _one(self, cdr: Cdr) -> CdrResult | CdrRefusal:
        before = self.views.get((cdr.party, cdr.id))
        if cdr.energy < 0:
            return CdrRefusal([("energy", "is negative")])
        if cdr.session_id == "unknown":
            return CdrRefusal([("session_id", "the session unknown is not known yet")], conflict=True)
        if before is not None and before.cdr != cdr:
            return CdrRefusal([("id", "another CDR has this id")], conflict=True)
        self.views[cdr.party, cdr.id] = CdrView(cdr, CdrState.PENDING, "gireve", None, 0, None, None, None, NOW, None)
        return CdrResult(cdr.party, cdr.id, "created" if before is None else "unchanged", (), "gireve")

    async def get(self, party: PartyId, cdr_id: str) -> CdrView | None:
        return self.views.get((party, cdr_id))

    async def list(self, wanted: CdrFilter, after: str | None, limit: int) -> Page[CdrView]:
        if after is not None:
            raise BadCursor
        self.filters.append(wanted)
        return Page(list(self.views.values()))

    async def assign(self, party: PartyId, cdr_id: str, session: str | None, who: str) -> CdrResult:
        if (party, cdr_id) not in self.views:
            raise NotFound("there is no such CDR")
        return CdrResult(party, cdr_id, "updated", ())

    async def correct(self, party: PartyId, cdr_id: str, correction: Correction, who: str) -> Corrected:
        view = self.views.get((party, cdr_id))
        if view is None:
            raise NotFound("there is no such CDR")
        if correction.reason == "credit":
            return Corrected("credited", "c-1-R1", credit="c-1-C1")
        dispute = Dispute(1, correction.reason, {}, who, NOW)
        self.views[party, cdr_id] = replace(view, disputes=[dispute])
        return Corrected("dispute", cdr_id, dispute=1)
