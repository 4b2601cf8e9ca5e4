"""Tells a webhook of an event: one signed request, and what is known of it afterwards."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from adapters.core.http import Answer, compact_json, read_json, retry_after
from adapters.core.outcomes import Delivered, NotSent, Outcome, OutcomeUnknown, RefusedByHub, Throttled
from gateway.events import signing
from gateway.events.hooks import Hook, Hooks

CONTENT_TYPE: Final = "application/cloudevents+json"

TIMEOUT: Final = timedelta(seconds=20)
"""What a receiver has to answer; the scheme advises 15 to 30 s."""

PATIENCE: Final = timedelta(hours=1)
ENOUGH: Final = 5
"""How long, and how often at least, a refusal is tried anew: it may come from a receiver that is being set up, yet the
next event of the same subject waits behind it."""


class Webhooks:
    """Sends events to webhooks; who sends what and when is the outbox's affair."""

    def __init__(self, hooks: Hooks, now: Callable[[], datetime]) -> None:
        self._hooks = hooks
        self._now = now

    async def send(self, hook: Hook, payload: str, *, attempts: int = 0, waiting: timedelta = timedelta(0)) -> Outcome:
        """Tells an event once; raises nothing that a receiver or a network can cause.

        Args:
            payload: The event as JSON, as it is sent; a delivery's.
            attempts: How often it was told in vain.
            waiting: Since it happened.

        Returns:
            `RefusedByHub` once there is no use in trying on. A receiver that says it is gone (410) is switched off.
        """
        body, now = payload.encode(), self._now()
        id_ = read_json(body)["id"]  # the same on every try, so that a receiver can tell a repetition
        reply = await self._hooks.client(hook, TIMEOUT).request(
            "events",
            "POST",
            hook.url,
            judge=lambda answer: _judge(answer, now),
            body=body,
            headers={"Content-Type": CONTENT_TYPE, **signing.headers(hook.secrets, id_, now, body)},
        )
        if reply.answer is not None and reply.answer.status == 410:
            await self._hooks.switch_off(hook, "The receiver answered 410 Gone")
        outcome = reply.outcome
        hasty = attempts + 1 < ENOUGH or waiting < PATIENCE
        if hasty and isinstance(outcome, RefusedByHub) and outcome.code != "410":
            return NotSent(f"HTTP {outcome.code} {outcome.text}".strip())
        return outcome

    async def test(self, hook: Hook, id_: str) -> Outcome:
        """Tells a made-up event, now and once, whether or not the webhook is active."""
        party = min((one.normal for one in hook.parties), default=None)
        event = {
            "specversion": "1.0",
            "id": id_,
            "source": f"/v1/webhooks/{hook.name}",
            "type": "roamgate.webhook.test",
            "subject": f"webhooks/{hook.name}",
            "time": self._now().isoformat().replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "data": {"webhook": hook.name},
        }
        if party is not None:
            event["party"] = party
        return await self.send(hook, compact_json(event).decode(), attempts=ENOUGH, waiting=PATIENCE)


def _judge(answer: Answer, now: datetime) -> Outcome:
    """Reads what a receiver's status says (Standard Webhooks 1.0.0, Delivery success and failure)."""
    status = answer.status
    if 200 <= status < 300:
        return Delivered()
    rest = retry_after(answer.headers, now)
    if status == 429 or (status == 503 and rest is not None):
        return Throttled(rest)
    if status >= 500:
        return OutcomeUnknown(f"HTTP {status}")
    return RefusedByHub(str(status), answer.body[:200].decode(errors="replace"))
