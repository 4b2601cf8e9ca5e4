"""A charge of a driver of ours, in as far as a session, a piece of news and a CDR tell alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from adapters.core.connection import Connection
from gateway.services.authorisation.admitting import RefKind, references
from gateway.services.charge.drivers import keys_of
from gateway.services.drivers.permits import Ref
from gateway.services.stamps import AHEAD
from mappings.canonical.cdrs import Cdr
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import AuthMethod, Session, SessionNews, SessionStatus
from mappings.canonical.tokens import Identification


@dataclass(frozen=True, slots=True)
class Charge:
    """What was told of a charge.

    Attributes:
        session_ids: By which its session may be told; none where a CDR names no session.
        refs: Every id by which it may be found, and whose.
        location_id, evse_uid: The EVSE by its key at the CPO; None where only the public id is told.
        evse_id: The public id.
        end: When it was over, or was last told of.
        known_by: When it was surely known, since it may begin before the driver is admitted.
        energy: kWh so far.
        method: How the driver was admitted; None where nobody tells.
        reserves: The driver has not come yet.
        ahead: Which of its moments lie ahead of the clock.
    """

    connection: Connection
    cpo: PartyId
    session_ids: Sequence[str]
    identification: Identification
    emsp: PartyId | None
    refs: Sequence[Ref]
    location_id: str | None
    evse_uid: str | None
    evse_id: EvseId | None
    start: datetime
    end: datetime
    known_by: datetime
    energy: Decimal | None
    method: AuthMethod | None
    reserves: bool = False
    ahead: Sequence[str] = ()

    @property
    def session_keys(self) -> list[str]:
        """The ids of its session in the form in which they are compared."""
        return sorted({key_of(one) for one in self.session_ids})

    @property
    def driver_keys(self) -> list[str]:
        """The normal forms of what the driver identifies with."""
        return [key for key in keys_of(self.identification) if key is not None]

    @property
    def lasted(self) -> timedelta:
        """From the start to the end, or the latest moment."""
        return self.end - self.start


def key_of(id_: str) -> str:
    """Gives the form in which ids of sessions and CDRs are compared: OCPI's are case-insensitive strings."""
    return id_.upper()


def of_session(connection: Connection, session: Session, now: datetime) -> Charge:
    """Takes the charge that a session tells of, as it is known now."""
    refs = [(RefKind.HUB, session.id)]
    if session.reference is not None:
        refs += [(RefKind.REFERENCE, session.reference), (RefKind.EMSP, session.reference)]
    return Charge(
        connection=connection,
        cpo=session.party,
        session_ids=(session.id,),
        identification=session.identification,
        emsp=session.identification.party,
        refs=_spelled(refs),
        location_id=session.location_id,
        evse_uid=session.evse_uid,
        evse_id=None,
        start=session.start,
        end=session.end or max(session.last_updated, session.start),
        known_by=max(session.start, session.last_updated),
        energy=session.energy,
        method=session.auth_method,
        reserves=session.status is SessionStatus.RESERVATION,
        ahead=_ahead(session, ("start", "end", "last_updated"), now),
    )


def of_news(connection: Connection, news: SessionNews, session_id: str, now: datetime) -> Charge:
    """Takes the charge that pieces of news tell of."""
    start = news.start or news.charging_start or news.at
    return Charge(
        connection=connection,
        cpo=news.cpo,
        session_ids=(session_id,),
        identification=news.leg.identification,
        emsp=news.leg.emsp or news.leg.identification.party,
        refs=_spelled(references(news.leg)),
        location_id=None,
        evse_uid=None,
        evse_id=news.evse_id,
        start=start,
        end=news.end or max(news.at, start),
        known_by=max(start, news.at),
        energy=news.energy,
        method=None,
        reserves=news.status is SessionStatus.RESERVATION,
        ahead=_ahead(news, ("start", "end"), now),
    )


def of_cdr(connection: Connection, cdr: Cdr, leg: Leg | None, now: datetime) -> Charge:
    """Takes the charge that a CDR bills."""
    refs = [*(references(leg) if leg is not None else ())]
    if cdr.session_id is not None:
        refs.append((RefKind.HUB, cdr.session_id))
    if cdr.reference is not None:
        refs += [(RefKind.REFERENCE, cdr.reference), (RefKind.EMSP, cdr.reference)]
    return Charge(
        connection=connection,
        cpo=cdr.party,
        session_ids=[one for one in (cdr.session_id, *_sessions(leg)) if one is not None],
        identification=cdr.identification,
        emsp=(leg.emsp if leg is not None else None) or cdr.identification.party,
        refs=_spelled(refs),
        location_id=cdr.location.id,
        evse_uid=cdr.location.evse_uid,
        evse_id=cdr.location.evse_id,
        start=cdr.start,
        end=cdr.end,
        known_by=cdr.start,
        energy=cdr.energy,
        method=_method(cdr, leg),
        ahead=_ahead(cdr, ("start", "end"), now),
    )


def named(leg: Leg, news: SessionNews) -> str:
    """Gives the id by which a session is told that has none of its own: the hub's, else whosever there is."""
    return next((value for _, value in _first_hub(leg)), f"{news.evse_id.normal}/{(news.start or news.at).isoformat()}")


def _method(cdr: Cdr, leg: Leg | None) -> AuthMethod | None:
    """Gives how the driver was admitted; None where a hub names the session and says nothing of that.

    Such a hub lets drivers in by a list of ours, which nobody can tell from a question. A start from afar it tells.
    """
    hearsay = leg is not None and leg.hub_session is not None and cdr.auth_method is AuthMethod.AUTH_REQUEST
    return None if hearsay else cdr.auth_method


def _sessions(leg: Leg | None) -> Sequence[str | None]:
    return () if leg is None else (leg.hub_session, leg.own_session)


def _first_hub(leg: Leg) -> list[Ref]:
    return sorted(references(leg), key=lambda ref: ref[0] is not RefKind.HUB)


def _spelled(refs: Iterable[Ref]) -> list[Ref]:
    """Adds the ways in which hubs spell one id: some turn its letters into capitals, some into small ones."""
    return list(dict.fromkeys((kind, each) for kind, value in refs for each in (value, value.upper(), value.lower())))


def _ahead(told: object, fields: Sequence[str], now: datetime) -> list[str]:
    moments = ((name, getattr(told, name)) for name in fields)
    return [name for name, at in moments if at is not None and at > now + AHEAD]
