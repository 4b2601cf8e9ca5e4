"""Validates OICP 2.3 messages against Hubject's own OpenAPI, with the lengths of texts enforced.

The OpenAPI writes lengths of strings as `maximum` and `minimum`, which JSON Schema passes over on strings.
"""

import json
from functools import lru_cache

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from tests.shared import ROOT, shared_path

OPENAPI = ROOT / "protocols/oicp-2.3/openapi-cpo.json"

_JUDGED = 200
"""Records of one push that are held against the schema; of a larger one as many, evenly spread."""


def _lengths(node: object) -> object:
    if isinstance(node, list):
        return [_lengths(item) for item in node]
    if not isinstance(node, dict):
        return node
    told = {key: _lengths(value) for key, value in node.items() if key != "example"}
    if told.get("type") == "string":
        for wrong, right in (("maximum", "maxLength"), ("minimum", "minLength")):
            if wrong in told:
                told[right] = told.pop(wrong)
    return told


@lru_cache(maxsize=64)
def _validator(schema_name: str) -> Draft202012Validator:
    document = json.loads(shared_path("protocols/oicp-2.3/openapi-cpo.json").read_text())
    schemas = _lengths(document["components"]["schemas"])
    assert isinstance(schemas, dict)
    if schema_name not in schemas:
        raise KeyError(f"{schema_name} is not one of {', '.join(schemas)}")
    # The length of StatusCode.Code is in its description only; Hubject's codes have three digits.
    return Draft202012Validator({"$ref": f"#/components/schemas/{schema_name}", "components": {"schemas": schemas}})


def validate(schema_name: str, body: object) -> None:
    """Fails the test with the path of the first fault; skips it where the OpenAPI is not beside the project."""
    error = best_match(_validator(schema_name).iter_errors(body))
    if error is not None:
        raise AssertionError(f"{schema_name}{error.json_path[1:]}: {error.message[:500]}")


def faults_of_push(raw: bytes) -> list[str]:
    """Says what is wrong with a push of EVSE data or statuses, by the OpenAPI."""
    body = json.loads(raw)
    name, part, records = (
        ("eRoamingPushEvseData", "OperatorEvseData", "EvseDataRecord")
        if "OperatorEvseData" in body
        else ("eRoamingPushEvseStatus", "OperatorEvseStatus", "EvseStatusRecord")
    )
    every = body[part][records]
    judged = every[:: max(1, len(every) // _JUDGED)]
    try:
        validate(name, body | {part: body[part] | {records: judged}})
    except AssertionError as fault:
        return [str(fault)]
    return []
