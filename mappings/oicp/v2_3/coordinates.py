"""GeoCoordinatesType in both directions: written as decimal degrees, which name their axes; read in any form."""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from mappings.canonical.locations import GeoPoint
from mappings.canonical.regions import REGIONS, region_of
from mappings.oicp.v2_3.wire import Record
from mappings.report import IssueKind, Report

_PLACES = Decimal("0.000001")
_NUMBER = r"[-+]?\d{1,3}(?:\.\d+)?"
_PAIR = re.compile(rf"\s*({_NUMBER})\s*[,;\s]\s*({_NUMBER})\s*")
_DMS = re.compile(r"\s*(-?)(\d{1,3})°\s*(\d{1,2})['′]\s*(\d{1,2}(?:\.\d+)?)(?:''|″|\")\s*")
_DEGREES = {"Latitude", "Longitude"}
_ABSENT = frozenset({"none", "null", "nan", "na", ""})


def write(point: GeoPoint, field: str, report: Report) -> Record:
    """Writes a point to six decimals, eleven centimetres, which is what OICP's pattern allows."""
    latitude, longitude = _degree(point.latitude), _degree(point.longitude)
    if latitude[1] or longitude[1]:
        report.add(IssueKind.NARROWED, field, "rounded to the six decimals that OICP allows")
    return {"DecimalDegree": {"Longitude": longitude[0], "Latitude": latitude[0]}}


def _degree(value: Decimal) -> tuple[str, bool]:
    text = format(value, "f")
    whole, _, decimals = text.partition(".")
    if len(decimals) <= 6:
        return (text if decimals else whole + ".0"), False
    rounded = value.quantize(_PLACES, ROUND_HALF_EVEN)
    # A zero's sign would be a place of its own to whoever compares texts.
    return format(abs(rounded) if rounded == 0 else rounded, "f"), rounded != value


def suspect(point: GeoPoint, country: str, field: str, report: Report) -> GeoPoint:
    """Judges a point against its country: exchanged figures are put right, other misfits noted and passed on."""
    latitude, longitude = float(point.latitude), float(point.longitude)
    if region_of(country, latitude, longitude) is None and country in REGIONS:
        text = f"{latitude} {longitude}"
        if region_of(country, longitude, latitude) is not None:
            report.add(IssueKind.MENDED, field, f"latitude and longitude were exchanged, as {country} shows", text)
            return GeoPoint(latitude=point.longitude, longitude=point.latitude)
        report.add(IssueKind.SUSPECT, field, f"the point does not lie in {country}", text)
    elif latitude == 0 and longitude == 0:
        report.add(IssueKind.SUSPECT, field, "the point is where latitude and longitude are zero", "0 0")
    return point


def read(value: Any, field: str, report: Report) -> GeoPoint | None:
    """Reads any of the three structures, and Google's pair as a bare text; None where there is no point.

    A pair such as `None None` is an absent point. Anything else that is not a point on Earth is noted.
    """
    if value is None:
        return None
    pair = _pair(value)
    if pair is None:
        report.add(IssueKind.UNKNOWN, field, "not a point in any of OICP's forms", value)
        return None
    if all(isinstance(part, str) and part.strip().casefold() in _ABSENT for part in pair):
        report.add(IssueKind.MENDED, field, "a point without figures, read as none", " ".join(map(str, pair)))
        return None
    try:
        latitude, longitude = _number(pair[0]), _number(pair[1])
        # The model itself knows how far the globe goes; its refusal is a ValueError.
        return GeoPoint(latitude=latitude, longitude=longitude)
    except (ValueError, InvalidOperation):
        report.add(IssueKind.UNKNOWN, field, "not a point on Earth", " ".join(map(str, pair)))
        return None


def _pair(value: Any) -> tuple[Any, Any] | None:
    if isinstance(value, str):
        return _pair_in(value)
    if not isinstance(value, Mapping):
        return None
    # Nearly all points are told like this.
    degrees = value.get("DecimalDegree") if len(value) == 1 else None
    if isinstance(degrees, dict) and degrees.keys() == _DEGREES:
        return degrees["Latitude"], degrees["Longitude"]
    fields = {str(key).casefold(): inner for key, inner in value.items() if inner is not None}
    for form in ("google", "decimaldegree", "degreeminuteseconds", "coordinates", "coordinatea"):
        # `Coordinatea` is how the text of OICP 2.3 itself spells it.
        if form in fields:
            return _pair(fields[form])
    if "latitude" in fields and "longitude" in fields:
        return fields["latitude"], fields["longitude"]
    return None


def _pair_in(text: str) -> tuple[str, str] | None:
    if match := _PAIR.fullmatch(text):
        return match[1], match[2]
    parts = text.replace(",", " ").split()
    return (parts[0], parts[1]) if len(parts) == 2 else None


def _number(value: Any) -> Decimal:
    text = str(value).strip()
    if match := _DMS.fullmatch(text):
        degrees = Decimal(match[2]) + Decimal(match[3]) / 60 + Decimal(match[4]) / 3600
        return (-degrees if match[1] else degrees).quantize(_PLACES)
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError("not a number")
    return number
