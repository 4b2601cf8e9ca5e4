"""Commands are imported when they are called."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from gateway.cli.lazily import COMMANDS
from gateway.cli.main import app
from tests.project.files import ROOT

WHAT_IS_IMPORTED = "import sys; from gateway.cli.main import app; app({!r}, standalone_mode=False); print(*sys.modules)"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_where_the_table_has_it(name):
    shown = CliRunner(env={"COLUMNS": "200"}).invoke(app, [name, "--help"])
    assert (shown.exit_code, f"roamgate {name}" in shown.stdout) == (0, True)


def test_the_help_names_every_command_in_the_order_of_the_table():
    shown = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["--help"]).stdout
    at = [shown.find(f"│ {name} ") for name in COMMANDS]
    assert -1 not in at
    assert at == sorted(at)


def test_a_command_that_is_misspelt_is_answered_by_the_one_that_is_meant():
    assert "Did you mean 'keys'" in CliRunner(env={"COLUMNS": "200"}).invoke(app, ["kyes"]).stderr


def test_whoever_asks_for_one_command_does_not_wait_for_the_imports_of_others():
    asked = [sys.executable, "-c", WHAT_IS_IMPORTED.format(["secret-key"])]
    done = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True)
    assert "gateway.cli.migrating" in done.stdout.split()
    assert "gateway.app" not in done.stdout.split()
