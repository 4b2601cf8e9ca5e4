"""Holds answers of the NGP API against Hubject's own swagger, where that lies beside the project.

Its responses contradict the examples in Hubject's text, which hold: `status` has more words than PENDING, a time of day
is a text, `productPricingDTOSet` a list, and whatever is missing is null.
"""

import json
from functools import lru_cache
from typing import Any

from jsonschema import Draft4Validator
from jsonschema.exceptions import best_match

from tests.shared import shared_path

_BY_EXAMPLES = {
    ("ServiceOfferDTO", "status"): {"enum": ["PENDING", "ACTIVE", "CANCELLED"]},
    ("ServiceOfferDTO", "productPricingDTOSet"): {"type": "array"},
    ("EvsePricingTariff", "StartTime"): {"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}:[0-9]{2}$"},
    ("EvsePricingTariff", "EndTime"): {"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}:[0-9]{2}$"},
}


@lru_cache(maxsize=16)
def _validator(document: str, name: str) -> Draft4Validator:
    definitions = json.loads(shared_path(f"protocols/hubject-ngp/{document}.json").read_text())["definitions"]
    for of, schema in definitions.items():
        schema.setdefault("additionalProperties", False)
        for field, told in schema.get("properties", {}).items():
            schema["properties"][field] = _nullable(_BY_EXAMPLES.get((of, field), told))
    return Draft4Validator({"$ref": f"#/definitions/{name}", "definitions": definitions})


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def judge(document: str, name: str, body: Any) -> None:
    """Fails where a body is not what the swagger says; skips the test where there is no swagger."""
    if (fault := best_match(_validator(document, name).iter_errors(body))) is not None:
        raise AssertionError(f"{name}: {fault.json_path}: {fault.message}")


def whole(document: str, name: str, body: Any) -> None:
    """Fails where a field that the swagger has is not told, not even as null."""
    _validator(document, name)
    definitions = json.loads(shared_path(f"protocols/hubject-ngp/{document}.json").read_text())["definitions"]
    assert set(definitions[name]["properties"]) == set(body)
