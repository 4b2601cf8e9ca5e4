"""Where a country lies and which time zones it has: for records that name the country and the point, but no zone.

Boxes are coarse on purpose, half a degree and more beyond the land; they tell a point in another ocean, or one with
latitude and longitude exchanged, and nothing finer. A country that is not listed is not judged.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Region(NamedTuple):
    """A part of a country in one time zone; degrees."""

    zone: str
    south: float
    west: float
    north: float
    east: float

    def holds(self, latitude: float, longitude: float) -> bool:
        """Tells whether a point lies in the box."""
        return self.south <= latitude <= self.north and self.west <= longitude <= self.east


_ROWS: dict[str, tuple[Region, ...]] = {
    "ALB": (Region("Europe/Tirane", 39.1, 18.7, 43.2, 21.6),),
    "AND": (Region("Europe/Andorra", 42.3, 1.3, 42.8, 1.9),),
    "AUT": (Region("Europe/Vienna", 45.9, 9.0, 49.5, 17.7),),
    "BEL": (Region("Europe/Brussels", 49.0, 2.0, 52.0, 7.0),),
    "BGR": (Region("Europe/Sofia", 40.7, 21.8, 44.8, 29.2),),
    "BIH": (Region("Europe/Sarajevo", 42.0, 15.2, 45.8, 20.2),),
    "CHE": (Region("Europe/Zurich", 45.3, 5.4, 48.3, 11.0),),
    "CYP": (Region("Asia/Nicosia", 34.0, 31.7, 36.3, 35.2),),
    "CZE": (Region("Europe/Prague", 48.0, 11.5, 51.6, 19.4),),
    "DEU": (Region("Europe/Berlin", 46.7, 5.3, 55.6, 15.6),),
    "DNK": (Region("Europe/Copenhagen", 54.0, 7.5, 58.3, 15.8),),
    "ESP": (Region("Europe/Madrid", 35.0, -9.9, 44.4, 4.9), Region("Atlantic/Canary", 27.1, -18.7, 30.0, -12.9)),
    "EST": (Region("Europe/Tallinn", 57.0, 21.2, 60.3, 28.8),),
    "FIN": (Region("Europe/Helsinki", 59.2, 18.6, 70.6, 32.1),),
    "FRA": (
        Region("Europe/Paris", 40.8, -5.7, 51.6, 10.1),
        Region("America/Guadeloupe", 15.3, -63.6, 18.6, -60.5),
        Region("America/Martinique", 13.9, -61.7, 15.3, -60.3),
        Region("America/Cayenne", 1.6, -55.2, 6.4, -51.1),
        Region("Indian/Reunion", -21.9, 54.7, -20.4, 56.3),
        Region("Indian/Mayotte", -13.5, 44.5, -12.1, 45.8),
    ),
    "GBR": (Region("Europe/London", 49.3, -9.2, 61.4, 2.3),),
    "GLP": (Region("America/Guadeloupe", 15.3, -62.3, 17.0, -60.5),),
    "GRC": (Region("Europe/Athens", 34.2, 18.8, 42.3, 30.2),),
    "GUF": (Region("America/Cayenne", 1.6, -55.2, 6.4, -51.1),),
    "HRV": (Region("Europe/Zagreb", 41.8, 12.9, 47.1, 20.0),),
    "HUN": (Region("Europe/Budapest", 45.2, 15.6, 49.1, 23.4),),
    "IRL": (Region("Europe/Dublin", 50.8, -11.2, 56.0, -5.4),),
    "ISL": (Region("Atlantic/Reykjavik", 62.7, -25.1, 67.1, -12.9),),
    "ISR": (Region("Asia/Jerusalem", 28.9, 33.7, 33.9, 36.4),),
    "ITA": (Region("Europe/Rome", 34.9, 6.1, 47.6, 19.1),),
    "LIE": (Region("Europe/Vaduz", 46.9, 9.3, 47.4, 9.8),),
    "LTU": (Region("Europe/Vilnius", 53.3, 20.4, 57.0, 27.4),),
    "LUX": (Region("Europe/Luxembourg", 49.3, 5.5, 50.3, 6.7),),
    "LVA": (Region("Europe/Riga", 55.1, 20.4, 58.6, 28.8),),
    "MCO": (Region("Europe/Monaco", 43.6, 7.3, 43.9, 7.6),),
    "MDA": (Region("Europe/Chisinau", 44.9, 26.1, 49.0, 30.7),),
    "MKD": (Region("Europe/Skopje", 40.3, 19.9, 42.9, 23.6),),
    "MLT": (Region("Europe/Malta", 35.3, 13.6, 36.6, 15.1),),
    "MNE": (Region("Europe/Podgorica", 41.3, 17.9, 44.1, 20.9),),
    "MTQ": (Region("America/Martinique", 13.9, -61.7, 15.3, -60.3),),
    "MYT": (Region("Indian/Mayotte", -13.5, 44.5, -12.1, 45.8),),
    "NLD": (Region("Europe/Amsterdam", 50.2, 2.8, 54.1, 7.8),),
    "NOR": (Region("Europe/Oslo", 57.4, 3.9, 71.8, 31.8),),
    "POL": (Region("Europe/Warsaw", 48.5, 13.6, 55.4, 24.7),),
    "PRT": (
        Region("Europe/Lisbon", 36.4, -10.1, 42.7, -5.6),
        Region("Atlantic/Madeira", 31.8, -17.9, 33.7, -15.7),
        Region("Atlantic/Azores", 36.4, -31.8, 40.3, -24.4),
    ),
    "REU": (Region("Indian/Reunion", -21.9, 54.7, -20.4, 56.3),),
    "ROU": (Region("Europe/Bucharest", 43.1, 19.7, 48.8, 30.3),),
    "SMR": (Region("Europe/San_Marino", 43.8, 12.3, 44.1, 12.6),),
    "SRB": (Region("Europe/Belgrade", 41.7, 18.3, 46.7, 23.6),),
    "SVK": (Region("Europe/Bratislava", 47.2, 16.3, 50.2, 23.1),),
    "SVN": (Region("Europe/Ljubljana", 44.9, 12.8, 47.4, 17.2),),
    "SWE": (Region("Europe/Stockholm", 54.8, 10.4, 69.6, 24.7),),
    "TUR": (Region("Europe/Istanbul", 35.3, 25.1, 42.7, 45.4),),
    "UKR": (Region("Europe/Kyiv", 43.8, 21.6, 52.9, 40.8),),
}

REGIONS: Mapping[str, tuple[Region, ...]] = MappingProxyType(_ROWS)
"""Regions by ISO 3166-1 alpha-3 code, the one with the capital first."""


def region_of(country: str, latitude: float, longitude: float) -> Region | None:
    """Gives the part of the country that holds the point; None where it lies outside, or the country is not listed."""
    for region in REGIONS.get(country, ()):
        if region.holds(latitude, longitude):
            return region
    return None
