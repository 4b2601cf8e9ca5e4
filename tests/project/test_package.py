import subprocess
import sys
import zipfile
from pathlib import Path

import yaml

from tests.project.files import PACKAGES, PYPROJECT, ROOT, read, tracked

BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"


def test_the_built_package_carries_every_file_that_the_code_needs(tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    out.mkdir()
    needed = {path.relative_to(ROOT) for path in tracked() if path.relative_to(ROOT).parts[0] in PACKAGES}
    for name in needed | {Path("pyproject.toml"), Path("LICENSE"), Path("README.md")}:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run([sys.executable, "-c", BUILD, str(out)], cwd=source, check=True, capture_output=True)
    (wheel,) = out.glob("*.whl")
    packed = {Path(name) for name in zipfile.ZipFile(wheel).namelist()}
    # Pages about a hub are for people.
    assert {name for name in needed if name.suffix != ".md"} <= packed
    assert {name.parts[0] for name in packed if not name.parts[0].endswith(".dist-info")} == set(PACKAGES)


def test_the_chart_installs_the_version_that_it_stands_beside() -> None:
    assert yaml.safe_load(read("helm/roamgate/Chart.yaml"))["appVersion"] == PYPROJECT["project"]["version"]


def test_the_changelog_begins_with_this_version() -> None:
    heads = [line for line in read("CHANGELOG.md").splitlines() if line.startswith("## ")]
    assert PYPROJECT["project"]["version"] in heads[0] or "Unreleased" in heads[0]


def test_the_licence_is_the_one_that_is_named() -> None:
    assert PYPROJECT["project"]["license"] == "Apache-2.0"
    text = read("LICENSE")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
