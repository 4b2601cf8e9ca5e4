"""Gireve's OCPI 2.2.1 as an EMSP speaks it for its drivers: their tokens, questions about them, and commands.

The source is Gireve's technical guide for OCPI 2.2.1 (tokens, commands, integration guidelines). Tokens go to Gireve by
PUT alone: it takes no PATCH of one, and does not pull them.
"""

from collections.abc import Mapping
from typing import Any

from mappings.canonical.commands import Command, ReserveNow, StartSession
from mappings.canonical.ids import ContractId
from mappings.canonical.tokens import Token, TokenType
from mappings.ocpi.dialects.gireve_charging import card_uid
from mappings.ocpi.v2_2_1 import authorisations, commands, tokens
from mappings.ocpi.v2_2_1.wire import Wire
from mappings.report import Issue, Refused

Source = bytes | str | Mapping[str, Any]

COMMANDS = frozenset({"START_SESSION", "STOP_SESSION"})
"""The commands that Gireve carries on (guide, Commands); it implements no other."""

authorisation_from_canonical = authorisations.from_canonical


def token_from_canonical(token: Token) -> tuple[Wire, list[Issue]]:
    """Writes a token, a card's uid in hexadecimal capitals.

    Raises:
        Refused: As in plain OCPI; or it is a card's, and its uid is not of 8 or 14 hexadecimal digits.
    """
    return tokens.from_canonical(_known(token, "uid"))


def question_to_canonical(
    uid: str, type_: str | None, source: Source | None = None
) -> tuple[authorisations.Question, list[Issue]]:
    """Reads a question about a driver.

    Args:
        uid: As the URL names it, decoded.
        type_: The query's `type`.
        source: The body.

    Returns:
        The question; where OTHER is asked for by what is a contract id, which is how the contract certificate of a car
        travels, it has the contract too.

    Raises:
        Refused: As in plain OCPI.
    """
    question, issues = authorisations.question_to_canonical(uid, type_, source)
    driver = question.identification
    contract = ContractId(uid)
    if driver.type is TokenType.OTHER and contract.well_formed:
        question = question._replace(identification=driver.model_copy(update={"contract_id": contract}))
    return question, issues


def command_from_canonical(command: Command, response_url: str) -> tuple[Wire, list[Issue]]:
    """Writes a command for a CPO behind Gireve, whom the request's headers have to name.

    Raises:
        Refused: As in plain OCPI; or a start names no EVSE, or a card that Gireve does not know cards by.
    """
    if isinstance(command, StartSession | ReserveNow):
        if isinstance(command, StartSession) and command.at.evse_uid is None:
            raise Refused("at.evse_uid", "Gireve demands it")
        if command.token is not None:
            command = command.model_copy(update={"token": _known(command.token, "token.uid")})
    return commands.from_canonical(command, response_url)


def _known(token: Token, field: str) -> Token:
    if token.type is not TokenType.RFID:
        return token
    return token.model_copy(update={"uid": card_uid(token.uid, field)})
