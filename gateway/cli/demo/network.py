"""A made-up charging network in OCPI 2.2.1, the same for the same seed, with the mistakes that real feeds have."""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.cli.demo import prices

OPERATORS = (("FR", "RGT", "Roamgate Demo"), ("FR", "NRD", "Bornes du Nord"), ("FR", "SUD", "Soleil Recharge"))
"""The hub operator, and two sub-operators whose EVSEs it brings along."""

_TOWNS = (
    ("Lille", "59000", 50.6292, 3.0573),
    ("Amiens", "80000", 49.8941, 2.2958),
    ("Rouen", "76000", 49.4432, 1.0999),
    ("Rennes", "35000", 48.1173, -1.6778),
    ("Nantes", "44000", 47.2184, -1.5536),
    ("Dijon", "21000", 47.3220, 5.0415),
    ("Lyon", "69003", 45.7640, 4.8357),
    ("Bordeaux", "33000", 44.8378, -0.5792),
    ("Toulouse", "31000", 43.6047, 1.4442),
    ("Nice", "06000", 43.7102, 7.2620),
)
_STREETS = ("rue de la Gare", "avenue de la République", "place du Marché", "boulevard Victor Hugo", "quai du Port")
_PLUGS = (
    ("IEC_62196_T2", "SOCKET", "AC_3_PHASE", 230, 32, 22_000),
    ("IEC_62196_T2", "CABLE", "AC_1_PHASE", 230, 32, 7_400),
    ("IEC_62196_T2_COMBO", "CABLE", "DC", 920, 200, 150_000),
    ("CHADEMO", "CABLE", "DC", 500, 125, 50_000),
)
_STATUSES = ("AVAILABLE", "AVAILABLE", "AVAILABLE", "CHARGING", "OUTOFORDER")
_START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)

PARTNER = ("NL", "STP", "Stroompunt")
"""A Dutch CPO behind both hubs, at whose stations our own drivers charge."""

PARTNER_DEFAULTS = {
    "hotline": "+31201234567",
    "accessibility": "Free publicly accessible",
    "open_24_hours": True,
    "renewable_energy": True,
    "calibration_law": "Not Available",
    "authentication_modes": ["NFC RFID Classic", "REMOTE"],
    "payment_options": ["Contract"],
    "connector_format": "SOCKET",
}
"""What the partner would state of its network to Hubject."""

_DUTCH_TOWNS = (
    ("Utrecht", "3511", 52.0907, 5.1214),
    ("Rotterdam", "3011", 51.9244, 4.4777),
    ("Groningen", "9711", 53.2194, 6.5665),
    ("Eindhoven", "5611", 51.4416, 5.4697),
)

EVSES_A_LOCATION = (1, 2, 2, 4)


def network(locations: int = 900, seed: int = 1) -> Iterator[bytes]:
    """Yields the network as NDJSON lines: tariffs first, then locations (some 2,000 EVSEs for 900).

    Among them: a lower-case EVSE id, a malformed one, a connector of 7.36 MW, a standard in the wrong case, a null
    list, a tariff id that no tariff has, and an EVSE that stands under two locations.
    """
    dice = random.Random(seed)  # noqa: S311 - it shall be the same every time
    for number, (tariff_id, price) in enumerate(prices.OWN.items()):
        yield _line(price.record(OPERATORS[number % len(OPERATORS)], tariff_id))
    made = [_location(number, dice) for number in range(locations)]
    _spoil(made)
    for location in made:
        yield _line(location)


def partner(locations: int = 120, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Yields the partner's locations, without mistakes; EVSEs have their EvseID's normal form as uid."""
    dice = random.Random(seed)  # noqa: S311 - it shall be the same every time
    for number in range(locations):
        made = _location(number, dice, (PARTNER,), _DUTCH_TOWNS) | {"country": "NLD", "time_zone": "Europe/Amsterdam"}
        for evse in made["evses"]:
            evse["uid"] = evse["evse_id"].replace("*", "")
            evse["connectors"][0]["tariff_ids"] = [*prices.PARTNER]
        yield made


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _location(
    number: int,
    dice: random.Random,
    operators: Sequence[tuple[str, str, str]] = OPERATORS,
    towns: Sequence[tuple[str, str, float, float]] = _TOWNS,
) -> dict[str, Any]:
    operator = operators[number % len(operators)]
    country, party, name = operator
    city, postal_code, latitude, longitude = dice.choice(towns)
    stamp = _START + timedelta(minutes=number)
    evses = [_evse(number, index, dice, stamp, operator) for index in range(dice.choice(EVSES_A_LOCATION))]
    return {
        "country_code": country,
        "party_id": party,
        "id": f"LOC{number:05}",
        "publish": True,
        "name": f"{name} {city} {number}",
        "address": f"{1 + number % 80} {dice.choice(_STREETS)}",
        "city": city,
        "postal_code": postal_code,
        "country": "FRA",
        "coordinates": {
            "latitude": f"{latitude + dice.uniform(-0.05, 0.05):.6f}",
            "longitude": f"{longitude + dice.uniform(-0.05, 0.05):.6f}",
        },
        "evses": evses,
        "operator": {"name": name},
        "owner": {"name": name},
        "time_zone": "Europe/Paris",
        "opening_times": {"twentyfourseven": True},
        "last_updated": _text(stamp),
    }


def _evse(
    number: int, index: int, dice: random.Random, stamp: datetime, operator: tuple[str, str, str]
) -> dict[str, Any]:
    country, party, _ = operator
    standard, plug, power_type, voltage, amperage, power = dice.choice(_PLUGS)
    # A location's operator is by turns the same as its tariff's.
    tariff = [*prices.OWN][number % len(prices.OWN)]
    return {
        "uid": f"{number:05}-{index + 1}",
        "evse_id": f"{country}*{party}*E{number:05}*{index + 1}",
        "status": dice.choice(_STATUSES),
        "capabilities": ["RFID_READER", "REMOTE_START_STOP_CAPABLE"],
        "connectors": [
            {
                "id": "1",
                "standard": standard,
                "format": plug,
                "power_type": power_type,
                "max_voltage": voltage,
                "max_amperage": amperage,
                "max_electric_power": power,
                "tariff_ids": [tariff],
                "last_updated": _text(stamp),
            }
        ],
        "last_updated": _text(stamp),
    }


def _spoil(locations: list[dict[str, Any]]) -> None:
    """Puts in what real feeds have, each at a place of its own."""
    if len(locations) < 20:
        return
    first = [location["evses"][0] for location in locations]
    first[3]["evse_id"] = first[3]["evse_id"].lower()
    first[5]["evse_id"] = "FR.RGT.E00005*1"
    first[7]["connectors"][0]["max_electric_power"] = 7_360_000
    first[9]["connectors"][0]["standard"] = "iec_62196_t2"
    first[11]["images"] = None
    first[13]["connectors"][0]["tariff_ids"] = ["T-NOBODY-HAS"]
    first[15] |= {"evse_id": first[12]["evse_id"], "last_updated": _text(_START - timedelta(days=90))}


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
