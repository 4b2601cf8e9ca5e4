"""The description: valid, complete, true to what the server does."""

import json
import re

from openapi_pydantic import OpenAPI, parse_obj

from gateway.http.problems import KINDS


async def described(face):
    status, document, _ = await face.call("GET", "/v1/openapi.json", key=None)
    assert status == 200
    return document


async def test_the_document_is_openapi_3_1(face):
    document = await described(face)
    assert isinstance(parse_obj(document), OpenAPI)
    assert document["openapi"].startswith("3.1")
    assert document["info"]["version"] == "1.2.3"


async def test_every_reference_leads_somewhere(face):
    document = await described(face)
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert names <= document["components"]["schemas"].keys()


async def test_every_operation_has_an_id_a_summary_and_a_description(face):
    operations = [item for path in (await described(face))["paths"].values() for item in path.values()]
    assert len({item["operationId"] for item in operations}) == len(operations) > 35
    assert all(item["summary"] and len(item["description"]) > 20 for item in operations)


async def test_every_problem_that_is_referred_to_is_explained(face):
    document = await described(face)
    assert document["x-problems"].keys() == KINDS.keys()


async def test_fields_are_described_by_the_docstrings_of_their_classes(face):
    schemas = (await described(face))["components"]["schemas"]
    assert schemas["Location-Input"]["properties"]["country"]["description"] == "ISO 3166-1 alpha-3."
    assert schemas["Location-Input"]["description"] == "A place with EVSEs, keyed by (party, id)."


async def test_the_page_needs_nothing_from_elsewhere(face):
    status, page, headers = await face.call("GET", "/docs", key=None)
    assert status == 200
    assert not re.search(r"(src|href)=\"?https?:", page)
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


async def test_the_stream_of_events_is_described_beside_their_pages(face):
    content = (await described(face))["paths"]["/v1/events"]["get"]["responses"]["200"]["content"]
    assert content.keys() == {"application/json", "text/event-stream"}
    assert content["text/event-stream"]["schema"]["type"] == "string"
