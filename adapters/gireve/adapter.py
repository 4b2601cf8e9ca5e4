"""One connection to Gireve, as the gateway sees it: its outbox, whoever asks for a driver, and what is pulled."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from adapters.core import ocpi
from adapters.core.adapter import Call, Item, Plan, Subject, WireKey
from adapters.core.charging import Answer, ChargingProfile, CommandOutcome, Message, Question, Told
from adapters.core.connection import Connection
from adapters.core.http import Answer as HttpAnswer
from adapters.core.inbound import Observer
from adapters.core.offers import OffersProfile, OfferToTell
from adapters.core.outcomes import Delivered, Misconfigured, Outcome, RefusedByHub
from adapters.core.pricing import Compare
from adapters.core.profile import Profile
from adapters.core.roaming import CommandSent, PulledPage, PullFailed, RoamingProfile
from adapters.gireve import fingerprints
from adapters.gireve.asking import Asking, same_medium
from adapters.gireve.commanding import Commanding, not_supported
from adapters.gireve.errors import judge, judge_told
from adapters.gireve.home import NOWHERE, Home
from adapters.gireve.line import Line
from adapters.gireve.plan_locations import plan_locations
from adapters.gireve.plan_tariffs import plan_tariffs
from adapters.gireve.plan_tokens import plan_tokens, token_keys
from adapters.gireve.pulling import MAX_PAGE, Pulling
from adapters.gireve.rendering import Rendering
from adapters.gireve.settings import COMMAND_RESULTS, LOCATIONS, SESSIONS, TARIFFS, TOKENS, Settings
from adapters.gireve.telling import Telling, target
from mappings.canonical.agreements import Offer, OfferTerms
from mappings.canonical.cdrs import Cdr, CdrLocation
from mappings.canonical.commands import Command
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.locations import EvseStatus, Location
from mappings.canonical.parties import Role
from mappings.canonical.sessions import Session
from mappings.canonical.tariffs import Tariff
from mappings.canonical.tokens import Token
from mappings.ocpi import times
from mappings.report import Issue, Refused

_ASKED_AT_ONCE = 1000
"""Sockets for drivers who wait, apart from those of the outbox: one who waits never stands behind what is pushed."""

_PULLED_AT_ONCE = 16


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


class GireveAdapter:
    """Implements `adapters.core.roaming.HubAdapter`.

    Args:
        now: The clock, for stamps of what has none left and for `Retry-After`.
        home: The gateway's side, for a connection that serves an EMSP.
        compare: Says what an approximated tariff does to prices; None where nobody wants to know.

    Raises:
        ValidationError: The connection's settings are not Gireve's.
    """

    def __init__(
        self,
        connection: Connection,
        observer: Observer,
        now: Callable[[], datetime] = utc_now,
        home: Home = NOWHERE,
        compare: Compare | None = None,
    ) -> None:
        self._settings = Settings.model_validate(connection.settings)
        self._profile, self._charging = self._settings.profile(), self._settings.charging()
        self._rendering = Rendering(self._settings, compare)
        self._now = now
        lanes = sum(operation.lanes_in_flight for operation in self._profile.operations.values())
        lanes += sum(message.in_flight for message in self._charging.messages.values())
        self._line = Line(connection, self._settings, observer, limit=lanes)
        self._interactive = Line(
            connection, self._settings, observer, limit=_ASKED_AT_ONCE, timeout=self._settings.answer_seconds
        )
        self._asking = Asking(self._interactive, now)
        self._telling = Telling(self._settings)
        self._pulled = Line(connection, self._settings, observer, limit=_PULLED_AT_ONCE, max_answer=MAX_PAGE)
        self._roaming = self._settings.roaming(ocpi.modules_of(connection))
        self._pulling = Pulling(self._pulled, self._settings, home.emsps, now)
        self._commanding = Commanding(self._interactive, home.public_url, home.emsps, now)

    @property
    def roles(self) -> frozenset[Role]:
        """Which parts our parties play over the connection."""
        return self._settings.roles

    @property
    def profile(self) -> Profile:
        """How IOP wants to be served."""
        return self._profile

    def keys(self, subject: Subject) -> Iterable[WireKey]:
        """Names a location and each of its EVSEs, all in the location's lane; a tariff with its target; or a token.

        What is REMOVED, an EVSE or a location all of whose EVSEs are, has no key: the hub should no longer have it.
        """
        if isinstance(subject, Token):
            if self._settings.is_emsp:
                yield from token_keys(subject)
        elif not self._settings.is_cpo:
            return
        elif isinstance(subject, Location):
            lane = f"{subject.party}/{subject.id}"
            there = [evse for evse in subject.evses if evse.status is not EvseStatus.REMOVED]
            if there or not subject.evses:
                yield WireKey(LOCATIONS, lane, lane)
            for evse in there:
                yield WireKey(LOCATIONS, f"{lane}/{evse.uid}", lane, evse_uid=evse.uid, follows_status=True)
        elif isinstance(subject, Tariff) and self._settings.push_tariffs and self._rendering.tells(subject):
            key = f"{subject.party}/{subject.id}/{subject.target or '-'}"
            yield WireKey(TARIFFS, key, key)

    def plan(
        self,
        operation: str,
        items: Sequence[Item],
        blocked: frozenset[str] = frozenset(),
        *,
        full_load: bool = False,  # noqa: ARG002  # OCPI has no request that replaces everything
    ) -> Plan:
        """Turns items into calls; pure."""
        if operation == TOKENS:
            return plan_tokens(items)
        if operation == TARIFFS:
            return plan_tariffs(self._rendering, items)
        return plan_locations(self._rendering, items, blocked)

    async def send(self, call: Call) -> Outcome:
        """Makes one call: `path` lies below the module's endpoint and begins with country and party of the object."""
        endpoint = self._line.endpoint(f"{call.operation}/RECEIVER")
        if isinstance(endpoint, Misconfigured):
            return endpoint
        country, code, _ = call.path.split("/", 2)
        body = call.body
        if call.action == "PATCH" and isinstance(body, dict) and "last_updated" not in body:
            body = {**body, "last_updated": times.write(self._now())}

        def understood(answer: HttpAnswer) -> Outcome:
            outcome = judge(answer, call.action, self._now())
            removal = isinstance(call.body, dict) and call.body.get("status") == EvseStatus.REMOVED
            if call.action == "PATCH" and removal and isinstance(outcome, RefusedByHub) and outcome.unknown_there:
                return Delivered()  # it is gone, which is what was asked for
            return outcome

        reply = await self._line.request(
            call.operation, call.action, ocpi.below(endpoint, call.path), body, _party(country, code), understood
        )
        return reply.outcome

    def fingerprint(
        self,
        operation: str,
        key: str,  # noqa: ARG002  # the record tells itself what it is
        remembered: Any,
    ) -> bytes:
        """Hashes the hub's own record of a location (with or without its EVSEs), an EVSE, a tariff or a token."""
        if operation == TOKENS:
            return fingerprints.of_token(remembered)
        if operation == TARIFFS:
            return fingerprints.of_tariff(remembered)
        if "uid" in remembered:
            return fingerprints.of_evse(remembered)
        return fingerprints.of_location(remembered)

    # Charging

    @property
    def charging(self) -> ChargingProfile:
        """How IOP wants to be asked and told of charges."""
        return self._charging

    def answers_for(self, party: PartyId) -> bool:
        """Tells whether an EMSP is known to be at Gireve; pure."""
        return party in self._settings.emsps

    async def authorise(self, question: Question) -> Answer:
        """Asks for a driver at exactly one EVSE."""
        return await self._asking.authorise(question)

    async def authorise_stop(self, question: Question, leg: Leg) -> Answer:
        """Judges by the medium that started the session, since OCPI has no question for it; nobody is asked."""
        return same_medium(question, leg)

    async def release(self, question: Question, leg: Leg) -> bool:  # noqa: ARG002  # as the contract has it
        """OCPI has no word for it; an authorisation that is not used runs out by itself."""
        return False

    def of_session(
        self,
        session: Session,
        place: CdrLocation,
        leg: Leg | None,
        told: Told,  # noqa: ARG002  # the whole is PUT, whatever was told before
    ) -> list[Message]:
        """Says that a session is to be PUT, as it is; pure."""
        if not self._settings.is_cpo:
            return []
        return self._telling.of_session(session, place, leg)

    def of_cdr(self, cdr: Cdr, leg: Leg | None) -> list[Message]:
        """Says that a CDR is to be POSTed; pure."""
        if not self._settings.is_cpo:
            return []
        return self._telling.of_cdr(cdr, leg)

    def of_result(self, outcome: CommandOutcome, party: PartyId) -> list[Message]:
        """Says that a command's result is to be POSTed to the address that came with it; pure."""
        return self._telling.of_result(outcome, party)

    def render(self, message: Message) -> tuple[Call, list[Issue]]:
        """Writes a message as the request that tells it; pure."""
        return self._telling.render(message)

    async def tell(self, call: Call, *, doubtful: bool) -> Outcome:
        """Makes a rendered request: a session below its endpoint, a CDR to its, a result to the address it names."""
        country, code, tail = call.path.split("/", 2)
        correlation: str | None = None
        url: str | Misconfigured
        if call.operation == COMMAND_RESULTS:
            url, correlation = target(tail)
        else:
            url = self._line.endpoint(f"{call.operation}/RECEIVER")
            if call.operation == SESSIONS and not isinstance(url, Misconfigured):
                url = ocpi.below(url, call.path)

        def understood(answer: HttpAnswer) -> Outcome:
            return judge_told(answer, call.operation, call.action, self._now(), doubtful=doubtful)

        reply = await self._line.request(
            call.operation, call.action, url, call.body, _party(country, code), understood, correlation=correlation
        )
        return reply.outcome

    # Roaming

    @property
    def roaming(self) -> RoamingProfile:
        """How IOP serves our EMSPs."""
        return self._roaming

    async def pull(self, feed: str, since: datetime | None, cursor: str | None) -> PulledPage:
        """Asks for one page of what partners have.

        Raises:
            PullFailed: It did not come, or is no page.
        """
        profile = self._roaming.feeds.get(feed)
        if profile is None:
            raise PullFailed(Misconfigured(f"{feed} is not offered over this connection"))
        return await self._pulling.pull(feed, profile.kind, since, cursor)

    async def pull_statuses(self, evse_keys: Sequence[str]) -> PulledPage:  # noqa: ARG002  # as the contract has it
        """OCPI has no request for statuses alone.

        Raises:
            PullFailed: Always.
        """
        raise PullFailed(Misconfigured("OCPI has no request for statuses alone"))

    async def command(self, id_: str, command: Command, cpo: PartyId) -> CommandSent:
        """Has a command carried out at a partner's station."""
        if command.kind not in self._roaming.commands:
            return not_supported(command)
        return await self._commanding.command(id_, command, cpo)

    # Offers

    @property
    def offers(self) -> OffersProfile:
        """Says that agreements are signed in Connect Place, which has no interface: nothing is told."""
        return OffersProfile(subscribed_there=True, tariff_types=self._settings.tariff_types)

    def check_offer(self, offer: Offer, terms: OfferTerms, first: OfferTerms | None = None) -> None:
        """Objects to nothing: IOP is not told of offers."""

    def of_offer(self, told: OfferToTell) -> Message:  # noqa: ARG002  # as the contract has it
        """Refuses: there is no request for it.

        Raises:
            Refused: Always.
        """
        raise Refused("", "Gireve is told of no offers")

    async def close(self) -> None:
        """Gives up sockets."""
        for line in (self._line, self._interactive, self._pulled):
            await line.close()


def _party(country: str, code: str) -> PartyId:
    return PartyId.of(unquote(country), unquote(code))
