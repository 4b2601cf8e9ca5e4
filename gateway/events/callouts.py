"""Asks the backend for its word while somebody waits: one signed request within a deadline, never repeated."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

import structlog
from pydantic import BaseModel, TypeAdapter, ValidationError

from adapters.core.http import Answer, Reply, compact_json, read_json
from adapters.core.outcomes import Delivered, Misconfigured, NotSent, Outcome, OutcomeUnknown, words
from gateway.complaints import field_errors, guard, sentences
from gateway.events import signing
from gateway.events.hooks import Hook, HookKind, Hooks
from mappings.canonical.ids import PartyId

log = structlog.get_logger(__name__)

LONGEST: Final = timedelta(seconds=60)
"""Bound on any call-out, whatever its own deadline."""

DEADLINE: Final = "roamgate-deadline"
"""Header: when nobody waits for the answer any more; as in the body."""

PENDING: Final = "PENDING"
"""The `result` of an answer that comes later; a 202 means the same."""

T = TypeVar("T", bound=BaseModel)


class SilenceReason(StrEnum):
    """Why the backend's word is missing."""

    NOBODY = "nobody"
    """No call-out is set up for the question."""
    UNREACHABLE = "unreachable"
    """It surely did not get the question."""
    TIMEOUT = "timeout"
    BROKEN_OFF = "broken_off"
    REFUSED = "refused"
    """It answered with an HTTP status that says no more than that."""
    SENSELESS = "senseless"
    """Its answer is not what was asked for."""


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """The backend's word."""

    value: T


@dataclass(frozen=True, slots=True)
class Later:
    """The backend has the question, and tells its answer by the API."""


@dataclass(frozen=True, slots=True)
class Silence:
    """No word.

    Attributes:
        text: For a person; holds nothing of the question.
        stated: What the call-out says that silence shall count as; None where it says nothing or there is none.
    """

    reason: SilenceReason
    text: str
    stated: str | None = None


Word: TypeAlias = Answered[T] | Later | Silence


class Measures(Protocol):
    """What call-outs report for the metrics."""

    def call_out(self, kind: str, outcome: str, seconds: float) -> None:
        """Takes a call-out: `answered`, `later`, or a `SilenceReason`."""


class CallOuts:
    """Asks the backend."""

    def __init__(self, hooks: Hooks, measures: Measures, now: Callable[[], datetime]) -> None:
        self._hooks = hooks
        self._measures = measures
        self._now = now

    async def ask(
        self,
        party: PartyId,
        kind: str,
        body: Mapping[str, Any],
        deadline: datetime,
        answer: TypeAdapter[T],
        *,
        id_: str,
    ) -> Word[T]:
        """Asks once; raises nothing that the backend or a network can cause.

        Args:
            kind: Which question, as the types of a call-out name it.
            body: The question; sent with its id, kind, party and deadline.
            deadline: When no answer is of use any more.
            answer: What an answer must be.
            id_: Ours of the question, without a full stop.
        """
        began = time.perf_counter()
        word = await self._ask(party, kind, body, deadline, answer, id_)
        outcome = _LABELS[type(word)] if not isinstance(word, Silence) else word.reason.value
        self._measures.call_out(kind, outcome, time.perf_counter() - began)
        if isinstance(word, Silence):
            log.warning("call-out without an answer", kind=kind, party=party.normal, id=id_, reason=word.text)
        return word

    async def _ask(
        self, party: PartyId, kind: str, body: Mapping[str, Any], deadline: datetime, answer: TypeAdapter[T], id_: str
    ) -> Word[T]:
        hook = await self._whom(kind, party)
        if hook is None:
            return Silence(SilenceReason.NOBODY, "no call-out is set up for it")
        stamp = deadline.isoformat().replace("+00:00", "Z")
        question = compact_json({"id": id_, "kind": kind, "party": party.normal, "deadline": stamp, **body})
        now = self._now()
        request = self._hooks.client(hook, LONGEST).request(
            kind,
            "POST",
            hook.url,
            judge=_judge,
            body=question,
            headers={DEADLINE: stamp, **signing.headers(hook.secrets, id_, now, question)},
        )
        try:
            async with asyncio.timeout((deadline - now).total_seconds()):
                reply = await request
        except TimeoutError:
            return Silence(SilenceReason.TIMEOUT, "no answer in time", hook.silence)
        return _read(reply, answer, hook)

    async def _whom(self, kind: str, party: PartyId) -> Hook | None:
        """Gives whom to ask: who names the party and the kind before who names neither; then the oldest."""
        fitting = [
            hook for hook in await self._hooks.all() if hook.kind is HookKind.CALL_OUT and hook.wants(kind, party)
        ]
        return min(fitting, key=lambda hook: (not hook.parties, not hook.types, hook.id), default=None)


_LABELS: Final[Mapping[type, str]] = {Answered: "answered", Later: "later"}

_REASONS: Final[Mapping[type[Outcome], SilenceReason]] = {
    NotSent: SilenceReason.UNREACHABLE,
    Misconfigured: SilenceReason.UNREACHABLE,  # the backend's certificate is not trusted, or it does not trust ours
    OutcomeUnknown: SilenceReason.BROKEN_OFF,
}


def _judge(answer: Answer) -> Outcome:
    return Delivered() if 200 <= answer.status < 300 else OutcomeUnknown(f"HTTP {answer.status}")


def _read(reply: Reply, answer: TypeAdapter[T], hook: Hook) -> Word[T]:
    if reply.answer is None:
        reason = _REASONS.get(type(reply.outcome), SilenceReason.BROKEN_OFF)
        return Silence(reason, words(reply.outcome), hook.silence)
    if not isinstance(reply.outcome, Delivered):
        return Silence(SilenceReason.REFUSED, words(reply.outcome), hook.silence)
    body = reply.answer.body
    if guard(body):
        return Silence(SilenceReason.SENSELESS, "the answer holds what cannot be stored", hook.silence)
    try:
        return Answered(answer.validate_json(body))
    except ValidationError as error:
        if reply.answer.status == HTTPStatus.ACCEPTED or _is_pending(body):
            return Later()
        text = f"the answer makes no sense: {sentences(field_errors(error, most=5))}"[:250]
        return Silence(SilenceReason.SENSELESS, text, hook.silence)


def _is_pending(body: bytes) -> bool:
    try:
        told = read_json(body)
    except ValueError:
        return False
    return isinstance(told, dict) and told.get("result") == PENDING
