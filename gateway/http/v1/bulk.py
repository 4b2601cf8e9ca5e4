"""Bodies of one object a line, of any size: written in batches as they arrive, in bounded memory."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError

from gateway.complaints import SHOWN, FieldError, field_errors, guard
from gateway.http import bodies
from gateway.http.faults import EXPECTED, of_exception
from gateway.http.routing import Call, adapter_of
from gateway.http.v1.shapes import BulkSummary
from mappings.canonical.ids import PartyId
from mappings.report import Issue

BATCH: Final = 500
"""Objects written in one transaction, or fewer: as many as came in `BATCH_BYTES`, so that memory is bounded."""

BATCH_BYTES: Final = 8 * bodies.MIB


class Owned(Protocol):
    """An object of a party."""

    @property
    def party(self) -> PartyId:
        """Whose it is."""


class Rejected(NamedTuple):
    """A record that makes sense by itself, and was refused by what is stored.

    Attributes:
        problems: Pairs of the field's path and one sentence.
    """

    problems: Sequence[tuple[str, str]]


class Stored(Protocol):
    """What came of a record that was written, or is there already."""

    @property
    def outcome(self) -> str:
        """`created`, `updated` or `unchanged`."""

    @property
    def issues(self) -> Sequence[Issue]:
        """What was noticed about it."""


Settled: TypeAlias = Stored | Rejected

O = TypeVar("O", bound=Owned)  # noqa: E741 — an object, as in the class's name

Put = Callable[[Sequence[tuple[O, Sequence[Issue]]]], Awaitable[Sequence[Settled]]]


class Bulk(Generic[O]):
    """One streamed body on its way into the store.

    Args:
        adapter: Reads a line.
        put: Writes a batch.
    """

    def __init__(self, call: Call, adapter: TypeAdapter[O], put: Put[O]) -> None:
        self._call = call
        self._adapter = adapter
        self._put = put
        self._batch: list[tuple[O, Sequence[Issue]]] = []
        self._lines: list[int] = []
        self._bytes = 0
        self._counts: Counter[str] = Counter()
        self._errors: list[FieldError] = []

    async def run(self) -> BulkSummary:
        """Reads it to its end.

        Raises:
            Problem: The body was damaged or the store out of reach; `done` tells what was written before.
        """
        try:
            async for number, line in bodies.lines(self._call.request):
                self._take(number, line)
                if len(self._batch) == BATCH or self._bytes >= BATCH_BYTES:
                    await self._write()
                elif self._counts["read"] % 20 == 0:
                    await asyncio.sleep(0)  # validation is CPU only: others get their turn
            await self._write()
        except EXPECTED as error:
            problem = of_exception(error)
            if error is problem:  # the body is at fault, not the store: what it held till then is written
                await self._write()
            problem.done = adapter_of(BulkSummary).dump_python(self._summary(), mode="json", exclude_none=True)
            raise problem from error
        return self._summary()

    def _take(self, number: int, line: bytes | None) -> None:
        self._counts["read"] += 1
        if line is None:
            self._refuse([FieldError(field="", detail=f"is over {bodies.MAX_LINE} bytes", line=number)])
            return
        if faults := guard(line):
            self._refuse([fault.model_copy(update={"line": number}) for fault in faults])
            return
        try:
            value = self._adapter.validate_json(line, strict=True)
        except ValidationError as error:
            self._refuse(field_errors(error, line=number))
            return
        if not self._call.identity.speaks_for(value.party):
            self._refuse([FieldError(field="party", detail="The API key does not speak for this party", line=number)])
            return
        self._batch.append((value, ()))
        self._lines.append(number)
        self._bytes += len(line)

    def _refuse(self, faults: list[FieldError]) -> None:
        self._counts["refused"] += 1
        self._errors += faults[: SHOWN - len(self._errors)]

    async def _write(self) -> None:
        batch, self._batch, self._bytes = self._batch, [], 0
        lines, self._lines = self._lines, []
        results = await self._put(batch) if batch else ()
        for line, result in zip(lines, results, strict=True):
            if isinstance(result, Rejected):
                self._refuse([FieldError(field=field, detail=detail, line=line) for field, detail in result.problems])
                continue
            self._counts[result.outcome] += 1
            self._counts["issues"] += len(result.issues)

    def _summary(self) -> BulkSummary:
        names = ("read", "created", "updated", "unchanged", "refused", "issues")
        counts: dict[str, Any] = {name: self._counts[name] for name in names}
        return BulkSummary(**counts, errors=tuple(self._errors))
