"""Who would see and pay what under an offer, before anybody has it."""

from decimal import Decimal

import pytest

from gateway.agreements.repository import Agreements
from gateway.services.offers.precedence import Ranked, compared, meet
from gateway.services.offers.previewing import Previewing
from gateway.services.ports.common import Invalid, NotFound
from gateway.services.ports.previews import PreviewWish
from gateway.services.publishing import Publishing
from mappings.canonical.agreements import (
    EvseGroup,
    GroupPrice,
    Joining,
    OfferTerms,
    PriceSource,
    Service,
)
from mappings.canonical.ids import EvseId, PartyId
from tests.agreed import audiences
from tests.harness import OTHER, PARTY, WHO, evse, location, tariff
from tests.offers.desk import DAY, EMSP, ROAMS, SECOND, START, STRANGER, TERMS, Desk, offer


@pytest.fixture
async def network(made):
    """Three EVSEs at two locations, one of them in the group `G1`, with a tariff each."""
    publishing = Publishing(
        made.store, made.links, audiences(made.store, made.links, lambda: made.now), lambda: None, lambda: made.now
    )
    await publishing.put_tariffs([(tariff("T1", "0.5"), ()), (tariff("T2", "0.25"), ())], WHO)
    await publishing.put_locations(
        [
            (location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1"]), evse("U2", "NL*ABC*E2", tariffs=["T1"])), ()),
            (location("L2", evse("U3", "NL*ABC*E3", tariffs=["T2"])), ()),
        ],
        WHO,
    )
    await made.groups.put_evse_group(EvseGroup(id="G1", party=PARTY, name="g", evse_ids=(EvseId("NL*ABC*E3"),)), WHO)
    return made


def previews(made: Desk) -> Previewing:
    return Previewing(made.store, made.links, Agreements(made.store, made.links, lambda: made.now), lambda: made.now)


async def test_an_offer_to_all_is_shown_with_what_every_emsp_would_have_and_pay(network):
    seen = await previews(network).preview(None, PreviewWish(offer=offer(), terms=TERMS))
    assert (seen.at, seen.locations, seen.evses, seen.problems, seen.overlapping) == (START, 2, 3, [], [])
    assert [(one.emsp, one.needs, one.locations, one.evses) for one in seen.emsps] == [
        (EMSP, "subscribe", 2, 3),
        (SECOND, "subscribe", 2, 3),
    ]
    assert seen.emsps[0].services == [Service.AUTHORISE, Service.POI]
    # Nothing is restricted yet, so that everybody has everything.
    assert seen.emsps[0].now == list(Service)
    first = seen.prices[0]
    assert (first.tariff_id, first.sample, first.currency) == ("T1", "22 kWh in 2.7 h from 12:07, Tuesday", "EUR")
    assert (first.net, {one.tariff_id for one in seen.prices}) == (Decimal("11.00"), {"T1", "T2"})


async def test_prices_are_told_by_group_and_for_the_emsp_that_it_is_for(network):
    terms = OfferTerms(
        services=frozenset({Service.REMOTE}),
        evse_groups=("G1",),
        price_source=PriceSource.AGREED,
        prices=(GroupPrice(evse_group="G1", tariff_ids=("T2",)),),
    )
    wish = PreviewWish(offer=offer(audience=(EMSP,), joining=Joining.APPROVE), terms=terms)
    seen = await previews(network).preview(None, wish)
    assert (seen.locations, seen.evses) == (1, 1)
    [only] = seen.emsps
    assert (only.emsp, only.name, only.needs, only.locations) == (EMSP, "DE*EMP", "be approved", 0)
    assert {(one.group, one.tariff_id) for one in seen.prices} == {("G1", "T2")}
    other = await previews(network).preview(None, wish.model_copy(update={"emsps": (SECOND,)}))
    assert [(one.needs, one.services) for one in other.emsps] == [("it is not for this EMSP", ())]


async def test_what_an_emsp_has_now_and_what_goes_before_is_said(network):
    await network.publish(offer("A", title="a", audience=(EMSP,), joining=Joining.OPEN), ROAMS)
    await network.turning.look()
    seen = await previews(network).preview(None, PreviewWish(offer=offer("B", title="b"), terms=TERMS))
    assert [(one.emsp, one.overlapped_by, one.now) for one in seen.emsps] == [
        (EMSP, "A", list(Service)),
        (SECOND, None, []),
    ]
    assert seen.overlapping == [("A", "it goes before this one, since it names its EMSPs")]
    later = await previews(network).preview("A", PreviewWish(at=START + DAY))
    assert (later.at, later.overlapping, later.emsps[0].needs) == (START + DAY, [], "nothing")


async def test_problems_are_listed_and_not_raised(network):
    bad = offer(starts=START - DAY, audience=(STRANGER,))
    terms = OfferTerms(
        services=frozenset({Service.REMOTE}),
        price_source=PriceSource.AGREED,
        prices=(GroupPrice(tariff_ids=("T9",)),),
    )
    seen = await previews(network).preview(None, PreviewWish(offer=bad, terms=terms))
    assert [field for field, _ in seen.problems] == ["audience[0]", "terms.prices[0].tariff_ids[0]", "starts"]
    assert {one.why for one in seen.prices} == {"nobody told T9"}


async def test_a_later_version_of_what_is_published_is_looked_at_as_one(network):
    await network.publish(offer("A"), ROAMS)
    wish = PreviewWish(terms=ROAMS.model_copy(update={"rank": 14}))
    assert (await previews(network).preview("A", wish)).problems == [("terms.rank", "14 comes never later")]
    assert (await previews(network).preview("A", PreviewWish())).problems == []


async def test_what_is_not_there_is_named(network):
    with pytest.raises(NotFound, match="no offer O9"):
        await previews(network).preview("O9", PreviewWish())
    with pytest.raises(NotFound, match="no connection x"):
        await previews(network).preview(None, PreviewWish(offer=offer(connection="x"), terms=TERMS))
    with pytest.raises(NotFound, match="no network group N9"):
        await previews(network).preview(None, PreviewWish(offer=offer(network_group="N9"), terms=TERMS))
    with pytest.raises(Invalid):
        await previews(network).preview(None, PreviewWish())
    with pytest.raises(Invalid):
        await previews(network).preview(None, PreviewWish(offer=offer()))


async def test_at_a_hub_those_are_known_whom_it_told_of_or_whose_drivers_came(network):
    number = network.links.by_name("hub").connection.id
    await network.store.execute(
        "INSERT INTO client_info (connection_id, party, role, status, last_updated)"
        " VALUES ($1, 'FR*AAA', 'EMSP', 'CONNECTED', now()), ($1, 'FR*CPO', 'CPO', 'CONNECTED', now())",
        number,
    )
    await network.store.execute("INSERT INTO emsp_seen (emsp, connection_id) VALUES ('FR*BBB', $1)", number)
    made = offer(connection="hub", starts=START + 50 * DAY, lead_time_days=42)
    terms = OfferTerms(services=frozenset({Service.REMOTE}), price_source=PriceSource.HUB)
    seen = await previews(network).preview(None, PreviewWish(offer=made, terms=terms))
    assert [one.emsp for one in seen.emsps] == [PartyId("FR*AAA"), PartyId("FR*BBB")]
    assert [one.why for one in seen.prices] == ["the prices are at the hub alone"]
    assert seen.problems == []


async def test_a_partners_offer_is_looked_at_too(network):
    made = offer(connection="portal", cpo=STRANGER, audience=(EMSP,))
    seen = await previews(network).preview(None, PreviewWish(offer=made, terms=TERMS))
    assert (seen.evses, seen.problems) == (0, [])
    assert [one.why for one in seen.prices] == ["each EVSE of a partner names its own tariff"]


@pytest.mark.parametrize(
    ("changes", "terms", "words"),
    [
        ({"audience": (EMSP,)}, {}, "this one goes before it, since this one names its EMSPs"),
        ({}, {"evse_groups": ("G1",)}, "this one goes before it, since this one is for EVSE groups"),
        ({"network_group": "N"}, {}, "it goes before this one, since it is of the CPO itself"),
        ({}, {"rank": 7}, "this one goes before it, since this one has the lower rank"),
        ({}, {}, "it goes before this one, since it is older"),
    ],
)
def test_the_more_specific_offer_goes_before(changes, terms, words):
    one = Ranked(offer("B", **changes), TERMS.model_copy(update=terms), 2)
    other = Ranked(offer("A"), TERMS, 1)
    assert compared(one, other).startswith(words)
    assert compared(other, one) != compared(one, other)


def test_offers_for_others_other_evses_or_other_services_do_not_meet():
    one = Ranked(offer("A", audience=(EMSP,)), TERMS.model_copy(update={"evse_groups": ("G1",)}), 1)
    assert meet(one, Ranked(offer("B", cpo=OTHER), TERMS, 2))
    assert not meet(one, Ranked(offer("B", audience=(SECOND,)), TERMS, 2))
    assert not meet(one, Ranked(offer("B"), TERMS.model_copy(update={"evse_groups": ("G2",)}), 2))
    assert not meet(one, Ranked(offer("B"), OfferTerms(services=frozenset({Service.CDR})), 2))
