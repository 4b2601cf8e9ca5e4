"""Hubject as the gateway sees it: pushes of the network, questions about drivers, and what it is told of charges."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from adapters.core.adapter import Call, Item, Plan, Subject, WireKey
from adapters.core.charging import (
    Allowed,
    Answer,
    ChargingProfile,
    CommandOutcome,
    Denial,
    Denied,
    Message,
    Question,
    Told,
    Unanswered,
)
from adapters.core.digest import digest
from adapters.core.http import Answer as HttpAnswer
from adapters.core.http import compact_json
from adapters.core.inbound import Observer
from adapters.core.offers import OffersProfile, OfferToTell
from adapters.core.outcomes import Misconfigured, Outcome
from adapters.core.pricing import Compare
from adapters.core.profile import Profile
from adapters.core.roaming import CommandSent, PulledPage, PullFailed, RoamingProfile
from adapters.core.secured import SecuredClient
from adapters.hubject import plan, prices, products, telling
from adapters.hubject.asking import STARTS, STOPS, Ear, Heard, Means
from adapters.hubject.errors import NOTIFICATION_OUTCOMES, OUTCOMES, PRICING_OUTCOMES, outcome_of, outcome_of_cdr
from adapters.hubject.offers.offering import Offering
from adapters.hubject.offers.settings import BY_PORTAL, DOCUMENTS, OFFERS
from adapters.hubject.pushing import push
from adapters.hubject.settings import (
    AUTHORISE_START,
    AUTHORISE_STOP,
    CDRS,
    DEADLINE,
    EVSE_DATA,
    EVSE_STATUS,
    PRICES,
    PRODUCTS,
    Settings,
)
from mappings.canonical.agreements import Offer, OfferTerms
from mappings.canonical.cdrs import Cdr, CdrLocation
from mappings.canonical.commands import Command, CommandAnswer, CommandResult
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.locations import EvseStatus, Location
from mappings.canonical.parties import Role
from mappings.canonical.sessions import Session
from mappings.oicp.v2_3 import authorisations
from mappings.oicp.v2_3.authorisations import Authorisation
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, Refused

_IN_PORTAL: Final = "over this connection offers are made in Hubject's portal"
_CPO: Final = frozenset({Role.CPO})
_QUESTIONS_AT_ONCE: Final = 200
"""Most sockets for questions. They have their own, so that no driver waits behind a push or a CDR."""


class HubjectAdapter:
    """One connection to Hubject.

    Args:
        name: The connection's, for the metrics.
        compare: Says what an approximated tariff does to prices.
        now: The clock.
    """

    def __init__(
        self, name: str, settings: Settings, observer: Observer, compare: Compare, now: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._compare = products.remembering(compare)
        self._now = now
        self._profile = settings.profile()
        self._charging = settings.charging()

        def client(timeout: timedelta, limit: int) -> SecuredClient:
            connect = timedelta(seconds=settings.connect_timeout_seconds)
            return SecuredClient(
                self._profile.hub, name, observer, settings, timeout=timeout, connect_timeout=connect, limit=limit
            )

        told_at_once = sum(message.in_flight for message in self._charging.messages.values())
        self._client = client(self._profile.request_timeout, len(self._profile.operations) + told_at_once)
        # Whoever asks bounds the time itself. What Hubject says later is still heard, since a yes has to be given back.
        self._asking = client(min(self._profile.request_timeout, DEADLINE), _QUESTIONS_AT_ONCE)
        self._offering = _offering(self._profile.hub, name, settings, observer)

    @property
    def roles(self) -> frozenset[Role]:
        """The CPO's alone: an OperatorID has a connection of its own."""
        return _CPO

    @property
    def profile(self) -> Profile:
        """How the hub wants to be served."""
        return self._profile

    def keys(self, subject: Subject) -> Iterable[WireKey]:
        """Names an EVSE's data and status by the normal form of its EvseID, and prices as `prices.keys` does.

        An EVSE without EvseID has a key of its own, so that the plan can say why it is refused. REMOVED ones have none.
        """
        yield from prices.keys(subject, self._settings)
        if not isinstance(subject, Location):
            return
        for evse in subject.evses:
            if evse.status is EvseStatus.REMOVED:
                continue
            if evse.evse_id is None:
                yield WireKey(EVSE_DATA, f"{subject.party}/{subject.id}/{evse.uid}", "", evse.uid)
            else:
                key = evse.evse_id.normal
                yield WireKey(EVSE_DATA, key, "", evse.uid, shared=True)
                yield WireKey(EVSE_STATUS, key, "", evse.uid, follows_status=True, shared=True)

    def plan(
        self,
        operation: str,
        items: Sequence[Item],
        blocked: frozenset[str] = frozenset(),
        *,
        full_load: bool = False,
    ) -> Plan:
        """Turns items into pushes; see `adapters.hubject.plan.make_plan` and `adapters.hubject.prices.make_plan`."""
        if operation in {PRODUCTS, PRICES}:
            return prices.make_plan(operation, items, self._settings, self._compare, blocked, self._now())
        return plan.make_plan(operation, items, self._settings, full_load=full_load)

    async def send(self, call: Call) -> Outcome:
        """Makes one push; see `adapters.hubject.pushing.push`."""
        outcomes = PRICING_OUTCOMES if call.operation in {PRODUCTS, PRICES} else OUTCOMES
        return await push(self._client, self._settings.base_url, call, outcomes)

    def fingerprint(self, operation: str, key: str, remembered: Any) -> bytes:  # noqa: ARG002  # all alike
        """Gives the fingerprint of a record as Hubject holds it."""
        return digest(remembered)

    # Asking

    @property
    def charging(self) -> ChargingProfile:
        """How the hub wants to be asked and told of charges."""
        return self._charging

    def answers_for(self, party: PartyId) -> bool:
        """Tells whether an EMSP is among those that the settings say are at Hubject."""
        return party in self._settings.providers

    async def authorise(self, question: Question) -> Answer:
        """Asks for a driver by eRoamingAuthorizeStart."""

        def heard(body: Any) -> Authorisation | None:
            said, _ = authorisations.start_to_canonical(body, question.identification, question.id, question.product)
            return said

        try:
            body, _ = authorisations.start_from_canonical(
                self._settings.operator_id,
                question.place,
                question.identification,
                question.pin,
                own_session=question.id,
                product=question.product,
            )
        except Refused as refused:
            return _not_asked(refused)
        return _answer(await self._ask(AUTHORISE_START, "start", body, heard, STARTS))

    async def authorise_stop(self, question: Question, leg: Leg) -> Answer:
        """Asks by eRoamingAuthorizeStop whether a medium may stop a session.

        Who was authorised by Hubject itself, offline, may be stopped by the medium that started it alone.
        """

        def heard(body: Any) -> Authorisation | None:
            return authorisations.stop_to_canonical(body, leg)[0]

        try:
            body, _ = authorisations.stop_from_canonical(
                self._settings.operator_id, question.place, question.identification, leg, question.pin
            )
        except Refused as refused:
            return _not_asked(refused)
        return _answer(await self._ask(AUTHORISE_STOP, "stop", body, heard, STOPS))

    async def release(self, question: Question, leg: Leg) -> bool:
        """Stops a session that never began, by the medium that it was authorised for; True once Hubject has none."""
        answer = await self.authorise_stop(replace(question, identification=leg.identification), leg)
        return isinstance(answer, Allowed) or (isinstance(answer, Denied) and answer.reason is Denial.UNKNOWN_SESSION)

    async def _ask(
        self,
        operation: str,
        word: str,
        body: Record,
        read: Callable[[Any], Authorisation | None],
        codes: Mapping[str, Means],
    ) -> Heard:
        url = f"{self._settings.base_url.rstrip('/')}{self._settings.authorise_path}/{word}"
        ear = Ear(read, codes)
        reply = await self._asking.request(operation, "POST", url, judge=ear, body=compact_json(body))
        return ear.heard or Heard(reply.outcome)

    # Telling

    def of_session(self, session: Session, place: CdrLocation, leg: Leg | None, told: Told) -> list[Message]:
        """Says which charging notifications are due; see `adapters.hubject.telling.of_session`."""
        return telling.of_session(session, place, leg, told, self._settings)

    def of_cdr(self, cdr: Cdr, leg: Leg | None) -> list[Message]:
        """Says that a CDR is due; see `adapters.hubject.telling.of_cdr`."""
        return telling.of_cdr(cdr, leg)

    def of_result(self, outcome: CommandOutcome, party: PartyId) -> list[Message]:  # noqa: ARG002  # as the contract has it
        """Says nothing: Hubject waits for what comes of a command."""
        return []

    def render(self, message: Message) -> tuple[Call, list[Issue]]:
        """Writes a message as a request; see `adapters.hubject.telling.render` and `adapters.hubject.offers`."""
        if message.offer is not None:
            if self._offering is None:
                raise Refused("", _IN_PORTAL)
            return self._offering.render(message.offer)
        return telling.render(message, self._settings)

    async def tell(self, call: Call, *, doubtful: bool) -> Outcome:
        """Makes a rendered request."""
        if call.operation in {OFFERS, DOCUMENTS}:
            if self._offering is None:
                return Misconfigured("offers are not told over this connection any more")
            return await self._offering.tell(call, doubtful=doubtful)

        def judge(answer: HttpAnswer) -> Outcome:
            if call.operation == CDRS:
                return outcome_of_cdr(answer, doubtful=doubtful)
            return outcome_of(answer, NOTIFICATION_OUTCOMES)

        url = self._settings.base_url.rstrip("/") + call.path
        body = compact_json(call.body)
        return (await self._client.request(call.operation, "POST", url, judge=judge, body=body)).outcome

    # Of our own drivers, of whom a CPO has none

    @property
    def roaming(self) -> RoamingProfile:
        """Has nothing for an EMSP; our own offers are read back."""
        feeds = [self._offering.feed] if self._offering is not None else []
        return RoamingProfile(
            feeds={feed.name: feed for feed in feeds},
            commands=frozenset(),
            command_within=self._charging.command_within,
        )

    async def pull(self, feed: str, since: datetime | None, cursor: str | None) -> PulledPage:  # noqa: ARG002  # always all
        """Gives our offers as Hubject holds them; a CPO pulls nothing else."""
        if self._offering is not None and feed == self._offering.feed.name:
            return await self._offering.pull(cursor)
        raise PullFailed(Misconfigured(f"a CPO's connection has no feed {feed}"))

    async def pull_statuses(self, evse_keys: Sequence[str]) -> PulledPage:  # noqa: ARG002  # as the contract has it
        """Refuses: a CPO pulls nothing."""
        raise PullFailed(Misconfigured("a CPO's connection pulls no statuses"))

    async def command(self, id_: str, command: Command, cpo: PartyId) -> CommandSent:  # noqa: ARG002  # likewise
        """Refuses: a CPO gives no commands."""
        return CommandSent(CommandAnswer(result=CommandResult.NOT_SUPPORTED, text="not over a CPO's connection"))

    # Offers

    @property
    def offers(self) -> OffersProfile:
        """What Hubject takes of offers."""
        return BY_PORTAL if self._offering is None else self._offering.profile

    def check_offer(self, offer: Offer, terms: OfferTerms, first: OfferTerms | None = None) -> None:
        """See `adapters.hubject.offers.rendering`; objects to nothing where offers are made in Hubject's portal."""
        if self._offering is not None:
            self._offering.check(offer, terms, first)

    def of_offer(self, told: OfferToTell) -> Message:
        """Says how Hubject is told a step.

        Raises:
            Refused: Offers are made in Hubject's portal.
        """
        if self._offering is None:
            raise Refused("", _IN_PORTAL)
        return self._offering.message(told)

    async def close(self) -> None:
        """Gives up sockets."""
        await self._client.close()
        await self._asking.close()
        if self._offering is not None:
            await self._offering.close()


def _offering(hub: str, name: str, settings: Settings, observer: Observer) -> Offering | None:
    if settings.offers is None:
        return None
    return Offering(
        hub,
        name,
        observer,
        settings,
        settings.offers,
        settings.operator_id,
        settings.ngp_base,
        timeout=timedelta(seconds=settings.timeout_seconds),
        connect_timeout=timedelta(seconds=settings.connect_timeout_seconds),
    )


def _not_asked(refused: Refused) -> Denied:
    """Says that Hubject is no candidate: what cannot be asked has no better answer later."""
    return Denied(Denial.NO_CANDIDATE, text=f"Hubject cannot be asked: {refused}")


def _answer(heard: Heard) -> Answer:
    said = heard.said
    if said is None:
        return Unanswered(heard.outcome)
    if heard.denial is None:
        return Allowed(said.leg, stop_with=said.stop_with)
    return Denied(heard.denial, said.code or "", said.text)
