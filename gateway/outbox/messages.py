"""Messages to hubs, appended in the transaction of what they tell of."""

from collections.abc import Sequence

from adapters.core.charging import Message
from gateway.outbox.projecting import Link
from gateway.store.pool import Transaction
from gateway.store.queries import Queries

SQL = Queries("gateway.outbox", "messages.sql")


async def append(tx: Transaction, link: Link, messages: Sequence[Message], cdr_no: int | None = None) -> None:
    """Appends messages to a connection's deliveries; the caller wakes the dispatcher once it has committed.

    Whoever appends for one session holds its row locked, so that messages of a lane are numbered as they are committed.

    Args:
        cdr_no: The CDR that is told, whose delivery its state is read from.
    """
    if not messages:
        return
    profile = link.adapter.charging.messages
    await tx.execute(
        SQL["append"],
        link.connection.id,
        cdr_no,
        [message.operation for message in messages],
        [message.kind for message in messages],
        [message.lane for message in messages],
        [message.key for message in messages],
        [message.party.normal for message in messages],
        [message.model_dump_json(exclude_none=True) for message in messages],
        [profile[message.operation].lasts for message in messages],
    )
