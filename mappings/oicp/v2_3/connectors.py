"""Plugs and ChargingFacilities from connectors and back.

OICP lists plugs and facilities apart. They are written in step, one facility for each plug in the same order, doubles
left out, so that whoever pairs them by place is right; they are read by place where that makes sense, else by kind.

Figures: `Power` is whole kW in the OpenAPI (the text has a number elsewhere), `Voltage` ends at 999 and `Amperage` at
99. A current or voltage beyond that is left open, since a smaller figure would be untrue and the power says what a
driver needs; a power beyond 999 kW is written as 999, since it is mandatory.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NamedTuple

from mappings.canonical.locations import ChargingMode, Connector, ConnectorFormat, ConnectorStandard, PowerType
from mappings.oicp.v2_3.enums import CHARGING_MODES, PLUGS, POWER_TYPES
from mappings.oicp.v2_3.vocabulary import Plug
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, IssueKind, Refused
from mappings.tables import NotRepresentable

_MAX_VOLTAGE = 999
_MAX_AMPERAGE = 99
_MAX_KILOWATT = 999
_KILO = Decimal(1000)

_ALWAYS_DC = frozenset({Plug.CCS_1, Plug.CCS_2, Plug.CHADEMO})
_SINGLE_PHASE = frozenset(
    {
        Plug.TYPE_1_CABLE,
        Plug.TYPE_E,
        Plug.TYPE_F,
        Plug.TYPE_G,
        Plug.TYPE_J,
        Plug.NEMA_5_20,
        Plug.IEC_60309_SINGLE,
        Plug.AVCON,
    }
)
# One phase gives 7.4 kW at 32 A; three phases 44 kW at 63 A, where type 2 ends. What is more is DC.
_ONE_PHASE_ENDS = Decimal(7400)
_THREE_PHASES_END = Decimal(44000)
# Nobody has so much between line and neutral on the low voltage grid, but between lines.
_LINE_TO_LINE = range(346, 500)
_ROOT_3 = Decimal("1.7320508")


class _Note(NamedTuple):
    kind: IssueKind
    field: str
    detail: str
    value: str | None = None


class _Outlet(NamedTuple):
    """One connector in OICP's words; `plug` is None where OICP has none, `facility` where the power is not known.

    `key` is the same for connectors that say the same in OICP.
    """

    plug: str | None
    facility: Record | None
    notes: tuple[_Note, ...]
    key: str = ""


def write(
    connectors: Iterable[Connector], path: str, fallback: ConnectorFormat | None, issues: list[Issue]
) -> tuple[list[str], list[Record]]:
    """Writes an EVSE's connectors as plugs and facilities.

    The dictionaries are shared between records: they are to be read, not changed.

    Args:
        connectors: The EVSE's.
        path: Their path in the source, `evses[0].connectors`.
        fallback: The format of a connector that does not say, where OICP's word depends on it.
        issues: Takes what was noted.

    Raises:
        Refused: OICP has a word for none of them, or none says its power.
    """
    outlets: dict[str, tuple[str, Record | None]] = {}
    for n, c in enumerate(connectors):
        outlet = _outlet(
            c.standard, c.format, c.power_type, c.max_voltage, c.max_amperage, c.max_power, c.charging_modes, fallback
        )
        issues.extend(Issue(kind, f"{path}[{n}].{field}", detail, value) for kind, field, detail, value in outlet.notes)
        if outlet.plug is not None:
            outlets[outlet.key] = outlet.plug, outlet.facility
    if not outlets:
        raise Refused(path, "no connector that OICP has a word for", before=issues)
    pairs = list(outlets.values())
    facilities = [facility for _, facility in pairs if facility is not None]
    if not facilities:
        raise Refused(path, "no connector says its power, which OICP demands", before=issues)
    return [plug for plug, _ in pairs], facilities


@lru_cache(maxsize=65536)
def _outlet(
    standard: ConnectorStandard,
    given_format: ConnectorFormat | None,
    given_type: PowerType | None,
    voltage: int | None,
    amperage: int | None,
    power: Decimal | None,
    modes: tuple[ChargingMode, ...],
    fallback: ConnectorFormat | None,
) -> _Outlet:
    notes: list[_Note] = []
    plug = _plug(standard, given_format, given_type, fallback, notes)
    if plug is None:
        return _Outlet(None, None, tuple(notes))
    facility: Record = {}
    power_type = given_type or _power_type(plug, power, notes)
    watts = _watts(power_type, voltage, amperage, power, notes)
    if power_type is None or watts is None:
        notes.append(_Note(IssueKind.LEFT_OUT, "max_power", "no facility without a known power and kind of current"))
        return _Outlet(plug.value, None, tuple(notes), plug.value)
    word = POWER_TYPES.from_canonical(power_type)
    if lost := POWER_TYPES.lost(power_type):
        notes.append(_Note(IssueKind.NARROWED, "power_type", lost, power_type.value))
    facility["PowerType"] = word.value
    if voltage:
        if voltage <= _MAX_VOLTAGE:
            facility["Voltage"] = voltage
        else:
            notes.append(_Note(IssueKind.LOST, "max_voltage", "OICP's voltage ends at 999 V", str(voltage)))
    if amperage:
        if amperage <= _MAX_AMPERAGE:
            facility["Amperage"] = amperage
        else:
            notes.append(_Note(IssueKind.LOST, "max_amperage", "OICP's current ends at 99 A", str(amperage)))
    facility["Power"] = _kilowatt(watts, notes)
    if modes:
        facility["ChargingModes"] = [CHARGING_MODES.from_canonical(mode).value for mode in modes]
    return _Outlet(plug.value, facility, tuple(notes), f"{plug.value} {facility}")


def _plug(
    standard: ConnectorStandard,
    given: ConnectorFormat | None,
    power_type: PowerType | None,
    fallback: ConnectorFormat | None,
    notes: list[_Note],
) -> Plug | None:
    try:
        if given is not None:
            table = PLUGS[given]
            if lost := table.lost(standard):
                notes.append(_Note(IssueKind.NARROWED, "standard", lost, standard.value))
            return table.from_canonical(standard)
        words = [PLUGS[each].from_canonical(standard) for each in ConnectorFormat]
    except NotRepresentable as error:
        notes.append(_Note(IssueKind.LEFT_OUT, "standard", str(error), standard.value))
        return None
    if words[0] is words[1]:
        return words[0]
    if power_type is PowerType.DC:
        # A current so high never comes out of a socket.
        return PLUGS[ConnectorFormat.CABLE].from_canonical(standard)
    if fallback is None:
        notes.append(_Note(IssueKind.LEFT_OUT, "format", "not said whether the cable is attached, which OICP demands"))
        return None
    notes.append(_Note(IssueKind.DEFAULTED, "format", f"the operator's default, {fallback.value}"))
    return PLUGS[fallback].from_canonical(standard)


def _power_type(plug: Plug, power: Decimal | None, notes: list[_Note]) -> PowerType | None:
    if plug in _ALWAYS_DC:
        return PowerType.DC
    if plug in _SINGLE_PHASE:
        return PowerType.AC_1_PHASE
    if plug is Plug.IEC_60309_THREE:
        return PowerType.AC_3_PHASE
    if not power:
        return None
    if power <= _ONE_PHASE_ENDS:
        kind = PowerType.AC_1_PHASE
    else:
        kind = PowerType.AC_3_PHASE if power <= _THREE_PHASES_END else PowerType.DC
    notes.append(_Note(IssueKind.MENDED, "power_type", f"not said; the power makes it {kind.value}", str(power)))
    return kind


def _product(kind: PowerType | None, voltage: int | None, amperage: int | None) -> Decimal | None:
    if kind is None or not voltage or not amperage:
        return None
    product = Decimal(voltage * amperage)
    if kind is PowerType.AC_3_PHASE:
        return product * (_ROOT_3 if voltage in _LINE_TO_LINE else 3)
    return product


def _watts(
    kind: PowerType | None, voltage: int | None, amperage: int | None, power: Decimal | None, notes: list[_Note]
) -> Decimal | None:
    product = _product(kind, voltage, amperage)
    if not power:
        if product is not None:
            notes.append(_Note(IssueKind.MENDED, "max_power", "not said; worked out from voltage and current"))
        return product
    if product is not None and kind is not PowerType.DC and power >= 500 * product:
        detail = "a thousand times what voltage and current give, so these were taken"
        notes.append(_Note(IssueKind.MENDED, "max_power", detail, str(power)))
        return product
    return power


def _kilowatt(watts: Decimal, notes: list[_Note]) -> int:
    kilowatt = max(1, int((watts / _KILO).quantize(Decimal(1), ROUND_HALF_UP)))
    if kilowatt > _MAX_KILOWATT:
        notes.append(_Note(IssueKind.NARROWED, "max_power", "OICP's power ends at 999 kW", f"{watts:f} W"))
        return _MAX_KILOWATT
    if kilowatt * _KILO != watts:
        notes.append(_Note(IssueKind.NARROWED, "max_power", "rounded to whole kW", f"{watts:f} W"))
    return kilowatt
