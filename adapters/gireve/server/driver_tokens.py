"""The Sender interface of tokens (OCPI 2.2.1, mod_tokens): our drivers' tokens, and whether one of them may charge.

IOP itself does not pull tokens yet (guide, EMSP side, tokens).
"""

from collections.abc import Sequence
from datetime import timedelta

from aiohttp import web

from adapters.core.charging import Allowed, Denial, Denied
from adapters.core.inbound import Asked as AskedFor
from adapters.gireve.server.asked import Asked, Failure, Given
from adapters.gireve.server.requests import SENDER, Desk
from adapters.gireve.settings import Settings
from mappings.canonical.commands import EvseRef
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import AllowedType, Token, Whitelist
from mappings.ocpi.dialects import gireve_drivers as gireve
from mappings.ocpi.envelope import StatusCode
from mappings.ocpi.v2_2_1.authorisations import Question
from mappings.ocpi.v2_2_1.enums import InterfaceRole, ModuleId
from mappings.ocpi.v2_2_1.enums_charging import TOKEN_TYPES
from mappings.ocpi.v2_2_1.tokens import Authorisation, LocationReferences
from mappings.ocpi.v2_2_1.versions import Endpoint
from mappings.report import Refused

_TOKENS = f"{SENDER}/tokens"
_UNKNOWN = frozenset({Denial.UNKNOWN_TOKEN, Denial.NO_CANDIDATE})

SAID: dict[Denial, AllowedType] = {
    **dict.fromkeys(Denial, AllowedType.NOT_ALLOWED),  # the token is known, and may not be used here and now
    Denial.BLOCKED: AllowedType.BLOCKED,
    Denial.EXPIRED: AllowedType.EXPIRED,
    Denial.NO_CREDIT: AllowedType.NO_CREDIT,
}
"""What is said of a token that is known (mod_tokens, AllowedType)."""


class DriverTokens:
    """Implements `Module` for the tokens of our own drivers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._drivers = desk.gateway.drivers

    def routes(self) -> Sequence[web.RouteDef]:
        """Gives the routes."""
        return [
            self._desk.route("GET", _TOKENS, "driver_tokens", self._list),
            self._desk.route("POST", f"{_TOKENS}/{{uid}}/authorize", "driver_authorise", self._authorise),
        ]

    def endpoints(self, settings: Settings) -> Sequence[Endpoint]:  # noqa: ARG002  # always served
        """Gives what the version details name of it."""
        return [Endpoint(ModuleId.TOKENS, InterfaceRole.SENDER, self._desk.url(_TOKENS))]

    async def _list(self, asked: Asked) -> Given:
        window = asked.window()
        page = await self._drivers.tokens(await self._desk.addressed(asked), window)
        return self._desk.page(asked, window, page, lambda token: gireve.token_from_canonical(token)[0])

    async def _authorise(self, asked: Asked) -> Given:
        uid, type_ = asked.request.match_info["uid"], asked.request.query.get("type")
        if type_ is not None and TOKEN_TYPES.find(type_) is None:
            raise Failure(400, StatusCode.INVALID_PARAMETERS, "type: there is no such type of token")
        question = await asked.read(lambda body: gireve.question_to_canonical(uid, type_, body)[0])
        answer = await self._drivers.authorise(asked.connection, _asked_for(asked, question))
        if isinstance(answer, Allowed):
            token = answer.token or self._token_of(answer)
            said = Authorisation(
                AllowedType.ALLOWED, token, question.place, answer.leg.reference or answer.leg.emsp_session, answer.info
            )
        elif isinstance(answer, Denied):
            said = _denied(answer)
        else:
            raise Failure(404, StatusCode.UNKNOWN_TOKEN, "nobody answered for it in time")
        try:
            return Given(gireve.authorisation_from_canonical(said)[0])
        except Refused as refused:
            # A yes that names no driver would bill nobody.
            raise Failure(404, StatusCode.UNKNOWN_TOKEN, f"it cannot be answered for: {refused}") from None

    def _token_of(self, answer: Allowed) -> Token | None:
        """Writes the token of a driver for whom the backend alone answers, as far as the yes tells of it."""
        driver = answer.leg.identification
        party = driver.party or answer.leg.emsp
        uid = driver.uid or (None if driver.contract_id is None else driver.contract_id.text)
        if party is None or uid is None or driver.contract_id is None:
            return None
        return Token(
            party=party,
            uid=uid,
            type=driver.type,
            contract_id=driver.contract_id,
            issuer=str(party),
            valid=True,
            whitelist=Whitelist.NEVER,  # it is not stored anywhere: the backend has to be asked each time
            last_updated=self._desk.now(),
        )


def _asked_for(asked: Asked, question: Question) -> AskedFor:
    settings, cpo = asked.settings, asked.sender()
    return AskedFor(
        leg=Leg(emsp=asked.recipient(), identification=question.identification),
        cpo=cpo,
        at=_at(question.place, question.evse_uid, cpo),
        pin=None,
        within=timedelta(seconds=settings.answer_seconds - settings.margin_seconds),
    )


def _at(place: LocationReferences | None, evse_uid: str | None, cpo: PartyId | None) -> EvseRef | None:
    """Says where the driver stands. Of several EVSEs none is assumed: the location is meant (guide, tokens)."""
    if place is None:
        return None
    return EvseRef(party=cpo, location_id=place.location_id, evse_uid=evse_uid)


def _denied(answer: Denied) -> Authorisation:
    """Says no.

    Raises:
        Failure: HTTP 404, OCPI 2004: the token is not known, and an answer would have to name it.
    """
    if answer.token is None or answer.reason in _UNKNOWN:
        raise Failure(404, StatusCode.UNKNOWN_TOKEN, answer.text or None)
    return Authorisation(SAID[answer.reason], answer.token, None, None, answer.text or None)
