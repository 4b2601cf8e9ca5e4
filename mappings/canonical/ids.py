"""Identifiers of parties, EVSEs and contracts: parsed in every spelling, compared by normal form, kept as given.

ISO 15118 / eMI3 ids (`FR*ABC*E123*4`, `frabce1234`) and DIN SPEC 91286 ids (`+49*810*000*438`) are read with or without
separators where the scheme allows, in any case. Two ids are equal when their normal forms are.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from mappings.canonical import check_digits

_PARTY_ISO = re.compile(r"([A-Za-z]{2})[*-]?([A-Za-z0-9]{3})")
_PARTY_DIN = re.compile(r"\+?([0-9]{1,3})\*([0-9]{3})")
_EVSE_ISO = re.compile(r"([A-Za-z]{2})\*?([A-Za-z0-9]{3})\*?[Ee]([A-Za-z0-9*]{1,31})")
_CONTRACT_ISO = re.compile(r"([A-Za-z]{2})[*-]?([A-Za-z0-9]{3})[*-]?([A-Za-z0-9]{9})(?:[*-]?([A-Za-z0-9]))?")
_CONTRACT_DIN = re.compile(r"([A-Za-z]{2})[*-]?([A-Za-z0-9]{3})[*-]?([A-Za-z0-9]{6})(?:[*-]?([0-9Xx]))?")
_EVSE_DIN = re.compile(r"\+?([0-9]{1,3})\*([0-9]{3})\*([0-9*]{1,32})")


def _setter(owner: type, name: str) -> Callable[[object, object], None]:
    """Gives the way to set a slot while an identifier is made, since it refuses assignment.

    It is a third of the time of `object.__setattr__`, and a network has a great many identifiers.
    """
    setter: Callable[[object, object], None] = owner.__dict__[name].__set__
    return setter


class _Identifier:
    """A text with a normal form; immutable, hashable, a JSON string on the wire."""

    __slots__ = ("normal", "text")

    text: str
    normal: str
    pattern: ClassVar[str | None] = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identifier) and type(other) is type(self) and self.normal == other.normal

    def __hash__(self) -> int:
        return hash(self.normal)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r})"

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a {type(self).__name__} cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a {type(self).__name__} cannot be changed")

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        return type(self), (self.text,)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __init__(self, text: str) -> None:
        raise NotImplementedError

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        from_text = core_schema.no_info_after_validator_function(cls, core_schema.str_schema(strict=True))
        return core_schema.json_or_python_schema(
            json_schema=from_text,
            python_schema=core_schema.no_info_plain_validator_function(cls._of_python),
            serialization=core_schema.plain_serializer_function_ser_schema(str, return_schema=core_schema.str_schema()),
        )

    @classmethod
    def _of_python(cls, value: object) -> Self:
        # One function, not a union of instance and text: a union tells every fault once for each of its members.
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls(value)
        raise PydanticKnownError("string_type")

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema: JsonSchemaValue = {"type": "string", "description": (cls.__doc__ or "").split("\n", 1)[0]}
        return schema | {"pattern": cls.pattern} if cls.pattern else schema


_set_text, _set_normal = _setter(_Identifier, "text"), _setter(_Identifier, "normal")


class PartyId(_Identifier):
    """A CPO or EMSP: ISO `FR*ABC` / `FR-ABC` / `FRABC`, or DIN `+49*810`.

    Attributes:
        country: Two capital letters (ISO 3166-1 alpha-2), or the DIN calling code with `+`.
        code: Three capitals or digits.

    Raises:
        ValueError: The text is neither form.
    """

    __slots__ = ("code", "country")

    country: str
    code: str
    pattern = rf"^(?:{_PARTY_ISO.pattern}|{_PARTY_DIN.pattern})$"

    def __init__(self, text: str) -> None:
        if match := _PARTY_ISO.fullmatch(text):
            country, code = match[1].upper(), match[2].upper()
        elif match := _PARTY_DIN.fullmatch(text):
            country, code = "+" + match[1], match[2]
        else:
            raise ValueError(f"{text!r} is not a party id like FR*ABC or +49*810")
        _set_text(self, text)
        _set_country(self, country)
        _set_code(self, code)
        _set_normal(self, f"{country}*{code}")

    @classmethod
    def of(cls, country: str, code: str) -> "PartyId":
        """Gives the id of an OCPI `country_code` and `party_id`."""
        return _party(f"{country}*{code}")

    def __str__(self) -> str:
        return self.normal


_set_country, _set_code = _setter(PartyId, "country"), _setter(PartyId, "code")
# A network names few parties, each a great many times.
_party = lru_cache(maxsize=4096)(PartyId)


class EvseId(_Identifier):
    """An EVSE's public id: ISO `FR*ABC*E123*4`, DIN `+49*810*000*438`, or, kept as given, any other text.

    A malformed id is kept, since a peer may not be refused for it; `well_formed` tells, and a hub that demands the
    form refuses it by name. It too is compared without `*`, in capitals and stripped: `FR*C2P*0052011`, which lacks
    its `E`, meets `FRC2P0052011`.

    Attributes:
        party: The operator named in the id; None where the text has neither form.
        instance: What follows the operator (and the `E`), separators as given; the text itself where malformed.
    """

    __slots__ = ("instance", "party")

    party: PartyId | None
    instance: str

    def __init__(self, text: str) -> None:
        _set_text(self, text)
        text = text.strip()
        party: PartyId | None
        if match := _EVSE_ISO.fullmatch(text):
            party, instance = PartyId.of(match[1], match[2]), match[3].upper()
            normal = f"{party.country}{party.code}E{instance.replace('*', '')}"
        elif match := _EVSE_DIN.fullmatch(text):
            party, instance = PartyId.of("+" + match[1], match[2]), match[3]
            normal = f"{party.normal}*{instance.replace('*', '')}"
        else:
            party, instance = None, text
            normal = text.upper().replace("*", "")
        _set_evse_party(self, party)
        _set_evse_instance(self, instance)
        _set_normal(self, normal)

    @property
    def well_formed(self) -> bool:
        """Whether the text is an ISO or DIN EVSE id."""
        return self.party is not None

    def separated(self) -> str:
        """Writes the id with its separators: `FR*ABC*E123*4`; a malformed id as given."""
        if self.party is None:
            return self.text
        if self.party.country.startswith("+"):
            return f"{self.party.normal}*{self.instance}"
        return f"{self.party.normal}*E{self.instance}"


_set_evse_party, _set_evse_instance = _setter(EvseId, "party"), _setter(EvseId, "instance")


class ContractId(_Identifier):
    """A driver's contract (EMAID): ISO `FR-ABC-C12345678-9`, DIN `DE*ABC*123456*7`, or, kept as given, any other text.

    Both forms are read with or without separators and with or without their check digit; their lengths tell them
    apart. The normal form leaves a right check digit out, so an id equals itself with its check digit appended. A wrong
    one stays in it: such an id is mistyped or of another scheme, and equals no contract but its own text. A DIN id
    never equals an ISO id. A malformed id is kept, since OCPI and eMIP only recommend the form.

    Attributes:
        party: The EMSP named in the id; None where the text has neither form.
        instance: Nine signs (ISO) or six (DIN), capitals; the text itself where malformed.
        check_digit: As given, a capital or digit; None where absent or malformed.
        expected_check_digit: What it should be; None where malformed.
    """

    __slots__ = ("check_digit", "expected_check_digit", "instance", "party")

    party: PartyId | None
    instance: str
    check_digit: str | None
    expected_check_digit: str | None

    def __init__(self, text: str) -> None:
        _set_text(self, text)
        text = text.strip()
        iso = _CONTRACT_ISO.fullmatch(text)
        match = iso or _CONTRACT_DIN.fullmatch(text)
        party = given = expected = None
        instance, normal = text, text.upper()
        if match is not None:
            party, instance = PartyId.of(match[1], match[2]), match[3].upper()
            given = match[4].upper() if match[4] else None
            bare = f"{party.country}{party.code}{instance}"
            expected = check_digits.iso(bare) if iso else check_digits.din(bare)
            normal = bare if given in {None, expected} else f"{bare}{given}"
        _set_normal(self, normal)
        for slot, value in zip(_CONTRACT_SLOTS, (party, instance, given, expected), strict=True):
            slot(self, value)

    @property
    def well_formed(self) -> bool:
        """Whether the text is an ISO or DIN contract id, with a right check digit or none."""
        return self.party is not None and self.check_digit in {None, self.expected_check_digit}

    def separated(self, *, check_digit: bool = True) -> str:
        """Writes the id with its separators, and its check digit, computed where it was not given, unless told not to.

        An id that is not `well_formed` is written as given.
        """
        return self._joined(("-" if len(self.instance) == 9 else "*"), check_digit=check_digit)

    def compact(self, *, check_digit: bool = False) -> str:
        """Writes the id without separators, as Plug & Charge certificates have it; with a check digit where told."""
        return self._joined("", check_digit=check_digit)

    def _joined(self, separator: str, *, check_digit: bool) -> str:
        if self.party is None or self.expected_check_digit is None or not self.well_formed:
            return self.text
        parts = [self.party.country, self.party.code, self.instance]
        return separator.join([*parts, self.expected_check_digit] if check_digit else parts)


_CONTRACT_SLOTS = [_setter(ContractId, name) for name in ("party", "instance", "check_digit", "expected_check_digit")]
