"""Settlement reports: who owes whom for a period."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiohttp import web
from pydantic import AfterValidator, Field

from adapters.core.connection import ConnectionName
from gateway.complaints import FieldError
from gateway.http.problems import Problem
from gateway.http.routing import Answer, Call, Parameter, Route, adapter_of, respond
from gateway.http.tables import CSV, NDJSON
from gateway.http.v1 import settlement_page, settlement_tables
from gateway.services.ports.repricing import Direction
from gateway.services.ports.settlement import SettlementLine, SettlementReport, Settlements, SettlementWanted
from gateway.settling.lines import Remark
from mappings.canonical.base import Instant
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import LocalDate

_PATH: Final = "/v1/settlements"
_HTML: Final = "text/html"


class SettlementFormat(StrEnum):
    """How a settlement is written."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"


class LinesFormat(StrEnum):
    """How the lines of a settlement are written."""

    NDJSON = "ndjson"
    CSV = "csv"


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is no time zone like Europe/Paris") from None
    return name


Edge = Annotated[Instant | LocalDate, Field(union_mode="left_to_right")]
"""A moment, or a day, which begins at midnight in the time zone that is asked for."""

_QUERY: Final = (
    Parameter("party", PartyId, "The party of ours: the CPO of what goes out, the EMSP of what came home. Required."),
    Parameter("from", Edge, "The first moment, or day, in which charges ended that are settled. Required."),
    Parameter("to", Edge, "The first moment, or day, after them. Required."),
    Parameter(
        "direction", Direction, "Own stations (`out`), or our drivers at partners' (`in`).", default=Direction.OUT
    ),
    Parameter(
        "time_zone",
        Annotated[str, AfterValidator(_zone)],
        "In which days begin, `Europe/Paris`; UTC where it is left out.",
    ),
    Parameter("partner", PartyId, "Only with this party."),
    Parameter("connection", ConnectionName, "Only over this connection."),
    Parameter("as_of", Instant, "Only what came into effect by then: the `as_of` of a report gives it once more."),
    Parameter(
        "late_since",
        Instant,
        "Also what came into effect after this moment for charges of before: the `as_of` of the report before.",
    ),
)


class SettlementOperations:
    """`/v1/settlements`."""

    def __init__(self, settlements: Settlements) -> None:
        self._settlements = settlements

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        tag = "Settlements"
        return [
            Route(
                "GET",
                _PATH,
                self.report,
                "Settle a period",
                tag,
                {
                    200: Answer(
                        "Who owes whom, by partner, connection, country, currency and tax.",
                        SettlementReport,
                        also={CSV: "The rows as a table.", _HTML: "A page that can be printed."},
                    )
                },
                parameters=(
                    *_QUERY,
                    Parameter("format", SettlementFormat, "As `Accept`, for who cannot set that."),
                ),
                problems=["not-found"],
            ),
            Route(
                "GET",
                _PATH + "/lines",
                self.lines,
                "List what is settled",
                tag,
                {
                    200: Answer(
                        "Every CDR, one a line, in the order of the ends of charges.",
                        bytes,
                        NDJSON,
                        also={CSV: "The same as a table with a line of names."},
                    )
                },
                parameters=(
                    *_QUERY,
                    Parameter("only", Remark, "Only CDRs of which this is to be said."),
                    Parameter("format", LinesFormat, "As `Accept`, for who cannot set that."),
                ),
                problems=["not-found"],
            ),
        ]

    async def report(self, call: Call) -> web.Response:
        """Sums up what one party owes another: sessions, kWh, minutes, net, tax and gross, disputed and missing.

        In a period are charges that ended in it. Every CDR counts as it stood at `as_of`; the same question with that
        moment gives the same report, to the cent, and the same digest. What comes later counts in the next report that
        is asked for with `late_since`. Nothing is paid here, and no tax is guessed: what is undecided is listed.
        """
        report = await self._settlements.report(_wanted(call))
        told = {
            "Cache-Control": "no-store",
            "Roamgate-As-Of": report.as_of.isoformat(),
            "Roamgate-Digest": report.digest,
        }
        form = _form(call, SettlementFormat.JSON, {CSV: SettlementFormat.CSV, _HTML: SettlementFormat.HTML})
        if form is SettlementFormat.CSV:
            body = settlement_tables.of_rows(report.rows)
            return web.Response(body=body, content_type=CSV, charset="utf-8", headers=told)
        if form is SettlementFormat.HTML:
            page = settlement_page.of_report(report)
            return web.Response(text=page, content_type=_HTML, headers={**told, **settlement_page.HEADERS})
        return respond(report, SettlementReport, headers=told)

    async def lines(self, call: Call) -> web.StreamResponse:
        """Streams every CDR as it is settled, however many: NDJSON, or CSV where `Accept` asks for that.

        Where agreements round totals, lines tell exact amounts, whose sums are rounded in the report.
        """
        only = frozenset({call["only"]}) if call["only"] is not None else None
        pages = await self._settlements.lines(_wanted(call), only)
        as_csv = _form(call, LinesFormat.NDJSON, {CSV: LinesFormat.CSV}) is LinesFormat.CSV
        media = CSV if as_csv else NDJSON
        response = web.StreamResponse(headers={"Content-Type": media, "Cache-Control": "no-store"})
        await response.prepare(call.request)
        with suppress(ConnectionError):  # the reader is gone
            async for piece in settlement_tables.of_lines(pages) if as_csv else _json_lines(pages):
                await response.write(piece)
            await response.write_eof()
        return response


async def _json_lines(pages: AsyncIterator[Sequence[SettlementLine]]) -> AsyncIterator[bytes]:
    adapter = adapter_of(SettlementLine)
    async for page in pages:
        if page:
            yield b"".join(adapter.dump_json(one, exclude_none=True) + b"\n" for one in page)


def _form(call: Call, usual: StrEnum, others: dict[str, StrEnum]) -> StrEnum:
    if (asked := call["format"]) is not None:
        found: StrEnum = asked
        return found
    accepted = call.request.headers.get("Accept", "")
    return next((form for media, form in others.items() if media in accepted), usual)


def _wanted(call: Call) -> SettlementWanted:
    missing = [FieldError(field=name, detail="is required") for name in ("party", "from", "to") if call[name] is None]
    if missing:
        raise Problem("invalid", f"Refused for {', '.join(fault.field for fault in missing)}", missing)
    return SettlementWanted(
        party=call.demand(call["party"]),
        direction=call["direction"],
        start=_moment(call["from"], call["time_zone"]),
        end=_moment(call["to"], call["time_zone"]),
        partner=call["partner"],
        connection=call["connection"],
        as_of=call["as_of"],
        late_since=call["late_since"],
    )


def _moment(edge: datetime | str, zone: str | None) -> datetime:
    if isinstance(edge, datetime):
        return edge
    day = date.fromisoformat(edge)
    try:
        return datetime.combine(day, time(), ZoneInfo(zone) if zone is not None else UTC).astimezone(UTC)
    except OverflowError:  # the first and last days of the calendar
        return datetime.combine(day, time(), UTC)
