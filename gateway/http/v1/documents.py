"""The terms of offers, as documents."""

from collections.abc import Sequence
from typing import Annotated, Final
from urllib.parse import quote

from aiohttp import web
from aiohttp.multipart import content_disposition_filename, parse_content_disposition
from pydantic import StringConstraints

from gateway.complaints import FieldError
from gateway.http import bodies
from gateway.http.problems import Problem
from gateway.http.routing import Answer, Body, Call, Parameter, Route, respond
from gateway.http.v1.standing import Standing
from gateway.services.keys import KeyRole
from gateway.services.ports import NotFound
from gateway.services.ports.offers import DocumentView, Groups, OfferFilter
from mappings.canonical.agreements import AgreementKey
from mappings.canonical.ids import PartyId

PDF: Final = "application/pdf"
MAX_DOCUMENT: Final = 10 * bodies.MIB
"""Bytes of a document."""

_PATH: Final = "/v1/documents/{id}"
_ID = Parameter("id", AgreementKey, "The document's id.", "path")
_OWNER = Parameter("party", PartyId, "Whose terms they are; needed unless the key speaks for one party alone.")
_NAME = Parameter(
    "name",
    Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^/\\\x00-\x1f\x7f]+$")],
    "The file's name; that of `Content-Disposition` where it is left out, else the id with `.pdf`.",
)


class DocumentOperations:
    """`/v1/documents`."""

    def __init__(self, groups: Groups, standing: Standing) -> None:
        self._groups = groups
        self._standing = standing

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        return [
            Route(
                "PUT",
                _PATH,
                self.put,
                "Upload a document",
                "Documents",
                {200: Answer("It is stored.", DocumentView)},
                role=KeyRole.PUBLISH,
                parameters=(_ID, _OWNER, _NAME),
                body=Body("The document, a PDF of 10 MiB at most.", None, (PDF,)),
                problems=["conflict"],
            ),
            Route(
                "GET",
                _PATH,
                self.get,
                "Read a document",
                "Documents",
                {200: Answer("The document; `ETag` is its SHA-256.", bytes, PDF)},
                parameters=(_ID,),
                problems=["not-found"],
            ),
        ]

    async def put(self, call: Call) -> web.Response:
        """Stores terms, once: a document never changes under its id, since offers were agreed on by it."""
        party = _owner(call)
        name = call["name"] or _disposed(call.request) or f"{call['id']}.pdf"
        content = await bodies.read(call.request, MAX_DOCUMENT)
        view = await self._groups.put_document(call["id"], party, name, PDF, content, call.who)
        return respond(view, DocumentView)

    async def get(self, call: Call) -> web.Response:
        """Gives a document of the key's parties, or one that an offer of its CPO names which the key may see."""
        view, content = await self._groups.document(call["id"])
        identity, naming = call.identity, OfferFilter(cpo=view.party, document=view.id)
        if not identity.speaks_for(view.party) and not await self._standing.is_named(identity, naming):
            raise NotFound(f"there is no document {call['id']}")
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(view.name, safe='')}",  # RFC 6266, section 4.1
            "ETag": f'"{view.digest}"',
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(body=content, content_type=view.media_type, headers=headers)


def _owner(call: Call) -> PartyId:
    if call["party"] is not None:
        return call.demand(call["party"])
    parties = call.identity.parties or frozenset()
    if len(parties) != 1:
        detail = "is required, since the API key speaks for several parties"
        raise Problem("invalid", "Say whose terms they are", [FieldError(field="party", detail=detail)])
    return next(iter(parties))


def _disposed(request: web.Request) -> str | None:
    """Gives the file's name of `Content-Disposition`, without folders; None where it has none, or an odd one."""
    _, parameters = parse_content_disposition(request.headers.get("Content-Disposition"))
    name = (content_disposition_filename(parameters) or "").replace("\\", "/").rpartition("/")[2].strip()
    return name if name and len(name) <= 255 and name.isprintable() else None
