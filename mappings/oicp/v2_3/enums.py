"""Tables between the canonical enums and the words of OICP 2.3; total when this module is imported."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from mappings.canonical import locations as canonical
from mappings.canonical.energy import EnergySourceCategory, ImpactCategory
from mappings.canonical.locations import ConnectorFormat, ConnectorStandard
from mappings.oicp.v2_3 import vocabulary as wire
from mappings.oicp.v2_3.vocabulary import Day, Plug
from mappings.tables import EnumTable, Lossy, NotSaid

_C = TypeVar("_C", bound=StrEnum)
_W = TypeVar("_W", bound=StrEnum)


def _same_words(canonical_enum: type[_C], wire_enum: type[_W]) -> EnumTable[_C, _W]:
    """Makes the table of an enum whose words the canonical model took from OICP; fails where the two drift apart."""
    return EnumTable(canonical_enum, wire_enum, {member: wire_enum(member.value) for member in canonical_enum})


AUTHENTICATION_MODES = _same_words(canonical.AuthenticationMode, wire.AuthenticationMode)
PAYMENT_OPTIONS = _same_words(canonical.PaymentOption, wire.PaymentOption)
VALUE_ADDED_SERVICES = _same_words(canonical.ValueAddedService, wire.ValueAddedService)
ACCESSIBILITY = _same_words(canonical.Accessibility, wire.Accessibility)
CALIBRATION_LAW = _same_words(canonical.CalibrationLaw, wire.CalibrationLaw)
DYNAMIC_INFO = _same_words(canonical.DynamicInfo, wire.DynamicInfo)
CHARGING_MODES = _same_words(canonical.ChargingMode, wire.ChargingMode)

EVSE_STATUS = EnumTable(
    canonical.EvseStatus,
    wire.EvseStatus,
    {
        canonical.EvseStatus.AVAILABLE: wire.EvseStatus.AVAILABLE,
        canonical.EvseStatus.BLOCKED: Lossy(
            wire.EvseStatus.OCCUPIED, "OICP cannot tell a parked car from a charging one"
        ),
        canonical.EvseStatus.CHARGING: wire.EvseStatus.OCCUPIED,
        canonical.EvseStatus.INOPERATIVE: Lossy(wire.EvseStatus.OUT_OF_SERVICE, "OICP cannot tell closed from broken"),
        canonical.EvseStatus.OUTOFORDER: wire.EvseStatus.OUT_OF_SERVICE,
        canonical.EvseStatus.PLANNED: Lossy(wire.EvseStatus.OUT_OF_SERVICE, "OICP has no word for not yet built"),
        canonical.EvseStatus.REMOVED: NotSaid("a removed EVSE is deleted at the hub, not told a status"),
        canonical.EvseStatus.RESERVED: wire.EvseStatus.RESERVED,
        canonical.EvseStatus.UNKNOWN: wire.EvseStatus.UNKNOWN,
    },
    # Hubject's answer to a question about an EVSE that it does not have: nobody knows, which is not REMOVED.
    {wire.EvseStatus.EVSE_NOT_FOUND: canonical.EvseStatus.UNKNOWN},
)

POWER_TYPES = EnumTable(
    canonical.PowerType,
    wire.PowerType,
    {
        canonical.PowerType.AC_1_PHASE: wire.PowerType.AC_1_PHASE,
        canonical.PowerType.AC_2_PHASE: Lossy(wire.PowerType.AC_1_PHASE, "OICP knows one and three phases"),
        canonical.PowerType.AC_2_PHASE_SPLIT: Lossy(wire.PowerType.AC_1_PHASE, "OICP knows one and three phases"),
        canonical.PowerType.AC_3_PHASE: wire.PowerType.AC_3_PHASE,
        canonical.PowerType.DC: wire.PowerType.DC,
    },
)

PARKING_TYPES = EnumTable(
    canonical.ParkingType,
    wire.AccessibilityLocation,
    {
        canonical.ParkingType.ALONG_MOTORWAY: NotSaid("OICP has no word for a motorway"),
        canonical.ParkingType.PARKING_GARAGE: wire.AccessibilityLocation.PARKING_GARAGE,
        canonical.ParkingType.PARKING_LOT: wire.AccessibilityLocation.PARKING_LOT,
        canonical.ParkingType.ON_DRIVEWAY: NotSaid("OICP has no word for a driveway"),
        canonical.ParkingType.ON_STREET: wire.AccessibilityLocation.ON_STREET,
        canonical.ParkingType.UNDERGROUND_GARAGE: wire.AccessibilityLocation.UNDERGROUND_PARKING_GARAGE,
    },
)

ENERGY_SOURCES = EnumTable(
    EnergySourceCategory,
    wire.Energy,
    {
        EnergySourceCategory.NUCLEAR: wire.Energy.NUCLEAR_ENERGY,
        EnergySourceCategory.GENERAL_FOSSIL: NotSaid("OICP names each fossil fuel"),
        EnergySourceCategory.COAL: wire.Energy.COAL,
        EnergySourceCategory.GAS: wire.Energy.NATURAL_GAS,
        EnergySourceCategory.GENERAL_GREEN: NotSaid("OICP names each renewable source"),
        EnergySourceCategory.SOLAR: wire.Energy.SOLAR,
        EnergySourceCategory.WIND: wire.Energy.WIND,
        EnergySourceCategory.WATER: wire.Energy.HYDRO_POWER,
        EnergySourceCategory.GEOTHERMAL: wire.Energy.GEOTHERMAL_ENERGY,
        EnergySourceCategory.BIOMASS: wire.Energy.BIOMASS,
        EnergySourceCategory.PETROLEUM: wire.Energy.PETROLEUM,
    },
)

IMPACTS = EnumTable(
    ImpactCategory,
    wire.Impact,
    {
        ImpactCategory.NUCLEAR_WASTE: wire.Impact.NUCLEAR_WASTE,
        ImpactCategory.CARBON_DIOXIDE: wire.Impact.CO2_EMISSION,
    },
)

_NO_WORD = NotSaid("OICP has no word for this connector")
_NOT_INDUCTIVE = NotSaid("the canonical model has no inductive coupler")

# What OICP calls a standard, and whether that word fits the format, differs by format: one table for each.
_EITHER: dict[ConnectorStandard, NotSaid] = dict.fromkeys(
    (
        ConnectorStandard.CHAOJI,
        ConnectorStandard.DOMESTIC_A,
        ConnectorStandard.DOMESTIC_B,
        ConnectorStandard.DOMESTIC_C,
        ConnectorStandard.DOMESTIC_D,
        ConnectorStandard.DOMESTIC_H,
        ConnectorStandard.DOMESTIC_I,
        ConnectorStandard.DOMESTIC_K,
        ConnectorStandard.DOMESTIC_L,
        ConnectorStandard.DOMESTIC_M,
        ConnectorStandard.DOMESTIC_N,
        ConnectorStandard.DOMESTIC_O,
        ConnectorStandard.GBT_AC,
        ConnectorStandard.GBT_DC,
        ConnectorStandard.NEMA_6_30,
        ConnectorStandard.NEMA_6_50,
        ConnectorStandard.NEMA_10_30,
        ConnectorStandard.NEMA_10_50,
        ConnectorStandard.NEMA_14_30,
        ConnectorStandard.NEMA_14_50,
        ConnectorStandard.PANTOGRAPH_BOTTOM_UP,
        ConnectorStandard.PANTOGRAPH_TOP_DOWN,
    ),
    _NO_WORD,
)

_READ: dict[Plug, ConnectorStandard | NotSaid] = {
    Plug.SMALL_PADDLE_INDUCTIVE: _NOT_INDUCTIVE,
    Plug.LARGE_PADDLE_INDUCTIVE: _NOT_INDUCTIVE,
    Plug.AVCON: ConnectorStandard.AVCON,
    Plug.TESLA: ConnectorStandard.TESLA_S,
    Plug.NEMA_5_20: ConnectorStandard.NEMA_5_20,
    Plug.TYPE_E: ConnectorStandard.DOMESTIC_E,
    Plug.TYPE_F: ConnectorStandard.DOMESTIC_F,
    Plug.TYPE_G: ConnectorStandard.DOMESTIC_G,
    Plug.TYPE_J: ConnectorStandard.DOMESTIC_J,
    Plug.TYPE_1_CABLE: ConnectorStandard.IEC_62196_T1,
    Plug.TYPE_2_OUTLET: ConnectorStandard.IEC_62196_T2,
    Plug.TYPE_2_CABLE: ConnectorStandard.IEC_62196_T2,
    Plug.TYPE_3_OUTLET: ConnectorStandard.IEC_62196_T3C,
    Plug.IEC_60309_SINGLE: ConnectorStandard.IEC_60309_2_SINGLE_16,
    # Which of the three it is follows from the facility's current or power (mappings.oicp.v2_3.connectors).
    Plug.IEC_60309_THREE: ConnectorStandard.IEC_60309_2_THREE_16,
    Plug.CCS_2: ConnectorStandard.IEC_62196_T2_COMBO,
    Plug.CCS_1: ConnectorStandard.IEC_62196_T1_COMBO,
    Plug.CHADEMO: ConnectorStandard.CHADEMO,
}

_OTHER_RATING = "OICP does not say the rating; it is read back from the facility's current or power"
_CABLE_ONLY = "OICP knows it only with a cable attached"
_SOCKET_ONLY = "OICP knows it only as a socket"

SOCKETS = EnumTable(
    ConnectorStandard,
    Plug,
    {
        **_EITHER,
        ConnectorStandard.CHADEMO: Lossy(Plug.CHADEMO, _CABLE_ONLY),
        ConnectorStandard.DOMESTIC_E: Plug.TYPE_E,
        ConnectorStandard.DOMESTIC_F: Plug.TYPE_F,
        ConnectorStandard.DOMESTIC_G: Plug.TYPE_G,
        ConnectorStandard.DOMESTIC_J: Plug.TYPE_J,
        ConnectorStandard.IEC_60309_2_SINGLE_16: Plug.IEC_60309_SINGLE,
        ConnectorStandard.IEC_60309_2_THREE_16: Lossy(Plug.IEC_60309_THREE, _OTHER_RATING),
        ConnectorStandard.IEC_60309_2_THREE_32: Lossy(Plug.IEC_60309_THREE, _OTHER_RATING),
        ConnectorStandard.IEC_60309_2_THREE_64: Lossy(Plug.IEC_60309_THREE, _OTHER_RATING),
        ConnectorStandard.IEC_62196_T1: Lossy(Plug.TYPE_1_CABLE, _CABLE_ONLY),
        ConnectorStandard.IEC_62196_T1_COMBO: Lossy(Plug.CCS_1, _CABLE_ONLY),
        ConnectorStandard.IEC_62196_T2: Plug.TYPE_2_OUTLET,
        ConnectorStandard.IEC_62196_T2_COMBO: Lossy(Plug.CCS_2, _CABLE_ONLY),
        ConnectorStandard.IEC_62196_T3A: Lossy(Plug.TYPE_3_OUTLET, "OICP cannot tell type 3A from 3C"),
        ConnectorStandard.IEC_62196_T3C: Plug.TYPE_3_OUTLET,
        ConnectorStandard.NEMA_5_20: Plug.NEMA_5_20,
        ConnectorStandard.TESLA_R: Lossy(Plug.TESLA, "OICP cannot tell Tesla's connectors apart"),
        ConnectorStandard.TESLA_S: Lossy(Plug.TESLA, _CABLE_ONLY),
        ConnectorStandard.AVCON: Lossy(Plug.AVCON, _CABLE_ONLY),
    },
    _READ,
)

CABLES = EnumTable(
    ConnectorStandard,
    Plug,
    {
        **_EITHER,
        ConnectorStandard.CHADEMO: Plug.CHADEMO,
        ConnectorStandard.DOMESTIC_E: Lossy(Plug.TYPE_E, _SOCKET_ONLY),
        ConnectorStandard.DOMESTIC_F: Lossy(Plug.TYPE_F, _SOCKET_ONLY),
        ConnectorStandard.DOMESTIC_G: Lossy(Plug.TYPE_G, _SOCKET_ONLY),
        ConnectorStandard.DOMESTIC_J: Lossy(Plug.TYPE_J, _SOCKET_ONLY),
        ConnectorStandard.IEC_60309_2_SINGLE_16: Lossy(Plug.IEC_60309_SINGLE, _SOCKET_ONLY),
        ConnectorStandard.IEC_60309_2_THREE_16: Lossy(Plug.IEC_60309_THREE, _SOCKET_ONLY),
        ConnectorStandard.IEC_60309_2_THREE_32: Lossy(Plug.IEC_60309_THREE, _SOCKET_ONLY),
        ConnectorStandard.IEC_60309_2_THREE_64: Lossy(Plug.IEC_60309_THREE, _SOCKET_ONLY),
        ConnectorStandard.IEC_62196_T1: Plug.TYPE_1_CABLE,
        ConnectorStandard.IEC_62196_T1_COMBO: Plug.CCS_1,
        ConnectorStandard.IEC_62196_T2: Plug.TYPE_2_CABLE,
        ConnectorStandard.IEC_62196_T2_COMBO: Plug.CCS_2,
        ConnectorStandard.IEC_62196_T3A: Lossy(Plug.TYPE_3_OUTLET, _SOCKET_ONLY),
        ConnectorStandard.IEC_62196_T3C: Lossy(Plug.TYPE_3_OUTLET, _SOCKET_ONLY),
        ConnectorStandard.NEMA_5_20: Lossy(Plug.NEMA_5_20, _SOCKET_ONLY),
        ConnectorStandard.TESLA_R: Lossy(Plug.TESLA, "OICP cannot tell Tesla's connectors apart"),
        ConnectorStandard.TESLA_S: Plug.TESLA,
        ConnectorStandard.AVCON: Plug.AVCON,
    },
    _READ,
)

PLUGS: Mapping[ConnectorFormat, EnumTable[ConnectorStandard, Plug]] = MappingProxyType(
    {ConnectorFormat.SOCKET: SOCKETS, ConnectorFormat.CABLE: CABLES}
)
"""The table to use for each format."""

ALWAYS_DC = frozenset({Plug.CCS_1, Plug.CCS_2, Plug.CHADEMO})
"""Plugs that carry nothing but DC."""

_SOCKET_PLUGS = frozenset(
    {
        Plug.NEMA_5_20,
        Plug.TYPE_E,
        Plug.TYPE_F,
        Plug.TYPE_G,
        Plug.TYPE_J,
        Plug.TYPE_2_OUTLET,
        Plug.TYPE_3_OUTLET,
        Plug.IEC_60309_SINGLE,
        Plug.IEC_60309_THREE,
    }
)

PLUG_FORMATS: Mapping[Plug, ConnectorFormat] = MappingProxyType(
    {plug: ConnectorFormat.SOCKET if plug in _SOCKET_PLUGS else ConnectorFormat.CABLE for plug in Plug}
)
"""The format that a word of OICP implies."""

WEEKDAYS: Mapping[Day, tuple[int, ...]] = MappingProxyType(
    {
        Day.EVERYDAY: (1, 2, 3, 4, 5, 6, 7),
        Day.WORKDAYS: (1, 2, 3, 4, 5),
        Day.WEEKEND: (6, 7),
        Day.MONDAY: (1,),
        Day.TUESDAY: (2,),
        Day.WEDNESDAY: (3,),
        Day.THURSDAY: (4,),
        Day.FRIDAY: (5,),
        Day.SATURDAY: (6,),
        Day.SUNDAY: (7,),
    }
)
"""The weekdays, 1 Monday to 7 Sunday, that a word of OpeningTimes stands for."""
