"""`/v1/sent-commands`."""

from typing import Any

from gateway.services.keys import KeyRole
from mappings.canonical.ids import PartyId
from tests.http.conftest import Face

START: dict[str, Any] = {
    "party": "FR*XYZ",
    "kind": "START_SESSION",
    "evse": {"evse_id": "NL*ABC*E1"},
    "token": {"type": "APP_USER", "uid": "driver-1"},
}


async def test_a_command_gives_its_result(face: Face) -> None:
    status, sent, _ = await face.call("POST", "/v1/sent-commands", json=START)
    assert (status, sent["result"], sent["cpo"]) == (200, "ACCEPTED", "NL*ABC")
    status, read, _ = await face.call("GET", f"/v1/sent-commands/{sent['id']}")
    assert (status, read) == (200, sent)


async def test_a_command_for_whose_result_nobody_waits_is_sent(face: Face) -> None:
    status, sent, _ = await face.call("POST", "/v1/sent-commands", json=START | {"wait": 0})
    assert (status, "result" in sent) == (202, False)


async def test_a_refusal_names_its_field(face: Face) -> None:
    blocked = START | {"token": {"type": "APP_USER", "uid": "blocked"}}
    status, problem, _ = await face.call("POST", "/v1/sent-commands", json=blocked)
    assert (status, problem["errors"]) == (422, [{"field": "token", "detail": "is blocked"}])


async def test_a_wish_that_makes_no_sense_is_refused(face: Face) -> None:
    status, problem, _ = await face.call("POST", "/v1/sent-commands", json=START | {"kind": "STOP_SESSION"})
    assert status == 422
    assert "evse is needed" in problem["detail"]
    assert face.sent_commands.wishes == []


async def test_a_key_sends_for_its_own_parties(face: Face) -> None:
    key = await face.key(KeyRole.PUBLISH, KeyRole.READ, parties=("DE*ABC",))
    status, problem, _ = await face.call("POST", "/v1/sent-commands", key=key, json=START)
    assert (status, problem["errors"][0]["field"]) == (403, "party")
    _, sent, _ = await face.call("POST", "/v1/sent-commands", json=START)
    assert (await face.call("GET", f"/v1/sent-commands/{sent['id']}", key=key))[0] == 404
    reader = await face.key(KeyRole.READ)
    assert (await face.call("POST", "/v1/sent-commands", key=reader, json=START))[0] == 403


async def test_commands_are_listed_by_what_is_asked(face: Face) -> None:
    await face.call("POST", "/v1/sent-commands", json=START)
    query = "party=FRXYZ&cpo=NLABC&kind=START_SESSION&open=false&connection=hubject&since=2026-01-01T00:00:00Z"
    status, page, _ = await face.call("GET", f"/v1/sent-commands?{query}")
    assert (status, len(page["items"])) == (200, 1)
    wanted = face.sent_commands.filters[-1]
    assert (wanted.parties, wanted.cpo, wanted.open) == (frozenset({PartyId("FR*XYZ")}), PartyId("NL*ABC"), False)
    assert (wanted.connection, wanted.kind) == ("hubject", "START_SESSION")
    assert (await face.call("GET", "/v1/sent-commands?after=nonsense"))[0] == 422
