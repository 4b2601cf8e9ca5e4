"""A request of IOP's whose sender is known, what is read of it, and what it is answered with.

OCPI 2.2.1: transport_and_format and status_codes.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web
from pydantic_core import from_json

from adapters.core import ocpi
from adapters.core.connection import Connection
from adapters.core.http import holds_nul
from adapters.core.inbound import Window
from adapters.core.ocpi import BadParameter
from adapters.gireve.settings import Settings
from mappings.canonical.ids import PartyId
from mappings.ocpi.envelope import StatusCode
from mappings.report import Refused

MAX_BODY = 64 * 1024
LARGE = 4 * 1024 * 1024
"""Bounds on a body, bytes: of nearly anything, and of what holds lists: a location with very many EVSEs, a tariff with
a price for every hour, a session with its periods, a CDR with signed readings."""

_ASIDE = 256 * 1024
_T = TypeVar("_T")


class Failure(Exception):
    """A request that is answered with an error: HTTP status, OCPI code, and what to say.

    Attributes:
        data: What is answered beside the error, where the protocol has a place for it; wire form.
    """

    def __init__(self, status: int, code: StatusCode, message: str | None = None, *, data: Any = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.data = status, code, message, data


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose sender is known."""

    request: web.Request
    connection: Connection
    settings: Settings
    token: str

    async def read(self, reading: Callable[[bytes], _T], most: int = MAX_BODY) -> _T:
        """Reads what the body says; a very large one aside, so that others need not wait for it.

        Args:
            reading: Makes of the body what is wanted; raises `Refused` where it cannot.
            most: Bytes that it may have.

        Raises:
            Failure: HTTP 413: it has more, which no object has that IOP sends. OCPI 2001: as `unusable`; also where it
                holds a character that cannot be stored.
        """
        body = await self._body(most)
        if holds_nul(body):
            raise unusable(Refused("", "a text holds NUL"), body)
        return await self.used(body, reading)

    @staticmethod
    async def used(body: bytes, reading: Callable[[bytes], _T]) -> _T:
        """Makes of a body what is wanted, aside where it is very large.

        By itself for a body whose reading needs what had to be looked for first.

        Raises:
            Failure: As `unusable`.
        """
        try:
            return reading(body) if len(body) <= _ASIDE else await asyncio.to_thread(reading, body)
        except Refused as refused:
            raise unusable(refused, body) from None

    async def _body(self, most: int) -> bytes:
        body = bytearray()
        async for chunk in self.request.content.iter_any():
            body += chunk
            if len(body) > most:
                raise Failure(413, StatusCode.INVALID_PARAMETERS, f"more than {most} bytes")
        return bytes(body)

    def sender(self) -> PartyId | None:
        """Gives the party in whose name the request is made, where that is another than IOP itself."""
        named = ocpi.party_in(self.request.headers, ocpi.FROM_COUNTRY, ocpi.FROM_PARTY)
        return None if named == self.settings.hub_party else named

    def recipient(self) -> PartyId | None:
        """Gives the party that the request is addressed to, where it names one, of which IOP is none."""
        named = ocpi.party_in(self.request.headers, ocpi.TO_COUNTRY, ocpi.TO_PARTY)
        return None if named == self.settings.hub_party else named

    def owner(self) -> PartyId:
        """Gives the party of the object that the URL names (transport_and_format, Client Owned Object Push).

        Raises:
            Failure: HTTP 404, OCPI 2001: it is none, or another than the request is made for.
        """
        names = self.request.match_info
        try:
            party = PartyId.of(names["country"], names["party"])
        except ValueError:
            raise Failure(404, StatusCode.INVALID_PARAMETERS, "the URL names no party") from None
        # IOP speaks for all CPOs, and where it names one, for that alone.
        if self.sender() not in {None, party}:
            raise Failure(404, StatusCode.INVALID_PARAMETERS, f"{ocpi.FROM_PARTY}: not the object's party")
        return party

    def window(self) -> Window:
        """Reads the parameters of a list request.

        Raises:
            Failure: HTTP 400, OCPI 2001: one is malformed.
        """
        try:
            return ocpi.read_window(self.request.query, self.settings.page_cap)
        except BadParameter as bad:
            raise Failure(400, StatusCode.INVALID_PARAMETERS, str(bad)) from None


@dataclass(frozen=True, slots=True)
class Given:
    """What is answered with success.

    Attributes:
        data: JSON-able, wire form; None for none.
        status: HTTP status.
    """

    data: Any = None
    headers: dict[str, str] | None = None
    status: int = 200


def unusable(refused: Refused, body: bytes) -> Failure:
    """Says what is wrong with a body: OCPI 2001, with HTTP 400 only where it is no JSON.

    What is JSON, of a sender who may, and sent to an address that is there has reached OCPI's own layer, and is not
    answered with an error of HTTP (status_codes). To IOP such an error would mean that it has to send it again (guide,
    store and forward).
    """
    try:
        from_json(body, allow_inf_nan=False)
    except ValueError:
        return Failure(400, StatusCode.INVALID_PARAMETERS, str(refused))
    return Failure(200, StatusCode.INVALID_PARAMETERS, str(refused))
