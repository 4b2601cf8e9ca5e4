"""What Hubject demands of the requests of EMPs, written down a second time; as `rules.py`, for the same reason.

They follow Hubject's OpenAPI of OICP 2.3 for EMPs and the tables of the EMP Services and Operations.
"""

from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict

from adapters.hubject.sandbox.rules import ActionType, AuthenticationMode, EvseId, GeoCoordinates, OperatorId, Wrong
from adapters.hubject.sandbox.rules import shape as shape_of
from adapters.hubject.sandbox.rules_charging import (
    Identification,
    PartnerSessionId,
    ProductId,
    ProviderId,
    SessionId,
    Stamp,
)

_STRICT: Final = ConfigDict(strict=True, extra="ignore")
MOST_IDS: Final = 100
"""EvseIDs of an eRoamingPullEVSEStatusByID."""

EvseStatus = Literal["Available", "Reserved", "Occupied", "OutOfService", "EvseNotFound", "Unknown"]


class SearchCenter(TypedDict):
    """SearchCenterType; the radius in km."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    GeoCoordinates: GeoCoordinates
    Radius: Annotated[int | float, Field(ge=0, le=9999.9, allow_inf_nan=False)]


class PullEvseData(TypedDict):
    """eRoamingPullEVSEData."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    ProviderID: ProviderId
    SearchCenter: NotRequired[SearchCenter]
    LastCall: NotRequired[Stamp]
    GeoCoordinatesResponseFormat: Literal["Google", "DegreeMinuteSeconds", "DecimalDegree"]
    CountryCodes: NotRequired[list[Annotated[str, Field(pattern="^[A-Z]{3}$")]]]
    OperatorIds: NotRequired[list[OperatorId]]
    AuthenticationModes: NotRequired[list[AuthenticationMode]]
    Accessibility: NotRequired[
        list[Literal["Free publicly accessible", "Restricted access", "Paying publicly accessible", "Test Station"]]
    ]
    CalibrationLawDataAvailability: NotRequired[list[Literal["Local", "External", "Not Available"]]]
    RenewableEnergy: NotRequired[bool]
    IsHubjectCompatible: NotRequired[bool]
    IsOpen24Hours: NotRequired[bool]


class PullEvseStatus(TypedDict):
    """eRoamingPullEVSEStatus."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    ProviderID: ProviderId
    SearchCenter: NotRequired[SearchCenter]
    EVSEStatus: NotRequired[EvseStatus]


class PullEvseStatusById(TypedDict):
    """eRoamingPullEVSEStatusByID."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    ProviderID: ProviderId
    EvseID: Annotated[list[EvseId], Field(max_length=MOST_IDS)]


class PullEvseStatusByOperatorId(TypedDict):
    """eRoamingPullEVSEStatusByOperatorID."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    ProviderID: ProviderId
    OperatorID: list[OperatorId]


class PullPricingProductData(TypedDict):
    """eRoamingPullPricingProductData; the OpenAPI's has no ProviderID."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    ProviderID: NotRequired[ProviderId]
    LastCall: NotRequired[Stamp]
    OperatorIDs: list[OperatorId]


class PullEvsePricing(TypedDict):
    """eRoamingPullEVSEPricing."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    ProviderID: ProviderId
    LastCall: NotRequired[Stamp]
    OperatorIDs: list[OperatorId]


class AuthenticationDataRecord(TypedDict):
    """AuthenticationDataRecordType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    Identification: Identification


class ProviderAuthenticationData(TypedDict):
    """ProviderAuthenticationDataType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    ProviderID: ProviderId
    AuthenticationDataRecord: list[AuthenticationDataRecord]


class PushAuthenticationData(TypedDict):
    """eRoamingPushAuthenticationData."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    ActionType: ActionType
    ProviderAuthenticationData: ProviderAuthenticationData


class GetChargeDetailRecords(TypedDict):
    """eRoamingGetChargeDetailRecords: OICP's text has CDRForwarded, its OpenAPI CDRForwarder."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    ProviderID: ProviderId
    From: Stamp
    To: Stamp
    SessionID: NotRequired[list[SessionId]]
    OperatorID: NotRequired[OperatorId]
    CDRForwarded: NotRequired[bool]
    CDRForwarder: NotRequired[bool]


class RemoteStart(TypedDict):
    """eRoamingAuthorizeRemoteStart: by the OpenAPI SessionID is required, by the text an EMP leaves it out."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    SessionID: NotRequired[SessionId]
    CPOPartnerSessionID: NotRequired[PartnerSessionId]
    EMPPartnerSessionID: NotRequired[PartnerSessionId]
    ProviderID: ProviderId
    EvseID: EvseId
    Identification: Identification
    PartnerProductID: NotRequired[ProductId]


class ReservationStart(RemoteStart):
    """eRoamingAuthorizeRemoteReservationStart: the OpenAPI spells one id in another way there."""

    EMPPartnerSessionId: NotRequired[PartnerSessionId]
    Duration: NotRequired[Annotated[int, Field(ge=0, le=99)]]


class RemoteStop(TypedDict):
    """eRoamingAuthorizeRemoteStop and eRoamingAuthorizeRemoteReservationStop."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    SessionID: SessionId
    CPOPartnerSessionID: NotRequired[PartnerSessionId]
    EMPPartnerSessionID: NotRequired[PartnerSessionId]
    ProviderID: ProviderId
    EvseID: EvseId


_ADAPTERS: Final[dict[type, TypeAdapter[Any]]] = {
    each: TypeAdapter(each)
    for each in (
        PullEvseData,
        PullEvseStatus,
        PullEvseStatusById,
        PullEvseStatusByOperatorId,
        PullPricingProductData,
        PullEvsePricing,
        PushAuthenticationData,
        GetChargeDetailRecords,
        RemoteStart,
        ReservationStart,
        RemoteStop,
    )
}
_KINDS: Final = tuple(Identification.__annotations__)


def shape(of: type, body: Any) -> list[Wrong]:
    """Says what is wrong with a parsed request of an EMP: with its shape, and with what may not stand together."""
    if wrong := shape_of(_ADAPTERS[of], body):
        return wrong
    if "LastCall" in body and (others := {"SearchCenter", "CountryCodes", "OperatorIds"} & body.keys()):
        return [Wrong("lastCall", f"cannot be combined with {', '.join(sorted(others))}")]
    if "SearchCenter" in body and len(body["SearchCenter"]["GeoCoordinates"]) != 1:
        return [Wrong("searchCenter.geoCoordinates", "one form is needed")]
    if "Identification" in body:
        return _driver(body["Identification"])
    if of is PushAuthenticationData:
        records = body["ProviderAuthenticationData"]["AuthenticationDataRecord"]
        return [
            Wrong(f"providerAuthenticationData.authenticationDataRecord[{index}].{wrong.field}", wrong.text)
            for index, record in enumerate(records)
            for wrong in _uploaded(record["Identification"])
        ]
    return []


def _driver(identification: dict[str, Any]) -> list[Wrong]:
    # EMP Data Types: only an EvcoID names a driver who is not at the station.
    if [kind for kind in _KINDS if kind in identification] != ["RemoteIdentification"]:
        return [Wrong("identification", "RemoteIdentification is needed, and nothing else")]
    return []


def _uploaded(identification: dict[str, Any]) -> list[Wrong]:
    given = [kind for kind in _KINDS if kind in identification]
    if len(given) != 1:
        return [Wrong("identification", "one of its five kinds is needed")]
    qr_code = identification.get("QRCodeIdentification")
    if qr_code is not None and len({"PIN", "HashedPIN"} & qr_code.keys()) != 1:
        return [Wrong("identification.qRCodeIdentification", "PIN or HashedPIN is needed")]
    return []
