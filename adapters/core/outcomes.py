"""What came of a request to a hub, named by what is known of it.

A hub's "no" is a value, not an exception: whoever sends decides by the kind of outcome, and only the adapter knows the
hub's codes. A code that an adapter's table does not list is `OutcomeUnknown`, and counted.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Delivered:
    """The hub has it.

    Attributes:
        answer: What the hub said that whoever sent it has to know, such as its own ids.
    """

    answer: JsonValue = None


@dataclass(frozen=True, slots=True)
class RefusedByHub:
    """The hub read it and will not take it for what it says; the same content would be refused again.

    Attributes:
        code: The hub's own code.
        text: The hub's own words.
        unknown_there: The hub does not know the thing that was to be changed: what it once accepted counts for
            nothing, and the whole of it is to be sent.
    """

    code: str
    text: str
    unknown_there: bool = False


@dataclass(frozen=True, slots=True)
class Obsolete:
    """The hub does not take it, and nobody there waits for it any more: what it speaks of is settled already."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Surely not acted upon: no connection, or the hub said that its system is down. Repeated later."""

    reason: str


@dataclass(frozen=True, slots=True)
class Throttled:
    """Surely not acted upon: too many requests. Repeated no earlier than the hub says, where it does."""

    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """Acted upon or not: no answer in time, a cut connection, an answer without sense. Repeated where safe."""

    reason: str


@dataclass(frozen=True, slots=True)
class Misconfigured:
    """Credentials, certificate or contract are wrong: nothing will pass until somebody acts; the connection pauses."""

    reason: str


Outcome: TypeAlias = Delivered | RefusedByHub | Obsolete | NotSent | Throttled | OutcomeUnknown | Misconfigured

_LABELS: dict[type[Outcome], str] = {
    Delivered: "delivered",
    RefusedByHub: "refused_by_hub",
    Obsolete: "obsolete",
    NotSent: "not_sent",
    Throttled: "throttled",
    OutcomeUnknown: "outcome_unknown",
    Misconfigured: "misconfigured",
}


def label(outcome: Outcome) -> str:
    """Gives the outcome's name as metrics and logs have it, in snake case."""
    return _LABELS[type(outcome)]


def words(outcome: Outcome) -> str:
    """Says for a person what came of a request."""
    match outcome:
        case Delivered():
            return "delivered"
        case RefusedByHub(code, text):
            return f"{code} {text}".strip()
        case Throttled():
            return "too many requests"
        case Obsolete(reason) | NotSent(reason) | OutcomeUnknown(reason) | Misconfigured(reason):
            return reason
