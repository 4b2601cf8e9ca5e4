"""The table of OICP's operations: it has all of them, and what it names is there."""

import ast
import json
import re
from functools import cache
from typing import NamedTuple

import pytest

from tests.project.files import ROOT
from tests.shared import shared_path

PAGE = ROOT / "docs" / "oicp-operations.md"
ADAPTERS, MAPPINGS, TESTS = (
    ROOT / name for name in ("adapters/hubject", "mappings/oicp/v2_3", "tests/adapters/hubject")
)

IN_THE_TEXT_ALONE = {
    "/evsepull/v21/providers/{}/status-records-by-id",
    "/evsepull/v21/providers/{}/status-records-by-operator-id",
}
"""Paths that OICP's text gives to operations for which the OpenAPI has another."""


class Row(NamedTuple):
    role: str
    operation: str
    path: str
    adapter: str
    mapping: str
    test: str


def _rows() -> list[Row]:
    found, role = [], ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## As "):
            role = line.rsplit(" ", 1)[1].lower()
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| eRoaming"):
            operation, _, *rest = cells
            found.append(Row(role, operation, *rest))
    return found


ROWS = _rows()


def _plain(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path.strip("`"))


@pytest.mark.parametrize("role", ["cpo", "emp"])
def test_every_operation_of_a_role_has_its_row(role: str) -> None:
    document = json.loads(shared_path(f"protocols/oicp-2.3/openapi-{role}.json").read_text())
    told = {_plain(row.path) for row in ROWS if row.role == role}
    assert told - IN_THE_TEXT_ALONE == {_plain(path) for path in document["paths"]}


def test_an_operation_has_one_row_for_each_role() -> None:
    named = [(row.role, row.operation) for row in ROWS]
    assert len(set(named)) == len(named)
    assert {_plain(row.path) for row in ROWS} >= IN_THE_TEXT_ALONE


def test_all_operations_are_built() -> None:
    assert [row.operation for row in ROWS if not row.adapter.startswith("`")] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.role}-{row.operation.split()[0]}")
def test_what_a_row_names_is_there(row: Row) -> None:
    for folder, cell in ((ADAPTERS, row.adapter), (MAPPINGS, row.mapping)):
        for name in re.findall(r"`([^`]+)`", cell):
            assert (folder / name).is_file(), name
    file, _, test = row.test.strip("`").partition("::")
    assert test in _tests_in(file), row.test


@cache
def _tests_in(file: str) -> set[str]:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {node.name for node in functions if node.name.startswith("test_")}
