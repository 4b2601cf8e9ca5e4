"""Tables between the canonical enums of a charge and the words of OICP 2.3; total when this module is imported."""

from mappings.canonical.cdrs import SignedNature
from mappings.canonical.commands import CommandResult
from mappings.canonical.sessions import SessionErrorKind
from mappings.canonical.tokens import PinHash, RfidKind, TokenType
from mappings.oicp.v2_3 import vocabulary as wire
from mappings.tables import EnumTable, Lossy, NotSaid

TOKEN_TYPES = EnumTable(
    TokenType,
    wire.IdentificationKind,
    {
        # RFIDIdentification is for authentication data that EMPs upload, and only read.
        TokenType.RFID: wire.IdentificationKind.MIFARE_FAMILY,
        TokenType.APP_USER: wire.IdentificationKind.REMOTE,
        TokenType.AD_HOC_USER: NotSaid("OICP has no word for a driver without a contract"),
        TokenType.OTHER: NotSaid("OICP names each way to identify"),
        TokenType.QR_CODE: wire.IdentificationKind.QR_CODE,
        TokenType.PLUG_AND_CHARGE: wire.IdentificationKind.PLUG_AND_CHARGE,
    },
    {wire.IdentificationKind.RFID: TokenType.RFID},
)

RFID_KINDS = EnumTable(
    RfidKind,
    wire.RfidType,
    {
        RfidKind.MIFARE_CLASSIC: wire.RfidType.MIFARE_CLASSIC,
        RfidKind.MIFARE_DESFIRE: wire.RfidType.MIFARE_DESFIRE,
        RfidKind.MIFARE_FAMILY: wire.RfidType.MIFARE_FAMILY,
        RfidKind.CALYPSO: wire.RfidType.CALYPSO,
        RfidKind.NFC: wire.RfidType.NFC,
    },
)

PIN_HASHES = EnumTable(PinHash, wire.HashFunction, {PinHash.BCRYPT: wire.HashFunction.BCRYPT})

SIGNED_NATURES = EnumTable(
    SignedNature,
    wire.MeteringStatus,
    {
        SignedNature.START: wire.MeteringStatus.START,
        SignedNature.INTERMEDIATE: wire.MeteringStatus.PROGRESS,
        SignedNature.END: wire.MeteringStatus.END,
    },
)

ERRORS = EnumTable(
    SessionErrorKind,
    wire.ErrorType,
    {
        SessionErrorKind.CONNECTOR: wire.ErrorType.CONNECTOR,
        SessionErrorKind.CRITICAL: wire.ErrorType.CRITICAL,
    },
)

COMMAND_RESULTS = EnumTable(
    CommandResult,
    wire.CommandCode,
    {
        CommandResult.ACCEPTED: wire.CommandCode.SUCCESS,
        CommandResult.CANCELED_RESERVATION: Lossy(
            wire.CommandCode.SESSION_INVALID,
            "OICP cannot tell a cancelled reservation from an unknown one",
        ),
        CommandResult.EVSE_OCCUPIED: wire.CommandCode.IN_USE,
        CommandResult.EVSE_INOPERATIVE: wire.CommandCode.OUT_OF_SERVICE,
        CommandResult.FAILED: Lossy(
            wire.CommandCode.NO_COMMUNICATION, "OICP cannot tell a charger that failed from one out of reach"
        ),
        CommandResult.NOT_SUPPORTED: wire.CommandCode.SERVICE_NOT_AVAILABLE,
        CommandResult.REJECTED: Lossy(
            wire.CommandCode.SERVICE_NOT_AVAILABLE, "OICP cannot tell a refusal from a service that is not offered"
        ),
        CommandResult.TIMEOUT: wire.CommandCode.NO_COMMUNICATION,
        CommandResult.UNKNOWN_RESERVATION: Lossy(
            wire.CommandCode.SESSION_INVALID, "a reservation is a session to OICP"
        ),
        CommandResult.UNKNOWN_SESSION: wire.CommandCode.SESSION_INVALID,
        CommandResult.UNKNOWN_EVSE: wire.CommandCode.UNKNOWN_EVSE,
        CommandResult.EVSE_RESERVED: wire.CommandCode.RESERVED,
        CommandResult.NO_VEHICLE: wire.CommandCode.NO_VEHICLE,
        CommandResult.NO_CONTRACT: wire.CommandCode.NO_CONTRACT,
    },
)
