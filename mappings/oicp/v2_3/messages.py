"""The messages around the records: pushes out, acknowledgements in (OICP 2.3, CPO Services and Operations)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from mappings.canonical.ids import PartyId
from mappings.oicp.status_codes import CODES, Meaning
from mappings.oicp.v2_3.vocabulary import ActionType
from mappings.oicp.v2_3.wire import Record

OPERATOR_NAME_LENGTH = 100
_LONGEST_TEXT = 1000


def push_evse_data(action: ActionType, operator_id: PartyId, operator_name: str, records: list[Record]) -> Record:
    """Makes an eRoamingPushEvseData message.

    Args:
        action: What Hubject does with the records; FULL_LOAD replaces everything under the OperatorID.
        operator_id: The party of the connection's certificate.
        operator_name: Free text; what exceeds 100 characters is cut.
        records: EvseDataRecords, no EvseID twice.
    """
    return {
        "ActionType": action.value,
        "OperatorEvseData": {
            "OperatorID": operator_id.normal,
            "OperatorName": operator_name[:OPERATOR_NAME_LENGTH],
            "EvseDataRecord": records,
        },
    }


def push_evse_status(action: ActionType, operator_id: PartyId, operator_name: str, records: list[Record]) -> Record:
    """Makes an eRoamingPushEvseStatus message; arguments as for `push_evse_data`."""
    return {
        "ActionType": action.value,
        "OperatorEvseStatus": {
            "OperatorID": operator_id.normal,
            "OperatorName": operator_name[:OPERATOR_NAME_LENGTH],
            "EvseStatusRecord": records,
        },
    }


class Acknowledgement(NamedTuple):
    """An eRoamingAcknowledgement, or what a body that is none says in its place.

    Attributes:
        result: What the hub said; None where it did not.
        code: Three digits; None where there is none.
        text: Description, additional information and refused fields, for a person.
        session_id: The hub's session.
        cpo_session_id: The CPO's id of the session.
        emp_session_id: The EMP's id of the session.
    """

    result: bool | None
    code: str | None
    text: str
    session_id: str | None = None
    cpo_session_id: str | None = None
    emp_session_id: str | None = None

    @property
    def meaning(self) -> Meaning | None:
        """The code's line in the table; None for a code that OICP 2.3 does not have."""
        return None if self.code is None else CODES.get(self.code)


def read_acknowledgement(body: Any) -> Acknowledgement | None:
    """Reads the parsed body of an answer, whatever its HTTP status.

    Read are the acknowledgement with explicit nulls or without `Result`, a status code alone, a code written as a
    number, and the validator's `{"message", "validationErrors": [{"fieldReference", "errorMessage"}]}`.

    Returns:
        None where the body is none of these, so that nothing is known of the outcome but the HTTP status.
    """
    if not isinstance(body, Mapping):
        return None
    fields = {str(key).casefold(): value for key, value in body.items() if value is not None}
    status = fields.get("statuscode")
    inner = (
        {str(k).casefold(): v for k, v in status.items() if v is not None} if isinstance(status, Mapping) else fields
    )
    result = fields.get("result")
    code = _code(inner.get("code"))
    told = [str(inner[key]) for key in ("description", "additionalinfo") if key in inner]
    told += [str(fields["message"])] if "message" in fields else []
    told += _validation_errors(fields.get("validationerrors"))
    if not isinstance(result, bool) and code is None and not told:
        return None
    return Acknowledgement(
        result=result if isinstance(result, bool) else None,
        code=code,
        text="; ".join(dict.fromkeys(told))[:_LONGEST_TEXT],
        session_id=_text(fields.get("sessionid")),
        cpo_session_id=_text(fields.get("cpopartnersessionid")),
        emp_session_id=_text(fields.get("emppartnersessionid")),
    )


def _code(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    return text.zfill(3) if text.isdigit() and len(text) <= 3 else None


def _validation_errors(value: Any) -> list[str]:
    if not isinstance(value, list):
        return []
    return [
        ": ".join(str(item[key]) for key in ("fieldReference", "errorMessage") if item.get(key))
        for item in value
        if isinstance(item, Mapping)
    ]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
