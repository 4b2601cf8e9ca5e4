"""Logs: JSON lines, request ids, no secrets."""

import io
import json
import logging
import secrets

import pytest
import structlog
from pydantic import TypeAdapter, ValidationError

from gateway.logs import REQUEST_ID, configure
from gateway.services.keys import PREFIX
from mappings.canonical.tokens import Identification


@pytest.fixture
def lines():
    stream = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level, structlog.get_config()
    configure("INFO", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:], root.level, said = before
    structlog.configure(**said)  # not the defaults: other tests follow in this process


def test_a_line_is_json_with_level_time_and_the_request_that_it_belongs_to(lines):
    token = REQUEST_ID.set("r-1")
    structlog.get_logger().info("delivered", connection="gireve-pp", count=3)
    REQUEST_ID.reset(token)
    [line] = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "delivered", "connection": "gireve-pp", "count": 3, "level": "info", "request_id": "r-1"}


def test_lines_below_the_level_are_not_written(lines):
    structlog.get_logger().debug("noise")
    assert lines() == []


def test_secrets_are_hidden_by_name_and_inside_texts_at_any_depth(lines):
    key = PREFIX + secrets.token_urlsafe(32)
    structlog.get_logger().info(
        "request with Authorization: Bearer abcdefgh12345678",
        token="t0ps3cret",
        headers={"Authorization": "Token t0ps3cret", "Accept": "*/*"},
        tried=["postgresql://roamgate:t0ps3cret@db/roamgate"],
        tokens=3,
        said=f"no such key: {key}",
    )
    [line] = lines()
    assert "t0ps3cret" not in json.dumps(line)
    assert key not in json.dumps(line)
    assert "abcdefgh" not in json.dumps(line)
    assert (line["headers"]["Accept"], line["tokens"]) == ("*/*", 3)
    assert line["tried"] == ["postgresql://roamgate:•••@db/roamgate"]


def test_what_an_error_quotes_of_a_drivers_card_is_hidden(lines):
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(Identification).validate_python({"type": "RFID", "uid": "04A2B3C4D5E680" * 4})
    structlog.get_logger().error("command failed", exc_info=raised.value)
    for text in (
        "duplicate key value\nDETAIL:  Key (uid_key)=(04A2B3C4D5E680) already exists.",
        'null value in column "x"\nDETAIL:  Failing row contains (1, FRXYZ, 04A2B3C4D5E680, (null)).',
    ):
        structlog.get_logger().warning("not written", error=text)
    said = json.dumps(lines())
    assert "04A2B3C4D5E680" not in said
    assert all(word in said for word in ("uid", "type=string_too_long", "already exists", "Failing row contains"))


def test_libraries_log_in_the_same_form_with_their_tracebacks(lines):
    def connect(key):
        raise OSError("cannot connect to postgresql://a:t0ps3cret@db")

    with pytest.raises(OSError, match="cannot") as raised:
        connect("t0ps3cret")
    error = raised.value
    logging.getLogger("aiohttp.server").error("Unhandled", exc_info=error)
    [line] = lines()
    assert (line["event"], line["logger"], line["level"]) == ("Unhandled", "aiohttp.server", "error")
    assert line["exception"][0]["exc_type"] == "OSError"
    assert "t0ps3cret" not in json.dumps(line)
