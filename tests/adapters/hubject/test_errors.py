"""What answers mean."""

import json
from datetime import timedelta

import pytest

from adapters.core.http import Answer
from adapters.core.outcomes import Delivered, Misconfigured, NotSent, OutcomeUnknown, RefusedByHub, Throttled
from adapters.hubject.errors import OUTCOMES, outcome_of
from mappings.oicp.status_codes import CODES


def answer(body, status=200, **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, headers, raw)


def acknowledgement(code, result):
    return {
        "Result": result,
        "StatusCode": {"Code": code, "Description": "said", "AdditionalInfo": None},
        "SessionID": None,
        "CPOPartnerSessionID": None,
        "EMPPartnerSessionID": None,
    }


def test_the_table_has_every_code_of_oicp_and_no_other():
    assert OUTCOMES.keys() == CODES.keys()


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_gives_its_kind_of_outcome_whatever_the_http_status_is(code):
    for status in (200, 400, 404, 500):
        assert type(outcome_of(answer(acknowledgement(code, code == "000"), status))) is OUTCOMES[code]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("000", Delivered),
        ("001", NotSent),
        ("002", NotSent),
        ("009", NotSent),
        ("021", NotSent),
        ("017", Misconfigured),
        ("210", Misconfigured),
        ("300", Misconfigured),
        ("018", RefusedByHub),
        ("022", RefusedByHub),
        ("603", RefusedByHub),
        ("400", OutcomeUnknown),
        ("102", OutcomeUnknown),
    ],
)
def test_what_the_codes_of_a_push_mean(code, kind):
    assert OUTCOMES[code] is kind


def test_success_needs_a_result_that_is_true():
    assert outcome_of(answer(acknowledgement("000", True))) == Delivered()
    for result in (False, None, "true", 1):
        assert isinstance(outcome_of(answer(acknowledgement("000", result))), OutcomeUnknown)


def test_a_refusal_with_a_true_result_says_nothing():
    assert isinstance(outcome_of(answer(acknowledgement("022", True))), OutcomeUnknown)


def test_a_code_that_no_table_has_is_unknown():
    assert isinstance(outcome_of(answer(acknowledgement("999", False))), OutcomeUnknown)


def test_a_refusal_carries_the_hubs_code_and_words():
    body = acknowledgement("018", False)
    body["StatusCode"]["AdditionalInfo"] = "FR*XYZ*E1"
    outcome = outcome_of(answer(body))
    assert isinstance(outcome, RefusedByHub)
    assert outcome.code == "018"
    assert "said" in outcome.text
    assert "FR*XYZ*E1" in outcome.text


def test_a_list_of_wrong_fields_is_a_refusal_that_names_them():
    wrong = [{"fieldReference": "operatorEvseData.evseDataRecord[0].plugs", "errorMessage": "may not be empty"}]
    body = {"extendedInfo": None, "message": "Error parsing/validating JSON.", "validationErrors": wrong}
    outcome = outcome_of(answer(body, 400))
    assert isinstance(outcome, RefusedByHub)
    assert outcome.code == "HTTP 400"
    assert "evseDataRecord[0].plugs: may not be empty" in outcome.text


def test_a_status_code_alone_is_read():
    body = {"StatusCode": {"Code": "017", "Description": "Unauthorized Access", "AdditionalInfo": None}}
    assert isinstance(outcome_of(answer(body, 401)), Misconfigured)
    body["StatusCode"]["Code"] = "300"
    assert isinstance(outcome_of(answer(body, 404)), Misconfigured)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, b"<html><h1>403 Forbidden</h1></html>", Misconfigured),
        (401, b"", Misconfigured),
        (400, b"<html>No required SSL certificate was sent</html>", Misconfigured),
        (400, b"<html>Bad Request</html>", OutcomeUnknown),
        (404, b"", OutcomeUnknown),
        (413, b"", RefusedByHub),
        (500, b"oops", OutcomeUnknown),
        (502, b"", OutcomeUnknown),
        (503, b"", NotSent),
        (504, b"", OutcomeUnknown),
        (200, b"", OutcomeUnknown),
        (200, b"[]", OutcomeUnknown),
        (200, b"null", OutcomeUnknown),
        (200, b'{"Result": true}', OutcomeUnknown),
        (200, b'{"Result": true, "StatusCode": "000"}', OutcomeUnknown),
        (200, b'{"Result": true, "StatusCode": {"Code": ["000"]}}', OutcomeUnknown),
        (200, b"[" * 100_000, OutcomeUnknown),
        (302, b"", OutcomeUnknown),
    ],
)
def test_foreign_bodies_are_judged_by_what_the_http_status_says_of_the_request(status, body, kind):
    assert type(outcome_of(answer(body, status))) is kind


def test_too_many_requests_are_throttled_for_as_long_as_the_hub_says():
    assert outcome_of(answer(b"", 429)) == Throttled(None)
    assert outcome_of(answer({"message": "limit"}, 429, **{"Retry-After": "7"})) == Throttled(timedelta(seconds=7))
    assert outcome_of(answer(b"", 503, **{"Retry-After": "9"})) == Throttled(timedelta(seconds=9))
