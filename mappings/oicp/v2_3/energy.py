"""RenewableEnergy, EnergySource and EnvironmentalImpact in both directions."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from mappings.canonical.energy import EnergyMix, EnergySource, EnvironmentalImpact
from mappings.oicp.v2_3.enums import ENERGY_SOURCES, IMPACTS
from mappings.oicp.v2_3.values import enum, number
from mappings.oicp.v2_3.vocabulary import Impact
from mappings.oicp.v2_3.wire import Record
from mappings.report import IssueKind, Report
from mappings.tables import NotRepresentable
from mappings.trusted import build

_LARGEST_SHARE = 99
"""OICP gives the percentage two digits, so that a whole cannot be said."""
_LARGEST_IMPACT = 99999


def write(mix: EnergyMix, field: str, report: Report) -> Record:
    """Writes the optional fields of a mix; `RenewableEnergy` is the caller's, who knows the operator's default."""
    record: Record = {}
    sources = [w for n, s in enumerate(mix.sources) if (w := _source(s, f"{field}.sources[{n}]", report)) is not None]
    if sources:
        record["EnergySource"] = sources
    impacts: Record = {}
    for n, impact in enumerate(mix.impacts):
        word = IMPACTS.from_canonical(impact.category).value
        if not 0 <= impact.amount <= _LARGEST_IMPACT:
            report.add(IssueKind.LEFT_OUT, f"{field}.impacts[{n}]", "beyond what OICP can say", impact.amount)
        else:
            impacts[word] = float(impact.amount)
    if impacts:
        record["EnvironmentalImpact"] = impacts
    if mix.supplier_name is not None or mix.product_name is not None:
        report.add(IssueKind.LOST, field, "OICP has no place for the energy's supplier and product")
    return record


def _source(source: EnergySource, field: str, report: Report) -> Record | None:
    try:
        written: Record = {"Energy": ENERGY_SOURCES.from_canonical(source.source).value}
    except NotRepresentable as error:
        report.add(IssueKind.LEFT_OUT, field, str(error), source.source.value)
        return None
    if source.percentage is not None:
        share = int(source.percentage.quantize(Decimal(1), ROUND_HALF_UP))
        if share > _LARGEST_SHARE:
            report.add(IssueKind.NARROWED, field, "OICP's percentage ends at 99, so it is left open", share)
        else:
            written["Percentage"] = share
            if share != source.percentage:
                report.add(IssueKind.NARROWED, field, "rounded to whole per cent", source.percentage)
    return written


def read(record: Mapping[str, Any], report: Report) -> EnergyMix | None:
    """Reads the three fields; None where the record says nothing of its energy."""
    green = record.get("RenewableEnergy")
    sources: list[EnergySource] = []
    listed = record.get("EnergySource")
    for n, item in enumerate(listed if isinstance(listed, list) else [] if listed is None else [listed]):
        path = f"EnergySource[{n}]"
        source = enum(ENERGY_SOURCES, item.get("Energy") if isinstance(item, Mapping) else item, path, report)
        if source is not None:
            share = number(item.get("Percentage"), f"{path}.Percentage", report) if isinstance(item, Mapping) else None
            if share is not None and not 0 <= share <= 100:
                report.add(IssueKind.UNKNOWN, f"{path}.Percentage", "not a percentage", share)
                share = None
            sources.append(EnergySource(source=source, percentage=share))
    impacts: list[EnvironmentalImpact] = []
    figures = record.get("EnvironmentalImpact")
    if isinstance(figures, Mapping):
        for word in Impact:
            amount = number(figures.get(word.value), f"EnvironmentalImpact.{word.value}", report)
            if amount is not None:
                impacts.append(EnvironmentalImpact(category=IMPACTS.to_canonical(word.value), amount=amount))
    if not isinstance(green, bool):
        if green is not None:
            report.add(IssueKind.UNKNOWN, "RenewableEnergy", "neither true nor false", green)
        if sources or impacts:
            report.add(IssueKind.UNKNOWN, "RenewableEnergy", "not said beside an energy mix, so not called green")
        else:
            return None
    mix = {"is_green_energy": green is True, "sources": tuple(sources), "impacts": tuple(impacts)}
    return build(EnergyMix, mix)
