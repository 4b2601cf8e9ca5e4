from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.irve.places import coordinates, split_address
from mappings.irve.values import Words, WordTable, day, flag, fold, moment, number, phone
from mappings.irve.wire import Implantation, text
from mappings.tables import TableError


@pytest.mark.parametrize("spelling", ["True", "true", "TRUE", "1", "1.0", "vrai", "Oui", "t"])
def test_true_has_many_spellings(spelling: str) -> None:
    assert flag(spelling) is True


@pytest.mark.parametrize("spelling", ["False", "false", "FALSE", "0", "0.0", "FAUX", "non"])
def test_false_has_many_spellings(spelling: str) -> None:
    assert flag(spelling) is False


@pytest.mark.parametrize("spelling", ["2", "", "vraiment", "-1"])
def test_what_is_neither_true_nor_false_is_not_guessed(spelling: str) -> None:
    with pytest.raises(ValueError, match="not true or false"):
        flag(spelling)


@pytest.mark.parametrize(
    ("spelling", "value"),
    [("22", "22"), ("22.0", "22.0"), ("22,08", "22.08"), ("1 234,5", "1234.5"), ("-1.5", "-1.5"), ("2e1", "20")],
)
def test_a_number_has_a_comma_or_a_point(spelling: str, value: str) -> None:
    assert number(spelling) == Decimal(value)


@pytest.mark.parametrize("spelling", ["", "1.2.3", "1,2,3", "nan", "inf", "0x10", "1e999", "٣", "9" * 40])
def test_what_is_no_number_is_not_guessed(spelling: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        number(spelling)


@pytest.mark.parametrize(
    ("spelling", "mended"),
    [("2026-02-01", False), ("2026-2-1", False), ("2026-02-01T10:00:00Z", False), ("01/02/2026", True)],
)
def test_a_date_is_iso_or_day_first(spelling: str, *, mended: bool) -> None:
    read = day(spelling)
    assert read.value == date(2026, 2, 1)
    assert (read.mended is not None) is mended


@pytest.mark.parametrize("spelling", ["2026-13-01", "20260201", "1er février", "", "31/02/2026"])
def test_what_is_no_date_is_not_guessed(spelling: str) -> None:
    with pytest.raises(ValueError, match=r"date|day|month"):
        day(spelling)


@pytest.mark.parametrize(
    "spelling",
    [
        "2026-08-19T10:00:11+00:00",
        "2026-08-19 10:00:11+00:00",
        "2026-08-19 10:00:11.000000+00:00",
        "2026-08-19T10:00:11Z",
        "2026-08-19T12:00:11+02:00",
        "2026-08-19T12:00:11+0200",
        "2026-08-19T12:00:11+02",
        "2026-08-19 12:00:11",
        "2026-08-19T12:00:11.000",
        "19/08/2026 12:00:11",
    ],
)
def test_a_moment_has_many_spellings_and_is_local_without_an_offset(spelling: str) -> None:
    assert moment(spelling, "Europe/Paris").value == datetime(2026, 8, 19, 10, 0, 11, tzinfo=UTC)


def test_a_moment_without_offset_is_local_to_the_zone_given() -> None:
    assert moment("2026-08-19 12:00:00", "Indian/Reunion").value == datetime(2026, 8, 19, 8, tzinfo=UTC)


def test_the_hour_that_winter_time_repeats_is_its_first_pass_and_said() -> None:
    read = moment("2026-10-25 02:30:00", "Europe/Paris")
    assert read.value == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert read.mended is not None
    assert moment("2026-10-25 02:30:00+01:00", "Europe/Paris").mended is None


@pytest.mark.parametrize(
    "spelling",
    ["2026-08-19", "hier", "1724061600", "2026-08-19T25:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31 23:59"],
)
def test_what_is_no_moment_is_not_guessed(spelling: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        moment(spelling, "America/Martinique")


@pytest.mark.parametrize(
    ("spelling", "number", "mended"),
    [
        ("tel:+33-1-23-45-67-89", "+33123456789", False),
        ("+33.123456789", "+33123456789", False),
        ("+33 (0)1 23 45 67 89", "+33123456789", False),
        ("tel:+31-10-312-6000", "+31103126000", False),
        ("01 23 45 67 89", "+33123456789", True),
        ("0123456789", "+33123456789", True),
        ("0033123456789", "+33123456789", True),
        ("33123456789", "+33123456789", True),
        ("+330123456789", "+33123456789", True),
        ("0262 41 00 00", "+262262410000", True),
        ("0590 00 00 00", "+590590000000", True),
    ],
)
def test_a_phone_number_becomes_e164(spelling: str, number: str, *, mended: bool) -> None:
    read = phone(spelling)
    assert read.value == number
    assert (read.mended is not None) is mended


@pytest.mark.parametrize(
    "spelling", ["3631", "", "+33 1 23", "aide@bornes.example", "01 23 45 67 89 / 90", "+0123456789"]
)
def test_what_is_no_phone_number_is_not_guessed(spelling: str) -> None:
    with pytest.raises(ValueError, match="not a phone number"):
        phone(spelling)


def test_words_are_found_whatever_case_accents_and_punctuation() -> None:
    words = Words(Implantation)
    assert words.read("Parking public").mended is None
    read = words.read("PARKING PRIVE A USAGE PUBLIC")
    assert read.value is Implantation.PARKING_PRIVE_USAGE_PUBLIC
    assert read.mended is not None
    with pytest.raises(ValueError, match="not a word"):
        words.read("Parking")


def test_a_table_of_words_without_a_row_fails_when_it_is_built() -> None:
    class Colour(StrEnum):
        ROUGE = "rouge"
        VERT = "vert"

    with pytest.raises(TableError, match="vert"):
        WordTable(Colour, {Colour.ROUGE: 1})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        ("None", None),
        ("null", None),
        ("  a ", "a"),
        (True, "true"),
        (False, "false"),
        (22.0, "22.0"),
        (3, "3"),
        ([3.5, 43.5], "[3.5, 43.5]"),
        (float("nan"), None),
        ("a\0b", "ab"),
        ("\ud800", None),
    ],
)
def test_every_value_becomes_text_or_nothing(value: object, expected: str | None) -> None:
    assert text(value) == expected


def test_folding_leaves_letters_and_digits() -> None:
    assert fold("  Hors-Service / Été 24 ") == "hors service ete 24"


@given(st.text(max_size=80))
def test_no_text_makes_a_reader_raise_anything_but_a_value_error(junk: str) -> None:
    for reader in (
        flag,
        number,
        day,
        phone,
        coordinates,
        lambda t: moment(t, "Europe/Paris"),
        Words(Implantation).read,
    ):
        try:
            reader(junk)
        except ValueError as error:
            assert str(error)  # noqa: PT017 - that it says something is the point
    split_address(junk)


@given(st.datetimes(timezones=st.timezones()))
def test_a_moment_with_an_offset_is_read_as_what_it_is(at: datetime) -> None:
    try:
        expected = at.astimezone(UTC)
    except OverflowError:
        return
    spelling = at.isoformat(sep=" ")
    assert moment(spelling, "Europe/Paris").value == expected
