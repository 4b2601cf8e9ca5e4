"""Files of tariffs and CDRs, read by a command that says plainly what is wrong with them, and where."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json

from gateway.cli.exits import ERRORS, Exit, end
from gateway.cli.pricing.records import Found, cdrs_in, tariffs_in
from gateway.cli.streaming import opened
from gateway.complaints import field_errors
from gateway.services.formats.records import Damaged
from gateway.services.formats.unpacking import unpacked
from mappings.canonical.cdrs import Cdr
from mappings.canonical.tariffs import Tariff
from mappings.report import Issue, IssueKind, Refused

T = TypeVar("T")

_MOST: Final = 512 * 1024 * 1024
"""Bytes, unpacked."""
_SHOWN: Final = 20
_TOLD: Final = frozenset(IssueKind) - {IssueKind.UNKNOWN}
"""Issues that are told beside a result; that a field is foreign says nothing of the price."""


class Contents:
    """The records of a file, of which some are wanted."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._values = list(_parsed(file))
        self._at = datetime.now(UTC)

    def tariffs(self) -> Sequence[Found[Tariff]]:
        """Names the tariffs; ends the command where there are none."""
        return self._found("tariff", lambda value, where: tariffs_in(value, self._at, where))

    def cdrs(self, currency: str) -> Sequence[Found[Cdr]]:
        """Names the CDRs; ends the command where there are none.

        Args:
            currency: Of CDRs that do not tell it.
        """
        return self._found("CDR", lambda value, where: cdrs_in(value, self._at, currency, where))

    def _found(self, what: str, find: Callable[[Any, str], Iterator[Found[T]]]) -> Sequence[Found[T]]:
        try:
            found = [each for where, value in self._values for each in find(value, where)]
        except Refused as error:
            end(Exit.FAILED, f"{self.file}: {error}")
        if not found:
            known = "OCPI 2.2.1 (Gireve's too), OICP 2.3 and canonical JSON are known"
            end(Exit.FAILED, f"{self.file}: holds no {what}; {known}")
        return found

    def read(self, found: Found[T]) -> T:
        """Reads a record; ends the command where that cannot be done, and tells what was lost on the way."""
        at = f"{self.file}: {found.where}: " if found.where else f"{self.file}: "
        try:
            value, issues = found.read()
        except Refused as error:
            end(Exit.FAILED, f"{at}{error}")
        except ValidationError as error:
            fault = field_errors(error)[0]
            end(Exit.FAILED, f"{at}{fault.field}: {fault.detail}")
        for issue in issues:
            if issue.kind in _TOLD:
                ERRORS.print(f"{at}{_said(issue)}", style="yellow", markup=False, soft_wrap=True)
        return value

    def one(self, found: Sequence[Found[T]], wanted: str | None, option: str) -> Found[T]:
        """Chooses a record; ends the command where it is not known which is meant.

        Args:
            found: At least one.
            wanted: An id, or a name that tells it from others with its id; None for the only one.
            option: By which that is said.
        """
        meant = found if wanted is None else [each for each in found if wanted in {each.id, each.name}]
        if len(meant) != 1:
            self._end_choosing(meant or found, f"has no {wanted}; it has" if not meant else f"choose one by {option}:")
        return meant[0]

    def _end_choosing(self, among: Sequence[Found[T]], why: str) -> NoReturn:
        # Where ids do not tell them apart, their names do.
        apart = len({each.id for each in among}) == len(among)
        names = [each.id if apart else each.name for each in among]
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        end(Exit.USAGE, f"{self.file}: {why} {', '.join(names[:_SHOWN])}{more}")


def _said(issue: Issue) -> str:
    text = f"{issue.field}: {issue.detail}" if issue.field else issue.detail
    return f"{text} ({issue.value})" if issue.value else text


def _parsed(file: Path) -> Iterator[tuple[str, Any]]:
    """Gives the JSON values of a file with their places: one, or one a line."""
    body = asyncio.run(_content(file)).removeprefix(b"\xef\xbb\xbf")
    if not body.strip():
        end(Exit.FAILED, f"{file}: is empty")
    try:
        yield "", from_json(body, allow_inf_nan=False)
    except ValueError as error:
        lines = [(number, line) for number, line in enumerate(body.splitlines(), 1) if line.strip()]
        if not _is_one_a_line(lines):
            end(Exit.FAILED, f"{file}: is no JSON: {error}")
        for number, line in lines:
            try:
                yield f"line {number}", from_json(line, allow_inf_nan=False)
            except ValueError as fault:
                end(Exit.FAILED, f"{file}: line {number}: is no JSON: {fault}")


def _is_one_a_line(lines: Sequence[tuple[int, bytes]]) -> bool:
    if len(lines) < 2:
        return False
    try:
        return isinstance(from_json(lines[0][1]), dict)
    except ValueError:
        return False


async def _content(file: Path) -> bytes:
    body = bytearray()
    with opened(file, quiet=True) as source:
        try:
            async for piece in unpacked(source.content):
                body += piece
                if len(body) > _MOST:
                    end(Exit.FAILED, f"{file}: is over {_MOST} bytes")
        except Damaged as error:
            end(Exit.FAILED, f"{file}: {error}")
    return bytes(body)
