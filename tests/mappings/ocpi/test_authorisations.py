"""What an EMSP is asked about a driver, and what it answers."""

import json
from typing import Any

import pytest

from mappings.canonical.tokens import AllowedType, TokenType
from mappings.ocpi.v2_2_1 import authorisations, tokens
from mappings.ocpi.v2_2_1.tokens import Authorisation, LocationReferences
from mappings.report import IssueKind, Refused
from tests.mappings.ocpi.samples_charging import INFO, TOKEN

UID = TOKEN["uid"]


def read(wire: Any, type_: str | None = None) -> authorisations.Question:
    return authorisations.question_to_canonical(UID, type_, json.dumps(wire))[0]


def test_an_evse_that_none_can_be_is_left_out_of_a_question() -> None:
    said = {"location_id": "LOC1", "evse_uids": ["x" * 37]}
    question, issues = authorisations.question_to_canonical(UID, "RFID", said)
    assert question.place is not None
    assert (question.place.location_id, question.evse_uid) == ("LOC1", None)
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.LEFT_OUT, "evse_uids")]


def test_a_question_tells_the_driver_and_the_place() -> None:
    question, issues = authorisations.question_to_canonical(UID, "RFID", b'{"location_id":"LOC1","evse_uids":["E1"]}')
    assert issues == []
    assert (question.identification.uid, question.identification.type) == (UID, TokenType.RFID)
    assert question.identification.contract_id is None
    assert question.place == LocationReferences("LOC1", ("E1",))
    assert question.evse_uid == "E1"


def test_a_question_without_a_type_is_about_a_card() -> None:
    assert read({"location_id": "LOC1"}).identification.type is TokenType.RFID
    assert read({"location_id": "LOC1"}, "APP_USER").identification.type is TokenType.APP_USER


@pytest.mark.parametrize("body", [None, b"", " \n", b"null", "{}", b" {} ", {}])
def test_a_question_may_name_no_place(body: Any) -> None:
    question, issues = authorisations.question_to_canonical(UID, None, body)
    assert (question.place, question.evse_uid, issues) == (None, None, [])


@pytest.mark.parametrize("uids", [None, [], ["E1", "E2"]])
def test_an_evse_is_known_where_one_alone_is_named(uids: Any) -> None:
    question = read({"location_id": "LOC1", "evse_uids": uids})
    assert question.place is not None
    assert question.place.location_id == "LOC1"
    assert question.evse_uid is None
    assert read({"location_id": "LOC1", "evse_uids": ["E1", "E1"]}).evse_uid == "E1"


def test_what_is_wrong_with_the_evses_does_not_hide_the_place() -> None:
    wire = {"location_id": "LOC1", "evse_uids": ["E1", {}, None], "speed": 3}
    question, issues = authorisations.question_to_canonical(UID, None, json.dumps(wire))
    assert question.place == LocationReferences("LOC1", ("E1",))
    assert [(issue.kind, issue.field) for issue in issues] == [
        (IssueKind.LEFT_OUT, "evse_uids[2]"),
        (IssueKind.LEFT_OUT, "evse_uids[1]"),
        (IssueKind.LEFT_OUT, "speed"),
    ]


@pytest.mark.parametrize(
    ("uid", "type_", "body", "field"),
    [
        *(("", None, None, "uid"), ("A" * 37, None, None, "uid"), (UID, "NFC", None, "type"), (UID, "", None, "type")),
        *((UID, None, b"[]", ""), (UID, None, b"{", ""), (UID, None, b'{"evse_uids":["E1"]}', "location_id")),
        (UID, None, json.dumps({"location_id": "L" * 37}), "location_id"),
    ],
)
def test_a_question_that_cannot_be_read_is_refused(uid: str, type_: Any, body: Any, field: str) -> None:
    with pytest.raises(Refused) as error:
        authorisations.question_to_canonical(uid, type_, body)
    assert error.value.reason.field == field
    assert UID not in repr(error.value.issues)
    assert "AAAA" not in repr(error.value.issues)


def test_an_answer_is_written_as_it_was_read() -> None:
    answer, _ = tokens.authorisation_to_canonical(json.dumps(INFO))
    assert authorisations.from_canonical(answer, "fr") == (INFO, [])


def test_a_no_names_no_place() -> None:
    answer, _ = tokens.authorisation_to_canonical(json.dumps({**INFO, "allowed": "NO_CREDIT"}))
    wire, issues = authorisations.from_canonical(answer)
    assert "location" not in wire
    assert (wire["allowed"], wire["token"]) == ("NO_CREDIT", TOKEN)
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.LOST, "location")]


def test_an_answer_says_no_more_than_it_has_to() -> None:
    token, _ = tokens.to_canonical(TOKEN)
    bare = Authorisation(AllowedType.ALLOWED, token, LocationReferences("LOC1", ()), None, None)
    assert authorisations.from_canonical(bare) == (
        {"allowed": "ALLOWED", "token": TOKEN, "location": {"location_id": "LOC1"}},
        [],
    )


def test_an_answer_without_its_token_or_with_a_reference_that_never_comes_back_is_refused() -> None:
    token, _ = tokens.to_canonical(TOKEN)
    for given, reference, field in ((None, None, "token"), (token, "r" * 37, "reference")):
        with pytest.raises(Refused) as error:
            authorisations.from_canonical(Authorisation(AllowedType.ALLOWED, given, None, reference, None))
        assert error.value.reason.field == field
