"""What the messages of a charge share: its names, stamps, readings and product (OICP 2.3, CPO Services and Operations).

Hubject's SessionID is the leading name: every message but the first one must carry it.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from mappings.canonical.base import json_number
from mappings.canonical.cdrs import CdrLocation
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Metering
from mappings.oicp import times
from mappings.oicp.v2_3.evse_data import wire_id
from mappings.oicp.v2_3.values import listed, number, text
from mappings.oicp.v2_3.wire import EVSE_ID_PATTERN, Record
from mappings.oicp.v2_3.wire_charging import PROVIDER_ID_PATTERN, SESSION_ID_PATTERN
from mappings.report import IssueKind, Refused, Report

PRODUCT_LENGTH = 50
SESSION_LENGTH = 250
_SESSION_ID = re.compile(SESSION_ID_PATTERN)
_EVSE_ID = re.compile(EVSE_ID_PATTERN)
_PROVIDER_ID = re.compile(PROVIDER_ID_PATTERN, re.ASCII)

_PLACES = Decimal("0.001")
"""OICP 2.3's decimals of energy and readings: `Decimal (,3)`, kWh."""

_STAND_IN = "Etc/UTC"


# Out


def session_id(given: str | None, field: str, report: Report) -> str:
    """Gives Hubject's SessionID.

    Raises:
        Refused: There is none, or it is none of Hubject's.
    """
    if given is None:
        raise report.refuse(field, "missing, and Hubject knows a session by nothing else")
    if not _SESSION_ID.fullmatch(given):
        raise report.refuse(field, "not a SessionID of Hubject's", given)
    return given


def names(leg: Leg, own: str | None, report: Report) -> Record:
    """Writes the three names of a charge.

    Args:
        own: The CPO's name for it, where the leg has none that the hub was given before.

    Raises:
        Refused: The leg has no SessionID of Hubject's.
    """
    record: Record = {"SessionID": session_id(leg.hub_session, "leg.hub_session", report)}
    if leg.own_session or own:
        record["CPOPartnerSessionID"] = leg.own_session or own
    if leg.emsp_session:
        record["EMPPartnerSessionID"] = leg.emsp_session
    return record


def provider_id(party: PartyId) -> str:
    """Writes the ProviderID of an EMP, `DE-DCB`.

    Raises:
        Refused: The party's id is a DIN operator's, which no EMP has.
    """
    written = f"{party.country}-{party.code}"
    if not _PROVIDER_ID.fullmatch(written):
        raise Refused("provider", "not a ProviderID as OICP demands", party)
    return written


def stamp(instant: datetime) -> str:
    """Writes an instant in UTC, whole seconds: what has no charge point whose zone it could be in."""
    return instant.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def evse(place: CdrLocation, report: Report) -> str:
    """Gives a place's EvseID.

    Raises:
        Refused: It has none that OICP takes.
    """
    try:
        return wire_id(place.evse_id, "location.evse_id")
    except Refused as refusal:
        refusal.issues[:0] = report.issues
        raise


def told_evse(evse_id: EvseId | None, field: str) -> str:
    """Gives the EvseID of somebody else's EVSE as it was told, since the hub may know it by that spelling alone.

    Raises:
        Refused: There is none that OICP takes.
    """
    told = evse_id.text.strip() if evse_id is not None else ""
    return told if _EVSE_ID.fullmatch(told) else wire_id(evse_id, field)


def product(name: str | None, field: str, report: Report) -> Record:
    """Writes the PartnerProductID, where there is one.

    Raises:
        Refused: It is too long. The price hangs on it, so it is not cut.
    """
    if not name:
        return {}
    if len(name) > PRODUCT_LENGTH:
        raise report.refuse(field, f"longer than the {PRODUCT_LENGTH} characters that OICP allows", name)
    return {"PartnerProductID": name}


class Clock:
    """Writes stamps in a place's zone; in UTC, with an issue, where the zone is not known.

    The moment is right all the same; what an EMP prices by the hour of the day may not be.
    """

    def __init__(self, place: CdrLocation, report: Report) -> None:
        self._zone = place.time_zone or _STAND_IN
        try:
            times.write(datetime(2026, 1, 1, tzinfo=UTC), self._zone)
        except ValueError:
            self._zone = _STAND_IN
        if self._zone != place.time_zone:
            report.add(
                IssueKind.DEFAULTED, "location.time_zone", "missing or unknown; stamps are in UTC", place.time_zone
            )

    def write(self, instant: datetime) -> str:
        """Writes an instant, whole seconds."""
        return times.write(instant, self._zone)


def rounded(value: Decimal) -> Decimal:
    """Rounds kWh to OICP's three places."""
    return value.quantize(_PLACES, ROUND_HALF_UP)


def kwh(value: Decimal, field: str, report: Report) -> int | float:
    """Writes kWh to OICP's three places, with an issue where that loses something."""
    short = rounded(value)
    if short != value:
        report.add(IssueKind.NARROWED, field, "rounded to three places", value)
    return json_number(short)


def readings(metering: Metering, report: Report, *, end: bool) -> Record:
    """Writes a meter's readings; the last one only where `end` says so."""
    record: Record = {}
    if metering.start is not None:
        record["MeterValueStart"] = kwh(metering.start, "metering.start", report)
    if end and metering.end is not None:
        record["MeterValueEnd"] = kwh(metering.end, "metering.end", report)
    if metering.between:
        values = [kwh(value, f"metering.between[{n}]", report) for n, value in enumerate(metering.between)]
        record["MeterValueInBetween"] = {"meterValues": values}
    return record


# In


def read_session_id(given: Any, field: str, report: Report) -> str:
    """Reads the SessionID.

    Raises:
        Refused: There is none, or none that could be sent again.
    """
    said = given.strip() if isinstance(given, str) else ""
    if not said:
        raise report.refuse(field, "missing")
    if not _SESSION_ID.fullmatch(said):
        raise report.refuse(field, "not a SessionID of Hubject's", given)
    return said


def read_partner_session(given: Any, field: str, report: Report) -> str | None:
    """Reads a partner's name of a session, at most 250 characters; one that is none is left out, with an issue."""
    said = text(given, field, report)
    if said is not None and len(said) > SESSION_LENGTH:
        report.add(IssueKind.UNKNOWN, field, f"longer than {SESSION_LENGTH} characters", said)
        return None
    return said


def read_evse(given: Any, field: str, report: Report) -> EvseId:
    """Reads an EvseID.

    Raises:
        Refused: There is none, or it has neither form.
    """
    said = given.strip() if isinstance(given, str) else ""
    if not said:
        raise report.refuse(field, "missing" if given is None else "not a text", given)
    evse_id = EvseId(said)
    if not evse_id.well_formed:
        raise report.refuse(field, "neither an ISO nor a DIN EvseID", given)
    if not _EVSE_ID.fullmatch(said.upper() if evse_id.party and evse_id.party.country.isalpha() else said):
        raise report.refuse(field, "longer than OICP allows", given)
    return evse_id


def read_party(given: Any, field: str, report: Report) -> PartyId | None:
    """Reads a ProviderID or OperatorID; one that is none is left out, with an issue."""
    said = text(given, field, report)
    if said is None:
        return None
    try:
        return PartyId(said)
    except ValueError:
        report.add(IssueKind.UNKNOWN, field, "not the id of a party", given)
        return None


def read_product(given: Any, field: str, report: Report) -> str | None:
    """Reads a PartnerProductID, also one longer than OICP allows, with an issue."""
    said = text(given, field, report)
    if said is None:
        return None
    if len(said) > PRODUCT_LENGTH:
        report.add(IssueKind.SUSPECT, field, f"longer than {PRODUCT_LENGTH} characters", said)
    return said[:SESSION_LENGTH]


def read_time(given: Any, field: str, report: Report) -> datetime | None:
    """Reads a stamp; None where there is none.

    Raises:
        Refused: It is no time, or says not which zone it is in.
    """
    if given is None:
        return None
    try:
        return times.read(str(given))
    except ValueError as error:
        raise report.refuse(field, str(error), given) from None


def read_kwh(given: Any, field: str, report: Report) -> Decimal | None:
    """Reads kWh; None where there is none.

    Raises:
        Refused: It is no number.
    """
    if given is None:
        return None
    figure = number(given, field, report)
    if figure is None:
        raise report.refuse(field, "not a number", given)
    return figure


def read_between(given: Any, field: str, report: Report) -> tuple[Decimal, ...]:
    """Reads MeterValueInBetween, also as a bare list; members that are no numbers are left out, with an issue."""
    if isinstance(given, Mapping):
        given = next((inner for name, inner in given.items() if str(name).casefold() == "metervalues"), None)
    found = (number(item, f"{field}.meterValues[{n}]", report) for n, item in enumerate(listed(given)))
    return tuple(figure for figure in found if figure is not None)
