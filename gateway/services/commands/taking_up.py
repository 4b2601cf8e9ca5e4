"""Takes commands from hubs over: what they are about, whether they may, whether they were given before."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import BaseModel

from adapters.core.connection import Connection, Mode, State
from gateway.agreements.disagreeing import Witness
from gateway.agreements.model import BEGINNING
from gateway.agreements.policy import REFUSALS, Reason, Request
from gateway.agreements.repository import Agreements
from gateway.events.writing import EventType
from gateway.services.authorisation.admitting import Admission, Origin, record
from gateway.services.charge.evses import Place
from gateway.services.commands.finding import SQL, Charge, Finding, Spot, reservation_key
from gateway.services.commands.repeating import Given, Repeated, Repetitions, dedup_of, emsp_of
from gateway.services.links import Links
from gateway.store.pool import Store, Transaction
from mappings.canonical.agreements import AgreementRef
from mappings.canonical.commands import (
    CancelReservation,
    Command,
    CommandAnswer,
    CommandResult,
    EvseRef,
    ReserveNow,
    StartSession,
    StopSession,
    UnlockConnector,
)
from mappings.canonical.ids import PartyId
from mappings.canonical.sessions import AuthMethod

STARTABLE: Final = timedelta(hours=1)
"""How long a session may begin under a remote start."""

_TRIES: Final = 3
"""How often a command is written that others write, and carry out, at the same time."""

_UNKNOWN: Final[Mapping[CommandResult, str]] = {
    CommandResult.UNKNOWN_EVSE: "There is no such EVSE, or it is not clear whose is meant",
    CommandResult.UNKNOWN_SESSION: "There is no such session, or it is over",
    CommandResult.UNKNOWN_RESERVATION: "There is no such reservation, or it is over",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """A command that is under way.

    Attributes:
        question: What the backend is asked.
        told: Whether the hub is told the result, rather than waits for it.
    """

    id: str
    kind: str
    party: PartyId
    deadline: datetime
    question: Mapping[str, Any] = field(repr=False)
    told: bool = False


@dataclass(frozen=True, slots=True)
class _Target:
    """What a command is about.

    Attributes:
        place: The EVSE, as the backend names it.
        charge: What is to be stopped or given up.
        spot: Where something is to begin.
    """

    party: PartyId
    place: Mapping[str, Any]
    charge: Charge | None = None
    spot: Spot | None = None

    @property
    def evse_key(self) -> str | None:
        """As agreements ask for it; what is to be ended is held against none."""
        return self.spot.place.evse_key if self.spot is not None else None


class _WrittenBefore(Exception):
    """The same command is there already; nothing is written of this one."""


class TakingUp:
    """Writes commands down, with what they admit, before anybody is asked.

    Args:
        told: Called when there is something to tell to a hub.
        noted: Called when events were written.
    """

    def __init__(
        self,
        store: Store,
        links: Links,
        agreements: Agreements,
        witness: Witness,
        now: Callable[[], datetime],
        told: Callable[[], None],
        noted: Callable[[], None],
    ) -> None:
        self._store = store
        self._agreements = agreements
        self._witness = witness
        self._now = now
        self._noted = noted
        self._finding = Finding(store)
        self._repetitions = Repetitions(store, links, now, told)

    async def begin(
        self, connection: Connection, command: Command, reply_to: Mapping[str, str] | None, deadline: datetime
    ) -> Taken | Repeated | CommandAnswer:
        """Takes a command over, durably; or gives the one that it repeats, or why it is not even tried."""
        given = Given(connection, command, reply_to, deadline, dedup_of(command, reply_to))
        target = _barred(connection, command, self._now()) or await self._target(connection, command)
        if not isinstance(target, _Target):
            # What a repetition is about may be gone, by the very command that it repeats; and what came of that command
            # may be asked whatever has become of the connection.
            return await self._repetitions.find(given) or target
        agreement = None
        # Who may not begin may still end: a charge can be stopped when the agreement that it began under has ended.
        if (service := BEGINNING.get(command.kind)) is not None:
            emsp = emsp_of(command)
            request = Request(service, target.party, emsp, target.evse_key)
            decision = await self._agreements.decide(connection.id, request)
            agreement = decision.ref
            if not decision.allowed and not await self._lets_go(connection, command, target):
                if self._agreements.binds(connection.id):
                    return await self._repetitions.find(given) or await self._refuse(given, target, decision.reason)
                # What a hub carries on is its yes.
                self._witness.said_yes(connection, target.party, emsp, decision.reason)
        for _ in range(_TRIES):
            if (taken := await self._write_taken(given, target, agreement)) is not None:
                self._noted()
                return taken
            if (repeated := await self._repetitions.find(given)) is not None:
                return repeated
        return CommandAnswer(result=CommandResult.FAILED, text="It is given again and again")

    async def _target(self, connection: Connection, command: Command) -> _Target | CommandAnswer:
        """Finds what a command is about, or says why it cannot be."""
        now = self._now()
        match command:
            case StopSession(session=session):
                charges = await self._finding.charges(connection, session, command.emsp)
                found = [one for one in charges if one.runs(now)]
                missing = CommandResult.UNKNOWN_SESSION
            case CancelReservation(reservation=reservation):
                charges = await self._finding.reservations(connection, reservation, command.emsp)
                found = [one for one in charges if one.is_reserved(now)]
                missing = CommandResult.UNKNOWN_RESERVATION
            case _:
                driver = command.leg.identification if isinstance(command, StartSession | ReserveNow) else None
                spot = await self._finding.spot(connection, command.at, driver, now)
                if spot is None:
                    return _unknown(CommandResult.UNKNOWN_EVSE)
                if not spot.place.has_connector(command.at.connector_id):
                    return CommandAnswer(result=CommandResult.UNKNOWN_EVSE, text="The EVSE has no such connector")
                return _Target(spot.place.location.party, _of_place(spot.place, command.at), None, spot)
        if command.at is not None and command.at.party is not None:
            # Two CPOs may call different sessions alike, and who addresses one does not mean the other's.
            found = [one for one in found if one.party == command.at.party]
        if not found:
            return _unknown(missing)
        if len(found) > 1:  # among several is never guessed
            text = "Several are called so, and it is not said whose is meant"
            return CommandAnswer(result=CommandResult.REJECTED, text=text)
        [charge] = found
        told = {"location_id": charge.location_id, "evse_uid": charge.evse_uid, "connector_id": charge.connector_id}
        return _Target(charge.party, _said(told), charge)

    async def _lets_go(self, connection: Connection, command: Command, target: _Target) -> bool:
        """Tells whether a command ends what began, since it lets the plug of the EMSP's own driver go."""
        if not isinstance(command, UnlockConnector) or target.spot is None or command.emsp is None:
            return False
        place = target.spot.place
        return await self._finding.is_plugged_in(connection, place, command.emsp, self._now())

    async def _refuse(self, given: Given, target: _Target, reason: Reason) -> CommandAnswer:
        """Writes down that a command was refused, for people; it may be given again."""
        answer = CommandAnswer(result=CommandResult.NO_CONTRACT, text=REFUSALS[reason])
        taken = _taken(given, target, None)
        await self._store.fetchval(*self._statement(replace(given, dedup=""), target, taken, None, answer))
        self._noted()
        return answer

    async def _write_taken(self, given: Given, target: _Target, agreement: AgreementRef | None) -> Taken | None:
        """Writes a command, what it admits, and the event; None where the same command is there already."""
        command = given.command
        if not isinstance(command, StartSession | ReserveNow):
            taken = _taken(given, target, None)
            made = await self._store.fetchval(*self._statement(given, target, taken, None, None))
            return taken if made is not None else None
        reference = str(uuid.uuid4())
        taken = _taken(given, target, reference)
        try:
            async for attempt in self._store.attempts():
                with attempt:
                    async with self._store.transaction() as tx:
                        admission = self._admission(given, command, target, reference, agreement)
                        await self._write_admitted(tx, given, target, taken, admission)
        except _WrittenBefore:
            return None
        return taken

    async def _write_admitted(
        self, tx: Transaction, given: Given, target: _Target, taken: Taken, admission: Admission
    ) -> None:
        [number] = await record(tx, [admission])
        if await tx.fetchval(*self._statement(given, target, taken, number, None)) is None:
            raise _WrittenBefore

    def _statement(
        self, given: Given, target: _Target, taken: Taken, admitted: int | None, refused: CommandAnswer | None
    ) -> tuple[str, *tuple[object, ...]]:
        """Gives the statement that writes a command and its event.

        Args:
            admitted: The number of the authorisation that it makes.
            refused: What was said at once.
        """
        command, charge, spot = given.command, target.charge, target.spot
        event = EventType.COMMAND_RECEIVED if refused is None else EventType.COMMAND_ANSWERED
        told: dict[str, Any] = {"id": taken.id, "kind": taken.kind, **taken.question}
        told |= {"deadline": _stamp(taken.deadline)} if refused is None else _shown(refused)
        reserved = None
        if isinstance(command, ReserveNow) and admitted is not None:
            reserved = reservation_key(emsp_of(command), command.reservation)
        return (
            SQL["insert"],
            taken.id,
            given.connection.id,
            taken.kind,
            taken.party.normal,
            json.dumps(taken.question["command"]),
            given.dedup or None,
            charge.session_no if charge is not None else None,
            charge.no if charge is not None else admitted,
            spot.reserved_no if spot is not None and admitted is not None else None,
            given.reply_json,
            refused.result.value if refused is not None else None,
            refused.model_dump_json(exclude_none=True) if refused is not None else None,
            self._now(),
            taken.deadline,
            reserved,
            event.value,
            json.dumps(told),
        )

    def _admission(
        self,
        given: Given,
        command: StartSession | ReserveNow,
        target: _Target,
        reference: str,
        agreement: AgreementRef | None,
    ) -> Admission:
        now = self._now()
        return Admission(
            id=reference,
            origin=Origin.RESERVE if isinstance(command, ReserveNow) else Origin.START,
            party=target.party,
            location_id=target.place["location_id"],
            evse_uid=target.place["evse_uid"],
            connector_id=target.place.get("connector_id"),
            identification=command.leg.identification,
            at=now,
            connection_id=given.connection.id,
            agreement=agreement,
            auth_method=AuthMethod.COMMAND,
            # Who asks stands in the leg, too, where only the command names them.
            leg=command.leg.model_copy(update={"emsp": emsp_of(command)}),
            expires=command.expires if isinstance(command, ReserveNow) else now + STARTABLE,
        )


def _taken(given: Given, target: _Target, reference: str | None) -> Taken:
    """Makes a command's question: where, what about, and the command as it came."""
    command, charge, spot = given.command, target.charge, target.spot
    question: dict[str, Any] = {
        "connection": given.connection.name,
        "place": target.place,
        "command": _shown(command),
        "reference": charge.id if charge is not None else reference,
        "session_id": charge.session_id if charge is not None else None,
        "reservation": spot.reserved if spot is not None and reference is not None else None,
    }
    return Taken(
        uuid.uuid4().hex, command.kind, target.party, given.deadline, _said(question), given.reply_to is not None
    )


def _barred(connection: Connection, command: Command, now: datetime) -> CommandAnswer | None:
    """Says why a command is not even looked at; None where it is."""
    text = None
    if connection.mode is not Mode.LIVE:
        text = "The connection is not live"
    elif connection.state is State.PAUSED and isinstance(command, StartSession | ReserveNow):
        # What ends a charge or lets a car go is carried out all the same: its driver cannot help the pause.
        text = "The connection is paused"
    elif isinstance(command, ReserveNow) and command.expires <= now:
        text = "The reservation would have ended already"
    return None if text is None else CommandAnswer(result=CommandResult.REJECTED, text=text)


def _unknown(result: CommandResult) -> CommandAnswer:
    return CommandAnswer(result=result, text=_UNKNOWN[result])


def _shown(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json", exclude_none=True)


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _of_place(place: Place, at: EvseRef) -> Mapping[str, Any]:
    [evse] = place.location.evses
    return _said(
        {
            "location_id": place.location.id,
            "evse_uid": place.evse_uid,
            "evse_id": str(evse.evse_id) if evse.evse_id is not None else None,
            "connector_id": place.connector(at.connector_id),
        }
    )
