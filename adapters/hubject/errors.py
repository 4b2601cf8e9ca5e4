"""What an answer of Hubject means, by a table for each operation. The code in the body decides wherever there is one.

The real hub was recorded answering HTTP 400 with a list of wrong fields, 401 and 404 with a status code and no result,
and 403 with a page of its firewall, none of which its documents have.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, TypeAlias

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
from mappings.oicp.status_codes import CODES, CodeClass
from mappings.oicp.v2_3.messages import Acknowledgement, read_acknowledgement

Outcomes: TypeAlias = Mapping[str, type[Outcome]]
"""The kind of outcome for every code of OICP 2.3; a code that is not there is `OutcomeUnknown`."""


def _table(by_class: Mapping[CodeClass, type[Outcome]], by_code: Mapping[str, type[Outcome]]) -> Outcomes:
    return MappingProxyType({code: by_code.get(code, by_class[meaning.kind]) for code, meaning in CODES.items()})


_PUSH_BY_CLASS: Final[Mapping[CodeClass, type[Outcome]]] = {
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

_PUSH_BY_CODE: Final[Mapping[str, type[Outcome]]] = {
    "300": Misconfigured,  # "Partner not found": the OperatorID is not one that Hubject has
    "320": NotSent,  # "Service not available"
    "603": RefusedByHub,  # "Unknown EVSE ID"
    "604": RefusedByHub,  # "EVSE ID is not Hubject compatible"
}

OUTCOMES: Final = _table(_PUSH_BY_CLASS, _PUSH_BY_CODE)
"""Of a push."""

PRICING_OUTCOMES: Final = _table(
    _PUSH_BY_CLASS,
    {
        **_PUSH_BY_CODE,
        # The offer of flexible or dynamic prices has not begun, or has ended. The stations' data and the charges go on,
        # so that the connection must not be paused for it.
        "210": NotSent,
    },
)
"""Of a push of prices."""

_CHARGE_BY_CLASS: Final[Mapping[CodeClass, type[Outcome]]] = {
    CodeClass.SUCCESS: Delivered,
    CodeClass.SYSTEM: NotSent,
    CodeClass.ACCESS: Misconfigured,
    CodeClass.DATA: RefusedByHub,
    # Of one EMSP, which may have left between the charge and its CDR. The others' charges go on, so that the connection
    # must not be paused for it, as it is where Hubject itself is the subscriber.
    CodeClass.CONTRACT: RefusedByHub,
    CodeClass.SESSION: RefusedByHub,
    CodeClass.DRIVER: RefusedByHub,  # the EMSP's own answer, passed on
    CodeClass.PARTNER: OutcomeUnknown,
    CodeClass.EVSE: OutcomeUnknown,  # what a CPO answers, and no answer to what it tells
}

_CHARGE_BY_CODE: Final[Mapping[str, type[Outcome]]] = {
    "300": RefusedByHub,  # the EMSP is not at Hubject (any more); see `_OF_SENDER`
    "603": RefusedByHub,
    "604": RefusedByHub,
}

CDR_OUTCOMES: Final = _table(
    _CHARGE_BY_CLASS,
    {
        **_CHARGE_BY_CODE,
        "320": NotSent,  # Hubject stores a CDR whether the EMSP takes it or not: so it is Hubject that is away
    },
)
"""Of a CDR. That Hubject invalidates the session after it took the CDR is seen to by `outcome_of_cdr`."""

NOTIFICATION_OUTCOMES: Final = _table(
    _CHARGE_BY_CLASS,
    {
        **_CHARGE_BY_CODE,
        "320": RefusedByHub,  # the EMSP, whose answer it is, takes none: they are optional
        "400": Obsolete,  # the session is closed: its CDR, which waits for no notification, was there first
    },
)
"""Of a charging notification."""

AUTHENTICATION_OUTCOMES: Final = _table(
    _PUSH_BY_CLASS,
    {
        "300": Misconfigured,  # the ProviderID is not one that Hubject has
        "320": NotSent,
        # 018, 603 and 604 speak of EVSEs, of which authentication data name none.
        "018": OutcomeUnknown,
    },
)
"""Of a push of authentication data: 210 says that Hubject is not the subscriber, 019 of another EMP's contract."""

_ASKED_BY_CLASS: Final[Mapping[CodeClass, type[Outcome]]] = {
    CodeClass.SUCCESS: OutcomeUnknown,  # success, and yet not what was asked for
    CodeClass.SYSTEM: NotSent,
    CodeClass.ACCESS: Misconfigured,
    CodeClass.DATA: RefusedByHub,
    CodeClass.CONTRACT: Misconfigured,  # the EMP has to be the subscriber
    CodeClass.PARTNER: OutcomeUnknown,
    # Nobody charges here.
    CodeClass.DRIVER: OutcomeUnknown,
    CodeClass.SESSION: OutcomeUnknown,
    CodeClass.EVSE: OutcomeUnknown,
}

PULL_OUTCOMES: Final = _table(
    _ASKED_BY_CLASS,
    {
        "300": Misconfigured,  # the ProviderID, or an OperatorID that was named, is not one that Hubject has
        "320": NotSent,
    },
)
"""Of a pull that brought nothing that can be read; never `Delivered`."""

COMMAND_OUTCOMES: Final = _table(
    _ASKED_BY_CLASS,
    {
        # What Hubject and the CPO say of the command itself is read before (`mappings.oicp.v2_3.sent_commands`); of
        # that only what contradicts itself comes here.
        "210": OutcomeUnknown,
        "300": OutcomeUnknown,
        "310": OutcomeUnknown,
        "320": OutcomeUnknown,
    },
)
"""Of a command for one of our drivers that was answered neither by a yes nor by a no."""

_OF_SENDER: Final = frozenset({"300"})
"""Codes that speak of the sender where there is no `Result` beside them: recorded for an OperatorID that Hubject does
not have."""

SESSION_INVALID: Final = "400"

UNKNOWN_EVSE: Final = "603"
MISFIT: Final = frozenset({"022", UNKNOWN_EVSE})
"""Codes that a push may get because its action does not fit what the hub has: an insert of what is there already, an
update of what is not. Hubject names no code for it."""

INVALID_BODY: Final = "HTTP 400"
"""Stands as code for a list of wrong fields, which carries none."""


def outcome_of_cdr(answer: Answer, *, doubtful: bool) -> Outcome:
    """Reads the outcome of a CDR.

    OICP 2.3, eRoamingChargeDetailRecord: one CDR for each SessionID, so that a second one is answered by 400, as is one
    of a session that Hubject does not have. Only where the first may have been taken does 400 say that it was.

    Args:
        doubtful: An earlier try with the same content ended without anybody knowing what came of it.
    """
    outcome = outcome_of(answer, CDR_OUTCOMES)
    taken = doubtful and isinstance(outcome, RefusedByHub) and outcome.code == SESSION_INVALID
    return Delivered() if taken else outcome


def outcome_of(answer: Answer, outcomes: Outcomes = OUTCOMES) -> Outcome:
    """Reads the outcome of a request out of its answer; raises nothing, whatever the answer is.

    Args:
        outcomes: Of the operation; of a push unless another is given.
    """
    if answer.status == 429:
        return Throttled(retry_after(answer.headers, datetime.now(UTC)))
    try:
        body = answer.json()
    except ValueError:
        return by_http(answer)
    said = read_acknowledgement(body)
    if said is not None and said.code is not None:
        return _by_code(said, said.code, outcomes)
    if said is not None and answer.status == 400 and isinstance(body.get("validationErrors"), list):
        return RefusedByHub(INVALID_BODY, said.text)
    return by_http(answer)


def _by_code(said: Acknowledgement, code: str, outcomes: Outcomes) -> Outcome:
    kind = outcomes.get(code, OutcomeUnknown)
    if code in _OF_SENDER and said.result is None:
        kind = Misconfigured
    words = f"{code} {said.text}".strip()
    # Success needs the hub's word for it. A refused certificate is answered without any result; a result that says
    # the contrary of its code leaves both in doubt.
    if (kind is Delivered and said.result is not True) or (kind is not Delivered and said.result is True):
        return OutcomeUnknown(f"{words}, with result {said.result}")
    if kind is RefusedByHub:
        return RefusedByHub(code, said.text)
    if kind is NotSent:
        return NotSent(words)
    if kind is Obsolete:
        return Obsolete(words)
    if kind is Misconfigured:
        return Misconfigured(words)
    return Delivered() if kind is Delivered else OutcomeUnknown(words)


def by_http(answer: Answer) -> Outcome:
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
