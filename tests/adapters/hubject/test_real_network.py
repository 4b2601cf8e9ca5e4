"""Real locations through plan and sandbox."""

import gzip
import itertools
import json
import random
from dataclasses import replace

import pytest

from adapters.core.outcomes import Delivered
from adapters.hubject.sandbox import HubjectSandbox, Partner, run
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import ConnectorFormat, EvseStatus
from mappings.ocpi.v2_2_1.locations import to_canonical
from mappings.report import Refused
from tests.adapters.hubject.network import DEFAULTS, accepted, adapter, items
from tests.oicp_schema import validate
from tests.shared import shared_path

OPERATOR = PartyId("NL*HUB")


@pytest.fixture(scope="module")
def network():
    """Some hundred Dutch locations; an EvseID under several stands for its first one."""
    found = []
    with gzip.open(shared_path("data/nl/locations-2026-06-07.ndjson.gz")) as lines:
        for line in itertools.islice(lines, 600):
            try:
                found.append(to_canonical(line)[0])
            except Refused:
                continue
    return found


def claimed(hub, operation, network):
    by_key = {}
    for item in items(hub, operation, *network):
        by_key.setdefault(item.key, item)
    given = list(by_key.values())
    random.Random(7).shuffle(given)
    return given


async def test_a_real_network_is_accepted_and_remembered_as_it_was_rendered(network):
    async with run(HubjectSandbox([Partner(OPERATOR, None)]), None) as running:
        defaults = DEFAULTS.model_copy(update={"connector_format": ConnectorFormat.SOCKET})
        hub = adapter(base_url=running.url, operator_id=OPERATOR, defaults=defaults, data_batch=500)
        known = []
        for operation in ("evse_data", "evse_status"):
            plan = hub.plan(operation, claimed(hub, operation, network))
            assert len(plan.refused) < 20, [refused.reason for _, refused in plan.refused]
            for call in plan.calls:
                assert await hub.send(call) == Delivered()
                known += accepted(call.settles)
            memory = running.sandbox.memory[operation]
            remembered = {key: hub.fingerprint(operation, key, record) for key, record in memory.items()}
            wanted = {item.key: item.accepted for item in known if item.operation == operation}
            assert remembered == wanted
            assert len(wanted) > 500
        (call,) = hub.plan("evse_data", claimed(hub, "evse_data", network), full_load=True).calls
        assert await hub.send(call) == Delivered()
        assert len(running.sandbox.memory["evse_data"]) == len(call.settles)
        await hub.close()


def test_what_is_sent_of_a_real_network_is_valid_by_hubjects_openapi(network):
    hub = adapter(operator_id=OPERATOR, data_batch=50, status_batch=200)
    for operation, schema in (("evse_data", "eRoamingPushEvseData"), ("evse_status", "eRoamingPushEvseStatus")):
        given = claimed(hub, operation, network)[:200]
        changed = [
            replace(item, sent_as=item.key, accepted=b"x", status=EvseStatus.OUTOFORDER) if n % 3 else item
            for n, item in enumerate(given)
        ]
        for call in hub.plan(operation, changed).calls:
            validate(schema, json.loads(json.dumps(call.body)))
