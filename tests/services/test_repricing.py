"""Every CDR that comes is priced by the tariff in force at its start, and compared with what it says."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest

from adapters.core.inbound import LocationCopy
from gateway.pricing.notes import NoteKind
from gateway.services.ports.repricing import Direction, Outcome, RepricingState, TariffSource
from gateway.store.pool import Store
from mappings.canonical.cdrs import Cdr
from mappings.canonical.ids import PartyId
from tests.harness import evse, location
from tests.services.homecoming import CPO, END, EVSE, START
from tests.services.pricing import Desk, bill, desk, priced


@pytest.fixture
async def at(store: Store) -> AsyncIterator[Desk]:
    """A home with a desk for prices."""
    async with desk(store) as made:
        yield made


def kinds(shown: object) -> set[NoteKind]:
    """The kinds of a repricing's notes."""
    return {note.kind for note in shown.result.notes}  # type: ignore[attr-defined]


async def test_a_cdr_that_follows_from_its_tariff_matches(at: Desk) -> None:
    version = await at.publish(priced())
    shown = await at.one(bill("c-1", "T1"))
    one = shown.repricing
    assert (one.outcome, one.state, one.why) == (Outcome.MATCHES, RepricingState.CLEAR, None)
    assert (one.told_net, one.net, one.difference_net) == (4, 4, 0)
    assert (one.tariff, one.source, one.version) == ("T1", TariffSource.PUBLISHED, version)
    assert (one.direction, one.received, one.cpo, one.cdr) == (Direction.IN, 1, CPO, "c-1")
    assert (one.party, one.emsp, one.connection) == (PartyId("FR*EMS"), PartyId("FR*EMS"), "hub")
    [line] = shown.result.lines
    assert (line.billed, line.price, line.net) == (10, Decimal("0.4"), 4)
    assert at.counted == [("scripted", "hub", "in", "matches")]
    assert await at.events() == []


async def test_a_cdr_that_costs_more_waits_for_a_person_and_is_told_of(at: Desk) -> None:
    await at.publish(priced("0.3"))
    shown = await at.one(bill("c-1", "T1"))
    one = shown.repricing
    assert (one.outcome, one.state, one.difference_net) == (Outcome.DIFFERS, RepricingState.OPEN, 1)
    [energy, total] = shown.result.parts
    assert (energy.part, energy.told, energy.calculated.net) == ("energy", None, 3)
    assert total.told is not None
    assert (total.told.net, total.calculated.net, total.differs) == (4, 3, True)
    [(type_, data)] = await at.events()
    assert (type_, data["outcome"], data["told_net"], data["net"]) == (
        "received_cdr.price_differs",
        "differs",
        "4",
        "3.0000",
    )


async def test_what_differs_within_the_tolerance_matches(at: Desk) -> None:
    await at.publish(priced("0.399"))
    assert (await at.one(bill("c-1", "T1"))).repricing.outcome is Outcome.MATCHES
    assert (await at.one(bill("c-2", "T1", total_cost={"net": "4.01"}))).repricing.outcome is Outcome.DIFFERS


async def test_a_cdr_without_a_price_is_priced_all_the_same(at: Desk) -> None:
    await at.publish(priced())
    one = (await at.one(bill("c-1", "T1", total_cost=None))).repricing
    assert (one.outcome, one.state, one.told_net, one.net) == (Outcome.UNTOLD, RepricingState.CLEAR, None, 4)


async def test_a_hubs_price_is_compared_without_tax_and_by_its_rounding(at: Desk) -> None:
    component = {"type": "ENERGY", "price": "0.40006", "vat": 20, "step_size": 1}
    await at.publish(priced(elements=[{"price_components": [component]}]))
    cost = {"net": 4, "taxes": [{"name": "VAT", "amount": 0}]}
    one = (await at.one(bill("c-1", "T1", total_cost=cost, priced_by_hub=True))).repricing
    assert (one.outcome, one.net, one.gross) == (Outcome.MATCHES, Decimal("4.001"), Decimal("4.801"))
    other = (await at.one(bill("c-2", "T1", total_cost=cost))).repricing
    assert (other.outcome, other.net) == (Outcome.DIFFERS, Decimal("4.0006"))


async def test_without_a_tariff_nothing_is_guessed_and_a_person_has_to_look(at: Desk) -> None:
    shown = await at.one(bill("c-1", "T9"))
    one = shown.repricing
    assert (one.outcome, one.why, one.state) == (Outcome.UNPRICEABLE, "no_tariff", RepricingState.OPEN)
    assert (one.told_net, one.net, one.tariff) == (4, None, None)
    assert shown.result.detail
    assert [type_ for type_, _ in await at.events()] == ["received_cdr.price_differs"]
    free = (await at.one(bill("c-2", "T9", total_cost={"net": 0}))).repricing
    assert (free.outcome, free.state) == (Outcome.UNPRICEABLE, RepricingState.CLEAR)


async def test_the_tariff_of_the_start_counts_though_it_changed_while_charging_and_since(at: Desk) -> None:
    during, since = START + timedelta(minutes=20), END + timedelta(days=1)
    first = await at.publish(priced("0.4"), until=during)
    await at.publish(priced("0.5"), during, since, first=False)
    await at.publish(priced("0.6"), since, first=False)
    shown = await at.one(bill("c-1", "T1"))
    assert (shown.repricing.version, shown.repricing.outcome) == (first, Outcome.MATCHES)
    assert NoteKind.CHANGED in kinds(shown)


async def test_a_tariff_first_heard_of_later_is_taken_and_said_to_be(at: Desk) -> None:
    await at.publish(priced(), END + timedelta(hours=1))
    shown = await at.one(bill("c-1", "T1"))
    assert (shown.repricing.outcome, kinds(shown)) == (Outcome.MATCHES, {NoteKind.KNOWN_LATER})


async def test_what_was_published_goes_before_the_cdrs_own_copy(at: Desk) -> None:
    await at.publish(priced("0.3"))
    shown = await at.one(bill("c-1", tariffs=[priced("0.4")]))
    assert (shown.repricing.source, shown.repricing.net) == (TariffSource.PUBLISHED, 3)
    assert NoteKind.OTHER_TERMS in kinds(shown)
    same = await at.one(bill("c-2", tariffs=[priced("0.3", last_updated=END)]))
    assert NoteKind.OTHER_TERMS not in kinds(same)


async def test_the_cdrs_own_copy_counts_where_nothing_was_published(at: Desk) -> None:
    one = (await at.one(bill("c-1", tariffs=[priced(type="PROFILE_GREEN")]))).repricing
    assert (one.outcome, one.source, one.version) == (Outcome.MATCHES, TariffSource.CDR, None)


async def test_another_spelling_of_a_tariffs_id_is_the_same_one(at: Desk) -> None:
    await at.publish(priced())
    assert (await at.one(bill("c-1", "t1"))).repricing.outcome is Outcome.MATCHES


async def test_a_product_is_the_id_of_a_tariff(at: Desk) -> None:
    await at.publish(priced(id_="AC1"))
    fields = {"product": "AC1", "charging_start": START, "charging_end": END, "total_cost": None}
    one = (await at.one(bill("c-1", periods=[], **fields))).repricing
    assert (one.tariff, one.net) == ("AC1", 4)


async def test_a_product_that_names_no_tariff_leaves_it_to_the_connector(at: Desk) -> None:
    await at.publish(priced(id_="C1"))
    await at.store.execute("UPDATE catalogue_evse SET prices = ARRAY['C1']")
    fields = {"product": "AC3", "charging_start": START, "charging_end": END, "total_cost": None}
    shown = await at.one(bill("c-1", periods=[], **fields))
    assert (shown.repricing.tariff, shown.repricing.net) == ("C1", 4)
    assert NoteKind.ASSUMED in kinds(shown)


async def test_a_cdr_that_names_no_tariff_is_priced_by_its_connectors(at: Desk) -> None:
    await at.publish(priced(id_="C1"))
    await at.store.execute("UPDATE catalogue_evse SET prices = ARRAY['C1']")
    shown = await at.one(bill())
    assert (shown.repricing.tariff, kinds(shown)) == ("C1", {NoteKind.ASSUMED})


async def test_a_connectors_own_tariffs_are_those_that_its_station_names(at: Desk) -> None:
    await at.publish(priced(id_="C1"))
    station = location("L1", evse("U1", EVSE, tariffs=["C1"]), party=CPO, last_updated=END)
    await at.home.catalogue.put_location(at.home.connection(), LocationCopy(station, (), bytes(15) + b"1"))
    for connector in ("1", "unknown"):
        place = {"id": "L1", "evse_uid": "U1", "connector_id": connector, "evse_id": EVSE}
        assert (await at.one(bill(f"c-{connector}", location=place))).repricing.tariff == "C1"


async def test_an_evse_that_moved_is_priced_where_it_is(at: Desk) -> None:
    await at.publish(priced(id_="C1"))
    for id_, uid in (("L1", "U1"), ("L2", "U2"), ("L3", "U3")):
        station = location(id_, evse(uid, EVSE), party=CPO, last_updated=END)
        await at.home.catalogue.put_location(at.home.connection(), LocationCopy(station, (), id_.encode().ljust(16)))
    # Another connection speaks for it.
    await at.store.execute("UPDATE catalogue_evse SET preferred = false, removed = uid <> 'U2', prices = ARRAY['C9']")
    await at.store.execute("UPDATE catalogue_evse SET prices = ARRAY['C1'] WHERE NOT removed")
    assert (await at.one(bill())).repricing.tariff == "C1"


async def test_an_operator_tells_the_prices_of_its_sub_operators_evses(at: Desk) -> None:
    operator = PartyId("NL*HUB")
    await at.publish(priced(id_="C1").model_copy(update={"party": operator}))
    await at.store.execute("UPDATE catalogue_evse SET prices = ARRAY['C1', 'C2'], priced_by = $1", operator.normal)
    assert (await at.one(bill())).repricing.net == 4
    fields = {"product": "C1", "charging_start": START, "charging_end": END, "total_cost": None}
    assert (await at.one(bill("c-2", periods=[], **fields))).repricing.net == 4


async def test_a_tariff_for_the_drivers_emsp_goes_before_the_one_for_all(at: Desk) -> None:
    await at.publish(priced("0.5"))
    special = await at.publish(priced("0.4", target=PartyId("FR*EMS")))
    await at.publish(priced("0.3", target=PartyId("FR*XXX")))
    assert (await at.one(bill("c-1", "T1"))).repricing.version == special


async def test_periods_may_name_tariffs_of_their_own(at: Desk) -> None:
    await at.publish(priced("0.4", "T1"))
    await at.publish(priced("0.2", "T2"))
    halves = [("T1", START), ("T2", START + timedelta(minutes=30))]
    half = [{"type": "ENERGY", "volume": 5}, {"type": "TIME", "volume": "0.5"}]
    periods = [{"start": start, "tariff_id": id_, "dimensions": half} for id_, start in halves]
    shown = await at.one(bill("c-1", periods=periods, total_cost={"net": 3}))
    assert (shown.repricing.tariff, shown.repricing.outcome) == ("T1", Outcome.MATCHES)
    assert [(line.tariff_id, line.net) for line in shown.result.lines] == [("T1", 2), ("T2", 1)]


async def test_local_times_are_those_of_the_place_in_the_catalogue(at: Desk) -> None:
    night = {"price_components": [{"type": "ENERGY", "price": "0.1", "step_size": 1}]}
    hour = START + timedelta(hours=1)  # the station is in Amsterdam, in winter
    night["restrictions"] = {"start_time": f"{hour:%H:%M}", "end_time": f"{hour + timedelta(hours=1):%H:%M}"}
    await at.publish(priced(elements=[night, priced().elements[0]]))
    assert (await at.one(bill("c-1", "T1", total_cost={"net": 1}))).repricing.outcome is Outcome.MATCHES


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"currency": "CHF"}, "other_currency"),
        ({"metering": {"start": 20, "end": 10}}, "negative_volume"),
        ({"periods": [{"start": START, "dimensions": []}]}, "unknown_dimension"),
        ({"charging_start": END, "charging_end": START, "periods": []}, "out_of_order"),
    ],
)
async def test_bad_input_has_its_reason(at: Desk, changes: dict[str, object], why: str) -> None:
    await at.publish(priced(id_="C1"))
    await at.store.execute("UPDATE catalogue_evse SET prices = ARRAY['C1']")
    one = (await at.one(bill("c-1", **changes))).repricing
    assert (one.outcome, one.why, one.state) == (Outcome.UNPRICEABLE, why, RepricingState.OPEN)


async def test_a_credit_is_compared_with_what_it_takes_back_and_neither_waits(at: Desk) -> None:
    await at.publish(priced("0.3"))
    credit = bill("c-1-C", "T1", credit=True, credited_cdr="c-1", total_cost={"net": -4})
    less = bill("c-1-D", "T1", credit=True, credited_cdr="c-1", total_cost={"net": -1})
    await at.home.bill(bill("c-1", "T1"), credit, less)
    first, second, third = await at.all()
    assert (second.told_net, second.net, second.difference_net) == (-4, -3, -1)
    assert (second.state, third.state) == (RepricingState.CLEAR, RepricingState.OPEN)
    assert (first.outcome, first.state) == (Outcome.DIFFERS, RepricingState.OPEN)
    await at.store.execute("UPDATE received_cdr SET credited_by = 2 WHERE no = 1")
    first, *_ = await at.all()
    assert (first.outcome, first.state) == (Outcome.DIFFERS, RepricingState.CLEAR)


async def test_one_cdr_that_cannot_be_read_stops_no_other(at: Desk) -> None:
    await at.publish(priced())
    await at.home.bill(bill("c-1", "T1"), bill("c-2", "T1"))
    await at.store.execute(
        """UPDATE received_cdr SET body = replace(body::text, '"time":1', '"time":-1')::json WHERE no = 1"""
    )
    first, second = await at.all()
    assert (first.outcome, first.why, first.cdr) == (Outcome.UNPRICEABLE, "failed", "c-1")
    assert second.outcome is Outcome.MATCHES
    await at.home.bill(bill("c-3", "T1"), bill("c-4", "T1"))
    await at.store.execute("UPDATE received_cdr SET body = '{}' WHERE no = 3")
    assert [one.cdr for one in await at.all()] == ["c-1", "c-2", "c-4"]
    assert await at.store.fetchval("SELECT count(*) FROM repricing_queue") == 0


async def test_many_are_priced_in_processes_of_their_own(store: Store) -> None:
    async with desk(store, processes=2) as at:
        await at.publish(priced())
        bills: list[Cdr] = [bill(f"c-{n}", "T1", total_cost={"net": 4 if n % 2 else 5}) for n in range(230)]
        for one in bills:
            await at.home.bill(one)
        found = await at.all()
        assert len(found) == len({one.cdr for one in found}) == 230
        assert sum(one.outcome is Outcome.DIFFERS for one in found) == 115
