"""What the faces (HTTP, command line) ask of the services; a face knows nothing else of them.

Every `after` is the opaque cursor that the page before gave as `next`; None starts. A cursor that a service cannot read
raises `BadCursor`. `who` names the actor for the audit log.
"""

from gateway.services.ports.common import BadCursor, Conflict, HubFailed, Invalid, NotFound, Page, Parties
from gateway.services.ports.connections import (
    Connections,
    ConnectionView,
    Difference,
    DifferenceCount,
    DifferenceRow,
    DifferenceState,
)
from gateway.services.ports.deliveries import DeadLetter, Deliveries, DeliveryState, DeliveryView, Letters
from gateway.services.ports.importing import EndedEarly, Importing, ImportRefusal, ImportReport, Progress, RefusalReason
from gateway.services.ports.publishing import Publishing, PutResult, Statuses, StatusOutcome
from gateway.services.ports.reading import HubIssue, IssueCount, Network, StoredLocation, StoredTariff
from gateway.services.ports.watch import LaneSample, Readiness, Sample, Sampler

__all__ = [
    "BadCursor",
    "Conflict",
    "ConnectionView",
    "Connections",
    "DeadLetter",
    "Deliveries",
    "DeliveryState",
    "DeliveryView",
    "Difference",
    "DifferenceCount",
    "DifferenceRow",
    "DifferenceState",
    "EndedEarly",
    "HubFailed",
    "HubIssue",
    "ImportRefusal",
    "ImportReport",
    "Importing",
    "Invalid",
    "IssueCount",
    "LaneSample",
    "Letters",
    "Network",
    "NotFound",
    "Page",
    "Parties",
    "Progress",
    "Publishing",
    "PutResult",
    "Readiness",
    "RefusalReason",
    "Sample",
    "Sampler",
    "StatusOutcome",
    "Statuses",
    "StoredLocation",
    "StoredTariff",
]
