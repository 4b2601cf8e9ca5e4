"""Tables between the canonical enums of tariffs and the words of OICP 2.3; total when this module is imported."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from mappings.canonical.tariffs import TariffDimension, TariffRestrictions, TariffType
from mappings.oicp.v2_3 import vocabulary as wire
from mappings.tables import EnumTable, NotSaid, TableError

REFERENCE_UNITS = EnumTable(
    TariffDimension,
    wire.ReferenceUnit,
    {
        TariffDimension.ENERGY: wire.ReferenceUnit.KILOWATT_HOUR,
        TariffDimension.FLAT: NotSaid("said by the START FEE or FIXED FEE"),
        TariffDimension.PARKING_TIME: NotSaid("said by the PARKING FEE"),
        # OICP 2.3, AdditionalReferenceType: what is asked for parking comes on top, so this is for charging.
        TariffDimension.TIME: wire.ReferenceUnit.HOUR,
        TariffDimension.SESSION_TIME: NotSaid("said as TIME and the PARKING FEE, at the same price"),
    },
    {wire.ReferenceUnit.MINUTE: TariffDimension.TIME},
)

PER_HOUR: Final[Mapping[wire.ReferenceUnit, Decimal]] = MappingProxyType(
    {wire.ReferenceUnit.HOUR: Decimal(1), wire.ReferenceUnit.MINUTE: Decimal(60)}
)
"""By what a price per unit of time is multiplied, since canonical prices of time are per hour."""

CONDITIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "start_date": "dates",
        "end_date": "dates",
        "min_kwh": "limits of energy",
        "max_kwh": "limits of energy",
        "min_current": "limits of current",
        "max_current": "limits of current",
        "min_power": "limits of power within a charge",
        "max_power": "limits of power within a charge",
        "min_duration": "limits of time",
        "max_duration": "limits of time",
        "unknown": "such restrictions",
    }
)
"""What OICP has none of, by the restriction that asks for it."""

SAID_OTHERWISE: Final = frozenset({"start_time", "end_time", "day_of_week", "reservation"})
"""Restrictions by the clock, and the one that makes an element a reservation's."""

if TariffRestrictions.model_fields.keys() != CONDITIONS.keys() | SAID_OTHERWISE:
    raise TableError("CONDITIONS misses a restriction, or has one too many")

ROAMING: Final[Mapping[TariffType, bool]] = MappingProxyType(
    {
        TariffType.REGULAR: True,
        TariffType.AD_HOC_PAYMENT: False,
        # OICP's drivers have no preferences.
        TariffType.PROFILE_CHEAP: False,
        TariffType.PROFILE_FAST: False,
        TariffType.PROFILE_GREEN: False,
    }
)
"""Whether a tariff is what a roaming driver pays who chose nothing."""

if ROAMING.keys() != set(TariffType):
    raise TableError("ROAMING misses a type of tariff")
