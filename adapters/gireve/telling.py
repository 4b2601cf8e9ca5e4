"""What IOP is told of sessions, CDRs and results of commands (OCPI 2.2.1, mod_sessions, mod_cdrs, mod_commands); pure.

Sessions are PUT whole: IOP has no PATCH of them (guide, PATCH Sessions). A session and its CDR share a lane, so that
the CDR comes after the session's last PUT.

A path begins with country and code of the party that speaks, since the headers name it.
"""

from collections.abc import Mapping
from urllib.parse import unquote

from adapters.core import ocpi
from adapters.core.adapter import Call
from adapters.core.charging import CommandOutcome, Message
from adapters.core.http import UrlRefused
from adapters.gireve.settings import CDRS, COMMAND_RESULTS, SESSIONS, CdrCost, Settings
from mappings.canonical.cdrs import Cdr, CdrLocation
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Session
from mappings.ocpi.dialects import gireve_charging as gireve
from mappings.ocpi.v2_2_1 import commands
from mappings.ocpi.v2_2_1.wire import Wire
from mappings.report import Issue, Refused

RESPONSE_URL, CORRELATION = "response_url", "correlation_id"
"""Fields of `CommandOutcome.reply_to`: where IOP wants to hear the result, and as a consequence of what."""

_NO_CORRELATION = "-"


class Telling:
    """Writes what one connection tells."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def of_session(self, session: Session, place: CdrLocation, leg: Leg | None) -> list[Message]:
        """See `ChargingAdapter.of_session`. A reservation is told of too, as mod_sessions demands (Reservation)."""
        if leg is None:
            if not self._settings.advenir:
                return []
            session = gireve.nameless_session(session)  # the stored message shall name nobody either
        lane = f"{session.party}/{session.id}"
        return [
            Message(
                operation=SESSIONS,
                kind="PUT",
                lane=lane,
                key=lane,
                party=session.party,
                session=session,
                place=place,
                leg=leg,
            )
        ]

    def of_cdr(self, cdr: Cdr, leg: Leg | None) -> list[Message]:
        """See `ChargingAdapter.of_cdr`."""
        if leg is None:
            if not self._settings.advenir:
                return []
            cdr = gireve.nameless_cdr(cdr)
        key = f"{cdr.party}/{cdr.id}"
        lane = key if cdr.session_id is None else f"{cdr.party}/{cdr.session_id}"
        return [Message(operation=CDRS, kind="POST", lane=lane, key=key, party=cdr.party, cdr=cdr, leg=leg)]

    def of_result(self, outcome: CommandOutcome, party: PartyId) -> list[Message]:
        """See `ChargingAdapter.of_result`."""
        lane = f"command/{outcome.command}"
        return [
            Message(operation=COMMAND_RESULTS, kind="POST", lane=lane, key=outcome.command, party=party, result=outcome)
        ]

    def render(self, message: Message) -> tuple[Call, list[Issue]]:
        """See `ChargingAdapter.render`."""
        tail: str
        body: Wire
        if (session := message.session) is not None:
            tail = ocpi.path(session.id)
            body, issues = self._session(session, message.leg)
        elif (cdr := message.cdr) is not None:
            tail = ocpi.path(cdr.id)
            body, issues = self._cdr(cdr, message.leg)
        elif (result := message.result) is not None:
            tail = self._reply_to(result.reply_to)
            body, issues = commands.result_from_canonical(result.answer)
        else:
            raise Refused("", "the message says nothing")
        path = f"{ocpi.path(message.party.country, message.party.code)}/{tail}"
        return Call(message.operation, message.kind, path, body, ()), issues

    def _session(self, session: Session, leg: Leg | None) -> tuple[Wire, list[Issue]]:
        if leg is not None:
            return gireve.session_from_canonical(session, leg)
        return gireve.anonymous_session_from_canonical(session, self._settings.advenir_card)

    def _cdr(self, cdr: Cdr, leg: Leg | None) -> tuple[Wire, list[Issue]]:
        cost = self._settings.cdr_cost
        if cost is CdrCost.NONE:
            cdr, withheld = gireve.without_cost(cdr)
        else:
            withheld = []
        wire, issues = self._written(cdr, leg, zero_cost=cost is not CdrCost.OWN)
        return wire, [*withheld, *issues]

    def _written(self, cdr: Cdr, leg: Leg | None, *, zero_cost: bool) -> tuple[Wire, list[Issue]]:
        if leg is not None:
            return gireve.cdr_from_canonical(cdr, leg, zero_cost=zero_cost)
        return gireve.anonymous_cdr_from_canonical(cdr, self._settings.advenir_card, zero_cost=zero_cost)

    def _reply_to(self, reply_to: Mapping[str, str]) -> str:
        """Writes where a result goes: the id of what it is a consequence of, then the whole URL.

        Raises:
            Refused: There is none, or it may not be called (any more).
        """
        try:
            url = self._settings.checked(reply_to[RESPONSE_URL])
        except KeyError:
            raise Refused("result.reply_to", "names no address") from None
        except UrlRefused as refused:
            raise Refused("result.reply_to", f"may not be called: {refused}") from None
        return f"{ocpi.path(reply_to.get(CORRELATION, _NO_CORRELATION))}/{url}"


def target(tail: str) -> tuple[str, str | None]:
    """Reads the rest of a result's path: the URL, and the id of what it is a consequence of."""
    correlation, url = tail.split("/", 1)
    return url, None if correlation == _NO_CORRELATION else unquote(correlation)


def reply_to(response_url: str, correlation: str | None) -> dict[str, str]:
    """Makes `CommandOutcome.reply_to`."""
    made = {RESPONSE_URL: response_url}
    return made if not correlation else {**made, CORRELATION: correlation}
