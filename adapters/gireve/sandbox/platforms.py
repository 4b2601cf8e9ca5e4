"""The partners' platforms that the sandbox IOP knows: one registration each, whatever parties and roles they have.

Guide, Multi-tenant and multi-role capability: one handshake enables all operators of a platform. Gireve configures the
roles by itself, so what a platform may do is what it was provisioned with, whatever roles it presents.
"""

import secrets
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from mappings.canonical.ids import PartyId

Role: TypeAlias = Literal["CPO", "EMSP"]
CPO: Role = "CPO"
EMSP: Role = "EMSP"
BOTH: frozenset[Role] = frozenset({CPO, EMSP})


class Provision(BaseModel):
    """What Gireve sets up by hand for a platform before it registers.

    Attributes:
        name: How control requests name it.
        token: CREDENTIALS_TOKEN_A, good for registering whenever no registration stands.
        roles: What its operators may be.
        parties: Its operators; more are learned from what it presents, and from whom it speaks for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=64)]
    token: Annotated[str, Field(min_length=1, max_length=64)]
    roles: frozenset[Role] = BOTH
    parties: tuple[PartyId, ...] = ()


class Platform:
    """One platform, registered or not.

    Attributes:
        theirs: What the platform presents to us.
        ours: What we present to the platform.
        endpoints: URLs by `module/ROLE`, as its version details name them; `credentials` stands without a role.
    """

    def __init__(self, provision: Provision) -> None:
        self.provision = provision
        self.theirs: str | None = None
        self.ours: str | None = None
        self.endpoints: Mapping[str, str] = {}
        self._presented: dict[Role, list[PartyId]] = {CPO: [], EMSP: []}
        self._spoke: dict[Role, dict[PartyId, None]] = {CPO: {}, EMSP: {}}

    @property
    def name(self) -> str:
        """How control requests name it."""
        return self.provision.name

    def forget(self) -> None:
        """Ends the registration."""
        self.theirs = self.ours = None
        self.endpoints = {}

    def lets_in(self, token: str, *, configuration: bool) -> bool:
        """Tells whether a token is this platform's, for a functional module or for versions and credentials."""
        if self.theirs is not None and secrets.compare_digest(token.encode(), self.theirs.encode()):
            return configuration or self.ours is not None
        ours = self.provision.token
        return configuration and self.ours is None and secrets.compare_digest(token.encode(), ours.encode())

    def presents(self, credentials: Mapping[str, Any]) -> None:
        """Notes the roles of a credentials object; one that names no party is passed over."""
        presented: dict[Role, list[PartyId]] = {CPO: [], EMSP: []}
        for each in credentials.get("roles") or ():
            if isinstance(each, Mapping) and (role := each.get("role")) in presented:
                try:
                    presented[role].append(PartyId.of(str(each.get("country_code")), str(each.get("party_id"))))
                except ValueError:
                    continue
        self._presented = presented

    def speaks_for(self, party: PartyId, role: Role) -> None:
        """Notes that the platform made a request for a party."""
        self._spoke[role][party] = None

    def parties(self, role: Role) -> list[PartyId]:
        """Gives its parties of a role, those that it presented first."""
        if role not in self.provision.roles:
            return []
        return list(dict.fromkeys([*self._presented[role], *self._spoke[role], *self.provision.parties]))

    def plays(self, role: Role) -> bool:
        """Tells whether it is registered, and may have operators of a role."""
        return self.ours is not None and role in self.provision.roles

    def shown(self) -> dict[str, Any]:
        """Tells of it, without tokens."""
        return {
            "name": self.name,
            "registered": self.ours is not None,
            "roles": sorted(self.provision.roles),
            "cpos": [party.normal for party in self.parties(CPO)],
            "emsps": [party.normal for party in self.parties(EMSP)],
            "endpoints": sorted(self.endpoints),
        }


class Platforms:
    """All platforms; the first is that which control requests mean where they name none."""

    def __init__(self, provisions: Iterable[Provision]) -> None:
        self._all = {provision.name: Platform(provision) for provision in provisions}

    def all(self) -> list[Platform]:
        """Gives all of them, in the order in which they were provisioned."""
        return list(self._all.values())

    def add(self, provision: Provision) -> None:
        """Provisions a platform.

        Raises:
            ValueError: There is one with this name or token.
        """
        if any(provision.name == each.name or provision.token == each.provision.token for each in self.all()):
            raise ValueError("a platform has this name or token already")
        self._all[provision.name] = Platform(provision)

    def named(self, name: str | None) -> Platform:
        """Finds a platform by its name; the first where none is named.

        Raises:
            ValueError: There is none.
        """
        if name is None:
            return self.all()[0]
        if name not in self._all:
            raise ValueError(f"platform is one of {', '.join(self._all)}")
        return self._all[name]

    def of_token(self, token: str, *, configuration: bool) -> Platform | None:
        """Finds whose token it is."""
        return next((each for each in self.all() if each.lets_in(token, configuration=configuration)), None)

    def with_role(self, role: Role) -> list[Platform]:
        """Gives the registered platforms that may have operators of a role."""
        return [each for each in self.all() if each.plays(role)]

    def serving(self, party: PartyId, role: Role) -> Platform | None:
        """Finds the registered platform that has a party in a role."""
        return next((each for each in self.with_role(role) if party in each.parties(role)), None)
