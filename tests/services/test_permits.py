"""A driver of ours at a partner's station: the hub's question, and the answer by the stored token."""

from adapters.core.charging import Allowed
from tests.services.driving import CPO, EMSP, EVSE, UID, asked, token


async def test_a_token_that_may_be_accepted_at_once_is_and_the_backend_is_not_asked(emsp):
    await emsp.listen()
    await emsp.put(token(driver="d-1"))
    answer = await emsp.ask(asked(session="h-1"))
    assert isinstance(answer, Allowed)
    [permit] = await emsp.rows("permit")
    assert (answer.leg.emsp_session, answer.leg.reference, answer.leg.emsp) == (permit["id"], permit["id"], EMSP)
    assert (answer.leg.hub_session, answer.token.uid) == ("h-1", UID)
    assert (permit["allowed"], permit["reason"], permit["origin"]) == (True, None, "asked")
    assert (permit["party"], permit["cpo"], permit["evse_key"]) == (EMSP.normal, CPO.normal, EVSE.normal)
    assert (permit["identity"], permit["contract_key"]) == (UID, "FREMSC12345678")
    refs = {(row["kind"], row["value"]) for row in await emsp.rows("permit_ref")}
    assert refs == {("hub", "h-1"), ("emsp", permit["id"]), ("reference", permit["id"])}
    assert emsp.listener.heard == []
    assert emsp.counted.permits == [("local", None)]
