"""What each of Gireve's answers means."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from adapters.core.http import Answer
from adapters.core.outcomes import Delivered, Misconfigured, NotSent, Outcome, OutcomeUnknown, RefusedByHub, Throttled
from adapters.gireve.errors import BY_CODE, judge
from mappings.ocpi.envelope import StatusCode, write

NOW = datetime(2026, 6, 7, 12, 0, 0, tzinfo=UTC)


def answer(status: int, code: int | None = None, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, headers or {}, b"<html>" if code is None else write(None, NOW, code, "words"))


def test_every_code_of_the_protocol_has_a_meaning() -> None:
    assert set(BY_CODE) == set(StatusCode)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (200, 1000, Delivered),
        (201, 1000, Delivered),
        (200, 2000, RefusedByHub),
        (400, 2001, RefusedByHub),
        (400, 2002, RefusedByHub),
        (200, 2003, RefusedByHub),
        (200, 3000, OutcomeUnknown),
        (200, 3002, Misconfigured),
        (200, 4000, OutcomeUnknown),
        (200, 4001, Misconfigured),
        (200, 4002, OutcomeUnknown),
        (200, 4003, OutcomeUnknown),
        (200, 1999, OutcomeUnknown),
        (200, 2999, OutcomeUnknown),
        (404, 1000, OutcomeUnknown),
        (401, 2000, Misconfigured),
        (403, None, Misconfigured),
        (400, None, RefusedByHub),
        (404, None, OutcomeUnknown),
        (405, None, Misconfigured),
        (413, None, RefusedByHub),
        (500, None, OutcomeUnknown),
        (500, 2001, OutcomeUnknown),
        (502, None, OutcomeUnknown),
        (503, None, NotSent),
        (504, None, OutcomeUnknown),
        (200, None, OutcomeUnknown),
        (302, None, OutcomeUnknown),
        (418, None, OutcomeUnknown),
    ],
)
def test_an_answer_to_a_put_means(status: int, code: int | None, kind: type[Outcome]) -> None:
    assert isinstance(judge(answer(status, code), "PUT", NOW), kind)


def test_429_is_throttled_until_the_time_given() -> None:
    assert judge(answer(429, None, {"Retry-After": "3"}), "PUT", NOW) == Throttled(timedelta(seconds=3))
    assert judge(answer(429, 1000), "PUT", NOW) == Throttled()


def test_success_without_a_body_is_success_as_the_guide_counts_it() -> None:
    assert judge(Answer(204, {}, b""), "PUT", NOW) == Delivered()


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize(("status", "code"), [(404, 2003), (404, 2000), (200, 2003)])
def test_where_the_hub_does_not_know_what_is_changed_or_put_below_the_whole_is_to_be_sent(
    status: int, code: int, method: str
) -> None:
    outcome = judge(answer(status, code), method, NOW)
    assert isinstance(outcome, RefusedByHub)
    assert outcome.unknown_there


@pytest.mark.parametrize(("status", "code"), [(404, 2003), (404, 2000), (200, 2003)])
def test_deleting_what_is_not_there_is_done(status: int, code: int) -> None:
    assert judge(answer(status, code), "DELETE", NOW) == Delivered()
