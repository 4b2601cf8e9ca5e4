"""Hubject as the gateway sees it for one of our EMSPs."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

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
from adapters.core.digest import digest
from adapters.core.http import MAX_ANSWER
from adapters.core.inbound import Observer
from adapters.core.offers import OffersProfile, OfferToTell
from adapters.core.outcomes import Misconfigured, Outcome
from adapters.core.profile import Profile
from adapters.core.roaming import CommandSent, PulledPage, RoamingProfile
from adapters.core.secured import SecuredClient
from adapters.hubject.errors import AUTHENTICATION_OUTCOMES
from adapters.hubject.provider import plan
from adapters.hubject.provider.commanding import Commanding
from adapters.hubject.provider.contracts import Contracts
from adapters.hubject.provider.pulling import LARGEST_ANSWER, Pulling
from adapters.hubject.provider.settings import COMMAND_TIMEOUT, CONTRACT_EVSES, CONTRACTS, ProviderSettings
from adapters.hubject.pushing import push
from mappings.canonical.agreements import Offer, OfferTerms
from mappings.canonical.cdrs import Cdr, CdrLocation
from mappings.canonical.commands import Command
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.parties import Role
from mappings.canonical.sessions import Session
from mappings.canonical.tokens import Token
from mappings.report import Issue, Refused

_EMSP: Final = frozenset({Role.EMSP})
_OFFERS: Final = OffersProfile(subscribed_there=True)
_PULLS_AT_ONCE: Final = 8
_COMMANDS_AT_ONCE: Final = 200
"""Most sockets for commands. They have their own, so that no driver waits behind a page."""


class ProviderAdapter:
    """One connection of an EMP to Hubject.

    Args:
        name: The connection's, for the metrics.
        now: The clock.
    """

    def __init__(self, name: str, settings: ProviderSettings, observer: Observer, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._profile = settings.profile()

        def client(timeout: timedelta, limit: int, max_answer: int = MAX_ANSWER) -> SecuredClient:
            return SecuredClient(
                self._profile.hub,
                name,
                observer,
                settings,
                timeout=timeout,
                connect_timeout=timedelta(seconds=settings.connect_timeout_seconds),
                limit=limit,
                max_answer=max_answer,
            )

        sockets = len(self._profile.operations) + _PULLS_AT_ONCE
        self._client = client(self._profile.request_timeout, sockets, LARGEST_ANSWER)
        self._commands = client(min(self._profile.request_timeout, COMMAND_TIMEOUT), _COMMANDS_AT_ONCE)
        self._pulling = Pulling(self._client, settings, now)
        self._contracts = Contracts(self._client, settings)
        self._commanding = Commanding(self._commands, settings, now)

    @property
    def roles(self) -> frozenset[Role]:
        """The EMSP's alone: a ProviderID has a connection of its own."""
        return _EMSP

    @property
    def profile(self) -> Profile:
        """How the hub wants to be told of tokens."""
        return self._profile

    def keys(self, subject: Subject) -> Iterable[WireKey]:
        """Names the tokens that Hubject shall know; see `adapters.hubject.provider.plan.keys`."""
        return plan.keys(subject, self._settings) if isinstance(subject, Token) else ()

    def plan(
        self,
        operation: str,  # noqa: ARG002  # there is one
        items: Sequence[Item],
        blocked: frozenset[str] = frozenset(),  # noqa: ARG002  # nothing waits for anything
        *,
        full_load: bool = False,
    ) -> Plan:
        """Turns items into pushes; see `adapters.hubject.provider.plan.make_plan`."""
        return plan.make_plan(items, self._settings, full_load=full_load)

    async def send(self, call: Call) -> Outcome:
        """Makes one push; see `adapters.hubject.pushing.push`."""
        return await push(self._client, self._settings.base_url, call, AUTHENTICATION_OUTCOMES)

    def fingerprint(self, operation: str, key: str, remembered: Any) -> bytes:  # noqa: ARG002  # all alike
        """Gives the fingerprint of a record as Hubject holds it."""
        return digest(remembered)

    # Stations

    @property
    def roaming(self) -> RoamingProfile:
        """What the hub has for an EMP."""
        return self._settings.roaming()

    async def pull(self, feed: str, since: datetime | None, cursor: str | None) -> PulledPage:
        """Asks for one page; see `adapters.hubject.provider.pulling` and `adapters.hubject.provider.contracts`."""
        if feed in {CONTRACTS, CONTRACT_EVSES} and feed in self.roaming.feeds:
            return await self._contracts.pull(feed, cursor)
        return await self._pulling.pull(feed, since, cursor)

    async def pull_statuses(self, evse_keys: Sequence[str]) -> PulledPage:
        """Asks for the statuses of some EVSEs."""
        return await self._pulling.pull_statuses(evse_keys)

    async def command(self, id_: str, command: Command, cpo: PartyId) -> CommandSent:  # noqa: ARG002  # the EvseID says
        """Has a command carried out, and gives what the CPO said."""
        return await self._commanding.command(command)

    # Of charges at own stations, of which an EMP has none

    @property
    def charging(self) -> ChargingProfile:
        """How the hub asks of our drivers."""
        return self._settings.charging()

    def answers_for(self, party: PartyId) -> bool:  # noqa: ARG002  # as the contract has it
        """Tells that no EMSP is asked over an EMP's connection."""
        return False

    async def authorise(self, question: Question) -> Answer:  # noqa: ARG002  # as the contract has it
        """Is no candidate: an EMP's connection has no stations."""
        return Denied(Denial.NO_CANDIDATE, text="an EMP's connection asks for nobody")

    async def authorise_stop(self, question: Question, leg: Leg) -> Answer:  # noqa: ARG002  # as the contract has it
        """Is no candidate."""
        return Denied(Denial.NO_CANDIDATE, text="an EMP's connection asks for nobody")

    async def release(self, question: Question, leg: Leg) -> bool:  # noqa: ARG002  # as the contract has it
        """Has nothing to give back."""
        return False

    def of_session(self, session: Session, place: CdrLocation, leg: Leg | None, told: Told) -> list[Message]:  # noqa: ARG002
        """Says nothing of our own stations' sessions."""
        return []

    def of_cdr(self, cdr: Cdr, leg: Leg | None) -> list[Message]:  # noqa: ARG002  # as the contract has it
        """Says nothing of our own stations' CDRs."""
        return []

    def of_result(self, outcome: CommandOutcome, party: PartyId) -> list[Message]:  # noqa: ARG002  # as the contract has it
        """Says nothing: no command comes over an EMP's connection."""
        return []

    def render(self, message: Message) -> tuple[Call, list[Issue]]:  # noqa: ARG002  # as the contract has it
        """Refuses: nothing is told over an EMP's connection.

        Raises:
            Refused: Always.
        """
        raise Refused("", "nothing is told over an EMP's connection")

    async def tell(self, call: Call, *, doubtful: bool) -> Outcome:  # noqa: ARG002  # as the contract has it
        """Refuses: nothing is told over an EMP's connection."""
        return Misconfigured("nothing is told over an EMP's connection")

    # Offers

    @property
    def offers(self) -> OffersProfile:
        """Says that an EMP subscribes in Hubject's portal, and tells of none itself."""
        return _OFFERS

    def check_offer(
        self,
        offer: Offer,  # noqa: ARG002  # as the contract has it
        terms: OfferTerms,  # noqa: ARG002
        first: OfferTerms | None = None,  # noqa: ARG002
    ) -> None:
        """Refuses: an EMP offers nothing.

        Raises:
            Refused: Always.
        """
        raise Refused("connection", "an EMP's connection to Hubject takes no offers")

    def of_offer(self, told: OfferToTell) -> Message:  # noqa: ARG002  # as the contract has it
        """Refuses: an EMP offers nothing.

        Raises:
            Refused: Always.
        """
        raise Refused("", "an EMP's connection to Hubject takes no offers")

    async def close(self) -> None:
        """Gives up sockets."""
        await self._client.close()
        await self._commands.close()
