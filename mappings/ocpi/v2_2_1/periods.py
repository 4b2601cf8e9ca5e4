"""Charging periods of sessions and CDRs, both ways (OCPI 2.2.1, mod_cdrs, ChargingPeriod)."""

from collections.abc import Iterable

from mappings.canonical.sessions import ChargingPeriod, Dimension, DimensionType
from mappings.ocpi import times, values
from mappings.ocpi.reading import Path, show
from mappings.ocpi.v2_2_1 import enums_charging as enums
from mappings.ocpi.v2_2_1 import prices
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1 import wire_charging as wc
from mappings.report import IssueKind, Report

SESSION_ONLY = frozenset(
    {
        *(DimensionType.CURRENT, DimensionType.ENERGY_EXPORT, DimensionType.ENERGY_IMPORT),
        *(DimensionType.POWER, DimensionType.STATE_OF_CHARGE),
    }
)
"""What a CDR has no use for (CdrDimensionType, "Session Only")."""

_PERIOD, _DIMENSION = w.names(wc.ChargingPeriod), w.names(wc.CdrDimension)


def periods_in(wires: list[wc.ChargingPeriod] | None, report: Report, path: Path) -> tuple[ChargingPeriod, ...]:
    """Reads periods; a dimension that is unknown is left out.

    Raises:
        Refused: A start, a volume or a tariff's id cannot be read.
    """
    return tuple(_period_in(wire, report, (*path, index)) for index, wire in enumerate(wires or ()))


def _period_in(wire: wc.ChargingPeriod, report: Report, path: Path) -> ChargingPeriod:
    values.dropped(wire, _PERIOD, report, path)
    dimensions = []
    for index, each in enumerate(wire["dimensions"]):
        at = (*path, "dimensions", index)
        values.dropped(each, _DIMENSION, report, at)
        kind = enums.DIMENSION_TYPES.find(each["type"]) or enums.DIMENSION_TYPES.mend(each["type"])
        if kind is None:
            report.add(IssueKind.LEFT_OUT, show(at), "not a CdrDimensionType; left out", each["type"])
            continue
        if kind.value != each["type"]:
            report.add(IssueKind.MENDED, show((*at, "type")), f"read as {kind.value!r}", each["type"])
        dimensions.append(Dimension(type=kind, volume=values.number(each["volume"], report, at, "volume")))
    tariff = wire.get("tariff_id")
    return ChargingPeriod(
        start=values.moment(wire["start_date_time"], report, path, "start_date_time"),
        dimensions=tuple(dimensions),
        tariff_id=None if tariff is None else values.own_id(tariff, values.LONGEST_ID, report, path, "tariff_id"),
    )


def periods_out(
    periods: Iterable[ChargingPeriod], report: Report, path: Path, without: frozenset[DimensionType] = frozenset()
) -> list[w.Wire]:
    """Writes periods; one that says nothing is left out, since OCPI demands a dimension.

    Args:
        periods: In the order of time.
        report: Takes the issues.
        path: Of the list in the source.
        without: Dimensions that are not said.
    """
    made = []
    for index, period in enumerate(periods):
        at = (*path, index)
        dimensions = []
        for number, each in enumerate(period.dimensions):
            place = (*at, "dimensions", number)
            if each.type in without:
                report.add(IssueKind.LOST, show(place), "OCPI has it in sessions only", each.type)
                continue
            said = values.said(enums.DIMENSION_TYPES, each.type, report, place, "type")
            dimensions.append({"type": said, "volume": prices.number_out(each.volume, report, (*place, "volume"))})
        if not dimensions:
            report.add(IssueKind.LOST, show(at), "says nothing, and OCPI demands a dimension")
            continue
        wire: w.Wire = {"start_date_time": times.write(period.start), "dimensions": dimensions}
        if period.tariff_id is not None:
            wire["tariff_id"] = period.tariff_id
        made.append(wire)
    return made
