"""The OpenAPI 3.1 document, made from the same routes that serve the requests."""

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, Literal

from openapi_pydantic import OpenAPI
from pydantic import TypeAdapter

from gateway.http.problems import CONTENT_TYPE, KINDS, ProblemDocument
from gateway.http.routing import Parameter, Route, adapter_of

_REFERENCE: Final = "#/components/schemas/{model}"
_ABOUT: Final = """One canonical API for roaming through Gireve and Hubject.

Objects are in OCPI 2.2.1's vocabulary, with what only OICP 2.3 says beside it. What is written here is told to every
hub whose connection carries it, in order, until the hub has acknowledged the latest state. Errors are problem documents
(RFC 9457) that name the field; every kind of problem is explained under its name."""

Mode = Literal["validation", "serialization"]
Schemas = Mapping[tuple[Any, Mode], dict[str, Any]]


def document(routes: Sequence[Route], release: str) -> bytes:
    """Gives the document as JSON.

    Raises:
        ValidationError: The document would be no OpenAPI 3.1.
    """
    schemas, definitions = _schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    described = OpenAPI.model_validate(
        {
            "openapi": "3.1.1",
            "info": {
                "title": "roamgate",
                "version": release,
                "description": _ABOUT,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)],
            "paths": paths,
            "components": {
                "schemas": definitions,
                "securitySchemes": {
                    "key": {"type": "http", "scheme": "bearer", "description": "An API key: `roamgate keys create`."}
                },
            },
            "x-problems": {name: kind._asdict() for name, kind in KINDS.items()},
        }
    )
    return described.model_dump_json(by_alias=True, exclude_none=True).encode()


def _schemas(routes: Iterable[Route]) -> tuple[Schemas, dict[str, Any]]:
    """Gives the schema of each type in each direction, and the definitions that they refer to."""
    wanted: dict[tuple[Any, Mode], TypeAdapter[Any]] = {(ProblemDocument, "serialization"): adapter_of(ProblemDocument)}
    for route in routes:
        if route.body is not None and route.body.type is not None:
            wanted[route.body.type, "validation"] = adapter_of(route.body.type)
        for answer in route.answers.values():
            if answer.type is not None:
                for shown in (answer.type, *answer.shown.values()):
                    wanted[shown, "serialization"] = adapter_of(shown)
        for parameter in route.parameters:
            wanted[parameter.type, "validation"] = adapter_of(parameter.type)
    inputs = [(type_, mode, adapter) for (type_, mode), adapter in wanted.items()]
    schemas, rest = TypeAdapter.json_schemas(inputs, ref_template=_REFERENCE)
    for schema in schemas.values():
        _tidy(schema)
    for definition in rest["$defs"].values():
        _tidy(definition)
    return schemas, rest["$defs"]


def _tidy(schema: Any) -> None:
    """Says what the code says: fields are described by the docstring of their class, and what is None is left out."""
    if isinstance(schema, list):
        for each in schema:
            _tidy(each)
    if not isinstance(schema, dict):
        return
    for inner in schema.values():
        _tidy(inner)
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return
    about, attributes = _read_docstring(schema.get("description", ""))
    if about:
        schema["description"] = about
    for name, text in attributes.items():
        if name in properties:
            properties[name]["description"] = text
    required = [
        name for name in schema.get("required", ()) if {"type": "null"} not in properties[name].get("anyOf", ())
    ]
    schema.pop("required", None)
    if required:
        schema["required"] = required


def _read_docstring(text: str) -> tuple[str, dict[str, str]]:
    """Parts a Google docstring into what it says of the class and of each attribute."""
    about, _, section = text.partition("\n\nAttributes:\n")
    attributes: dict[str, str] = {}
    for entry in re.split(r"\n(?=    \S)", "\n" + section):
        names, colon, sentence = entry.strip().partition(":")
        if colon:
            for name in names.split(","):
                attributes[name.strip()] = " ".join(sentence.split())
    return " ".join(about.split()), attributes


def _operation(route: Route, schemas: Schemas) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _name(route),
        "summary": route.summary,
        "description": " ".join((route.handler.__doc__ or "").split()),
        "tags": [route.tag],
        "responses": _answers(route, schemas),
        "security": [{"key": []}] if route.role is not None else [],
    }
    if route.role is not None:
        scope = ", for all parties" if route.whole else ""
        operation["description"] += f" Needs a key with the role `{route.role}`{scope}."
    if route.parameters:
        operation["parameters"] = [_parameter(each, schemas) for each in route.parameters]
    if route.body is not None:
        schema = {} if route.body.type is None else schemas[route.body.type, "validation"]
        operation["requestBody"] = {
            "description": route.body.about,
            "required": True,
            "content": {media: _content(schema, route.body.example) for media in route.body.types},
        }
    return operation


def _content(schema: dict[str, Any], example: Any) -> dict[str, Any]:
    return {"schema": schema} if example is None else {"schema": schema, "example": example}


def _name(route: Route) -> str:
    """Names an operation: `LocationOperations.list` is `location.list`, whoever it inherited the method from."""
    owner = type(getattr(route.handler, "__self__", None)).__name__
    return f"{owner.replace('Operations', '')}.{route.handler.__name__}".lower()


def _parameter(parameter: Parameter, schemas: Schemas) -> dict[str, Any]:
    schema = dict(schemas[parameter.type, "validation"])
    if parameter.default is not None:
        schema["default"] = parameter.default
    return {
        "name": parameter.name,
        "in": parameter.where,
        "description": parameter.about,
        "required": parameter.where == "path",
        "schema": schema,
    }


def _answers(route: Route, schemas: Schemas) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for status, answer in route.answers.items():
        answers[str(status)] = {"description": answer.about}
        if answer.type is not None:
            schema = {} if answer.type is bytes else schemas[answer.type, "serialization"]
            answers[str(status)]["content"] = {
                answer.media: _content(schema, answer.example),
                **{media: {"schema": {"type": "string", "description": about}} for media, about in answer.also.items()},
                **{media: {"schema": schemas[type_, "serialization"]} for media, type_ in answer.shown.items()},
            }
    by_status: dict[int, list[str]] = {}
    for name in route.all_problems():
        by_status.setdefault(KINDS[name].status, []).append(name)
    problem = schemas[ProblemDocument, "serialization"]
    for status in sorted(by_status):
        titles = "; ".join(f"{KINDS[name].title} (`{name}`)" for name in by_status[status])
        answers[str(status)] = {
            "description": titles or HTTPStatus(status).phrase,
            "content": {CONTENT_TYPE: {"schema": problem}},
        }
    return answers
