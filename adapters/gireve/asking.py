"""Asking IOP for a driver (OCPI 2.2.1, mod_tokens, real-time authorization; guide, Tokens).

Exactly one location and one EVSE: IOP demands the one, and picks for us among several of the other.
"""

from collections.abc import Callable
from datetime import datetime

from adapters.core import ocpi
from adapters.core.charging import Allowed, Answer, Denial, Denied, Question, Unanswered
from adapters.core.http import Answer as HttpAnswer
from adapters.core.outcomes import Delivered, Misconfigured, Outcome, OutcomeUnknown
from adapters.gireve.errors import NOT_ALLOWED, denial, judge
from adapters.gireve.line import Line
from mappings.canonical.cdrs import CdrLocation
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import AllowedType, Identification, Token, TokenType
from mappings.ocpi.dialects import gireve_charging as gireve
from mappings.ocpi.v2_2_1.tokens import Authorisation
from mappings.report import Refused

AUTHORISE = "authorise"
"""The operation's name in the metrics."""

_TOKENS = "tokens/SENDER"


class Asking:
    """Asks over one connection.

    Args:
        line: With a bound on time that is short enough for whoever waits.
        now: The clock.
    """

    def __init__(self, line: Line, now: Callable[[], datetime]) -> None:
        self._line, self._now = line, now

    async def authorise(self, question: Question) -> Answer:
        """See `ChargingAdapter.authorise`."""
        if question.identification.type is TokenType.QR_CODE:
            # Whoever knows the code would be admitted, since nobody could ask for the PIN.
            return Denied(Denial.NO_CANDIDATE, text="OCPI has no place for the PIN that proves a QR code's contract")
        try:
            uid, type_ = gireve.uid_and_type(question.identification)
        except Refused as refused:
            return Denied(Denial.NO_CANDIDATE, text=str(refused))
        endpoint = self._line.endpoint(_TOKENS)
        if isinstance(endpoint, Misconfigured):
            return Unanswered(endpoint)
        answer: Answer | None = None

        def understood(got: HttpAnswer) -> Outcome:
            nonlocal answer
            answer = self._read(got, question, uid)
            return answer.outcome if isinstance(answer, Unanswered) else Delivered()

        reply = await self._line.request(
            AUTHORISE,
            "POST",
            f"{ocpi.below(endpoint, ocpi.path(uid, 'authorize'))}?type={type_}",
            gireve.location_references(question.place.id, question.place.evse_uid),
            question.party,
            understood,
            correlation=question.id,
        )
        return answer if answer is not None else Unanswered(reply.outcome)

    def _read(self, got: HttpAnswer, question: Question, uid: str) -> Answer:
        if (no := denial(got)) is not None:
            reason, code, text = no
            return Denied(reason, code, text)
        outcome = judge(got, "POST", self._now())
        if not isinstance(outcome, Delivered):
            return Unanswered(outcome)
        found = ocpi.said(got)
        if found is None or not isinstance(found.data, dict):
            return Unanswered(OutcomeUnknown("neither yes nor no: the answer has no data"))
        try:
            told, _ = gireve.authorisation_to_canonical(found.data, self._now())
        except Refused as refused:
            return Unanswered(OutcomeUnknown(f"neither yes nor no: {refused}"))
        return decided(told, question, uid)


def decided(told: Authorisation, question: Question, uid: str) -> Answer:
    """Reads an EMSP's word on a driver; a yes that contradicts the question, or bills nobody, is none.

    A yes without `authorization_reference` is a yes: OCPI leaves it out at will. Session and CDR then name the token.
    """
    token = told.token
    if told.allowed is not AllowedType.ALLOWED:
        return Denied(NOT_ALLOWED[told.allowed], told.allowed.value, told.info or "", token)
    if token is not None and not _is_about(token, question.identification, uid):
        return Unanswered(OutcomeUnknown("the yes is for another token"))
    if _elsewhere(told, question.place):
        return Denied(Denial.NOT_ALLOWED, told.allowed.value, "allowed at another EVSE only", token)
    driver = token.identification if token is not None else question.identification
    if driver.party is None or driver.contract_id is None:
        return Unanswered(OutcomeUnknown("the yes does not say whose driver it is"))
    leg = Leg(reference=told.reference, emsp=driver.party, identification=driver)
    return Allowed(leg, token, info=told.info)


def _is_about(token: Token, asked: Identification, uid: str) -> bool:
    return token.uid.casefold() == uid.casefold() or token.contract_id == asked.contract_id


def _elsewhere(told: Authorisation, place: CdrLocation) -> bool:
    if told.location is None:
        return False
    # mod_tokens, AuthorizationInfo: only the EVSEs where the driver may charge are in the answer.
    evses = {uid.casefold() for uid in told.location.evse_uids}
    return bool(evses) and place.evse_uid.casefold() not in evses


def same_medium(question: Question, leg: Leg) -> Answer:
    """Judges by ourselves whether a driver may stop a session: OCPI has no question for it.

    The token that started it may, and whatever else stands for the same contract. Tokens of its group are the gateway's
    to know: a leg does not tell of them.
    """
    held, started = question.identification, leg.identification
    uids = held.uid is not None and started.uid is not None and held.uid.casefold() == started.uid.casefold()
    contracts = held.contract_id is not None and held.contract_id == started.contract_id
    if uids or contracts:
        return Allowed(leg)
    return Denied(Denial.OTHER_MEDIUM)
