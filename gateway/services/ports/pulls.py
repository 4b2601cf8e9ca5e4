"""What is pulled from hubs, and how that goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class PullOutcome(StrEnum):
    """How a pull ended."""

    RUNNING = "running"
    """Not at its end. Where nothing runs, it was given up: its gateway or connection was stopped, or set otherwise."""
    DONE = "done"
    UNSETTLED = "unsettled"
    """Every page was read, but what they name does not add up to what there is, so that something may have slipped from
    one page to another: nothing was taken to be gone, the mark stays, and it is pulled again soon."""
    FAILED = "failed"
    """A page did not come; what came before it is kept, and all of it is asked for again."""


@dataclass(frozen=True, slots=True)
class PullReport:
    """The latest pull of a feed.

    Attributes:
        full: Everything was asked for; else what changed.
        new, changed, same, gone: Records by what they did here.
        unknown: Of what was never told: that it is gone, its status, its prices.
        refused: Records that could not be read; each spoilt itself alone.
        pruned: What was here and is not there any more.
        problems: The first of the refused, with what they are refused for.
        error: Why it failed.
    """

    outcome: PullOutcome
    full: bool
    began_at: datetime
    ended_at: datetime | None = None
    pages: int = 0
    records: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0
    unknown: int = 0
    refused: int = 0
    pruned: int = 0
    problems: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class PullView:
    """A feed of a connection.

    Attributes:
        feed: What is pulled, in the hub's words.
        mark: From when on changes are still to be asked for; None before the first time.
        full_at: When everything was pulled last.
        failures: How often in a row it failed.
    """

    connection: str
    feed: str
    mark: datetime | None
    full_at: datetime | None
    next_at: datetime
    failures: int
    running: bool
    last: PullReport | None


class Pulls(Protocol):
    """Pulls, for people."""

    async def list(self) -> Sequence[PullView]:
        """Gives every feed, by connection and name."""

    async def ask(self, connection: str, feed: str, *, full: bool, who: str) -> PullView:
        """Has a feed pulled at once.

        Raises:
            NotFound: There is no such connection, or no such feed of it.
        """
