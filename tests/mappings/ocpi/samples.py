"""Wire objects of our own, whole and to the rules, for tests to spoil."""

import copy
from typing import Any

LOCATION: dict[str, Any] = {
    "country_code": "FR",
    "party_id": "ABC",
    "id": "LOC1",
    "publish": True,
    "name": "Gare centrale",
    "address": "1 rue de la Gare",
    "city": "Lyon",
    "postal_code": "69001",
    "country": "FRA",
    "coordinates": {"latitude": "45.76001", "longitude": "4.860025"},
    "operator": {"name": "ABC Charge", "website": "https://example.com"},
    "owner": {"name": "Ville de Lyon"},
    "time_zone": "Europe/Paris",
    "opening_times": {"twentyfourseven": True},
    "evses": [
        {
            "uid": "E1",
            "evse_id": "FR*ABC*E1",
            "status": "AVAILABLE",
            "capabilities": ["RFID_READER", "REMOTE_START_STOP_CAPABLE"],
            "connectors": [
                {
                    "id": "1",
                    "standard": "IEC_62196_T2",
                    "format": "SOCKET",
                    "power_type": "AC_3_PHASE",
                    "max_voltage": 230,
                    "max_amperage": 32,
                    "max_electric_power": 22000,
                    "tariff_ids": ["T1"],
                    "last_updated": "2026-03-01T10:00:00Z",
                }
            ],
            "last_updated": "2026-03-01T10:00:00Z",
        }
    ],
    "last_updated": "2026-03-01T10:00:00Z",
}

TARIFF: dict[str, Any] = {
    "country_code": "FR",
    "party_id": "ABC",
    "id": "T1",
    "currency": "EUR",
    "type": "REGULAR",
    "elements": [
        {
            "price_components": [{"type": "ENERGY", "price": 0.42, "vat": 20, "step_size": 1}],
            "restrictions": {"start_time": "08:00", "end_time": "20:00", "day_of_week": ["MONDAY"]},
        }
    ],
    "start_date_time": "2026-01-01T00:00:00Z",
    "last_updated": "2026-01-01T00:00:00Z",
}

DELETE = object()


def spoilt(whole: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with the value at `evses.0.status` replaced, or taken away by DELETE."""
    made = copy.deepcopy(whole)
    *outer, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    inner: Any = made
    for part in outer:
        inner = inner[part]
    if value is DELETE:
        del inner[last]
    else:
        inner[last] = value
    return made
