"""Commands for our drivers at other operators' stations: remote starts and stops, and reservations (OICP 2.3)."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from adapters.core.http import Answer as HttpAnswer
from adapters.core.http import compact_json
from adapters.core.outcomes import Delivered, Outcome, OutcomeUnknown, words
from adapters.core.roaming import CommandSent
from adapters.core.secured import SecuredClient
from adapters.hubject.errors import COMMAND_OUTCOMES, outcome_of
from adapters.hubject.provider.settings import REMOTE, ProviderSettings
from mappings.canonical.commands import (
    CancelReservation,
    Command,
    CommandAnswer,
    CommandResult,
    ReserveNow,
    StartSession,
    StopSession,
)
from mappings.oicp.v2_3 import sent_commands
from mappings.oicp.v2_3.sent_commands import Acknowledged
from mappings.oicp.v2_3.wire import Record
from mappings.report import Refused

_REFUSED: Final = {
    "session": CommandResult.UNKNOWN_SESSION,
    "reservation": CommandResult.UNKNOWN_RESERVATION,
    "at.evse_id": CommandResult.UNKNOWN_EVSE,
}
"""What comes of a command that cannot be said, by the field for which it cannot: Hubject has no such thing."""


class Commanding:
    """Gives commands over one connection.

    Args:
        now: The clock, from which a reservation's minutes count.
    """

    def __init__(self, client: SecuredClient, settings: ProviderSettings, now: Callable[[], datetime]) -> None:
        self._client, self._settings, self._now = client, settings, now

    async def command(self, command: Command) -> CommandSent:
        """See `RoamingAdapter.command`. Hubject answers in the same request, with what the CPO said."""
        if command.kind not in REMOTE:
            return _failed(CommandResult.NOT_SUPPORTED, "OICP has no such command")
        try:
            path, body = self._written(command)
        except Refused as refused:
            return _failed(_REFUSED.get(refused.reason.field, CommandResult.NOT_SUPPORTED), str(refused))
        said: Acknowledged | None = None

        def judge(answer: HttpAnswer) -> Outcome:
            nonlocal said
            try:
                said, _ = sent_commands.answer_to_canonical(answer.json(), command)
            except ValueError:
                said = None
            understood = answer.status != 429 and said is not None and said.answer is not None
            return Delivered() if understood else outcome_of(answer, COMMAND_OUTCOMES)

        url = self._settings.base_url.rstrip("/") + path
        reply = await self._client.request(REMOTE[command.kind], "POST", url, judge=judge, body=compact_json(body))
        if isinstance(reply.outcome, Delivered) and said is not None and said.answer is not None:
            return CommandSent(said.answer, said.leg)
        # Where nobody knows, the CPO may have begun all the same; whoever waits shall look before trying again.
        unknown = isinstance(reply.outcome, OutcomeUnknown)
        return _failed(CommandResult.TIMEOUT if unknown else CommandResult.FAILED, words(reply.outcome))

    def _written(self, command: Command) -> tuple[str, Record]:
        provider, path = self._settings.provider_id, self._settings.path
        match command:
            case StartSession():
                body, _ = sent_commands.start_from_canonical(command, provider)
                return path("charging", "v21", "authorize-remote/start"), body
            case StopSession():
                body, _ = sent_commands.stop_from_canonical(command, provider)
                return path("charging", "v21", "authorize-remote/stop"), body
            case ReserveNow():
                body, _ = sent_commands.reservation_from_canonical(command, provider, self._now())
                return path("reservation", "v11", "reservation-start-request"), body
            case CancelReservation():
                body, _ = sent_commands.cancellation_from_canonical(command, provider)
                return path("reservation", "v11", "reservation-stop-request"), body
        raise Refused("kind", "OICP has no such command", command.kind)


def _failed(result: CommandResult, text: str) -> CommandSent:
    return CommandSent(CommandAnswer(result=result, text=text))
