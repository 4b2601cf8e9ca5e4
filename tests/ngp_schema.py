"""Validates messages of Hubject's NGP API against its OpenAPI (Swagger 2.0); fields beyond it are faults."""

import json
from functools import lru_cache
from typing import Any

from jsonschema import Draft4Validator
from jsonschema.exceptions import best_match

from tests.shared import shared_path

FILES = ("cpo-evse", "cpo-offers", "emp-contracts")


def document(file: str) -> dict[str, Any]:
    """Gives one of the three documents; skips a test that asks where they are absent."""
    found: dict[str, Any] = json.loads(shared_path(f"protocols/hubject-ngp/{file}.json").read_text())
    return found


def _by_its_text(definitions: dict[str, Any]) -> None:
    """Puts right where the OpenAPI lacks what Hubject's text and examples have."""
    offer = definitions["NGP"]
    offer["properties"]["products"] = {"type": "array", "items": {"$ref": "#/definitions/CreateProductDTO"}}
    offer["required"].remove("validTo")  # "omit for unlimited offer"
    # The one word that is listed stands in no example of what is read back.
    for name in ("ServiceOfferDTO", "SubscriptionDTO"):
        del definitions[name]["properties"]["status"]["enum"]
    # A time of day is a text in every example.
    definitions["LocalTime"] = {"type": "string"}


def _closed(definitions: dict[str, Any]) -> None:
    for schema in definitions.values():
        if "properties" in schema:
            schema["additionalProperties"] = False


@lru_cache(maxsize=64)
def _validator(file: str, name: str) -> Draft4Validator:
    definitions = document(file)["definitions"]
    if file == "cpo-offers":
        _by_its_text(definitions)
    elif file == "emp-contracts":
        definitions["LocalTime"] = {"type": "string"}
    _closed(definitions)
    return Draft4Validator({"$ref": f"#/definitions/{name}", "definitions": definitions})


def validate(file: str, name: str, body: Any) -> None:
    """Holds a body against a definition; nulls are what is left out, as in Hubject's examples.

    Raises:
        AssertionError: It does not fit.
    """
    error = best_match(_validator(file, name).iter_errors(_without_nulls(body)))
    assert error is None, f"{name}: {error.json_path}: {error.message}"


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value
