"""Asking the backend for a driver of ours, within the time that a hub waits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter

from adapters.core.charging import Denial
from gateway.events.callouts import Answered, CallOuts, Later, Silence, SilenceReason
from gateway.services.drivers.deciding import Ask, Known
from gateway.services.drivers.recording import Inquiry
from gateway.services.ports.events import Question
from gateway.services.ports.permits import TokenRef
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.tokens import Pin


class Result(StrEnum):
    """What the backend may say of a driver."""

    ALLOWED = "ALLOWED"
    BLOCKED = "BLOCKED"
    EXPIRED = "EXPIRED"
    NO_CREDIT = "NO_CREDIT"
    NOT_ALLOWED = "NOT_ALLOWED"
    UNKNOWN_TOKEN = "UNKNOWN_TOKEN"
    NO_CONTRACT = "NO_CONTRACT"
    UNKNOWN_EVSE = "UNKNOWN_EVSE"


class Said(BaseModel):
    """What the backend answers to the call-out, in as far as it matters here.

    Attributes:
        text: For the driver.
        contract_id: The driver's contract, where the question did not name it: what comes home of the charge is found
            by it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    result: Result
    text: Annotated[str, StringConstraints(max_length=500)] | None = None
    contract_id: ContractId | None = None


_SAID: Final = TypeAdapter(Said)


@dataclass(frozen=True, slots=True)
class Backing:
    """The backend's yes."""

    said: Said


@dataclass(frozen=True, slots=True)
class Refusal:
    """The backend's no."""

    reason: Denial
    said: Said


@dataclass(frozen=True, slots=True)
class Nothing:
    """No word.

    Attributes:
        nobody: No call-out is set up for the question; else it was asked in vain.
        why: For a person.
    """

    nobody: bool
    why: str


Word: TypeAlias = Backing | Refusal | Nothing


class Backend:
    """Asks the backend whether a driver may charge.

    Args:
        clock: Gives the present, aware.
    """

    def __init__(self, call_outs: CallOuts, clock: Callable[[], datetime]) -> None:
        self._call_outs = call_outs
        self._clock = clock

    async def ask(self, inquiry: Inquiry, party: PartyId, open_: Ask, until: datetime) -> Word:
        """Asks once.

        Args:
            party: Whose driver it is, or may be.
            until: When no answer is of use any more.
        """
        if until <= self._clock():
            return Nothing(nobody=False, why="there was no time left to ask")
        body = _question(inquiry, open_)
        word = await self._call_outs.ask(party, Question.PERMIT, body, until, _SAID, id_=inquiry.id)
        match word:
            case Answered(value=said) if said.result is Result.ALLOWED:
                return Backing(said)
            case Answered(value=said):
                return Refusal(Denial(said.result.value), said)
            case Later():
                return Nothing(nobody=False, why="it answered that it would answer later, when nobody waits any more")
            case Silence(reason=reason, text=text):
                return Nothing(nobody=reason is SilenceReason.NOBODY, why=text)


def ref_of(known: Known) -> TokenRef:
    """Names a token by its key."""
    return TokenRef(party=known.token.party, type=known.token.type, uid=known.token.uid)


def _question(inquiry: Inquiry, open_: Ask) -> Mapping[str, Any]:
    """Writes the question; what is not known is left out."""
    asked = inquiry.asked
    told: dict[str, Any] = {
        "connection": inquiry.connection.name,
        "cpo": asked.cpo.normal if asked.cpo is not None else None,
        "at": asked.at.model_dump(mode="json", exclude_none=True) if asked.at is not None else None,
        "evse": inquiry.evse,
        "leg": asked.leg.model_dump(mode="json", exclude_none=True),
        "pin": _pin(asked.pin) if asked.pin is not None else None,
        "token": _shown([open_.known])[0] | {"driver": open_.known.driver} if open_.known is not None else None,
        "candidates": _shown(open_.candidates) or None,
        "note": open_.note,
    }
    return {name: value for name, value in told.items() if value is not None}


def _shown(known: Sequence[Known]) -> list[dict[str, Any]]:
    return [ref_of(one).model_dump(mode="json") for one in known]


def _pin(pin: Pin) -> Mapping[str, Any]:
    """Gives the PIN in clear, to the one who can say whether it is right."""
    return {"value": pin.value.get_secret_value(), "hashed": pin.hashed}
