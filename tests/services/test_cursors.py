"""Cursors that callers made up are refused, and never an error of ours."""

import pytest

from gateway.services.cursors import LAST, encode, number_of
from gateway.services.ports import BadCursor


def test_a_number_comes_back() -> None:
    assert number_of(encode("17"), 0) == 17
    assert number_of(encode(str(LAST)), 0) == LAST
    assert number_of(None, 5) == 5


@pytest.mark.parametrize("key", ["-1", "x", "", "\u00b2", "\u0661", "1.5", str(LAST + 1), "9" * 5000])
def test_what_is_no_number_of_a_row_is_no_cursor(key: str) -> None:
    with pytest.raises(BadCursor):
        number_of(encode(key), 0)


@pytest.mark.parametrize("cursor", ["x", "\u00e9", encode("1", "2"), "e30", "WzFd"])
def test_what_was_never_given_is_no_cursor(cursor: str) -> None:
    with pytest.raises(BadCursor):
        number_of(cursor, 0)


def test_a_bound_holds() -> None:
    assert number_of(encode("7"), 0, 7) == 7
    with pytest.raises(BadCursor):
        number_of(encode("8"), 0, 7)
