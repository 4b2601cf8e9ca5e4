"""The vocabularies of OCPI 2.2.1's tokens, sessions, CDRs and commands, and their canonical counterparts."""

from enum import StrEnum
from typing import Any

from mappings.canonical.cdrs import SignedNature
from mappings.canonical.commands import CommandResult
from mappings.canonical.sessions import AuthMethod, DimensionType, PreferencesResult, SessionStatus
from mappings.canonical.tokens import AllowedType, ProfileType, TokenType, Whitelist
from mappings.ocpi.v2_2_1.enums import same
from mappings.tables import EnumTable, Lossy


class WireAllowedType(StrEnum):
    """mod_tokens, AllowedType."""

    ALLOWED = "ALLOWED"
    BLOCKED = "BLOCKED"
    EXPIRED = "EXPIRED"
    NO_CREDIT = "NO_CREDIT"
    NOT_ALLOWED = "NOT_ALLOWED"


class WireTokenType(StrEnum):
    """mod_tokens, TokenType."""

    AD_HOC_USER = "AD_HOC_USER"
    APP_USER = "APP_USER"
    OTHER = "OTHER"
    RFID = "RFID"


class WireWhitelistType(StrEnum):
    """mod_tokens, WhitelistType."""

    ALWAYS = "ALWAYS"
    ALLOWED = "ALLOWED"
    ALLOWED_OFFLINE = "ALLOWED_OFFLINE"
    NEVER = "NEVER"


class WireProfileType(StrEnum):
    """mod_sessions, ProfileType."""

    CHEAP = "CHEAP"
    FAST = "FAST"
    GREEN = "GREEN"
    REGULAR = "REGULAR"


class WireSessionStatus(StrEnum):
    """mod_sessions, SessionStatus."""

    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    INVALID = "INVALID"
    PENDING = "PENDING"
    RESERVATION = "RESERVATION"


class WireChargingPreferencesResponse(StrEnum):
    """mod_sessions, ChargingPreferencesResponse."""

    ACCEPTED = "ACCEPTED"
    DEPARTURE_REQUIRED = "DEPARTURE_REQUIRED"
    ENERGY_NEED_REQUIRED = "ENERGY_NEED_REQUIRED"
    NOT_POSSIBLE = "NOT_POSSIBLE"
    PROFILE_TYPE_NOT_SUPPORTED = "PROFILE_TYPE_NOT_SUPPORTED"


class WireAuthMethod(StrEnum):
    """mod_cdrs, AuthMethod."""

    AUTH_REQUEST = "AUTH_REQUEST"
    COMMAND = "COMMAND"
    WHITELIST = "WHITELIST"


class WireCdrDimensionType(StrEnum):
    """mod_cdrs, CdrDimensionType."""

    CURRENT = "CURRENT"
    ENERGY = "ENERGY"
    ENERGY_EXPORT = "ENERGY_EXPORT"
    ENERGY_IMPORT = "ENERGY_IMPORT"
    MAX_CURRENT = "MAX_CURRENT"
    MIN_CURRENT = "MIN_CURRENT"
    MAX_POWER = "MAX_POWER"
    MIN_POWER = "MIN_POWER"
    PARKING_TIME = "PARKING_TIME"
    POWER = "POWER"
    RESERVATION_TIME = "RESERVATION_TIME"
    STATE_OF_CHARGE = "STATE_OF_CHARGE"
    TIME = "TIME"


class WireSignedNature(StrEnum):
    """mod_cdrs, SignedValue: the natures named there."""

    START = "Start"
    END = "End"
    INTERMEDIATE = "Intermediate"


class WireCommandResponseType(StrEnum):
    """mod_commands, CommandResponseType."""

    NOT_SUPPORTED = "NOT_SUPPORTED"
    REJECTED = "REJECTED"
    ACCEPTED = "ACCEPTED"
    UNKNOWN_SESSION = "UNKNOWN_SESSION"


class WireCommandResultType(StrEnum):
    """mod_commands, CommandResultType."""

    ACCEPTED = "ACCEPTED"
    CANCELED_RESERVATION = "CANCELED_RESERVATION"
    EVSE_OCCUPIED = "EVSE_OCCUPIED"
    EVSE_INOPERATIVE = "EVSE_INOPERATIVE"
    FAILED = "FAILED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    REJECTED = "REJECTED"
    TIMEOUT = "TIMEOUT"
    UNKNOWN_RESERVATION = "UNKNOWN_RESERVATION"


ALLOWED_TYPES = same(AllowedType, WireAllowedType)
TOKEN_TYPES = same(
    TokenType,
    WireTokenType,
    {
        # Gireve's Plug & Charge guide names OTHER for a contract certificate.
        TokenType.PLUG_AND_CHARGE: Lossy(WireTokenType.OTHER, "that it is the car's contract certificate"),
        TokenType.QR_CODE: Lossy(WireTokenType.OTHER, "that it is a QR code"),
    },
)
WHITELISTS = same(Whitelist, WireWhitelistType)
PROFILES = same(ProfileType, WireProfileType)
SESSION_STATUSES = same(SessionStatus, WireSessionStatus)
PREFERENCES_RESULTS = same(PreferencesResult, WireChargingPreferencesResponse)
AUTH_METHODS = same(AuthMethod, WireAuthMethod)
DIMENSION_TYPES = same(DimensionType, WireCdrDimensionType)
SIGNED_NATURES = EnumTable(
    SignedNature,
    WireSignedNature,
    {
        SignedNature.START: WireSignedNature.START,
        SignedNature.INTERMEDIATE: WireSignedNature.INTERMEDIATE,
        SignedNature.END: WireSignedNature.END,
    },
)

_RESPONSE, _RESULT = WireCommandResponseType, WireCommandResultType
COMMAND_RESPONSES = EnumTable(
    CommandResult,
    WireCommandResponseType,
    {
        CommandResult.ACCEPTED: _RESPONSE.ACCEPTED,
        CommandResult.NOT_SUPPORTED: _RESPONSE.NOT_SUPPORTED,
        CommandResult.REJECTED: _RESPONSE.REJECTED,
        CommandResult.UNKNOWN_SESSION: _RESPONSE.UNKNOWN_SESSION,
        CommandResult.CANCELED_RESERVATION: Lossy(_RESPONSE.REJECTED, "that the CPO gave the reservation up"),
        CommandResult.EVSE_OCCUPIED: Lossy(_RESPONSE.REJECTED, "that the EVSE is occupied"),
        CommandResult.EVSE_INOPERATIVE: Lossy(_RESPONSE.REJECTED, "that the EVSE is out of order"),
        CommandResult.FAILED: Lossy(_RESPONSE.REJECTED, "that it failed at the charge point"),
        CommandResult.TIMEOUT: Lossy(_RESPONSE.REJECTED, "that nobody answered in time"),
        CommandResult.UNKNOWN_RESERVATION: Lossy(_RESPONSE.REJECTED, "that the reservation is not known"),
        CommandResult.UNKNOWN_EVSE: Lossy(_RESPONSE.REJECTED, "that the EVSE is not known"),
        CommandResult.EVSE_RESERVED: Lossy(_RESPONSE.REJECTED, "that the EVSE is reserved"),
        CommandResult.NO_VEHICLE: Lossy(_RESPONSE.REJECTED, "that no plug was put in"),
        CommandResult.NO_CONTRACT: Lossy(_RESPONSE.REJECTED, "that no agreement allows it"),
    },
)
"""What is said to a command at once."""
COMMAND_RESULTS = EnumTable(
    CommandResult,
    WireCommandResultType,
    {
        **{CommandResult(member.value): member for member in WireCommandResultType},
        CommandResult.UNKNOWN_SESSION: Lossy(_RESULT.REJECTED, "that the session is not known"),
        CommandResult.UNKNOWN_EVSE: Lossy(_RESULT.REJECTED, "that the EVSE is not known"),
        # As little as an occupied one can it be had now.
        CommandResult.EVSE_RESERVED: Lossy(_RESULT.EVSE_OCCUPIED, "that it is reserved and not in use"),
        CommandResult.NO_VEHICLE: Lossy(_RESULT.FAILED, "that no plug was put in"),
        CommandResult.NO_CONTRACT: Lossy(_RESULT.REJECTED, "that no agreement allows it"),
    },
)
"""What came of a command."""

ENUMS: list[tuple[str, EnumTable[Any, Any]]] = [
    ("AllowedType", ALLOWED_TYPES),
    ("TokenType", TOKEN_TYPES),
    ("WhitelistType", WHITELISTS),
    ("ProfileType", PROFILES),
    ("SessionStatus", SESSION_STATUSES),
    ("ChargingPreferencesResponse", PREFERENCES_RESULTS),
    ("AuthMethod", AUTH_METHODS),
    ("CdrDimensionType", DIMENSION_TYPES),
    ("SignedValue.nature", SIGNED_NATURES),
    ("CommandResponseType", COMMAND_RESPONSES),
    ("CommandResultType", COMMAND_RESULTS),
]
