"""What the gateway knows of a charge that came home: its EVSE, its driver, and the permits that it may be under."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from gateway.services.charge.drivers import keys_of
from gateway.services.drivers.permits import Candidate, find_permits
from gateway.services.received.charges import Charge
from gateway.store.pool import Transaction
from gateway.store.queries import Queries
from mappings.canonical.ids import PartyId
from mappings.canonical.tokens import Token

SQL: Final = Queries("gateway.services.received", "received.sql")


@dataclass(frozen=True, slots=True)
class KnownEvse:
    """An EVSE of the catalogue.

    Attributes:
        key: Its name in the catalogue.
        party: Whose it is.
        power: Most kW; None where nobody tells.
    """

    key: str
    party: PartyId
    power: Decimal | None


@dataclass(frozen=True, slots=True)
class DriverToken:
    """A token of ours that a charge's driver may hold; a withdrawn one was theirs."""

    no: int
    token: Token
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known.

    Attributes:
        evse: None where the catalogue has none such.
        tokens: The driver's, of the EMSPs that it may be.
        permits: That an id leads to, or that fit.
    """

    evse: KnownEvse | None
    tokens: Sequence[DriverToken]
    permits: Sequence[Candidate]


async def known(tx: Transaction, charge: Charge, *, permits: bool) -> Knowledge:
    """Reads what is known of a charge.

    Args:
        permits: Whether to look for permits.
    """
    evse = await evse_of(tx, charge)
    key = evse.key if evse is not None else None
    found: Sequence[Candidate] = ()
    if permits:
        found = await find_permits(
            tx,
            charge.connection.id,
            None,
            charge.identification,
            key or (charge.evse_id.normal if charge.evse_id is not None else None),
            charge.start,
            known_by=charge.known_by,
            refs=charge.refs,
        )
    return Knowledge(evse, await _tokens(tx, charge), found)


async def expect_sessions(tx: Transaction, charge: Charge) -> None:
    """Has whoever else is about to write a first session or CDR of the same ids wait for the end of the transaction.

    Without a row to lock, a session and its CDR that come at once would each overlook the other.
    """
    for key in charge.session_keys:
        await tx.execute(SQL["expect_session"], f"{charge.connection.id}/{key}")


async def evse_of(tx: Transaction, charge: Charge) -> KnownEvse | None:
    """Finds the EVSE of a charge in the catalogue, by the CPO's key, else by the public id."""
    row = None
    number = charge.connection.id
    if charge.location_id is not None and charge.evse_uid is not None:
        row = await tx.fetchrow(SQL["evse_at"], number, charge.cpo.normal, charge.location_id, charge.evse_uid)
    if row is None and charge.evse_id is not None:
        row = await tx.fetchrow(SQL["evse_called"], number, charge.evse_id.normal)
    if row is None:
        return None
    power = Decimal(row["power"]) / 1000 if row["power"] else None
    return KnownEvse(row["evse_key"], PartyId(row["party"]), power)


async def _tokens(tx: Transaction, charge: Charge) -> list[DriverToken]:
    """Finds the tokens that a driver may hold: of the EMSP that is named, or of any that the connection speaks for."""
    if not charge.driver_keys:
        return []
    rows = await tx.fetch(SQL["driver_tokens"], charge.driver_keys)
    found = [DriverToken(row["no"], Token.model_validate_json(row["body"]), row["withdrawn"]) for row in rows]
    scope = charge.connection.scope
    return [each for each in found if scope.has_party(each.token.party) and charge.emsp in {None, each.token.party}]


def marks(charge: Charge, tokens: Sequence[DriverToken]) -> list[str]:
    """Gives what a driver is known by, each with its kind: the uid and contract that are told, and those of the token.

    A session may tell the card alone, and its CDR the contract alone.
    """
    told = [charge.identification]
    if len({each.token.contract_id.normal for each in tokens}) == 1:
        told += [each.token.identification for each in tokens]
    kinds = ((kind, key) for one in told for kind, key in zip(("u", "c"), keys_of(one), strict=True))
    return sorted({f"{kind}:{key}" for kind, key in kinds if key is not None})
