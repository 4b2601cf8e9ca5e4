"""What an answer of Hubject to a push means. The code in the body decides wherever there is one.

The real hub was recorded answering HTTP 400 with a list of wrong fields, 401 and 404 with a status code and no result,
and 403 with a page of its firewall, none of which its documents have.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

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
from mappings.oicp.status_codes import CODES, CodeClass
from mappings.oicp.v2_3.messages import Acknowledgement, read_acknowledgement

_BY_CLASS: Final[Mapping[CodeClass, type[Outcome]]] = {
    CodeClass.SUCCESS: Delivered,
    CodeClass.SYSTEM: NotSent,  # the transaction was given up: it may be sent again as it is, and is never halved
    CodeClass.ACCESS: Misconfigured,
    CodeClass.DATA: RefusedByHub,
    CodeClass.CONTRACT: Misconfigured,  # Hubject has to be subscriber of the CPO's EVSE data
    # The rest speaks of sessions and drivers, and is no answer to a push.
    CodeClass.DRIVER: OutcomeUnknown,
    CodeClass.PARTNER: OutcomeUnknown,
    CodeClass.SESSION: OutcomeUnknown,
    CodeClass.EVSE: OutcomeUnknown,
}

_BY_CODE: Final[Mapping[str, type[Outcome]]] = {
    "300": Misconfigured,  # "Partner not found": the OperatorID is not one that Hubject has
    "320": NotSent,  # "Service not available"
    "603": RefusedByHub,  # "Unknown EVSE ID"
    "604": RefusedByHub,  # "EVSE ID is not Hubject compatible"
}

OUTCOMES: Final[Mapping[str, type[Outcome]]] = MappingProxyType(
    {code: _BY_CODE.get(code, _BY_CLASS[meaning.kind]) for code, meaning in CODES.items()}
)
"""The kind of outcome of a push for every code of OICP 2.3; a code that is not here is `OutcomeUnknown`."""

UNKNOWN_EVSE: Final = "603"
MISFIT: Final = frozenset({"022", UNKNOWN_EVSE})
"""Codes that a push may get because its action does not fit what the hub has: an insert of what is there already, an
update of what is not. Hubject names no code for it."""

INVALID_BODY: Final = "HTTP 400"
"""Stands as code for a list of wrong fields, which carries none."""


def outcome_of(answer: Answer) -> Outcome:
    """Reads the outcome of a push out of its answer; raises nothing, whatever the answer is."""
    if answer.status == 429:
        return Throttled(retry_after(answer.headers, datetime.now(UTC)))
    try:
        body = answer.json()
    except ValueError:
        return _by_http(answer)
    said = read_acknowledgement(body)
    if said is not None and said.code is not None:
        return _by_code(said, said.code)
    if said is not None and answer.status == 400 and isinstance(body.get("validationErrors"), list):
        return RefusedByHub(INVALID_BODY, said.text)
    return _by_http(answer)


def _by_code(said: Acknowledgement, code: str) -> Outcome:
    kind = OUTCOMES.get(code, OutcomeUnknown)
    words = f"{code} {said.text}".strip()
    # Success needs the hub's word for it. A refused certificate is answered without any result; a result that says
    # the contrary of its code leaves both in doubt.
    if (kind is Delivered and said.result is not True) or (kind is not Delivered and said.result is True):
        return OutcomeUnknown(f"{words}, with result {said.result}")
    if kind is RefusedByHub:
        return RefusedByHub(code, said.text)
    if kind is NotSent:
        return NotSent(words)
    if kind is Misconfigured:
        return Misconfigured(words)
    return Delivered() if kind is Delivered else OutcomeUnknown(words)


def _by_http(answer: Answer) -> Outcome:
    """Judges an answer without a code, by what its HTTP status says of the request and not of the records."""
    said = f"HTTP {answer.status} without a status code"
    if answer.status in {401, 403}:
        # A certificate that is not known, or an address that the firewall does not.
        return Misconfigured(said)
    if answer.status == 400 and b"ssl certificate" in answer.body[:4096].lower():
        # What web servers answer in place of the application where a certificate is missing or not accepted.
        return Misconfigured(f"{said}: about the certificate")
    if answer.status == 413:
        # Too large a body is mended by halving, as a wrong record is.
        return RefusedByHub("HTTP 413", "the body is too large")
    if answer.status == 503:
        after = retry_after(answer.headers, datetime.now(UTC))
        return NotSent(said) if after is None else Throttled(after)
    return OutcomeUnknown(said)
