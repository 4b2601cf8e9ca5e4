"""Driver tokens and permits in memory, as the HTTP face asks for them."""

from collections.abc import Sequence
from datetime import timedelta

from adapters.core.charging import Denial
from gateway.services.ports import BadCursor, Conflict, HubIssue, NotFound, Page, Parties, PutResult
from gateway.services.ports.driver_tokens import (
    DriverToken,
    DriverTokenFilter,
    StoredDriverToken,
    Switched,
    Whose,
)
from gateway.services.ports.permits import Decider, PermitDetail, PermitFilter, PermitOrigin, PermitView
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Identification, TokenType
from mappings.report import Issue, IssueKind
from tests.http.fakes import NOW

Key = tuple[PartyId, TokenType, str]


class FakeDriverTokens:
    """Driver tokens."""

    def __init__(self) -> None:
        self.held: dict[Key, StoredDriverToken] = {}
        self.filters: list[DriverTokenFilter] = []
        self.batches: list[int] = []

    async def put(
        self, batch: Sequence[tuple[DriverToken, Sequence[Issue]]], who: str, *, if_revision: int | None = None
    ) -> list[PutResult]:
        self.batches.append(len(batch))
        results = []
        for token, issues in batch:
            key = (token.party, token.type, token.uid.upper())
            before = self.held.get(key)
            revision = before.revision if before else 0
            if if_revision is not None and revision != if_revision:
                raise Conflict("The token changed meanwhile")
            self.held[key] = StoredDriverToken(token, False, revision + 1, NOW)
            outcome = "updated" if before else "created"
            results.append(PutResult(token.party, f"{token.type}/{token.uid}", outcome, issues))
        return results

    async def withdraw(self, party: PartyId, type_: TokenType, uid: str, who: str) -> bool:
        key = (party, type_, uid.upper())
        before = self.held.get(key)
        if before is None or before.withdrawn:
            return False
        self.held[key] = StoredDriverToken(before.token, True, before.revision + 1, NOW)
        return True

    async def switch(self, whose: Whose, who: str, *, valid: bool) -> Switched:
        found = [
            key
            for key, one in self.held.items()
            if one.token.party == whose.party
            and (one.token.driver == whose.driver if whose.driver else one.token.contract_id == whose.contract)
        ]
        if not found:
            raise NotFound(f"{whose.party} has no such token")
        changed = 0
        for key in found:
            one = self.held[key]
            changed += one.token.valid is not valid
            token = one.token.model_copy(update={"valid": valid})
            self.held[key] = StoredDriverToken(token, False, one.revision + 1, NOW)
        return Switched(len(found), changed)

    async def get(self, party: PartyId, type_: TokenType, uid: str) -> StoredDriverToken | None:
        return self.held.get((party, type_, uid.upper()))

    async def issues(self, party: PartyId, type_: TokenType, uid: str) -> list[HubIssue]:
        return [HubIssue("hubject", "tokens", "k", Issue(IssueKind.LOST, "issuer", "has no place", None))]

    async def list(self, wanted: DriverTokenFilter, after: str | None, limit: int) -> Page[StoredDriverToken]:
        if after is not None:
            raise BadCursor
        self.filters.append(wanted)
        return Page(list(self.held.values())[:limit])


class FakePermits:
    """One permit that was denied."""

    def __init__(self) -> None:
        self.filters: list[PermitFilter] = []
        self.one = PermitView(
            id="p-1",
            origin=PermitOrigin.ASKED,
            party=PartyId("FR*XYZ"),
            cpo=PartyId("NL*ABC"),
            evse=None,
            connection="hubject",
            allowed=False,
            at=NOW - timedelta(minutes=1),
            leg=Leg(hub_session="h-1", identification=Identification(type=TokenType.RFID, uid="04A2")),
            detail=PermitDetail(decided=Decider.LOCAL, took=3),
            reason=Denial.BLOCKED,
        )

    async def get(self, id_: str, parties: Parties) -> PermitView:
        if id_ != self.one.id or (parties is not None and self.one.party not in parties):
            raise NotFound(f"there is no permit {id_}")
        return self.one

    async def list(self, wanted: PermitFilter, after: str | None, limit: int) -> Page[PermitView]:
        if after is not None:
            raise BadCursor
        self.filters.append(wanted)
        return Page([self.one])
