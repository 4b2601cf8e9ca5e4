"""Settings of a connection to Hubject, and how its platform HBS wants to be served."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from adapters.core.charging import ChargingProfile, MessageProfile
from adapters.core.http import UrlRefused, checked_url
from adapters.core.peers import KnownCertificate
from adapters.core.pricing import Unsayable
from adapters.core.profile import OperationProfile, Profile
from adapters.core.tls import TlsSettings
from adapters.hubject.offers.settings import OffersSettings
from mappings.canonical.ids import PartyId
from mappings.oicp.v2_3.commands import STANDARD_DURATION
from mappings.oicp.v2_3.defaults import OperatorDefaults, PricingDefaults
from mappings.oicp.v2_3.process import provider_id
from mappings.oicp.v2_3.vocabulary import NotificationType

EVSE_DATA, EVSE_STATUS = "evse_data", "evse_status"
NOTIFICATIONS, CDRS = "charging_notifications", "cdrs"
AUTHORISE_START, AUTHORISE_STOP = "authorise_start", "authorise_stop"
PRODUCTS, PRICES = "pricing_products", "evse_pricing"

DEADLINE: Final = timedelta(seconds=10)
"""OICP 2.3, eRoamingAuthorizeRemoteStart: a command is answered in less, the way there and back included."""

PRODUCTION = "https://service.hubject.com"
QA = "https://service-qa.hubject.com"


class HubjectSettings(TlsSettings):
    """What a CPO's and an EMP's connection to Hubject both need.

    Attributes:
        base_url: `https://service.hubject.com` or `https://service-qa.hubject.com`.
        ngp_url: Where the API for offers and contracts is, if it is elsewhere.
        client_certificate, client_key: PEM files of the certificate that Hubject signed; read again when they change.
        ca_file: PEM file of the authorities to trust instead of the system's.
        timeout_seconds, connect_timeout_seconds: Bounds on one request; Hubject names none.
        sandbox: The hub is a sandbox: loopback and private addresses are called, by http too.
        answer_seconds: What an authorisation may take.
        command_seconds: What a command may take to be carried out; Hubject's 10 s less the way.
        hub_certificates: The client certificates that are Hubject's. Without any, whatever it sends is refused.
        trust_loopback: Whoever calls from this machine is Hubject, without any certificate; for sandboxes only.
    """

    base_url: str = QA
    ngp_url: str | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 60.0
    connect_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    sandbox: bool = False
    answer_seconds: Annotated[float, Field(gt=0, lt=10)] = 8.0
    command_seconds: Annotated[float, Field(gt=0, lt=10)] = 8.0
    hub_certificates: tuple[KnownCertificate, ...] = ()
    trust_loopback: bool = False

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.client_certificate is None and not self.sandbox:
            raise ValueError("client_certificate: Hubject knows a partner by its certificate")
        if self.trust_loopback and not self.sandbox:
            raise ValueError("trust_loopback: for sandboxes only")
        for name, url in (("base_url", self.base_url), ("ngp_url", self.ngp_url)):
            try:
                # The operator's own setting: any host will do.
                host = (url or "").split("://", 1)[-1].split("/", 1)[0].rsplit(":", 1)[0].lower()
                if url is not None:
                    checked_url(url, {host}, sandbox=self.sandbox)
            except UrlRefused as error:
                raise ValueError(f"{name}: {error}") from None
        return self

    @property
    def ngp_base(self) -> str:
        """What the paths of the API for offers and contracts stand behind."""
        return (self.ngp_url or self.base_url).rstrip("/")


class PricingSettings(PricingDefaults):
    """How a CPO's prices are pushed; also what `PricingDefaults` has, which stands beside all products.

    Attributes:
        targets: EMPs that get prices of their own, from the tariffs that name them, beside those for all.
        unsayable: What becomes of a tariff that OICP cannot say; if approximated, the nearest product that is no
            cheaper is pushed.
        product_batch: Most products of a push, all for one EMP or for all. Hubject names no limit.
        evse_batch: Most EVSEs and EMPs of a push. Hubject names no limit.
        per_minute: Most calls a minute of each of the two pushes. The Acceptable Use Policy allows 6 pushes of prices;
            a call may need a second request, and whether both share the 6 is written nowhere. Hence big batches.
    """

    targets: frozenset[PartyId] = frozenset()
    unsayable: Unsayable = Unsayable.REFUSE
    product_batch: Annotated[int, Field(ge=1, le=10_000)] = 500
    evse_batch: Annotated[int, Field(ge=1, le=20_000)] = 5000
    per_minute: Annotated[int, Field(ge=1)] = 2

    @model_validator(mode="after")
    def _of_emps(self) -> Self:
        for target in self.targets:
            provider_id(target)  # `Refused` is a ValueError
        return self


class Settings(HubjectSettings):
    """Settings of a CPO's connection to Hubject; also what `HubjectSettings` has.

    Attributes:
        operator_id: The party that the certificate is bound to. It stands in every path and body, also where EVSEs of
            sub-operators are pushed (OICP 2.3, Hub Provider and Hub Operator).
        operator_name: Its name as drivers' providers see it.
        defaults: Values for mandatory fields that a source leaves open.
        data_batch, status_batch: Most records of a push. Hubject names no limit.
        data_per_minute, status_per_minute: Most calls a minute. A call may need a second request (see HUB.md), so that
            the defaults are under half of what the Acceptable Use Policy allows: 375 and 2000.
        full_load_max: Most records of a fullLoad; a bigger network is synchronised by updates.
        full_sync_hours: How often everything is sent anew; None for only on demand.
        providers: EMSPs that are known to be at Hubject, so that it is asked for their drivers before others are.
        notifications: The kinds of charging notifications that are sent; none at all is allowed, they are optional.
        progress_minutes: Least time of a session between two notifications of its progress.
        notification_lasts_minutes: After which a notification that did not get through is of no use.
        notifications_per_minute, cdrs_per_minute: Most requests a minute; the Acceptable Use Policy allows 100 and 350.
        notifications_in_flight, cdrs_in_flight: Most requests at once, by each replica.
        reservation_minutes: How long a reservation holds that names no duration.
        sub_providers: By ProviderID, the providers whose drivers it speaks for beside its own; a command for any other
            driver is refused (019). None leaves that to Hubject, which knows who bundles whom.
        enforced_here: Whether a no of our own agreements is one to what the hub lets begin, too; else the hub is the
            authority on its own contracts, its yes stands, and the disagreement is shown.
        pricing: How prices are pushed; None where they are not. Hubject takes them only under an offer of flexible or
            dynamic prices.
        offers: How offers are told and read back; None where they are made in Hubject's portal alone.
    """

    operator_id: PartyId
    operator_name: Annotated[str, Field(min_length=1, max_length=100)]
    defaults: OperatorDefaults = OperatorDefaults()
    data_batch: Annotated[int, Field(ge=1, le=10_000)] = 1000
    status_batch: Annotated[int, Field(ge=1, le=20_000)] = 2000
    data_per_minute: Annotated[int, Field(ge=1)] = 180
    status_per_minute: Annotated[int, Field(ge=1)] = 960
    full_load_max: Annotated[int, Field(ge=0)] = 20_000
    full_sync_hours: Annotated[int, Field(ge=1)] | None = 24
    providers: frozenset[PartyId] = frozenset()
    notifications: frozenset[NotificationType] = frozenset(NotificationType)
    progress_minutes: Annotated[int, Field(ge=5, le=1440)] = 5
    notification_lasts_minutes: Annotated[int, Field(ge=1, le=1440)] = 60
    notifications_per_minute: Annotated[int, Field(ge=1)] = 95
    notifications_in_flight: Annotated[int, Field(ge=1, le=100)] = 8
    cdrs_per_minute: Annotated[int, Field(ge=1)] = 340
    cdrs_in_flight: Annotated[int, Field(ge=1, le=100)] = 16
    reservation_minutes: Annotated[int, Field(ge=1, le=99)] = STANDARD_DURATION // timedelta(minutes=1)
    sub_providers: Mapping[PartyId, frozenset[PartyId]] | None = None
    enforced_here: bool = False
    pricing: PricingSettings | None = None
    offers: OffersSettings | None = None

    @property
    def data_path(self) -> str:
        """Path of eRoamingPushEvseData."""
        return f"/api/oicp/evsepush/v23/operators/{self.operator_id.normal}/data-records"

    @property
    def status_path(self) -> str:
        """Path of eRoamingPushEvseStatus."""
        return f"/api/oicp/evsepush/v21/operators/{self.operator_id.normal}/status-records"

    @property
    def products_path(self) -> str:
        """Path of eRoamingPushPricingProductData."""
        return f"/api/oicp/dynamicpricing/v10/operators/{self.operator_id.normal}/pricing-products"

    @property
    def prices_path(self) -> str:
        """Path of eRoamingPushEVSEPricing."""
        return f"/api/oicp/dynamicpricing/v10/operators/{self.operator_id.normal}/evse-pricing"

    @property
    def authorise_path(self) -> str:
        """Path of eRoamingAuthorizeStart and eRoamingAuthorizeStop, without the last word."""
        return f"/api/oicp/charging/v21/operators/{self.operator_id.normal}/authorize"

    @property
    def cdr_path(self) -> str:
        """Path of eRoamingChargeDetailRecord."""
        return f"/api/oicp/cdrmgmt/v22/operators/{self.operator_id.normal}/charge-detail-record"

    @property
    def notification_path(self) -> str:
        """Path of eRoamingChargingNotifications."""
        return "/api/oicp/notificationmgmt/v11/charging-notifications"

    def charging(self) -> ChargingProfile:
        """How HBS wants to be asked and told of charges."""
        notifications = MessageProfile(
            NOTIFICATIONS,
            self.notifications_in_flight,
            self.notifications_per_minute,
            timedelta(minutes=self.notification_lasts_minutes),
        )
        cdrs = MessageProfile(CDRS, self.cdrs_in_flight, self.cdrs_per_minute)
        offers = self.offers.messages() if self.offers is not None else ()
        return ChargingProfile(
            messages={profile.name: profile for profile in (notifications, cdrs, *offers)},
            answer_within=timedelta(seconds=self.answer_seconds),
            command_within=timedelta(seconds=self.command_seconds),
            # OICP 2.3 knows no credit, and Hubject takes one CDR for each SessionID.
            takes_credit=False,
            has_contracts=not self.enforced_here,
        )

    def profile(self) -> Profile:
        """How HBS wants to be served by this connection."""
        # OICP 2.3, Data push operations: never in parallel, hence one lane. A batch with one wrong record is refused
        # whole. Status before data makes no sense to anybody who reads it.
        data = OperationProfile(
            name=EVSE_DATA,
            max_items=self.data_batch,
            lanes_in_flight=1,
            per_minute=self.data_per_minute,
            atomic=True,
            full_load=True,
        )
        status = OperationProfile(
            name=EVSE_STATUS,
            max_items=self.status_batch,
            lanes_in_flight=1,
            per_minute=self.status_per_minute,
            atomic=True,
            after=EVSE_DATA,
            full_load=True,
        )
        return Profile(
            hub="hubject",
            protocol="OICP 2.3",
            operations={each.name: each for each in (data, status, *self._pricing_operations())},
            request_timeout=timedelta(seconds=self.timeout_seconds),
            full_sync_every=None if self.full_sync_hours is None else timedelta(hours=self.full_sync_hours),
            full_load_max=self.full_load_max,
        )

    def _pricing_operations(self) -> Iterator[OperationProfile]:
        """Gives the pushes of prices, where there are any.

        That a fullLoad takes away what is there is said of other pushes, and whether it takes the prices for other EMPs
        away, too, is written nowhere: so there is none, and a full synchronisation updates record by record.
        """
        pricing = self.pricing
        if pricing is None:
            return
        yield OperationProfile(
            name=PRODUCTS,
            max_items=pricing.product_batch,
            lanes_in_flight=1,
            per_minute=pricing.per_minute,
            atomic=True,
            told_again=True,
        )
        yield OperationProfile(
            name=PRICES,
            max_items=self.evses_of_a_push,
            lanes_in_flight=1,
            per_minute=pricing.per_minute,
            atomic=True,
            after=EVSE_DATA,
            waits_for=PRODUCTS,
            refers_to=PRODUCTS,
            told_again=True,
        )

    @property
    def evses_of_a_push(self) -> int:
        """Most EVSEs of an eRoamingPushEVSEPricing: each may have a record for all EMPs, and one for each target."""
        pricing = self.pricing
        return 0 if pricing is None else max(pricing.evse_batch // (1 + len(pricing.targets)), 1)
