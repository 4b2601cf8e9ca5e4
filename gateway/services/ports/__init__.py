"""What the faces (HTTP, command line) ask of the services; a face knows nothing else of them.

Every `after` is the opaque cursor that the page before gave as `next`; None starts. A cursor that a service cannot read
raises `BadCursor`. `who` names the actor for the audit log.
"""

from gateway.services.ports.cdrs import (
    Agreed,
    CdrFilter,
    CdrRefusal,
    CdrResult,
    Cdrs,
    CdrState,
    CdrView,
    Corrected,
    Correction,
    Dispute,
)
from gateway.services.ports.common import BadCursor, Conflict, HubFailed, Invalid, IssueShown, NotFound, Page, Parties
from gateway.services.ports.connections import (
    Connections,
    ConnectionView,
    Difference,
    DifferenceCount,
    DifferenceRow,
    DifferenceState,
)
from gateway.services.ports.deliveries import (
    DeadLetter,
    Deliveries,
    DeliveryState,
    DeliveryView,
    Letters,
    MessageFilter,
    MessageState,
    MessageView,
)
from gateway.services.ports.importing import EndedEarly, Importing, ImportRefusal, ImportReport, Progress, RefusalReason
from gateway.services.ports.publishing import Publishing, PutResult, Statuses, StatusOutcome
from gateway.services.ports.reading import HubIssue, IssueCount, Network, StoredLocation, StoredTariff
from gateway.services.ports.sessions import (
    SessionFilter,
    SessionRef,
    SessionResult,
    Sessions,
    SessionTold,
    SessionView,
)
from gateway.services.ports.watch import CdrSample, ChargeSample, LaneSample, MessageSample, Readiness, Sample, Sampler

__all__ = [
    "Agreed",
    "BadCursor",
    "CdrFilter",
    "CdrRefusal",
    "CdrResult",
    "CdrSample",
    "CdrState",
    "CdrView",
    "Cdrs",
    "ChargeSample",
    "Conflict",
    "ConnectionView",
    "Connections",
    "Corrected",
    "Correction",
    "DeadLetter",
    "Deliveries",
    "DeliveryState",
    "DeliveryView",
    "Difference",
    "DifferenceCount",
    "DifferenceRow",
    "DifferenceState",
    "Dispute",
    "EndedEarly",
    "HubFailed",
    "HubIssue",
    "ImportRefusal",
    "ImportReport",
    "Importing",
    "Invalid",
    "IssueCount",
    "IssueShown",
    "LaneSample",
    "Letters",
    "MessageFilter",
    "MessageSample",
    "MessageState",
    "MessageView",
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
    "SessionFilter",
    "SessionRef",
    "SessionResult",
    "SessionTold",
    "SessionView",
    "Sessions",
    "StatusOutcome",
    "Statuses",
    "StoredLocation",
    "StoredTariff",
]
