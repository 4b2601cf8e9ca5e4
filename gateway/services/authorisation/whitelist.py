"""What a token that is known here says before anybody is asked (OCPI 2.2.1, mod_tokens, WhitelistType). Pure."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from mappings.canonical.tokens import Identification, Token, TokenType, Whitelist


class Word(Enum):
    """What is to be done with a token."""

    ACCEPT = auto()
    """Let its driver charge, asking nobody."""
    REFUSE = auto()
    """Its EMSP does not stand for it."""
    OFFLINE = auto()
    """Ask; accept it if nobody can be reached."""
    ASK = auto()
    """Ask, and do as is answered."""


_LISTED: Final[Mapping[Whitelist, Word]] = {
    Whitelist.ALWAYS: Word.ACCEPT,
    Whitelist.ALLOWED: Word.ACCEPT,  # either way is allowed; the local list is the one that the driver waits less for
    Whitelist.ALLOWED_OFFLINE: Word.OFFLINE,
    Whitelist.NEVER: Word.ASK,
}

# A hub that tells of a token in an answer, and does not push any, wants its reference of that very charge in session
# and CDR: a charge without it is better than none only while the hub is silent.
_SEEN: Final[Mapping[Whitelist, Word]] = {
    Whitelist.ALWAYS: Word.OFFLINE,
    Whitelist.ALLOWED: Word.OFFLINE,
    Whitelist.ALLOWED_OFFLINE: Word.OFFLINE,
    Whitelist.NEVER: Word.ASK,
}

# Plug & Charge has no type of its own in OCPI 2.2.1.
_TYPES: Final[Mapping[TokenType, frozenset[TokenType]]] = {
    **{type_: frozenset({type_}) for type_ in TokenType},
    TokenType.PLUG_AND_CHARGE: frozenset({TokenType.PLUG_AND_CHARGE, TokenType.OTHER}),
    TokenType.QR_CODE: frozenset(),  # only who knows the PIN can say whether it is right
}


def is_of(token: Token, identification: Identification) -> bool:
    """Tells whether a token that has the uid or contract of an identification is what the driver held up."""
    if token.type not in _TYPES[identification.type]:
        return False
    emsp = identification.party or (identification.contract_id.party if identification.contract_id else None)
    return emsp is None or emsp == token.party


def judge(token: Token, *, listed: bool) -> Word:
    """Says what is to be done with a token.

    Args:
        listed: Its EMSP pushed it; else it was seen in an answer.
    """
    if not token.valid:
        return Word.REFUSE if listed else Word.ASK
    return (_LISTED if listed else _SEEN)[token.whitelist]
