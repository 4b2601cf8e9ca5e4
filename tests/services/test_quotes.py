"""A quote says what a charge will cost by every way to an EVSE, or by a tariff."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from adapters.core.connection import Connection, Scope
from adapters.core.inbound import LocationCopy
from gateway.pricing.notes import NoteKind, Why
from gateway.services.ports import Invalid, Parties
from gateway.services.ports.quotes import Offer, Quote, QuoteWish
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Evse
from mappings.canonical.tariffs import (
    PriceComponent,
    Tariff,
    TariffElement,
    TariffHours,
    TariffRestrictions,
)
from tests.harness import AT, OTHER, PARTY, WHO, Services, evse, idle, later, location, tariff
from tests.services.driving import token
from tests.services.partners import digest_of

EMSP = PartyId("FR*EMS")
EVSE = "NL*XYZ*E1"
KWH = {"energy": 20, "power": 10}


@dataclass
class Desk:
    """A gateway with two hubs that offer stations of partners."""

    services: Services

    def over(self, hub: str) -> Connection:
        """A connection."""
        link = self.services.app.links.by_name(hub)
        assert link is not None
        return link.connection

    async def offer(self, hub: str, *evses: Evse, party: PartyId = OTHER, id_: str = "L1", **changes: Any) -> None:
        """A hub tells a station."""
        made = location(id_, *(evses or (evse("U1", EVSE, tariffs=["T1"]),)), party=party, **changes)
        copy = LocationCopy(made, (), hub.encode().ljust(16), True)
        await self.services.app.gateway.catalogue.put_location(self.over(hub), copy)

    async def price(self, hub: str, *tariffs: Tariff) -> None:
        """A hub tells tariffs."""
        for one in tariffs:
            await self.services.app.gateway.catalogue.put_tariff(self.over(hub), one, digest_of(one))

    async def quote(self, *, parties: Parties = None, accepted: str | None = None, **wish: Any) -> Quote:
        """A quote; of the EVSE of partners if nothing else is named."""
        named: dict[str, Any] = {} if {"evse", "tariff", "terms"} & wish.keys() else {"evse": {"evse_id": EVSE}}
        made = QuoteWish.model_validate({"need": KWH} | named | wish)
        return await self.services.app.services.quotes.quote(made, parties, accepted)

    async def one(self, **wish: Any) -> Offer:
        """The only offer of a quote."""
        [offer] = (await self.quote(**wish)).offers
        return offer


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with idle(database_url, "gireve", "hubject") as services:
        yield Desk(services)


def partners(id_: str = "T1", price: str = "0.5", **changes: Any) -> Tariff:
    """A tariff of a partner's, with tax."""
    component = PriceComponent(type="ENERGY", price=Decimal(price), vat=Decimal(21), step_size=1)
    elements = (TariffElement(price_components=(component,)),)
    return tariff(id_, party=OTHER, **({"elements": elements} | changes))


def gross(offer: Offer) -> str:
    """What a driver pays."""
    assert offer.cost is not None, offer.refusal
    return f"{offer.cost.gross:f} {offer.cost.currency}"


async def test_the_ways_to_an_evse_are_priced_side_by_side_each_by_what_its_hub_told(desk: Desk) -> None:
    await desk.offer("gireve")
    await desk.offer("hubject")
    await desk.price("gireve", partners(price="0.5"))
    await desk.price("hubject", partners(price="0.4"))
    quote = await desk.quote()
    assert quote.evse == "NLXYZE1"
    assert sorted((each.connection, each.hub, gross(each)) for each in quote.offers) == [
        ("gireve", "gireve", "12.10 EUR"),  # 20 kWh at 0.50, and 21 %
        ("hubject", "hubject", "9.68 EUR"),
    ]
    assert [each.preferred for each in quote.offers] == [True, False]
    first = quote.offers[0]
    assert (first.energy, first.charging, first.cpo, first.location_id, first.evse_uid) == (20, 7200, OTHER, "L1", "U1")
    assert first.tariff is not None
    assert (first.tariff.id, first.tariff.target) == ("T1", None)
    assert (first.tariff.version or 0) > 0


async def test_the_connection_that_speaks_first_is_quoted_first(desk: Desk) -> None:
    await desk.offer("gireve")
    await desk.offer("hubject")
    await desk.services.app.services.catalogue.order(["hubject", "gireve"], WHO)
    assert [each.connection for each in (await desk.quote()).offers] == ["hubject", "gireve"]


async def test_a_way_that_cannot_be_priced_says_why_beside_one_that_can(desk: Desk) -> None:
    await desk.offer("gireve")
    await desk.offer("hubject", evse("U1", EVSE))
    await desk.price("gireve", partners())
    offers = {each.connection: each for each in (await desk.quote()).offers}
    assert offers["gireve"].refusal is None
    refusal = offers["hubject"].refusal
    assert refusal is not None
    assert (refusal.why, refusal.detail) == (Why.NO_TARIFF, "nobody told its tariffs")


async def test_a_tariff_that_is_named_and_was_never_told_is_said_so(desk: Desk) -> None:
    await desk.offer("gireve")
    refusal = (await desk.one()).refusal
    assert refusal is not None
    assert (refusal.why, refusal.detail) == (Why.NO_TARIFF, "nobody told T1")


async def test_prices_told_for_the_evse_go_before_those_of_its_connectors(desk: Desk) -> None:
    await desk.offer("gireve")
    await desk.price("gireve", partners(), partners("T2", "0.1"))
    assert gross(await desk.one()) == "12.10 EUR"
    await desk.services.app.store.execute("UPDATE catalogue_evse SET prices = '{t2}'")
    assert gross(await desk.one()) == "2.42 EUR"
    # OICP's operator tells the prices of its sub-operators' EVSEs.
    operator = PartyId("NL*HUB")
    await desk.price("gireve", partners("T2", "0.2").model_copy(update={"party": operator}))
    await desk.services.app.store.execute("UPDATE catalogue_evse SET priced_by = $1", operator.normal)
    assert gross(await desk.one()) == "4.84 EUR"


async def test_a_tariff_that_names_no_tax_is_said_to(desk: Desk) -> None:
    await desk.offer("gireve")
    untaxed = {"type": "ENERGY", "price": "0.5", "step_size": 1}
    await desk.price("gireve", tariff("T1", party=OTHER, elements=[{"price_components": [untaxed]}]))
    offer = await desk.one()
    assert gross(offer) == "10.00 EUR"
    assert NoteKind.TAX_UNTOLD in {note.kind for note in offer.notes}


async def test_a_tariff_that_asks_for_the_current_is_quoted_where_it_is_given(desk: Desk) -> None:
    await desk.offer("gireve")
    component = {"type": "ENERGY", "price": "0.5", "vat": 21, "step_size": 1}
    by_current = [
        {"price_components": [component], "restrictions": {"max_current": 32}},
        {"price_components": [component | {"price": "0.8"}]},
    ]
    await desk.price("gireve", tariff("T1", party=OTHER, elements=by_current))
    refusal = (await desk.one()).refusal
    assert refusal is not None
    assert (refusal.why, refusal.field) == (Why.NO_POWER, "need")
    assert gross(await desk.one(need=KWH | {"current": 16})) == "12.10 EUR"
    assert gross(await desk.one(need=KWH | {"current": 48})) == "19.36 EUR"


async def test_only_the_way_over_a_connection_is_quoted_where_one_is_named(desk: Desk) -> None:
    await desk.offer("gireve")
    await desk.offer("hubject")
    await desk.price("gireve", partners())
    assert (await desk.one(connection="gireve")).connection == "gireve"
    by_key = {"location_id": "l1", "evse_uid": "u1"}
    assert gross(await desk.one(evse=by_key, connection="gireve")) == "12.10 EUR"


async def test_a_way_that_is_not_for_the_driver_s_emsp_is_not_quoted(desk: Desk) -> None:
    await desk.offer("gireve")
    await desk.offer("hubject")
    connections = desk.services.app.services.connections
    await connections.set_scope("gireve", Scope(parties=frozenset({EMSP})), WHO)
    assert [each.connection for each in (await desk.quote(party="FR*EMS")).offers] == ["gireve", "hubject"]
    assert [each.connection for each in (await desk.quote(party="DE*EMS")).offers] == ["hubject"]
    with pytest.raises(Invalid, match=r"party: no connection to this EVSE is for DE\*EMS"):
        await desk.quote(party="DE*EMS", connection="gireve")


async def test_an_own_evse_is_quoted_by_the_own_tariffs_to_whom_it_is_shown(desk: Desk) -> None:
    await desk.services.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1"])))
    await desk.services.put_tariffs(tariff("T1", "0.3"), tariff("T1", "0.25", target=EMSP))
    mine = {"evse_id": "NL*ABC*E1"}
    offer = await desk.one(evse=mine)
    assert (offer.connection, offer.cpo, gross(offer)) == (None, PARTY, "6.00 EUR")
    assert gross(await desk.one(evse=mine, party="FR*EMS")) == "5.00 EUR"
    by_key = {"cpo": "NL*ABC", "location_id": "L1", "evse_uid": "U1"}
    assert gross(await desk.one(evse=by_key, parties=frozenset({PARTY}))) == "6.00 EUR"
    for named in (mine, by_key):
        with pytest.raises(Invalid, match="there is no such EVSE"):
            await desk.quote(evse=named, parties=frozenset({OTHER}))


async def test_an_own_evse_that_a_partner_offers_too_is_quoted_by_both_the_own_first(desk: Desk) -> None:
    await desk.offer("gireve")
    await desk.services.put(location("L9", evse("U1", EVSE, tariffs=["T1"]), party=OTHER))
    assert [each.connection for each in (await desk.quote()).offers] == [None, "gireve"]


async def test_the_power_is_the_connector_s_where_none_is_given_and_that_is_said(desk: Desk) -> None:
    await desk.offer("gireve")
    await desk.price("gireve", partners())
    offer = await desk.one(need={"energy": 22})
    assert offer.charging == 3600  # the connector gives 22 kW
    [note] = offer.notes
    assert (note.kind, note.field) == (NoteKind.ASSUMED, "need.power")
    assert note.detail == "22 kW all the time, the most that the EVSE gives, since no power is given"


async def test_a_connector_has_to_be_named_only_where_it_matters(desk: Desk) -> None:
    one = evse("U1", EVSE, tariffs=["T1"])
    [connector] = one.connectors
    weak = connector.model_copy(update={"id": "2", "max_power": Decimal(11_000), "tariff_ids": ("T2",)})
    await desk.offer("gireve", one.model_copy(update={"connectors": (weak, connector)}))
    await desk.price("gireve", partners(), partners("T2", "0.1"))
    assumed = await desk.one()
    assert (assumed.connector_id, gross(assumed)) == ("1", "12.10 EUR")
    assert [note.field for note in assumed.notes] == ["connector_id"]
    named = await desk.one(connector_id="2")
    assert (named.connector_id, gross(named), named.notes) == ("2", "2.42 EUR", [])
    with pytest.raises(Invalid, match="connector_id: the EVSE has no connector 3"):
        await desk.quote(connector_id="3")


async def test_the_tariff_that_held_at_the_start_counts(desk: Desk) -> None:
    await desk.offer("gireve")
    await desk.price("gireve", partners(price="0.5"))
    start = await desk.services.app.store.fetchval("SELECT clock_timestamp() + '1 s'::interval")
    await desk.services.app.store.execute("UPDATE tariff_version SET known_from = known_from - '1 h'::interval")
    await desk.price("gireve", partners(price="0.7", last_updated=later(5)))
    assert gross(await desk.one(start=(start + timedelta(hours=2)).isoformat())) == "16.94 EUR"
    before = await desk.one(start=(start - timedelta(minutes=30)).isoformat())
    assert gross(before) == "12.10 EUR"
    late = await desk.one(start=AT.isoformat())
    assert (gross(late), [note.kind for note in late.notes]) == ("12.10 EUR", [NoteKind.KNOWN_LATER])


async def test_hours_are_those_of_the_place(desk: Desk) -> None:
    await desk.offer("gireve", evse("U1", EVSE, tariffs=["T1", "T2"]))
    night = TariffHours.model_validate({"spans": [{"start": "22:00", "end": "06:00"}]})
    await desk.price("gireve", partners(), partners("T2", "0.1", hours=night))
    in_amsterdam = await desk.one(start="2026-07-01T20:30:00Z")
    assert in_amsterdam.tariff is not None
    assert in_amsterdam.tariff.id == "T2"
    at_noon = await desk.one(start="2026-07-01T12:00:00Z")
    assert at_noon.tariff is not None
    assert at_noon.tariff.id == "T1"


async def test_a_stored_tariff_is_quoted_for_the_driver_s_emsp(desk: Desk) -> None:
    await desk.services.put_tariffs(tariff("T1", "0.3"), tariff("T1", "0.25", target=EMSP))
    named = {"tariff": {"party": "NL*ABC", "id": "t1"}}
    assert gross(await desk.one(**named)) == "6.00 EUR"
    assert gross(await desk.one(**named, party="FR*EMS")) == "5.00 EUR"
    await desk.price("gireve", partners())
    over = await desk.one(tariff={"party": "NL*XYZ", "id": "T1", "connection": "gireve"})
    assert (gross(over), over.connection, over.hub, over.cpo) == ("12.10 EUR", "gireve", "gireve", OTHER)


async def test_a_tariff_that_is_given_needs_no_storing(desk: Desk) -> None:
    limits = TariffRestrictions.model_validate({"start_time": "00:00", "end_time": "12:00"})
    cheap = PriceComponent(type="ENERGY", price=Decimal(1), step_size=1)
    dear = PriceComponent(type="ENERGY", price=Decimal(2), step_size=1)
    elements = (
        TariffElement(price_components=(cheap,), restrictions=limits),
        TariffElement(price_components=(dear,)),
    )
    terms = tariff("X", elements=elements, currency="JPY").model_dump()
    start = "2026-07-01T09:00:00Z"  # 11:00 in Amsterdam, and the charge takes two hours
    offer = await desk.one(terms=terms, start=start, time_zone="Europe/Amsterdam")
    assert gross(offer) == "30 JPY"
    assert offer.tariff is not None
    assert (offer.tariff.version, offer.tariff.known_from) == (None, None)
    nowhere = await desk.one(terms=terms, start=start)
    assert nowhere.refusal is not None
    assert nowhere.refusal.why is Why.NO_ZONE
    assert (nowhere.energy, nowhere.charging) == (20, 7200)


async def test_a_long_charge_by_a_long_tariff_holds_up_nobody_else(desk: Desk) -> None:
    component = PriceComponent(type="TIME", price=Decimal(1), step_size=1)
    minutes = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(200)]
    elements = tuple(
        TariffElement(
            price_components=(component,),
            restrictions=TariffRestrictions.model_validate({"start_time": begin, "end_time": end}),
        )
        for begin, end in pairwise(minutes)
    )
    terms = tariff("X", elements=elements).model_dump()
    need = {"duration": 7 * 86_400, "power": 1}
    # At noon: in the hours of the elements, one of them would be cut in two. In June, when every night has all of them.
    start = datetime(2026, 6, 1, 12, tzinfo=UTC)
    quote = asyncio.create_task(desk.one(terms=terms, need=need, start=start, time_zone="Europe/Amsterdam"))
    turns = 0
    while not quote.done():
        await asyncio.sleep(0)
        turns += 1
    assert len((await quote).lines) == 7 * 199
    assert turns > 10


async def test_amounts_are_rounded_to_the_currency_s_minor_unit_and_the_exact_ones_stand_beside_them(
    desk: Desk,
) -> None:
    offer = await desk.one(terms=partners(price="0.3333", currency="KWD").model_dump(), need={"energy": 1, "power": 1})
    assert offer.cost is not None
    assert (offer.cost.net, offer.cost.tax, offer.cost.gross) == (Decimal("0.333"), Decimal("0.070"), Decimal("0.403"))
    assert (offer.cost.exact_net, offer.cost.exact_gross) == (Decimal("0.3333"), Decimal("0.4033"))


async def test_texts_are_in_the_language_of_the_wish_else_as_asked_else_the_driver_s(desk: Desk) -> None:
    driver = token("d-1", type="APP_USER", language="nl")
    await desk.services.app.services.driver_tokens.put([(driver, ())], WHO)
    terms = partners().model_dump()
    mine = {"party": "FR*EMS", "token": {"type": "APP_USER", "uid": "D-1"}, "terms": terms}
    spoken = [
        await desk.quote(**mine, language="de", accepted="fr"),
        await desk.quote(**mine, accepted="fr"),
        await desk.quote(**mine),
        await desk.quote(terms=terms),
    ]
    assert [each.language for each in spoken] == ["de", "fr", "nl", "en"]
    texts = [each.offers[0].tariff.text for each in spoken if each.offers[0].tariff is not None]
    assert len(set(texts)) == 4
    await desk.offer("gireve")
    assert (await desk.quote(party="FR*EMS", token={"type": "APP_USER", "uid": "d-1"})).language == "nl"
    with pytest.raises(Invalid, match=r"token: is no driver token of FR\*EMS"):
        await desk.quote(party="FR*EMS", token={"type": "RFID", "uid": "d-1"})


@pytest.mark.parametrize(
    ("wish", "fault"),
    [
        ({"evse": {"evse_id": "NL*XYZ*E9"}}, "evse.evse_id: there is no such EVSE"),
        ({"connection": "nobody"}, "connection: there is no connection nobody"),
        ({"evse": {"location_id": "L9", "evse_uid": "U1"}, "connection": "gireve"}, "evse.evse_uid: there is no such"),
        ({"tariff": {"party": "NL*ABC", "id": "T9"}}, r"tariff.id: NL\*ABC has no such tariff"),
        ({"tariff": {"party": "NL*ABC", "id": "T9", "connection": "nobody"}}, "tariff.connection: there is no conn"),
        ({"need": {}}, "need: neither energy nor a target nor a duration"),
        ({"need": {"target": 10, "battery": {"capacity": 50, "charged": 20}}}, "need.target: the battery has 20 %"),
        ({"need": {"target": 10}}, "need.battery: a state of charge says nothing"),
        ({"need": {"energy": 9, "target": 10, "battery": {"capacity": 50, "charged": 2}}}, "need.target: energy is"),
        (
            {"need": {"energy": 9, "curve": {"over": "energy", "points": [[2, 1], [1, 1]]}}},
            r"need.curve.points\[1\]: the curve goes back",
        ),
    ],
)
async def test_a_wish_that_makes_no_sense_is_refused_by_its_field(desk: Desk, wish: dict[str, Any], fault: str) -> None:
    with pytest.raises(Invalid, match=fault):
        await desk.quote(**wish)


async def test_what_the_evse_cannot_give_is_refused_for_that_way_alone(desk: Desk) -> None:
    await desk.offer("gireve")
    await desk.price("gireve", partners())
    offer = await desk.one(need={"energy": 30, "duration": 3600, "power": 50})
    assert offer.refusal is not None
    assert (offer.refusal.why, offer.refusal.field) == (Why.NOT_MET, "need.duration")
    assert offer.refusal.detail == "in that time only 22 kWh flow"
    assert offer.tariff is not None
