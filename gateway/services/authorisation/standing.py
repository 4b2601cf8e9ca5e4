"""What is known of a driver before anybody is asked: who may answer for them, in which order, and the token list."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adapters.core.connection import Mode, State
from gateway.agreements import policy
from gateway.agreements.policy import Reason
from gateway.outbox.projecting import Link
from gateway.services.authorisation.asking import Candidate
from gateway.services.authorisation.whitelist import Word, is_of, judge
from gateway.services.charge.evses import Place
from mappings.canonical.agreements import AgreementRef
from mappings.canonical.ids import PartyId
from mappings.canonical.parties import Role
from mappings.canonical.tokens import Identification, Token


@dataclass(frozen=True, slots=True)
class Known:
    """A token that a connection told of.

    Attributes:
        agreement: By which its EMSP is served here.
        disagrees: Why our record would not serve it, where the hub does that told of the token.
    """

    connection_id: int
    token: Token
    word: Word
    agreement: AgreementRef | None = None
    disagrees: Reason | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A connection that may serve the driver.

    Attributes:
        tokens: What it told of the driver's medium.
        seen: The driver's EMSP answered over it before.
    """

    candidate: Candidate
    tokens: tuple[Known, ...] = ()
    seen: bool = False

    def is_home(self, emsp: PartyId | None) -> bool:
        """Tells whether the driver's EMSP is known to be behind it."""
        if any(known.word is not Word.REFUSE for known in self.tokens):
            return True
        return emsp is not None and (self.candidate.adapter.answers_for(emsp) or self.seen)


def emsp_of(identification: Identification) -> PartyId | None:
    """Gives the EMSP, as far as the driver's own medium names it."""
    if identification.party is not None:
        return identification.party
    return identification.contract_id.party if identification.contract_id is not None else None


def serving(links: Iterable[Link], place: Place) -> dict[int, Link]:
    """Gives the connections, by number, that carry an EVSE and may serve drivers there, whose hub knows us as a CPO.

    A paused one may: its token list holds, and what is told of the charge waits for it.
    """
    return {
        link.connection.id: link
        for link in links
        if Role.CPO in link.adapter.roles
        and link.connection.mode is Mode.LIVE
        and link.connection.state is not State.UNREGISTERED
        and place.is_in(link.connection.scope)
    }


def read_known(connection_id: int, listed: bool, body: str, identification: Identification) -> Known | None:
    """Reads a token that has the driver's uid or contract; None if it is not what they hold up."""
    token = Token.model_validate_json(body)
    return Known(connection_id, token, judge(token, listed=listed)) if is_of(token, identification) else None


def in_order(
    candidates: Sequence[policy.Candidate],
    links: dict[int, Link],
    emsp: PartyId | None,
    known: Sequence[Known],
    learned: Sequence[int],
) -> list[Standing]:
    """Puts those connections first that the driver's EMSP is known to be behind.

    Args:
        candidates: In the policy's order.
        links: By number.
        emsp: As the driver's own medium names it.
        learned: The connections over which the EMSP answered before.
    """
    found = [
        Standing(
            Candidate(each.connection, links[each.connection.id].adapter),
            tuple(one for one in known if one.connection_id == each.connection.id),
            each.connection.id in learned,
        )
        for each in candidates
    ]
    # The sort keeps the policy's order among those of equal standing.
    return sorted(found, key=lambda one: not one.is_home(emsp))


def accepted(standings: Iterable[Standing], word: Word) -> Known | None:
    """Gives the first token of which a word is said."""
    return next((known for one in standings for known in one.tokens if known.word is word), None)


def is_refused(standings: Iterable[Standing]) -> bool:
    """Tells whether all that is known of the medium is that its EMSP does not stand for it."""
    words = {known.word for one in standings for known in one.tokens}
    return words == {Word.REFUSE}
