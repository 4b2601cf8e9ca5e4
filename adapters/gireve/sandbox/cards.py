"""The tokens that EMSPs' platforms push to the sandbox IOP: the module tokens, Receiver (guide, eMSP tokens)."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from adapters.core.sandbox import Sandbox
from adapters.gireve.sandbox.charge_checks import RFID_UID, TOKEN_TYPES
from adapters.gireve.sandbox.checks import Refusal, Wrong
from adapters.gireve.sandbox.packed import Packed
from adapters.gireve.sandbox.platforms import EMSP, Role
from adapters.gireve.sandbox.serving import RECEIVER, Given, Serve, body_of, owner_of, platform_of
from adapters.gireve.sandbox.shapes import (
    boolean,
    checked,
    ci_string,
    exactly,
    in_time,
    may,
    needs,
    one_of,
    stamp,
    text,
)
from mappings.canonical.ids import PartyId
from mappings.ocpi.envelope import StatusCode

TOKENS = "tokens"

TOKEN = {
    "country_code": needs(exactly(2)),
    "party_id": needs(exactly(3)),
    "uid": needs(ci_string(36)),
    "type": needs(one_of(*TOKEN_TYPES)),
    "contract_id": needs(ci_string(36)),
    "visual_number": may(text(64)),
    "issuer": needs(text(64)),
    "group_id": may(ci_string(36)),
    "valid": needs(boolean),
    "whitelist": needs(one_of("ALLOWED", "ALLOWED_OFFLINE", "ALWAYS", "NEVER")),
    "language": may(exactly(2)),
    "last_updated": needs(stamp),
}
"""A whole Token (OCPI 2.2.1, mod_tokens, Token Object)."""


class Cards:
    """The module tokens, with what was pushed: under `tokens`, `party/type/uid` with platform and token."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._owners: dict[tuple[str, str], str] = {}
        sandbox.memory[TOKENS] = Packed()

    def routes(self, served: Serve) -> list[web.RouteDef]:
        """Gives the routes."""
        token = f"{RECEIVER}/tokens/{{country}}/{{code}}/{{uid}}"
        return [
            web.put(token, served("tokens", self._put, role=EMSP)),
            web.patch(token, served("tokens", self._patch, role=EMSP)),
            web.get(token, served("tokens", self._get, role=EMSP)),
        ]

    @staticmethod
    def endpoints(origin: str, roles: frozenset[Role]) -> list[dict[str, str]]:
        """Gives what the version details name."""
        return [{"identifier": "tokens", "role": "RECEIVER", "url": f"{origin}{RECEIVER}/tokens"}] * (EMSP in roles)

    def find(self, uid: str, type_: str) -> tuple[str, Mapping[str, Any]] | None:
        """Finds a token by its uid, which has no case: the platform's name, and the token.

        Of a uid that several EMSPs have, it is the one that was pushed last.
        """
        key = self._owners.get((type_, uid.casefold()))
        record = self._sandbox.memory[TOKENS].get(key) if key is not None else None
        return None if record is None else (record["platform"], record["token"])

    async def _put(self, request: web.Request) -> Given:
        names, wire = request.match_info, checked(await body_of(request), TOKEN)
        type_ = _type(request)
        check_token(wire)
        if (wire["country_code"], wire["party_id"], wire["uid"]) != (names["country"], names["code"], names["uid"]):
            raise Wrong("country_code, party_id or uid is not that of the URL")
        if wire["type"] != type_:
            raise Wrong("type is not that of the URL, which is RFID where it names none")
        memory, key = self._sandbox.memory[TOKENS], _key(owner_of(request), type_, wire["uid"])
        before = memory.get(key)
        if before is not None and before["token"] == wire:
            self._sandbox.counted(TOKENS, "repeated")
        elif before is not None and in_time(before["token"]["last_updated"]) > in_time(wire["last_updated"]):
            self._sandbox.counted(TOKENS, "out of order")
        memory[key] = {"platform": platform_of(request).name, "token": wire}
        self._owners[type_, wire["uid"].casefold()] = key
        self._sandbox.received(TOKENS, key, "valid" if wire["valid"] else "not valid", wire["last_updated"])
        return Given({}, status=200 if before is not None else 201)

    async def _patch(self, _request: web.Request) -> dict[str, Any]:
        raise Refusal(405, StatusCode.CLIENT_ERROR, "PATCH Token is not implemented")

    async def _get(self, request: web.Request) -> Any:
        key = _key(owner_of(request), _type(request), request.match_info["uid"])
        record = self._sandbox.memory[TOKENS].get(key)
        if record is None:
            raise Refusal(404, StatusCode.UNKNOWN_TOKEN, "Unknown token")
        return record["token"]


def check_token(wire: Mapping[str, Any]) -> None:
    """Checks what a shape does not say.

    Raises:
        Wrong: It is no card's number (guide, RFID Tokens).
    """
    if wire["type"] == "RFID" and not RFID_UID.fullmatch(wire["uid"]):
        raise Wrong("the RFID UID has neither 8 nor 14 hexadecimal digits")


def _type(request: web.Request) -> str:
    type_ = request.query.get("type", "RFID")
    if type_ not in TOKEN_TYPES:
        raise Wrong(f"type is none of {', '.join(TOKEN_TYPES)}")
    return type_


def _key(party: PartyId, type_: str, uid: str) -> str:
    return f"{party}/{type_}/{uid.casefold()}"
