"""Makes a push, and a second one where the first was refused for an action that may not have fitted."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from adapters.core.adapter import Call
from adapters.core.http import compact_json
from adapters.core.outcomes import Delivered, Outcome, RefusedByHub
from adapters.core.secured import SecuredClient
from adapters.hubject import planning
from adapters.hubject.errors import MISFIT, OUTCOMES, UNKNOWN_EVSE, Outcomes, outcome_of

_OTHER: Final = {"insert": "update", "update": "insert"}


async def push(client: SecuredClient, base_url: str, call: Call, outcomes: Outcomes = OUTCOMES) -> Outcome:
    """Makes one push, and a second one where the first was refused for an action that may not have fitted.

    Whether the hub has a record is not always known: an insert may have been acted upon without an answer, or with
    one that a killed gateway never wrote down, and somebody may have taken records away in Hubject's portal. Hubject
    refuses an insert of what is there and an update of what is not. So the other action is tried with the same records,
    the batch whole, since halving it down to single records would take minutes. Of two refusals the first one stands,
    unless the call is of several records of one thing, of which only some may be there.

    Args:
        outcomes: What the codes mean.
    """
    outcome = await _push(client, base_url, call, call.action, outcomes)
    if not isinstance(outcome, RefusedByHub) or outcome.code not in MISFIT:
        return outcome
    if call.action == "delete":
        return await _gone(client, base_url, call, outcome, outcomes)
    if call.action not in _OTHER:
        return outcome
    second = await _push(client, base_url, call, _OTHER[call.action], outcomes)
    if not isinstance(second, RefusedByHub):
        return second
    if second.code in MISFIT and _of_one_in_parts(call):
        # Some of them may be there and some not, so that neither action fits: first none shall be.
        deleted = await push(client, base_url, replace(call, action="delete"), outcomes)
        if isinstance(deleted, Delivered):
            return await _push(client, base_url, call, "insert", outcomes)
    return outcome


def _of_one_in_parts(call: Call) -> bool:
    """Tells whether a call has several records of one thing."""
    return len(call.settles) == 1 and planning.size(call) > 1


async def _gone(client: SecuredClient, base_url: str, call: Call, refused: RefusedByHub, outcomes: Outcomes) -> Outcome:
    """Says what came of a delete that was refused: gone is gone."""
    if refused.code != UNKNOWN_EVSE:
        return refused
    if planning.size(call) == 1:
        return Delivered()
    # Of several, some may be there: those are found by halving, or by asking for each record of one.
    return await _each(client, base_url, [*planning.singles(call)], outcomes) if _of_one_in_parts(call) else refused


async def _each(client: SecuredClient, base_url: str, deletes: Sequence[Call], outcomes: Outcomes) -> Outcome:
    for delete in deletes:
        outcome = await _push(client, base_url, delete, delete.action, outcomes)
        gone = isinstance(outcome, RefusedByHub) and outcome.code == UNKNOWN_EVSE
        if not gone and not isinstance(outcome, Delivered):
            return outcome
    return Delivered()


async def _push(client: SecuredClient, base_url: str, call: Call, action: str, outcomes: Outcomes) -> Outcome:
    body = compact_json(planning.with_action(call, action))
    url = base_url.rstrip("/") + call.path
    judge = partial(outcome_of, outcomes=outcomes)
    return (await client.request(call.operation, "POST", url, judge=judge, body=body)).outcome
