"""Hubject as the gateway's outbox sees it."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

from adapters.core.adapter import Call, Item, Plan, Subject, WireKey
from adapters.core.connection import Connection
from adapters.core.digest import digest
from adapters.core.http import compact_json
from adapters.core.hub import Gateway
from adapters.core.inbound import Observer
from adapters.core.outcomes import Delivered, Outcome, RefusedByHub
from adapters.core.profile import Profile
from adapters.core.secured import SecuredClient
from adapters.hubject import plan
from adapters.hubject.errors import MISFIT, UNKNOWN_EVSE, outcome_of
from adapters.hubject.settings import EVSE_DATA, EVSE_STATUS, Settings
from mappings.canonical.locations import EvseStatus, Location

_OTHER: Final = {"insert": "update", "update": "insert"}


class HubjectAdapter:
    """One connection to Hubject.

    Args:
        name: The connection's, for the metrics.
    """

    def __init__(self, name: str, settings: Settings, observer: Observer) -> None:
        self._settings = settings
        self._profile = settings.profile()
        self._client = SecuredClient(
            self._profile.hub,
            name,
            observer,
            settings,
            timeout=self._profile.request_timeout,
            connect_timeout=timedelta(seconds=settings.connect_timeout_seconds),
            limit=len(self._profile.operations),
        )

    @property
    def profile(self) -> Profile:
        """How the hub wants to be served."""
        return self._profile

    def keys(self, subject: Subject) -> Iterable[WireKey]:
        """Names an EVSE's data and status by the normal form of its EvseID; tariffs are not Hubject's to have.

        An EVSE without EvseID has a key of its own, so that the plan can say why it is refused. REMOVED ones have none.
        """
        if not isinstance(subject, Location):
            return
        for evse in subject.evses:
            if evse.status is EvseStatus.REMOVED:
                continue
            if evse.evse_id is None:
                yield WireKey(EVSE_DATA, f"{subject.party}/{subject.id}/{evse.uid}", "", evse.uid)
            else:
                key = evse.evse_id.normal
                yield WireKey(EVSE_DATA, key, "", evse.uid, shared=True)
                yield WireKey(EVSE_STATUS, key, "", evse.uid, follows_status=True, shared=True)

    def plan(
        self,
        operation: str,
        items: Sequence[Item],
        blocked: frozenset[str] = frozenset(),  # noqa: ARG002  # no operation of Hubject's waits for another's keys
        *,
        full_load: bool = False,
    ) -> Plan:
        """Turns items into pushes; see `adapters.hubject.plan.make_plan`."""
        return plan.make_plan(operation, items, self._settings, full_load=full_load)

    async def send(self, call: Call) -> Outcome:
        """Makes one push, and a second one where the first was refused for an action that may not have fitted.

        Whether the hub has an EVSE is not always known: an insert may have been acted upon without an answer, or with
        one that a killed gateway never wrote down, and somebody may have taken records away in Hubject's portal.
        Hubject refuses an insert of what is there and an update of what is not. So the other action is tried with the
        same records, the batch whole, since halving it down to single records would take minutes. Of two refusals the
        first one stands.
        """
        outcome = await self._push(call, call.action)
        if not isinstance(outcome, RefusedByHub) or outcome.code not in MISFIT:
            return outcome
        if call.action == "delete":
            # Gone is gone. Of several, some may be there: those are found by halving.
            return Delivered() if outcome.code == UNKNOWN_EVSE and plan.size(call) == 1 else outcome
        if call.action not in _OTHER:
            return outcome
        second = await self._push(call, _OTHER[call.action])
        return outcome if isinstance(second, RefusedByHub) else second

    async def _push(self, call: Call, action: str) -> Outcome:
        url = self._settings.base_url.rstrip("/") + call.path
        body = compact_json(plan.with_action(call, action))
        return (await self._client.request(call.operation, "POST", url, judge=outcome_of, body=body)).outcome

    def fingerprint(self, operation: str, key: str, remembered: Any) -> bytes:  # noqa: ARG002  # both alike
        """Gives the fingerprint of a record as Hubject holds it."""
        return digest(remembered)

    async def close(self) -> None:
        """Gives up sockets."""
        await self._client.close()


def make_adapter(connection: Connection, gateway: Gateway) -> HubjectAdapter:
    """Makes the adapter of a connection.

    Raises:
        pydantic.ValidationError: The connection's settings are not those of this hub.
    """
    return HubjectAdapter(connection.name, Settings.model_validate(connection.settings), gateway.observer)
