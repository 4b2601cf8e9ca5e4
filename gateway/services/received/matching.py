"""Under which permit a charge that came home began, and whose driver it was. Pure.

What an id leads to counts; else driver, EVSE and time, where they leave one permit. A driver of whom nobody asked may
charge where their token is to be taken without asking. Nothing is guessed: all else waits for a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.services.drivers.permits import Candidate
from gateway.services.ports.permits import PermitOrigin
from gateway.services.ports.received import Doubt, Review
from gateway.services.received.charges import Charge
from gateway.services.received.knowing import Knowledge
from gateway.services.stamps import AHEAD
from mappings.canonical.ids import PartyId
from mappings.canonical.sessions import AuthMethod
from mappings.canonical.tokens import Whitelist


@dataclass(frozen=True, slots=True)
class Belonging:
    """What a charge belongs to.

    Attributes:
        permit: None where there is none, or it is not clear that it is this one.
        party: Our EMSP, in as far as it is known.
        takes: The charge begins under the permit, which serves no other session from now on.
    """

    permit: Candidate | None
    party: PartyId | None
    doubts: Sequence[Doubt]
    takes: bool = False


def belonging(charge: Charge, known: Knowledge, session_no: int | None) -> Belonging:
    """Decides what a charge belongs to.

    Args:
        session_no: The number of its session, where that is stored.
    """
    permits = _meant(charge, known.permits)
    if len(permits) > 1:
        how = "its ids lead to" if permits[0].named else "its driver, EVSE and time fit"
        doubt = Doubt(Review.AMBIGUOUS, "", f"{how} {len(permits)} permits")
        return Belonging(None, party_of(charge, known, permits), [doubt])
    if permits:
        return _under(permits[0], charge, session_no)
    return Belonging(None, party_of(charge, known, ()), _without(charge, known))


def _meant(charge: Charge, permits: Sequence[Candidate]) -> Sequence[Candidate]:
    """Leaves the permits that a charge can be about: a driver who reserved and then started has one for each.

    Of those that no id leads to and that differ in nothing but their moment, it is the last one before the charge: a
    driver whom an answer did not reach holds the card up again, and nothing follows from which of the two it was.
    """
    if len(permits) < 2:
        return permits
    wanted = [one for one in permits if (one.origin is PermitOrigin.RESERVE) == charge.reserves] or permits
    if any(one.named for one in wanted) or len({_of_whom(one) for one in wanted}) > 1:
        return wanted
    before = [one for one in wanted if one.at <= charge.start + AHEAD]
    return [max(before, key=_moment) if before else min(wanted, key=_moment)]


def _of_whom(permit: Candidate) -> tuple[object, ...]:
    whose = permit.party, permit.identity, permit.contract_key, permit.token_no
    return permit.origin, permit.cpo, permit.evse_key, *whose


def _moment(permit: Candidate) -> tuple[datetime, int]:
    return permit.at, permit.no


def _under(permit: Candidate, charge: Charge, session_no: int | None) -> Belonging:
    party = permit.party
    if permit.cpo is not None and permit.cpo != charge.cpo:
        said = f"the permit {permit.id} that it refers to is for a station of {permit.cpo}"
        return Belonging(None, party, [Doubt(Review.OTHER_PARTY, "party", said)])
    if permit.is_driver(charge.identification) is False:
        said = f"is another driver's than the permit {permit.id} that it refers to"
        return Belonging(None, party, [Doubt(Review.CONTRADICTS, "identification", said)])
    if not permit.allowed:
        return Belonging(permit, party, [Doubt(Review.DENIED, "", f"its permit {permit.id} was denied")])
    if permit.received_session_no not in {None, session_no}:
        said = f"its permit {permit.id} serves the received session {permit.received_session_no}"
        return Belonging(permit, party, [Doubt(Review.DUPLICATE, "", said)])
    return Belonging(permit, party, (), takes=True)


def _without(charge: Charge, known: Knowledge) -> list[Doubt]:
    """Gives why nobody let the driver charge; nothing where nobody had to."""
    if not known.tokens:
        return [Doubt(Review.UNKNOWN_DRIVER, "identification", "is no driver of ours")]
    if len({each.token.party for each in known.tokens}) > 1:
        return [Doubt(Review.AMBIGUOUS, "identification", "is a driver of several EMSPs")]
    if charge.method not in {None, AuthMethod.WHITELIST}:
        return [Doubt(Review.UNKNOWN_PERMIT, "auth_method", f"is {charge.method}, but no permit fits it")]
    if all(each.withdrawn or not each.token.valid for each in known.tokens):
        return [Doubt(Review.UNKNOWN_PERMIT, "identification", "is a token that is blocked, and no permit fits it")]
    if all(each.token.whitelist is Whitelist.NEVER for each in known.tokens):
        said = "is a token for which we are to be asked, and no permit fits it"
        return [Doubt(Review.UNKNOWN_PERMIT, "identification", said)]
    return []


def party_of(charge: Charge, known: Knowledge, permits: Sequence[Candidate]) -> PartyId | None:
    """Gives our EMSP; None where it is not known whose driver it is."""
    for found in ({one.party for one in permits}, {each.token.party for each in known.tokens}):
        if len(found) == 1:
            return next(iter(found))
    contract = charge.identification.contract_id
    scope = charge.connection.scope
    hinted = (charge.emsp, contract.party if contract is not None else None)
    for party in hinted:
        if party is not None and scope.has_party(party):
            return party
    return next(iter(scope.parties)) if len(scope.parties) == 1 else None
