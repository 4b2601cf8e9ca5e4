"""Pulls over HTTP."""

import pytest

from gateway.services.keys import KeyRole


async def test_every_feed_is_listed_with_its_latest_pull(face):
    status, found, _ = await face.call("GET", "/v1/pulls", key=await face.key(KeyRole.READ))
    assert status == 200
    [one] = found["items"]
    assert (one["connection"], one["feed"], one["last"]["outcome"], one["last"]["new"]) == (
        "hubject",
        "evse_data",
        "done",
        3,
    )


async def test_a_feed_is_pulled_at_once_by_who_may_ask_for_it(face):
    assert (await face.call("POST", "/v1/pulls/hubject/evse_data?full=true"))[0] == 202
    assert (await face.call("POST", "/v1/pulls/hubject/nothing"))[0] == 404
    assert (await face.call("POST", "/v1/pulls/hubject/evse_data?full=perhaps"))[0] == 422


@pytest.mark.parametrize("role", [KeyRole.READ, KeyRole.PUBLISH])
async def test_who_may_only_read_or_publish_has_nothing_pulled(face, role):
    assert (await face.call("POST", "/v1/pulls/hubject/evse_data", key=await face.key(role)))[0] == 403


async def test_a_key_for_some_parties_sees_no_connections_pulls(face):
    key = await face.key(KeyRole.ADMIN, parties=("FR*ABC",))
    assert (await face.call("GET", "/v1/pulls", key=key))[0] == 403
    assert (await face.call("POST", "/v1/pulls/hubject/evse_data", key=key))[0] == 403
