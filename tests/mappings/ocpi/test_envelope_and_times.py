from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from mappings.canonical.base import json_number
from mappings.ocpi import countries, envelope, numbers, times
from mappings.ocpi.envelope import StatusClass, StatusCode
from mappings.report import Refused

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2015-06-29T20:39:09Z", datetime(2015, 6, 29, 20, 39, 9, tzinfo=UTC)),
        ("2015-06-29T20:39:09", datetime(2015, 6, 29, 20, 39, 9, tzinfo=UTC)),
        ("2016-12-29T17:45:09.2Z", datetime(2016, 12, 29, 17, 45, 9, 200000, tzinfo=UTC)),
        ("2018-01-01T01:08:01.123", datetime(2018, 1, 1, 1, 8, 1, 123000, tzinfo=UTC)),
        ("2018-01-01T01:08:01.1234567Z", datetime(2018, 1, 1, 1, 8, 1, 123456, tzinfo=UTC)),
    ],
)
def test_a_stamp_is_utc_with_and_without_designator(text: str, moment: datetime) -> None:
    assert times.parse(text) == moment
    assert times.parse(text).tzinfo is UTC


@pytest.mark.parametrize("text", ["2015-06-29T20:39:09+02:00", "2015-06-29T20:39:09+00:00", "2015-06-29T20:39:09-0500"])
def test_an_explicit_offset_is_refused_even_where_it_is_zero(text: str) -> None:
    with pytest.raises(ValueError, match="offset"):
        times.parse(text)


@pytest.mark.parametrize("text", ["", "2015-06-29", "2015-06-29 20:39:09", "20150629T203909Z", "2015-02-30T00:00:00Z"])
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a stamp|out of range"):
        times.parse(text)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOON, "2026-03-01T12:00:00Z"),
        (NOON + timedelta(milliseconds=160), "2026-03-01T12:00:00.160Z"),
        (NOON + timedelta(microseconds=7), "2026-03-01T12:00:00Z"),
        (NOON.astimezone(timezone(timedelta(hours=2))), "2026-03-01T12:00:00Z"),
    ],
)
def test_a_stamp_is_written_with_z_to_the_millisecond(moment: datetime, text: str) -> None:
    assert times.write(moment) == text
    assert len(text) <= 25


def test_an_answer_comes_back_as_it_was_written() -> None:
    body = envelope.write([{"id": "1"}], NOON)
    assert body == (
        b'{"data":[{"id":"1"}],"status_code":1000,"status_message":"Success","timestamp":"2026-03-01T12:00:00Z"}'
    )
    answer = envelope.read(body)
    assert answer == envelope.Answer(1000, [{"id": "1"}], "Success", NOON)
    assert answer.status is StatusClass.SUCCESS


def test_an_answer_without_data_has_no_data_field() -> None:
    assert b'"data"' not in envelope.write(None, NOON, StatusCode.UNKNOWN_TOKEN)
    assert envelope.read(envelope.write(None, NOON, 2999)).message is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"status_code":2001}', 2001),
        (b'{"status_code":"1000","timestamp":"now"}', 1000),
        (b'{"status_code":1950}', 1950),
    ],
)
def test_an_answer_is_read_tolerantly(body: bytes, code: int) -> None:
    answer = envelope.read(body)
    assert answer.code == code
    assert answer.data is None
    assert answer.timestamp is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"status_code":true}', b'{"status_code":null}'])
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        envelope.read(body)


def test_every_code_has_a_class_and_a_message() -> None:
    assert envelope.MESSAGES.keys() == set(StatusCode)
    assert {envelope.status_class(code) for code in StatusCode} == set(StatusClass) - {StatusClass.UNKNOWN}
    assert envelope.status_class(7) is StatusClass.UNKNOWN


def test_numbers_keep_the_digits_that_were_written() -> None:
    assert numbers.read(0.1) == Decimal("0.1")
    assert numbers.read(3) == Decimal(3)
    assert json_number(Decimal("3.00")) == 3
    assert isinstance(json_number(Decimal("3.00")), int)
    assert numbers.exact(Decimal("0.7025"))
    assert not numbers.exact(Decimal("0.12345678901234567890"))


def test_there_is_one_alpha_3_code_for_each_alpha_2_code() -> None:
    assert len(countries.ALPHA_3) == len(set(countries.ALPHA_3.values())) == 249
    assert all(len(k) == 2 and len(v) == 3 for k, v in countries.ALPHA_3.items())
    assert countries.mend("gp") == "GLP"
    assert countries.mend("fra") == "FRA"
    assert countries.mend("France") is None
