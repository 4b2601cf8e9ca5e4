"""Authentication modes, payment options and value added services: said, or following from OCPI's capabilities."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from mappings.canonical.locations import (
    AuthenticationMode,
    Capability,
    ConnectorCapability,
    Evse,
    PaymentOption,
    ValueAddedService,
)
from mappings.oicp.v2_3.defaults import OperatorDefaults, defaulted
from mappings.oicp.v2_3.enums import AUTHENTICATION_MODES, PAYMENT_OPTIONS, VALUE_ADDED_SERVICES
from mappings.oicp.v2_3.wire import Record
from mappings.report import IssueKind, Report

_T = TypeVar("_T", bound=StrEnum)


class Follows(NamedTuple):
    """What an OCPI capability says in OICP's words; None where it says nothing there."""

    authentication: AuthenticationMode | None = None
    payment: PaymentOption | None = None
    service: ValueAddedService | None = None


# OICP's text has Direct Payment for paying remotely; its other modes all need a contract or nothing at all.
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

_PNC = frozenset({ConnectorCapability.ISO_15118_2_PLUG_AND_CHARGE, ConnectorCapability.ISO_15118_20_PLUG_AND_CHARGE})

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


def write(evse: Evse, defaults: OperatorDefaults, record: Record, report: Report) -> None:
    """Adds an EVSE's lists to its record: as said, which is complete; else as implied, and the operator's defaults.

    A capability denies nothing: that a terminal takes bank cards says neither that a driver cannot start by app nor
    that there are no contracts. So the defaults are added to what the capabilities imply, and noted where they add.

    Raises:
        Refused: A list is empty; paths are the EVSE's.
    """
    follows = [FOLLOWS[capability] for capability in evse.capabilities]
    modes = evse.authentication_modes
    if not modes:
        implied = [f.authentication for f in follows if f.authentication]
        if any(_PNC.intersection(connector.capabilities) for connector in evse.connectors):
            implied.append(AuthenticationMode.PNC)
        modes = _with_defaults(implied, defaults.authentication_modes, "authentication_modes", report)
    options = evse.payment_options
    if not options:
        options = _payment_options([f.payment for f in follows if f.payment], evse, defaults, report)
    if len(options) > 1 and PaymentOption.NO_PAYMENT in options:
        report.add(IssueKind.LEFT_OUT, "payment_options", "`No Payment` stands only alone in OICP")
        options = tuple(option for option in options if option is not PaymentOption.NO_PAYMENT)
    services = evse.value_added_services
    if not services:
        offered = [f.service for f in follows if f.service]
        # `None` says that there is no service, which is not true once one is implied.
        rest = [each for each in defaults.value_added_services if not offered or each is not ValueAddedService.NONE]
        services = _with_defaults(offered, rest, "value_added_services", report)
    record["AuthenticationModes"] = [AUTHENTICATION_MODES.from_canonical(mode).value for mode in modes]
    record["PaymentOptions"] = [PAYMENT_OPTIONS.from_canonical(option).value for option in options]
    record["ValueAddedServices"] = [VALUE_ADDED_SERVICES.from_canonical(service).value for service in services]


def _payment_options(
    implied: list[PaymentOption], evse: Evse, defaults: OperatorDefaults, report: Report
) -> tuple[PaymentOption, ...]:
    compatible = defaults.hubject_compatible if evse.hubject_compatible is None else evse.hubject_compatible
    free = not implied and PaymentOption.NO_PAYMENT in defaults.payment_options
    if compatible and not free:
        # Whoever may charge through Hubject does so under a contract.
        implied = [*implied, PaymentOption.CONTRACT]
    return _with_defaults(implied, defaults.payment_options, "payment_options", report)


def _with_defaults(implied: list[_T], defaults: Iterable[_T], field: str, report: Report) -> tuple[_T, ...]:
    added = tuple(each for each in defaults if each not in implied)
    if not implied:
        return tuple(dict.fromkeys(defaulted(added, field, report)))
    if added:
        told = ", ".join(each.value for each in added)
        report.add(IssueKind.DEFAULTED, field, "implied only in part; the operator's defaults were added", told)
    return tuple(dict.fromkeys([*implied, *added]))
