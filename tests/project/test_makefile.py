import os
import re
import subprocess

from tests.project.files import ROOT, read

OF_MAKE = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}


def make(*arguments: str) -> list[str]:
    """Runs make as a user would, also when these tests were themselves started by make."""
    environment = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
    done = subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_help_lists_every_target_that_is_meant_to_be_called() -> None:
    (names,) = re.findall(r"^\.PHONY: (help .*)$", read("Makefile"), re.MULTILINE)
    lines = [line.split() for line in make("help")]
    assert sorted(words[1] for words in lines) == sorted(names.split())
    assert {"help", "demo", "test", "check", "bench", "fmt"} <= set(names.split())
    assert all(len(words) > 2 for words in lines)


def test_make_alone_helps() -> None:
    assert make() == make("help")


def test_a_data_file_with_a_space_in_its_name_reaches_the_demo_as_one_argument() -> None:
    plan = make("--dry-run", "demo", "DATA=a b.json", "ARGS=--json")
    assert plan[-1].endswith('-m gateway demo "a b.json" --json')
