"""What becomes of charges when the connection is removed over which they roamed."""

from typing import Any

import pytest

from adapters.core.connection import Mode
from gateway.services.connections import Connections
from gateway.services.ports import CdrState, Conflict
from tests.harness import PARTY, WHO, later
from tests.services.roaming import Roaming

NOBODY: Any = None
"""Who is not asked when a connection is removed."""


async def remove(hubs: Roaming) -> None:
    connections = Connections(hubs.store, hubs.links, NOBODY, NOBODY, {}, NOBODY, hubs.wake)
    async with hubs.links.changing() as tx:
        await tx.execute("UPDATE connection SET mode = $1", Mode.OFF.value)
    await connections.remove("hub", WHO)


async def test_a_connection_goes_and_its_sessions_and_cdrs_stay(hubs: Roaming) -> None:
    await hubs.charged()
    await hubs.accept()
    await hubs.settle("delivered")
    authorised = (await hubs.row("authorisation"))["no"]
    await hubs.store.execute(
        "INSERT INTO command (id, connection_id, kind, party, body, authorisation_no, follows, deadline)"
        " VALUES ('x', $1, 'START_SESSION', $2, '{}', $3, $3, now())",
        hubs.connection("hub").id,
        PARTY.normal,
        authorised,
    )
    await remove(hubs)
    assert hubs.links.by_name("hub") is None
    view, cdr = await hubs.sessions.get(PARTY, "s-1"), await hubs.cdrs.get(PARTY, "c-1")
    assert view is not None
    assert cdr is not None
    assert (view.ended, view.connection, view.authorisation, view.cdr) == (later(3600), None, "a-1", "c-1")
    assert (cdr.state, cdr.connection) == (CdrState.CONNECTION_REMOVED, None)
    assert not await hubs.store.fetch("SELECT FROM command")


@pytest.mark.parametrize("settled", [None, "refused"])
async def test_a_connection_is_not_removed_before_its_cdrs_are_settled(hubs: Roaming, settled: str | None) -> None:
    await hubs.charged()
    await hubs.accept()
    if settled is not None:
        await hubs.store.execute("UPDATE delivery SET state = 'delivered' WHERE cdr_no IS NULL")
        await hubs.settle(settled)
    with pytest.raises(Conflict, match="has not taken 1 CDRs"):
        await remove(hubs)
    assert await hubs.messages("hub")


async def test_a_connection_is_not_removed_before_its_sessions_have_their_cdrs_or_need_none(hubs: Roaming) -> None:
    await hubs.charged()
    with pytest.raises(Conflict, match="1 sessions have none"):
        await remove(hubs)
    await hubs.sessions.waive_cdr(PARTY, "s-1", "nothing flowed", WHO)
    await remove(hubs)
    assert hubs.links.by_name("hub") is None
