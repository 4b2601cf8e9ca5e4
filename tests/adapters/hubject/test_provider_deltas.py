"""Any sequence of changes that an EMP pulls comes to what a pull of everything gives."""

import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from adapters.core.outcomes import Delivered
from adapters.core.roaming import Record
from adapters.hubject.errors import AUTHENTICATION_OUTCOMES, COMMAND_OUTCOMES, PULL_OUTCOMES, Outcomes
from adapters.hubject.provider.adapter import ProviderAdapter
from mappings.oicp.status_codes import CODES
from tests.adapters.hubject.emps import World, record, world
from tests.adapters.hubject.provider import pages, provider, records

Network = dict[tuple[str, ...], tuple[datetime, bytes | None]]
"""When an EVSE was written last, and the digest of its record; None for one that is gone."""


def apply(network: Network, found: list[Record]) -> None:
    """Takes what a pull gave, as the catalogue does: what is older than what is known changes nothing."""
    for each in found:
        at = each.read()[0].last_updated
        before = network.get(each.key)
        if before is None or at >= before[0]:
            network[each.key] = (at, None if each.gone else each.digest)


def there(network: Network) -> Network:
    return {key: known for key, known in network.items() if known[1] is not None}


@pytest.fixture
async def hub() -> AsyncIterator[World]:
    async with world(limits=False) as made:
        await made.load(*(record(f"NL*PLA*E{number}") for number in range(8)))
        made.wall.pass_by(600)
        yield made


@pytest.fixture
async def emp(hub: World) -> AsyncIterator[ProviderAdapter]:
    made = provider(hub, page_size=3)
    yield made
    await made.close()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("fault", [None, "deltas_out_of_order", "overlapping_pages"])
async def test_whatever_changes_the_changes_come_to_what_is_there(
    hub: World, emp: ProviderAdapter, seed: int, fault: str | None
) -> None:
    drawn = random.Random(seed)
    kept: Network = {}
    apply(kept, records(await pages(emp, "evse_data")))
    mark = hub.wall()
    for step in range(6):
        hub.wall.pass_by(600)
        changes = {kind: drawn.randrange(3) for kind in ("insert", "update", "delete")}
        await hub.do("changes", changes | {"seed": 10 * seed + step})
        hub.wall.pass_by(600)
        if drawn.random() < 0.3 and step < 5:
            continue  # nobody pulled in between
        if fault is not None:
            await hub.do("pull-faults", [{"kind": fault}])
        began = hub.wall()
        apply(kept, records(await pages(emp, "evse_data", mark - timedelta(minutes=5))))
        mark = began
        async with hub.session.delete("/_sandbox/pull-faults") as answer:
            assert answer.status == 200
    whole: Network = {}
    apply(whole, records(await pages(emp, "evse_data")))
    assert there(kept) == whole


@pytest.mark.parametrize("table", [PULL_OUTCOMES, COMMAND_OUTCOMES])
def test_no_code_delivers_a_pull_or_a_command(table: Outcomes) -> None:
    assert table.keys() == AUTHENTICATION_OUTCOMES.keys() == CODES.keys()
    assert Delivered not in table.values()
