"""Files of any known format, as one streamed body."""

from collections.abc import Sequence
from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from gateway.complaints import FieldError
from gateway.http import bodies
from gateway.http.problems import Problem
from gateway.http.routing import PARTY, Answer, Body, Call, Parameter, Route, adapter_of, respond
from gateway.services.keys import KeyRole
from gateway.services.ports import EndedEarly, Importing, ImportReport

_FILENAME = Parameter(
    "filename",
    Annotated[str, StringConstraints(min_length=1, max_length=255)],
    "The file's name, a hint to its format.",
)


class ImportOperations:
    """`/v1/imports`."""

    def __init__(self, importing: Importing) -> None:
        self._importing = importing

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        return [
            Route(
                "POST",
                "/v1/imports",
                self.run,
                "Import a file",
                "Imports",
                {200: Answer("What came of its records.", ImportReport)},
                role=KeyRole.PUBLISH,
                parameters=(PARTY, _FILENAME),
                body=Body(
                    "OCPI JSON or NDJSON, OICP EVSEData, IRVE CSV or JSON; plain or gz; recognised by content.",
                    None,
                    bodies.ANY,
                ),
            )
        ]

    async def run(self, call: Call) -> web.Response:
        """Reads a file in a hub's or a country's format while it arrives, and writes its records in batches.

        A key that does not speak for all parties names the one whose records are taken.
        """
        if call["party"] is not None:
            call.demand(call["party"])
        elif call.identity.parties is not None:
            detail = "is required, since the API key does not speak for all parties"
            raise Problem("not-allowed", "Name the party to import for", [FieldError(field="party", detail=detail)])
        try:
            report = await self._importing.run(
                bodies.chunks(call.request), filename=call["filename"], party=call["party"], who=call.who
            )
        except EndedEarly as error:
            done = adapter_of(ImportReport).dump_python(error.report, mode="json", exclude_none=True)
            raise Problem("damaged-body", str(error), done=done) from error
        return respond(report, ImportReport)
