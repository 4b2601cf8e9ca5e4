"""Real-time authorisation as an EMSP is asked for it and answers (OCPI 2.2.1, mod_tokens, POST).

How a CPO asks and reads the answer stands with the tokens.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from mappings.canonical.tokens import AllowedType, Identification, TokenType
from mappings.ocpi import values
from mappings.ocpi.reading import Reader, Rule, Rules
from mappings.ocpi.v2_2_1 import enums_charging as enums
from mappings.ocpi.v2_2_1 import texts, tokens_out
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1 import wire_charging as wc
from mappings.ocpi.v2_2_1.tokens_in import Authorisation, LocationReferences
from mappings.ocpi.v2_2_1.wire import Wire
from mappings.report import Issue, IssueKind, Report

Source = bytes | str | Mapping[str, Any]

_RULES: Rules = {"evse_uids": Rule.SET_ASIDE, "evse_uids[]": Rule.LEAVE_OUT}
_PLACES: Reader[wc.LocationReferences] = Reader(wc.LocationReferences, _RULES)
_PLACE = w.names(wc.LocationReferences)
_NOWHERE = frozenset({"", "null", "{}"})


class Question(NamedTuple):
    """May this driver charge?

    Attributes:
        identification: What was held up: the URL's uid and type, whose EMSP and contract the question does not name.
        place: Where; None where the question does not tell. An EMSP that must know answers with OCPI's status 2002.
    """

    identification: Identification
    place: LocationReferences | None

    @property
    def evse_uid(self) -> str | None:
        """The EVSE where the driver stands; None where the question names none, or several."""
        uids = () if self.place is None else self.place.evse_uids
        return uids[0] if len(uids) == 1 else None


def question_to_canonical(uid: str, type_: str | None, source: Source | None = None) -> tuple[Question, list[Issue]]:
    """Reads a question.

    Args:
        uid: As the URL names it, decoded.
        type_: The query's `type`; None where it is left out, which means RFID.
        source: The body; None or empty where there is none.

    Raises:
        Refused: There is no such type, the uid is empty or longer than 36 characters, or the place cannot be read. No
            issue shows the uid.
    """
    report = Report()
    kind = TokenType.RFID if type_ is None else values.decisive(enums.TOKEN_TYPES, type_, report, (), "type")
    held = values.own_id(uid, values.LONGEST_ID, report, (), "uid", secret=True)
    return Question(Identification(type=kind, uid=held), _place(source, report)), report.issues


def _place(source: Source | None, report: Report) -> LocationReferences | None:
    if not source or _text(source) in _NOWHERE:
        return None
    wire = _PLACES.read(source, report)
    values.dropped(wire, _PLACE, report, ())
    location = values.own_id(wire["location_id"], values.LONGEST_ID, report, (), "location_id")
    uids = dict.fromkeys(each for each in wire.get("evse_uids") or () if each)
    fitting = tuple(uid for uid in uids if len(uid) <= values.LONGEST_ID)
    if len(fitting) < len(uids):
        report.add(IssueKind.LEFT_OUT, "evse_uids", f"left out: longer than {values.LONGEST_ID} characters")
    return LocationReferences(location, fitting)


def _text(source: Source) -> str | None:
    if isinstance(source, Mapping) or len(source) > max(map(len, _NOWHERE)) + 8:
        return None
    return (source.decode(errors="replace") if isinstance(source, bytes) else source).strip()


def from_canonical(answer: Authorisation, language: str = "en") -> tuple[Wire, list[Issue]]:
    """Writes an answer (AuthorizationInfo).

    Args:
        answer: Its token is the one that was asked for; whoever does not know it answers with OCPI's status 2004.
        language: Of its `info`, ISO 639-1.

    Raises:
        Refused: It has no token, or one that cannot be said; or its reference is longer than 36 characters, which
            session and CDR could not bring back.
    """
    report = Report()
    if answer.token is None:
        raise report.refuse("token", "OCPI demands it")
    made: Wire = {
        "allowed": values.said(enums.ALLOWED_TYPES, answer.allowed, report, (), "allowed"),
        "token": tokens_out.token(answer.token, report, ("token",)),
    }
    if answer.location is not None:
        # AuthorizationInfo, location: told if the driver may charge there, with the EVSEs where that is so.
        if answer.allowed is AllowedType.ALLOWED:
            made["location"] = _place_out(answer.location)
        else:
            report.add(IssueKind.LOST, "location", "a place is named only where the driver may charge")
    if answer.reference is not None:
        reference = values.ident(answer.reference, values.LONGEST_ID, report, (), "reference")
        made["authorization_reference"] = reference
    if answer.info:
        made["info"] = {"language": language, "text": values.fit(answer.info, texts.LONGEST, report, (), "info")}
    return made, report.issues


def _place_out(place: LocationReferences) -> Wire:
    made: Wire = {"location_id": place.location_id}
    return {**made, "evse_uids": list(place.evse_uids)} if place.evse_uids else made
