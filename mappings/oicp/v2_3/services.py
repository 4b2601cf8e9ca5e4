"""Authentication modes, payment options and value added services: said, or following from OCPI's capabilities."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from mappings.canonical.locations import (
    AuthenticationMode,
    Capability,
    Connector,
    ConnectorCapability,
    Evse,
    PaymentOption,
    ValueAddedService,
)
from mappings.oicp.v2_3.defaults import OperatorDefaults
from mappings.oicp.v2_3.enums import AUTHENTICATION_MODES, PAYMENT_OPTIONS, VALUE_ADDED_SERVICES


class Follows(NamedTuple):
    """What an OCPI capability says in OICP's words; None where it says nothing there."""

    authentication: AuthenticationMode | None = None
    payment: PaymentOption | None = None
    service: ValueAddedService | None = None


_CARD = Follows(authentication=AuthenticationMode.DIRECT_PAYMENT, payment=PaymentOption.DIRECT)

FOLLOWS: Mapping[Capability, Follows] = MappingProxyType(
    {
        Capability.CHARGING_PROFILE_CAPABLE: Follows(),
        Capability.CHARGING_PREFERENCES_CAPABLE: Follows(),
        # OCPI's chip and contactless cards are payment cards at a terminal, not RFID tokens.
        Capability.CHIP_CARD_SUPPORT: _CARD,
        Capability.CONTACTLESS_CARD_SUPPORT: _CARD,
        Capability.CREDIT_CARD_PAYABLE: _CARD,
        Capability.DEBIT_CARD_PAYABLE: _CARD,
        Capability.PED_TERMINAL: _CARD,
        Capability.REMOTE_START_STOP_CAPABLE: Follows(authentication=AuthenticationMode.REMOTE),
        Capability.RESERVABLE: Follows(service=ValueAddedService.RESERVATION),
        # MIFARE Classic is what every reader takes; DESFire is sent only where the operator says so.
        Capability.RFID_READER: Follows(authentication=AuthenticationMode.NFC_RFID_CLASSIC),
        Capability.START_SESSION_CONNECTOR_REQUIRED: Follows(),
        Capability.TOKEN_GROUP_CAPABLE: Follows(),
        Capability.UNLOCK_CAPABLE: Follows(),
    }
)

CAPABILITIES: Mapping[AuthenticationMode, Capability | None] = MappingProxyType(
    {
        AuthenticationMode.NFC_RFID_CLASSIC: Capability.RFID_READER,
        AuthenticationMode.NFC_RFID_DESFIRE: Capability.RFID_READER,
        # Which edition of ISO 15118 is not said, and a connector's capability names one.
        AuthenticationMode.PNC: None,
        AuthenticationMode.REMOTE: Capability.REMOTE_START_STOP_CAPABLE,
        # A card, or an app: which, is not said.
        AuthenticationMode.DIRECT_PAYMENT: None,
        AuthenticationMode.NO_AUTHENTICATION: None,
    }
)
"""The capability that an authentication mode read from OICP implies."""


class Services(NamedTuple):
    """The three lists as OICP's words, and what was noted; an empty list could not be filled.

    Attributes:
        defaulted: Canonical fields that came from the operator's defaults.
        alone: Whether `No Payment` was left out, since OICP lets it stand only alone.
    """

    authentication: list[str]
    payment: list[str]
    services: list[str]
    defaulted: tuple[str, ...]
    alone: bool


def write(evse: Evse, defaults: OperatorDefaults) -> Services:
    """Gives an EVSE's lists: as said, else as they follow from its capabilities, else the operator's defaults."""
    return _write(
        evse.capabilities,
        evse.authentication_modes,
        evse.payment_options,
        evse.value_added_services,
        plug_and_charge(evse.connectors),
        defaults.hubject_compatible if evse.hubject_compatible is None else evse.hubject_compatible,
        defaults.authentication_modes,
        defaults.payment_options,
        defaults.value_added_services,
    )


def plug_and_charge(connectors: Iterable[Connector]) -> bool:
    """Tells whether any connector takes ISO 15118 contracts."""
    return any(connector.capabilities and _PNC.intersection(connector.capabilities) for connector in connectors)


_PNC = frozenset({ConnectorCapability.ISO_15118_2_PLUG_AND_CHARGE, ConnectorCapability.ISO_15118_20_PLUG_AND_CHARGE})


@lru_cache(maxsize=8192)
def _write(
    capabilities: tuple[Capability, ...],
    authentication: tuple[AuthenticationMode, ...],
    payment: tuple[PaymentOption, ...],
    services: tuple[ValueAddedService, ...],
    plug_and_charge: bool,
    compatible: bool | None,
    default_authentication: tuple[AuthenticationMode, ...],
    default_payment: tuple[PaymentOption, ...],
    default_services: tuple[ValueAddedService, ...],
) -> Services:
    defaulted: list[str] = []
    follows = [FOLLOWS[capability] for capability in capabilities]
    if not authentication:
        found = [f.authentication for f in follows if f.authentication]
        authentication = tuple(dict.fromkeys([*found, AuthenticationMode.PNC] if plug_and_charge else found))
        if not authentication:
            authentication = default_authentication
            defaulted.append("authentication_modes")
    if not payment:
        options = [f.payment for f in follows if f.payment]
        # Whoever may charge through Hubject does so under a contract.
        payment = tuple(dict.fromkeys([*options, PaymentOption.CONTRACT] if compatible else options))
        if not payment:
            payment = default_payment
            defaulted.append("payment_options")
    if not services:
        services = tuple(dict.fromkeys(f.service for f in follows if f.service))
        if not services:
            services = default_services
            defaulted.append("value_added_services")
    alone = len(payment) > 1 and PaymentOption.NO_PAYMENT in payment
    if alone:
        payment = tuple(option for option in payment if option is not PaymentOption.NO_PAYMENT)
    return Services(
        [AUTHENTICATION_MODES.from_canonical(mode).value for mode in authentication],
        [PAYMENT_OPTIONS.from_canonical(option).value for option in payment],
        [VALUE_ADDED_SERVICES.from_canonical(service).value for service in services],
        tuple(defaulted),
        alone,
    )
