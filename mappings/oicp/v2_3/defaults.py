"""What an operator states once for its whole network, because OICP demands it and a source may lack it."""

from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from mappings.canonical.locations import (
    Accessibility,
    AuthenticationMode,
    CalibrationLaw,
    ConnectorFormat,
    DynamicInfo,
    PaymentOption,
    ValueAddedService,
)
from mappings.oicp.v2_3.vocabulary import ReferenceUnit
from mappings.oicp.v2_3.wire import LANGUAGE_PATTERN, PHONE_PATTERN
from mappings.report import Issue, IssueKind, Report


class OperatorDefaults(BaseModel):
    """Values for mandatory fields that a source leaves open; each use is reported as DEFAULTED.

    What only the operator can know has no default of ours: where it is None or empty and the source lacks the value,
    the EVSE is refused with the field's name.

    Attributes:
        hotline: Phone number for drivers, `+` and 5 to 15 digits.
        accessibility: Who may get to the stations.
        open_24_hours: Whether stations without opening times are always open.
        renewable_energy: Whether stations without an energy mix provide renewable energy only.
        calibration_law: How calibration law data is given.
        authentication_modes: Of EVSEs that do not list theirs; what their capabilities imply is added.
        payment_options: Of EVSEs that do not list theirs; what their capabilities imply is added, and Contract where
            they are Hubject compatible, unless this says No Payment.
        value_added_services: Of EVSEs that do not list theirs; what their capabilities imply is added.
        hubject_compatible: Whether EVSEs that do not say may be started through Hubject.
        dynamic_info: Whether a status is provided; AUTO means yes as soon as one is pushed.
        connector_format: Format of connectors that do not say theirs, where OICP distinguishes it (type 2).
        city: Where the location has none.
        postal_code: Placeholder where the location has none, at most 10 characters.
        street: Placeholder where the location has no address, 2 to 100 characters. Hubject advises underscores.
        house_number: Placeholder where no number can be told from the address, at most 10 characters.
        language: Language of names that come without one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hotline: Annotated[str, StringConstraints(pattern=PHONE_PATTERN)] | None = None
    accessibility: Accessibility | None = None
    open_24_hours: bool | None = None
    renewable_energy: bool | None = None
    calibration_law: CalibrationLaw | None = None
    authentication_modes: tuple[AuthenticationMode, ...] = ()
    payment_options: tuple[PaymentOption, ...] = ()
    value_added_services: tuple[ValueAddedService, ...] = (ValueAddedService.NONE,)
    hubject_compatible: bool | None = True
    dynamic_info: DynamicInfo | None = DynamicInfo.AUTO
    connector_format: ConnectorFormat | None = None
    city: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    postal_code: Annotated[str, Field(min_length=1, max_length=10)] | None = "."
    street: Annotated[str, Field(min_length=2, max_length=100)] | None = "__"
    house_number: Annotated[str, Field(min_length=1, max_length=10)] | None = "."
    language: Annotated[str, StringConstraints(pattern=LANGUAGE_PATTERN)] = "en"


class PricingDefaults(BaseModel):
    """What stands beside an operator's pricing products, because OICP demands it.

    Attributes:
        price: What a unit costs at EVSEs that have no product, without VAT. Zero says that charging there is free.
        currency: Of that price, ISO 4217.
        unit: What that price is per.
        power: kW of the facilities that products are meant for, where a tariff does not say; where it is None, such a
            tariff is refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    price: Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    unit: ReferenceUnit = ReferenceUnit.KILOWATT_HOUR
    power: Annotated[Decimal, Field(gt=0, allow_inf_nan=False)] | None = None


def defaulted(value: Any, field: str, report: Report, why: str = "missing") -> Any:
    """Takes an operator's default for a mandatory field, with its issue.

    Raises:
        Refused: There is none.
    """
    if value is None or value == ():
        raise report.refuse(field, f"{why}; OICP demands it and the operator's defaults do not give it")
    report.issues.append(_default_used(field, why))
    return value


# The same few issues for every location of a network: made once.
@lru_cache(maxsize=256)
def _default_used(field: str, why: str) -> Issue:
    return Issue(IssueKind.DEFAULTED, field, f"{why}; the operator's default was used")
