"""OCPI 2.2.1 commands, both ways, and what is said to them (mod_commands)."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from mappings.canonical.commands import (
    CancelReservation,
    Command,
    CommandAnswer,
    CommandResult,
    EvseRef,
    ReserveNow,
    StartSession,
    StopSession,
    UnlockConnector,
)
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Token
from mappings.ocpi import times, values
from mappings.ocpi.reading import Reader, Rules
from mappings.ocpi.v2_2_1 import enums_charging as enums
from mappings.ocpi.v2_2_1 import texts, tokens_in, tokens_out
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1 import wire_charging as wc
from mappings.ocpi.v2_2_1.wire import Wire
from mappings.report import Issue, Report

Source = bytes | str | Mapping[str, Any]

_RULES: Rules = {f"token.{field}": rule for field, rule in tokens_in.RULES.items()}
_READERS: dict[str, tuple[Reader[Any], frozenset[str]]] = {
    "START_SESSION": (Reader(wc.StartSession, _RULES, tokens_in.SECRET), w.names(wc.StartSession)),
    "STOP_SESSION": (Reader(wc.StopSession, {}), w.names(wc.StopSession)),
    "RESERVE_NOW": (Reader(wc.ReserveNow, _RULES, tokens_in.SECRET), w.names(wc.ReserveNow)),
    "CANCEL_RESERVATION": (Reader(wc.CancelReservation, {}), w.names(wc.CancelReservation)),
    "UNLOCK_CONNECTOR": (Reader(wc.UnlockConnector, {}), w.names(wc.UnlockConnector)),
}
_RESPONSES: Reader[wc.CommandResponse] = Reader(wc.CommandResponse, {})
_RESULTS: Reader[wc.CommandResult] = Reader(wc.CommandResult, {})
_ADDRESS = re.compile(
    r"https?://(?:[^/?#\s@]*@)?(?:\[[\da-f:.]+\]|[^/?#\s@\[\]]+)(?::\d*)?(?:[/?#]\S*)?", re.IGNORECASE
)

_LONGEST_URL = 255  # types, URL
_RESPONSE, _RESULT = w.names(wc.CommandResponse), w.names(wc.CommandResult)

KINDS = frozenset(_READERS)
"""The commands there are (mod_commands, CommandType)."""


class Request(NamedTuple):
    """A command, and where its result is wanted."""

    command: Command
    response_url: str


class Response(NamedTuple):
    """What a CPO says to a command at once.

    Attributes:
        timeout: Seconds after which the result will not come any more; None where it does not say.
        text: For a person.
    """

    result: CommandResult
    timeout: int | None
    text: str | None


def to_canonical(
    kind: str,
    source: Source,
    emsp: PartyId | None = None,
    received: datetime | None = None,
    cpo: PartyId | None = None,
) -> tuple[Request, list[Issue]]:
    """Reads a command.

    Args:
        kind: Which, as the last segment of the URL names it.
        source: JSON text, or an object that was parsed from JSON.
        emsp: Who asks, as the request's headers tell; a command with a token is its EMSP's, whoever passed it on.
        received: When it arrived, for a token without `last_updated`.
        cpo: Who is addressed, as the request's headers tell.

    Raises:
        Refused: OCPI has no such command; or where, for whom, until when or with what answer cannot be read.
    """
    report = Report()
    if kind not in _READERS:
        raise report.refuse("", "OCPI has no such command", kind)
    reader, known = _READERS[kind]
    wire = reader.read(source, report)
    values.dropped(wire, known, report, ())
    url = _url(wire["response_url"], report)
    if kind == "STOP_SESSION":
        at = None if cpo is None else EvseRef(party=cpo)
        stop = StopSession(session=_id(wire, "session_id", report), emsp=emsp, at=at)
        return Request(stop, url), report.issues
    if kind == "CANCEL_RESERVATION":
        at = None if cpo is None else EvseRef(party=cpo)
        cancel = CancelReservation(reservation=_id(wire, "reservation_id", report), emsp=emsp, at=at)
        return Request(cancel, url), report.issues
    place = _place(wire, cpo, report)
    return Request(_placed(kind, wire, place, emsp, received, report), url), report.issues


def _placed(
    kind: str, wire: Any, place: EvseRef, emsp: PartyId | None, received: datetime | None, report: Report
) -> Command:
    if kind == "UNLOCK_CONNECTOR":
        return UnlockConnector(at=place, emsp=emsp)
    token = tokens_in.token(wire["token"], report, ("token",), received)
    leg = Leg(
        reference=_maybe_id(wire, "authorization_reference", report),
        emsp=token.party,
        identification=token.identification,
    )
    if kind == "START_SESSION":
        return StartSession(at=place, emsp=token.party, leg=leg, token=token)
    return ReserveNow(
        at=place,
        emsp=token.party,
        leg=leg,
        token=token,
        reservation=_id(wire, "reservation_id", report),
        expires=values.moment(wire["expiry_date"], report, (), "expiry_date"),
    )


def _place(wire: Any, cpo: PartyId | None, report: Report) -> EvseRef:
    evse, connector = _maybe_id(wire, "evse_uid", report), _maybe_id(wire, "connector_id", report)
    if connector is not None and evse is None:
        raise report.refuse("evse_uid", "is missing, and a connector is named, which is one of an EVSE")
    return EvseRef(party=cpo, location_id=_id(wire, "location_id", report), evse_uid=evse, connector_id=connector)


def _id(wire: Any, field: str, report: Report) -> str:
    return values.own_id(wire[field], values.LONGEST_ID, report, (), field)


def _maybe_id(wire: Any, field: str, report: Report) -> str | None:
    return None if wire.get(field) is None else _id(wire, field, report)


def _url(text: str, report: Report) -> str:
    if _ADDRESS.fullmatch(text) is None:
        raise report.refuse("response_url", "not an address of HTTP")
    return text


def from_canonical(command: Command, response_url: str) -> tuple[Wire, list[Issue]]:
    """Writes a command; its `kind` is the last segment of the URL.

    Raises:
        Refused: It lacks the location, the connector or the token that OCPI demands, or an id or the address is too
            long.
    """
    report = Report()
    made: Wire = {"response_url": values.ident(response_url, _LONGEST_URL, report, (), "response_url")}
    if isinstance(command, StopSession):
        made["session_id"] = values.ident(command.session, values.LONGEST_ID, report, (), "session")
    elif isinstance(command, CancelReservation):
        made["reservation_id"] = values.ident(command.reservation, values.LONGEST_ID, report, (), "reservation")
    elif isinstance(command, UnlockConnector):
        made |= _place_out(command.at, report)
        for field in ("evse_uid", "connector_id"):
            if field not in made:
                raise report.refuse(f"at.{field}", "OCPI demands it")
    else:
        made["token"] = _token_out(command.token, report)
        made |= _place_out(command.at, report)
        if isinstance(command, ReserveNow):
            made["expiry_date"] = times.write(command.expires)
            made["reservation_id"] = values.ident(command.reservation, values.LONGEST_ID, report, (), "reservation")
            if made.pop("connector_id", None) is not None:
                values.not_said(command.at, ("connector_id",), report, ("at",), "OCPI reserves no connector")
        if command.leg.reference is not None:
            reference = values.ident(command.leg.reference, values.LONGEST_ID, report, ("leg",), "reference")
            made["authorization_reference"] = reference
    return made, report.issues


def _place_out(place: EvseRef, report: Report) -> Wire:
    if place.location_id is None:
        raise report.refuse("at.location_id", "OCPI demands it")
    return {
        field: value
        for field in ("location_id", "evse_uid", "connector_id")
        if (value := getattr(place, field)) is not None
    }


def _token_out(token: Token | None, report: Report) -> Wire:
    if token is None:
        raise report.refuse("token", "OCPI demands it")
    return tokens_out.token(token, report, ("token",))


def response_from_canonical(
    result: CommandResult, timeout: int, text: str | None = None, language: str = "en"
) -> tuple[Wire, list[Issue]]:
    """Writes what is said to a command at once (mod_commands, CommandResponse).

    Args:
        result: ACCEPTED, or why it will not be tried; what OCPI has no word for is REJECTED, with an issue.
        timeout: Seconds after which the result will not come any more.
        text: For a person.
        language: Of the text, ISO 639-1.
    """
    report = Report()
    made: Wire = {"result": values.said(enums.COMMAND_RESPONSES, result, report, (), "result"), "timeout": timeout}
    return made | _message(text, language, report), report.issues


def result_from_canonical(answer: CommandAnswer, language: str = "en") -> tuple[Wire, list[Issue]]:
    """Writes what came of a command (mod_commands, CommandResult); `language` is that of its text, ISO 639-1."""
    report = Report()
    made: Wire = {"result": values.said(enums.COMMAND_RESULTS, answer.result, report, (), "result")}
    values.not_said(answer, ("session_id",), report, (), "OCPI 2.2.1 has no place for it")
    return made | _message(answer.text, language, report), report.issues


def _message(text: str | None, language: str, report: Report) -> Wire:
    if not text:
        return {}
    return {"message": [{"language": language, "text": values.fit(text, texts.LONGEST, report, (), "text")}]}


def response_to_canonical(source: Source) -> tuple[Response, list[Issue]]:
    """Reads what a CPO says to a command at once.

    Raises:
        Refused: The result cannot be read.
    """
    report = Report()
    wire = _RESPONSES.read(source, report)
    values.dropped(wire, _RESPONSE, report, ())
    result = values.decisive(enums.COMMAND_RESPONSES, wire["result"], report, (), "result")
    return Response(result, wire.get("timeout"), _first(wire.get("message"), report)), report.issues


def result_to_canonical(source: Source) -> tuple[CommandAnswer, list[Issue]]:
    """Reads what came of a command.

    Raises:
        Refused: The result cannot be read.
    """
    report = Report()
    wire = _RESULTS.read(source, report)
    values.dropped(wire, _RESULT, report, ())
    result = values.decisive(enums.COMMAND_RESULTS, wire["result"], report, (), "result")
    return CommandAnswer(result=result, text=_first(wire.get("message"), report)), report.issues


def _first(wires: list[w.DisplayText] | None, report: Report) -> str | None:
    found = texts.texts_in(wires, report, ("message",))
    return found[0].text if found else None
