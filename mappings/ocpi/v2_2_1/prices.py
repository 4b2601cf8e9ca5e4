"""Prices, currencies and numbers, both ways (OCPI 2.2.1, types, Price); what cannot be read is refused."""

import re
from decimal import Decimal

from mappings.canonical.base import MOST, json_number
from mappings.canonical.tariffs import Money, Tax
from mappings.ocpi import numbers, values
from mappings.ocpi.reading import Path, show
from mappings.ocpi.v2_2_1 import wire as w
from mappings.report import IssueKind, Report

VAT = "VAT"
_PRICE = w.names(w.Price)


def currency(text: str, report: Report) -> str:
    """Reads an ISO 4217 code.

    Raises:
        Refused: It is none.
    """
    code = text.strip().upper()
    if re.fullmatch(r"[A-Z]{3}", code) is None:
        raise report.refuse("currency", "not an ISO 4217 code", text)
    if code != text:
        report.add(IssueKind.MENDED, "currency", f"read as {code}", text)
    return code


def price_in(wire: w.Price | None, report: Report, path: Path) -> Money | None:
    """Reads a price; what it costs more with VAT is one tax of that name.

    Raises:
        Refused: It is beyond any price.
    """
    if wire is None:
        return None
    values.dropped(wire, _PRICE, report, path)
    net, gross = values.number(wire["excl_vat"], report, path, "excl_vat"), wire.get("incl_vat")
    if gross is None:
        return Money(net=net)
    tax = values.number(gross, report, path, "incl_vat") - net
    if abs(tax) > MOST:
        raise report.refuse(show((*path, "incl_vat")), f"more than {MOST} from excl_vat", gross)
    # A credit's amounts are negative, and its VAT with them.
    if tax * net < 0 or (net == 0 and tax < 0):
        report.add(IssueKind.SUSPECT, show(path), "less with VAT than without", gross)
    return Money(net=net, taxes=(Tax(name=VAT, amount=tax),))


def price_out(money: Money, report: Report, path: Path) -> w.Wire:
    """Writes a price.

    Raises:
        Refused: A tax has neither a rate nor an amount.
    """
    made: w.Wire = {"excl_vat": number_out(money.net, report, (*path, "net"))}
    if not money.taxes:
        return made
    total = Decimal(0)
    for index, tax in enumerate(money.taxes):
        at = (*path, "taxes", index)
        amount = tax.amount
        if amount is None:
            if tax.percentage is None:
                raise report.refuse(show(at), "neither a rate nor an amount")
            amount = money.net * tax.percentage / 100
        if tax.name != VAT or tax.percentage is not None:
            report.add(IssueKind.NARROWED, show(at), "only its amount is said, as part of incl_vat", tax.name)
        total += amount
    if len(money.taxes) > 1:
        report.add(IssueKind.NARROWED, show((*path, "taxes")), "several taxes are said as one sum")
    made["incl_vat"] = number_out(money.net + total, report, (*path, "taxes"))
    return made


def number_out(value: Decimal, report: Report, path: Path) -> int | float:
    """Writes a number, noting where JSON does not carry all of its digits."""
    if not numbers.exact(value):
        report.add(IssueKind.NARROWED, show(path), "more digits than a JSON number carries safely", value)
    return json_number(value)
