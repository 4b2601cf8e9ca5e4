"""What Hubject's answer to a question about a driver means: eRoamingAuthorizeStart and eRoamingAuthorizeStop."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from adapters.core.charging import Denial
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
from adapters.hubject.errors import by_http
from mappings.oicp.status_codes import CODES
from mappings.oicp.v2_3.authorisations import SUCCESS, Authorisation
from mappings.report import Refused

Kind: TypeAlias = type[NotSent] | type[OutcomeUnknown] | type[Misconfigured] | type[RefusedByHub]
Means: TypeAlias = Denial | Kind

STARTS: Final[Mapping[str, Means]] = MappingProxyType(
    {
        "000": Denial.NOT_ALLOWED,  # beside NotAuthorized: a no is a no
        # Hubject gave up, or could not be asked like this: nobody looked at the driver.
        "001": NotSent,
        "002": NotSent,
        "009": NotSent,
        "017": Misconfigured,
        "021": NotSent,
        "022": RefusedByHub,
        "018": Denial.UNKNOWN_EVSE,  # the EvseID is not of this operator
        "019": Denial.UNKNOWN_TOKEN,
        "101": Denial.NOT_ALLOWED,  # the wrong PIN
        "102": Denial.UNKNOWN_TOKEN,
        "103": Denial.UNKNOWN_TOKEN,
        "105": Denial.UNKNOWN_TOKEN,
        "106": Denial.NOT_ALLOWED,  # everybody was asked, and nobody said yes
        "110": Denial.NO_ANSWER,
        "120": Denial.UNKNOWN_TOKEN,
        "121": Denial.NOT_ALLOWED,  # the car's certificate
        "122": Denial.NO_ANSWER,
        "200": Denial.BLOCKED,
        "210": Denial.NO_CONTRACT,
        "300": Denial.NO_CONTRACT,  # the driver's EMSP is not at Hubject
        # The EMSP could not be asked, so that a list of local tokens may decide in its stead.
        "310": OutcomeUnknown,
        "320": NotSent,
        "400": Denial.UNKNOWN_SESSION,
        "501": Denial.EVSE_UNAVAILABLE,
        "510": Denial.EVSE_UNAVAILABLE,
        "601": Denial.EVSE_UNAVAILABLE,
        "602": Denial.EVSE_UNAVAILABLE,
        "603": Denial.UNKNOWN_EVSE,
        "604": Denial.EVSE_UNAVAILABLE,
        "700": Denial.EVSE_UNAVAILABLE,
    }
)
"""What every code of OICP 2.3 means of a start; a code that is not there leaves a no a no."""

STOPS: Final[Mapping[str, Means]] = MappingProxyType(
    {
        **STARTS,
        # The driver was let in: what is not known now is that this medium is theirs.
        **dict.fromkeys(("019", "101", "102", "103", "105", "106", "120", "121", "602"), Denial.OTHER_MEDIUM),
    }
)
"""Likewise of a stop."""

_ALONE: Final[Mapping[str, Means]] = MappingProxyType({"000": OutcomeUnknown, "300": Misconfigured})
"""What codes mean where there is no AuthorizationStatus beside them: success says nothing of the driver, and 300 was
recorded for an OperatorID that Hubject does not have."""

if STARTS.keys() != CODES.keys():
    raise ValueError("every status code of OICP means something of a start")


class Heard(NamedTuple):
    """What was made of an answer.

    Attributes:
        outcome: `Delivered` where there was a yes or a no.
        said: The yes, or what Hubject said with its no.
        denial: Why not; None for a yes, and where it is neither.
    """

    outcome: Outcome
    said: Authorisation | None = None
    denial: Denial | None = None


class Ear:
    """Hears one answer: judges it for the client, and keeps what was said.

    Args:
        read: Reads the parsed body.
        codes: What the codes mean.
    """

    def __init__(self, read: Callable[[Any], Authorisation | None], codes: Mapping[str, Means]) -> None:
        self._read = read
        self._codes = codes
        self.heard: Heard | None = None

    def __call__(self, answer: Answer) -> Outcome:
        """Judges an answer; raises nothing, whatever it is."""
        self.heard = self._hear(answer)
        return self.heard.outcome

    def _hear(self, answer: Answer) -> Heard:
        if answer.status == 429:
            return Heard(Throttled(retry_after(answer.headers, datetime.now(UTC))))
        try:
            said = self._read(answer.json())
        except Refused as refused:  # authorised, and without the name by which all that follows is told
            return Heard(OutcomeUnknown(f"an answer without sense: {refused}"))
        except ValueError:
            return Heard(by_http(answer))
        if said is None:
            return Heard(by_http(answer))
        return self._understood(said, answer)

    def _understood(self, said: Authorisation, answer: Answer) -> Heard:
        words = f"{said.code or ''} {said.text}".strip()
        if said.authorised:
            clear = said.code in {None, SUCCESS}
            return Heard(Delivered(), said) if clear else Heard(OutcomeUnknown(f"{words}, beside Authorized"))
        means = self._meaning(said)
        if means is None:
            return Heard(by_http(answer))
        if isinstance(means, Denial):
            return Heard(Delivered(), said, means)
        return Heard(_outcome(means, said.code or "", said.text))

    def _meaning(self, said: Authorisation) -> Means | None:
        no = said.authorised is False
        if said.code is None:
            return Denial.NOT_ALLOWED if no else None
        if not no and said.code in _ALONE:
            return _ALONE[said.code]
        return self._codes.get(said.code, Denial.NOT_ALLOWED if no else OutcomeUnknown)


def _outcome(kind: Kind, code: str, text: str) -> Outcome:
    if issubclass(kind, RefusedByHub):
        return RefusedByHub(code, text)
    return kind(f"{code} {text}".strip())
