"""What the HTTP face asks of the services. They satisfy these protocols; the HTTP face knows nothing else of them.

Every `after` is the opaque cursor that the page before gave as `next`; None starts. A cursor that a service cannot read
raises `BadCursor`. `who` names the actor for the audit log.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

from pydantic import JsonValue

from adapters.core.connection import Mode, Scope, State
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import EvseStatus, EvseStatusReport, Location
from mappings.canonical.parties import Party
from mappings.canonical.tariffs import Tariff
from mappings.report import Issue, IssueKind

Parties = frozenset[PartyId] | None
"""The parties that somebody may see or speak for; None for all."""


class NotFound(LookupError):
    """What was named does not exist; the message says what."""


class Conflict(ValueError):
    """It cannot be done in the present state: a name taken, a stale revision, no registration; the message says."""


class Invalid(ValueError):
    """What was given makes no sense to the service.

    Attributes:
        problems: Pairs of the field's path in what was given and one sentence.
    """

    def __init__(self, *problems: tuple[str, str]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{field}: {detail}" if field else detail for field, detail in problems))


class BadCursor(Invalid):
    """The cursor was not given by this gateway."""

    def __init__(self) -> None:
        super().__init__(("after", "is not a cursor given by this gateway"))


class HubFailed(RuntimeError):
    """The hub did not do its part (registration); the message says what it said, without secrets."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of many, in a stable order; `next` is None on the last page."""

    items: Sequence[T]
    next: str | None = None


# --- Publishing -------------------------------------------------------------------------------------------------------


class PutResult(NamedTuple):
    """What came of one object: `issues` are those given in, and what the store noticed."""

    party: PartyId
    id: str
    outcome: Literal["created", "updated", "unchanged"]
    issues: Sequence[Issue]


class Publishing(Protocol):
    """Writing the network. Each batch is one transaction; it is durable when the call returns."""

    async def put_locations(
        self, batch: Sequence[tuple[Location, Sequence[Issue]]], who: str, *, if_revision: int | None = None
    ) -> list[PutResult]:
        """Writes locations whole, in the order given; of one named twice the last stands.

        Args:
            if_revision: For a batch of one: write only over this revision.

        Raises:
            Conflict: The stored revision is another; nothing was written.
        """

    async def withdraw_location(self, party: PartyId, location_id: str, who: str) -> bool:
        """Makes its EVSEs REMOVED and keeps a tombstone. False if there is none, or it is withdrawn already."""

    async def put_tariffs(
        self, batch: Sequence[tuple[Tariff, Sequence[Issue]]], who: str, *, if_revision: int | None = None
    ) -> list[PutResult]:
        """Writes tariffs whole; as `put_locations`."""

    async def withdraw_tariff(self, party: PartyId, tariff_id: str, target: PartyId | None, who: str) -> bool:
        """Withdraws one variant of a tariff; False if there is none."""


class StatusOutcome(StrEnum):
    """What came of one status report."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    """The EVSE has that status already."""
    STALE = "stale"
    """The stored status is newer."""
    UNKNOWN_EVSE = "unknown_evse"
    """No EVSE of the reporting parties has that id or key."""
    REFUSED = "refused"
    """The report makes no sense; it never reaches the service."""


class Statuses(Protocol):
    """Statuses on their way in."""

    async def report(self, reports: Sequence[EvseStatusReport], parties: Parties) -> list[StatusOutcome]:
        """Applies reports, one outcome each in the same order; durable when it returns.

        Concurrent calls share a commit. Of several reports for one EVSE in one call the newest counts.
        """


# --- Reading ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoredLocation:
    """A location as stored.

    Attributes:
        location: With the EVSEs' present statuses.
        withdrawn: It was withdrawn; every EVSE is REMOVED.
        revision: Rises with every change of the object itself, not with statuses.
        updated: When the object last changed here.
    """

    location: Location
    withdrawn: bool
    revision: int
    updated: datetime


@dataclass(frozen=True, slots=True)
class StoredTariff:
    """A tariff as stored; fields as in `StoredLocation`."""

    tariff: Tariff
    withdrawn: bool
    revision: int
    updated: datetime


class HubIssue(NamedTuple):
    """What one translation of an object lost.

    Attributes:
        connection: Whose translation; `""` for the one on the way in.
        operation: The operation at that connection; `""` on the way in.
        key: The wire key; the object's own key on the way in.
    """

    connection: str
    operation: str
    key: str
    issue: Issue


@dataclass(frozen=True, slots=True)
class IssueCount:
    """How many objects have an issue of one kind at one field; `connection` is empty for the way in.

    Attributes:
        field: Path without indices, `evses[].connectors[].standard`.
    """

    connection: str
    field: str
    kind: IssueKind
    count: int


class Network(Protocol):
    """Reading the network as the backend wrote it, with present statuses."""

    async def location(self, party: PartyId, location_id: str) -> StoredLocation | None:
        """Gives one location, withdrawn or not."""

    async def locations(
        self, parties: Parties, after: str | None, limit: int
    ) -> tuple[list[StoredLocation], str | None]:
        """Gives locations in the order of their keys, withdrawn ones too, and the cursor of the next page."""

    async def tariff(self, party: PartyId, tariff_id: str, target: PartyId | None) -> StoredTariff | None:
        """Gives one variant of a tariff; `target` None is the one for all."""

    async def tariffs(self, parties: Parties, after: str | None, limit: int) -> tuple[list[StoredTariff], str | None]:
        """Gives tariffs, every variant, in the order of their keys."""

    async def issues(self, party: PartyId, location_id: str) -> list[HubIssue]:
        """Gives what was lost of one location, on the way in and at each connection."""

    async def issue_counts(self, parties: Parties, connection: str | None) -> list[IssueCount]:
        """Counts issues by connection, field and kind; the most frequent first."""

    async def parties(self) -> list[Party]:
        """Gives all parties in the order of their ids."""

    async def party(self, party: PartyId) -> Party | None:
        """Gives one party."""

    async def put_party(self, party: Party, who: str) -> bool:
        """Writes a party; True if it is new."""


# --- Connections ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A connection without its secrets.

    Attributes:
        registered: Whether credentials are in place.
        ours_hint: The last four characters of the token that we present; None without one.
        endpoints: What the hub told us, by `module/role`.
        pending, held, refused: Projections that wait, that wait for another operation, and dead letters.
        why: Why it is paused or unregistered.
    """

    name: str
    hub: str
    mode: Mode
    state: State
    why: str | None
    scope: Scope
    settings: Mapping[str, JsonValue]
    registered: bool
    endpoints: Mapping[str, JsonValue]
    pending: int
    held: int
    refused: int
    ours_hint: str | None = None


class DifferenceState(StrEnum):
    """How a projection stands."""

    PENDING = "pending"
    REFUSED = "refused"
    HELD = "held"
    SHADOWED = "shadowed"


@dataclass(frozen=True, slots=True)
class DifferenceCount:
    """How far one operation has come, in projections.

    Attributes:
        wanted: That the hub should know.
        acked: That it knows in their present state.
        pending: That are to be sent.
        refused: With a dead letter.
        held: That wait for another operation.
        shadowed: That were rendered and not sent, since the connection is in shadow mode.
    """

    operation: str
    wanted: int
    acked: int
    pending: int
    refused: int
    held: int
    shadowed: int


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """One projection that the hub has not in its present state.

    Attributes:
        gone: The hub should no longer have it.
        sent_as: The identifier under which the hub knows it; None if it never accepted it.
    """

    operation: str
    key: str
    state: DifferenceState
    gone: bool
    wanted: int
    acked: int
    sent_as: str | None
    since: datetime | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """What a hub does not have as it should."""

    counts: Sequence[DifferenceCount]
    rows: Sequence[DifferenceRow]
    next: str | None = None


class Connections(Protocol):
    """Connections, by name. What names one that does not exist raises `NotFound`."""

    async def list(self) -> list[ConnectionView]:
        """Gives all, by name."""

    async def get(self, name: str) -> ConnectionView:
        """Gives one."""

    async def create(
        self, name: str, hub: str, mode: Mode, scope: Scope, settings: Mapping[str, Any], who: str
    ) -> ConnectionView:
        """Adds a connection, unregistered where its hub has a registration.

        Raises:
            Conflict: The name is taken.
            Invalid: No such hub, or its settings model refuses the settings (fields under `settings.`).
        """

    async def register(self, name: str, token: str, who: str) -> ConnectionView:
        """Starts the registration with the token that the hub gave us.

        Raises:
            Conflict: The hub has no registration that we start.
            HubFailed: The hub refused, or could not be reached.
        """

    async def adopt(
        self, name: str, token_ours: str, token_theirs: str, endpoints: Mapping[str, Any], who: str
    ) -> ConnectionView:
        """Takes over a connection that is live elsewhere: the token that we present, the one that the hub presents."""

    async def set_mode(self, name: str, mode: Mode, who: str) -> ConnectionView:
        """Changes how far it goes."""

    async def set_scope(self, name: str, scope: Scope, who: str) -> ConnectionView:
        """Changes what it carries; what leaves the scope is withdrawn from the hub."""

    async def pause(self, name: str, why: str, who: str) -> ConnectionView:
        """Stops it; nothing is tried or lost."""

    async def resume(self, name: str, who: str) -> ConnectionView:
        """Lets a paused connection go on."""

    async def resync(self, name: str, who: str) -> int:
        """Asks for everything again; gives the number of projections."""

    async def unregister(self, name: str, who: str) -> ConnectionView:
        """Gives the credentials up; what is queued waits for the next registration."""

    async def difference(self, name: str, operation: str | None, after: str | None, limit: int) -> Difference:
        """Tells what the hub does not have as it should."""


# --- Deliveries -------------------------------------------------------------------------------------------------------


class DeliveryState(StrEnum):
    """How a delivery stands."""

    PENDING = "pending"
    IN_FLIGHT = "in_flight"
    DELIVERED = "delivered"
    REFUSED = "refused"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One projection at one connection.

    Attributes:
        wanted, acked: Revisions.
        attempts: How often the present content was tried in vain.
        since: When it began to wait, or was last acknowledged.
        due_at: When it is tried next; None if it does not wait for a time.
        error: What the last attempt in vain came to.
    """

    connection: str
    operation: str
    key: str
    state: DeliveryState
    wanted: int
    acked: int
    attempts: int
    since: datetime | None
    due_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that a hub, or its translation, refused.

    Attributes:
        code: The hub's own code; None where the translation refused.
        text: The hub's own words, or why it cannot be said.
        field: Field of the canonical object where the translation refused; else empty.
        body: What was sent; None where nothing was.
    """

    id: int
    connection: str
    operation: str
    key: str
    code: str | None
    text: str
    field: str
    attempts: int
    at: datetime
    body: JsonValue = None


@dataclass(frozen=True, slots=True)
class Letters:
    """Which dead letters are meant: those of the ids, or, without ids, all of a connection."""

    ids: Sequence[int] = ()
    connection: str | None = None


class Deliveries(Protocol):
    """What is under way to hubs, and what they refused."""

    async def list(
        self, connection: str | None, state: DeliveryState | None, after: str | None, limit: int
    ) -> Page[DeliveryView]:
        """Gives deliveries in the order of connection, operation and key."""

    async def dead_letters(self, connection: str | None, after: str | None, limit: int) -> Page[DeadLetter]:
        """Gives dead letters, the oldest first."""

    async def replay(self, letters: Letters, who: str) -> int:
        """Puts refused records back on their lanes; gives how many there were."""

    async def discard(self, ids: Sequence[int], why: str, who: str) -> int:
        """Gives refused records up; gives how many there were."""


# --- Importing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ImportRefusal:
    """A record that could not be imported, by its line (or its number in a list), from 1."""

    line: int
    field: str
    detail: str


@dataclass(frozen=True, slots=True)
class RefusalReason:
    """How many records were refused for one reason; `field` has no indices."""

    field: str
    detail: str
    count: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came of an import.

    Attributes:
        format: What the content was recognised as, as `ocpi-locations-ndjson` or `irve-static-csv`.
        read: Records read.
        statuses: Reports that named an EVSE; `updated` and `unchanged` count them too.
        refused: Records that could not be said; `refusals` are the first of them.
        issues: What was lost or mended, by kind and field without indices, the most frequent first.
        seconds: Wall time.
        skipped: Records of other parties than the one asked for.
        reasons: Why records were refused, the most frequent first.
    """

    format: str
    read: int
    locations: int
    evses: int
    tariffs: int
    statuses: int
    created: int
    updated: int
    unchanged: int
    refused: int
    refusals: Sequence[ImportRefusal]
    issues: Sequence[IssueCount]
    seconds: float
    skipped: int = 0
    reasons: Sequence[RefusalReason] = ()


class EndedEarly(Invalid):
    """The content is damaged from some point on.

    Attributes:
        report: What came of the records before that.
    """

    def __init__(self, detail: str, report: ImportReport) -> None:
        self.report = report
        super().__init__(("", detail))


class Progress(NamedTuple):
    """How far an import has come."""

    bytes_read: int
    records: int
    refused: int


class Importing(Protocol):
    """Files of any known format."""

    async def run(
        self,
        chunks: AsyncIterator[bytes],
        *,
        filename: str | None,
        party: PartyId | None,
        who: str,
        progress: Callable[[Progress], None] | None = None,
    ) -> ImportReport:
        """Reads a file of any known format, plain or gz, in bounded memory; what was stored stays if it ends early.

        Args:
            filename: A hint where the content leaves a doubt.
            party: The only party whose records are taken; None for all.

        Raises:
            Invalid: The content has no known format.
            EndedEarly: It is damaged (a truncated gz). What came before that is stored, except where a station's
                records may stand anywhere in the file: half a station would withdraw its other half.
        """


# --- Figures and health -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LaneSample:
    """The present state of one operation at one connection.

    Attributes:
        oldest: Age of the oldest pending projection in seconds; 0 with none.
        leased, resting: Lanes being worked on, and lanes that rest after a failure.
    """

    hub: str
    connection: str
    operation: str
    pending: int
    oldest: float
    held: int
    dead_letters: int
    leased: int
    resting: int


@dataclass(frozen=True, slots=True)
class Sample:
    """The present state of the store, for gauges.

    Attributes:
        connections: Hub, connection, mode and state of each.
        pool_size, pool_idle: Connections to the database of this process.
    """

    lanes: Sequence[LaneSample]
    connections: Sequence[tuple[str, str, Mode, State]]
    evses: Mapping[EvseStatus, int]
    pool_size: int
    pool_idle: int


class Sampler(Protocol):
    """Where gauges come from."""

    async def sample(self) -> Sample:
        """Reads the present state; some queries, so callers cache it."""


class Readiness(Protocol):
    """Whether this process can serve."""

    async def faults(self) -> Mapping[str, str | None]:
        """Gives each check by name (`database`, `migrations`, `dispatcher`) with what is wrong, if anything."""
