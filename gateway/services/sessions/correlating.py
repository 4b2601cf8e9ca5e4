"""Which authorisation a session belongs to. Pure: what is stored is handed in, and what is decided is given back.

Hubs replace ids, and backends lose them. A reference that survived decides; else the driver, the EVSE and the time do,
where they leave one authorisation. Several, or what contradicts itself, waits for a person: a session told under
another driver's authorisation is billed to that driver.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from gateway.services.charge.drivers import keys_of, same_driver
from gateway.services.stamps import AHEAD
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import AuthMethod, Session, SessionStatus
from mappings.canonical.tokens import Identification

LASTS: Final = timedelta(hours=1)
"""How long after an authorisation without an end of its own a session may begin that is found by driver and EVSE."""

_ASKED: Final = frozenset({AuthMethod.AUTH_REQUEST, AuthMethod.COMMAND})
"""Methods that say that somebody beside the CPO was asked."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An authorisation, as far as it matters here.

    Attributes:
        connection_id: Over which it roams; None for the CPO's own driver.
        identity, contract_key: The driver; as stored.
        reserves: It was for a reservation.
        expires: Until when it can be used; None where nobody said.
        session_no: The session that it serves already.
        silent: A command that made it timed out: nobody heard whether it was carried out. Only what the backend says of
            it since tells.
    """

    no: int
    id: str
    location_id: str
    evse_uid: str
    identity: str
    contract_key: str | None
    connection_id: int | None
    allowed: bool
    leg: Leg | None
    at: datetime
    expires: datetime | None
    session_no: int | None
    reserves: bool = False
    silent: bool = False

    @property
    def may_serve(self) -> bool:
        """Whether what names it may be under it."""
        return self.allowed or self.silent


@dataclass(frozen=True, slots=True)
class Found:
    """The session belongs to an authorisation."""

    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Own:
    """Nobody beside the CPO admitted the driver: the session does not roam."""


@dataclass(frozen=True, slots=True)
class Review:
    """A person has to say what it belongs to; nobody is told till then."""

    why: str


Verdict: TypeAlias = Found | Own | Review


def correlate(
    session: Session, session_no: int | None, named: Sequence[Candidate], nearby: Sequence[Candidate]
) -> Verdict:
    """Decides which authorisation a session belongs to.

    Args:
        session_no: Its number, if it is stored already.
        named: The authorisations of the party that the session's reference leads to.
        nearby: Those of the party at the session's EVSE.
    """
    if named:
        return _of_reference(session, session_no, named)
    fitting = _meant(session, [one for one in nearby if _fits(one, session, session_no)])
    if len(fitting) == 1:
        return Found(fitting[0])
    unknown = "its reference is not known, and " if session.reference is not None else ""
    if fitting:
        return Review(f"{unknown}{len(fitting)} authorisations fit its driver, EVSE and time")
    if session.auth_method in _ASKED:
        return Review(f"{unknown}its auth_method is {session.auth_method}, but no authorisation fits it")
    return Own()


def _meant(session: Session, fitting: Sequence[Candidate]) -> Sequence[Candidate]:
    """Leaves those that the session can be about: a driver who reserved and then starts is admitted once for each."""
    if session.status is SessionStatus.RESERVATION:
        return [one for one in fitting if one.reserves]
    return [one for one in fitting if not one.reserves] or fitting


def _of_reference(session: Session, session_no: int | None, named: Sequence[Candidate]) -> Verdict:
    if len(named) > 1:
        return Review(f"its reference leads to {len(named)} authorisations")
    [one] = named
    faults = (
        # The backend has the reference of the command: where it tells of a session, it carried that out.
        (not one.may_serve, "the authorisation that it refers to was denied"),
        (_taken(one, session_no), "the authorisation that it refers to serves another session"),
        # A terminal may serve several EVSEs of its location, but none elsewhere.
        (one.location_id != session.location_id, "the authorisation that it refers to is for another location"),
        (is_driver(one, session.identification) is False, "the authorisation that it refers to is another driver's"),
    )
    return next((Review(why) for wrong, why in faults if wrong), Found(one))


def _fits(one: Candidate, session: Session, session_no: int | None) -> bool:
    until = one.expires if one.expires is not None else one.at + LASTS
    # The plug may be in, and the session begun, before the driver is admitted.
    known_by = max(session.start, session.last_updated) + AHEAD
    return (
        one.allowed
        and not _taken(one, session_no)
        and (one.location_id, one.evse_uid) == (session.location_id, session.evse_uid)
        and one.at <= known_by
        and session.start <= until + AHEAD
        and is_driver(one, session.identification) is True
    )


def _taken(one: Candidate, session_no: int | None) -> bool:
    return one.session_no is not None and one.session_no != session_no


def is_driver(one: Candidate, identification: Identification) -> bool | None:
    """Tells whether an authorisation is for a driver; None where nothing that is known of both can be compared."""
    if one.leg is not None and (same := same_driver(one.leg.identification, identification)) is not None:
        return same
    # `identity` is the uid, or the contract where there was no uid.
    uid = one.identity if one.identity != one.contract_key else None
    told = [
        first == second
        for first, second in zip((uid, one.contract_key), keys_of(identification), strict=True)
        if first and second
    ]
    return any(told) if told else None
