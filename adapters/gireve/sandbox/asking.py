"""How the sandbox IOP asks an EMSP's platform whether a driver may charge: POST authorize at its tokens, Sender.

What the EMSP answers goes to the CPO with Gireve's own `authorization_reference`; the EMSP's own is remembered beside
it.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from adapters.core import ocpi
from adapters.core.http import Reply
from adapters.core.sandbox import Sandbox
from adapters.gireve.sandbox.calling import Caller, DriveFailed
from adapters.gireve.sandbox.cards import TOKEN
from adapters.gireve.sandbox.checks import Refusal, Wrong
from adapters.gireve.sandbox.emsps import Driver, Emsps
from adapters.gireve.sandbox.platforms import Platform
from adapters.gireve.sandbox.shapes import Shape, checked, ci_string, exactly, inner, many, may, needs, one_of, text
from mappings.canonical.ids import PartyId
from mappings.ocpi.envelope import StatusCode

_ASKED = "asked"
_ALLOWED = "ALLOWED"
_REFERENCES: Shape = {"location_id": needs(ci_string(36)), "evse_uids": may(many(ci_string(36)))}
_INFO: Shape = {
    "allowed": needs(one_of(_ALLOWED, "BLOCKED", "EXPIRED", "NO_CREDIT", "NOT_ALLOWED")),
    "token": needs(inner(TOKEN)),
    "location": may(inner(_REFERENCES)),
    "authorization_reference": may(ci_string(36)),
    "info": may(inner({"language": needs(exactly(2)), "text": needs(text(512))})),
}


class Asking:
    """Real-time authorisations at registered EMSPs.

    Args:
        patience: Seconds that IOP waits for an EMSP.
        unknown_token: OCPI code for a token that the EMSP does not know.
    """

    def __init__(self, sandbox: Sandbox, caller: Caller, emsps: Emsps, patience: float, unknown_token: int) -> None:
        self._sandbox = sandbox
        self._caller = caller
        self._emsps = emsps
        self._patience = patience
        self._unknown_token = unknown_token

    async def ask(
        self,
        platform: Platform,
        emsp: PartyId,
        cpo: PartyId,
        uid: str,
        type_: str,
        location: str,
        evse: str | None,
        correlation: str | None = None,
    ) -> dict[str, Any]:
        """Asks; gives the AuthorizationInfo for the CPO.

        Args:
            platform: Where the EMSP is.
            correlation: Of the CPO's question.

        Raises:
            Refusal: The EMSP does not know the token, did not answer, or answered what is no answer.
        """
        told = await self._info(platform, emsp, cpo, uid, type_, location, evse, correlation)
        self._sandbox.counted(_ASKED, told["allowed"])
        answer = {name: told[name] for name in ("allowed", "token", "info") if told.get(name) is not None}
        if told["allowed"] == _ALLOWED:
            token = told["token"]
            driver = Driver(uid=token["uid"], type=token["type"], party=emsp, contract_id=token["contract_id"])
            answer["location"] = told.get("location") or {"location_id": location, "evse_uids": [evse] if evse else []}
            answer["authorization_reference"] = self._emsps.authorised(
                driver, cpo, location, evse, platform=platform.name, emsp_reference=told.get("authorization_reference")
            )
        return answer

    async def _info(
        self,
        platform: Platform,
        emsp: PartyId,
        cpo: PartyId,
        uid: str,
        type_: str,
        location: str,
        evse: str | None,
        correlation: str | None,
    ) -> Mapping[str, Any]:
        # Guide, LocationReferences mandatory: whatever the CPO named, the EMSP is asked about one EVSE.
        body = {"location_id": location} | ({"evse_uids": [evse]} if evse is not None else {})
        tail = f"{ocpi.path(uid, 'authorize')}?type={type_}"
        try:
            async with asyncio.timeout(self._patience):
                replies = await self._caller.call(
                    platform,
                    "POST",
                    "tokens/SENDER",
                    tail,
                    body,
                    sender=cpo,
                    receiver=emsp,
                    correlation=correlation,
                )
        except TimeoutError:
            self._sandbox.counted(_ASKED, "silent")
            raise Refusal(200, StatusCode.TIMEOUT_ON_FORWARDED_REQUEST, "The EMSP did not answer") from None
        except DriveFailed as failed:
            self._sandbox.counted(_ASKED, "not reached")
            raise Refusal(200, StatusCode.CONNECTION_PROBLEM, str(failed)) from None
        return self._understood(replies[-1])

    def _understood(self, reply: Reply) -> Mapping[str, Any]:
        if reply.answer is None:
            self._sandbox.counted(_ASKED, "not reached")
            raise Refusal(200, StatusCode.CONNECTION_PROBLEM, "The EMSP is not reached")
        found = ocpi.said(reply.answer)
        if found is not None and (reply.answer.status == 404 or found.code == StatusCode.UNKNOWN_TOKEN):
            self._sandbox.counted(_ASKED, "unknown token")
            raise Refusal(404, self._unknown_token, "Unknown token")
        if found is None or found.code != StatusCode.SUCCESS:
            self._sandbox.counted(_ASKED, f"HTTP {reply.answer.status} {found.code if found else ''}".strip())
            raise Refusal(200, StatusCode.HUB_ERROR, "The EMSP answered with an error")
        try:
            return checked(found.data, _INFO)
        except Wrong as wrong:
            self._sandbox.counted(_ASKED, f"wrong: {wrong}")
            raise Refusal(200, StatusCode.HUB_ERROR, "The EMSP answered wrongly") from None
