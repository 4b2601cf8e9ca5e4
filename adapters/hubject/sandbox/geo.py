"""The three forms of geo coordinates at Hubject, and distances, for pulls."""

import math
import re
from collections.abc import Mapping
from typing import Any, Final

FORMS: Final = ("Google", "DecimalDegree", "DegreeMinuteSeconds")
_EARTH: Final = 6371.0
"""Mean radius, km."""
_DMS: Final = re.compile(r"(-?)(\d{1,3})° ?(\d{1,2})' ?(\d{1,2}(?:\.\d+)?)''")

Point = tuple[float, float]
"""Latitude and longitude, degrees."""


def point(given: Any) -> Point | None:
    """Reads coordinates in any form; None where they make no sense."""
    if not isinstance(given, Mapping):
        return None
    try:
        return _point(given)
    except (ValueError, KeyError, TypeError):
        return None


def _point(given: Mapping[str, Any]) -> Point | None:
    if decimal := given.get("DecimalDegree"):
        return float(decimal["Latitude"]), float(decimal["Longitude"])
    if google := given.get("Google"):
        text = google if isinstance(google, str) else google["Coordinates"]
        latitude, longitude = re.split(r"[\s,]+", text.strip())
        return float(latitude), float(longitude)
    if sexagesimal := given.get("DegreeMinuteSeconds"):
        return _degrees(sexagesimal["Latitude"]), _degrees(sexagesimal["Longitude"])
    return None


def _degrees(text: str) -> float:
    match = _DMS.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    value = int(match[2]) + int(match[3]) / 60 + float(match[4]) / 3600
    return -value if match[1] else value


def written(at: Point, form: str) -> dict[str, Any]:
    """Writes coordinates in a form."""
    if form == "Google":
        return {"Google": {"Coordinates": f"{at[0]:.6f} {at[1]:.6f}"}}
    write = (lambda value: f"{value:.6f}") if form == "DecimalDegree" else _sexagesimal
    return {form: {"Longitude": write(at[1]), "Latitude": write(at[0])}}


def _sexagesimal(value: float) -> str:
    tenths = round(abs(value) * 36_000)  # of a second, so that none is rounded up to a sixtieth
    minutes, rest = divmod(tenths, 600)
    degrees, minutes = divmod(minutes, 60)
    return f"{'-' if value < 0 else ''}{degrees}°{minutes}'{rest // 10}.{rest % 10}''"


def kilometres(a: Point, b: Point) -> float:
    """Gives the distance on a sphere."""
    (lat_a, lon_a), (lat_b, lon_b) = ((math.radians(lat), math.radians(lon)) for lat, lon in (a, b))
    half = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * _EARTH * math.asin(min(1.0, math.sqrt(half)))
