"""Messages: told once and in order, whatever the hub does; what it refuses, and when nothing is told."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from adapters.core.connection import Mode, State
from gateway.outbox import message_worker
from gateway.outbox.delivery_store import End, Result
from gateway.outbox.destinations import Place
from gateway.outbox.messages import append
from gateway.services.cdrs.settlements import CdrSettlements
from gateway.services.ports import Letters, MessageFilter, MessageState
from gateway.services.state import Gauges
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Identification, TokenType
from tests.harness import eventually
from tests.outbox.loopback import CONNECTION, LONG, Hub, LoopbackAdapter, lanes, message, post, replica

LISTENS = "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'"
LEG = Leg(hub_session="H-1", identification=Identification(type=TokenType.RFID, uid="01020304"))


def assert_in_order(hub: Hub, count: int, each: int) -> None:
    for lane in range(count):
        assert hub.keys(f"L{lane}") == [f"L{lane}-{step:03}" for step in range(each)]
    assert hub.parallel == 0


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "close", "probability": 0.3},
        {"kind": "drop", "probability": 0.3},
        {"kind": "truncate", "probability": 0.3},
        {"kind": "error", "status": 500, "probability": 0.3},
        {"kind": "error", "status": 503, "probability": 0.3},
        {"kind": "throttle", "probability": 0.2},
        {"kind": "delay", "seconds": 0.05, "probability": 0.7},
        {"kind": "delay", "seconds": 1.3, "probability": 0.1},
    ],
    ids=lambda fault: f"{fault['kind']}-{fault.get('status', fault.get('seconds', ''))}".strip("-"),
)
async def test_whatever_fails_at_random_each_lane_is_told_in_order_and_nothing_is_lost(
    database_url: str, fault: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault["kind"] == "delay":
        monkeypatch.setattr(LoopbackAdapter, "patience", timedelta(seconds=1))
    async with post(database_url) as gateway:
        gateway.fail(**fault, count=6)
        await gateway.append(*lanes(10, 5))
        await gateway.quiet(60)
        assert_in_order(gateway.hub, 10, 5)
        assert set((await gateway.states()).values()) == {"delivered"}
        assert len(gateway.ended.results) == 50
        assert await gateway.letters() == []


async def test_what_comes_next_is_told_at_once_and_not_only_when_somebody_looks_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_worker, "POLL", 300.0)
    async with post(database_url) as gateway:
        await gateway.append(
            *lanes(40, 3), *(message("A", f"A{step}", ("sessions", "cdrs")[step % 2]) for step in range(4))
        )
        await gateway.quiet(60)
        assert_in_order(gateway.hub, 40, 3)
        assert gateway.hub.keys("A") == ["A0", "A1", "A2", "A3"]


async def test_who_tells_is_woken_where_there_is_something_to_tell(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_worker, "POLL", 300.0)
    async with post(database_url) as gateway, replica(database_url, gateway.hub, gateway.server, start=False) as other:
        await gateway.quiet()
        link = gateway.links.by_name(CONNECTION)
        assert link is not None
        async with gateway.store.transaction() as tx:
            await append(tx, link, [message("A", "A1", "cdrs")])
        gateway.dispatcher.tell(Place(gateway.number, "cdrs"))
        await gateway.quiet()
        async with other.store.transaction() as tx:
            await append(tx, link, [message("A", "A2")])
        await eventually(lambda: gateway.store.fetchval(LISTENS), "it listens")
        # Another process notifies everybody of whatever it wrote.
        await other.store.execute("SELECT pg_notify('roamgate', 'another')")
        await gateway.quiet()
        assert gateway.hub.keys("A") == ["A1", "A2"]


async def test_a_hub_that_is_down_is_told_everything_when_it_is_back(database_url: str) -> None:
    async with post(database_url) as gateway:
        await gateway.server.refuse_connections()
        await gateway.append(*lanes(8, 3))

        async def tried() -> bool:
            return any(row["attempts"] for row in (await gateway.rows()).values())

        await eventually(tried, "tried in vain")
        await gateway.server.listen()
        await gateway.quiet()
        assert_in_order(gateway.hub, 8, 3)
        assert not any(row["doubtful"] for row in (await gateway.rows()).values())


async def test_a_lane_is_told_in_order_whatever_the_operation(database_url: str) -> None:
    async with post(database_url) as gateway:
        gateway.fail("error", status=503, path="sessions", count=1)
        kinds = ("sessions", "cdrs", "sessions", "cdrs")
        await gateway.append(*(message("L0", f"L0-{step:03}", kind) for step, kind in enumerate(kinds)))
        await gateway.quiet()
        assert_in_order(gateway.hub, 1, 4)


async def test_a_lane_that_fails_holds_no_other(database_url: str) -> None:
    async with post(database_url) as gateway:
        gateway.fail("error", status=503, path="sessions")
        await gateway.append(message("bad", "bad-1"), message("bad", "bad-2", "cdrs"))
        await gateway.append(*lanes(20, 2, "cdrs"))
        await eventually(lambda: len(gateway.hub.told) == 40, "the others are told")
        assert (await gateway.states())["bad-2"] == "pending"
        gateway.hub.faults.clear()
        await gateway.quiet()
        assert gateway.hub.keys("bad") == ["bad-1", "bad-2"]


async def test_who_is_told_again_hears_whether_it_may_have_been_acted_upon(database_url: str) -> None:
    async with post(database_url) as gateway:
        gateway.fail("error", status=503, count=1)
        await gateway.append(message("L", "surely-not"))
        await gateway.quiet()
        gateway.fail("drop", count=1)
        await gateway.append(message("L", "perhaps"))
        await gateway.quiet()
        assert gateway.adapter.doubts == [
            ("surely-not", False),
            ("surely-not", False),
            ("perhaps", False),
            ("perhaps", True),
        ]
        rows = await gateway.rows()
        assert (rows["perhaps"]["attempts"], rows["perhaps"]["doubtful"]) == (2, True)
        assert rows["perhaps"]["error"] is None


async def test_what_is_refused_leaves_its_lane_at_once_and_is_replayed_when_somebody_says_so(database_url: str) -> None:
    async with post(database_url) as gateway:
        gateway.fail("drop", count=1)
        gateway.fail("refuse", code="009", count=1)
        await gateway.append(message("L", "one"))
        await gateway.append(message("L", "two"))
        await gateway.quiet()
        assert gateway.hub.keys("L") == ["one", "two"]  # taken, then refused on the second try
        [letter] = await gateway.letters()
        assert (letter.connection, letter.webhook, letter.operation) == (CONNECTION, None, "sessions")
        assert (letter.key, letter.code, letter.text, letter.attempts) == ("one", "009", "Data error", 2)
        assert letter.body == {"lane": "L", "key": "one", "kind": "PUT"}
        [view] = await gateway.shown(state=MessageState.REFUSED)
        assert (view.id, view.code, view.error) == (letter.message, "009", "Data error")
        assert await gateway.service.replay(Letters((letter.id,)), "a person") == 1
        await gateway.quiet()
        assert await gateway.letters() == []
        assert gateway.adapter.doubts[-1] == ("one", True)
        assert await gateway.states() == {"one": "delivered", "two": "delivered"}
        assert [one.end for one in gateway.ended.results] == [End.REFUSED, End.DELIVERED, End.DELIVERED]


async def test_what_cannot_be_said_is_rendered_anew_when_it_is_replayed(database_url: str) -> None:
    async with post(database_url) as gateway:
        LoopbackAdapter.unsayable = {"one"}
        await gateway.append(message("L", "one"), message("L", "two"))
        await gateway.quiet()
        [letter] = await gateway.letters()
        assert (letter.code, letter.text, letter.field, letter.body) == (None, "cannot be said", "session.energy", None)
        LoopbackAdapter.unsayable = set()
        assert await gateway.service.replay(Letters(connection=CONNECTION), "a person") == 1
        await gateway.quiet()
        assert gateway.hub.keys("L") == ["two", "one"]


async def test_a_dead_letter_that_is_given_up_is_never_told(database_url: str) -> None:
    async with post(database_url) as gateway:
        gateway.fail("refuse", count=1)
        await gateway.append(message("L", "one"))
        await gateway.quiet()
        [letter] = await gateway.letters()
        assert await gateway.service.discard([letter.id], "too late", "a person") == 1
        assert await gateway.letters() == []
        assert await gateway.states() == {"one": "discarded"}
        assert await gateway.service.replay(Letters((letter.id,)), "a person") == 0


async def test_a_message_that_nobody_waits_for_any_more_is_given_up(database_url: str) -> None:
    async with post(database_url) as gateway:
        gateway.fail("error", status=503)
        await gateway.append(message("L", "late", "results"), message("L", "next", "cdrs"))
        await eventually(lambda: [one.end for one in gateway.ended.results] == [End.EXPIRED], "given up")
        gateway.hub.faults.clear()
        await gateway.quiet()
        assert await gateway.states() == {"late": "expired", "next": "delivered"}
        assert await gateway.letters() == []


async def test_credentials_that_fail_pause_the_connection_and_lose_nothing(database_url: str) -> None:
    async with post(database_url) as gateway:
        gateway.hub.knows_us = False
        await gateway.append(*lanes(5, 2))

        async def paused() -> bool:
            return await gateway.store.fetchval("SELECT state FROM connection") == "paused"

        await eventually(paused, "paused")
        await eventually(lambda: gateway.links.all()[0].connection.state is State.PAUSED)
        tried = len(gateway.adapter.doubts)
        gateway.hub.knows_us = True
        await gateway.append(message("L9", "later"))
        assert set((await gateway.states()).values()) == {"pending"}
        assert len(gateway.adapter.doubts) == tried
        await gateway.set()
        await gateway.quiet()
        assert_in_order(gateway.hub, 5, 2)
        assert not any(row["doubtful"] for row in (await gateway.rows()).values())


@pytest.mark.parametrize(
    ("mode", "state"),
    [(Mode.OFF, State.READY), (Mode.LIVE, State.UNREGISTERED), (Mode.LIVE, State.PAUSED)],
)
async def test_nothing_is_tried_and_nothing_is_lost_while_a_connection_cannot_work(
    database_url: str, mode: Mode, state: State
) -> None:
    async with post(database_url, mode=mode, state=state) as gateway:
        await gateway.append(*lanes(2, 2))
        assert await gateway.deliveries.claim(gateway.number, "cdrs", most=10, live=True) == []
        assert gateway.adapter.doubts == []
        assert set((await gateway.states()).values()) == {"pending"}
        await gateway.set()
        await gateway.quiet()
        assert_in_order(gateway.hub, 2, 2)


async def test_what_happens_in_shadow_mode_is_shown_and_never_sent(database_url: str) -> None:
    async with post(database_url, mode=Mode.SHADOW) as gateway:
        LoopbackAdapter.unsayable = {"wrong"}
        await gateway.append(message("L", "right"), message("L", "wrong"))
        await gateway.quiet()
        [right] = await gateway.shown(state=MessageState.SHOWN)
        assert right.body == {"lane": "L", "key": "right", "kind": "PUT"}
        assert [issue.field for issue in right.issues] == ["session.total_cost"]
        assert [letter.key for letter in await gateway.letters()] == ["wrong"]
        await gateway.set(mode=Mode.LIVE)
        LoopbackAdapter.unsayable = set()
        await gateway.service.replay(Letters(connection=CONNECTION), "a person")
        await gateway.append(message("L", "live"))
        await gateway.quiet()
        assert gateway.hub.keys("L") == ["live"]
        assert await gateway.states() == {"right": "shown", "wrong": "shown", "live": "delivered"}


async def test_what_a_hub_waits_for_outlasts_shadow_mode(database_url: str) -> None:
    async with post(database_url) as gateway:
        gateway.fail("error", status=503)
        await gateway.append(message("L", "before", leg=LEG))
        await eventually(lambda: bool(gateway.adapter.doubts), "tried")
        await gateway.set(mode=Mode.SHADOW)
        await gateway.append(message("L", "meanwhile", leg=LEG), message("L", "only-shown"))
        await eventually(lambda: [one.end for one in gateway.ended.results] == [End.SHOWN], "shown")

        async def shown() -> bool:
            return all(view.body is not None for view in await gateway.shown(state=MessageState.PENDING))

        await eventually(shown, "what waits is shown")
        assert await gateway.states() == {"before": "pending", "meanwhile": "pending", "only-shown": "shown"}
        gateway.hub.faults.clear()
        await gateway.set(mode=Mode.LIVE)
        await gateway.quiet()
        assert gateway.hub.keys("L") == ["before", "meanwhile"]
        assert {key: row["body"] for key, row in (await gateway.rows()).items() if key != "only-shown"} == {
            "before": None,
            "meanwhile": None,
        }
        await eventually(lambda: issues(gateway.metrics) == 3, "counted")


async def test_no_more_requests_are_in_flight_than_the_hub_wants(database_url: str) -> None:
    async with post(database_url) as gateway:
        gateway.fail("delay", seconds=0.02, path="slow")
        await gateway.append(*lanes(12, 1, "slow"))
        await gateway.quiet()
        assert gateway.hub.most <= 4
        times = await gateway.store.fetchval("SELECT max(settled_at) - min(since) FROM delivery")
        assert times.total_seconds() >= 1.1  # 600 a minute


async def test_the_backend_hears_what_became_of_its_cdrs(database_url: str) -> None:
    async with post(database_url, settlements=[CdrSettlements(lambda *_: None)]) as gateway:
        for name in ("good", "bad"):
            await gateway.store.execute(
                "INSERT INTO cdr (party, cdr_id, body, digest, energy, last_updated)"
                " VALUES ('NL*ABC', $1, '{}', '', 1, now())",
                name,
            )
        await gateway.append(message("A", "A-1", "cdrs"), cdr_no=1)
        await gateway.quiet()
        gateway.fail("refuse", code="2001", count=1)
        await gateway.append(message("B", "B-1", "cdrs"), cdr_no=2)
        await gateway.append(message("B", "B-2", "sessions"))
        await gateway.quiet()
        events = await gateway.store.fetch("SELECT type, party, subject, data::text AS data FROM event ORDER BY no")
        assert [(row["type"], row["party"], row["subject"]) for row in events] == [
            ("cdr.delivered", "NL*ABC", "cdrs/NL*ABC/good"),
            ("cdr.refused", "NL*ABC", "cdrs/NL*ABC/bad"),
        ]
        assert '"2001"' in events[1]["data"]


class Crossing:
    """Implements `Settlements`: crosses another transaction the first time."""

    def __init__(self) -> None:
        self.tries = 0

    async def settled(self, _tx: object, _ended: object) -> None:
        self.tries += 1
        if self.tries == 1:
            raise asyncpg.DeadlockDetectedError("crossed")


async def test_a_cdr_is_counted_once_however_often_its_transaction_is_repeated(database_url: str) -> None:
    counted: list[Any] = []
    crossing = Crossing()
    settlements = [CdrSettlements(lambda *one: counted.append(one)), crossing]
    async with post(database_url, settlements=settlements) as gateway:
        await gateway.store.execute(
            "INSERT INTO cdr (party, cdr_id, body, digest, energy, last_updated, connection_id)"
            " VALUES ('NL*ABC', 'c-1', '{}', '', 7, now(), $1)",
            gateway.number,
        )
        await gateway.append(message("A", "A-1", "cdrs"), cdr_no=1)
        await gateway.quiet()
        assert crossing.tries == 2
        await eventually(lambda: bool(counted), "counted")  # once it is committed
        assert counted == [(CONNECTION, "delivered", 1, 7)]


async def test_issues_are_counted_once_for_each_message_and_kept(database_url: str) -> None:
    async with post(database_url) as gateway:
        gateway.fail("error", status=503, count=1)
        await gateway.append(message("L", "one"), message("M", "two"))
        await gateway.quiet()
        await eventually(lambda: issues(gateway.metrics) == 2, "counted")
        assert [len(view.issues) for view in await gateway.shown()] == [1, 1]


async def test_what_waits_is_sampled_by_connection_and_operation(database_url: str) -> None:
    async with post(database_url, start=False) as gateway:
        await gateway.append(message("A", "A1"), message("B", "B1"), message("C", "C1", "cdrs"))
        [claimed] = await gateway.deliveries.claim(gateway.number, "cdrs", most=1, live=True)
        await gateway.deliveries.settle([Result(claimed, End.REFUSED, reason="no")])
        sample = await Gauges(gateway.store, LONG, LONG, LONG).sample()
        assert [(one.hub, one.connection, one.operation, one.pending, one.dead_letters) for one in sample.messages] == [
            ("loopback", CONNECTION, "cdrs", 0, 1),
            ("loopback", CONNECTION, "sessions", 2, 0),
        ]
        assert [one.oldest > 0 for one in sample.messages] == [False, True]


async def test_what_a_connection_may_have_to_wait_for_is_told_as_zero_while_nothing_does(database_url: str) -> None:
    async with post(database_url, start=False) as gateway:
        gauges = Gauges(
            gateway.store,
            LONG,
            LONG,
            LONG,
            lambda: [(gateway.number, "locations")],
            lambda: [(gateway.number, "cdrs"), (-999, "events")],
        )
        sample = await gauges.sample()
        [lane], [message], [cdrs] = sample.lanes, sample.messages, sample.charges.cdrs
        assert (lane.connection, lane.operation, lane.pending, lane.oldest) == (CONNECTION, "locations", 0, 0)
        assert (lane.held, lane.dead_letters, lane.leased, lane.resting) == (0, 0, 0, 0)
        assert (message.connection, message.operation, message.pending, message.oldest) == (CONNECTION, "cdrs", 0, 0)
        assert (cdrs.connection, cdrs.pending, cdrs.late, cdrs.oldest) == (CONNECTION, 0, 0, 0)


def issues(metrics: Any) -> float:
    labels = {"protocol": "loopback 1", "field": "session.total_cost", "kind": "lost"}
    return metrics.registry.get_sample_value("roamgate_mapping_issues_total", labels) or 0


async def test_messages_are_listed_newest_first_by_what_they_speak_of(database_url: str) -> None:
    async with post(database_url, start=False) as gateway:
        await gateway.append(*lanes(3, 2))
        page = await gateway.service.messages(MessageFilter(connection=CONNECTION), None, 4)
        assert [view.key for view in page.items] == ["L2-001", "L1-001", "L0-001", "L2-000"]
        rest = await gateway.service.messages(MessageFilter(), page.next, 4)
        assert [view.key for view in rest.items] == ["L1-000", "L0-000"]
        assert rest.next is None
        [claimed] = await gateway.deliveries.claim(gateway.number, "sessions", most=1, live=True)
        assert [view.key for view in await gateway.shown(state=MessageState.IN_FLIGHT)] == [claimed.key]
        assert len(await gateway.shown(state=MessageState.PENDING)) == 5
        assert [view.lane for view in await gateway.shown(key="L1-001")] == ["L1"]


async def test_what_the_hub_said_to_a_message_comes_to_whoever_has_to_know_and_only_where_it_took_it(
    database_url: str,
) -> None:
    async with post(database_url) as gateway:
        await gateway.append(message("A", "A1"))
        await gateway.quiet()
        gateway.fail("refuse", count=1)
        await gateway.append(message("A", "A2"))
        await gateway.quiet()
        said = {result.claimed.key: (result.end, result.answer) for result in gateway.ended.results}
        assert said == {"A1": (End.DELIVERED, {"ok": True}), "A2": (End.REFUSED, None)}
