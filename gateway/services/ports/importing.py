"""Files of any known format."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from gateway.services.ports.common import Invalid
from gateway.services.ports.reading import IssueCount
from mappings.canonical.ids import PartyId


@dataclass(frozen=True, slots=True)
class ImportRefusal:
    """A record that could not be imported, by its line (or its number in a list), from 1."""

    line: int
    field: str
    detail: str


@dataclass(frozen=True, slots=True)
class RefusalReason:
    """How many records were refused for one reason; `field` has no indices."""

    field: str
    detail: str
    count: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came of an import.

    Attributes:
        format: What the content was recognised as, as `ocpi-locations-ndjson` or `irve-static-csv`.
        read: Records read.
        statuses: Reports that named an EVSE; `updated` and `unchanged` count them too.
        refused: Records that could not be said; `refusals` are the first of them.
        issues: What was lost or mended, by kind and field without indices, the most frequent first.
        seconds: Wall time.
        skipped: Records of other parties than the one asked for.
        reasons: Why records were refused, the most frequent first.
    """

    format: str
    read: int
    locations: int
    evses: int
    tariffs: int
    statuses: int
    created: int
    updated: int
    unchanged: int
    refused: int
    refusals: Sequence[ImportRefusal]
    issues: Sequence[IssueCount]
    seconds: float
    skipped: int = 0
    reasons: Sequence[RefusalReason] = ()


class EndedEarly(Invalid):
    """The content is damaged from some point on.

    Attributes:
        report: What came of the records before that.
    """

    def __init__(self, detail: str, report: ImportReport) -> None:
        self.report = report
        super().__init__(("", detail))


class Progress(NamedTuple):
    """How far an import has come."""

    bytes_read: int
    records: int
    refused: int


class Importing(Protocol):
    """Files of any known format."""

    async def run(
        self,
        chunks: AsyncIterator[bytes],
        *,
        filename: str | None,
        party: PartyId | None,
        who: str,
        progress: Callable[[Progress], None] | None = None,
    ) -> ImportReport:
        """Reads a file of any known format, plain or gz, in bounded memory; what was stored stays if it ends early.

        Args:
            filename: A hint where the content leaves a doubt.
            party: The only party whose records are taken; None for all.

        Raises:
            Invalid: The content has no known format.
            EndedEarly: It is damaged (a truncated gz). What came before that is stored, except where a station's
                records may stand anywhere in the file: half a station would withdraw its other half.
        """
