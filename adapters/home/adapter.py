"""The own network as a hub in process: what our CPOs tell it our EMSPs hear, and the other way round.

The same contract, the same records and the same deliveries as at any hub, without a protocol in between: what is handed
over is what is stored. So a driver of ours at a station of ours is admitted, told of and billed like any other.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import JsonValue

from adapters.core.adapter import Call, Item, Plan, Subject, WireKey
from adapters.core.charging import (
    Answer,
    ChargingProfile,
    CommandOutcome,
    Denial,
    Denied,
    Message,
    Question,
    Told,
)
from adapters.core.connection import Connection
from adapters.core.digest import digest
from adapters.core.hub import Gateway
from adapters.core.inbound import Asked, CdrTaken, LocationCopy
from adapters.core.offers import OffersProfile, OfferToTell
from adapters.core.outcomes import Delivered, Misconfigured, NotSent, Outcome, OutcomeUnknown, RefusedByHub
from adapters.core.profile import Profile
from adapters.core.roaming import CommandSent, PulledPage, PullFailed, RoamingProfile
from adapters.home import plan
from adapters.home.settings import CDRS, NAME, SESSIONS, Settings
from mappings.canonical.agreements import Offer, OfferTerms
from mappings.canonical.cdrs import Cdr, CdrLocation
from mappings.canonical.commands import Command, CommandAnswer, CommandResult, EvseRef
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.locations import EvseStatus, EvseStatusReport, Location
from mappings.canonical.parties import Role
from mappings.canonical.sessions import Session
from mappings.canonical.tariffs import Tariff
from mappings.canonical.tokens import Token, TokenType
from mappings.report import Issue, Refused

_BOTH: Final = frozenset({Role.CPO, Role.EMSP})
_OFFERS: Final = OffersProfile()


class HomeAdapter:
    """The connection to the own network.

    Args:
        now: The clock, for what is withdrawn.
    """

    def __init__(self, connection: Connection, gateway: Gateway, now: Callable[[], datetime]) -> None:
        self._name = connection.name
        self._gateway = gateway
        self._settings = Settings.model_validate(connection.settings)
        self._now = now

    @property
    def roles(self) -> frozenset[Role]:
        """Both: it has our stations on one side and our drivers on the other."""
        return _BOTH

    @property
    def profile(self) -> Profile:
        """How objects are handed over."""
        return self._settings.profile()

    def keys(self, subject: Subject) -> Iterable[WireKey]:
        """Names what the other side should know; see `adapters.home.plan.keys`."""
        return plan.keys(subject)

    def plan(
        self,
        operation: str,
        items: Sequence[Item],
        blocked: frozenset[str] = frozenset(),  # noqa: ARG002  # nothing waits for anything
        *,
        full_load: bool = False,  # noqa: ARG002  # nothing is replaced as a whole
    ) -> Plan:
        """Turns items into what is handed over; pure."""
        return plan.make_plan(operation, items)

    async def send(self, call: Call) -> Outcome:
        """Hands one object over. Whatever the other side stumbles over is told as a hub's stumbling is."""
        try:
            connection = await self._connection()
            if connection is None:
                return NotSent("the connection is gone")
            return await self._hand_over(connection, call)
        except Exception as error:  # noqa: BLE001 - as a hub's own failure, of which no more is known
            return OutcomeUnknown(f"the gateway failed: {type(error).__name__}")

    async def _hand_over(self, connection: Connection, call: Call) -> Outcome:
        body: Any = call.body
        match call.operation, call.action:
            case "locations", plan.PUT:
                location = Location.model_validate(body)
                await self._gateway.catalogue.put_location(connection, LocationCopy(location, (), digest(body)))
            case "locations", plan.STATUS:
                await self._gateway.catalogue.put_status(connection, _report(call.path, body))
            case "locations", _:
                await self._gateway.catalogue.withdraw_location(connection, *plan.place_of(call.path))
            case "tariffs", plan.PUT:
                await self._gateway.catalogue.put_tariff(connection, Tariff.model_validate(body), digest(body))
            case "tariffs", _:
                tariff, variant = call.path.rsplit("/", 1)
                party, tariff_id = tariff.split("/", 1)
                await self._gateway.catalogue.withdraw_tariff(connection, PartyId(party), tariff_id, variant)
            case "tokens", plan.PUT:
                await self._gateway.tokens.put(connection, Token.model_validate(body))
            case _:
                await self._withdraw_token(connection, call.path)
        return Delivered()

    async def _withdraw_token(self, connection: Connection, key: str) -> None:
        party, type_, uid = key.split("/", 2)
        token = await self._gateway.tokens.get(connection, PartyId(party), uid, TokenType(type_))
        if token is not None:
            gone = token.model_copy(update={"valid": False, "last_updated": max(self._now(), token.last_updated)})
            await self._gateway.tokens.put(connection, gone)

    def fingerprint(self, operation: str, key: str, remembered: Any) -> bytes:  # noqa: ARG002  # all alike
        """Gives the fingerprint of what was handed over."""
        return digest(remembered)

    # Our stations, and drivers who come to them

    @property
    def charging(self) -> ChargingProfile:
        """How drivers are asked for, and what is told of their charges."""
        return self._settings.charging()

    def answers_for(self, party: PartyId) -> bool:
        """Tells whether an EMSP is one of ours."""
        return party in self._settings.emsps

    async def authorise(self, question: Question) -> Answer:
        """Asks our own EMSPs; not for a driver who is known to be somebody else's."""
        driver = question.identification
        emsp = driver.party or (driver.contract_id.party if driver.contract_id is not None else None)
        if emsp is not None and self._settings.emsps and emsp not in self._settings.emsps:
            return Denied(Denial.NO_CANDIDATE, text=f"{emsp} is no EMSP of this gateway")
        connection = await self._connection()
        if connection is None:
            return Denied(Denial.NO_CANDIDATE, text="the connection is gone")
        return await self._gateway.drivers.authorise(
            connection, self._asked(question, Leg(own_session=question.id, identification=driver))
        )

    async def authorise_stop(self, question: Question, leg: Leg) -> Answer:
        """Asks our own EMSPs whether a medium may stop a session."""
        connection = await self._connection()
        if connection is None:
            return Denied(Denial.NO_CANDIDATE, text="the connection is gone")
        asked = leg.model_copy(update={"identification": question.identification})
        return await self._gateway.drivers.authorise_stop(connection, self._asked(question, asked))

    def _asked(self, question: Question, leg: Leg) -> Asked:
        place = question.place
        at = EvseRef(
            party=question.party,
            evse_id=place.evse_id,
            location_id=place.id,
            evse_uid=place.evse_uid,
            connector_id=place.connector_id or None,
        )
        return Asked(leg, question.party, at, question.pin, self.charging.answer_within)

    async def release(self, question: Question, leg: Leg) -> bool:  # noqa: ARG002  # as the contract has it
        """Gives nothing back: a permit that is not used runs out by itself."""
        return False

    def of_session(self, session: Session, place: CdrLocation, leg: Leg | None, told: Told) -> list[Message]:  # noqa: ARG002
        """Says that a session of a driver of ours is to be handed over."""
        if leg is None:
            return []
        lane = f"{session.party}/{session.id}"
        return [
            Message(
                operation=SESSIONS,
                kind=plan.PUT,
                lane=lane,
                key=lane,
                party=session.party,
                session=session,
                place=place,
                leg=leg,
            )
        ]

    def of_cdr(self, cdr: Cdr, leg: Leg | None) -> list[Message]:
        """Says that a CDR of a driver of ours is to be handed over."""
        if leg is None:
            return []
        key = f"{cdr.party}/{cdr.id}"
        lane = key if cdr.session_id is None else f"{cdr.party}/{cdr.session_id}"
        return [Message(operation=CDRS, kind=plan.PUT, lane=lane, key=key, party=cdr.party, cdr=cdr, leg=leg)]

    def of_result(self, outcome: CommandOutcome, party: PartyId) -> list[Message]:  # noqa: ARG002  # as the contract has it
        """Says nothing: who gives a command here waits for what comes of it."""
        return []

    def render(self, message: Message) -> tuple[Call, list[Issue]]:
        """Writes what is handed over: the session or CDR under the names that the EMSP knows, and the leg."""
        told = message.session or message.cdr
        if told is None or message.leg is None:
            raise Refused("", "the message says nothing that is told here")
        leg = message.leg
        renamed = told.model_copy(update={"reference": leg.reference, "identification": leg.identification})
        body: JsonValue = {
            "told": renamed.model_dump(mode="json", exclude_defaults=True),
            "leg": leg.model_dump(mode="json", exclude_defaults=True),
        }
        return Call(message.operation, message.kind, message.key, body, ()), []

    async def tell(self, call: Call, *, doubtful: bool) -> Outcome:  # noqa: ARG002  # what came twice is known to be the same
        """Hands a session or CDR over."""
        try:
            connection = await self._connection()
            if connection is None:
                return NotSent("the connection is gone")
            return await self._bring_home(connection, call)
        except Exception as error:  # noqa: BLE001 - as in `send`
            return OutcomeUnknown(f"the gateway failed: {type(error).__name__}")

    async def _bring_home(self, connection: Connection, call: Call) -> Outcome:
        body: Any = call.body
        if call.operation == SESSIONS:
            await self._gateway.received.session(connection, Session.model_validate(body["told"]))
            return Delivered()
        cdr, leg = Cdr.model_validate(body["told"]), Leg.model_validate(body["leg"])
        taken = await self._gateway.received.cdr(connection, cdr, leg, digest(body["told"]))
        if taken is CdrTaken.CONFLICT:
            return RefusedByHub("CONFLICT", "another CDR of this id is here already")
        return Delivered()

    # Our drivers, and stations that they come to

    @property
    def roaming(self) -> RoamingProfile:
        """How our EMSPs are served."""
        return self._settings.roaming()

    async def pull(self, feed: str, since: datetime | None, cursor: str | None) -> PulledPage:  # noqa: ARG002
        """Has nothing to pull: everything is handed over by itself."""
        raise PullFailed(Misconfigured(f"{NAME} has no feed {feed}"))

    async def pull_statuses(self, evse_keys: Sequence[str]) -> PulledPage:  # noqa: ARG002
        """Has nothing to pull."""
        raise PullFailed(Misconfigured(f"{NAME} has no statuses to ask for"))

    async def command(self, id_: str, command: Command, cpo: PartyId) -> CommandSent:  # noqa: ARG002  # the leg names it
        """Has a command carried out by the CPO's backend, and waits for what comes of it."""
        if command.kind not in self.roaming.commands:
            return CommandSent(CommandAnswer(result=CommandResult.NOT_SUPPORTED, text=f"{NAME} has no {command.kind}"))
        connection = await self._connection()
        if connection is None:
            return CommandSent(CommandAnswer(result=CommandResult.FAILED, text="the connection is gone"))
        return CommandSent(await self._gateway.commands.perform(connection, _addressed(command, cpo)))

    # Offers

    @property
    def offers(self) -> OffersProfile:
        """Says that offers of the own network are kept by the gateway alone."""
        return _OFFERS

    def check_offer(self, offer: Offer, terms: OfferTerms, first: OfferTerms | None = None) -> None:
        """Objects to nothing: whatever an offer says is carried out by the gateway itself."""

    def of_offer(self, told: OfferToTell) -> Message:  # noqa: ARG002  # as the contract has it
        """Refuses: there is nobody to tell.

        Raises:
            Refused: Always.
        """
        raise Refused("", f"{NAME} is told of no offers")

    async def close(self) -> None:
        """Has no sockets."""

    async def _connection(self) -> Connection | None:
        # As it is now: its scope and mode change without a new adapter.
        return await self._gateway.registry.by_name(self._name)


def _addressed(command: Command, cpo: PartyId) -> Command:
    """Says whose station is meant, as a hub's routing does."""
    at = command.at or EvseRef()
    return command.model_copy(update={"at": at.model_copy(update={"party": cpo})})


def _report(lane: str, body: Mapping[str, str]) -> EvseStatusReport:
    party, location_id = plan.place_of(lane)
    return EvseStatusReport(
        status=EvseStatus(body["status"]),
        at=datetime.fromisoformat(body["at"]).astimezone(UTC),
        party=party,
        location_id=location_id,
        evse_uid=body["uid"],
    )
