"""The table of the NGP API's operations: it has all of them, and what it names is there."""

import ast
import re
from functools import cache
from typing import NamedTuple

import pytest

from tests.ngp_schema import FILES, document
from tests.project.files import ROOT

PAGE = ROOT / "docs" / "ngp-operations.md"
ADAPTERS, MAPPINGS, TESTS = (
    ROOT / name for name in ("adapters/hubject", "mappings/oicp/ngp", "tests/adapters/hubject")
)


class Row(NamedTuple):
    operation: str
    path: str
    adapter: str
    mapping: str
    test: str


def _rows() -> list[Row]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [Row(*row) for row in cells if row[1].startswith("`")]


ROWS = _rows()


def test_every_operation_has_its_row() -> None:
    there = {
        f"{method.upper()} {path}"
        for file in FILES
        for path, methods in document(file)["paths"].items()
        for method in methods
    }
    assert {row.path.strip("`") for row in ROWS} == there


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.operation)
def test_what_a_row_names_is_there(row: Row) -> None:
    for folder, cell in ((ADAPTERS, row.adapter), (MAPPINGS, row.mapping)):
        named = re.findall(r"`([^`]+)`", cell)
        assert named
        for name in named:
            assert (folder / name).is_file(), name
    file, _, test = row.test.strip("`").partition("::")
    assert test in _tests_in(file), row.test


@cache
def _tests_in(file: str) -> set[str]:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {node.name for node in functions if node.name.startswith("test_")}
