"""OICP 2.3's messages of a charge as Hubject's OpenAPI gives them, with the lengths of the texts enforced.

Strict like the models of `wire`, and stricter than the OpenAPI where the text of OICP is: exactly one kind of
identification, and a PIN or its hash.
"""

from typing import Annotated, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_pascal

from mappings.oicp.v2_3 import vocabulary
from mappings.oicp.v2_3.wire import EvseId, OperatorId, StatusCode, Text50, Text100, Text200, WireModel

SESSION_ID_PATTERN = r"^[A-Za-z0-9]{8}(-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12}$"
UID_PATTERN = r"^([0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20})$"
EVCO_ID_PATTERN = (
    r"^(([A-Za-z]{2}\-?[A-Za-z0-9]{3}\-?C[A-Za-z0-9]{8}\-?[\d|A-Za-z])"
    r"|([A-Za-z]{2}[\*|\-]?[A-Za-z0-9]{3}[\*|\-]?[A-Za-z0-9]{6}[\*|\-]?[\d|X]))$"
)
PROVIDER_ID_PATTERN = r"^([A-Za-z]{2}\-?[A-Za-z0-9]{3}|[A-Za-z]{2}[\*|-]?[A-Za-z0-9]{3})$"
HASH_PATTERN = r"^[0-9A-Za-z\\.+/=\\$]{10,100}$"
PIN_LENGTH = 20

SessionId = Annotated[str, StringConstraints(pattern=SESSION_ID_PATTERN)]
ProviderId = Annotated[str, StringConstraints(pattern=PROVIDER_ID_PATTERN)]
Uid = Annotated[str, StringConstraints(pattern=UID_PATTERN)]
EvcoId = Annotated[str, StringConstraints(pattern=EVCO_ID_PATTERN)]
Text250 = Annotated[str, StringConstraints(max_length=250)]

_SPELLINGS = {
    "session_id": "SessionID",
    "cpo_partner_session_id": "CPOPartnerSessionID",
    "emp_partner_session_id": "EMPPartnerSessionID",
    "partner_product_id": "PartnerProductID",
    "operator_id": "OperatorID",
    "hub_operator_id": "HubOperatorID",
    "provider_id": "ProviderID",
    "hub_provider_id": "HubProviderID",
    "evse_id": "EvseID",
    "evco_id": "EvcoID",
    "uid": "UID",
    "rfid": "RFID",
    "pin": "PIN",
    "hashed_pin": "HashedPIN",
    "meter_values": "meterValues",
    "calibration_law_certificate_id": "CalibrationLawCertificateID",
    "rfid_mifare_family_identification": "RFIDMifareFamilyIdentification",
    "rfid_identification": "RFIDIdentification",
    "qr_code_identification": "QRCodeIdentification",
}


class ChargingModel(WireModel):
    """Base: as `WireModel`, with the spellings of these messages."""

    model_config = WireModel.model_config | {"alias_generator": lambda name: _SPELLINGS.get(name) or to_pascal(name)}


class MifareFamily(ChargingModel):
    """RFIDmifarefamilyIdentificationType."""

    uid: Uid


class Rfid(ChargingModel):
    """RFIDIdentificationType."""

    uid: Uid
    evco_id: EvcoId | None = None
    rfid: vocabulary.RfidType
    printed_number: Annotated[str, StringConstraints(max_length=150)] | None = None
    expiry_date: AwareDatetime | None = None


class HashedPin(ChargingModel):
    """HashedPINType, without its legacy part."""

    value: Annotated[str, StringConstraints(pattern=HASH_PATTERN)]
    function: vocabulary.HashFunction


class QrCode(ChargingModel):
    """QRCodeIdentificationType."""

    evco_id: EvcoId
    hashed_pin: HashedPin | None = None
    pin: Annotated[str, StringConstraints(max_length=PIN_LENGTH)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.hashed_pin is not None and self.pin is not None:
            raise ValueError("a PIN or its hash is given, not both")
        return self


class ByContract(ChargingModel):
    """PlugAndChargeIdentificationType and RemoteIdentificationType."""

    evco_id: EvcoId


class Identification(ChargingModel):
    """IdentificationType: exactly one."""

    rfid_mifare_family_identification: MifareFamily | None = None
    rfid_identification: Rfid | None = None
    qr_code_identification: QrCode | None = None
    plug_and_charge_identification: ByContract | None = None
    remote_identification: ByContract | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("exactly one kind of identification is given")
        return self


class Process(ChargingModel):
    """The names of a charge that most messages carry."""

    session_id: SessionId | None = None
    cpo_partner_session_id: Text250 | None = None
    emp_partner_session_id: Text250 | None = None


class Authorize(Process):
    """ERoamingAuthorizeStart, and eRoamingAuthorizeStop, where the SessionID is mandatory and there is no product."""

    operator_id: OperatorId
    evse_id: EvseId | None = None
    identification: Identification
    partner_product_id: Text50 | None = None


class Authorization(Process):
    """ERoamingAuthorizationStart, and eRoamingAuthorizationStop, which lists no identifications."""

    provider_id: ProviderId | None = None
    authorization_status: vocabulary.AuthorizationStatus
    status_code: StatusCode
    authorization_stop_identifications: tuple[Identification, ...] | None = None


class RemoteCommand(Process):
    """The four commands of an EMP: AuthorizeRemoteStart and Stop, AuthorizeRemoteReservationStart and Stop."""

    provider_id: ProviderId
    evse_id: EvseId
    identification: Identification | None = None
    partner_product_id: Text50 | None = None
    duration: Annotated[int, Field(ge=1, le=99)] | None = None


class MeterValues(ChargingModel):
    """MeterValueInBetween."""

    meter_values: tuple[float, ...]


class Notification(Process):
    """The four eRoamingChargingNotifications; which fields are mandatory differs by type."""

    type: vocabulary.NotificationType
    session_id: SessionId
    identification: Identification | None = None
    evse_id: EvseId
    operator_id: OperatorId
    partner_product_id: Text50 | None = None
    charging_start: AwareDatetime | None = None
    charging_end: AwareDatetime | None = None
    session_start: AwareDatetime | None = None
    session_end: AwareDatetime | None = None
    event_occurred: AwareDatetime | None = None
    charging_duration: int | None = None
    consumed_energy: float | None = None
    consumed_energy_progress: float | None = None
    meter_value_start: float | None = None
    meter_value_end: float | None = None
    meter_value_in_between: MeterValues | None = None
    penalty_time_start: AwareDatetime | None = None
    error_type: vocabulary.ErrorType | None = None
    error_additional_info: Text250 | None = None


class SignedMeteringValue(ChargingModel):
    """SignedMeteringValuesType."""

    signed_metering_value: Annotated[str, StringConstraints(max_length=3000)] | None = None
    metering_status: vocabulary.MeteringStatus | None = None


class CalibrationLawVerification(ChargingModel):
    """CalibrationLawVerificationType."""

    calibration_law_certificate_id: Text100 | None = None
    public_key: Annotated[str, StringConstraints(max_length=1000)] | None = None
    metering_signature_url: Text200 | None = None
    metering_signature_encoding_format: Text50 | None = None
    signed_metering_values_verification_instruction: Annotated[str, StringConstraints(max_length=400)] | None = None


class ChargeDetailRecord(Process):
    """ERoamingChargeDetailRecord."""

    session_id: SessionId
    partner_product_id: Text50 | None = None
    evse_id: EvseId
    identification: Identification
    charging_start: AwareDatetime
    charging_end: AwareDatetime
    session_start: AwareDatetime
    session_end: AwareDatetime
    meter_value_start: float | None = None
    meter_value_end: float | None = None
    meter_value_in_between: MeterValues | None = None
    consumed_energy: float
    signed_metering_values: Annotated[tuple[SignedMeteringValue, ...], Field(max_length=10)] | None = None
    calibration_law_verification_info: CalibrationLawVerification | None = None
    hub_operator_id: OperatorId | None = None
    hub_provider_id: ProviderId | None = None
