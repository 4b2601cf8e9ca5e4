"""Asking hubs for a driver, one after the other: the first yes counts, and what comes after it opens nothing."""

import asyncio
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Final

import structlog

from adapters.core.charging import Allowed, Answer, ChargingAdapter, Denial, Denied, Question, Unanswered
from adapters.core.connection import Connection
from adapters.core.outcomes import OutcomeUnknown, label, words
from gateway.services.authorisation.admitting import Asked

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A connection that may be asked."""

    connection: Connection
    adapter: ChargingAdapter


@dataclass(slots=True, eq=False)
class Inquiry:
    """One connection that was asked.

    Attributes:
        after, took: Seconds from the request till it was asked, and from then till it answered.
        late: Its yes came after the driver's answer was settled.
        released: Of a late yes, whether the hub took it back.
    """

    candidate: Candidate
    after: float
    task: asyncio.Task[Answer]
    answer: Answer | None = None
    took: float | None = None
    late: bool = False
    released: bool | None = None

    def shown(self) -> Asked:
        """Gives it as it is stored and shown."""
        asked = Asked(
            connection=self.candidate.connection.name,
            after=round(self.after * 1000),
            took=round(self.took * 1000) if self.took is not None else None,
            answer="waiting",
        )
        match self.answer:
            case None:
                return asked
            case Allowed(leg=leg):
                late = {"answer": "late", "released": self.released, "leg": leg}
                return asked.model_copy(update=late if self.late else {"answer": "allowed"})
            case Denied(reason=reason, code=code, text=text):
                told = {"reason": reason, "code": code or None, "text": text or None}
                return asked.model_copy(update={"answer": "denied", **told})
            case Unanswered(outcome=outcome):
                return asked.model_copy(update={"answer": label(outcome), "text": words(outcome)})


@dataclass(slots=True)
class Asking:
    """What came of asking.

    Attributes:
        inquiries: In the order of asking.
        won: The one whose yes counts.
        cut_short: The time was over before all had been asked.
        recorded: The answer that it came to is stored.
    """

    inquiries: list[Inquiry] = field(default_factory=list)
    won: Inquiry | None = None
    cut_short: bool = False
    recorded: bool = False

    @property
    def outstanding(self) -> list[Inquiry]:
        """Those who have not answered yet, or said a yes that opens nothing and is to be given back."""
        return [each for each in self.inquiries if each.answer is None or (each.late and each.released is None)]

    def give_up(self) -> None:
        """Has the yes that counted given back, since it could not be made use of."""
        if self.won is not None:
            self.won.late = True

    def denial(self) -> Denial | None:
        """Gives the reason of the no that says most; None if nobody said a real one.

        That one hub does not know a driver is no answer as long as another one is silent, or was not asked, who may.
        """
        told = {each.answer.reason for each in self.inquiries if isinstance(each.answer, Denied)}
        silent = self.cut_short or any(not isinstance(each.answer, Denied) for each in self.inquiries)
        return min(told & (_REAL - _STRANGE if silent else _REAL), key=_TELLING.index, default=None)

    def silence(self) -> Denial:
        """Says why nobody said yes or no: they were silent, or none could be asked for such a driver."""
        unfit = all(isinstance(each.answer, Denied) and each.answer.reason is _UNFIT for each in self.inquiries)
        return _UNFIT if unfit and not self.cut_short else Denial.NO_ANSWER


# What only somebody who knows the driver can say comes first; what says no more than that they are unknown, last.
_TELLING: Final = (
    Denial.BLOCKED,
    Denial.EXPIRED,
    Denial.NO_CREDIT,
    Denial.NOT_ALLOWED,
    Denial.OTHER_MEDIUM,
    Denial.EVSE_UNAVAILABLE,
    Denial.UNKNOWN_EVSE,
    Denial.UNKNOWN_SESSION,
    Denial.NO_CONTRACT,
    Denial.UNKNOWN_TOKEN,
)
_REAL: Final = frozenset(_TELLING)
_STRANGE: Final = frozenset({Denial.NO_CONTRACT, Denial.UNKNOWN_TOKEN})
"""What a hub says of drivers who are not its own."""
_UNFIT: Final = Denial.NO_CANDIDATE


async def ask(
    candidates: Sequence[Candidate],
    question: Question,
    *,
    started: float,
    next_after: timedelta,
    answered: Callable[[Inquiry], None],
) -> Asking:
    """Asks candidates in order, the next one after a time, or as soon as one says anything but yes.

    Returns when somebody said yes, when all said something else, or at the deadline, which is the shortest of the
    candidates' own. Whoever has not answered by then goes on; see `follow`.

    Args:
        started: When the driver began to wait, by the monotonic clock.
        answered: Told of every answer in time.
    """
    asking = Asking()
    waiting = deque(candidates)
    within = min((each.adapter.charging.answer_within for each in candidates), default=timedelta(0))
    deadline = started + within.total_seconds()
    next_at = started
    running: dict[asyncio.Task[Answer], Inquiry] = {}
    while (waiting or running) and asking.won is None and (now := monotonic()) < deadline:
        if waiting and (now >= next_at or not running):
            inquiry = _begin(waiting.popleft(), question, now - started)
            asking.inquiries.append(inquiry)
            running[inquiry.task] = inquiry
            next_at = now + next_after.total_seconds()
        until = min(deadline, next_at) if waiting else deadline
        done, _ = await asyncio.wait(running, timeout=max(until - now, 0.0), return_when=asyncio.FIRST_COMPLETED)
        for inquiry in asking.inquiries:  # of two that answered in the same moment, the one asked first
            if inquiry.task in done:
                del running[inquiry.task]
                _take(inquiry, started)
                if isinstance(inquiry.answer, Allowed):
                    if asking.won is None:
                        asking.won = inquiry
                    else:
                        inquiry.late = True
                answered(inquiry)
        if done:
            next_at = monotonic()
    asking.cut_short = asking.won is None and bool(waiting)
    return asking


async def follow(asking: Asking, question: Question, started: float) -> list[Inquiry]:
    """Waits for those who had not answered when the driver was, and gives back what they say yes to.

    Bounded by the time that each hub's own requests are, and some more for what its adapter does about them.

    Returns:
        Those whose yes came too late.
    """

    async def one(inquiry: Inquiry) -> None:
        adapter = inquiry.candidate.adapter
        bound = (adapter.profile.request_timeout + adapter.charging.answer_within).total_seconds()
        if inquiry.answer is None:
            try:
                await asyncio.wait([inquiry.task], timeout=bound)
            finally:
                inquiry.task.cancel()  # does nothing to one that has ended
            await asyncio.wait([inquiry.task])
            _take(inquiry, started)
        if isinstance(inquiry.answer, Allowed):
            inquiry.late = True
            inquiry.released = await _release(inquiry, inquiry.answer, question, bound)

    open_ = asking.outstanding
    await asyncio.gather(*map(one, open_))
    return [each for each in open_ if each.late]


def _begin(candidate: Candidate, question: Question, after: float) -> Inquiry:
    return Inquiry(candidate, after, asyncio.get_running_loop().create_task(candidate.adapter.authorise(question)))


def _take(inquiry: Inquiry, started: float) -> None:
    """Notes what a task that has ended says."""
    inquiry.took = monotonic() - started - inquiry.after
    if inquiry.task.cancelled():
        inquiry.answer = Unanswered(OutcomeUnknown("no answer in time"))
    elif (error := inquiry.task.exception()) is not None:
        # An adapter raises nothing by its contract; a mistake in one hub's shall not keep the others from answering.
        _log.error("asking failed", connection=inquiry.candidate.connection.name, error=_trace(error))
        inquiry.answer = Unanswered(OutcomeUnknown(f"the adapter failed: {type(error).__name__}"))
    else:
        inquiry.answer = inquiry.task.result()


async def _release(inquiry: Inquiry, yes: Allowed, question: Question, bound: float) -> bool:
    try:
        async with asyncio.timeout(bound):
            return await inquiry.candidate.adapter.release(question, yes.leg)
    except Exception as error:  # noqa: BLE001 - as in `_take`; that it was not given back is told to whoever asks
        _log.error("not given back", connection=inquiry.candidate.connection.name, error=_trace(error))
        return False


def _trace(error: BaseException) -> str:
    """Names a mistake and its place; not its text, which may quote a token's uid."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {frames[-1].filename}:{frames[-1].lineno}" if frames else type(error).__name__
