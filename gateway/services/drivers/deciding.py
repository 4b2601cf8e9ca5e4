"""What is known of a driver of ours before the backend is asked, and what that comes to. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from adapters.core.charging import Denial
from adapters.core.connection import Scope
from gateway.services.authorisation.admitting import uid_key
from gateway.services.authorisation.whitelist import is_of
from mappings.canonical.ids import PartyId
from mappings.canonical.tokens import Identification, Token, TokenType, Whitelist

_SHORTEST: Final = 8
"""Signs of the shortest card number: four bytes."""

_LAST_TO_END: Final = timedelta(hours=12)
"""How much later than in UTC a day ends where it ends last."""

_STRICTNESS: Final[Mapping[Whitelist, int]] = {
    Whitelist.NEVER: 0,
    Whitelist.ALLOWED_OFFLINE: 1,
    Whitelist.ALLOWED: 2,
    Whitelist.ALWAYS: 3,
}

_AT_ONCE: Final = frozenset({Whitelist.ALWAYS, Whitelist.ALLOWED})
"""Whose drivers may charge without the backend being asked."""


@dataclass(frozen=True, slots=True)
class Known:
    """A stored token that a driver may have held up.

    Attributes:
        driver: The backend's own id of its driver.
        turned: Its uid is the one asked for with its bytes in reverse order.
    """

    no: int
    token: Token
    driver: str | None = None
    turned: bool = False


@dataclass(frozen=True, slots=True)
class Yes:
    """The stored token says yes by itself."""

    known: Known


@dataclass(frozen=True, slots=True)
class No:
    """The stored token says no by itself."""

    known: Known
    reason: Denial


@dataclass(frozen=True, slots=True)
class Ask:
    """Only the backend can say.

    Attributes:
        known: The token; None where it is not known.
        offline: It may be accepted where the backend does not answer.
        candidates: Tokens that may be meant, without it being assumed.
        note: Why it is not known, for a person.
    """

    known: Known | None = None
    offline: bool = False
    candidates: tuple[Known, ...] = ()
    note: str | None = None


Verdict: TypeAlias = Yes | No | Ask


def reversed_uid(uid: str) -> str | None:
    """Gives the normal form of a card's number with its bytes in reverse order, as some readers tell it.

    Returns:
        None where the uid is no such number, or the same both ways.
    """
    if len(uid) < _SHORTEST:
        return None
    try:
        turned = bytes.fromhex(uid)[::-1].hex().upper()
    except ValueError:
        return None
    return turned if len(turned) == len(uid) and turned != uid_key(uid) else None


def judge(
    known: Sequence[Known], identification: Identification, emsp: PartyId | None, scope: Scope, now: datetime
) -> Verdict:
    """Says what stored tokens come to for a driver.

    Args:
        known: Those that have the uid, or its reverse, or, where no uid was told, the contract; none is withdrawn.
        emsp: Who answers for the driver, where the hub tells.
    """
    carried = [
        one
        for one in known
        if scope.has_party(one.token.party)
        and emsp in {None, one.token.party}
        and _is_held_up(one.token, identification)
    ]
    meant = [one for one in carried if not one.turned and _agrees(one.token, identification)]
    if not meant:
        return Ask(candidates=tuple(carried), note=_note(carried))
    if len({one.token.party for one in meant}) > 1:
        return Ask(
            candidates=tuple(meant), note="several EMSPs have such a token, and the hub does not say whose it is"
        )
    return _of_tokens(meant, identification, now)


def _of_tokens(meant: Sequence[Known], identification: Identification, now: datetime) -> Verdict:
    """Says what an EMSP's tokens come to of which one is held up."""
    valid = [one for one in meant if one.token.valid]
    if not valid:
        return No(meant[0], Denial.BLOCKED)
    # A contract may have several: only what may be said of each of them may be said of the driver.
    strictest = min(valid, key=lambda one: _STRICTNESS[one.token.whitelist])
    if identification.expires is not None and identification.expires < (now - _LAST_TO_END).date().isoformat():
        return No(strictest, Denial.EXPIRED)
    # Of a QR code's driver only who knows the PIN can say whether it is right.
    proven = identification.type is not TokenType.QR_CODE
    if proven and strictest.token.whitelist in _AT_ONCE:
        return Yes(strictest)
    return Ask(strictest, offline=proven and strictest.token.whitelist is Whitelist.ALLOWED_OFFLINE)


def may_stop(known: Known, beginner: Known | None, scope: Scope) -> bool:
    """Tells whether a token may stop what another one began: it is valid, and of the same group, driver or contract."""
    if beginner is None or not known.token.valid or known.turned or not scope.has_party(known.token.party):
        return False
    one, other = known.token, beginner.token
    if one.party != other.party:
        return False
    return (
        (one.group_id is not None and one.group_id == other.group_id)
        or (known.driver is not None and known.driver == beginner.driver)
        or one.contract_id == other.contract_id
    )


def _is_held_up(token: Token, identification: Identification) -> bool:
    if identification.type is TokenType.QR_CODE:
        emsp = identification.party or (identification.contract_id.party if identification.contract_id else None)
        return token.type is TokenType.QR_CODE and emsp in {None, token.party}
    return is_of(token, identification)


def _agrees(token: Token, identification: Identification) -> bool:
    """Tells whether a token found by its uid has the contract that was told with it."""
    told = identification.contract_id
    return told is None or told == token.contract_id


def _note(carried: Sequence[Known]) -> str | None:
    if any(one.turned for one in carried):
        return "a token has this uid with its bytes in reverse order; that it is meant is not assumed"
    return "the token of this uid has another contract than the one that was told" if carried else None
