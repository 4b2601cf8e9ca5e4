"""Whether a charge that came home began under an agreement, and whether that has its CDR told this way.

A hub is the authority on its own contracts: what it brings is taken, and where our record knows no agreement that is
noted. Where nobody but us keeps a record, a person has to look at it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from adapters.core.connection import Connection
from gateway.agreements.book import Book
from gateway.agreements.disagreeing import Witness
from gateway.agreements.policy import REFUSALS, Reason, Request, held
from gateway.agreements.repository import Agreements
from gateway.services.links import Links
from gateway.services.ports.received import Doubt, Review
from gateway.services.received.charges import Charge
from gateway.services.received.knowing import SQL
from gateway.store.pool import Transaction
from mappings.canonical.agreements import AgreementRef, OfferTerms, Service
from mappings.canonical.ids import PartyId


@dataclass(frozen=True, slots=True)
class Verdict:
    """What comes of it.

    Attributes:
        disagrees: Why our record would not have let it begin, where the hub did.
        agreement: Under which it began.
    """

    doubts: Sequence[Doubt] = ()
    disagrees: Reason | None = None
    agreement: AgreementRef | None = None


_FINE: Final = Verdict()


class Agreeing:
    """Holds CDRs against agreements.

    Args:
        witness: Told where a hub's yes is another one than ours.
    """

    def __init__(self, agreements: Agreements, links: Links, witness: Witness) -> None:
        self._agreements = agreements
        self._links = links
        self._witness = witness

    async def book(self) -> Book:
        """Gives all agreements; read before a transaction begins, which holds a connection to the store already."""
        return await self._agreements.book()

    async def look(
        self,
        tx: Transaction,
        book: Book,
        connection: Connection,
        charge: Charge,
        emsp: PartyId | None,
        permit_no: int | None,
        evse_key: str | None,
    ) -> Verdict:
        """Looks whether a charge began under an agreement; what ended since counts as long as it held."""
        link = self._links.get(connection.id)
        known = link is None or link.adapter.charging.has_contracts
        if permit_no is not None or not known:
            begun = await tx.fetchrow(
                SQL["begun_under"], permit_no, charge.cpo.normal, list(charge.session_ids), connection.id
            )
            if begun is not None:
                found = _of_terms(begun["agreement"], begun["terms"])
                # Of a hub's, what there is to be said was said when the driver was let charge.
                return Verdict(agreement=found.agreement) if known else found
        if emsp is None:  # nobody's driver, which is doubted already
            return _FINE
        request = Request(Service.AUTHORISE, charge.cpo, emsp, evse_key or "")
        decision = held(book, connection.id, request, charge.start)
        if decision.allowed:
            terms = decision.agreement.terms if decision.agreement is not None else None
            return Verdict(agreement=decision.ref) if known else _covered(decision.ref, terms)
        if known:
            return Verdict(disagrees=decision.reason)
        return Verdict([Doubt(Review.NO_AGREEMENT, "start", f"began without: {REFUSALS[decision.reason]}")])

    def note(self, connection: Connection, cpo: PartyId, emsp: PartyId | None, disagrees: Reason) -> None:
        """Notes that a hub let somebody charge whom our record would not have let."""
        self._witness.said_yes(connection, cpo, emsp, disagrees)


def _of_terms(agreement: str | None, terms: str | None) -> Verdict:
    ref = AgreementRef.model_validate_json(agreement) if agreement is not None else None
    return _covered(ref, OfferTerms.model_validate_json(terms) if terms is not None else None)


def _covered(ref: AgreementRef | None, terms: OfferTerms | None) -> Verdict:
    """Says whether what a charge began under has CDRs told this way; where no agreement was needed, it has."""
    if ref is None or terms is None or Service.CDR in terms.services:
        return Verdict(agreement=ref)
    said = f"version {ref.version} of the offer {ref.offer}, under which it began, has no CDRs told this way"
    return Verdict([Doubt(Review.NO_AGREEMENT, "", said)], agreement=ref)
