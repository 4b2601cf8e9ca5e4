"""Golden pairs: `x.wire.json` ↔ `x.canonical.json`, whole objects compared.

A pair whose name ends in `.in` goes one way: its wire object is not what would be written. The issues of reading, where
there are any, stand beside a pair in `x.issues.json`.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from mappings.canonical.cdrs import Cdr
from mappings.canonical.legs import Leg
from mappings.canonical.locations import Location
from mappings.canonical.parties import ClientInfo
from mappings.canonical.sessions import Session
from mappings.canonical.tariffs import Tariff
from mappings.canonical.tokens import Token
from mappings.ocpi.dialects import gireve, gireve_charging, gireve_tariffs
from mappings.ocpi.v2_2_1 import cdrs, hub_client_info, locations, sessions, tariffs, tokens

FOLDER = Path(__file__).parent / "golden"
NAMES = sorted(path.name.removesuffix(".wire.json") for path in FOLDER.glob("*.wire.json"))


def leg_of(charge: Session | Cdr) -> Leg:
    return Leg(reference=charge.reference, identification=charge.identification)


WAYS: dict[str, tuple[type[Any], Any, Any]] = {
    "location": (Location, locations.to_canonical, locations.from_canonical),
    "tariff": (Tariff, tariffs.to_canonical, tariffs.from_canonical),
    "token": (Token, tokens.to_canonical, tokens.from_canonical),
    "session": (Session, sessions.to_canonical, lambda session: sessions.from_canonical(session, leg_of(session))),
    "cdr": (Cdr, cdrs.to_canonical, lambda cdr: cdrs.from_canonical(cdr, leg_of(cdr))),
    "client_info": (ClientInfo, hub_client_info.to_canonical, hub_client_info.from_canonical),
    "gireve_cdr": (
        Cdr,
        gireve_charging.cdr_to_canonical,
        lambda cdr: gireve_charging.cdr_from_canonical(cdr, leg_of(cdr)),
    ),
    "gireve_location": (Location, gireve.location_to_canonical, gireve.location_from_canonical),
    "gireve_tariff": (Tariff, gireve_tariffs.to_canonical, gireve_tariffs.from_canonical),
}


def load(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def way(name: str) -> tuple[type[Any], Any, Any]:
    return WAYS[name.partition("-")[0]]


@pytest.mark.parametrize("name", NAMES)
def test_the_wire_object_becomes_the_canonical_one(name: str) -> None:
    _, read, _ = way(name)
    made, issues = read((FOLDER / f"{name}.wire.json").read_bytes())
    assert made.model_dump(mode="json", exclude_defaults=True) == load(f"{name}.canonical.json")
    expected = load(f"{name}.issues.json") if (FOLDER / f"{name}.issues.json").exists() else []
    assert [[issue.kind.value, issue.field] for issue in issues] == expected


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith(".in")])
def test_the_canonical_object_becomes_the_wire_one(name: str) -> None:
    model, _, write = way(name)
    made, _ = write(model.model_validate_json((FOLDER / f"{name}.canonical.json").read_bytes()))
    assert made == load(f"{name}.wire.json")
