"""Charging sessions (OCPI 2.2.1, mod_sessions), with what only OICP 2.3's charging notifications say."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from mappings.canonical.base import Instant, Model, Number, Unknown
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tariffs import Money
from mappings.canonical.tokens import Identification, ProfileType

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
SessionId = Annotated[str, StringConstraints(min_length=1, max_length=36)]


class AuthMethod(StrEnum):
    """How a driver was admitted (OCPI 2.2.1, AuthMethod)."""

    AUTH_REQUEST = "AUTH_REQUEST"
    COMMAND = "COMMAND"
    WHITELIST = "WHITELIST"


class SessionStatus(StrEnum):
    """How far a session is (OCPI 2.2.1, SessionStatus)."""

    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    INVALID = "INVALID"
    PENDING = "PENDING"
    RESERVATION = "RESERVATION"


class DimensionType(StrEnum):
    """What is measured in a period (OCPI 2.2.1, CdrDimensionType)."""

    CURRENT = "CURRENT"
    """Ampere, on average."""
    ENERGY = "ENERGY"
    """kWh."""
    ENERGY_EXPORT = "ENERGY_EXPORT"
    """kWh from the car."""
    ENERGY_IMPORT = "ENERGY_IMPORT"
    """kWh into the car."""
    MAX_CURRENT = "MAX_CURRENT"
    MIN_CURRENT = "MIN_CURRENT"
    MAX_POWER = "MAX_POWER"
    """kW."""
    MIN_POWER = "MIN_POWER"
    PARKING_TIME = "PARKING_TIME"
    """Hours without charging."""
    POWER = "POWER"
    """kW, on average."""
    RESERVATION_TIME = "RESERVATION_TIME"
    """Hours."""
    STATE_OF_CHARGE = "STATE_OF_CHARGE"
    """Per cent."""
    TIME = "TIME"
    """Hours of charging."""


class Dimension(Model):
    """One measure of a period, in the unit of its type."""

    type: DimensionType
    volume: Number


class ChargingPeriod(Model):
    """A part of a session in which nothing changed that prices depend on; it ends where the next begins."""

    start: Instant
    dimensions: tuple[Dimension, ...]
    tariff_id: Annotated[str, StringConstraints(max_length=36)] | None = None


class SessionErrorKind(StrEnum):
    """What went wrong at the charger (OICP 2.3, ErrorType)."""

    CONNECTOR = "CONNECTOR"
    """The plug could not be locked, or was pulled."""
    CRITICAL = "CRITICAL"
    """The charge was broken off."""


class SessionError(Model):
    """An error that the driver's EMSP shall hear of while the session runs."""

    kind: SessionErrorKind
    text: Annotated[str, StringConstraints(max_length=250)] | None = None
    at: Instant


class Metering(Model):
    """Readings of the meter, in kWh, each to four places.

    Attributes:
        start: When charging began.
        end: When it ended.
        between: In the order of time.
    """

    start: Number | None = None
    end: Number | None = None
    between: tuple[Number, ...] = ()


class Session(Model):
    """One charge at one EVSE, as the CPO tells it; its key is (party, id).

    Attributes:
        party: The CPO.
        start: When the driver was admitted or the plug was put in, whichever the CPO counts from.
        end: When it was over; None while it runs.
        charging_start: When energy flowed first; None if it has not, or is not known.
        charging_end: When energy flowed last.
        energy: kWh so far.
        identification: The driver.
        reference: Our id of the authorisation, or the hub's reference: by which the session finds who admitted it.
        evse_uid, connector_id: As in the location.
        metering: Readings of the meter, where they are told.
        periods: What happened when; OCPI's charging_periods.
        total_cost: So far, in `currency`, before and with tax.
        penalty_start: From when on the driver pays for occupying the EVSE (OICP's PenaltyTimeStart).
        error: The latest error, if there was one.
    """

    party: PartyId
    id: SessionId
    start: Instant
    end: Instant | None = None
    charging_start: Instant | None = None
    charging_end: Instant | None = None
    energy: Annotated[Number, Field(ge=0)]
    identification: Identification
    auth_method: AuthMethod
    reference: Annotated[str, StringConstraints(min_length=1, max_length=36)] | None = None
    location_id: Annotated[str, StringConstraints(max_length=36)]
    evse_uid: Annotated[str, StringConstraints(max_length=36)]
    connector_id: Annotated[str, StringConstraints(max_length=36)]
    meter_id: Annotated[str, StringConstraints(max_length=255)] | None = None
    metering: Metering = Metering()
    currency: Currency
    periods: tuple[ChargingPeriod, ...] = ()
    total_cost: Money | None = None
    status: SessionStatus
    penalty_start: Instant | None = None
    error: SessionError | None = None
    last_updated: Instant
    unknown: Unknown = {}


class SessionNews(Model):
    """A piece of what happens in a session at a partner's station (OICP 2.3, eRoamingChargingNotifications).

    Whoever has all pieces has the session, in whatever order they came: a later moment of the session counts.

    Attributes:
        cpo: Whose station.
        leg: How the hub names the charge, and the driver.
        evse_id: Where.
        status: What it says of the session; None for an error alone.
        at: The session's own moment of which it speaks.
        energy: kWh so far.
    """

    cpo: PartyId
    leg: Leg
    evse_id: EvseId
    status: SessionStatus | None = None
    at: Instant
    start: Instant | None = None
    end: Instant | None = None
    charging_start: Instant | None = None
    charging_end: Instant | None = None
    energy: Annotated[Number, Field(ge=0)] | None = None
    metering: Metering = Metering()
    penalty_start: Instant | None = None
    error: SessionError | None = None


class ChargingPreferences(Model):
    """What a driver wishes of a running session (OCPI 2.2.1, ChargingPreferences).

    Attributes:
        departure: When the driver leaves.
        energy_need: kWh.
        discharge_allowed: Whether the car may give energy back.
    """

    profile: ProfileType
    departure: Instant | None = None
    energy_need: Annotated[Number, Field(ge=0)] | None = None
    discharge_allowed: bool | None = None


class PreferencesResult(StrEnum):
    """What the CPO says to preferences (OCPI 2.2.1, ChargingPreferencesResponse)."""

    ACCEPTED = "ACCEPTED"
    DEPARTURE_REQUIRED = "DEPARTURE_REQUIRED"
    ENERGY_NEED_REQUIRED = "ENERGY_NEED_REQUIRED"
    NOT_POSSIBLE = "NOT_POSSIBLE"
    PROFILE_TYPE_NOT_SUPPORTED = "PROFILE_TYPE_NOT_SUPPORTED"
