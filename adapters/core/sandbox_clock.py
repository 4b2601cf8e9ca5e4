"""The time of day as a sandbox hub has it: the machine's until it is told another, for simulated days and years.

| request | what it does |
| --- | --- |
| `GET /_sandbox/clock` | `{"now", "rate", "set"}` |
| `POST /_sandbox/clock` | `{"now": "2026-06-01T00:00Z", "rate": 1}`: sets it; 0 stops it, 3600 makes a second an hour |
| `DELETE /_sandbox/clock` | back to the machine's |
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

_YEARS: Final = range(2000, 2200)


class ClockOrder(BaseModel):
    """What a clock is set to.

    Attributes:
        now: What it shows; what it shows already where it is left out.
        rate: How many of its seconds pass in one of the machine's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    now: AwareDatetime | None = None
    rate: Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)] = 1.0

    @field_validator("now")
    @classmethod
    def _sensible(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.year not in _YEARS:
            raise ValueError(f"is not of the years {_YEARS.start} to {_YEARS.stop - 1}")
        return value


class WallClock:
    """A clock that can be set, called for the time of day in UTC.

    Args:
        base: What it follows.
    """

    def __init__(self, base: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._base = base
        self._set: tuple[datetime, datetime, float] | None = None

    def __call__(self) -> datetime:
        """Gives the time of day."""
        if self._set is None:
            return self._base()
        shown, since, rate = self._set
        return shown + (self._base() - since) * rate

    def set(self, order: ClockOrder) -> None:
        """Sets it; it may go backwards."""
        now = self() if order.now is None else order.now.astimezone(UTC)
        self._set = (now, self._base(), order.rate)

    def reset(self) -> None:
        """Lets it follow the machine's again."""
        self._set = None

    def told(self) -> dict[str, Any]:
        """Gives what `GET` answers."""
        rate = 1.0 if self._set is None else self._set[2]
        return {"now": self().isoformat().replace("+00:00", "Z"), "rate": rate, "set": self._set is not None}
