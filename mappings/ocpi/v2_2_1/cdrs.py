"""OCPI 2.2.1 CDRs, both ways (mod_cdrs)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mappings.canonical.cdrs import Cdr
from mappings.canonical.legs import Leg
from mappings.canonical.tariffs import Tariff
from mappings.ocpi.v2_2_1 import cdrs_in, cdrs_out, tariffs_in, tariffs_out, tariffs_plain, tokens_out
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1.enums import TARIFF_DIMENSIONS
from mappings.ocpi.v2_2_1.wire import Wire
from mappings.report import Issue, IssueKind, Report

Source = bytes | str | Mapping[str, Any]


def to_canonical(source: Source, received: datetime | None = None) -> tuple[Cdr, list[Issue]]:
    """Reads a CDR; its `reference` is the `authorization_reference`.

    Args:
        source: JSON text, or an object that was parsed from JSON.
        received: When it arrived, for one without `last_updated`; without this such a one is refused.

    Raises:
        Refused: It cannot be used; the reason names the field.
    """
    report = Report()
    return cdrs_in.cdr(cdrs_in.CDRS.read(source, report), _tariff_in, report, received), report.issues


def from_canonical(cdr: Cdr, leg: Leg | None = None, *, zero_cost: bool = False) -> tuple[Wire, list[Issue]]:
    """Writes a CDR.

    Args:
        cdr: What to write.
        leg: How the peer knows the charge: its driver and its reference are what is said. None for a CDR that no
            EMSP's authorisation is behind: its own driver, and no reference.
        zero_cost: Says a cost of zero where the CPO tells none, since OCPI demands one; else such a CDR is refused.

    Raises:
        Refused: What OCPI demands is not known or cannot be said; the reason names the field.
    """
    report = Report()
    who = tokens_out.driver(cdr, leg, report)
    return cdrs_out.cdr(cdr, who, _tariff_out, report, zero_cost=zero_cost), report.issues


def _tariff_in(wire: w.Tariff, report: Report, received: datetime) -> Tariff:
    return tariffs_in.tariff(wire, TARIFF_DIMENSIONS, report, received)


def _tariff_out(tariff: Tariff, report: Report) -> Wire:
    if tariff.target is not None:
        report.add(IssueKind.LOST, "target", "OCPI 2.2.1 has no place for it")
    tariffs_plain.check(tariff, report)
    return tariffs_out.tariff(tariff, TARIFF_DIMENSIONS, report)
