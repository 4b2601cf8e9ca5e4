"""What a session belongs to: read from the store, decided by `correlating`, or said by a person."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.services.authorisation.admitting import Origin, references
from gateway.services.charge.drivers import keys_of
from gateway.services.charge.telling import Roaming
from gateway.services.ports import Conflict, Invalid
from gateway.services.sessions.correlating import LASTS, Candidate, Found, Review, correlate
from gateway.services.stamps import AHEAD
from gateway.store.pool import Record, Transaction
from gateway.store.queries import Queries
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Session
from mappings.report import Issue, IssueKind

SQL = Queries("gateway.services.sessions", "sessions.sql")


@dataclass(frozen=True, slots=True)
class Belongs:
    """What a session belongs to, as decided.

    Attributes:
        authorisation: Number and id of ours; None where there is none.
        admitted_at: The EVSE at which the driver was admitted, by its uid.
        claimed: It was found now, and has to be claimed.
    """

    authorisation: tuple[int, str] | None = None
    connection_id: int | None = None
    leg: Leg | None = None
    review: str | None = None
    admitted_at: str | None = None
    claimed: bool = False

    @property
    def roaming(self) -> Roaming | None:
        """How it roams; None where it does not, or nobody knows yet."""
        if self.connection_id is None or self.leg is None:
            return None
        return Roaming(self.connection_id, self.leg)


def doubts_of(belongs: Belongs, session: Session) -> list[Issue]:
    """Gives what is hardly true of its belonging: a terminal may serve several EVSEs, or uids are mixed up."""
    if belongs.admitted_at in {None, session.evse_uid}:
        return []
    detail = f"is another than {belongs.admitted_at}, for which its driver was admitted"
    return [Issue(IssueKind.SUSPECT, "evse_uid", detail)]


def references_of(belongs: Belongs) -> set[str]:
    """Gives every id by which a session's authorisation may be named."""
    named = {value for _, value in references(belongs.leg)} if belongs.leg is not None else set()
    return named | ({belongs.authorisation[1]} if belongs.authorisation is not None else set())


async def decide(tx: Transaction, session: Session, before: Session | None, row: Record | None) -> Belongs:
    """Decides what a session belongs to, or keeps what was decided.

    Raises:
        Invalid: It names another authorisation than the one that it began under.
    """
    no = None
    if row is not None and before is not None:
        no = row["no"]
        if row["authorisation_no"] is not None:
            if session.reference not in {None, before.reference}:
                led_to = {one.no for one in await _candidates(tx, "named", session.party.normal, session.reference)}
                if row["authorisation_no"] not in led_to:
                    raise Invalid(("reference", "names another authorisation than the one that it began under"))
            return known(row)
        named_now = (session.reference, session.identification, session.auth_method)
        if row["assigned"] or (
            row["review"] is None and named_now == (before.reference, before.identification, before.auth_method)
        ):
            return known(row)
    named: Sequence[Candidate] = []
    if session.reference is not None:
        named = await _candidates(tx, "named", session.party.normal, session.reference)
    nearby = [] if named else await _nearby(tx, session)
    verdict = correlate(session, no, named, nearby)
    if isinstance(verdict, Found):
        return _of(verdict.candidate, session)
    if isinstance(verdict, Review):
        return Belongs(review=verdict.why)
    # A station that was offline may have let a foreign driver charge by its own list: somebody else pays for that.
    if await tx.fetchval(SQL["is_foreign"], *keys_of(session.identification)):
        return Belongs(review="its driver's token is an EMSP's, but no authorisation fits it")
    return Belongs()


async def _nearby(tx: Transaction, session: Session) -> Sequence[Candidate]:
    known_by = max(session.start, session.last_updated) + AHEAD
    earliest = session.start - AHEAD
    return await _candidates(
        tx, "nearby", session.party.normal, session.evse_uid, session.location_id, known_by, earliest - LASTS, earliest
    )


async def _candidates(tx: Transaction, statement: str, *args: object) -> Sequence[Candidate]:
    return [
        Candidate(
            no=row["no"],
            id=row["id"],
            location_id=row["location_id"],
            evse_uid=row["evse_uid"],
            identity=row["identity"],
            contract_key=row["contract_key"],
            connection_id=row["connection_id"],
            allowed=row["allowed"],
            leg=Leg.model_validate_json(row["leg"]) if row["leg"] is not None else None,
            at=row["at"],
            expires=row["expires_at"],
            session_no=row["session_no"],
            reserves=row["origin"] == Origin.RESERVE,
            silent=row["silent"],
        )
        for row in await tx.fetch(SQL[statement], *args)
    ]


async def assigned(tx: Transaction, session: Session, session_no: int, authorisation: str) -> Belongs:
    """Gives what a person says that a session belongs to.

    Raises:
        Invalid: There is no such authorisation of the party, or it was denied, or is for another location.
        Conflict: It serves another session.
    """
    found = [
        one for one in await _candidates(tx, "named", session.party.normal, authorisation) if one.id == authorisation
    ]
    if not found:
        raise Invalid(("authorisation", "is not known"))
    [one] = found
    if not one.may_serve:
        raise Invalid(("authorisation", "was denied"))
    if one.location_id != session.location_id:
        raise Invalid(("authorisation", f"is for the location {one.location_id}"))
    if one.session_no not in {None, session_no}:
        raise Conflict("the authorisation serves another session", "authorisation")
    return _of(one, session)


def _of(candidate: Candidate, session: Session) -> Belongs:
    leg = candidate.leg
    if leg is None and candidate.connection_id is not None:
        leg = Leg(identification=session.identification)
    return Belongs(
        (candidate.no, candidate.id), candidate.connection_id, leg, admitted_at=candidate.evse_uid, claimed=True
    )


def known(row: Record) -> Belongs:
    """Gives what was decided before."""
    if row["authorisation_no"] is None:
        return Belongs(review=row["review"])
    roaming = roaming_of(row, Session.model_validate_json(row["body"]))
    leg = roaming.leg if roaming is not None else None
    return Belongs(
        (row["authorisation_no"], row["authorisation"]), row["connection_id"], leg, row["review"], row["admitted_at"]
    )


def roaming_of(row: Record, session: Session) -> Roaming | None:
    """Reads how a stored session roams: its `connection_id`, and the `leg` of its authorisation."""
    if row["connection_id"] is None:
        return None
    leg = Leg.model_validate_json(row["leg"]) if row["leg"] is not None else Leg(identification=session.identification)
    return Roaming(row["connection_id"], leg)
