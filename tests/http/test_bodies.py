"""Bodies that are too large, damaged, packed, nested or of the wrong kind."""

import asyncio
import gzip
import json
import resource
import zlib

import pytest

from tests.http.conftest import ADMIN, location

STATUSES = "/v1/evse-statuses"
LOCATIONS = "/v1/locations"
ONE = "/v1/locations/FR*ABC/L1"
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}
MIB = 1024 * 1024


def lines(*values):
    return b"\n".join(value if isinstance(value, bytes) else json.dumps(value).encode() for value in values)


async def pieces(piece, count):
    for _ in range(count):
        yield piece


def peak():
    """Most memory that this process ever held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def raw(face, head, body=b""):
    """Sends bytes as they are; gives what is answered at once, nothing if the body was to go on and does not."""
    host, port = face.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(head + body)
    if body:
        writer.write_eof()
    answer = await reader.read(64 * 1024)
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 10_000,
        b'{"a":' * 10_000,
        b"[" * 10_000 + b"]" * 10_000,
        b"\xff\xfe\x00",
        b"NaN{",
        b"\x1f\x8b\x08",
    ],
    ids=["empty", "cut", "lists", "objects", "closed lists", "no UTF-8", "NaN", "gzip"],
)
@pytest.mark.parametrize(("method", "path"), [("POST", STATUSES), ("PUT", ONE), ("PATCH", ONE)])
async def test_what_is_no_json_or_nested_too_deep_is_400(face, method, path, body):
    await face.call("PUT", ONE, json=location())
    status, problem, _ = await face.call(method, path, data=body, headers=JSON)
    assert (status, problem["type"]) == (400, "/docs#damaged-body")
    assert await face.call("GET", ONE)


async def test_json_nested_too_deep_inside_an_unknown_field_is_400(face):
    body = json.dumps(location()).encode()[:-1] + b', "unknown": {"x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}}"
    assert (await face.call("PUT", ONE, data=body, headers=JSON))[0] == 400


@pytest.mark.parametrize("given", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
async def test_a_wrong_content_type_is_415_and_names_the_right_ones(face, given):
    status, problem, _ = await face.call("PUT", ONE, data=b"{}", headers={"Content-Type": given})
    assert status == 415
    assert "application/json" in problem["detail"]


async def test_a_coding_that_is_not_read_is_415(face):
    status, _, headers = await face.call("PUT", ONE, data=b"{}", headers=JSON | {"Content-Encoding": "br"})
    assert (status, headers["Accept-Encoding"]) == (415, "gzip")


async def test_a_packed_body_is_unpacked(face):
    packed = gzip.compress(json.dumps(location()).encode())
    status, _, _ = await face.call("PUT", ONE, data=packed, headers=JSON | {"Content-Encoding": "gzip"})
    assert status == 201


async def test_gzip_files_one_after_the_other_are_one_body(face):
    packed = gzip.compress(lines(location("L1")) + b"\n") + gzip.compress(lines(location("L2")))
    _, summary, _ = await face.call("POST", LOCATIONS, data=packed, headers=NDJSON | {"Content-Encoding": "gzip"})
    assert summary["created"] == 2


@pytest.mark.parametrize("keep", [1, 5, 30, -9, -1])
async def test_a_truncated_gzip_is_400(face, keep):
    packed = gzip.compress(json.dumps(location()).encode())[:keep]
    status, problem, _ = await face.call("PUT", ONE, data=packed, headers=JSON | {"Content-Encoding": "gzip"})
    assert (status, problem["type"]) == (400, "/docs#damaged-body")


async def test_what_is_no_gzip_is_400(face):
    status, _, _ = await face.call("PUT", ONE, data=b"{}", headers=JSON | {"Content-Encoding": "gzip"})
    assert status == 400


async def test_of_a_truncated_stream_what_came_before_is_stored_and_told(face):
    body = lines(*[location(f"L{number}", address=f"{hash(str(number))} street") for number in range(3000)])
    packed = gzip.compress(body)[:-20_000]
    status, problem, _ = await face.call("POST", LOCATIONS, data=packed, headers=NDJSON | {"Content-Encoding": "gzip"})
    assert status == 400
    assert 0 < problem["done"]["created"] == len(face.memory.locations) < 3000


async def test_a_declared_length_of_2_gb_is_refused_before_anything_is_read(face):
    head = f"POST {STATUSES} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {2 * 1024 * MIB}\r\n\r\n"
    answer = await raw(face, head.encode())
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"/docs#too-large"' in answer


async def test_an_endless_body_without_a_length_is_refused_at_the_limit(face):
    status, problem, _ = await face.call("PUT", ONE, data=pieces(b" " * MIB, 12), headers=JSON)
    assert (status, problem["type"]) == (413, "/docs#too-large")


async def test_a_gzip_bomb_is_refused_at_the_limit_in_flat_memory(face):
    bomb = gzip.compress(b" " * (64 * MIB))
    before = peak()
    status, _, _ = await face.call("PUT", ONE, data=bomb, headers=JSON | {"Content-Encoding": "gzip"})
    assert status == 413
    assert peak() - before < 40


async def test_a_stream_that_unpacks_to_128_mib_passes_in_flat_memory(face):
    packer = zlib.compressobj(wbits=31)
    zeros = bytes(MIB)
    packed = b"".join(packer.compress(zeros) for _ in range(128)) + packer.flush()
    before = peak()
    status, _, _ = await face.call("POST", "/v1/imports", data=packed, headers={"Content-Encoding": "gzip"})
    assert (status, face.importing.bytes) == (200, 128 * MIB)
    assert face.importing.largest <= 64 * 1024
    assert peak() - before < 40


async def test_a_line_without_end_is_refused_by_its_number_in_flat_memory(face):
    async def body():
        yield lines(location("L1")) + b"\n"
        for _ in range(64):
            yield b"x" * MIB
        yield b"\n" + lines(location("L2")) + b"\n\n"

    before = peak()
    status, summary, _ = await face.call("POST", LOCATIONS, data=body(), headers=NDJSON)
    assert (status, summary["created"], summary["refused"]) == (200, 2, 1)
    assert [fault["line"] for fault in summary["errors"]] == [2]
    assert peak() - before < 40


async def test_a_body_that_is_cut_off_leaves_the_server_well(face):
    head = f"POST {LOCATIONS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN}\r\n"
    head += "Content-Type: application/x-ndjson\r\nContent-Length: 100000\r\n\r\n"
    await raw(face, head.encode(), lines(location("L1")) + b"\n" + lines(location("L2"))[:50])
    assert (await face.call("GET", "/healthz"))[0] == 200
    assert len(face.memory.locations) <= 1


async def test_packed_bodies_are_not_taken_on_the_routes_of_hubs(face):
    packed = {"Content-Encoding": "gzip"}
    status, _, headers = await face.call("POST", "/hub/receive", data=gzip.compress(b"{}"), headers=packed, key=None)
    assert (status, headers["Accept-Encoding"]) == (415, "identity")


async def test_a_hub_may_not_send_without_bound_either(face):
    status, problem, _ = await face.call("POST", "/hub/receive", data=pieces(b"x" * MIB, 9), key=None)
    assert (status, problem["type"]) == (413, "/docs#too-large")
