"""Corrections of CDRs, as the hub can take them: a credit and another CDR, or a record of what was agreed on.

Never are two CDRs of one session in effect at a hub. Where it refused the first one, there is nothing to take back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, Literal

from gateway.events.writing import EventType
from gateway.events.writing import append as append_events
from gateway.outbox.projecting import Link
from gateway.services.cdrs.billing import Billed, digest_of, event, row_of, tell
from gateway.services.charge.checking import doubts_of_cdr, of_cdr
from gateway.services.charge.telling import Roaming
from gateway.services.ports import Agreed, Conflict, Corrected, Correction, Invalid, NotFound
from gateway.services.storing import columns
from gateway.store.pool import Record, Transaction
from gateway.store.queries import Queries
from mappings.canonical.cdrs import Cdr
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tariffs import Money

SQL: Final = Queries("gateway.services.cdrs", "cdrs.sql")

_STEM: Final = 32
"""Signs of a CDR's id that those of its corrections begin with (OCPI 2.2.1: 36 for a CDR, 39 for a credit)."""


@dataclass(frozen=True, slots=True)
class Done:
    """A correction, as it is counted: whose connection's, and the kWh of the CDR that stands."""

    corrected: Corrected
    connection: str | None
    energy: Decimal

    @property
    def outcome(self) -> str:
        """As in metrics."""
        return "disputed" if self.corrected.outcome == "dispute" else self.corrected.outcome


async def correct(
    tx: Transaction,
    links: Sequence[Link],
    key: tuple[PartyId, str],
    correction: Correction,
    who: str,
    now: datetime,
) -> Done:
    """Corrects a CDR; see `ports.Cdrs.correct`."""
    row = await _lock(tx, *key)
    old = Cdr.model_validate_json(row["body"])
    agreed = _agreed(correction.agreed)
    if row["taken_back"]:
        if same := await _stand_in(tx, row, correction):
            return Done(same, None, old.energy)
        raise Conflict("the CDR was taken back: correct the one that stands in its place")
    new = old.model_copy(update=agreed | {"last_updated": now})
    if faults := of_cdr(new, now):
        raise Invalid(*((f"agreed.{field}", detail) for field, detail in faults))
    link = next((link for link in links if link.connection.id == row["connection_id"]), None)
    name = link.connection.name if link is not None else None
    refused = link is not None and await _is_refused(tx, row)
    by_dispute = link is None or not (refused or link.adapter.charging.takes_credit)
    if by_dispute and (same := await _last_dispute(tx, row, old, correction)):
        return Done(same, name, old.energy)
    await tx.execute(
        SQL["audit"], who, "corrected", f"cdr/{old.party}/{old.id}", correction.model_dump_json(exclude_none=True)
    )
    if by_dispute:
        told = correction.agreed.model_dump_json(exclude_none=True)
        number = await tx.fetchval(SQL["dispute"], row["no"], correction.reason, told, who)
        await append_events(tx, event(EventType.CDR_DISPUTED, old, correction.reason, dispute=number))
        return Done(Corrected("dispute", old.id, dispute=number), name, old.energy)
    count = await tx.fetchval(SQL["family"], row["session_no"]) if row["session_no"] is not None else 1
    new = new.model_copy(update={"id": f"{_stem(old.id)}-R{count}"})
    credit = None
    if not refused:
        credit = old.model_copy(
            update={
                "id": f"{_stem(old.id)}-C{count}",
                "credit": True,
                "credited_cdr": old.id,
                # OCPI 2.2.1, mod_cdrs, Credit CDRs: all of the original, with only these negated.
                "total_cost": _negated(old.total_cost),
                "last_updated": now,
            }
        )
    done = await _replace(tx, links, row, credit, new, correction, now)
    await append_events(
        tx,
        event(EventType.CDR_CORRECTED, old, correction.reason, replaced_by=new.id),
        event(EventType.CDR_ACCEPTED, new),
    )
    return Done(done, name, new.energy)


async def _lock(tx: Transaction, party: PartyId, cdr_id: str) -> Record:
    """Locks a CDR that can be corrected, after its session, as everybody else locks.

    Raises:
        NotFound: There is none.
        Conflict: It waits for review, or takes another one back.
    """
    known = await tx.fetchrow(SQL["numbers"], party.normal, cdr_id)
    if known is not None and known["session_no"] is not None:
        await tx.execute(SQL["lock_session"], known["session_no"])
    row = await tx.fetchrow(SQL["lock"], party.normal, cdr_id)
    if row is None:
        raise NotFound(f"there is no CDR {party}/{cdr_id}")
    if row["review"] is not None:
        raise Conflict("the CDR waits for review: no hub was told of it")
    if row["credit"]:
        raise Conflict("the CDR takes another one back")
    return row


async def _stand_in(tx: Transaction, row: Record, correction: Correction) -> Corrected | None:
    """Gives what came of the very same correction before: a caller who heard nothing asks again."""
    if row["correction"] is None or Correction.model_validate_json(row["correction"]) != correction:
        return None
    [made] = await tx.fetch(SQL["stand_in"], row["no"])
    outcome: Literal["credited", "replaced"] = "replaced" if made["credit"] is None else "credited"
    return Corrected(outcome, made["cdr"], made["credit"], unchanged=True)


async def _last_dispute(tx: Transaction, row: Record, old: Cdr, correction: Correction) -> Corrected | None:
    """Gives the latest agreement if it is the very same; one that was agreed on before another is agreed on anew."""
    last = await tx.fetchrow(SQL["last_dispute"], row["no"])
    if last is None:
        return None
    agreed = Agreed.model_validate_json(last["agreed"])
    if Correction(reason=last["reason"], agreed=agreed) != correction:
        return None
    return Corrected("dispute", old.id, dispute=last["id"], unchanged=True)


async def _is_refused(tx: Transaction, row: Record) -> bool:
    deliveries = await tx.fetch(SQL["how_far"], row["no"], row["connection_id"])
    return bool(deliveries) and all(one["state"] in {"refused", "discarded"} for one in deliveries)


async def _replace(
    tx: Transaction,
    links: Sequence[Link],
    row: Record,
    credit: Cdr | None,
    new: Cdr,
    correction: Correction,
    now: datetime,
) -> Corrected:
    roaming = Roaming(row["connection_id"], Leg.model_validate_json(row["leg"]))
    await tx.execute(SQL["take_back"], row["no"])
    outcome: Literal["credited", "replaced"] = "replaced"
    if credit is None:
        await tx.execute(SQL["give_up"], row["no"])
    else:
        outcome = "credited"
    fresh = [cdr for cdr in (credit, new) if cdr is not None]
    rows = [row_of(cdr, digest_of(cdr), row["session_no"], roaming, issues=doubts_of_cdr(cdr, None)) for cdr in fresh]
    numbers = {each["cdr_id"]: each["no"] for each in await tx.fetch(SQL["insert"], *columns(rows, 12))}
    if len(numbers) < len(fresh):
        raise Conflict("a CDR has the id already that the correction would have")
    await tx.execute(SQL["replace"], row["no"], numbers[new.id], correction.model_dump_json(exclude_none=True))
    if row["session_no"] is not None:
        await tx.execute(SQL["bill"], [row["session_no"]], [numbers[new.id]], [new.end])
    billed = [Billed(numbers[cdr.id], cdr, cdr.location, roaming, row["session_no"]) for cdr in fresh]
    await tell(tx, links, billed, now)
    return Corrected(outcome, new.id, credit.id if credit is not None else None)


def _stem(id_: str) -> str:
    """Gives what the ids of a CDR's corrections begin with; long ones that differ at their end only stay apart."""
    if len(id_) <= _STEM:
        return id_
    return id_[: _STEM - 9] + "-" + blake2b(id_.encode(), digest_size=4).hexdigest()


def _agreed(agreed: Agreed) -> dict[str, Any]:
    changes = {name: value for name in Agreed.model_fields if (value := getattr(agreed, name)) is not None}
    if not changes:
        raise Invalid(("agreed", "names nothing that is otherwise"))
    return changes


def _negated(money: Money | None) -> Money | None:
    if money is None:
        return None
    taxes = tuple(
        tax.model_copy(update={"amount": -tax.amount}) if tax.amount is not None else tax for tax in money.taxes
    )
    return Money(net=-money.net, taxes=taxes)
