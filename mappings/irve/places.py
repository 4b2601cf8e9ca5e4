"""Where a French point is: coordinates, time zone by INSEE code, address split into street, postal code and city."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from mappings.canonical.locations import GeoPoint
from mappings.irve.values import Read, number


class Box(NamedTuple):
    """Degrees: west, south, east, north; generous by some kilometres."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, latitude: float, longitude: float) -> bool:
        """Says whether a point lies inside."""
        return self.west <= longitude <= self.east and self.south <= latitude <= self.north


class Territory(NamedTuple):
    """A part of France with one time zone (IANA)."""

    name: str
    time_zone: str
    box: Box


METROPOLITAN = Territory("metropolitan France", "Europe/Paris", Box(-5.3, 41.2, 9.7, 51.2))
OVERSEAS: dict[str, Territory] = {
    "971": Territory("Guadeloupe", "America/Guadeloupe", Box(-61.9, 15.8, -60.9, 16.6)),
    "972": Territory("Martinique", "America/Martinique", Box(-61.3, 14.3, -60.7, 15.0)),
    "973": Territory("Guyane", "America/Cayenne", Box(-54.7, 2.0, -51.5, 6.0)),
    "974": Territory("La Réunion", "Indian/Reunion", Box(55.1, -21.5, 55.9, -20.8)),
    "975": Territory("Saint-Pierre-et-Miquelon", "America/Miquelon", Box(-56.5, 46.7, -56.0, 47.2)),
    "976": Territory("Mayotte", "Indian/Mayotte", Box(44.9, -13.1, 45.4, -12.5)),
    "977": Territory("Saint-Barthélemy", "America/St_Barthelemy", Box(-62.96, 17.8, -62.7, 18.0)),
    "978": Territory("Saint-Martin", "America/Marigot", Box(-63.2, 18.0, -62.96, 18.2)),
    "984": Territory("Terres australes", "Indian/Kerguelen", Box(39.0, -50.5, 78.0, -11.0)),
    "986": Territory("Wallis-et-Futuna", "Pacific/Wallis", Box(-178.5, -14.5, -175.9, -13.0)),
    "987": Territory("Polynésie française", "Pacific/Tahiti", Box(-155.0, -28.0, -134.0, -7.5)),
    "988": Territory("Nouvelle-Calédonie", "Pacific/Noumea", Box(158.0, -23.0, 172.5, -17.5)),
    # IANA has no place in this zone: Clipperton keeps UTC-8 all year, which POSIX writes with the sign turned.
    "989": Territory("Clipperton", "Etc/GMT+8", Box(-109.4, 10.2, -109.1, 10.4)),
}
"""By the first three digits of the INSEE code."""

_COMMUNE_ZONES = {
    **dict.fromkeys(("98718", "98723", "98731", "98746", "98756", "98757"), "Pacific/Marquesas"),
    "98719": "Pacific/Gambier",
    "99138": "Europe/Monaco",
}
_POSTAL_TERRITORY = {"97133": "977", "97150": "978"}  # both lie in the block of Guadeloupe

_INSEE = re.compile(r"(?:[013-9][0-9]|2[AB1-9])[0-9]{3}")
_POSTAL = re.compile(r"(?<![0-9])(?:0[1-9]|[1-8][0-9]|9[0-58]|97)[0-9]{3}(?![0-9])")
_POST_BOX = re.compile(r"(?:\b|_)(?:BP|CS|TSA)[\s.:]*(?:n°\s*)?$", re.IGNORECASE)
_COUNTRY = re.compile(r"[\s,\-]*\b(?:France|FR)[\s.]*$", re.IGNORECASE)
_CITY = re.compile(r"[^\W\d_][^\d,;()\[\]_]{0,59}")
_STREET_WORDS = frozenset(
    """rue r rte route av ave avenue bd bld boulevard all allée allee place pl chemin ch che chem impasse imp quai cours
    crs square sq rond rond-point rdpt voie passage sentier esplanade promenade mail parvis faubourg fbg montée montee
    zac za zi zae zc z.a. z.i. z.a.c. zone parc parking aire autoroute centre c.c. cc lieu lieudit lieu-dit lotissement
    résidence residence hameau quartier domaine angle sortie échangeur echangeur a n d rn rd cd""".split()  # noqa: SIM905 - read as a text
)
_PAIR = re.compile(
    r"([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d{1,2})?)[^\d.+-]+([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d{1,2})?)", re.ASCII
)
_COMMA_PAIR = re.compile(r"([-+]?\d+,\d+)\s*[,; ]\s*([-+]?\d+,\d+)", re.ASCII)


class Zone(NamedTuple):
    """A time zone, the territory where it is known, and the column it followed from (empty: the default)."""

    time_zone: str
    territory: Territory | None
    column: str


class Address(NamedTuple):
    """An address split by rule; postal code and city None where the text does not give them."""

    street: str
    postal_code: str | None
    city: str | None


@lru_cache(maxsize=4096)
def coordinates(text: str) -> Read[GeoPoint]:
    """Reads `[lon, lat]`, with or without brackets, with decimal commas too.

    The schema puts longitude first. Where the two so read lie outside France and the other way round inside, they were
    swapped.

    Raises:
        ValueError: There are not two numbers that can be degrees.
    """
    bare = text.strip("[](){} ")
    match = _COMMA_PAIR.fullmatch(bare) or _PAIR.fullmatch(re.sub(r"^POINT\s*\(", "", bare, flags=re.IGNORECASE))
    if match is None or len(bare) > 100:
        raise ValueError("not a pair of longitude and latitude")
    longitude, latitude = number(match[1]), number(match[2])
    if territory_at(latitude, longitude) is None and territory_at(longitude, latitude) is not None:
        return Read(_point(longitude, latitude), "latitude came before longitude")
    return Read(_point(latitude, longitude), "decimal commas" if "," in match[1] else None)


def _point(latitude: Decimal, longitude: Decimal) -> GeoPoint:
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise ValueError("not degrees of longitude and latitude")
    return GeoPoint(latitude=latitude, longitude=longitude)


def territory_at(latitude: Decimal, longitude: Decimal) -> Territory | None:
    """Gives the part of France that a point lies in, by bounding box; None for the sea and other countries."""
    y, x = float(latitude), float(longitude)
    if METROPOLITAN.box.holds(y, x):
        return METROPOLITAN
    return next((territory for territory in OVERSEAS.values() if territory.box.holds(y, x)), None)


def zone_of(insee: str | None, postal_code: str | None, point: GeoPoint, default: str) -> Zone:
    """Gives the time zone of a point: by INSEE code, else by postal code, else by coordinates, else the default."""
    if insee and _INSEE.fullmatch(insee):
        if territory := _by_department(insee):
            return Zone(_COMMUNE_ZONES.get(insee, territory.time_zone), territory, "code_insee_commune")
        if insee in _COMMUNE_ZONES:
            return Zone(_COMMUNE_ZONES[insee], None, "code_insee_commune")
    if postal_code and (territory := _by_department(_POSTAL_TERRITORY.get(postal_code, postal_code))):
        return Zone(territory.time_zone, territory, "adresse_station")
    if territory := territory_at(point.latitude, point.longitude):
        return Zone(territory.time_zone, territory, "coordonneesXY")
    return Zone(default, None, "")


def _by_department(code: str) -> Territory | None:
    if code[:2] in {"97", "98"}:
        return OVERSEAS.get(code[:3])
    return METROPOLITAN if code[:2] <= "95" and code[:2] != "00" else None


@lru_cache(maxsize=4096)
def split_address(text: str) -> Address:
    """Splits an address by its last postal code.

    The city is what follows the code up to a comma, bracket or `France`; where nothing follows, what stands between the
    last comma and the code, unless that has digits or begins like a street. A number after `BP` or `CS` is a post
    box. Nothing else names a city: no guess is made from words without a postal code.
    """
    whole = " ".join(text.replace("\\'", "'").replace("][", ", ").strip("[] ").split()).strip(" ,;-")
    codes = [match for match in _POSTAL.finditer(whole) if not _POST_BOX.search(whole[: match.start()])]
    if not codes:
        return Address(_COUNTRY.sub("", whole) or whole, None, None)
    code = codes[-1]
    before, after = whole[: code.start()].strip(" ,;-"), whole[code.end() :]
    after = _COUNTRY.sub("", after).strip(" ,;-")
    if after:
        city = _city(after)
        return Address(before or whole, code[0], city)
    street, comma, last = before.rpartition(",")
    if comma and (city := _city(last.strip())) and city == last.strip() and _starts_like_city(city):
        return Address(street.strip(" ,;-") or whole, code[0], city)
    return Address(before or whole, code[0], None)


def _city(text: str) -> str | None:
    match = _CITY.match(text)
    if match is None:
        return None
    city = _COUNTRY.sub("", match[0]).strip(" -.'’")
    return city if len(city) > 1 else None


def _starts_like_city(text: str) -> bool:
    return text.split(maxsplit=1)[0].casefold() not in _STREET_WORDS
