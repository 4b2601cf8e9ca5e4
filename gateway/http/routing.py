"""Operations of the API as data: what routes a request also describes it in the OpenAPI document."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from aiohttp import web
from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from gateway.complaints import FieldError, field_errors
from gateway.http import bodies
from gateway.http.problems import Problem
from gateway.services.keys import Identity, KeyRole
from gateway.services.ports import Parties
from mappings.canonical.ids import PartyId

T = TypeVar("T")

Cursor = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^[\x21-\x7e]+$")]
Limit = Annotated[int, Field(ge=1, le=1000)]


@cache
def adapter_of(type_: Any, /) -> TypeAdapter[Any]:
    """Gives the adapter of a type, built once."""
    return TypeAdapter(type_)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the path or the query; one with a default may be left out."""

    name: str
    type: Any
    about: str
    where: Literal["path", "query"] = "query"
    default: Any = None


@dataclass(frozen=True, slots=True)
class Body:
    """What an operation takes.

    Attributes:
        type: Of the whole body; of one line for NDJSON; None for bytes.
        types: Media types; the first is the preferred one.
        example: JSON, for the description.
    """

    about: str
    type: Any = None
    types: tuple[str, ...] = bodies.JSON
    example: Any = None

    @property
    def streamed(self) -> bool:
        """Whether it is read as it arrives, whatever its size."""
        return self.types in (bodies.NDJSON, bodies.ANY)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers.

    Attributes:
        about: A sentence.
        type: Unless there is no body; `bytes` where it is no JSON.
        also: Other media types that can be asked for by `Accept`, as text, with what they hold.
        shown: Other media types that can be asked for, as JSON, with their types.
    """

    about: str
    type: Any = None
    media: str = "application/json"
    example: Any = None
    also: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, Any] = field(default_factory=dict)


Handler: TypeAlias = Callable[["Call"], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation.

    Attributes:
        handler: A method of the class that serves it; its docstring is the operation's description.
        role: What the API key must be for; None for an operation without a key.
        whole: The key must speak for all parties, since what it touches is not divided by party.
        problems: Names in `problems.KINDS` that the operation itself can end in.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    answers: Mapping[int, Answer]
    role: KeyRole | None = KeyRole.READ
    whole: bool = False
    parameters: Sequence[Parameter] = ()
    body: Body | None = None
    problems: Sequence[str] = ()

    @property
    def operation(self) -> str:
        """Its name in metrics and logs."""
        return f"{self.method} {self.path}"

    def all_problems(self) -> list[str]:
        """Names every problem that it can end in, those of its parameters, body and key included."""
        names = list(self.problems)
        if self.role is not None:
            names += ["no-key", "not-allowed", "invalid", "unavailable"]
        if self.body is not None:
            names += ["damaged-body", "wrong-media-type"]
            if not self.body.streamed:
                names.append("too-large")
        return list(dict.fromkeys(names))


@dataclass(slots=True)
class Call:
    """A request whose key and parameters were checked."""

    request: web.Request
    identity: Identity
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    @property
    def who(self) -> str:
        """The actor, for the audit log."""
        return self.identity.name

    def demand(self, party: PartyId) -> PartyId:
        """Gives the party back; raises the problem 403 if the key does not speak for it."""
        if not self.identity.speaks_for(party):
            raise Problem(
                "not-allowed",
                "The API key does not speak for this party",
                [FieldError(field="party", detail=f"{party} is out of scope")],
            )
        return party

    def parties(self, asked: PartyId | None) -> Parties:
        """Gives the parties that a listing covers: the one asked for, or all that the key speaks for."""
        return self.identity.parties if asked is None else frozenset({self.demand(asked)})

    async def json(self, type_: type[T]) -> T:
        """Reads the body as JSON of a type."""
        adapter: TypeAdapter[T] = adapter_of(type_)  # type: ignore[arg-type]  # mypy takes no class for hashable
        return bodies.parse(await bodies.read(self.request), adapter)


def respond(value: Any, type_: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Renders a value; what is None is left out."""
    body = adapter_of(type_).dump_json(value, exclude_none=True)
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


def arguments_of(route: Route, request: web.Request) -> Mapping[str, Any]:
    """Reads the parameters of a request.

    Raises:
        Problem: 422, naming each that is wrong, missing, given twice or not known.
    """
    if not route.parameters and (route.role is None or not request.query_string):
        return {}  # a probe or a browser may add what it likes
    values: dict[str, Any] = {}
    faults: list[FieldError] = []
    for parameter in route.parameters:
        given = _given(parameter, request, faults)
        if given is None:
            values[parameter.name] = parameter.default
            continue
        try:
            values[parameter.name] = adapter_of(parameter.type).validate_python(given)
        except ValidationError as error:
            faults += [FieldError(field=parameter.name, detail=fault.detail) for fault in field_errors(error)]
    known = {parameter.name for parameter in route.parameters if parameter.where == "query"}
    faults += [FieldError(field=name, detail="is not a parameter") for name in request.query.keys() - known]
    if faults:
        raise Problem("invalid", f"Refused for {', '.join(sorted({fault.field for fault in faults}))}", faults)
    return values


def _given(parameter: Parameter, request: web.Request, faults: list[FieldError]) -> str | None:
    if parameter.where == "path":
        given: str | None = request.match_info[parameter.name]
    else:
        several = request.query.getall(parameter.name, [])
        if len(several) > 1:
            faults.append(FieldError(field=parameter.name, detail="is given more than once"))
        given = several[0] if several else None
    if given is not None and "\0" in given:
        faults.append(FieldError(field=parameter.name, detail="holds a NUL character"))
        return None
    return given


PARTY_IN_PATH = Parameter("party", PartyId, "The CPO, `FR*ABC`; the asterisk may be left out.", "path")
PARTY = Parameter("party", PartyId, "Only this party's objects.")
AFTER = Parameter("after", Cursor, "The cursor that the page before gave as `next`.")
LIMIT = Parameter("limit", Limit, "Most items on a page.", default=100)
