"""Settings of the connection to the own network, and how it wants to be served."""

from datetime import timedelta
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from adapters.core.charging import ChargingProfile, MessageProfile
from adapters.core.profile import OperationProfile, Profile
from adapters.core.roaming import RoamingProfile
from mappings.canonical.ids import PartyId

NAME: Final = "home"
LOCATIONS, TARIFFS, TOKENS = "locations", "tariffs", "tokens"
SESSIONS, CDRS = "sessions", "cdrs"
_COMMANDS: Final = frozenset({"START_SESSION", "STOP_SESSION", "RESERVE_NOW", "CANCEL_RESERVATION", "UNLOCK_CONNECTOR"})

_MARGIN: Final = timedelta(seconds=2)
"""By how much the EMSP's side waits longer for a result than the CPO's side takes to say that there is none."""


class Settings(BaseModel):
    """Settings of the connection to the own network.

    Attributes:
        emsps: Our EMSPs: home is asked first for their drivers, and not at all for drivers of others that are known.
            Empty where that is not said: then home is one candidate of several.
        in_flight: Objects, sessions and CDRs handed over at once.
        answer_seconds: What an authorisation may take, for whom waits at the station.
        command_seconds: What the CPO's backend may take to carry a command out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    emsps: frozenset[PartyId] = frozenset()
    in_flight: Annotated[int, Field(ge=1, le=100)] = 8
    answer_seconds: Annotated[float, Field(gt=0, le=60)] = 8.0
    command_seconds: Annotated[float, Field(gt=0, le=600)] = 28.0

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.answer_seconds > self.command_seconds:
            raise ValueError("answer_seconds is more than command_seconds")
        return self

    def profile(self) -> Profile:
        """How objects are handed over: nothing is lost on the way, so that what is newest may always go first."""
        operations = [
            OperationProfile(name=name, max_items=100, lanes_in_flight=self.in_flight)
            for name in (TARIFFS, LOCATIONS, TOKENS)
        ]
        return Profile(
            hub=NAME,
            protocol="in process",
            operations={operation.name: operation for operation in operations},
            request_timeout=timedelta(seconds=self.command_seconds),
        )

    def charging(self) -> ChargingProfile:
        """How drivers are asked for, and what is told of their charges."""
        messages = [MessageProfile(name=name, in_flight=self.in_flight) for name in (SESSIONS, CDRS)]
        return ChargingProfile(
            messages={message.name: message for message in messages},
            answer_within=timedelta(seconds=self.answer_seconds),
            command_within=timedelta(seconds=self.command_seconds),
            has_contracts=False,
        )

    def roaming(self) -> RoamingProfile:
        """How our EMSPs are served: everything is handed over by itself, so that nothing is pulled."""
        within = timedelta(seconds=self.command_seconds) + _MARGIN
        return RoamingProfile(feeds={}, commands=_COMMANDS, command_within=within)
