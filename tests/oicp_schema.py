"""Validates OICP 2.3 messages against Hubject's own OpenAPI, with the lengths of texts enforced.

The OpenAPI writes lengths of strings as `maximum` and `minimum`, which JSON Schema passes over on strings.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from tests.shared import ROOT, shared_path

OPENAPI = ROOT / "protocols/oicp-2.3/openapi-cpo.json"

_JUDGED = 200
"""Records of one push that are held against the schema; of a larger one as many, evenly spread."""


def _lengths(node: object) -> object:
    if isinstance(node, list):
        return [_lengths(item) for item in node]
    if not isinstance(node, dict):
        return node
    told = {key: _lengths(value) for key, value in node.items() if key != "example"}
    if told.get("type") == "string":
        for wrong, right in (("maximum", "maxLength"), ("minimum", "minLength")):
            if wrong in told:
                told[right] = told.pop(wrong)
    return told


def _closed(node: object) -> object:
    """Forbids fields that the OpenAPI does not have: it allows them, and so would never see a misspelt one."""
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    told = {key: _closed(value) for key, value in node.items()}
    if told.get("type") == "object" and isinstance(told.get("properties"), dict):
        told.setdefault("additionalProperties", False)
    return told


def _by_its_text(schemas: dict[str, Any]) -> None:
    """Puts right where the EMP's OpenAPI contradicts OICP's text and its own examples."""
    # "The SessionID should not be filled in by the EMP in the initial AuthorizationRemoteStart request."
    schemas["eRoamingAuthorizeRemoteStart"]["required"].remove("SessionID")
    # What the text says of EVSEPricingType's ProviderID, its OpenAPI says of products alone: `*` is for every EMP.
    rows = schemas["OperatorEVSEPricing"]["properties"]["EVSEPricing"]["items"]
    rows["properties"]["ProviderID"] = {"$ref": "#/components/schemas/ProviderIDAsterisk"}
    for name, wrong, right in (
        ("eRoamingAuthorizeRemoteReservationStart", "EMPPartnerSessionId", "EMPPartnerSessionID"),
        ("eRoamingAuthorizeRemoteReservationStop", "EMPPartnerSessionId", "EMPPartnerSessionID"),
        ("eRoamingGetChargeDetailRecords", "CDRForwarder", "CDRForwarded"),
    ):
        properties = schemas[name]["properties"]
        properties[right] = properties.pop(wrong)


@lru_cache(maxsize=64)
def _validator(schema_name: str, *, closed: bool = False, role: str = "cpo") -> Draft202012Validator:
    document = json.loads(shared_path(f"protocols/oicp-2.3/openapi-{role}.json").read_text())
    schemas = document["components"]["schemas"]
    if role == "emp":
        _by_its_text(schemas)
    schemas = _lengths(schemas)
    schemas = _closed(schemas) if closed else schemas
    assert isinstance(schemas, dict)
    if schema_name not in schemas:
        raise KeyError(f"{schema_name} is not one of {', '.join(schemas)}")
    # The length of StatusCode.Code is in its description only; Hubject's codes have three digits.
    return Draft202012Validator({"$ref": f"#/components/schemas/{schema_name}", "components": {"schemas": schemas}})


def validate(schema_name: str, body: object, *, role: str = "cpo", closed: bool = False) -> None:
    """Fails the test with the path of the first fault; skips it where the OpenAPI is not beside the project.

    Args:
        role: Whose OpenAPI judges, `cpo` or `emp`.
        closed: Fields that it does not have are faults too.
    """
    error = best_match(_validator(schema_name, closed=closed, role=role).iter_errors(body))
    if error is not None:
        raise AssertionError(f"{schema_name}{error.json_path[1:]}: {error.message[:500]}")


def faults_of_push(raw: bytes) -> list[str]:
    """Says what is wrong with a push of EVSE data or statuses, by the OpenAPI."""
    body = json.loads(raw)
    name, part, records = (
        ("eRoamingPushEvseData", "OperatorEvseData", "EvseDataRecord")
        if "OperatorEvseData" in body
        else ("eRoamingPushEvseStatus", "OperatorEvseStatus", "EvseStatusRecord")
    )
    every = body[part][records]
    judged = every[:: max(1, len(every) // _JUDGED)]
    try:
        validate(name, body | {part: body[part] | {records: judged}})
    except AssertionError as fault:
        return [str(fault)]
    return []


# Of a charge


def faults_of_charge(schema_name: str, body: Any, role: str = "cpo") -> list[str]:
    """Says what is wrong with a message of a charge: by the OpenAPI, by its field names, and by the text of OICP.

    `role` says whose OpenAPI judges, `cpo` or `emp`.

    The text is stricter than the OpenAPI: exactly one kind of identification, of a card only its UID, and of a QR code
    the PIN where it asks for a driver; decimals of three places; an energy that is the difference of the
    readings; a progress that says how far it is; stamps with an offset; signed readings in the order of time.
    """
    error = best_match(_validator(schema_name, closed=True, role=role).iter_errors(body))
    if error is not None:
        return [f"{schema_name}{error.json_path[1:]}: {error.message[:500]}"]
    faults = [f"{schema_name}: {fault}" for fault in _of_all(body)]
    rules = (_BY_TEXT_OF_EMPS if role == "emp" else _BY_TEXT).get(schema_name)
    return faults if rules is None else faults + [f"{schema_name}: {fault}" for fault in rules(body)]


_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)")
_STAMPS = ("ChargingStart", "ChargingEnd", "SessionStart", "SessionEnd", "EventOccurred", "PenaltyTimeStart")
_FIGURES = ("MeterValueStart", "MeterValueEnd", "ConsumedEnergy", "ConsumedEnergyProgress")


def _of_all(body: Mapping[str, Any]) -> Iterator[str]:
    who = body.get("Identification")
    if who is not None and len(who) != 1:
        yield f"one kind of identification is due, not {sorted(who)}"
    if "RFIDIdentification" in (who or {}):
        yield "RFIDIdentification must not be used in a charge"
    if "Code" in body.get("StatusCode", {}) and not re.fullmatch(r"\d{3}", body["StatusCode"]["Code"]):
        yield "a code has three digits"
    for name in _STAMPS:
        if name in body and not _STAMP.fullmatch(body[name]):
            yield f"{name} is no stamp in whole seconds with an offset"
    figures = {name: body[name] for name in _FIGURES if name in body}
    between = body.get("MeterValueInBetween", {}).get("meterValues", [])
    for name, value in [*figures.items(), *(("MeterValueInBetween", value) for value in between)]:
        if Decimal(str(value)) != round(Decimal(str(value)), 3):
            yield f"{name} has more than three places"
    if {"MeterValueStart", "MeterValueEnd", "ConsumedEnergy"} <= figures.keys():
        start, end, energy = (Decimal(str(figures[name])) for name in _FIGURES[:3])
        if end - start != energy:
            yield "ConsumedEnergy is not the difference of the readings"


def _asking(body: Mapping[str, Any]) -> Iterator[str]:
    who = body["Identification"]
    qr_code = who.get("QRCodeIdentification")
    if qr_code is not None and ("PIN" not in qr_code or "HashedPIN" in qr_code or len(qr_code["PIN"]) > 20):
        yield "a QR code needs its PIN, and no hash"


def _progress(body: Mapping[str, Any]) -> Iterator[str]:
    if not {"ChargingDuration", "ConsumedEnergyProgress"} & body.keys():
        yield "neither duration nor energy"
    if not all(_STAMP.fullmatch(body[name]) for name in ("ChargingStart", "EventOccurred")):
        return  # found above
    begun, now = (datetime.fromisoformat(body[name]) for name in ("ChargingStart", "EventOccurred"))
    if "ChargingDuration" in body and timedelta(milliseconds=body["ChargingDuration"]) != now - begun:
        yield "ChargingDuration is not the time between ChargingStart and EventOccurred"


def _cdr(body: Mapping[str, Any]) -> Iterator[str]:
    if body["ConsumedEnergy"] < 0:
        yield "negative energy"
    signed = [value.get("MeteringStatus") for value in body.get("SignedMeteringValues", [])]
    if signed != sorted(signed, key=["Start", "Progress", "End"].index):
        yield "signed readings out of order"
    if len(signed) > 10:
        yield "more than ten signed readings"


def _acknowledging(body: Mapping[str, Any]) -> Iterator[str]:
    if body["Result"] != (body["StatusCode"]["Code"] == "000"):
        yield "result and code contradict each other"


def _beginning(body: Mapping[str, Any]) -> Iterator[str]:
    if [*body["Identification"]] != ["RemoteIdentification"]:
        yield "a remote start names its driver by RemoteIdentification alone"
    if "SessionID" in body:
        yield "Hubject makes the SessionID"


def _answering(body: Mapping[str, Any]) -> Iterator[str]:
    authorised = body["AuthorizationStatus"] == "Authorized"
    if authorised != (body["StatusCode"]["Code"] == "000"):
        yield "status and code contradict each other"
    if authorised and "ProviderID" not in body:
        yield "nobody is named who authorises"
    for who in body.get("AuthorizationStopIdentifications", []):
        if len(who) != 1:
            yield f"one kind of identification is due, not {sorted(who)}"


def _known(body: Mapping[str, Any]) -> Iterator[str]:
    for record in body["ProviderAuthenticationData"]["AuthenticationDataRecord"]:
        who = record["Identification"]
        if len(who) != 1:
            yield f"one kind of identification is due, not {sorted(who)}"
        qr_code = who.get("QRCodeIdentification")
        if qr_code is not None and len({"PIN", "HashedPIN"} & qr_code.keys()) != 1:
            yield "a QR code needs its PIN or a hash of it"


def _products(body: Mapping[str, Any]) -> Iterator[str]:
    for record in body["PricingProductData"]["PricingProductDataRecords"]:
        if not record["IsValid24hours"] and not record["ProductAvailabilityTimes"]:
            yield "a product that does not hold for 24 hours needs its times"
        fees = [fee["AdditionalReference"] for fee in record.get("AdditionalReferences", [])]
        if "FIXED FEE" in fees and record["PricePerReferenceUnit"] != 0:
            yield "beside a fixed fee the price is zero"


def _evse_prices(body: Mapping[str, Any]) -> Iterator[str]:
    told = [(record["EvseID"], record["ProviderID"]) for record in body["EVSEPricing"]]
    if len(set(told)) != len(told):
        yield "an EVSE stands there twice for one EMP"
    if not all(record["EvseIDProductList"] for record in body["EVSEPricing"]):
        yield "an EVSE needs a product"


def _changes(body: Mapping[str, Any]) -> Iterator[str]:
    if "LastCall" in body and {"SearchCenter", "CountryCodes", "OperatorIds"} & body.keys():
        yield "LastCall is not to be combined with a point, countries or operators"


_BY_TEXT: Mapping[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "eRoamingAuthorizeStart": _asking,
    "eRoamingAuthorizeStop": _asking,
    "eRoamingChargingNotificationProgress": _progress,
    "eRoamingChargeDetailRecord": _cdr,
    "eRoamingAcknowledgment": _acknowledging,
    "eRoamingPushPricingProductData": _products,
    "eRoamingPushEVSEPricing": _evse_prices,
}
_BY_TEXT_OF_EMPS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "eRoamingAcknowledgment": _acknowledging,
    "eRoamingAuthorizeRemoteStart": _beginning,
    "eRoamingAuthorizeRemoteReservationStart": _beginning,
    "eRoamingAuthorizationStart": _answering,
    "eRoamingAuthorizationStop": _answering,
    "eRoamingPushAuthenticationData": _known,
    "eRoamingPullEVSEData": _changes,
}

_REQUESTS = (
    (re.compile(r"/charging/v21/operators/[^/]+/authorize/start$"), "eRoamingAuthorizeStart", "cpo"),
    (re.compile(r"/charging/v21/operators/[^/]+/authorize/stop$"), "eRoamingAuthorizeStop", "cpo"),
    (re.compile(r"/cdrmgmt/v22/operators/[^/]+/charge-detail-record$"), "eRoamingChargeDetailRecord", "cpo"),
    (re.compile(r"/notificationmgmt/v11/charging-notifications$"), "eRoamingChargingNotification", "cpo"),
    (re.compile(r"/dynamicpricing/v10/operators/[^/]+/pricing-products$"), "eRoamingPushPricingProductData", "cpo"),
    (re.compile(r"/dynamicpricing/v10/operators/[^/]+/evse-pricing$"), "eRoamingPushEVSEPricing", "cpo"),
    (re.compile(r"/charging/v21/providers/[^/]+/authorize-remote/start$"), "eRoamingAuthorizeRemoteStart", "emp"),
    (re.compile(r"/charging/v21/providers/[^/]+/authorize-remote/stop$"), "eRoamingAuthorizeRemoteStop", "emp"),
    (
        re.compile(r"/reservation/v11/providers/[^/]+/reservation-start-request$"),
        "eRoamingAuthorizeRemoteReservationStart",
        "emp",
    ),
    (
        re.compile(r"/reservation/v11/providers/[^/]+/reservation-stop-request$"),
        "eRoamingAuthorizeRemoteReservationStop",
        "emp",
    ),
    (re.compile(r"/authdata/v21/providers/[^/]+/push-request$"), "eRoamingPushAuthenticationData", "emp"),
    (re.compile(r"/evsepull/v23/providers/[^/]+/data-records$"), "eRoamingPullEVSEData", "emp"),
    (re.compile(r"/evsepull/v21/providers/[^/]+/status-records$"), "eRoamingPullEVSEStatus", "emp"),
    (re.compile(r"/evsepull/v21/providers/[^/]+/status-records-by-id$"), "eRoamingPullEVSEStatusByID", "emp"),
    (
        re.compile(r"/evsepull/v21/providers/[^/]+/status-records-by-operator-id$"),
        "eRoamingPullEVSEStatusByOperatorID",
        "emp",
    ),
    (
        re.compile(r"/dynamicpricing/v10/providers/[^/]+/pricing-products$"),
        "eRoamingPullPricingProductData",
        "emp",
    ),
    (re.compile(r"/dynamicpricing/v10/providers/[^/]+/evse-pricing$"), "eRoamingPullEVSEPricing", "emp"),
    (
        re.compile(r"/cdrmgmt/v22/providers/[^/]+/get-charge-detail-records-request$"),
        "eRoamingGetChargeDetailRecords",
        "emp",
    ),
)
# The hub answers at the same addresses, below its own root.
_ANSWERS = (
    (
        re.compile(r"^(?!/api/).*/(?:authorize-remote/(?:start|stop)|reservation-(?:start|stop)-request)/?$"),
        "eRoamingAcknowledgment",
        "cpo",
    ),
    (re.compile(r"^(?!/api/).*/authorize/start/?$"), "eRoamingAuthorizationStart", "emp"),
    (re.compile(r"^(?!/api/).*/authorize/stop/?$"), "eRoamingAuthorizationStop", "emp"),
    (re.compile(r"^(?!/api/).*/charge-detail-record/?$"), "eRoamingAcknowledgment", "emp"),
    (re.compile(r"^(?!/api/).*/charging-notifications/?$"), "eRoamingAcknowledgment", "emp"),
)
"""By address: the message, and whose OpenAPI judges it."""


def faults_of_request(url: str, raw: bytes) -> list[str]:
    """Says what is wrong with a request to Hubject; nothing of one that is not."""
    path = url.partition("?")[0]
    if "/evsepush/" in path:
        return faults_of_push(raw)
    for pattern, name, role in _REQUESTS:
        if pattern.search(path):
            body = json.loads(raw)
            # The four notifications share an address.
            return faults_of_charge(f"{name}{body['Type']}" if name.endswith("Notification") else name, body, role)
    return []


def faults_of_answer(path: str, raw: bytes) -> list[str]:
    """Says what is wrong with an answer of ours to Hubject; nothing of one to anybody else."""
    for pattern, name, role in _ANSWERS:
        if pattern.search(path):
            return faults_of_charge(name, json.loads(raw), role)
    return []
