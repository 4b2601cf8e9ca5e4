"""What becomes of every canonical field and word of a charge in OICP 2.3; `tables` holds it with the rest."""

from typing import Any

from mappings.canonical.cdrs import Cdr, CdrLocation, SignedData, SignedValue
from mappings.canonical.commands import CancelReservation, CommandAnswer, EvseRef, ReserveNow, StartSession, StopSession
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import ChargingPeriod, Dimension, Metering, Session, SessionError
from mappings.canonical.tokens import Identification, Pin
from mappings.oicp.v2_3 import enums_charging as enums
from mappings.tables import EnumTable, FieldRule, FieldTable

_NO_PLACE = "OICP has no place for it"
_NO_MONEY = "OICP tells no money"
_PLACES = "rounded to three places"
_STAMP = "whole seconds"

IDENTIFICATION = FieldTable(
    "OICP 2.3 Identification",
    (Identification, Pin),
    (
        FieldRule(
            "Identification.type",
            "RFIDMifareFamilyIdentification, RFIDIdentification, QRCodeIdentification, PlugAndChargeIdentification, "
            "RemoteIdentification",
            "a card is never written as RFIDIdentification, which is for authentication data",
            "AD_HOC_USER and OTHER are refused",
        ),
        FieldRule(
            "Identification.uid",
            "UID",
            "mandatory with a card: 8, 14 or 20 hexadecimal digits, capitals",
            "case and separators; of anything but a card",
        ),
        FieldRule(
            "Identification.contract_id",
            "EvcoID",
            "mandatory with all but a card: ISO or DIN, capitals, with its check digit",
            "of a card",
        ),
        FieldRule(
            "Identification.party", "", "read: the ProviderID of the message, else the contract's", "see contract_id"
        ),
        FieldRule("Identification.rfid_kind", "RFID", "only read", "whoever issued the card knows it"),
        FieldRule("Identification.printed_number", "PrintedNumber", "only read", "whoever issued the card knows it"),
        FieldRule(
            "Identification.expires", "ExpiryDate", "only read: the day as written", "whoever issued the card knows it"
        ),
        FieldRule(
            "Pin.value",
            "PIN, HashedPIN.Value",
            "mandatory with a QR code in an authorisation, at most 20 signs; a hash is only read",
        ),
        FieldRule("Pin.hashed", "HashedPIN.Function", "refused in an authorisation, which wants the PIN itself"),
    ),
)

LEG = FieldTable(
    "OICP 2.3 process",
    (Leg,),
    (
        FieldRule("Leg.hub_session", "SessionID", "mandatory in all but an AuthorizeStart"),
        FieldRule("Leg.own_session", "CPOPartnerSessionID", "where missing the session's id"),
        FieldRule("Leg.emsp_session", "EMPPartnerSessionID"),
        FieldRule("Leg.reference", "", "the SessionID is all that Hubject wants to see again", _NO_PLACE),
        FieldRule(
            "Leg.emsp",
            "",
            "read: the ProviderID of an authorisation or command, of a CDR the contract's party",
            "Hubject knows who authorised",
        ),
        FieldRule("Leg.identification", "Identification", "", "see Identification"),
        FieldRule("Leg.product", "PartnerProductID", "refused above 50 characters, since the price hangs on it"),
    ),
)

COMMANDS = FieldTable(
    "OICP 2.3 commands of an EMP, and the eRoamingAcknowledgment",
    (StartSession, StopSession, ReserveNow, CancelReservation, EvseRef, CommandAnswer),
    (
        FieldRule("StartSession.kind", "eRoamingAuthorizeRemoteStart"),
        FieldRule("StartSession.at", "EvseID"),
        FieldRule("StartSession.emsp", "ProviderID"),
        FieldRule(
            "StartSession.leg",
            "SessionID, EMPPartnerSessionID, Identification, PartnerProductID",
            "written without SessionID, which Hubject makes; the driver is a RemoteIdentification, whatever they hold",
            "the SessionID and CPOPartnerSessionID; a driver's number",
        ),
        FieldRule("StartSession.token", "", "OICP tells no token in full", _NO_PLACE),
        FieldRule("StopSession.kind", "eRoamingAuthorizeRemoteStop"),
        FieldRule("StopSession.session", "SessionID", "written: of the leg, where there is one"),
        FieldRule("StopSession.emsp", "ProviderID"),
        FieldRule("StopSession.at", "EvseID"),
        FieldRule("ReserveNow.kind", "eRoamingAuthorizeRemoteReservationStart"),
        FieldRule("ReserveNow.at", "EvseID"),
        FieldRule("ReserveNow.emsp", "ProviderID"),
        FieldRule(
            "ReserveNow.leg",
            "SessionID, EMPPartnerSessionID, Identification, PartnerProductID",
            "written as of StartSession",
            "as of StartSession",
        ),
        FieldRule("ReserveNow.token", "", "OICP tells no token in full", _NO_PLACE),
        FieldRule(
            "ReserveNow.reservation",
            "SessionID",
            "a reservation is a process of its own; written as EMPPartnerSessionID where the leg has none",
            "where the leg has a name of ours",
        ),
        FieldRule(
            "ReserveNow.expires",
            "Duration",
            "minutes from its arrival; a standard duration where missing; written rounded up",
            "whole minutes, at most 99",
        ),
        FieldRule("CancelReservation.kind", "eRoamingAuthorizeRemoteReservationStop"),
        FieldRule("CancelReservation.reservation", "SessionID", "written: of the leg, where there is one"),
        FieldRule("CancelReservation.emsp", "ProviderID"),
        FieldRule("CancelReservation.at", "EvseID"),
        FieldRule("EvseRef.evse_id", "EvseID", "written as it was told"),
        FieldRule("EvseRef.party", "", "OICP names the EVSE by its public id alone"),
        FieldRule("EvseRef.location_id", "", "OICP names the EVSE by its public id alone"),
        FieldRule("EvseRef.evse_uid", "", "OICP names the EVSE by its public id alone"),
        FieldRule("EvseRef.connector_id", "", "OICP leaves the connector to the CPO"),
        FieldRule("CommandAnswer.result", "Result, StatusCode.Code", "", "see the table of results"),
        FieldRule("CommandAnswer.text", "StatusCode.AdditionalInfo", "", "cut to 1000 characters"),
        FieldRule("CommandAnswer.session_id", "CPOPartnerSessionID"),
    ),
)

NOTIFICATIONS = FieldTable(
    "OICP 2.3 eRoamingChargingNotification, which is only written",
    (Session, SessionError),
    (
        FieldRule(
            "Session.party", "OperatorID", "the connection's; the EVSE's own is in the EvseID", "where they differ"
        ),
        FieldRule("Session.id", "CPOPartnerSessionID", "where the leg has no name of ours", "where it has"),
        FieldRule("Session.start", "SessionStart", "", _STAMP),
        FieldRule("Session.end", "SessionEnd", "of an End", _STAMP),
        FieldRule("Session.charging_start", "ChargingStart", "mandatory for a Start and a Progress", _STAMP),
        FieldRule("Session.charging_end", "ChargingEnd", "mandatory for an End; else the session's end", _STAMP),
        FieldRule(
            "Session.energy",
            "ConsumedEnergyProgress, ConsumedEnergy",
            "of an End the difference of the readings, where there are two",
            _PLACES,
        ),
        FieldRule("Session.identification", "", "the leg's is sent", "the driver as others know them"),
        FieldRule("Session.auth_method", "", "", _NO_PLACE),
        FieldRule("Session.reference", "", "", _NO_PLACE),
        FieldRule("Session.location_id", "", "", "OICP names the EVSE by its public id alone"),
        FieldRule("Session.evse_uid", "EvseID", "the EVSE's public id", "the uid"),
        FieldRule("Session.connector_id", "", "", _NO_PLACE),
        FieldRule("Session.meter_id", "", "", _NO_PLACE),
        FieldRule("Session.metering", "MeterValueStart, MeterValueEnd, MeterValueInBetween", "", _PLACES),
        FieldRule("Session.currency", "", "", _NO_MONEY),
        FieldRule("Session.periods", "", "", _NO_PLACE),
        FieldRule("Session.total_cost", "", "", _NO_MONEY),
        FieldRule("Session.status", "", "the type of the notification follows from what happened", _NO_PLACE),
        FieldRule("Session.penalty_start", "PenaltyTimeStart", "of an End", _STAMP),
        FieldRule("Session.error", "ErrorType, ErrorAdditionalInfo", "of an Error", "see SessionError"),
        FieldRule(
            "Session.last_updated",
            "EventOccurred, ChargingDuration",
            "of a Progress; the duration is the time between the stamps as written",
            _STAMP,
        ),
        FieldRule("Session.unknown", "", "", _NO_PLACE),
        FieldRule("SessionError.kind", "ErrorType"),
        FieldRule("SessionError.text", "ErrorAdditionalInfo"),
        FieldRule("SessionError.at", "", "", _NO_PLACE),
    ),
)

CDRS = FieldTable(
    "OICP 2.3 eRoamingChargeDetailRecord",
    (Cdr, CdrLocation, Metering, SignedData, SignedValue, ChargingPeriod, Dimension),
    (
        FieldRule(
            "Cdr.party", "", "read: the operator in the EvseID", "the operator of the EvseID, where that is another"
        ),
        FieldRule("Cdr.id", "", "read: the SessionID, of which Hubject takes one CDR", _NO_PLACE),
        FieldRule("Cdr.session_id", "CPOPartnerSessionID", "where the leg has no name of ours", "where it has"),
        FieldRule("Cdr.start", "SessionStart", "in the charge point's zone", _STAMP),
        FieldRule("Cdr.end", "SessionEnd", "in the charge point's zone", _STAMP),
        FieldRule("Cdr.charging_start", "ChargingStart", "mandatory; the session's where missing", _STAMP),
        FieldRule("Cdr.charging_end", "ChargingEnd", "mandatory; the session's where missing", _STAMP),
        FieldRule("Cdr.identification", "", "the leg's is sent", "the driver as others know them"),
        FieldRule("Cdr.auth_method", "", "read: COMMAND where the driver was identified remotely", _NO_PLACE),
        FieldRule("Cdr.reference", "", "", _NO_PLACE),
        FieldRule("Cdr.location", "EvseID, HubOperatorID", "", "see CdrLocation"),
        FieldRule("Cdr.meter_id", "", "", _NO_PLACE),
        FieldRule("Cdr.metering", "MeterValueStart, MeterValueEnd, MeterValueInBetween", "", "see Metering"),
        FieldRule("Cdr.currency", "", "read: the reader's setting", _NO_MONEY),
        FieldRule("Cdr.tariffs", "", "", _NO_MONEY),
        FieldRule("Cdr.periods", "", "read: one period with all the energy", _NO_PLACE),
        FieldRule("Cdr.signed_data", "SignedMeteringValues, CalibrationLawVerificationInfo", "", "see SignedData"),
        FieldRule(
            "Cdr.energy",
            "ConsumedEnergy",
            "mandatory; the difference of the rounded readings where there are two; refused where it is negative or "
            "differs from them by more than 0.001",
            _PLACES,
        ),
        FieldRule("Cdr.time", "", "read: from SessionStart to SessionEnd", _NO_PLACE),
        FieldRule("Cdr.parking_time", "", "", _NO_PLACE),
        FieldRule("Cdr.total_cost", "", "", _NO_MONEY),
        FieldRule("Cdr.priced_by_hub", "", "", _NO_MONEY),
        FieldRule("Cdr.fixed_cost", "", "", _NO_MONEY),
        FieldRule("Cdr.energy_cost", "", "", _NO_MONEY),
        FieldRule("Cdr.time_cost", "", "", _NO_MONEY),
        FieldRule("Cdr.parking_cost", "", "", _NO_MONEY),
        FieldRule("Cdr.reservation_cost", "", "", _NO_MONEY),
        FieldRule("Cdr.product", "PartnerProductID", "else the leg's; refused above 50 characters"),
        FieldRule("Cdr.remark", "", "", _NO_PLACE),
        FieldRule("Cdr.invoice_id", "", "", _NO_PLACE),
        FieldRule("Cdr.credit", "", "refused: Hubject takes one CDR of a session"),
        FieldRule("Cdr.credited_cdr", "", "", _NO_PLACE),
        FieldRule("Cdr.home_compensation", "", "", _NO_PLACE),
        FieldRule("Cdr.last_updated", "", "read: its arrival", _NO_PLACE),
        FieldRule("Cdr.unknown", "", "read: HubProviderID, and fields that OICP 2.3 does not have", _NO_PLACE),
        FieldRule("CdrLocation.id", "", "read: the EvseID without separators", _NO_PLACE),
        FieldRule("CdrLocation.evse_uid", "", "read: the EvseID without separators", _NO_PLACE),
        FieldRule("CdrLocation.connector_id", "", "read: empty", _NO_PLACE),
        FieldRule("CdrLocation.evse_id", "EvseID", "with separators, capitals; mandatory, ISO or DIN"),
        *(
            FieldRule(f"CdrLocation.{name}", "", "", _NO_PLACE)
            for name in ("name", "address", "city", "postal_code", "state", "country", "coordinates")
        ),
        *(
            FieldRule(f"CdrLocation.connector_{name}", "", "", _NO_PLACE)
            for name in ("standard", "format", "power_type")
        ),
        FieldRule(
            "CdrLocation.time_zone",
            "",
            "the offset of every stamp; UTC where missing",
            "the zone's name; read: nothing",
        ),
        FieldRule("CdrLocation.hub_operator", "HubOperatorID"),
        FieldRule("Metering.start", "MeterValueStart", "", _PLACES),
        FieldRule("Metering.end", "MeterValueEnd", "", _PLACES),
        FieldRule("Metering.between", "MeterValueInBetween.meterValues", "", _PLACES),
        FieldRule(
            "SignedData.method",
            "MeteringSignatureEncodingFormat",
            "with the version after it; read: both as one text",
            "not said above 50 characters",
        ),
        FieldRule("SignedData.method_version", "MeteringSignatureEncodingFormat", "", "comes back with the method"),
        FieldRule("SignedData.public_key", "PublicKey", "", "not said above 1000 characters"),
        FieldRule("SignedData.certificate_id", "CalibrationLawCertificateID", "", "not said above 100 characters"),
        FieldRule("SignedData.url", "MeteringSignatureUrl", "", "not said above 200 characters"),
        FieldRule(
            "SignedData.instruction", "SignedMeteringValuesVerificationInstruction", "", "not said above 400 characters"
        ),
        FieldRule(
            "SignedData.values",
            "SignedMeteringValues",
            "start, what is between, end",
            "of more than ten the last ones in between; their order",
        ),
        FieldRule("SignedValue.nature", "MeteringStatus"),
        FieldRule("SignedValue.plain", "", "", _NO_PLACE),
        FieldRule("SignedValue.signed", "SignedMeteringValue", "untouched", "not said above 3000 characters"),
        FieldRule("ChargingPeriod.start", "", "read: ChargingStart", _NO_PLACE),
        FieldRule("ChargingPeriod.dimensions", "", "read: ConsumedEnergy", _NO_PLACE),
        FieldRule("ChargingPeriod.tariff_id", "", "", _NO_PLACE),
        FieldRule("Dimension.type", "", "read: ENERGY", _NO_PLACE),
        FieldRule("Dimension.volume", "", "read: ConsumedEnergy", _NO_PLACE),
    ),
)

FIELDS: list[FieldTable] = [IDENTIFICATION, LEG, COMMANDS, NOTIFICATIONS, CDRS]

ENUMS: list[tuple[str, EnumTable[Any, Any]]] = [
    ("Identification", enums.TOKEN_TYPES),
    ("RFIDType", enums.RFID_KINDS),
    ("HashFunction", enums.PIN_HASHES),
    ("StatusCode of an answer to a command", enums.COMMAND_RESULTS),
    ("ErrorType", enums.ERRORS),
    ("MeteringStatus", enums.SIGNED_NATURES),
]
