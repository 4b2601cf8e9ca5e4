"""The judge that stands behind every test which pushes to Hubject (`tests/conftest.py`)."""

import json
from typing import Any

import pytest

from mappings.oicp.v2_3.commands import acknowledgment
from tests.oicp_schema import OPENAPI, faults_of_answer, faults_of_push, faults_of_request
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


BASE = "https://service-qa.hubject.com/api/oicp"
START = {"OperatorID": "DE*ABC", "Identification": {"RFIDMifareFamilyIdentification": {"UID": "1234ABCD"}}}
ERROR = {
    "Type": "Error",
    "SessionID": "f98efba4-02d8-4fa0-b810-9a9d50d2c527",
    "EvseID": "DE*ABC*E1",
    "OperatorID": "DE*ABC",
    "ErrorType": "CriticalError",
}


@pytest.mark.parametrize(
    ("path", "body", "spoilt"),
    [
        ("/charging/v21/operators/DE*ABC/authorize/start", START, {"OperatorId": "DE*ABC"}),
        ("/notificationmgmt/v11/charging-notifications", ERROR, {"Type": "End"}),
    ],
)
def test_a_request_of_a_charge_is_judged_by_its_address_and_its_type(
    path: str, body: dict[str, Any], spoilt: dict[str, Any]
) -> None:
    shared_path(f"protocols/oicp-2.3/{OPENAPI.name}")
    assert faults_of_request(BASE + path, json.dumps(body).encode()) == []
    assert faults_of_request(BASE + path, json.dumps(body | spoilt).encode()) != []
    assert faults_of_request("https://elsewhere.example/tokens/1/authorize", json.dumps(spoilt).encode()) == []


@pytest.mark.parametrize("path", ["charging/v21/providers/NL-EMS/authorize-remote/start", "reservation-stop-request/"])
def test_an_answer_to_a_command_is_judged_by_the_commands_address(path: str) -> None:
    shared_path(f"protocols/oicp-2.3/{OPENAPI.name}")
    answer = acknowledgment("400")
    assert faults_of_answer(f"/hubject/{path}", json.dumps(answer).encode()) == []
    assert faults_of_answer(f"/hubject/{path}", json.dumps(answer | {"Result": True}).encode()) != []
    assert faults_of_answer("/v1/commands", b"{}") == []
