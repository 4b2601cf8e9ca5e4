"""Who may charge at an own station."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from adapters.core.charging import Denial
from gateway.services.ports.common import Page, Parties
from mappings.canonical.agreements import AgreementRef
from mappings.canonical.base import Model
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import AuthMethod
from mappings.canonical.tokens import Identification, Pin


class Origin(StrEnum):
    """Where a driver's wish to charge came from."""

    TAP = "tap"
    """From the station."""
    START = "start"
    """From afar."""
    RESERVE = "reserve"


class Asked(Model):
    """One connection that was asked, and what it said.

    Attributes:
        after: Milliseconds from the request till it was asked.
        took: Milliseconds till it answered; None if it had not when the driver was answered.
        answer: `allowed`, `denied`, `late` (a yes that opens nothing), `waiting`, or what is known of the request.
        reason, code, text: Of a no, the hub's own where there is a code.
        released: Of a late yes, whether the hub took it back.
        leg: Of a late yes.
    """

    connection: str
    after: int
    took: int | None = None
    answer: str
    reason: Denial | None = None
    code: str | None = None
    text: str | None = None
    released: bool | None = None
    leg: Leg | None = None


class Detail(Model):
    """How it came to the answer, and what a stop is judged by.

    Attributes:
        asked: In the order of asking.
        took: Milliseconds from the request till the answer.
        local: Whether a token of the local list decided.
        drift: A hub said yes where our own record has no agreement for the EMSP.
        group_id: Tokens of this group may stop it (OCPI 2.2.1, mod_tokens, `group_id`).
        stop_with: What else may stop it, as the hub said (OICP 2.3, AuthorizationStopIdentifications).
        info: For the driver.
    """

    asked: tuple[Asked, ...] = ()
    took: int | None = None
    local: bool = False
    drift: bool = False
    group_id: str | None = None
    stop_with: tuple[Identification, ...] = ()
    info: str | None = None


@dataclass(frozen=True, slots=True)
class Tap:
    """A driver who wants to charge at an own station.

    Attributes:
        location_id, evse_uid: The EVSE by its key; or else
        evse_id: by its public id: of several of the party's, the newest that is not REMOVED.
        connector_id: None where the station has not said.
        pin: For a QR code; passed on, never kept.
        product: The price that the driver chose, where there is a choice.
        request_id: The caller's own id of the request, by which the same one again gets the same answer.
    """

    party: PartyId
    identification: Identification
    location_id: str | None = None
    evse_uid: str | None = None
    evse_id: EvseId | None = None
    connector_id: str | None = None
    pin: Pin | None = None
    product: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class AuthorisationView:
    """Whether a driver may charge, and how that came about.

    Attributes:
        id: Ours.
        reference: What the session and its CDR shall carry as `reference`; left out of a no.
        origin: `tap` at the station; `start` or `reserve` from afar.
        reason: Of a no. `NO_ANSWER`: nobody said yes or no in time. `NO_CANDIDATE`: there was nobody to ask.
        auth_method: What the session shall carry.
        connection: Over which the charge roams.
        leg: How the hub and the EMSP name the charge and the driver.
        expires: Until when it can be used.
        session_id: The session that it serves.
        detail: Who was asked, and what they said.
    """

    id: str
    party: PartyId
    location_id: str
    evse_uid: str
    connector_id: str | None
    origin: Origin
    allowed: bool
    at: datetime
    detail: Detail
    reference: str | None = None
    reason: Denial | None = None
    auth_method: AuthMethod | None = None
    connection: str | None = None
    agreement: AgreementRef | None = None
    leg: Leg | None = None
    expires: datetime | None = None
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class StopAnswer:
    """Whether a driver may stop a session.

    Attributes:
        reason: Of a no. `OTHER_MEDIUM`: it is not what the session was started with, nor of its group.
            `UNKNOWN_SESSION`: it has ended, or was never allowed.
        connection: Whose hub was asked; left out where nobody needed to be.
    """

    allowed: bool
    reason: Denial | None = None
    connection: str | None = None
    info: str | None = None


@dataclass(frozen=True, slots=True)
class AuthorisationFilter:
    """Which authorisations are meant.

    Attributes:
        allowed: Only those that were granted; False for only the others.
        location, evse: Only those at this location, or EVSE by its uid.
        connection: Only those that roam over it, or of which its hub was asked.
        since: Then or later.
    """

    parties: Parties
    allowed: bool | None = None
    location: str | None = None
    evse: str | None = None
    connection: str | None = None
    since: datetime | None = None


class Authorisation(Protocol):
    """Who may charge at an own station."""

    async def authorise(self, tap: Tap) -> AuthorisationView:
        """Finds out, within the shortest deadline of the hubs that may be asked.

        What it comes to is durable when this returns, and also if the caller does not wait for it.

        Raises:
            NotFound: The party has no such EVSE.
            Conflict: The same `request_id` was used for another tap.
        """

    async def authorise_stop(
        self, id_: str, identification: Identification, pin: Pin | None, parties: Parties
    ) -> StopAnswer:
        """Tells whether a driver may stop the session of an authorisation with what they hold up.

        Raises:
            NotFound: There is no such authorisation among those of the parties.
        """

    async def get(self, id_: str, parties: Parties) -> AuthorisationView:
        """Gives one.

        Raises:
            NotFound: There is none among those of the parties.
        """

    async def list(self, wanted: AuthorisationFilter, after: str | None, limit: int) -> Page[AuthorisationView]:
        """Gives authorisations, the newest first."""
