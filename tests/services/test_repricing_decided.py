"""What people decide about what CDRs cost, who sees it, and pricing anew by what is known by now."""

import asyncio
import json
import multiprocessing
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.core.charging import ChargingProfile
from gateway.services.ports import BadCursor, Conflict, NotFound
from gateway.services.ports.repricing import Direction, Outcome, RepricingFilter, RepricingState
from gateway.services.publishing import Publishing
from gateway.services.repricing.desk import RepricingDesk
from gateway.services.repricing.reading import Terms
from gateway.services.repricing.worker import Repricer
from gateway.store.pool import Store
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Money
from tests.agreed import audiences
from tests.harness import PARTY, WHO, eventually, evse, later, location, tariff
from tests.services.homecoming import CPO, EMSP, START
from tests.services.pricing import TOLERANCE, Desk, bill, desk, priced
from tests.services.roaming import Roaming, agreed, cdr

POOL = """
import time
from gateway.services.repricing.worker import _pool

_pool(1).submit(print, "works", flush=True).result()
time.sleep(300)
"""
"""A gateway that has a process which prices."""
OTHER = frozenset({PartyId("FR*XXX")})


@pytest.fixture
async def at(store: Store) -> AsyncIterator[Desk]:
    """A home with a desk for prices, and a CDR that costs 4 and should cost 3."""
    async with desk(store) as made:
        await made.publish(priced("0.3"))
        await made.one(bill("c-1", "T1"))
        yield made


async def audit(at: Desk) -> list[tuple[str, str]]:
    """What was done to repricings, and by whom."""
    rows = await at.store.fetch("SELECT who, action FROM audit WHERE subject LIKE 'repricing%' ORDER BY id")
    return [(row["who"], row["action"]) for row in rows]


async def test_a_person_accepts_and_it_waits_no_more(at: Desk) -> None:
    shown = await at.desk.accept(None, 1, "agreed by mail", "anna")
    assert shown.repricing.state is RepricingState.ACCEPTED
    assert shown.repricing.decided is not None
    assert (shown.repricing.decided.why, shown.repricing.decided.who) == ("agreed by mail", "anna")
    assert [one.state for one in shown.history] == [RepricingState.OPEN]
    assert await at.all(state=RepricingState.OPEN) == []
    assert await audit(at) == [("anna", "accepted")]
    assert (await at.events())[-1] == (
        "repricing.decided",
        {"id": 1, "cpo": "NL*CPO", "cdr": "c-1", "state": "accepted", "why": "agreed by mail"},
    )


async def test_a_dispute_keeps_what_was_agreed_on_and_may_end_in_acceptance(at: Desk) -> None:
    shown = await at.desk.dispute(None, 1, "no start fee was told", Money(net=Decimal(3)), WHO)
    assert shown.repricing.decided is not None
    assert (shown.repricing.state, shown.repricing.decided.agreed) == (RepricingState.DISPUTED, Money(net=Decimal(3)))
    shown = await at.desk.accept(None, 1, "they showed it", WHO)
    assert shown.repricing.state is RepricingState.ACCEPTED
    assert [one.state for one in shown.history] == [RepricingState.DISPUTED, RepricingState.OPEN]
    assert shown.history[0].decided is not None


async def test_where_nothing_differs_there_is_nothing_to_decide(at: Desk) -> None:
    await at.one(bill("c-2", "T1", total_cost={"net": 3}))
    with pytest.raises(Conflict):
        await at.desk.accept(None, 2, "why not", WHO)
    with pytest.raises(Conflict):
        await at.desk.dispute(None, 2, "why not", None, WHO)


async def test_a_decision_stands_where_nothing_comes_out_otherwise(at: Desk) -> None:
    await at.desk.accept(None, 1, "agreed", WHO)
    shown = await at.desk.recompute(None, 1, WHO)
    assert (shown.repricing.state, len(shown.history)) == (RepricingState.ACCEPTED, 1)
    assert len(await at.events()) == 2
    assert (await audit(at))[-1] == (WHO, "recomputed")


async def test_a_price_that_comes_out_otherwise_asks_anew_and_keeps_what_was(at: Desk) -> None:
    await at.desk.accept(None, 1, "agreed", WHO)
    await at.store.execute("DELETE FROM tariff_version")
    await at.publish(priced("0.2"))
    shown = await at.desk.recompute(None, 1, WHO)
    one, [before, *_] = shown.repricing, shown.history
    assert (one.net, one.state, one.decided) == (2, RepricingState.OPEN, None)
    assert (before.net, before.state, before.difference_net) == (3, RepricingState.ACCEPTED, 1)
    assert before.decided is not None
    assert [type_ for type_, _ in await at.events()] == [
        "received_cdr.price_differs",
        "repricing.decided",
        "received_cdr.price_differs",
    ]


async def test_all_since_a_moment_are_priced_anew_those_too_that_never_were(at: Desk) -> None:
    await at.home.bill(bill("c-2", "T1"))
    await at.store.execute("DELETE FROM repricing_queue")
    assert await at.desk.recompute_all(None, START + timedelta(seconds=1), WHO) == 0
    assert await at.desk.recompute_all(OTHER, START, WHO) == 0
    assert await at.desk.recompute_all(frozenset({EMSP}), START, WHO) == 2
    assert [one.cdr for one in await at.all()] == ["c-1", "c-2"]


async def test_what_lacks_a_tariff_is_asked_about_again_for_a_day(at: Desk) -> None:
    await at.one(bill("c-2", "T2"))
    assert await at.repricer.ask_lacking() == 0
    await at.store.execute("UPDATE repricing SET computed_at = now() - interval '61 minutes'")
    await at.home.bill(bill("c-9", "T1", total_cost={"net": 3}))
    await at.store.execute("UPDATE repricing_queue SET at = now() - interval '11 s'")
    assert await at.repricer.ask_lacking() == 0  # the queue is behind
    await at.store.execute("UPDATE repricing_queue SET at = now()")
    assert await at.repricer.ask_lacking() == 1  # CDRs keep coming; and not what was priced
    await at.publish(priced("0.4", "T2"))
    _, second, _ = await at.all()
    assert (second.outcome, second.state) == (Outcome.MATCHES, RepricingState.CLEAR)
    await at.one(bill("c-3", "T3"))
    ages = "UPDATE repricing SET computed_at = now() - interval '2 days', changed_at = now() - interval '2 days'"
    await at.store.execute(ages)
    assert await at.repricer.ask_lacking() == 0


async def test_an_older_order_never_takes_the_place_of_a_newer_one(at: Desk) -> None:
    await at.store.execute("UPDATE repricing SET queue_no = 1000000, net = 77")
    assert await at.desk.recompute_all(None, START, WHO) == 1
    [one] = await at.all()
    assert one.net == 77


async def test_several_replicas_price_each_cdr_once(store: Store) -> None:
    async with desk(store) as at:
        await at.publish(priced())
        for number in range(20):
            await at.home.bill(bill(f"c-{number}", "T1"))
        counted: list[Any] = []
        replicas = [
            Repricer(store, Terms(TOLERANCE), at.home.wake, lambda *one: counted.append(one), 0) for _ in range(3)
        ]
        assert sum(await asyncio.gather(*(one.work() for one in replicas))) == len(counted) == 20
        assert len(await at.all()) == 20


async def test_a_process_that_is_killed_leaves_its_cdrs_to_the_gateway(store: Store) -> None:
    async with desk(store, processes=1) as at:
        await at.publish(priced())
        for number in range(210):
            await at.home.bill(bill(f"c-{number}", "T1"))
        working = asyncio.create_task(at.repricer.work())
        await eventually(lambda: bool(multiprocessing.active_children()), "a process for many")
        for child in multiprocessing.active_children():
            child.kill()
        assert await working == 210
        assert [one.outcome for one in await at.all()] == [Outcome.MATCHES] * 210


def test_processes_that_price_end_with_a_gateway_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", POOL], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as gateway:
        assert gateway.stdout is not None
        assert gateway.stdout.readline() == "works\n"
        gateway.kill()
        # Its end comes when nobody is left who could write there.
        assert gateway.communicate(timeout=120)[0] == ""


async def test_who_speaks_for_another_emsp_sees_and_decides_nothing(at: Desk) -> None:
    assert (await at.desk.list(RepricingFilter(parties=OTHER), None, 10)).items == []
    for refused in (
        at.desk.get(OTHER, 1),
        at.desk.accept(OTHER, 1, "mine", WHO),
        at.desk.recompute(OTHER, 1, WHO),
        at.desk.get(None, 99),
    ):
        with pytest.raises(NotFound):
            await refused


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"direction": Direction.IN}, ["c-1", "c-2"]),
        ({"direction": Direction.OUT}, []),
        ({"outcome": Outcome.DIFFERS}, ["c-1"]),
        ({"state": RepricingState.CLEAR}, ["c-2"]),
        ({"connection": "hub"}, ["c-1", "c-2"]),
        ({"connection": "other"}, []),
        ({"cpo": CPO}, ["c-1", "c-2"]),
        ({"cpo": EMSP}, []),
        ({"emsp": EMSP}, ["c-1", "c-2"]),
        ({"since": START, "until": START + timedelta(seconds=1)}, ["c-1", "c-2"]),
        ({"since": START + timedelta(seconds=1)}, []),
        ({"until": START}, []),
        ({"cdr": "C-2"}, ["c-2"]),
    ],
)
async def test_lists_take_filters(at: Desk, wanted: dict[str, Any], found: list[str]) -> None:
    await at.one(bill("c-2", "T1", total_cost={"net": 3}))
    assert [one.cdr for one in await at.all(**wanted)] == found


async def test_lists_come_in_pages_and_exports_whole(at: Desk) -> None:
    await at.one(bill("c-2", "T1"))
    first = await at.desk.list(RepricingFilter(), None, 1)
    second = await at.desk.list(RepricingFilter(), first.next, 1)
    assert [one.cdr for page in (first, second) for one in page.items] == ["c-2", "c-1"]
    with pytest.raises(BadCursor):
        await at.desk.list(RepricingFilter(), "nonsense", 1)
    assert [[one.cdr for one in page] async for page in at.desk.export(RepricingFilter())] == [["c-2", "c-1"]]


# Own CDRs


async def own(hubs: Roaming) -> tuple[Repricer, RepricingDesk]:
    """A desk for the CPO's CDRs; its tariff `T1` has been known for long."""
    one = tariff(party=PARTY)
    await hubs.store.execute(
        "INSERT INTO tariff_version (party, tariff_id, target, body, known_from, first)"
        " VALUES ($1, 'T1', '', $2, '2020-01-01', true)",
        PARTY.normal,
        one.model_dump_json(exclude_defaults=True),
    )
    repricer = Repricer(hubs.store, Terms(TOLERANCE), hubs.wake, lambda *_: None, 0)
    return repricer, RepricingDesk(hubs.store, repricer, hubs.wake, lambda: later(0))


async def test_an_own_cdr_is_priced_and_its_cpo_is_told(hubs: Roaming) -> None:
    repricer, at = await own(hubs)
    await hubs.charged()
    energy = {"type": "ENERGY", "volume": 12}
    period = {"start": cdr().start, "dimensions": [energy], "tariff_id": "T1"}
    await hubs.accept(cdr(periods=[period], total_cost={"net": 7}))
    assert await repricer.work() == 1
    [one] = (await at.list(RepricingFilter(), None, 10)).items
    assert (one.direction, one.received, one.cpo, one.party) == (Direction.OUT, None, PARTY, PARTY)
    assert (one.outcome, one.net, one.difference_net) == (Outcome.DIFFERS, 6, 1)
    row = await hubs.store.fetchrow("SELECT party, data FROM event WHERE type = 'cdr.price_differs'")
    assert row is not None
    assert (row["party"], json.loads(row["data"])["cdr"]) == (PARTY.normal, "c-1")


async def test_an_own_cdr_costs_what_the_tariff_for_the_drivers_emsp_says(hubs: Roaming) -> None:
    repricer, at = await own(hubs)
    special = tariff(price="0.4", party=PARTY, target=PartyId("FR*XYZ"))
    await hubs.store.execute(
        "INSERT INTO tariff_version (party, tariff_id, target, body, known_from, first)"
        " VALUES ($1, 'T1', 'FR*XYZ', $2, '2020-01-01', true)",
        PARTY.normal,
        special.model_dump_json(exclude_defaults=True),
    )
    await hubs.charged()
    await hubs.accept(cdr(product="T1", total_cost=None))
    await repricer.work()
    [one] = (await at.list(RepricingFilter(), None, 10)).items
    assert (one.emsp, one.outcome, one.net) == (PartyId("FR*XYZ"), Outcome.UNTOLD, Decimal("4.8"))


async def test_an_own_cdr_that_names_no_tariff_is_priced_by_its_connectors(hubs: Roaming) -> None:
    repricer, at = await own(hubs)
    told = audiences(hubs.store, hubs.links, lambda: later(0))
    await Publishing(hubs.store, hubs.links, told, hubs.wake, lambda: later(0)).put_locations(
        [(location("L1", evse("U1", tariffs=["T1"], at=later(60))), ())], WHO
    )
    await hubs.charged()
    await hubs.accept(cdr())
    await repricer.work()
    [one] = (await at.list(RepricingFilter(), None, 10)).items
    assert (one.tariff, one.net) == ("T1", 6)
    # Where a tariff names no VAT, there is none to compare with.
    assert (one.outcome, one.told_gross, one.gross) == (Outcome.MATCHES, Decimal("7.2"), None)


async def test_what_was_corrected_waits_no_more(hubs: Roaming) -> None:
    repricer, at = await own(hubs)
    hubs.hubs["hub"].charging = ChargingProfile(
        hubs.hubs["hub"].charging.messages, timedelta(1), timedelta(1), takes_credit=True
    )
    await hubs.charged()
    await hubs.accept(cdr(total_cost=Money(net=Decimal(7)), tariffs=(tariff(party=PARTY),)))
    await repricer.work()
    [one] = (await at.list(RepricingFilter(), None, 10)).items
    await at.dispute(None, one.id, "7 for 12 kWh", None, WHO)
    await hubs.cdrs.correct(PARTY, "c-1", agreed(total_cost={"net": 6}), WHO)
    await repricer.work()
    found = {one.cdr: one for one in (await at.list(RepricingFilter(), None, 10)).items}
    states = {id_: (one.outcome, one.state, one.net) for id_, one in found.items()}
    assert states == {
        "c-1": (Outcome.DIFFERS, RepricingState.CLEAR, 6),
        "c-1-C1": (Outcome.DIFFERS, RepricingState.CLEAR, -6),
        "c-1-R1": (Outcome.MATCHES, RepricingState.CLEAR, 6),
    }
    assert (await at.get(None, found["c-1"].id)).repricing.decided is not None


async def test_a_cdr_that_waits_for_its_session_is_priced_and_nobody_has_to_decide(hubs: Roaming) -> None:
    repricer, at = await own(hubs)
    await hubs.accept(cdr(session_id=None, reference="r-9", total_cost=Money(net=Decimal(7)), product="T1"))
    await repricer.work()
    [one] = (await at.list(RepricingFilter(), None, 10)).items
    assert (one.outcome, one.state) == (Outcome.DIFFERS, RepricingState.CLEAR)


async def test_a_cdr_that_is_assigned_to_no_session_waits_for_a_person_from_then_on(hubs: Roaming) -> None:
    repricer, at = await own(hubs)
    await hubs.accept(cdr(session_id=None, reference="r-9", total_cost=Money(net=Decimal(7)), product="T1"))
    await repricer.work()
    await hubs.cdrs.assign(PARTY, "c-1", None, WHO)
    assert await repricer.work() == 1
    [one] = (await at.list(RepricingFilter(), None, 10)).items
    assert one.state is RepricingState.OPEN
    assert "cdr.price_differs" in await hubs.events()


async def test_what_is_not_in_effect_for_a_while_keeps_its_decision_and_each_turn_is_told(at: Desk) -> None:
    await at.desk.accept(None, 1, "agreed", WHO)
    decided = "UPDATE received_cdr SET decision = $1"
    for decision, state in (("rejected", RepricingState.CLEAR), ("accepted", RepricingState.ACCEPTED)):
        await at.store.execute(decided, decision)
        assert [one.state for one in await at.all()] == [state]
    assert [type_ for type_, _ in await at.events()] == [
        "received_cdr.price_differs",
        "repricing.decided",
        "repricing.cleared",
    ]


async def test_what_comes_into_effect_again_asks_a_person_again(at: Desk) -> None:
    for decision in ("rejected", "accepted"):
        await at.store.execute("UPDATE received_cdr SET decision = $1", decision)
        await at.repricer.work()
    assert [type_ for type_, _ in await at.events()] == [
        "received_cdr.price_differs",
        "repricing.cleared",
        "received_cdr.price_differs",
    ]


async def test_a_price_that_follows_from_a_tariff_heard_of_later_waits_no_more_and_that_is_told(at: Desk) -> None:
    await at.store.execute("DELETE FROM tariff_version")
    await at.publish(priced("0.4"))
    shown = await at.desk.recompute(None, 1, WHO)
    assert (shown.repricing.outcome, shown.repricing.state) == (Outcome.MATCHES, RepricingState.CLEAR)
    type_, data = (await at.events())[-1]
    assert (type_, data["outcome"], data["cdr"], data["net"]) == ("repricing.cleared", "matches", "c-1", "4.0000")


async def test_a_decision_while_a_price_is_worked_out_is_in_the_history(at: Desk) -> None:
    await at.store.execute("DELETE FROM tariff_version")
    await at.publish(priced("0.2"))
    async with at.store.transaction() as tx:
        await tx.execute(
            "UPDATE repricing SET state = 'accepted', decided = $1",
            json.dumps({"state": "accepted", "why": "agreed", "who": "anna", "at": "2026-01-01T00:00:00Z"}),
        )
        working = asyncio.create_task(at.repricer.again(await tx.fetchval("SELECT subject FROM repricing")))
        waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
        await eventually(lambda: at.store.fetchval(waits), "the price waits for the decision")
    await working
    shown = await at.desk.get(None, 1)
    assert shown.repricing.state is RepricingState.OPEN
    assert [(one.state, one.decided is not None) for one in shown.history] == [(RepricingState.ACCEPTED, True)]


async def test_what_a_removed_connection_brought_is_left_as_it_was_priced(at: Desk) -> None:
    await at.store.execute("DELETE FROM connection")
    [one] = await at.all()
    assert (one.outcome, one.net, one.connection) == (Outcome.DIFFERS, 3, None)
