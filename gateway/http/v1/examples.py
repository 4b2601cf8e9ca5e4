"""Examples of what the API takes, shown in its description."""

from typing import Any, Final

SESSION: Final[dict[str, Any]] = {
    "party": "FR*ABC",
    "id": "s-1",
    "start": "2026-03-01T09:58:00Z",
    "energy": 4.25,
    "identification": {"type": "RFID", "uid": "04E2B1A2C35E80", "contract_id": "DE-XYZ-C12345678-4"},
    "auth_method": "AUTH_REQUEST",
    "reference": "0b3a52f8-2b0e-4b3c-9a0e-1f6c2f6d7a11",
    "location_id": "L1",
    "evse_uid": "E1",
    "connector_id": "1",
    "currency": "EUR",
    "status": "ACTIVE",
    "last_updated": "2026-03-01T10:20:00Z",
}

SESSION_PATCH: Final[dict[str, Any]] = {"energy": 6.5, "last_updated": "2026-03-01T10:25:00Z"}

CDR: Final[dict[str, Any]] = {
    "party": "FR*ABC",
    "id": "c-1",
    "session_id": "s-1",
    "start": "2026-03-01T09:58:00Z",
    "end": "2026-03-01T10:58:00Z",
    "charging_start": "2026-03-01T09:59:00Z",
    "charging_end": "2026-03-01T10:50:00Z",
    "identification": {"type": "RFID", "uid": "04E2B1A2C35E80"},
    "auth_method": "AUTH_REQUEST",
    "location": {"id": "L1", "evse_uid": "E1", "connector_id": "1"},
    "metering": {"start": 1000.5, "end": 1012.75},
    "currency": "EUR",
    "periods": [{"start": "2026-03-01T09:58:00Z", "dimensions": [{"type": "ENERGY", "volume": 12.25}]}],
    "energy": 12.25,
    "time": 1,
    "total_cost": {"net": 4.9, "taxes": [{"name": "VAT", "percentage": 20, "amount": 0.98}]},
    "last_updated": "2026-03-01T10:58:30Z",
}

CORRECTION: Final[dict[str, Any]] = {
    "reason": "The meter was read wrongly",
    "agreed": {"energy": 10.25, "total_cost": {"net": 4.1, "taxes": [{"name": "VAT", "amount": 0.82}]}},
}

WAY_ORDER: Final[dict[str, Any]] = {"connections": ["gireve-pp", "hubject-qa"]}

LOCATION: Final[dict[str, Any]] = {
    "party": "FR*ABC",
    "id": "L1",
    "publish": True,
    "name": "Gare",
    "address": "3 place de la Gare",
    "city": "Lille",
    "postal_code": "59000",
    "country": "FRA",
    "coordinates": {"latitude": 50.6366, "longitude": 3.0705},
    "time_zone": "Europe/Paris",
    "operator": {"name": "ABC Charge"},
    "evses": [
        {
            "uid": "E1",
            "evse_id": "FR*ABC*E1",
            "status": "AVAILABLE",
            "connectors": [
                {
                    "id": "1",
                    "standard": "IEC_62196_T2",
                    "format": "SOCKET",
                    "power_type": "AC_3_PHASE",
                    "max_voltage": 230,
                    "max_amperage": 32,
                    "max_power": 22000,
                    "tariff_ids": ["T1"],
                    "last_updated": "2026-03-01T08:00:00Z",
                }
            ],
            "last_updated": "2026-03-01T08:00:00Z",
        }
    ],
    "last_updated": "2026-03-01T08:00:00Z",
}

LOCATION_PATCH: Final[dict[str, Any]] = {"name": "Gare de Lille", "last_updated": "2026-03-01T09:00:00Z"}

TARIFF: Final[dict[str, Any]] = {
    "party": "FR*ABC",
    "id": "T1",
    "currency": "EUR",
    "type": "REGULAR",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 0.39, "vat": 20, "step_size": 1}]}],
    "last_updated": "2026-03-01T08:00:00Z",
}

TARIFF_PATCH: Final[dict[str, Any]] = {"end": "2026-12-31T23:00:00Z", "last_updated": "2026-03-01T09:00:00Z"}

STATUSES: Final[list[dict[str, Any]]] = [
    {"evse_id": "FR*ABC*E1", "status": "CHARGING", "at": "2026-03-01T09:58:00Z"},
    {"party": "FR*ABC", "location_id": "L1", "evse_uid": "E2", "status": "OUTOFORDER"},
]

PARTY: Final[dict[str, Any]] = {"id": "FR*ABC", "roles": ["CPO"], "business": {"name": "ABC Charge"}}

CONNECTION: Final[dict[str, Any]] = {
    "name": "hubject",
    "hub": "hubject",
    "mode": "shadow",
    "scope": {"parties": ["FR*ABC"]},
    "settings": {
        "operator_id": "FR*ABC",
        "operator_name": "ABC Charge",
        "client_certificate": "/secrets/abc.pem",
        "client_key": "/secrets/abc.key",
    },
}

ADOPTION: Final[dict[str, Any]] = {
    "token_ours": "the token that we present",
    "token_theirs": "the token that the hub presents",
    "endpoints": {
        "versions": "https://hub.example/ocpi/versions",
        "modules": {"credentials": "https://hub.example/ocpi/2.2.1/credentials"},
    },
}

WEBHOOK: Final[dict[str, Any]] = {
    "name": "backend",
    "url": "https://backend.example/roamgate/events",
    "types": ["cdr.delivered", "cdr.refused"],
    "parties": ["FR*ABC"],
}

CALL_OUT: Final[dict[str, Any]] = {
    "name": "backend",
    "url": "https://backend.example/roamgate/commands",
    "types": ["START_SESSION", "STOP_SESSION"],
    "silence": "TIMEOUT",
}

RESULT: Final[dict[str, Any]] = {"result": "ACCEPTED", "session_id": "s-1"}
