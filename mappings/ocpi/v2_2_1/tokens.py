"""OCPI 2.2.1 tokens, both ways, and asking for one (mod_tokens).

Whose a token is, whether it is valid and who decides on it are never guessed; no issue shows a uid.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mappings.canonical.tokens import Token
from mappings.ocpi.v2_2_1 import tokens_in, tokens_out
from mappings.ocpi.v2_2_1.tokens_in import Authorisation, LocationReferences
from mappings.ocpi.v2_2_1.tokens_out import location_references
from mappings.ocpi.v2_2_1.wire import Wire
from mappings.report import Issue, Report

Source = bytes | str | Mapping[str, Any]

__all__ = [
    "Authorisation",
    "LocationReferences",
    "authorisation_to_canonical",
    "from_canonical",
    "location_references",
    "to_canonical",
]


def to_canonical(source: Source, received: datetime | None = None) -> tuple[Token, list[Issue]]:
    """Reads a token.

    Args:
        source: JSON text, or an object that was parsed from JSON.
        received: When it arrived, for one without `last_updated`; without this such a one is refused.

    Raises:
        Refused: It cannot be used; the reason names the field.
    """
    report = Report()
    return tokens_in.token(tokens_in.TOKENS.read(source, report), report, (), received), report.issues


def from_canonical(token: Token) -> tuple[Wire, list[Issue]]:
    """Writes a token.

    Raises:
        Refused: The party has no country of two letters, or the contract is longer than 36 characters.
    """
    report = Report()
    return tokens_out.token(token, report, ()), report.issues


def authorisation_to_canonical(source: Source, received: datetime | None = None) -> tuple[Authorisation, list[Issue]]:
    """Reads the answer to a real-time authorisation (mod_tokens, AuthorizationInfo).

    Args:
        source: JSON text, or an object that was parsed from JSON.
        received: When it arrived, for a token without `last_updated`.

    Raises:
        Refused: `allowed` cannot be read; the answer is neither yes nor no.
    """
    report = Report()
    return tokens_in.authorisation(tokens_in.INFOS.read(source, report), report, received), report.issues
