"""What the page for operators says of events and signatures is so."""

import re
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from gateway.events.signing import headers, new_secret
from gateway.events.writing import PREFIX, EventType
from tests.project.files import read

PAGE = read("docs/operations.md")
BODY = '{"type": "roamgate.cdr.delivered", "ü": 1}'.encode()


def test_every_type_of_event_stands_in_the_table_and_no_other() -> None:
    rows = re.findall(r"^\| `(roamgate\.[\w.]+)` \| ", PAGE, re.MULTILINE)
    assert rows == [PREFIX + one.value for one in EventType]


def genuine(**given: Any) -> bool:
    [snippet] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert "webhook-signature" in snippet
    exec(snippet, given)
    return bool(given["genuine"])


def test_the_snippet_takes_what_is_signed_also_while_two_secrets_sign() -> None:
    old, new = new_secret(), new_secret()
    signed = headers([old, new], "e-1", datetime.now(UTC), BODY)
    assert all(genuine(secret=secret, headers=signed, body=BODY) for secret in (old, new))


def test_the_snippet_takes_nothing_that_is_forged_or_old() -> None:
    secret = new_secret()
    signed = headers([secret], "e-1", datetime.now(UTC), BODY)
    assert not genuine(secret=new_secret(), headers=signed, body=BODY)
    assert not genuine(secret=secret, headers=signed, body=BODY + b" ")
    assert not genuine(secret=secret, headers={**signed, "webhook-id": "e-2"}, body=BODY)
    long_ago = headers([secret], "e-1", datetime.fromtimestamp(time.time() - 600, UTC), BODY)
    assert not genuine(secret=secret, headers=long_ago, body=BODY)


@pytest.mark.parametrize("type_", EventType)
def test_a_type_is_taken_as_events_carry_it_too(type_: EventType) -> None:
    types = TypeAdapter(tuple[EventType, ...])
    assert types.validate_json(f'["{PREFIX}{type_}", "{type_}"]', strict=True) == (type_, type_)


def test_nothing_else_is_taken_for_a_type() -> None:
    with pytest.raises(ValueError, match=r"cdr\.paid"):
        EventType(PREFIX + "cdr.paid")
