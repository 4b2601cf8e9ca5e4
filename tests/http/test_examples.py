"""Examples in the description: there is one for each body, and each is what its operation takes."""

from typing import Any, cast

import pytest
from pydantic_core import to_json

from gateway.cli.answers import read
from gateway.http.routing import Route, adapter_of
from gateway.http.server import Services, routes_of


class Nobody:
    """Services that nobody calls."""

    def __getattr__(self, _name: str) -> Any:
        return None


ROUTES = {route.operation: route for route in routes_of(cast("Services", Nobody()), "1.2.3")}
TAKING = [route for route in ROUTES.values() if route.body is not None and route.body.type is not None]


@pytest.mark.parametrize("route", TAKING, ids=lambda route: route.operation)
def test_a_body_has_an_example_that_the_operation_takes(route: Route) -> None:
    assert route.body is not None
    assert route.body.example is not None, "gateway/http/v1/examples.py"
    example, type_ = route.body.example, route.body.type
    if route.method == "PATCH" and type_ is dict:  # what a patch makes of the object has to be one
        put = ROUTES[f"PUT {route.path}"].body
        assert put is not None
        example, type_ = {**put.example, **example}, put.type
    adapter_of(type_).validate_json(to_json(example), strict=True)


@pytest.mark.parametrize("route", ROUTES.values(), ids=lambda route: route.operation)
def test_an_example_of_an_answer_is_one(route: Route) -> None:
    for answer in route.answers.values():
        if answer.example is not None:
            read(answer.type, to_json(answer.example))  # as a client does, since answers leave out what is None
