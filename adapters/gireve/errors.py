"""What Gireve's answers mean: one table of OCPI codes, one of HTTP statuses, and the exceptions to them.

Gireve names 1000, 2000, 2001 and 2002; the rest is OCPI 2.2.1's (status_codes). What no table lists is of unknown
outcome, and counted as such.
"""

from collections.abc import Callable
from datetime import datetime

from adapters.core import ocpi
from adapters.core.http import Answer, retry_after
from adapters.core.outcomes import (
    Delivered,
    Misconfigured,
    NotSent,
    Outcome,
    OutcomeUnknown,
    RefusedByHub,
    Throttled,
)
from mappings.ocpi.envelope import StatusCode

Meaning = Callable[[str, str], Outcome]


def _delivered(_code: str, _text: str) -> Outcome:
    return Delivered()


def _refused(code: str, text: str) -> Outcome:
    return RefusedByHub(code, text)


def _not_known(code: str, text: str) -> Outcome:
    return RefusedByHub(code, text, unknown_there=True)


def _unknown(code: str, text: str) -> Outcome:
    return OutcomeUnknown(f"{code} {text}".strip())


def _not_sent(code: str, text: str) -> Outcome:
    return NotSent(f"{code} {text}".strip())


def _misconfigured(code: str, text: str) -> Outcome:
    return Misconfigured(f"{code} {text}".strip())


BY_CODE: dict[int, Meaning] = {
    StatusCode.SUCCESS: _delivered,
    StatusCode.CLIENT_ERROR: _refused,
    StatusCode.INVALID_PARAMETERS: _refused,
    StatusCode.NOT_ENOUGH_INFORMATION: _refused,
    StatusCode.UNKNOWN_LOCATION: _not_known,
    StatusCode.UNKNOWN_TOKEN: _refused,
    StatusCode.SERVER_ERROR: _unknown,  # "could not be processed" does not say how far it came
    StatusCode.UNABLE_TO_USE_CLIENT_API: _unknown,
    StatusCode.UNSUPPORTED_VERSION: _misconfigured,
    StatusCode.NO_MATCHING_ENDPOINTS: _misconfigured,
    StatusCode.HUB_ERROR: _unknown,
    StatusCode.UNKNOWN_RECEIVER: _misconfigured,  # the receiver of all we push is IOP itself
    StatusCode.TIMEOUT_ON_FORWARDED_REQUEST: _unknown,
    StatusCode.CONNECTION_PROBLEM: _unknown,
}
"""Meaning by OCPI code, for answers of HTTP 2xx and 4xx that carry one."""

BY_STATUS: dict[int, Meaning] = {
    400: _refused,
    405: _misconfigured,  # the endpoint is not that of the module
    409: _refused,
    413: _refused,
    414: _refused,
    415: _refused,
    422: _refused,
    500: _unknown,
    502: _unknown,
    503: _not_sent,  # the platform says that it is not there
    504: _unknown,
}
"""Meaning by HTTP status, for answers that carry no OCPI code."""

_CREDENTIALS = {401, 403}  # 403: "Gireve configures the roles of an operator and rejects forbidden requests"


def judge(answer: Answer, method: str, now: datetime) -> Outcome:
    """Reads the outcome of a push out of IOP's answer.

    Args:
        now: For `Retry-After` given as a date.
    """
    status = answer.status
    if status == 429:
        return Throttled(retry_after(answer.headers, now))
    found = ocpi.said(answer)
    text = (found.message or "") if found is not None else ""
    if status in _CREDENTIALS:
        return Misconfigured(f"HTTP {status} {text}".strip())
    if 200 <= status < 300 and not answer.body:
        # "Any data upload that did not get a correct response (HTTP code 2xx)" is to be sent again, so this one is not.
        return Delivered()
    if found is not None and (200 <= status < 300 or 400 <= status < 500):
        return _by_code(found.code, status, text, method)
    return BY_STATUS.get(status, _unknown)(f"HTTP {status}", text)


def _by_code(code: int, status: int, text: str, method: str) -> Outcome:
    absent = code == StatusCode.UNKNOWN_LOCATION or status == 404
    if absent and method == "DELETE":
        return Delivered()  # it is gone, which is what was asked for
    if absent and (method == "PATCH" or (method == "PUT" and code != StatusCode.SUCCESS)):
        # Of a PUT it is what the object lies below: an EVSE's location.
        return _not_known(str(code), text)
    if code == StatusCode.SUCCESS and status >= 400:
        return _unknown(f"HTTP {status}", "with the code of success")
    return BY_CODE.get(code, _unknown)(str(code), text)
