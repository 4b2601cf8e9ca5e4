"""Who was served at a moment that is past: what ended since counts as it stood then. Pure."""

from datetime import datetime

from gateway.agreements.book import Book
from gateway.agreements.model import Standing
from gateway.agreements.policy import Decision, Reason, Request, decide


def held(book: Book, connection_id: int, request: Request, at: datetime) -> Decision:
    """Decides whether somebody was served at a moment, as `policy.decide` would have decided it then.

    An agreement that ended since holds within its window; one to which nobody ever said yes has none.

    Args:
        request: Whose EMSP is known: of what is over only an EMSP's own agreements are kept.
    """
    decision = decide(book, connection_id, request, at)
    if decision.allowed:
        return decision
    emsp = request.emsp.normal if request.emsp is not None else None
    over = (
        one
        for one in book.of(connection_id, request.party.normal, emsp)
        if one.standing is Standing.OVER
        and request.service in one.terms.services
        and one.starts <= at
        and (one.ends is None or at < one.ends)
        and book.covers(one, request.evse_key)
    )
    found = next(over, None)
    return Decision(True, Reason.AGREED, found, found.terms.rank) if found is not None else decision
