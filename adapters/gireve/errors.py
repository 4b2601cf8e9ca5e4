"""What Gireve's answers mean: one table of OCPI codes, one of HTTP statuses, and the exceptions to them.

Gireve names 1000, 2000, 2001 and 2002; the rest is OCPI 2.2.1's (status_codes). What no table lists is of unknown
outcome, and counted as such.
"""

from collections.abc import Callable
from datetime import datetime

from adapters.core import ocpi
from adapters.core.charging import Denial
from adapters.core.http import Answer, retry_after
from adapters.core.outcomes import (
    Delivered,
    Misconfigured,
    NotSent,
    Obsolete,
    Outcome,
    OutcomeUnknown,
    RefusedByHub,
    Throttled,
)
from adapters.gireve.settings import CDRS, COMMAND_RESULTS
from mappings.canonical.commands import CommandResult
from mappings.canonical.tokens import AllowedType
from mappings.ocpi.envelope import StatusClass, StatusCode

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

HAS_IT: dict[str, frozenset[int]] = {CDRS: frozenset({409})}
"""HTTP statuses by which a hub says that it has what it is told, by operation.

Only after a try in doubt is that our own: else something else stands there under the same id. OCPI and the guide name
no answer for a CDR that is there already; any other refusal is taken for what it says, since a CDR that is counted as
delivered and is not there is never paid.
"""

NOBODY_WAITS: dict[str, frozenset[int]] = {COMMAND_RESULTS: frozenset({404, 410})}
"""HTTP statuses, with whatever body, by which an address that we were given says that it is of no use any more."""

NOT_ALLOWED: dict[AllowedType, Denial] = {
    AllowedType.BLOCKED: Denial.BLOCKED,
    AllowedType.EXPIRED: Denial.EXPIRED,
    AllowedType.NO_CREDIT: Denial.NO_CREDIT,
    AllowedType.NOT_ALLOWED: Denial.NOT_ALLOWED,
}
"""Why a driver is not admitted, by what the EMSP says of the token."""

DENIALS: dict[int, Denial] = {
    StatusCode.CLIENT_ERROR: Denial.UNKNOWN_TOKEN,  # what Gireve names it for
    StatusCode.UNKNOWN_LOCATION: Denial.UNKNOWN_EVSE,
    StatusCode.UNKNOWN_TOKEN: Denial.UNKNOWN_TOKEN,
}
"""Why a driver is not admitted, by OCPI code; any other code is no answer to the question."""

COMMAND_REFUSALS: dict[int, CommandResult] = {
    StatusCode.CLIENT_ERROR: CommandResult.REJECTED,
    StatusCode.INVALID_PARAMETERS: CommandResult.REJECTED,
    StatusCode.NOT_ENOUGH_INFORMATION: CommandResult.REJECTED,
    StatusCode.UNKNOWN_LOCATION: CommandResult.UNKNOWN_EVSE,
    StatusCode.UNKNOWN_TOKEN: CommandResult.REJECTED,
    StatusCode.UNKNOWN_RECEIVER: CommandResult.NO_CONTRACT,  # IOP knows no such CPO, or none that we may reach
    StatusCode.CONNECTION_PROBLEM: CommandResult.FAILED,  # it never reached the CPO
}
"""What came of a command of ours that is answered without a CommandResponse, by OCPI code."""

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


def judge_told(answer: Answer, operation: str, method: str, now: datetime, *, doubtful: bool) -> Outcome:
    """Reads the outcome of a message out of the answer to it.

    Args:
        operation: Name of the message.
        doubtful: An earlier try with the same content ended without anybody knowing what came of it.
        now: As in `judge`.
    """
    status = answer.status
    if status in HAS_IT.get(operation, ()):
        return Delivered() if doubtful else RefusedByHub(f"HTTP {status}", _words(answer))
    if status in NOBODY_WAITS.get(operation, ()):
        return Obsolete(f"HTTP {status} {_words(answer)}".strip())
    outcome = judge(answer, method, now)
    if operation == COMMAND_RESULTS and isinstance(outcome, Misconfigured) and status != 401:
        # One address that we were given and may not call says nothing of the connection, which would be paused; that
        # our token is not known there does.
        return RefusedByHub(f"HTTP {status}", outcome.reason)
    return outcome


def denial(answer: Answer) -> tuple[Denial, str, str] | None:
    """Reads a no out of an answer to an authorisation: why, and the hub's own code and words; None if it is none.

    A token that is not known is answered with HTTP 404 or OCPI 2004 (mod_tokens, POST); a 404 without an envelope may
    as well be of an address that is not there.
    """
    found = ocpi.said(answer)
    if found is None or answer.status >= 500 or answer.status in {*_CREDENTIALS, 429}:
        return None
    reason = DENIALS.get(found.code)
    if reason is None and answer.status == 404 and found.status is StatusClass.CLIENT:
        reason = Denial.UNKNOWN_TOKEN
    return None if reason is None else (reason, str(found.code), found.message or "")


def _words(answer: Answer) -> str:
    found = ocpi.said(answer)
    return (found.message or "") if found is not None else ""


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
