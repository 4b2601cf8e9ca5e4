"""The EMSPs behind the sandbox IOP: their drivers, what they answer when they are asked, and what they authorised.

IOP gives every authorisation a reference of its own and wants to see it again in session and CDR (guide, Sessions). It
is remembered under `authorisations`.
"""

import asyncio
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from adapters.core.sandbox import Sandbox
from adapters.gireve.sandbox.cards import Cards
from adapters.gireve.sandbox.charge_checks import NOT_AVAILABLE, TOKEN_TYPES
from adapters.gireve.sandbox.checks import Refusal, Wrong
from mappings.canonical.ids import PartyId
from mappings.ocpi.envelope import StatusCode

AUTHORISATIONS = "authorisations"

_SINCE = "2026-01-01T00:00:00Z"
_ALLOWED = "ALLOWED"
_ADVENIR = {
    "country_code": "$$",
    "party_id": "ADV",
    "uid": "12345671234567",
    "type": "RFID",
    "contract_id": "Gireve2Advenir",
}
"""The driver of a session that does not roam (guide, Advenir specific use case)."""


class Twist(StrEnum):
    """How an answer departs from what was asked."""

    OTHER_TOKEN = "other_token"
    """It is about another token."""
    OTHER_EVSE = "other_evse"
    """It allows another EVSE."""
    NO_REFERENCE = "no_reference"
    """It has no `authorization_reference`."""
    NO_TOKEN = "no_token"
    """It has no token, which OCPI demands."""
    UNKNOWN_WORD = "unknown_word"
    """`allowed` is no word of OCPI's."""


class Driver(BaseModel):
    """A driver, and how the EMSP answers for them.

    Attributes:
        party: The EMSP.
        answer: What it says, OCPI's AllowedType.
        text: For the driver, beside the answer.
        seconds: How late it answers.
        silent: It never answers; IOP says so when its patience ends.
        twist: What is wrong with the answer.
        whitelist: As in the token.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    uid: Annotated[str, Field(min_length=1, max_length=36)]
    type: Literal["AD_HOC_USER", "APP_USER", "OTHER", "RFID"] = "RFID"
    party: PartyId
    contract_id: Annotated[str, Field(min_length=1, max_length=36)]
    group_id: Annotated[str, Field(max_length=36)] | None = None
    answer: Literal["ALLOWED", "BLOCKED", "EXPIRED", "NO_CREDIT", "NOT_ALLOWED"] = "ALLOWED"
    text: str | None = None
    seconds: Annotated[float, Field(ge=0, le=600)] = 0.0
    silent: bool = False
    twist: Twist | None = None
    whitelist: Literal["ALWAYS", "ALLOWED", "ALLOWED_OFFLINE", "NEVER"] = "NEVER"

    def token(self) -> dict[str, Any]:
        """Writes the token as its EMSP describes it."""
        told = {
            "country_code": self.party.country,
            "party_id": self.party.code,
            "uid": self.uid,
            "type": self.type,
            "contract_id": self.contract_id,
            "issuer": self.party.normal,
            "valid": self.answer in {_ALLOWED, "NOT_ALLOWED"},
            "whitelist": self.whitelist,
            "last_updated": _SINCE,
        }
        return told if self.group_id is None else {**told, "group_id": self.group_id}


DRIVERS: TypeAdapter[list[Driver]] = TypeAdapter(list[Driver])
assert set(TOKEN_TYPES) == {"AD_HOC_USER", "APP_USER", "OTHER", "RFID"}  # noqa: S101  # as in `Driver.type`


class Emsps:
    """Drivers, and the authorisations that IOP handed out.

    Args:
        cards: What registered EMSPs pushed.
        patience: Seconds that IOP waits for an EMSP.
        unknown_token: OCPI code for a token that nobody knows: 2004 by OCPI, 2000 in Gireve's words.
    """

    def __init__(self, sandbox: Sandbox, cards: Cards, patience: float, unknown_token: int) -> None:
        self._sandbox = sandbox
        self._cards = cards
        self._patience = patience
        self._unknown_token = unknown_token
        self._drivers: dict[tuple[str, str], Driver] = {}

    @property
    def drivers(self) -> list[Driver]:
        """Everybody."""
        return list(self._drivers.values())

    @property
    def _authorisations(self) -> dict[str, Any]:
        return self._sandbox.memory[AUTHORISATIONS]

    def add(self, drivers: Iterable[Driver]) -> None:
        """Takes drivers; one with the same token replaces the earlier."""
        self._drivers |= {(driver.type, driver.uid.casefold()): driver for driver in drivers}

    def find(self, uid: str, type_: str) -> Driver | None:
        """Finds a driver by their token; a uid has no case."""
        return self._drivers.get((type_, uid.casefold()))

    def authorisation(self, reference: str | None) -> Mapping[str, Any]:
        """Gives what is known of an authorisation; nothing of none."""
        return self._authorisations.get(reference, {}) if reference is not None else {}

    async def answer(self, cpo: PartyId, uid: str, type_: str, location: str, evse: str) -> dict[str, Any]:
        """Has the driver's EMSP answer a real-time authorisation; gives an AuthorizationInfo.

        Raises:
            Refusal: Nobody knows the token (HTTP 404), or the EMSP is silent (4002).
        """
        driver = self.find(uid, type_)
        if driver is None:
            raise Refusal(404, self._unknown_token, "Unknown token")
        if driver.silent:
            await asyncio.sleep(self._patience)
            raise Refusal(200, StatusCode.TIMEOUT_ON_FORWARDED_REQUEST, "The EMSP did not answer")
        await asyncio.sleep(driver.seconds)
        told: dict[str, Any] = {"allowed": driver.answer, "token": driver.token()}
        if driver.text is not None:
            told["info"] = {"language": "en", "text": driver.text}
        if driver.answer == _ALLOWED:
            told["location"] = {"location_id": location, "evse_uids": [evse]}
            silently = driver.twist is Twist.NO_REFERENCE
            told["authorization_reference"] = self.authorised(driver, cpo, location, evse, told=not silently)
        return _twisted(told, driver.twist)

    def authorised(
        self,
        driver: Driver,
        cpo: PartyId,
        location: str | None,
        evse: str | None,
        *,
        told: bool = True,
        platform: str | None = None,
        emsp_reference: str | None = None,
    ) -> str:
        """Notes an authorisation and gives its reference.

        Args:
            told: Whether the CPO is told the reference.
            platform: Where the EMSP is; None for one that is played.
            emsp_reference: What the EMSP calls it.
        """
        reference = str(uuid4())
        self._authorisations[reference] = {
            "cpo": cpo.normal,
            "emsp": driver.party.normal,
            "uid": driver.uid,
            "type": driver.type,
            "contract_id": driver.contract_id,
            "location_id": location,
            "evse_uid": evse,
            "told": told,
            "at": self._sandbox.wall().isoformat(),
        }
        if platform is not None:
            self._authorisations[reference] |= {"platform": platform, "emsp_reference": emsp_reference}
        return reference

    def home(self, wire: Mapping[str, Any]) -> str | None:
        """Finds the platform of the EMSP whose driver a session or CDR is of; None for a played one's."""
        reference, token = wire.get("authorization_reference"), wire["cdr_token"]
        if reference is not None:
            name: str | None = self.authorisation(reference).get("platform")
            return name
        card = self._cards.find(token["uid"], token["type"])
        return card[0] if card is not None and self.find(token["uid"], token["type"]) is None else None

    # What comes of it

    def check_driver(self, wire: Mapping[str, Any], cpo: PartyId, location: str, evse: str) -> str:
        """Judges whom a session or CDR is of; says how that is known: `advenir`, `whitelist` or the reference.

        Raises:
            Wrong: Nobody authorised it, or somebody else, or elsewhere.
        """
        token, reference = wire["cdr_token"], wire.get("authorization_reference")
        if token["country_code"] == _ADVENIR["country_code"]:
            if dict(token) != _ADVENIR or reference is not None:
                raise Wrong("cdr_token is not Advenir's, or an authorization_reference stands beside it")
            return "advenir"
        if reference is None and wire["auth_method"] == "WHITELIST":
            self._check_whitelisted(token)
            return "whitelist"
        found = self._authorisations.get(reference) if reference is not None else self._untold(token, cpo)
        if found is None:
            raise Wrong("authorization_reference is " + ("missing" if reference is None else "not one of IOP's"))
        if found["cpo"] != cpo.normal:
            raise Wrong("authorization_reference was given to another operator")
        if (found["uid"].casefold(), found["type"]) != (token["uid"].casefold(), token["type"]):
            raise Wrong("cdr_token is not the token that was authorised")
        named = f"{token['country_code']}*{token['party_id']}"
        if (found["contract_id"], found["emsp"]) != (token["contract_id"], named):
            raise Wrong("cdr_token is of another contract or EMSP than was authorised")
        elsewhere = found["evse_uid"] is not None and evse not in {found["evse_uid"], NOT_AVAILABLE}
        if elsewhere or found["location_id"] not in {None, location}:
            raise Wrong("the driver was authorised elsewhere")
        return reference or "token"

    def _check_whitelisted(self, token: Mapping[str, Any]) -> None:
        driver, card = self.find(token["uid"], token["type"]), self._cards.find(token["uid"], token["type"])
        if driver is None and card is None:
            raise Wrong("cdr_token is of no EMSP")
        if (driver.whitelist if driver is not None else card and card[1]["whitelist"]) == "NEVER":
            raise Wrong("the token may not be whitelisted")

    def _untold(self, token: Mapping[str, Any], cpo: PartyId) -> Mapping[str, Any] | None:
        """Finds the newest authorisation of a driver whose reference the CPO was not told."""
        mine = (
            found
            for found in reversed(self._authorisations.values())
            if not found["told"] and found["uid"].casefold() == token["uid"].casefold() and found["cpo"] == cpo.normal
        )
        return next(mine, None)


def _twisted(told: dict[str, Any], twist: Twist | None) -> dict[str, Any]:
    match twist:
        case Twist.OTHER_TOKEN:
            told["token"] |= {"uid": "FFFFFFFF", "contract_id": "XX-XXX-C00000000"}
        case Twist.OTHER_EVSE if "location" in told:
            told["location"] = {**told["location"], "evse_uids": ["another"]}
        case Twist.NO_REFERENCE:
            told.pop("authorization_reference", None)
        case Twist.NO_TOKEN:
            del told["token"]
        case Twist.UNKNOWN_WORD:
            told["allowed"] = "PERHAPS"
    return told
