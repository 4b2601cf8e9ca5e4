import re
import subprocess

from tests.project.files import ROOT, read


def test_help_lists_every_target_that_is_meant_to_be_called() -> None:
    (names,) = re.findall(r"^\.PHONY: (help .*)$", read("Makefile"), re.MULTILINE)
    said = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    listed = [line.split()[1] for line in said.stdout.splitlines()]
    assert sorted(listed) == sorted(names.split())
    assert {"help", "demo", "test", "check", "bench", "fmt"} <= set(listed)
    assert all(len(line.split()) > 2 for line in said.stdout.splitlines())


def test_a_data_file_with_a_space_in_its_name_reaches_the_demo_as_one_argument() -> None:
    plan = subprocess.run(
        ["make", "--dry-run", "demo", "DATA=a b.json", "ARGS=--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert plan.stdout.splitlines()[-1].split("gateway ")[1] == 'demo "a b.json" --json'
