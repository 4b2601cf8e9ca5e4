"""Whether our record has an agreement by which a driver of ours charges at a partner's station."""

from typing import NamedTuple

from adapters.core.connection import Connection
from gateway.agreements.disagreeing import Witness
from gateway.agreements.policy import Decision, Reason, Request
from gateway.agreements.repository import Agreements
from mappings.canonical.agreements import AgreementRef, Service
from mappings.canonical.ids import PartyId


class Contract(NamedTuple):
    """What the record says.

    Attributes:
        decision: None where it is not told whose station it is.
        refused: Nobody but us keeps a record, and it says no.
    """

    decision: Decision | None
    refused: bool

    @property
    def ref(self) -> AgreementRef | None:
        """By what a charge is served that begins now."""
        return self.decision.ref if self.decision is not None else None

    @property
    def reason(self) -> Reason:
        """Why, or why not."""
        return self.decision.reason if self.decision is not None else Reason.NO_AGREEMENT


class Contracts:
    """Looks agreements up for the EMSP's side.

    A hub is the authority on its own contracts: what it asks for, it has a contract for, and what it has none for it
    refuses itself. Where our record disagrees, that is noted. The own network has no record but ours.
    """

    def __init__(self, agreements: Agreements, witness: Witness) -> None:
        self._agreements = agreements
        self._witness = witness

    async def of(
        self, connection: Connection, service: Service, cpo: PartyId | None, emsp: PartyId, evse_key: str | None
    ) -> Contract:
        """Looks one up.

        Args:
            cpo: None where nobody told.
            evse_key: The EVSE's, as in the catalogue; None where nobody told.
        """
        binds = self._agreements.binds(connection.id)
        if cpo is None:
            return Contract(None, binds)
        # Which EVSE it is may decide it: where that binds, one that is not known is in no group.
        key = evse_key if evse_key is not None or not binds else ""
        decision = await self._agreements.decide(connection.id, Request(service, cpo, emsp, key))
        return Contract(decision, binds and not decision.allowed)

    def asked(self, connection: Connection, cpo: PartyId | None, emsp: PartyId, contract: Contract) -> None:
        """Notes that a hub asked for a driver, who may charge, without an agreement of ours."""
        if contract.decision is not None and not contract.decision.allowed:
            assert cpo is not None  # noqa: S101 - or nothing would have been decided
            self._witness.said_yes(connection, cpo, emsp, contract.decision.reason)

    def denied(self, connection: Connection, cpo: PartyId, emsp: PartyId, theirs: str) -> None:
        """Notes that a hub refused a command for lack of a contract, where there is an agreement of ours."""
        if not self._agreements.binds(connection.id):
            self._witness.said_no(connection, cpo, emsp, theirs)
