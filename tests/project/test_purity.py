import ast

from tests.project.files import ROOT, tracked

CLOCK = {"now", "utcnow", "today"}


def test_mappings_never_ask_what_time_it_is() -> None:
    # The import contracts keep `time` out; `datetime` has to be imported and has a clock of its own.
    asked = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in tracked()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] == "mappings"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCK
    ]
    assert asked == []


def test_mappings_open_no_files() -> None:
    opened = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in tracked()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] == "mappings"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"open", "print", "input"}
    ]
    assert opened == []
