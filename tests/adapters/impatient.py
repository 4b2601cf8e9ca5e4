"""Requests that have too little time for an answer, and on a busy machine now and then for what comes before it."""

from collections.abc import Awaitable, Callable
from typing import Final, Generic, NamedTuple, TypeVar

from adapters.core.outcomes import NotSent, Outcome

_NO_CONNECTION: Final = NotSent("no connection in time")
_MOST: Final = 100


T = TypeVar("T")


class Attempts(NamedTuple, Generic[T]):
    """How often it took, and what came of it in the end."""

    number: int
    outcome: T


async def tried_until(attempt: Callable[[], Awaitable[T]], came_so_far: Callable[[T], bool]) -> Attempts[T]:
    """Tries until an attempt came as far as is wanted of it, a hundred times at most."""
    for number in range(1, _MOST):
        outcome = await attempt()
        if came_so_far(outcome):
            return Attempts(number, outcome)
    return Attempts(_MOST, await attempt())


async def once_connected(attempt: Callable[[], Awaitable[Outcome | None]]) -> Attempts[Outcome | None]:
    """Tries until there was a connection in time, since of a request that was never sent nothing is in doubt."""
    return await tried_until(attempt, lambda outcome: outcome != _NO_CONNECTION)
