"""Sessions of our drivers abroad that ended, and whose CDR does not come."""

from datetime import timedelta

from gateway.events.writing import Event, EventType
from gateway.services.cdrs.alarms import Missing
from gateway.services.received.knowing import SQL
from gateway.store.pool import Record
from mappings.canonical.ids import PartyId


def received_sessions(after: timedelta) -> Missing:
    """Gives the sessions that came home, ended longer ago, and have no CDR."""
    return Missing(SQL["awaiting_cdr"], after, _of_session)


def _of_session(row: Record) -> Event | None:
    if row["party"] is None:
        return None
    data = {
        "id": row["no"],
        "session_id": row["session_id"],
        "cpo": row["cpo"],
        "party": row["party"],
        "ended": row["ended_at"].isoformat(),
    }
    return Event(EventType.RECEIVED_SESSION_WITHOUT_CDR, PartyId(row["party"]), f"received-sessions/{row['no']}", data)
