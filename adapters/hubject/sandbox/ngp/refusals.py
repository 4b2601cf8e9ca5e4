"""Why a request to the NGP API, or an act in the portal, is refused."""

from collections.abc import Iterable
from typing import Final

from aiohttp import web

from adapters.hubject.sandbox.rules import Wrong

INVALID: Final = "Error parsing/validating JSON."
"""What the real hub says where fields are wrong."""


class Refused(Exception):
    """A request is refused; nothing was changed.

    Attributes:
        status: Of HTTP: 400 where fields are wrong, 404 where something is not there, 409 where an act comes too late.
        message: For people.
        wrong: The fields.
    """

    def __init__(self, status: int, message: str, wrong: Iterable[Wrong] = ()) -> None:
        self.status = status
        self.message = message
        self.wrong = tuple(wrong)
        super().__init__("; ".join([message, *(f"{each.field}: {each.text}" for each in self.wrong)]))


def invalid(wrong: Iterable[Wrong]) -> Refused:
    """Makes the refusal of wrong fields."""
    return Refused(400, INVALID, wrong)


def not_found(what: str) -> Refused:
    """Makes the refusal of something that is not there."""
    return Refused(404, f"{what} not found")


def fault_body(refused: Refused) -> web.Response:
    """Writes a FaultBody."""
    listed = [{"fieldReference": each.field, "errorMessage": each.text} for each in refused.wrong]
    body = {"extendedInfo": None, "message": refused.message, "validationErrors": listed}
    return web.json_response(body, status=refused.status)
