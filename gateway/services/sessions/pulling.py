"""Sessions and CDRs, as a hub may pull them, and what drivers wish of a session that runs."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, TypeAdapter

from adapters.core.charging import Message
from adapters.core.connection import Connection
from adapters.core.inbound import Page, Window
from gateway.events.callouts import Answered, CallOuts
from gateway.events.writing import Event, EventType
from gateway.events.writing import append as append_events
from gateway.outbox.projecting import Link
from gateway.services.links import Links
from gateway.services.ports.events import Question
from gateway.services.sessions.belonging import roaming_of
from gateway.store.pool import Record, Store
from gateway.store.queries import Queries
from mappings.canonical.cdrs import Cdr, CdrLocation
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import ChargingPreferences, PreferencesResult, Session

SQL: Final = Queries("gateway.services.sessions", "pulling.sql")


class Word(BaseModel):
    """What the backend answers, in as far as it matters here."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    result: PreferencesResult


_WORD: Final = TypeAdapter(Word)


class Charges:
    """Implements `adapters.core.inbound.Charges`.

    Args:
        clock: Gives the present, aware.
        told: Called after a commit that left an event.
    """

    def __init__(
        self,
        store: Store,
        links: Links,
        call_outs: CallOuts,
        clock: Callable[[], datetime],
        told: Callable[[], None],
    ) -> None:
        self._store = store
        self._links = links
        self._call_outs = call_outs
        self._clock = clock
        self._told = told

    async def sessions(self, connection: Connection, window: Window) -> Page:
        """Gives what is told of the sessions that roam over a connection, in the order in which they were first told.

        What waits for a person is left out, as it is pushed to nobody.
        """
        link, total, rows = await self._page("sessions", connection, window)
        return Page([message for row in rows for message in _of_session(link, row)], total)

    async def cdrs(self, connection: Connection, window: Window) -> Page:
        """Gives what is told of the CDRs that go over a connection, in the order in which they were accepted."""
        link, total, rows = await self._page("cdrs", connection, window)
        return Page([message for row in rows for message in _of_cdr(link, row)], total)

    async def prefer(
        self, connection: Connection, session_id: str, preferences: ChargingPreferences, emsp: PartyId | None = None
    ) -> PreferencesResult | None:
        """See `inbound.Charges.prefer`. A backend that is silent, or answers later, has not promised anything."""
        running = await self._store.fetch(SQL["running"], connection.id, _parties(connection), session_id)
        found = [row for row in running if row["leg"] is None or Leg.model_validate_json(row["leg"]).may_be_of(emsp)]
        link = self._links.get(connection.id)
        if len(found) != 1 or link is None:  # among several parties' is never guessed
            return None
        [row] = found
        party = PartyId(row["party"])
        wishes = preferences.model_dump(mode="json", exclude_none=True)
        body = {"session_id": row["session_id"], "connection": connection.name, "preferences": wishes}
        async with self._store.transaction() as tx:
            subject = f"sessions/{party}/{row['session_id']}"
            await append_events(tx, Event(EventType.PREFERENCES_RECEIVED, party, subject, body))
        self._told()
        word = await self._call_outs.ask(
            party,
            Question.CHARGING_PREFERENCES,
            body,
            self._clock() + link.adapter.charging.command_within,
            _WORD,
            id_=uuid4().hex,
        )
        return word.value.result if isinstance(word, Answered) else PreferencesResult.NOT_POSSIBLE

    async def _page(
        self, kind: str, connection: Connection, window: Window
    ) -> tuple[Link | None, int, Sequence[Record]]:
        link = self._links.get(connection.id)
        meant = (connection.id, _parties(connection), window.date_from, window.date_to)
        total = await self._store.fetchval(SQL[f"count_{kind}"], *meant)
        rows = await self._store.fetch(SQL[f"page_{kind}"], *meant, window.offset, window.limit)
        return link, total, rows


def _parties(connection: Connection) -> list[str] | None:
    return sorted(party.normal for party in connection.scope.parties) or None


def _of_session(link: Link | None, row: Record) -> Sequence[Message]:
    session = Session.model_validate_json(row["body"])
    roaming = roaming_of(row, session)
    if link is None or roaming is None:
        return ()
    # As to somebody who was told of nothing yet; of several messages the last says the most.
    return link.adapter.of_session(session, CdrLocation.model_validate_json(row["place"]), roaming.leg, {})[-1:]


def _of_cdr(link: Link | None, row: Record) -> Sequence[Message]:
    if link is None:
        return ()
    cdr, leg = Cdr.model_validate_json(row["body"]), Leg.model_validate_json(row["leg"])
    return link.adapter.of_cdr(cdr, leg)[-1:]
