"""Plugs and ChargingFacilities from connectors and back.

OICP lists plugs and facilities apart. They are written in step, one facility for each plug in the same order, doubles
left out, so that whoever pairs them by place is right; they are read by place where that makes sense, else by kind.

Figures: `Power` is whole kW in the OpenAPI (the text has a number elsewhere), `Voltage` ends at 999 and `Amperage` at
99. A current or voltage beyond that is left open, since a smaller figure would be untrue and the power says what a
driver needs; a power beyond 999 kW is written as 999, since it is mandatory.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from mappings.canonical.locations import Connector, ConnectorFormat, PowerType
from mappings.oicp.v2_3.enums import ALWAYS_DC, CHARGING_MODES, PLUGS, POWER_TYPES
from mappings.oicp.v2_3.vocabulary import Plug
from mappings.oicp.v2_3.wire import Record
from mappings.report import IssueKind, Report
from mappings.tables import NotRepresentable

_MAX_VOLTAGE = 999
_MAX_AMPERAGE = 99
_MAX_KILOWATT = 999
_KILO = Decimal(1000)

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


def write(
    connectors: Iterable[Connector], fallback: ConnectorFormat | None, report: Report
) -> tuple[list[str], list[Record]]:
    """Writes an EVSE's connectors as plugs and facilities.

    Args:
        connectors: The EVSE's.
        fallback: The format of a connector that does not say, where OICP's word depends on it.
        report: Takes what was noted; paths are the EVSE's.

    Raises:
        Refused: OICP has a word for none of them, or none says its power.
    """
    outlets: list[tuple[str, Record | None]] = []
    for n, connector in enumerate(connectors):
        plug = _plug(connector, fallback, f"connectors[{n}]", report)
        if plug is not None:
            outlet = plug.value, _facility(plug, connector, f"connectors[{n}]", report)
            if outlet not in outlets:
                outlets.append(outlet)
    if not outlets:
        raise report.refuse("connectors", "no connector that OICP has a word for")
    facilities = [facility for _, facility in outlets if facility is not None]
    if not facilities:
        raise report.refuse("connectors", "no connector says its power, which OICP demands")
    return [plug for plug, _ in outlets], facilities


def _facility(plug: Plug, connector: Connector, path: str, report: Report) -> Record | None:
    """Writes what a plug gives; None where its power is not known."""
    power_type = connector.power_type or _power_type(plug, connector.max_power, path, report)
    watts = _watts(power_type, connector, path, report)
    if power_type is None or watts is None:
        detail = "no facility without a known power and kind of current"
        report.add(IssueKind.LEFT_OUT, f"{path}.max_power", detail)
        return None
    if lost := POWER_TYPES.lost(power_type):
        report.add(IssueKind.NARROWED, f"{path}.power_type", lost, power_type.value)
    facility: Record = {"PowerType": POWER_TYPES.from_canonical(power_type).value}
    if voltage := connector.max_voltage:
        if voltage <= _MAX_VOLTAGE:
            facility["Voltage"] = voltage
        else:
            report.add(IssueKind.LOST, f"{path}.max_voltage", "OICP's voltage ends at 999 V", voltage)
    if amperage := connector.max_amperage:
        if amperage <= _MAX_AMPERAGE:
            facility["Amperage"] = amperage
        else:
            report.add(IssueKind.LOST, f"{path}.max_amperage", "OICP's current ends at 99 A", amperage)
    facility["Power"] = _kilowatt(watts, path, report)
    if connector.charging_modes:
        facility["ChargingModes"] = [CHARGING_MODES.from_canonical(mode).value for mode in connector.charging_modes]
    return facility


def _plug(connector: Connector, fallback: ConnectorFormat | None, path: str, report: Report) -> Plug | None:
    standard = connector.standard
    try:
        if connector.format is not None:
            table = PLUGS[connector.format]
            if lost := table.lost(standard):
                report.add(IssueKind.NARROWED, f"{path}.standard", lost, standard.value)
            return table.from_canonical(standard)
        words = [PLUGS[each].from_canonical(standard) for each in ConnectorFormat]
    except NotRepresentable as error:
        report.add(IssueKind.LEFT_OUT, f"{path}.standard", str(error), standard.value)
        return None
    if words[0] is words[1]:
        return words[0]
    if connector.power_type is PowerType.DC:
        # A current so high never comes out of a socket.
        return PLUGS[ConnectorFormat.CABLE].from_canonical(standard)
    field = f"{path}.format"
    if fallback is None:
        report.add(IssueKind.LEFT_OUT, field, "not said whether the cable is attached, which OICP demands")
        return None
    report.add(IssueKind.DEFAULTED, field, f"the operator's default, {fallback.value}")
    return PLUGS[fallback].from_canonical(standard)


def _power_type(plug: Plug, power: Decimal | None, path: str, report: Report) -> PowerType | None:
    if plug in ALWAYS_DC:
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
    report.add(IssueKind.MENDED, f"{path}.power_type", f"not said; the power makes it {kind.value}", power)
    return kind


def _product(kind: PowerType | None, voltage: int | None, amperage: int | None) -> Decimal | None:
    if kind is None or not voltage or not amperage:
        return None
    product = Decimal(voltage * amperage)
    if kind is PowerType.AC_3_PHASE:
        return product * (_ROOT_3 if voltage in _LINE_TO_LINE else 3)
    return product


def _watts(kind: PowerType | None, connector: Connector, path: str, report: Report) -> Decimal | None:
    product = _product(kind, connector.max_voltage, connector.max_amperage)
    power, field = connector.max_power, f"{path}.max_power"
    if not power:
        if product is not None:
            report.add(IssueKind.MENDED, field, "not said; worked out from voltage and current")
        return product
    if product is not None and kind is not PowerType.DC and power >= 500 * product:
        detail = "a thousand times what voltage and current give, so these were taken"
        report.add(IssueKind.MENDED, field, detail, power)
        return product
    return power


def _kilowatt(watts: Decimal, path: str, report: Report) -> int:
    kilowatt = max(1, int((watts / _KILO).quantize(Decimal(1), ROUND_HALF_UP)))
    if kilowatt > _MAX_KILOWATT:
        report.add(IssueKind.NARROWED, f"{path}.max_power", "OICP's power ends at 999 kW", f"{watts:f} W")
        return _MAX_KILOWATT
    if kilowatt * _KILO != watts:
        report.add(IssueKind.NARROWED, f"{path}.max_power", "rounded to whole kW", f"{watts:f} W")
    return kilowatt
