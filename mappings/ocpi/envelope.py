"""The answer that wraps every OCPI message, and its status codes (2.2.1, transport and format; status codes)."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json
from typing_extensions import TypedDict

from mappings.ocpi import times
from mappings.report import Refused


class StatusCode(IntEnum):
    """The codes that OCPI 2.2.1 names; x9xx are left to agreements."""

    SUCCESS = 1000
    CLIENT_ERROR = 2000
    INVALID_PARAMETERS = 2001
    NOT_ENOUGH_INFORMATION = 2002
    UNKNOWN_LOCATION = 2003
    UNKNOWN_TOKEN = 2004
    SERVER_ERROR = 3000
    UNABLE_TO_USE_CLIENT_API = 3001
    UNSUPPORTED_VERSION = 3002
    NO_MATCHING_ENDPOINTS = 3003
    HUB_ERROR = 4000
    UNKNOWN_RECEIVER = 4001
    TIMEOUT_ON_FORWARDED_REQUEST = 4002
    CONNECTION_PROBLEM = 4003


class StatusClass(StrEnum):
    """Who is at fault, by the code's first digit."""

    SUCCESS = "success"
    CLIENT = "client"
    SERVER = "server"
    HUB = "hub"
    UNKNOWN = "unknown"


_CLASSES = {1: StatusClass.SUCCESS, 2: StatusClass.CLIENT, 3: StatusClass.SERVER, 4: StatusClass.HUB}

MESSAGES: dict[StatusCode, str] = {
    StatusCode.SUCCESS: "Success",
    StatusCode.CLIENT_ERROR: "The request cannot be processed",
    StatusCode.INVALID_PARAMETERS: "Invalid or missing parameters",
    StatusCode.NOT_ENOUGH_INFORMATION: "Not enough information",
    StatusCode.UNKNOWN_LOCATION: "Unknown location",
    StatusCode.UNKNOWN_TOKEN: "Unknown token",
    StatusCode.SERVER_ERROR: "Server error",
    StatusCode.UNABLE_TO_USE_CLIENT_API: "The client's API cannot be used",
    StatusCode.UNSUPPORTED_VERSION: "Unsupported version",
    StatusCode.NO_MATCHING_ENDPOINTS: "No matching endpoints",
    StatusCode.HUB_ERROR: "Hub error",
    StatusCode.UNKNOWN_RECEIVER: "Unknown receiver",
    StatusCode.TIMEOUT_ON_FORWARDED_REQUEST: "Timeout on forwarded request",
    StatusCode.CONNECTION_PROBLEM: "Connection problem",
}
"""What is said with a code where there is nothing better to say."""


def status_class(code: int) -> StatusClass:
    """Gives the class of any code, custom ones included."""
    return _CLASSES.get(code // 1000, StatusClass.UNKNOWN)


class Answer(NamedTuple):
    """An answer as read.

    Attributes:
        code: OCPI's status code; may be one that `StatusCode` does not name.
        data: What it carries; None where it is absent.
        message: The peer's text, None where absent.
        timestamp: When it was made; None where absent or not readable, since nothing hangs on it.
    """

    code: int
    data: Any
    message: str | None
    timestamp: datetime | None

    @property
    def status(self) -> StatusClass:
        """The class of the code."""
        return status_class(self.code)


class _Envelope(TypedDict, total=False):
    data: Any
    status_code: Any
    status_message: Any
    timestamp: Any


_ENVELOPE = TypeAdapter(_Envelope)


def read(body: bytes | str) -> Answer:
    """Reads an answer.

    Raises:
        Refused: Not a JSON object with a `status_code` that is a number.
    """
    try:
        wire = _ENVELOPE.validate_json(body)
    except ValidationError as error:
        raise Refused("", f"not an OCPI answer: {error.errors(include_url=False)[0]['msg']}") from None
    code, message, stamp = wire.get("status_code"), wire.get("status_message"), wire.get("timestamp")
    if isinstance(code, str) and code.isascii() and code.isdigit():
        code = int(code)
    if not isinstance(code, int) or isinstance(code, bool):
        raise Refused("status_code", "missing or not a number", code)
    try:
        timestamp = times.parse(stamp) if isinstance(stamp, str) else None
    except ValueError:
        timestamp = None
    return Answer(code, wire.get("data"), message if isinstance(message, str) else None, timestamp)


def write(data: Any, at: datetime, code: int = StatusCode.SUCCESS, message: str | None = None) -> bytes:
    """Writes an answer as compact JSON; `data` is left out where it is None, `message` defaults to the code's own."""
    wire: dict[str, Any] = {} if data is None else {"data": data}
    wire["status_code"] = int(code)
    text = message if message is not None else (MESSAGES[StatusCode(code)] if code in MESSAGES else None)
    if text is not None:
        wire["status_message"] = text
    wire["timestamp"] = times.write(at)
    return to_json(wire, inf_nan_mode="null")
