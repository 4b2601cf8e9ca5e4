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
