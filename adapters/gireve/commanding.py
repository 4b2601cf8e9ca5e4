"""Sending commands for our drivers (OCPI 2.2.1, mod_commands, Sender; guide, EMSP side, commands).

IOP is told which CPO a command is for by `OCPI-to`, since ids of locations and sessions are the CPOs' own.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from adapters.core import ocpi
from adapters.core.http import Answer
from adapters.core.outcomes import Delivered, Misconfigured, Outcome, OutcomeUnknown, words
from adapters.core.roaming import CommandSent
from adapters.gireve.errors import COMMAND_REFUSALS, judge
from adapters.gireve.line import Line
from mappings.canonical.commands import Command, CommandAnswer, CommandResult
from mappings.canonical.ids import PartyId
from mappings.ocpi.dialects import gireve_drivers
from mappings.ocpi.v2_2_1 import commands
from mappings.report import Refused

RESULTS_PATH = f"/ocpi/{ocpi.VERSION}/sender/commands"
"""Below it IOP tells the results of commands, by kind and id."""

_COMMANDS = "commands/RECEIVER"
_NO_ANSWERS, _SERVER_ERRORS = {401, 403, 429}, 500
"""HTTP statuses that speak of the request, not of the command, whatever OCPI code comes with them."""

_LONGEST_TIMEOUT = 86_400


class Commanding:
    """Sends commands over one connection.

    Args:
        public_url: Where IOP reaches the gateway.
        speakers: Gives the EMSPs that the connection speaks for.
        now: The clock.
    """

    def __init__(
        self,
        line: Line,
        public_url: str,
        speakers: Callable[[], Awaitable[Sequence[PartyId]]],
        now: Callable[[], datetime],
    ) -> None:
        self._line, self._public_url, self._speakers, self._now = line, public_url, speakers, now

    async def command(self, id_: str, command: Command, cpo: PartyId) -> CommandSent:
        """See `RoamingAdapter.command`."""
        endpoint = self._line.endpoint(_COMMANDS)
        if isinstance(endpoint, Misconfigured):
            return _no(CommandResult.FAILED, endpoint.reason)
        speaker = await self._speaker(command)
        if speaker is None:
            return _no(CommandResult.FAILED, "the connection speaks for no EMSP, in whose name to ask")
        try:
            url = f"{self._public_url}{RESULTS_PATH}/{ocpi.path(command.kind, id_)}"
            body, _ = gireve_drivers.command_from_canonical(command, url)
        except Refused as refused:
            return _no(CommandResult.REJECTED, str(refused))
        said: CommandSent | None = None

        def understood(got: Answer) -> Outcome:
            nonlocal said
            said, outcome = self._read(got)
            return outcome

        reply = await self._line.request(
            command.kind.lower(),
            "POST",
            ocpi.below(endpoint, command.kind),
            body,
            speaker,
            understood,
            correlation=id_,
            receiver=cpo,
        )
        return said if said is not None else _without_answer(reply.outcome)

    async def _speaker(self, command: Command) -> PartyId | None:
        if command.emsp is not None:
            return command.emsp
        return next(iter(await self._speakers()), None)

    def _read(self, got: Answer) -> tuple[CommandSent, Outcome]:
        """Reads a CommandResponse, which may stand beside an error; else what the error means."""
        outcome = judge(got, "POST", self._now())
        if got.status in _NO_ANSWERS or got.status >= _SERVER_ERRORS:
            return _without_answer(outcome), outcome
        found = ocpi.said(got)
        data = found.data if found is not None else None
        response = _response(data)
        if response is not None and response.result is not CommandResult.ACCEPTED:
            return _no(response.result, response.text), Delivered()
        if found is not None and (result := COMMAND_REFUSALS.get(found.code)) is not None:
            return _no(result, found.message), Delivered()
        if response is not None and isinstance(outcome, Delivered):
            return CommandSent(None, timeout=_timeout(response.timeout)), outcome
        if isinstance(outcome, Delivered):
            # It was taken, and nobody says what becomes of it: the result may still come.
            outcome = OutcomeUnknown("the answer has no CommandResponse")
        return _without_answer(outcome), outcome


def not_supported(command: Command) -> CommandSent:
    """Says that a command of this kind is not sent over a connection."""
    return _no(CommandResult.NOT_SUPPORTED, f"{command.kind} is not carried on over this connection")


def _response(data: Any) -> commands.Response | None:
    # The text's own examples wrap the response in a list of one.
    one = data[0] if isinstance(data, list) and len(data) == 1 else data
    if not isinstance(one, dict):
        return None
    try:
        return commands.response_to_canonical(one)[0]
    except Refused:
        return None


def _timeout(seconds: int | None) -> timedelta | None:
    """Reads a time-out; one that leaves no time, or more than anybody waits, says nothing."""
    return timedelta(seconds=seconds) if seconds is not None and 0 < seconds <= _LONGEST_TIMEOUT else None


def _without_answer(outcome: Outcome) -> CommandSent:
    """Says what comes of a command that was not answered: where it may have been acted upon, its result may come."""
    if isinstance(outcome, OutcomeUnknown):
        return CommandSent(None)
    return _no(CommandResult.FAILED, words(outcome))


def _no(result: CommandResult, text: str | None) -> CommandSent:
    return CommandSent(CommandAnswer(result=result, text=text or None))
