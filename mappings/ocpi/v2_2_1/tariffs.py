"""OCPI 2.2.1 tariffs, both ways (mod_tariffs).

Money, energy and time are never guessed: a tariff in which one of them cannot be read, or cannot be said, is refused.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mappings.canonical.tariffs import Tariff
from mappings.ocpi.v2_2_1 import tariffs_in, tariffs_out, tariffs_plain
from mappings.ocpi.v2_2_1.enums import TARIFF_DIMENSIONS
from mappings.ocpi.v2_2_1.tariffs_in import Dimensions
from mappings.ocpi.v2_2_1.wire import Wire
from mappings.report import Issue, Report

Source = bytes | str | Mapping[str, Any]


def to_canonical(
    source: Source, dimensions: Dimensions = TARIFF_DIMENSIONS, received: datetime | None = None
) -> tuple[Tariff, list[Issue]]:
    """Reads a tariff.

    Args:
        source: JSON text, or an object that was parsed from JSON.
        dimensions: What may be priced; a dialect may have more than OCPI.
        received: When it arrived, for one without `last_updated`; without this such a one is refused.

    Raises:
        Refused: It cannot be used; the reason names the field.
    """
    report = Report()
    return tariffs_in.tariff(tariffs_in.TARIFFS.read(source, report), dimensions, report, received), report.issues


def from_canonical(
    tariff: Tariff, dimensions: Dimensions = TARIFF_DIMENSIONS, *, approximate: bool = False
) -> tuple[Wire, list[Issue]]:
    """Writes a tariff.

    Args:
        tariff: What to write.
        dimensions: What may be priced; a dialect may have more than OCPI.
        approximate: What OCPI cannot say is said as what comes nearest (`nearest`), instead of being refused.

    Raises:
        Refused: A tax, a dimension, a rounding or hours cannot be said; or it has a target, which plain OCPI cannot
            say, so that all would take it for theirs. No approximation mends that, nor what `nearest` refuses.
    """
    report = Report()
    if tariff.target is not None:
        raise report.refuse("target", "OCPI has no tariff for one EMSP alone; said to all it would be wrong")
    if approximate:
        tariff, report.issues = nearest(tariff)
    tariffs_plain.check(tariff, report)
    return tariffs_out.tariff(tariff, dimensions, report), report.issues


def nearest(tariff: Tariff) -> tuple[Tariff, list[Issue]]:
    """Gives what `from_canonical` says of a tariff where it may approximate: the same one, where OCPI has it all.

    Raises:
        Refused: Nothing comes near.
    """
    report = Report()
    return tariffs_plain.nearest(tariff, report), report.issues
