"""Agreements, put into the store as an open offer each."""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import uuid4

from gateway.agreements.repository import Agreements
from gateway.services.links import Links
from gateway.services.visibility.audience import Audiences
from gateway.store.pool import Store
from mappings.canonical.agreements import EVERY_SERVICE, Joining, Offer, OfferState, OfferTerms, Service
from mappings.canonical.ids import PartyId
from tests.harness import PARTY, later


def audiences(store: Store, links: Links, clock: Callable[[], datetime]) -> Audiences:
    """Who is told of tariffs that are for one EMSP, by the agreements in the store."""
    return Audiences(Agreements(store, links, clock), links, clock)


async def agree(
    links: Links,
    connection: str,
    services: Iterable[Service] = EVERY_SERVICE,
    rank: int = 100,
    *,
    cpo: PartyId = PARTY,
    emsp: PartyId | None = None,
    starts: datetime | None = None,
    ends: datetime | None = None,
    state: OfferState = OfferState.PUBLISHED,
    evse_groups: tuple[str, ...] = (),
) -> str:
    """Lets one EMSP, or all, have services of a CPO; gives the offer's id."""
    link = links.by_name(connection)
    assert link is not None
    offer = Offer(
        id=f"O-{uuid4().hex}",
        connection=connection,
        cpo=cpo,
        audience=None if emsp is None else (emsp,),
        joining=Joining.OPEN,
        title=uuid4().hex,
        starts=starts or later(-3600),
        ends=ends,
    )
    terms = OfferTerms(services=frozenset(services), rank=rank, evse_groups=evse_groups)
    async with links.changing() as tx:
        await tx.execute(
            "INSERT INTO offer (id, connection_id, cpo, title, body, state, starts_at, ends_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            offer.id,
            link.connection.id,
            cpo.normal,
            offer.title,
            offer.model_dump_json(),
            state.value,
            offer.starts,
            ends,
        )
        await tx.execute(
            "INSERT INTO offer_version (offer_id, number, starts_at, terms, created_by) VALUES ($1, 1, $2, $3, 'test')",
            offer.id,
            offer.starts,
            terms.model_dump_json(),
        )
    return offer.id
