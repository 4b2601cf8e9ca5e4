"""Finds the public data and protocol texts that lie beside the project, and skips a test where they are absent."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent / "shared"


def shared_path(name: str) -> Path:
    """Gives the path of a file or folder beside the project, or skips the test that asks."""
    path = ROOT / name
    if not path.exists():
        pytest.skip(f"../shared/{name} is not here")
    return path
