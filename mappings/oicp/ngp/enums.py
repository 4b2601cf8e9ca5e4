"""Tables between canonical words and those of the NGP API; total when this module is imported."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from mappings.canonical.agreements import Service
from mappings.canonical.tariffs import DayOfWeek, TariffDimension
from mappings.oicp.ngp.vocabulary import ComponentType, ReferenceUnit, ServiceType, Weekday
from mappings.tables import EnumTable, NotSaid, TableError

COMPONENTS: Final = EnumTable(
    TariffDimension,
    ComponentType,
    {
        TariffDimension.ENERGY: ComponentType.CHARGING_ENERGY,
        TariffDimension.TIME: ComponentType.CHARGING_TIME,
        TariffDimension.PARKING_TIME: ComponentType.PARKING,
        TariffDimension.FLAT: ComponentType.SESSION,
        TariffDimension.SESSION_TIME: NotSaid("said as CHARGING_TIME and PARKING, at the same price"),
    },
    {ComponentType.BLOCKING_FEE: NotSaid("read as a price of SESSION_TIME or PARKING_TIME, by from when it counts")},
)

DAYS: Final = EnumTable(DayOfWeek, Weekday, {day: Weekday(day.value) for day in DayOfWeek})

PER_HOUR: Final[Mapping[ReferenceUnit, Decimal]] = MappingProxyType(
    {ReferenceUnit.HOUR: Decimal(1), ReferenceUnit.MINUTE: Decimal(60)}
)
"""By what a cost per unit of time is multiplied, since canonical prices of time are per hour."""

SERVICES: Final[Mapping[ServiceType, frozenset[Service]]] = MappingProxyType(
    {
        ServiceType.AUTHORIZATION: frozenset({Service.AUTHORISE, Service.REMOTE, Service.CDR}),
        ServiceType.RESERVATION: frozenset({Service.RESERVATION}),
    }
)
"""What an EMP has by a subscription: Authorization is for starts at the station and from afar, and for their CDRs.

Locations and statuses are not the EMP's affair with the CPO: Hubject subscribes to the CPO's, the EMP to Hubject's.
"""

SERVICE_IDS: Final[Mapping[ServiceType, int]] = MappingProxyType(
    {ServiceType.AUTHORIZATION: 1, ServiceType.RESERVATION: 10}
)

if SERVICES.keys() != set(ServiceType) or SERVICE_IDS.keys() != set(ServiceType):
    raise TableError("a type of service has no row")

SERVED: Final = frozenset({"SUBSCRIBED"})
"""States of a subscription in which Hubject serves the EMP; no other one is named by its texts."""

CANCELLED: Final = frozenset({"CANCELLED", "CANCELED"})
"""States of what holds until `cancellationTo`; the first one stands in an example, and in no list."""
