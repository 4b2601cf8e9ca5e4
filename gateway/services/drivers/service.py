"""Whether our own drivers may charge, when a hub asks."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from time import monotonic
from typing import Final, Protocol

import structlog

from adapters.core.charging import Answer, Denial, Denied
from adapters.core.connection import Connection
from adapters.core.inbound import Asked, Page, Window
from gateway.events.callouts import CallOuts
from gateway.services.authorisation.admitting import uid_key
from gateway.services.drivers.asking import Backend
from gateway.services.drivers.contracts import Contracts
from gateway.services.drivers.deciding import reversed_uid
from gateway.services.drivers.inquiring import Inquiring
from gateway.services.drivers.permits import SQL
from gateway.services.drivers.recording import Decision, Inquiry, Outcome, Recording, given_before, id_of
from gateway.services.drivers.showing import Showing
from gateway.services.drivers.stopping import Stopping
from gateway.store.pool import Record, Store
from mappings.canonical.commands import EvseRef
from mappings.canonical.ids import PartyId
from mappings.canonical.tokens import Token, TokenType

_log = structlog.get_logger(__name__)

_TRIES: Final = 5
"""How often a question is looked at that another replica answers, or whose token is blocked, at the same time."""


class Figures(Protocol):
    """What is counted."""

    def permit(self, hub: str, connection: str, decided: str, reason: Denial | None, seconds: float) -> None:
        """Counts an answer; without a reason it was a yes. `decided`: whose word it was, "" where nobody said any."""

    def permit_stop(self, hub: str, connection: str, reason: Denial | None) -> None:
        """Counts a stop that a hub asked for."""


class Drivers:
    """Implements `adapters.core.inbound.Drivers`.

    Args:
        wake: Called after a commit that left an event to tell.
        clock: Gives the present, aware.
    """

    def __init__(
        self,
        store: Store,
        contracts: Contracts,
        call_outs: CallOuts,
        figures: Figures,
        wake: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._contracts = contracts
        self._inquiring = Inquiring(store, contracts, Backend(call_outs, clock))
        self._figures = figures
        self._clock = clock
        self._showing = Showing(store, monotonic)
        self._stopping = Stopping(store)
        self._recording = Recording(store, wake)
        self._running: dict[str, asyncio.Task[Answer]] = {}

    async def authorise(self, connection: Connection, asked: Asked) -> Answer:
        """See `inbound.Drivers.authorise`."""
        id_ = id_of(connection, asked)
        task = self._running.get(id_)
        if task is None:
            # Its own task, so that what is decided is kept also when the hub hangs up.
            task = asyncio.get_running_loop().create_task(self._authorise(id_, connection, asked, monotonic()))
            self._running[id_] = task
            task.add_done_callback(lambda done: self._ended(id_, done))
        return await asyncio.shield(task)

    async def authorise_stop(self, connection: Connection, asked: Asked) -> Answer:
        """See `inbound.Drivers.authorise_stop`."""
        answer = await self._stopping.authorise(connection, asked)
        reason = answer.reason if isinstance(answer, Denied) else None
        self._figures.permit_stop(connection.hub, connection.name, reason)
        return answer

    async def tokens(self, connection: Connection, window: Window) -> Page:
        """See `inbound.Drivers.tokens`. With dates, withdrawn ones too, which are not valid."""
        return await self._showing.tokens(connection, window)

    async def token(self, connection: Connection, party: PartyId, uid: str, type_: TokenType) -> Token | None:
        """See `inbound.Drivers.token`."""
        return await self._showing.token(connection, party, uid, type_)

    async def close(self) -> None:
        """Waits for those who are being answered."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        await self._recording.close()

    def _ended(self, id_: str, task: asyncio.Task[Answer]) -> None:
        self._running.pop(id_, None)
        if not task.cancelled():
            task.exception()  # whoever waits for it gets it; nobody may

    async def _authorise(self, id_: str, connection: Connection, asked: Asked, started: float) -> Answer:
        at = self._clock()
        for _ in range(_TRIES):
            row = await self._prepare(id_, connection, asked)
            if (given := given_before(row)) is not None:
                return given
            if row["given"] is not None:
                id_ = str(uuid.uuid4())
            named = asked.at.evse_id if asked.at is not None else None
            evse = named.normal if named is not None else row["evse_key"]
            inquiry = Inquiry(id_, connection, asked, evse, at)
            decision = await self._inquiring.decide(inquiry, row)
            took = monotonic() - started
            if decision is None:
                _log.warning("asked for a driver who is nobody's of ours", connection=connection.name)
                self._figures.permit(connection.hub, connection.name, "", Denial.UNKNOWN_TOKEN, took)
                return Denied(Denial.UNKNOWN_TOKEN)
            detail = decision.detail.model_copy(update={"took": round(took * 1000)})
            outcome = Outcome(inquiry, replace(decision, detail=detail))
            if await self._recording.add(outcome):
                self._note(inquiry, decision)
                took = monotonic() - started
                self._figures.permit(connection.hub, connection.name, detail.decided or "", decision.reason, took)
                return outcome.answer()
        return Denied(Denial.NO_ANSWER, text="the driver's token changes all the time")

    def _note(self, inquiry: Inquiry, decision: Decision) -> None:
        """Notes that a driver may charge whom no agreement of ours covers: the hub knows its contracts."""
        if decision.reason is None and decision.contract_with_cpo is not None:
            self._contracts.asked(inquiry.connection, inquiry.cpo, decision.party, decision.contract_with_cpo)

    async def _prepare(self, id_: str, connection: Connection, asked: Asked) -> Record:
        driver, at = asked.leg.identification, asked.at or EvseRef()
        cpo = at.party or asked.cpo
        row = await self._store.fetchrow(
            SQL["prepare"],
            uid_key(driver.uid) if driver.uid is not None else None,
            driver.contract_id.normal if driver.contract_id is not None else None,
            reversed_uid(driver.uid) if driver.uid is not None else None,
            connection.id,
            id_,
            cpo.normal if cpo is not None else None,
            at.location_id,
            at.evse_uid,
        )
        assert row is not None  # noqa: S101 - the statement always gives one
        return row
