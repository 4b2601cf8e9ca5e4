"""OCPI 2.2.1 credentials (credentials, Credentials object).

The token is a secret: it never appears in an issue, nor in the text of what is read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mappings.canonical.parties import Party
from mappings.ocpi import values
from mappings.ocpi.reading import Reader, Rule, Rules
from mappings.ocpi.v2_2_1 import enums, texts
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1.locations_in import party
from mappings.report import Issue, Refused, Report

Source = bytes | str | Mapping[str, Any]

_TOKEN = re.compile(r"[\x21-\x7e]{1,64}")  # credentials: printable ASCII without blanks
_ROLE = w.names(w.CredentialsRole)
_BUSINESS = "business_details"
_RULES: Rules = {f"roles[].{_BUSINESS}.{name}": Rule.SET_ASIDE for name in ("website", "logo")}
_READER: Reader[w.Credentials] = Reader(w.Credentials, _RULES)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a party gives its peer to call it with.

    Attributes:
        token: The secret, as it stands in the object; its Base64 form belongs to the header.
        url: The party's versions endpoint.
        parties: The parties behind it with their roles; several roles of one party under one name are one entry.
    """

    token: str = field(repr=False)
    url: str
    parties: tuple[Party, ...]


def to_canonical(source: Source) -> tuple[Credentials, list[Issue]]:
    """Reads credentials.

    Raises:
        Refused: No usable token or address, or a role or party that cannot be read: who may speak is never guessed.
    """
    report = Report()
    try:
        wire = _READER.read(source, report)
    except Refused as refusal:
        raise _without_secret(refusal) from None
    if _TOKEN.fullmatch(wire["token"]) is None:
        raise report.refuse("token", "not 1 to 64 printable ASCII characters without blanks")
    if not wire["roles"]:
        raise report.refuse("roles", "empty, where OCPI demands one")
    found: list[Party] = []
    for index, each in enumerate(wire["roles"]):
        at = ("roles", index)
        values.dropped(each, _ROLE, report, at)
        role = values.decisive(enums.ROLES, each["role"], report, at, "role")
        owner = party(each["country_code"], each["party_id"], report, at)
        business = texts.business_in(each["business_details"], report, (*at, _BUSINESS))
        made = Party(id=owner, roles=frozenset({role}), business=business)
        same = next((i for i, known in enumerate(found) if (known.id, known.business) == (owner, business)), None)
        if same is None:
            found.append(made)
        else:
            found[same] = made.model_copy(update={"roles": found[same].roles | {role}})
    return Credentials(wire["token"], wire["url"], tuple(found)), [_hide(issue) for issue in report.issues]


def _without_secret(refusal: Refused) -> Refused:
    reason = refusal.reason
    value = None if reason.field in {"", "token"} else reason.value
    return Refused(reason.field, reason.detail, value, before=[_hide(issue) for issue in refusal.issues[:-1]])


def _hide(issue: Issue) -> Issue:
    return issue._replace(detail="was put right", value=None) if issue.field == "token" else issue


def from_canonical(credentials: Credentials) -> tuple[w.Wire, list[Issue]]:
    """Writes credentials, one role a line.

    Raises:
        Refused: A token that OCPI does not allow, or a party without a country of two letters.
    """
    report = Report()
    if _TOKEN.fullmatch(credentials.token) is None:
        raise report.refuse("token", "not 1 to 64 printable ASCII characters without blanks")
    roles = []
    for index, each in enumerate(credentials.parties):
        at = ("parties", index)
        if each.id.country.startswith("+"):
            raise report.refuse(f"parties[{index}].id", "OCPI has only country codes of two letters", each.id)
        business = texts.business_out(each.business, report, (*at, "business"))
        roles += [
            {
                "role": values.said(enums.ROLES, role, report, at, "roles"),
                _BUSINESS: business,
                "party_id": each.id.code,
                "country_code": each.id.country,
            }
            for role in sorted(each.roles)
        ]
    return {"token": credentials.token, "url": credentials.url, "roles": roles}, report.issues
