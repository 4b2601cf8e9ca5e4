"""`/v1/received-sessions` and `/v1/received-cdrs`."""

import pytest

from gateway.services.keys import KeyRole
from mappings.canonical.ids import PartyId
from tests.http.conftest import Face

WHY = {"why": "the CPO confirmed it"}


async def test_sessions_and_cdrs_are_shown_with_what_is_doubted(face: Face) -> None:
    doubts = [{"reason": "UNKNOWN_PERMIT", "field": "auth_method", "detail": "is COMMAND, but no permit fits it"}]
    status, session, _ = await face.call("GET", "/v1/received-sessions/7")
    assert (status, session["review"], session["doubts"]) == (200, ["UNKNOWN_PERMIT"], doubts)
    status, cdr, _ = await face.call("GET", "/v1/received-cdrs/9")
    assert (status, cdr["standing"], cdr["price_source"], cdr["doubts"]) == (200, "review", "none", doubts)


@pytest.mark.parametrize("path", ["/v1/received-sessions", "/v1/received-cdrs"])
async def test_lists_take_filters(face: Face, path: str) -> None:
    query = (
        "party=FR*XYZ&cpo=NLABC&connection=hubject&review=true&reason=SECOND_CDR&since=2026-01-01T00:00:00Z&permit=p-1"
    )
    more = "&status=COMPLETED&without_cdr=true" if path.endswith("sessions") else "&standing=rejected&session=7"
    status, page, _ = await face.call("GET", f"{path}?{query}{more}")
    assert (status, len(page["items"])) == (200, 1)
    wanted = face.received.filters[-1]
    assert (wanted.parties, wanted.cpo, wanted.review) == (frozenset({PartyId("FR*XYZ")}), PartyId("NL*ABC"), True)
    assert (wanted.reason, wanted.connection, wanted.permit) == ("SECOND_CDR", "hubject", "p-1")
    assert wanted.session == (None if path.endswith("sessions") else 7)
    assert (wanted.status, wanted.standing) in {("COMPLETED", None), (None, "rejected")}
    assert (await face.call("GET", f"{path}?reason=WHATEVER"))[0] == 422
    assert (await face.call("GET", f"{path}?after=nonsense"))[0] == 422


@pytest.mark.parametrize(("word", "standing"), [("accept", "accepted"), ("reject", "rejected")])
async def test_a_person_decides_on_a_cdr_once(face: Face, word: str, standing: str) -> None:
    status, cdr, _ = await face.call("POST", f"/v1/received-cdrs/9/{word}", json=WHY)
    assert (status, cdr["standing"], cdr["decided"]["why"]) == (200, standing, WHY["why"])
    assert (await face.call("POST", f"/v1/received-cdrs/9/{word}", json=WHY))[0] == 409


async def test_a_person_says_under_which_permit_a_session_began(face: Face) -> None:
    status, session, _ = await face.call("POST", "/v1/received-sessions/7/accept", json=WHY | {"permit": "p-1"})
    assert (status, session["permit"], session["review"]) == (200, "p-1", [])
    assert (await face.call("POST", "/v1/received-sessions/7/accept", json=WHY))[0] == 409


async def test_what_waits_is_judged_anew(face: Face) -> None:
    status, session, _ = await face.call("POST", "/v1/received-sessions/7/check")
    assert (status, session["review"]) == (200, [])
    status, bill, _ = await face.call("POST", "/v1/received-cdrs/9/check")
    assert (status, bill["standing"]) == (200, "accepted")
    for path in ("received-sessions/7", "received-cdrs/9"):
        assert (await face.call("POST", f"/v1/{path}/check"))[0] == 409
        reader = await face.key(KeyRole.READ)
        assert (await face.call("POST", f"/v1/{path}/check", key=reader))[0] == 403


async def test_a_cdr_may_be_waived(face: Face) -> None:
    status, session, _ = await face.call("POST", "/v1/received-sessions/7/waive-cdr", json=WHY)
    assert (status, session["waived"]) == (200, WHY["why"])


async def test_nothing_is_decided_without_a_reason_or_by_who_may_only_read(face: Face) -> None:
    assert (await face.call("POST", "/v1/received-cdrs/9/accept", json={"why": ""}))[0] == 422
    reader = await face.key(KeyRole.READ)
    assert (await face.call("POST", "/v1/received-cdrs/9/accept", key=reader, json=WHY))[0] == 403


async def test_another_emsps_key_sees_nothing(face: Face) -> None:
    key = await face.key(KeyRole.READ, KeyRole.PUBLISH, parties=("DE*ABC",))
    for path in ("/v1/received-sessions/7", "/v1/received-cdrs/9"):
        assert (await face.call("GET", path, key=key))[0] == 404
    assert (await face.call("POST", "/v1/received-cdrs/9/accept", key=key, json=WHY))[0] == 404
    assert (await face.call("GET", "/v1/received-cdrs/0"))[0] == 422
