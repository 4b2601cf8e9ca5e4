"""Writes the pages of `docs/mappings/` from the tables that the translations themselves use: `make docs`."""

from collections.abc import Callable, Mapping
from pathlib import Path

from mappings.docs import code, page, table
from mappings.irve import columns as irve
from mappings.ocpi.dialects import gireve_tables as gireve
from mappings.ocpi.v2_2_1 import tables as ocpi
from mappings.oicp import status_codes
from mappings.oicp.ngp import tables as ngp
from mappings.oicp.v2_3 import sent_commands
from mappings.oicp.v2_3 import tables as oicp

FOLDER = Path(__file__).resolve().parent / "mappings"


def _ocpi() -> str:
    return page("OCPI 2.2.1", ocpi.FIELDS, ocpi.ENUMS, ocpi.NOTES)


def _gireve() -> str:
    return page("OCPI 2.2.1 at Gireve", gireve.FIELDS, gireve.ENUMS, gireve.NOTES)


def _oicp() -> str:
    return page("OICP 2.3", oicp.FIELDS, oicp.ENUMS) + "\n" + _codes()


def _ngp() -> str:
    return page("Hubject's NGP API, v1", ngp.FIELDS, ngp.ENUMS, ngp.NOTES)


def _codes() -> str:
    rows = [
        (code(row.code), row.text, row.kind.value, code(sent_commands.RESULTS[row.code] or ""))
        for row in status_codes.CODES.values()
    ]
    return (
        "## Status codes\n\nWhat a code says of a request's outcome, and what came of a command that it answers; "
        "one that is not listed says nothing of either.\n\n"
        + table(("code", "text", "kind", "result of a command sent"), rows)
        + "\n"
    )


PAGES: Mapping[str, Callable[[], str]] = {
    "ocpi-2.2.1.md": _ocpi,
    "gireve.md": _gireve,
    "oicp-2.3.md": _oicp,
    "hubject-ngp.md": _ngp,
    "irve.md": irve.page,
}


def main() -> None:
    """Writes every page anew."""
    FOLDER.mkdir(exist_ok=True)
    for name, written in PAGES.items():
        (FOLDER / name).write_text(written(), encoding="utf-8")


if __name__ == "__main__":
    main()
