"""eRoamingPushAuthenticationData: the drivers for whom Hubject answers itself (OICP 2.3 EMP, Authentication data)."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from adapters.hubject.sandbox.memory import Refusal, named
from adapters.hubject.sandbox.partners import Provider
from adapters.hubject.sandbox.rules_charging import medium as medium_of
from mappings.canonical.ids import ContractId, PartyId

_ROUNDS: Final = 1000
"""Of hashing a PIN; few, since there is nobody here to hide it from for long."""


class Medium(NamedTuple):
    """What a driver shows, as far as it tells drivers apart.

    Attributes:
        id: UID, or the contract's normal form.
    """

    kind: str
    id: str


class _Record(NamedTuple):
    """What an EMP uploaded.

    Attributes:
        salt, hashed: Of a PIN; Hubject keeps none in clear text. Empty without one, or where the EMP hashed it itself.
        foreign: Whether the EMP hashed it: then the EMP has to be asked.
    """

    salt: bytes = b""
    hashed: bytes = b""
    foreign: bool = False


class AuthenticationData:
    """What all EMPs uploaded.

    Args:
        shown: The sandbox's memory of the kind, which this keeps in step.
    """

    def __init__(self, shown: dict[str, Any]) -> None:
        self._shown = shown
        self._of: dict[str, dict[Medium, _Record]] = {}

    def forget(self) -> None:
        """Forgets everything."""
        self._of.clear()

    def act(self, action: str, provider: Provider, identifications: Iterable[Mapping[str, Any]]) -> Refusal | None:
        """Performs an action, or says why not; a refused one changes nothing."""
        records: dict[Medium, _Record] = {}
        shown: dict[Medium, dict[str, Any]] = {}
        for identification in identifications:
            medium = _medium(identification)
            if medium in records:
                return Refusal("022", f"stands there twice: {medium.id}")
            if not all(provider.has(ContractId(text).party) for text in _contracts(identification)):
                return Refusal("019", f"not of {provider.provider}: {medium.id}")
            records[medium] = _record(identification)
            shown[medium] = without_pin(identification)
        own = self._of.setdefault(provider.provider.normal, {})
        if action == "insert" and (there := records.keys() & own.keys()):
            return Refusal("022", f"exists already: {named(each.id for each in there)}")
        if action == "update" and (absent := records.keys() - own.keys()):
            return Refusal("022", f"does not exist: {named(each.id for each in absent)}")
        for medium in list(own) if action == "fullLoad" else records.keys() & own.keys():
            del own[medium]
            self._shown.pop(_key(provider, medium), None)
        if action != "delete":
            own.update(records)
            self._shown.update({_key(provider, each): {"Identification": shown[each]} for each in records})
        return None

    def owner(self, identification: Mapping[str, Any]) -> PartyId | None:
        """Tells which EMP's driver shows a medium; None where Hubject cannot answer by itself."""
        medium = _medium(identification)
        pin = identification.get("QRCodeIdentification", {}).get("PIN")
        for provider, records in self._of.items():
            record = records.get(medium)
            if record is None or record.foreign:
                continue
            if record.hashed and (pin is None or not hmac.compare_digest(_hash(pin, record.salt), record.hashed)):
                continue
            return PartyId(provider)
        return None


def memory_key(provider: Provider, identification: Mapping[str, Any]) -> str:
    """Gives the key in the sandbox's memory."""
    return _key(provider, _medium(identification))


def without_pin(identification: Mapping[str, Any]) -> dict[str, Any]:
    """Gives what may be remembered of an identification."""
    kind, shown = medium_of(dict(identification))
    return {kind: {field: value for field, value in shown.items() if field not in {"PIN", "HashedPIN"}}}


def _key(provider: Provider, medium: Medium) -> str:
    return f"{provider.provider.normal} {medium.kind} {medium.id}"


def _hash(pin: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", pin.encode(), salt, _ROUNDS)


def _medium(identification: Mapping[str, Any]) -> Medium:
    kind, shown = medium_of(dict(identification))
    if "UID" in shown:
        # A card of the EMP's own list is shown by its number alone (EMP Data Types, IdentificationType).
        return Medium("RFID", shown["UID"])
    return Medium(kind, ContractId(shown["EvcoID"]).normal)


def _record(identification: Mapping[str, Any]) -> _Record:
    _, shown = medium_of(dict(identification))
    if "PIN" not in shown:
        return _Record(foreign="HashedPIN" in shown)
    salt = secrets.token_bytes(16)
    return _Record(salt, _hash(shown["PIN"], salt))


def _contracts(identification: Mapping[str, Any]) -> Iterator[str]:
    for shown in identification.values():
        if isinstance(shown, dict) and shown.get("EvcoID"):
            yield shown["EvcoID"]
