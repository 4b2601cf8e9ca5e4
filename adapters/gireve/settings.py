"""Settings of a connection to Gireve, and how its platform IOP wants to be served.

Guides cited are Gireve's integration guides for OCPI 2.2.1 (see HUB.md).
"""

from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator
from yarl import URL

from adapters.core.charging import ChargingProfile, MessageProfile
from adapters.core.http import UrlRefused, checked_url
from adapters.core.pricing import Unsayable
from adapters.core.profile import OperationProfile, Profile
from adapters.core.roaming import FeedKind, FeedProfile, RoamingProfile
from adapters.core.tls import TlsSettings
from mappings.canonical.ids import PartyId
from mappings.canonical.parties import Party, Role
from mappings.canonical.tariffs import TariffType
from mappings.ocpi.defaults import NO_DEFAULTS, ConnectorDefaults
from mappings.ocpi.dialects.gireve_charging import ADVENIR, AnonymousCard
from mappings.ocpi.dialects.gireve_drivers import COMMANDS

LOCATIONS, TARIFFS, TOKENS = "locations", "tariffs", "tokens"
SESSIONS, CDRS, COMMAND_RESULTS = "sessions", "cdrs", "command_results"
CLIENTS = "hubclientinfo"

_A_MONTH = timedelta(days=28)
"""The shortest month; the window of a pull of tariffs has to be shorter than one (guide, EMSP side, tariffs)."""

_ROLES = frozenset({Role.CPO, Role.EMSP})


class Environment(StrEnum):
    """Which of Gireve's platforms."""

    PRODUCTION = "production"
    PREPRODUCTION = "preproduction"


class CdrCost(StrEnum):
    """Whether a CDR goes to Gireve with its cost. OCPI demands one, so that zero stands where there shall be none."""

    OWN = "own"
    """The CPO's; a CDR without one is refused, since zero would mean that the charge was free."""
    OWN_OR_ZERO = "own_or_zero"
    """The CPO's, and zero where it tells none."""
    NONE = "none"
    """Never, and no part of it: prices stand in the roaming agreement, and Gireve works the cost out."""


HUB_PARTY: dict[Environment, PartyId] = {
    # Integration guidelines, "IOP is a HUB".
    Environment.PRODUCTION: PartyId("FR*007"),
    Environment.PREPRODUCTION: PartyId("FR*107"),
}
"""IOP's own party, to which every push is addressed."""


class Settings(TlsSettings):
    """Settings of a connection to Gireve.

    Attributes:
        roles: Which parts our parties play over the connection, `CPO`, `EMSP` or both: there is one registration for
            all of a platform.
        versions_url: IOP's versions endpoint; needed only where the registration starts from our side.
        allowed_hosts: Hosts that IOP's URLs may name; that of `versions_url` always may.
        parties: Our parties as presented at registration; empty for those of the connection. Gireve ignores the list
            and sets the operators up by hand.
        connector_defaults: For connector fields that OCPI demands and a source lacks.
        operator_name, owner_name: `operator.name` and `owner.name`, which Gireve demands, where a location has none.
        push_tariffs: Off where prices stand in the roaming agreement: then the module shall not be used.
        tariff_types: Which tariffs Gireve is told of; one without a type counts as REGULAR. Gireve stores the others,
            and passes them on to nobody.
        tariff_targets: EMSPs whose own prices Gireve is told of; None for all that tariffs name. It shows the prices
            of one EMSP to the others, too.
        unsayable: What becomes of a tariff with hours or roundings that Gireve is not known to heed of a CPO; if
            approximated, it is sent with them, and an issue says what prices come to where they do not count.
        in_flight: Locations (and tariffs) served at once.
        timeout_seconds, connect_timeout_seconds: Bounds on one request; Gireve names none.
        page_cap: Most objects of a page that we answer; 20 or less shows paging in Gireve's pre-production tests.
        pull_page: Objects that we ask for in a page; Gireve gives 100 at most.
        pull_seconds: How often what changed is pulled.
        full_pull_seconds: How often everything is pulled.
        client_certificate, client_key: PEM files of the certificate that Gireve issued to us, where it asks for one;
            read again when they change.
        ca_file: PEM file of the authorities to trust instead of the system's.
        sandbox: IOP is a sandbox: loopback and private addresses are called, by http too.
        emsps: EMSPs known to be at Gireve, whose drivers are asked for here first; empty where that is not known.
        answer_seconds: What asking for a driver may take, for whom waits at the station; Gireve names nothing.
        command_seconds: What a command may take until its result is told; Gireve names nothing.
        margin_seconds: What of both is kept for ourselves.
        cdr_cost: Whether a CDR carries the CPO's cost.
        enforced_here: Whether a no of our own agreements is one to what the hub lets begin, too; else the hub is the
            authority on its own contracts, its yes stands, and the disagreement is shown.
        advenir: Sessions and CDRs that do not roam over this connection are told of too, without their driver: for the
            French subsidy, whose stations tell of every charge.
        advenir_card: What stands for the driver then; Gireve confirms it when an operator is taken on.
    """

    environment: Environment = Environment.PREPRODUCTION
    roles: frozenset[Role] = frozenset({Role.CPO})
    versions_url: str | None = None
    allowed_hosts: frozenset[str] = frozenset()
    parties: tuple[Party, ...] = ()
    connector_defaults: ConnectorDefaults = NO_DEFAULTS
    operator_name: str | None = None
    owner_name: str | None = None
    push_tariffs: bool = True
    tariff_types: Annotated[frozenset[TariffType], Field(min_length=1)] = frozenset({TariffType.REGULAR})
    tariff_targets: frozenset[PartyId] | None = None
    unsayable: Unsayable = Unsayable.REFUSE
    in_flight: Annotated[int, Field(ge=1, le=1000)] = 64
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 30.0
    connect_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    page_cap: Annotated[int, Field(ge=1, le=1000)] = 100
    pull_page: Annotated[int, Field(ge=1, le=1000)] = 100
    pull_seconds: Annotated[float, Field(ge=1, le=86_400)] = 3600.0
    full_pull_seconds: Annotated[float, Field(ge=1, le=2_592_000)] = 86_400.0
    sandbox: bool = False
    emsps: frozenset[PartyId] = frozenset()
    answer_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0
    command_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    margin_seconds: Annotated[float, Field(ge=0, le=30)] = 2.0
    cdr_cost: CdrCost = CdrCost.OWN
    enforced_here: bool = False
    advenir: bool = False
    advenir_card: AnonymousCard = ADVENIR

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if not self.roles or not self.roles <= _ROLES:
            raise ValueError("roles: CPO, EMSP or both")
        if self.full_pull_seconds < self.pull_seconds:
            raise ValueError("full_pull_seconds is less than pull_seconds")
        if self.margin_seconds >= min(self.answer_seconds, self.command_seconds):
            raise ValueError("margin_seconds leaves nothing of answer_seconds or command_seconds")
        if self.versions_url is not None:
            self.checked(self.versions_url, own=True)
        return self

    @property
    def is_cpo(self) -> bool:
        """Our stations are told of over the connection."""
        return Role.CPO in self.roles

    @property
    def is_emsp(self) -> bool:
        """Our drivers are told of over the connection."""
        return Role.EMSP in self.roles

    @property
    def hub_party(self) -> PartyId:
        """IOP's party in this environment."""
        return HUB_PARTY[self.environment]

    def checked(self, url: str, *, own: bool = False) -> str:
        """Gives back a URL if it may be called.

        Args:
            own: It is the operator's own setting, so that its host needs no leave.

        Raises:
            UrlRefused: It may not.
        """
        hosts = {host.lower() for host in self.allowed_hosts}
        for known in (self.versions_url, url if own else None):
            if known is not None and (host := _host(known)):
                hosts.add(host)
        return checked_url(url, hosts, sandbox=self.sandbox)

    def profile(self) -> Profile:
        """How IOP wants to be served by this connection."""
        # "Store and Forward": what got no 2xx is sent again, first in, first out; hence nothing that was tried may be
        # replaced by something newer. Gireve names no limit of rate.
        operations = []
        if self.is_cpo and self.push_tariffs:
            operations.append(self._operation(TARIFFS, 1))
        if self.is_cpo:
            operations.append(self._operation(LOCATIONS, 1000, TARIFFS if self.push_tariffs else None))
        if self.is_emsp:
            operations.append(self._operation(TOKENS, 1))
        return Profile(
            hub="gireve",
            protocol="OCPI 2.2.1",
            operations={operation.name: operation for operation in operations},
            request_timeout=timedelta(seconds=self.timeout_seconds),
        )

    def _operation(self, name: str, max_items: int, waits_for: str | None = None) -> OperationProfile:
        return OperationProfile(
            name=name,
            max_items=max_items,
            lanes_in_flight=self.in_flight,
            coalesce_attempted=False,
            waits_for=waits_for,
        )

    def charging(self) -> ChargingProfile:
        """How IOP wants to be asked and told of charges by this connection."""
        messages = [
            # Guide, Sessions and CDRs, store and forward: what got no 2xx is sent again, first in, first out; never
            # given up, therefore.
            MessageProfile(name=SESSIONS, in_flight=self.in_flight),
            MessageProfile(name=CDRS, in_flight=self.in_flight),
            # OCPI 2.2.1, CommandResponse: after its time-out nobody waits for a result.
            MessageProfile(
                name=COMMAND_RESULTS,
                in_flight=self.in_flight,
                lasts=timedelta(seconds=self.command_seconds),
                prompt=True,
            ),
        ]
        return ChargingProfile(
            messages={message.name: message for message in messages},
            answer_within=timedelta(seconds=self.answer_seconds - self.margin_seconds),
            command_within=timedelta(seconds=self.command_seconds - self.margin_seconds),
            # Guide, CreditCDR: not implemented; where one is corrected all the same, EMSPs get two positive CDRs.
            takes_credit=False,
            has_contracts=not self.enforced_here,
        )

    def roaming(self, offered: Collection[str]) -> RoamingProfile:
        """How IOP serves the EMSP's side of this connection.

        Args:
            offered: Endpoints that it has, as in `Endpoints.modules`.
        """
        within = timedelta(seconds=self.command_seconds)
        if not self.is_emsp:
            return RoamingProfile({}, frozenset(), within)
        every, full = timedelta(seconds=self.pull_seconds), timedelta(seconds=self.full_pull_seconds)
        feeds = [
            # Without dates a list names what is there, with dates what is gone, too (guide, EMSP side, locations, Full
            # and Delta modes).
            FeedProfile(LOCATIONS, FeedKind.LOCATIONS, every, full, prunes=True, tells_gone=True, statuses=True),
            FeedProfile(TARIFFS, FeedKind.TARIFFS, every, full, longest=_A_MONTH - timedelta(hours=1), prunes=True),
            # IOP itself offers neither (guide, EMSP side, CDRs; CPO and EMSP covered by Gireve).
            FeedProfile(CDRS, FeedKind.CDRS, every, max(full, _A_MONTH)),
            FeedProfile(CLIENTS, FeedKind.PARTIES, full),
        ]
        # A missing endpoint of locations is a fault of the registration, to be told; of others it means no offer.
        taken = [feed for feed in feeds if feed.name == LOCATIONS or f"{feed.name}/SENDER" in offered]
        return RoamingProfile({feed.name: feed for feed in taken}, COMMANDS, within)


def _host(url: str) -> str:
    try:
        return (URL(url).host or "").lower()
    except ValueError:
        raise UrlRefused("not a URL") from None
