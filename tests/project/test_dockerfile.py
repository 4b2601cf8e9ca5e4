import json
import re
from importlib.metadata import PackageNotFoundError, requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.files import PACKAGES, PYPROJECT, ROOT, read


def instructions() -> list[tuple[str, str]]:
    """Reads the Dockerfile: instruction and the rest of its line, comments left out and continued lines joined."""
    lines = [line for line in read("Dockerfile").splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in joined.splitlines()]


def said(name: str) -> list[str]:
    return [rest for instruction, rest in instructions() if instruction == name]


def copied() -> list[str]:
    return [source for rest in said("COPY") if not rest.startswith("--from") for source in rest.split()[:-1]]


def test_everything_that_is_copied_exists_and_is_let_through() -> None:
    let_through = {line[1:].rstrip("/") for line in read(".dockerignore").splitlines() if line.startswith("!")}
    assert "*" in read(".dockerignore").splitlines()
    assert copied()
    for source in copied():
        assert (ROOT / source).exists(), source
    assert set(copied()) == let_through
    assert set(PACKAGES) <= let_through


def test_the_base_is_a_named_release_and_the_same_in_both_stages() -> None:
    bases = {rest.split()[0] for rest in said("FROM")}
    assert len(said("FROM")) == 2
    assert bases == {"python:3.11-slim-bookworm"}


def test_the_image_runs_the_gateway_as_a_numbered_user_that_is_not_root() -> None:
    (user,) = said("USER")
    assert all(int(part) > 10_000 for part in user.split(":"))
    assert [json.loads(rest) for rest in said("ENTRYPOINT")] == [["python", "-m", "gateway"]]
    assert [json.loads(rest) for rest in said("CMD")] == [["run"]]


def test_packages_come_by_hash_and_as_wheels() -> None:
    installs = [rest for rest in said("RUN") if "pip install" in rest]
    assert len(installs) == 2
    assert "--require-hashes --only-binary :all: --requirement requirements.lock" in installs[0]
    assert "--no-deps --no-index --no-build-isolation" in installs[1]


def closure(requirements: list[str]) -> set[str]:
    """Follows what packages require, as far as it applies here."""
    found: set[str] = set()
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        extras = requirement.extras or {""}
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        try:
            needed = [Requirement(text) for text in requires(name) or []]
        except PackageNotFoundError:
            continue
        waiting += [r for r in needed if not r.marker or any(r.marker.evaluate({"extra": e}) for e in extras)]
    return found


def test_what_only_the_embedded_database_needs_is_taken_out_again_and_nothing_else() -> None:
    project = PYPROJECT["project"]
    extra = closure(project["optional-dependencies"]["embedded"]) - closure(project["dependencies"])
    (removed,) = re.findall(r"pip uninstall --yes ([a-z0-9 -]+?) +&&", " ".join(said("RUN")))
    assert set(removed.split()) == extra | {"setuptools", "pip"}


def test_the_image_has_no_secret_fetches_nothing_else_and_says_whether_it_is_healthy() -> None:
    text = read("Dockerfile")
    assert not re.search(r"(?i)password|secret|token", text)
    assert not re.search(r"\b(apt-get|curl|wget|sudo|chmod)\b", text)
    assert said("ADD") == []
    assert not said("ARG")
    (health,) = said("HEALTHCHECK")
    assert "/healthz" in health
