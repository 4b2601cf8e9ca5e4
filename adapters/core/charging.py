"""The contract for a charge: asking a hub for a driver, and telling it of sessions, CDRs and results of commands.

Asking is interactive: one request within a deadline, never repeated by the outbox. Telling goes through the outbox:
the gateway appends a `Message` where something happened, and has the adapter render and send it, in order per lane,
until the hub has taken or refused it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeAlias

from adapters.core.adapter import Adapter, Call
from adapters.core.offers import OfferToTell
from adapters.core.outcomes import Outcome
from mappings.canonical.base import Model
from mappings.canonical.cdrs import Cdr, CdrLocation
from mappings.canonical.commands import CommandAnswer, CommandResult
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Session
from mappings.canonical.tokens import Identification, Pin, Token
from mappings.report import Issue

# Asking


class Denial(StrEnum):
    """Why a driver is not admitted: OCPI 2.2.1's AllowedType, then what hubs and the gateway itself say."""

    BLOCKED = "BLOCKED"
    EXPIRED = "EXPIRED"
    NO_CREDIT = "NO_CREDIT"
    NOT_ALLOWED = "NOT_ALLOWED"
    UNKNOWN_TOKEN = "UNKNOWN_TOKEN"
    NO_CONTRACT = "NO_CONTRACT"
    """No agreement covers the driver's EMSP here, by the hub's or our own record."""
    UNKNOWN_EVSE = "UNKNOWN_EVSE"
    EVSE_UNAVAILABLE = "EVSE_UNAVAILABLE"
    UNKNOWN_SESSION = "UNKNOWN_SESSION"
    OTHER_MEDIUM = "OTHER_MEDIUM"
    """It is not what the session was started with, nor of its group."""
    NO_ANSWER = "NO_ANSWER"
    """Nobody said yes or no in time; counted apart from a real no."""
    NO_CANDIDATE = "NO_CANDIDATE"
    """There was nobody to ask."""


@dataclass(frozen=True, slots=True)
class Question:
    """A driver at an own station.

    Attributes:
        id: Our id of the authorisation, at most 36 signs; sent where a hub wants the CPO's id of the session to be.
        party: The CPO.
        place: Which EVSE.
        pin: For a QR code.
        product: The price that the driver chose, where there is a choice.
    """

    id: str
    party: PartyId
    place: CdrLocation
    identification: Identification
    pin: Pin | None = None
    product: str | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """The driver may charge.

    Attributes:
        leg: What the hub calls the session to be.
        token: The driver's token, where the hub tells it.
        stop_with: What else may stop the session, beside what started it.
        info: For the driver.
    """

    leg: Leg
    token: Token | None = None
    stop_with: tuple[Identification, ...] = ()
    info: str | None = None


@dataclass(frozen=True, slots=True)
class Denied:
    """The hub, or the EMSP behind it, said no.

    Attributes:
        code, text: The hub's own.
        token: The driver's token, where the hub tells it all the same.
    """

    reason: Denial
    code: str = ""
    text: str = ""
    token: Token | None = None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No yes and no no.

    Attributes:
        outcome: What is known of the request; never `Delivered`.
    """

    outcome: Outcome


Answer: TypeAlias = Allowed | Denied | Unanswered

# Telling


class CommandOutcome(Model):
    """What came of a command that was answered at first by "accepted", for the hub that waits for it.

    Attributes:
        command: Our id of the command.
        reply_to: Where the hub wants to hear it, as the adapter's server handed it over (OCPI: the `response_url`).
    """

    command: str
    reply_to: Mapping[str, str]
    answer: CommandAnswer


class Message(Model):
    """One thing to tell a hub, in canonical form, so that a mended mapping can be replayed. Stored as JSON.

    Exactly one of `session`, `cdr`, `result` and `offer` is set.

    Attributes:
        operation: Name in `ChargingProfile.messages`.
        kind: What it is in the hub's words: `PUT`, `Start`, `Progress`, …
        lane: Messages of one lane at a connection are told in order, whatever their operation.
        key: Of what it speaks, for people: the session, the CDR.
        place: Where the session runs.
        leg: How the hub names the charge; None for what does not roam over it.
    """

    operation: str
    kind: str
    lane: str
    key: str
    party: PartyId
    session: Session | None = None
    cdr: Cdr | None = None
    result: CommandOutcome | None = None
    offer: OfferToTell | None = None
    place: CdrLocation | None = None
    leg: Leg | None = None


Told: TypeAlias = Mapping[str, datetime]
"""By kind, the moment (of the session's own time) of the latest message of a session to a connection."""


@dataclass(frozen=True, slots=True)
class MessageProfile:
    """How one kind of message is delivered.

    Attributes:
        in_flight: Most requests at once, by each replica.
        per_minute: Requests a minute that all replicas share; None where the hub names no limit.
        lasts: After which it is of no use any more and given up (a callback nobody waits for); None for never.
        prompt: Somebody waits for it, so that it is told at once instead of together with what comes right after.
    """

    name: str
    in_flight: int
    per_minute: int | None = None
    lasts: timedelta | None = None
    prompt: bool = False


@dataclass(frozen=True, slots=True)
class ChargingProfile:
    """How a hub wants to be asked and told.

    Attributes:
        messages: By name.
        answer_within: What an authorisation may take, our margin taken off.
        command_within: What the backend may take to answer a command, our margin taken off.
        takes_credit: Whether a credit CDR is understood; else a correction is recorded as a dispute.
        has_contracts: The hub is the authority on its own contracts, so that its yes stands where our record has none.
            Where nobody but us keeps a record, what that does not cover is not served.
    """

    messages: Mapping[str, MessageProfile]
    answer_within: timedelta
    command_within: timedelta
    takes_credit: bool = False
    has_contracts: bool = True


class ChargingAdapter(Adapter, Protocol):
    """A hub that drivers come from: all that the gateway knows of one connection to it."""

    @property
    def charging(self) -> ChargingProfile:
        """How the hub wants to be asked and told."""

    def answers_for(self, party: PartyId) -> bool:
        """Tells whether this very hub is the home of an EMSP, as far as its settings say. Pure."""

    async def authorise(self, question: Question) -> Answer:
        """Asks for a driver. Raises nothing that a hub or a network can cause; the caller bounds the time."""

    async def authorise_stop(self, question: Question, leg: Leg) -> Answer:
        """Asks whether a driver may stop a session that this hub authorised, with a medium that we cannot judge."""

    async def release(self, question: Question, leg: Leg) -> bool:
        """Gives an authorisation back that will not be used; False where the protocol has no word for it."""

    def of_session(self, session: Session, place: CdrLocation, leg: Leg | None, told: Told) -> list[Message]:
        """Says what the hub shall be told of a session as it is now. Pure.

        Args:
            leg: None where the session does not roam over this hub.
            told: What it was told before.
        """

    def of_cdr(self, cdr: Cdr, leg: Leg | None) -> list[Message]:
        """Says what the hub shall be told of a CDR; nothing where it is none of its business. Pure."""

    def of_result(self, outcome: CommandOutcome, party: PartyId) -> list[Message]:
        """Says what the hub shall be told of a command's result. Pure."""

    def render(self, message: Message) -> tuple[Call, list[Issue]]:
        """Writes a message as the request that tells it. Pure.

        Raises:
            Refused: It cannot be said.
        """

    async def tell(self, call: Call, *, doubtful: bool) -> Outcome:
        """Makes a rendered request.

        Args:
            doubtful: An earlier try with the same content ended without anybody knowing whether it was acted upon.
        """


class CommandTaken(Model):
    """What is said to a command at once, where its result is told later (OCPI's CommandResponse).

    Attributes:
        result: `ACCEPTED`, or why it will not be tried: `NOT_SUPPORTED`, `REJECTED`, `UNKNOWN_SESSION`, `UNKNOWN_EVSE`.
        timeout: Seconds after which nobody needs to wait for the result any more.
    """

    result: CommandResult
    timeout: int
    text: str | None = None
