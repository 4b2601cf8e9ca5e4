"""The retry decision, as a table."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.core.outcomes import (
    Delivered,
    Misconfigured,
    NotSent,
    Obsolete,
    Outcome,
    OutcomeUnknown,
    RefusedByHub,
    Throttled,
)
from gateway.outbox.retry import (
    LONGEST,
    Accept,
    Forget,
    GiveUp,
    Halve,
    Pause,
    Refuse,
    Retry,
    Verdict,
    backoff,
    decide,
    decide_message,
)

NOW = datetime(2026, 6, 7, 12, 0, tzinfo=UTC)
REFUSED = RefusedByHub("022", "Data error")


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("outcome", "size", "atomic", "attempts", "spread", "verdict"),
    [
        (Delivered(), 1, False, 0, 1.0, Accept()),
        (Delivered(), 0, True, 0, 1.0, Accept()),
        (Delivered(), 2000, True, 9, 0.5, Accept()),
        (REFUSED, 1, False, 0, 1.0, Refuse("022", "Data error")),
        (REFUSED, 0, True, 0, 1.0, Refuse("022", "Data error")),
        (REFUSED, 1, True, 7, 1.0, Refuse("022", "Data error")),
        (REFUSED, 2, True, 0, 1.0, Halve()),
        (REFUSED, 2000, True, 3, 1.0, Halve()),
        (REFUSED, 2000, False, 0, 1.0, Refuse("022", "Data error")),
        (RefusedByHub("2003", "Unknown", unknown_there=True), 1, False, 0, 1.0, Forget("2003", "Unknown")),
        (RefusedByHub("2003", "Unknown", unknown_there=True), 5, False, 0, 1.0, Forget("2003", "Unknown")),
        (NotSent("no connection"), 1, False, 0, 1.0, Retry(after(0.5), "no connection")),
        (NotSent("no connection"), 500, True, 1, 1.0, Retry(after(1), "no connection")),
        (NotSent("no connection"), 500, True, 3, 1.0, Retry(after(4), "no connection")),
        (NotSent("no connection"), 1, False, 3, 0.5, Retry(after(2), "no connection")),
        (NotSent("no connection"), 1, False, 40, 1.0, Retry(NOW + LONGEST, "no connection")),
        (OutcomeUnknown("cut"), 1, False, 2, 1.0, Retry(after(2), "cut")),
        (OutcomeUnknown("cut"), 1, True, 1000, 0.75, Retry(after(45), "cut")),
        (Throttled(), 1, False, 0, 1.0, Retry(after(0.5), "too many requests", everywhere=True)),
        (Throttled(timedelta(seconds=30)), 1, True, 0, 0.5, Retry(after(30), "too many requests", everywhere=True)),
        (Throttled(timedelta(0)), 1, True, 2, 1.0, Retry(after(2), "too many requests", everywhere=True)),
        (Throttled(timedelta(hours=3)), 9, True, 2, 1.0, Retry(after(10800), "too many requests", everywhere=True)),
        (Throttled(timedelta(seconds=1)), 1, True, 5, 1.0, Retry(after(16), "too many requests", everywhere=True)),
        (Misconfigured("certificate"), 1, False, 0, 1.0, Pause("certificate")),
        (Misconfigured("certificate"), 2000, True, 30, 0.5, Pause("certificate")),
    ],
)
def test_what_follows_from_each_outcome(
    outcome: Outcome, size: int, atomic: bool, attempts: int, spread: float, verdict: Verdict
) -> None:
    assert decide(outcome, size=size, atomic=atomic, attempts=attempts, now=NOW, spread=spread) == verdict


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (Delivered(), Accept()),
        (REFUSED, Refuse("022", "Data error")),
        (RefusedByHub("2003", "Unknown", unknown_there=True), Refuse("2003", "Unknown")),
        (NotSent("no connection"), Retry(after(2), "no connection")),
        (OutcomeUnknown("cut"), Retry(after(2), "cut")),
        (Throttled(timedelta(seconds=30)), Retry(after(30), "too many requests", everywhere=True)),
        (Misconfigured("certificate"), Pause("certificate")),
        (Obsolete("the session has its CDR"), GiveUp("the session has its CDR")),
    ],
)
def test_a_message_is_never_halved_and_never_forgotten(outcome: Outcome, verdict: Verdict) -> None:
    assert decide_message(outcome, attempts=2, now=NOW, spread=1) == verdict


OUTCOMES = st.one_of(
    st.just(Delivered()),
    st.just(REFUSED),
    st.just(NotSent("x")),
    st.just(OutcomeUnknown("x")),
    st.builds(Throttled, st.none() | st.timedeltas(timedelta(0), timedelta(days=1))),
    st.just(Misconfigured("x")),
)


@given(OUTCOMES, st.integers(0, 5000), st.booleans(), st.integers(0, 10_000), st.floats(0.5, 1))
def test_a_retry_is_never_earlier_than_now_nor_than_the_hub_says(
    outcome: Outcome, size: int, atomic: bool, attempts: int, spread: float
) -> None:
    verdict = decide(outcome, size=size, atomic=atomic, attempts=attempts, now=NOW, spread=spread)
    if isinstance(verdict, Retry):
        assert verdict.at > NOW
        if isinstance(outcome, Throttled) and outcome.retry_after is not None:
            assert verdict.at >= NOW + outcome.retry_after
        else:
            assert verdict.at <= NOW + LONGEST
    assert isinstance(verdict, Halve) <= (size > 1 and atomic)


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.floats(0.5, 1))
def test_the_rest_grows_with_the_failures_up_to_a_bound(one: int, other: int, spread: float) -> None:
    fewer, more = sorted((one, other))
    assert timedelta(0) < backoff(fewer, spread) <= backoff(more, spread) <= LONGEST
