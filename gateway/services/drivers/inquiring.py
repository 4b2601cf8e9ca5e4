"""Deciding for a driver of ours: by the stored tokens, else by the backend's word."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from adapters.core.charging import Denial
from gateway.agreements.policy import REFUSALS
from gateway.services.authorisation.standing import emsp_of
from gateway.services.drivers.asking import Backend, Backing, Nothing, Refusal, ref_of
from gateway.services.drivers.contracts import Contract, Contracts
from gateway.services.drivers.deciding import Ask, Known, No, Yes, judge
from gateway.services.drivers.permits import SQL
from gateway.services.drivers.recording import Decision, Inquiry
from gateway.services.ports.permits import Decider, PermitDetail
from gateway.store.pool import Record, Store
from mappings.canonical.agreements import Service
from mappings.canonical.ids import PartyId
from mappings.canonical.tokens import Token

_WRITING: Final = timedelta(milliseconds=100)
"""What is kept of the time to write the answer down."""


class Inquiring:
    """Decides."""

    def __init__(self, store: Store, contracts: Contracts, backend: Backend) -> None:
        self._store = store
        self._contracts = contracts
        self._backend = backend

    async def decide(self, inquiry: Inquiry, row: Record) -> Decision | None:
        """Decides a question; None where the driver is none of ours, or may be several EMSPs'.

        Args:
            row: As `prepare` gives it.
        """
        asked = inquiry.asked
        known = read_known(row)
        match judge(known, asked.leg.identification, asked.leg.emsp, inquiry.connection.scope, inquiry.at):
            case Yes(known=one):
                contract = await self._contract(inquiry, one.token.party)
                if contract.refused:
                    return _without_contract(one.token.party, contract, one)
                return replace(_local(one, None), contract_with_cpo=contract)
            case No(known=one, reason=reason):
                return _local(one, reason)
            case Ask() as open_:
                party = await self._whose(inquiry, open_)
                if party is None:
                    return None
                contract = await self._contract(inquiry, party)
                if contract.refused:
                    return _without_contract(party, contract, open_.known)
                return replace(await self._ask(inquiry, party, open_), contract_with_cpo=contract)

    async def _contract(self, inquiry: Inquiry, emsp: PartyId) -> Contract:
        return await self._contracts.of(inquiry.connection, Service.AUTHORISE, inquiry.cpo, emsp, inquiry.evse)

    async def _ask(self, inquiry: Inquiry, party: PartyId, open_: Ask) -> Decision:
        """Has the backend decide; where it says nothing, what the token says of that."""
        known = open_.known
        contract = known.token.contract_id.normal if known is not None else None
        detail = PermitDetail(
            token=ref_of(known) if known is not None else None,
            candidates=tuple(map(ref_of, open_.candidates)),
            note=open_.note,
        )
        until = inquiry.at + inquiry.asked.within - _WRITING
        match await self._backend.ask(inquiry, party, open_, until):
            case Backing(said=said):
                detail = detail.model_copy(update={"decided": Decider.BACKEND, "info": said.text})
                told = said.contract_id.normal if said.contract_id is not None else contract
                return Decision(party, None, detail, known, told)
            case Refusal(reason=reason, said=said):
                detail = detail.model_copy(update={"decided": Decider.BACKEND, "info": said.text})
                return Decision(party, reason, detail, known, contract)
            case Nothing(nobody=nobody, why=why):
                detail = detail.model_copy(update={"silence": why})
                if open_.offline:
                    return Decision(party, None, detail.model_copy(update={"decided": Decider.LOCAL}), known, contract)
                unknown = nobody and known is None
                return Decision(party, Denial.UNKNOWN_TOKEN if unknown else Denial.NO_ANSWER, detail, known, contract)

    async def _whose(self, inquiry: Inquiry, open_: Ask) -> PartyId | None:
        """Gives the EMSP whose driver it is, or may be; None where it is none of ours, or may be several's."""
        if open_.known is not None:
            return open_.known.token.party
        leg, scope = inquiry.asked.leg, inquiry.connection.scope
        ours = {PartyId(row["party"]) for row in await self._store.fetch(SQL["emsps"])}
        carried = {party for party in ours | scope.parties if scope.has_party(party)}
        if leg.emsp is not None:
            return leg.emsp if leg.emsp in carried else None
        meant = {one.token.party for one in open_.candidates} or carried
        named = emsp_of(leg.identification)
        if named in meant:
            return named
        return next(iter(meant)) if len(meant) == 1 else None


def read_known(row: Record) -> Sequence[Known]:
    """Reads the tokens that `prepare` found."""
    columns = (row[name] or () for name in ("nos", "tokens", "drivers", "turned"))
    return [
        Known(no, Token.model_validate_json(body), driver, turned)
        for no, body, driver, turned in zip(*columns, strict=True)
    ]


def _without_contract(party: PartyId, contract: Contract, known: Known | None) -> Decision:
    """Gives what it comes to where nobody but us keeps a record, and it has no agreement; nobody is asked."""
    detail = PermitDetail(token=ref_of(known) if known is not None else None, info=REFUSALS[contract.reason])
    told = known.token.contract_id.normal if known is not None else None
    return Decision(party, Denial.NO_CONTRACT, detail, known, told)


def _local(known: Known, reason: Denial | None) -> Decision:
    """Gives what a stored token says by itself."""
    detail = PermitDetail(decided=Decider.LOCAL, token=ref_of(known))
    return Decision(known.token.party, reason, detail, known, known.token.contract_id.normal)
