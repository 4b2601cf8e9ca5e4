"""The clock of a sandbox hub, which tests and simulations set."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from adapters.core.sandbox_clock import ClockOrder, WallClock

NOW = datetime(2026, 6, 1, tzinfo=UTC)


class Base:
    """What the clock follows."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.mark.parametrize(("rate", "shown"), [(1.0, 10), (0.0, 0), (3600.0, 36_000), (0.5, 5)])
def test_a_clock_that_is_set_goes_at_its_rate(rate: float, shown: float) -> None:
    base = Base()
    clock = WallClock(base)
    clock.set(ClockOrder(now=datetime(2027, 1, 1, 2, tzinfo=UTC), rate=rate))
    base.pass_by(10)
    assert clock() == datetime(2027, 1, 1, 2, tzinfo=UTC) + timedelta(seconds=shown)
    assert clock.told()["rate"] == rate


def test_a_clock_that_is_given_another_rate_goes_on_from_where_it_is() -> None:
    base = Base()
    clock = WallClock(base)
    clock.set(ClockOrder(now=NOW + timedelta(days=1), rate=60))
    base.pass_by(60)
    clock.set(ClockOrder(rate=0))
    base.pass_by(60)
    assert clock() == NOW + timedelta(days=1, hours=1)
    clock.reset()
    assert clock.told() == {"now": "2026-06-01T00:02:00Z", "rate": 1.0, "set": False}


@pytest.mark.parametrize("order", [{"now": "2026-06-01T00:00:00"}, {"now": "2500-01-01T00:00:00Z"}, {"rate": "NaN"}])
def test_a_clock_is_not_set_to_nonsense(order: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ClockOrder.model_validate(order)
