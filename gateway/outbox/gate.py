"""Whether an operation of a connection may call its hub now; shared by all lanes that a worker serves."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from adapters.core.connection import State
from gateway.outbox.projecting import Link
from gateway.outbox.repository import Outbox
from gateway.outbox.retry import backoff

log = structlog.get_logger("outbox")

FAILURES_BEFORE_REST = 5
"""Failed lanes in a row after which the whole operation rests: the hub is away, and each lane need not find out."""


class Rests:
    """Stops calls when the process ends, or when whoever is called is away or wants to be left alone.

    Args:
        clock: Gives the present, aware.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._failures = 0
        self._rested_at: datetime | None = None
        self.stopping = False
        self.rests_until: datetime | None = None

    def stop(self) -> None:
        """Lets no more calls begin."""
        self.stopping = True

    @property
    def resting(self) -> bool:
        """Whether the operation rests at this moment."""
        return self.rests_until is not None and self._clock() < self.rests_until

    def succeeded(self) -> None:
        """Notes that the hub answered sensibly: whatever it said, it is there."""
        self._failures, self._rested_at, self.rests_until = 0, None, None

    def failed(self, begun: datetime, until: datetime, *, everywhere: bool) -> None:
        """Notes a failure after which a lane rests until a moment.

        Args:
            begun: When the call began that failed.
            everywhere: The other lanes shall rest as long.
        """
        moments = [self.rests_until] if self.rests_until is not None else []
        if everywhere:
            moments.append(until)
        # Calls that were in flight together fail together: what began before the rest says nothing new of the hub.
        if self._rested_at is None or begun > self._rested_at:
            self._failures += 1
            if self._failures >= FAILURES_BEFORE_REST:
                self._rested_at = self._clock()
                moments.append(self._rested_at + backoff(self._failures - FAILURES_BEFORE_REST, 1))
        self.rests_until = max(moments, default=None)


class Gate(Rests):
    """Stops calls when somebody pauses the connection, the process ends, the hub is away or wants to be left alone.

    Args:
        present: Gives the connection as this process knows it; None once it is gone.
        refresh: Lets this process know connections as they are in the store.
        clock: Gives the present, aware.
    """

    def __init__(
        self,
        outbox: Outbox,
        present: Callable[[], Link | None],
        refresh: Callable[[], Awaitable[object]],
        clock: Callable[[], datetime],
    ) -> None:
        super().__init__(clock)
        self._outbox = outbox
        self._present = present
        self._refresh = refresh

    def lets(self, link: Link) -> bool:
        """Tells whether calls may still be made over a link: the connection is as it was when they were planned."""
        present = self._present()
        return (
            not self.stopping
            and present is not None
            and present.adapter is link.adapter  # else settings or credentials are others, and this one is being closed
            and present.connection.state is State.READY
            and present.connection.mode is link.connection.mode
        )

    async def pause(self, link: Link, reason: str) -> None:
        """Pauses the connection, unless somebody changed it since the call was planned that failed."""
        await self._refresh()
        if not self.lets(link):
            return
        if await self._outbox.pause(link.connection, reason):
            log.error("connection paused", connection=link.connection.name, why=reason)
        await self._refresh()
