"""What hubs hold: agreements taken over from a portal's file, and where a hub disagrees with the record here."""

from collections.abc import Sequence
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints

from adapters.core.connection import ConnectionName
from gateway.http import bodies
from gateway.http.routing import AFTER, LIMIT, Answer, Body, Call, Parameter, Route, respond
from gateway.http.v1 import offer_examples as examples
from gateway.http.v1.offers import TAG
from gateway.services.keys import KeyRole
from gateway.services.ports import Page
from gateway.services.ports.offers import AgreementImport, AgreementImports, Drift, DriftKind, Drifts

CSV: Final = "text/csv"
_NAME = Parameter("name", ConnectionName, "The connection's name.", "path")
_DRY_RUN = Parameter("dry_run", bool, "Only says what would come of it.", default=False)
_CONNECTION = Parameter("connection", ConnectionName, "Only this connection's.")


class AgreementImportOperations:
    """`/v1/connections/{name}/agreements/import`."""

    def __init__(self, imports: AgreementImports) -> None:
        self._imports = imports

    def routes(self) -> Sequence[Route]:
        """Names the operation."""
        return [
            Route(
                "POST",
                "/v1/connections/{name}/agreements/import",
                self.take,
                "Import agreements",
                TAG,
                {200: Answer("What came of the rows.", AgreementImport, example=examples.IMPORTED)},
                role=KeyRole.ADMIN,
                whole=True,
                parameters=(_NAME, _DRY_RUN),
                body=Body(
                    "CSV with a header, or a JSON list, as `docs/operations.md` tells.", None, (CSV, *bodies.JSON)
                ),
                problems=["not-found"],
            )
        ]

    async def take(self, call: Call) -> web.Response:
        """Takes agreements over that were signed in a portal without an interface, as Gireve's.

        A row that makes no sense is refused by its number, and the rest is taken. What the file does not name any more
        is listed, and stays as it is.
        """
        content = await bodies.read(call.request)
        report = await self._imports.take(call["name"], content, call.who, dry_run=call["dry_run"])
        return respond(report, AgreementImport)


class DriftSettled(BaseModel):
    """Which disagreement somebody has looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connection: ConnectionName
    kind: DriftKind
    subject: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    field: Annotated[str, StringConstraints(max_length=200)] = ""


class DriftOperations:
    """`/v1/offer-drifts`."""

    def __init__(self, drifts: Drifts) -> None:
        self._drifts = drifts

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        return [
            Route(
                "GET",
                "/v1/offer-drifts",
                self.list,
                "List where hubs disagree about offers",
                TAG,
                {
                    200: Answer(
                        "A page of what is not settled, the newest first.",
                        Page[Drift],
                        example={"items": [examples.DRIFT]},
                    )
                },
                whole=True,
                parameters=(_CONNECTION, AFTER, LIMIT),
                problems=["not-found"],
            ),
            Route(
                "POST",
                "/v1/offer-drifts/settle",
                self.settle,
                "Put a disagreement aside",
                TAG,
                {204: Answer("It is put aside.")},
                role=KeyRole.ADMIN,
                whole=True,
                body=Body("Which.", DriftSettled, example=examples.SETTLED),
                problems=["not-found"],
            ),
        ]

    async def list(self, call: Call) -> web.Response:
        """Gives what a hub holds otherwise than the record here, or decided otherwise. Nothing is overwritten by it."""
        return respond(await self._drifts.list(call["connection"], call["after"], call["limit"]), Page[Drift])

    async def settle(self, call: Call) -> web.Response:
        """Puts one aside that somebody has looked at. It comes back when it is seen again."""
        given = await call.json(DriftSettled)
        await self._drifts.settle(given.connection, given.kind, given.subject, given.field, call.who)
        return web.Response(status=204)
