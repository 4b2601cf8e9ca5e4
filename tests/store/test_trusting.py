"""What this gateway wrote is read as pydantic reads it."""

import pytest
from hypothesis import given
from pydantic_core import from_json

from gateway.store.trusting import read
from mappings.canonical.base import Model
from tests.strategies import locations, tariffs


@given(locations() | tariffs)
def test_what_a_model_wrote_is_read_as_pydantic_reads_it(given_):
    text = given_.model_dump_json(exclude_defaults=True)
    made = read(type(given_), from_json(text))
    assert made == type(given_).model_validate_json(text) == given_
    assert made.model_dump_json(exclude_defaults=True) == text
    assert made.model_dump_json() == given_.model_dump_json()


def test_a_type_that_nobody_spoke_of_is_an_error():
    class Odd(Model):
        value: complex

    with pytest.raises(TypeError, match="complex"):
        read(Odd, {"value": 1})
