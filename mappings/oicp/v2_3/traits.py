"""What EVSEs of one kind have in common: who may charge there, how they pay, what is offered beside.

A network of many thousand EVSEs has a handful of kinds, so that each is read once.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import pydantic_core

from mappings.canonical.locations import Capability
from mappings.canonical.locations import ValueAddedService as CanonicalService
from mappings.oicp.v2_3.enums import (
    ACCESSIBILITY,
    AUTHENTICATION_MODES,
    CALIBRATION_LAW,
    DYNAMIC_INFO,
    PAYMENT_OPTIONS,
    VALUE_ADDED_SERVICES,
)
from mappings.oicp.v2_3.services import CAPABILITIES
from mappings.oicp.v2_3.values import boolean, enums, word
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, IssueKind, Report

_TRAITS = (
    "AuthenticationModes",
    "ValueAddedServices",
    "PaymentOptions",
    "Accessibility",
    "CalibrationLawDataAvailability",
    "IsHubjectCompatible",
    "DynamicInfoAvailable",
    "DynamicPowerLevel",
)
_USUAL = 4096
"""Bytes of what an EVSE says of them, up to which it is worth remembering."""


def read(values: Record, unknown: Record, report: Report) -> dict[str, Any]:
    """Reads the fields of an `Evse` that EVSEs of one kind have in common.

    Args:
        values: The record's, by the OpenAPI's names.
        unknown: Gets the words that are none of OICP's.
    """
    told = pydantic_core.to_json([values.get(name) for name in _TRAITS])
    kind = _kind(told) if len(told) <= _USUAL else _kind.__wrapped__(told)
    report.issues += kind.issues
    unknown |= kind.unknown
    return kind.fields


class _Kind(NamedTuple):
    """Attributes: fields: Of an `Evse`. unknown: Words that are none. issues: What was noted."""

    fields: dict[str, Any]
    unknown: Record
    issues: list[Issue]


@lru_cache(maxsize=4096)
def _kind(told: bytes) -> _Kind:
    values = {
        name: value for name, value in zip(_TRAITS, pydantic_core.from_json(told), strict=True) if value is not None
    }
    report = Report()
    unknown: Record = {}
    modes = enums(AUTHENTICATION_MODES, values.get("AuthenticationModes"), "AuthenticationModes", report)
    added = enums(VALUE_ADDED_SERVICES, values.get("ValueAddedServices"), "ValueAddedServices", report)
    capabilities = dict.fromkeys(capability for mode in modes if (capability := CAPABILITIES[mode]) is not None)
    if CanonicalService.RESERVATION in added:
        capabilities[Capability.RESERVABLE] = None
    for name in ("PaymentOptions", "AuthenticationModes", "ValueAddedServices"):
        if name not in values:
            report.add(IssueKind.UNKNOWN, name, "missing, though OICP demands it")
    fields = {
        "capabilities": tuple(capabilities),
        "authentication_modes": modes,
        "payment_options": enums(PAYMENT_OPTIONS, values.get("PaymentOptions"), "PaymentOptions", report),
        "value_added_services": added,
        "accessibility": word(ACCESSIBILITY, values, "Accessibility", unknown, report),
        "calibration_law": word(CALIBRATION_LAW, values, "CalibrationLawDataAvailability", unknown, report),
        "hubject_compatible": boolean(values.get("IsHubjectCompatible"), "IsHubjectCompatible", report),
        "dynamic_info": word(DYNAMIC_INFO, values, "DynamicInfoAvailable", unknown, report),
        "dynamic_power": boolean(values.get("DynamicPowerLevel"), "DynamicPowerLevel", report),
    }
    return _Kind(fields, unknown, report.issues)
