"""Writing down what an authorisation came to: one commit for many, and a second look where a hub was late."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue

from gateway.events.writing import Event, EventType
from gateway.events.writing import append as append_events
from gateway.services.authorisation import tokens
from gateway.services.authorisation.admitting import Admission, record, stored
from gateway.services.authorisation.asking import Asking, Inquiry
from gateway.services.authorisation.standing import Known
from gateway.services.ports.authorising import Detail
from gateway.store.batching import Batches
from gateway.store.pool import Store, Transaction
from gateway.store.queries import Queries
from mappings.canonical.tokens import Token

SQL = Queries("gateway.services.authorisation", "authorise.sql")

_Learned: TypeAlias = tuple[str, int]
"""An EMSP, and the number of a connection over which it answered."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What one authorisation leaves behind."""

    admission: Admission
    connection: str | None
    tokens: Sequence[tuple[int, Token]]
    learned: _Learned | None


class Recording:
    """Writes authorisations with their events, the tokens that hubs told of, and who answered for which EMSP.

    Args:
        wake: Called after a commit that left an event to tell.
    """

    def __init__(self, store: Store, wake: Callable[[], None]) -> None:
        self._store = store
        self._wake = wake
        self._batches = Batches(self._write)
        self._learned: set[_Learned] = set()

    async def add(self, admission: Admission, connection: str | None, asking: Asking, known: Iterable[Known]) -> bool:
        """Writes one; False if its id is there already. It is durable when this returns.

        Args:
            connection: The name of the connection over which it roams.
            known: What is stored of the driver's token; written anew only where a hub told something else.
        """
        there = [(one.connection_id, one.token) for one in known]
        told = [
            (each.candidate.connection.id, token)
            for each in asking.inquiries
            if (token := getattr(each.answer, "token", None)) is not None
            and (each.candidate.connection.id, token) not in there
        ]
        return await self._batches.put(_Outcome(admission, connection, told, self._to_learn(admission)))

    async def settle(self, admission: Admission, asking: Asking, late: Sequence[Inquiry]) -> None:
        """Writes down what hubs said after the driver was answered.

        Args:
            late: Those whose yes came too late.
        """
        subject = f"authorisations/{admission.id}"
        events = [
            Event(
                EventType.AUTHORISATION_LATE,
                admission.party,
                subject,
                {"id": admission.id, **each.shown().model_dump(mode="json", exclude_none=True)},
            )
            for each in late
        ]
        asked = {"asked": tuple(each.shown() for each in asking.inquiries)}
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    if asking.recorded:
                        body = await tx.fetchval(SQL["detail"], admission.id)
                        detail = Detail.model_validate_json(body).model_copy(update=asked)
                        await tx.execute(SQL["settle"], admission.id, stored(detail))
                    await append_events(tx, *events)
        if events:
            self._wake()

    async def close(self) -> None:
        """Waits for what is being written."""
        await self._batches.close()

    async def _write(self, batch: Sequence[_Outcome]) -> Sequence[bool]:
        if any(one.tokens or one.learned is not None for one in batch):
            numbers = await self._write_learning(batch)
        else:  # as with most: one statement, which is a transaction by itself, instead of six ways to the database
            numbers = await _record(self._store, batch)
        self._wake()
        return [number is not None for number in numbers]

    async def _write_learning(self, batch: Sequence[_Outcome]) -> Sequence[int | None]:
        """Writes authorisations, and what hubs told by the way."""
        numbers: Sequence[int | None] = []
        learned: list[_Learned] = []
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    numbers = await _record(tx, batch)
                    new = [one for one, number in zip(batch, numbers, strict=True) if number is not None]
                    await tokens.see(tx, [told for one in new for told in one.tokens])
                    learned = sorted({one.learned for one in new if one.learned is not None})
                    if learned:
                        await tx.execute(SQL["learn"], *(list(column) for column in zip(*learned, strict=True)))
        self._learned.update(learned)
        return numbers

    def _to_learn(self, admission: Admission) -> _Learned | None:
        """Gives the EMSP and the connection over which it answered, unless that is known."""
        if admission.connection_id is None or admission.leg is None or admission.leg.emsp is None:
            return None
        found = admission.leg.emsp.normal, admission.connection_id
        return None if found in self._learned else found


async def _record(on: "Transaction | Store", batch: Sequence[_Outcome]) -> Sequence[int | None]:
    return await record(on, [one.admission for one in batch], [_event(one) for one in batch])


def with_asked(admission: Admission, asking: Asking, seconds: float) -> Detail:
    """Gives the detail with who was asked, and how long it took."""
    asked = tuple(each.shown() for each in asking.inquiries)
    return admission.detail.model_copy(update={"asked": asked, "took": round(seconds * 1000)})


def _event(outcome: _Outcome) -> tuple[str, EventType, JsonValue]:
    one = outcome.admission
    data = {
        "id": one.id,
        "origin": one.origin.value,
        "party": one.party.normal,
        "location_id": one.location_id,
        "evse_uid": one.evse_uid,
        "connector_id": one.connector_id,
        "connection": outcome.connection,
        "reference": one.id if one.allowed else None,
        "auth_method": one.auth_method.value if one.auth_method is not None else None,
        "reason": one.reason.value if one.reason is not None else None,
    }
    type_ = EventType.AUTHORISATION_ALLOWED if one.allowed else EventType.AUTHORISATION_DENIED
    told: JsonValue = {name: value for name, value in data.items() if value is not None}
    return one.id, type_, told
