"""The backend's webhooks as destinations of deliveries."""

from collections.abc import Callable, Collection
from datetime import datetime

from adapters.core.charging import MessageProfile
from adapters.core.outcomes import Outcome, RefusedByHub
from gateway.events.hooks import Hook, HookKind, Hooks
from gateway.events.webhooks import Webhooks
from gateway.outbox.delivery_store import Claimed
from gateway.outbox.destinations import Place, Prepared, Sender
from gateway.outbox.gate import Rests

EVENTS = "events"
"""The operation of every delivery to a webhook."""

_PROFILE = MessageProfile(EVENTS, in_flight=8)


class _ToHook:
    """Implements `Sender` for a webhook."""

    hub = HookKind.WEBHOOK.value
    protocol = "CloudEvents 1.0"
    profile = _PROFILE
    live = True

    def __init__(self, source: "HookSource", hook: Hook, rests: Rests) -> None:
        self._source = source
        self._hook = hook
        self._rests = rests
        self.name = hook.name

    def prepare(self, claimed: Claimed) -> Prepared:
        return Prepared(lambda: self._source.send(self._hook, claimed), None)

    def lets(self) -> bool:
        return not self._rests.stopping and self._source.get(self._hook.id) == self._hook

    async def turn(self) -> float:
        return 0.0

    async def pause(self, reason: str) -> None:
        await self._source.switch_off(self._hook, reason)


class HookDestination:
    """Implements `Destination` for one webhook."""

    def __init__(self, source: "HookSource", place: Place, clock: Callable[[], datetime]) -> None:
        self._source = source
        self._place = place
        self.rests = Rests(clock)

    def sender(self) -> Sender | None:
        """Gives the webhook; None where it is not active."""
        hook = self._source.get(-self._place.destination)
        return None if hook is None else _ToHook(self._source, hook, self.rests)


class HookSource:
    """Implements `Source` for the active webhooks."""

    def __init__(self, hooks: Hooks, webhooks: Webhooks, clock: Callable[[], datetime]) -> None:
        self._hooks = hooks
        self._webhooks = webhooks
        self._clock = clock
        self._active: dict[int, Hook] = {}

    def get(self, number: int) -> Hook | None:
        """Gives an active webhook."""
        return self._active.get(number)

    def places(self) -> Collection[Place]:
        """Gives every active webhook."""
        return {Place(-number, EVENTS) for number in self._active}

    def destination(self, place: Place) -> HookDestination:
        """Opens one of them."""
        return HookDestination(self, place, self._clock)

    async def refresh(self) -> None:
        """Lets this process know the webhooks as they are in the store."""
        known = await self._hooks.all()
        self._active = {hook.id: hook for hook in known if hook.active and hook.kind is HookKind.WEBHOOK}

    async def send(self, hook: Hook, claimed: Claimed) -> Outcome:
        """Tells a webhook of an event."""
        waiting = self._clock() - claimed.since
        outcome = await self._webhooks.send(hook, claimed.payload, attempts=claimed.attempts, waiting=waiting)
        if isinstance(outcome, RefusedByHub):
            await self.refresh()  # it may have said that it is gone, and was switched off
        return outcome

    async def switch_off(self, hook: Hook, reason: str) -> None:
        """Stops telling a webhook until somebody acts."""
        await self._hooks.switch_off(hook, reason)
        await self.refresh()
