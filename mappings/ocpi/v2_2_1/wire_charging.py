"""OCPI 2.2.1 as it stands on the wire: tokens, sessions, CDRs and commands; as `wire.py`, whose rules hold here."""

from typing import Required

from typing_extensions import TypedDict

from mappings.ocpi.v2_2_1.wire import OPEN, DisplayText, GeoLocation, Number, Price, Tariff


class EnergyContract(TypedDict, total=False):
    """mod_tokens, EnergyContract."""

    __pydantic_config__ = OPEN  # type: ignore[misc]  # pydantic's own way to configure a TypedDict
    supplier_name: Required[str]
    contract_id: str | None


class Token(TypedDict, total=False):
    """mod_tokens, Token."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    country_code: Required[str]
    party_id: Required[str]
    uid: Required[str]
    type: Required[str]
    contract_id: Required[str]
    visual_number: str | None
    issuer: Required[str]
    group_id: str | None
    valid: Required[bool]
    whitelist: Required[str]
    language: str | None
    default_profile_type: str | None
    energy_contract: EnergyContract | None
    last_updated: str


class LocationReferences(TypedDict, total=False):
    """mod_tokens, LocationReferences."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    location_id: Required[str]
    evse_uids: list[str] | None


class AuthorizationInfo(TypedDict, total=False):
    """mod_tokens, AuthorizationInfo; the token is mandatory in OCPI, and the answer stands without it."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    allowed: Required[str]
    token: Token | None
    location: LocationReferences | None
    authorization_reference: str | None
    info: DisplayText | None


class CdrToken(TypedDict, total=False):
    """mod_cdrs, CdrToken."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    country_code: Required[str]
    party_id: Required[str]
    uid: Required[str]
    type: Required[str]
    contract_id: Required[str]


class CdrDimension(TypedDict, total=False):
    """mod_cdrs, CdrDimension."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    type: Required[str]
    volume: Required[Number]


class ChargingPeriod(TypedDict, total=False):
    """mod_cdrs, ChargingPeriod."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    start_date_time: Required[str]
    dimensions: Required[list[CdrDimension]]
    tariff_id: str | None


class Session(TypedDict, total=False):
    """mod_sessions, Session."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    country_code: Required[str]
    party_id: Required[str]
    id: Required[str]
    start_date_time: Required[str]
    end_date_time: str | None
    kwh: Required[Number]
    cdr_token: Required[CdrToken]
    auth_method: Required[str]
    authorization_reference: str | None
    location_id: Required[str]
    evse_uid: Required[str]
    connector_id: Required[str]
    meter_id: str | None
    currency: Required[str]
    charging_periods: list[ChargingPeriod] | None
    total_cost: Price | None
    status: Required[str]
    last_updated: str


class ChargingPreferences(TypedDict, total=False):
    """mod_sessions, ChargingPreferences."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    profile_type: Required[str]
    departure_time: str | None
    energy_need: Number | None
    discharge_allowed: bool | None


class CdrLocation(TypedDict, total=False):
    """mod_cdrs, CdrLocation."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    id: Required[str]
    name: str | None
    address: Required[str]
    city: Required[str]
    postal_code: str | None
    state: str | None
    country: Required[str]
    coordinates: Required[GeoLocation]
    evse_uid: Required[str]
    evse_id: Required[str]
    connector_id: Required[str]
    connector_standard: Required[str]
    connector_format: Required[str]
    connector_power_type: Required[str]


class SignedValue(TypedDict, total=False):
    """mod_cdrs, SignedValue."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    nature: Required[str]
    plain_data: Required[str]
    signed_data: Required[str]


class SignedData(TypedDict, total=False):
    """mod_cdrs, SignedData."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    encoding_method: Required[str]
    encoding_method_version: int | None
    public_key: str | None
    signed_values: Required[list[SignedValue]]
    url: str | None


class Cdr(TypedDict, total=False):
    """mod_cdrs, CDR."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    country_code: Required[str]
    party_id: Required[str]
    id: Required[str]
    start_date_time: Required[str]
    end_date_time: Required[str]
    session_id: str | None
    cdr_token: Required[CdrToken]
    auth_method: Required[str]
    authorization_reference: str | None
    cdr_location: Required[CdrLocation]
    meter_id: str | None
    currency: Required[str]
    tariffs: list[Tariff] | None
    charging_periods: Required[list[ChargingPeriod]]
    signed_data: SignedData | None
    total_cost: Required[Price]
    total_fixed_cost: Price | None
    total_energy: Required[Number]
    total_energy_cost: Price | None
    total_time: Required[Number]
    total_time_cost: Price | None
    total_parking_time: Number | None
    total_parking_cost: Price | None
    total_reservation_cost: Price | None
    remark: str | None
    invoice_reference_id: str | None
    credit: bool | None
    credit_reference_id: str | None
    home_charging_compensation: bool | None
    last_updated: str


class StartSession(TypedDict, total=False):
    """mod_commands, StartSession."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    response_url: Required[str]
    token: Required[Token]
    location_id: Required[str]
    evse_uid: str | None
    connector_id: str | None
    authorization_reference: str | None


class StopSession(TypedDict, total=False):
    """mod_commands, StopSession."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    response_url: Required[str]
    session_id: Required[str]


class ReserveNow(TypedDict, total=False):
    """mod_commands, ReserveNow."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    response_url: Required[str]
    token: Required[Token]
    expiry_date: Required[str]
    reservation_id: Required[str]
    location_id: Required[str]
    evse_uid: str | None
    authorization_reference: str | None


class CancelReservation(TypedDict, total=False):
    """mod_commands, CancelReservation."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    response_url: Required[str]
    reservation_id: Required[str]


class UnlockConnector(TypedDict, total=False):
    """mod_commands, UnlockConnector."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    response_url: Required[str]
    location_id: Required[str]
    evse_uid: Required[str]
    connector_id: Required[str]


class CommandResponse(TypedDict, total=False):
    """mod_commands, CommandResponse; without its timeout it is of use all the same."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    result: Required[str]
    timeout: int | None
    message: list[DisplayText] | None


class CommandResult(TypedDict, total=False):
    """mod_commands, CommandResult."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    result: Required[str]
    message: list[DisplayText] | None
