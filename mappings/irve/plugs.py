"""Connectors from the columns `prise_type_*`, `cable_t2_attache` and `puissance_nominale`.

`puissance_nominale` is the point's power, and leaves the plug's own limit out of account (schema IRVE statique, its
description). A connector gets the smaller of the two.
"""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NamedTuple

from mappings.canonical.locations import ChargingMode, Connector, ConnectorFormat, ConnectorStandard, PowerType
from mappings.irve.values import flag, number
from mappings.irve.wire import StaticRow
from mappings.report import IssueKind, Report

ONE_PHASE_LIMIT = Decimal(7400)
"""Watt: 32 A on one phase of 230 V, rounded as data sheets do; above it an AC point has three phases."""
HIGHEST_KW = Decimal(4000)
"""Above any charger there is (the Megawatt Charging System ends at 3.75 MW): such a value was given in watt."""
USUAL_KW = Decimal(1000)


class Plug(NamedTuple):
    """What a column `prise_type_*` stands for; `limit` is the most that such a plug carries, in watt."""

    id: str
    standard: ConnectorStandard
    limit: Decimal
    power_type: PowerType | None
    format: ConnectorFormat | None
    modes: tuple[ChargingMode, ...]
    rule: str


PLUGS: dict[str, Plug] = {
    "prise_type_ef": Plug(
        "EF",
        ConnectorStandard.DOMESTIC_E,
        Decimal(3680),  # 16 A at 230 V
        PowerType.AC_1_PHASE,
        ConnectorFormat.SOCKET,
        (),
        "a socket of type E, the French one: the column does not tell E from F; at most 3,680 W",
    ),
    "prise_type_2": Plug(
        "T2",
        ConnectorStandard.IEC_62196_T2,
        Decimal(43470),  # 63 A at 230 V on three phases
        None,
        None,
        (ChargingMode.MODE_3,),
        "three phases above 7.4 kW, else one, with an issue; socket or cable from `cable_t2_attache`; at most 43,470 W",
    ),
    "prise_type_combo_ccs": Plug(
        "CCS",
        ConnectorStandard.IEC_62196_T2_COMBO,
        Decimal(500_000),  # 500 A at 1,000 V
        PowerType.DC,
        ConnectorFormat.CABLE,
        (ChargingMode.MODE_4,),
        "a cable, DC",
    ),
    "prise_type_chademo": Plug(
        "CHADEMO",
        ConnectorStandard.CHADEMO,
        Decimal(400_000),  # CHAdeMO 2.0: 400 A at 1,000 V
        PowerType.DC,
        ConnectorFormat.CABLE,
        (ChargingMode.CHADEMO,),
        "a cable, DC",
    ),
}


def connectors(row: StaticRow, last_updated: datetime, report: Report) -> tuple[Connector, ...]:
    """Gives the connectors of a row.

    Raises:
        Refused: No plug is known; both OCPI and OICP demand one of every EVSE.
    """
    columns = tuple(column for column in PLUGS if _has(row, column, report))
    if _has(row, "prise_type_autre", report):
        if not columns:
            raise report.refuse("prise_type_autre", "its only plug has no known standard", row.observations)
        report.add(IssueKind.LEFT_OUT, "prise_type_autre", "a plug of an unknown standard", row.observations)
    if not columns:
        raise report.refuse("prise_type_*", "no plug is named")
    power = watts(row, report)
    cable = _optional_flag(row, "cable_t2_attache", report) if "prise_type_2" in columns else None
    if power is not None and power > max(PLUGS[column].limit for column in columns):
        report.add(IssueKind.SUSPECT, "puissance_nominale", "more than its plugs can carry", row.puissance_nominale)
    if "prise_type_2" in columns and (power is None or power <= ONE_PHASE_LIMIT):
        report.add(
            IssueKind.DEFAULTED, "prise_type_2", "one phase taken, as up to 7.4 kW three cannot be told from one"
        )
    return _build(columns, power, cable, last_updated)


@lru_cache(maxsize=4096)
def _build(
    columns: tuple[str, ...], power: Decimal | None, cable: bool | None, last_updated: datetime
) -> tuple[Connector, ...]:
    strongest = max(PLUGS[column].limit for column in columns)
    return tuple(_connector(PLUGS[column], power, cable, strongest, last_updated) for column in columns)


def _connector(
    plug: Plug, power: Decimal | None, cable: bool | None, strongest: Decimal, last_updated: datetime
) -> Connector:
    # What exceeds every plug of the point is passed on as given, on the strongest, with an issue.
    limit = None if plug.limit == strongest else plug.limit
    three = power is not None and power > ONE_PHASE_LIMIT
    return Connector(
        id=plug.id,
        standard=plug.standard,
        format=plug.format or (None if cable is None else ConnectorFormat.CABLE if cable else ConnectorFormat.SOCKET),
        power_type=plug.power_type or (PowerType.AC_3_PHASE if three else PowerType.AC_1_PHASE),
        max_power=power if power is None or limit is None else min(power, limit),
        charging_modes=plug.modes,
        last_updated=last_updated,
    )


def watts(row: StaticRow, report: Report) -> Decimal | None:
    """Gives the point's power in whole watts; None, with an issue, where the column does not say.

    The column is in kW. Above 4,000 the text can only be watt (22000); from 1,000 to 4,000 it is passed on as suspect.
    """
    text = row.puissance_nominale
    if text is None:
        report.add(IssueKind.UNKNOWN, "puissance_nominale", "the power is not given")
        return None
    try:
        power, mended = _power(text)
    except ValueError as error:
        report.add(IssueKind.UNKNOWN, "puissance_nominale", f"the power is {error}", text)
        return None
    if mended:
        report.add(IssueKind.MENDED, "puissance_nominale", mended, text)
    if power == 0 or power > USUAL_KW * 1000:
        report.add(IssueKind.SUSPECT, "puissance_nominale", "hardly a charge point's power", text)
    return power


@lru_cache(maxsize=4096)
def _power(text: str) -> tuple[Decimal, str | None]:
    bare, mended = text, None
    lowered = text.casefold().rstrip()
    if lowered.endswith(("kva", "kw", "kwh")):
        bare, mended = lowered.rstrip("kvawh"), "a unit stands beside the number"
    kilowatts = number(bare)
    if kilowatts < 0:
        raise ValueError("negative")
    if kilowatts > HIGHEST_KW:
        kilowatts, mended = kilowatts / 1000, "given in watt"
        if kilowatts > HIGHEST_KW:
            raise ValueError("beyond any charger, in kW and in W")
    return (kilowatts * 1000).quantize(Decimal(1), ROUND_HALF_UP), mended


def _has(row: StaticRow, column: str, report: Report) -> bool:
    text: str | None = getattr(row, column)
    if text is None:
        return False
    try:
        return flag(text)
    except ValueError:
        report.add(IssueKind.LEFT_OUT, column, "neither true nor false, so no plug is taken from it", text)
        return False


def _optional_flag(row: StaticRow, column: str, report: Report) -> bool | None:
    text: str | None = getattr(row, column)
    if text is None:
        return None
    try:
        return flag(text)
    except ValueError:
        report.add(IssueKind.UNKNOWN, column, "neither true nor false", text)
        return None
