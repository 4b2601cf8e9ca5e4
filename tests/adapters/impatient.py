"""Requests of clients that have too little time for an answer, and on a busy machine now and then for a connection."""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from adapters.core.outcomes import NotSent, Outcome

_NO_CONNECTION: Final = NotSent("no connection in time")
_MOST: Final = 100


class Attempts(NamedTuple):
    """How often it took, and what came of it in the end."""

    number: int
    outcome: Outcome | None


async def once_connected(attempt: Callable[[], Awaitable[Outcome | None]]) -> Attempts:
    """Tries until there was a connection in time, since of a request that was never sent nothing is in doubt."""
    for number in range(1, _MOST):
        outcome = await attempt()
        if outcome != _NO_CONNECTION:
            return Attempts(number, outcome)
    return Attempts(_MOST, await attempt())
