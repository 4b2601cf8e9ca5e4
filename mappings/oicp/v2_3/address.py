"""AddressIso19773Type in both directions: a free-text address line, and a street with its house number apart.

The rule for the house number. In the countries of `NUMBER_FIRST` an address starts with it (`12 bis Rue Verte`);
elsewhere it ends with it (`Oelenboom 8`, `Hoge Ham 62b`). It is one to four digits, at most one letter (or French
`bis`, `ter`, `quater`), and at most one range (`8-10`); what remains must hold a letter. An address that does not
follow the rule is the street as a whole, and the house number comes from the operator's defaults.
"""

import re
from typing import NamedTuple

NUMBER_FIRST = frozenset(
    {"FRA", "LUX", "MCO", "GBR", "IRL", "USA", "CAN", "AUS", "NZL", "GLP", "GUF", "MTQ", "MYT", "REU"}
)
"""Countries that write the house number before the street."""

NO_NUMBER = frozenset({"", ".", "-", "_", "__", "0", "null", "none", "n/a", "na"})
"""What networks write where there is no house number or postal code, since OICP demands one."""

_NUMBER = r"\d{1,4}(?: ?(?:bis|ter|quater|[A-Za-z])(?![A-Za-z]))?(?:[-/]\d{1,4}[A-Za-z]?)?"
_FIRST = re.compile(rf"(?P<number>{_NUMBER})(?:, ?| )(?P<street>\S.*)")
_LAST = re.compile(rf"(?:, ?| )(?P<number>{_NUMBER})$")
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")


class Line(NamedTuple):
    """An address line taken apart; `number` is None where the rule finds none."""

    street: str
    number: str | None


def split(address: str, country: str) -> Line:
    """Takes an address line apart by the rule of this module."""
    line = " ".join(address.split())
    # A quick look before the expressions, which are the dear part of rendering a location.
    edge = line[:1] if country in NUMBER_FIRST else line[-5:]
    if _DIGIT.search(edge) and (found := _taken_apart(line, country)) is not None:
        street, number = found
        if len(number) <= 10 and len(street) >= 2 and _LETTER.search(street):
            return Line(street.rstrip(","), number)
    return Line(line, None)


def _taken_apart(line: str, country: str) -> tuple[str, str] | None:
    if country in NUMBER_FIRST:
        match = _FIRST.fullmatch(line)
        return (match["street"], match["number"]) if match else None
    # Searched for from the separators: an expression for the whole line tries every place where the street may end.
    match = _LAST.search(line)
    return (line[: match.start()], match["number"]) if match else None


def join(street: str, number: str | None, country: str) -> str:
    """Writes street and house number as one line, in the order of the country; the inverse of `split`."""
    if number is None or number.strip().casefold() in NO_NUMBER:
        return street
    number = number.strip()
    return f"{number} {street}" if country in NUMBER_FIRST else f"{street} {number}"
