"""Network groups, EVSE groups and documents over HTTP."""

import io

import pytest

from gateway.services.keys import KeyRole
from tests.http.offering import CPO, EMSP, OTHER, RIVAL, group, keys, published, put

EVSES = {"id": "dc", "party": CPO, "name": "Fast", "evse_ids": ["FR*ABC*E1", "FR*ABC*E2"]}
PDF = b"%PDF-1.7 what we agreed on"
UPLOAD = {"data": PDF, "headers": {"Content-Type": "application/pdf"}}


async def evses(face, id_="dc", **changes):
    status, said, _ = await face.call("PUT", f"/v1/evse-groups/{id_}", json=EVSES | {"id": id_} | changes)
    assert status in (200, 201), said


async def test_a_network_group_is_written_read_and_forgotten(face):
    body = {"id": "alps", "name": "The Alps", "members": [{"party": CPO, "since": "2025-01-01T00:00:00Z"}]}
    assert (await face.call("PUT", "/v1/network-groups/alps", json=body))[0] == 201
    assert (await face.call("PUT", "/v1/network-groups/alps", json=body | {"name": "Alps"}))[0] == 200
    assert (await face.call("GET", "/v1/network-groups/alps"))[1] == body | {"name": "Alps"}
    assert [one["id"] for one in (await face.call("GET", "/v1/network-groups"))[1]["items"]] == ["alps"]
    status, problem, _ = await face.call("PUT", "/v1/network-groups/alps", json=body | {"members": []})
    assert (status, problem["errors"][0]["field"]) == (409, "members")
    assert (await face.call("DELETE", "/v1/network-groups/alps"))[0] == 204
    for method in ("GET", "DELETE"):
        assert (await face.call(method, "/v1/network-groups/alps"))[0] == 404


async def test_a_member_that_leaves_before_it_came_is_refused_by_its_field(face):
    member = {"party": CPO, "since": "2026-01-01T00:00:00Z", "until": "2025-01-01T00:00:00Z"}
    body = {"id": "alps", "name": "The Alps", "members": [member]}
    status, problem, _ = await face.call("PUT", "/v1/network-groups/alps", json=body)
    assert (status, problem["errors"][0]["field"]) == (422, "members[0].until")
    status, problem, _ = await face.call("PUT", "/v1/network-groups/other", json=body | {"members": []})
    assert (status, problem["errors"][0]["field"]) == (422, "id")


async def test_network_groups_are_written_by_administrators_of_all_parties_and_read_by_all(face):
    await group(face, CPO)
    publisher = await face.key(KeyRole.PUBLISH)
    [admin] = await keys(face, CPO, role=KeyRole.ADMIN)
    body = {"id": "alps", "name": "The Alps"}
    for key in (publisher, admin):
        assert (await face.call("PUT", "/v1/network-groups/alps", json=body, key=key))[0] == 403
        assert (await face.call("DELETE", "/v1/network-groups/alps", key=key))[0] == 403
    [reader] = await keys(face, RIVAL, role=KeyRole.READ)
    assert (await face.call("GET", "/v1/network-groups", key=reader))[0] == 200
    assert (await face.call("GET", "/v1/network-groups/alps", key=reader))[0] == 200


async def test_an_evse_group_is_written_read_changed_and_forgotten(face):
    status, view, _ = await face.call("PUT", "/v1/evse-groups/dc", json=EVSES)
    assert (status, view["evses"], "evse_ids" in view) == (201, 2, False)
    assert (await face.call("PUT", "/v1/evse-groups/dc", json=EVSES))[0] == 200
    changed = {"add": ["FR*ABC*E3", "FR*ABC*E2"], "remove": ["FR*ABC*E1", "FR*ABC*E9"]}
    status, view, _ = await face.call("PATCH", "/v1/evse-groups/dc/evses", json=changed)
    assert (status, view["evses"]) == (200, 2)
    _, first, _ = await face.call("GET", "/v1/evse-groups/dc/evses?limit=1")
    _, rest, _ = await face.call("GET", f"/v1/evse-groups/dc/evses?limit=9&after={first['next']}")
    assert first["items"] + rest["items"] == ["FR*ABC*E2", "FR*ABC*E3"]
    assert (await face.call("GET", "/v1/evse-groups/dc"))[1] == view
    assert [one["id"] for one in (await face.call("GET", "/v1/evse-groups"))[1]["items"]] == ["dc"]
    assert (await face.call("DELETE", "/v1/evse-groups/dc"))[0] == 204
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/evses")):
        assert (await face.call(method, f"/v1/evse-groups/dc{path}"))[0] == 404
    assert (await face.call("PATCH", "/v1/evse-groups/dc/evses", json=changed))[0] == 404


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"evse_ids": ["FR*OTH*E1"]}, 422, "evse_ids[0]"),
        ({"evse_ids": [""]}, 422, "evse_ids[0]"),
        ({"name": "x" * 51}, 422, "name"),
        ({"id": "ac"}, 422, "id"),
        ({"party": OTHER, "evse_ids": []}, 409, "id"),
    ],
    ids=str,
)
async def test_an_evse_group_that_makes_no_sense_is_refused_by_its_field(face, changes, status, field):
    await evses(face)
    said, problem, _ = await face.call("PUT", "/v1/evse-groups/dc", json=EVSES | changes)
    assert (said, problem["errors"][0]["field"]) == (status, field)


async def test_an_evse_group_is_its_cpos_and_read_by_whoever_sees_an_offer_that_names_it(face):
    await evses(face)
    await evses(face, "ac")
    terms = {"services": ["poi"], "evse_groups": ["dc"]}
    assert (await face.call("GET", "/v1/evse-groups?party=FR*OTH"))[1]["items"] == []
    await published(face, audience=[EMSP], terms=terms)
    cpo, emsp, rival = await keys(face, CPO, EMSP, RIVAL)
    for key, statuses in ((cpo, (200, 200)), (emsp, (200, 404)), (rival, (404, 404))):
        for id_, status in zip(("dc", "ac"), statuses, strict=True):
            assert (await face.call("GET", f"/v1/evse-groups/{id_}", key=key))[0] == status
            assert (await face.call("GET", f"/v1/evse-groups/{id_}/evses", key=key))[0] == status
    writes = (("PUT", "", EVSES), ("PATCH", "/evses", {"add": []}), ("DELETE", "", None))
    for key, statuses in ((emsp, (403, 403, 403)), (rival, (403, 404, 404)), (cpo, (200, 200, 204))):
        for (method, path, body), status in zip(writes, statuses, strict=True):
            options = {} if body is None else {"json": body}
            assert (await face.call(method, f"/v1/evse-groups/dc{path}", key=key, **options))[0] == status
    assert [one["id"] for one in (await face.call("GET", "/v1/evse-groups", key=cpo))[1]["items"]] == ["ac"]
    assert (await face.call("GET", "/v1/evse-groups", key=emsp))[1]["items"] == []


async def test_a_document_is_stored_once_and_given_back_as_it_was(face):
    path = "/v1/documents/terms"
    status, view, _ = await face.call("PUT", path + "?party=FR*ABC&name=été.pdf", **UPLOAD)
    assert (status, view["name"], view["size"], view["media_type"]) == (200, "été.pdf", len(PDF), "application/pdf")
    status, body, headers = await face.call("GET", path)
    assert (status, body.encode(), headers["ETag"]) == (200, PDF, f'"{view["digest"]}"')
    assert headers["Content-Type"] == "application/pdf"
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''%C3%A9t%C3%A9.pdf"
    assert (await face.call("PUT", path + "?party=FR*ABC", **UPLOAD))[0] == 200
    assert (await face.call("PUT", path + "?party=FR*ABC", **UPLOAD | {"data": PDF + b"!"}))[0] == 409
    assert (await face.call("GET", "/v1/documents/none"))[0] == 404


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (None, "terms.pdf"),
        ('attachment; filename="a b.pdf"', "a b.pdf"),
        ('attachment; filename="C:\\\\temp\\\\a.pdf"', "a.pdf"),
        ('attachment; filename="../../a.pdf"', "a.pdf"),
        ("attachment; filename*=UTF-8''%C3%A9.pdf", "é.pdf"),
        ("attachment; filename*=UTF-8''a%0D%0Ab.pdf", "terms.pdf"),
        ("what is this", "terms.pdf"),
    ],
)
@pytest.mark.filterwarnings("ignore::aiohttp.BadContentDispositionHeader")
async def test_a_document_has_the_name_of_its_file(face, disposition, name):
    headers = UPLOAD["headers"] | ({"Content-Disposition": disposition} if disposition else {})
    _, view, _ = await face.call("PUT", "/v1/documents/terms?party=FR*ABC", data=PDF, headers=headers)
    assert view["name"] == name


async def test_a_document_that_is_none_is_refused(face):
    path = "/v1/documents/terms?party=FR*ABC"
    assert (await face.call("PUT", path, **UPLOAD | {"data": b"<html>"}))[0] == 422
    assert (await face.call("PUT", path, data=PDF, headers={"Content-Type": "text/html"}))[0] == 415
    assert (await face.call("PUT", path, **UPLOAD | {"data": io.BytesIO(b"%PDF-" + bytes(10 * 1024 * 1024))}))[0] == 413
    assert (await face.call("PUT", path + "&name=a/b", **UPLOAD))[0] == 422
    status, problem, _ = await face.call("PUT", "/v1/documents/terms", **UPLOAD)
    assert (status, problem["errors"][0]["field"]) == (422, "party")


async def test_a_document_is_read_by_its_party_and_by_whoever_sees_an_offer_that_names_it(face):
    cpo, emsp, rival = await keys(face, CPO, EMSP, RIVAL)
    assert (await face.call("PUT", "/v1/documents/terms", key=cpo, **UPLOAD))[1]["party"] == CPO
    assert (await face.call("PUT", "/v1/documents/more?party=FR*ABC", key=emsp, **UPLOAD))[0] == 403
    await put(face, "draft", document="terms", audience=[RIVAL])
    await published(face, document="terms", audience=[EMSP])
    await published(face, "o-2", cpo=OTHER, document="terms")  # which is public, and not of whom the terms are
    for key, status in ((cpo, 200), (emsp, 200), (rival, 404)):
        assert (await face.call("GET", "/v1/documents/terms", key=key))[0] == status


async def test_what_many_offers_may_name_is_looked_for_in_all_of_them(face, monkeypatch):
    monkeypatch.setattr("gateway.http.v1.standing._AT_ONCE", 2)
    await evses(face)
    for number in range(4):
        await published(face, f"o-{number}")
    [emsp] = await keys(face, EMSP)
    assert (await face.call("GET", "/v1/evse-groups/dc", key=emsp))[0] == 404
    await published(face, "o-4", terms={"services": ["poi"], "evse_groups": ["dc"]})
    assert (await face.call("GET", "/v1/evse-groups/dc", key=emsp))[0] == 200
