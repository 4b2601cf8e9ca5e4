"""What changed about offers, subscriptions and groups, and whom of our own it is told to."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

import structlog
from pydantic import JsonValue

from gateway.events.writing import Event, EventType
from gateway.events.writing import append as append_events
from gateway.services.links import SQL as CONNECTIONS
from gateway.store.pool import Record, Transaction
from gateway.store.queries import Queries
from mappings.canonical.agreements import Joining
from mappings.canonical.ids import PartyId

_log = structlog.get_logger(__name__)

SQL = Queries("gateway.services.offers", "announcing.sql")

ITSELF: Final = "gateway"
"""Who does what happens by time, in the audit trail."""


@dataclass(frozen=True, slots=True)
class Turned:
    """One thing that changed, for whoever keeps others in step with it.

    Attributes:
        kind: As it is told to backends.
        connection_id: The way of the offer.
        version: Which one came, was taken back or came into force.
        cpo, network_group: Whose network; one of both is given.
        emsp: Whose subscription; None where it is about all who have the offer.
        evse_group: Whose members changed; None where those of the network group did.
    """

    kind: EventType
    connection_id: int
    offer: str
    cpo: PartyId | None = None
    network_group: str | None = None
    version: int | None = None
    subscription: str | None = None
    emsp: PartyId | None = None
    evse_group: str | None = None


OnTurned: TypeAlias = Callable[[Sequence[Turned]], Awaitable[None]]
"""Is told after the commit. What a killed process did not tell is found by whoever compares with the store."""

_TO_WHOM_IT_IS_FOR: Final = frozenset({EventType.OFFER_PUBLISHED})


async def announce(tx: Transaction, changes: Sequence[Turned], now: datetime) -> None:
    """Writes the events of changes of offers and subscriptions: to their CPOs and EMSPs, as far as these are ours.

    Args:
        changes: As they stand in the transaction already, in the order in which they happened.
    """
    offers = {
        row["id"]: row for row in await tx.fetch(SQL["offers"], sorted({change.offer for change in changes}), now)
    }
    named = sorted({change.subscription for change in changes if change.subscription is not None})
    subscriptions = {row["id"]: row for row in await tx.fetch(SQL["subscriptions"], named)} if named else {}
    events: list[Event] = []
    for change in changes:
        offer = offers[change.offer]
        if change.subscription is not None:
            events += _of_subscription(change, offer, subscriptions[change.subscription])
        else:
            events += _of_offer(change, offer)
    await append_events(tx, *events)


async def announce_group(
    tx: Transaction, subject: str, data: Mapping[str, JsonValue], parties: Sequence[PartyId]
) -> None:
    """Writes the events of a change of a group: to its CPOs, as far as these are ours."""
    ours = await tx.fetch(SQL["ours"], [party.normal for party in parties])
    await append_events(tx, *(Event(EventType.GROUP_CHANGED, PartyId(row["id"]), subject, dict(data)) for row in ours))


async def pass_on(told: OnTurned, turned: Sequence[Turned]) -> None:
    """Tells what changed, after the commit: what fails at it undoes nothing, and is found again by comparing."""
    if not turned:
        return
    try:
        await told(turned)
    except Exception:  # noqa: BLE001 - whatever it is, what was asked for is done
        _log.exception("not passed on", kinds=sorted({each.kind.value for each in turned}))


async def audit(tx: Transaction, who: str, action: str, subject: str, detail: Mapping[str, JsonValue] | None) -> None:
    """Notes who did what."""
    await tx.execute(CONNECTIONS["audit"], who, action, subject, None if detail is None else dict(detail))


def _of_offer(change: Turned, offer: Record) -> list[Event]:
    """Tells the CPOs, and those who have the offer, or may have it where it is new or nobody has to subscribe."""
    data = _of(
        id=offer["id"],
        connection=offer["connection"],
        cpo=offer["cpo"],
        network_group=offer["network_group"],
        title=offer["title"],
        state=offer["state"],
        starts=offer["starts_at"],
        ends=offer["ends_at"],
        version=change.version,
    )
    everybody = change.kind in _TO_WHOM_IT_IS_FOR or offer["joining"] == Joining.OPEN
    emsps = offer["audience"] if everybody else offer["subscribers"]
    return [
        Event(change.kind, PartyId(party), f"offers/{offer['id']}", data)
        for party in dict.fromkeys([*offer["cpos"], *emsps])
    ]


def _of_subscription(change: Turned, offer: Record, subscription: Record) -> list[Event]:
    data = _of(
        id=subscription["id"],
        offer=offer["id"],
        connection=offer["connection"],
        cpo=offer["cpo"],
        network_group=offer["network_group"],
        emsp=subscription["emsp"],
        state=subscription["state"],
        starts=subscription["starts_at"],
        ends=subscription["ends_at"],
        why=subscription["why"],
    )
    emsps = [subscription["emsp"]] if subscription["ours"] else []
    return [
        Event(change.kind, PartyId(party), f"subscriptions/{subscription['id']}", data)
        for party in dict.fromkeys([*offer["cpos"], *emsps])
    ]


def _of(**values: JsonValue | datetime) -> dict[str, JsonValue]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
        if value is not None
    }
