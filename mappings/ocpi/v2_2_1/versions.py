"""OCPI 2.2.1 versions and version details (version information endpoint).

Facts of a connection, not of the network: they have no canonical model, only a tidy form of what the wire says.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from mappings.ocpi.reading import Path, Reader, Rule, show
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1.enums import InterfaceRole, ModuleId
from mappings.report import Issue, IssueKind, Refused, Report

VERSION = "2.2.1"
Source = bytes | str | Mapping[str, Any]


class Version(NamedTuple):
    """A version that a party speaks, and where its details are."""

    version: str
    url: str


class Endpoint(NamedTuple):
    """One side of a module.

    Attributes:
        module: A `ModuleId`, or the text of a module that the parties agreed on.
        role: Which side the endpoint plays; says nothing for credentials.
        url: Where it is; taken as given, never built.
    """

    module: ModuleId | str
    role: InterfaceRole
    url: str


class VersionDetails(NamedTuple):
    """The endpoints of one version."""

    version: str
    endpoints: tuple[Endpoint, ...]

    def url(self, module: ModuleId, role: InterfaceRole) -> str | None:
        """Gives the address of a module's side; the role is disregarded for credentials, as the text advises."""
        for endpoint in self.endpoints:
            if endpoint.module == module and (endpoint.role is role or module is ModuleId.CREDENTIALS):
                return endpoint.url
        return None


_LIST: TypeAdapter[list[Any]] = TypeAdapter(list[Any])
_VERSION: Reader[w.Version] = Reader(w.Version, {})
_DETAILS: Reader[w.VersionDetails] = Reader(
    w.VersionDetails, {"endpoints[]": Rule.LEAVE_OUT, "endpoints[].role": Rule.SET_ASIDE}
)


def versions_to_canonical(source: bytes | str | list[Any]) -> tuple[tuple[Version, ...], list[Issue]]:
    """Reads the list of versions; an entry that cannot be read is left out.

    Raises:
        Refused: Not a list.
    """
    report = Report()
    try:
        raw = _LIST.validate_json(source) if isinstance(source, (bytes, str)) else _LIST.validate_python(source)
    except ValidationError as error:
        raise Refused("", f"not a list of versions: {error.errors(include_url=False)[0]['msg']}") from None
    found = []
    for index, each in enumerate(raw):
        try:
            wire = _VERSION.read(each if isinstance(each, dict) else {}, report)
        except Refused as refusal:
            report.add(IssueKind.LEFT_OUT, f"[{index}]", f"left out: {refusal}")
            continue
        found.append(Version(wire["version"].strip(), wire["url"]))
    return tuple(found), report.issues


def versions_from_canonical(versions: Iterable[Version]) -> list[w.Wire]:
    """Writes the list of versions."""
    return [{"version": each.version, "url": each.url} for each in versions]


def to_canonical(source: Source) -> tuple[VersionDetails, list[Issue]]:
    """Reads version details; an endpoint that cannot be used is left out.

    Raises:
        Refused: Not an object with a version and a list of endpoints.
    """
    report = Report()
    wire = _DETAILS.read(source, report)
    endpoints = []
    for index, each in enumerate(wire["endpoints"]):
        endpoint = _endpoint(each, report, ("endpoints", index))
        if endpoint is not None:
            endpoints.append(endpoint)
    return VersionDetails(wire["version"], tuple(endpoints)), report.issues


def _endpoint(wire: w.Endpoint, report: Report, path: Path) -> Endpoint | None:
    name, role = wire["identifier"], wire.get("role")
    module = _word(ModuleId, name, str.lower, report, (*path, "identifier")) or name
    if module is ModuleId.CREDENTIALS:
        return Endpoint(module, InterfaceRole.SENDER, wire["url"])
    side = _word(InterfaceRole, role or "", str.upper, report, (*path, "role"))
    if side is None:
        # Which way a module speaks cannot be guessed.
        report.add(IssueKind.LEFT_OUT, show(path), "left out: its role is neither SENDER nor RECEIVER", role)
        return None
    return Endpoint(module, side, wire["url"])


def _word(enum: Any, text: str, fold: Any, report: Report, path: Path) -> Any:
    try:
        return enum(text)
    except ValueError:
        pass
    try:
        found = enum(fold(text.strip()))
    except ValueError:
        return None
    report.add(IssueKind.MENDED, show(path), f"read as {found.value!r}", text)
    return found


def from_canonical(details: VersionDetails) -> w.Wire:
    """Writes version details."""
    endpoints = [
        {"identifier": str(each.module), "role": each.role.value, "url": each.url} for each in details.endpoints
    ]
    return {"version": details.version, "endpoints": endpoints}
