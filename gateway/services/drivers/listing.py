"""Permits, as the backend sees them."""

from adapters.core.charging import Denial
from gateway.services.cursors import LAST, encode, number_of
from gateway.services.drivers.permits import SQL
from gateway.services.ports import NotFound, Page, Parties
from gateway.services.ports.permits import PermitDetail, PermitFilter, PermitOrigin, PermitView
from gateway.store.pool import Record, Store
from mappings.canonical.agreements import AgreementRef
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg


class PermitList:
    """Implements `ports.Permits`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, id_: str, parties: Parties) -> PermitView:
        """See `ports.Permits.get`."""
        row = await self._store.fetchrow(SQL["one"], id_)
        if row is None or (parties is not None and PartyId(row["party"]) not in parties):
            raise NotFound(f"there is no permit {id_}")
        return _view(row)

    async def list(self, wanted: PermitFilter, after: str | None, limit: int) -> Page[PermitView]:
        """See `ports.Permits.list`."""
        rows = await self._store.search(
            SQL["page"],
            None if wanted.parties is None else [party.normal for party in wanted.parties],
            wanted.allowed,
            wanted.since,
            wanted.until,
            wanted.connection,
            wanted.driver,
            number_of(after, LAST),
            limit,
        )
        return Page([_view(row) for row in rows], encode(str(rows[-1]["no"])) if len(rows) == limit else None)


def _view(row: Record) -> PermitView:
    session = f"{row['session_cpo']}/{row['session_id']}" if row["session_id"] is not None else None
    return PermitView(
        id=row["id"],
        origin=PermitOrigin(row["origin"]),
        party=PartyId(row["party"]),
        cpo=PartyId(row["cpo"]) if row["cpo"] is not None else None,
        evse=row["evse_key"],
        connection=row["connection"],
        allowed=row["allowed"],
        at=row["at"],
        leg=Leg.model_validate_json(row["leg"]),
        detail=PermitDetail.model_validate_json(row["detail"]),
        reason=Denial(row["reason"]) if row["reason"] is not None else None,
        driver=row["driver"],
        expires=row["expires_at"],
        session=session,
        agreement=AgreementRef.model_validate_json(row["agreement"]) if row["agreement"] is not None else None,
    )
