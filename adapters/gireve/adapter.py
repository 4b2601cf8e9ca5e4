"""One connection to Gireve, as the gateway's outbox sees it."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from adapters.core import ocpi
from adapters.core.adapter import Call, Item, Plan, Subject, WireKey
from adapters.core.connection import Connection
from adapters.core.http import Answer, UrlRefused, compact_json
from adapters.core.inbound import Observer
from adapters.core.outcomes import Delivered, Misconfigured, Outcome, RefusedByHub
from adapters.core.profile import Profile
from adapters.gireve import fingerprints
from adapters.gireve.client import make_client
from adapters.gireve.errors import judge
from adapters.gireve.plan_locations import plan_locations
from adapters.gireve.plan_tariffs import plan_tariffs
from adapters.gireve.rendering import Rendering
from adapters.gireve.settings import LOCATIONS, TARIFFS, Settings
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import EvseStatus, Location
from mappings.ocpi import times


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


class GireveAdapter:
    """Implements `adapters.core.adapter.Adapter`.

    Args:
        now: The clock, for stamps of what has none left and for `Retry-After`.

    Raises:
        ValidationError: The connection's settings are not Gireve's.
    """

    def __init__(self, connection: Connection, observer: Observer, now: Callable[[], datetime] = utc_now) -> None:
        self._settings = Settings.model_validate(connection.settings)
        self._profile = self._settings.profile()
        self._rendering = Rendering(self._settings)
        self._token = connection.secrets.ours
        self._receivers = _receivers(connection, self._settings)
        self._now = now
        lanes = sum(operation.lanes_in_flight for operation in self._profile.operations.values())
        self._client = make_client(connection, self._settings, observer, limit=lanes)

    @property
    def profile(self) -> Profile:
        """How IOP wants to be served."""
        return self._profile

    def keys(self, subject: Subject) -> Iterable[WireKey]:
        """Names a location and each of its EVSEs, all in the location's lane; or a tariff with its target.

        What is REMOVED, an EVSE or a location all of whose EVSEs are, has no key: the hub should no longer have it.
        """
        if isinstance(subject, Location):
            lane = f"{subject.party}/{subject.id}"
            there = [evse for evse in subject.evses if evse.status is not EvseStatus.REMOVED]
            if there or not subject.evses:
                yield WireKey(LOCATIONS, lane, lane)
            for evse in there:
                yield WireKey(LOCATIONS, f"{lane}/{evse.uid}", lane, evse_uid=evse.uid, follows_status=True)
        elif self._settings.push_tariffs:
            key = f"{subject.party}/{subject.id}/{subject.target or '-'}"
            yield WireKey(TARIFFS, key, key)

    def plan(
        self,
        operation: str,
        items: Sequence[Item],
        blocked: frozenset[str] = frozenset(),
        *,
        full_load: bool = False,  # noqa: ARG002  # OCPI has no request that replaces everything
    ) -> Plan:
        """Turns items into calls; pure."""
        if operation == TARIFFS:
            return plan_tariffs(self._rendering, items)
        return plan_locations(self._rendering, items, blocked)

    async def send(self, call: Call) -> Outcome:
        """Makes one call: `path` lies below the module's endpoint and begins with country and party of the object."""
        endpoint = self._receivers.get(call.operation)
        if self._token is None or endpoint is None:
            return Misconfigured(f"not registered for {call.operation}")
        if isinstance(endpoint, UrlRefused):
            return Misconfigured(f"the endpoint of {call.operation} may not be called: {endpoint}")
        country, code, _ = call.path.split("/", 2)
        headers = ocpi.headers(
            self._token, sender=PartyId.of(unquote(country), unquote(code)), receiver=self._settings.hub_party
        )
        body = call.body
        if call.action == "PATCH" and isinstance(body, dict) and "last_updated" not in body:
            body = {**body, "last_updated": times.write(self._now())}

        def understood(answer: Answer) -> Outcome:
            outcome = judge(answer, call.action, self._now())
            removal = isinstance(call.body, dict) and call.body.get("status") == EvseStatus.REMOVED
            if call.action == "PATCH" and removal and isinstance(outcome, RefusedByHub) and outcome.unknown_there:
                return Delivered()  # it is gone, which is what was asked for
            return outcome

        reply = await self._client.request(
            call.operation,
            call.action,
            ocpi.below(endpoint, call.path),
            judge=understood,
            body=None if body is None else compact_json(body),
            headers=headers,
        )
        return reply.outcome

    def fingerprint(
        self,
        operation: str,
        key: str,  # noqa: ARG002  # the record tells itself what it is
        remembered: Any,
    ) -> bytes:
        """Hashes the hub's own record of a location (with or without its EVSEs), an EVSE or a tariff."""
        if operation == TARIFFS:
            return fingerprints.of_tariff(remembered)
        if "uid" in remembered:
            return fingerprints.of_evse(remembered)
        return fingerprints.of_location(remembered)

    async def close(self) -> None:
        """Gives up sockets."""
        await self._client.close()


def _receivers(connection: Connection, settings: Settings) -> dict[str, str | UrlRefused]:
    """Gives what can be pushed to by module, checked anew: endpoints may have been adopted, the allow list changed."""
    found: dict[str, str | UrlRefused] = {}
    for name, url in ocpi.modules_of(connection).items():
        module, _, role = name.partition("/")
        if role != "RECEIVER":
            continue
        try:
            found[module] = settings.checked(url)
        except UrlRefused as refused:
            found[module] = refused
    return found
