"""Writes the pages of `docs/mappings/` from the tables that the translations themselves use: `make docs`."""

from collections.abc import Callable, Mapping
from pathlib import Path

from mappings.irve import columns as irve

FOLDER = Path(__file__).resolve().parent / "mappings"

PAGES: Mapping[str, Callable[[], str]] = {
    "irve.md": irve.page,
}


def main() -> None:
    """Writes every page anew."""
    FOLDER.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
