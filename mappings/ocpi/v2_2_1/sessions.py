"""OCPI 2.2.1 sessions and charging preferences, both ways (mod_sessions)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mappings.canonical.legs import Leg
from mappings.canonical.sessions import ChargingPreferences, PreferencesResult, Session
from mappings.ocpi.v2_2_1 import sessions_in, sessions_out, tokens_out
from mappings.ocpi.v2_2_1.enums_charging import PREFERENCES_RESULTS
from mappings.ocpi.v2_2_1.wire import Wire
from mappings.report import Issue, Report

Source = bytes | str | Mapping[str, Any]


def to_canonical(source: Source, received: datetime | None = None) -> tuple[Session, list[Issue]]:
    """Reads a session; its `reference` is the `authorization_reference`.

    Args:
        source: JSON text, or an object that was parsed from JSON.
        received: When it arrived, for one without `last_updated`; without this such a one is refused.

    Raises:
        Refused: It cannot be used; the reason names the field.
    """
    report = Report()
    return sessions_in.session(sessions_in.SESSIONS.read(source, report), report, received), report.issues


def from_canonical(session: Session, leg: Leg | None = None) -> tuple[Wire, list[Issue]]:
    """Writes a session.

    Args:
        session: What to write.
        leg: How the peer knows the charge: its driver and its reference are what is said. None for a session that no
            EMSP's authorisation is behind: its own driver, and no reference.

    Raises:
        Refused: The driver's EMSP, contract or uid is not known, or the party has no country of two letters.
    """
    report = Report()
    return sessions_out.session(session, tokens_out.driver(session, leg, report), report), report.issues


def preferences_to_canonical(source: Source) -> tuple[ChargingPreferences, list[Issue]]:
    """Reads what a driver wishes.

    Raises:
        Refused: The profile, the time or the energy cannot be read.
    """
    report = Report()
    return sessions_in.preferences(sessions_in.PREFERENCES.read(source, report), report), report.issues


def preferences_from_canonical(preferences: ChargingPreferences) -> tuple[Wire, list[Issue]]:
    """Writes what a driver wishes."""
    report = Report()
    return sessions_out.preferences(preferences, report), report.issues


def preferences_result_from_canonical(result: PreferencesResult) -> str:
    """Writes what the CPO says to them (mod_sessions, ChargingPreferencesResponse)."""
    return PREFERENCES_RESULTS.from_canonical(result).value
