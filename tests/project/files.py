"""What the project consists of, for the tests on the project itself."""

import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = ("mappings", "adapters", "gateway")


def tracked() -> list[Path]:
    """Gives every file under version control, or skips the test outside a checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no checkout: git does not say which files belong to the project")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def read(name: str) -> str:
    """Gives the text of a file of the project."""
    return (ROOT / name).read_text(encoding="utf-8")
