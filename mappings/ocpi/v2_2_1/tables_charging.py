"""How the canonical fields of a charge stand in OCPI 2.2.1; as `tables.py`."""

from pydantic import BaseModel

from mappings.canonical.cdrs import Cdr, CdrLocation, SignedData, SignedValue
from mappings.canonical.commands import (
    CancelReservation,
    CommandAnswer,
    EvseRef,
    ReserveNow,
    StartSession,
    StopSession,
    UnlockConnector,
)
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import (
    ChargingPeriod,
    ChargingPreferences,
    Dimension,
    Metering,
    Session,
    SessionError,
)
from mappings.canonical.tokens import EnergyContract, Identification, Token
from mappings.tables import FieldRule as R
from mappings.tables import FieldTable

_NO_PLACE = "no place in OCPI 2.2.1"
_ID = "refused where it is not of 1 to 36 characters"
_STAMP = "UTC; without designator it is UTC, with an offset the record is refused"
_MILLIS = "what is below a millisecond"
_DIGITS = "digits beyond some fifteen"
_UNKNOWN = "fields that OCPI lacks are kept and given back; raw values of its own that cannot be read are kept"
_RAW = "raw values of OCPI's own fields are not said again"
_ASIDE = "kept beside the model where it cannot be read"
_DECISIVE = "refused where unknown"
_PARTY = "refused where it is no party, or out where it has a DIN code"
_DEMANDED = "refused on the way out where it is not known"
_INFORMATIONAL = f"an unknown word is kept beside the model; {_DEMANDED}"
_KIND = "the last segment of the URL"


def _cut(length: int) -> str:
    return f"what is beyond {length} characters"


TOKEN_MODELS: tuple[type[BaseModel], ...] = (Token, EnergyContract, Identification, Leg)
SESSION_MODELS: tuple[type[BaseModel], ...] = (
    *(Session, ChargingPeriod, Dimension, Metering, SessionError, ChargingPreferences),
)
CDR_MODELS: tuple[type[BaseModel], ...] = (Cdr, CdrLocation, SignedData, SignedValue)
COMMAND_MODELS: tuple[type[BaseModel], ...] = (
    *(StartSession, StopSession, ReserveNow, CancelReservation, UnlockConnector, EvseRef, CommandAnswer),
)

TOKENS = FieldTable(
    "Tokens (mod_tokens; mod_cdrs, CdrToken)",
    TOKEN_MODELS,
    (
        R("Token.party", "country_code, party_id", _PARTY),
        R("Token.uid", "uid", _ID),
        R("Token.type", "type", _DECISIVE, "see TokenType"),
        R("Token.contract_id", "contract_id", "in any form; refused where empty, and out where longer than 36"),
        R("Token.visual_number", "visual_number", _ASIDE, _cut(64)),
        R("Token.issuer", "issuer", "empty where it cannot be read", _cut(64)),
        R("Token.group_id", "group_id", _ASIDE),
        R("Token.valid", "valid", "refused where missing"),
        R("Token.whitelist", "whitelist", _DECISIVE),
        R("Token.language", "language", _ASIDE, _cut(2)),
        R("Token.default_profile", "default_profile_type", "an unknown word is kept beside the model"),
        R("Token.energy_contract", "energy_contract", _ASIDE),
        R("Token.last_updated", "last_updated", f"{_STAMP}; the time of arrival where missing", _MILLIS),
        R("Token.unknown", "", _UNKNOWN, _RAW),
        R("EnergyContract.supplier_name", "supplier_name", "", _cut(64)),
        R("EnergyContract.contract_id", "contract_id", "", _cut(64)),
        R("Identification.type", "cdr_token.type", _DECISIVE, "see TokenType"),
        R(
            "Identification.uid",
            "cdr_token.uid",
            f"{_DEMANDED}, but for Plug & Charge and QR codes, whose contract stands in its place",
            "that there is none",
        ),
        R("Identification.contract_id", "cdr_token.contract_id", f"in any form; {_DEMANDED}"),
        R(
            "Identification.party",
            "cdr_token.country_code, cdr_token.party_id",
            f"the leg's EMSP where it is not known; {_DEMANDED} then",
        ),
        R("Identification.rfid_kind", "", "", _NO_PLACE),
        R("Identification.printed_number", "", "", _NO_PLACE),
        R("Identification.expires", "", "", _NO_PLACE),
        R("Leg.hub_session", "", "", _NO_PLACE),
        R("Leg.own_session", "", "", _NO_PLACE),
        R("Leg.emsp_session", "", "", _NO_PLACE),
        R("Leg.reference", "authorization_reference", "as it was given, of any length"),
        R("Leg.emsp", "cdr_token.country_code, cdr_token.party_id", "in, the token's"),
        R("Leg.identification", "cdr_token, token"),
        R("Leg.product", "", "", _NO_PLACE),
    ),
)

SESSIONS = FieldTable(
    "Sessions (mod_sessions)",
    SESSION_MODELS,
    (
        R("Session.party", "country_code, party_id", _PARTY),
        R("Session.id", "id", _ID),
        R("Session.start", "start_date_time", _STAMP, _MILLIS),
        R("Session.end", "end_date_time", _STAMP, _MILLIS),
        R("Session.charging_start", "", "", _NO_PLACE),
        R("Session.charging_end", "", "", _NO_PLACE),
        R("Session.energy", "kwh", "refused where negative", _DIGITS),
        R("Session.identification", "cdr_token", "out, the leg's"),
        R("Session.auth_method", "auth_method", _DECISIVE),
        R("Session.reference", "authorization_reference", "out, the leg's"),
        R("Session.location_id", "location_id", _ID),
        R("Session.evse_uid", "evse_uid", _ID),
        R("Session.connector_id", "connector_id", _ID),
        R("Session.meter_id", "meter_id", f"{_ASIDE}; cut where longer than 255 characters"),
        R("Session.metering", "", "", _NO_PLACE),
        R("Session.currency", "currency", "refused where it is no ISO 4217 code"),
        R("Session.periods", "charging_periods", "", "a period without a dimension"),
        R("Session.total_cost", "total_cost", "none is not zero"),
        R("Session.status", "status", _DECISIVE),
        R("Session.penalty_start", "", "", _NO_PLACE),
        R("Session.error", "", "", _NO_PLACE),
        R("Session.last_updated", "last_updated", f"{_STAMP}; the time of arrival where missing", _MILLIS),
        R("Session.unknown", "", _UNKNOWN, _RAW),
        R("ChargingPeriod.start", "start_date_time", _STAMP, _MILLIS),
        R(
            "ChargingPeriod.dimensions",
            "dimensions",
            "one of an unknown type is left out",
            "in a CDR, what OCPI has in sessions only",
        ),
        R("ChargingPeriod.tariff_id", "tariff_id", _ID),
        R("Dimension.type", "type"),
        R("Dimension.volume", "volume", "", _DIGITS),
        R("Metering.start", "", "", _NO_PLACE),
        R("Metering.end", "", "", _NO_PLACE),
        R("Metering.between", "", "", _NO_PLACE),
        R("SessionError.kind", "", "", _NO_PLACE),
        R("SessionError.text", "", "", _NO_PLACE),
        R("SessionError.at", "", "", _NO_PLACE),
        R("ChargingPreferences.profile", "profile_type", _DECISIVE),
        R("ChargingPreferences.departure", "departure_time", _STAMP, _MILLIS),
        R("ChargingPreferences.energy_need", "energy_need", "refused where negative", _DIGITS),
        R("ChargingPreferences.discharge_allowed", "discharge_allowed", "none is said as none, which OCPI reads as no"),
    ),
)

CDRS = FieldTable(
    "CDRs (mod_cdrs)",
    CDR_MODELS,
    (
        R("Cdr.party", "country_code, party_id", _PARTY),
        R("Cdr.id", "id", "refused on the way out where longer than 36 characters and no credit"),
        R("Cdr.session_id", "session_id", _ID),
        R("Cdr.start", "start_date_time", _STAMP, _MILLIS),
        R("Cdr.end", "end_date_time", _STAMP, _MILLIS),
        R("Cdr.charging_start", "", "", _NO_PLACE),
        R("Cdr.charging_end", "", "", _NO_PLACE),
        R("Cdr.identification", "cdr_token", "out, the leg's"),
        R("Cdr.auth_method", "auth_method", _DECISIVE),
        R("Cdr.reference", "authorization_reference", "out, the leg's"),
        R("Cdr.location", "cdr_location"),
        R("Cdr.meter_id", "meter_id", f"{_ASIDE}; cut where longer than 255 characters"),
        R("Cdr.metering", "", "", _NO_PLACE),
        R("Cdr.currency", "currency", "refused where it is no ISO 4217 code"),
        R("Cdr.tariffs", "tariffs", "refused where one cannot be read", "one that cannot be said"),
        R(
            "Cdr.periods",
            "charging_periods",
            "the total energy is said as one period where none can be said",
            "what OCPI has in sessions only; a period without a dimension",
        ),
        R("Cdr.signed_data", "signed_data", _ASIDE, "data without a signed value"),
        R("Cdr.energy", "total_energy", "refused where negative", _DIGITS),
        R("Cdr.time", "total_time", "refused where negative", _DIGITS),
        R("Cdr.parking_time", "total_parking_time", "refused where negative", _DIGITS),
        R("Cdr.total_cost", "total_cost", "zero where there is none and the settings want it; else refused"),
        R("Cdr.priced_by_hub", "", "", _NO_PLACE),
        R("Cdr.fixed_cost", "total_fixed_cost"),
        R("Cdr.energy_cost", "total_energy_cost"),
        R("Cdr.time_cost", "total_time_cost"),
        R("Cdr.parking_cost", "total_parking_cost"),
        R("Cdr.reservation_cost", "total_reservation_cost"),
        R("Cdr.product", "", "", _NO_PLACE),
        R("Cdr.remark", "remark", _ASIDE, _cut(255)),
        R("Cdr.invoice_id", "invoice_reference_id", "refused where it is not of 1 to 39 characters"),
        R("Cdr.credit", "credit", "no is not said"),
        R("Cdr.credited_cdr", "credit_reference_id", "refused where a credit names none"),
        R("Cdr.home_compensation", "home_charging_compensation", "no is not said"),
        R("Cdr.last_updated", "last_updated", f"{_STAMP}; the time of arrival where missing", _MILLIS),
        R("Cdr.unknown", "", _UNKNOWN, _RAW),
        R("CdrLocation.id", "id", _ID),
        R("CdrLocation.evse_uid", "evse_uid", _ID),
        R("CdrLocation.connector_id", "connector_id", _ID),
        R("CdrLocation.evse_id", "evse_id", f"as given, in any form; #NA is none, of a reservation; else {_DEMANDED}"),
        R("CdrLocation.name", "name", _ASIDE, _cut(255)),
        R("CdrLocation.address", "address", _DEMANDED, _cut(45)),
        R("CdrLocation.city", "city", _DEMANDED, _cut(45)),
        R("CdrLocation.postal_code", "postal_code", _ASIDE, _cut(10)),
        R("CdrLocation.state", "state", _ASIDE, _cut(20)),
        R("CdrLocation.country", "country", f"alpha-3; alpha-2 and other cases are mended, else refused; {_DEMANDED}"),
        R("CdrLocation.coordinates", "coordinates", _DEMANDED),
        R("CdrLocation.connector_standard", "connector_standard", f"{_INFORMATIONAL} or OCPI has no word"),
        R("CdrLocation.connector_format", "connector_format", _INFORMATIONAL),
        R("CdrLocation.connector_power_type", "connector_power_type", _INFORMATIONAL),
        R("CdrLocation.time_zone", "", "", _NO_PLACE),
        R("CdrLocation.hub_operator", "", "", _NO_PLACE),
        R("SignedData.method", "encoding_method", "#NA is none", "one of more than 36 characters"),
        R("SignedData.method_version", "encoding_method_version"),
        R("SignedData.public_key", "public_key", "", "one of more than 512 characters"),
        R("SignedData.certificate_id", "", "", _NO_PLACE),
        R("SignedData.url", "url", "", "one of more than 512 characters"),
        R("SignedData.instruction", "", "", _NO_PLACE),
        R("SignedData.values", "signed_values", "one of an unknown nature is left out"),
        R("SignedValue.nature", "nature"),
        R("SignedValue.plain", "plain_data", "#NA is none", "one of more than 5000 characters"),
        R("SignedValue.signed", "signed_data", "untouched"),
    ),
)

COMMANDS = FieldTable(
    "Commands (mod_commands)",
    COMMAND_MODELS,
    (
        R("StartSession.kind", _KIND),
        R("StartSession.at", "location_id, evse_uid, connector_id", "refused where a connector has no EVSE"),
        R("StartSession.emsp", "token.country_code, token.party_id"),
        R("StartSession.leg", "token, authorization_reference"),
        R("StartSession.token", "token", _DEMANDED),
        R("StopSession.kind", _KIND),
        R("StopSession.session", "session_id", _ID),
        R("StopSession.emsp", "OCPI-from-country-code, OCPI-from-party-id", "a header's"),
        R("StopSession.at", "OCPI-to-country-code, OCPI-to-party-id", "the CPO alone", "the place"),
        R("ReserveNow.kind", _KIND),
        R("ReserveNow.at", "location_id, evse_uid", "", "the connector"),
        R("ReserveNow.emsp", "token.country_code, token.party_id"),
        R("ReserveNow.leg", "token, authorization_reference"),
        R("ReserveNow.token", "token", _DEMANDED),
        R("ReserveNow.reservation", "reservation_id", _ID),
        R("ReserveNow.expires", "expiry_date", _STAMP, _MILLIS),
        R("CancelReservation.kind", _KIND),
        R("CancelReservation.reservation", "reservation_id", _ID),
        R("CancelReservation.emsp", "OCPI-from-country-code, OCPI-from-party-id", "a header's"),
        R("CancelReservation.at", "OCPI-to-country-code, OCPI-to-party-id", "the CPO alone", "the place"),
        R("UnlockConnector.kind", _KIND),
        R("UnlockConnector.at", "location_id, evse_uid, connector_id", _DEMANDED),
        R("UnlockConnector.emsp", "OCPI-from-country-code, OCPI-from-party-id", "a header's"),
        R("EvseRef.party", "OCPI-to-country-code, OCPI-to-party-id", "a header's"),
        R("EvseRef.evse_id", "", "", _NO_PLACE),
        R("EvseRef.location_id", "location_id", _DEMANDED),
        R("EvseRef.evse_uid", "evse_uid"),
        R("EvseRef.connector_id", "connector_id"),
        R("CommandAnswer.result", "result", _DECISIVE, "see CommandResponseType and CommandResultType"),
        R("CommandAnswer.text", "message", "the first language's; out, in one language", _cut(512)),
        R("CommandAnswer.session_id", "", "", _NO_PLACE),
    ),
)

FIELDS: list[FieldTable] = [TOKENS, SESSIONS, CDRS, COMMANDS]
