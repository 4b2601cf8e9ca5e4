"""Messages to hubs, appended in the transaction of what they tell of."""

from collections.abc import Sequence
from typing import NamedTuple

from adapters.core.charging import Message
from gateway.outbox.projecting import Link
from gateway.store.pool import Transaction
from gateway.store.queries import Queries

SQL = Queries("gateway.outbox", "messages.sql")


class Told(NamedTuple):
    """A message and what it tells of.

    Attributes:
        cdr_no: The CDR that is told, whose delivery its state is read from.
        session_no: The session that is told.
    """

    message: Message
    cdr_no: int | None = None
    session_no: int | None = None


async def append(
    tx: Transaction,
    link: Link,
    messages: Sequence[Message],
    cdr_no: int | None = None,
    *,
    session_no: int | None = None,
) -> None:
    """Appends messages to a connection's deliveries; the caller wakes the dispatcher once it has committed.

    Whoever appends for one session holds its row locked, so that messages of a lane are numbered as they are committed.

    Args:
        cdr_no, session_no: As in `Told`, of all messages.
    """
    await append_each(tx, link, [Told(message, cdr_no, session_no) for message in messages])


async def append_each(tx: Transaction, link: Link, told: Sequence[Told]) -> None:
    """Appends messages of many sessions or CDRs, in one statement; as `append`."""
    if not told:
        return
    profile = link.adapter.charging.messages
    messages = [one.message for one in told]
    await tx.execute(
        SQL["append"],
        link.connection.id,
        [message.operation for message in messages],
        [message.kind for message in messages],
        [message.lane for message in messages],
        [message.key for message in messages],
        [message.party.normal for message in messages],
        [message.model_dump_json(exclude_none=True) for message in messages],
        [profile[message.operation].lasts for message in messages],
        [one.cdr_no for one in told],
        [one.session_no for one in told],
        [message.leg is not None or message.result is not None for message in messages],
    )
