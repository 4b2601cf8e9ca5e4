"""Charge detail records (OCPI 2.2.1, mod_cdrs), with what only OICP 2.3's eRoamingChargeDetailRecord says."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from mappings.canonical.base import Instant, Model, Number, Unknown
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import (
    Connector,
    ConnectorFormat,
    ConnectorStandard,
    Evse,
    GeoPoint,
    Location,
    PowerType,
)
from mappings.canonical.sessions import AuthMethod, ChargingPeriod, Currency, Metering
from mappings.canonical.tariffs import Money, Tariff
from mappings.canonical.tokens import Identification

CdrId = Annotated[str, StringConstraints(min_length=1, max_length=39)]


class CdrLocation(Model):
    """Where a charge took place, as it was then. The gateway fills what the backend leaves out from its own network.

    Attributes:
        id, evse_uid, connector_id: As in the CPO's location.
        country: ISO 3166-1 alpha-3.
        time_zone: IANA name; OICP's stamps carry its offset.
        hub_operator: OICP's HubOperatorID of the EVSE.
    """

    id: Annotated[str, StringConstraints(max_length=36)]
    evse_uid: Annotated[str, StringConstraints(max_length=36)]
    connector_id: Annotated[str, StringConstraints(max_length=36)]
    evse_id: EvseId | None = None
    name: str | None = None
    address: str | None = None
    city: str | None = None
    postal_code: str | None = None
    state: str | None = None
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    coordinates: GeoPoint | None = None
    connector_standard: ConnectorStandard | None = None
    connector_format: ConnectorFormat | None = None
    connector_power_type: PowerType | None = None
    time_zone: str | None = None
    hub_operator: PartyId | None = None


def cdr_location(location: Location, evse: Evse, connector: Connector | None, connector_id: str) -> CdrLocation:
    """Takes the picture of a place that goes with a session or CDR.

    Args:
        connector: None where the location names no such connector (any more).
        connector_id: As the session has it.
    """
    return CdrLocation(
        id=location.id,
        evse_uid=evse.uid,
        connector_id=connector_id,
        evse_id=evse.evse_id,
        name=location.name,
        address=location.address,
        city=location.city,
        postal_code=location.postal_code,
        state=location.state,
        country=location.country,
        coordinates=location.coordinates,
        connector_standard=connector.standard if connector else None,
        connector_format=connector.format if connector else None,
        connector_power_type=connector.power_type if connector else None,
        time_zone=location.time_zone,
        hub_operator=evse.hub_operator,
    )


class SignedNature(StrEnum):
    """When a signed reading was taken (OCPI 2.2.1, SignedValue; OICP 2.3, MeteringStatus)."""

    START = "START"
    INTERMEDIATE = "INTERMEDIATE"
    END = "END"


class SignedValue(Model):
    """One signed reading; the texts are carried through untouched.

    Attributes:
        plain: The reading before it was signed; OICP has no place for it.
        signed: In the format of the transparency software.
    """

    nature: SignedNature
    plain: str | None = None
    signed: Annotated[str, StringConstraints(min_length=1, max_length=5000)]


class SignedData(Model):
    """Calibration-law data: what a driver needs to verify the meter's readings.

    Attributes:
        method: Encoding method (OICP's MeteringSignatureEncodingFormat).
        method_version: Its version.
        certificate_id: Id of the certificate of conformity, revision and date (OICP's CalibrationLawCertificateID).
        url: Where all of it can be looked at.
        instruction: How to verify it.
    """

    method: str | None = None
    method_version: int | None = None
    public_key: str | None = None
    certificate_id: str | None = None
    url: str | None = None
    instruction: str | None = None
    values: tuple[SignedValue, ...] = ()


class Cdr(Model):
    """What is billed of one session; its key is (party, id). It never changes once accepted.

    Attributes:
        party: The CPO.
        session_id: The CPO's session; the gateway finds it by the reference where it is left out.
        start, end: Of the session.
        charging_start, charging_end: When energy flowed; taken as `start` and `end` where they are left out.
        energy: kWh.
        time: Hours, all together.
        parking_time: Hours without charging.
        identification, auth_method, reference: As in the session.
        tariffs: That applied, whole.
        total_cost: Of everything; None where the CPO tells no price (a setting per connection sends zero then).
        priced_by_hub: The cost is not the CPO's own: a hub worked it out for one that tells none.
        fixed_cost, energy_cost, time_cost, parking_cost, reservation_cost: Parts of it.
        invoice_id: The CPO's invoice, if there is one.
        credit: Takes an earlier CDR back, `credited_cdr`.
        home_compensation: The driver's own charge point, to be paid back.
    """

    party: PartyId
    id: CdrId
    session_id: Annotated[str, StringConstraints(min_length=1, max_length=36)] | None = None
    start: Instant
    end: Instant
    charging_start: Instant | None = None
    charging_end: Instant | None = None
    identification: Identification
    auth_method: AuthMethod
    reference: Annotated[str, StringConstraints(min_length=1, max_length=36)] | None = None
    location: CdrLocation
    meter_id: Annotated[str, StringConstraints(max_length=255)] | None = None
    metering: Metering = Metering()
    currency: Currency
    tariffs: tuple[Tariff, ...] = ()
    periods: tuple[ChargingPeriod, ...]
    signed_data: SignedData | None = None
    energy: Number
    time: Annotated[Number, Field(ge=0)]
    parking_time: Annotated[Number, Field(ge=0)] | None = None
    total_cost: Money | None = None
    priced_by_hub: bool = False
    fixed_cost: Money | None = None
    energy_cost: Money | None = None
    time_cost: Money | None = None
    parking_cost: Money | None = None
    reservation_cost: Money | None = None
    product: str | None = None
    remark: str | None = None
    invoice_id: Annotated[str, StringConstraints(max_length=39)] | None = None
    credit: bool = False
    credited_cdr: CdrId | None = None
    home_compensation: bool = False
    last_updated: Instant
    unknown: Unknown = {}
