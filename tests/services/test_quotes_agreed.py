"""Quotes follow agreements: who may use a way, and whose prices hold there."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from gateway.pricing.notes import NoteKind, Why
from gateway.services.ports import Invalid, Parties
from gateway.services.ports.quotes import Offer, QuoteWish
from mappings.canonical.agreements import GroupPrice, OfferTerms, PriceSource, Service
from tests.harness import PARTY, evse, later, location, tariff
from tests.services.seeing import MINE, OTHERS, Seeing, seeing

EVSES = ("NL*ABC*E1", "NL*ABC*E2")


@pytest.fixture
async def at(database_url: str) -> AsyncIterator[Seeing]:
    """Two EVSEs over the own network and over a hub, at 0.50 a kWh, with other tariffs told beside."""
    async with seeing(database_url) as made:
        for over, id_ in (("home", "L1"), ("gireve", "G1")):
            given = [evse(f"U{n}", name, tariffs=["T1"]) for n, name in enumerate(EVSES)]
            await made.shows(location(id_, *given), over)
            for one in (
                tariff("T1"),
                tariff("CHEAP", "0.2"),
                tariff("DEAR", "0.9"),
                tariff("T1", "0.1", target=OTHERS),
            ):
                await made.prices(one, over)
        yield made


async def quoted(at: Seeing, evse_id: str = EVSES[0], parties: Parties = None, **wish: Any) -> dict[str, Offer]:
    """What a charge of 10 kWh costs, by connection, once all tariffs are known."""
    fields = {"evse": {"evse_id": evse_id}, "need": {"energy": 10, "power": 11}, "party": MINE} | wish
    given = {name: value for name, value in fields.items() if value is not None}
    made = await at.app.services.quotes.quote(QuoteWish.model_validate(given), parties, None)
    return {offer.connection or "": offer for offer in made.offers}


def net(offer: Offer) -> Decimal | None:
    return offer.cost.net if offer.cost is not None else None


async def terms(at: Seeing, offer: str, **changes: Any) -> None:
    """Gives an offer other terms from its start on, as if they had been written so."""
    made = OfferTerms.model_validate({"services": frozenset(Service)} | changes)
    async with at.app.links.changing() as tx:
        await tx.execute("ALTER TABLE offer_version DISABLE TRIGGER USER")
        await tx.execute("UPDATE offer_version SET terms = $2 WHERE offer_id = $1", offer, made.model_dump_json())


async def test_without_offers_every_way_has_its_price(at: Seeing) -> None:
    assert {name: net(offer) for name, offer in (await quoted(at)).items()} == {"home": 5, "gireve": 5}


async def test_a_way_over_the_own_network_that_is_not_agreed_upon_says_so_instead_of_a_price(at: Seeing) -> None:
    await at.agrees(OTHERS)
    found = await quoted(at)
    refusal = found["home"].refusal
    assert refusal is not None
    assert (refusal.why, refusal.field, "no_agreement" in refusal.detail) == (Why.NO_AGREEMENT, "party", True)
    assert (found["home"].cost, found["home"].location_id) == (None, None)
    assert net(found["gireve"]) == 5


async def test_a_way_over_a_hub_is_priced_with_a_note(at: Seeing) -> None:
    await at.agrees(OTHERS, "gireve")
    found = (await quoted(at))["gireve"]
    assert net(found) == 5
    assert NoteKind.NO_AGREEMENT in [note.kind for note in found.notes]


async def test_the_answer_names_offer_and_version(at: Seeing) -> None:
    offer = await at.agrees(MINE)
    agreement = (await quoted(at))["home"].agreement
    assert agreement is not None
    assert (agreement.offer, agreement.version) == (offer, 1)


@pytest.mark.parametrize("over", ["home", "gireve"])
async def test_agreed_tariffs_price_the_evses_of_their_groups(at: Seeing, over: str) -> None:
    await at.group("G1", EVSES[0])
    offer = await at.agrees(MINE, over)
    prices = (GroupPrice(evse_group="G1", tariff_ids=("CHEAP",)), GroupPrice(tariff_ids=("DEAR",)))
    await terms(at, offer, price_source=PriceSource.AGREED, prices=prices)
    first, second = (await quoted(at))[over], (await quoted(at, EVSES[1]))[over]
    assert [net(first), net(second)] == [2, 9]
    assert first.tariff is not None
    assert first.tariff.id == "CHEAP"
    assert net((await quoted(at))[{"home": "gireve", "gireve": "home"}[over]]) == 5


async def test_a_price_that_only_the_hub_knows_is_not_guessed(at: Seeing) -> None:
    offer = await at.agrees(MINE, "gireve")
    await terms(at, offer, price_source=PriceSource.HUB)
    refusal = (await quoted(at))["gireve"].refusal
    assert refusal is not None
    assert refusal.why is Why.NO_TARIFF


async def test_a_quote_holds_to_the_agreements_at_the_start_of_the_charge(at: Seeing) -> None:
    await at.agrees(MINE, ends=later(9 * 86_400))
    assert net((await quoted(at, start=later(8 * 86_400)))["home"]) == 5
    assert (await quoted(at, start=later(10 * 86_400)))["home"].refusal is not None


async def test_a_key_for_one_emsp_is_quoted_as_that_one(at: Seeing) -> None:
    await at.agrees(OTHERS)
    found = await quoted(at, parties=frozenset({MINE}), party=None)
    assert found["home"].refusal is not None


async def test_a_key_learns_nothing_of_another_emsps_prices(at: Seeing) -> None:
    assert net((await quoted(at, parties=frozenset({OTHERS}), party=OTHERS))["home"]) == 1
    with pytest.raises(Invalid):
        await quoted(at, parties=frozenset({MINE}), party=OTHERS)


async def test_a_tariff_of_a_network_that_is_not_seen_is_not_there(at: Seeing) -> None:
    await at.agrees(OTHERS)
    named = {"party": PARTY, "id": "T1", "connection": "home"}
    with pytest.raises(Invalid):
        await quoted(at, parties=frozenset({MINE}), evse=None, tariff=named)
    assert len(await quoted(at, parties=frozenset({OTHERS}), evse=None, party=OTHERS, tariff=named)) == 1
