import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.irve.hours import opening_hours
from mappings.report import IssueKind

WEEK = range(1, 8)


def days(text: str) -> dict[int, list[str]]:
    hours = opening_hours(text).hours
    assert hours is not None
    found: dict[int, list[str]] = {}
    for span in hours.regular:
        found.setdefault(span.weekday, []).append(f"{span.begin}-{span.end}")
    return found


def test_always_open_is_twentyfourseven() -> None:
    read = opening_hours("24/7")
    assert read.hours is not None
    assert read.hours.twentyfourseven
    assert read.kind is None


@pytest.mark.parametrize("text", ["24h/24 7j/7", "7j/7, 24h/24", "24/24 - 7/7", "24 / 7"])
def test_always_open_in_other_words_is_mended(text: str) -> None:
    read = opening_hours(text)
    assert read.hours is not None
    assert read.hours.twentyfourseven
    assert read.kind is IssueKind.MENDED


def test_whole_days_all_week_are_twentyfourseven() -> None:
    read = opening_hours("Mo-Su 00:00-24:00")
    assert read.hours is not None
    assert read.hours.twentyfourseven
    assert opening_hours("Mo-Su 00:00-00:00").hours == read.hours


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mo-Fr 08:00-19:00", {d: ["08:00-19:00"] for d in range(1, 6)}),
        ("Mo 09:00-12:00, Mo 14:00-18:00", {1: ["09:00-12:00", "14:00-18:00"]}),
        ("Tu,We,Mo  14:00-17:00", {d: ["14:00-17:00"] for d in (1, 2, 3)}),
        ("Mo-Sa 09:00-12:00 14:00-19:00, Su 9:00-12:30", {
            **{d: ["09:00-12:00", "14:00-19:00"] for d in range(1, 7)}, 7: ["09:00-12:30"]}),
        ("Mo 09:00-12:00,14:00-18:00", {1: ["09:00-12:00", "14:00-18:00"]}),
        ("Fr14:00-18:00", {5: ["14:00-18:00"]}),
        ("08:30-20:30", {d: ["08:30-20:30"] for d in WEEK}),
        ("Sa-Mo 10:00-11:00", {d: ["10:00-11:00"] for d in (1, 6, 7)}),
        ("Mo-We 08:00-10:00; Tu off", {1: ["08:00-10:00"], 3: ["08:00-10:00"]}),
        ("Mo-Tu 08:00-10:00; Tu 12:00-13:00", {1: ["08:00-10:00"], 2: ["12:00-13:00"]}),
        ("Mo-Fr 08:00-12:00,Mo-Fr 14:00-18:00,Th 08:00-18:00", {
            **{d: ["08:00-12:00", "14:00-18:00"] for d in (1, 2, 3, 5)}, 4: ["08:00-18:00"]}),
        ("Mo 07:00-00:00", {1: ["07:00-24:00"]}),
        ("Su 20:00-02:00", {1: ["00:00-02:00"], 7: ["20:00-24:00"]}),
        ("Mo 08:00-08:00", {1: ["08:00-24:00"], 2: ["00:00-08:00"]}),
        ("Mo 24:00-02:00", {2: ["00:00-02:00"]}),
    ],
)  # fmt: skip
def test_days_and_times_are_read_in_the_manner_of_openstreetmap(text: str, expected: dict[int, list[str]]) -> None:
    assert days(text) == dict(sorted(expected.items()))
    assert opening_hours(text).kind is None


@pytest.mark.parametrize(
    "text", ["Mo-Sun 07:00-19:00", "MO-SU 07:00-19:00", "Lun-Dim 07h00-19h00", "Lu- Di 07:00-19:00"]
)
def test_other_names_of_days_are_mended(text: str) -> None:
    assert days(text) == {d: ["07:00-19:00"] for d in WEEK}
    assert opening_hours(text).kind is IssueKind.MENDED


def test_a_rule_for_public_holidays_is_left_out() -> None:
    assert days("Mo 08:00-10:00; PH off") == {1: ["08:00-10:00"]}
    assert opening_hours("Mo 08:00-10:00; PH off").kind is IssueKind.LEFT_OUT


@pytest.mark.parametrize(
    "text", ["", "Mo", "Mo 08:00", "Mo 25:00-26:00", "Mo 08:60-09:00", "Mo-Xy 08:00-09:00", "ouvert 08:00-09:00",
             "Mo off", "Mo 08:00-Tu", "-", "Mo 8-9", "9" * 3000]
)  # fmt: skip
def test_what_is_not_understood_is_not_guessed(text: str) -> None:
    read = opening_hours(text)
    assert read.hours is None
    assert read.kind is IssueKind.UNKNOWN


@given(
    st.lists(
        st.sampled_from(["Mo", "-", "Fr", " ", ",", ";", "08:00", "18:00", "00:00", "off", "PH", "24/7"]), max_size=14
    )
)
def test_no_text_of_these_words_ends_in_an_exception(parts: list[str]) -> None:
    opening_hours("".join(parts))


@given(st.text(max_size=60))
def test_no_text_ends_in_an_exception(text: str) -> None:
    opening_hours(text)
