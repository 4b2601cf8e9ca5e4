"""Files that commands are given, read whole; one that cannot be read ends the command."""

import json
import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic_core import to_jsonable_python

from gateway.cli.exits import Exit, end

ObjectFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON or TOML.")]


def object_of(file: Path) -> dict[str, Any]:
    """Reads an object, JSON or TOML."""
    try:
        text = file.read_text()
        # Moments are values of their own in TOML, and texts in JSON.
        given: Any = to_jsonable_python(tomllib.loads(text)) if file.suffix == ".toml" else json.loads(text)
    except OSError as error:
        end(Exit.USAGE, f"{file}: {error.strerror or error}")
    except ValueError as error:
        form = "TOML" if file.suffix == ".toml" else "JSON, and TOML is read of files whose name ends so"
        end(Exit.USAGE, f"{file}: is no {form}: {error}")
    if not isinstance(given, dict):
        end(Exit.USAGE, f"{file}: holds no object")
    return given


def bytes_of(file: Path) -> bytes:
    """Reads a file as it is, `-` for standard input."""
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        end(Exit.USAGE, f"{file}: {error.strerror or error}")


def lines_of(file: Path) -> list[str]:
    """Reads a file of one name a line, `-` for standard input; without blank lines, and those that begin with `#`."""
    try:
        lines = [line.strip() for line in bytes_of(file).decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        end(Exit.USAGE, f"{file}: {error}")
    return [line for line in lines if line and not line.startswith("#")]
