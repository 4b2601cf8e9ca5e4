"""EVSE statuses: the API's busiest operation, so it does nothing that a status does not need."""

import asyncio
from collections.abc import Sequence
from typing import Final

from aiohttp import web
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from gateway.complaints import FieldError, field_errors, guard
from gateway.http import bodies
from gateway.http.problems import Problem, of_validation
from gateway.http.routing import Answer, Body, Call, Route, adapter_of
from gateway.http.v1 import examples
from gateway.http.v1.shapes import StatusSummary
from gateway.metrics import Metrics
from gateway.services.keys import Identity, KeyRole
from gateway.services.ports import Statuses, StatusOutcome
from mappings.canonical.locations import EvseStatusReport

MOST: Final = 10_000
"""Reports in one request."""

_FAULTS_OF_ONE: Final = 5
"""Faults named of one report in a list."""

_IN_A_THREAD: Final = 128 * 1024
"""Bytes from which a body is validated beside the event loop, which would stand still for over 5 ms."""

_ONE: Final[TypeAdapter[EvseStatusReport]] = TypeAdapter(EvseStatusReport)
_MANY: Final[TypeAdapter[list[EvseStatusReport]]] = TypeAdapter(list[EvseStatusReport])


class StatusOperations:
    """`/v1/evse-statuses`."""

    def __init__(self, statuses: Statuses, metrics: Metrics) -> None:
        self._statuses = statuses
        self._metrics = metrics

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        return [
            Route(
                "POST",
                "/v1/evse-statuses",
                self.report,
                "Report EVSE statuses",
                "Statuses",
                {200: Answer("What came of the reports; all of them are durable.", StatusSummary)},
                role=KeyRole.PUBLISH,
                body=Body(
                    f"One report, or a list of at most {MOST}.",
                    EvseStatusReport | list[EvseStatusReport],
                    example=examples.STATUSES,
                ),
                problems=["not-found", "too-large"],
            )
        ]

    async def report(self, call: Call) -> web.Response:
        """Takes one report or a list; each names an EVSE by `evse_id`, or by `party`, `location_id` and `evse_uid`.

        In a list, a report that is refused stands in the answer by its position and does not stop the others. One sent
        alone is refused as a whole: 422 if it makes no sense, 404 if there is no such EVSE.
        """
        body = await bodies.read(call.request)
        if not body.lstrip().startswith(b"["):
            return await self._report_one(bodies.parse(body, _ONE), call.identity)
        work = _read_list if len(body) < _IN_A_THREAD else None
        reports, refused = work(body) if work else await asyncio.to_thread(_read_list, body)
        return await self._report_many(reports, refused, call.identity)

    async def _report_one(self, report: EvseStatusReport, identity: Identity) -> web.Response:
        if fault := _fault(report, identity):
            self._metrics.statuses(StatusOutcome.REFUSED, 1)
            raise Problem("not-allowed" if fault.field == "party" else "invalid", "The report is refused", [fault])
        [outcome] = await self._statuses.report([report], identity.parties)
        self._metrics.statuses(outcome, 1)
        if outcome is StatusOutcome.UNKNOWN_EVSE:
            raise Problem("not-found", "There is no such EVSE", [_unknown(report)])
        return web.Response(body=_ALONE[outcome], content_type="application/json")

    async def _report_many(
        self, reports: dict[int, EvseStatusReport], refused: list[FieldError], identity: Identity
    ) -> web.Response:
        taken: dict[int, EvseStatusReport] = {}
        for index, report in reports.items():
            if fault := _fault(report, identity):
                refused.append(fault.model_copy(update={"index": index}))
            else:
                taken[index] = report
        outcomes = await self._statuses.report(list(taken.values()), identity.parties) if taken else []
        counts = dict.fromkeys(StatusOutcome, 0)
        counts[StatusOutcome.REFUSED] = len({fault.index for fault in refused})
        for (index, report), outcome in zip(taken.items(), outcomes, strict=True):
            counts[outcome] += 1
            if outcome is StatusOutcome.UNKNOWN_EVSE:
                refused.append(_unknown(report, index))
        for outcome, count in counts.items():
            if count:
                self._metrics.statuses(outcome, count)
        summary = StatusSummary(
            counts[StatusOutcome.APPLIED],
            counts[StatusOutcome.UNCHANGED],
            counts[StatusOutcome.STALE],
            counts[StatusOutcome.UNKNOWN_EVSE],
            sorted(refused, key=lambda fault: fault.index or 0),
        )
        body = adapter_of(StatusSummary).dump_json(summary, exclude_none=True)
        return web.Response(body=body, content_type="application/json")


def _summary_of_one(outcome: StatusOutcome) -> bytes:
    summary = StatusSummary(
        applied=int(outcome is StatusOutcome.APPLIED),
        unchanged=int(outcome is StatusOutcome.UNCHANGED),
        stale=int(outcome is StatusOutcome.STALE),
        unknown=0,
        refused=(),
    )
    return adapter_of(StatusSummary).dump_json(summary)


_ALONE: Final = {outcome: _summary_of_one(outcome) for outcome in StatusOutcome}


def _read_list(body: bytes) -> tuple[dict[int, EvseStatusReport], list[FieldError]]:
    """Gives the reports that can be read by position, and the faults of the others."""
    if not guard(body):
        try:
            reports = _MANY.validate_json(body, strict=True)
            _demand_few(len(reports))
            return dict(enumerate(reports)), []
        except ValidationError as error:
            whole = error
    else:
        whole = None
    return _read_each(body, whole)


def _read_each(body: bytes, whole: ValidationError | None) -> tuple[dict[int, EvseStatusReport], list[FieldError]]:
    """Reads a list that was refused as a whole, report by report."""
    try:
        values = from_json(body)
    except ValueError as error:
        raise (of_validation(whole) if whole else Problem("damaged-body", str(error))) from error
    _demand_few(len(values))
    read: dict[int, EvseStatusReport] = {}
    refused: list[FieldError] = []
    for index, value in enumerate(values):
        text = to_json(value, inf_nan_mode="constants")
        faults = guard(text)
        if not faults:
            try:
                read[index] = _ONE.validate_json(text, strict=True)
            except ValidationError as error:
                faults = field_errors(error, most=_FAULTS_OF_ONE)
        refused += [fault.model_copy(update={"index": index}) for fault in faults]
    return read, refused


def _demand_few(count: int) -> None:
    if count > MOST:
        raise Problem("too-large", f"{count} reports in one request; at most {MOST} are taken")


def _fault(report: EvseStatusReport, identity: Identity) -> FieldError | None:
    """Says why a report that is well formed is refused all the same."""
    if report.evse_id is None:
        if report.party is None or report.location_id is None or report.evse_uid is None:
            return FieldError(field="evse_id", detail="is required, or else party, location_id and evse_uid")
    elif report.location_id is not None or report.evse_uid is not None:
        return FieldError(field="evse_id", detail="stands beside location_id or evse_uid; name the EVSE one way")
    if report.party is not None and not identity.speaks_for(report.party):
        return FieldError(field="party", detail="The API key does not speak for this party")
    return None


def _unknown(report: EvseStatusReport, index: int | None = None) -> FieldError:
    if report.evse_id is not None:
        return FieldError(field="evse_id", detail="names no EVSE of the parties that the key speaks for", index=index)
    return FieldError(field="evse_uid", detail="names no EVSE of that location", index=index)
