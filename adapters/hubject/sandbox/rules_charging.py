"""What Hubject demands of the messages of a charge, written down a second time; as `rules.py`, for the same reason.

The shapes follow Hubject's OpenAPI of OICP 2.3, the places of decimals and what a CDR may not say the CPO Services and
Operations and Data Types, and Hubject's support pages.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, TypeAdapter
from typing_extensions import TypedDict

from adapters.hubject.sandbox.rules import EvseId, OperatorId, Wrong, shape

_STRICT: Final = ConfigDict(strict=True, extra="ignore")

MOST_ENERGY: Final = Decimal(1000)
"""kWh of a CDR."""
BETWEEN_PROGRESS: Final = timedelta(minutes=5)
AHEAD: Final = timedelta(seconds=5)
"""How far a SessionEnd may lie ahead of our clock, since clocks stand apart a little."""


def _matching(pattern: str) -> StringConstraints:
    return StringConstraints(pattern=f"^(?:{pattern})$")


def _moment(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is no moment") from None
    return text


def _three_places(value: float) -> float:
    if Decimal(repr(value)) != round(Decimal(repr(value)), 3):
        raise ValueError("has more than three places")
    return value


SessionId = Annotated[str, _matching(r"[A-Za-z0-9]{8}(?:-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12}")]
PartnerSessionId = Annotated[str, Field(max_length=250)]
EvcoId = Annotated[
    str,
    _matching(
        r"[A-Za-z]{2}-?[A-Za-z0-9]{3}-?C[A-Za-z0-9]{8}-?[\d|A-Za-z]"
        r"|[A-Za-z]{2}[*|-]?[A-Za-z0-9]{3}[*|-]?[A-Za-z0-9]{6}[*|-]?[\d|X]"
    ),
]
Uid = Annotated[str, _matching("[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20}")]
ProviderId = Annotated[str, _matching(r"[A-Za-z]{2}[*|-]?[A-Za-z0-9]{3}")]
ProductId = Annotated[str, Field(max_length=50)]
Stamp = Annotated[
    str,
    # CPO Communication Paradigms: the time zone stands in every stamp.
    _matching(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"),
    AfterValidator(_moment),
]
Figure = Annotated[int | float, Field(allow_inf_nan=False), AfterValidator(_three_places)]


class MifareFamily(TypedDict):
    """RFIDMifareFamilyIdentification."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    UID: Uid


class Card(TypedDict):
    """RFIDIdentification."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    UID: Uid
    EvcoID: NotRequired[EvcoId]
    RFID: Literal["mifareCls", "mifareDes", "calypso", "nfc", "mifareFamily"]
    PrintedNumber: NotRequired[Annotated[str, Field(max_length=150)]]
    ExpiryDate: NotRequired[str]


class HashedPin(TypedDict):
    """HashedPIN."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    Value: Annotated[str, _matching(r"[0-9A-Za-z\\.+/=$]{10,100}")]
    Function: Literal["Bcrypt"]


class QrCode(TypedDict):
    """QRCodeIdentification."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    EvcoID: EvcoId
    HashedPIN: NotRequired[HashedPin]
    PIN: NotRequired[Annotated[str, Field(max_length=20)]]


class Evco(TypedDict):
    """PlugAndChargeIdentification and RemoteIdentification."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    EvcoID: EvcoId


class Identification(TypedDict):
    """IdentificationType: exactly one of the five, which `medium` looks after."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    RFIDMifareFamilyIdentification: NotRequired[MifareFamily]
    RFIDIdentification: NotRequired[Card]
    QRCodeIdentification: NotRequired[QrCode]
    PlugAndChargeIdentification: NotRequired[Evco]
    RemoteIdentification: NotRequired[Evco]


class AuthorizeStart(TypedDict):
    """eRoamingAuthorizeStart."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    SessionID: NotRequired[SessionId]
    CPOPartnerSessionID: NotRequired[PartnerSessionId]
    EMPPartnerSessionID: NotRequired[PartnerSessionId]
    OperatorID: OperatorId
    EvseID: NotRequired[EvseId]
    Identification: Identification
    PartnerProductID: NotRequired[ProductId]


class AuthorizeStop(TypedDict):
    """eRoamingAuthorizeStop."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    SessionID: SessionId
    CPOPartnerSessionID: NotRequired[PartnerSessionId]
    EMPPartnerSessionID: NotRequired[PartnerSessionId]
    OperatorID: OperatorId
    EvseID: NotRequired[EvseId]
    Identification: Identification


class MeterValues(TypedDict):
    """MeterValueInBetween."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    meterValues: NotRequired[list[Figure]]


class SignedMeteringValue(TypedDict):
    """SignedMeteringValuesType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    SignedMeteringValue: NotRequired[Annotated[str, Field(max_length=3000)]]
    MeteringStatus: NotRequired[Literal["Start", "Progress", "End"]]


class CalibrationLawVerification(TypedDict):
    """CalibrationLawVerificationType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    CalibrationLawCertificateID: NotRequired[Annotated[str, Field(max_length=100)]]
    PublicKey: NotRequired[Annotated[str, Field(max_length=1000)]]
    MeteringSignatureUrl: NotRequired[Annotated[str, Field(max_length=200)]]
    MeteringSignatureEncodingFormat: NotRequired[Annotated[str, Field(max_length=50)]]
    SignedMeteringValuesVerificationInstruction: NotRequired[Annotated[str, Field(max_length=400)]]


class ChargeDetailRecord(TypedDict):
    """eRoamingChargeDetailRecord."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    SessionID: SessionId
    CPOPartnerSessionID: NotRequired[PartnerSessionId]
    EMPPartnerSessionID: NotRequired[PartnerSessionId]
    PartnerProductID: NotRequired[ProductId]
    EvseID: EvseId
    Identification: Identification
    ChargingStart: Stamp
    ChargingEnd: Stamp
    SessionStart: Stamp
    SessionEnd: Stamp
    MeterValueStart: NotRequired[Figure]
    MeterValueEnd: NotRequired[Figure]
    MeterValueInBetween: NotRequired[MeterValues]
    ConsumedEnergy: Figure
    SignedMeteringValues: NotRequired[Annotated[list[SignedMeteringValue], Field(max_length=10)]]
    CalibrationLawVerificationInfo: NotRequired[CalibrationLawVerification]
    HubOperatorID: NotRequired[OperatorId]
    HubProviderID: NotRequired[ProviderId]


class _Notification(TypedDict):
    """What all charging notifications say."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    SessionID: SessionId
    CPOPartnerSessionID: NotRequired[PartnerSessionId]
    EMPPartnerSessionID: NotRequired[PartnerSessionId]
    Identification: NotRequired[Identification]
    EvseID: EvseId
    OperatorID: OperatorId
    PartnerProductID: NotRequired[ProductId]


class NotificationStart(_Notification):
    """eRoamingChargingNotificationStart."""

    Type: Literal["Start"]
    ChargingStart: Stamp
    SessionStart: NotRequired[Stamp]
    MeterValueStart: NotRequired[Figure]


class NotificationProgress(_Notification):
    """eRoamingChargingNotificationProgress."""

    Type: Literal["Progress"]
    ChargingStart: Stamp
    EventOccurred: Stamp
    ChargingDuration: NotRequired[Annotated[int, Field(ge=0)]]
    SessionStart: NotRequired[Stamp]
    ConsumedEnergyProgress: NotRequired[Figure]
    MeterValueStart: NotRequired[Figure]
    MeterValueInBetween: NotRequired[MeterValues]


class NotificationEnd(_Notification):
    """eRoamingChargingNotificationEnd."""

    Type: Literal["End"]
    ChargingStart: NotRequired[Stamp]
    ChargingEnd: Stamp
    SessionStart: NotRequired[Stamp]
    SessionEnd: NotRequired[Stamp]
    ConsumedEnergy: NotRequired[Figure]
    MeterValueStart: NotRequired[Figure]
    MeterValueEnd: NotRequired[Figure]
    MeterValueInBetween: NotRequired[MeterValues]
    PenaltyTimeStart: NotRequired[Stamp]


class NotificationError(_Notification):
    """eRoamingChargingNotificationError."""

    Type: Literal["Error"]
    ErrorType: Literal["ConnectorError", "CriticalError"]
    ErrorAdditionalInfo: NotRequired[Annotated[str, Field(max_length=250)]]


class StatusCode(TypedDict):
    """StatusCodeType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    Code: Annotated[str, _matching("[0-9]{3}")]
    Description: NotRequired[Annotated[str, Field(max_length=200)] | None]
    AdditionalInfo: NotRequired[Annotated[str, Field(max_length=1000)] | None]


class Acknowledgment(TypedDict):
    """eRoamingAcknowledgment, as a CPO answers a command."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    Result: bool
    StatusCode: StatusCode
    SessionID: NotRequired[SessionId | None]
    CPOPartnerSessionID: NotRequired[PartnerSessionId | None]
    EMPPartnerSessionID: NotRequired[PartnerSessionId | None]


class Authorisation(TypedDict):
    """eRoamingAuthorizationStart and eRoamingAuthorizationStop, as an EMP answers."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    AuthorizationStatus: Literal["Authorized", "NotAuthorized"]
    StatusCode: StatusCode
    SessionID: NotRequired[SessionId | None]
    CPOPartnerSessionID: NotRequired[PartnerSessionId | None]
    EMPPartnerSessionID: NotRequired[PartnerSessionId | None]
    ProviderID: NotRequired[ProviderId | None]
    AuthorizationStopIdentifications: NotRequired[list[Identification] | None]


_START: Final[TypeAdapter[Any]] = TypeAdapter(AuthorizeStart)
_STOP: Final[TypeAdapter[Any]] = TypeAdapter(AuthorizeStop)
_CDR: Final[TypeAdapter[Any]] = TypeAdapter(ChargeDetailRecord)
_NOTIFICATIONS: Final[TypeAdapter[Any]] = TypeAdapter(
    Annotated[
        NotificationStart | NotificationProgress | NotificationEnd | NotificationError, Field(discriminator="Type")
    ]
)
_ACKNOWLEDGMENT: Final[TypeAdapter[Any]] = TypeAdapter(Acknowledgment)

_AUTHORISATION: Final[TypeAdapter[Any]] = TypeAdapter(Authorisation)

_KINDS: Final = tuple(Identification.__annotations__)


def shape_of_start(body: Any) -> list[Wrong]:
    """Says what is wrong with a parsed eRoamingAuthorizeStart."""
    return shape(_START, body) or _asking(body)


def shape_of_stop(body: Any) -> list[Wrong]:
    """Says what is wrong with a parsed eRoamingAuthorizeStop."""
    return shape(_STOP, body) or _asking(body)


def shape_of_cdr(body: Any) -> list[Wrong]:
    """Says what is wrong with the shape of a parsed eRoamingChargeDetailRecord."""
    return shape(_CDR, body) or _driver(body["Identification"])


def shape_of_notification(body: Any) -> list[Wrong]:
    """Says what is wrong with a parsed eRoamingChargingNotification of any type."""
    if wrong := shape(_NOTIFICATIONS, body):
        return wrong
    if "Identification" in body and (wrong := _driver(body["Identification"])):
        return wrong
    if body["Type"] == "Progress" and not {"ChargingDuration", "ConsumedEnergyProgress"} & body.keys():
        return [Wrong("chargingDuration", "neither it nor ConsumedEnergyProgress is given")]
    return []


def shape_of_acknowledgment(body: Any) -> list[Wrong]:
    """Says what is wrong with a CPO's answer to a command."""
    if wrong := shape(_ACKNOWLEDGMENT, body):
        return wrong
    if body["Result"] is not (body["StatusCode"]["Code"] == "000"):
        return [Wrong("result", f"{body['Result']} with code {body['StatusCode']['Code']}")]
    return []


def shape_of_authorisation(body: Any) -> list[Wrong]:
    """Says what is wrong with an EMP's answer to a start or a stop."""
    if wrong := shape(_AUTHORISATION, body):
        return wrong
    authorised, code = body["AuthorizationStatus"] == "Authorized", body["StatusCode"]["Code"]
    if authorised is not (code == "000"):
        return [Wrong("authorizationStatus", f"{body['AuthorizationStatus']} with code {code}")]
    return []


def _driver(identification: dict[str, Any]) -> list[Wrong]:
    given = [kind for kind in _KINDS if kind in identification]
    if len(given) != 1:
        return [Wrong("identification", "one of its five kinds is needed")]
    # CPO Data Types, IdentificationType: not in the process of eRoamingAuthorization, from its start to its CDR.
    if "RFIDIdentification" in given:
        return [Wrong("identification.rFIDIdentification", "must not be used here")]
    return []


def _asking(body: dict[str, Any]) -> list[Wrong]:
    if wrong := _driver(body["Identification"]):
        return wrong
    qr_code = body["Identification"].get("QRCodeIdentification")
    if qr_code is not None and len({"PIN", "HashedPIN"} & qr_code.keys()) != 1:
        return [Wrong("identification.qRCodeIdentification", "PIN or HashedPIN is needed")]
    return []


def contradictions(cdr: dict[str, Any], now: datetime, *, signed: bool) -> list[Wrong]:
    """Says why the data of a well-shaped CDR cannot be (022).

    Args:
        cdr: The CDR.
        now: The hub's clock.
        signed: Whether its EVSE promises calibration-law data by External.
    """
    found = []
    charging, session = (
        (datetime.fromisoformat(cdr[f"{name}Start"]), datetime.fromisoformat(cdr[f"{name}End"]))
        for name in ("Charging", "Session")
    )
    for name, (start, end) in (("charging", charging), ("session", session)):
        if end < start:
            found.append(Wrong(f"{name}End", "before the start"))
    if session[1] > now + AHEAD:
        found.append(Wrong("sessionEnd", "in the future"))
    energy = Decimal(repr(cdr["ConsumedEnergy"]))
    if not 0 <= energy <= MOST_ENERGY:
        found.append(Wrong("consumedEnergy", f"not of 0 to {MOST_ENERGY} kWh"))
    if "MeterValueStart" in cdr and "MeterValueEnd" in cdr:
        difference = Decimal(repr(cdr["MeterValueEnd"])) - Decimal(repr(cdr["MeterValueStart"]))
        if difference != energy:
            found.append(Wrong("consumedEnergy", f"the meter says {difference}"))
    return found + _signatures(cdr.get("SignedMeteringValues"), signed=signed)


def _signatures(values: list[dict[str, Any]] | None, *, signed: bool) -> list[Wrong]:
    if not values:
        # CPO Data Types, SignedMeteringValue: must be given where the EVSE says External.
        return [Wrong("signedMeteringValues", "is missing, and the EVSE promises them")] if signed else []
    order = [("Start", "Progress", "End").index(each["MeteringStatus"]) for each in values if "MeteringStatus" in each]
    return [] if order == sorted(order) else [Wrong("signedMeteringValues", "not in the order of time")]


def medium(identification: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Gives the kind of a well-shaped identification, and what it says."""
    return next((kind, identification[kind]) for kind in _KINDS if kind in identification)
