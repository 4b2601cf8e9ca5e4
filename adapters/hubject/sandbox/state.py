"""What the sandbox Hubject knows: its partners, its operations, what was told, and how it words an answer."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from aiohttp import web

from adapters.core.sandbox import Sandbox
from adapters.hubject.sandbox import rules, rules_pricing
from adapters.hubject.sandbox.authdata import AuthenticationData
from adapters.hubject.sandbox.drivers import Emps
from adapters.hubject.sandbox.ledger import Ledger
from adapters.hubject.sandbox.memory import Book
from adapters.hubject.sandbox.network import Network
from adapters.hubject.sandbox.ngp.market import Market
from adapters.hubject.sandbox.ngp.rules_offers import OfferRules
from adapters.hubject.sandbox.outbound import Outbound
from adapters.hubject.sandbox.partners import Contract, Partner, Provider, Service
from adapters.hubject.sandbox.played import PlayedCpos
from adapters.hubject.sandbox.pricing import Pricing
from adapters.hubject.sandbox.pull_faults import PullFaults
from adapters.hubject.sandbox.pushed_prices import PushedPrices
from adapters.hubject.sandbox.selections import Selections
from mappings.canonical.ids import EvseId, PartyId

EVSE_DATA: Final = "evse_data"
EVSE_STATUS: Final = "evse_status"
SESSIONS: Final = "sessions"
NOTIFICATIONS: Final = "notifications"
CDRS: Final = "cdrs"
AUTHENTICATION_DATA: Final = "authentication_data"
PRICING_PRODUCTS: Final = "pricing_products"
EVSE_PRICING: Final = "evse_pricing"
_TEXTS: Final = {
    "000": "Success",
    "009": "Data transaction error",
    "017": "Unauthorized Access",
    "018": "Inconsistent EvseID",
    "019": "Inconsistent EvcoID",
    "022": "Data error",
    "101": "QR Code Authentication failed - Invalid Credentials",
    "102": "RFID Authentication failed - invalid UID",
    "105": "PLC Authentication failed - invalid EvcoID",
    "106": "No positive authentication response",
    "200": "EvcoID locked",
    "210": "No valid contract",
    "300": "Partner not found",
    "310": "Partner did not respond",
    "320": "Service not available",
    "400": "Session is invalid",
    "602": "EVSE already in use/ wrong token",
    "603": "Unknown EVSE ID",
    "604": "EVSE ID is not Hubject compatible",
}
_RECORDED_STATUS: Final = {"017": 401, "300": 404}
"""HTTP statuses under which the real hub was seen to give these codes, with a body of the status code alone."""


class Operation(NamedTuple):
    """One kind of push.

    Attributes:
        per_minute: Hubject's Acceptable Use Policy, Rate limits.
        part, records: Where the records stand in the body; no part where that is its top.
        shape: Says what is wrong with a body's shape.
    """

    name: str
    per_minute: int
    part: str
    records: str
    shape: Callable[[Any], list[rules.Wrong]]


OPERATIONS: Final = {
    "data-records": Operation(EVSE_DATA, 375, "OperatorEvseData", "EvseDataRecord", rules.shape_of_data),
    "status-records": Operation(EVSE_STATUS, 2000, "OperatorEvseStatus", "EvseStatusRecord", rules.shape_of_status),
    "pricing-products": Operation(
        PRICING_PRODUCTS, 6, "PricingProductData", "PricingProductDataRecords", rules_pricing.shape_of_products
    ),
    "evse-pricing": Operation(EVSE_PRICING, 6, "", "EVSEPricing", rules_pricing.shape_of_prices),
}


def status_code(code: str, text: str | None = None) -> dict[str, str | None]:
    """Makes a StatusCode."""
    return {"Code": code, "Description": _TEXTS.get(code), "AdditionalInfo": text[:1000] if text else None}


def without_nulls(code: str, text: str | None = None) -> dict[str, str]:
    """Makes a StatusCode for messages to EMPs, whose OpenAPI has no nulls."""
    return {field: value for field, value in status_code(code, text).items() if value is not None}


class HubjectSandbox(Sandbox):
    """The sandbox's state.

    Args:
        partners: Who is registered.
        limits: Whether the published limits are kept.
        recorded_forms: Answer a malformed body, a foreign OperatorID and an unknown one as the real hub was recorded to
            (HTTP 400 with `validationErrors`, 401, 404) and not as its documents say.
        checks_certificates: Whether a client certificate is asked for its OperatorIDs; never without TLS.
        patience: Seconds for which Hubject waits for an EMP.
        command_patience: Seconds for which it waits for a CPO's answer to a command.
        forward_patience: Seconds for which it waits until an EMP has taken a CDR or a notification.
        gateway: Where commands go: the gateway's URL for the connection, `https://cpo.example/oicp/hubject`.
        providers: The EMPs that are registered.
        offer_rules: What of its rules for offers may be set.
        clock: Seconds, for the limits.
        wall: The time of day, which a CDR's end may not be ahead of.
    """

    def __init__(
        self,
        partners: Iterable[Partner],
        *,
        limits: bool = True,
        recorded_forms: bool = False,
        checks_certificates: bool = True,
        patience: float = 10.0,
        command_patience: float = 10.0,
        forward_patience: float = 30.0,
        gateway: str | None = None,
        providers: Iterable[Provider] = (),
        offer_rules: OfferRules | None = None,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        kinds = (EVSE_DATA, EVSE_STATUS, PRICING_PRODUCTS, EVSE_PRICING, SESSIONS, NOTIFICATIONS, CDRS)
        super().__init__((*kinds, AUTHENTICATION_DATA), seed=seed, wall=wall)
        self.partners = {partner.operator.normal: partner for partner in partners}
        self.providers = {each.provider.normal: each for each in providers}
        self.contracts: list[Contract] = []
        self.market = Market()
        self.offer_rules = offer_rules or OfferRules()
        self.limits = limits
        self.recorded_forms = recorded_forms
        self.checks_certificates = checks_certificates
        self.books = {kind: Book(self.memory[kind]) for kind in (EVSE_DATA, EVSE_STATUS)}
        self.patience = patience
        self.command_patience = command_patience
        self.forward_patience = forward_patience
        self.emps = Emps(patience)
        self.gateway = gateway
        self.network = Network(self.wall)
        self.selections = Selections(self.network)
        self.pull_faults = PullFaults()
        pushed = (self.memory[PRICING_PRODUCTS], self.memory[EVSE_PRICING], self.books[EVSE_DATA].has)
        self.pushed_prices = PushedPrices(*pushed)
        self.pricing = Pricing(self.pushed_prices)
        self.authentication_data = AuthenticationData(self.memory[AUTHENTICATION_DATA])
        self.ledger = Ledger()
        self.played = PlayedCpos(command_patience)
        self.outbound = Outbound(self)
        self.under_way: dict[tuple[str, str], web.Request] = {}
        self._clock = clock
        self._made: dict[tuple[str, str], deque[float]] = {}

    def forget(self) -> None:
        """Forgets memory, receipts and counts."""
        super().forget()
        for book in self.books.values():
            book.forget()
        self.network.forget()
        self.pushed_prices.forget()
        self.authentication_data.forget()
        self.ledger.forget()
        self.market.forget()

    def known_emps(self) -> frozenset[str]:
        """Gives the EMPs that may subscribe, in normal form: those that are registered, and those with drivers."""
        return frozenset({*self.providers, *(driver.provider.normal for driver in self.emps.drivers)})

    def agreed(self, provider: PartyId, service: Service, operator: PartyId | None = None) -> bool:
        """Tells whether an EMP has a contract.

        With a CPO that has offers, its subscription says so; else what was said of it last counts.
        """
        if operator is not None:
            subscribed = self.market.agreed(provider.normal, service, operator.normal, self.wall())
            if subscribed is not None:
                return subscribed
        for said in reversed(self.contracts):
            if said.provider == provider and said.operator in {None, operator} and said.service in {None, service}:
                return said.agreed
        return True

    def within_limit(self, name: str, per_minute: int, operator: str) -> bool:
        """Counts a request; False if it is one too many within a minute."""
        now = self._clock()
        made = self._made.setdefault((name, operator), deque())
        while made and made[0] <= now - 60:
            made.popleft()
        if self.limits and len(made) >= per_minute:
            return False
        made.append(now)
        return True

    def knows(self, operator: str, evse_id: EvseId) -> bool:
        """Tells whether an EVSE is known; of an operator that pushed none, every one is."""
        data = self.books[EVSE_DATA]
        return not data.any_of(operator) or data.has(operator, evse_id.normal)

    def answer(self, operation: Operation, code: str, text: str | None = None) -> web.Response:
        """Makes an acknowledgement, and counts it."""
        self.counted(operation.name, "ok" if code == "000" else code)
        status = status_code(code, text)
        if self.recorded_forms and code in _RECORDED_STATUS:
            return web.json_response({"StatusCode": status}, status=_RECORDED_STATUS[code])
        return web.json_response(
            {
                "Result": code == "000",
                "StatusCode": status,
                "SessionID": None,
                "CPOPartnerSessionID": None,
                "EMPPartnerSessionID": None,
            }
        )

    def malformed(self, operation: Operation, wrong: Sequence[rules.Wrong]) -> web.Response:
        """Makes the refusal of a body for its shape."""
        if not self.recorded_forms:
            text = "; ".join(f"{item.field}: {item.text}" for item in wrong[:10])
            return self.answer(operation, "022", text)
        return self.validation_errors(operation.name, wrong)

    def validation_errors(self, name: str, wrong: Sequence[rules.Wrong]) -> web.Response:
        """Makes the refusal of a body as the real hub was recorded to, and counts it."""
        self.counted(name, "022")
        listed = [{"fieldReference": item.field, "errorMessage": item.text} for item in wrong]
        body = {"extendedInfo": None, "message": "Error parsing/validating JSON.", "validationErrors": listed}
        return web.json_response(body, status=400)
