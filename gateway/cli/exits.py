"""Exit codes that mean something, and how a command ends."""

from enum import IntEnum
from typing import NoReturn

import typer
from rich.console import Console

ERRORS = Console(stderr=True, highlight=False)
"""What is said to a person beside the result, so that the result can be piped."""


class Exit(IntEnum):
    """What the exit code of a command says."""

    DONE = 0
    """It was done. For an import: all that could be stored is stored, and refused records are reported."""
    FAILED = 1
    """It was not done: the gateway, a hub or a webhook refused; the text says why. For CDRs: some lines were refused.
    For the demo: a hub is not equal."""
    USAGE = 2
    """The command line makes no sense."""
    NOTHING_STORED = 3
    """An import, or a file of CDRs, stored nothing: no known format, or every record was refused."""
    DAMAGED = 4
    """An import or a file of CDRs ended early at a damaged place; what came before is stored, as the report says."""
    UNREACHABLE = 5
    """The gateway or the database cannot be reached, now."""
    SETTINGS = 6
    """Settings or secrets are missing or wrong, or migrations have not run."""
    DIFFERS = 7
    """A CDR does not cost what follows from its tariff."""


HELP = (
    "Exit codes: 0 done · 1 refused or failed · 2 wrong usage · 3 a file stored nothing · 4 a file ended early "
    "at a damaged place · 5 gateway or database out of reach · 6 settings missing or wrong, or migrations not run · "
    "7 a CDR does not cost what its tariff says."
)


def end(code: Exit, text: str) -> NoReturn:
    """Says why on standard error, and ends the command."""
    ERRORS.print(text, style="red" if code else None, markup=False, soft_wrap=True)
    raise typer.Exit(code)
