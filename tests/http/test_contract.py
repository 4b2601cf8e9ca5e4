"""Requests made up from the description, sent to the started server: every answer is one that the description names."""

import asyncio
import json
import threading

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.http.bodies import ANY, NDJSON
from gateway.http.openapi import document
from gateway.http.server import application, routes_of, serve
from gateway.http.v1.documents import PDF
from gateway.http.v1.offers_there import CSV
from tests.http.conftest import ADMIN, services_in_memory


@schemathesis.serializer(*NDJSON, *ANY, PDF, CSV)
def _one_line(_context, value):
    return value if isinstance(value, bytes) else json.dumps(value).encode()


DOCUMENT = json.loads(document(routes_of(services_in_memory()[0], "1.2.3"), "1.2.3"))
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = {operation.label: operation for operation in (each.ok() for each in SCHEMA.get_all_operations())}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def url():
    """A server in a thread of its own, since schemathesis calls without a loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    started = serve(application(services_in_memory()[0]), "127.0.0.1", 0, shutdown_timeout=0.1)
    runner, port = asyncio.run_coroutine_threadsafe(started, loop).result()
    yield f"http://127.0.0.1:{port}"
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def _cases():
    for label, operation in OPERATIONS.items():
        yield label, schemathesis.GenerationMode.POSITIVE
        if operation.query or operation.path_parameters or operation.body:  # else there is nothing to get wrong
            yield label, schemathesis.GenerationMode.NEGATIVE


@pytest.mark.parametrize(("label", "mode"), list(_cases()), ids=str)
def test_answers_are_those_that_the_description_names(url, label, mode):
    @settings(
        max_examples=4,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=OPERATIONS[label].as_strategy(generation_mode=mode))
    def run(case):
        case.call_and_validate(base_url=url, headers={"Authorization": f"Bearer {ADMIN}"}, checks=CHECKS)

    run()
