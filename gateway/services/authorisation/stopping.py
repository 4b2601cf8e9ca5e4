"""Whether a driver may stop a session at the station with what they hold up."""

import asyncio
from collections.abc import Callable, Iterable

from adapters.core.charging import Allowed, Denial, Denied, Question
from adapters.core.connection import Mode, State
from gateway.outbox.projecting import Link
from gateway.services.authorisation.admitting import uid_key
from gateway.services.authorisation.recording import SQL
from gateway.services.authorisation.whitelist import is_of
from gateway.services.charge.drivers import same_driver
from gateway.services.charge.evses import read_place
from gateway.services.links import Links
from gateway.services.ports import NotFound, Parties
from gateway.services.ports.authorising import Detail, StopAnswer
from gateway.store.pool import Record, Store
from mappings.canonical.cdrs import CdrLocation
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Identification, Pin, Token

_NO = StopAnswer(False, Denial.OTHER_MEDIUM)


class Stopping:
    """Judges stops: by what started the session, by its group, by what its hub named; else its hub is asked.

    Args:
        counted: Told of every answer with the hub that was asked, "" where nobody needed to be.
    """

    def __init__(self, store: Store, links: Links, counted: Callable[[str, Denial | None], None]) -> None:
        self._store = store
        self._links = links
        self._counted = counted

    async def authorise(
        self, id_: str, identification: Identification, pin: Pin | None, parties: Parties
    ) -> StopAnswer:
        """See `ports.Authorisation.authorise_stop`."""
        uid, contract = identification.uid, identification.contract_id
        row = await self._store.fetchrow(
            SQL["to_stop"],
            id_,
            uid_key(uid) if uid is not None else None,
            contract.normal if contract is not None else None,
        )
        if row is None or (parties is not None and PartyId(row["party"]) not in parties):
            raise NotFound(f"there is no authorisation {id_}")
        if not row["allowed"] or row["ended"]:
            answer, hub = StopAnswer(False, Denial.UNKNOWN_SESSION), ""
        elif _may(row, identification):
            answer, hub = StopAnswer(True), ""
        elif (link := self._asked(row)) is not None:
            answer, hub = await _ask(link, row, identification, pin), link.connection.hub
        else:
            answer, hub = _NO, ""
        self._counted(hub, answer.reason)
        return answer

    def _asked(self, row: Record) -> Link | None:
        """Gives the connection whose hub let the session begin, if it can be asked."""
        link = self._links.get(row["connection_id"]) if row["connection_id"] is not None else None
        if link is None or (link.connection.mode, link.connection.state) != (Mode.LIVE, State.READY):
            return None
        return link


def _may(row: Record, identification: Identification) -> bool:
    """Tells whether a medium may stop a session, as far as that is known here."""
    leg = _leg(row)
    if leg is not None and same_driver(leg.identification, identification):
        return True
    # As the driver was known when they tapped, where the hub names them otherwise.
    uid, contract = identification.uid, identification.contract_id
    if uid is not None and uid_key(uid) == row["identity"]:
        return True
    if contract is not None and contract.normal in (row["identity"], row["contract_key"]):
        return True
    detail = Detail.model_validate_json(row["detail"])
    if any(same_driver(other, identification) for other in detail.stop_with):
        return True
    if detail.group_id is None:
        return False
    # A group is of one EMSP (OCPI 2.2.1, Token.group_id).
    tokens = [token for token in _tokens(row["tokens"]) if is_of(token, identification) and token.valid]
    emsp = leg.emsp if leg is not None else None
    return any(token.group_id == detail.group_id and emsp in (None, token.party) for token in tokens)


async def _ask(link: Link, row: Record, identification: Identification, pin: Pin | None) -> StopAnswer:
    leg = _leg(row)
    if leg is None:
        return _NO
    question = Question(
        id=row["id"], party=PartyId(row["party"]), place=_place(row), identification=identification, pin=pin
    )
    name = link.connection.name
    try:
        async with asyncio.timeout(link.adapter.charging.answer_within.total_seconds()):
            answer = await link.adapter.authorise_stop(question, leg)
    except TimeoutError:
        return StopAnswer(False, Denial.NO_ANSWER, name)
    match answer:
        case Allowed(info=info):
            return StopAnswer(True, None, name, info)
        case Denied(reason=reason):
            return StopAnswer(False, reason, name)
        case _:
            return StopAnswer(False, Denial.NO_ANSWER, name)


def _leg(row: Record) -> Leg | None:
    return Leg.model_validate_json(row["leg"]) if row["leg"] is not None else None


def _tokens(bodies: Iterable[str]) -> Iterable[Token]:
    return map(Token.model_validate_json, bodies)


def _place(row: Record) -> CdrLocation:
    """Gives where the session runs, as it was taken when it began; else as the location is now."""
    if row["place"] is not None:
        session_place: CdrLocation = CdrLocation.model_validate_json(row["place"])
        return session_place
    place = read_place(row["body"], row["evse_uid"])
    return place.picture(place.connector(row["connector_id"]))
