"""Tables between the canonical enums of tariffs and the words of OICP 2.3; total when this module is imported."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from mappings.canonical.tariffs import TariffDimension
from mappings.oicp.v2_3 import vocabulary as wire
from mappings.tables import EnumTable, NotSaid

REFERENCE_UNITS = EnumTable(
    TariffDimension,
    wire.ReferenceUnit,
    {
        TariffDimension.ENERGY: wire.ReferenceUnit.KILOWATT_HOUR,
        TariffDimension.FLAT: NotSaid("said by the START FEE or FIXED FEE"),
        TariffDimension.PARKING_TIME: NotSaid("said by the PARKING FEE"),
        # OICP 2.3, AdditionalReferenceType: what is asked for parking comes on top, so this is for charging.
        TariffDimension.TIME: wire.ReferenceUnit.HOUR,
        TariffDimension.SESSION_TIME: NotSaid("OICP has no word for a session charging or not"),
    },
    {wire.ReferenceUnit.MINUTE: TariffDimension.TIME},
)

PER_HOUR: Final[Mapping[wire.ReferenceUnit, Decimal]] = MappingProxyType(
    {wire.ReferenceUnit.HOUR: Decimal(1), wire.ReferenceUnit.MINUTE: Decimal(60)}
)
"""By what a price per unit of time is multiplied, since canonical prices of time are per hour."""
