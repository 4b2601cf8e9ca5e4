"""Driver tokens and permits over HTTP."""

import json

from gateway.services.keys import KeyRole
from gateway.services.ports.driver_tokens import DriverTokenFilter
from gateway.services.ports.permits import PermitFilter
from mappings.canonical.ids import ContractId, PartyId

PATH = "/v1/driver-tokens/FR*XYZ/RFID/04A2B3C4D5E680"


def token(**changes):
    return {
        "party": "FR*XYZ",
        "uid": "04A2B3C4D5E680",
        "type": "RFID",
        "contract_id": "FR-XYZ-C12345678",
        "issuer": "XYZ",
        "valid": True,
        "whitelist": "ALLOWED",
        "driver": "d-1",
        "last_updated": "2026-03-01T11:00:00Z",
    } | changes


async def test_a_token_is_written_read_and_withdrawn(face):
    status, written, _ = await face.call("PUT", PATH, json=token())
    assert (status, written["id"], written["outcome"]) == (201, "RFID/04A2B3C4D5E680", "created")
    status, shown, headers = await face.call("GET", PATH)
    assert (status, shown["driver"], headers["ETag"]) == (200, "d-1", '"1"')
    assert (await face.call("DELETE", PATH))[0] == 204
    assert (await face.call("GET", PATH))[0] == 410
    assert (await face.call("DELETE", PATH))[0] == 404


async def test_a_uid_is_the_same_in_any_case(face):
    assert (await face.call("PUT", PATH.replace("04A2", "04a2"), json=token()))[0] == 201
    assert (await face.call("PUT", PATH, json=token(uid="04a2b3c4d5e680")))[0] == 200
    status, problem, _ = await face.call("PUT", PATH, json=token(uid="04A2B3C4D5E681"))
    assert (status, problem["errors"][0]["field"]) == (422, "uid")


async def test_a_write_over_another_revision_is_refused(face):
    await face.call("PUT", PATH, json=token())
    assert (await face.call("PUT", PATH, json=token(), headers={"If-Match": '"7"'}))[0] == 412
    assert (await face.call("PUT", PATH, json=token(), headers={"If-Match": '"1"'}))[0] == 200
    assert (await face.call("PUT", PATH + "F", json=token(uid="04A2B3C4D5E680F"), headers={"If-Match": "*"}))[0] == 412


async def test_many_are_written_one_a_line_and_one_that_is_none_spoils_no_other(face):
    lines = [json.dumps(token(uid=f"04{number:012X}")) for number in range(3)]
    body = "\n".join([*lines, json.dumps(token(whitelist="PERHAPS"))])
    headers = {"Content-Type": "application/x-ndjson"}
    status, summary, _ = await face.call("POST", "/v1/driver-tokens", data=body, headers=headers)
    assert (status, summary["read"], summary["created"], summary["refused"]) == (200, 4, 3, 1)
    assert (summary["errors"][0]["line"], summary["errors"][0]["field"]) == (4, "whitelist")


async def test_a_driver_is_blocked_with_every_token_and_unblocked(face):
    for number in range(3):
        uid = f"04{number:012X}"
        await face.call("PUT", f"/v1/driver-tokens/FR*XYZ/RFID/{uid}", json=token(uid=uid))
    status, switched, _ = await face.call("POST", "/v1/drivers/FR*XYZ/d-1/block")
    assert (status, switched) == (200, {"tokens": 3, "changed": 3})
    assert (await face.call("POST", "/v1/drivers/FR*XYZ/d-1/block"))[1] == {"tokens": 3, "changed": 0}
    contract = "/v1/contracts/FR*XYZ/FRXYZC12345678/unblock"
    assert (await face.call("POST", contract))[1] == {"tokens": 3, "changed": 3}
    assert (await face.call("POST", "/v1/drivers/FR*XYZ/nobody/block"))[0] == 404


async def test_a_key_sees_and_writes_its_own_emsp_s_tokens_only(face):
    key = await face.key(KeyRole.READ, KeyRole.PUBLISH, parties=("FR*XYZ",))
    assert (await face.call("PUT", PATH, json=token(), key=key))[0] == 201
    other = PATH.replace("FR*XYZ", "FR*OTH")
    assert (await face.call("PUT", other, json=token(party="FR*OTH"), key=key))[0] == 403
    assert (await face.call("POST", "/v1/drivers/FR*OTH/d-1/block", key=key))[0] == 403
    assert (await face.call("GET", "/v1/driver-tokens?contract=FR-XYZ-C12345678&uid=04", key=key))[0] == 200
    parties = frozenset({PartyId("FR*XYZ")})
    wanted = DriverTokenFilter(parties, contract=ContractId("FRXYZC12345678"), uid="04")
    assert face.driver_tokens.filters == [wanted]
    assert (await face.call("GET", "/v1/permits/p-1", key=key))[1]["reason"] == "BLOCKED"
    stranger = await face.key(KeyRole.READ, parties=("FR*OTH",))
    assert (await face.call("GET", "/v1/permits/p-1", key=stranger))[0] == 404


async def test_issues_of_a_token_are_those_of_its_translations(face):
    assert (await face.call("GET", PATH + "/issues"))[0] == 404
    await face.call("PUT", PATH, json=token())
    status, shown, _ = await face.call("GET", PATH + "/issues")
    assert (status, shown["items"][0]["issue"]["field"]) == (200, "issuer")


async def test_permits_are_listed_by_party_time_connection_and_answer(face):
    query = "since=2026-03-01T00:00:00Z&until=2026-03-02T00:00:00Z&connection=hubject&allowed=false&driver=d-1"
    status, page, _ = await face.call("GET", f"/v1/permits?{query}")
    assert (status, page["items"][0]["id"]) == (200, "p-1")
    [wanted] = face.permits.filters
    assert (wanted.connection, wanted.allowed, wanted.driver) == ("hubject", False, "d-1")
    assert wanted.since is not None
    assert wanted.until is not None
    assert wanted == PermitFilter(None, wanted.since, wanted.until, "hubject", False, "d-1")
