"""Pushes to the sandbox over real sockets."""

import asyncio
import json
from dataclasses import replace

import aiohttp
import pytest

from adapters.core.digest import digest
from adapters.core.faults import Fault, FaultKind
from adapters.core.outcomes import Delivered, NotSent, OutcomeUnknown, RefusedByHub, Throttled
from adapters.hubject.planning import size
from mappings.canonical.locations import EvseStatus
from tests.adapters.doubles import Measured
from tests.adapters.hubject.charging import Hub, under_way
from tests.adapters.hubject.network import (
    SUB_ONE,
    SUB_TWO,
    accepted,
    adapter,
    evse,
    gone,
    ids,
    items,
    location,
    push,
)
from tests.adapters.impatient import once_connected

DATA = "/api/oicp/evsepush/v23/operators/FR*HUB/data-records"


def keys(running, kind="evse_data"):
    return sorted(running.sandbox.memory[kind])


def the_network():
    own = location(*(evse(f"{n}", f"FR*HUB*E{n}") for n in range(3)))
    one = location(evse("x", "FR*ONE*E1"), id="O", party=SUB_ONE)
    two = location(evse("x", "FR*TWO*E1"), id="T", party=SUB_TWO)
    return own, one, two


async def push_by_halves(hub, given):
    """Pushes EVSE data as the outbox does, halving what is refused; gives what is refused alone."""
    todo, refused = [given], []
    while todo:
        for call in hub.plan("evse_data", todo.pop()).calls:
            outcome = await hub.send(call)
            if isinstance(outcome, RefusedByHub) and size(call) > 1:
                batch = [rendered.item for rendered in call.settles]
                todo += [batch[: len(batch) // 2], batch[len(batch) // 2 :]]
            elif isinstance(outcome, RefusedByHub):
                refused += ids(call)
            else:
                assert outcome == Delivered()
    return refused


async def test_two_sub_operators_pushed_apart_are_both_there_after_a_full_load(plain, hub):
    own, one, two = the_network()
    for place in (own, one, two):
        await push(hub, "evse_data", items(hub, "evse_data", place))
    everything = ["FRHUBE0", "FRHUBE1", "FRHUBE2", "FRONEE1", "FRTWOE1"]
    assert keys(plain) == everything
    await push(hub, "evse_data", items(hub, "evse_data", own, one, two), full_load=True)
    assert keys(plain) == everything


async def test_a_full_load_takes_away_what_is_not_in_it(plain, hub):
    own, one, _ = the_network()
    await push(hub, "evse_data", items(hub, "evse_data", own, one))
    await push(hub, "evse_data", items(hub, "evse_data", one), full_load=True)
    assert keys(plain) == ["FRONEE1"]


@pytest.mark.parametrize("kind", ["evse_data", "evse_status"])
async def test_the_hub_remembers_what_was_accepted_through_insert_update_and_delete(plain, hub, kind):
    own, *_ = the_network()
    data = await push(hub, "evse_data", items(hub, "evse_data", own))
    known = data if kind == "evse_data" else await push(hub, kind, items(hub, kind, own))

    def remembered():
        memory = plain.sandbox.memory[kind]
        return {key: hub.fingerprint(kind, key, record) for key, record in memory.items()}

    assert remembered() == {item.key: item.accepted for item in known}
    changed = [replace(item, subject=location(*own.evses, name="Gare"), status=EvseStatus.CHARGING) for item in known]
    known = await push(hub, kind, changed)
    assert remembered() == {item.key: item.accepted for item in known}
    again = hub.plan(kind, known)
    assert not again.calls
    assert len(again.unchanged) == 3
    await push(hub, kind, gone(known[:2]))
    assert list(remembered()) == [known[2].key]


async def test_a_renamed_evse_ends_under_its_new_name_only(plain, hub):
    (item,) = await push(hub, "evse_data", items(hub, "evse_data", location(evse("a", "FR*HUB*E1*2"))))
    renamed = replace(item, subject=location(evse("a", "FR*HUB*E12")))
    (item,) = await push(hub, "evse_data", [renamed])
    assert item.sent_as == "FR*HUB*E12"
    assert plain.sandbox.memory["evse_data"]["FRHUBE12"]["EvseID"] == "FR*HUB*E12"


async def test_a_batch_with_an_evse_of_somebody_else_is_refused_whole(plain, hub):
    place = location(evse("a", "FR*HUB*E1"), evse("b", "FR*XYZ*E1"))
    (call,) = hub.plan("evse_data", items(hub, "evse_data", place)).calls
    outcome = await hub.send(call)
    assert isinstance(outcome, RefusedByHub)
    assert outcome.code == "018"
    assert "FR*XYZ*E1" in outcome.text
    assert keys(plain) == []


async def test_an_insert_without_an_answer_is_delivered_when_it_is_repeated(plain, hub):
    given = items(hub, "evse_data", *the_network())
    (call,) = hub.plan("evse_data", given).calls
    for kind in (FaultKind.DROP, FaultKind.TRUNCATE):
        plain.sandbox.forget()
        plain.sandbox.faults.add([Fault(kind=kind, count=1)])
        assert isinstance(await hub.send(call), OutcomeUnknown)
        assert len(keys(plain)) == 5
        tried = [replace(item, attempts=1) for item in given]
        known = await push(hub, "evse_data", tried)
        assert {item.key for item in known} == set(keys(plain))


async def test_an_insert_that_never_arrived_is_delivered_when_it_is_repeated(plain, hub):
    given = items(hub, "evse_data", *the_network())
    (call,) = hub.plan("evse_data", given).calls
    plain.sandbox.faults.add([Fault(kind=FaultKind.CLOSE, count=1)])
    assert isinstance(await hub.send(call), OutcomeUnknown)
    assert keys(plain) == []
    await push(hub, "evse_data", [replace(item, attempts=1) for item in given])
    assert len(keys(plain)) == 5


async def test_an_update_of_what_the_hub_lost_inserts_it(plain, hub):
    (item,) = await push(hub, "evse_data", items(hub, "evse_data", location(evse("a", "FR*HUB*E1"))))
    plain.sandbox.forget()
    await push(hub, "evse_data", [replace(item, accepted=None)])
    assert keys(plain) == ["FRHUBE1"]


async def test_a_batch_of_updates_of_which_the_hub_lost_some_ends_whole(plain, hub):
    own, *_ = the_network()
    known = await push(hub, "evse_data", items(hub, "evse_data", own))
    plain.sandbox.books["evse_data"].act("delete", "FR*HUB", {"FRHUBE1": {}})
    forced = [replace(item, accepted=None) for item in known]
    (call,) = hub.plan("evse_data", forced).calls
    outcome = await hub.send(call)
    assert isinstance(outcome, RefusedByHub)
    assert outcome.code == "603"
    assert await push_by_halves(hub, forced) == []
    assert keys(plain) == ["FRHUBE0", "FRHUBE1", "FRHUBE2"]


async def test_an_insert_that_nobody_wrote_down_costs_one_more_request_and_not_one_for_each_record(plain, hub):
    many = location(*(evse(f"{n}", f"FR*HUB*E{n}") for n in range(200)))
    (call,) = hub.plan("evse_data", items(hub, "evse_data", many)).calls
    assert await hub.send(call) == Delivered()
    assert await hub.send(call) == Delivered()
    assert dict(plain.sandbox.requests) == {("evse_data", "ok"): 2, ("evse_data", "022"): 1}


async def test_a_record_that_neither_action_fits_keeps_its_first_refusal(plain, hub):
    (call,) = hub.plan("evse_status", items(hub, "evse_status", location(evse("a", "FR*HUB*E1")))).calls
    outcome = await hub.send(call)
    assert isinstance(outcome, RefusedByHub)
    assert outcome.code == "603"  # a status without EVSE data
    assert plain.sandbox.requests["evse_status", "603"] == 2


async def test_a_delete_is_repeated_without_harm(plain, hub):
    (item,) = await push(hub, "evse_data", items(hub, "evse_data", location(evse("a", "FR*HUB*E1"))))
    for _ in range(2):
        await push(hub, "evse_data", gone([item]))
    assert keys(plain) == []


async def test_a_delete_of_what_the_hub_says_it_does_not_have_is_done(plain, hub):
    (item,) = await push(hub, "evse_data", items(hub, "evse_data", location(evse("a", "FR*HUB*E1"))))
    plain.sandbox.faults.add([Fault(kind=FaultKind.REFUSE, code="603", count=1)])
    await push(hub, "evse_data", gone([item]))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(kind=FaultKind.THROTTLE, seconds=3), Throttled),
        (Fault(kind=FaultKind.ERROR, status=503), NotSent),
        (Fault(kind=FaultKind.ERROR, status=500), OutcomeUnknown),
        (Fault(kind=FaultKind.REFUSE, code="009"), NotSent),
        (Fault(kind=FaultKind.REFUSE, code="018"), RefusedByHub),
        (Fault(kind=FaultKind.DELAY, seconds=60), OutcomeUnknown),
    ],
)
async def test_a_fault_has_its_outcome_and_is_counted(plain, fault, kind):
    measured = Measured()
    hub = adapter(measured, base_url=plain.url, timeout_seconds=0.3 if fault.kind is FaultKind.DELAY else 60)
    plain.sandbox.faults.add([fault])
    (call,) = hub.plan("evse_data", items(hub, "evse_data", location(evse("a", "FR*HUB*E1")))).calls
    attempts, outcome = await once_connected(lambda: hub.send(call))
    assert isinstance(outcome, kind)
    assert len(measured.requests) == attempts
    await hub.close()


async def test_a_hub_that_is_not_there_was_sent_nothing():
    measured = Measured()
    hub = adapter(measured)
    (call,) = hub.plan("evse_data", items(hub, "evse_data", location(evse("a", "FR*HUB*E1")))).calls
    assert isinstance(await hub.send(call), NotSent)
    assert measured.requests == [("hubject", "hubject-test", "evse_data", "not_sent")]
    await hub.close()


async def test_pushes_of_one_operation_in_parallel_are_refused_and_counted(plain, hub):
    (call,) = hub.plan("evse_data", items(hub, "evse_data", location(evse("a", "FR*HUB*E1")))).calls
    body = call.body | {"ActionType": "insert"}
    async with aiohttp.ClientSession(plain.url) as session, under_way(Hub(plain, session), DATA, body):
        assert isinstance(await hub.send(call), NotSent)
    assert keys(plain) == ["FRHUBE1"]
    assert plain.sandbox.requests["evse_data", "parallel"] == 1


async def test_data_and_statuses_may_be_pushed_at_the_same_time(plain, hub):
    place = location(evse("a", "FR*HUB*E1"))
    (item,) = await push(hub, "evse_data", items(hub, "evse_data", place))
    plain.sandbox.faults.add([Fault(kind=FaultKind.DELAY, seconds=0.1)])
    (data,) = hub.plan("evse_data", [replace(item, accepted=None)]).calls
    (status,) = hub.plan("evse_status", items(hub, "evse_status", place)).calls
    assert await asyncio.gather(hub.send(data), hub.send(status)) == [Delivered(), Delivered()]


async def test_what_is_refused_by_the_hub_alone_is_found_by_halving(plain, hub):
    own, *_ = the_network()
    stranger = location(evse("a", "FR*XYZ*E1"), id="X")
    assert await push_by_halves(hub, items(hub, "evse_data", own, stranger)) == ["FR*XYZ*E1"]
    assert keys(plain) == ["FRHUBE0", "FRHUBE1", "FRHUBE2"]


async def test_inserts_of_which_the_hub_has_some_already_end_whole(plain, hub):
    many = location(*(evse(f"{n}", f"FR*HUB*E{n}") for n in range(20)))
    given = items(hub, "evse_data", many)
    await push(hub, "evse_data", given[5:12])
    assert await push_by_halves(hub, given) == []
    assert len(keys(plain)) == 20


async def test_receipts_and_memory_can_be_asked_for(plain, hub):
    place = location(evse("a", "FR*HUB*E1"))
    await push(hub, "evse_data", items(hub, "evse_data", place))
    await push(hub, "evse_status", items(hub, "evse_status", place))
    async with aiohttp.ClientSession(plain.url) as session:
        receipts = (await (await session.get("/_sandbox/receipts")).text()).splitlines()
        memory = (await (await session.get("/_sandbox/memory?kind=evse_status")).text()).splitlines()
    told = [(one["operation"], one["key"], one["value"]) for one in map(json.loads, receipts)]
    assert told == [("evse_data", "FRHUBE1", "insert"), ("evse_status", "FRHUBE1", "Available")]
    assert [json.loads(line) for line in memory] == [
        {"key": "FRHUBE1", "record": {"EvseID": "FR*HUB*E1", "EvseStatus": "Available"}}
    ]
    (call,) = hub.plan("evse_status", items(hub, "evse_status", place)).calls
    assert accepted(call.settles)[0].accepted == digest(json.loads(memory[0])["record"])
