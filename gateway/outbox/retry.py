"""What to do after a request to a hub: a pure function of what came of it.

State is repeated without fear: a hub that gets the same state twice has the same state. So an unknown outcome is tried
again like a request that was surely not sent. A message is repeated, too, with the same ids; the adapter is told that
an earlier try may have been acted upon, since the hub may call that a fault.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from tenacity import RetryCallState, Retrying, wait_exponential

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

LONGEST = timedelta(seconds=60)
"""The longest rest: a hub that was away for a night has everything a minute after it is back."""

_WAIT = wait_exponential(multiplier=0.5, max=LONGEST.total_seconds())


@dataclass(frozen=True, slots=True)
class Accept:
    """The hub has it."""


@dataclass(frozen=True, slots=True)
class Halve:
    """The batch was refused whole: ask for each half, until the faulty records stand alone."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """A dead letter; the lane goes on."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """A message that is of no use any more; no dead letter, since there is nothing to mend."""

    reason: str


@dataclass(frozen=True, slots=True)
class Forget:
    """The hub lost the object: the whole of it is told anew; if the hub never had it, this is a refusal."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Retry:
    """The lane rests until a moment, then tries the same again.

    Attributes:
        everywhere: The hub asked for less: no lane of the operation is tried before that moment.
    """

    at: datetime
    reason: str
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """The connection stops until somebody acts."""

    reason: str


Verdict: TypeAlias = Accept | Halve | Refuse | Forget | Retry | Pause


def decide(outcome: Outcome, *, size: int, atomic: bool, attempts: int, now: datetime, spread: float) -> Verdict:
    """Decides what follows from an outcome.

    Args:
        size: Records in the request.
        atomic: Whether the hub takes or refuses a batch whole.
        attempts: How often this lane failed before, in a row.
        spread: Jitter, from 0.5 to 1: the share of the computed rest that is taken.
    """
    match outcome:
        case Delivered():
            return Accept()
        case RefusedByHub() if atomic and size > 1:
            return Halve()
        case RefusedByHub(code, text, unknown_there):
            return Forget(code, text) if unknown_there else Refuse(code, text)
        case Throttled(retry_after):
            rest = max(retry_after or timedelta(0), backoff(attempts, spread))
            return Retry(now + rest, "too many requests", everywhere=True)
        case NotSent(reason) | OutcomeUnknown(reason):
            return Retry(now + backoff(attempts, spread), reason)
        case Misconfigured(reason):
            return Pause(reason)
        case Obsolete(reason):
            raise AssertionError(f"state is never obsolete: {reason}")


def decide_message(
    outcome: Outcome, *, attempts: int, now: datetime, spread: float
) -> Accept | Refuse | GiveUp | Retry | Pause:
    """Decides what follows from the outcome of a message: it stands alone, and there is no whole of it to tell anew.

    Args:
        attempts: How often this message was tried in vain.
        spread: As in `decide`.
    """
    if isinstance(outcome, Obsolete):
        return GiveUp(outcome.reason)
    match decide(outcome, size=1, atomic=False, attempts=attempts, now=now, spread=spread):
        case Forget(code, reason):
            return Refuse(code, reason)
        case Halve():
            raise AssertionError("one message has no halves")
        case verdict:
            return verdict


def backoff(attempts: int, spread: float) -> timedelta:
    """Gives the rest after a number of failures in a row: 0.5 s, 1 s, 2 s … up to `LONGEST`, times `spread`."""
    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = attempts + 1
    return timedelta(seconds=_WAIT(state) * spread)
