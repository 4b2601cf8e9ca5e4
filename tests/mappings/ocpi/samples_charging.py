"""Tokens, sessions, CDRs and commands of our own, whole and to the rules, for tests to spoil."""

import json
from pathlib import Path
from typing import Any

_GOLDEN = Path(__file__).parent / "golden"


def _load(name: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((_GOLDEN / f"{name}.wire.json").read_text(encoding="utf-8"))
    return made


TOKEN, SESSION, CDR = _load("token-full"), _load("session-full"), _load("cdr-full")
INFO: dict[str, Any] = {
    "allowed": "ALLOWED",
    "token": TOKEN,
    "location": {"location_id": "LOC1", "evse_uids": ["E1"]},
    "authorization_reference": "GIR-9-ref",
    "info": {"language": "fr", "text": "Bonne charge"},
}
URL = "https://hub.example.com/commands/1"
START: dict[str, Any] = {
    "response_url": URL,
    "token": TOKEN,
    "location_id": "LOC1",
    "evse_uid": "E1",
    "connector_id": "1",
    "authorization_reference": "GIR-9-ref",
}
RESERVE: dict[str, Any] = {
    "response_url": URL,
    "token": TOKEN,
    "expiry_date": "2026-03-01T12:00:00Z",
    "reservation_id": "R-1",
    "location_id": "LOC1",
    "evse_uid": "E1",
    "authorization_reference": "GIR-9-ref",
}
UNLOCK: dict[str, Any] = {"response_url": URL, "location_id": "LOC1", "evse_uid": "E1", "connector_id": "1"}
STOP: dict[str, Any] = {"response_url": URL, "session_id": "S-4711"}
CANCEL: dict[str, Any] = {"response_url": URL, "reservation_id": "R-1"}
COMMANDS: dict[str, dict[str, Any]] = {
    "START_SESSION": START,
    "STOP_SESSION": STOP,
    "RESERVE_NOW": RESERVE,
    "CANCEL_RESERVATION": CANCEL,
    "UNLOCK_CONNECTOR": UNLOCK,
}
