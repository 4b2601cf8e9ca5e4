"""Which drivers of ours may charge at partners' stations."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from adapters.core.charging import Denial
from gateway.services.ports.common import Page, Parties
from mappings.canonical.agreements import AgreementRef
from mappings.canonical.base import Model
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import TokenType


class PermitOrigin(StrEnum):
    """What a permit began with."""

    ASKED = "asked"
    """A hub asked for the driver, who stands at the station."""
    START = "start"
    """We sent a command that starts a session."""
    RESERVE = "reserve"
    """We sent a command that reserves an EVSE."""


class Decider(StrEnum):
    """Whose word an answer is."""

    LOCAL = "local"
    """The stored token's, by itself or where the backend said nothing."""
    BACKEND = "backend"
    """The backend's, asked by a call-out."""


class TokenRef(Model):
    """A driver token, by its key."""

    party: PartyId
    type: TokenType
    uid: str


class PermitDetail(Model):
    """How it came to an answer. Holds no PIN.

    Attributes:
        decided: Whose word it is; None where nobody said any, or a command began it.
        took: Milliseconds from the request till the answer.
        token: The driver's token, where it is stored.
        candidates: Tokens that the driver may mean, without it being assumed: their uid is the one asked for with its
            bytes in reverse order.
        silence: Why the backend said nothing, where it was asked.
        note: For a person.
        info: For the driver.
    """

    decided: Decider | None = None
    took: int | None = None
    token: TokenRef | None = None
    candidates: tuple[TokenRef, ...] = ()
    silence: str | None = None
    note: str | None = None
    info: str | None = None


@dataclass(frozen=True, slots=True)
class PermitView:
    """A driver of ours who may, or may not, charge at a partner's station.

    Attributes:
        id: Ours; what the hub was given as the EMSP's session and reference.
        origin: `asked`: a hub asked; `start`, `reserve`: we sent a command.
        party: The EMSP.
        cpo: Whose station; left out where the hub does not tell.
        evse: The EVSE's key in the catalogue, its EvseID's normal form where it has one; left out where the hub does
            not tell.
        connection: Over which the charge roams.
        reason: Of a no.
        leg: How the hub names the charge and the driver.
        driver: The backend's own id of the driver, where the token has one.
        expires: Until when it can be used.
        session: The received session that it serves: `FR*ABC/session-id`.
        agreement: By which the charge is served that begins under it.
    """

    id: str
    origin: PermitOrigin
    party: PartyId
    cpo: PartyId | None
    evse: str | None
    connection: str | None
    allowed: bool
    at: datetime
    leg: Leg
    detail: PermitDetail
    reason: Denial | None = None
    driver: str | None = None
    expires: datetime | None = None
    session: str | None = None
    agreement: AgreementRef | None = None


@dataclass(frozen=True, slots=True)
class PermitFilter:
    """Which permits to list; what is None is not asked about.

    Attributes:
        parties: The EMSPs that the caller may see.
        since, until: When they were asked for; `until` is excluded.
        driver: The backend's own id of the driver.
    """

    parties: Parties = None
    since: datetime | None = None
    until: datetime | None = None
    connection: str | None = None
    allowed: bool | None = None
    driver: str | None = None


class Permits(Protocol):
    """Permits, as the backend sees them."""

    async def get(self, id_: str, parties: Parties) -> PermitView:
        """Gives one. Raises `NotFound`."""

    async def list(self, wanted: PermitFilter, after: str | None, limit: int) -> Page[PermitView]:
        """Gives some, the newest first."""
