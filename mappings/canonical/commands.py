"""Commands from a hub or EMSP to a CPO's station (OCPI 2.2.1, mod_commands; OICP 2.3, AuthorizeRemote…)."""

from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints

from mappings.canonical.base import Instant, Model
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Token

Id = Annotated[str, StringConstraints(min_length=1, max_length=36)]


class EvseRef(Model):
    """Which EVSE a command is for: by its public id (OICP), or by location and uid (OCPI).

    Attributes:
        party: The CPO that is addressed, where the protocol tells (OCPI's routing headers); a location's id alone may
            stand for several CPOs' locations.
        evse_uid: None for any EVSE of the location (OCPI allows it; Gireve always names one).
        connector_id: None where the CPO chooses.
    """

    party: PartyId | None = None
    evse_id: EvseId | None = None
    location_id: Id | None = None
    evse_uid: Id | None = None
    connector_id: Id | None = None


class StartSession(Model):
    """Starts a session for a driver (START_SESSION; AuthorizeRemoteStart).

    Attributes:
        emsp: Who asks; None where the hub does not tell.
        leg: The driver, and what the hub calls the session that is to begin.
        token: The driver's token in full, where the protocol gives it.
    """

    kind: Literal["START_SESSION"] = "START_SESSION"
    at: EvseRef
    emsp: PartyId | None = None
    leg: Leg
    token: Token | None = None


class StopSession(Model):
    """Stops a session (STOP_SESSION; AuthorizeRemoteStop).

    Attributes:
        session: The session's id: the one that we told the hub, or the hub's own.
        at: Where it runs, if the protocol tells.
    """

    kind: Literal["STOP_SESSION"] = "STOP_SESSION"
    session: Annotated[str, StringConstraints(min_length=1, max_length=250)]
    emsp: PartyId | None = None
    at: EvseRef | None = None


class ReserveNow(Model):
    """Reserves an EVSE (RESERVE_NOW; AuthorizeRemoteReservationStart).

    Attributes:
        reservation: The EMSP's id of the reservation (OICP: the hub's SessionID); sent again, it replaces the earlier.
        expires: When it ends if nobody comes.
    """

    kind: Literal["RESERVE_NOW"] = "RESERVE_NOW"
    at: EvseRef
    emsp: PartyId | None = None
    leg: Leg
    token: Token | None = None
    reservation: Annotated[str, StringConstraints(min_length=1, max_length=250)]
    expires: Instant


class CancelReservation(Model):
    """Gives a reservation up (CANCEL_RESERVATION; AuthorizeRemoteReservationStop)."""

    kind: Literal["CANCEL_RESERVATION"] = "CANCEL_RESERVATION"
    reservation: Annotated[str, StringConstraints(min_length=1, max_length=250)]
    emsp: PartyId | None = None
    at: EvseRef | None = None


class UnlockConnector(Model):
    """Unlocks a connector that does not let its plug go (UNLOCK_CONNECTOR)."""

    kind: Literal["UNLOCK_CONNECTOR"] = "UNLOCK_CONNECTOR"
    at: EvseRef
    emsp: PartyId | None = None


Command: TypeAlias = Annotated[
    StartSession | StopSession | ReserveNow | CancelReservation | UnlockConnector, Field(discriminator="kind")
]


class CommandResult(StrEnum):
    """What came of a command: OCPI 2.2.1's CommandResultType, then what only a CommandResponse or OICP tells apart."""

    ACCEPTED = "ACCEPTED"
    CANCELED_RESERVATION = "CANCELED_RESERVATION"
    EVSE_OCCUPIED = "EVSE_OCCUPIED"
    EVSE_INOPERATIVE = "EVSE_INOPERATIVE"
    FAILED = "FAILED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    REJECTED = "REJECTED"
    TIMEOUT = "TIMEOUT"
    """The charger or the backend was silent."""
    UNKNOWN_RESERVATION = "UNKNOWN_RESERVATION"
    UNKNOWN_SESSION = "UNKNOWN_SESSION"
    UNKNOWN_EVSE = "UNKNOWN_EVSE"
    EVSE_RESERVED = "EVSE_RESERVED"
    """For somebody else."""
    NO_VEHICLE = "NO_VEHICLE"
    """No plug was put in in time."""
    NO_CONTRACT = "NO_CONTRACT"
    """No agreement lets this EMSP do it here."""


class CommandAnswer(Model):
    """What the CPO says to a command.

    Attributes:
        text: For a person.
        session_id: The CPO's session, where one began or was meant.
    """

    result: CommandResult
    text: str | None = None
    session_id: str | None = None
