"""Agreements taken over from a file, and where hubs disagree, over HTTP."""

import io

import pytest

from gateway.services.keys import KeyRole

PATH = "/v1/connections/g/agreements/import"
CSV = {"data": b"cpo,emsp\nFR*ABC,DE*XYZ\n", "headers": {"Content-Type": "text/csv; charset=utf-8"}}


async def test_a_file_is_taken_and_what_came_of_its_rows_is_said(face):
    status, report, _ = await face.call("POST", PATH, **CSV)
    assert (status, report["added"], report["unchanged"], report["missing"]) == (200, 2, 1, ["FR*ABC/DE*OLD"])
    assert report["refused"] == [{"row": 3, "field": "emsp", "detail": "is no party id"}]
    assert (await face.call("POST", PATH + "?dry_run=true", json=[{"cpo": "FR*ABC"}]))[0] == 200
    [(name, content, first_dry), (_, _, second_dry)] = face.agreement_imports.taken
    assert (name, content, first_dry, second_dry) == ("g", CSV["data"], False, True)


@pytest.mark.parametrize(
    ("path", "options", "status"),
    [
        ("/v1/connections/nowhere/agreements/import", CSV, 404),
        (PATH, CSV | {"data": b"x;y"}, 422),
        (PATH, {"data": b"[", "headers": {"Content-Type": "application/json"}}, 422),
        (PATH, CSV | {"headers": {"Content-Type": "text/html"}}, 415),
        (PATH, CSV | {"data": io.BytesIO(b"cpo," + bytes(8 * 1024 * 1024))}, 413),
        (PATH + "?dry_run=perhaps", CSV, 422),
    ],
)
async def test_a_file_that_cannot_be_taken_is_refused(face, path, options, status):
    assert (await face.call("POST", path, **options))[0] == status


async def test_disagreements_are_listed_and_put_aside(face):
    status, page, _ = await face.call("GET", "/v1/offer-drifts?connection=g&limit=1")
    assert (status, page["items"][0]["kind"], page["next"]) == (200, "HUB_SAID_YES", "1")
    assert page["items"][0]["theirs"] == {"at": None}
    one = {"connection": "g", "kind": "FIELD", "subject": "offer/o-1", "field": "ends"}
    assert (await face.call("POST", "/v1/offer-drifts/settle", json=one))[0] == 204
    assert (await face.call("POST", "/v1/offer-drifts/settle", json=one))[0] == 404
    assert len((await face.call("GET", "/v1/offer-drifts"))[1]["items"]) == 1
    assert (await face.call("GET", "/v1/offer-drifts?connection=nowhere"))[0] == 404
    for wrong in ({}, one | {"kind": "MOOD"}, one | {"subject": ""}):
        assert (await face.call("POST", "/v1/offer-drifts/settle", json=wrong))[0] == 422


async def test_what_hubs_hold_is_for_keys_of_all_parties_and_changed_by_administrators(face):
    publisher, reader = await face.key(KeyRole.PUBLISH), await face.key(KeyRole.READ)
    some = await face.key(KeyRole.ADMIN, parties=("FR*ABC",))
    for key in (publisher, some):
        assert (await face.call("POST", PATH, key=key, **CSV))[0] == 403
        assert (await face.call("POST", "/v1/offer-drifts/settle", key=key, json={}))[0] == 403
    assert (await face.call("GET", "/v1/offer-drifts", key=some))[0] == 403
    assert (await face.call("GET", "/v1/offer-drifts", key=reader))[0] == 200
