"""Services in memory behind `/v1/authorisations` and `/v1/tokens`."""

from typing import Any

from adapters.core.charging import Denial
from gateway.services.ports import Conflict, NotFound, Page, Parties
from gateway.services.ports.authorising import (
    Asked,
    AuthorisationFilter,
    AuthorisationView,
    Detail,
    Origin,
    StopAnswer,
    Tap,
)
from gateway.services.ports.tokens import TokenView
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import AuthMethod
from mappings.canonical.tokens import Identification, Pin, Token, TokenType, Whitelist
from tests.http.fakes import NOW

TOKEN = Token(
    party=PartyId("FR-XYZ"),
    uid="04A2B3C4D5E680",
    type=TokenType.RFID,
    contract_id=ContractId("FR-XYZ-C12345678-9"),
    issuer="XYZ",
    valid=True,
    whitelist=Whitelist.ALLOWED,
    last_updated=NOW,
)


class FakeAuthorisation:
    """Every card may charge but `DEAD`; there is no EVSE `NONE`."""

    def __init__(self) -> None:
        self.taps: list[Tap] = []
        self.stops: list[tuple[str, Identification, Pin | None, Parties]] = []
        self.views: dict[str, AuthorisationView] = {}
        self.filters: list[AuthorisationFilter] = []

    async def authorise(self, tap: Tap) -> AuthorisationView:
        self.taps.append(tap)
        if tap.evse_uid == "NONE":
            raise NotFound("the party has no such EVSE", "evse_uid")
        if tap.request_id == "used":
            raise Conflict("the same request_id was used for another driver or EVSE")
        allowed = tap.identification.uid != "DEAD"
        id_ = f"a-{len(self.taps)}"
        detail = Detail(asked=(Asked(connection="g", after=1, took=100, answer="allowed"),), took=101)
        self.views[id_] = AuthorisationView(
            id=id_,
            party=tap.party,
            location_id=tap.location_id or "L1",
            evse_uid=tap.evse_uid or "U1",
            connector_id=tap.connector_id,
            origin=Origin.TAP,
            allowed=allowed,
            at=NOW,
            detail=detail,
            reference=id_ if allowed else None,
            reason=None if allowed else Denial.BLOCKED,
            auth_method=AuthMethod.AUTH_REQUEST if allowed else None,
            connection="g" if allowed else None,
            leg=Leg(reference="r-1", identification=tap.identification) if allowed else None,
        )
        return self.views[id_]

    async def authorise_stop(
        self, id_: str, identification: Identification, pin: Pin | None, parties: Parties
    ) -> StopAnswer:
        await self.get(id_, parties)
        self.stops.append((id_, identification, pin, parties))
        return StopAnswer(False, Denial.OTHER_MEDIUM)

    async def get(self, id_: str, parties: Parties) -> AuthorisationView:
        view = self.views.get(id_)
        if view is None or (parties is not None and view.party not in parties):
            raise NotFound(f"there is no authorisation {id_}")
        return view

    async def list(self, wanted: AuthorisationFilter, after: str | None, limit: int) -> Page[Any]:
        self.filters.append(wanted)
        found = [
            view
            for view in reversed(self.views.values())
            if (wanted.parties is None or view.party in wanted.parties) and wanted.allowed in (None, view.allowed)
        ]
        return Page(found[:limit])


class FakeTokens:
    """One token."""

    async def list(
        self, connection: str | None, party: PartyId | None, uid: str | None, after: str | None, limit: int
    ) -> Page[TokenView]:
        if connection not in (None, "g"):
            raise NotFound(f"there is no connection {connection}")
        return Page([TokenView("g", True, NOW, TOKEN)])
