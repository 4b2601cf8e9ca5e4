"""Value added tax: which states share the Union's rules, and how VAT ids look."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_UNION: Final = {
    "AUT": r"ATU\d{8}",
    "BEL": r"BE[01]\d{9}",
    "BGR": r"BG\d{9,10}",
    "CYP": r"CY\d{8}[A-Z]",
    "CZE": r"CZ\d{8,10}",
    "DEU": r"DE\d{9}",
    "DNK": r"DK\d{8}",
    "ESP": r"ES[0-9A-Z]\d{7}[0-9A-Z]",
    "EST": r"EE\d{9}",
    "FIN": r"FI\d{8}",
    "FRA": r"FR[0-9A-HJ-NP-Z]{2}\d{9}",
    "GRC": r"EL\d{9}",  # the one state whose ids do not begin with its code of ISO 3166-1
    "HRV": r"HR\d{11}",
    "HUN": r"HU\d{8}",
    "IRL": r"IE\d[0-9A-Z+*]\d{5}[A-Z]{1,2}",
    "ITA": r"IT\d{11}",
    "LTU": r"LT(\d{9}|\d{12})",
    "LUX": r"LU\d{8}",
    "LVA": r"LV\d{11}",
    "MLT": r"MT\d{8}",
    "NLD": r"NL\d{9}B\d{2}",
    "POL": r"PL\d{10}",
    "PRT": r"PT\d{9}",
    "ROU": r"RO\d{2,10}",
    "SVK": r"SK\d{10}",
    "SVN": r"SI\d{8}",
    "SWE": r"SE\d{12}",
}
"""Of the member states, as the Commission's VIES knows them. Northern Ireland's XI is no country of ISO 3166-1."""

_OTHERS: Final = {
    "CHE": r"CHE\d{9}(MWST|TVA|IVA)?",
    "GBR": r"GB(\d{9}|\d{12}|(GD|HA)\d{3})",
    "LIE": r"LI\d{5}",
    "NOR": r"(NO)?\d{9}(MVA)?",
}

EU_MEMBERS: Final = frozenset(_UNION)
"""Member states of the European Union, ISO 3166-1 alpha-3. Territories with a code of their own are not among them."""

VAT_IDS: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {country: re.compile(pattern, re.ASCII) for country, pattern in (_UNION | _OTHERS).items()}
)
"""How ids look, without blanks, dots and dashes, by the country's alpha-3 code."""

_ELSEWHERE: Final = re.compile(r"[A-Z0-9]{4,20}")
_BETWEEN: Final = re.compile(r"[\s.\-]")


def plain_vat_id(text: str) -> str:
    """Gives a VAT id as it is compared: capitals, without what people put between its parts."""
    return _BETWEEN.sub("", text).upper()


def is_vat_id(text: str, country: str) -> bool:
    """Tells whether a plain VAT id looks like one of a country; of one that is not listed, like any at all.

    Nobody is asked whether it is given to anybody: that is VIES's to say.
    """
    return VAT_IDS.get(country, _ELSEWHERE).fullmatch(text) is not None
