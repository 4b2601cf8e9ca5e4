"""What each connection is told of a session or a CDR."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.core.charging import Message
from adapters.core.connection import Mode, Scope
from gateway.outbox.projecting import Link
from mappings.canonical.cdrs import Cdr, CdrLocation
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Session


@dataclass(frozen=True, slots=True)
class Roaming:
    """Over which connection a charge roams, and what its hub calls it."""

    connection_id: int
    leg: Leg


def carries(scope: Scope, party: PartyId, place: CdrLocation) -> bool:
    """Tells whether a connection's scope holds the EVSE of a charge."""
    return (
        scope.has_party(party)
        and (not scope.locations or f"{party}/{place.id}" in scope.locations)
        and (not scope.evses or place.evse_id in scope.evses)
    )


def of_session(
    links: Sequence[Link],
    session: Session,
    place: CdrLocation,
    roaming: Roaming | None,
    told: Mapping[int, Mapping[str, datetime]],
) -> list[tuple[Link, list[Message]]]:
    """Gives what each connection shall be told of a session, those that are only shown included.

    Args:
        told: What each connection was told before, by its number.
    """
    messages: list[tuple[Link, list[Message]]] = []
    for link in links:
        number = link.connection.id
        leg = roaming.leg if roaming is not None and roaming.connection_id == number else None
        if _hears(link, session.party, place, leg):
            messages.append((link, link.adapter.of_session(session, place, leg, told.get(number, {}))))
    return [(link, those) for link, those in messages if those]


def of_cdr(
    links: Sequence[Link], cdr: Cdr, place: CdrLocation, roaming: Roaming | None
) -> list[tuple[Link, list[Message]]]:
    """Gives what each connection shall be told of a CDR.

    The hub that authorised is told whatever has become of the connection's scope and mode meanwhile: a charge that it
    let begin is paid by it. What cannot be sent now waits.
    """
    messages: list[tuple[Link, list[Message]]] = []
    for link in links:
        leg = roaming.leg if roaming is not None and roaming.connection_id == link.connection.id else None
        if leg is not None or _hears(link, cdr.party, place, None):
            messages.append((link, link.adapter.of_cdr(cdr, leg)))
    return [(link, those) for link, those in messages if those]


def _hears(link: Link, party: PartyId, place: CdrLocation, leg: Leg | None) -> bool:
    if link.connection.mode is Mode.OFF:
        return False
    return leg is not None or carries(link.connection.scope, party, place)
