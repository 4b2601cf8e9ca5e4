"""What a question of a hub came to, as it is kept, told to the backend, and said to the hub."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import JsonValue

from adapters.core.charging import Allowed, Answer, Denial, Denied
from adapters.core.connection import Connection
from adapters.core.inbound import Asked
from gateway.events.writing import EventType
from gateway.services.authorisation.admitting import identity
from gateway.services.drivers.contracts import Contract
from gateway.services.drivers.deciding import Known
from gateway.services.drivers.permits import Permit, write_permits
from gateway.services.ports.permits import PermitDetail, PermitOrigin
from gateway.store.batching import Batches
from gateway.store.pool import Record, Store
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Token

_NAMESPACE: Final = uuid.UUID("b7b1f0a2-3c55-4b0a-9a55-0d4a1f0a7c3e")
"""Ours, by which a hub's session becomes the id of its permit: the same question has the same one."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a question came to.

    Attributes:
        party: Whose driver it is, or may be.
        reason: Of a no; None for a yes.
        contract: The driver's contract in normal form, where the token or the backend tells it.
        contract_with_cpo: What our record says of the EMSP's with the CPO; None where that was not looked up.
    """

    party: PartyId
    reason: Denial | None
    detail: PermitDetail
    known: Known | None = None
    contract: str | None = None
    contract_with_cpo: Contract | None = None


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A hub's question.

    Attributes:
        id: Ours of its permit.
        evse: The EVSE's key in the catalogue, where it is known.
        at: When it came.
    """

    id: str
    connection: Connection
    asked: Asked
    evse: str | None
    at: datetime

    @property
    def cpo(self) -> PartyId | None:
        """Whose station it is, where that is told."""
        return self.asked.cpo or (self.asked.at.party if self.asked.at is not None else None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question and what it came to."""

    inquiry: Inquiry
    decision: Decision

    def permit(self) -> Permit:
        """Gives the row."""
        inquiry, decision = self.inquiry, self.decision
        contract = decision.contract_with_cpo
        return Permit(
            id=inquiry.id,
            origin=PermitOrigin.ASKED,
            party=decision.party,
            leg=inquiry.asked.leg,
            connection_id=inquiry.connection.id,
            at=inquiry.at,
            cpo=inquiry.asked.cpo,
            evse_key=inquiry.evse,
            contract_key=decision.contract,
            token_no=decision.known.no if decision.known is not None else None,
            allowed=decision.reason is None,
            reason=decision.reason,
            detail=decision.detail,
            agreement=contract.ref if contract is not None and decision.reason is None else None,
        )

    def answer(self) -> Answer:
        """Gives what is said to the hub."""
        decision, info = self.decision, self.decision.detail.info
        token = decision.known.token if decision.known is not None else None
        if decision.reason is not None:
            return Denied(decision.reason, text=info or "", token=token)
        contract = decision.contract if token is None else None
        return Allowed(_named(self.inquiry.asked.leg, self.inquiry.id, decision.party, contract), token, info=info)

    def event(self) -> tuple[str, EventType, JsonValue]:
        """Gives what the backend is told."""
        inquiry, decision, detail = self.inquiry, self.decision, self.decision.detail
        cpo = inquiry.asked.cpo
        shown = detail.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        data: dict[str, JsonValue] = {
            "id": inquiry.id,
            "party": decision.party.normal,
            "connection": inquiry.connection.name,
            "cpo": cpo.normal if cpo is not None else None,
            "evse": inquiry.evse,
            "reason": decision.reason.value if decision.reason is not None else None,
            "driver": decision.known.driver if decision.known is not None else None,
            "contract": decision.contract,
            **{name: shown.get(name) for name in ("decided", "token", "candidates", "note")},
        }
        type_ = EventType.PERMIT_ALLOWED if decision.reason is None else EventType.PERMIT_DENIED
        return inquiry.id, type_, {name: value for name, value in data.items() if value is not None}


class Recording:
    """Writes outcomes, many in one commit.

    Args:
        wake: Called after a commit that left an event to tell.
    """

    def __init__(self, store: Store, wake: Callable[[], None]) -> None:
        self._store = store
        self._wake = wake
        self._batches = Batches(self._write)

    async def add(self, outcome: Outcome) -> bool:
        """Writes one, durably; False if its id is there already, or its token is not valid any more."""
        return await self._batches.put(outcome)

    async def close(self) -> None:
        """Waits for what is being written."""
        await self._batches.close()

    async def _write(self, batch: Sequence[Outcome]) -> Sequence[bool]:
        numbers = await write_permits(self._store, [one.permit() for one in batch], [one.event() for one in batch])
        self._wake()
        return [number is not None for number in numbers]


def id_of(connection: Connection, asked: Asked) -> str:
    """Gives the id of a question's permit: the same for the same driver at the same EVSE in the same session."""
    if asked.leg.hub_session is None:
        return str(uuid.uuid4())
    evse = asked.at.model_dump_json() if asked.at is not None else ""
    who = identity(asked.leg.identification)
    return str(uuid.uuid5(_NAMESPACE, f"{connection.id}/{asked.leg.hub_session}/{who}/{evse}"))


def given_before(row: Record) -> Answer | None:
    """Gives the answer that the same question had before; None where there was none, or it does not hold any more.

    A yes by a token that was blocked since does not: whoever asks once more has not begun.

    Args:
        row: As `prepare` gives it.
    """
    if row["given"] is None:
        return None
    detail = PermitDetail.model_validate_json(row["detail"])
    token = Token.model_validate_json(row["given_token"]) if row["given_token"] is not None else None
    if not row["allowed"]:
        return Denied(Denial(row["reason"]), text=detail.info or "", token=token)
    if token is not None and not token.valid:
        return None
    contract = row["given_contract"] if token is None else None
    leg = _named(Leg.model_validate_json(row["leg"]), row["given"], PartyId(row["given_party"]), contract)
    return Allowed(leg, token, info=detail.info)


def _named(leg: Leg, id_: str, party: PartyId, contract: str | None) -> Leg:
    """Gives the leg with our names of the charge, and with the driver's contract where only the backend told it."""
    driver = leg.identification
    if contract is not None and driver.contract_id is None:
        driver = driver.model_copy(update={"contract_id": ContractId(contract)})
    return leg.model_copy(update={"emsp_session": id_, "reference": id_, "emsp": party, "identification": driver})
