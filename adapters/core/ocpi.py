"""OCPI 2.2.1's transport, for every hub and peer that speaks it: tokens, headers, paging, endpoints, the envelope.

Sections cited are of OCPI 2.2.1, transport_and_format, unless another is named.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.core.connection import Connection
from adapters.core.http import Answer, Reply
from adapters.core.inbound import Window
from mappings.canonical.ids import PartyId
from mappings.ocpi import envelope, times
from mappings.ocpi.envelope import StatusCode
from mappings.report import Refused

VERSION = "2.2.1"
REQUEST_ID, CORRELATION_ID = "X-Request-ID", "X-Correlation-ID"
FROM_COUNTRY, FROM_PARTY = "OCPI-from-country-code", "OCPI-from-party-id"
TO_COUNTRY, TO_PARTY = "OCPI-to-country-code", "OCPI-to-party-id"

_SCHEME = re.compile(r"Token +([A-Za-z0-9+/]+={0,2}) *", re.IGNORECASE)
_NEXT = re.compile(r'<([^<>]*)>[^,<>]*;\s*rel="?next"?', re.IGNORECASE)
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]+")
_MOST = 2**53


class Endpoints(BaseModel):
    """What a platform told us of itself when we registered; kept as `Secrets.endpoints`.

    Attributes:
        versions: URL of its versions.
        modules: URL by `module/ROLE`, `locations/RECEIVER`; `credentials` stands without a role.
        parties: Its roles, `HUB FR*007`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    versions: str
    version: str = VERSION
    modules: Mapping[str, str] = {}
    parties: tuple[Annotated[str, Field(pattern=r"^[A-Z]+ \S+$")], ...] = ()


def modules_of(connection: Connection) -> Mapping[str, str]:
    """Gives the endpoints of `Endpoints.modules` as stored; none where what is stored is not OCPI's."""
    try:
        return Endpoints.model_validate(connection.secrets.endpoints).modules
    except ValidationError:
        return {}


def authorization(token: str) -> str:
    """Writes the `Authorization` header: the token's Base64, as 2.2.1 wants it."""
    return "Token " + base64.b64encode(token.encode()).decode()


def presented_token(header: str | None) -> str | None:
    """Reads the token out of an `Authorization` header; None if there is none to read.

    A line break at the end is cut: the protocol's own example encodes one.
    """
    match = _SCHEME.fullmatch(header.strip()) if header else None
    if match is None:
        return None
    try:
        return base64.b64decode(match[1], validate=True).decode().strip() or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def headers(token: str, sender: PartyId | None = None, receiver: PartyId | None = None) -> dict[str, str]:
    """Makes the headers of a new request.

    Args:
        token: The token to present, not yet encoded.
        sender: The party that speaks; None for configuration modules, which are not routed.
        receiver: The party spoken to.
    """
    made = {"Authorization": authorization(token), REQUEST_ID: str(uuid4()), CORRELATION_ID: str(uuid4())}
    if sender is not None:
        made[FROM_COUNTRY], made[FROM_PARTY] = sender.country, sender.code
    if receiver is not None:
        made[TO_COUNTRY], made[TO_PARTY] = receiver.country, receiver.code
    return made


def path(*segments: str) -> str:
    """Joins segments of a URL's path, each quoted whole: an id may hold a slash or a space."""
    # Most ids need no quoting, and finding that out is what `quote` takes longest for.
    return "/".join([segment if _UNRESERVED.fullmatch(segment) else quote(segment, safe="") for segment in segments])


def below(endpoint: str, tail: str) -> str:
    """Puts a quoted path below an endpoint's URL, which may end in a slash or not."""
    return f"{endpoint.rstrip('/')}/{tail}"


def said(answer: Answer) -> envelope.Answer | None:
    """Reads the envelope of an answer; None if it has none."""
    try:
        return envelope.read(answer.body)
    except Refused:
        return None


def data_of(reply: Reply) -> Any:
    """Gives what a delivered reply carries.

    Raises:
        ValueError: It was not delivered, or its body is no OCPI answer.
    """
    found = said(reply.answer) if reply.answer is not None else None
    if found is None or found.code != StatusCode.SUCCESS:
        raise ValueError(str(reply.outcome))
    return found.data


def party_in(request_headers: Mapping[str, str], country: str, code: str) -> PartyId | None:
    """Reads a party out of two headers; None where either is missing or they name none."""
    try:
        return PartyId.of(request_headers[country], request_headers[code])
    except (KeyError, ValueError):
        return None


# Paging


class BadParameter(ValueError):
    """A parameter of a list request cannot be read.

    Attributes:
        name: Which.
    """

    def __init__(self, name: str, detail: str) -> None:
        self.name = name
        super().__init__(f"{name}: {detail}")


def read_window(query: Mapping[str, str], cap: int) -> Window:
    """Reads the parameters of a list request; answers are always paged, also where none is given.

    Args:
        cap: Most objects of a page; a larger `limit` is cut down to it.

    Raises:
        BadParameter: One is malformed.
    """
    offset = _whole(query, "offset", 0)
    limit = _whole(query, "limit", cap)
    if limit == 0:
        raise BadParameter("limit", "must be at least 1")
    return Window(offset, min(limit, cap), _moment(query, "date_from"), _moment(query, "date_to"))


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) < _MOST):
        raise BadParameter(name, "not a whole number from 0")
    return int(text)


def _moment(query: Mapping[str, str], name: str) -> datetime | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        return times.parse(text)
    except ValueError as error:
        raise BadParameter(name, str(error)) from None


def page_headers(endpoint: str, query: Mapping[str, str], window: Window, total: int, cap: int) -> dict[str, str]:
    """Makes the headers of a page: `X-Total-Count`, `X-Limit` and, unless it is the last, `Link`.

    Args:
        endpoint: URL of the list, without parameters.
        query: As asked; its dates travel with the link as they are, since a client follows it as it is.
        window: As read from the query.
        total: How many objects match the window's dates.
        cap: Most objects that a page may have.
    """
    made = {"X-Total-Count": str(total), "X-Limit": str(cap)}
    after = window.offset + window.limit
    if after < total:
        asked = {name: query[name] for name in ("date_from", "date_to") if name in query}
        asked |= {"offset": str(after), "limit": str(window.limit)}
        made["Link"] = f'<{endpoint}?{urlencode(asked, safe=":")}>; rel="next"'
    return made


def next_page(answer_headers: Mapping[str, str]) -> str | None:
    """Reads the URL of the next page; None at the end."""
    match = _NEXT.search(answer_headers.get("Link", ""))
    return match[1] if match else None


# Answering


def answered(
    request: web.Request,
    at: datetime,
    data: Any = None,
    *,
    code: int = StatusCode.SUCCESS,
    status: int = 200,
    message: str | None = None,
    extra: Mapping[str, str] | None = None,
) -> web.Response:
    """Answers a request in the envelope, with its ids echoed and its route turned round.

    Args:
        at: Now, for the envelope's stamp.
        data: JSON-able, wire form.
        status: HTTP status.
        extra: More headers.
    """
    asked = request.headers
    made = {name: asked[name] for name in (REQUEST_ID, CORRELATION_ID) if name in asked}
    turned = {FROM_COUNTRY: TO_COUNTRY, FROM_PARTY: TO_PARTY, TO_COUNTRY: FROM_COUNTRY, TO_PARTY: FROM_PARTY}
    made |= {ours: asked[theirs] for ours, theirs in turned.items() if theirs in asked}
    made |= extra or {}
    return web.Response(
        status=status, body=envelope.write(data, at, code, message), headers=made, content_type="application/json"
    )
