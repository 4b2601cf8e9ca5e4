"""When an operation rests."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.outbox.gate import FAILURES_BEFORE_REST, Gate

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(clock: Clock) -> Gate:
    async def refresh() -> None:
        raise AssertionError("not asked for")

    unused: Any = None
    present: Callable[[], None] = lambda: None  # noqa: E731
    return Gate(unused, present, refresh, clock)


def fail(gate: Gate, clock: Clock, times: int, begun: datetime | None = None) -> None:
    for _ in range(times):
        gate.failed(begun or clock.now, clock.now, everywhere=False)


def test_an_operation_rests_after_some_failures_in_a_row(gate: Gate, clock: Clock) -> None:
    fail(gate, clock, FAILURES_BEFORE_REST - 1)
    assert not gate.resting
    fail(gate, clock, 1)
    assert gate.rests_until == clock.now + timedelta(seconds=0.5)


def test_calls_that_were_in_flight_together_count_as_one_failure_of_the_hub(gate: Gate, clock: Clock) -> None:
    fail(gate, clock, 64)
    clock.pass_(20)  # some of them time out much later
    fail(gate, clock, 64, begun=START)
    assert not gate.resting


def test_each_vain_attempt_after_a_rest_doubles_the_next(gate: Gate, clock: Clock) -> None:
    fail(gate, clock, FAILURES_BEFORE_REST)
    rests = []
    for _ in range(3):
        clock.pass_(10)
        fail(gate, clock, 1)
        assert gate.rests_until is not None
        rests.append((gate.rests_until - clock.now).total_seconds())
    assert rests == [1, 2, 4]


def test_an_answer_ends_the_rest(gate: Gate, clock: Clock) -> None:
    fail(gate, clock, FAILURES_BEFORE_REST)
    gate.succeeded()
    assert gate.rests_until is None
    clock.pass_(1)
    fail(gate, clock, FAILURES_BEFORE_REST - 1)
    assert not gate.resting


def test_a_hub_that_wants_to_be_left_alone_is_left_alone_by_all_lanes(gate: Gate, clock: Clock) -> None:
    until = clock.now + timedelta(seconds=30)
    gate.failed(clock.now, until, everywhere=True)
    assert gate.rests_until == until
