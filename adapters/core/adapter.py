"""The contract between the gateway and a hub's adapter.

The gateway keeps a *projection* for each thing that a hub should know, under the hub's wire key. An adapter says which
keys an object has (`keys`), turns claimed projections into calls (`plan`, pure) and makes a call (`send`). Everything
durable, ordered and repeated is the gateway's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeAlias

from pydantic import JsonValue

from adapters.core.outcomes import Outcome
from adapters.core.profile import Profile
from mappings.canonical.locations import EvseStatus, Location
from mappings.canonical.tariffs import Tariff
from mappings.canonical.tokens import Token
from mappings.report import Issue, Refused

Subject: TypeAlias = Location | Tariff | Token


class WireKey(NamedTuple):
    """One thing that a hub should know of an object.

    Attributes:
        operation: Name of the operation that delivers it (`Profile.operations`).
        key: Unique within connection and operation. A shared key is the EVSE id's normal form.
        lane: What is delivered in order, one worker at a time; `""` for one lane for the whole operation.
        evse_uid: The EVSE of the location that it speaks of; None for the object itself.
        follows_status: A status report of that EVSE changes it.
        shared: Other EVSEs may have the same key; the newest that is not REMOVED is sent.
    """

    operation: str
    key: str
    lane: str
    evse_uid: str | None = None
    follows_status: bool = False
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A claimed projection with what it is rendered from.

    Attributes:
        operation, key, lane, evse_uid: As in `WireKey`.
        subject: The object now, narrowed to the connection's scope and with its statuses as stored; None if it is gone.
            A token that was withdrawn is given as one that is not valid.
        status: The EVSE's status now, where the projection follows one.
        gone: The hub should no longer have it.
        sent_as: The identifier under which the hub knows it; None if it was never accepted.
        accepted: Fingerprint of what the hub last accepted; None if never, or if it must be sent again regardless.
        attempts: How often the present content was tried in vain.
        known: Keys of the operation that this one refers to (`OperationProfile.refers_to`), as far as the hub has them.
    """

    operation: str
    key: str
    lane: str
    evse_uid: str | None
    subject: Subject | None
    status: EvseStatus | None
    gone: bool
    sent_as: str | None
    accepted: bytes | None
    attempts: int = 0
    known: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rendered:
    """One item in a call: what the hub will hold of it once the call is accepted.

    Attributes:
        fingerprint: Of that content, at most 48 bytes; equal content has an equal fingerprint. `b""` once deleted.
        sent_as: The identifier under which the hub will know it; None once deleted.
        issues: What the translation lost.
        refused: Why what the item says now cannot be said, where the call takes off what the hub has of it: it is
            refused once that is gone there.
    """

    item: Item
    fingerprint: bytes
    sent_as: str | None
    issues: tuple[Issue, ...] = ()
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a hub.

    Attributes:
        action: What the request does, in the hub's words: `insert`, `PUT`, … for logs and metrics.
        path: What it does it to, as the adapter's `send` needs it. An attempt is stored by action, path and body.
        body: The request's body.
        settles: What is settled by its outcome; empty for a call that only makes way for the next.
    """

    operation: str
    action: str
    path: str
    body: JsonValue
    settles: tuple[Rendered, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do about some items: calls in order, and the items that need none.

    Attributes:
        calls: To be made one after the other; where one fails the rest is not made.
        unchanged: Items whose content the hub already has.
        refused: Items that cannot be said, and why.
        waiting: Items that must wait for another operation (`OperationProfile.waits_for`).
    """

    calls: list[Call] = field(default_factory=list)
    unchanged: list[Rendered] = field(default_factory=list)
    refused: list[tuple[Item, Refused]] = field(default_factory=list)
    waiting: list[Item] = field(default_factory=list)


class Adapter(Protocol):
    """A hub, as the gateway's outbox sees one connection to it."""

    @property
    def profile(self) -> Profile:
        """How the hub wants to be served."""

    def keys(self, subject: Subject) -> Iterable[WireKey]:
        """Names what the hub should know of an object, in or out of sight of any particular content. Pure."""

    def plan(
        self, operation: str, items: Sequence[Item], blocked: frozenset[str] = frozenset(), *, full_load: bool = False
    ) -> Plan:
        """Turns items of one lane into calls. Pure; the same items give the same plan.

        Args:
            blocked: Pending keys of the operation that this one waits for.
            full_load: The items are everything, and the calls shall replace whatever the hub has.
        """

    async def send(self, call: Call) -> Outcome:
        """Makes one call. Raises nothing that a hub or a network can cause."""

    def fingerprint(self, operation: str, key: str, remembered: Any) -> bytes:
        """Gives the fingerprint of what a hub says it holds under a key, to compare it with what was accepted.

        Args:
            remembered: The hub's own record, parsed JSON, as its sandbox shows it.
        """

    async def close(self) -> None:
        """Gives up sockets."""
