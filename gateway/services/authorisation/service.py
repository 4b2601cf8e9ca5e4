"""Who may charge at an own station: the token list first, then the hubs, within the time that a driver waits."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Final, Protocol

import asyncpg
import structlog

from adapters.core.charging import Allowed, Denial, Denied, Question
from adapters.core.connection import State
from gateway.agreements.disagreeing import Witness
from gateway.agreements.policy import Request
from gateway.agreements.repository import Agreements
from gateway.services.authorisation.admitting import Admission, Detail, Origin, identity, uid_key
from gateway.services.authorisation.asking import Asking, Inquiry, ask, follow
from gateway.services.authorisation.recording import SQL, Recording, with_asked
from gateway.services.authorisation.standing import (
    Known,
    Standing,
    accepted,
    emsp_of,
    in_order,
    is_refused,
    read_known,
    serving,
)
from gateway.services.authorisation.stopping import Stopping
from gateway.services.authorisation.views import view_of, view_of_row
from gateway.services.authorisation.whitelist import Word
from gateway.services.charge.evses import Place, read_place
from gateway.services.cursors import LAST, encode, number_of
from gateway.services.links import Links
from gateway.services.ports import Conflict, NotFound, Page, Parties
from gateway.services.ports.authorising import AuthorisationFilter, AuthorisationView, StopAnswer, Tap
from gateway.store.pool import Record, Store
from mappings.canonical.agreements import Service
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import AuthMethod
from mappings.canonical.tokens import Identification, Pin

_log = structlog.get_logger(__name__)

_NAMESPACE: Final = uuid.UUID("3c1f7a54-5e0c-4b7e-9a3d-6d1f0c6f2b11")
"""Ours, by which the id of a request becomes that of its authorisation: the same request has the same one."""

_PATIENCE: Final = 5.0
"""Seconds that late answers are waited for when the gateway stops."""


class Figures(Protocol):
    """What is counted."""

    def authorised(self, hub: str, reason: Denial | None, seconds: float) -> None:
        """Counts an authorisation; without a reason it was a yes. `hub`: whose yes it is, "" for a no."""

    def asked(self, hub: str, connection: str, answer: str, seconds: float) -> None:
        """Notes how long a hub took to answer for a driver."""

    def late_yes(self, hub: str, connection: str, *, released: bool) -> None:
        """Counts a yes that came too late."""

    def stop_authorised(self, hub: str, reason: Denial | None) -> None:
        """Counts a stop that was asked for."""


class Authorisation:
    """Implements `ports.Authorisation`.

    Args:
        wake: Called after a commit that left an event to tell.
        clock: Gives the present, aware.
        next_after: How long one hub is waited for before the next is asked too.
    """

    def __init__(
        self,
        store: Store,
        links: Links,
        agreements: Agreements,
        witness: Witness,
        figures: Figures,
        wake: Callable[[], None],
        clock: Callable[[], datetime],
        next_after: timedelta,
    ) -> None:
        self._store = store
        self._links = links
        self._agreements = agreements
        self._witness = witness
        self._figures = figures
        self._clock = clock
        self._next_after = next_after
        self._stopping = Stopping(store, links, figures.stop_authorised)
        self._recording = Recording(store, wake)
        self._running: dict[str, tuple[Tap, asyncio.Task[AuthorisationView]]] = {}
        self._following: set[asyncio.Task[None]] = set()

    async def authorise(self, tap: Tap) -> AuthorisationView:
        """See `ports.Authorisation.authorise`."""
        id_ = _id_of(tap)
        running = self._running.get(id_)
        if running is None:
            # Its own task, so that what a hub says is kept also when whoever asked for it hangs up.
            task = asyncio.get_running_loop().create_task(self._authorise(id_, tap, monotonic()))
            self._running[id_] = tap, task
            task.add_done_callback(lambda done: self._ended(id_, done))
        elif running[0] == tap:
            task = running[1]
        else:
            raise _used_before()
        return await asyncio.shield(task)

    async def authorise_stop(
        self, id_: str, identification: Identification, pin: Pin | None, parties: Parties
    ) -> StopAnswer:
        """See `ports.Authorisation.authorise_stop`."""
        return await self._stopping.authorise(id_, identification, pin, parties)

    async def get(self, id_: str, parties: Parties) -> AuthorisationView:
        """See `ports.Authorisation.get`."""
        row = await self._store.fetchrow(SQL["one"], id_)
        if row is None or (parties is not None and PartyId(row["party"]) not in parties):
            raise NotFound(f"there is no authorisation {id_}")
        return view_of_row(row)

    async def list(self, wanted: AuthorisationFilter, after: str | None, limit: int) -> Page[AuthorisationView]:
        """See `ports.Authorisation.list`."""
        start = number_of(after, LAST)
        rows = await self._store.fetch(
            SQL["page"],
            None if wanted.parties is None else [party.normal for party in wanted.parties],
            wanted.allowed,
            start,
            limit,
            wanted.location,
            wanted.evse,
            wanted.since,
            wanted.connection,
        )
        return Page([view_of_row(row) for row in rows], encode(str(rows[-1]["no"])) if len(rows) == limit else None)

    async def close(self) -> None:
        """Waits for those who are being answered, and for a while for hubs that are late."""
        await asyncio.gather(*(task for _, task in self._running.values()), return_exceptions=True)
        if self._following:
            _, late = await asyncio.wait(self._following, timeout=_PATIENCE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._recording.close()

    def _ended(self, id_: str, task: asyncio.Task[AuthorisationView]) -> None:
        self._running.pop(id_, None)
        if not task.cancelled():
            task.exception()  # whoever waits for it gets it; nobody may

    async def _authorise(self, id_: str, tap: Tap, started: float) -> AuthorisationView:
        at = self._clock()
        row = await self._prepare(id_, tap)
        if row["body"] is None:
            raise NotFound("the party has no such EVSE", "evse_uid" if tap.evse_id is None else "evse_id")
        place = read_place(row["body"], row["uid"])
        if row["again"]:
            return await self._again(id_, tap, place)
        standings = await self._standings(tap, place, row)
        admission = Admission(
            id=id_,
            origin=Origin.TAP,
            party=tap.party,
            location_id=place.location.id,
            evse_uid=place.evse_uid,
            connector_id=tap.connector_id,
            identification=tap.identification,
            at=at,
            allowed=False,
        )
        if (local := accepted(standings, Word.ACCEPT)) is not None:
            return await self._answer(self._listed(admission, local), Asking(), standings, started)
        if is_refused(standings):
            refused = replace(admission, reason=Denial.BLOCKED, detail=Detail(local=True))
            return await self._answer(refused, Asking(), standings, started)
        return await self._ask(admission, tap, place, standings, started)

    async def _prepare(self, id_: str, tap: Tap) -> Record:
        uid, contract, emsp = tap.identification.uid, tap.identification.contract_id, emsp_of(tap.identification)
        row = await self._store.fetchrow(
            SQL["prepare"],
            tap.party.normal,
            tap.location_id,
            tap.evse_uid,
            tap.evse_id.normal if tap.evse_id is not None else None,
            uid_key(uid) if uid is not None else None,
            contract.normal if contract is not None else None,
            emsp.normal if emsp is not None else None,
            id_,
        )
        assert row is not None  # noqa: S101 - the statement always gives one
        return row

    async def _again(self, id_: str, tap: Tap, place: Place) -> AuthorisationView:
        row = await self._store.fetchrow(SQL["one"], id_)
        assert row is not None  # noqa: S101 - authorisations are kept
        asked = place.location.id, place.evse_uid, identity(tap.identification)
        if (row["location_id"], row["evse_uid"], row["identity"]) != asked:
            raise _used_before()
        return view_of_row(row)

    async def _standings(self, tap: Tap, place: Place, row: Record) -> Sequence[Standing]:
        links = serving(self._links.all(), place)
        emsp = emsp_of(tap.identification)
        request = Request(Service.AUTHORISE, tap.party, emsp, place.evse_key)
        candidates = await self._agreements.candidates([link.connection for link in links.values()], request)
        known: list[Known] = []
        told = zip(row["connections"] or (), row["listed"] or (), row["tokens"] or (), strict=True)
        for number, listed, body in told:
            one = read_known(number, listed, body, tap.identification)
            if one is not None:
                # Whose card it is may be known by its token alone.
                asked = replace(request, emsp=one.token.party)
                decision = await self._agreements.decide(one.connection_id, asked)
                if decision.allowed:
                    known.append(replace(one, agreement=decision.ref))
                elif not self._agreements.binds(one.connection_id):  # that the hub told of the token is its yes
                    known.append(replace(one, disagrees=decision.reason))
        return in_order(candidates, links, emsp, known, row["learned"])

    async def _ask(
        self, admission: Admission, tap: Tap, place: Place, standings: Sequence[Standing], started: float
    ) -> AuthorisationView:
        question = Question(
            id=admission.id,
            party=tap.party,
            place=place.picture(place.connector(tap.connector_id)),
            identification=tap.identification,
            pin=tap.pin,
            product=tap.product,
        )
        ready = [one.candidate for one in standings if one.candidate.connection.state is State.READY]
        asking = await ask(ready, question, started=started, next_after=self._next_after, answered=self._count)
        try:
            admission = await self._decided(admission, asking, standings, place)
            return await self._answer(admission, asking, standings, started)
        except BaseException:
            asking.give_up()
            raise
        finally:
            if asking.outstanding:
                task = asyncio.get_running_loop().create_task(self._settle(admission, asking, question, started))
                self._following.add(task)
                task.add_done_callback(self._following.discard)

    async def _decided(
        self, admission: Admission, asking: Asking, standings: Sequence[Standing], place: Place
    ) -> Admission:
        """Gives the authorisation that the hubs' answers come to."""
        await self._note_missing_contracts(admission, asking, place)
        if asking.won is not None:
            granted = await self._granted(admission, asking.won, place)
            if not granted.allowed:  # the hub shall not wait for a charge that does not begin
                asking.give_up()
            return granted
        if (reason := asking.denial()) is not None:
            return replace(admission, reason=reason)
        # Nobody was reached who means yes or no.
        if (local := accepted(standings, Word.OFFLINE)) is not None:
            return self._listed(admission, local)
        return replace(admission, reason=asking.silence())

    async def _note_missing_contracts(self, admission: Admission, asking: Asking, place: Place) -> None:
        """Notes where a hub found no contract with the EMSP that the medium names, and we have an agreement."""
        emsp = emsp_of(admission.identification)
        if emsp is None:
            return
        request = Request(Service.AUTHORISE, admission.party, emsp, place.evse_key)
        for inquiry in asking.inquiries:
            answer, connection = inquiry.answer, inquiry.candidate.connection
            if self._agreements.binds(connection.id):  # nobody knows better than our record
                continue
            if isinstance(answer, Denied) and answer.reason is Denial.NO_CONTRACT:
                decision = await self._agreements.decide(connection.id, request)
                if decision.agreement is not None:
                    self._witness.said_no(connection, admission.party, emsp, f"{answer.code} {answer.text}".strip())

    async def _granted(self, admission: Admission, won: Inquiry, place: Place) -> Admission:
        yes, connection = won.answer, won.candidate.connection
        assert isinstance(yes, Allowed)  # noqa: S101 - what made it win
        emsp = yes.leg.emsp or (yes.token.party if yes.token else None) or emsp_of(admission.identification)
        request = Request(Service.AUTHORISE, admission.party, emsp, place.evse_key)
        decision = await self._agreements.decide(connection.id, request)
        if not decision.allowed and self._agreements.binds(connection.id):
            return replace(admission, reason=Denial.NO_CONTRACT)
        if not decision.allowed:
            # The hub is the authority on its own contracts: the driver charges, and somebody looks at our record.
            self._witness.said_yes(connection, admission.party, emsp, decision.reason)
        return replace(
            admission,
            allowed=True,
            connection_id=connection.id,
            agreement=decision.ref,
            auth_method=AuthMethod.AUTH_REQUEST,
            leg=yes.leg,
            detail=Detail(
                drift=not decision.allowed,
                group_id=yes.token.group_id if yes.token is not None else None,
                stop_with=yes.stop_with,
                info=yes.info,
            ),
        )

    def _listed(self, admission: Admission, known: Known) -> Admission:
        """Gives the yes that a token of the local list is."""
        link = self._links.get(known.connection_id)
        if known.disagrees is not None and link is not None:
            self._witness.said_yes(link.connection, admission.party, known.token.party, known.disagrees)
        return replace(
            admission,
            allowed=True,
            connection_id=known.connection_id,
            agreement=known.agreement,
            auth_method=AuthMethod.WHITELIST,
            leg=Leg(emsp=known.token.party, identification=known.token.identification),
            detail=Detail(local=True, group_id=known.token.group_id, drift=known.disagrees is not None),
        )

    async def _answer(
        self, admission: Admission, asking: Asking, standings: Sequence[Standing], started: float
    ) -> AuthorisationView:
        """Writes what was decided, and gives it once it is durable."""
        admission = replace(admission, detail=with_asked(admission, asking, monotonic() - started))
        link = self._links.get(admission.connection_id) if admission.connection_id is not None else None
        name, hub = (link.connection.name, link.connection.hub) if link is not None else (None, "")
        known = [one for standing in standings for one in standing.tokens]
        if not await self._recording.add(admission, name, asking, known):
            asking.give_up()  # another replica answered the same request meanwhile
            return await self.get(admission.id, None)
        asking.recorded = True
        self._figures.authorised(hub, admission.reason, monotonic() - started)
        return view_of(admission, name)

    def _count(self, inquiry: Inquiry) -> None:
        connection = inquiry.candidate.connection
        self._figures.asked(connection.hub, connection.name, inquiry.shown().answer, inquiry.took or 0.0)

    async def _settle(self, admission: Admission, asking: Asking, question: Question, started: float) -> None:
        """Sees to the answers that come after the driver's, and writes them down."""
        late = await follow(asking, question, started)
        for inquiry in late:
            connection = inquiry.candidate.connection
            self._figures.late_yes(connection.hub, connection.name, released=bool(inquiry.released))
        try:
            await self._recording.settle(admission, asking, late)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.warning("late answers not written", reason=type(error).__name__, count=len(late))


def _id_of(tap: Tap) -> str:
    if tap.request_id is None:
        return str(uuid.uuid4())
    return str(uuid.uuid5(_NAMESPACE, f"{tap.party.normal}/{tap.request_id}"))


def _used_before() -> Conflict:
    return Conflict("the same request_id was used for another driver or EVSE")
