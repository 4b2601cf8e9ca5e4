"""Connectors from Plugs and ChargingFacilities, which OICP lists apart and does not pair."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import pydantic_core

from mappings.canonical.locations import ChargingMode, Connector, ConnectorStandard, PowerType
from mappings.oicp.v2_3 import forms
from mappings.oicp.v2_3.enums import ALWAYS_DC, CHARGING_MODES, PLUG_FORMATS, POWER_TYPES, SOCKETS
from mappings.oicp.v2_3.values import enum, enums, listed, number
from mappings.oicp.v2_3.vocabulary import Plug
from mappings.oicp.v2_3.wire import ChargingFacility
from mappings.report import Issue, IssueKind, Report
from mappings.tables import NotRepresentable
from mappings.trusted import build

_USUAL = 4096
"""Bytes of what is told of plugs and facilities, up to which it is worth remembering."""

_DC_OR_AC = frozenset({Plug.TYPE_2_CABLE, Plug.TESLA})
_PLUGS_BY_TEXT = {plug.value.casefold(): plug for plug in Plug}

# By the current of the coupler, and what three phases of 230 V give with it.
_IEC_60309_THREE = (
    (16, Decimal(11_100), ConnectorStandard.IEC_60309_2_THREE_16),
    (32, Decimal(22_200), ConnectorStandard.IEC_60309_2_THREE_32),
)


class _Facility(NamedTuple):
    power_type: PowerType | None = None
    voltage: int | None = None
    amperage: int | None = None
    power: Decimal | None = None
    modes: tuple[ChargingMode, ...] = ()

    def suits(self, plug: Plug) -> bool:
        if self.power_type is None or plug in _DC_OR_AC:
            return True
        return (self.power_type is PowerType.DC) == (plug in ALWAYS_DC)


def read(plugs: Any, facilities: Any, at: datetime, report: Report) -> tuple[Connector, ...]:
    """Makes one connector of each plug, with the facility at its place, or else the strongest of its kind.

    A plug that the canonical model has no standard for is left out.
    """
    # A network of many thousand EVSEs has a handful of kinds.
    told = pydantic_core.to_json((plugs, facilities))
    kinds, issues = _kinds(told) if len(told) <= _USUAL else _kinds.__wrapped__(told)
    report.issues += issues
    return tuple(build(Connector, {**kind, "last_updated": at}) for kind in kinds)


@lru_cache(maxsize=4096)
def _kinds(told: bytes) -> tuple[list[dict[str, Any]], list[Issue]]:
    """Gives the fields of the connectors of one kind of EVSE, and what was noted of it."""
    plugs, facilities = pydantic_core.from_json(told)
    report = Report()
    words = [plug for n, item in enumerate(listed(plugs)) if (plug := _plug(item, f"Plugs[{n}]", report)) is not None]
    offers = [
        offer
        for n, item in enumerate(listed(facilities))
        if (offer := _facility(item, f"ChargingFacilities[{n}]", report)) is not None
    ]
    in_step = len(words) == len(offers) and all(map(_Facility.suits, offers, words))
    if offers and not in_step:
        report.add(
            IssueKind.NARROWED, "ChargingFacilities", "not one for each plug; the strongest of its kind was taken"
        )
    found: list[dict[str, Any]] = []
    for n, plug in enumerate(words):
        offer = offers[n] if in_step else _strongest(plug, offers)
        try:
            standard = _standard(plug, offer)
        except NotRepresentable as error:
            report.add(IssueKind.LEFT_OUT, f"Plugs[{n}]", str(error), plug.value)
            continue
        found.append(
            {
                "id": str(len(found) + 1),
                "standard": standard,
                "format": PLUG_FORMATS[plug],
                "power_type": offer.power_type,
                "max_voltage": offer.voltage,
                "max_amperage": offer.amperage,
                "max_power": offer.power,
                "charging_modes": offer.modes,
            }
        )
    return found, report.issues


def _plug(item: Any, field: str, report: Report) -> Plug | None:
    plug = _PLUGS_BY_TEXT.get(str(item).strip().casefold())
    if plug is None:
        report.add(IssueKind.LEFT_OUT, field, "not a Plug of OICP 2.3", item)
    elif plug.value != item:
        report.add(IssueKind.MENDED, field, "spelt in another case", item)
    return plug


def _strongest(plug: Plug, offers: list[_Facility]) -> _Facility:
    return max((o for o in offers if o.suits(plug)), key=lambda o: o.power or Decimal(0), default=_Facility())


def _standard(plug: Plug, offer: _Facility) -> ConnectorStandard:
    standard = SOCKETS.to_canonical(plug.value)
    if plug is Plug.IEC_60309_THREE:
        for amperage, power, rated in _IEC_60309_THREE:
            if offer.amperage is not None and offer.amperage <= amperage:
                return rated
            if offer.amperage is None and offer.power is not None and offer.power <= power:
                return rated
        return standard if offer.power is None and offer.amperage is None else ConnectorStandard.IEC_60309_2_THREE_64
    return standard


def _facility(item: Any, field: str, report: Report) -> _Facility | None:
    if not isinstance(item, Mapping):
        report.add(IssueKind.LEFT_OUT, field, "not a charging facility", item)
        return None
    values, _ = forms.fields(ChargingFacility, item)
    power = number(values.get("Power"), f"{field}.Power", report)
    if power is not None and power <= 0:
        report.add(IssueKind.UNKNOWN, f"{field}.Power", "no power at all, so not known", power)
        power = None
    return _Facility(
        power_type=enum(POWER_TYPES, values.get("PowerType"), f"{field}.PowerType", report),
        voltage=_whole(values.get("Voltage"), f"{field}.Voltage", report),
        amperage=_whole(values.get("Amperage"), f"{field}.Amperage", report),
        power=None if power is None else power * 1000,
        modes=enums(CHARGING_MODES, values.get("ChargingModes"), f"{field}.ChargingModes", report),
    )


def _whole(value: Any, field: str, report: Report) -> int | None:
    figure = number(value, field, report)
    if figure is None:
        return None
    if not 0 < figure < 100_000:
        report.add(IssueKind.UNKNOWN, field, "not a figure that a charging station has", value)
        return None
    if figure != figure.to_integral_value():
        report.add(IssueKind.NARROWED, field, "rounded to a whole number", value)
    return round(figure)
