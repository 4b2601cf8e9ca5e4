"""Commands and what hears events, as the HTTP face takes and shows them."""

from gateway.services.keys import KeyRole

ONE = "/v1/commands/" + "0" * 32


async def test_a_command_is_answered_once(face):
    status, command, _ = await face.call("POST", ONE + "/result", json={"result": "ACCEPTED", "text": "plugged in"})
    again, _, _ = await face.call("POST", ONE + "/result", json={"result": "REJECTED"})
    assert (status, command["result"], command["text"], again) == (200, "ACCEPTED", "plugged in", 409)


async def test_pending_is_no_result(face):
    status, problem, _ = await face.call("POST", ONE + "/result", json={"result": "PENDING"})
    assert (status, problem["errors"][0]["field"]) == (422, "result")


async def test_another_partys_command_is_not_there(face):
    key = await face.key(KeyRole.PUBLISH, parties=("FR*XYZ",))
    _, listed, _ = await face.call("GET", "/v1/commands", key=key)
    read, _, _ = await face.call("GET", ONE, key=key)
    answered, _, _ = await face.call("POST", ONE + "/result", key=key, json={"result": "ACCEPTED"})
    assert (listed["items"], read, answered) == ([], 404, 404)


async def test_who_only_reads_answers_nothing(face):
    key = await face.key(KeyRole.READ)
    assert (await face.call("POST", ONE + "/result", key=key, json={"result": "ACCEPTED"}))[0] == 403


async def test_where_events_are_told_is_an_administrators_affair_for_all_parties(face):
    hook = {"name": "ears", "url": "https://backend.example.com/hear"}
    for key in (await face.key(KeyRole.PUBLISH), await face.key(KeyRole.ADMIN, parties=("FR*ABC",))):
        for path in ("/v1/webhooks", "/v1/call-outs"):
            assert (await face.call("GET", path, key=key))[0] == 403
            assert (await face.call("POST", path, key=key, json=hook))[0] == 403


async def test_a_secret_is_shown_when_it_is_made_and_not_kept_on_the_way(face):
    hook = {"name": "ears", "url": "https://backend.example.com/hear", "silence": "REJECTED"}
    status, made, headers = await face.call("POST", "/v1/call-outs", json=hook)
    assert (status, made["secret"], headers["Cache-Control"]) == (201, "whsec_c2VjcmV0", "no-store")
    assert made["listener"]["silence"] == "REJECTED"
    assert "secret" not in str((await face.call("GET", "/v1/call-outs/ears"))[1])
