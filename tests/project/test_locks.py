import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.files import PYPROJECT, ROOT, read

LOCKS = ("requirements.lock", "requirements-dev.lock")


def entries(name: str) -> dict[str, tuple[str, list[str]]]:
    """Reads a lock: name → version, hashes."""
    lines = re.sub(r"\\\n", " ", read(name)).splitlines()
    found = {}
    for line in lines:
        if line.strip() and not line.lstrip().startswith("#"):
            package, _, version = line.split()[0].partition("==")
            assert version, f"{name}: {line[:80]}"
            found[package] = (version, re.findall(r"--hash=(\S+)", line))
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_of_a_lock_has_hashes(name: str) -> None:
    for package, (_, hashes) in entries(name).items():
        assert hashes, package
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes), package


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_no_address(name: str) -> None:
    assert "://" not in read(name)
    assert "--index" not in read(name)


def test_there_is_no_lock_of_a_kind_that_holds_addresses() -> None:
    assert not (ROOT / "uv.lock").exists()
    assert not (ROOT / "poetry.lock").exists()


def test_what_is_tested_is_what_runs() -> None:
    runtime, dev = (entries(name) for name in LOCKS)
    assert runtime.items() <= dev.items()


def test_the_locks_satisfy_what_the_project_asks_for() -> None:
    project, groups = PYPROJECT["project"], PYPROJECT["dependency-groups"]
    asked = {
        "requirements.lock": project["dependencies"] + project["optional-dependencies"]["embedded"] + groups["build"],
        "requirements-dev.lock": groups["dev"],
    }
    for name, requirements in asked.items():
        locked = entries(name)
        for requirement in map(Requirement, requirements):
            version, _ = locked[canonicalize_name(requirement.name)]
            assert version in requirement.specifier, requirement


def test_the_tools_of_development_stay_out_of_what_runs() -> None:
    tools = {canonicalize_name(Requirement(text).name) for text in PYPROJECT["dependency-groups"]["dev"]}
    assert not tools & entries("requirements.lock").keys()
