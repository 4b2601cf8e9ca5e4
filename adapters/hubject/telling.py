"""What Hubject is told of a charge, and when: charging notifications and the CDR. Pure."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from adapters.core.adapter import Call
from adapters.core.charging import Message, Told
from adapters.hubject.products import product_id
from adapters.hubject.settings import CDRS, NOTIFICATIONS, Settings
from mappings.canonical.cdrs import Cdr, CdrLocation
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Session
from mappings.oicp.v2_3 import cdrs, sessions
from mappings.oicp.v2_3.vocabulary import NotificationType
from mappings.report import Issue

CDR_KIND: Final = "ChargeDetailRecord"


def of_session(session: Session, place: CdrLocation, leg: Leg | None, told: Told, settings: Settings) -> list[Message]:
    """Says which notifications are due; see `adapters.core.charging.ChargingAdapter.of_session`.

    OICP 2.3, eRoamingChargingNotifications: Start and End tell when energy flows and when it no longer does, not when
    the session begins and ends. A session that ends without any charge has an End too, since its EMP would take it for
    a running one (integration guide, End). Start and End are told once, an error when it is a later one than was told.
    """
    if leg is None or leg.hub_session is None:
        return []
    return [
        Message(
            operation=NOTIFICATIONS,
            kind=kind.value,
            # Not the CDR's lane: that one waits for nothing, and a notification that is refused or tried for an hour
            # changes nothing about what is owed.
            lane=f"notifications/{leg.hub_session}",
            key=session.id,
            party=session.party,
            session=session,
            place=place,
            leg=leg,
        )
        for kind in _due(session, told, settings)
    ]


def _due(session: Session, told: Told, settings: Settings) -> Iterator[NotificationType]:
    wanted, ended = settings.notifications, NotificationType.END in told
    began = session.charging_start is not None and not ended
    if began and NotificationType.START in wanted - told.keys():
        yield NotificationType.START
    elif began and NotificationType.PROGRESS in wanted and _progressed(session, told, settings):
        yield NotificationType.PROGRESS
    if NotificationType.ERROR in wanted and _failed_anew(session, told):
        yield NotificationType.ERROR
    if not ended and NotificationType.END in wanted and _over(session):
        yield NotificationType.END


def _over(session: Session) -> bool:
    return session.charging_end is not None or session.end is not None


def _progressed(session: Session, told: Told, settings: Settings) -> bool:
    """Whether what was told last of a running charge lies far enough back, by the session's own time."""
    if session.charging_start is None or _over(session):
        return False
    before = [told[kind] for kind in (NotificationType.START, NotificationType.PROGRESS) if kind in told]
    least = timedelta(minutes=settings.progress_minutes)
    return session.last_updated - max(before, default=session.charging_start) >= least


def _failed_anew(session: Session, told: Told) -> bool:
    before = told.get(NotificationType.ERROR)
    return session.error is not None and (before is None or session.error.at > before)


def of_cdr(cdr: Cdr, leg: Leg | None) -> list[Message]:
    """Says that the CDR is due, of a charge that Hubject knows; a credit cannot be said to it.

    See `adapters.core.charging.ChargingAdapter.of_cdr`.
    """
    if leg is None or leg.hub_session is None or cdr.credit:
        return []
    return [
        Message(
            operation=CDRS,
            kind=CDR_KIND,
            lane=f"cdr/{leg.hub_session}",
            key=cdr.id,
            party=cdr.party,
            cdr=cdr,
            leg=leg,
        )
    ]


def _with_product(cdr: Cdr, leg: Leg, settings: Settings) -> Cdr:
    """Names the product that was pushed of the one tariff that a CDR names, where nobody named another."""
    if settings.pricing is None or cdr.product or leg.product:
        return cdr
    named = {tariff.id for tariff in cdr.tariffs} | {one.tariff_id for one in cdr.periods if one.tariff_id is not None}
    if len(named) != 1:
        return cdr
    return cdr.model_copy(update={"product": product_id(settings, cdr.party, named.pop())})


def render(message: Message, settings: Settings) -> tuple[Call, list[Issue]]:
    """Writes a message as a request.

    Raises:
        Refused: It cannot be said in OICP.
    """
    leg = message.leg
    if leg is not None and message.cdr is not None:
        body, issues = cdrs.from_canonical(_with_product(message.cdr, leg, settings), leg)
        return Call(CDRS, message.kind, settings.cdr_path, body, ()), issues
    if leg is not None and message.session is not None and message.place is not None:
        kind = NotificationType(message.kind)
        body, issues = sessions.from_canonical(kind, message.session, message.place, leg, settings.operator_id)
        return Call(NOTIFICATIONS, message.kind, settings.notification_path, body, ()), issues
    raise ValueError(f"{message.operation} {message.kind} is no message to Hubject")
