"""A tariff that an offer names is for whoever the offer is for: for all, or for each EMSP in its audience."""

import pytest

from gateway.services.ports.common import Invalid
from mappings.canonical.agreements import GroupPrice, OfferTerms, PriceSource, Service
from mappings.canonical.ids import PartyId
from tests.harness import PARTY, WHO, tariff
from tests.offers.desk import EMSP, STRANGER, Desk, offer

TERMS = OfferTerms(
    services=frozenset({Service.AUTHORISE}),
    price_source=PriceSource.AGREED,
    prices=(GroupPrice(tariff_ids=("T1",)),),
)


async def variant(made: Desk, target: PartyId | None) -> None:
    one = tariff("T1", target=target)
    await made.store.execute(
        "INSERT INTO tariff (party, tariff_id, target, body, digest, last_updated)"
        " VALUES ($1, 'T1', $2, $3, '', now())",
        PARTY.normal,
        target.normal if target is not None else "",
        one.model_dump_json(exclude_none=True),
    )


@pytest.mark.parametrize(
    ("targets", "audience", "refused"),
    [
        ((None,), None, None),
        ((None,), (EMSP,), None),
        ((EMSP,), (EMSP,), None),
        ((EMSP, None), None, None),
        ((EMSP, None), (STRANGER,), None),
        ((EMSP,), None, f"tariff T1 is for {EMSP} alone, and the offer for all"),
        ((EMSP,), (STRANGER,), f"tariff T1 is not for {STRANGER}"),
        ((EMSP,), (EMSP, STRANGER), f"tariff T1 is not for {STRANGER}"),
        ((EMSP, STRANGER), (EMSP, STRANGER), None),
    ],
)
async def test_a_tariff_for_others_is_refused_by_its_field(made, targets, audience, refused):
    for target in targets:
        await variant(made, target)
    try:
        await made.offers.put(offer(audience=audience), TERMS, WHO)
        found = None
    except Invalid as error:
        found = dict(error.problems).get("terms.prices[0].tariff_ids[0]")
    assert found == refused
