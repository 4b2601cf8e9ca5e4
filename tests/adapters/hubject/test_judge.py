"""The judge that stands behind every test which pushes to Hubject (`tests/conftest.py`)."""

import json
from typing import Any

from tests.oicp_schema import OPENAPI, faults_of_push
from tests.shared import shared_path


def test_a_push_that_hubjects_openapi_does_not_allow_is_found() -> None:
    shared_path(f"protocols/oicp-2.3/{OPENAPI.name}")
    status = {"EvseID": "DE*ABC*E1", "EvseStatus": "Available"}
    push: dict[str, Any] = {
        "ActionType": "update",
        "OperatorEvseStatus": {"OperatorID": "DE*ABC", "EvseStatusRecord": [status]},
    }
    assert faults_of_push(json.dumps(push).encode()) == []
    status["EvseStatus"] = "Busy"
    assert faults_of_push(json.dumps(push).encode()) != []
    status["EvseStatus"] = "Available"
    push["OperatorEvseStatus"]["OperatorName"] = "x" * 101
    assert faults_of_push(json.dumps(push).encode()) != []
