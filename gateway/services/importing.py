"""Files of any known format, read while they arrive, in bounded memory whatever their size."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Final, Protocol, TypeVar

from gateway.services.formats.elements import Elements
from gateway.services.formats.intake import Intake
from gateway.services.formats.lines import Lines
from gateway.services.formats.recognising import KNOWN, Family, Header, Layout, Shape, recognise, seen_in
from gateway.services.formats.records import Cutter, Damaged, Raw
from gateway.services.formats.spool import Spool
from gateway.services.formats.tables import Row, Table
from gateway.services.formats.tally import Tally
from gateway.services.formats.translating import Translator
from gateway.services.formats.unpacking import unpacked
from gateway.services.ports import EndedEarly, ImportReport, Invalid, Progress, Publishing, Statuses
from mappings.canonical.ids import PartyId
from mappings.report import Issue

_SLICE: Final = 0.005
"""Seconds of work on end, after which others get their turn: a request waits for no import."""
_LARGE: Final = 128 * 1024
"""Bytes of a record that takes longer than that by itself, and is translated in a thread."""
_TRIED: Final = 100
"""Records without a known one among them, after which a file is of no known format."""
_GROUPED: Final = frozenset({Family.IRVE_STATIC, Family.OICP_DATA})
"""Families of which many records make one object."""

T = TypeVar("T")


class Issues(Protocol):
    """Where issues are counted."""

    def issue(self, protocol: str, issue: Issue, count: int = 1) -> None:
        """Counts an issue of a translation so many times."""


class Importing:
    """Imports files; see `ports.Importing`.

    Args:
        now: Gives the present, aware.
    """

    def __init__(
        self, publishing: Publishing, statuses: Statuses, metrics: Issues, now: Callable[[], datetime]
    ) -> None:
        self._publishing = publishing
        self._statuses = statuses
        self._metrics = metrics
        self._now = now

    async def run(
        self,
        chunks: AsyncIterator[bytes],
        *,
        filename: str | None,
        party: PartyId | None,
        who: str,
        progress: Callable[[Progress], None] | None = None,
    ) -> ImportReport:
        """See `ports.Importing.run`."""
        del filename  # the content leaves no doubt in any format known so far
        tally = Tally(self._metrics.issue)
        intake = Intake(self._publishing, self._statuses, tally, party, who)
        with Spool() as spool:
            translator = Translator(intake, tally, spool, self._now())
            try:
                return await _Run(_Content(chunks), intake, tally, spool, translator, progress).to_end()
            finally:
                await intake.abandon()


class _Content:
    """The content, unpacked, with the bytes counted as they came.

    Whatever ends it before its end is kept, and raised when the records before that are stored.

    Attributes:
        damage: How the content is broken.
        failure: What whoever sends it raised.
    """

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self.bytes_read = 0
        self.damage: str | None = None
        self.failure: Exception | None = None

    @property
    def is_whole(self) -> bool:
        return self.damage is None and self.failure is None

    async def pieces(self) -> AsyncIterator[bytes]:
        try:
            async for piece in unpacked(self._counted()):
                yield piece
        except Damaged as error:
            self.damage = str(error)

    async def _counted(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._chunks:
                self.bytes_read += len(chunk)
                yield chunk
        except Exception as error:  # noqa: BLE001 - raised again by `_Run.to_end`
            self.failure = error


class _Run:
    """One import."""

    def __init__(
        self,
        content: _Content,
        intake: Intake,
        tally: Tally,
        spool: Spool,
        translator: Translator,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._content = content
        self._intake = intake
        self._tally = tally
        self._spool = spool
        self._translator = translator
        self._progress = progress
        self._started = time.monotonic()
        self._slice = time.perf_counter()
        self._seen = ""

    async def to_end(self) -> ImportReport:
        pieces = self._content.pieces()
        shape = await self._read(pieces)
        grouped = any(family in _GROUPED for family in self._translator.families)
        if self._content.is_whole and grouped:
            async for group in self._spool.groups():
                await self._take(self._translator.group, group, sum(len(body) for _, body in group.rows))
        await self._intake.finish()
        if self._content.failure is not None:
            raise self._content.failure
        report = self._tally.report(self._format(shape), time.monotonic() - self._started)
        if (damage := self._content.damage) is not None:
            if grouped:
                damage += "; no station was stored, since the rest of it may stand in what is missing"
            raise EndedEarly(damage, report)
        self._demand_known()
        return report

    async def _read(self, pieces: AsyncIterator[bytes]) -> Shape | None:
        """Reads all records; gives what the file is, None where it breaks off before that can be told."""
        head, shape = b"", None
        async for piece in pieces:
            head += piece
            if (shape := recognise(head, whole=False)) is not None:
                break
        if shape is None:
            try:
                shape = recognise(head, whole=True)
            except Invalid:
                if self._content.is_whole:
                    raise
                return None
        if shape is None:
            return None
        if shape.header is not None:
            await self._rows(shape.header, head, pieces)
        else:
            await self._objects(Elements() if shape.layout is Layout.JSON else Lines(), head, pieces)
        return shape

    async def _objects(self, cutter: Cutter, head: bytes, pieces: AsyncIterator[bytes]) -> None:
        await self._take_objects(cutter.feed(head))
        async for piece in pieces:
            await self._take_objects(cutter.feed(piece))
        if self._content.is_whole:
            try:
                await self._take_objects(cutter.end())
            except Damaged as error:
                self._content.damage = str(error)

    async def _take_objects(self, raws: Iterable[Raw]) -> None:
        for raw in raws:
            await self._take(self._translator.json, raw, len(raw.body))
            if not self._translator.families:
                self._seen = self._seen or (raw.fault or "").removeprefix("is ") or seen_in(raw.body)
                if self._tally.read >= _TRIED:
                    self._demand_known()
        await self._tell()

    async def _rows(self, header: Header, head: bytes, pieces: AsyncIterator[bytes]) -> None:
        table = Table(header.delimiter)
        await self._take_rows(islice(table.feed(head), 1, None), header)
        async for piece in pieces:
            await self._take_rows(table.feed(piece), header)
        if self._content.is_whole:
            await self._take_rows(table.end(), header)

    async def _take_rows(self, rows: Iterable[Row], header: Header) -> None:
        for row in rows:
            await self._take(partial(self._translator.row, header=header), row, 0)
        await self._tell()

    async def _take(self, take: Callable[[T], None], record: T, size: int) -> None:
        if size > _LARGE:
            await asyncio.to_thread(take, record)
        else:
            take(record)
        if self._intake.full:
            await self._intake.flush()
        if self._spool.full:
            await self._spool.store()
        await self._breathe()

    async def _breathe(self) -> None:
        if time.perf_counter() - self._slice > _SLICE:
            await asyncio.sleep(0)
            self._slice = time.perf_counter()

    async def _tell(self) -> None:
        await self._breathe()  # a piece may hold no record at all
        if self._progress is not None:
            self._progress(Progress(self._content.bytes_read, self._tally.read, self._tally.refused))

    def _demand_known(self) -> None:
        """Raises where no record was of a known kind."""
        if self._tally.read and not self._translator.families:
            raise Invalid(("", f"the content is {self._seen}; {KNOWN}"))

    def _format(self, shape: Shape | None) -> str:
        labels = [family.label for family in self._translator.families]
        return "-".join(["+".join(labels), *([shape.layout.value] if shape else [])]).strip("-")
