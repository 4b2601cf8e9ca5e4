"""Problem documents (RFC 9457): one table of what can be wrong, one exception, one place that renders."""

import json
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticSerializationError, ValidationError, to_json

from gateway.complaints import SHOWN, FieldError, field_errors, sentences
from gateway.logs import REQUEST_ID
from mappings.report import Issue

CONTENT_TYPE = "application/problem+json"


class Kind(NamedTuple):
    """A kind of problem: its HTTP status, its title, and what a caller does about it."""

    status: int
    title: str
    advice: str


KINDS: Mapping[str, Kind] = {
    "damaged-body": Kind(
        400,
        "The body cannot be read",
        "It is no JSON, nested too deep, or ends early. Mend it before it is sent again.",
    ),
    "no-key": Kind(401, "An API key is needed", "Send `Authorization: Bearer <key>` with a key that was not revoked."),
    "not-allowed": Kind(403, "The API key may not do this", "Use a key whose roles and parties cover the request."),
    "not-found": Kind(404, "There is no such thing", "The path is unknown, or what it names does not exist."),
    "wrong-method": Kind(405, "The path does not take this method", "The header `Allow` names the methods."),
    "conflict": Kind(409, "It cannot be done in the present state", "Read what is there, then decide anew."),
    "withdrawn": Kind(410, "It was withdrawn", "It is kept for those who pull by date; a PUT brings it back."),
    "forgotten": Kind(
        410,
        "The changes are no longer kept",
        "Take a new cursor by a call without `after`, then read everything, then read on from the cursor.",
    ),
    "revision": Kind(412, "It changed meanwhile", "Read it again; `ETag` names the present revision."),
    "too-large": Kind(413, "The body is too large", "Send less at once; the streamed operations take any size."),
    "wrong-media-type": Kind(
        415, "The body's type is not taken", "The operation's description names the types it takes."
    ),
    "invalid": Kind(422, "The content is not valid", "`errors` names each field. Nothing of the record was used."),
    "bug": Kind(500, "The gateway failed", "It is logged under `request_id`. Whether it took effect is not known."),
    "hub-failed": Kind(502, "The hub did not do its part", "The detail says what the hub answered. Try again later."),
    "unavailable": Kind(
        503, "The gateway cannot serve now", "Its store is out of reach. Try again after `Retry-After`."
    ),
}
"""Every problem by the name that stands in its `type`, `/docs#<name>`."""


class ProblemDocument(BaseModel):
    """What is wrong (RFC 9457).

    Attributes:
        type: Names the kind of problem; an address on this gateway that explains it.
        detail: What is wrong with this request.
        errors: The first of the faults, field by field.
        request_id: Find the request in the logs by it; also in the header `X-Request-ID`.
        done: Of a streamed body, what was done before the problem ended it.
    """

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    detail: str
    errors: Sequence[FieldError] = ()
    request_id: str | None = None
    done: Annotated[dict[str, Any] | None, Field(exclude_if=lambda value: value is None)] = None


class Problem(Exception):
    """Ends a request with a problem document.

    Attributes:
        name: Key in `KINDS`.
        errors: The first faults.
        done: What of a streamed body was done before; its JSON stands in the document.
    """

    def __init__(
        self,
        name: str,
        detail: str,
        errors: Iterable[FieldError] = (),
        *,
        headers: Mapping[str, str] | None = None,
        done: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.detail = detail
        self.errors = tuple(errors)[:SHOWN]
        self.headers = headers or {}
        self.done = done
        super().__init__(detail)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return KINDS[self.name].status

    def document(self) -> ProblemDocument:
        """Gives the document for the request that is being served."""
        kind = KINDS[self.name]
        return ProblemDocument(
            type=f"/docs#{self.name}",
            title=kind.title,
            status=kind.status,
            detail=self.detail,
            errors=self.errors,
            request_id=REQUEST_ID.get(),
            done=None if self.done is None else dict(self.done),
        )

    def response(self) -> web.Response:
        """Renders the document."""
        document = self.document()
        try:
            body = to_json(document, exclude_none=True)
        except PydanticSerializationError:  # it quotes what a caller sent, which was no UTF-8
            body = json.dumps(document.model_dump(exclude_none=True)).encode()
        return web.Response(body=body, status=self.status, content_type=CONTENT_TYPE, headers=self.headers)


def is_malformed(error: ValidationError) -> bool:
    """Whether the text was no JSON at all, rather than JSON of the wrong shape."""
    return (
        error.error_count() == 1 and error.errors(include_url=False, include_input=False)[0]["type"] == "json_invalid"
    )


def of_validation(error: ValidationError, what: str = "The body") -> Problem:
    """Gives the problem for a body that a model refused: 400 if it is no JSON, else 422 with its fields."""
    faults = field_errors(error)
    if is_malformed(error):
        return Problem("damaged-body", f"{what} is no JSON that can be read: {faults[0].detail}")
    if not all(fault.field for fault in faults[:5]):  # what is wrong is that its parts do not fit together
        return Problem("invalid", f"{what} is refused: {sentences(faults[:5])}", faults)
    detail = f"{what} is refused for " + ", ".join(dict.fromkeys(fault.field for fault in faults[:5]))
    if error.error_count() > 5:
        detail += f" and {error.error_count() - 5} more"
    return Problem("invalid", detail, faults)


def of_issues(issues: Iterable[Issue]) -> list[FieldError]:
    """Gives faults for issues of a translation."""
    return [FieldError(field=issue.field, detail=issue.detail) for issue in issues]


def of_status(status: int, reason: str, headers: Mapping[str, str]) -> Problem:
    """Gives the problem for an error that aiohttp raised by itself; a status without a kind counts as its class."""
    for name, kind in KINDS.items():
        if kind.status == status:
            return Problem(name, reason or kind.title, headers=headers)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Problem("bug", reason)
    return Problem("damaged-body", reason or "The request cannot be read", headers=headers)
