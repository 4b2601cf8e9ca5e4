"""What an answer of the NGP API means: by HTTP status, since it has no codes; its faults are FaultBody.

| | |
| --- | --- |
| 200, 201 with what was asked for | delivered |
| 401, 403 | not sent: the API is not open to this certificate, while stations and charges go on: nothing is paused |
| 429 | throttled |
| another 4xx | refused, with the fields that it names |
| 503 | not sent |
| anything else, also 200 without sense | unknown |
"""

from collections.abc import Callable
from typing import Any, Final

from adapters.core.http import Answer
from adapters.core.outcomes import NotSent, Outcome, OutcomeUnknown, RefusedByHub
from adapters.hubject.errors import by_http, outcome_of

_TAKEN: Final = frozenset({200, 201})
_FORBIDDEN: Final = frozenset({401, 403})
_THROTTLED: Final = 429
_TIMED_OUT: Final = 408
_LONGEST: Final = 1000


def judge(answer: Answer, read: Callable[[Any], Outcome]) -> Outcome:
    """Reads the outcome of a request; raises nothing, whatever the answer is.

    Args:
        read: Judges the body of what was taken; raises ValueError where it has no sense.
    """
    if answer.status in _TAKEN:
        try:
            return read(answer.json())
        except ValueError:
            return OutcomeUnknown(f"HTTP {answer.status}, and an answer without sense")
    if answer.status in _FORBIDDEN:
        return NotSent(f"HTTP {answer.status}: Hubject's API for offers is not open to this certificate")
    # 429, 503 and a certificate that is not taken mean here what they mean everywhere at Hubject.
    known = outcome_of(answer) if answer.status == _THROTTLED else by_http(answer)
    refused = answer.status // 100 == 4 and isinstance(known, OutcomeUnknown | RefusedByHub)
    return RefusedByHub(f"HTTP {answer.status}", fault(answer)) if refused and answer.status != _TIMED_OUT else known


def fault(answer: Answer) -> str:
    """Gives the words of a FaultBody, with the fields that it names; none where it is none."""
    try:
        body = answer.json()
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    listed = body.get("validationErrors")
    wrong = [
        f"{each.get('fieldReference')}: {each.get('errorMessage')}"
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, dict)
    ]
    said = [str(body[name]) for name in ("message", "extendedInfo") if body.get(name)]
    return "; ".join([*said, *wrong])[:_LONGEST]
